"""The truth about usage."""

from datetime import date, timedelta

from accountpulse.sandbox.truth.instants import Instants, Truth, Value, Values
from accountpulse.sandbox.world.model import Customer, Looker, UsageOf

USAGE = ("dau", "mau", "mau_trend_pct", "dau_trend_pct", "feature_breadth", "login_frequency")
CATALOGUE = {
    "dashboards", "alerts", "exports", "api", "automations", "integrations",
    "reports", "mobile", "sharing", "forecasts", "audit_log", "sso",
}  # fmt: skip
PILLARS = ("operations", "automation", "insights", "engagement")
OWN = ("nps", "engagement")  # own metrics, as the example in docs/looker.md maps them
SURVEY_DAYS = 90


def usage_truth(instance: Looker, at: Instants) -> Truth:
    """Usage metrics, pillars and own metrics of a customer."""
    by_core = {key[:15]: used for key, used in instance.usage.items()}

    def measure(customer: Customer) -> Values:
        used = by_core.get(customer.account_id[:15])
        if used is None:
            figures = (*(f"pillar_{name}" for name in PILLARS), *OWN)
            return {**dict.fromkeys(USAGE, "not_linked"), **dict.fromkeys(figures, "no_evidence")}
        return {**_usage(instance, used, at), **_pillars(used, f"{at.first:%Y-%m}"), **_own(instance, used, at)}

    return measure


def _month(instance: Looker, first: date, days: int) -> list[int]:
    """The bits of a month's days, as far as the instance's data reaches."""
    begin = (first - instance.first_day).days
    return [bit for bit in range(begin, begin + days) if 0 <= bit < instance.days]


def activity_of(instance: Looker, used: UsageOf, at: Instants) -> list[tuple[int, float, int]]:
    """Of the month itself and the three before: monthly users, daily mean, sessions."""
    months = [at.first]
    for _ in range(3):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    figures = []
    for number, first in enumerate(months):
        length = at.days if number == 0 else (months[number - 1] - first).days
        figures.append(_activity(instance, used, first, length))
    return figures


def _usage(instance: Looker, used: UsageOf, at: Instants) -> Values:
    figures = activity_of(instance, used, at)
    features = [
        name
        for name, mask in used.features.items()
        if any(mask >> bit & 1 for bit in _month(instance, at.first, at.days))
    ]
    if not any(monthly for monthly, _daily, _sessions in figures) and not features:
        return dict.fromkeys(USAGE, "not_linked")
    monthly, daily, sessions = figures[0]
    return {
        "dau": daily,
        "mau": monthly,
        "mau_trend_pct": _trend(monthly, [figure[0] for figure in figures[1:]], figures),
        "dau_trend_pct": _trend(daily, [figure[1] for figure in figures[1:]], figures),
        "feature_breadth": 100 * len(CATALOGUE & set(features)) / len(CATALOGUE),
        "login_frequency": sessions / monthly / (at.days / 7) if monthly else "no_evidence",
    }


def _activity(instance: Looker, used: UsageOf, first: date, length: int) -> tuple[int, float, int]:
    days = _month(instance, first, length)
    monthly = sum(any(mask >> bit & 1 for bit in days) for mask in used.users)
    active = sum(mask >> bit & 1 for mask in used.users for bit in days)
    again = sum(
        mask >> bit & twice >> bit & 1
        for mask, twice in zip(used.users, used.sessions_twice, strict=True)
        for bit in days
    )
    return monthly, active / length, active + again


def _trend(now: float, before: list[float], figures: list[tuple[int, float, int]]) -> Value:
    """Against the mean of the earlier months that count: those since the first one with any use."""
    oldest = max((number for number, figure in enumerate(figures) if figure[0]), default=0)
    counted = before[:oldest]
    if len(counted) < 2:
        return "too_new"
    mean = sum(counted) / len(counted)
    return 100 * (now - mean) / mean if mean else "no_evidence"


def _pillars(used: UsageOf, month: str) -> Values:
    values: Values = {}
    for name in PILLARS:
        figure = used.pillars.get(name, {}).get(month)
        values[f"pillar_{name}"] = "no_evidence" if figure is None else min(100.0, max(0.0, figure))
    return values


def _own(instance: Looker, used: UsageOf, at: Instants) -> Values:
    """Net promoters by e-mail over the days that end with the month; engagement of the month as it stands."""
    end = (at.first - instance.first_day).days + at.days
    recent = [score for day, channel, score in used.answers if channel == "email" and end - SURVEY_DAYS <= day < end]
    promoters, detractors = sum(score >= 9 for score in recent), sum(score <= 6 for score in recent)
    engagement = used.pillars["engagement"].get(f"{at.first:%Y-%m}")
    return {
        "nps": 100 * (promoters - detractors) / len(recent) if recent else "no_evidence",
        "engagement": "no_evidence" if engagement is None else engagement,
    }
