"""A run that lacks a source: what scoring reads where the source's values of before stand in."""

import polars as pl

from accountpulse.scoring.outages import with_last_known
from accountpulse.scoring.scorecard import load
from accountpulse.scoring.scores import score

CARD = load(
    """name: small
coverage: {tier_needs_readable: [critical_signals]}
groups:
  a:
    weight: 1
    metrics:
      csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}
      open_bugs: {weight: 1, anchors: [[0, 100], [10, 0]]}
tiers: [{name: Good, min: 75}, {name: Poor, min: 0}]
""",
    "small.yaml",
)


def table(*rows: tuple[str, float | None, str | None, float | None]) -> pl.DataFrame:
    columns = {
        "account_id": pl.String,
        "csat_score": pl.Float64,
        "csat_score_reason": pl.String,
        "open_bugs": pl.Float64,
    }
    made = pl.DataFrame(rows, schema=columns, orient="row")
    return made.with_columns(open_bugs_reason=pl.lit(None, pl.String), critical_signals=pl.lit(0.0))


def test_what_an_outage_took_counts_as_it_was_and_everything_else_as_it_is() -> None:
    then = table(("A", 90.0, None, 0.0), ("B", None, "nobody_rated", 0.0))
    now = table(("A", None, "source_failed", 4.0), ("B", None, "source_failed", 0.0), ("C", None, "source_failed", 0.0))
    found, unread = with_last_known(now, then, CARD)
    assert found["csat_score"].to_list() == [90.0, None, None]
    assert found["csat_score_reason"].to_list() == [None, "nobody_rated", "source_failed"]
    assert found["open_bugs"].to_list() == [4.0, 0.0, 0.0]
    assert unread == {"A", "B", "C"}
    assert score(found, CARD)["health_score"][0] == (90 + 60) / 2


def test_where_every_source_was_read_nothing_is_replaced() -> None:
    then, now = table(("A", 90.0, None, 0.0)), table(("A", None, "nobody_rated", 0.0))
    found, unread = with_last_known(now, then, CARD)
    assert (found["csat_score"].to_list(), unread) == ([None], frozenset())
