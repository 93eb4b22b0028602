"""What became known of customers, and when a month was first measured, stays in a state until somebody is erased."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from accountpulse.core.period import Period
from accountpulse.core.records import MERGES, OUTCOMES
from accountpulse.state import State

OCTOBER = Period(2026, 10)


def outcomes(*rows: tuple[str, str, str], origin: str = "contracts", known: str = "2026-11-01") -> pl.DataFrame:
    """Outcomes: account, day, kind."""
    named = [
        {
            "account_id": account,
            "happened_on": date.fromisoformat(day),
            "kind": kind,
            "known_at": date.fromisoformat(known),
            "origin": origin,
        }
        for account, day, kind in rows
    ]
    return pl.DataFrame(named, schema=OUTCOMES)


def merges(*pairs: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(pairs), schema=MERGES, orient="row")


def said(state: State) -> list[tuple[Any, ...]]:
    return state.outcomes.said().select("account_id", "happened_on", "kind", "origin").rows()


def of_a_month(*accounts: str) -> pl.DataFrame:
    stamp = datetime(2026, 11, 3, tzinfo=UTC)
    return pl.DataFrame({"account_id": accounts}).with_columns(measured_at=pl.lit(stamp), reconstructed=False)


# --- outcomes --------------------------------------------------------------------------------------------------


def test_what_is_read_again_replaces_what_was_said_of_the_accounts_that_are_there(root: str) -> None:
    state = State(root)
    first = outcomes(("A", "2026-05-31", "lost"), ("B", "2026-05-31", "lost"), ("GONE", "2026-05-31", "lost"))
    state.outcomes.keep(first, ["A", "B", "GONE"])
    again = outcomes(("A", "2026-06-30", "lost"), ("C", "2026-01-01", "renewed"))
    state.outcomes.keep(again, ["A", "B", "C"])  # A is dated anew, B was taken back, GONE can't be seen any more
    assert said(State(root)) == [
        ("A", date(2026, 6, 30), "lost", "contracts"),
        ("C", date(2026, 1, 1), "renewed", "contracts"),
        ("GONE", date(2026, 5, 31), "lost", "contracts"),
    ]


def test_what_is_older_than_the_reading_and_ways_that_say_nothing_now_stay(root: str) -> None:
    state = State(root)
    state.outcomes.keep(outcomes(("A", "2020-05-31", "renewed"), ("B", "2026-05-31", "lost")), ["A", "B"])
    state.outcomes.keep(outcomes(("A", "2026-05-31", "lost"), origin="arr"), ["A", "B"])
    state.outcomes.keep(outcomes(("B", "2026-05-31", "lost")), ["A", "B"])
    assert said(state) == [
        ("A", date(2020, 5, 31), "renewed", "contracts"),
        ("A", date(2026, 5, 31), "lost", "arr"),
        ("B", date(2026, 5, 31), "lost", "contracts"),
    ]


def test_the_day_from_which_an_outcome_was_known_stays_the_first(root: str) -> None:
    state = State(root)
    state.outcomes.keep(outcomes(("A", "2026-05-31", "lost"), known="2026-06-02"), ["A"])
    state.outcomes.keep(outcomes(("A", "2026-05-31", "lost"), known="2026-09-09"), ["A"])
    assert state.outcomes.said()["known_at"].to_list() == [date(2026, 6, 2)]


def test_a_table_is_kept_beside_it_in_place_of_the_one_before(root: str) -> None:
    state = State(root)
    state.outcomes.keep(outcomes(("A", "2026-05-31", "lost")), ["A"])
    assert state.outcomes.import_table(outcomes(("A", "2026-05-31", "renewed"), origin="table")) == 0
    assert state.outcomes.import_table(outcomes(("B", "2026-05-31", "lost"), origin="table")) == 1
    assert state.outcomes.imported()["account_id"].to_list() == ["B"]
    assert said(state) == [("A", date(2026, 5, 31), "lost", "contracts")]


def test_merges_are_followed_to_the_last_account_and_are_never_lost(root: str) -> None:
    state = State(root)
    state.outcomes.keep_merges(merges(("A", "B")))
    state.outcomes.keep_merges(merges(("B", "C")))  # the bin no longer has A
    assert State(root).outcomes.survivors() == {"A": "C", "B": "C"}
    state.outcomes.keep_merges(merges(("C", "A")))  # which no org can mean
    assert set(state.outcomes.survivors()) == {"A", "B", "C"}


def test_an_empty_state_knows_of_nobody(root: str) -> None:
    state = State(root)
    state.outcomes.keep(outcomes(), [])
    assert list(state.files.names("")) == []
    assert (said(state), state.outcomes.survivors(), state.history.forgotten()) == ([], {}, {})
    assert state.outcomes.said().schema == pl.Schema(OUTCOMES)


# --- first months ----------------------------------------------------------------------------------------------


def test_a_first_month_is_kept_once(root: str) -> None:
    history = State(root).history
    assert history.first(OCTOBER) is None
    assert history.save_first(OCTOBER, of_a_month("A"), of_a_month("A"))
    assert not history.save_first(OCTOBER, of_a_month("B"), of_a_month("B"))
    first = State(root).history.first(OCTOBER)
    assert first is not None
    assert first.metrics.equals(of_a_month("A"))
    assert first.scores.equals(of_a_month("A"))
    assert history.first_periods() == ["2026-10"]
    assert history.periods() == []  # what is shown as today's view is kept apart


def test_a_first_month_without_scores_was_never_finished(root: str) -> None:
    state = State(root)
    state.files.write_table("history/first/metrics/period=2026-10/metrics.parquet", of_a_month("HALF"))
    assert state.history.first(OCTOBER) is None
    assert state.history.save_first(OCTOBER, of_a_month("A"), of_a_month("A"))
    first = state.history.first(OCTOBER)
    assert first is not None
    assert first.metrics["account_id"].to_list() == ["A"]


def test_a_damaged_first_month_is_set_aside_and_reported(root: str) -> None:
    state = State(root)
    state.history.save_first(OCTOBER, of_a_month("A"), of_a_month("A"))
    state.files.store.write("history/first/scores/period=2026-10/scores.parquet", b"PAR1 no more")
    assert state.history.first(OCTOBER) is None
    assert "history/first/scores" in state.files.notes[0]


def test_who_is_forgotten_is_nowhere_but_is_counted(root: str) -> None:
    state = State(root)
    for month in (9, 10):
        state.history.save_first(Period(2026, month), of_a_month("GONE", "STAYS"), of_a_month("GONE", "STAYS"))
    state.history.save_first(Period(2026, 8), of_a_month("TWICE", "STAYS"), of_a_month("TWICE", "STAYS"))
    told = outcomes(("GONE", "2026-05-31", "lost"), ("STAYS", "2026-05-31", "lost"))
    state.outcomes.keep(told, ["GONE", "STAYS"])
    state.outcomes.import_table(told)
    state.outcomes.keep_merges(merges(("TWICE", "GONE"), ("OTHER", "STAYS")))
    assert state.forget("GONE") == 2 * 2 + 2 + 1 + 1 + 1
    for name in state.files.names(""):
        if name.endswith(".parquet"):
            text = str(state.files.read_table(name))
            assert "GONE" not in text, name
            assert "TWICE" not in text, name
            assert "STAYS" in text, name
    assert state.history.forgotten() == {"2026-08": 1, "2026-09": 1, "2026-10": 1}
    assert state.forget("GONE") == 0
    assert state.history.forgotten() == {"2026-08": 1, "2026-09": 1, "2026-10": 1}
