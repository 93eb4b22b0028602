"""The churn world's hidden truth: how healthy each customer was month by month, and who left when.

Nothing here is a record. What people wrote down of it in Salesforce, and what the other systems saw, churn_*.py derive.

    health(m)  = frailty + weather(m)          frailty ~ N(0, 0.6), once for each account
    weather(m) = 0.9 weather(m - 1) + noise    AR(1), standard deviation 0.8: health is N(0, 1) over the accounts
    P(leaves in m) = 1 / (1 + e^-(base - pull health(m))), of who is a customer as m begins; the base is much higher in
    the month that the contract ends in
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from accountpulse.sandbox.world.model import Customer
from accountpulse.sandbox.world.names import company_names
from accountpulse.sandbox.world.org import record_id
from accountpulse.sandbox.world.plans import FLOORS, ORDINARY, Plan

DAY = timedelta(days=1)
MONTHS = 24  # that can be scored, up to the world's end
WARM_UP = 4  # months before them: everybody stays, and the systems fill, so that trends have something to compare with
FRAILTY, WEATHER, MEMORY = 0.6, 0.8, 0.9
AT_RENEWAL, BETWEEN = (-1.7, 1.3), (-6.3, 0.9)  # of the hazard: base, pull
SHRINKING = (-4.4, 0.8)  # of a smaller contract in a month without a renewal
UNSEEN = (40, 12)  # of each forty accounts, number 12 leaves in the first month, before anybody scores it
JOINS_LATE = (6, 5)  # of each six, number 5 becomes a customer within the months
LEAVES_TWICE = 4  # this account leaves at its first renewal, and again half a year after it came back
COMES_BACK = timedelta(days=150)
NOT_EMPTIED = (7, 3)  # of each seven, number 3 keeps its ARR when it leaves, where the contract says that it left
CLOSED_TWICE = 12  # every twelfth renewal was entered twice: one opportunity won, the other closed as lost

# what the org keeps of an account's contracts, by its number; each account has its ARR's history as well
BOTH, CONTRACTS, OPPORTUNITIES, NEITHER = "opportunities and contracts", "contracts", "opportunities", "ARR alone"
KEPT = (BOTH, BOTH, BOTH, CONTRACTS, BOTH, OPPORTUNITIES, BOTH, BOTH, CONTRACTS, NEITHER)

# what became of those who left, in the order in which they left
FORMER, DELETED, MERGED = "former", "deleted", "merged"
FATES = (FORMER, FORMER, DELETED, FORMER, MERGED, FORMER, FORMER)

# how the lost opportunity was closed, in the same order
ON_TIME, LATE, EARLY, WRONG_YEAR = "on time", "late", "with a date of months before", "with a date of the year before"
CLOSINGS = (ON_TIME, ON_TIME, LATE, ON_TIME, EARLY, ON_TIME, LATE, ON_TIME, EARLY, WRONG_YEAR)


@dataclass(frozen=True, slots=True)
class LatentMonth:
    """One month of an account. `hazard`: the probability to leave in it; None where it is no customer as it begins."""

    first: date
    health: float
    hazard: float | None


@dataclass(slots=True)
class Departure:
    """An account left: `day` is the last day that it was a customer."""

    day: date
    arr_lost: float
    at_renewal: bool
    fate: str = FORMER
    told_on: date = date.max  # when its account record was changed, deleted or merged
    closing: str = ON_TIME
    order: int = 0  # among all who left


@dataclass(slots=True)
class Term:
    """A year's contract. `due` is the last day that was agreed, `ends` the last one that came to pass.

    `departure`: the account left with it. `gap`: days until its successor begins; None: no successor so far.
    """

    begins: date
    due: date
    ends: date
    departure: Departure | None = None
    gap: int | None = None
    entered_twice: bool = False


@dataclass(slots=True)
class Past:
    """All of an account's months, before and after what anybody sees."""

    plan: Plan
    kept: str
    months: list[LatentMonth] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    arr: list[tuple[date, float | None, float]] = field(default_factory=list)  # changes: day, before, after

    @property
    def departures(self) -> list[Departure]:
        """Once or twice, or never."""
        return [term.departure for term in self.terms if term.departure is not None]

    def is_customer(self, day: date) -> bool:
        """Whether it used the product on that day; between a contract and its late successor it does."""
        return any(term.begins <= day <= term.ends + timedelta(days=term.gap or 0) for term in self.terms)

    def arr_on(self, day: date) -> float | None:
        """ARR as that day begins."""
        before = [after for changed, _before, after in self.arr if changed < day]
        return before[-1] if before else None


