"""The figures of one way to count: how well the risk ranks, and what became of each tier, segment and quarter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from accountpulse.core.outcomes import LOST
from accountpulse.proof.arr_later import ACCOUNT, ARR_LATER, with_arr_later
from accountpulse.proof.document import GroupOutcome, RankingQuality, Sample, SampleKind
from accountpulse.proof.intervals import Interval
from accountpulse.proof.labels import LOST_ON, RENEWAL_ON, LabelRules
from accountpulse.proof.probability import ProbabilityQuality, quality
from accountpulse.proof.ranking import Captured, auc, average_precision, captured
from accountpulse.proof.rates import rates, retention
from accountpulse.scoring.columns import AS_OF, COVERAGE, PROBABILITY, RISK, TIER
from accountpulse.scoring.model import NOT_RATED

RISK_PLACE = "place of the risk"  # no metric has blanks in its name
NEEDED = (
    ACCOUNT, AS_OF, LOST, LOST_ON, RENEWAL_ON, RISK_PLACE, TIER, COVERAGE, PROBABILITY, "arr", "segment",
)  # fmt: skip
TOP_SHARE = 0.1
LEAD_DAYS = 90  # the width of a stretch of lead time
COVERAGE_FROM = (0, 50, 75)  # where the bands of coverage begin, in percent
NO_SEGMENT = "(none)"
GroupOutcomes = tuple[GroupOutcome, ...]
GROUP = "group of the rows"  # no metric has blanks in its name


@dataclass(frozen=True)
class SampleRules:
    """What the figures of a sample depend on beside its rows.

    `shares` and `ranked`: whether the departures bear shares with intervals, and a ranking; else there are counts by
    tier alone. `capacity` is how many accounts the team can look after in a month; None: nobody said. Probabilities are
    judged from the month `judged_from` on (`as_of`); None: in all months.
    """

    labels: LabelRules
    known_until: date
    shares: bool
    ranked: bool
    capacity: int | None = None
    judged_from: date | None = None


def with_places(months: pl.DataFrame) -> pl.DataFrame:
    """The months with the place of each churn risk among all, 0 the lowest: they are sorted once for every ranking."""
    _, place = np.unique(months[RISK].cast(pl.Float64).to_numpy(), return_inverse=True)
    return months.with_columns(
        pl.when(pl.col(RISK).is_not_null()).then(pl.Series(place, dtype=pl.Int64)).alias(RISK_PLACE)
    )


def sample_of(
    kind: SampleKind, rows: pl.DataFrame, months: pl.DataFrame, tiers: tuple[str, ...], rules: SampleRules
) -> Sample:
    """The figures of `rows`, of `renewal_rows` or `month_rows`, with codes of accounts and places of the risk.

    `tiers` are the scorecard's, best first. Where all rows left, or none, there is a share, but no ranking.
    """
    names = [name for name in NEEDED if name in rows.columns]
    labelled = rows.select(names).filter(pl.col(LOST).is_not_null())
    labelled = with_arr_later(labelled, months, rules.labels, renewals=kind == "renewals")
    lost = labelled.filter(pl.col(LOST))
    rated = labelled.filter(pl.col(RISK_PLACE).is_not_null())
    groups = _Groups(labelled, rules)
    return Sample(
        kind=kind,
        rows=labelled.height,
        customers=labelled[ACCOUNT].n_unique(),
        lost=lost.height,
        left=lost[ACCOUNT].n_unique(),
        stayed=labelled.filter(~pl.col(LOST))[ACCOUNT].n_unique(),
        censored=rows.height - labelled.height,
        not_rated=labelled.filter(pl.col(TIER) == NOT_RATED).height,
        first_as_of=labelled[AS_OF].min(),  # type: ignore[arg-type]
        last_as_of=labelled[AS_OF].max(),  # type: ignore[arg-type]
        ranking=_ranking(rated, rules, kind) if rules.shares and rules.ranked else None,
        probability=_probability(labelled, rules) if rules.shares and kind == "months" else None,
        by_tier=groups.by(pl.col(TIER), (*tiers, NOT_RATED)),
        by_segment=groups.by(_segment(labelled)) if rules.shares else (),
        by_quarter=groups.by(_quarter(kind), name=_quarter_name) if rules.shares else (),
        by_lead=_by_lead(labelled, kind, rules) if rules.shares else (),
        by_coverage=groups.by(_coverage_band(), name=_band_name) if rules.shares else (),
    )


# --- ranking and probability -----------------------------------------------------------------------------------


def _ranking(rated: pl.DataFrame, rules: SampleRules, kind: SampleKind) -> RankingQuality | None:
    if rated.is_empty():
        return None
    risk, lost, account = arrays(rated, RISK_PLACE)
    count = max(1, round(TOP_SHARE * rated.height))
    capacity = rules.capacity if kind == "months" else None
    return RankingQuality(
        rows=rated.height,
        auc=auc(risk, lost, account),
        average_precision=average_precision(risk, lost),
        base_rate=float(lost.mean()),
        top=captured(risk, lost, count),
        capacity=None if capacity is None else _captured_each_month(rated, capacity),
    )


def _captured_each_month(rated: pl.DataFrame, count: int) -> Captured | None:
    """What the `count` riskiest accounts of each month hold, added up over the months."""
    total, lost, found = 0, 0.0, 0.0
    for _, month in rated.select(AS_OF, RISK_PLACE, LOST).group_by(AS_OF):
        one = captured(month[RISK_PLACE].to_numpy(), month[LOST].to_numpy(), count)
        total += min(count, month.height)
        lost += float(month[LOST].sum())
        found += one.lost if one is not None else 0.0
    return Captured(total, found, found / lost, found / total / (lost / rated.height)) if lost else None


def _probability(labelled: pl.DataFrame, rules: SampleRules) -> ProbabilityQuality | None:
    """How true the probabilities are in account-months that they could be wrong in; None: there are none.

    They speak of leaving within the horizon, as the label of account-months does and that of renewals doesn't.
    """
    if PROBABILITY not in labelled.columns:
        return None
    rows = labelled.filter(pl.col(PROBABILITY).is_not_null() & (pl.col(AS_OF) >= (rules.judged_from or date.min)))
    if rows[LOST].n_unique() < 2:
        return None
    percent, lost, account = arrays(rows, PROBABILITY)
    return quality(percent / 100.0, lost, account)


def arrays(rows: pl.DataFrame, column: str) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """A column without nulls, `lost`, and the codes of the accounts."""
    numbers, lost = rows[column].cast(pl.Float64).to_numpy(), rows[LOST].to_numpy()
    return numbers, lost.astype(np.bool_), rows[ACCOUNT].to_numpy().astype(np.int64)


# --- groups ----------------------------------------------------------------------------------------------------


def _segment(labelled: pl.DataFrame) -> pl.Expr:
    return pl.col("segment").fill_null(NO_SEGMENT) if "segment" in labelled.columns else pl.lit(NO_SEGMENT)


def _quarter(kind: SampleKind) -> pl.Expr:
    """The quarter of the renewal, or of the last day that a month measured, as quarters since the year 0."""
    day = pl.col(RENEWAL_ON) if kind == "renewals" else pl.col(AS_OF) - timedelta(days=1)
    return day.dt.year().cast(pl.Int64) * 4 + day.dt.quarter().cast(pl.Int64) - 1


def _quarter_name(quarters: int) -> str:
    return f"{quarters // 4}-Q{quarters % 4 + 1}"


def _coverage_band() -> pl.Expr:
    """Where the band begins that an account's coverage lies in, in percent."""
    band = pl.lit(None, pl.Int64)
    for start in COVERAGE_FROM:
        band = pl.when(pl.col(COVERAGE) >= start).then(start).otherwise(band)
    return band


