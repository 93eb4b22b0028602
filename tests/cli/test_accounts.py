"""`accountpulse accounts` as people start it, and the runs that link as it says."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from accountpulse import pipeline, settings
from accountpulse.core.period import Period
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import Company, World
from program import call, start
from support import NOW, Silent

Record = dict[str, Any]


def rows_of(world: World) -> list[Record]:
    """The customers' rows in the org, in the world's order."""
    rows = {row["Id"]: row for row in world.salesforce.objects["Account"].rows}
    return [rows[customer.account_id] for customer in world.customers]


def config(folder: Path, sandbox: Sandbox, text: str) -> dict[str, str]:
    """The sandbox's environment, with a mapping of our own beside its."""
    environment = sandbox.environment()
    theirs = Path(environment["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8")
    (folder / "accountpulse.yaml").write_text(f"{theirs}\n{text}\n", encoding="utf-8")
    return {**environment, "ACCOUNTPULSE_CONFIG": str(folder / "accountpulse.yaml")}


def places(folder: Path, environment: dict[str, str]) -> tuple[dict[str, Record], Record]:
    """Every account as --json tells it, and the rest of the answer."""
    done = call(folder, "accounts", "--json", **environment)
    assert done.exit_code in {0, 4, 5}, done.stderr
    facts = json.loads(done.stdout)
    return {each["account_id"]: each for each in facts["accounts"]}, facts


def scores(sandbox: Sandbox) -> dict[str, Record]:
    """What was written, without the run's own fields; taken away afterwards."""
    rows = sandbox.world.salesforce.objects["Health_Score__c"].rows
    changing = {"Id", "Run_Id__c", "Scored_At__c", "CreatedDate", "LastModifiedDate", "SystemModstamp", "Name"}
    found = {row["Account__c"]: {name: row[name] for name in row if name not in changing} for row in rows}
    rows.clear()
    return found


def run(folder: Path, environment: dict[str, str], state: str) -> int:
    """One run for October, in this process."""
    loaded = settings.load({**environment, "ACCOUNTPULSE_STATE": str(folder / state)})
    return pipeline.execute(loaded, RunRequest(period=Period(2026, 10)), NOW, Silent()).exit_code


def test_everybody_is_listed_with_where_the_link_comes_from(tmp_path: Path, sandbox: Sandbox, world: World) -> None:
    found, facts = places(tmp_path, sandbox.environment())
    assert set(found) == {customer.account_id for customer in world.customers}
    for customer in world.customers:
        company, component = found[customer.account_id]["intercom"], found[customer.account_id]["jira"]
        assert company["keys"] == ([customer.intercom_company] if customer.intercom_company else [])
        assert component["keys"] == ([customer.jira_component] if customer.jira_component else [])
        assert component["state"] == ("linked" if customer.jira_component else "none")
        assert company["by"] == ("rule" if customer.intercom_company else None)
    assert facts["customers"] == 120
    assert facts["problems"] == []


def test_who_is_in_doubt_unknown_or_without_a_key_is_listed_first(tmp_path: Path) -> None:
    world = build(seed=7, accounts=40, until=NOW)
    rows = rows_of(world)
    rows[30]["Intercom_Company_Id__c"] = rows[31]["Intercom_Company_Id__c"]
    rows[32]["Jira_Component__c"] = "No such component"
    with Sandbox(world) as sandbox:
        done = call(tmp_path, "accounts", **sandbox.environment())
    assert done.exit_code == 4
    lines = done.stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("001")]
    assert set(listed[:2]) == {rows[30]["Id"], rows[31]["Id"]}
    assert rows[32]["Id"] in listed[2:8]
    assert next(line for line in lines if line.startswith(rows[32]["Id"])).split()[-2:-1] != ["rule"]
    assert "… and 20 more accounts" in done.stdout
    assert done.stdout.count(rows[30]["Id"]) >= 2  # in the table, and as a problem


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_no_line_is_wider_than_the_terminal_and_many_accounts_are_a_short_list(
    tmp_path: Path, sandbox: Sandbox, columns: str
) -> None:
    done = call(tmp_path, "accounts", COLUMNS=columns, **sandbox.environment())
    assert done.exit_code == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    assert len(done.stdout.splitlines()) < 45
    assert len(re.findall(r"^001\w{15} ", done.stdout, re.MULTILINE)) == (10 if columns == "40" else 20)


