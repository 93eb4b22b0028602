"""ARR in one currency, and what it was a year ago."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from accountpulse.systems.salesforce.client import format_soql
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, Rows, at, number, text
from accountpulse.systems.salesforce.settings import ArrFieldHistory, ArrOwn, ArrSnapshots

YEAR = 365
NEAR = timedelta(days=15)  # how far a snapshot may lie from the day that it stands for
CURRENCY = "CurrencyIsoCode"  # exists in orgs with several currencies only
DAY = timedelta(days=1)
METRICS = ("arr_trajectory_pct", "tier_alignment")  # what rests on ARR


@dataclass
class Money:
    """Amounts in the org's corporate currency. `rates` None: the org has one currency, and amounts are as they are."""

    rates: Mapping[str, float] | None = None
    of_account: dict[str, str] = field(default_factory=dict)  # account, by 15 characters → its currency
    unknown: set[str] = field(default_factory=set)  # currencies without a rate

    def converted(self, amount: float | None, currency: str | None) -> float | None:
        """The amount by the org's rate, which says how many units one of the corporate currency is worth."""
        if self.rates is None or amount is None:
            return amount
        rate = self.rates.get(currency or "")
        if rate is None:
            self.unknown.add(currency or "none")
            return None
        return amount / rate


def money(reading: OrgReading, arr: str | None) -> Money:
    """How ARR is converted. MissingInOrg, with a note, where an org with several currencies doesn't show its rates.

    A day's own rates (DatedConversionRate) win over the standing ones (CurrencyType). One rate, that of as_of, serves
    ARR now and then, so that a currency's fall is not taken for a customer's.
    """
    found = reading.find("Account", arr) if arr else None
    if found is None or found.type != "currency" or reading.find("Account", CURRENCY) is None:
        return Money()
    reading.setting = "accounts.arr"
    try:
        reading.need("CurrencyType", "IsoCode", "ConversionRate")
    except MissingInOrg:
        reading.note("the org has several currencies; without its rates ARR stays empty, since amounts don't compare")
        raise
    rates = {row["IsoCode"]: number(row["ConversionRate"]) for row in _rates(reading)}
    return Money({iso: rate for iso, rate in rates.items() if rate is not None and rate > 0})


def _rates(reading: OrgReading) -> Iterator[Mapping[str, Any]]:
    yield from reading.rows("CurrencyType", ("IsoCode", "ConversionRate"))
    if reading.org.describe("DatedConversionRate"):
        day = format_soql("{}", reading.scope.as_of_day)
        in_force = f"StartDate <= {day} AND NextStartDate > {day}"
        yield from reading.rows("DatedConversionRate", ("IsoCode", "ConversionRate"), in_force)


def arr_changes(
    reading: OrgReading,
    strategies: Iterable[ArrFieldHistory | ArrSnapshots | ArrOwn],
    arr: str,
    accounts: list[dict[str, Any]],
    worth: Money,
) -> Rows:
    """Changes of ARR over the trailing 365 days and since, by the first strategy that has any.

    Where none has, the metric is a gap: `too_new` where the program's own history is asked, which the pipeline then
    does; else `no_evidence`, since a history without a single row may be one that nobody switched on.
    """
    readable = False
    for rank, strategy in enumerate(strategies):
        reading.setting = f"arr_history {rank + 1} (from: {strategy.source})"
        if isinstance(strategy, ArrOwn):
            reading.gaps["arr_trajectory_pct"] = "too_new"
            return []
        try:
            if isinstance(strategy, ArrFieldHistory):
                rows = list(_from_history(reading, strategy, arr, worth))
            else:
                rows = list(_from_snapshots(reading, strategy, accounts, worth))
        except MissingInOrg:
            continue
        readable = True
        if rows:
            return rows
        reading.note(f"{strategy.object} has no record of {arr}: is it tracked there?")
    if not readable:
        raise MissingInOrg
    reading.gaps["arr_trajectory_pct"] = "no_evidence"
    return []


def _from_history(reading: OrgReading, part: ArrFieldHistory, arr: str, worth: Money) -> Rows:
    """Later changes than as_of are among them, to go back to it."""
    reading.need(part.object, part.parent, "Field", "OldValue", "NewValue", "CreatedDate")
    since = reading.bound(part.object, "CreatedDate", reading.scope.trailing(YEAR).start)
    fields = (part.parent, "OldValue", "NewValue", "CreatedDate")
    for row in reading.rows(part.object, fields, f"Field = {text(arr)}", f"CreatedDate >= {since}"):
        account = at(row, part.parent)
        currency = worth.of_account.get(str(account)[:15])
        before, after = (worth.converted(number(row[each]), currency) for each in ("OldValue", "NewValue"))
        yield {
            "account_id": account,
            "at": reading.moment(row["CreatedDate"], account),
            "before": before,
            "after": after,
        }


def _from_snapshots(reading: OrgReading, part: ArrSnapshots, accounts: list[dict[str, Any]], worth: Money) -> Rows:
    """For each account one change at the year's start, from what the nearest snapshot says (null: there is none).

    Where the period is over, another at as_of, from the last snapshot before it: ARR as it was then.
    """
    scope = reading.scope
    start, end = scope.trailing(YEAR).start, scope.as_of
    past = [(account, day, amount) for account, day, amount in _snapshots(reading, part, reading.day(start), worth)]
    if not past:
        return
    then = _nearest(past, reading.day(start))
    for row in accounts:
        yield {"account_id": row["Id"], "at": start, "before": then.get(row["Id"][:15]), "after": None}
    if end == scope.period.end:
        recent = (each for each in _snapshots(reading, part, scope.as_of_day, worth) if each[1] <= scope.as_of_day)
        now = _nearest(recent, scope.as_of_day)
        for row in accounts:
            if (amount := now.get(row["Id"][:15])) is not None:
                yield {"account_id": row["Id"], "at": end, "before": amount, "after": None}


def _snapshots(reading: OrgReading, part: ArrSnapshots, day: date, worth: Money) -> Iterator[tuple[str, date, float]]:
    """Account (15 characters, as one may be written in a text field), day and amount around a day."""
    reading.need(part.object, part.account, part.date, part.amount)
    found = reading.find(part.object, part.amount)
    several = found is not None and found.type == "currency" and reading.find(part.object, CURRENCY) is not None
    since, until = (reading.from_day(part.object, part.date, each) for each in (day - NEAR, day + NEAR + DAY))
    bounds = f"{part.date} >= {since} AND {part.date} < {until}"
    fields = (part.account, part.date, part.amount, CURRENCY if several else None)
    for row in reading.rows(part.object, fields, bounds):
        account, amount = at(row, part.account), number(at(row, part.amount))
        if several:
            amount = worth.converted(amount, row[CURRENCY])
        taken = reading.day_of(at(row, part.date), account)
        if account is not None and amount is not None and taken is not None:
            yield str(account)[:15], taken, amount


def _nearest(snapshots: Iterable[tuple[str, date, float]], day: date) -> dict[str, float]:
    """Each account's amount of the snapshot that lies nearest to the day, the earlier of two."""
    ranked = sorted(snapshots, key=lambda each: (abs(each[1] - day), each[1]), reverse=True)
    return {account: amount for account, _, amount in ranked}
