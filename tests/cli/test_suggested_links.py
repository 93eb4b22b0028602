"""`accountpulse accounts --suggest` as people start it, and the runs that link as people decided."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse.cli.link_suggestions import bytes_of, write_decisions
from accountpulse.core.errors import UsageError
from accountpulse.core.records import LINK_DECISIONS
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from program import Said, call
from support import NOW

Record = dict[str, Any]
LOST = ("Intercom_Company_Id__c", "Jira_Component__c")


@pytest.fixture(scope="module")
def unlinked() -> World:
    """A company whose accounts have lost every third link; one customer's company is there twice."""
    world = build(seed=7, accounts=21, until=NOW)
    rows = {row["Id"]: row for row in world.salesforce.objects["Account"].rows}
    for customer in world.customers[::3]:
        rows[customer.account_id] |= dict.fromkeys(LOST)
    return world


@pytest.fixture(scope="module")
def reached(unlinked: World) -> Iterator[Sandbox]:
    with Sandbox(unlinked) as running:
        yield running


@pytest.fixture
def environment(reached: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The sandbox's, with an accountpulse.yaml in a folder of the test."""
    environment = reached.environment()
    text = Path(environment["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8")
    (tmp_path / "accountpulse.yaml").write_text(text, encoding="utf-8")
    return {**environment, "ACCOUNTPULSE_CONFIG": str(tmp_path / "accountpulse.yaml")}


def written(path: Path) -> list[Record]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def states(folder: Path, environment: dict[str, str], world: World) -> dict[str, set[str]]:
    """How the accounts that lost their links stand in each system."""
    done = call(folder, "accounts", "--json", **environment)
    facts = {each["account_id"]: each for each in json.loads(done.stdout)["accounts"]}
    lost = [facts[customer.account_id] for customer in world.customers[::3]]
    return {name: {f"{each[name]['state']} {each[name]['by']}" for each in lost} for name in ("intercom", "jira")}


def test_suggestions_link_nobody_accepted_ones_do_and_can_be_undone(
    tmp_path: Path, environment: dict[str, str], unlinked: World
) -> None:
    assert call(tmp_path, "accounts", "--suggest", **environment).exit_code == 0
    rows = written(tmp_path / "links.csv")
    assert {row["decision"] for row in rows} == {""}
    assert states(tmp_path, environment, unlinked) == {"intercom": {"none None"}, "jira": {"none None"}}

    done = call(tmp_path, "accounts", "--suggest", "--accept-above", "90", **environment)
    accepted = [row for row in written(tmp_path / "links.csv") if row["decision"] == "accept"]
    assert f"{len(accepted)} links accepted by --accept-above 90" in done.stdout
    customers = {customer.account_id: customer for customer in unlinked.customers}
    for row in accepted:
        customer = customers[row["account_id"]]
        assert row["key"].removeprefix("'") == (
            customer.intercom_company if row["system"] == "intercom" else customer.jira_component
        )
        assert row["account_name"].removeprefix("'") == customer.name
        assert (row["decided_by"], len(row["decided_at"])) == ("accept-above 90", 10)
    assert len(accepted) > 10
    assert "linked file" in states(tmp_path, environment, unlinked)["intercom"]

    undone = call(tmp_path, "accounts", "--undo-accepted", **environment)
    assert f"{len(accepted)} links open again" in undone.stdout
    assert states(tmp_path, environment, unlinked) == {"intercom": {"none None"}, "jira": {"none None"}}


def test_running_again_keeps_decisions_and_notes(tmp_path: Path, environment: dict[str, str]) -> None:
    call(tmp_path, "accounts", "--suggest", **environment)
    first = written(tmp_path / "links.csv")
    first[0] |= {"decision": "reject", "note": "asked Kim"}
    first[1] |= {"decision": "later"}
    with (tmp_path / "links.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, first[0])
        writer.writeheader()
        writer.writerows(first)
    done = call(tmp_path, "accounts", "--suggest", "--accept-above", "90", **environment)
    again = {(row["account_id"], row["system"], row["key"]): row for row in written(tmp_path / "links.csv")}
    pairs = [(row["account_id"], row["system"], row["key"]) for row in first[:2]]
    assert [again[pair]["decision"] for pair in pairs] == ["reject", "later"]
    assert again[pairs[0]]["note"] == "asked Kim"
    assert "2 earlier decisions kept" in done.stdout
    same = call(tmp_path, "accounts", "--suggest", "--accept-above", "90", **environment)
    assert "0 links accepted" in same.stdout


def test_decisions_that_were_written_meanwhile_are_not_overwritten(tmp_path: Path) -> None:
    path, table = tmp_path / "links.csv", pl.DataFrame(schema=dict(LINK_DECISIONS))
    write_decisions(table, path, None)
    path.write_text("account_id,system,key,decision\n", encoding="utf-8")
    for as_read in (b"", None):
        with pytest.raises(UsageError, match="was changed while the systems were asked"):
            write_decisions(table, path, as_read)
    assert path.read_text(encoding="utf-8") == "account_id,system,key,decision\n"
    write_decisions(table, path, bytes_of(path))
    assert "reasons" in path.read_text(encoding="utf-8")


def test_a_company_that_was_deleted_and_a_system_that_is_down_are_told_and_cost_nobody_a_suggestion(
    tmp_path: Path, environment: dict[str, str], unlinked: World, reached: Sandbox
) -> None:
    deleted, other = unlinked.customers[0], unlinked.customers[3]
    path = tmp_path / "links.csv"
    lines = f"{deleted.account_id};Intercom;{'d' * 24};ACCEPT\r\n;;;\r\n{other.account_id[:15]};jira;Gone;later\r\n"
    path.write_text(f"\ufeffaccount_id;system;key;decision\r\n{lines}", encoding="utf-8")
    call(tmp_path, "accounts", "--suggest", "--accept-above", "90", **environment)
    rows = written(path)
    found = [
        (row["key"], row["decision"])
        for row in rows
        if (row["account_id"], row["system"]) == (deleted.account_id, "intercom")
    ]
    assert found == [("d" * 24, "accept"), (deleted.intercom_company, "")]  # for people to decide
    reached.down.add("intercom")
    done = call(tmp_path, "accounts", "--suggest", **environment)
    reached.down.clear()
    assert done.exit_code == 5
    assert " ".join(done.stdout.split()).count("Nothing is suggested there.") == 1
    assert "–" in next(line for line in done.stdout.splitlines() if line.startswith("Intercom "))
    assert [row for row in written(path) if row["system"] == "intercom"] == [
        row for row in rows if row["system"] == "intercom"
    ]


@pytest.mark.parametrize("columns", ["60", "120"])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, environment: dict[str, str], columns: str) -> None:
    done = call(tmp_path, "accounts", "--suggest", **{**environment, "COLUMNS": columns})
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    assert len(done.stdout.splitlines()) < 45
    assert "To decide" in done.stdout


def test_the_same_for_a_program(tmp_path: Path, environment: dict[str, str]) -> None:
    out = tmp_path / "other.csv"
    done = call(tmp_path, "accounts", "--suggest", "--out", str(out), "--accept-above", "90", "--json", **environment)
    facts = json.loads(done.stdout)
    rows = written(out)
    assert facts["accepted"] == sum(row["decision"] == "accept" for row in rows)
    without = {name: each["unlinked"] for name, each in facts["sources"].items()}
    assert without == {"intercom": 8, "jira": 7, "looker": 0}  # seven lost theirs, and one never had a company
    assert {each["system"] for each in facts["suggestions"]} == {"intercom", "jira"}
    assert not (tmp_path / "links.csv").exists()


def test_a_file_in_the_other_form_is_taken_over_and_not_overwritten(
    tmp_path: Path, environment: dict[str, str], unlinked: World
) -> None:
    customer = unlinked.customers[0]
    wide = f"account_id,intercom,jira\n{customer.account_id},{customer.intercom_company},none\n"
    (tmp_path / "links.csv").write_text(wide, encoding="utf-8")
    refused = call(tmp_path, "accounts", "--suggest", **environment)
    assert refused.exit_code == 2
    assert "name another file with --out" in refused.stderr
    assert (tmp_path / "links.csv").read_text(encoding="utf-8") == wide
    done = call(tmp_path, "accounts", "--suggest", "--out", "new.csv", **environment)
    assert "name it as links.file" in done.stdout
    taken = [row for row in written(tmp_path / "new.csv") if row["note"] == "from links.csv"]
    assert [(row["system"], row["key"], row["decision"]) for row in taken] == [
        ("intercom", customer.intercom_company, "accept"),
        ("jira", "none", "accept"),
    ]


def test_what_is_asked_wrongly_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    def refused(*words: str) -> Said:
        return call(tmp_path, "accounts", *words, **environment)

    alone = refused("--accept-above", "90")
    assert (alone.exit_code, "add --suggest" in alone.stderr) == (2, True)
    both = refused("--undo-accepted", "--suggest")
    assert (both.exit_code, "stands alone" in both.stderr) == (2, True)
    nothing = refused("--undo-accepted")
    assert (nothing.exit_code, "can't be read" in nothing.stderr) == (2, True)
    assert refused("--suggest", "--accept-above", "101").exit_code == 2
    (tmp_path / "links.csv").write_text("account_id,system,key,decision\n", encoding="utf-8")
    lost = refused("--out", "links.csv")
    assert (lost.exit_code, "holds decisions" in lost.stderr) == (2, True)
