"""Backtests as `backtest_page.render` takes them: by hand, with as many departures as a test wants."""

from dataclasses import replace
from datetime import date
from typing import Any, Literal

import msgspec

from accountpulse.proof.document import (
    BacktestDocument,
    CardComparison,
    CardName,
    GroupOutcome,
    PartAlone,
    ProofCase,
    RankingQuality,
    Sample,
    WordRecord,
    WordsAtLead,
)
from accountpulse.proof.gates import Claim, Gate
from accountpulse.proof.intervals import Interval
from accountpulse.proof.label_report import LabelFinding, LabelReport
from accountpulse.proof.probability import ProbabilityQuality, ReliabilityBin
from accountpulse.proof.ranking import Captured
from accountpulse.proof.rates import Retention

NASTY = '<script>alert("x")</script><img src=x onerror=alert(1)> & "Söhne" \u202e'
TIERS = ("Champion", "Healthy", "At Risk", "Critical")
CARD = CardName("default", "1", "9f1c2ab04d7e")
AUC = Interval(0.78, 0.71, 0.84)
REFUSED = "Customers who left: 60. For suggested weights of metrics it takes 100."


def plain(document: BacktestDocument) -> dict[str, Any]:
    """As `backtest.json` has it."""
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document, order="deterministic"))
    return made


def many() -> BacktestDocument:
    """60 customers left: everything is shown but suggested weights of metrics."""
    groups = tuple(_group(name, 40 + place, 6 + 3 * place) for place, name in enumerate((*TIERS, "Not Rated")))
    months = _sample("months", groups)
    return BacktestDocument(
        version=1, source="what runs kept", scorecard=CARD, tiers=TIERS, green_tiers=TIERS[:2], horizon_days=180,
        lead_days=90, grace_days=60, capacity=20, known_until=date(2026, 8, 27), months=("2024-01", "2024-02"),
        labels=LabelReport(
            400, 9000, 1100, 64, 60, 4, 2, 0, 1, True, 3, 0, 0,
            (LabelFinding("duplicate", 12, ("001A", NASTY), "12 accounts: given twice"),),
        ),
        origins={"table": 700, "renewal_opportunities": 400},
        gate=Gate(frozenset(Claim) - {Claim.LEAF_WEIGHTS}, (REFUSED,)), main="renewals", stayed="kept at the renewal",
        renewals=replace(_sample("renewals", groups), by_lead=()), account_months=months,
        foretold=_quality(), reconstructed=None, parts=_parts(),
        false_greens=tuple(_case("false green", place) for place in range(30)), false_green_count=31,
        false_reds=tuple(_case("false red", place) for place in range(9)), false_red_count=9, false_reds_left_later=2,
        comparison=CardComparison(CardName("mine", "2", "1b7734cc0a52"), 840, 3, AUC, Interval(0.81, 0.75, 0.86),
                                  Interval(0.03, -0.01, 0.07), "mine can't be told from this scorecard."),
        sentences=("Of 60 customers who left, 29 were At Risk or Critical 90 days before (48 %, 36–61 %).",),
        not_proven=(REFUSED, "Nothing says that of 100, 30 leave: that is what `accountpulse calibrate` is for."),
        notes=("some months were scored with another scorecard",),
    )  # fmt: skip


def words() -> tuple[WordsAtLead, ...]:
    """Of six months before too little is known; three months before, the score was right more often."""
    kinds: tuple[tuple[Literal["score", "pulse"], str, int, int | None], ...] = (
        ("score", "green", 150, 9), ("score", "red", 41, 22), ("pulse", "green", 88, 12), ("pulse", "red", 14, None),
    )  # fmt: skip
    records = tuple(WordRecord(who, word, renewals, renewals, lost) for who, word, renewals, lost in kinds)
    early = "17 renewals on which they disagreed; shown from 20 accounts."
    late = "One was green and the other red before 34 of 210 renewals; 21 were lost. The score was right on 19, …"
    return (
        WordsAtLead(180, 190, 20, 120, 17, 17, None, None, None, records, early),
        WordsAtLead(90, 210, 0, 130, 34, 33, 21, 19, 15, records, late),
    )


