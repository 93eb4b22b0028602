"""The addresses of accounts in the systems' own pages, which a run keeps with what each source holds of them."""

from collections.abc import Iterator

import polars as pl

from accountpulse.accounts import Linked
from accountpulse.core.records import Columns, SourceName
from accountpulse.core.web_links import MOST, filled, leads_to_a_page
from accountpulse.settings import Settings
from accountpulse.systems import SYSTEMS

URLS: Columns = {"account_id": pl.String, "source": pl.String, "urls": pl.List(pl.String)}


def account_urls(settings: Settings, linked: Linked) -> pl.DataFrame:
    """A row for each account and configured system that has its page (URLS); of several keys an address each.

    Keys that the system doesn't know lead nowhere and have none.
    """
    rows = [row for name in settings.configured for row in _of_source(settings, linked, name)]
    return pl.DataFrame(rows, schema=URLS, orient="row")


def _of_source(settings: Settings, linked: Linked, name: SourceName) -> Iterator[tuple[str, SourceName, list[str]]]:
    link_to, connection = SYSTEMS[name].link_to, settings.connection(name)
    address = None if link_to is None else link_to(connection.access, connection.mapping)
    if address is None or not leads_to_a_page(address.template):
        return
    for account, keys in _keys(linked, name):
        found = (filled(address.template, {"id": account, **values}) for values in address.values(keys))
        if urls := list(dict.fromkeys(found))[:MOST]:
            yield account, name, urls


def _keys(linked: Linked, name: SourceName) -> Iterator[tuple[str, list[str]]]:
    """Each account with its keys in a system, sorted; in the one that has the accounts the id is the key."""
    if SYSTEMS[name].has_accounts:
        yield from ((account, [account]) for account in linked.accounts["account_id"])
        return
    known = linked.keys.filter((pl.col("source") == name) & pl.col("reason").is_null())
    yield from known.group_by("account_id").agg(pl.col("key").unique().sort()).sort("account_id").iter_rows()
