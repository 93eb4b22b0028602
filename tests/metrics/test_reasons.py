"""Why a metric is unknown where two systems feed it: every combination, with what it comes to written out by hand.

A system that failed, or can't see the metric, leaves it unknown for the accounts that are linked in it, and for nobody
else; where an account is linked in none, the worst reason is given: failed, not visible, not linked. What a system was
not asked for is known from the other.
"""

from itertools import product
from typing import Any

import polars as pl
import pytest

from accountpulse.metrics.reasons import outer_reason, why_column

METRIC = "p1_p2_pct"

# what one of the systems says: of the account (null: it is linked, and its rows decide), and of the metric
ROWS: tuple[str | None, str | None] = (None, None)
NOT_LINKED = ("not_linked", None)
FAILED = ("source_failed", None)  # the account is linked there, or may be
NOT_THERE = ("not_configured", None)  # nobody configured the system
NOT_VISIBLE = (None, "field_missing")  # linked, but the metric can't be seen in it
NOT_ASKED = (None, "not_configured")  # linked, but no rule says what the metric means in it
STATES = (ROWS, NOT_LINKED, FAILED, NOT_THERE, NOT_VISIBLE, NOT_ASKED)

# the reason of both together; null: the rows decide
TOGETHER = {
    (ROWS, ROWS): None,
    (ROWS, NOT_LINKED): None,
    (ROWS, FAILED): "source_failed",  # a part of the rows would pass for all of them
    (ROWS, NOT_THERE): None,
    (ROWS, NOT_VISIBLE): "field_missing",
    (ROWS, NOT_ASKED): None,
    (NOT_LINKED, NOT_LINKED): "not_linked",
    (NOT_LINKED, FAILED): "source_failed",
    (NOT_LINKED, NOT_THERE): "not_linked",
    (NOT_LINKED, NOT_VISIBLE): "field_missing",
    (NOT_LINKED, NOT_ASKED): "not_configured",
    (FAILED, FAILED): "source_failed",
    (FAILED, NOT_THERE): "source_failed",
    (FAILED, NOT_VISIBLE): "source_failed",
    (FAILED, NOT_ASKED): "source_failed",
    (NOT_THERE, NOT_THERE): "not_configured",
    (NOT_THERE, NOT_VISIBLE): "field_missing",
    (NOT_THERE, NOT_ASKED): "not_configured",
    (NOT_VISIBLE, NOT_VISIBLE): "field_missing",
    (NOT_VISIBLE, NOT_ASKED): "field_missing",
    (NOT_ASKED, NOT_ASKED): "not_configured",
}


def reason_of(**said: tuple[str | None, str | None]) -> Any:
    columns = {why_column(source): pl.Series([of_account], dtype=pl.String) for source, (of_account, _) in said.items()}
    gaps: Any = {source: {METRIC: gap} for source, (_, gap) in said.items() if gap is not None}
    return pl.DataFrame(columns).select(outer_reason(METRIC, list(said), gaps)).item()


def test_every_combination_of_two_is_written_out() -> None:
    assert all((one, other) in TOGETHER or (other, one) in TOGETHER for one, other in product(STATES, STATES))
    assert len(TOGETHER) == 21


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_two_systems_come_to_one_reason_in_either_order(one: Any, other: Any) -> None:
    expected = TOGETHER[one, other]
    assert reason_of(intercom=one, helpdesk=other) == expected
    assert reason_of(helpdesk=other, intercom=one) == expected
    assert reason_of(intercom=other, helpdesk=one) == expected


@pytest.mark.parametrize("state", STATES)
def test_one_system_says_what_it_says(state: Any) -> None:
    of_account, gap = state
    assert reason_of(intercom=state) == (of_account or gap)


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_a_third_system_that_nobody_configured_changes_nothing(one: Any, other: Any) -> None:
    assert reason_of(intercom=one, helpdesk=other, phone=NOT_THERE) == TOGETHER[one, other]


@pytest.mark.parametrize(
    ("of_account", "gap", "expected"),
    [
        ("not_configured", "field_missing", "not_configured"),
        ("source_failed", "field_missing", "source_failed"),
        ("source_failed", "not_configured", "source_failed"),
        ("not_linked", "field_missing", "field_missing"),
        ("not_linked", "not_configured", "not_linked"),
        ("not_linked", "no_evidence", "not_linked"),
    ],
)
def test_of_one_system_the_worse_of_what_it_says_of_the_account_and_of_the_metric_is_given(
    of_account: str, gap: str, expected: str
) -> None:
    assert reason_of(intercom=(of_account, gap)) == expected


def test_a_metric_that_a_system_cannot_show_is_known_for_the_accounts_that_are_only_in_the_other() -> None:
    assert reason_of(intercom=ROWS, helpdesk=("not_linked", "field_missing")) is None
    assert reason_of(intercom=ROWS, helpdesk=("not_linked", "not_configured")) is None
