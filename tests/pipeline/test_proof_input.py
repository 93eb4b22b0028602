"""Every month as it was then, of accounts that may be gone or merged since, and what became of them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse.core.period import Period
from accountpulse.core.records import MERGES, OUTCOMES, Rules
from accountpulse.pipeline.first_measurement import MEASURED_TYPE
from accountpulse.pipeline.proof_input import months_of, outcomes_of
from accountpulse.scoring.scorecard import Scorecard, load
from accountpulse.state import State

CARD = """name: small
coverage: {tier_needs_readable: []}
groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}
tiers: [{name: Good, min: 75}, {name: Poor, min: 0}]
"""


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


@pytest.fixture
def card() -> Scorecard:
    return load(CARD, "small.yaml")


def first(state: State, month: int, *accounts: str, csat: float = 80.0, **more: Any) -> None:
    """Keep a month of these accounts."""
    stamps = {
        "measured_at": pl.lit(datetime(2026, month + 1, 2, tzinfo=UTC), MEASURED_TYPE),
        "reconstructed": pl.lit(value=False),
        "window_days": pl.lit(90.0),
        "signals_waived": pl.lit(value=True),
    }
    values = {"csat_score": csat, "csat_score_reason": None, "arr": 100.0, "segment": None, **more}
    metrics = pl.DataFrame([{"account_id": account, **values} for account in accounts]).with_columns(**stamps)
    scores = metrics.with_columns(health_score=pl.lit(50.0), a_score=pl.lit(50.0), a_lower_bound=pl.lit(40.0))
    state.history.save_first(Period(2026, month), metrics, scores)


def test_months_with_other_columns_unite_with_null(state: State) -> None:
    first(state, 8, "A")
    first(state, 9, "A", mau=7, mau_reason=None, mau_points=12.5, churn_probability=8.0)
    months = months_of(state)
    assert months["churn_probability"].to_list() == [None, 8.0]
    assert months.select("as_of", "mau", "mau_points", "csat_score", "health_score", "a_score").rows() == [
        (date(2026, 9, 1), None, None, 80.0, 50.0, 50.0),
        (date(2026, 10, 1), 7.0, 12.5, 80.0, 50.0, 50.0),
    ]
    assert not {"csat_score_reason", "a_lower_bound", "window_days", "signals_waived"} & set(months.columns)


def test_who_left_stays_in_the_portfolio_of_then(state: State) -> None:
    first(state, 8, "A", "LEFT")
    first(state, 9, "A")
    assert months_of(state).select("account_id", "as_of").rows() == [
        ("A", date(2026, 9, 1)),
        ("LEFT", date(2026, 9, 1)),
        ("A", date(2026, 10, 1)),
    ]


def test_a_merged_account_follows_its_survivor_whose_own_rows_come_first(state: State) -> None:
    first(state, 7, "LOSER", csat=10.0)
    first(state, 8, "LOSER", csat=10.0)
    first(state, 9, "A", csat=90.0)
    rows = pl.DataFrame({"account_id": ["A", "LOSER"], "csat_score": [90.0, 10.0], "csat_score_reason": [None, None]})
    stamped = rows.with_columns(
        pl.lit(datetime(2026, 11, 2, tzinfo=UTC), MEASURED_TYPE).alias("measured_at"), reconstructed=False, arr=5.0
    )
    state.history.save_first(Period(2026, 10), stamped, stamped)
    state.outcomes.keep_merges(pl.DataFrame([("LOSER", "A")], schema=MERGES, orient="row"))
    assert months_of(state).select("account_id", "as_of", "csat_score").rows() == [
        ("A", date(2026, 8, 1), 10.0),
        ("A", date(2026, 9, 1), 10.0),
        ("A", date(2026, 10, 1), 90.0),
        ("A", date(2026, 11, 1), 90.0),
    ]


def test_another_card_scores_with_the_trend_of_then(state: State, card: Scorecard) -> None:
    first(state, 6, "A", csat=90.0)
    first(state, 9, "A", csat=60.0)
    today = pl.DataFrame(
        {"account_id": ["A"], "csat_score": [60.0]}
    )  # June was measured anew, when it was known better
    state.history.save(Period(2026, 6), today, today)
    found = months_of(state, card)
    assert found["health_score"].to_list() == [90.0, 60.0]
    assert found["tier"].to_list() == ["Good", "Poor"]
    fallen = found["risk_z"][1]
    alone = State(Path(state.files.store.place) / "other")
    first(alone, 9, "A", csat=60.0)
    assert fallen > months_of(alone, card)["risk_z"][0]


def test_a_state_without_months_gives_none(state: State) -> None:
    months = months_of(state)
    assert months.is_empty()
    assert {"account_id", "as_of", "measured_at", "reconstructed", "arr", "segment"} <= set(months.columns)
    assert outcomes_of(state).equals(pl.DataFrame(schema=OUTCOMES))
    assert state.files.notes == []


def outcome(account: str, kind: str, origin: str) -> dict[str, Any]:
    return {"account_id": account, "happened_on": date(2026, 8, 15), "kind": kind, "origin": origin}


def test_outcomes_of_all_origins_stand_under_the_survivors_id(state: State) -> None:
    first(state, 8, "A", "B", arr=100.0)
    first(state, 9, "A", "B", arr=80.0)
    state.outcomes.keep(pl.DataFrame([outcome("LOSER", "lost", "contracts")], schema=OUTCOMES), [])
    state.outcomes.import_table(pl.DataFrame([outcome("B", "renewed", "table")], schema=OUTCOMES))
    state.outcomes.keep_merges(pl.DataFrame([("LOSER", "A")], schema=MERGES, orient="row"))
    columns = ("account_id", "happened_on", "kind", "origin", "doubt")
    assert outcomes_of(state).select(columns).rows() == [
        ("A", date(2026, 8, 15), "lost", "contracts", None),
        ("A", date(2026, 9, 30), "contraction", "history", None),
        ("B", date(2026, 8, 15), "renewed", "table", None),
        ("B", date(2026, 9, 30), "contraction", "history", None),
    ]
    tolerant = outcomes_of(state, rules=Rules(contraction_pct=25.0, grace_days=30))
    assert tolerant.select(columns).rows() == [
        ("A", date(2026, 8, 15), "lost", "contracts", "still had ARR on 2026-10-01"),
        ("B", date(2026, 8, 15), "renewed", "table", None),
    ]


def test_a_renewal_that_a_system_says_twice_is_settled_by_months_and_a_tables_stays_as_it_is(state: State) -> None:
    for month in range(8, 12):
        first(state, month, "A", "B", arr=100.0)
    both = ("lost", "renewed")
    said = [outcome("LOSER", kind, "renewal_opportunities") for kind in both]
    state.outcomes.keep(pl.DataFrame(said, schema=OUTCOMES), [])
    state.outcomes.import_table(pl.DataFrame([outcome("B", kind, "table") for kind in both], schema=OUTCOMES))
    state.outcomes.keep_merges(pl.DataFrame([("LOSER", "A")], schema=MERGES, orient="row"))
    assert outcomes_of(state).select("account_id", "kind", "doubt").rows() == [
        ("A", "renewed", "renewal_opportunities says lost on 2026-08-15 as well"),
        ("B", "lost", "renewed on 2026-08-15; still had ARR on 2026-11-01"),
        ("B", "renewed", None),
    ]


def test_a_loss_that_was_read_twice_by_different_ways_is_one(state: State) -> None:
    loss = outcome("A", "lost", "arr") | {"known_at": date(2026, 8, 15)}
    state.outcomes.keep(pl.DataFrame([loss], schema=OUTCOMES), ["A"])
    closed = {**loss, "origin": "renewal_opportunities", "happened_on": date(2026, 9, 1), "known_at": date(2026, 9, 1)}
    state.outcomes.keep(pl.DataFrame([closed], schema=OUTCOMES), ["A"])
    assert state.outcomes.said().height == 2
    assert outcomes_of(state).select("happened_on", "origin").rows() == [(date(2026, 9, 1), "renewal_opportunities")]
