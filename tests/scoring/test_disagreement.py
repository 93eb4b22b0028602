"""Where score and people disagree: every combination, its answer written out by hand."""

from datetime import date

import polars as pl
import pytest

from accountpulse.scoring import scorecard
from accountpulse.scoring.disagreement import disagreements, unrated_reds

CARD = scorecard.load(
    """name: small
coverage: {tier_min: 0.5}
groups: {support: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}
tiers: [{name: Champion, min: 85}, {name: Healthy, min: 75}, {name: At Risk, min: 50}, {name: Critical, min: 0}]
""",
    "small.yaml",
)
AS_OF = date(2026, 11, 1)
SCORES = {
    "champion": ("Champion", 91.0),
    "edge of green": ("Healthy", 75.0),
    "edge of red": ("At Risk", 50.0),
    "just red": ("Critical", 49.9),
    "forced": ("Critical", None),
    "kept": ("At Risk", None),
    "unrated": ("Not Rated", None),
}
# score, pulse: they disagree; all other pairs of a score and a pulse do not
PULSE_PAIRS = {
    ("champion", "red"), ("edge of green", "red"), ("just red", "green"), ("forced", "green"),
}  # fmt: skip
FORECAST_PAIRS = {
    ("champion", "unlikely"), ("edge of green", "unlikely"), ("just red", "likely"), ("forced", "likely"),
}  # fmt: skip
STATES = {
    "current": True, "stale": True, "void": False, "restarted": False, "undated": False, "unclear": False, None: False,
}  # fmt: skip
DAYS = {-400.0: True, -1.0: True, 0.0: True, 180.0: True, 181.0: False, None: False}


def row(score: str, **columns: object) -> dict[str, object]:
    tier, health = SCORES[score]
    beside = {
        "pulse_colour": None,
        "pulse_state": None,
        "pulse_on": None,
        "renewal_outlook": None,
        "days_to_renewal": None,
    }
    return {"tier": tier, "health_score": health, **beside, **columns}


def table(rows: list[dict[str, object]]) -> pl.DataFrame:
    made = pl.DataFrame(rows, infer_schema_length=None)
    return made.with_columns(account_id=pl.format("{}", pl.int_range(len(rows)).cast(pl.String).str.zfill(4)))


def disagreeing(rows: list[dict[str, object]]) -> list[tuple[int, str]]:
    found = disagreements(table(rows), CARD, AS_OF)
    return [(int(account), kind) for account, kind in found.select("account_id", "kind").iter_rows()]


def test_every_score_against_every_pulse_in_every_state() -> None:
    cases = [
        (score, pulse, state) for score in SCORES for pulse in ("green", "yellow", "red", None) for state in STATES
    ]
    rows = [row(score, pulse_colour=pulse, pulse_state=state, pulse_on=AS_OF) for score, pulse, state in cases]
    expected = [
        (place, "pulse")
        for place, (score, pulse, state) in enumerate(cases)
        if (score, pulse) in PULSE_PAIRS and STATES[state]
    ]
    assert disagreeing(rows) == expected
    assert len(expected) == 8


def test_every_score_against_every_forecast_at_every_distance_of_the_renewal() -> None:
    cases = [(score, said, days) for score in SCORES for said in ("likely", "open", "unlikely", None) for days in DAYS]
    rows = [row(score, renewal_outlook=said, days_to_renewal=days) for score, said, days in cases]
    expected = [
        (place, "forecast")
        for place, (score, said, days) in enumerate(cases)
        if (score, said) in FORECAST_PAIRS and DAYS[days]
    ]
    assert disagreeing(rows) == expected
    assert len(expected) == 16


@pytest.mark.parametrize(
    ("of", "as_of", "texts"),
    [
        ({"pulse_on": date(2026, 10, 3), "pulse_state": "current"}, AS_OF,
         ["score Champion (91), pulse red of 2026-10-03"]),
        ({"pulse_on": date(2026, 7, 27), "pulse_state": "stale"}, AS_OF,
         ["score Champion (91), pulse red of 2026-07-27, 97 days old"]),
        ({"pulse_on": date(2026, 7, 27), "pulse_state": "stale"}, None,
         ["score Champion (91), pulse red of 2026-07-27, stale"]),
        ({"pulse_state": "current", "renewal_outlook": "unlikely", "days_to_renewal": 30.0}, AS_OF,
         ["score Champion (91), pulse red", "score Champion (91), renewal forecast unlikely"]),
    ],
)  # fmt: skip
def test_both_words_are_said_a_stale_one_with_its_age(
    of: dict[str, object], as_of: date | None, texts: list[str]
) -> None:
    assert disagreements(table([row("champion", pulse_colour="red", **of)]), CARD, as_of)["text"].to_list() == texts


def test_a_red_pulse_without_a_score_is_no_disagreement_and_is_told_apart() -> None:
    rows = table([
        row("unrated", pulse_colour="red", pulse_state="current", pulse_on=date(2026, 10, 3)),
        row("unrated", pulse_colour="red", pulse_state="void", pulse_on=date(2026, 1, 3)),
        row("unrated", pulse_colour="green", pulse_state="current", pulse_on=date(2026, 10, 3)),
    ])  # fmt: skip
    assert disagreements(rows, CARD, AS_OF).is_empty()
    expected = [("0000", "pulse red of 2026-10-03, no score to compare with")]
    assert unrated_reds(rows, CARD, AS_OF).rows() == expected


def test_scores_without_pulses_and_forecasts_disagree_with_nobody() -> None:
    bare = table([row(score) for score in SCORES]).select("account_id", "tier", "health_score")
    assert disagreements(bare, CARD, AS_OF).is_empty()
    assert unrated_reds(bare, CARD, AS_OF).is_empty()
