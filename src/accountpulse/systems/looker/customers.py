"""Whom Looker knows: the accounts of the usage explore, for suggested links."""

from collections.abc import Mapping, Sequence

import polars as pl

from accountpulse.core.plain_text import plain_table
from accountpulse.core.records import CUSTOMERS
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
    return CustomerList(_customers(table, name, site), tuple(work.notes))


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


def _customers(table: pl.DataFrame, name: str | None, site: str | None) -> pl.DataFrame:
    """One row a key; of several names the first by the alphabet."""
    known = table.drop_nulls("key").filter(pl.col("key").str.strip_chars() != "")
    sites = pl.col(site).drop_nulls().unique().sort() if site is not None else pl.lit(None, pl.String).drop_nulls()
    grouped = known.group_by("key", maintain_order=True).agg(
        name=pl.col(name).drop_nulls().min() if name is not None else pl.lit(None, pl.String),
        websites=sites,
    )
    nothing = pl.lit([], pl.List(pl.String))
    filled = grouped.with_columns(mail_domains=nothing, external_keys=nothing)
    return plain_table(filled.select(pl.col(column).cast(kind) for column, kind in CUSTOMERS.items()))


def _empty(*notes: str) -> CustomerList:
    return CustomerList(pl.DataFrame(schema=dict(CUSTOMERS)), notes)
