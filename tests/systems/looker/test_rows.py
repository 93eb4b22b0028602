"""Taking rows apart piece by piece gives what the whole text holds, however the pieces fall."""

import json
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as some

from accountpulse.systems.looker.rows import Kind, NotRows, ResultRows

WANTED: dict[str, Kind] = {"v.account": "key", "v.day": "day", "v.users": "count"}
ROW = {"v.account": "a", "v.day": "2026-10-01", "v.users": 1}

names = some.text(alphabet=some.sampled_from('ab}{][",:\\ \né€😀'), max_size=12)
rows = some.lists(
    some.fixed_dictionaries(
        {
            "v.account": some.none() | names,
            "v.day": some.none() | some.dates(date(1970, 1, 1), date(2100, 1, 1)).map(date.isoformat),
            "v.users": some.none() | some.integers(-(2**62), 2**62),
        },
        optional={"other": some.none() | names | some.floats(allow_nan=False, allow_infinity=False)},
    ),
    max_size=12,
)


def taken(text: bytes, wanted: dict[str, Kind] = WANTED, pieces: int = 7, batch: int = 1) -> ResultRows:
    reader = ResultRows(wanted, batch)
    for start in range(0, len(text), pieces):
        reader.feed(text[start : start + pieces])
    reader.close()
    return reader


def column(reader: ResultRows, name: str) -> pl.Series:
    return reader.spool.lazy().collect()[name]


def values(reader: ResultRows) -> list[list[Any]]:
    return [column(reader, name).to_list() for name in reader.wanted]


@given(
    rows=rows,
    between=some.sampled_from([",", ",\n", " ,\r\n "]),
    ascii_only=some.booleans(),
    pieces=some.integers(1, 200),
    batch=some.sampled_from([1, 30, 1000]),
)
def test_however_the_pieces_fall_the_rows_are_those_of_the_whole_text(
    rows: list[dict[str, Any]],
    between: str,
    ascii_only: bool,  # noqa: FBT001
    pieces: int,
    batch: int,
) -> None:
    text = " [" + between.join(json.dumps(row, ensure_ascii=ascii_only) for row in rows) + "]\n"
    reader = taken(text.encode(), pieces=pieces, batch=batch)
    assert reader.count == len(rows)
    assert values(reader) == [
        [row["v.account"] for row in rows],
        [row["v.day"] and date.fromisoformat(row["v.day"]) for row in rows],
        [row["v.users"] for row in rows],
    ]
    assert not reader.lacking | reader.unfit
    assert reader.last == (tuple(rows[-1][name] for name in WANTED) if rows else ())


@given(rows=rows.filter(bool), cut=some.integers(1, 400), pieces=some.integers(1, 100))
def test_an_answer_that_breaks_off_is_never_taken_for_a_shorter_one(
    rows: list[dict[str, Any]], cut: int, pieces: int
) -> None:
    text = json.dumps(rows).encode()
    with pytest.raises(NotRows):
        taken(text[: -min(cut, len(text))], pieces=pieces)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not JSON"),
        ("<html>the proxy's page</html>", "not JSON"),
        ("null", "not a list"),
        ('"text"', "not a list"),
        ('{"rows": [], "metadata": {}}', "not a list"),
        ('{"errors": [{"message": "SQL Error", "level": "error"}], "data": []}', "database refused"),
        ('{"error": "gone"}', "database refused"),
        ('[{"looker_error": "SQL Error: no such column"}]', "database refused"),
        (f'[{json.dumps(ROW)}, {{"looker_error": "the database went away"}}]', "database refused"),
        ("[1, 2]", "not a list of rows|breaks off"),
        ('[{"v.account": {"pivot": 1}, "v.day": null, "v.users": 1}]', "plain values"),
        ('[{"v.account": "a", "v.day": null, "v.users": NaN}]', "breaks off, or is not JSON"),
        (f"[{json.dumps(ROW)}, {json.dumps({'v.account': 'b'})}]", "different columns"),
        (f"[{json.dumps(ROW)}] and more", "breaks off, or is not JSON"),
    ],
)
@pytest.mark.parametrize("pieces", [3, 1000])
def test_what_is_no_list_of_rows_is_no_data(text: str, what: str, pieces: int) -> None:
    with pytest.raises(NotRows, match=what):
        taken(text.encode(), pieces=pieces)


def test_a_text_without_an_end_is_given_up_before_it_fills_the_memory() -> None:
    reader = ResultRows(WANTED)
    with pytest.raises(NotRows):
        for _ in range(64):
            reader.feed(b"x" * (1 << 20))


@pytest.mark.parametrize("before", ["[", f"[{json.dumps(ROW)},"])
def test_blanks_without_an_end_are_given_up_too(before: str) -> None:
    """They take no memory, and a packed megabyte of them takes minutes."""
    reader = ResultRows(WANTED)
    reader.feed(before.encode())
    with pytest.raises(NotRows, match="not a list of rows"):
        for _ in range(20):
            reader.feed(b" " * 2**20)


