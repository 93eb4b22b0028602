"""`accountpulse check`: what would fail is named before a run, with what to do; nothing is written to Salesforce."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from accountpulse import settings
from accountpulse.check import Finding, check
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.scoring.scorecard import default
from accountpulse.state import State
from calibrations import FITTED
from support import NOW


@pytest.fixture(scope="module")
def company() -> World:
    return build(seed=7, accounts=12, until=NOW)


def look(sandbox: Sandbox, folder: Path, period: Period | None = None, **changes: str) -> tuple[int, list[Finding]]:
    told: list[Finding] = []
    environment = {**sandbox.environment(), "ACCOUNTPULSE_STATE": str(folder / "state"), **changes}
    found = check(environment, period, NOW, told.append, patience=1.0)
    assert told == found.lines
    return found.exit_code, found.lines


def of(lines: list[Finding], area: str) -> list[Finding]:
    return [line for line in lines if line.area == area]


def test_all_is_well_and_nothing_was_written(company: World, tmp_path: Path) -> None:
    with Sandbox(company) as sandbox:
        code, lines = look(sandbox, tmp_path)
        asked = {(call.method, call.path.rsplit("/", 1)[-1]) for call in sandbox.log}
    assert code == 0
    assert not [line for line in lines if line.mark == "bad"]
    areas = {line.area for line in lines}
    assert areas >= {"settings", "scorecard", "period", "state", "salesforce", "load", "intercom", "jira", "looker"}
    assert not [method for method, _path in asked if method in ("PATCH", "PUT", "DELETE")]
    assert company.salesforce.objects["Health_Score__c"].rows == []
    assert list(State(tmp_path / "state").files.names("")) == []


def test_it_says_who_is_known_to_have_left_or_what_to_do(company: World, tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text("salesforce: {outcomes: [{from: contracts, object: Agreement__c}]}", encoding="utf-8")
    with Sandbox(company) as sandbox:
        _code, lines = look(sandbox, tmp_path)
        code, missing = look(sandbox, tmp_path, ACCOUNTPULSE_CONFIG=str(bare))
    (line,) = of(lines, "outcomes")
    assert (line.mark, line.text) == ("good", "1 renewed since 2026-11-03, by renewal_opportunities (1)")
    (line,) = of(missing, "outcomes")
    assert (line.mark, code) == ("warning", 0)
    assert "accountpulse outcomes --import FILE" in line.text
    said = [each.text for each in of(missing, "salesforce")]
    assert any("outcomes 1 (from: contracts): object Agreement__c is absent" in text for text in said)


def test_a_calibration_is_said_to_count_or_why_it_will_not(company: World, tmp_path: Path) -> None:
    day = date(2026, 12, 1)
    with Sandbox(company) as sandbox:
        card = default(settings.load(sandbox.environment()).rules.pillars)
        fitted = replace(FITTED, scorecard_hash=card.hash, expires_on=day)
        State(tmp_path / "state").save_calibration(fitted.to_document())
        (good,) = of(look(sandbox, tmp_path)[1], "calibration")
        State(tmp_path / "state").save_calibration(replace(fitted, horizon_days=90).to_document())
        code, lines = look(sandbox, tmp_path)
    assert (good.mark, good.text) == ("good", "counts until 2026-12-01, fitted on 61 accounts that left")
    (warning,) = of(lines, "calibration")
    assert (code, warning.mark) == (0, "warning")
    assert "fitted for 90 days" in warning.text


def test_what_it_expects_to_read_is_what_there_is(company: World, tmp_path: Path) -> None:
    with Sandbox(company) as sandbox:
        _code, lines = look(sandbox, tmp_path)
    (line,) = of(lines, "jira")
    assert "bugs to read" in line.text
    (estimate,) = of(lines, "estimate")
    assert "requests" in estimate.text


@pytest.mark.parametrize(
    ("changes", "area", "words", "code"),
    [
        ({"INTERCOM_API_TOKEN": "wrong-token-1"}, "intercom", "INTERCOM_API_TOKEN", 3),
        ({"JIRA_API_TOKEN": "wrong-token-1"}, "jira", "JIRA_API_TOKEN", 3),
        ({"LOOKER_CLIENT_SECRET": "wrong-token-1"}, "looker", "LOOKER_CLIENT_SECRET", 3),
        ({"SALESFORCE_CLIENT_SECRET": "wrong-token-1"}, "salesforce", "SALESFORCE_CLIENT", 3),
        ({"INTERCOM_BASE_URL": "http://127.0.0.1:9"}, "intercom", "nothing listens at 127.0.0.1:9", 5),
        ({"LOOKER_BASE_URL": "http://127.0.0.1:9"}, "looker", "Is LOOKER_BASE_URL right", 5),
        ({"JIRA_BASE_URL": "not an address"}, "settings", "JIRA_BASE_URL", 3),
    ],
)
def test_one_wrong_thing_is_one_line_and_the_others_are_looked_at(  # noqa: PLR0917
    company: World, tmp_path: Path, changes: dict[str, str], area: str, words: str, code: int
) -> None:
    with Sandbox(company) as sandbox:
        got, lines = look(sandbox, tmp_path, **changes)
    bad = [line for line in lines if line.mark == "bad"]
    assert [line.area for line in bad] == [area]
    assert words in bad[0].text
    assert "wrong-token-1" not in str(lines)
    assert got == code
    if area not in ("settings", "salesforce"):
        others = {"intercom", "jira", "looker"} - {area}
        assert all(of(lines, other)[0].mark == "good" for other in others)


def test_a_field_that_the_org_lacks_is_named_with_its_metrics(tmp_path: Path) -> None:
    world = build(seed=7, accounts=6, until=NOW)
    del world.salesforce.objects["Churn_Signal__c"]
    del world.salesforce.objects["Health_Score__c"]
    with Sandbox(world) as sandbox:
        code, lines = look(sandbox, tmp_path)
    assert code == 3
    load, rating = (line for line in lines if line.mark == "bad")
    assert (load.area, rating.area) == ("load", "rating")
    assert "Health_Score__c" in load.text
    assert "no account can be rated: critical_signals can't be read" in rating.text
    assert "signals: none" in rating.text
    told = " ".join(line.text for line in of(lines, "salesforce"))
    assert "Churn_Signal__c" in told
    assert "critical_signals" in told


def test_a_period_that_another_run_holds_is_told(company: World, tmp_path: Path) -> None:
    with Sandbox(company) as sandbox, State(tmp_path / "state").locks.hold("2026-10", "r1", NOW):
        code, lines = look(sandbox, tmp_path)
    assert code == 6
    assert "r1" in of(lines, "lock")[0].text


def test_an_open_month_is_a_remark_and_a_future_one_a_mistake(company: World, tmp_path: Path) -> None:
    with Sandbox(company) as sandbox:
        _code, lines = look(sandbox, tmp_path, Period(2026, 11))
        with pytest.raises(UsageError):
            look(sandbox, tmp_path, Period(2027, 5))
    assert of(lines, "period")[0].mark == "warning"


def test_a_state_that_cannot_be_written_is_told_before_a_run(company: World, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    with Sandbox(company) as sandbox:
        code, lines = look(sandbox, tmp_path)
    assert code == 3
    assert "ACCOUNTPULSE_STATE" in of(lines, "state")[0].text
