"""The metrics together: outer reasons, the shape of the result, and what no metric may depend on."""

import statistics
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accountpulse.core.catalogue import METRICS, own_metric
from accountpulse.core.records import ACCOUNTS, Reason, Rules, frame
from accountpulse.core.spooled import SpooledTable
from accountpulse.metrics import SHARE, measure
from accountpulse.systems import SOURCES
from metrics.measuring import OCTOBER, START, A, B, C, Rows, at, of, table
from support import DOMAINS_OF, NAMES, TABLES_OF

RULES = Rules(
    features=("x", "y"),
    pillars=("reach",),
    own=(own_metric("nps", "net promoter score", "points"), own_metric("sessions", "sessions", "count")),
    tiers=("Silver", "Gold"),
    tier_floors={"Gold": 100e3},
    reviews_expected={"Silver": 1.0, "Gold": 4.0},
)
USAGE_OF_ITS_OWN = ("pillar_reach", "nps", "sessions")
ZERO_WHERE_NOTHING_HAPPENED = {
    "total_conversations",
    "open_bugs",
    "critical_bugs",
    "reopened_bugs",
    "payment_health",
    "contract_changes",
    "expansion_signals",
    "critical_signals",
    "moderate_signals",
    "watch_signals",
    "critical_confirmed_signals",
    "monitoring_reduction",
}


def portfolio(*names: str) -> pl.DataFrame:
    tiers = ("Silver", "Gold", None)
    return frame(
        "accounts",
        [
            {"account_id": name, "customer_tier": tiers[place % 3], "arr": 9e4 + 1e4 * place}
            for place, name in enumerate(names)
        ],
    )


def linked(accounts: pl.DataFrame, **reasons: str) -> pl.DataFrame:
    return accounts.select("account_id", *(pl.lit(reasons.get(source), pl.String).alias(source) for source in NAMES))


def measured(
    tables: Mapping[str, pl.DataFrame],
    accounts: pl.DataFrame | None = None,
    reasons: pl.DataFrame | None = None,
    gaps: Mapping[str, Reason] | None = None,
) -> pl.DataFrame:
    accounts = portfolio(A) if accounts is None else accounts
    reasons = linked(accounts) if reasons is None else reasons
    by_source = dict.fromkeys(NAMES, gaps or {})
    return measure(accounts, tables, reasons, by_source, sources=SOURCES, scope=OCTOBER, rules=RULES)


def filled(rows: Rows) -> dict[str, pl.DataFrame]:
    return {name: table(name, given) for name, given in rows.items()}


# --- shape -----------------------------------------------------------------------------------------------------


def test_the_result_has_the_accounts_then_each_metric_and_its_reason() -> None:
    result = measured({}, portfolio(C, A, B))
    names = [*METRICS, *USAGE_OF_ITS_OWN]
    assert result.columns == [*ACCOUNTS, *(column for name in names for column in (name, f"{name}_reason"))]
    assert {result.schema[name] for name in names} == {pl.Float64}
    assert {result.schema[f"{name}_reason"] for name in names} == {pl.String}
    assert result["account_id"].to_list() == [A, B, C]
    assert result.row(by_predicate=pl.col("account_id") == C, named=True)["customer_tier"] == "Silver"


def test_no_accounts_give_no_rows_and_all_columns() -> None:
    none = measured({}, portfolio())
    assert none.schema == measured({}, portfolio(A)).schema
    assert none.height == 0


def test_an_account_that_is_linked_and_quiet_has_zero_counts() -> None:
    found = of(measured({}))
    assert {name for name, value in found.items() if value == 0} == ZERO_WHERE_NOTHING_HAPPENED | {
        "tier_alignment",
        "qbr_attendance",
        "arr_trajectory_pct",
    }


def test_seats_of_usage_count_before_the_accounts_own() -> None:
    """Of several keys of one account they are added up; a figure without a value is none."""
    accounts = portfolio(A, B, C).with_columns(seats=pl.Series([10.0, 20.0, None]))
    figures = [
        {"metric": "seats", "value": 3.0},
        {"metric": "seats", "value": 4.0},
        {"metric": "nps", "value": 9.0},
        {"account_id": B, "metric": "seats", "value": None},
        {"account_id": C, "metric": "nps", "value": 8.0},
    ]
    result = measured(filled({"figures": figures}), accounts)
    assert result["seats"].to_list() == [7.0, 20.0, None]
    assert measured({}, accounts)["seats"].to_list() == [10.0, 20.0, None]


# --- outer reasons ---------------------------------------------------------------------------------------------

