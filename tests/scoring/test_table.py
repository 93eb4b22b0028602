import csv
import io
from datetime import UTC, date, datetime

import polars as pl
import pytest
import yaml

from accountpulse.core import tables
from accountpulse.core.errors import UsageError
from accountpulse.scoring import table
from accountpulse.scoring.scorecard import Scorecard, default, default_text, load
from accountpulse.scoring.table import last_date, pillars_in

CARD = default(("ops",))
write_table = tables.write


def read_table(data: bytes, name: str, card: Scorecard) -> pl.DataFrame:
    return table.read_table(tables.read(data, name), card).rows


def unknown_columns_in(data: bytes, name: str, card: Scorecard) -> list[str]:
    return table.unknown_columns_in(tables.read(data, name), card)


def told(data: bytes, name: str = "m.csv") -> str:
    with pytest.raises(UsageError) as caught:
        read_table(data, name, CARD)
    return str(caught.value)


def test_a_table_is_read_with_empty_cells_as_not_known():
    head = "\ufeffaccount_id,account_name,seats,mau,csat_score_reason,pillar_ops\n"
    data = f"{head} A1 ,Ärger & Co,120, 31 ,,5e1\nA2,,,,no_evidence,\n".encode()
    frame = read_table(data, "m.CSV", CARD)
    assert frame.to_dicts() == [
        {
            "account_id": "A1",
            "account_name": "Ärger & Co",
            "seats": 120.0,
            "mau": 31.0,
            "csat_score_reason": None,
            "pillar_ops": 50.0,
        },
        {
            "account_id": "A2",
            "account_name": None,
            "seats": None,
            "mau": None,
            "csat_score_reason": "no_evidence",
            "pillar_ops": None,
        },
    ]
    assert pillars_in(tables.read(data, "m.csv")) == ("ops",)


def test_a_row_that_is_longer_than_its_heading_is_told_with_its_line():
    data = b'account_id,mau\n"A\nB",1\nC,1,200\n'
    assert "line 4 has 3 cells, the heading 2; a comma inside a value needs quotes" in told(data)


def test_every_wrong_number_is_told_with_its_column_and_lines():
    rows = [
        "account_id,account_name,mau,csat_score,arr",
        'A,"two\nlines","1,234.0",12%,1',
        "B,,NaN,5,inf",
        "C,,7,,1e999",
        ",,,,",
    ]
    assert told("\n".join(rows).encode()) == (
        "m.csv:\n"
        "  - mau: not a plain number such as 1234.5 in line 4 ('NaN')\n"
        "  - csat_score: '12%' in line 2 has a per cent sign, '5' in line 4 has none: give it to all or to none\n"
        "  - arr: not a plain number such as 1234.5 in lines 4, 5 ('inf')"
    )


def test_an_account_needs_an_id_and_stands_there_once():
    text = told(b"account_id,mau\nA,1\n  ,2\nA ,3\nB,4\n")
    assert "account_id: empty in line 3" in text
    assert "account A stands in lines 2, 4" in text
    many = b"account_id,mau\n" + b"".join(b",%d\n" % n for n in range(9))
    assert "empty in lines 2, 3, 4, 5, 6 and 4 more" in told(many)


def test_an_id_that_a_spreadsheet_shortened_is_refused_wherever_its_column_stands():
    text = told(b"account_name,mau,account_id\n1.5E+17,3,1.23457E+14\n")
    assert text.startswith(
        "m.csv:\n  - account_id: '1.23457E+14' in line 2 is what a spreadsheet made of a long number"
    )


def test_an_account_stands_once_on_each_date():
    frame = read_table(b"account_id,as_of,mau\nA,2026-10-01,1\nA, 2026-11-01 ,2\nB,2026-10-01,3\n", "m.csv", CARD)
    assert frame["as_of"].to_list() == [date(2026, 10, 1), date(2026, 11, 1), date(2026, 10, 1)]
    assert last_date(frame) == date(2026, 11, 1)
    text = told(b"account_id,as_of,mau\nA,2026-10-01,1\nA,2026-11-01,2\nA ,2026-10-01,3\n")
    assert text == "m.csv:\n  - account A of 2026-10-01 stands in lines 2, 4"


def test_dates_in_two_formats_and_rows_without_one_are_told_with_their_lines():
    days = ("2026-10-01", "01.10.2026", "2026-02-30", "", "2026-1-1", "2026-10-01 09:30")
    data = "\n".join(["account_id,as_of,mau", *(f"A{n},{day},1" for n, day in enumerate(days))]).encode()
    assert told(data) == (
        "m.csv:\n  - as_of: empty in line 5\n  - as_of: not a date such as 2026-10-31 in lines 3, 4, 6, 7 "
        "('01.10.2026'; all days of a column must be written in one way)"
    )


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("us"), pl.Datetime("ms", "UTC"), pl.String])
def test_dates_of_a_parquet_table_may_be_dates_midnights_or_texts(kind):
    days = pl.Series("as_of", [date(2026, 10, 1), date(2026, 11, 1)]).cast(kind)
    target = io.BytesIO()
    pl.DataFrame({"account_id": ["A", "A"], "as_of": days, "mau": [1, 2]}).write_parquet(target)
    assert read_table(target.getvalue(), "m.parquet", CARD)["as_of"].to_list() == [date(2026, 10, 1), date(2026, 11, 1)]


