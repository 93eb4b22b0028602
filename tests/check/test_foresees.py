"""What ends a run for a cause in settings, metadata or permissions has been said by `check`: thirty broken worlds.

Each is looked at by `check` and then run, dry. Where the run ends with 3, 4 or 5, check ends with the same code and has
named the same system; where the run ends well, so does check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from accountpulse import pipeline, settings
from accountpulse.check import check
from accountpulse.core.errors import AccountpulseError
from accountpulse.core.period import Period
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from support import NOW, Silent


def _nothing(_sandbox: Sandbox) -> None:
    pass


@dataclass(frozen=True)
class Broken:
    """What is wrong with the world or the server, the environment, accountpulse.yaml; and how a run ends."""

    code: int
    says: str = ""  # one of check's bad lines
    change: Callable[[Sandbox], None] = _nothing
    environment: Mapping[str, str] = field(default_factory=dict)
    yaml: str = ""


def without(*names: str) -> Callable[[Sandbox], None]:
    """The org lacks objects."""

    def change(running: Sandbox) -> None:
        for name in names:
            del running.world.salesforce.objects[name]

    return change


def hidden(name: str, *fields: str) -> Callable[[Sandbox], None]:
    """Our user may not read fields."""
    return lambda running: running.behaviours["salesforce"].hidden.update((name, each) for each in fields)


def key_called(name: str) -> Callable[[Sandbox], None]:
    """The key of the object of scores has another name."""

    def change(running: Sandbox) -> None:
        fields = running.world.salesforce.objects["Health_Score__c"].fields
        fields[name] = replace(fields.pop("External_Key__c"), name=name)

    return change


def second_key(name: str) -> Callable[[Sandbox], None]:
    """The object of scores has another key beside its own, which stays required."""

    def change(running: Sandbox) -> None:
        fields = running.world.salesforce.objects["Health_Score__c"].fields
        fields[name] = replace(fields["External_Key__c"], name=name, required=False)

    return change


RELATIONSHIP = ("Contract", "Event", "Task", "OpportunityContactRole", "Case", "AccountHistory")
EXPLORES = ("user_sessions", "feature_usage", "platform_metrics")
BROKEN: dict[str, Broken] = {
    # settings
    "a wrong Intercom token": Broken(3, "INTERCOM_API_TOKEN", environment={"INTERCOM_API_TOKEN": "wrong"}),
    "a wrong Jira token": Broken(3, "JIRA_API_TOKEN", environment={"JIRA_API_TOKEN": "wrong"}),
    "a wrong Looker secret": Broken(3, "LOOKER_CLIENT_SECRET", environment={"LOOKER_CLIENT_SECRET": "wrong"}),
    "a wrong Salesforce secret": Broken(3, "SALESFORCE_CLIENT", environment={"SALESFORCE_CLIENT_SECRET": "wrong"}),
    "nobody at Intercom's address": Broken(5, "intercom", environment={"INTERCOM_BASE_URL": "http://127.0.0.1:9"}),
    "nobody at Jira's address": Broken(5, "jira", environment={"JIRA_BASE_URL": "http://127.0.0.1:9"}),
    "nobody at Looker's address": Broken(5, "looker", environment={"LOOKER_BASE_URL": "http://127.0.0.1:9"}),
    "an unknown Intercom version": Broken(3, "INTERCOM_VERSION", environment={"INTERCOM_VERSION": "9.9"}),
    "an API version that the org lacks": Broken(3, "66.0", environment={"SALESFORCE_API_VERSION": "75.0"}),
    # the org
    "an org without signals": Broken(4, "signals: none", without("Churn_Signal__c")),
    "a plain org": Broken(4, "no account can be rated", without("Churn_Signal__c", *RELATIONSHIP)),
    "an org that waives its signals": Broken(0, "", without("Churn_Signal__c"), yaml="signals: none"),
    "an org without the object of scores": Broken(3, "Health_Score__c", without("Health_Score__c")),
    "accounts that our user can't read": Broken(3, "Account", without("Account")),
    "signals whose severity is hidden": Broken(4, "critical_signals", hidden("Churn_Signal__c", "Severity__c")),
    "nobody meets the accounts' condition": Broken(
        4, "no account", yaml="salesforce: {accounts: {where: \"Type = 'None'\"}}"
    ),
    "a wrong name in the accounts' condition": Broken(
        3, "salesforce.accounts", yaml="salesforce: {accounts: {where: \"Nobody__c = 'x'\"}}"
    ),
    "a condition that is no SOQL": Broken(
        3, "salesforce.accounts", yaml='salesforce: {accounts: {where: "Type LIKE"}}'
    ),
    "an object of scores of another name": Broken(3, "Score__c", yaml="salesforce: {target: {object: Score__c}}"),
    "an external id that the object lacks": Broken(3, "Nope__c", yaml="salesforce: {target: {external_id: Nope__c}}"),
    "an external id of another name": Broken(
        0, "", key_called("Month_Key__c"), yaml="salesforce: {target: {external_id: Month_Key__c}}"
    ),
    "an external id that a part of the score is written to": Broken(
        3, "Run_Id__c", yaml="salesforce: {target: {external_id: Run_Id__c}}"
    ),
    "an object of scores with a required field that nothing is written to": Broken(
        3,
        "External_Key__c is required",
        second_key("Month_Key__c"),
        yaml="salesforce: {target: {external_id: Month_Key__c}}",
    ),
    # Jira
    "a bug type that the site lacks": Broken(3, "jira.bug_types", yaml="jira: {bug_types: [Fehler]}"),
    "a link field that the site lacks": Broken(3, "customfield_99", yaml="jira: {link: field, field: customfield_99}"),
    # Looker
    "a model that is not there": Broken(3, "model", yaml="looker: {model: nobody}"),
    "an explore that is not there": Broken(4, "no account can be rated", yaml="looker: {usage: {explore: nobody}}"),
    "a measure that is not there": Broken(
        4, "no account can be rated", yaml="looker: {usage: {users: user_sessions.nobody}}"
    ),
    "explores that our user may not query": Broken(
        3, "access_data", lambda running: running.looker.forbidden.update(EXPLORES)
    ),
    "a Look that is not there": Broken(
        0, "", yaml="looker: {platform: {pillars: {value: {look: 999, account: a.b, value: a.c}}}}"
    ),
    # Intercom
    "an attribute that no company has": Broken(3, "intercom.attribute", yaml="intercom: {attribute: nobody}"),
    # the file
    "a key that is none": Broken(3, "jira.linkk", yaml="jira: {linkk: project}"),
    "a scorecard that is not there": Broken(3, "scorecard", yaml="scorecard: nobody.yaml"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_ends_a_run_has_been_said_by_check(name: str, tmp_path: Path) -> None:
    broken = BROKEN[name]
    config = tmp_path / "accountpulse.yaml"
    config.write_text(broken.yaml, encoding="utf-8")
    with Sandbox(build(seed=7, accounts=6, until=NOW)) as running:
        broken.change(running)
        environment = {
            **running.environment(),
            "ACCOUNTPULSE_STATE": str(tmp_path / "state"),
            "ACCOUNTPULSE_CONFIG": str(config),
            **broken.environment,
        }
        found = check(environment, Period(2026, 10), NOW, lambda _line: None, patience=1.0)
        code, says = _run(environment, tmp_path)
    bad = [f"{line.area}: {line.text}" for line in found.lines if line.mark == "bad"]
    assert code == broken.code, says
    assert found.exit_code == code, bad
    assert not broken.says or any(broken.says in line for line in bad), bad


def _run(environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """How a dry run ends: its code, and why."""
    try:
        options = RunRequest(period=Period(2026, 10), dry_run=True, out=folder, patience=1.0)
        result = pipeline.execute(settings.load(environment), options, NOW, Silent())
    except AccountpulseError as error:
        return error.exit_code, str(error)
    return result.exit_code, " ".join(map(str, (result.stopped, result.unready, *result.notes)))