def test_a_company_is_found_by_a_custom_attribute_and_the_scores_are_those_of_its_id(
    tmp_path: Path, sandbox: Sandbox, world: World
) -> None:
    assert run(tmp_path, sandbox.environment(), "by-id") == 0
    by_id = scores(sandbox)
    environment = config(tmp_path, sandbox, "intercom: {account_field: Id, attribute: salesforce_account_id}")
    assert run(tmp_path, environment, "by-attribute") == 0
    by_attribute = scores(sandbox)
    # the vendor's list leaves out companies without users: they can't be found so
    listed = {c.account_id for c in world.customers if c.intercom_company and c.scenario != "no support contact"}
    assert len(listed) > 100
    unlinked = {c.account_id for c in world.customers if c.intercom_company is None}
    for account_id in listed | unlinked:
        assert by_attribute[account_id] == by_id[account_id]


def test_two_companies_that_carry_one_accounts_id_are_not_guessed_and_the_file_can_say_that_both_count(
    tmp_path: Path,
) -> None:
    world = build(seed=7, accounts=12, until=NOW)
    first = world.customers[4]
    companies = world.intercom.companies
    twin = Company("ab" * 12, "twin", "Twin", NOW, custom_attributes={"salesforce_account_id": first.account_id[:15]})
    twin.contact_ids.append(next(iter(world.intercom.contacts)))
    companies[twin.id] = twin
    rule = "intercom: {account_field: Id, attribute: salesforce_account_id}"
    with Sandbox(world) as sandbox:
        environment = config(tmp_path, sandbox, rule)
        found, facts = places(tmp_path, environment)
        assert found[first.account_id]["intercom"]["state"] == "several"
        assert set(found[first.account_id]["intercom"]["keys"]) == {first.intercom_company, twin.id}
        assert [problem["account_id"] for problem in facts["problems"]] == [first.account_id]
        assert run(tmp_path, environment, "doubt") == 4
        assert first.account_id not in scores(sandbox)
        text = f"account_id,intercom\n{first.account_id},{first.intercom_company}\n{first.account_id},{twin.id}\n"
        (tmp_path / "links.csv").write_text(text, encoding="utf-8")
        environment = config(tmp_path, sandbox, f"{rule}\nlinks: {{file: links.csv}}")
        found, facts = places(tmp_path, environment)
        assert found[first.account_id]["intercom"]["state"] == "linked"
        assert found[first.account_id]["intercom"]["by"] == "file"
        assert run(tmp_path, environment, "file") == 0
        assert first.account_id in scores(sandbox)


def test_a_component_that_is_called_like_the_account_is_its_own(tmp_path: Path, sandbox: Sandbox, world: World) -> None:
    environment = config(tmp_path, sandbox, "jira: {account_field: Name}")
    found, facts = places(tmp_path, environment)
    for customer in world.customers:
        state = "linked" if customer.jira_component == customer.name else "unknown"
        assert found[customer.account_id]["jira"]["state"] == state
    assert facts["problems"] == []


@pytest.mark.parametrize("first", ["file", "rules"])
def test_a_file_alone_scores_as_the_rules_do(tmp_path: Path, first: str) -> None:
    world = build(seed=7, accounts=30, until=NOW)
    with Sandbox(world) as sandbox:
        assert run(tmp_path, sandbox.environment(), "rules") == 0
        by_rule = scores(sandbox)
        name = {"file": "links.csv", "rules": "links.xlsx"}[first]
        done = call(tmp_path, "accounts", "--out", name, **sandbox.environment())
        assert done.exit_code == 0, done.stderr
        for row in rows_of(world):
            row["Intercom_Company_Id__c"] = row["Jira_Component__c"] = None
        environment = config(tmp_path, sandbox, f"links: {{file: {name}, first: {first}}}")
        assert run(tmp_path, environment, "file") == 0
        assert scores(sandbox) == by_rule
        found, _ = places(tmp_path, environment)
    assert {found[c.account_id]["jira"]["by"] for c in world.customers if c.jira_component} == {"file"}


