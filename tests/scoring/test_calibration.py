"""A probability from the risk's exponent: by hand and by scipy, its laws, its document, and when it doesn't count."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from accountpulse.core.errors import ConfigurationError
from accountpulse.scoring.calibration import Band, Calibration, from_document, why_unused, with_probability
from accountpulse.scoring.columns import PROBABILITIES
from accountpulse.scoring.scorecard import default, load
from accountpulse.scoring.scores import score
from calibrations import FITTED

CARD = default()
BANDS = (Band("low", 0, 1.5, 4.0), Band("medium", 10, 5.0, 12.5), Band("high", 30, 20.0, 41.0))
BY_BAND = replace(FITTED, kind="band", bands=BANDS, events=31)
LAWS = settings(max_examples=15, deadline=None, derandomize=True)
EXPONENTS = st.floats(-60, 60)


def said(calibration: Calibration, z: list[float | None], risk: list[float | None] | None = None) -> pl.DataFrame:
    kinds = {"risk_z": pl.Float64, "churn_risk_score": pl.Float64}
    frame = pl.DataFrame({"risk_z": z, "churn_risk_score": risk or [None] * len(z)}, schema=kinds)
    columns = ("churn_probability", "churn_probability_lower", "churn_probability_upper")
    return with_probability(frame, calibration).select(columns)


def test_the_probability_is_platts_and_its_bounds_are_those_of_the_logit() -> None:
    # z = 0: logit −0.5, standard error √0.04 = 0.2; z = 2: logit 1.1, √(0.04 + 2·2·0.01 + 4·0.02) = 0.4
    of_none, of_two = said(FITTED, [0.0, 2.0]).rows()
    reach = norm.ppf(0.975)
    assert of_none == pytest.approx([100 * expit(x) for x in (-0.5, -0.5 - 0.2 * reach, -0.5 + 0.2 * reach)])
    assert of_two == pytest.approx([100 * expit(x) for x in (1.1, 1.1 - 0.4 * reach, 1.1 + 0.4 * reach)])
    wider = said(replace(FITTED, level=0.99), [0.0])["churn_probability_upper"][0]
    assert wider == pytest.approx(100 * expit(-0.5 + 0.2 * norm.ppf(0.995)))


def test_who_is_not_rated_has_no_probability() -> None:
    nothing = (None, None, None)
    assert said(FITTED, [None, 0.0]).rows()[0] == nothing
    assert said(BY_BAND, [None], [50.0]).rows() == [nothing]  # a critical signal alone gives a risk and no exponent
    assert said(FITTED, []).height == 0


def test_where_few_left_the_bounds_are_those_of_the_band_of_risk_and_there_is_no_value() -> None:
    assert said(BY_BAND, [-3.0] * 5, [0.0, 9.999, 10.0, 30.0, 100.0]).rows() == [
        (None, 1.5, 4.0), (None, 1.5, 4.0), (None, 5.0, 12.5), (None, 20.0, 41.0), (None, 20.0, 41.0),
    ]  # fmt: skip
    backwards = replace(BY_BAND, bands=BANDS[::-1])
    assert said(backwards, [-3.0], [12.0]).rows() == [(None, 5.0, 12.5)]


@LAWS
@given(st.lists(EXPONENTS, min_size=2, max_size=20), st.floats(-5, 5), st.floats(0, 3), st.floats(-1, 1))
def test_the_probability_rises_with_the_exponent_and_its_bounds_hold_it(z, intercept, slope, tilt) -> None:
    covariance = (0.3, tilt * math.sqrt(0.3 * 0.05), 0.05)
    fitted = replace(FITTED, intercept=intercept, slope=slope, covariance=covariance)
    made = said(fitted, sorted(z))
    value, lower, upper = (made[column].to_list() for column in made.columns)
    assert all(0 <= low <= middle <= high <= 100 for low, middle, high in zip(lower, value, upper, strict=True))
    assert value == sorted(value)


def test_a_covariance_of_nothing_and_one_that_rounding_left_below_nothing_give_bounds_that_meet() -> None:
    for covariance in ((0.0, 0.0, 0.0), (0.01, 0.01 * (1 + 1e-12), 0.01)):
        value, lower, upper = said(replace(FITTED, covariance=covariance), [-1.0]).row(0)
        assert (lower, upper) == (pytest.approx(value), pytest.approx(value))


def test_exponents_beyond_all_sense_stay_between_0_and_100() -> None:
    steep = replace(FITTED, slope=1e4, covariance=(1.0, 0.0, 1e6))
    for row in said(steep, [-1e5, 1e5]).rows():
        assert all(math.isfinite(each) and 0 <= each <= 100 for each in row)


def test_it_is_added_to_the_scores_of_accounts() -> None:
    card = load(
        "name: one\ncoverage: {}\ntiers: [{name: All, min: 0}]\n"
        "groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}\n",
        "one.yaml",
    )
    scores = score(pl.LazyFrame({"account_id": ["A", "B"], "csat_score": [80.0, None]}), card)
    made = with_probability(scores, FITTED).collect()
    # health 80: z = −2.2 + 0.052·(50 − 80) = −3.76; logit −0.5 + 0.8·−3.76 = −3.508
    assert made["churn_probability"].to_list() == [pytest.approx(100 * expit(-3.508)), None]
    assert made.columns[:-3] == scores.collect_schema().names()


# --- the document ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calibration", [FITTED, BY_BAND])
def test_a_calibration_comes_back_from_its_document_as_it_was(calibration: Calibration) -> None:
    odd = replace(
        calibration, intercept=-1 / 3, slope=1e-7, covariance=(5e-324, -1e-9, 1e22), outcome="Kündigung: ja # 1"
    )
    for each in (calibration, odd):
        assert from_document(each.to_document()) == each


def test_the_numbers_of_a_fit_may_be_numpys() -> None:
    fitted = replace(FITTED, slope=np.float64(0.8), covariance=tuple(np.array(FITTED.covariance)), events=np.int64(61))
    assert fitted.to_document() == FITTED.to_document()


def test_comments_and_the_order_of_keys_do_not_matter_and_a_changed_number_does() -> None:
    text = FITTED.to_document()
    lines = [line for line in text.splitlines() if line.startswith(("intercept:", "slope:"))]
    moved = text.replace(f"{lines[0]}\n{lines[1]}\n", f"{lines[1]}\n# fitted by Ada\n{lines[0]}\n")
    assert moved != text
    assert from_document(moved) == FITTED
    with pytest.raises(ConfigurationError, match="changed after it was written"):
        from_document(text.replace("slope: 0.8", "slope: 0.9"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("slope: 0.8", "slope: -0.8", "line 5, slope: must be at least 0"),
        ("slope: 0.8", "slope: .nan", "slope: must be a finite number"),
        ("slope: 0.8\n", "", "slope: is missing"),
        ("slope: 0.8", "sloop: 0.8", "sloop: not a known key; did you mean 'slope'?"),
        ("kind: account", "kind: band", "kind is band, but no band is given"),
        ("level: 0.95", "level: 95", "level: must be less than 1"),
        ("version: 1", "version: 2", "version: must be 1"),
        ("expires_on: 2026-02-01", "expires_on: soon", "expires_on: must be a day such as 2026-10-31"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_with_its_line(old: str, new: str, told: str) -> None:
    text = FITTED.to_document()
    assert old in text
    with pytest.raises(ConfigurationError) as caught:
        from_document(text.replace(old, new, 1), "mine.yaml")
    assert told in str(caught.value)
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "just words", "a: [1", "\x00"])
def test_what_is_no_calibration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        from_document(text)


# --- when it counts ----------------------------------------------------------------------------------------------


def test_it_counts_for_its_scorecard_and_horizon_until_the_day_before_it_expires() -> None:
    assert why_unused(FITTED, CARD, FITTED.expires_on - timedelta(days=1)) is None
    assert why_unused(FITTED, CARD, date(2020, 1, 1)) is None
    assert why_unused(FITTED, CARD, FITTED.expires_on) == (
        "it expired on 2026-02-01, and these scores are as of 2026-02-01: run `accountpulse calibrate` again"
    )


def test_it_does_not_count_for_another_scorecard() -> None:
    other = replace(FITTED, scorecard_hash="0123456789ab")
    assert why_unused(other, CARD, date(2025, 6, 1)) == (
        f"it was fitted on another scorecard (0123456789ab), and this one is default {CARD.hash}: "
        "run `accountpulse calibrate` again"
    )


def test_it_does_not_count_for_another_horizon() -> None:
    shorter = replace(FITTED, horizon_days=90)
    assert why_unused(shorter, CARD, date(2025, 6, 1)) == (
        "it was fitted for 90 days, and the scorecard's horizon_days is 180: run `accountpulse calibrate` again"
    )


def test_of_many_months_those_after_its_expiry_have_no_probability() -> None:
    days = [FITTED.expires_on + timedelta(days=days) for days in (-400, -1, 0, 30)]
    scores = pl.DataFrame({"account_id": ["a"] * 4, "as_of": days, "risk_z": [0.5] * 4, "churn_risk_score": [62.0] * 4})
    for frame in (scores, scores.lazy()):
        found = with_probability(frame, FITTED).lazy().collect().select(PROBABILITIES)
        assert [all(value is None for value in row) for row in found.iter_rows()] == [False, False, True, True]
        assert not any(value is None for row in found.head(2).iter_rows() for value in row)