@dataclass(slots=True)
class History:
    """The whole company. `months` are those that can be scored; the last one is complete at `until`."""

    seed: int
    until: datetime
    months: list[date]
    pasts: list[Past]

    @property
    def start(self) -> datetime:
        """Where the systems' data begin."""
        return datetime.combine(shifted(self.months[0], -WARM_UP), datetime.min.time(), UTC)


def churn_history(seed: int, accounts: int, until: datetime, months: int = MONTHS) -> History:
    """What happens to so many accounts up to `until`; the same for the same seed, number of accounts and month."""
    this_month = until.date().replace(day=1)
    scored = [shifted(this_month, n - months) for n in range(months)]
    rng = Random(f"churn {seed}")
    names = company_names(accounts, Random(f"names {seed}"))
    pasts = [_past(number, name, seed, rng, scored) for number, name in enumerate(names)]
    _write_down(pasts)
    return History(seed, until.replace(microsecond=0), scored, pasts)


def shifted(first: date, months: int) -> date:
    """The first day of so many months later."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def is_one_of(number: int, share: tuple[int, int]) -> bool:
    """Whether this account is the n-th of each so many."""
    return number % share[0] == share[1]


def year_later(day: date) -> date:
    """The same day of the next year; days are at most the 28th."""
    return day.replace(year=day.year + 1)


def chance(health: float, base: float, pull: float) -> float:
    """The logistic hazard."""
    return 1 / (1 + math.exp(-(base - pull * health)))


def quality(health: float) -> float:
    """How well things go, from 0 to 1, as the systems' builders want it."""
    return min(0.98, max(0.02, 0.6 + 0.2 * health))


# --- one account -----------------------------------------------------------------------------------------------


def _past(number: int, name: str, seed: int, rng: Random, scored: Sequence[date]) -> Past:
    begin = shifted(scored[0], -WARM_UP)
    since = begin - timedelta(days=rng.randint(30, 2200))
    if is_one_of(number, JOINS_LATE):
        since = shifted(scored[0], rng.randint(1, 12))
    since = since.replace(day=rng.randint(1, 28))
    seats, arr = round(5 * 2 ** rng.uniform(0, 4)), round(2_000 * 2 ** rng.uniform(1, 8), -2)
    customer = Customer(
        account_id=record_id("001", 500_000 + number * 7),
        name=name,
        scenario=ORDINARY,
        since=since,
        intercom_company=f"{seed & 0xFFFF:04x}c{number:019x}",
        jira_component=name,
        in_looker=True,
    )
    tier = next(tier for tier, floor in FLOORS if arr >= floor)
    plan = Plan(number, customer, 0.5, seats, arr, tier, Random(f"churn {seed} {number}"))
    past = Past(plan, KEPT[number % len(KEPT)])
    _live(past, scored, begin)
    return past


@dataclass(frozen=True, slots=True)
class _Draws:
    """What a month draws, whether it needs it or not: so that no account's fate changes another number."""

    leaves: float
    shrinks: float
    renews: float
    day: int
    percent: int
    delay: int


def _live(past: Past, scored: Sequence[date], begin: date) -> None:
    """Month by month, the world's last and incomplete one included."""
    plan, rng = past.plan, past.plan.rng
    since = plan.customer.since
    while year_later(since) <= begin:
        since = year_later(since)
    past.arr.append((since, None if since == plan.customer.since else round(plan.arr * 0.95, -2), plan.arr))
    past.terms.append(Term(since, due := year_later(since) - DAY, due))
    frailty, weather = rng.gauss(0, FRAILTY), rng.gauss(0, WEATHER)
    for offset in range(-WARM_UP, len(scored) + 1):
        first = shifted(scored[0], offset)
        weather = MEMORY * weather + rng.gauss(0, WEATHER * math.sqrt(1 - MEMORY**2))
        draws = _Draws(
            rng.random(), rng.random(), rng.random(), rng.randint(5, 20), rng.randint(15, 40), rng.randint(1, 12)
        )
        month = LatentMonth(first, frailty + weather, _hazard(past, first, frailty + weather, offset))
        past.months.append(month)
        if month.hazard is not None:
            _pass_month(past, month, draws)
        elif plan.number == LEAVES_TWICE:
            _come_back(past, first)


