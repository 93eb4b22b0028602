"""The SAM template, expanded as CloudFormation will see it: what it allows, when it runs, what rings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_all
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).parents[2] / "deploy" / "aws" / "template.yaml"
POLICIES = {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}  # type: ignore[arg-type]


Loader.add_multi_constructor("!", _short)  # type: ignore[no-untyped-call]


def findings(template: str) -> list[str]:
    """What cfn-lint has against it; its remarks on style aside."""
    return [str(match) for match in lint_all(template) if not match.rule.id.startswith("I")]


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    import os

    from boto3.session import Session

    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    source = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506
    source["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    translator = Translator(POLICIES, Parser(), boto_session=Session(region_name="eu-central-1"))
    expanded: dict[str, Any] = translator.translate(source, {})
    expanded["Resources"]["linted"] = findings(json.dumps(expanded))
    return expanded["Resources"]


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in resources.items() if name != "linted" and each["Type"] == kind}


def test_neither_the_template_nor_its_expansion_has_a_finding(resources: dict[str, Any]) -> None:
    assert findings(TEMPLATE.read_text(encoding="utf-8")) == []
    assert resources["linted"] == []


def test_the_role_may_do_exactly_what_a_run_needs(resources: dict[str, Any]) -> None:
    roles = of_type(resources, "AWS::IAM::Role")
    (role,) = (each for name, each in roles.items() if name.startswith("FunctionRole"))
    assert role["ManagedPolicyArns"] == [POLICIES["AWSLambdaBasicExecutionRole"]]
    statements = {
        (action, json.dumps(each["Resource"], sort_keys=True))
        for policy in role["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    }
    secret = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretName}-??????"
    itself = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}"
    objects = json.dumps({"Fn::Sub": "${State.Arn}/${StatePrefix}/*"})
    assert statements == {
        ("secretsmanager:GetSecretValue", json.dumps({"Fn::Sub": secret})),
        ("lambda:InvokeFunction", json.dumps({"Fn::Sub": itself})),
        ("s3:GetObject", objects),
        ("s3:PutObject", objects),
        ("s3:DeleteObject", objects),
        ("s3:ListBucket", json.dumps({"Fn::GetAtt": ["State", "Arn"]})),
        ("sqs:SendMessage", json.dumps({"Fn::GetAtt": ["DeadLetters", "Arn"]})),
    }
    assert "*" not in {json.loads(resource) for _action, resource in statements if resource.startswith('"')}


def test_the_function_is_what_was_asked_for(resources: dict[str, Any]) -> None:
    (function,) = of_type(resources, "AWS::Lambda::Function").values()
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["Timeout"] == 900
    assert function["MemorySize"] == {"Ref": "MemoryMB"}
    assert function["Handler"] == "accountpulse.main.lambda_handler"
    names = function["Environment"]["Variables"]
    assert set(names) == {"ACCOUNTPULSE_SECRET_ID", "ACCOUNTPULSE_STATE", "ACCOUNTPULSE_CONFIG"}
    (invoke,) = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    assert invoke["MaximumRetryAttempts"] == 0
    assert invoke["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}


def test_there_is_memory_for_what_was_measured() -> None:
    """The largest figure that the template itself quotes, of benchmarks/lambda_memory.py, and half as much again."""
    memory = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=Loader)["Parameters"]["MemoryMB"]  # noqa: S506
    measured = [int(figure) for figure in re.findall(r"(\d+) (?:MB )?for \d+", memory["Description"])]
    assert len(measured) == 4
    assert memory["Default"] >= 1.5 * max(measured)


def test_it_runs_once_a_month_and_is_looked_after_a_day_later(resources: dict[str, Any]) -> None:
    schedules = of_type(resources, "AWS::Scheduler::Schedule")
    parameters = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=Loader)["Parameters"]  # noqa: S506
    days = {}
    for name in ("Schedule", "VerifySchedule"):
        minute, hour, day, month, weekday, year = parameters[name]["Default"].removeprefix("cron(").rstrip(")").split()
        assert (month, weekday, year) == ("*", "?", "*")
        assert minute.isdigit()
        assert hour.isdigit()
        days[name] = int(day)
    assert days == {"Schedule": 2, "VerifySchedule": 3}
    inputs = []
    for schedule in schedules.values():
        assert schedule["ScheduleExpressionTimezone"] == {"Ref": "ScheduleTimezone"}
        target = schedule["Target"]
        assert target["RetryPolicy"] == {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 21600}
        assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        inputs.append(json.loads(target["Input"]))
    when = {"scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert when in inputs
    assert {**when, "verify": True} in inputs


def test_snapshots_have_a_weekly_schedule_that_is_off_until_it_is_asked_for(resources: dict[str, Any]) -> None:
    schedules = of_type(resources, "AWS::Scheduler::Schedule")
    states = {json.loads(each["Target"]["Input"]).get("as_of"): each.get("State") for each in schedules.values()}
    assert states["today"] == {"Ref": "Snapshots"}
    parameters = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=Loader)["Parameters"]  # noqa: S506
    assert (parameters["Snapshots"]["Default"], parameters["SnapshotSchedule"]["Default"]) == (
        "DISABLED", "cron(0 6 ? * MON *)",
    )  # fmt: skip


def test_the_digest_has_a_weekly_schedule_after_the_snapshot_that_is_off_until_it_is_asked_for(
    resources: dict[str, Any],
) -> None:
    schedules = of_type(resources, "AWS::Scheduler::Schedule")
    states = {each["Target"]["Input"]: each.get("State") for each in schedules.values()}
    assert states['{"digest": true}'] == {"Ref": "Digests"}
    parameters = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=Loader)["Parameters"]  # noqa: S506
    assert (parameters["Digests"]["Default"], parameters["DigestSchedule"]["Default"]) == (
        "DISABLED", "cron(0 8 ? * MON *)",
    )  # fmt: skip


def test_failures_and_lost_events_ring(resources: dict[str, Any]) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    watched = {(each["Namespace"], each["MetricName"], each["Threshold"]) for each in alarms.values()}
    assert watched == {("AWS/Lambda", "Errors", 1), ("AWS/SQS", "ApproximateNumberOfMessagesVisible", 1)}
    assert alarms["FailureAlarm"]["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Function"}}]


def test_the_state_is_encrypted_versioned_private_and_kept(resources: dict[str, Any]) -> None:
    bucket = resources["State"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    facts = bucket["Properties"]
    assert facts["VersioningConfiguration"] == {"Status": "Enabled"}
    assert all(facts["PublicAccessBlockConfiguration"].values())
    assert facts["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    rules = {rule["Id"]: rule for rule in facts["LifecycleConfiguration"]["Rules"]}
    assert rules["erased-for-good"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert resources["Logs"]["Properties"]["RetentionInDays"] == 400
