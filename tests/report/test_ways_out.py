"""One run of a small company: owners by name, signals with their titles, and links, in report, table and explain."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
import yaml

from accountpulse.pipeline import report_document
from accountpulse.report import table
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.state import State
from program import call
from support import NOW

COMPANY = "https://app.intercom.example/a/apps/abc12/companies/{key}"
LOOK = "https://looks.example/looks/42?f[account.id]={id}"
TITLE = "Zoltan from Initech is angry"  # an invented one that stands nowhere else


@pytest.fixture(scope="module")
def small() -> World:
    world = build(seed=7, accounts=25, until=NOW)
    for row in world.salesforce.objects["Churn_Signal__c"].rows:
        row["Category__c"] = TITLE
    return world


@pytest.fixture(scope="module")
def done(small: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """The folder of a run, the address of the sandbox, and everything that the run said."""
    folder = tmp_path_factory.mktemp("run")
    with Sandbox(small) as sandbox:
        environment = sandbox.environment()
        mapping = yaml.safe_load(Path(environment["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8"))
        mapping |= {"intercom": {"account_url": COMPANY}}
        mapping["looker"] |= {"account_url": LOOK}
        (folder / "accountpulse.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
        environment["ACCOUNTPULSE_CONFIG"] = str(folder / "accountpulse.yaml")
        said = call(folder, "run", "--period", "2026-10", "--dry-run", **environment)
        real = call(folder, "run", "--period", "2026-10", **environment)
        url = sandbox.url
    yield folder, url, said.stdout + said.stderr + real.stdout + real.stderr


@pytest.fixture(scope="module")
def document(done: tuple[Path, str, str]) -> dict[str, Any]:
    """Made when no system is there any more, and no setting but the state's place."""
    return report_document.document(State(str(done[0] / "state")), None)


def test_every_account_has_its_owners_name_and_id(small: World, document: dict[str, Any]) -> None:
    users = {row["Id"]: row["Name"] for row in small.salesforce.objects["User"].rows}
    owned = {row["Id"]: row["OwnerId"] for row in small.salesforce.objects["Account"].rows}
    accounts = document["accounts"]
    for place, account in enumerate(accounts["id"]):
        assert accounts["owner_id"][place] == owned[account]
        assert accounts["owner"][place] == users[owned[account]]
    rows = pl.read_csv(table.csv(document), infer_schema=False)
    assert {(row["owner"], row["owner_id"]) for row in rows.iter_rows(named=True)} == {
        (users[each], each) for each in accounts["owner_id"]
    }
    assert {group["owner"] for group in document["at_risk"]["by_owner"]} == set(accounts["owner"])


def test_every_account_leads_to_its_own_pages_and_to_nobody_elses(
    small: World, document: dict[str, Any], done: tuple[Path, str, str]
) -> None:
    customers = {each.account_id: each for each in small.customers}
    for account, links in zip(document["accounts"]["id"], document["accounts"]["links"], strict=True):
        found = {each["label"]: each["url"] for each in links}
        known = customers[account]
        assert list(found) == [name for name in ("Salesforce", "Intercom", "Jira", "Looker") if name in found]
        assert found["Salesforce"].endswith(f"/lightning/r/Account/{account}/view")
        assert urlsplit(found["Salesforce"]).hostname == urlsplit(done[1]).hostname
        if "Intercom" in found:
            assert found["Intercom"] == COMPANY.format(key=known.intercom_company)
        if "Jira" in found:
            (jql,) = parse_qs(urlsplit(found["Jira"]).query)["jql"]
            named = str(known.jira_component).replace("\\", "\\\\").replace('"', '\\"')
            assert jql == f'component in ("{named}") AND issuetype in ("Bug")'
        assert found["Looker"] == LOOK.format(id=account)
    labels = [each["label"] for links in document["accounts"]["links"] for each in links]
    assert labels.count("Intercom") > 15 and labels.count("Jira") > 15


def test_signals_are_told_with_title_owner_and_age_also_by_explain(
    small: World, document: dict[str, Any], done: tuple[Path, str, str]
) -> None:
    users = {row["Id"]: row["Name"] for row in small.salesforce.objects["User"].rows}
    logged = [row for row in small.salesforce.objects["Churn_Signal__c"].rows if not row["IsDeleted"]]
    signals = dict(zip(document["accounts"]["id"], document["details"]["signals"], strict=True))
    once = Counter(row["Account__c"] for row in logged)
    account = next(each for each, found in signals.items() if len(found) == 1 and once[each] == 1)
    (shown,), (row,) = signals[account], [each for each in logged if each["Account__c"] == account]
    assert (shown["title"], shown["owner"]) == (TITLE, users[row["CreatedById"]])
    assert shown["age_days"] == (date(2026, 11, 1) - row["Signal_Date__c"].date()).days
    said = call(done[0], "explain", account, COLUMNS="80").stdout
    assert f"{TITLE} · open for {shown['age_days']} days, since {shown['date']}" in " ".join(said.split())
    assert f"owner {users[row['CreatedById']]}" in said
    assert any(line.endswith(f"/lightning/r/Account/{account}/view") for line in said.splitlines())
    facts = json.loads(call(done[0], "explain", account, "--json").stdout)
    assert facts["signals"] == [shown]
    assert facts["links"][0]["label"] == "Salesforce"
    assert facts["owner"] == users[facts["owner_id"]]


def test_no_title_and_no_name_of_an_owner_is_said_by_a_run(small: World, done: tuple[Path, str, str]) -> None:
    names = [row["Name"] for row in small.salesforce.objects["User"].rows]
    assert not [word for word in (TITLE, *names) if word in done[2]]


def test_forgetting_an_account_leaves_no_title_of_its_signals_in_the_state(
    document: dict[str, Any], done: tuple[Path, str, str]
) -> None:
    """Files are read as they lie there, also those that nobody knows of: Parquet's texts too."""
    told = [
        account
        for account, found in zip(document["accounts"]["id"], document["details"]["signals"], strict=True)
        if found
    ]
    assert TITLE in everything(done[0] / "state")
    for account in told:
        assert call(done[0], "forget", account, "--yes").exit_code == 0
    left = everything(done[0] / "state")
    assert TITLE not in left
    assert not [account for account in told if account in left]


def everything(state: Path) -> str:
    """All texts of the state: of tables what they hold, of other files what they are."""
    texts = []
    for file in sorted(each for each in state.rglob("*") if each.is_file()):
        if file.suffix == ".parquet":
            texts.append(str(pl.read_parquet(file, hive_partitioning=False).to_dicts()))
        else:
            texts.append(file.read_bytes().decode("utf-8", "replace"))
    return "\n".join(texts)
