"""What kind of customer each account is: size, quality and scenario. Everything else in the world follows from it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from accountpulse.sandbox.world.model import Customer
from accountpulse.sandbox.world.names import company_names
from accountpulse.sandbox.world.org import record_id

# each has a fixed number among the accounts, so that it exists in a world of 60 as well
SCENARIOS = (
    "champion leaves",
    "usage halved",
    "bug storm",
    "unpaid invoice",
    "escalations",
    "no support contact",
    "not in Intercom",
    "unknown to Looker",
    "not in Jira",
    "brand-new",
    "downgrade",
    "renewal overdue",
    "critical and renewal near",
    "monitored critical",
    "three watch signals",
    "growing",
    "silent",
)
ORDINARY = "ordinary"
FLOORS = (("Platinum", 250_000.0), ("Gold", 100_000.0), ("Silver", 25_000.0), ("Bronze", 0.0))
SEGMENTS = {"Platinum": "Enterprise", "Gold": "Paid", "Silver": "Standard", "Bronze": "Free"}


@dataclass(slots=True)
class Plan:
    """One customer's nature. `quality` from 0 (everything goes wrong) to 1."""

    number: int
    customer: Customer
    quality: float
    seats: int
    arr: float
    tier: str
    rng: Random  # of its own, so that one customer's scenario doesn't change another's draws


@dataclass(frozen=True)
class Calendar:
    """The instants that edge cases lie at."""

    start: datetime
    until: datetime

    @property
    def month_end(self) -> datetime:
        """The end of the last complete month: what a run at `until` takes for as_of."""
        return self.until.replace(day=1, hour=0, minute=0, second=0, microsecond=0)

    @property
    def window_start(self) -> datetime:
        """Ninety days before."""
        return self.month_end - timedelta(days=90)


@dataclass(frozen=True)
class Blueprint:
    """What every part of the world is built from. `conversations` and `issues`: how many more than usual.

    `issue_days`: in how many days before the month's end these issues came about.
    The parts of one world share each plan's `rng`, so the order in which they are built decides what they draw.
    """

    seed: int
    plans: list[Plan]
    calendar: Calendar
    conversations: int = 0
    issues: int = 0
    issue_days: int = 365


def make_plans(seed: int, count: int, calendar: Calendar) -> list[Plan]:
    """All customers, in order of their ids."""
    rng = Random(f"plans {seed}")
    names = company_names(count, Random(f"names {seed}"))
    return [_plan(number, name, seed, rng, calendar) for number, name in enumerate(names)]


def _plan(number: int, name: str, seed: int, rng: Random, calendar: Calendar) -> Plan:
    scenario = SCENARIOS[number // 3] if number % 3 == 1 and number // 3 < len(SCENARIOS) else ORDINARY
    quality = min(1.0, max(0.0, rng.gauss(0.68, 0.22)))
    if scenario in ("growing", "no support contact", "champion leaves"):
        quality = max(quality, 0.85)
    seats = round(5 * 2 ** rng.uniform(0, 6.3))
    arr = round(seats * rng.uniform(400, 1600), -2)
    tier = next(tier for tier, floor in FLOORS if arr >= floor)
    if rng.random() < 0.1:
        tier = rng.choice([each for each, _floor in FLOORS])
    since = _since(scenario, rng, calendar)
    customer = Customer(
        account_id=record_id("001", 1000 + number * 7),
        name=name,
        scenario=scenario,
        since=since,
        intercom_company=None if scenario == "not in Intercom" else f"{seed & 0xFFFF:04x}{number:020x}",
        jira_component=None if scenario == "not in Jira" else name,
        in_looker=scenario != "unknown to Looker",
    )
    return Plan(number, customer, quality, seats, arr, tier, Random(f"customer {seed} {number}"))


def _since(scenario: str, rng: Random, calendar: Calendar) -> date:
    if scenario == "brand-new":
        return (calendar.month_end - timedelta(days=40)).date()
    return (calendar.month_end - timedelta(days=rng.randint(200, 2200))).date()


def moment(rng: Random, begin: datetime, end: datetime) -> datetime:
    """A whole second somewhere in `[begin, end)`."""
    return begin + timedelta(seconds=rng.randrange(max(1, int((end - begin).total_seconds()))))


def poisson(rng: Random, mean: float) -> int:
    """How often something rare happens: counts the exponential steps that fit."""
    count, left = 0, rng.expovariate(1.0)
    while left < mean:
        count += 1
        left += rng.expovariate(1.0)
    return count
