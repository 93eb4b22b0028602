"""Which account comes first: the one order of every list of accounts, and the renewals in danger."""

import polars as pl

from accountpulse.scoring.columns import RENEWAL, RISK, RISK_Z, TIER
from accountpulse.scoring.scorecard import Scorecard

SOON = 90  # days to a renewal from which on it can be in danger


def risk_before_floors() -> pl.Expr:
    """The churn risk without its floors, 0 to 100; null: Not Rated, or a run of an older version."""
    return 100.0 / (1.0 + (-pl.col(RISK_Z)).exp())


def worklist_order(scores: pl.DataFrame) -> list[int]:
    """The places of the rows, the highest churn risk first.

    Where two have the same, as on a floor, the higher risk before floors comes first, then the higher ARR, then the
    lower id. What is not known comes last. Reads `account_id`, `churn_risk_score`, `risk_z` and `arr`; one of them that
    is absent is not known.
    """
    absent = [pl.lit(None, pl.Float64).alias(name) for name in (RISK, RISK_Z, "arr") if name not in scores.columns]
    ordered = scores.with_columns(absent).with_row_index("place")
    keys = (RISK, RISK_Z, "arr", "account_id")
    return ordered.sort(keys, descending=[True, True, True, False], nulls_last=True)["place"].to_list()


def renewals_in_danger(scores: pl.DataFrame, card: Scorecard) -> list[int]:
    """The places of the accounts that are not green and whose renewal is overdue or due within 90 days.

    The highest ARR first, then the lower id; ARR that is not known last. Not Rated is not green. Reads `account_id`,
    `tier`, `days_to_renewal` and `arr`.
    """
    due = scores.with_row_index("place").filter(
        (pl.col(RENEWAL) <= SOON) & ~pl.col(TIER).is_in(card.green_tiers).fill_null(value=False)
    )
    return due.sort("arr", "account_id", descending=[True, False], nulls_last=True)["place"].to_list()
