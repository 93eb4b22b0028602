"""Scores in plain words: what costs most points, what limits health, what is not known and why."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from accountpulse.core.catalogue import Metric
from accountpulse.scoring.columns import (
    BEFORE_CAPS,
    CAP_REASON,
    COVERAGE,
    DRIVERS,
    HEALTH,
    NOT_RATED_REASON,
    RENEWAL,
    SIGHT_LOST,
    SOURCE_FAILED,
    TIER,
    ScoreRow,
    contribution_of,
    lost_of,
    points_of,
    reason_of,
)
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Leaf, Scorecard

if TYPE_CHECKING:
    import polars as pl

REASONS = {
    "not_configured": "not configured",
    "not_expected": "none is expected of this account",
    "not_linked": "the account has no id in that system",
    "field_missing": "the field is absent or not readable",
    "source_failed": "the source could not be read in this run",
    "no_evidence": "nothing to go by",
    "too_few": "too few to judge by",
    "too_new": "too new to compare",
    "not_visible": "hidden from the user that accountpulse signs in with",
    "not_attributable": "records came for the account that can't be matched to it",
    "several_rows": "several records for one fact, which can't be added up",
    "unclear": "the system's answer contradicts itself, or its meaning is not known",
    "stale": "older than the mapping allows",
    "no_seats": "seats not known",
    "no_arr": "ARR not known",
    "unknown": "not known",
}
# what "nothing to go by" means for a metric
NO_EVIDENCE = {
    "p1_p2_pct": "no conversations",
    "escalation_pct": "no conversations",
    "median_first_response_seconds": "nobody was answered",
    "median_resolution_seconds": "nothing was closed",
    "csat_score": "nobody rated",
    "csat_response_rate": "nobody was asked",
    "avg_resolution_days": "no bug was resolved",
    "login_frequency": "no active users",
    "champion_stability": "no champion on record",
    "days_to_renewal": "no renewal date on record",
    "arr_trajectory_pct": "no ARR to compare with",
    "tier_alignment": "tier or ARR is not on record",
}
_SINGULAR = {
    "days": "day", "users": "user", "points": "point", "steps": "step", "minutes": "minute", "hours": "hour",
    "weeks": "week", "months": "month", "seats": "seat",
}  # fmt: skip


def sentences(row: ScoreRow, card: Scorecard, as_of: date | None = None) -> list[str]:
    """The reasons of one account's scores, one line each.

    `row` holds the result of `score` (with `detail`, for the points that metrics cost) and the metrics, their reasons
    and the attributes that went in. With the day `as_of` a renewal is shown with its date.
    """
    drivers = [driver(row, card, name, as_of) for name in row.get(DRIVERS) or ()]
    limits = [] if (found := limit(row, card)) is None or row.get(HEALTH) is None else [found]
    return [*_score_status(row, card), *drivers, *limits, *_no_data(row, card)]


def read_columns(scores: "pl.DataFrame", card: Scorecard) -> "pl.DataFrame":
    """The columns of scores that sentences and next steps may read: not each metric's points and share of health."""
    unread = {column(leaf.name) for leaf in card.leaves for column in (points_of, contribution_of)}
    return scores.drop(unread - card.catalogue.keys(), strict=False)  # an own metric may be called so


def driver(row: ScoreRow, card: Scorecard, name: str, as_of: date | None = None) -> str:
    """`monthly active users: 31 of 120 seats (26 %), costs 9.4 points`."""
    lost = row.get(lost_of(name)) if row.get(HEALTH) is not None else None  # nothing is lost of no score
    cost = "" if lost is None else f", costs {counted(lost)}"
    return f"{card.catalogue[name].label}: {measured(row, card, name, as_of)}{cost}"


def mover(then: tuple[ScoreRow, date], now: tuple[ScoreRow, date], card: Scorecard, name: str, effect: float) -> str:
    """`open bugs: 4 → 12, −3.1 points`; both rows with the day that they were measured up to."""
    before, after = (measured(row, card, name, day) for row, day in (then, now))
    return f"{card.catalogue[name].label}: {before} → {after}, {signed(effect)} points"


