"""The names of the columns of metrics and scores: what scoring reads, what it makes, and what stands beside a result.

Points, scores and bounds lie between 0 and 100, shares of weight between 0 and 1; null: not known.
"""

from collections.abc import Mapping
from typing import Any

from accountpulse.core.records import ACCOUNTS, OPINIONS

ScoreRow = Mapping[str, Any]  # one account: its scores by column, where needed with its metrics, reasons and attributes

# --- read ------------------------------------------------------------------------------------------------------

ATTRIBUTES = tuple(ACCOUNTS)  # of an account: name, segment, seats, ARR, …
AS_OF = "as_of"  # the day after the last one that was measured, in tables with several months an account
RENEWAL = "days_to_renewal"
SCORE_WORD = "score_word"  # of a month as it was then: `green`, `red`, `between`, `not rated`
# beside a score, and no part of it (OPINIONS)
PULSE, PULSE_STATE, PULSE_ON, OUTLOOK = "pulse_colour", "pulse_state", "pulse_on", "renewal_outlook"
CRITICAL = "critical_signals"
BEFORE_3M = "health_before_caps_3m"  # health before caps three months before
LAST_TIER = "last_tier"  # the last one that the account had, for runs in which a source failed or sight was lost
HEALTH_BEFORE = "health_score_before"  # health in the run before, for next steps
# of the run that measured a row, where its settings are not what a table is else taken to be made with
SCALE = "scale_to_90_days"  # what counts over the window are multiplied by; else 1
WAIVED = "rated_without_signals"  # 1: nobody can see its churn signals, and it is rated all the same; else 0
LOST_SIGHT = "lost_sight"  # metrics that were known and can't be seen any more, with commas between; null: none

# --- made ------------------------------------------------------------------------------------------------------

HEALTH = "health_score"
BEFORE_CAPS = "health_before_caps"
RISK = "churn_risk_score"
RISK_Z = "risk_z"  # the exponent that the risk is made of, before floors; null: Not Rated
PROBABILITY = "churn_probability"  # percent; with its bounds only where a calibration says so
PROBABILITY_LOWER = "churn_probability_lower"
PROBABILITY_UPPER = "churn_probability_upper"
PROBABILITIES = (PROBABILITY, PROBABILITY_LOWER, PROBABILITY_UPPER)
TIER = "tier"
COVERAGE = "coverage"  # percent of the weight that is known
LOWER_BOUND = "lower_bound"
UPPER_BOUND = "upper_bound"
CAP_REASON = "cap_reason"
NOT_RATED_REASON = "not_rated_reason"
DRIVERS = "drivers"  # names of metrics, the most costly first
DRIVERS_TEXT = "drivers_text"  # the sentences of `explain`
SCORECARD = "scorecard"  # its name and hash

# How reasons in CAP_REASON begin that are no caps: what could not be read, or can't be seen any more, keeps the tier.
SOURCE_FAILED, SIGHT_LOST = "source_failed: ", "lost_sight: "
OUTAGES = (SOURCE_FAILED, SIGHT_LOST)

# names that a metric or a dimension can't have
RESERVED = (
    HEALTH, BEFORE_CAPS, RISK, TIER, COVERAGE, LOWER_BOUND, UPPER_BOUND, CAP_REASON, NOT_RATED_REASON, DRIVERS,
    LAST_TIER, LOST_SIGHT, BEFORE_3M, DRIVERS_TEXT, SCORECARD, RISK_Z, AS_OF, SCALE, WAIVED,
    *PROBABILITIES, *OPINIONS,
)  # fmt: skip
_REASON = "_reason"


def reason_of(metric: str) -> str:
    """Why a metric has no value, as a code."""
    return f"{metric}{_REASON}"


def is_reason(column: str) -> bool:
    """Whether a column holds reasons."""
    return column.endswith(_REASON)


def points_of(metric: str) -> str:
    """A metric's points; null: not known."""
    return f"{metric}_points"


def contribution_of(metric: str) -> str:
    """What a metric adds to health before caps, in points; 0 where it is not known."""
    return f"{metric}_contribution"


def lost_of(metric: str) -> str:
    """What a metric costs, in points of health before caps; 0 where it is not known."""
    return f"{metric}_lost"


def score_of(dimension: str) -> str:
    """A dimension's score; null where too little of its weight is known."""
    return f"{dimension}_score"


def lower_bound_of(dimension: str) -> str:
    """A dimension's lowest possible score, whatever is not known."""
    return f"{dimension}_lower_bound"


def upper_bound_of(dimension: str) -> str:
    """A dimension's highest possible score, whatever is not known."""
    return f"{dimension}_upper_bound"


def effect_of(metric: str) -> str:
    """A metric's part of a change of health, in points; null where it is not known in both runs."""
    return f"effect:{metric}"