BUSY = filled(
    {
        "conversations": [
            {"conversation_id": "1", "created_at": at("2026-10-05"), "customer_involved": True, "p1_p2": True}
        ],
        "issues": [{"issue_id": "1", "created_at": at("2026-10-05"), "done": False, "critical": True}],
        "usage_months": [{"month": date(2026, 10, 1), "users": 5, "sessions": 50}],
        "signals": [{"severity": "watch", "opened_at": at("2026-10-05")}],
    }
)


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("reason", ["not_configured", "source_failed", "not_linked", "field_missing"])
def test_what_a_source_cannot_say_is_null_in_all_its_metrics_and_no_others(source: Any, reason: str) -> None:
    accounts = portfolio(A)
    silent = of(measured(BUSY, accounts, linked(accounts, **{source: reason})))
    heard = of(measured(BUSY, accounts))
    domains = DOMAINS_OF[source]
    for name in silent:
        domain = METRICS[name].domain if name in METRICS else "usage"
        assert silent[name] == (reason if domain in domains else heard[name])


@pytest.mark.parametrize(
    ("of_account", "expected"),
    [
        (None, "field_missing"),
        ("not_linked", "field_missing"),
        ("source_failed", "source_failed"),
        ("not_configured", "not_configured"),
    ],
)
def test_a_gap_is_wider_than_an_account_and_narrower_than_a_source(of_account: str | None, expected: str) -> None:
    accounts = portfolio(A)
    reasons = linked(accounts, **({"intercom": of_account} if of_account else {}))
    found = of(measured(BUSY, accounts, reasons, {"p1_p2_pct": "field_missing"}))
    assert found["p1_p2_pct"] == expected
    assert found["total_conversations"] == (of_account or 1)


def test_reasons_are_each_accounts_own() -> None:
    accounts = portfolio(A, B)
    reasons = linked(accounts).with_columns(jira=pl.when(pl.col("account_id") == B).then(pl.lit("not_linked")))
    result = measured(BUSY, accounts, reasons)
    assert [of(result, account)["open_bugs"] for account in (A, B)] == [1, "not_linked"]


# --- laws ------------------------------------------------------------------------------------------------------

JULY = datetime(2026, 7, 1, tzinfo=UTC)
INSTANTS = st.none() | st.integers(0, 150 * 86_400_000).map(lambda passed: JULY + timedelta(milliseconds=passed))
DAYS = st.dates(date(2025, 9, 1), date(2026, 12, 1))
MONTHS = st.sampled_from([date(2026, month, 1) for month in range(6, 12)])
AMOUNTS = st.integers(0, 10**6)
FLAGS = st.none() | st.booleans()
OWNERS = st.sampled_from([A, B, C])
ISSUES = st.sampled_from("12345")
MONEY = st.none() | st.floats(0, 1e6)

COLUMNS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "conversations": {
        "created_at": INSTANTS,
        "customer_involved": FLAGS,
        "p1_p2": FLAGS,
        "escalated": FLAGS,
        "first_response_ms": st.none() | AMOUNTS,
        "last_closed_at": INSTANTS,
        "resolution_ms": st.none() | AMOUNTS,
        "rating_asked_at": INSTANTS,
        "rating": st.none() | st.integers(1, 5),
    },
    "issues": {
        "issue_id": ISSUES,
        "created_at": INSTANTS,
        "done": st.booleans(),
        "resolved_at": INSTANTS,
        "critical": FLAGS,
    },
    "issue_moves": {"issue_id": ISSUES, "at": INSTANTS, "from_done": st.booleans(), "to_done": st.booleans()},
    "usage_days": {"day": DAYS, "users": AMOUNTS},
    "usage_months": {"month": MONTHS, "users": AMOUNTS, "sessions": AMOUNTS},
    "features": {"feature": st.sampled_from("xyz")},
    "figures": {
        "metric": st.sampled_from(["pillar_reach", "nps", "sessions"]),
        "value": st.none() | st.floats(-10, 110),
    },
    "renewals": {"due": DAYS, "rank": st.integers(0, 2)},
    "payment_problems": {"opened_at": INSTANTS, "closed_at": INSTANTS},
    "downgrades": {"closed_on": DAYS},
    "arr_changes": {"at": INSTANTS, "before": MONEY, "after": MONEY},
    "reviews": {"held_on": DAYS},
    "champions": {"contact_id": st.sampled_from("xyz"), "still_there": st.booleans()},
    "expansions": {"opportunity_id": st.sampled_from("xyz")},
    "signals": {
        "severity": st.sampled_from(["critical", "moderate", "watch"]),
        "monitoring": FLAGS,
        "confirmed": FLAGS,
        "opened_at": INSTANTS,
        "closed_at": INSTANTS,
    },
}
ANY_ROWS = st.fixed_dictionaries(
    {
        name: st.lists(
            st.fixed_dictionaries(columns if name == "issue_moves" else {"account_id": OWNERS, **columns}), max_size=8
        )
        for name, columns in COLUMNS.items()
    }
)
FEW = settings(max_examples=8, deadline=None)