@pytest.mark.parametrize(
    ("day", "why"), [(datetime(2026, 10, 1, 9, tzinfo=UTC), "not a date"), (20261001, "Int64 is no kind of")]
)
def test_a_time_of_day_or_a_number_is_no_date(day, why):
    target = io.BytesIO()
    pl.DataFrame({"account_id": ["A"], "as_of": [day], "mau": [1]}).write_parquet(target)
    assert f"as_of: {why}" in told(target.getvalue(), "m.parquet")


def test_a_column_that_is_given_twice_is_refused():
    assert "column 'mau' is given twice" in told(b"account_id,mau,mau\nA,3,4\n")


def test_unknown_columns_are_told_with_the_nearest_name_and_left_out():
    data = b"account_id,mua,mau,nps,owner,,mau_reason\nA,text,3,4,x,y,\n"
    assert unknown_columns_in(data, "m.csv", CARD) == [
        "m.csv: column 'mua' is no metric; did you mean 'mau'?; it is not read",
        "m.csv: column 'nps' is no metric; declare it under metrics: in the scorecard, or leave it out; it is not read",
    ]
    assert read_table(data, "m.csv", CARD).to_dicts() == [{"account_id": "A", "mau": 3.0, "mau_reason": None}]
    own = load(
        "name: o\nmetrics: {nps: {label: NPS, unit: points}}\ntiers: [{name: A, min: 0}]\n"
        "groups: {a: {weight: 1, metrics: {nps: {weight: 1, anchors: [[0, 0], [9, 9]]}}}}\n",
        "o.yaml",
    )
    assert unknown_columns_in(b"account_id,nps\nA,4\n", "m.csv", own) == []
    assert read_table(b"account_id,nps\nA,4\n", "m.csv", own)["nps"].to_list() == [4.0]


def test_semicolons_and_tabs_separate_too_and_then_a_comma_is_a_decimal_one():
    for data in ("account_id;arr;dau\nA;1,5;\nB;-2e3;7\n", "account_id\tarr\tdau\nA\t1,5\t\nB\t-2e3\t7\n"):
        frame = read_table(("\ufeff" + data).encode(), "m.csv", CARD)
        assert frame["arr"].to_list() == [1.5, -2000.0]
        assert frame["dau"].to_list() == [None, 7.0]
    assert read_table(b"account_id;mau\nA;1.5\n", "m.csv", CARD)["mau"].to_list() == [1.5]
    assert "mau: '1.234' in line 2 may mean 1.234 or 1234" in told(b"account_id;mau;dau\nA;1.234;5,5\n")
    assert "mau: not a plain number" in told(b"account_id;mau\nA;1,234,5\n")
    assert told(b"account_id;account_name\nA;x, y\nA;z.\n").endswith("account A stands in lines 2, 3")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \n", "the file is empty"),
        (b"account_id,mau\n", "there is no account in it"),
        (b"account_id,mau\n,\n", "there is no account in it"),
        (b"accountid,mau\nA,1\n", "no column account_id; is it 'accountid'?"),
        (b"id|mau\nA|1\n", "no column account_id"),
        (b"account_id,account_name\nA,\x81\n", "line 2 is not UTF-8"),
        (b"account_id,mau\nA,1,2\n", "line 2 has 3 cells, the heading 2"),
    ],
)
def test_what_is_no_table_is_refused(data, text):
    assert text in told(data)


def test_the_ending_says_what_a_file_is():
    assert ".csv, .xlsx or .parquet" in told(b"", "m.ods")
    assert "no .xlsx file" in told(b"account_id\n", "m.xlsx")
    assert "no Parquet file" in told(b"account_id\n", "m.parquet")


def test_parquet_is_checked_like_csv():
    def parquet(frame: pl.DataFrame) -> bytes:
        target = io.BytesIO()
        frame.write_parquet(target)
        return target.getvalue()

    good = parquet(pl.DataFrame({"account_id": ["A"], "mau": [3], "dau": [None]}))
    assert read_table(good, "m.parquet", CARD).to_dicts() == [{"account_id": "A", "mau": 3.0, "dau": None}]
    bad = parquet(pl.DataFrame({"account_id": ["A", "A"], "mau": [1.0, float("nan")], "dau": [True, False]}))
    text = told(bad, "m.parquet")
    assert "mau: not a plain number such as 1234.5 in row 2" in text
    assert "dau: Boolean is no kind of number" in text
    assert "account A stands in rows 1, 2" in text


