"""Who left within the time that a score speaks of, by hand."""

from datetime import date, timedelta

import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

from accountpulse.core.records import OUTCOMES
from accountpulse.proof.label_report import inspect
from accountpulse.proof.labels import LabelRules, Labels, month_rows, renewal_rows

RULES = LabelRules()
FAR = date(2030, 1, 1)
Row = tuple[str, date, float | None]


def day(text: str) -> date:
    return date.fromisoformat(text)


def months_of(*rows: tuple[str, str, float | None]) -> pl.DataFrame:
    schema = {"account_id": pl.String, "as_of": pl.Date, "days_to_renewal": pl.Float64}
    return pl.DataFrame([(account, day(on), left) for account, on, left in rows], schema=schema, orient="row")


def outcomes_of(*rows: tuple[str, str, str]) -> pl.DataFrame:
    made = [{"account_id": account, "happened_on": day(on), "kind": kind} for account, on, kind in rows]
    return pl.DataFrame(made, schema=OUTCOMES)


def labels(rows: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return rows.select(*columns).rows()


def firsts(year: int, account: str = "a") -> list[tuple[str, str, None]]:
    return [(account, f"{year}-{month:02d}-01", None) for month in range(1, 13)]


# --- by renewal ------------------------------------------------------------------------------------------------


def test_a_renewal_is_read_at_the_last_month_that_lies_the_lead_before_it() -> None:
    rows = renewal_rows(months_of(*firsts(2025)), outcomes_of(("a", "2025-08-30", "lost")), RULES, FAR)
    # 2025-08-30 less 90 days is 2025-06-01
    assert labels(rows, "as_of", "lost", "renewal_on", "lost_on") == [
        (day("2025-06-01"), True, day("2025-08-30"), day("2025-08-30"))
    ]
    rows = renewal_rows(months_of(*firsts(2025)), outcomes_of(("a", "2025-08-29", "lost")), RULES, FAR)
    assert labels(rows, "as_of") == [(day("2025-05-01"),)]


def test_a_renewal_is_known_from_what_the_months_saw_ahead() -> None:
    months = months_of(("a", "2025-01-01", 150.0), ("a", "2025-02-01", 119.0), ("a", "2025-03-01", 91.0))
    rows = renewal_rows(months, outcomes_of(), RULES, FAR)
    assert labels(rows, "as_of", "lost", "renewal_on") == [(day("2025-03-01"), False, day("2025-05-31"))]


def test_a_departure_within_the_grace_of_a_renewal_is_that_renewal() -> None:
    months = months_of(("a", "2025-01-01", 150.0), ("a", "2025-03-01", 91.0))  # due on 2025-05-31
    at_the_edge = outcomes_of(("a", "2025-07-30", "lost"))  # 60 days later
    rows = renewal_rows(months, at_the_edge, RULES, FAR)
    assert labels(rows, "as_of", "lost", "renewal_on") == [(day("2025-03-01"), True, day("2025-05-31"))]
    early = outcomes_of(("a", "2025-04-01", "lost"))  # 60 days before: the renewal keeps its day, and the row its month
    rows = renewal_rows(months, early, RULES, FAR)
    assert labels(rows, "as_of", "lost", "renewal_on") == [(day("2025-03-01"), True, day("2025-05-31"))]


def test_a_departure_outside_of_the_grace_makes_no_renewal_and_is_named() -> None:
    months = months_of(("a", "2025-01-01", 150.0), ("a", "2025-03-01", 91.0))  # due on 2025-05-31
    later = outcomes_of(("a", "2025-07-31", "lost"))  # 61 days later: that renewal was kept
    assert labels(renewal_rows(months, later, RULES, FAR), "lost", "renewal_on") == [(False, day("2025-05-31"))]
    before = outcomes_of(("a", "2025-03-31", "lost"))  # 61 days before: it never came to its renewal
    assert renewal_rows(months, before, RULES, FAR).is_empty()
    for outcomes in (later, before):
        report = inspect(Labels(months, outcomes, RULES, FAR))
        assert (report.mid_contract, report.departures) == (1, 1)
        assert [(found.what, found.accounts) for found in report.findings] == [("mid_contract", ("a",))]


def test_days_within_the_grace_are_one_renewal_dated_by_the_earliest() -> None:
    outcomes = outcomes_of(
        ("a", "2025-06-10", "renewed"), ("a", "2025-06-01", "renewed"), ("a", "2025-11-01", "renewed")
    )
    rows = renewal_rows(months_of(*firsts(2025)), outcomes, RULES, FAR)
    assert labels(rows, "renewal_on", "as_of", "lost") == [
        (day("2025-06-01"), day("2025-03-01"), False),
        (day("2025-11-01"), day("2025-08-01"), False),
    ]


def test_a_renewal_that_was_moved_before_it_came_is_one_renewal() -> None:
    moved_on = months_of(("a", "2025-01-01", 150.0), ("a", "2025-02-01", 200.0), ("a", "2025-05-01", 111.0))
    rows = renewal_rows(moved_on, outcomes_of(), RULES, FAR)
    assert labels(rows, "renewal_on") == [(day("2025-08-20"),)]
    moved_up = months_of(("a", "2025-01-01", 300.0), ("a", "2025-02-01", 100.0))
    rows = renewal_rows(moved_up, outcomes_of(), RULES, FAR)
    assert labels(rows, "renewal_on") == [(day("2025-05-12"),)]


def test_what_was_moved_or_came_to_light_after_the_row_changes_no_renewal() -> None:
    """It would take away, or add, those alone who were still there to move or renew."""
    moved = months_of(("a", "2025-03-01", 91.0), ("a", "2025-04-01", 200.0))  # 2025-05-31, then 2025-10-18
    rows = renewal_rows(moved, outcomes_of(), RULES, FAR)
    assert labels(rows, "as_of", "renewal_on", "lost") == [
        (day("2025-03-01"), day("2025-05-31"), False),
        (day("2025-04-01"), day("2025-10-18"), False),
    ]
    unseen = outcomes_of(("a", "2025-12-31", "renewed"))
    assert renewal_rows(moved, unseen, RULES, FAR).equals(rows)
    found = inspect(Labels(moved, unseen, RULES, FAR)).findings
    assert [(each.what, each.accounts) for each in found] == [("renewed_unseen", ("a",))]


def test_dates_of_one_renewal_that_differ_a_little_are_one_row_the_first_that_was_read() -> None:
    months = months_of(("a", "2025-03-01", 91.0), ("a", "2025-04-01", 90.0))  # 2025-05-31, then 2025-06-30
    rows = renewal_rows(months, outcomes_of(), RULES, FAR)
    assert labels(rows, "as_of", "renewal_on") == [(day("2025-03-01"), day("2025-05-31"))]


def test_where_months_know_dates_an_account_without_one_has_no_renewal() -> None:
    months = months_of(("b", "2025-03-01", None), ("a", "2025-03-01", 91.0))
    outcomes = outcomes_of(("b", "2025-08-30", "lost"))
    assert labels(renewal_rows(months, outcomes, RULES, FAR), "account_id") == [("a",)]
    report = inspect(Labels(months, outcomes, RULES, FAR))
    assert (report.foreseen, report.never_dated, report.mid_contract) == (True, 1, 0)
    assert [(each.what, each.accounts) for each in report.findings] == [("never_dated", ("b",))]


def test_a_renewal_that_no_month_saw_so_long_before_is_named() -> None:
    months = months_of(("a", "2025-03-03", 89.0), ("a", "2025-04-01", 60.0))  # due on 2025-05-31
    assert renewal_rows(months, outcomes_of(), RULES, FAR).is_empty()
    for outcomes in (outcomes_of(), outcomes_of(("a", "2025-05-31", "lost"))):
        found = inspect(Labels(months, outcomes, RULES, FAR)).findings
        assert [each.what for each in found] == ["renewals_without_month"]


def test_with_a_lead_below_the_grace_departures_before_the_reading_are_no_renewals() -> None:
    """Else those who left so early would be read further ahead than all others."""
    months = months_of(("a", "2025-03-01", 91.0), ("a", "2025-04-01", 60.0))  # due on 2025-05-31, read 10 days before
    rules = LabelRules(lead_days=10)
    outcomes = outcomes_of(("a", "2025-05-20", "lost"))
    assert renewal_rows(months, outcomes, rules, FAR).is_empty()
    assert inspect(Labels(months, outcomes, rules, FAR)).mid_contract == 1


def test_a_renewal_that_was_signed_early_counts_at_its_own_day() -> None:
    months = months_of(("a", "2025-01-01", 150.0), ("a", "2025-04-01", 425.0))  # 2025-05-31, then a year later
    rows = renewal_rows(months, outcomes_of(), RULES, day("2026-01-01"))
    assert labels(rows, "renewal_on", "lost") == [(day("2025-05-31"), False), (day("2026-05-31"), None)]


def test_a_renewal_whose_grace_runs_past_what_is_known_has_no_label_even_if_somebody_left() -> None:
    months, outcomes = months_of(*firsts(2025)), outcomes_of(("a", "2025-08-30", "lost"))
    assert labels(renewal_rows(months, outcomes, RULES, day("2025-10-29")), "lost") == [(True,)]
    assert labels(renewal_rows(months, outcomes, RULES, day("2025-10-28")), "lost") == [(None,)]


def test_a_renewal_after_the_account_left_is_none() -> None:
    months = months_of(("a", "2025-01-01", 360.0), ("a", "2025-02-01", 329.0))
    assert renewal_rows(months, outcomes_of(("a", "2025-06-01", "lost")), RULES, FAR).is_empty()
    outcomes = outcomes_of(("a", "2025-06-01", "lost"), ("a", "2025-12-01", "renewed"))
    assert labels(renewal_rows(months_of(*firsts(2025)), outcomes, RULES, FAR), "renewal_on", "lost") == [
        (day("2025-06-01"), True)
    ]


# --- by month --------------------------------------------------------------------------------------------------


def test_a_month_is_lost_where_the_account_leaves_after_it_and_within_the_horizon() -> None:
    months = months_of(("a", "2025-01-01", None), ("a", "2025-01-02", None), ("a", "2025-06-29", None))
    rows = month_rows(months, outcomes_of(("a", "2025-07-01", "lost")), RULES, FAR)
    # 2025-01-01 and 180 days is 2025-06-30
    assert labels(rows, "as_of", "lost") == [
        (day("2025-01-01"), False),
        (day("2025-01-02"), True),
        (day("2025-06-29"), True),
    ]


def test_months_from_the_day_of_leaving_on_are_no_rows() -> None:
    months = months_of(("a", "2025-05-31", None), ("a", "2025-06-01", None), ("a", "2025-07-01", None))
    rows = month_rows(months, outcomes_of(("a", "2025-06-01", "lost")), RULES, FAR)
    assert labels(rows, "as_of") == [(day("2025-05-31"),)]
    report = inspect(Labels(months, outcomes_of(("a", "2025-06-01", "lost")), RULES, FAR))
    assert [(found.what, found.count, found.accounts) for found in report.findings if "after" in found.what] == [
        ("months_after_leaving", 1, ("a",))
    ]


def test_a_horizon_that_runs_past_what_is_known_is_never_a_no() -> None:
    rows = month_rows(
        months_of(("a", "2025-01-01", None), ("a", "2025-01-02", None)), outcomes_of(), RULES, day("2025-06-30")
    )
    assert labels(rows, "as_of", "lost") == [(day("2025-01-01"), False), (day("2025-01-02"), None)]


def test_the_next_renewal_stands_beside_each_month() -> None:
    months = months_of(("a", "2025-01-01", 40.0), ("a", "2025-02-01", None), ("a", "2025-04-01", 365.0))
    rows = month_rows(months, outcomes_of(), RULES, FAR)
    assert labels(rows, "renewal_on") == [(day("2025-02-10"),), (day("2025-02-10"),), (day("2026-04-01"),)]


def test_the_columns_and_the_order_of_the_months_are_kept() -> None:
    months = months_of(*firsts(2025, "b"), *firsts(2025, "a")).with_columns(mau=pl.int_range(24))
    rows = month_rows(months, outcomes_of(), RULES, FAR)
    assert rows.select(months.columns).equals(months)


# --- what doesn't go together ----------------------------------------------------------------------------------


def test_who_left_and_renewed_on_one_day_has_no_label_in_windows_with_that_day() -> None:
    outcomes = outcomes_of(("a", "2025-08-30", "lost"), ("a", "2025-08-30", "renewed"))
    months = months_of(("a", "2025-01-01", None), ("a", "2025-06-01", None), ("a", "2025-09-01", None))
    assert labels(month_rows(months, outcomes, RULES, FAR), "lost", "lost_on") == [
        (False, None),
        (None, None),
        (False, None),
    ]
    assert labels(renewal_rows(months, outcomes, RULES, FAR), "renewal_on", "lost") == [(day("2025-08-30"), None)]


def test_an_account_that_left_twice_counts_at_the_first_day() -> None:
    outcomes = outcomes_of(("a", "2025-06-01", "lost"), ("a", "2025-12-01", "lost"))
    rows = month_rows(months_of(*firsts(2025)), outcomes, RULES, FAR)
    assert labels(rows, "as_of")[-1] == (day("2025-05-01"),)
    found = {each.what: each for each in inspect(Labels(months_of(*firsts(2025)), outcomes, RULES, FAR)).findings}
    assert found["left_again"].accounts == ("a",)


def test_who_left_before_its_first_month_and_left_again_had_come_back() -> None:
    months = months_of(*firsts(2025, "a"), *firsts(2025, "b"))
    outcomes = outcomes_of(("a", "2023-06-01", "lost"), ("a", "2025-08-15", "lost"), ("b", "2023-06-01", "lost"))
    rows = month_rows(months, outcomes, RULES, FAR)
    assert set(rows["account_id"]) == {"a"}  # nothing says that b came back: its months may be those of no customer
    assert rows["as_of"].max() == day("2025-08-01")
    found = {each.what: each.accounts for each in inspect(Labels(months, outcomes, RULES, FAR)).findings}
    assert (found["left_again"], found["before_first_month"]) == (("a",), ("b",))


def test_who_left_without_ever_a_churn_risk_is_one_that_nobody_could_have_foretold() -> None:
    months = months_of(*firsts(2025, "a"), *firsts(2025, "b"))
    rated = pl.when(pl.col("account_id") == "a").then(20.0)
    outcomes = outcomes_of(("a", "2025-08-15", "lost"), ("b", "2025-08-15", "lost"))
    report = inspect(Labels(months.with_columns(churn_risk_score=rated), outcomes, RULES, FAR))
    assert (report.departures, report.without_month, report.without_score) == (2, 0, 1)
    assert {each.what: each.accounts for each in report.findings}["without_score"] == ("b",)


def test_what_cannot_be_used_is_counted_and_named() -> None:
    months = months_of(*firsts(2025, "a"), *firsts(2025, "b"), ("late", "2025-09-01", None))
    outcomes = outcomes_of(
        ("early", "2024-06-01", "lost"),
        ("stranger", "2025-06-01", "lost"),
        ("late", "2025-08-01", "lost"),
        ("a", "2025-11-01", "lost"),
        ("a", "2025-11-01", "lost"),
        ("b", "2026-06-01", "renewed"),
    )
    report = inspect(Labels(months, outcomes, RULES, day("2026-01-01")))
    assert (report.accounts, report.months, report.outcomes) == (3, 25, 6)
    # stranger, late and a left in the time of the months; nobody could foretell the first two
    assert (report.losses, report.departures, report.strangers) == (5, 2, 1)
    assert (report.without_month, report.before_first_month) == (2, 1)
    assert {found.what: (found.count, found.accounts) for found in report.findings} == {
        "duplicate": (1, ("a",)),
        "unknown_account": (2, ("early", "stranger")),
        "not_yet_known": (1, ("b",)),
        "before_first_month": (1, ("early",)),
        "without_month": (2, ("late", "stranger")),
        "months_after_leaving": (2, ("a", "late")),
    }


def test_a_departure_that_no_month_looks_ahead_to_is_not_one_without_a_score() -> None:
    """It lies further after the last month than the horizon: no score of these months could speak of it."""
    months = months_of(*firsts(2025, "a"), *firsts(2025, "b"))
    last, ahead = months["as_of"].max(), timedelta(days=RULES.horizon_days)
    for days, counted in ((0, 1), (1, 0)):
        left_on = str(last + ahead + timedelta(days=days))
        report = inspect(Labels(months, outcomes_of(("joined later", left_on, "lost")), RULES, FAR))
        assert (report.departures, report.strangers, report.without_month) == (0, counted, counted)


def test_without_any_month_or_outcome_there_are_no_rows_and_nothing_is_found() -> None:
    assert renewal_rows(months_of(), outcomes_of(), RULES, FAR).is_empty()
    assert month_rows(months_of(), outcomes_of(), RULES, FAR).is_empty()
    assert inspect(Labels(months_of(), outcomes_of(), RULES, FAR)).findings == ()
    assert inspect(Labels(months_of(), outcomes_of(("a", "2025-06-01", "lost")), RULES, FAR)).departures == 0


# --- laws -----------------------------------------------------------------------------------------------------

START = date(2024, 1, 1)
DAYS = st.integers(0, 900).map(lambda days: START + timedelta(days=days))


def departures(months: pl.DataFrame, left: list[tuple[str, date]]) -> dict[str, date]:
    """Of each account the first day of leaving after its first month; where there is none, the first of all."""
    found = {}
    for account, _ in left:
        days = sorted(on for other, on in left if other == account)
        begun = months.filter(pl.col("account_id") == account)["as_of"].min()
        found[account] = next((on for on in days if begun is not None and on > begun), days[0])
    return found


def naive(as_of: date, lost: list[date], known_until: date, horizon: int) -> bool | None:
    if as_of + timedelta(days=horizon) > known_until:
        return None
    return any(as_of < on <= as_of + timedelta(days=horizon) for on in lost)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), DAYS), max_size=12, unique=True),
    st.lists(st.tuples(st.sampled_from("abcd"), DAYS), max_size=4),
    DAYS,
    st.integers(1, 200),
)
def test_labels_of_months_are_those_of_the_definition(
    seen: list[tuple[str, date]], left: list[tuple[str, date]], known_until: date, horizon: int
) -> None:
    months = pl.DataFrame(seen, schema={"account_id": pl.String, "as_of": pl.Date}, orient="row")
    outcomes = outcomes_of(*((account, on.isoformat(), "lost") for account, on in left))
    rows = month_rows(months, outcomes, LabelRules(horizon), known_until)
    first = departures(months, left)
    expected = [
        (account, as_of, naive(as_of, [first[account]] if account in first else [], known_until, horizon))
        for account, as_of in seen
        if account not in first or as_of < first[account]
    ]
    assert labels(rows, "account_id", "as_of", "lost") == expected


