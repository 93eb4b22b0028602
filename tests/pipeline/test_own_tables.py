"""Own metrics from tables: which rows are whose, what is refused with its line, and what a table that fails means."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pytest
import yaml

from accountpulse import settings
from accountpulse.accounts import Linked, link
from accountpulse.core import tables
from accountpulse.core.errors import ConfigurationError, SourceUnavailable
from accountpulse.core.records import Extract, frame
from accountpulse.pipeline.own_tables import OwnedFigures, TableReading, owned_figures, read_tables
from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard, default_text
from accountpulse.settings import OwnTable
from accountpulse.systems import SOURCES

SALESFORCE = {"SALESFORCE_USERNAME": "int@example.com", "SALESFORCE_PASSWORD": "pass-word-1"}
A, B, C, D = "001A0000006Vm9rIAC", "001000000000002AAA", "001000000000003AAA", "001000000000004AAA"
NAMES = {A: "Ärger & Söhne", B: "Beta  Ltd", C: "Gamma", D: "GAMMA "}
CUSTOMERS = frame("accounts", [{"account_id": each, "account_name": name} for each, name in NAMES.items()])
LINKS = {A: "64f1", B: "64f2"}


def card(**units: str) -> Scorecard:
    content = yaml.safe_load(default_text())
    content["metrics"] = {name: {"label": name, "unit": unit} for name, unit in units.items()}
    return scorecard.load(yaml.safe_dump(content), "own.yaml")


@pytest.fixture(scope="module")
def linked() -> Linked:
    """Four accounts, two of them with a company in Intercom and two with one name."""
    rows = [{"account_id": account, "source": "intercom", "key": key} for account, key in LINKS.items()]
    extracts = {"salesforce": Extract("salesforce", {"accounts": CUSTOMERS, "links": frame("links", rows)})}
    extracts["intercom"] = Extract("intercom", {})
    return link(CUSTOMERS, extracts, SOURCES, ("salesforce", "intercom"), ())


def read(folder: Path, mapping: dict[str, Any], unit: str = "points", **files: str | bytes) -> tuple[TableReading, ...]:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name.replace("_", ".")).write_bytes(data)
    path = folder / "accountpulse.yaml"
    path.write_text(yaml.safe_dump({"metrics": mapping}), encoding="utf-8")
    loaded = settings.load({**SALESFORCE, "ACCOUNTPULSE_CONFIG": str(path)})
    return read_tables(loaded, card(**dict.fromkeys(mapping, unit)))


def values(owned: OwnedFigures) -> dict[str, float]:
    return dict(owned.figures.select("account_id", "value").iter_rows())


def reasons(owned: OwnedFigures) -> dict[str, str]:
    return dict(owned.unknowns.select("account_id", "reason").iter_rows())


# --- whose they are ---------------------------------------------------------------------------------------------


def test_accounts_are_known_by_their_ids_of_15_and_18_characters(tmp_path: Path, linked: Linked) -> None:
    table = f"account_id,nps,note\n{A[:15]},40,x\n{B},-10,\n001000000000009AAA,5,\n{C},,no answer\n"
    owned = owned_figures(read(tmp_path, {"nps": {"from": "nps.csv"}}, nps_csv=table), linked, CUSTOMERS)
    assert values(owned) == {A: 40, B: -10}
    assert reasons(owned) == {}
    (note,) = owned.notes
    assert note.startswith("nps.csv: 1 of 3 rows are left out, since 'account_id' holds no id of a customer that is ")
    assert note.endswith("scored there, such as line 4")


def test_accounts_are_known_by_their_key_in_a_system(tmp_path: Path, linked: Linked) -> None:
    mapping = {"nps": {"from": "nps.csv", "account": "company", "holds": "intercom", "value": "score"}}
    owned = owned_figures(read(tmp_path, mapping, nps_csv="company;score\n64f2;7,5\n64f9;1,5\n"), linked, CUSTOMERS)
    assert values(owned) == {B: 7.5}
    assert reasons(owned) == {C: "not_linked", D: "not_linked"}
    assert owned.notes[-1].endswith(
        "'company' holds no key of a customer that is scored in Intercom there, such as line 3"
    )


def test_a_name_counts_where_only_one_account_has_it(tmp_path: Path, linked: Linked) -> None:
    mapping = {"nps": {"from": "nps.csv", "account": "Customer", "holds": "name"}}
    table = "Customer,nps\närger & söhne,3\nBeta Ltd,4\nGamma,5\n"
    owned = owned_figures(read(tmp_path, mapping, nps_csv=table), linked, CUSTOMERS)
    assert values(owned) == {A: 3, B: 4}
    assert reasons(owned) == {C: "not_attributable", D: "not_attributable"}
    assert owned.notes[-1].endswith("holds no name of one customer alone there, such as line 4")


def test_a_name_that_an_account_has_which_is_left_out_is_nobodys(tmp_path: Path, linked: Linked) -> None:
    mapping = {"nps": {"from": "nps.csv", "account": "Customer", "holds": "name"}}
    other = CUSTOMERS.tail(1).with_columns(account_id=pl.lit("001000000000005AAA"), account_name=pl.lit("beta ltd"))
    readings = read(tmp_path, mapping, nps_csv="Customer,nps\nBeta Ltd,4\n")
    owned = owned_figures(readings, linked, CUSTOMERS.vstack(other))
    assert values(owned) == {}
    assert reasons(owned)[B] == "not_attributable"


def test_a_value_without_its_day_is_unclear_and_days_come_in_every_kind_of_file(tmp_path: Path, linked: Linked) -> None:
    buffer = io.BytesIO()
    days = pl.Series("asked", [date(2026, 10, 5), None])
    pl.DataFrame({"account_id": [A, B], "nps": [3, 4]}).with_columns(days).write_parquet(buffer)
    dated = {"dated": "asked", "max_age_days": 90}
    mapping = {"nps": {"from": "a.parquet", **dated}, "csat": {"from": "b.csv", **dated}}
    german = f"account_id;csat;asked\n{A};3;05.10.2026\n{B};4;\n"
    owned = owned_figures(read(tmp_path, mapping, a_parquet=buffer.getvalue(), b_csv=german), linked, CUSTOMERS)
    assert sorted(owned.figures.rows()) == [(A, "csat", 3.0, date(2026, 10, 5)), (A, "nps", 3.0, date(2026, 10, 5))]
    assert sorted(owned.unknowns.rows()) == [(B, "csat", "unclear"), (B, "nps", "unclear")]


def test_a_spreadsheet_that_feeds_two_metrics_is_told_of_once_by_its_rows(tmp_path: Path, linked: Linked) -> None:
    rows = pl.DataFrame({"account_id": [A, "001000000000009AAA"], "nps": [40, 5], "csi": [7, 8]})
    mapping = {name: {"from": "own.xlsx"} for name in ("nps", "csi")}
    owned = owned_figures(read(tmp_path, mapping, own_xlsx=tables.write(rows, "own.xlsx")), linked, CUSTOMERS)
    (note,) = owned.notes
    assert note.endswith("such as row 3")


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "unit", "told"),
    [
        (f"account_id,nps\n{A},good\n", "points", ("line 2", "'good'")),
        (f"account_id,nps\n{A},5\n{B},81.2%\n", "points", ("line 3", "%")),
        (f"account_id,nps\n{A},true\n", "points", ("line 2", "'true'")),
        (f"account,nps\n{A},5\n", "points", ("no column account_id",)),
        (f"account_id,np\n{A},5\n", "points", ("no column nps", "'np'")),
        ("account_id,nps\n,5\n", "points", ("account_id: empty beside a value in line 2",)),
        (f"account_id,nps,asked\n{A},5,last week\n", "points", ("asked: not a day such as 2026-10-31 in line 2",)),
        ("", "points", ("empty",)),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_its_line(
    tmp_path: Path, table: str, unit: str, told: tuple[str, ...]
) -> None:
    dated = {"dated": "asked"} if "asked" in table else {}
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, {"nps": {"from": "nps.csv", **dated}}, unit, nps_csv=table)
    assert all(part in str(caught.value) for part in ("metrics.nps: nps.csv: ", *told)), caught.value


def test_a_per_cent_sign_is_read_where_the_metric_is_a_percentage(tmp_path: Path) -> None:
    (reading,) = read(tmp_path, {"nps": {"from": "nps.csv"}}, "percent", nps_csv=f"account_id,nps\n{A},81.2%\n")
    assert reading.rows["value"].to_list() == [81.2]


def test_mistakes_of_all_tables_are_told_together(tmp_path: Path) -> None:
    mapping = {"nps": {"from": "a.csv"}, "csat": {"from": "b.csv"}}
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, mapping, a_csv=f"account_id,nps\n{A},x\n", b_csv=f"account_id,csat\n{A},y\n")
    assert {problem.split(":")[0] for problem in caught.value.problems} == {"metrics.nps", "metrics.csat"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("metrics:\n  nps: {fro: nps.csv}", "line 2, metrics.nps: must say where it comes from by one of the keys"),
        ("metrics:\n  nps: {from: a.csv, holds: nam}", "metrics.nps.holds: must be one of id, intercom, jira, looker"),
        ("metrics:\n  nps: {from: a.csv, max_age_days: 9}", "max_age_days needs `dated`"),
        ("metrics:\n  nps: {field: NPS__c, max_age_days: 9}", "max_age_days needs `dated`"),
        ("metrics:\n  mau: {from: a.csv}", "line 2, metrics.mau: is measured already"),
        ("metrics:\n  nps: {from: a.csv, field: NPS__c}", "metrics.nps: must say where it comes from by one"),
        (
            "metrics: {nps: {from: a.csv}}\nlooker: {metrics: {nps: {look: 1, account: a, value: b}}}",
            "looker.metrics.nps: stands under metrics: at the top as well; leave one of them",
        ),
    ],
)
def test_a_mistake_in_the_mapping_is_named_with_its_line(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "accountpulse.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"accountpulse\.yaml") as caught:
        settings.load({**SALESFORCE, "ACCOUNTPULSE_CONFIG": str(path)})
    assert any(part in problem for problem in caught.value.problems), caught.value.problems


def test_values_that_count_for_none_are_named_with_their_lines(tmp_path: Path, linked: Linked) -> None:
    table = f"account_id,nps,asked\n{A},40,2026-10-01\n{A},50,2026-10-01\n{B},7,\n{C},1,2026-10-01\n{C},1,2026-10-01\n"
    given = read(tmp_path, {"nps": {"from": "nps.csv", "dated": "asked"}}, nps_csv=table)
    assert owned_figures(given, linked, CUSTOMERS).notes == (
        (
            "nps.csv: asked is empty beside a value in line 4; nobody can say for which month it holds, "
            "so it counts for none: write its day"
        ),
        f"nps.csv: lines 2, 3 give account {A} different values of 2026-10-01; none of these counts: leave one of them",
    )
    (undated,) = owned_figures(read(tmp_path, {"nps": {"from": "nps.csv"}}), linked, CUSTOMERS).notes
    assert undated == (
        f"nps.csv: lines 2, 3 give account {A} different values; none of these counts: leave one of them, or name the "
        "column of their days as `dated`"
    )


# --- tables that can't be reached -------------------------------------------------------------------------------


def test_a_table_that_is_not_there_is_for_its_owner_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, {"nps": {"from": "nps.csv"}})
    assert caught.value.problems == [
        (
            "metrics.nps: nps.csv: it can't be read (No such file or directory); it is looked for from the folder of "
            "accountpulse.yaml: put it there, or mend metrics.nps.from"
        )
    ]


def test_a_table_whose_store_does_not_answer_is_its_metrics_failure_for_every_account(linked: Linked) -> None:
    error = SourceUnavailable("metrics.nps", "reading s3://b/nps.csv", "ReadTimeout")
    nothing = pl.DataFrame(schema={"line": pl.Int64, "key": pl.String, "value": pl.Float64, "day": pl.Date})
    reading = TableReading("nps", OwnTable(source="s3://b/nps.csv"), nothing, error=error)
    assert reasons(owned_figures((reading,), linked, CUSTOMERS)) == dict.fromkeys(NAMES, "source_failed")


def test_a_table_may_lie_in_s3_and_what_s3_lacks_or_refuses_is_for_its_owner_to_mend(
    bucket: str, tmp_path: Path, linked: Linked
) -> None:
    client = boto3.client("s3")
    client.put_object(Bucket=bucket, Key="in/nps.csv", Body=f"account_id,nps\n{A},40\n".encode())
    client.close()
    (reading,) = read(tmp_path, {"nps": {"from": f"s3://{bucket}/in/nps.csv"}})
    assert values(owned_figures((reading,), linked, CUSTOMERS)) == {A: 40}
    mapping = {
        "gone": {"from": f"s3://{bucket}/in/gone.csv"},
        "other": {"from": "s3://no-such-bucket-of-ours/other.csv"},
    }
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, mapping)
    gone, refused = caught.value.problems
    assert gone.endswith("gone.csv: there is no such object: put it there, or mend metrics.gone.from")
    assert "There is no such bucket: make it, or mend metrics.other." in refused
