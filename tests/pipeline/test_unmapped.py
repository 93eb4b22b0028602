"""What of the scorecard nothing feeds, and how many accounts have no rating because of it."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl
import pytest
import yaml

from accountpulse.core.secret import Secret
from accountpulse.pipeline.unmapped import UnfedPart, unfed_note, unfed_parts
from accountpulse.scoring import scorecard
from accountpulse.settings import AccountpulseYaml, Settings
from accountpulse.systems.looker.settings import LookerAccess

CARD = scorecard.load(
    yaml.safe_dump(
        {
            "name": "small",
            "metrics": {"nps": {"label": "net promoter score", "unit": "points"}},
            "coverage": {"dimension_min": 0.5, "tier_min": 0.6},
            "tiers": [{"name": "A", "min": 0}],
            "groups": {
                "use": {
                    "weight": 0.5,
                    "metrics": {
                        "mau": {"weight": 3, "anchors": [[0, 0], [10, 100]]},
                        "feature_breadth": {"weight": 1, "anchors": [[0, 0], [10, 100]]},
                    },
                },
                "platform_value": {"weight": 0.3, "pillars": {"anchors": [[0, 0], [100, 100]]}},
                "voice": {"weight": 0.2, "metrics": {"nps": {"weight": 1, "anchors": [[0, 0], [10, 100]]}}},
            },
        },
        sort_keys=False,
    ),
    "small.yaml",
)
LOOKER = LookerAccess("https://looker.example.com", Secret("client-id-1"), Secret("client-secret-1"))
ALONE, WITH_LOOKER = Settings(AccountpulseYaml(), {}), Settings(AccountpulseYaml(), {"looker": LOOKER})


def accounts(count: int, unknown: Mapping[str, str], unlinked: int = 0) -> pl.DataFrame:
    """So many accounts of which all is known but what is named with its reason; the last ones are not linked."""
    columns = {"account_id": [f"A{number}" for number in range(count)]}
    frame = pl.DataFrame(columns).with_columns(segment=pl.lit(None, pl.String), seats=pl.lit(1.0), arr=pl.lit(1.0))
    for name in CARD.catalogue:
        why = unknown.get(name)
        last = pl.int_range(pl.len()) >= count - unlinked
        reason = pl.when(last).then(pl.lit("not_linked")).otherwise(pl.lit(None, pl.String))
        reason = reason if why is None else pl.lit(why)
        frame = frame.with_columns(reason.alias(f"{name}_reason"))
        known = pl.col(f"{name}_reason").is_null()
        frame = frame.with_columns(pl.when(known).then(pl.lit(5.0)).alias(name))
    return frame


def test_dimensions_as_a_whole_and_single_metrics_of_others_are_named_with_their_weight() -> None:
    """`use` weighs 0.5, of which features in use are a quarter."""
    measured = accounts(4, {"feature_breadth": "not_configured", "nps": "not_configured"})
    assert unfed_parts(measured, CARD) == (
        UnfedPart("features in use", 0.125, ("feature_breadth",)),
        UnfedPart("platform_value", 0.3),
        UnfedPart("voice", 0.2, ("nps",)),
    )


def test_the_accounts_are_counted_that_are_not_rated_because_of_it() -> None:
    """Without pillars and the own metric half of the weight is known, of the 60 % that a rating needs.

    Two more accounts are linked nowhere: they would have no rating with everything mapped, either.
    """
    note = unfed_note(accounts(6, {"nps": "not_configured"}, unlinked=2), CARD, WITH_LOOKER)
    assert note == (
        "platform_value (30 % of the weight) and voice (20 % of the weight) have no mapping: 4 of 6 accounts are "
        "Not Rated because of it. To do: map `looker.platform.pillars`, say under `metrics:` where nps comes from; or "
        "leave out of the scorecard what you don't have."
    )


def test_one_part_that_costs_no_rating_is_named_all_the_same_and_who_could_feed_it() -> None:
    note = unfed_note(accounts(3, {}), CARD, ALONE, ahead=True)
    assert note == (
        "platform_value (30 % of the weight) has no mapping: that alone leaves no account Not Rated. "
        "To do: set up Looker; or leave out of the scorecard what you don't have."
    )


@pytest.mark.parametrize("reason", ["not_linked", "no_evidence", "source_failed", "field_missing", "not_expected"])
def test_what_is_mapped_and_not_known_is_no_missing_mapping(reason: str) -> None:
    card = scorecard.with_pillars(CARD, ("reach",))
    measured = accounts(3, {"nps": reason}).with_columns(pillar_reach=pl.lit(5.0), pillar_reach_reason=pl.lit(None))
    assert unfed_note(measured, card, WITH_LOOKER) is None
    assert unfed_note(measured.clear(), replace(card), WITH_LOOKER) is None
