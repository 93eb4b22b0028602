"""Amounts in the org's corporate currency, each by the rate of its own time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import permutations
from typing import Any

from accountpulse.systems.salesforce.client import format_soql
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, number

CURRENCY = "CurrencyIsoCode"  # exists in orgs with several currencies only
YEAR = timedelta(days=365)
FAR_APART = 3.0  # times that one currency's unit is another's: a change of an amount by so much may be no change at all
ABOUT = 1.5  # how far such a change may lie from the rates


@dataclass(frozen=True)
class DatedRate:
    """How many units of a currency one of the corporate currency was worth, on the days of `[start, end)`."""

    currency: str
    start: date
    end: date
    rate: float


@dataclass
class Money:
    """How amounts compare. `rates` are those of as_of; None: the org has one currency, and amounts are as they are."""

    rates: Mapping[str, float] | None = None
    dated: Sequence[DatedRate] = ()
    of_account: dict[str, str] = field(default_factory=dict)  # account, by 15 characters → its currency
    unknown: set[str] = field(default_factory=set)  # currencies without a rate

    def converted(self, amount: float | None, currency: str | None) -> float | None:
        """The amount by as_of's rate, which says how many units one of the corporate currency is worth."""
        if self.rates is None or amount is None:
            return amount
        rate = self.rates.get(currency or "")
        if rate is None:
            self.unknown.add(currency or "none")
            return None
        return amount / rate

    def is_corporate(self, currency: str | None) -> bool:
        """Whether amounts in it need no rate, today or ever."""
        return self.rates is None or self.rates.get(currency or "") == 1.0

    def exchange(self, before: Any, after: Any, day: date) -> float | None:
        """How many units of one currency a unit of another was worth on a day; None: the org doesn't say it."""
        rates = [self._on(str(each), day) for each in (before, after)]
        return None if rates[0] is None or rates[1] is None else rates[1] / rates[0]

    def _on(self, currency: str, day: date) -> float | None:
        found = [each.rate for each in self.dated if each.currency == currency and each.start <= day < each.end]
        return found[0] if len(found) == 1 else None

    def may_be_an_exchange(self, before: float | None, after: float | None) -> bool:
        """Whether a change is about as large as one currency's unit is of another's, where these lie far apart."""
        if self.rates is None or not before or not after:
            return False
        change = after / before
        factors = (one / other for one, other in permutations(self.rates.values(), 2))
        return any(
            max(each, 1 / each) >= FAR_APART and 1 / ABOUT <= change / each <= ABOUT for each in factors if change > 0
        )


def money(reading: OrgReading, arr: str | None) -> Money:
    """How ARR is converted. MissingInOrg, with a note, where an org with several currencies doesn't show its rates.

    A day's own rates (DatedConversionRate) win over the standing ones (CurrencyType), which are today's; a currency
    with rates of other days alone has none. One rate, that of as_of, serves ARR now and then, so that a currency's fall
    is not taken for a customer's; an amount in a currency that the account has left is brought into the new one by the
    rates of that day.
    """
    found = reading.find("Account", arr) if arr else None
    if found is None or found.type != "currency" or reading.find("Account", CURRENCY) is None:
        return Money()
    reading.setting, reading.table = "accounts.arr", "rates"
    try:
        reading.need("CurrencyType", "IsoCode", "ConversionRate")
    except MissingInOrg:
        reading.note("the org has several currencies; without its rates ARR stays empty, since amounts don't compare")
        raise
    standing = {
        str(row["IsoCode"]): number(row["ConversionRate"])
        for row in reading.rows("CurrencyType", ("IsoCode", "ConversionRate"))
    }
    dated = tuple(_dated(reading))
    today = reading.scope.as_of_day
    kept_by_day = dict.fromkeys(each.currency for each in dated)  # of which the standing rate is another day's
    on_the_day = {each.currency: each.rate for each in dated if each.start <= today < each.end}
    rates = standing | kept_by_day | on_the_day
    return Money({iso: rate for iso, rate in rates.items() if rate is not None and rate > 0}, dated)


def _dated(reading: OrgReading) -> Iterator[DatedRate]:
    """The rates of the days since the trailing year's start; none in an org that keeps standing rates only."""
    if not reading.org.describe("DatedConversionRate"):
        return
    first = format_soql("{}", reading.scope.as_of_day - YEAR)
    columns = ("IsoCode", "ConversionRate", "StartDate", "NextStartDate")
    for row in reading.rows("DatedConversionRate", columns, f"NextStartDate > {first}"):
        rate, days = number(row["ConversionRate"]), [reading.day_of(row[name], None) for name in columns[2:]]
        if rate is not None and rate > 0 and days[0] is not None and days[1] is not None:
            yield DatedRate(str(row["IsoCode"]), days[0], days[1], rate)
