"""The whole backtest: months as they were then, and what happened, to one document and its rows."""

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from accountpulse.core.errors import UsageError
from accountpulse.core.outcomes import LOST
from accountpulse.proof import cases, wording
from accountpulse.proof.arr_later import ACCOUNT
from accountpulse.proof.document import BacktestDocument, CardComparison, CardName, PartAlone, Sample, SampleKind
from accountpulse.proof.evidence import events_of, evidence_of, foretold, left_aside, thinned
from accountpulse.proof.gates import RANKING_EVENTS, Claim, gate
from accountpulse.proof.label_report import LabelReport, inspect_asked
from accountpulse.proof.labels import LOST_ON, RENEWAL_ON, LabelRules, Labels, month_rows
from accountpulse.proof.months import (
    check_range,
    comparable,
    in_range,
    month_names,
    numbered,
    reconstructed,
    with_codes,
)
from accountpulse.proof.parts import parts_alone
from accountpulse.proof.probability import ProbabilityQuality
from accountpulse.proof.ranking import auc, auc_difference
from accountpulse.proof.samples import SampleRules, arrays, sample_of, with_places
from accountpulse.proof.words import has_pulses, who_was_right, words_before
from accountpulse.scoring.columns import (
    AS_OF,
    BEFORE_CAPS,
    COVERAGE,
    HEALTH,
    PROBABILITY,
    RISK,
    RISK_Z,
    TIER,
)
from accountpulse.scoring.scorecard import GREEN, Scorecard

VERSION = 1  # of the document
OTHER_RISK = "risk by the other scorecard"  # no metric has blanks in its name


@dataclass(frozen=True)
class BacktestRules:
    """What is asked of a backtest, beside its tables.

    `source` says in words where the months come from. `first` and `last` are months as YYYY-MM, both included; None: no
    limit. `capacity` is how many accounts the team can look after in a month. Probabilities in the
    months are judged from the month `judged_from` on; None: in all of them.
    """

    source: str
    labels: LabelRules
    known_until: date
    first: str | None = None
    last: str | None = None
    capacity: int | None = None
    judged_from: date | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backtest:
    """The document, and the rows that it speaks of: of both samples, with their labels and scores, and words."""

    document: BacktestDocument
    rows: pl.DataFrame
    words: pl.DataFrame  # what score and pulse said before each renewal (`proof/words.py`)


@dataclass(frozen=True)
class OtherCard:
    """Another scorecard, and its risk in the same months: `account_id`, `as_of`, `churn_risk_score`."""

    card: Scorecard
    scores: pl.DataFrame


def backtest(
    months: pl.DataFrame,
    outcomes: pl.DataFrame,
    card: Scorecard,
    rules: BacktestRules,
    other: OtherCard | None = None,
) -> Backtest:
    """What `months` (metrics and scores by `card`, one row an account and `as_of`) said of `outcomes` (OUTCOMES).

    Months that were reconstructed later are reported apart. A UsageError where there is no month, or no outcome.
    """
    _check(months, outcomes)
    check_range(months, rules.first, rules.last)
    months, outcomes = numbered(months if other is None else _with_other(months, other), outcomes)
    coded = comparable(with_places(with_codes(months)), card)
    rebuilt = reconstructed(coded)
    first_hand, later = (coded, None) if not rebuilt.any() else (coded.filter(~rebuilt), coded.filter(rebuilt))
    labels = Labels(first_hand, outcomes, rules.labels, rules.known_until)
    renewals, account_months = (
        in_range(rows, rules.first, rules.last) for rows in (labels.by_renewal(), labels.by_month())
    )
    report = inspect_asked(labels, months, rules.first, rules.last)
    del labels  # which holds tables of its own
    kind: SampleKind = "renewals" if _bears(renewals, account_months, report) else "months"
    tables = _Samples(first_hand, renewals, account_months, kind)
    document = _document(tables, report, card, rules, other)
    said = words_before(first_hand, renewals, card)  # the renewals' range decides, not the months'
    if has_pulses(first_hand):
        document = replace(document, words=who_was_right(said))
    if later is not None:
        document = _with_reconstructed(document, _sample_of_reconstructed(later, outcomes, card, rules))
    return Backtest(replace(document, origins=_origins(outcomes)), _rows(tables), said)


