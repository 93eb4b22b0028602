"""Usage of the product: which user was active on which day, as bit masks."""

from datetime import date, timedelta
from random import Random

from accountpulse.sandbox.world.model import Looker, UsageOf
from accountpulse.sandbox.world.plans import Blueprint, Calendar, Plan

FEATURES = [
    "dashboards", "alerts", "exports", "api", "automations", "integrations",
    "reports", "mobile", "sharing", "forecasts", "audit_log", "sso",
]  # fmt: skip
UNCOUNTED = "beta_lab"  # used by some, in nobody's catalogue
PILLARS = ["operations", "automation", "insights"]
LOOK_PILLARS = ["engagement"]
CHANNELS = ("email", "in_app")  # that surveys are sent by


def build_looker(blueprint: Blueprint) -> Looker:
    """The instance with its usage up to the world's end."""
    plans, calendar = blueprint.plans, blueprint.calendar
    first = calendar.start.date()
    days = (calendar.until.date() - first).days + 1
    usage = {_spelled(plan): _usage(plan, calendar, first, days) for plan in plans if plan.customer.in_looker}
    usage["001Hu0000000000"] = usage[next(iter(usage))]  # a customer of the warehouse that isn't in the CRM
    return instance_of(first, days, usage)


def instance_of(first: date, days: int, usage: dict[str, UsageOf]) -> Looker:
    """The sandbox's instance, with this usage by account id."""
    return Looker(
        client_id="looker-client-of-the-sandbox",
        client_secret="looker-secret-of-the-sandbox",
        model="alliants",
        first_day=first,
        days=days,
        features=[*FEATURES, UNCOUNTED],
        pillars=PILLARS,
        look_pillars=LOOK_PILLARS,
        look_id="42",
        usage=usage,
    )


def _spelled(plan: Plan) -> str:
    """The warehouse keeps 15 characters of every fifth id."""
    account = plan.customer.account_id
    return account[:15] if plan.number % 5 == 2 else account


def _usage(plan: Plan, calendar: Calendar, first: date, days: int) -> UsageOf:
    rng, scenario = plan.rng, plan.customer.scenario
    begin = max(0, (plan.customer.since - first).days)
    everything = (1 << days) - 1
    alive = everything & ~((1 << begin) - 1)
    halved = everything & ~((1 << max(0, (calendar.month_end.date() - first).days - 45)) - 1)
    silent = everything & ~((1 << max(0, (calendar.month_end.date() - first).days - 75)) - 1)
    share = 0.25 + 0.7 * plan.quality
    users, twice = [], []
    for person in range(plan.seats):
        active = rng.random() < share
        mask = _thinned(rng, days, 1 if plan.quality > 0.75 else 2 if plan.quality > 0.4 else 4) if active else 0
        mask &= alive
        if scenario == "usage halved" and person % 2:
            mask &= ~halved
        if scenario == "silent":
            mask &= ~silent
        users.append(mask)
        twice.append(_thinned(rng, days, 2))
    features = {name: _thinned(rng, days, 3) & alive for name in FEATURES if rng.random() < 0.15 + 0.75 * plan.quality}
    if plan.number % 4 == 0:
        features[UNCOUNTED] = _thinned(rng, days, 2) & alive
    if scenario == "silent":
        features = {name: mask & ~silent for name, mask in features.items()}
    answers = _answers(plan, begin, days)
    licences = None if plan.number % 6 == 5 else plan.seats + plan.number % 3
    return UsageOf(users, twice, features, _pillars(plan, calendar), answers, licences)


def _answers(plan: Plan, begin: int, days: int) -> list[tuple[int, str, int]]:
    """About one a week from a third of the customers on; some never answer."""
    rng = Random(f"answers of {plan.customer.account_id}")
    if plan.number % 3 == 1:
        return []
    likely = [min(10, max(0, round(10 * plan.quality + rng.gauss(0, 2)))) for _ in range(days // 7)]
    moments = sorted(rng.randrange(days) for _ in likely)
    return [(day, rng.choice(CHANNELS), score) for day, score in zip(moments, likely, strict=True) if day >= begin]


def _thinned(rng: Random, days: int, halvings: int) -> int:
    """A mask in which each day is set with probability 1/2 to the power of `halvings`."""
    mask = rng.getrandbits(days)
    for _ in range(halvings - 1):
        mask &= rng.getrandbits(days)
    return mask


def _pillars(plan: Plan, calendar: Calendar) -> dict[str, dict[str, float]]:
    rng = plan.rng
    figures: dict[str, dict[str, float]] = {}
    for name in [*PILLARS, *LOOK_PILLARS]:
        level = 20 + 75 * plan.quality + rng.uniform(-12, 12)
        months: dict[str, float] = {}
        day = calendar.start.date().replace(day=1)
        while day <= calendar.until.date():
            level += rng.uniform(-3, 3)
            if day >= plan.customer.since.replace(day=1) and rng.random() > 0.03:
                months[f"{day:%Y-%m}"] = round(level, 1)  # may lie a little above 100: the pipeline has to clamp
            day = (day + timedelta(days=32)).replace(day=1)
        figures[name] = months
    if plan.customer.scenario == "brand-new":
        figures["insights"] = {}
    return figures
