"""Salesforce → accounts and their links, contract, relationship and churn signals: whole-portfolio queries.

What a company calls its fields is accountpulse.yaml; a describe of each object decides what exists. What is absent or
not readable leaves its metrics null with `field_missing`, and a note names it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from accountpulse.errors import AccessError
from accountpulse.extractors import salesforce_parts as parts
from accountpulse.extractors.base import Request
from accountpulse.extractors.salesforce_queries import Missing, Reading, day_of, number
from accountpulse.records import METRICS, TABLES, Extract, Source
from accountpulse.rest.salesforce import Org
from accountpulse.settings import Settings
from accountpulse.settings.mapping import SalesforceMapping

SIGNALS = tuple(name for name, metric in METRICS.items() if metric.domain == "signals")


def extract(request: Request) -> Extract:
    """Every table of the CRM. An org without readable accounts is an AccessError: nothing can be scored."""
    settings = request.settings
    org = Org.connect(settings.salesforce, request.meter, settings.ca_bundle)
    reading = Reading(org, request.scope, notes=list(org.notices))
    links = _link_fields(settings)
    found = _accounts(reading, settings, links)
    request.progress(len(found), len(found))
    tables = {"accounts": _account_rows(reading, settings.mapping.salesforce, found), "links": _link_rows(found, links)}
    frames = {name: _frame(name, rows) for name, rows in tables.items()}
    for name, rows in _parts(reading, settings, found):
        frames[name] = _frame(name, rows)
        request.progress(sum(table.height for table in frames.values()), None)
    frames["accounts"] = _as_of(frames["accounts"], frames["arr_changes"], request)
    before = pl.col("at") < request.scope.as_of
    frames["arr_changes"] = frames["arr_changes"].filter(before)
    return Extract("salesforce", frames, reading.gaps, {}, tuple(dict.fromkeys(reading.notes)))


def _frame(name: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=TABLES[name], orient="row")


def _link_fields(settings: Settings) -> dict[Source, str]:
    """The account's field that names it in each configured source."""
    mapping = settings.mapping
    fields: dict[Source, str] = {
        "intercom": mapping.intercom.account_field,
        "jira": mapping.jira.account_field,
        "looker": mapping.looker.account_field,
    }
    return {source: fields[source] for source in settings.configured if source in fields}


def _accounts(reading: Reading, settings: Settings, links: dict[Source, str]) -> list[dict[str, Any]]:
    """All customers, with the fields that exist."""
    org = settings.mapping.salesforce
    try:
        reading.need("Account", "Id", "Name")
        dates = [strategy.date for strategy in org.renewal if strategy.source == "account"]
        wanted = [org.accounts.arr, org.accounts.tier, org.accounts.segment, org.accounts.seats, org.accounts.owner]
        fields = [each for each in (*wanted, org.accounts.customer_since) if reading.has("Account", each)]
        known = [each for each in (*links.values(), *dates) if reading.has("Account", each)]
        rows = reading.rows("Account", ["Id", "Name", *(each for each in fields if each), *known], org.accounts.where)
        return [dict(row) for row in rows]
    except Missing:
        remedy = "Give our user read access to Account, and check salesforce.accounts in accountpulse.yaml."
        raise AccessError("salesforce", "reading accounts", reading.notes[-1], remedy) from None


def _account_rows(reading: Reading, org: SalesforceMapping, found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    names = org.accounts
    if not reading.has("Account", names.arr):
        reading.gaps["arr_trajectory_pct"] = "field_missing"
    if not (reading.has("Account", names.arr) and reading.has("Account", names.tier)):
        reading.gaps["tier_alignment"] = "field_missing"
    for row in found:
        yield {
            "account_id": row["Id"],
            "account_name": row["Name"],
            "segment": row.get(names.segment or ""),
            "customer_tier": row.get(names.tier or ""),
            "arr": number(row.get(names.arr or "")),
            "seats": number(row.get(names.seats or "")),
            "owner": row.get(names.owner or ""),
            "customer_since": day_of(row.get(names.customer_since or "")),
        }


def _link_rows(found: list[dict[str, Any]], links: dict[Source, str]) -> Iterator[dict[str, Any]]:
    for row in found:
        for source, name in links.items():
            key = row.get(name)
            if key is not None and str(key).strip():
                yield {"account_id": row["Id"], "source": source, "key": str(key)}


def _parts(
    reading: Reading, settings: Settings, found: list[dict[str, Any]]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each table beyond the accounts; a part that is off or missing is an empty one, with a gap."""
    org = settings.mapping.salesforce
    arr = org.accounts.arr if reading.has("Account", org.accounts.arr) else None
    works: list[tuple[str, tuple[str, ...], object, Callable[[Any], Iterator[dict[str, Any]]]]] = [
        ("renewals", ("days_to_renewal",), org.renewal, lambda part: parts.renewals(reading, part, found)),
        ("payment_problems", ("payment_health",), org.payment, lambda part: parts.payment_problems(reading, part)),
        ("downgrades", ("contract_changes",), org.downgrades, lambda part: parts.downgrades(reading, part)),
        ("arr_changes", ("arr_trajectory_pct",), org.arr_history, lambda part: _arr(reading, part, arr)),
        ("reviews", ("qbr_attendance",), org.reviews, lambda part: parts.reviews(reading, part)),
        ("champions", ("champion_stability",), org.champions, lambda part: parts.champions(reading, part)),
        ("expansions", ("expansion_signals",), org.expansion, lambda part: parts.expansions(reading, part)),
        ("signals", SIGNALS, settings.mapping.signals, lambda part: parts.signals(reading, part)),
    ]
    for table, metrics, part, work in works:
        rows: list[dict[str, Any]] = []
        if not part:
            reading.gaps |= dict.fromkeys(metrics, "not_configured")
        else:
            try:
                rows = list(work(part))
            except Missing:
                reading.gaps |= dict.fromkeys(metrics, "field_missing")
        yield table, rows


def _arr(reading: Reading, part: Any, arr: str | None) -> Iterator[dict[str, Any]]:
    if arr is None:
        raise Missing
    return parts.arr_changes(reading, part, arr)


def _as_of(accounts: pl.DataFrame, changes: pl.DataFrame, request: Request) -> pl.DataFrame:
    """Accounts with ARR as it was at as_of: before the first change since then, where there was one."""
    later = changes.filter(pl.col("at") >= request.scope.as_of).sort("at")
    then = later.group_by("account_id", maintain_order=True).first().select("account_id", then="before", changed=True)
    joined = accounts.join(then, on="account_id", how="left", maintain_order="left")
    arr = pl.when(pl.col("changed")).then("then").otherwise("arr")
    return joined.with_columns(arr=arr).select(accounts.columns)
