"""The churn world's usage: the better an account does, the more of its seats and features are in use that month."""

from datetime import date, datetime, timedelta
from random import Random

from accountpulse.sandbox.world.churn import History, Past, quality, shifted
from accountpulse.sandbox.world.looker import CHANNELS, FEATURES, LOOK_PILLARS, PILLARS, instance_of
from accountpulse.sandbox.world.model import Looker, UsageOf


def build_churn_usage(history: History, moment: datetime) -> Looker:
    """The instance as it stood at a moment."""
    first = history.start.date()
    days = (moment.date() - first).days + 1
    usage = {past.plan.customer.account_id: _usage(history, past, first, days) for past in history.pasts}
    return instance_of(first, days, usage)


def _usage(history: History, past: Past, begin: date, days: int) -> UsageOf:
    """Every month draws the same whatever the moment; what lies after it is cut off."""
    rng, seats = Random(f"churn usage {history.seed} {past.plan.number}"), past.plan.seats
    customer = _days_as_customer(past, begin)
    users, twice = [0] * seats, [rng.getrandbits(1024) for _ in range(seats)]
    features = dict.fromkeys(FEATURES, 0)
    pillars: dict[str, dict[str, float]] = {name: {} for name in (*PILLARS, *LOOK_PILLARS)}
    answers: list[tuple[int, str, int]] = []
    for month in past.months:
        place, length = (month.first - begin).days, (shifted(month.first, 1) - month.first).days
        well = quality(month.health)
        there = customer & (((1 << length) - 1) << place)
        share = 0.2 + 0.75 * well + rng.uniform(-0.08, 0.08)
        for seat in range(min(seats, max(0, round(seats * share)))):
            users[seat] |= _some_days(rng, length, well) << place & there
        for name in FEATURES:
            features[name] |= (rng.getrandbits(length) << place & there) if rng.random() < 0.1 + 0.8 * well else 0
        for figures in pillars.values():
            figure = round(20 + 75 * well + rng.uniform(-25, 25), 1)
            if there and month.first < begin + timedelta(days=days):
                figures[f"{month.first:%Y-%m}"] = figure
        day, channel = place + rng.randrange(length), rng.choice(CHANNELS)
        answers.append((day, channel, min(10, max(0, round(10 * well + rng.gauss(0, 2))))))
    whole = (1 << days) - 1
    return UsageOf(
        [mask & whole for mask in users],
        [mask & whole for mask in twice],
        {name: mask & whole for name, mask in features.items()},
        pillars,
        [each for each in answers if each[0] < days and customer >> each[0] & 1],
        seats,
    )


def _some_days(rng: Random, length: int, well: float) -> int:
    """Every second day, or every fourth where it goes badly."""
    mask = rng.getrandbits(length)
    return mask if well > 0.6 else mask & rng.getrandbits(length)


def _days_as_customer(past: Past, begin: date) -> int:
    """The days from `begin` on, as a mask."""
    mask = 0
    for term in past.terms:
        first = max(0, (term.begins - begin).days)
        end = max(first, (term.ends - begin).days + 1 + (term.gap or 0))
        mask |= ((1 << (end - first)) - 1) << first
    return mask
