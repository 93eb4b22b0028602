"""Renewals, payment problems and downgrades: for each strategy, what to ask and what the rows mean.

Each function gives the rows of one table of records, or raises MissingInOrg.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from accountpulse.core.period import Window
from accountpulse.systems.salesforce.currencies import CURRENCY, Money
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.histories import YEAR, history_rows, of_the_year, tracked_from
from accountpulse.systems.salesforce.pulse_settings import Forecast
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, RowCondition, Rows, at, number
from accountpulse.systems.salesforce.row_facts import (
    AccountRows,
    account_of,
    closed_since,
    may_lie_in,
    means,
    open_at_as_of,
    unlisted,
)
from accountpulse.systems.salesforce.settings import (
    DowngradeHistory,
    DowngradeRecords,
    PaymentCases,
    PaymentField,
    PaymentInvoices,
    Renewal,
    Renewals,
)

PAYMENT = ("payment_health",)
DOWNGRADES = ("contract_changes",)
PAYMENT_DAYS = 90
COUNTS = frozenset({"int", "long", "double"})
NOBODY_SAID = {"opened_at": None, "closed_at": None, "unknown": True}
UNTOLD = "a change that may or may not be a decrease"
UNDATED = "a record without a date that may lie in the window"


def renewals(reading: OrgReading, part: Renewals, accounts: AccountRows) -> Rows:
    """Open renewals of all strategies; MissingInOrg where the org has none of their names."""
    possible = False
    for rank, strategy in enumerate(part.strategies):
        reading.setting = f"renewal {rank + 1} (from: {strategy.source})"
        forecast = part.forecast if strategy.source == "opportunity" and _can_be_read(reading, part.forecast) else None
        try:
            found = list(_renewal(reading, strategy, forecast, accounts))
        except MissingInOrg:
            continue
        possible = True
        for account, value, outlook in found:
            if (due := reading.day_of(value, account)) is not None:
                yield {"account_id": account, "due": due, "rank": rank, "forecast": outlook}
    if not possible:
        raise MissingInOrg


def _can_be_read(reading: OrgReading, forecast: Forecast | None) -> bool:
    """Whether the field of the forecast can be read; the usual one may be missing without a word."""
    if forecast is None or (forecast == Forecast() and reading.find("Opportunity", forecast.field) is None):
        return False
    if not reading.has("Opportunity", forecast.field):
        return False
    reading.known("Opportunity", forecast.field, (*forecast.likely, *forecast.unlikely), "forecast")
    return True


def _outlook(row: Row, forecast: Forecast | None) -> str | None:
    """What the opportunity's forecast says of the renewal; null: it says nothing."""
    value = None if forecast is None else at(row, forecast.field)
    if forecast is None or value is None:
        return None
    if means(value, forecast.likely):
        return "likely"
    return "unlikely" if means(value, forecast.unlikely) else "open"


def _renewal(
    reading: OrgReading, strategy: Renewal, forecast: Forecast | None, accounts: AccountRows
) -> Iterator[tuple[Any, Any, str | None]]:
    """An opportunity, contract or record without a date has none to renew by."""
    date = strategy.date
    if strategy.source == "account":
        if not reading.has("Account", date):
            raise MissingInOrg
        yield from ((row["Id"], at(row, date), None) for row in accounts)
        return
    name, lookup = strategy.place
    reading.need(name, lookup, date)
    closed = "IsClosed" if strategy.source == "opportunity" else None
    chosen: list[str | RowCondition | None] = [reading.only(name, strategy.only), strategy.where]
    if strategy.source == "opportunity":
        chosen += [open_at_as_of(reading), reading.compare(name, "CreatedDate", "<", reading.scope.as_of, null=False)]
    dated = f"{date} != null" if reading.filterable(name, date) else None
    fields = (lookup, date, closed, None if forecast is None else forecast.field)
    for row in reading.rows(name, fields, *chosen, dated):
        account = account_of(reading, name, row, lookup)
        if closed_since(reading, row, account, "days_to_renewal"):
            continue
        if at(row, date) is None:
            reading.leave_out("without a renewal date")
        else:
            yield account, at(row, date), _outlook(row, forecast)


