"""The parts of contract, relationship and signals: for each, what to ask and what the rows mean.

Each function gives the rows of one table of records, or raises Missing.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from accountpulse.extractors.salesforce_queries import Missing, Reading, at, day_of, in_list, number, text
from accountpulse.rest.salesforce import format_soql
from accountpulse.settings.mapping import (
    ArrHistory,
    Champions,
    Downgrade,
    Expansion,
    Payment,
    Renewal,
    Reviews,
    Signals,
)

Rows = Iterator[dict[str, Any]]
PAYMENT_DAYS = 90
YEAR = 365


def renewals(reading: Reading, strategies: Iterable[Renewal], accounts: Iterable[dict[str, Any]]) -> Rows:
    """Open renewals of all strategies; Missing where the org has none of their names."""
    possible = False
    for rank, strategy in enumerate(strategies):
        try:
            found = list(_renewal(reading, strategy, accounts))
        except Missing:
            continue
        possible = True
        for account, value in found:
            if (due := day_of(value)) is not None:
                yield {"account_id": account, "due": due, "rank": rank}
    if not possible:
        raise Missing


def _renewal(reading: Reading, strategy: Renewal, accounts: Iterable[dict[str, Any]]) -> Iterator[tuple[Any, Any]]:
    if strategy.source == "account":
        if not reading.has("Account", strategy.date):
            raise Missing
        yield from ((row["Id"], row.get(strategy.date)) for row in accounts)
        return
    name = {"opportunity": "Opportunity", "contract": "Contract"}[strategy.source]
    reading.need(name, "AccountId", strategy.date)
    open_then = None
    if strategy.source == "opportunity":
        open_then = f"IsClosed = false AND CreatedDate < {reading.bound(name, 'CreatedDate', reading.scope.as_of)}"
    rows = reading.rows(name, ("AccountId", strategy.date), strategy.where, open_then, f"{strategy.date} != null")
    yield from ((row["AccountId"], row[strategy.date]) for row in rows)


def payment_problems(reading: Reading, part: Payment) -> Rows:
    """Problems opened in the trailing 90 days, or open at as_of."""
    name, opened, closed = part.object, part.opened, part.closed
    reading.need(name, part.account, opened, closed)
    as_of = reading.scope.as_of
    since = reading.bound(name, opened, as_of - timedelta(days=PAYMENT_DAYS))
    recent = f"{opened} >= {since} OR {closed} = null OR {closed} >= {reading.bound(name, closed, as_of)}"
    begun = f"{opened} < {reading.bound(name, opened, as_of)}"
    for row in reading.rows(name, (part.account, opened, closed), part.where, begun, recent):
        moments = {"opened_at": reading.moment(row[opened]), "closed_at": reading.moment(row[closed])}
        yield {"account_id": at(row, part.account), **moments}


def downgrades(reading: Reading, part: Downgrade) -> Rows:
    """Downgrades closed in the trailing 365 days."""
    reading.need(part.object, part.account, part.date)
    window = reading.scope.trailing(YEAR)
    since, until = (reading.bound(part.object, part.date, moment) for moment in (window.start, window.end))
    bounds = f"{part.date} >= {since} AND {part.date} < {until}"
    for row in reading.rows(part.object, (part.account, part.date), part.where, bounds):
        yield {"account_id": at(row, part.account), "closed_on": day_of(row[part.date])}


def arr_changes(reading: Reading, part: ArrHistory, arr: str) -> Rows:
    """Changes of the ARR field over the trailing 365 days and since; later ones are there to go back to as_of."""
    reading.need(part.object, part.parent, "Field", "OldValue", "NewValue")
    since = reading.bound(part.object, "CreatedDate", reading.scope.trailing(YEAR).start)
    fields = (part.parent, "OldValue", "NewValue", "CreatedDate")
    for row in reading.rows(part.object, fields, f"Field = {text(arr)}", f"CreatedDate >= {since}"):
        values = {"before": number(row["OldValue"]), "after": number(row["NewValue"])}
        yield {"account_id": at(row, part.parent), "at": reading.moment(row["CreatedDate"]), **values}


def reviews(reading: Reading, part: Reviews) -> Rows:
    """Business reviews held in the trailing 365 days."""
    window = reading.scope.trailing(YEAR)
    wanted = " OR ".join(f"Subject LIKE {text(pattern)}" for pattern in part.subject_like)
    unwanted = [f"NOT Subject LIKE {text(pattern)}" for pattern in part.not_subject_like]
    for name in part.objects:
        reading.need(name, "AccountId", "Subject", "ActivityDate")
        days = (format_soql("{}", reading.day(moment)) for moment in (window.start, window.end))
        held = "IsChild = false" if name == "Event" else "IsClosed = true"
        came = f"{part.no_show} = false" if reading.has(name, part.no_show) else None
        bounds = "ActivityDate >= {} AND ActivityDate < {}".format(*days)
        for row in reading.rows(name, ("AccountId", "ActivityDate"), wanted, *unwanted, bounds, held, came):
            if row["AccountId"] is not None:
                yield {"account_id": row["AccountId"], "held_on": day_of(row["ActivityDate"])}


def champions(reading: Reading, part: Champions) -> Rows:
    """Contacts in a champion's role on opportunities won before as_of, each once an account."""
    name = "OpportunityContactRole"
    reading.need(name, "ContactId", "OpportunityId", "Role")
    left = f"Contact.{part.contact_left}" if reading.has("Contact", part.contact_left) else None
    fields = ["ContactId", "Opportunity.AccountId", "Contact.AccountId", "Contact.EmailBouncedDate"]
    won = f"Opportunity.IsWon = true AND Opportunity.CloseDate < {format_soql('{}', reading.scope.as_of_day)}"
    seen: set[tuple[str, str]] = set()
    for row in reading.rows(name, [*fields, *([left] if left else [])], f"Role IN {in_list(part.roles)}", won):
        account, contact = at(row, "Opportunity.AccountId"), row["ContactId"]
        if account is None or (account, contact) in seen:
            continue
        seen.add((account, contact))
        gone = bool(left and at(row, left)) or at(row, "Contact.EmailBouncedDate") is not None
        there = not gone and at(row, "Contact.AccountId") == account
        yield {"account_id": account, "contact_id": contact, "still_there": there}


