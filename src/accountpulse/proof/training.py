"""What is learned from months and outcomes: a calibration, and other weights, as far as the evidence bears them."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from accountpulse.core.errors import UsageError
from accountpulse.core.outcomes import LOST
from accountpulse.proof.document import PartAlone
from accountpulse.proof.evidence import (
    events_of,
    evidence_of,
    foretold,
    foretold_others,
    horizon_months,
    left_aside,
    month_numbers,
    months_in,
    thinned,
)
from accountpulse.proof.fit import band_shares, fit
from accountpulse.proof.gates import LEAK_AUC, RANKING_EVENTS, Claim, Evidence, Gate, gate
from accountpulse.proof.intervals import LEVEL
from accountpulse.proof.label_report import LabelReport, inspect_asked
from accountpulse.proof.labels import LabelRules, Labels
from accountpulse.proof.months import check_range, comparable, in_range, month_names, reconstructed, with_codes
from accountpulse.proof.parts import parts_alone
from accountpulse.proof.probability import ProbabilityQuality
from accountpulse.proof.samples import arrays
from accountpulse.proof.suggest import BookRows, Suggestion, suggest
from accountpulse.proof.wording import maybe_the_wrong_way
from accountpulse.scoring.calibration import Band, Calibration
from accountpulse.scoring.columns import AS_OF, RISK, RISK_Z, points_of
from accountpulse.scoring.scorecard import Scorecard


@dataclass(frozen=True)
class TrainingRules:
    """Which months are learned from. `first` and `last` as YYYY-MM, both included; None: no limit."""

    labels: LabelRules
    known_until: date
    first: str | None = None
    last: str | None = None
    cross_section: bool = False  # one row an account: tried on other accounts, since there are no later months


@dataclass(frozen=True)
class Training:
    """The account-months that are learned from, and what they allow.

    `rows` have a label and a whole churn risk. Left out are `open_rows` without a label yet, `not_rated` without a
    churn risk, `without_trend` of the first months, whose risk lacks that term (`left_without_trend` customers left
    after these alone), and `rebuilt`, measured long after their month. `foretold` is how true probabilities were in the
    later months that were fitted on the earlier ones, a horizon before; None: that can't be told.
    """

    card: Scorecard
    rules: TrainingRules
    rows: pl.DataFrame
    open_rows: int
    not_rated: int
    without_trend: int
    left_without_trend: int
    rebuilt: int
    report: LabelReport
    parts: tuple[PartAlone, ...]
    foretold: ProbabilityQuality | None
    evidence: Evidence
    gate: Gate

    @property
    def leaks(self) -> tuple[str, ...]:
        """In words, each metric of the scorecard that ranks so well alone that it has probably seen the outcome."""
        found = (part for part in self.parts if part.kind == "metric" and part.weight and part.auc)
        return tuple(
            f"{part.label} alone ranks at {part.auc.value:.2f}: so good that it may have been written after the "
            "customer left. Look at when it is filled; until then no weights are suggested."
            for part in found
            if part.auc and part.auc.value > LEAK_AUC
        )

    @property
    def one_row_each(self) -> bool:
        """Whether no account has several months."""
        return not self.rows["account_id"].is_duplicated().any()

    @property
    def maybe_wrong_way(self) -> tuple[str, ...]:
        """In words, each metric of the scorecard that may point the wrong way."""
        return tuple(maybe_the_wrong_way(self.parts))

    @property
    def months(self) -> tuple[str, ...]:
        """The months that are learned from, YYYY-MM."""
        return tuple(month_names(self.rows))

    @property
    def wrong_way(self) -> tuple[PartAlone, ...]:
        """Metrics of the scorecard that point the wrong way, beyond chance."""
        return tuple(
            part for part in self.parts if part.kind == "metric" and part.weight and part.verdict == "wrong way"
        )


def training_rows(months: pl.DataFrame, outcomes: pl.DataFrame, card: Scorecard, rules: TrainingRules) -> Training:
    """What can be learned from `months` (metrics and scores by `card`, one row an account and `as_of`) and OUTCOMES.

    A UsageError where there is no month, or no outcome at all, or a cross-section with an account's several rows.
    """
    if rules.cross_section and months["account_id"].is_duplicated().any():
        raise UsageError("a cross-section has one row an account, and here some have several: judge by later months")
    if months.is_empty() or outcomes.is_empty():
        what = "month with a score" if months.is_empty() else "outcome"
        raise UsageError(f"there is no {what} to learn from: `accountpulse outcomes` shows what is known")
    check_range(months, rules.first, rules.last)
    rebuilt = reconstructed(months)
    if rebuilt.all():
        raise UsageError(
            "every month was measured long after it was over: it may know what came, and nothing is learned from it. "
            "Months count that are run within 10 days of their end"
        )
    coded = comparable(with_codes(months.filter(~rebuilt)), card)
    labels = Labels(coded, outcomes, rules.labels, rules.known_until)
    labelled = in_range(labels.by_month(), rules.first, rules.last)
    known = labelled.filter(pl.col(LOST).is_not_null())
    rated = known.filter(pl.col(RISK).is_not_null())
    whole = rated.filter(pl.col(RISK_Z).is_not_null())
    report = inspect_asked(labels, months, rules.first, rules.last)
    enough = events_of(whole) >= RANKING_EVENTS  # counted where it is learned from
    parts = parts_alone(thinned(known), card) if enough else ()
    skill = _tried(whole, rules) if enough else None
    evidence = replace(
        evidence_of(whole, report, parts, skill, rules.labels),
        aside=left_aside(labelled, rules.labels, rules.known_until),
        months=months_in(rated),  # the first three tell as much of the seasons as the others
        cross_section=rules.cross_section,
    )
    return Training(
        card=card,
        rules=rules,
        rows=whole,
        open_rows=labelled.height - known.height,
        not_rated=known.height - rated.height,
        without_trend=rated.height - whole.height,
        left_without_trend=events_of(rated) - evidence.events,
        rebuilt=int(rebuilt.sum()),
        report=report,
        parts=parts,
        foretold=skill,
        evidence=evidence,
        gate=gate(evidence),
    )


def _tried(rows: pl.DataFrame, rules: TrainingRules) -> ProbabilityQuality | None:
    return foretold_others(rows) if rules.cross_section else foretold(rows, rules.labels)


def calibrate(training: Training, outcome: str, fitted_on: date) -> Calibration | None:
    """The calibration of all rows, as far as the gates allow one: for each account, else for each band of risk.

    None where they allow neither. `outcome` says in words what counted as leaving. It expires twelve months after the
    last training month.
    """
    allowed = training.gate.allowed
    line = fit(*arrays(training.rows, RISK_Z)) if allowed & {Claim.BANDS, Claim.PROBABILITY} else None
    if line is None:
        return None
    last: date = training.rows[AS_OF].max()  # type: ignore[assignment]
    by_account = Claim.PROBABILITY in allowed
    return Calibration(
        intercept=line.intercept,
        slope=line.slope,
        covariance=line.covariance,
        level=LEVEL,
        horizon_days=training.rules.labels.horizon_days,
        scorecard_hash=training.card.hash,
        outcome=outcome,
        months=training.months,
        events=line.events,
        accounts=line.accounts,
        base_rate=line.base_rate,
        kind="account" if by_account else "band",
        bands=() if by_account else _bands(training),
        fitted_on=fitted_on,
        expires_on=_a_year_later(last),
    )


def suggested(training: Training) -> Suggestion | None:
    """Other weights, of metrics where the gates allow it, else of dimensions.

    None where they allow neither, or a metric has probably seen the outcome, which would get most of the weight.
    """
    allowed = training.gate.allowed if not training.leaks else frozenset()
    if Claim.LEAF_WEIGHTS in allowed:
        return suggest(training.card, _book_rows(training), "leaves")
    if Claim.DIMENSION_WEIGHTS in allowed:
        return suggest(training.card, _book_rows(training), "dimensions")
    return None


def _bands(training: Training) -> tuple[Band, ...]:
    """The share that left in each of the scorecard's bands of risk, in percent."""
    starts = training.card.risk.bands
    named = [(name, start) for name, start in (("medium", starts.medium), ("high", starts.high)) if start > 0]
    shares = band_shares(*arrays(training.rows, RISK), [("low", 0.0), *named])
    return tuple(Band(each.name, each.from_risk, 100.0 * each.share.lower, 100.0 * each.share.upper) for each in shares)


def _book_rows(training: Training) -> BookRows:
    rows = thinned(training.rows)
    risk_z, lost, account = arrays(rows, RISK_Z)
    columns = [_points(rows, leaf.name) for leaf in training.card.leaves]
    gap = horizon_months(training.rules.labels)
    return BookRows(np.column_stack(columns), risk_z, lost, account, month_numbers(rows), gap)


def _points(rows: pl.DataFrame, metric: str) -> np.ndarray:
    """The points of a metric; NaN: not known."""
    name = points_of(metric)
    if name not in rows.columns:
        return np.full(rows.height, np.nan)
    return rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _a_year_later(day: date) -> date:
    return day.replace(year=day.year + 1) if (day.month, day.day) != (2, 29) else date(day.year + 1, 3, 1)
