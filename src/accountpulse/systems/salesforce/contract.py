"""Renewals, payment problems and downgrades: for each strategy, what to ask and what the rows mean.

Each function gives the rows of one table of records, or raises MissingInOrg.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, Rows, at, number, text
from accountpulse.systems.salesforce.settings import (
    DowngradeHistory,
    DowngradeRecords,
    PaymentCases,
    PaymentField,
    PaymentInvoices,
    Renewal,
)

Accounts = Iterable[Mapping[str, Any]]
PAYMENT_DAYS = 90
YEAR = 365
NUMBERS = {"int", "long", "double", "currency", "percent"}


def renewals(reading: OrgReading, strategies: Iterable[Renewal], accounts: Accounts) -> Rows:
    """Open renewals of all strategies; MissingInOrg where the org has none of their names."""
    possible = False
    for rank, strategy in enumerate(strategies):
        reading.setting = f"renewal {rank + 1} (from: {strategy.source})"
        try:
            found = list(_renewal(reading, strategy, accounts))
        except MissingInOrg:
            continue
        possible = True
        for account, value in found:
            if (due := reading.day_of(value, account)) is not None:
                yield {"account_id": account, "due": due, "rank": rank}
    if not possible:
        raise MissingInOrg


def _renewal(reading: OrgReading, strategy: Renewal, accounts: Accounts) -> Iterator[tuple[Any, Any]]:
    date = strategy.date
    if strategy.source == "account":
        if not reading.has("Account", date):
            raise MissingInOrg
        yield from ((row["Id"], at(row, date)) for row in accounts)
        return
    name = {"opportunity": "Opportunity", "contract": "Contract"}[strategy.source]
    reading.need(name, "AccountId", date)
    open_then = None
    if strategy.source == "opportunity":
        open_then = f"IsClosed = false AND CreatedDate < {reading.bound(name, 'CreatedDate', reading.scope.as_of)}"
    chosen = (reading.only(name, strategy.only), strategy.where)
    rows = reading.rows(name, ("AccountId", date), *chosen, open_then, f"{date} != null")
    yield from ((row["AccountId"], at(row, date)) for row in rows)


def payment_problems(
    reading: OrgReading, part: PaymentCases | PaymentInvoices | PaymentField, accounts: Accounts
) -> Rows:
    """Problems that began in the trailing 90 days, or are open at as_of."""
    if isinstance(part, PaymentField):
        return _flagged(reading, part, accounts)
    return _cases(reading, part) if isinstance(part, PaymentCases) else _invoices(reading, part)


def _cases(reading: OrgReading, part: PaymentCases) -> Rows:
    fields = (part.account, part.opened, part.closed)
    reading.need(part.object, *fields)
    chosen = (reading.only(part.object, part.only), part.where)
    for row in reading.rows(part.object, fields, *chosen, *_trouble(reading, part.object, part.opened, part.closed)):
        yield _problem(reading, at(row, part.account), at(row, part.opened), at(row, part.closed))


def _invoices(reading: OrgReading, part: PaymentInvoices) -> Rows:
    fields = (part.account, part.due, part.paid)
    reading.need(part.object, *fields)
    chosen = (reading.only(part.object, part.only), part.where)
    for row in reading.rows(part.object, fields, *chosen, *_trouble(reading, part.object, part.due, part.paid)):
        due, paid = (reading.day_of(at(row, name), at(row, part.account)) for name in (part.due, part.paid))
        if due is not None and (paid is None or paid > due):  # SOQL can't compare two fields
            yield _problem(reading, at(row, part.account), at(row, part.due), at(row, part.paid))


def _trouble(reading: OrgReading, name: str, begun: str, ended: str) -> tuple[str, str]:
    """Begun before as_of, and since the window's start or not ended by as_of."""
    as_of = reading.scope.as_of
    since = reading.bound(name, begun, as_of - timedelta(days=PAYMENT_DAYS))
    still = f"{ended} = null OR {ended} >= {reading.bound(name, ended, as_of)}"
    return f"{begun} < {reading.bound(name, begun, as_of)}", f"{begun} >= {since} OR {still}"


def _flagged(reading: OrgReading, part: PaymentField, accounts: Accounts) -> Rows:
    """As many problems as the account's field says; an empty number can't be told from a forgotten one."""
    if not reading.has("Account", part.field):
        raise MissingInOrg
    found = reading.find("Account", part.field)
    kind = found.type if found is not None else ""
    values = {value.casefold() for value in reading.known("Account", part.field, part.values, "values")}
    if kind not in {*NUMBERS, "boolean"} and not values:
        reading.note(f"values: none of {part.field} means a payment problem; name one, or use a number or a checkbox")
        raise MissingInOrg
    for row in accounts:
        value = at(row, part.field)
        if kind in NUMBERS:
            unknown, count = value is None, round(number(value) or 0)
        else:
            unknown, count = False, int(value is True or (value is not None and str(value).casefold() in values))
        for _ in range(1 if unknown else count):
            yield {**_problem(reading, row["Id"], None, None), "unknown": unknown}


def _problem(reading: OrgReading, account: Any, opened: Any, closed: Any) -> dict[str, Any]:
    return {
        "account_id": account,
        "opened_at": reading.moment(opened, account),
        "closed_at": reading.moment(closed, account),
    }


def downgrades(reading: OrgReading, part: DowngradeRecords | DowngradeHistory) -> Rows:
    """Downgrades closed in the trailing 365 days."""
    return _fallen(reading, part) if isinstance(part, DowngradeHistory) else _amended(reading, part)


def _amended(reading: OrgReading, part: DowngradeRecords) -> Rows:
    reading.need(part.object, part.account, part.date)
    chosen = (reading.only(part.object, part.only), part.where)
    for row in reading.rows(part.object, (part.account, part.date), *chosen, _year(reading, part.object, part.date)):
        yield {
            "account_id": at(row, part.account),
            "closed_on": reading.day_of(at(row, part.date), at(row, part.account)),
        }


def _fallen(reading: OrgReading, part: DowngradeHistory) -> Rows:
    reading.need(part.object, part.parent, "Field", "OldValue", "NewValue", "CreatedDate")
    fields = (part.parent, "OldValue", "NewValue", "CreatedDate")
    year = _year(reading, part.object, "CreatedDate")
    days = set()
    for row in reading.rows(part.object, fields, f"Field = {text(part.field)}", year):
        before, after = number(row["OldValue"]), number(row["NewValue"])
        if before is not None and after is not None and after < before:
            account = at(row, part.parent)
            days.add((account, reading.day_of(row["CreatedDate"], account)))
    yield from ({"account_id": account, "closed_on": day} for account, day in sorted(days, key=str))


def _year(reading: OrgReading, name: str, date: str) -> str:
    window = reading.scope.trailing(YEAR)
    since, until = (reading.bound(name, date, moment) for moment in (window.start, window.end))
    return f"{date} >= {since} AND {date} < {until}"