def few() -> BacktestDocument:
    """Eight customers left: counts, and nothing else."""
    bare = {"share": None, "arr_loss": None, "retention": None, "auc": None}
    groups = tuple(replace(group, **bare) for group in many().account_months.by_tier)
    empty: dict[str, Any] = dict.fromkeys(("by_segment", "by_quarter", "by_lead", "by_coverage"), ())
    sample = replace(_sample("months", groups), ranking=None, probability=None, left=8, **empty)
    refused = ("Customers who left: 8. For how well the score ranks (AUC) it takes 10.",)
    return replace(
        many(), gate=Gate(frozenset({Claim.COUNTS}), refused), main="months", stayed="still there 180 days later",
        renewals=sample, account_months=sample,
        foretold=None, parts=(), false_greens=(), false_green_count=0, comparison=None, not_proven=refused,
        labels=replace(many().labels, departures=8), capacity=None, origins={},
    )  # fmt: skip


def _sample(kind: Any, groups: tuple[GroupOutcome, ...]) -> Sample:
    top = Captured(84, 21.0, 0.35, 3.5)
    return Sample(
        kind=kind, rows=840, customers=390, lost=60, left=57, stayed=333, censored=7, not_rated=19,
        first_as_of=date(2024, 2, 1), last_as_of=date(2026, 2, 1),
        ranking=RankingQuality(821, AUC, 0.31, 0.0714, top, replace(top, share=0.61)), probability=None,
        by_tier=groups, by_segment=(replace(groups[0], group=NASTY), replace(groups[1], group="Enterprise")),
        by_quarter=groups[:1], by_lead=groups[:2], by_coverage=groups[:2],
    )  # fmt: skip


def _group(name: str, customers: int, lost: int) -> GroupOutcome:
    share = Interval(0.07, 0.031, 0.154)
    kept = Retention(Interval(0.93, 0.88, 0.97), Interval(1.02, 0.94, 1.1), 0)
    return GroupOutcome(name, customers, 2 * customers, lost, share, Interval(0.12, 0.05, 0.2), 3, kept, AUC)


def _quality() -> ProbabilityQuality:
    bins = tuple(
        ReliabilityBin(80, 40, at / 25, (at + 1) / 25, (at + 0.5) / 25, Interval(at / 30, at / 45, at / 25))
        for at in range(10)
    )
    return ProbabilityQuality(
        0.08, 0.09, Interval(0.057, 0.022, 0.091), 0.1, 0.85, Interval(0.85, 0.7, 1.0), 0.02, bins
    )


def _parts() -> tuple[PartAlone, ...]:
    worse = Interval(0.38, 0.33, 0.43)
    return (
        PartAlone("score", "health_score", "health", None, 800, 0.98, 0.97, 0.98, None, AUC, "right way", "score"),
        PartAlone("dimension", "support", "support", 0.15, 800, 0.9, 0.9, 0.9, None, AUC, "right way", "score"),
        PartAlone("metric", "mau", "active users", 0.12, 800, 0.9, 0.9, 0.9, None, AUC, "right way", "points"),
        PartAlone("metric", "bugs", "open bugs", 0.02, 800, 0.9, 0.9, 0.9, None, worse, "wrong way", "points"),
        PartAlone("metric", "csat", "CSAT", 0.03, 9, 0.01, None, None, None, None, "too rarely known", "points"),
    )


def _case(kind: Any, place: int) -> ProofCase:
    green = kind == "false green"
    return ProofCase(
        kind=kind, account_id=f"001{place:015}", account_name=NASTY if place == 0 else f"Company {place}",
        as_of=date(2025, 9, 1), tier="Healthy" if green else "Critical", health=81.24 if green else 41.5,
        risk=3.3 if green else None, coverage=70.0, arr=None if place == 1 else 310_000.0 - place, segment=None,
        saw=("active users: 25 of 32 seats (78 %), costs 4 points", NASTY),
        happened="left on 2025-12-28, 118 days later" if green else "did not leave within 180 days",
        lost_on=date(2025, 12, 28) if green else None, renewal_on=None,
    )  # fmt: skip
