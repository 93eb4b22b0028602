"""A run that can rate nobody ends with 4; so does check, before it."""

from pathlib import Path

from accountpulse import pipeline, settings
from accountpulse.check import check
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from support import NOW, Silent


def test_check_ends_as_the_run_would_where_every_account_has_a_signal_of_unknown_severity(tmp_path: Path) -> None:
    company = build(seed=7, accounts=6, until=NOW)
    with Sandbox(company) as sandbox:
        rows = company.salesforce.objects["Churn_Signal__c"].rows
        odd = {**rows[0], "Severity__c": "Odd", "Status__c": "Active", "Closed_Date__c": None}
        customers = [account["Id"] for account in company.salesforce.objects["Account"].rows[:6]]
        rows[:] = [{**odd, "Id": f"a0SHu0000000{n:03d}MAQ", "Account__c": each} for n, each in enumerate(customers)]
        environment = {**sandbox.environment(), "ACCOUNTPULSE_STATE": str(tmp_path / "state")}
        found = check(environment, None, NOW, lambda _line: None)
        asked = RunRequest(dry_run=True, out=tmp_path)
        result = pipeline.execute(settings.load(environment), asked, NOW, Silent())
    assert result.exit_code == 4
    assert not result.rated_count
    assert found.exit_code == 4
    (rating,) = [line for line in found.lines if line.area == "rating" and line.mark == "bad"]
    assert "no account can be rated" in rating.text
    assert "waive them with `signals: none`" in rating.text
