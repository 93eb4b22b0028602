"""`score` and `scorecard`, as people call them, over files of every kind."""

import csv
from pathlib import Path

import polars as pl
import pytest

import office_files
from accountpulse.scoring.scorecard import default_text
from program import call, start

CARD = """name: mine
groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}
tiers: [{name: Good, min: 75}, {name: Poor, min: 0}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "card.yaml").write_text(CARD, encoding="utf-8")
    (tmp_path / "other.yaml").write_text(CARD.replace("min: 75", "min: 50"), encoding="utf-8")
    return tmp_path


def scored(folder: Path, data: bytes, *words: str, code: int = 0) -> tuple[list[dict[str, str]], str]:
    (folder / "m.csv").write_bytes(data)
    done = call(folder, "score", "--metrics", "m.csv", "--scorecard", "card.yaml", "--out", "s.csv", *words)
    assert done.exit_code == code, done.stderr
    if not (folder / "s.csv").exists():
        return [], done.stderr
    with (folder / "s.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream)), done.stderr


def test_every_column_that_was_promised_is_there_and_the_scorecard_travels_along(folder: Path) -> None:
    rows, _ = scored(folder, b"account_id,csat_score\nA,80\n")
    promised = (
        "account_id health_score health_before_caps churn_risk_score risk_z tier coverage lower_bound upper_bound "
        "a_score cap_reason not_rated_reason drivers drivers_text scorecard"
    )
    assert list(rows[0]) == promised.split()
    assert (rows[0]["health_score"], rows[0]["tier"], rows[0]["drivers"]) == ("80.0", "Good", "csat_score")
    name, content_hash = rows[0]["scorecard"].split()
    assert (name, len(content_hash)) == ("mine", 12)


def test_an_unknown_column_is_a_warning_with_the_nearest_name(folder: Path) -> None:
    rows, said = scored(folder, b"account_id,csat_score,csat_scor,owner\nA,80,text,me\n")
    assert rows[0]["health_score"] == "80.0"
    assert said == "! m.csv: column 'csat_scor' is no metric; did you mean 'csat_score'?; it is not read\n"


def test_a_table_from_a_european_spreadsheet_is_read(folder: Path) -> None:
    rows, said = scored(folder, "\ufeffaccount_id;account_name;csat_score\r\nA;Ä;80,5\r\n".encode())
    assert (rows[0]["health_score"], said) == ("80.5", "")


@pytest.mark.parametrize("name", ["german.csv", "american.csv", "german.xlsx"])
def test_what_office_programs_save_is_scored_and_told(folder: Path, name: str) -> None:
    workbook_of = office_files.workbook(money='#,##0.00 "€"', day="dd.mm.yyyy", total="Summe")
    texts = {"german.csv": office_files.GERMAN_CSV, "american.csv": office_files.AMERICAN_CSV}
    (folder / name).write_bytes(texts[name].encode("cp1252") if name in texts else workbook_of)
    done = call(folder, "score", "--metrics", name, "--scorecard", "card.yaml", "--out", "s.xlsx")
    assert done.exit_code == 0, done.stderr
    for told in ("the heading is", "9 sums up the others", "read 'Account ID' as account_id"):
        assert f"! {name}: " in done.stderr
        assert told in done.stderr
    found = pl.read_excel(folder / "s.xlsx")
    assert found.select("account_id", "account_name", "health_score", "tier").rows() == [
        ("001A", "Müller & Söhne GmbH", 81.25, "Good"),
        ("001B", "Café Zoé", 79.5, "Good"),
        ("001C", "Ørsted", None, "Not Rated"),
        ("001D", "Straße; AG", 0.0, "Poor"),
    ]
    assert found["drivers"][3] == "csat_score"
    assert found["drivers_text"][3] == "CSAT: 0 %, costs 100 points"


@pytest.mark.parametrize("out", ["s.csv", "s.xlsx", "s.parquet"])
def test_results_are_rounded_and_in_words_for_people_and_exact_for_programs(folder: Path, out: str) -> None:
    (folder / "m.csv").write_bytes(b"account_id,account_name,csat_score\nA,Acme,81.23456\n")
    done = call(folder, "score", "--metrics", "m.csv", "--scorecard", "card.yaml", "--out", out)
    assert (done.exit_code, done.stderr) == (0, "")
    reader = {"s.csv": pl.read_csv, "s.xlsx": pl.read_excel, "s.parquet": pl.read_parquet}[out]
    found = reader(folder / out)
    assert found["health_score"].item() == (81.23 if out == "s.csv" else 81.23456)
    assert ("account_name" in found.columns) == (out != "s.parquet")
    if out != "s.parquet":
        assert found["drivers_text"].item() == "CSAT: 81.2 %, costs 18.8 points"


def test_a_heading_is_known_without_its_case_and_a_near_one_is_suggested(folder: Path) -> None:
    rows, said = scored(folder, b"Account ID,CSAT score,Csat Scor\nA,80,1\n")
    assert rows[0]["health_score"] == "80.0"
    assert said == (
        "! m.csv: column 'Csat Scor' is no metric; did you mean 'csat_score'?; it is not read\n"
        "! m.csv: read 'Account ID' as account_id, 'CSAT score' as csat_score\n"
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"account_id,csat_score\nA,NaN\n", "csat_score: not a plain number such as 1234.5 in line 2"),
        (b"account_id,csat_score\nA,1\nB,inf\n", "csat_score: not a plain number such as 1234.5 in line 3"),
        (b"account_id,csat_score\nA,good\n", "csat_score: not a plain number such as 1234.5 in line 2"),
        (b"account_id,csat_score\nA,1\nA,2\n", "account A stands in lines 2, 3"),
        (b"", "the file is empty"),
        (b"account_id,csat_score\n", "there is no account in it"),
        (b"account;csat_score\nA;1\n", "there is no column account_id"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused_whole(folder: Path, data: bytes, told: str) -> None:
    rows, said = scored(folder, data, code=2)
    assert rows == []
    assert told in said
    assert "Traceback" not in said


def test_where_no_metric_of_the_scorecard_is_there_everyone_is_not_rated_and_it_ends_with_4(folder: Path) -> None:
    rows, _ = scored(folder, b"account_id,mau\nA,80\nB,90\n", code=4)
    assert [(row["tier"], row["health_score"]) for row in rows] == [("Not Rated", "")] * 2
    assert rows[0]["not_rated_reason"] == "nothing that counts is known"


def test_metrics_come_from_a_file_or_from_a_month_never_from_both(folder: Path) -> None:
    for words in ((), ("--metrics", "m.csv", "--period", "2026-10")):
        done = start(folder, "score", "--out", "s.csv", *words)
        assert done.returncode == 2
        assert "either --metrics FILE or --period YYYY-MM" in done.stderr


def test_a_diff_of_files_alone_says_what_differs(folder: Path) -> None:
    done = start(folder, "scorecard", "diff", "card.yaml", "other.yaml")
    assert done.returncode == 0, done.stderr
    assert "1 difference\n    tiers.Good.min: 75 → 50" in done.stdout
    refused = start(folder, "scorecard", "diff", "card.yaml", "other.yaml", "--out", "d.csv")
    assert refused.returncode == 2
    assert "--out needs accounts" in refused.stderr


@pytest.mark.parametrize(("count", "columns"), [(1, "60"), (10_000, "80")])
def test_a_diff_is_readable_for_one_account_and_for_ten_thousand(folder: Path, count: int, columns: str) -> None:
    # CSAT 0, 1, … 99 and again: under 50 Poor, from 75 on Good with both; the quarter between changes
    rows = [f"A{number:05},Company {number},{60 if count == 1 else number % 100},1000" for number in range(count)]
    text = "\n".join(["account_id,account_name,csat_score,arr", *rows])
    (folder / "m.csv").write_text(text, encoding="utf-8")
    words = ("card.yaml", "other.yaml", "--metrics", "m.csv", "--out", "d.parquet")
    done = start(folder, "scorecard", "diff", *words, COLUMNS=columns)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert len(lines) < 100
    changing = 1 if count == 1 else 2500
    assert f"{changing:,} account{'s' if changing > 1 else ''} of {count:,} change tier" in " ".join(lines)
    arr = {1: "1k", 2500: "2.5M"}[changing]
    assert f"Poor → Good: {changing:,} account{'s' if changing > 1 else ''}, ARR {arr}" in done.stdout
    assert ("more; `scorecard diff --out FILE` writes all of them" in done.stdout) == (count > 1)
    assert pl.read_parquet(folder / "d.parquet").filter(pl.col("tier_changes")).height == changing


def test_show_prints_a_page_and_schema_prints_the_schema(folder: Path) -> None:
    shown = start(folder, "scorecard", "show", "card.yaml")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("# The scorecard “mine”\n")
    assert start(folder, "scorecard", "show").stdout.startswith("# The scorecard “default”\n")
    assert '"$schema"' in start(folder, "scorecard", "schema").stdout


def test_a_scorecard_saved_with_a_byte_order_mark_is_read(folder: Path) -> None:
    (folder / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + default_text().encode())
    assert start(folder, "scorecard", "check", "bom.yaml").returncode == 0


def test_a_table_of_several_months_is_scored_row_by_row_and_summed_up_by_its_last_date(folder: Path) -> None:
    data = b"account_id,as_of,csat_score,arr\nA,2026-08-01,90,5\nA,2026-11-01,60,5\nB,2026-11-01,80,7\n"
    rows, _ = scored(folder, data)
    assert [(row["account_id"], row["as_of"], row["tier"]) for row in rows] == [
        ("A", "2026-08-01", "Good"), ("A", "2026-11-01", "Poor"), ("B", "2026-11-01", "Good"),
    ]  # fmt: skip
    # health 60: z = −2.2 + 0.052·(50 − 60), and the fall of 30 points in three months adds 1.4
    assert float(rows[1]["risk_z"]) == pytest.approx(-1.32)
    done = start(folder, "scorecard", "diff", "card.yaml", "other.yaml", "--metrics", "m.csv")
    assert "2 accounts of m.csv as of 2026-11-01" in " ".join(done.stdout.split()), done.stderr
