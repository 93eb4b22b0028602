"""Links that lead nowhere: each command that looks at them says so, and calls nothing good that it couldn't see."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from accountpulse import pipeline, settings
from accountpulse.check import Finding, check
from accountpulse.core.period import Period
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from program import call
from support import NOW, Silent

CUSTOMERS = 6


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(build(seed=7, accounts=CUSTOMERS, until=NOW)) as running:
        yield running


@pytest.fixture
def by_name(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The sandbox's settings, with Looker linked by a field that holds something else."""
    environment = sandbox.environment()
    text = Path(environment["ACCOUNTPULSE_CONFIG"]).read_text("utf-8")
    assert "\nlooker:\n" in text
    assert "account_field: Id" not in text  # the default
    (tmp_path / "accountpulse.yaml").write_text(
        text.replace("\nlooker:\n", "\nlooker:\n  account_field: Name\n"), encoding="utf-8"
    )
    config, state = tmp_path / "accountpulse.yaml", tmp_path / "state"
    return {**environment, "ACCOUNTPULSE_CONFIG": str(config), "ACCOUNTPULSE_STATE": str(state)}


def looked(environment: dict[str, str], area: str) -> list[Finding]:
    lines = check(environment, None, NOW, lambda _line: None, patience=1.0).lines
    return [line for line in lines if line.area == area]


def test_check_calls_a_field_wrong_whose_keys_looker_has_no_row_of(by_name: dict[str, str]) -> None:
    wrong = looked(by_name, "links")[0]
    assert (wrong.mark, wrong.code) == ("bad", 4)
    assert f"looker knows none of the {CUSTOMERS} keys that the account's field Name gives" in wrong.text


def test_a_run_and_the_suggestions_count_accounts_that_looker_has_no_row_of(
    by_name: dict[str, str], tmp_path: Path
) -> None:
    ended = pipeline.execute(settings.load(by_name), RunRequest(period=Period(2026, 10)), NOW, Silent())
    assert ended.unlinked["looker"] == CUSTOMERS
    facts = json.loads(call(tmp_path, "accounts", "--suggest", "--json", **by_name).stdout)
    assert facts["sources"]["looker"]["unlinked"] == CUSTOMERS
    own = {each["account_id"][:15]: each["key"][:15] for each in facts["suggestions"] if each["system"] == "looker"}
    assert len(own) == CUSTOMERS
    assert all(account == key for account, key in own.items())


def test_links_of_a_system_that_did_not_answer_are_not_called_good(sandbox: Sandbox, tmp_path: Path) -> None:
    environment = {**sandbox.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
    lines = check({**environment, "JIRA_API_TOKEN": "no-token-of-ours"}, None, NOW, lambda _line: None, 1.0).lines
    said = {line.area: (line.mark, line.text) for line in lines if line.area in {"links", "rating"}}
    assert said["links"] == ("warning", "not known in jira: whom they know could not be asked")
    assert said["rating"][0] == "warning"
    assert "at most 6 of 6 accounts" in said["rating"][1]
    assert "jira could not be asked" in said["rating"][1]


def test_the_sandbox_hands_out_a_mapping_of_its_own_so_that_nothing_is_written_into_the_package(
    sandbox: Sandbox,
) -> None:
    package = Path(pipeline.__file__).parents[1]
    assert package not in Path(sandbox.environment()["ACCOUNTPULSE_CONFIG"]).resolve().parents
