"""Outcomes in a table of one's own: what is read, and what is refused with its line."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from accountpulse.core.errors import UsageError
from accountpulse.core.records import OUTCOMES
from accountpulse.core.tables import LINE, GivenTable
from accountpulse.proof.outcome_table import OutcomeTable, outcomes_in


def read(**columns: list[object]) -> OutcomeTable:
    return outcomes_in(given(pl.DataFrame(columns)))


def given(frame: pl.DataFrame) -> GivenTable:
    return GivenTable("left.csv", "csv", frame.with_row_index(LINE, offset=2))


def refusal(**columns: list[object]) -> str:
    with pytest.raises(UsageError) as caught:
        read(**columns)
    return str(caught.value)


def test_outcomes_are_read_with_their_amounts() -> None:
    table = read(
        account_id=[" a ", "b"], date=["2026-03-31", "2026-04-01"], kind=["lost", "Renewed"], arr_lost=["10.5", None]
    )
    assert table.rows.schema == pl.Schema(OUTCOMES)
    assert table.rows.select("account_id", "happened_on", "kind", "arr_lost", "origin", "doubt").rows() == [
        ("a", date(2026, 3, 31), "lost", 10.5, "table", None),
        ("b", date(2026, 4, 1), "renewed", None, "table", None),
    ]
    assert table.notes == ()


def test_a_parquet_file_may_have_days_or_midnights() -> None:
    for given in (
        [date(2026, 3, 31)],
        [datetime(2026, 3, 31, tzinfo=UTC)],
        ["2026-03-31T00:00:00"],
        ["2026-03-31 00:00:00"],
    ):
        assert read(account_id=["a"], date=given, kind=["lost"]).rows["happened_on"].to_list() == [date(2026, 3, 31)]


def test_a_parquet_files_midnight_is_the_day_there_and_another_time_of_day_is_none() -> None:
    berlin = pl.Series([date(2026, 3, 31)]).cast(pl.Datetime).dt.replace_time_zone("Europe/Berlin")
    assert read(account_id=["a"], date=berlin, kind=["lost"]).rows["happened_on"].to_list() == [date(2026, 3, 31)]
    assert "is not a day such as 2026-03-31" in refusal(
        account_id=["a"], date=[datetime(2026, 3, 31, 15, 0, tzinfo=UTC)], kind=["lost"]
    )
    assert "Duration(time_unit='us') is no kind of date" in refusal(
        account_id=["a"], date=[timedelta(days=3)], kind=["lost"]
    )


def test_a_day_to_come_and_one_of_long_ago_are_refused_where_they_would_be_kept() -> None:
    frame = pl.DataFrame({"account_id": ["a", "b"], "date": ["2027-05-01", "0200-01-01"], "kind": ["lost"] * 2})
    with pytest.raises(UsageError) as caught:
        outcomes_in(given(frame), today=date(2026, 11, 30))
    assert str(caught.value).splitlines()[1:] == [
        "  - date: 2027-05-01 is a day to come: give it once it has happened (line 2)",
        "  - date: 0200-01-01 lies before 1990 (line 3)",
    ]
    assert outcomes_in(given(frame)).rows.height == 2


def test_dates_in_another_format_are_refused_with_their_lines() -> None:
    text = refusal(account_id=["a", "b", "c"], date=["2026-03-31", "03/04/2026", "2026-02-30"], kind=["lost"] * 3)
    told = "'03/04/2026' is not a day such as 2026-03-31 (lines 3, 4); all days of a column must be written in one way"
    assert text == f"left.csv:\n  - date: {told}"
    (told,) = refusal(account_id=["a"], date=["03/04/2026"], kind=["lost"]).splitlines()[1:]
    assert told.endswith("(line 2); no number of the column is above 12 and says which one is the day")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = refusal(
        account_id=["", "b", "c", "d"],
        date=["2026-03-31", None, "2026-03-31", "2026-03-31"],
        kind=["lost", "lost", "churned", None],
        arr_lost=["1", "2", "3", "-4"],
    )
    assert text.splitlines() == [
        "left.csv:",
        "  - account_id: empty in line 2",
        "  - date: empty in line 3",
        "  - kind: 'churned' is none of lost, contraction, renewed (line 4)",
        "  - kind: empty is none of lost, contraction, renewed (line 5)",
        "  - arr_lost: not a plain number such as 1234.5, 0 or more, in line 5",
    ]


def test_many_lines_are_counted() -> None:
    text = refusal(account_id=["a"] * 9, date=["3/4/2026"] * 9, kind=["lost"] * 9)
    assert "(lines 2, 3, 4, 5, 6 and 4 more)" in text


def test_a_table_without_its_columns_or_rows_is_refused() -> None:
    assert "there is no column kind" in refusal(account_id=["a"], date=["2026-03-31"])
    assert "there is no column date" in refusal(account_id=["a"], day=["2026-03-31"], kind=["lost"])
    assert "there is no outcome in it" in refusal(account_id=[], date=[], kind=[])


def test_the_same_outcome_twice_counts_once_and_is_named() -> None:
    table = read(account_id=["a", "a", "b"], date=["2026-03-31"] * 3, kind=["lost"] * 3, arr_lost=["1", "1", "2"])
    assert table.rows.select("account_id", "arr_lost").rows() == [("a", 1.0), ("b", 2.0)]
    assert table.notes == ("left.csv: 1 row says again what another says (a); it counts once",)


def test_different_amounts_for_one_outcome_are_no_amount() -> None:
    table = read(account_id=["a", "a"], date=["2026-03-31"] * 2, kind=["lost"] * 2, arr_lost=["1", "2"])
    assert table.rows["arr_lost"].to_list() == [None]
    assert "different arr_lost for one outcome (a); it counts as not known" in table.notes[1]