# --- payment ---------------------------------------------------------------------------------------------------


def payment_problems(
    reading: OrgReading, part: PaymentCases | PaymentInvoices | PaymentField, accounts: AccountRows
) -> Rows:
    """Problems that began in the trailing 90 days, or are open at as_of."""
    if isinstance(part, PaymentField):
        return _flagged(reading, part, accounts)
    return _cases(reading, part) if isinstance(part, PaymentCases) else _invoices(reading, part)


def _cases(reading: OrgReading, part: PaymentCases) -> Rows:
    """One that bears no day of its beginning began long ago, unless it ended in the 90 days: then it can't be known.

    One whose record was made after as_of wasn't there yet.
    """
    reading.need(part.object, part.account, part.opened, part.closed)
    since = _since(reading)
    for row in _troubles(reading, part, part.opened, part.closed):
        account = account_of(reading, part.object, row, part.account)
        opened, closed = (reading.moment(at(row, name), account) for name in (part.opened, part.closed))
        if opened is None and closed is not None and closed < reading.scope.as_of:
            if closed >= since:
                reading.unknown(
                    account, PAYMENT, "unclear", "a problem that ended in the 90 days, and bears no beginning"
                )
            reading.leave_out("ended before the end of the month, without a start date")
        elif opened is None and not _is_there(reading, row):
            reading.outside()
        else:
            yield {"account_id": account, "opened_at": opened, "closed_at": closed}


def _invoices(reading: OrgReading, part: PaymentInvoices) -> Rows:
    """One without a due date is no problem once it is paid; until then nobody can say whether it is overdue."""
    reading.need(part.object, part.account, part.due, part.paid)
    as_of = reading.scope.as_of
    for row in _troubles(reading, part, part.due, part.paid):
        account = account_of(reading, part.object, row, part.account)
        moments = [reading.moment(at(row, name), account) for name in (part.due, part.paid)]
        due, paid = (None if moment is None else reading.day(moment) for moment in moments)
        if due is None:
            if (paid is None or moments[1] is None or moments[1] >= as_of) and _is_there(reading, row):
                reading.unknown(account, PAYMENT, "unclear", "an unpaid invoice without a due date")
            reading.leave_out("an invoice without a due date")
        elif paid is not None and paid <= due:  # SOQL can't compare two fields
            reading.leave_out("an invoice that was paid by its due date")
        else:
            yield {"account_id": account, "opened_at": moments[0], "closed_at": moments[1]}


def _is_there(reading: OrgReading, row: Row) -> bool:
    """Whether the record was made before as_of."""
    made = reading.moment(at(row, "CreatedDate"), None)
    return made is None or made < reading.scope.as_of


def _troubles(reading: OrgReading, part: PaymentCases | PaymentInvoices, begun: str, ended: str) -> Iterable[Row]:
    """Begun before as_of, and since the window's start or not ended by then; those that bear no beginning, too."""
    name, as_of, since = part.object, reading.scope.as_of, _since(reading)
    before = reading.compare(name, begun, "<", as_of, null=True)
    recent = reading.compare(name, begun, ">=", since, null=False)
    still = reading.compare(name, ended, ">=", as_of, null=True)
    undated = reading.compare(name, ended, ">=", since, null=True)
    texts = (recent.text, still.text, undated.text)
    if None in texts:
        either = RowCondition(None, (begun, ended), lambda row: recent.holds(row) or still.holds(row))
    else:
        either = RowCondition(f"{recent.text} OR {still.text} OR ({begun} = null AND ({undated.text}))")
    made = "CreatedDate" if reading.find(name, "CreatedDate") else None
    chosen = (reading.only(name, part.only), part.where)
    return reading.rows(name, (part.account, begun, ended, made), *chosen, before, either)


