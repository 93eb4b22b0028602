"""What one open critical signal does, by the caps of a scorecard. By hand."""

import polars as pl
import pytest

from accountpulse.scoring.scorecard import Scorecard, default, default_text, load
from accountpulse.scoring.signal_cap import signal_cap, signal_tier

BEFORE, _, REST = default_text().partition("caps:")
AFTER = REST[REST.index("\ntiers:") :]


def card(*caps: str, tiers: str = "") -> Scorecard:
    rest = AFTER if not tiers else f"\ntiers:\n{tiers}\n{AFTER[AFTER.index('churn_risk:') :]}"
    return load(f"{BEFORE}caps:\n" + "\n".join(f"  - {each}" for each in caps) + rest, "mine.yaml")


@pytest.mark.parametrize(
    ("caps", "cap"),
    [
        (["{when: {critical_signals: {gte: 1}}, cap: 49, reason: one}"], 49.0),
        (["{when: {critical_signals: {gt: 0}}, cap: 40, reason: one}"], 40.0),
        (["{when: {critical_signals: {gte: 2}}, cap: 35, reason: two}"], 100.0),  # one is not enough
        (["{when: {critical_signals: {gt: 1}}, cap: 35, reason: two}"], 100.0),
        (["{when: {critical_confirmed_signals: {gte: 1}}, cap: 35, reason: sure}"], 100.0),
        (["{when: {critical_signals: {gte: 1}, days_to_renewal: {lte: 90}}, cap: 30, reason: both}"], 100.0),
        (
            [
                "{when: {critical_signals: {gte: 1}}, cap: 60, reason: one}",
                "{when: {critical_signals: {eq: 1}}, cap: 55, reason: just one}",
            ],
            55.0,
        ),
    ],
)
def test_the_cap_is_the_lowest_that_one_open_critical_signal_fulfils_alone(caps: list[str], cap: float) -> None:
    assert signal_cap(card(*caps)) == cap


def test_the_packaged_scorecard_caps_at_49() -> None:
    assert signal_cap(default()) == 49.0


def test_the_tier_is_that_of_the_capped_health_and_the_lowest_where_there_is_no_health() -> None:
    scores = pl.DataFrame({"health_score": [92.0, 49.0, 12.0, None]}, schema={"health_score": pl.Float64})
    assert scores.select(signal_tier(default())).to_series().to_list() == ["Critical"] * 4
    names = "  - {name: Gold, min: 80}\n  - {name: Silver, min: 40}\n  - {name: Bronze, min: 0}"
    mine = card("{when: {critical_signals: {gte: 1}}, cap: 45, reason: one}", tiers=names)
    assert scores.select(signal_tier(mine)).to_series().to_list() == ["Silver", "Silver", "Bronze", "Bronze"]
    without = card("{when: {critical_signals: {gte: 2}}, cap: 45, reason: two}", tiers=names)
    assert scores.select(signal_tier(without)).to_series().to_list() == ["Gold", "Silver", "Bronze", "Bronze"]
