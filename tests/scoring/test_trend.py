"""The trend of a table with several months an account, against a search by hand."""

import random
from datetime import date, timedelta

import narwhals.stable.v2 as nw
import polars as pl
import pytest

from accountpulse.scoring.scorecard import load
from accountpulse.scoring.trend import earlier_health, score_table

CARD = load(
    "name: small\ncoverage: {}\ntiers: [{name: All, min: 0}]\n"
    "groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}\n",
    "small.yaml",
)
Row = tuple[str, date, float | None]


def found(rows: list[Row]) -> dict[tuple[str, date], float | None]:
    kinds = {"account_id": pl.String, "as_of": pl.Date, "health_before_caps": pl.Float64}
    frame = pl.LazyFrame(rows, schema=kinds, orient="row")
    made = earlier_health(nw.from_native(frame)).to_native().collect()
    assert made.columns == ["account_id", "as_of", "health_before_caps_3m"]
    assert made.select("account_id", "as_of").is_duplicated().sum() == 0
    return {(account, day): health for account, day, health in made.rows()}


def searched(rows: list[Row]) -> dict[tuple[str, date], float | None]:
    """Row by row: the nearest to 90 days before, of two as near the later one."""
    expected = {}
    for account, day, _ in rows:
        near = [
            (abs((day - then).days - 90), -then.toordinal(), health)
            for other, then, health in rows
            if other == account and 80 <= (day - then).days <= 100
        ]
        if near:
            expected[account, day] = min(near, key=lambda each: each[:2])[2]
    return expected


@pytest.mark.parametrize("seed", range(4))
def test_the_row_nearest_to_90_days_before_is_found(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    rows: list[Row] = []
    for account in "ABC":
        for offset in sorted(chance.sample(range(420), 60)):
            health = None if chance.random() < 0.2 else chance.uniform(0, 100)
            rows.append((account, date(2023, 12, 1) + timedelta(days=offset), health))
    assert found(rows) == searched(rows)
    assert len(searched(rows)) > 60


def test_ten_days_more_or_less_are_near_enough() -> None:
    day = date(2026, 3, 1)
    near = [
        before for before in (79, 80, 90, 100, 101) if found([("A", day, 1.0), ("A", day - timedelta(before), 70.0)])
    ]
    assert near == [80, 90, 100]


def test_a_table_of_months_is_scored_in_its_order_with_the_trend_of_its_own_rows() -> None:
    days = [date(2026, 8, 1), date(2026, 2, 1), date(2026, 5, 1)]
    table = pl.DataFrame({"account_id": ["A"] * 3, "as_of": days, "csat_score": [40.0, 90.0, 70.0]})
    made = score_table(table, CARD)
    assert made["as_of"].to_list() == days
    # falls of 30 and 20 points: 1.4 each; the first month has nothing before it
    assert made["risk_z"].to_list() == pytest.approx(
        [-2.2 + 0.052 * 10 + 1.4, -2.2 - 0.052 * 40, -2.2 - 0.052 * 20 + 1.4]
    )


def test_a_trend_that_is_given_counts_and_not_the_tables_own() -> None:
    days = [date(2026, 2, 1), date(2026, 5, 1)]
    table = pl.DataFrame({"account_id": ["A"] * 2, "as_of": days, "csat_score": [90.0, 70.0]})
    given = table.with_columns(health_before_caps_3m=pl.Series([None, 70.0]))
    assert score_table(given, CARD)["risk_z"].to_list() == pytest.approx([-2.2 - 0.052 * 40, -2.2 - 0.052 * 20])


def test_a_table_without_dates_is_scored_as_ever() -> None:
    made = score_table(pl.DataFrame({"account_id": ["A"], "csat_score": [90.0]}), CARD)
    assert "as_of" not in made.columns
    assert made["risk_z"].to_list() == pytest.approx([-2.2 - 0.052 * 40])