def _since(reading: OrgReading) -> datetime:
    return reading.scope.trailing(PAYMENT_DAYS).start


def _flagged(reading: OrgReading, part: PaymentField, accounts: AccountRows) -> Rows:
    """As many problems as the account's field says; an empty one can't be told from a forgotten one."""
    if not reading.has("Account", part.field):
        raise MissingInOrg
    found = reading.find("Account", part.field)
    kind = found.type if found is not None else ""
    values = tuple(reading.known("Account", part.field, part.values, "values"))
    if kind not in {*COUNTS, "boolean"} and not values:
        reading.note(f"values: none of {part.field} means a payment problem; name one, or use a number or a checkbox")
        raise MissingInOrg
    for row in accounts:
        value = at(row, part.field)
        if kind in COUNTS:
            yield from _counted(reading, row["Id"], value)
        elif value is None:
            yield NOBODY_SAID | {"account_id": row["Id"]}
        elif kind == "boolean":
            yield from _problems(row["Id"], int(value is True))
        elif unlisted(reading, "Account", part.field, value) and not means(value, part.values):
            reading.unknown(row["Id"], PAYMENT, "unclear", f"{part.field} has a value that the org no longer lists")
        else:
            yield from _problems(row["Id"], int(means(value, values)))


def _counted(reading: OrgReading, account: Any, value: Any) -> Rows:
    """A number of problems; one that counts nothing (negative, with decimals) can't be told."""
    count = number(value)
    if count is None:
        return [NOBODY_SAID | {"account_id": account}]
    if count < 0 or not count.is_integer():
        reading.unknown(account, PAYMENT, "unclear", "a number of payment problems that is negative or no whole number")
        return []
    return _problems(account, int(count))


def _problems(account: Any, count: int) -> Rows:
    return [{"account_id": account, "opened_at": None, "closed_at": None, "unknown": False}] * count


# --- downgrades ------------------------------------------------------------------------------------------------


def downgrades(
    reading: OrgReading, part: DowngradeRecords | DowngradeHistory, accounts: AccountRows, worth: Money | None
) -> Rows:
    """Downgrades closed in the trailing 365 days. `worth`: how amounts compare, where that is known."""
    return _fallen(reading, part, accounts, worth) if isinstance(part, DowngradeHistory) else _amended(reading, part)


def _amended(reading: OrgReading, part: DowngradeRecords) -> Rows:
    """A record without a date makes the number unknown, unless it can't have been closed in the window."""
    reading.need(part.object, part.account, part.date)
    window = reading.scope.trailing(YEAR)
    found = reading.find(part.object, part.date)
    null = found is None or found.nillable
    bounds = _within(reading, part.object, part.date, window, null=null)
    chosen = (reading.only(part.object, part.only), part.where)
    known = [each for each in ("CreatedDate", "LastModifiedDate") if null and reading.find(part.object, each)]
    for row in reading.rows(part.object, (part.account, part.date, *known), *chosen, *bounds):
        account = account_of(reading, part.object, row, part.account)
        day = reading.day_of(at(row, part.date), account)
        if day is not None and reading.day(window.start) <= day < reading.day(window.end):
            yield {"account_id": account, "closed_on": day}
        elif day is not None:
            reading.outside()
        elif may_lie_in(reading, row, window):
            reading.unknown(account, DOWNGRADES, "unclear", UNDATED)
            reading.leave_out(UNDATED)
        else:
            reading.outside()


def _within(
    reading: OrgReading, name: str, date: str, window: Window, *, null: bool
) -> tuple[RowCondition, RowCondition]:
    """In the window; `null`: also without a date."""
    since = reading.compare(name, date, ">=", window.start, null=null)
    return since, reading.compare(name, date, "<", window.end, null=null)