@FEW
@given(rows=ANY_ROWS, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_accounts_changes_no_bit(rows: dict[str, list[Any]], random: Any) -> None:
    shuffled = {name: random.sample(given, len(given)) for name, given in rows.items()}
    accounts = portfolio(A, B, C)
    turned = measured(filled(shuffled), accounts.reverse())
    assert measured(filled(rows), accounts).equals(turned, null_equal=True)


@FEW
@given(rows=ANY_ROWS)
def test_an_account_is_measured_alone_as_among_others(rows: dict[str, list[Any]]) -> None:
    accounts = portfolio(A, B, C)
    only_b = pl.col("account_id") == B
    alone = measured(filled(rows), accounts.filter(only_b))
    assert measured(filled(rows), accounts).filter(only_b).equals(alone, null_equal=True)


@FEW
@given(rows=ANY_ROWS)
def test_a_conversation_shared_with_another_customer_affects_that_one_only(rows: dict[str, list[Any]]) -> None:
    accounts = portfolio(A, B, C)
    shared = [{**row, "account_id": B} for row in rows["conversations"] if row["account_id"] == A]
    before = measured(filled(rows), accounts)
    after = measured(filled({**rows, "conversations": rows["conversations"] + shared}), accounts)
    others = pl.col("account_id") != B
    assert before.filter(others).equals(after.filter(others), null_equal=True)


@FEW
@given(rows=ANY_ROWS, source=st.sampled_from(NAMES))
def test_the_tables_of_one_source_never_reach_the_metrics_of_another(rows: dict[str, list[Any]], source: Any) -> None:
    accounts = portfolio(A, B, C)
    kept = {name: given for name, given in rows.items() if name not in TABLES_OF[source]}
    others = [
        name
        for name in (*METRICS, *USAGE_OF_ITS_OWN)
        if (METRICS[name].domain if name in METRICS else "usage") not in DOMAINS_OF[source]
    ]
    columns = [column for name in others for column in (name, f"{name}_reason")]
    before, after = measured(filled(rows), accounts), measured(filled(kept), accounts)
    assert before.select(columns).equals(after.select(columns), null_equal=True)


@FEW
@given(rows=ANY_ROWS)
def test_every_metric_has_a_finite_value_or_a_reason(rows: dict[str, list[Any]]) -> None:
    result = measured(filled(rows), portfolio(A, B, C))
    for account in (A, B, C):
        for name, value in of(result, account).items():
            assert isinstance(value, str) or abs(value) < float("inf"), name


@pytest.mark.parametrize("share", [SHARE, 140_000, 50_000])
def test_a_table_of_many_rows_is_measured_as_exactly_as_one_of_few(share: int) -> None:
    """More rows than are measured at once, on disk; the medians are Python's own."""
    names = [f"{number:018d}" for number in range(7)]
    rows = 450_000
    table = pl.select(n=pl.int_range(rows)).select(
        account_id=pl.format("{}", pl.col("n") * 31 % 7).str.zfill(18),
        conversation_id=pl.col("n").cast(pl.String),
        created_at=pl.lit(START),
        customer_involved=pl.lit(value=True),
        p1_p2=pl.col("n") % 3 == 0,
        escalated=pl.lit(value=False),
        first_response_ms=pl.col("n") * 7919 % 9_000_011,
        last_closed_at=pl.lit(START),
        resolution_ms=pl.col("n") * 104_729 % 90_000_049,
        rating_asked_at=pl.lit(None, pl.Datetime("ms", "UTC")),
        rating=pl.lit(None, pl.Int64),
    )
    spool = SpooledTable(table.schema)
    for start in range(0, rows, 15_000):
        spool.add(table[start : start + 15_000])
    accounts = frame("accounts", [{"account_id": name} for name in names])
    reasons = accounts.select("account_id", *(pl.lit(None, pl.String).alias(source) for source in NAMES))
    found = measure(
        accounts, {"conversations": spool}, reasons, {}, sources=SOURCES, scope=OCTOBER, rules=Rules(), share=share
    )
    assert found["account_id"].to_list() == names
    for name, total, first, last, urgent in found.select(
        "account_id",
        "total_conversations",
        "median_first_response_seconds",
        "median_resolution_seconds",
        "p1_p2_pct",
    ).iter_rows():
        mine = [n for n in range(rows) if n * 31 % 7 == int(name)]
        assert total == len(mine)
        assert first == statistics.median(n * 7919 % 9_000_011 for n in mine) * 0.001
        assert last == statistics.median(n * 104_729 % 90_000_049 for n in mine) * 0.001
        assert urgent == 100 * sum(n % 3 == 0 for n in mine) / len(mine)