@dataclass(frozen=True)
class _Samples:
    """The months, and their rows by renewal and by account-month; `kind` is the sample that is the headline."""

    months: pl.DataFrame
    renewals: pl.DataFrame
    account_months: pl.DataFrame
    kind: SampleKind

    @property
    def main(self) -> pl.DataFrame:
        return self.renewals if self.kind == "renewals" else self.account_months

    def stayed(self, report: LabelReport) -> pl.DataFrame:
        """The rows of which it may be said that somebody stayed: none where no departure is known at all."""
        return self.main if report.departures else self.main.clear()


def _document(
    tables: _Samples, report: LabelReport, card: Scorecard, rules: BacktestRules, other: OtherCard | None
) -> BacktestDocument:
    monthly, main = tables.account_months, tables.main
    parts, skill = _by_months(monthly, card, rules.labels)
    evidence = evidence_of(monthly, report, parts, skill, rules.labels)
    allowed = gate(replace(evidence, aside=left_aside(monthly, rules.labels, rules.known_until)))
    ranked = Claim.RANKING in allowed.allowed
    of_renewals, of_months = (_figures(rules, rows, ranked=ranked) for rows in (tables.renewals, monthly))
    renewals = sample_of("renewals", tables.renewals, tables.months, card.tier_names, of_renewals)
    account_months = sample_of("months", monthly, tables.months, card.tier_names, of_months)
    chosen, of_own = (renewals, of_renewals) if tables.kind == "renewals" else (account_months, of_months)
    read = cases.departed(monthly, rules.labels, rules.known_until)
    greens, green_count = cases.false_greens(read, card, rules.labels, tables.kind)
    reds, red_count, left_later = cases.false_reds(tables.stayed(report), card, rules.labels, tables.kind)
    limits = wording.not_proven((renewals, account_months), chosen, report, read.height, rules.labels)
    return BacktestDocument(
        version=VERSION,
        source=rules.source,
        scorecard=_name_of(card),
        tiers=card.tier_names,
        green_tiers=_greens_and_below(card)[0],
        horizon_days=rules.labels.horizon_days,
        lead_days=rules.labels.lead_days,
        grace_days=rules.labels.grace_days,
        capacity=rules.capacity,
        known_until=rules.known_until,
        months=tuple(month_names(monthly)),
        labels=report,
        origins={},
        gate=allowed,
        main=tables.kind,
        stayed=wording.stayed(tables.kind, rules.labels),
        renewals=renewals,
        account_months=account_months,
        foretold=skill,
        reconstructed=None,
        parts=parts,
        false_greens=greens,
        false_green_count=green_count,
        false_reds=reds,
        false_red_count=red_count,
        false_reds_left_later=left_later,
        comparison=None if other is None else _comparison(main, other, rules.labels, ranked=of_own.ranked),
        sentences=(
            *wording.sentences(chosen, read, _greens_and_below(card), report, rules.labels),
            *wording.of_capacity(account_months, rules.capacity, rules.labels),
            *wording.about_parts(parts),
            *wording.about_probability(account_months.probability),
        ),
        not_proven=(*allowed.refusals, *limits, *wording.not_shown(parts)),
        notes=rules.notes,
    )