def expansions(reading: Reading, part: Expansion) -> Rows:
    """Expansion opportunities that are open and were there at as_of."""
    reading.need("Opportunity", "AccountId", "Probability")
    created = f"CreatedDate < {reading.bound('Opportunity', 'CreatedDate', reading.scope.as_of)}"
    likely = f"IsClosed = false AND Probability >= {part.min_probability:g}"
    for row in reading.rows("Opportunity", ("Id", "AccountId"), part.where, likely, created):
        yield {"account_id": row["AccountId"], "opportunity_id": row["Id"]}


def signals(reading: Reading, part: Signals) -> Rows:
    """Churn signals that were open at as_of."""
    name = part.object
    reading.need(name, part.account, part.severity, part.status, part.opened, part.closed)
    if not reading.has(name, part.confidence):
        reading.gaps["critical_confirmed_signals"] = "field_missing"
    confidence = [part.confidence] if "critical_confirmed_signals" not in reading.gaps else []
    fields = (part.account, part.severity, part.status, part.opened, part.closed, *confidence)
    as_of = reading.scope.as_of
    begun = f"{part.opened} < {reading.bound(name, part.opened, as_of)}"
    still = f"{part.closed} = null OR {part.closed} >= {reading.bound(name, part.closed, as_of)}"
    strange = 0
    for row in reading.rows(name, fields, begun, still):
        if row[part.closed] is None and _is(row[part.status], part.resolved):
            continue
        level = _level(row[part.severity], part)
        strange += level is None
        yield {
            "account_id": at(row, part.account),
            "severity": level or "watch",
            "monitoring": _is(row[part.status], part.monitoring),
            "confirmed": bool(confidence) and _is(row[part.confidence], part.confirmed),
            "opened_at": reading.moment(row[part.opened]),
            "closed_at": reading.moment(row[part.closed]),
        }
    if strange:
        reading.notes.append(f"{strange:,} signals have a severity that the mapping doesn't know; they count as watch")


def _level(severity: Any, part: Signals) -> str | None:
    for level in ("critical", "moderate", "watch"):
        if _is(severity, getattr(part.levels, level)):
            return level
    return None


def _is(value: Any, wanted: Iterable[str]) -> bool:
    return str(value).strip().casefold() in {each.casefold() for each in wanted}