def reason(row: ScoreRow, leaf: Leaf) -> str | None:
    """Why a leaf has no points, as a key of REASONS (`unknown`: none was given); None where it has some."""
    other = leaf.rule.substitute
    if _usable(row, leaf, leaf.name) or (other is not None and row.get(other.metric) is not None):
        return None
    if row.get(leaf.name) is not None:
        short = any((row.get(name) or 0) < least for name, least in leaf.rule.enough.items())
        return "too_few" if short else f"no_{leaf.rule.per}"
    return row.get(reason_of(leaf.name)) or "unknown"


def why_unknown(row: ScoreRow, leaf: Leaf) -> str | None:
    """Why a leaf has no points, in words; None where it has some."""
    why = reason(row, leaf)
    if why is None:
        return None
    text = REASONS.get(why, REASONS["unknown"])
    return NO_EVIDENCE.get(leaf.name, text) if why == "no_evidence" else text


def cap_reasons(row: ScoreRow, card: Scorecard) -> list[str]:
    """What limits an account's health or keeps its tier, in words, the lowest cap first; empty: nothing does.

    `open critical signal`; of an outage `<the system> could not be read`.
    """
    reasons = row.get(CAP_REASON)
    return [_in_words(reason, card) for reason in reasons.split("; ")] if reasons else []


def _in_words(reason: str, card: Scorecard) -> str:
    for lead, what in ((SOURCE_FAILED, "could not be read"), (SIGHT_LOST, "can't be seen any more")):
        if reason.startswith(lead):
            *others, last = (_title(name, card) for name in reason.removeprefix(lead).split(", "))
            return f"{', '.join(others)} and {last} {what}" if others else f"{last} {what}"
    return reason


def _title(name: str, card: Scorecard) -> str:
    """Of a system, or of a metric, such as one whose table is called `metrics.nps`."""
    name = name.removeprefix("metrics.")
    metric = card.catalogue.get(name)
    return name.capitalize() if metric is None else metric.label


def _score_status(row: ScoreRow, card: Scorecard) -> list[str]:
    """Why there is no score, or what limits it."""
    health, before, reasons = row.get(HEALTH), row.get(BEFORE_CAPS), cap_reasons(row, card)
    if not_rated := row.get(NOT_RATED_REASON):
        tier = row.get(TIER)
        lead = NOT_RATED if tier == NOT_RATED else f"{tier}, for a known critical signal; no score"
        return [f"{lead} ({plain(row[COVERAGE])} % of the weight is known): {not_rated}"]
    if reasons and health is not None and before is not None and health < before:
        return [f"capped at {plain(health)} (from {plain(before)}): {'; '.join(reasons)}"]
    return []


def limit(row: ScoreRow, card: Scorecard) -> str | None:
    """A cap that holds and doesn't lower the score, with what follows from it; None where there is none.

    `open critical signal: health, 38.2 now, can't rise above 49 until this is settled`.
    """
    health, before = row.get(HEALTH), row.get(BEFORE_CAPS)
    if not row.get(CAP_REASON) or (health is not None and before is not None and health < before):
        return None
    first, *others = cap_reasons(row, card)
    caps = {cap.reason: cap.cap for cap in card.file.caps}
    now = "" if health is None else f", {plain(health)} now,"
    what = f"health{now} can't rise above {plain(caps[first])}" if first in caps else "the tier can't rise"
    further = f" (further limits: {', '.join(others)})" if others else ""
    return f"{first}: {what} until this is settled{further}"


def _no_data(row: ScoreRow, card: Scorecard) -> list[str]:
    """One line for all metrics that are not known."""
    parts = [f"{', '.join(labels)} ({why})" for why, labels in unknown_metrics(row, card).items()]
    return [f"no data: {'; '.join(parts)}"] if parts else []


def unknown_metrics(row: ScoreRow, card: Scorecard) -> dict[str, list[str]]:
    """The labels of the metrics that are not known, by their reason in words."""
    by_reason: dict[str, list[str]] = {}
    for leaf in card.leaves:
        if why := why_unknown(row, leaf):
            by_reason.setdefault(why, []).append(card.catalogue[leaf.name].label)
    return by_reason


def _usable(row: ScoreRow, leaf: Leaf, name: str) -> bool:
    if row.get(name) is None:
        return False
    rule = leaf.rule
    if name != leaf.name:
        return True
    for other, least in rule.enough.items():
        if (row.get(other) or 0) < least:
            return False
    return rule.per is None or (row.get(rule.per) or 0) > 0


