"""Which lines an account crossed between two states of it: tier, caps, critical signals, renewal, coverage."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from accountpulse.scoring.columns import CAP_REASON, COVERAGE, CRITICAL, HEALTH, OUTAGES, RENEWAL, TIER, ScoreRow
from accountpulse.scoring.explain import plain
from accountpulse.scoring.model import NOT_RATED, Cap
from accountpulse.scoring.scorecard import Scorecard

Line = Literal["tier", "cap", "critical signal", "renewal", "coverage"]
SCORED: tuple[Line, ...] = ("tier", "cap", "coverage")  # these depend on the scorecard, the others do not

STAGES = (180, 90, 30)  # days before a renewal at which an account enters the next stage
OVERDUE = len(STAGES) + 1
COVERAGE_FALL = 10.0  # points of coverage


class Crossing(NamedTuple):
    """One line that an account crossed."""

    line: Line
    text: str  # "Healthy to At Risk", "renewal within 30 days (2026-12-20)"
    worse: bool


class LineState(NamedTuple):
    """On which side of each line an account is."""

    tier: str  # a tier of the scorecard, or Not Rated
    caps: frozenset[str]  # the reasons of the caps that hold
    health: float | None
    coverage: float | None  # percent
    critical: float | None  # open critical signals; null: not known
    opened_on: date | None  # the day on which the latest of them was opened; null: not known
    stage: int  # of the renewal: 0 far off or not known, 1 to 3 within 180, 90 and 30 days, 4 overdue
    renewal: date | None


def line_state(row: ScoreRow, as_of: date, opened_on: date | None = None) -> LineState:
    """The lines of one account: of its scores with its metrics beside them, measured up to the day before `as_of`."""
    days = row.get(RENEWAL)
    reasons = (row.get(CAP_REASON) or "").split("; ")
    return LineState(
        tier=row[TIER],
        caps=frozenset(each for each in reasons if each and not each.startswith(OUTAGES)),
        health=row.get(HEALTH),
        coverage=row.get(COVERAGE),
        critical=row.get(CRITICAL),
        opened_on=opened_on,
        stage=renewal_stage(days),
        renewal=None if days is None else as_of + timedelta(days=days),
    )


def _judged_state(judged: ScoreRow, state: LineState) -> LineState:
    """A state with tier, caps, health and coverage as they are judged where a source could not be read."""
    return state._replace(
        tier=judged[TIER],
        caps=line_state({**judged, RENEWAL: None}, date.min).caps,
        health=judged[HEALTH],
        coverage=judged[COVERAGE],
    )


class JudgedCrossings(NamedTuple):
    """What an account crossed of which a source could not be read, and the state that it was judged in.

    `is_waiting`: what it crossed by its scores can't be said without that source, and is left out.
    """

    crossings: tuple[Crossing, ...]
    state: LineState
    is_waiting: bool


def judged_crossings(then: LineState, now: LineState, judged: ScoreRow | None, card: Scorecard) -> JudgedCrossings:
    """`crossings`, where `judged` are the scores by the last known values of what could not be read; None: nothing."""
    state = now if judged is None else _judged_state(judged, now)
    found = crossings(then, state, card)
    if judged is None or not _hangs_on_outage(found, state, now):
        return JudgedCrossings(found, state, is_waiting=False)
    return JudgedCrossings(tuple(each for each in found if each.line not in SCORED), state, is_waiting=True)


def _hangs_on_outage(found: Iterable[Crossing], judged: LineState, state: LineState) -> bool:
    """Whether a line is crossed by the last known values that the run itself does not show so."""
    lines = {each.line for each in found}
    return bool(lines.intersection(SCORED)) and (
        judged.tier != state.tier or judged.caps != state.caps or "coverage" in lines
    )


def renewal_stage(days: float | None) -> int:
    """How near the renewal is, as LineState has it; 0 where no date is known."""
    if days is None:
        return 0
    return OVERDUE if days < 0 else sum(days <= edge for edge in STAGES)


def crossings(then: LineState, now: LineState, card: Scorecard) -> tuple[Crossing, ...]:
    """The lines between two states, both scored with `card`; what is not known now is not crossed."""
    found = (
        _tier(then, now, card),
        _rating(then, now, card),
        *_caps(then, now, card),
        _critical(then, now),
        _renewal(then, now),
        _coverage(then, now),
    )
    return tuple(each for each in found if each is not None)


def _tier(then: LineState, now: LineState, card: Scorecard) -> Crossing | None:
    if then.tier == now.tier or NOT_RATED in (then.tier, now.tier):
        return None
    order = [tier.name for tier in card.tiers]
    return Crossing("tier", f"{then.tier} to {now.tier}", worse=order.index(now.tier) > order.index(then.tier))


def _rating(then: LineState, now: LineState, card: Scorecard) -> Crossing | None:
    """A rating that was lost or found; one that is found and isn't green is news that somebody must read."""
    if then.tier == now.tier or NOT_RATED not in (then.tier, now.tier):
        return None
    return Crossing("coverage", f"{then.tier} to {now.tier}", worse=now.tier not in card.green_tiers)


def _caps(then: LineState, now: LineState, card: Scorecard) -> Iterator[Crossing]:
    """The lowest first. A cap above the health that an account has anyway is no news when it comes or goes."""
    for cap in sorted(card.file.caps, key=lambda cap: cap.cap):
        if cap.reason not in then.caps and _limits(now, cap):
            yield Crossing("cap", f"capped at {plain(cap.cap)}: {cap.reason}", worse=True)
        if cap.reason not in now.caps and _limits(then, cap):
            yield Crossing("cap", f"no longer capped at {plain(cap.cap)}: {cap.reason}", worse=False)


def _limits(state: LineState, cap: Cap) -> bool:
    return cap.reason in state.caps and state.health is not None and state.health >= cap.cap


def _critical(then: LineState, now: LineState) -> Crossing | None:
    if now.critical is None:
        return None
    before = then.critical or 0
    newer = then.opened_on is not None and now.opened_on is not None and now.opened_on > then.opened_on
    if now.critical > before or (now.critical >= 1 and newer):
        return Crossing("critical signal", _open_signals(now.critical, now.opened_on), worse=True)
    if before >= 1 and now.critical < 1:
        return Crossing("critical signal", "no critical signal open any more", worse=False)
    return None


def _open_signals(count: float, opened_on: date | None) -> str:
    """`critical signal open since 2026-11-28`, `2 critical signals open, the latest since 2026-11-28`."""
    if count == 1:
        return "critical signal open" + ("" if opened_on is None else f" since {opened_on}")
    return f"{plain(count)} critical signals open" + ("" if opened_on is None else f", the latest since {opened_on}")


def _renewal(then: LineState, now: LineState) -> Crossing | None:
    if now.renewal is None or now.stage == then.stage:
        return None
    if now.stage < then.stage:
        return Crossing("renewal", f"renewal moved to {now.renewal}", worse=False)
    if now.stage == OVERDUE:
        return Crossing("renewal", f"renewal overdue since {now.renewal}", worse=True)
    return Crossing("renewal", f"renewal within {STAGES[now.stage - 1]} days ({now.renewal})", worse=True)


def _coverage(then: LineState, now: LineState) -> Crossing | None:
    if then.coverage is None or now.coverage is None or NOT_RATED in (then.tier, now.tier):
        return None
    if now.coverage > then.coverage - COVERAGE_FALL + 1e-9:
        return None
    text = f"{plain(now.coverage, 0)} % of the weight is known, {plain(then.coverage, 0)} % before"
    return Crossing("coverage", text, worse=True)