def _hazard(past: Past, first: date, health: float, offset: int) -> float | None:
    if not past.is_customer(first - DAY):
        return None
    due = _falls_in(past.terms[-1].due, first)
    if offset < 0:
        return 0.0
    if (offset == 0 and is_one_of(past.plan.number, UNSEEN)) or (due and past.plan.number == LEAVES_TWICE):
        return 1.0
    return chance(health, *(AT_RENEWAL if due else BETWEEN))


def _pass_month(past: Past, month: LatentMonth, draws: _Draws) -> None:
    """The account leaves, renews, or may become smaller."""
    term, arr, number = past.terms[-1], past.arr[-1][2], past.plan.number
    due = _falls_in(term.due, month.first)
    if draws.leaves < (month.hazard or 0):
        term.ends = term.due if due else month.first.replace(day=draws.day)
        term.departure = Departure(term.ends, arr, at_renewal=due)
        if not (past.kept == BOTH and is_one_of(number, NOT_EMPTIED) and number != LEAVES_TWICE):
            past.arr.append((term.ends + timedelta(days=draws.delay), arr, 0.0))
    elif due:
        term.gap = 20 + 2 * draws.delay if draws.renews > 0.92 else 0
        anniversary = term.due + DAY
        due_next = year_later(anniversary) - DAY
        past.terms.append(Term(anniversary + timedelta(days=term.gap), due_next, due_next))
        factor = (1.0, 1.0, 1.05, 1.12, 0.96)[int(draws.renews * 5)]
        if factor != 1:
            past.arr.append((term.due, arr, round(arr * factor, -2)))
    elif draws.shrinks < chance(month.health, *SHRINKING):
        past.arr.append((month.first.replace(day=draws.day), arr, round(arr * (1 - draws.percent / 100), -1)))


def _come_back(past: Past, first: date) -> None:
    """Half a year's contract, once."""
    back = past.terms[-1].ends + COMES_BACK
    if len(past.departures) == 1 and _falls_in(back, first):
        due = back + timedelta(days=182)
        past.terms.append(Term(back, due, due))
        past.arr.append((back, 0.0, past.plan.arr))


def _falls_in(day: date, first: date) -> bool:
    return first <= day < shifted(first, 1)


# --- what people made of it ------------------------------------------------------------------------------------


def _write_down(pasts: Sequence[Past]) -> None:
    """Say, in the order of the calendar, how each departure and each renewal was written down."""
    left = sorted(((each.day, past.plan.number, past, each) for past in pasts for each in past.departures), key=_by_day)
    for order, (_day, number, past, departure) in enumerate(left):
        departure.order = order
        departure.fate = _fate(past, order)
        delay = 1 if is_one_of(number, UNSEEN) and departure is past.departures[0] else 20 + order % 7 * 5
        departure.told_on = departure.day + timedelta(days=delay)
        closing = CLOSINGS[order % len(CLOSINGS)]
        if past.kept in (BOTH, OPPORTUNITIES) and departure.at_renewal:
            misdated = closing in (EARLY, WRONG_YEAR) and past.kept != BOTH  # no contract to tell the right day
            departure.closing = ON_TIME if misdated else closing
    renewed = sorted(
        ((term.due, past.plan.number, past, term) for past in pasts for term in past.terms if term.gap is not None),
        key=_by_day,
    )
    for order, (_day, _number, past, term) in enumerate(renewed):
        term.entered_twice = order % CLOSED_TWICE == CLOSED_TWICE - 1 and past.kept == BOTH


def _fate(past: Past, order: int) -> str:
    """Who comes back has to be there still; a merge takes the history of ARR away, which may be all that there is."""
    fate = FATES[order % len(FATES)]
    spared = past.plan.number == LEAVES_TWICE or (fate == MERGED and past.kept == NEITHER)
    return FORMER if spared else fate


def _by_day(item: tuple[date, int, Past, object]) -> tuple[date, int]:
    return item[:2]