def _fallen(reading: OrgReading, part: DowngradeHistory, accounts: AccountRows, worth: Money | None) -> Rows:
    """Where the history began within the year, an account that is older than it isn't known."""
    owner = _owner(reading, part)
    reading.refuse_unfit(owner, part.field)
    found = reading.find(owner, part.field)
    in_currency = found is not None and found.type == "currency" and reading.find(owner, CURRENCY) is not None
    rows = history_rows(reading, part, (part.field, CURRENCY) if in_currency else (part.field,))
    window = reading.scope.trailing(YEAR)
    known_from = tracked_from(reading, part, part.field, rows)
    year = of_the_year(reading, rows)
    if known_from is None:
        reading.note(f"{part.object} has no record of {part.field}: is it tracked there?")
        reading.gaps["contract_changes"] = "no_evidence"
        return
    if known_from > window.start:
        _tell_late(reading, part, known_from, accounts)
    judged = _Falls(reading, part, frozenset(_place(row, part) for row in year if row["Field"] != part.field))
    judged.rates = worth if in_currency and all(row["Field"] == part.field for row in rows) else None
    reading.leave_out("changes of currency, not of the amount", sum(row["Field"] != part.field for row in year))
    for row in year:
        if row["Field"] == part.field:
            judged.take(row)
    yield from ({"account_id": account, "closed_on": day} for account, day in sorted(judged.days, key=str))


@dataclass
class _Falls:
    """The falls of a field, each day of an account once.

    `switched`: where the account's currency changed, too. `rates`: how amounts compare in an org that doesn't track
    its currencies; None: they needn't.
    """

    reading: OrgReading
    part: DowngradeHistory
    switched: frozenset[tuple[Any, str]]
    rates: Money | None = None
    days: set[tuple[Any, date]] = field(default_factory=set)

    def take(self, row: Row) -> None:
        """Count a change of the field where it goes: a fall, none, or one that can't be told."""
        reading = self.reading
        account = account_of(reading, self.part.object, row, self.part.parent)
        moment = reading.moment(row["CreatedDate"], account)
        if moment is None or moment >= reading.scope.as_of:
            reading.outside()
        elif why := self._doubt(row):
            reading.unknown(account, DOWNGRADES, "unclear", why)
            reading.leave_out(UNTOLD)
        elif not _falls(row):
            reading.leave_out("a change that is not a decrease")
        elif (account, reading.day(moment)) in self.days:
            reading.leave_out("another decrease on the same day")
        else:
            self.days.add((account, reading.day(moment)))

    def _doubt(self, row: Row) -> str:
        """Why nobody can say whether a change was a fall; empty: it can be said. What began with nothing never fell."""
        before, after = number(row["OldValue"]), number(row["NewValue"])
        if _place(row, self.part) in self.switched:
            return f"{self.part.field} changed in the same moment as the currency"
        if row["OldValue"] is not None and (before is None or after is None):
            return f"{self.part.field} was emptied, or held no number"
        if self.rates is not None and self.rates.may_be_an_exchange(before, after):
            return f"{self.part.field} changed about as much as two currencies differ, and {CURRENCY} isn't tracked"
        return ""


def _falls(row: Row) -> bool:
    before, after = number(row["OldValue"]), number(row["NewValue"])
    return before is not None and after is not None and after < before


def _place(row: Row, part: DowngradeHistory) -> tuple[Any, str]:
    """The account of a change and its moment."""
    return at(row, part.parent), str(row["CreatedDate"])


def _owner(reading: OrgReading, part: DowngradeHistory) -> str:
    """The object whose history it is."""
    found = reading.find(part.object, part.parent)
    return found.parents[0] if found is not None and found.parents else "Account"


def _tell_late(reading: OrgReading, part: DowngradeHistory, known_from: datetime, accounts: AccountRows) -> None:
    day = reading.day(known_from)
    reading.note(
        f"{part.object} tells changes of {part.field} from {day} on only, so accounts that are older have no number of "
        "downgrades; where the field was tracked before, say so by tracked_since"
    )
    for row in accounts:
        made = reading.moment(at(row, "CreatedDate"), row["Id"])
        if made is None or made < known_from:
            reading.unknowns.setdefault(("contract_changes", "too_new"), {})[row["Id"]] = None
