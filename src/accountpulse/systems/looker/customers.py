"""Whom Looker knows: the accounts of the usage explore, for suggested links."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from accountpulse.systems.extraction import CustomerList
from accountpulse.systems.looker.api import Query, Refused
from accountpulse.systems.looker.explores import Missing
from accountpulse.systems.looker.extract import connect
from accountpulse.systems.looker.fields import ExploreField
from accountpulse.systems.looker.rows import Kind
from accountpulse.systems.looker.settings import LookerRequest
from accountpulse.systems.mapping_parts import fields_named

_NAMES = ("account_name", "customer_name", "company_name", "organization_name", "organisation_name", "name", "company")
_SITES = ("website", "domain", "account_domain", "company_domain", "account_website", "email_domain")


def list_customers(request: LookerRequest) -> CustomerList:
    """The account keys of the usage explore over its days, with name and website where it has dimensions for them.

    These are dimensions such as `account.name` and `account.website` beside the account's own. Without usage, or where
    the explore can't be asked, the list is empty and a note says why.
    """
    usage = request.mapping.usage
    if usage is None:
        return _empty("looker.usage is not mapped: it has no list of customers")
    work = connect(request)
    try:
        asked = work.days_asked(usage)
        explore = work.explores.explore(usage.explore)
        known = explore.fields if explore is not None else {}
        name, site = (beside(known, usage.account, words) for words in (_NAMES, _SITES))
        dimensions: dict[str, Kind] = {usage.account: "key"}
        dimensions |= {each: "text" for each in (name, site) if each is not None}
        query = Query(asked.model, asked.explore, dimensions, {}, asked.filters, asked.zone)
        fields = [each for each in fields_named(usage) if each.key in ("account", "date")]
        rows = work.api.query(work.explores.ready(query, fields, usage.date))
    except Missing:
        return _empty(*work.notes)
    except Refused as refused:
        return _empty(f"explore {usage.explore} can't be asked (HTTP {refused.status})")
    table = rows.spool.lazy().collect().rename({usage.account: "key"})
    return CustomerList.of(_rows(table, name, site), work.notes)


def beside(fields: Mapping[str, ExploreField], account: str, words: Sequence[str]) -> str | None:
    """A dimension of text with one of these names: of the account's own view before those of others."""
    own = account.partition(".")[0]
    named = [
        (view != own, words.index(last), name)
        for name, field in fields.items()
        for view, _, last in [name.lower().rpartition(".")]
        if last in words and field.category == "dimension" and field.type in {None, "string"}
    ]
    return min(named)[2] if named else None


def _rows(table: pl.DataFrame, name: str | None, site: str | None) -> Iterator[tuple[Any, ...]]:
    """One row a key, as CUSTOMERS has it; of several names the first by the alphabet."""
    wanted = {"name": name, "site": site}
    named = [
        (pl.lit(None, pl.String) if field is None else pl.col(field)).alias(ours) for ours, field in wanted.items()
    ]
    known = table.filter((pl.col("key").str.strip_chars() != "").fill_null(value=False)).select("key", *named)
    for key, names, sites in known.group_by("key", maintain_order=True).agg("name", "site").iter_rows():
        yield key, min(filter(None, names), default=None), sorted(filter(None, set(sites))), [], []


def _empty(*notes: str) -> CustomerList:
    return CustomerList.of((), notes)