def _band_name(start: int) -> str:
    end = next((each for each in COVERAGE_FROM if each > start), None)
    return f"{start} % and more known" if end is None else f"{start} to {end} % known"


@dataclass(frozen=True)
class _Groups:
    """What became of the rows of one sample, by any grouping."""

    rows: pl.DataFrame
    rules: SampleRules

    def by(self, group: pl.Expr, order: Sequence[Any] = (), name: Callable[[Any], str] = str) -> GroupOutcomes:
        """A figure for each group that has rows, in the order given, others after it in theirs; null is no group."""
        found = _outcomes_by_group(self.rows.with_columns(group.alias(GROUP)), self.rules, name)
        keys = [*(key for key in order if key in found), *sorted(found.keys() - set(order))]
        return tuple(found[key] for key in keys)


def _by_lead(labelled: pl.DataFrame, kind: SampleKind, rules: SampleRules) -> tuple[GroupOutcome, ...]:
    """How far ahead departures are seen: who leaves in the first 90 days after a month, who in the next, and so on.

    A stretch counts the months after which it is over at the last day known, and the customers still there at its
    start. Renewals are all read at one lead: none for these.
    """
    if kind == "renewals":
        return ()
    made: list[GroupOutcome] = []
    for start in range(0, rules.labels.horizon_days, LEAD_DAYS):
        end = min(start + LEAD_DAYS, rules.labels.horizon_days)
        first, last = (pl.col(AS_OF) + timedelta(days=days) for days in (start, end))
        there = labelled.filter((pl.col(LOST_ON).is_null() | (pl.col(LOST_ON) > first)) & (last <= rules.known_until))
        left = (pl.col(LOST_ON) <= last).fill_null(value=False)
        none = pl.lit(None, pl.Float64)  # what became of the ARR is told of the whole horizon
        rows = there.with_columns(left.alias(LOST), none.alias(ARR_LATER), pl.lit(f"{start}–{end} days").alias(GROUP))
        made += _outcomes_by_group(rows, rules, str).values()
    return tuple(made)


