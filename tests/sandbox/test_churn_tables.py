"""The churn world as tables: its laws, its switches, and random numbers that a second implementation draws as well."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from accountpulse.core.catalogue import METRICS
from accountpulse.sandbox.world.churn_tables import (
    INDEPENDENT,
    MEASURES,
    NAMES,
    ChurnTables,
    churn_tables,
    uniform,
    write_tables,
)

AHEAD = timedelta(days=180)
BETTER = {each.name: 1 if each.slope > 0 else -1 for each in MEASURES}


@pytest.fixture(scope="module")
def world() -> ChurnTables:
    return churn_tables(5, 1_500, 18)


def labelled(tables: ChurnTables) -> pl.DataFrame:
    """Each account and month, and whether the account left in the 180 days after: told from the outcomes alone."""
    lost = tables.outcomes.filter(pl.col("kind") == "lost").select("account_id", left="date")
    rows = tables.metrics.join(lost, on="account_id", how="left")
    return rows.with_columns(lost=pl.col("left").is_between("as_of", pl.col("as_of") + AHEAD).fill_null(value=False))


def auc(tables: ChurnTables, metric: str) -> float:
    """How well the metric's bad end tells who leaves."""
    rows = labelled(tables).drop_nulls(metric)
    return float(roc_auc_score(rows["lost"], rows[metric] * -BETTER[metric]))


def splitmix64(seed: int, stream: int, key: int) -> float:
    """In plain whole numbers, after the authors' C (prng.di.unimi.it/splitmix64.c), from the stream's own beginning."""
    mask = 2**64 - 1
    state = ((seed * 1_000_003 + stream) * 0xD1B54A32D192ED03 + key * 0x9E3779B97F4A7C15) & mask
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return ((z ^ (z >> 31)) >> 11) / 2**53


def test_random_numbers_are_those_of_splitmix64() -> None:
    keys = [0, 1, 4095, 4096, 4097, 10**9]
    drawn = pl.DataFrame({"key": pl.Series(keys, dtype=pl.UInt64)}).select(u=uniform(12, 3, pl.col("key")))["u"]
    assert drawn.to_list() == [splitmix64(12, 3, key) for key in keys]


def test_the_metrics_are_those_of_the_catalogue_and_the_keys_are_unique(world: ChurnTables) -> None:
    assert set(NAMES) < METRICS.keys()
    assert world.metrics.columns == ["account_id", "as_of", "segment", "seats", "arr", "days_to_renewal", *NAMES]
    assert not world.metrics.select("account_id", "as_of").is_duplicated().any()
    assert world.metrics["as_of"].n_unique() == 18
    assert world.outcomes.columns == ["account_id", "date", "kind", "arr_lost"]


def test_a_small_world_is_the_beginning_of_a_large_one(world: ChurnTables) -> None:
    small = churn_tables(5, 40, 18)
    ids = small.metrics["account_id"].unique().implode()
    assert small.metrics.equals(world.metrics.filter(pl.col("account_id").is_in(ids)))
    assert not churn_tables(6, 40, 18).metrics.equals(small.metrics)


def test_nobody_is_measured_after_leaving_and_everybody_leaves_once(world: ChurnTables) -> None:
    lost = world.outcomes.filter(pl.col("kind") == "lost")
    assert not lost["account_id"].is_duplicated().any()
    after = world.metrics.join(lost, on="account_id").filter(pl.col("as_of") > pl.col("date"))
    assert after.is_empty()
    last = world.metrics.group_by("account_id").agg(pl.col("as_of").max())
    gone = last.filter(pl.col("as_of") < world.metrics["as_of"].max())
    assert set(gone["account_id"]) <= set(lost["account_id"])
    assert lost["date"].max() < world.known_until == date(2026, 9, 1)


