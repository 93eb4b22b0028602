"""The JSON Schema that editors get: equal to the model, and as strict as a schema can be."""

import json

import pytest
import yaml
from hypothesis import given
from jsonschema import Draft202012Validator

from accountpulse.scoring.schema import generated, shipped
from accountpulse.scoring.scorecard import default_text
from scoring import generate
from scoring.test_laws import LAWS

SCHEMA = Draft202012Validator(json.loads(shipped()))
SMALL = """name: small
groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}
tiers: [{name: All, min: 0}]
"""


def test_the_shipped_schema_is_the_models() -> None:
    Draft202012Validator.check_schema(json.loads(shipped()))
    assert shipped() == generated()


def test_the_packaged_scorecard_fits_its_schema() -> None:
    assert list(SCHEMA.iter_errors(yaml.safe_load(default_text()))) == []
    assert SCHEMA.is_valid(yaml.safe_load(SMALL))


@LAWS
@given(generate.scorecards())
def test_whatever_loads_fits_the_schema(card) -> None:
    assert list(SCHEMA.iter_errors(card)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: small", "nmae: small"),
        ("name: small\n", ""),
        ("weight: 1, metrics", "weight: 0, metrics"),
        ("weight: 1, metrics", "weight: 1, pillars: {anchors: [[0, 0], [1, 1]]}, metrics"),
        ("metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}", "note: x"),
        ("[[0, 0], [100, 100]]", "[[0, 0]]"),
        ("[[0, 0], [100, 100]]", "[[0, 0], [100, 101]]"),
        ("[[0, 0], [100, 100]]", "[[0, 0, 1], [100, 100]]"),
        ("[[0, 0], [100, 100]]", "[[0, a], [100, 100]]"),
        ("anchors:", "per: heads, anchors:"),
        ("min: 0", "min: -1"),
        ("tiers:", "coverage: {tier_min: 60}\ntiers:"),
        ("tiers:", "caps: [{when: {}, cap: 1, reason: x}]\ntiers:"),
        ("tiers:", "metrics: {nps: {label: NPS, unit: 'a; b'}}\ntiers:"),
    ],
)
def test_what_an_editor_can_see_it_is_told(old: str, new: str) -> None:
    assert old in SMALL
    assert not SCHEMA.is_valid(yaml.safe_load(SMALL.replace(old, new)))
