"""The catalogue of metrics against the packaged scorecard: the two say the same of each."""

import pytest

from accountpulse.core.catalogue import METRICS, catalogue, own_metric, pillar_metric
from accountpulse.core.records import TABLES
from accountpulse.report.catalogue import direction
from accountpulse.scoring.scorecard import Leaf, default
from accountpulse.systems import SYSTEMS

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
    trend = METRICS["mau_trend_pct"].window_text(30.0, "2026-11-22", snapshot=True)
    assert trend == "the 28 days up to 2026-11-22 against the mean of the three times 28 days before"
    assert METRICS["open_bugs"].window_text(30.0, "2026-11-22", snapshot=True) == "as it stood on the last day"


def test_every_metric_is_measured_from_tables_of_its_own_domain() -> None:
    """A source that fills none of a metric's tables says nothing of it."""
    domains = {name: system.domains for system in SYSTEMS.values() for name in system.tables}
    for metric in catalogue(["reach"], [own_metric("nps", "NPS", "points")]).values():
        assert metric.tables, metric.name
        assert all(name in TABLES and metric.domain in domains[name] for name in metric.tables), metric.name
