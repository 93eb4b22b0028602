"""A tree of a company's own: retention 0.6 over four dimensions, beside platform value 0.4."""

import polars as pl
import pytest
import yaml

from accountpulse.scoring.scorecard import Scorecard, default_text, load
from accountpulse.scoring.scores import score
from scoring.test_score import GREEN, PILLARS

UNDER_RETENTION = ("adoption", "support", "financial", "relationship")  # weights 0.30, 0.15, 0.15, 0.10


@pytest.fixture(scope="module")
def card() -> Scorecard:
    plain = yaml.safe_load(default_text())
    groups = plain["groups"]
    plain["groups"] = {
        "retention": {"weight": 0.6, "groups": {name: groups[name] for name in UNDER_RETENTION}},
        "platform_value": {**groups["platform_value"], "weight": 0.4},
    }
    plain["segments"] = [{"name": "paid", "when": {"segment": "Paid"}, "anchors": {"csat_score": [[60, 0], [95, 75]]}}]
    return load(yaml.safe_dump(plain, sort_keys=False), "nested.yaml", PILLARS)


def results(card: Scorecard, *changes: dict) -> list[dict]:
    rows = [{"account_id": str(number), **GREEN, **change} for number, change in enumerate(changes)]
    return score(pl.DataFrame(rows, infer_schema_length=None, strict=False), card, detail=True).to_dicts()


def test_only_groups_with_metrics_are_dimensions_and_weights_multiply_downwards(card: Scorecard) -> None:
    assert card.dimensions == (*UNDER_RETENTION, "platform_value")
    shares = {leaf.key: leaf.share for leaf in card.leaves}
    assert sum(shares.values()) == pytest.approx(1)
    # 0.6 · 0.30/0.70 · 0.40, and each of two pillars half of 0.4
    assert shares["retention/adoption/mau"] == pytest.approx(0.6 * 0.3 / 0.7 * 0.4)
    assert shares["platform_value/pillar_ops"] == pytest.approx(0.2)
    green, _ = results(card, {}, {"pillar_ops": 80.0})
    assert [green[f"{name}_score"] for name in card.dimensions] == [75.0] * 5
    assert (green["health_score"], green["coverage"], green["tier"]) == (75.0, 100.0, "Healthy")
    assert "retention_score" not in green


def test_a_dimension_deep_in_the_tree_moves_caps_and_is_missed_as_one_at_the_top(card: Scorecard) -> None:
    silent = {"mau": 0.0, "dau": 0.0, "feature_breadth": 0.0, "login_frequency": 0.0}
    worst, without_value, without_both = results(
        card, silent, {"pillar_ops": None, "pillar_auto": None}, {"pillar_ops": None, "csat_score": None}
    )
    # retention: (0.15 + 0.15 + 0.10) · 75 / 0.70 = 42.857…; 0.6 of it and 0.4 of 75
    assert worst["adoption_score"] == 0
    assert worst["health_before_caps"] == pytest.approx(0.6 * 75 * 0.4 / 0.7 + 0.4 * 75)
    assert worst["cap_reason"] == "adoption below 25; a dimension below 25"
    assert worst["health_score"] == pytest.approx(0.6 * 75 * 0.4 / 0.7 + 0.4 * 75)  # 55.7, under the cap of 59
    # retention alone is exactly the 60 % that a tier needs
    assert (without_value["coverage"], without_value["tier"]) == (60.0, "Healthy")
    assert without_value["upper_bound"] == pytest.approx(0.6 * 75 + 0.4 * 100)
    # half of the pillars is enough for the dimension, and CSAT is 0.2 of support
    assert without_both["platform_value_score"] == 75.0
    assert without_both["coverage"] == pytest.approx(100 * (0.4 * 0.5 + 0.6 * (1 - 0.15 / 0.7 * 0.2)))


def test_a_segments_anchors_reach_into_the_tree_and_contributions_still_add_up(card: Scorecard) -> None:
    paid, other = results(card, {"segment": "Paid", "csat_score": 85.0}, {"segment": "Free", "csat_score": 85.0})
    # 25 of the 35 from 60 to 95: 75 · 25/35 points instead of 75
    assert (paid["csat_score_points"], other["csat_score_points"]) == (pytest.approx(75 * 25 / 35), 75.0)
    lost = 0.6 * 0.15 / 0.7 * 0.2 * (75 - 75 * 25 / 35)
    assert paid["health_score"] == pytest.approx(75 - lost)
    for result in (paid, other):
        gained = sum(value for name, value in result.items() if name.endswith("_contribution"))
        assert gained == pytest.approx(result["health_before_caps"], abs=1e-9)