def test_what_out_writes_can_be_corrected_and_given_back(tmp_path: Path) -> None:
    world = build(seed=7, accounts=12, until=NOW)
    rows = rows_of(world)
    rows[1]["Intercom_Company_Id__c"] = rows[0]["Intercom_Company_Id__c"]
    with Sandbox(world) as sandbox:
        assert start(tmp_path, "accounts", "--out", "links.csv", **sandbox.environment()).returncode == 4
        with (tmp_path / "links.csv").open(encoding="utf-8", newline="") as stream:
            table = list(csv.DictReader(stream))
        assert [row["account_id"] for row in table] == sorted(customer.account_id for customer in world.customers)
        doubtful = {row["account_id"]: row["note"] for row in table if row["note"]}
        assert rows[1]["Id"] in doubtful[rows[0]["Id"]]
        assert rows[0]["Id"] in doubtful[rows[1]["Id"]]
        environment = config(tmp_path, sandbox, "links: {file: links.csv}")
        assert call(tmp_path, "accounts", **environment).exit_code == 4  # unedited: the same
        for row in table:
            if row["account_id"] == rows[1]["Id"]:
                row["intercom"] = "none"
        with (tmp_path / "links.csv").open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, table[0].keys(), delimiter=";")
            writer.writeheader()
            writer.writerows(table)
        assert call(tmp_path, "accounts", **environment).exit_code == 0
        found, _ = places(tmp_path, environment)
        assert found[rows[1]["Id"]]["intercom"] == {"state": "none", "by": "file", "keys": [], "also_linked_by": []}
        assert run(tmp_path, environment, "corrected") == 0
        assert len(scores(sandbox)) == 12


@pytest.mark.parametrize("command", [["accounts"], ["run", "--period", "2026-10"]])
def test_a_wrong_mapping_file_ends_with_3_and_every_mistake_before_any_request(
    tmp_path: Path, sandbox: Sandbox, command: list[str]
) -> None:
    (tmp_path / "links.csv").write_text("account_id,jria\nAcme,x\n,y\n001000000000001AAA,a\n", encoding="utf-8")
    environment = config(tmp_path, sandbox, "links: {file: links.csv}")
    done = start(tmp_path, *command, **environment)
    assert done.returncode == 3
    for part in ("links.csv: line 1: 'jria'", "links.csv: line 2: 'Acme'", "links.csv: line 3: no account_id"):
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert sandbox.log == []


def test_a_mapping_file_that_is_not_there_is_named(tmp_path: Path, sandbox: Sandbox) -> None:
    done = start(tmp_path, "accounts", **config(tmp_path, sandbox, "links: {file: gone.csv}"))
    assert done.returncode == 3
    assert "gone.csv" in done.stderr
    assert "links.file" in done.stderr


def test_rows_of_strangers_and_wrong_keys_are_told_with_their_lines(
    tmp_path: Path, sandbox: Sandbox, world: World
) -> None:
    ours = world.customers[3].account_id
    text = f"account_id,intercom,jira\n001000000000001AAA,x,\n{ours},,Alhpa\n"
    (tmp_path / "links.csv").write_text(text, encoding="utf-8")
    found, facts = places(tmp_path, config(tmp_path, sandbox, "links: {file: links.csv}"))
    notes = " ".join(facts["notes"])
    assert "001000000000001AAA (line 2)" in notes
    assert "'Alhpa' (line 3)" in notes
    assert found[ours]["jira"]["state"] == "unknown"


def test_a_system_that_is_down_is_named_and_the_others_are_listed(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.down.add("intercom")
    done = call(tmp_path, "accounts", **sandbox.environment())
    assert done.exit_code == 5
    assert "intercom" in done.stdout
    assert "120 customers" in done.stdout


def test_a_wrong_token_ends_with_3(tmp_path: Path, sandbox: Sandbox) -> None:
    done = start(tmp_path, "accounts", **{**sandbox.environment(), "JIRA_API_TOKEN": "wrong-token-of-a-test"})
    assert done.returncode == 3
    assert "JIRA_API_TOKEN" in done.stderr


def test_the_accounts_command_writes_to_no_system(tmp_path: Path, sandbox: Sandbox) -> None:
    assert call(tmp_path, "accounts", "--out", "links.csv", **sandbox.environment()).exit_code == 0
    assert not {call.method for call in sandbox.log} & {"PATCH", "PUT", "DELETE"}
