"""What changed between two runs: by hand, and as a law for any two scorecards and any accounts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.scoring.change import change_between, changes_between
from accountpulse.scoring.columns import effect_of
from accountpulse.scoring.scorecard import load
from accountpulse.scoring.scores import score
from scoring import generate
from scoring.test_laws import LAWS, loaded, scored, table

HEAD = "name: hand\ntiers: [{name: Good, min: 50}, {name: Poor, min: 0}]\n"
THREE = """
groups:
  a:
    weight: 1
    metrics:
      csat_score: {weight: 2, anchors: [[0, 0], [100, 100]]}
      qbr_attendance: {weight: 1, anchors: [[0, 0], [100, 100]]}
      feature_breadth: {weight: %s, anchors: [[0, 0], [100, 100]]}
caps: [{when: {critical_bugs: {gte: 1}}, cap: 40, reason: bug}]
"""


def parts(old_card, new_card, then, now):
    old, new = load(HEAD + THREE % old_card, "a.yaml"), load(HEAD + THREE % new_card, "b.yaml")
    before, after = score(table([then]), old, detail=True).to_dicts(), score(table([now]), new, detail=True).to_dicts()
    return change_between(before[0], score(table([then]), new, detail=True).to_dicts()[0], after[0], new)


def test_the_four_parts_of_a_change_by_hand():
    then = {"csat_score": 90.0, "qbr_attendance": 60.0, "feature_breadth": None, "critical_bugs": 0.0}
    now = {"csat_score": 75.0, "qbr_attendance": 60.0, "feature_breadth": 20.0, "critical_bugs": 1.0}
    made = parts(1, 2, then, now)
    assert made is not None
    # then: (2·90 + 60) / 3 = 80, the same with the new file, since feature breadth is not known
    assert made.scorecard == pytest.approx(0)
    # with feature breadth at 20 and weight 2 of 5, the others at their old points: (180 + 60 + 40) / 5 = 56
    assert made.coverage == pytest.approx(-24)
    assert made.now_known == ("feature_breadth",)
    # CSAT fell by 15 points, at 2 of 5; business reviews stayed
    assert made.metrics == pytest.approx({"csat_score": -6, "qbr_attendance": 0})
    # 50 before caps, 40 after
    assert made.caps == pytest.approx(-10)
    assert made.total == pytest.approx(40 - 80)
    assert made.movers() == ["csat_score"]


def test_another_file_on_the_same_values_is_the_scorecards_effect_alone():
    values = {"csat_score": 90.0, "qbr_attendance": 60.0, "feature_breadth": 20.0, "critical_bugs": 0.0}
    made = parts(1, 2, values, values)
    assert made is not None
    # (180 + 60 + 20) / 4 = 65, then (180 + 60 + 40) / 5 = 56
    assert made.scorecard == pytest.approx(-9)
    assert (made.coverage, made.caps) == (pytest.approx(0), 0)
    assert made.movers() == []


def test_what_is_no_longer_known_is_coverage_not_the_metrics_doing():
    then = {"csat_score": 90.0, "qbr_attendance": 60.0, "feature_breadth": 20.0, "critical_bugs": 0.0}
    made = parts(1, 1, then, {**then, "feature_breadth": None})
    assert made is not None
    assert made.no_longer_known == ("feature_breadth",)
    assert made.coverage == pytest.approx(80 - 65)
    assert made.metrics == pytest.approx({"csat_score": 0, "qbr_attendance": 0})


def test_without_a_health_on_one_side_there_is_no_difference_to_take_apart():
    known = {"csat_score": 90.0, "qbr_attendance": None, "feature_breadth": None, "critical_bugs": None}
    nothing = dict.fromkeys(known)
    assert parts(1, 1, known, nothing) is None
    assert parts(1, 1, nothing, known) is None


@LAWS
@given(
    generate.scorecards(),
    generate.scorecards(),
    st.integers(0, 2**32).map(generate.accounts),
    st.integers(0, 2**32).map(generate.accounts),
)
def test_the_parts_of_a_change_add_up_and_all_accounts_at_once_change_as_each_of_them_alone(old, new, then, now):
    frames = [score(table(rows), loaded(card), detail=True) for card, rows in ((old, then), (new, then), (new, now))]
    together = changes_between(*frames, loaded(new))
    assert together["account_id"].to_list() == frames[2]["account_id"].to_list()
    for past, rescored, current, row in zip(*(frame.to_dicts() for frame in frames), together.to_dicts(), strict=True):
        made = change_between(past, rescored, current, loaded(new))
        effects = {leaf.name: row[effect_of(leaf.name)] for leaf in loaded(new).leaves}
        if past["health_score"] is None or current["health_score"] is None:
            assert made is None
            assert {*effects.values(), *(row[name] for name in ("scorecard", "coverage", "caps", "total"))} == {None}
            continue
        assert made is not None
        assert math.isclose(made.total, current["health_score"] - past["health_score"], abs_tol=1e-9)
        assert not set(made.metrics) & {*made.now_known, *made.no_longer_known}
        assert {name for name, effect in effects.items() if effect is not None} == set(made.metrics)
        for name, effect in made.metrics.items():
            assert math.isclose(effects[name], effect, abs_tol=1e-9)
        for name in ("scorecard", "coverage", "caps", "total"):
            assert math.isclose(row[name], getattr(made, name), abs_tol=1e-9), name


def test_an_account_that_is_new_has_no_change():
    card = load(HEAD + THREE % 1, "a.yaml")
    known = score(table([{"csat_score": 90.0, "qbr_attendance": 60.0, "feature_breadth": 20.0}]), card, detail=True)
    (row,) = changes_between(known.clear(), known.clear(), known, card).to_dicts()
    assert (row["account_id"], row["total"], row["caps"]) == ("A0", None, None)


@LAWS
@given(generate.scorecards(), st.integers(0, 2**32).map(generate.accounts))
def test_what_did_not_change_has_no_effect(card, rows):
    for result in scored(card, rows):
        made = change_between(result, result, result, loaded(card))
        if made is not None:
            assert all(abs(effect) < 1e-9 for effect in (made.scorecard, made.coverage, *made.metrics.values()))
            assert made.caps == 0
            assert made.movers() == []
