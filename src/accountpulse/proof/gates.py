"""What so few or so many departures allow to be said, and what is refused, with the numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from accountpulse.proof.figures import bounded, percent
from accountpulse.proof.intervals import Interval

RANKING_EVENTS = 10
BAND_EVENTS = 20
PROBABILITY_EVENTS = 50
LEAF_EVENTS = 100
PROBABILITY_MONTHS = 12
UNSCORED_SHARE = 0.10
LEAK_AUC = 0.95


class Claim(StrEnum):
    """What may be said."""

    COUNTS = "counts"
    RANKING = "ranking"  # the AUC with its interval
    BANDS = "bands"  # a probability as a range for each risk band
    PROBABILITY = "probability"  # a probability for each account
    DIMENSION_WEIGHTS = "dimension_weights"  # a suggestion for them
    LEAF_WEIGHTS = "leaf_weights"


@dataclass(frozen=True)
class Evidence:
    """What there is to judge by. None: could not be computed, which refuses what needs it."""

    events: int  # distinct accounts that left, with a score before
    stayed: int  # distinct accounts with a score that never left
    months: int  # different months with a score whose window has closed
    quarters: int  # calendar quarters in which accounts left
    auc: Interval | None  # of the risk
    slope: float | None  # of the fitted line
    skill: Interval | None  # Brier skill out of time
    unscored: int = 0  # accounts that left after the first score, without a scored month in time
    cross_section: bool = False  # one row an account: `skill` is that of other accounts, not of later months
    horizon_days: int = 180
    aside: tuple[str, ...] = ()  # in words, who left and isn't among the events, and why
    suspects: tuple[str, ...] = ()  # labels of metrics that foretell almost everything, the strongest first


@dataclass(frozen=True)
class Gate:
    """What is allowed, and each refusal with its reason and numbers in words."""

    allowed: frozenset[Claim]
    refusals: tuple[str, ...]


PROBABILITIES = frozenset({Claim.BANDS, Claim.PROBABILITY})
WEIGHTS = frozenset({Claim.DIMENSION_WEIGHTS, Claim.LEAF_WEIGHTS})
_NEEDS = (  # events, what they allow, in words
    (RANKING_EVENTS, Claim.RANKING, "how well the score ranks (AUC)"),
    (BAND_EVENTS, Claim.BANDS, "a probability for each band of risk"),
    (PROBABILITY_EVENTS, Claim.PROBABILITY, "a probability for each customer"),
    (PROBABILITY_EVENTS, Claim.DIMENSION_WEIGHTS, "suggested weights of dimensions"),
    (LEAF_EVENTS, Claim.LEAF_WEIGHTS, "suggested weights of metrics"),
)
_Withheld = tuple[frozenset[Claim], str]  # what is withheld, and why


def gate(evidence: Evidence, asked: frozenset[Claim] = frozenset(Claim)) -> Gate:
    """What the evidence bears of what is asked: by the number of departures, less what a further reason forbids.

    A reason is told where it takes something away that the departures would allow.
    """
    enough = frozenset({Claim.COUNTS, *(claim for needed, claim, _ in _NEEDS if evidence.events >= needed)})
    refused = [*_unsound(evidence), *_without_use(evidence)]
    told = [reason for claims, reason in refused if claims & enough & asked]
    withheld = frozenset(claim for claims, _ in refused for claim in claims)
    return Gate((enough - withheld) & asked, (*_few(evidence, asked), *told))


def _few(evidence: Evidence, asked: frozenset[Claim]) -> Iterator[str]:
    missing: dict[int, list[str]] = {}
    for needed, claim, words in _NEEDS:
        if evidence.events < needed and claim in asked:
            missing.setdefault(needed, []).append(words)
    if missing:
        takes = "; ".join(f"for {' and '.join(claims)} it takes {needed}" for needed, claims in missing.items())
        left = f"Customers who left within {evidence.horizon_days} days of a month with a churn risk: {evidence.events}"
        yield f"{left}. {takes[0].upper()}{takes[1:]}."
        yield from evidence.aside


def _unsound(evidence: Evidence) -> Iterator[_Withheld]:
    """Reasons why the figures might not be true."""
    everything = PROBABILITIES | WEIGHTS
    if evidence.stayed < RANKING_EVENTS:
        reason = (
            f"Customers who had a churn risk and stayed: {evidence.stayed}. It takes {RANKING_EVENTS}: those who left "
            "don't tell what staying looks like."
        )
        yield everything, reason
    if evidence.months < PROBABILITY_MONTHS and not evidence.cross_section:
        reason = (
            f"Months with a score whose outcome is known: {evidence.months}. For a probability for each customer it "
            f"takes {PROBABILITY_MONTHS}, so that no season decides."
        )
        yield frozenset({Claim.PROBABILITY}), reason
    if evidence.quarters < 2 and not evidence.cross_section:
        reason = (
            f"All {evidence.events} customers who left did so in one quarter. What was special about it can't be told "
            "from what is usual; it takes departures from two quarters or more."
        )
        yield everything, reason
    left = evidence.events + evidence.unscored
    if evidence.unscored > UNSCORED_SHARE * left:
        reason = (
            f"Of {left} customers who left, {evidence.unscored} ({percent(evidence.unscored / left)}) had no score in "
            f"time. Above {percent(UNSCORED_SHARE)} nobody knows whether the score would have foretold them, and too "
            "few seem to leave. Add their months; or, where they are no customers of these, leave their outcomes out."
        )
        yield everything, reason
    if evidence.auc and evidence.auc.value > LEAK_AUC:
        named = ", ".join(evidence.suspects) or "every metric that changes once a customer has left"
        reason = (
            f"The AUC is {bounded(evidence.auc)}. Above {LEAK_AUC} a metric probably knows the outcome: it may have "
            f"been written, or changed, after the customer left. Look at: {named}."
        )
        yield everything | {Claim.RANKING}, reason


def _without_use(evidence: Evidence) -> Iterator[_Withheld]:
    """Reasons why a probability would be no better than the base rate."""
    if evidence.slope is None:
        yield PROBABILITIES, "No probability can be fitted: in all rows the customer left, or in none."
    elif evidence.slope <= 0:
        slope = f"{evidence.slope:.2f}"
        yield PROBABILITIES, f"Customers at a higher risk didn't leave more often: the fitted slope is {slope}."
    if evidence.auc is None or evidence.auc.lower <= 0.5:
        ranking = "can't be computed" if evidence.auc is None else f"is {bounded(evidence.auc)}"
        reason = f"It isn't shown that the score ranks better than chance: the AUC {ranking}, chance is 0.50."
        yield PROBABILITIES, reason
    if evidence.skill is None or evidence.skill.lower <= 0:
        skill = "can't be computed" if evidence.skill is None else f"is {bounded(evidence.skill, 3)}"
        where = "for customers" if evidence.cross_section else "in months"
        reason = (
            "It isn't shown that a probability for each customer is nearer to the truth than one share for all, "
            f"{where} that it wasn't fitted on: the Brier skill there {skill}, and its lower bound must be above 0."
        )
        yield frozenset({Claim.PROBABILITY}), reason
