"""What is not known of single accounts: null for them, with the worst reason; the others keep their numbers."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from accountpulse.core.period import parse_period, scope_of
from accountpulse.core.records import REASONS, Rules, frame, unknowns
from accountpulse.metrics import measure
from accountpulse.metrics.reasons import first_reason, outer_reason, unknowns_by_account, why_column
from accountpulse.systems import SOURCES

SCOPE = scope_of(parse_period("2026-10"), datetime(2026, 11, 27, tzinfo=UTC))
A, B = "0010000000000A1AAA", "0010000000000B1AAA"


def of(**why: str | None) -> pl.DataFrame:
    """The metrics of A and B; `why`: what a source says of both."""
    accounts = frame("accounts", [{"account_id": A}, {"account_id": B}])
    said: Any = {"account_id": [A, B]} | {s.name: pl.Series([why.get(s.name)] * 2, dtype=pl.String) for s in SOURCES}
    found = unknowns([A], ["open_bugs", "mau"], "not_attributable").rename({"key": "account_id"})
    found = pl.concat([found, unknowns([A], ["open_bugs"], "not_visible").rename({"key": "account_id"})])
    reasons = pl.DataFrame(said)
    return measure(accounts, {}, reasons, {}, unknowns=found, sources=SOURCES, scope=SCOPE, rules=Rules())


def test_one_account_is_unknown_and_the_other_keeps_its_zero() -> None:
    assert of().select("account_id", "open_bugs", "open_bugs_reason").rows() == [
        (A, None, "not_visible"),
        (B, 0.0, None),
    ]


def test_the_metrics_own_reason_gives_way_to_a_worse_one() -> None:
    assert of().select("mau", "mau_reason").row(0) == (None, "not_attributable")


def test_a_source_that_failed_is_worse_still() -> None:
    assert of(jira="source_failed").get_column("open_bugs_reason").to_list() == ["source_failed"] * 2


@pytest.mark.parametrize(("worse", "better"), list(pairwise(REASONS)))
def test_the_first_reason_of_the_list_is_given(worse: str, better: str) -> None:
    both = pl.DataFrame({"one": [better], "other": [worse], "none": pl.Series([None], dtype=pl.String)})
    assert both.select(first_reason(pl.col("none"), pl.col("one"), pl.col("other"))).item() == worse
    rows = pl.DataFrame({"account_id": [A, A], "metric": ["mau"] * 2, "reason": [better, worse]})
    assert unknowns_by_account(rows).row(0) == (A, worse)


def test_what_a_source_says_of_an_account_and_of_a_metric_is_ordered_too() -> None:
    said = pl.DataFrame({why_column("jira"): ["not_linked", "source_failed", None]})
    reason = outer_reason("open_bugs", ["jira"], {"jira": {"open_bugs": "no_evidence"}})
    assert said.select(reason.alias("reason")).to_series().to_list() == ["not_linked", "source_failed", "no_evidence"]
