"""Everything that a backtest says, as plain values: for JSON, the page and the terminal.

Shares lie between 0 and 1, scores between 0 and 100; None: not known, or more than the number of departures bears.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from accountpulse.proof.gates import Gate
from accountpulse.proof.intervals import Interval
from accountpulse.proof.label_report import LabelReport
from accountpulse.proof.probability import ProbabilityQuality
from accountpulse.proof.ranking import Captured
from accountpulse.proof.rates import Retention

SampleKind = Literal["renewals", "months"]
PartVerdict = Literal["right way", "wrong way", "no evidence", "too rarely known", "no direction"]
CaseKind = Literal["false green", "false red"]


@dataclass(frozen=True)
class CardName:
    """Which scorecard gave the scores."""

    name: str
    version: str
    hash: str


@dataclass(frozen=True)
class GroupOutcome:
    """What became of one group of rows, and how well the churn risk ranks inside it.

    `lost` are distinct customers that left in one of the `rows`, `share` is that of the rows that were lost, `arr_loss`
    that of their ARR, without the `arr_unknown` rows. Below ten departures there are counts only, the rest is None; so
    is `retention` where no ARR is known both at the start and at the end of a window, and `auc` where all rated rows
    left, or none.
    """

    group: str
    customers: int
    rows: int
    lost: int
    share: Interval | None
    arr_loss: Interval | None
    arr_unknown: int
    retention: Retention | None
    auc: Interval | None


@dataclass(frozen=True)
class RankingQuality:
    """How well the churn risk puts those who left above those who stayed, among the rated rows.

    `top` is the riskiest tenth, `capacity` so many accounts as the team can look after in each month (of account-months
    only: the renewals that are read in a month are not all customers of it).
    """

    rows: int
    auc: Interval | None
    average_precision: float | None
    base_rate: float
    top: Captured | None
    capacity: Captured | None


@dataclass(frozen=True)
class Sample:
    """One way to count: a row for each renewal, or for each account and month.

    `rows` have a label, `censored` none yet; `left` are distinct customers that left in a row of theirs; `not_rated`
    rows have no churn risk and stand in no ranking.
    """

    kind: SampleKind
    rows: int
    customers: int
    lost: int
    left: int
    stayed: int
    censored: int
    not_rated: int
    first_as_of: date | None
    last_as_of: date | None
    ranking: RankingQuality | None
    probability: ProbabilityQuality | None
    by_tier: tuple[GroupOutcome, ...]
    by_segment: tuple[GroupOutcome, ...]
    by_quarter: tuple[GroupOutcome, ...]
    by_lead: tuple[GroupOutcome, ...]
    by_coverage: tuple[GroupOutcome, ...]


@dataclass(frozen=True)
class PartAlone:
    """A score, a dimension or a metric as the only thing that is looked at.

    `auc` is that of leaving where the scorecard calls it worse: above 0.5 it points the right way. `known` is the share
    of rows in which it is known; `known_lost` and `known_stayed` that among those who left and who stayed. `verdict`
    allows for the number of dimensions and metrics that are judged, the interval of `auc` does not.
    """

    kind: Literal["score", "dimension", "metric"]
    name: str
    label: str
    weight: float | None
    rows: int
    known: float
    known_lost: float | None
    known_stayed: float | None
    missing_auc: Interval | None
    auc: Interval | None
    verdict: PartVerdict
    measured_by: Literal["points", "value", "score"]


@dataclass(frozen=True)
class ProofCase:
    """An account of which the score said one thing and another happened."""

    kind: CaseKind
    account_id: str
    account_name: str | None
    as_of: date
    tier: str
    health: float | None
    risk: float | None
    coverage: float | None
    arr: float | None
    segment: str | None
    saw: tuple[str, ...]
    happened: str
    lost_on: date | None
    renewal_on: date | None


@dataclass(frozen=True)
class CardComparison:
    """Another scorecard on the same rows: `difference` is its AUC less that of the first."""

    card: CardName
    rows: int
    rated_by_one: int
    auc: Interval | None
    other_auc: Interval | None
    difference: Interval | None
    text: str


@dataclass(frozen=True)
class WordRecord:
    """What became of the renewals before which one of the two said one word; `lost` is None below 20 accounts."""

    who: Literal["score", "pulse"]
    word: str
    renewals: int
    accounts: int
    lost: int | None


@dataclass(frozen=True)
class WordsAtLead:
    """What score and pulse said so many days before the renewals that have an outcome, and who was right.

    `renewals` were read, `unread` have no month that lies so long before; `with_pulse` had a pulse that counted.
    `disagreed`: one said green, the other red. Below 20 accounts there are these counts only, and the rest is None.
    """

    lead_days: int
    renewals: int
    unread: int
    with_pulse: int
    disagreed: int
    disagreed_accounts: int
    lost: int | None
    score_right: int | None
    pulse_right: int | None
    records: tuple[WordRecord, ...]
    text: str


@dataclass(frozen=True)
class BacktestDocument:
    """A whole backtest. `main` names the sample that sentences and cases speak of, `parts` are of account-months.

    `stayed` says in words what staying is in the main sample: `still there 180 days later`.
    `foretold` is how true probabilities would be in the later months that are fitted on the earlier ones.
    `words`, one a lead, are empty where no month knows a pulse.
    """

    version: int
    source: str
    scorecard: CardName
    tiers: tuple[str, ...]
    green_tiers: tuple[str, ...]
    horizon_days: int
    lead_days: int
    grace_days: int
    capacity: int | None
    known_until: date
    months: tuple[str, ...]
    labels: LabelReport
    origins: dict[str, int]
    gate: Gate
    main: SampleKind
    stayed: str
    renewals: Sample
    account_months: Sample
    foretold: ProbabilityQuality | None
    reconstructed: Sample | None
    parts: tuple[PartAlone, ...]
    false_greens: tuple[ProofCase, ...]
    false_green_count: int
    false_reds: tuple[ProofCase, ...]
    false_red_count: int
    false_reds_left_later: int
    comparison: CardComparison | None
    sentences: tuple[str, ...]
    not_proven: tuple[str, ...]
    notes: tuple[str, ...]
    words: tuple[WordsAtLead, ...] = ()