def test_each_month_that_ends_with_leaving_has_its_outcome_on_a_day_of_it(world: ChurnTables) -> None:
    left = world.hazards.filter("leaves").join(
        world.outcomes.filter(pl.col("kind") == "lost"), on="account_id", how="left"
    )
    assert left["date"].null_count() == 0
    assert (left["date"].dt.truncate("1mo") == left["as_of"]).all()


def test_renewals_come_on_the_day_that_the_metrics_foresaw(world: ChurnTables) -> None:
    due = pl.col("as_of") + pl.duration(days=pl.col("days_to_renewal").cast(pl.Int64))
    foreseen = world.metrics.select("account_id", date=due).unique()
    renewed = world.outcomes.filter(pl.col("kind") == "renewed")
    seen = world.metrics.group_by("account_id").agg(
        pl.col("as_of").min().alias("begin"), pl.col("as_of").max().alias("end")
    )
    inside = renewed.join(seen, on="account_id").filter(pl.col("date").is_between("begin", "end"))
    assert inside.height > 500
    assert inside.join(foreseen, on=["account_id", "date"], how="anti").is_empty()


def test_the_hazards_say_how_many_leave_low_and_high(world: ChurnTables) -> None:
    for low, high in ((0, 0.01), (0.01, 0.2), (0.2, 1)):
        rows = world.hazards.filter(pl.col("hazard").is_between(low, high, closed="left"))
        spread = (rows["hazard"] * (1 - rows["hazard"])).sum() ** 0.5
        assert abs(rows["leaves"].sum() - rows["hazard"].sum()) < 3 * spread


def test_every_metric_tells_a_little_of_who_leaves(world: ChurnTables) -> None:
    found = {each.name: auc(world, each.name) for each in MEASURES}
    assert all(0.5 < value < 0.75 for value in found.values()), found


def test_in_the_null_world_nothing_tells_anything() -> None:
    null = churn_tables(5, 1_500, 18, independent=True)
    assert null.hazards["hazard"].unique().to_list() == [INDEPENDENT]
    rows = labelled(null)
    # 0.5 within four standard errors of an AUC of that many accounts (Hanley and McNeil), rows of one account as one
    accounts = rows.group_by("account_id").agg(pl.col("lost").any())["lost"]
    spread = (1 / 12 * (1 / accounts.sum() + 1 / (accounts.len() - accounts.sum()))) ** 0.5
    assert max(abs(auc(null, each.name) - 0.5) for each in MEASURES) < 4 * spread
    assert abs(float(roc_auc_score(rows["lost"], -rows["days_to_renewal"])) - 0.5) < 4 * spread


def test_a_reversed_metric_points_the_wrong_way_and_leaves_the_others_alone(world: ChurnTables) -> None:
    turned = churn_tables(5, 1_500, 18, reversed_metric="feature_breadth")
    assert auc(turned, "feature_breadth") < 0.45
    assert auc(world, "feature_breadth") > 0.55
    assert turned.metrics.drop("feature_breadth").equals(world.metrics.drop("feature_breadth"))
    assert turned.outcomes.equals(world.outcomes)


def test_a_leaked_metric_knows_almost_everything(world: ChurnTables) -> None:
    leaked = churn_tables(5, 1_500, 18, leaked_metric="champion_stability")
    assert auc(leaked, "champion_stability") > 0.95
    assert leaked.outcomes.equals(world.outcomes)


@pytest.mark.parametrize("switch", ["reversed_metric", "leaked_metric"])
def test_a_metric_that_is_not_there_is_refused(switch: str) -> None:
    with pytest.raises(ValueError, match="the table has no metric 'happiness' to turn"):
        churn_tables(1, 10, **{switch: "happiness"})  # type: ignore[arg-type]


def test_tables_are_written_as_they_are(world: ChurnTables, tmp_path: Path) -> None:
    files = write_tables(world, tmp_path / "new")
    assert [file.name for file in files] == ["metrics.parquet", "outcomes.parquet", "hazards.parquet"]
    assert pl.read_parquet(files[0]).equals(world.metrics)