def test_no_cell_of_a_csv_runs_in_a_spreadsheet():
    texts = ["=1+1", " @x", "\tcmd", "-x", "＝A1", "\u00a0+y", "-5", "+1.5e3", "a=b", None]
    frame = pl.DataFrame({"account_id": [f"A{n}" for n in range(len(texts))], "tier": texts, "health_score": -5.25})
    back = pl.read_csv(io.BytesIO(write_table(frame, "o.csv")), infer_schema=False)
    assert back["tier"].to_list() == [
        "'=1+1",
        "' @x",
        "'\tcmd",
        "'-x",
        "'＝A1",
        "'\u00a0+y",
        "-5",
        "+1.5e3",
        "a=b",
        None,
    ]
    assert set(back["health_score"]) == {"-5.25"}


def test_no_part_of_a_cell_runs_where_semicolons_separate():
    texts = ["Foo;=1+1;bar", 'Foo; "@x', "Foo\n-x", "A; B", "'; =x"]
    frame = pl.DataFrame({"account_id": ["A"] * 5, "account_name": texts})
    data = write_table(frame, "o.csv")
    opened = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=";")  # as a German office program does
    assert not [cell for row in opened for cell in row if cell.lstrip(' "').startswith(("=", "@", "-"))]
    assert tables.read(data, "o.csv").frame["account_name"].to_list() == texts


def test_drivers_are_joined_in_csv_and_stay_a_list_in_parquet():
    frame = pl.DataFrame({"account_id": ["A", "B"], "drivers": [["mau", "dau"], []]})
    assert write_table(frame, "o.csv") == b"account_id,drivers\nA,mau; dau\nB,\n"
    assert pl.read_parquet(io.BytesIO(write_table(frame, "o.parquet"))).equals(frame)


@pytest.mark.parametrize(
    ("column", "given", "told_of"),
    [
        ("csat_score", ["87.4", "8000", "-1"], "csat_score: not between 0 and 100 in lines 3, 4 (8000)"),
        ("pillar_ops", ["8740", "", "50"], "pillar_ops: not between 0 and 100 in line 2 (8740)"),
        ("open_bugs", ["0", "-3", "2"], "open_bugs: below 0 in line 3 (-3)"),
        ("median_resolution_seconds", ["0", "2.5", "-0.5"], "median_resolution_seconds: below 0 in line 4 (-0.5)"),
        ("seats", ["-5", "0", "1"], "seats: below 0 in line 2 (-5)"),
    ],
)
def test_a_value_that_its_unit_rules_out_is_said_with_its_line(column: str, given: list[str], told_of: str):
    rows = "".join(f"A{n},{value}\n" for n, value in enumerate(given))
    card = load(default_text(), "default.yaml", ("ops",))
    found = table.read_table(tables.read(f"account_id,{column}\n{rows}".encode(), "m.csv"), card)
    assert found.notes == (f"m.csv: {told_of}; scored as it is",)


def test_values_at_the_edge_and_changes_and_overdue_renewals_of_any_size_are_read_without_a_word():
    head = "account_id,csat_score,open_bugs,arr_trajectory_pct,mau_trend_pct,days_to_renewal\n"
    found = table.read_table(tables.read(f"{head}A,100,0,250,-100,-40\nB,0,1,-100,900,7305\n".encode(), "m.csv"), CARD)
    assert found.rows.height == 2
    assert found.notes == ()


def test_a_value_that_is_hardly_meant_is_scored_and_said():
    given = tables.read(b"account_id,days_to_renewal,arr\nA,30,5\nB,46327,-5\n", "m.csv")
    assert table.read_table(given, CARD).notes == (
        (
            "m.csv: days_to_renewal: more than 20 years from today, perhaps a date's own number, in line 3 (46327); "
            "scored as it is"
        ),
        "m.csv: arr: below 0 in line 3 (-5); scored as it is",
    )


def test_own_figures_may_be_anything_and_those_far_outside_their_anchors_are_said():
    content = yaml.safe_load(default_text())
    content["metrics"] = {name: {"label": name, "unit": unit} for name, unit in (("nps", "points"), ("grr", "percent"))}
    group = {
        "nps": {"weight": 1, "anchors": [[0, 0], [10, 100]]},
        "grr": {"weight": 1, "anchors": [[80, 0], [120, 100]]},
    }
    content["groups"]["support"]["metrics"] |= group
    card = load(yaml.safe_dump(content), "own.yaml")
    given = tables.read(b"account_id,nps,grr\nA,900,130\nB,-40,-5\n", "m.csv")
    assert table.read_table(given, card).notes == (
        "m.csv: nps: far outside its anchors, 0 to 10, in line 2 (900); scored as it is",
    )


@pytest.mark.parametrize(
    ("column", "meant"),
    [("CSAT", "csat_score"), ("Monthly Active Users", "mau"), ("daily active user", "dau"), ("mua", "mau")],
)
def test_a_column_is_known_by_a_metrics_label_too(column: str, meant: str):
    (line,) = unknown_columns_in(f"account_id,{column}\nA,4\n".encode(), "m.csv", CARD)
    assert f"did you mean {meant!r}?" in line


@pytest.mark.parametrize("column", ["day", "dad", "arc"])
def test_a_short_word_that_only_shares_letters_with_a_metric_is_not_taken_for_it(column: str):
    (line,) = unknown_columns_in(f"account_id,{column}\nA,4\n".encode(), "m.csv", CARD)
    assert "did you mean" not in line
