"""Accounts of each of a scorecard's segments, and values that no account has."""

import polars as pl
import yaml

from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard, default_text
from accountpulse.scoring.segments import segment_counts, unmatched_segments

ACCOUNTS = pl.DataFrame({"segment": ["Enterprise", "Enterprise", "SMB", "Mid-Market", None]})


def card(**segments: object) -> Scorecard:
    content = yaml.safe_load(default_text())
    anchors = {"mau": [[0, 0], [10, 100]]}
    content["segments"] = [
        {"name": n, "when": {"segment": values}, "anchors": anchors} for n, values in segments.items()
    ]
    return scorecard.load(yaml.safe_dump(content), "own.yaml")


def test_each_account_is_counted_in_the_first_segment_that_it_is_in() -> None:
    both = card(large=["Enterprise", "Mid-Market"], market="Mid-Market", small="SMB")
    assert segment_counts(both, ACCOUNTS) == "accounts by segment: large 3, market 0, small 1, none of these 1"
    assert segment_counts(card(), ACCOUNTS) is None
    assert list(unmatched_segments(both, ACCOUNTS)) == []


def test_a_value_that_no_account_has_is_named_with_the_nearest() -> None:
    wrong = card(large=["Enterprize", "Enterprise"], other="Q")
    assert list(unmatched_segments(wrong, ACCOUNTS)) == [
        "scorecard: segment large: no account has the segment 'Enterprize'; did you mean 'Enterprise'?",
        "scorecard: segment other: no account has the segment 'Q'; they have 'Enterprise', 'SMB', 'Mid-Market'",
    ]
    nobody = pl.DataFrame({"segment": [None]}, schema={"segment": pl.String})
    assert next(unmatched_segments(wrong, nobody)).endswith("'Enterprize'; none has a segment at all")