def _greens_and_below(card: Scorecard) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the tiers that call an account healthy, and those of the others, best first."""
    green = tuple(tier.name for tier in card.tiers if tier.min >= GREEN)
    return green, card.tier_names[len(green) :]


def _by_months(
    monthly: pl.DataFrame, card: Scorecard, labels: LabelRules
) -> tuple[tuple[PartAlone, ...], ProbabilityQuality | None]:
    """Each part alone, and how true probabilities would be in later months; nothing below ten departures."""
    if events_of(monthly) < RANKING_EVENTS:
        return (), None
    judged = thinned(monthly)
    return parts_alone(judged, card), foretold(judged, labels)


def _figures(rules: BacktestRules, rows: pl.DataFrame, *, ranked: bool) -> SampleRules:
    """What the departures in these rows bear."""
    enough = events_of(rows) >= RANKING_EVENTS
    return SampleRules(
        rules.labels,
        rules.known_until,
        shares=enough,
        ranked=ranked and enough,
        capacity=rules.capacity,
        judged_from=rules.judged_from,
    )


def _check(months: pl.DataFrame, outcomes: pl.DataFrame) -> None:
    if months.is_empty():
        raise UsageError("there is no month with a score to hold against what happened")
    if outcomes.is_empty():
        raise UsageError(
            "no outcome is known: give a table of them (account_id, date, kind), or have them read from the systems"
        )


def _bears(renewal: pl.DataFrame, monthly: pl.DataFrame, report: LabelReport) -> bool:
    """Whether renewals can be the headline: enough were lost, and of those kept not just a few are known.

    Where only departures tell of renewals, nearly all of them were lost, and a ranking would say nothing; nor may
    renewals of a few accounts stand for the rest, of which nobody knows any. Where too few were lost at a renewal for
    more than counts, account-months are, in which more left.
    """
    lost, kept = renewal[LOST].sum(), (~renewal[LOST]).sum()
    if events_of(renewal) < RANKING_EVENTS <= events_of(monthly):
        return False
    return lost > 0 and 4 * kept >= lost and 2 * report.never_dated <= report.accounts


def _name_of(card: Scorecard) -> CardName:
    return CardName(card.name, card.version, card.hash)


def _origins(outcomes: pl.DataFrame) -> dict[str, int]:
    """How many outcomes each way of knowing gave."""
    if "origin" not in outcomes.columns:
        return {}
    return dict(outcomes.group_by(pl.col("origin").fill_null("not known")).len().sort("origin").iter_rows())


def _with_reconstructed(document: BacktestDocument, apart: Sample) -> BacktestDocument:
    """The document with what months say that may have known the outcome; where there are no others, only that."""
    told = (*document.not_proven, wording.of_reconstructed(apart))
    if not document.months:
        told = (wording.only_reconstructed(apart),)
        document = replace(document, gate=replace(document.gate, refusals=()), sentences=())
    return replace(document, reconstructed=apart, not_proven=told)


def _sample_of_reconstructed(
    later: pl.DataFrame, outcomes: pl.DataFrame, card: Scorecard, rules: BacktestRules
) -> Sample:
    """The account-months that were measured long after they were over, on their own: they may know what came."""
    rows = month_rows(later, outcomes, rules.labels, rules.known_until)
    rows = in_range(rows, rules.first, rules.last)
    return sample_of("months", rows, later, card.tier_names, _figures(rules, rows, ranked=True))


# --- another scorecard -----------------------------------------------------------------------------------------


def _with_other(months: pl.DataFrame, other: OtherCard) -> pl.DataFrame:
    scores = other.scores.select("account_id", AS_OF, pl.col(RISK).alias(OTHER_RISK))
    return months.join(scores, on=["account_id", AS_OF], how="left", maintain_order="left")


def _comparison(main: pl.DataFrame, other: OtherCard, rules: LabelRules, *, ranked: bool) -> CardComparison:
    """The other scorecard's AUC less the first one's, on the rows that both rate."""
    labelled = main.select("account_id", ACCOUNT, LOST, RISK, OTHER_RISK).filter(pl.col(LOST).is_not_null())
    first, second = pl.col(RISK).is_not_null(), pl.col(OTHER_RISK).is_not_null()
    both = labelled.filter(first & second)
    risk, lost, account = arrays(both, RISK)
    others = arrays(both, OTHER_RISK)[0]
    found = auc_difference(others, risk, lost, account) if ranked else None
    return CardComparison(
        card=_name_of(other.card),
        rows=both.height,
        rated_by_one=labelled.filter(first != second).height,
        auc=auc(risk, lost, account) if ranked else None,
        other_auc=auc(others, lost, account) if ranked else None,
        difference=found,
        text=wording.difference(found, other.card, both.height, rules.horizon_days),
    )


# --- the rows --------------------------------------------------------------------------------------------------


def _rows(tables: _Samples) -> pl.DataFrame:
    """The rows of both samples, named by `sample`, with their labels and scores."""
    wanted = (
        "account_id", "arr", AS_OF, LOST, LOST_ON, RENEWAL_ON, TIER, HEALTH, BEFORE_CAPS, RISK, RISK_Z, COVERAGE,
        PROBABILITY,
    )  # fmt: skip
    present = [name for name in wanted if name in tables.account_months.columns]
    kinds = pl.Enum(["renewals", "months"])
    named = (("renewals", tables.renewals), ("months", tables.account_months))
    both = pl.concat(rows.select(present).with_columns(sample=pl.lit(name, kinds)) for name, rows in named)
    return both.with_columns(pl.col("account_id").cast(pl.String))
