"""The catalogue of metrics against the packaged scorecard: the two say the same of each."""

import pytest

from accountpulse.core.catalogue import METRICS, own_metric, pillar_metric
from accountpulse.report.catalogue import direction
from accountpulse.scoring.scorecard import Leaf, default

LEAVES = [leaf for leaf in default().leaves if leaf.name in METRICS]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.name)
def test_the_packaged_scorecard_finds_good_what_the_catalogue_calls_better(leaf: Leaf) -> None:
    assert direction(leaf.rule.anchors) == f"{METRICS[leaf.name].better} is better"
    if leaf.rule.substitute:
        assert direction(leaf.rule.substitute.anchors) == f"{METRICS[leaf.rule.substitute.metric].better} is better"


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.name)
def test_a_metric_needs_the_totals_that_the_packaged_scorecard_asks_for(leaf: Leaf) -> None:
    assert tuple(leaf.rule.enough) == METRICS[leaf.name].needs


def test_only_the_window_of_support_and_bugs_is_a_setting() -> None:
    assert METRICS["reopened_bugs"].window_text(30.0, "2026-10-31") == "the 30 days up to 2026-10-31"
    assert METRICS["open_bugs"].window_text(30.0, "2026-10-31") == "as it stood on the last day"
    assert pillar_metric("insight").window_text(30.0, "2026-10-31") == "the month"
    assert own_metric("nps", "net promoter score", "points").window_text(30.0, "2026-10-31") == "as it was given"