def _outcomes_by_group(rows: pl.DataFrame, rules: SampleRules, named: Callable[[Any], str]) -> dict[Any, GroupOutcome]:
    """The rows by GROUP, those without one left out."""
    columns = (ACCOUNT, LOST, RISK_PLACE, GROUP, ARR_LATER, *(name for name in ("arr",) if name in rows.columns))
    known = rows.select(columns).filter(pl.col(GROUP).is_not_null())
    keys = known[GROUP].unique(maintain_order=True)
    known = known.with_columns(pl.col(GROUP).replace_strict(keys, pl.int_range(len(keys), eager=True)))
    known = known[known[GROUP].cast(pl.UInt16).to_numpy().argsort(kind="stable")]  # each one's rows lie together
    account, group = known[ACCOUNT].to_numpy(), known[GROUP].to_numpy()
    before, later = (_amounts(known, name) for name in ("arr", ARR_LATER))
    shares = rates(known[LOST].to_numpy(), before, account, group)
    kept = retention(before, later, account, group) if rules.shares and np.isfinite(later).any() else {}
    aucs = _auc_by_group(known) if rules.shares and rules.ranked else {}
    return {
        key: GroupOutcome(
            group=named(key),
            customers=shares[place].customers,
            rows=shares[place].rows,
            lost=shares[place].lost,
            share=shares[place].share if rules.shares else None,
            arr_loss=shares[place].arr_loss if rules.shares else None,
            arr_unknown=shares[place].arr_unknown,
            retention=kept.get(place),
            auc=aucs.get(place),
        )
        for place, key in enumerate(keys)
    }


def _auc_by_group(known: pl.DataFrame) -> dict[int, Interval | None]:
    rated = known.filter(pl.col(RISK_PLACE).is_not_null())
    return {place: auc(*arrays(rows, RISK_PLACE)) for (place,), rows in rated.group_by([GROUP], maintain_order=True)}


def _amounts(rows: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """A column of money; NaN: not known."""
    if name not in rows.columns:
        return np.full(rows.height, np.nan)
    return rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
