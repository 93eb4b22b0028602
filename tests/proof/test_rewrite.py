"""Other weights in the owner's file: nothing else changes, and what comes out is a scorecard."""

import difflib
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from accountpulse.core.errors import UsageError
from accountpulse.proof.points import owners_weights, tree_weights
from accountpulse.proof.rewrite import rewritten
from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard, load

FILE = """\
# Ours, agreed with the board.
name: "ours"   # quoted on purpose
tiers: [{name: Good, min: 50}, {name: 'Bad', min: 0}]

metrics:
  nps: {label: Net promoter score, unit: points}   # from the survey
  visits: {label: Visits, unit: count}

groups:
  use:
    weight: 60        # most of it
    metrics:
      # how many come back
      mau_trend_pct: {weight: 0.50, anchors: [[-50, 0], [10, 100]]}   # the trend
      visits:
        weight: 0.30
        anchors:
          - [0, 0]
          - [9, 100]   # a visit in nine

      # what they say
      nps: {weight: 0.20, anchors: [[-100, 0], [100, 100]]}
  bugs: {weight: 40, metrics: {open_bugs: {weight: 2, anchors: FALL}, bug_trend: {weight: 1, anchors: FALL}, \
critical_bugs: {weight: 1, anchors: FALL}}}
""".replace("FALL", "[[0, 100], [9, 0]]")


def with_parts(card: Scorecard, **parts: float) -> dict[str, float]:
    """Weights of the tree from each leaf's part of the whole; leaves that aren't named keep their proportions."""
    rest = sum(leaf.share for leaf in card.leaves if leaf.name not in parts)
    left = 1 - sum(parts.values())
    return tree_weights(card, [parts.get(leaf.name, left * leaf.share / (rest or 1)) for leaf in card.leaves])


def parts_of(card: Scorecard) -> dict[str, float]:
    return {leaf.name: leaf.share for leaf in card.leaves}


def changed_lines(before: str, after: str) -> list[str]:
    found = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in found if line.startswith(("+ ", "- "))]


def test_the_owners_weights_leave_every_letter_as_it_is() -> None:
    for text in (FILE, scorecard.default_text(), FILE.replace("\n", "\r\n")):
        card = load(text, "ours.yaml")
        assert rewritten(text, "ours.yaml", card, owners_weights(card), {}).text == text


def test_a_moved_weight_changes_its_number_alone() -> None:
    card = load(FILE, "ours.yaml")
    new = rewritten(FILE, "ours.yaml", card, with_parts(card, mau_trend_pct=0.18, visits=0.30, nps=0.12), {})
    assert changed_lines(FILE, new.text) == [
        "-       mau_trend_pct: {weight: 0.50, anchors: [[-50, 0], [10, 100]]}   # the trend",
        "+       mau_trend_pct: {weight: 0.3, anchors: [[-50, 0], [10, 100]]}   # the trend",
        "-         weight: 0.30",
        "+         weight: 0.5",
    ]
    assert parts_of(new.card) == pytest.approx(
        {"mau_trend_pct": 0.18, "visits": 0.30, "nps": 0.12, "open_bugs": 0.2, "bug_trend": 0.1, "critical_bugs": 0.1}
    )


def test_what_counts_nothing_is_commented_out_with_the_reason() -> None:
    card = load(FILE, "ours.yaml")
    reasons = {"use/visits": "points the wrong way", "bugs/open_bugs": "no evidence", "bugs/critical_bugs": "none"}
    weights = with_parts(card, visits=0.0, open_bugs=0.0, critical_bugs=0.0, bug_trend=0.4)
    for text in (FILE, FILE.replace("\n", "\r\n")):
        new = rewritten(text, "ours.yaml", card, weights, reasons)
        assert new.taken_out == ("use/visits", "bugs/open_bugs", "bugs/critical_bugs")
        assert list(parts_of(new.card)) == ["mau_trend_pct", "nps", "bug_trend"]
        assert new.text.count("\r\n") == (new.text.count("\n") if "\r" in text else 0)
        assert new.text.splitlines()[14:23] == [
            "      # taken out: points the wrong way",
            "      # visits:",
            "      #   weight: 0.30",
            "      #   anchors:",
            "      #     - [0, 0]",
            "      #     - [9, 100]   # a visit in nine",
            "",
            "      # what they say",
            "      nps: {weight: 0.286, anchors: [[-100, 0], [100, 100]]}",
        ]
        assert new.text.splitlines()[23:] == [
            "  # taken out: no evidence: open_bugs: {weight: 2, anchors: [[0, 100], [9, 0]]}",
            "  # taken out: none: critical_bugs: {weight: 1, anchors: [[0, 100], [9, 0]]}",
            "  bugs: {weight: 40, metrics: {bug_trend: {weight: 4, anchors: [[0, 100], [9, 0]]}}}",
        ]


def test_a_whole_group_is_taken_out_with_what_is_in_it() -> None:
    card = load(FILE, "ours.yaml")
    weights = with_parts(card, open_bugs=0.0, bug_trend=0.0, critical_bugs=0.0)
    new = rewritten(FILE, "ours.yaml", card, weights, {"bugs": "no evidence"})
    assert new.taken_out == ("bugs",)
    assert new.card.dimensions == ("use",)
    assert "  # taken out: no evidence\n  # bugs: {weight: 40, metrics:" in new.text
    assert "weight: 100        # most of it" in new.text