@given(
    st.lists(st.tuples(st.sampled_from("ab"), DAYS, st.none() | st.integers(-50, 500)), max_size=12),
    st.lists(st.tuples(st.sampled_from("ab"), DAYS), max_size=2),
    st.integers(0, 120),
)
def test_a_departure_chooses_no_row_of_a_renewal_and_moves_none(
    seen: list[tuple[str, date, int | None]], left: list[tuple[str, date]], lead: int
) -> None:
    """It labels rows that are there without it, or takes away those of renewals that the account never came to."""
    once = {(account, on): days for account, on, days in seen}
    months = months_of(*((account, on.isoformat(), days) for (account, on), days in once.items()))
    dates = [days for days in once.values() if days is not None]
    rules, key = LabelRules(lead_days=lead), ("account_id", "as_of", "renewal_on")
    outcomes = outcomes_of(*((account, on.isoformat(), "lost") for account, on in left))
    kept, rows = (renewal_rows(months, each, rules, FAR) for each in (outcomes_of(), outcomes))
    first = departures(months, left)
    assume(not any(first.get(account) == on - timedelta(days=lead) for account, _, on in labels(kept, *key)))
    expected = [
        (account, as_of, on, account in first and abs((first[account] - on).days) <= rules.grace_days)
        for account, as_of, on in labels(kept, *key)
        if account not in first or first[account] >= on - timedelta(days=min(lead, rules.grace_days))
    ]
    if dates:
        assert labels(rows, *key, "lost") == expected