def _attribute(leaf: Leaf) -> str:
    return "ARR" if leaf.rule.per == "arr" else "seats"


def measured(row: ScoreRow, card: Scorecard, name: str, as_of: date | None = None) -> str:
    """The raw value that gave a leaf its points, with its unit."""
    leaf = next(leaf for leaf in card.leaves if leaf.name == name)
    if not _usable(row, leaf, name) and leaf.rule.substitute:
        other = card.catalogue[leaf.rule.substitute.metric]
        missing = f"{_attribute(leaf)} not known" if row.get(name) is not None else "not known"
        return f"{missing}; {other.label} {value_text(other, row[other.name])}"
    value = row[name]
    if leaf.rule.per:
        whole = row[leaf.rule.per]
        percent = f"{100 * value / whole:.0f} %"
        unit = "seats" if leaf.rule.per == "seats" else "ARR"
        return f"{plain(value)} of {plain(whole)} {unit} ({percent})"
    if name == RENEWAL and as_of is not None:
        return renewal_text(value, as_of)
    return value_text(card.catalogue[name], value)


def renewal_text(days: float, as_of: date) -> str:
    """`2027-01-14 (in 45 days)`, `2026-10-02 (30 days overdue)`."""
    count = f"{plain(abs(days))} {'day' if abs(days) == 1 else 'days'}"
    return f"{as_of + timedelta(days=days)} ({f'in {count}' if days >= 0 else f'{count} overdue'})"


def bounds_text(lower: float | None, upper: float | None, coverage: float | None) -> str:
    """Where health lies if all that is not known were at its worst or its best.

    Empty without a score, and where everything is known (`coverage` in percent).
    """
    if lower is None or upper is None or coverage == 100:
        return ""
    low, high = f"{lower:.1f}", f"{upper:.1f}"
    return "what is not known can't change it" if low == high else f"between {low} and {high}, whatever is not known"


def probability_text(value: float | None, lower: float | None, upper: float | None, horizon_days: int) -> str | None:
    """`probability of leaving within 180 days 18 % (11–28 %)`; None where no calibration counted, or nobody is rated.

    Where too few left for a probability of each account, it is the range of its band of risk.
    """
    if lower is None or upper is None:
        return None
    lead, span = f"probability of leaving within {horizon_days} days", f"{_percent(lower)}–{_percent(upper)} %"
    return f"{lead} {span} (accounts in its risk band)" if value is None else f"{lead} {_percent(value)} % ({span})"


def _percent(value: float) -> str:
    return plain(value, 0 if value >= 10 else 1)


def value_text(metric: Metric, value: float, decimals: int = 1) -> str:
    """A metric's value with its unit: `5 h 12 min`, `26 %`, `3 days`, `1.5`, `120 GB`."""
    if metric.unit == "seconds":
        return duration(value)
    if metric.unit == "percent":
        sign = "+" if metric.is_change and value > 0 else ""
        return f"{sign}{plain(value, decimals)} %"
    if metric.unit in ("count", "ratio"):
        return plain(value, decimals)
    unit = _SINGULAR.get(metric.unit, metric.unit) if value == 1 else metric.unit
    return f"{plain(value, decimals)} {unit}"


def counted(points: float) -> str:
    """`9.4 points`, `1 point`."""
    return f"{plain(points)} {'point' if plain(points) == '1' else 'points'}"


def signed(value: float, decimals: int = 1) -> str:
    """A number with its sign and so many decimals at most: `+3`, `−0.4`, `0`."""
    text = f"{value:+,.{decimals}f}".rstrip("0").rstrip(".").replace("-", "−")
    return "0" if text in {"+0", "−0"} else text


def plain(value: float, decimals: int = 1) -> str:
    """A number with so many decimals at most and thousands marked: `1,204`, `9.4`."""
    text = f"{value:,.{decimals}f}".replace("-", "−")
    text = text.rstrip("0").rstrip(".") if decimals else text  # the zeros of 20 stay
    return "0" if text == "−0" else text


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `3 d 4 h`, `5 h 12 min`, `45 s`."""
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    left, parts = round(seconds), []
    for name, size in units:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"