def test_what_another_rule_needs_stays_with_the_least_weight() -> None:
    text = FILE + (
        "caps: [{when: {bugs: {lt: 25}}, cap: 59, reason: bugs}]\n"
        "segments: [{name: big, when: {segment: Big}, anchors: {nps: [[0, 0], [50, 100]]}}]\n"
    )
    card = load(text, "ours.yaml")
    weights = with_parts(card, open_bugs=0.0, bug_trend=0.0, critical_bugs=0.0, nps=0.0)
    new = rewritten(text, "ours.yaml", card, weights, {})
    assert new.taken_out == ()
    assert new.kept == {"use/nps": "segments: has anchors for it", "bugs": "a cap names it"}
    assert parts_of(new.card)["nps"] == pytest.approx(0.001, rel=0.01)
    assert parts_of(new.card)["open_bugs"] == pytest.approx(0.0005, rel=0.01)


def test_as_many_dimensions_stay_as_a_tier_needs() -> None:
    text = FILE + "coverage: {tier_min_dimensions: 2}\n"
    card = load(text, "ours.yaml")
    new = rewritten(text, "ours.yaml", card, with_parts(card, open_bugs=0.0, bug_trend=0.0, critical_bugs=0.0), {})
    assert new.kept == {"bugs": "coverage: tier_min_dimensions asks for 2"}
    assert new.card.dimensions == ("use", "bugs")


def test_pillars_of_different_weights_are_written_out() -> None:
    text = FILE + "  value:\n    weight: 20\n    pillars: {each: equal, anchors: [[0, 0], [100, 100]]}   # each alike\n"
    card = load(text, "ours.yaml", ("roi", "reach", "speed"))
    weights = with_parts(card, pillar_roi=0.12, pillar_reach=0.04, pillar_speed=0.0)
    new = rewritten(text, "ours.yaml", card, weights, {"value/pillar_speed": "no evidence"})
    assert new.taken_out == ("value/pillar_speed",)
    assert new.text.endswith(
        "    # pillar_speed is taken out: no evidence\n"
        "    metrics: {pillar_roi: {weight: 2.25, anchors: [[0.0, 0.0], [100.0, 100.0]]}, "
        "pillar_reach: {weight: 0.75, anchors: [[0.0, 0.0], [100.0, 100.0]]}}   # each alike\n"
    )
    assert parts_of(new.card)["pillar_roi"] == pytest.approx(0.12, abs=1e-3)


def test_pillars_that_stay_alike_stay_as_they_are() -> None:
    text = FILE + "  value: {weight: 20, pillars: {anchors: [[0, 0], [100, 100]]}}\n"
    card = load(text, "ours.yaml", ("roi", "reach"))
    new = rewritten(text, "ours.yaml", card, with_parts(card, pillar_roi=0.2, pillar_reach=0.2), {})
    assert "value: {weight: 48, pillars: {anchors: [[0, 0], [100, 100]]}}\n" in new.text


def test_a_place_that_stands_for_several_weights_is_refused_with_its_line() -> None:
    text = FILE.replace("weight: 0.30", "weight: &w 0.30").replace("nps: {weight: 0.20", "nps: {weight: *w")
    card = load(text, "ours.yaml")
    with pytest.raises(UsageError, match=r"line 16: .*write each of them out first"):
        rewritten(text, "ours.yaml", card, with_parts(card, visits=0.05, nps=0.25), {})


def test_a_weight_that_comes_from_another_place_is_refused() -> None:
    text = FILE.replace("visits:\n        weight: 0.30\n", "visits:\n        <<: {weight: 0.30}\n")
    card = load(text, "ours.yaml")
    with pytest.raises(UsageError, match="'weight' of the scorecard comes from another place"):
        rewritten(text, "ours.yaml", card, with_parts(card, visits=0.05), {})


def test_a_file_in_json_is_rewritten_too() -> None:
    text = json.dumps(yaml.safe_load(FILE), indent=1)
    card = load(text, "ours.yaml")
    new = rewritten(text, "ours.yaml", card, with_parts(card, nps=0.0, open_bugs=0.35), {"use/nps": "none"})
    assert list(parts_of(new.card)) == ["mau_trend_pct", "visits", "open_bugs", "bug_trend", "critical_bugs"]
    assert parts_of(new.card)["open_bugs"] == pytest.approx(0.35, abs=1e-3)


@given(st.lists(st.sampled_from([0.0, 0.001, 0.1, 0.5, 1.0, 3.0]), min_size=24, max_size=24))
@settings(max_examples=8, deadline=None)
def test_any_weights_give_a_scorecard_that_has_them(weights: list[float]) -> None:
    text = scorecard.default_text()
    card = load(text, "default.yaml")
    if not sum(weights):
        return
    share = sum(leaf.share for leaf in card.leaves)
    wanted = [share * weight / sum(weights) for weight in weights]
    new = rewritten(text, "default.yaml", card, tree_weights(card, wanted), {})
    got = parts_of(new.card)
    for leaf, weight in zip(card.leaves, wanted, strict=True):
        assert got.get(leaf.name, 0.0) == pytest.approx(weight, abs=0.004), leaf.name
    lost = [line for line in text.splitlines() if "#" in line and line.partition("#")[2] not in new.text]
    assert lost == []
