"""Where the score and people disagree: its tier against the CSM's pulse, and against what sales expect of the renewal.

Neither the pulse nor the forecast is part of the score. They stand beside it, and only the two ends are compared: green
against red. A score or a pulse in between contradicts nobody, and nor does an account that is Not Rated.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Literal

import polars as pl

from accountpulse.core.records import OPINIONS, Columns
from accountpulse.scoring.columns import HEALTH, OUTLOOK, PULSE, PULSE_ON, PULSE_STATE, RENEWAL, TIER
from accountpulse.scoring.crossings import STAGES
from accountpulse.scoring.explain import plain
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import RED, Scorecard

ScoreWord = Literal["green", "between", "red", "not rated"]
SCORE_WORDS: Final[tuple[ScoreWord, ...]] = ("green", "between", "red", "not rated")
PULSES: Final = ("green", "yellow", "red")
SPEAKING: Final = ("current", "stale")  # the states in which a pulse still says something
DISAGREEMENTS: Columns = {"account_id": pl.String, "kind": pl.String, "said": pl.String, "text": pl.String}
_READ: Columns = {
    "account_id": pl.String, TIER: pl.String, HEALTH: pl.Float64, RENEWAL: pl.Float64, **OPINIONS,
}  # fmt: skip
# the score's word, the other's word
_CONTRADICTIONS: Mapping[str, Mapping[str, str]] = {
    "pulse": {"green": "red", "red": "green"},
    "forecast": {"green": "unlikely", "red": "likely"},
}


def disagreements(scores: pl.DataFrame, card: Scorecard, as_of: date | None = None) -> pl.DataFrame:
    """Every disagreement, sorted by account, that with the pulse before that with the forecast; both are two rows.

    `account_id`, `kind` (`pulse`, `forecast`), `said` (the other's word: `red`, `green`, `unlikely`, `likely`), `text`:
    `score Healthy (82.1), pulse red of 2026-11-03`. `scores` are results of `score` with `days_to_renewal` and the
    columns of pulse and forecast beside them; what has no such column, or a null in it, is in no disagreement. `as_of`:
    the day that a stale pulse's age is counted to; None: it is only called stale.
    """
    found = [
        {"account_id": row["account_id"], "kind": kind, "said": said, "text": f"{score_text(row)}, {text}"}
        for row in with_words(scores, card).iter_rows(named=True)
        for kind, said, text in (
            ("pulse", row["pulse_word"], pulse_text(row, as_of)),
            ("forecast", row["forecast_word"], f"renewal forecast {row[OUTLOOK]}"),
        )
        if contradicts(kind, row["score_word"], said)
    ]
    return pl.DataFrame(found, schema=DISAGREEMENTS)


def contradicts(kind: str, score: str, said: str | None) -> bool:
    """Whether the score's word and the other's are the opposite of each other; None: nothing is said."""
    return said is not None and _CONTRADICTIONS[kind].get(score) == said


def with_words(scores: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """What disagreements are made of, with `score_word`, `pulse_word` and `forecast_word`, sorted by account.

    A word is null where nothing is said: no pulse, or none that still counts; no forecast, or no renewal that is
    overdue or within 180 days.
    """
    columns = [
        (pl.col(name) if name in scores.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in _READ.items()
    ]
    near = pl.col(RENEWAL) <= STAGES[0]
    return (
        scores.select(columns)
        .with_columns(
            score_word(card).alias("score_word"),
            pulse_word().alias("pulse_word"),
            pl.when(near).then(pl.col(OUTLOOK)).alias("forecast_word"),
        )
        .sort("account_id")
    )


def score_word(card: Scorecard) -> pl.Expr:
    """`green` (a green tier), `red` (health below 50; the lowest tier without any), `between` or `not rated`."""
    tier, health = pl.col(TIER).cast(pl.String), pl.col(HEALTH)
    forced = health.is_null() & (tier == card.tier_names[-1])
    return (
        pl.when(tier.is_null() | (tier == NOT_RATED))
        .then(pl.lit("not rated"))
        .when(tier.is_in(list(card.green_tiers)))
        .then(pl.lit("green"))
        .when((health < RED).fill_null(value=False) | forced)
        .then(pl.lit("red"))
        .otherwise(pl.lit("between"))
    )


def pulse_word() -> pl.Expr:
    """The pulse where it still counts, else null: it is void, older than its owner, undated, unclear, or not there."""
    counts = pl.col(PULSE_STATE).cast(pl.String).is_in(list(SPEAKING)).fill_null(value=False)
    return pl.when(counts).then(pl.col(PULSE).cast(pl.String))


def unrated_reds(scores: pl.DataFrame, card: Scorecard, as_of: date | None = None) -> pl.DataFrame:
    """Accounts whose pulse is red and that have no score to compare it with: `account_id`, `text`."""
    rows = with_words(scores, card).filter(score_word="not rated", pulse_word="red")
    found = [
        {"account_id": row["account_id"], "text": f"{pulse_text(row, as_of)}, no score to compare with"}
        for row in rows.iter_rows(named=True)
    ]
    return pl.DataFrame(found, schema={"account_id": pl.String, "text": pl.String})


def pulse_text(row: Mapping[str, Any], as_of: date | None) -> str:
    """`pulse red of 2026-11-03`; of a stale one with its age: `pulse red of 2026-07-27, 97 days old`."""
    day = row[PULSE_ON]
    text = f"pulse {row[PULSE]}" + ("" if day is None else f" of {day}")
    if row[PULSE_STATE] != "stale":
        return text
    return f"{text}, stale" if as_of is None or day is None else f"{text}, {(as_of - day).days} days old"


def score_text(row: Mapping[str, Any]) -> str:
    """`score Healthy (82.1)`; without a health `score Critical`."""
    health = row[HEALTH]
    return f"score {row[TIER]}" if health is None else f"score {row[TIER]} ({plain(health)})"