def test_rows_that_lie_deeper_than_anything_are_none() -> None:
    with pytest.raises(NotRows, match="nested too deeply"):
        taken(b'[{"v.account": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", pieces=3)


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        ("key", "001Hu00000AbCdE", "001Hu00000AbCdE"),
        ("key", 4711, "4711"),
        ("key", 4711.0, "4711"),
        ("key", None, None),
        ("text", "sso", "sso"),
        ("text", 5, "5"),
        ("day", "2026-10-31", date(2026, 10, 31)),
        ("day", "2026-10-31 00:00:00", date(2026, 10, 31)),
        ("day", "2026-10-31 00:00:00 UTC", date(2026, 10, 31)),
        ("day", "2026-10-31T00:00:00.000Z", date(2026, 10, 31)),
        ("day", None, None),
        ("month", "2026-10", date(2026, 10, 1)),
        ("month", "2026-10-01", date(2026, 10, 1)),
        ("month", None, None),
        ("count", 12, 12),
        ("count", 12.0, 12),
        ("count", "12", 12),
        ("count", "12.0", 12),
        ("count", None, None),
        ("figure", 0, 0.0),
        ("figure", -3.25, -3.25),
        ("figure", "87.5", 87.5),
        ("figure", " 87.5 ", 87.5),
        ("figure", "1.5E+2", 150.0),
        ("figure", None, None),
    ],
)
def test_values_come_as_looker_and_its_databases_write_them(kind: Kind, cell: object, expected: object) -> None:
    reader = taken(json.dumps([{"f": cell}]).encode(), {"f": kind})
    assert column(reader, "f").to_list() == [expected]
    assert not reader.unfit


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("key", 1.5),
        ("key", True),
        ("day", "2026-10-31 13:22:05"),  # a time frame that would count a user once a second
        ("day", "2026-10"),
        ("day", "31.10.2026"),
        ("day", "2026-02-30"),
        ("day", 20261031),
        ("month", "2026-10-31"),
        ("month", "October"),
        ("month", 10),
        ("count", "1,234"),
        ("count", "12 users"),
        ("count", 12.5),
        ("count", "12.5"),
        ("count", {"2026-10": 12}),
        ("count", ""),
        ("count", True),
        ("count", "1e400"),
        ("count", 2**70),
        ("figure", "12%"),
        ("figure", {"2026-10": 1.0}),
        ("text", ["sso"]),
        ("figure", "1.234,5"),
        ("figure", "nan"),
        ("figure", "inf"),
        ("figure", "٣"),
        ("figure", False),
        ("figure", "1e999"),
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(kind: Kind, cell: object) -> None:
    reader = taken(json.dumps([{"f": cell, "g": "x"}]).encode(), {"f": kind, "g": "text"})
    assert reader.unfit == {"f"}
    assert column(reader, "f").to_list() == [None]
    assert column(reader, "g").to_list() == ["x"]  # which costs no other column


def test_one_value_that_cannot_be_read_is_that_accounts_alone() -> None:
    rows = [{**ROW, "v.users": 5}, {**ROW, "v.account": "b", "v.users": "1,234"}, {**ROW, "v.account": None}]
    reader = taken(json.dumps(rows).encode())
    assert (reader.unfit, reader.unreadable) == (set(), {"v.users": {"b"}})
    assert column(reader, "v.users").to_list() == [5, None, 1]


@pytest.mark.parametrize("batch", [1, 1000])
def test_ids_that_come_as_text_and_as_numbers_are_no_ids(batch: int) -> None:
    text = json.dumps([ROW, {**ROW, "v.account": None}, {**ROW, "v.account": 17}]).encode()
    assert taken(text, batch=batch).unfit == {"v.account"}


@pytest.mark.parametrize(
    ("kind", "good", "finer"),
    [("day", "2026-10-01 00:00:00", "2026-10-01 11:22:33"), ("month", "2026-10-01", "2026-10-02")],
)
def test_one_value_of_a_finer_time_frame_says_that_all_are(kind: Kind, good: str, finer: str) -> None:
    """What falls on midnight, or on the first, only looks like a day or a month."""
    text = json.dumps([{"a": "x", "f": good}, {"a": "y", "f": finer}]).encode()
    assert taken(text, {"a": "key", "f": kind}).unfit == {"f"}


def test_columns_that_the_rows_do_not_have_are_told_with_those_that_they_have() -> None:
    reader = taken(b'[{"v.acount": "a", "v.day": null}]', {"v.account": "key", "v.day": "day"})
    assert (reader.lacking, reader.names) == ({"v.account"}, {"v.acount", "v.day"})
    assert column(reader, "v.account").dtype == pl.String


def test_no_rows_are_empty_columns_of_their_types() -> None:
    reader = taken(b"[]")
    assert [column(reader, name).dtype for name in WANTED] == [pl.String, pl.Date, pl.Int64]
    assert (reader.count, reader.lacking) == (0, set())
