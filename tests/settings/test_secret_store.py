"""Settings from AWS Secrets Manager, over real HTTP: every way in which a secret can be wrong is one clear line."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from accountpulse import settings
from accountpulse.core.errors import ConfigurationError, SourceUnavailable
from faults.wire import Wire, whole

NAME = "accountpulse/test"
GOOD = {
    "SALESFORCE_USERNAME": "u@example.com",
    "SALESFORCE_PASSWORD": "pass-word-1",
    "INTERCOM_API_TOKEN": "token-from-the-secret",
}


def put(value: str | bytes, name: str = NAME) -> None:
    client: Any = boto3.client("secretsmanager")
    form = {"SecretBinary": value} if isinstance(value, bytes) else {"SecretString": value}
    try:
        client.create_secret(Name=name, **form)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=name, **form)
    finally:
        client.close()


@pytest.fixture
def environment(aws: dict[str, str]) -> dict[str, str]:
    return {**aws, "ACCOUNTPULSE_SECRET_ID": NAME}


def test_names_of_the_secret_are_settings_and_the_environment_wins(environment: dict[str, str]) -> None:
    put(json.dumps({**GOOD, "SALESFORCE_API_VERSION": 66.0, "SOMETHING_ELSE": "x"}))
    loaded = settings.load(environment)
    assert loaded.access["salesforce"].username == "u@example.com"
    assert loaded.access["salesforce"].api_version == "66.0"
    assert "intercom" in loaded.access
    assert loaded.access["intercom"].token.reveal() == "token-from-the-secret"
    loaded = settings.load({**environment, "INTERCOM_API_TOKEN": "token-from-here"})
    assert "intercom" in loaded.access
    assert loaded.access["intercom"].token.reveal() == "token-from-here"
    assert "token-from-here" not in repr(loaded)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("pass-word-1, not json", "not JSON"),
        (b"pass-word-1", "binary"),
        (json.dumps(["pass-word-1"]), "not a JSON object"),
        (json.dumps({**GOOD, "jira": {"token": "pass-word-2"}}), "under jira"),
        (json.dumps({**GOOD, "JIRA_API_TOKEN": None}), "under JIRA_API_TOKEN"),
    ],
    ids=["not-json", "binary", "a-list", "nested", "null"],
)
def test_a_secret_of_another_form_is_described_without_its_values(
    environment: dict[str, str], value: str | bytes, words: str
) -> None:
    put(value)
    with pytest.raises(ConfigurationError, match=words) as caught:
        settings.load(environment)
    assert "ACCOUNTPULSE_SECRET_ID" in str(caught.value)
    assert "pass-word" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_secret_that_is_not_there_is_a_setting_to_mend(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="ResourceNotFoundException"):
        settings.load({**environment, "ACCOUNTPULSE_SECRET_ID": "no/such"})


def test_a_missing_name_does_not_print_the_others(environment: dict[str, str]) -> None:
    put(json.dumps({"SALESFORCE_USERNAME": "u@example.com", "INTERCOM_API_TOKEN": "token-from-the-secret"}))
    with pytest.raises(ConfigurationError, match="SALESFORCE_PASSWORD is not set") as caught:
        settings.load(environment)
    assert "token-from-the-secret" not in str(caught.value)


def test_without_aws_the_run_is_unavailable_not_misconfigured(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert tmp_path
    with pytest.raises(SourceUnavailable, match="secrets manager"):
        settings.load(environment)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "Let our role do secretsmanager:GetSecretValue"),
        ("DecryptionFailure", "kms:Decrypt"),
        ("InvalidRequestException", "about to be deleted"),
    ],
)
def test_a_refusal_of_aws_says_what_to_allow(environment: dict[str, str], code: str, words: str) -> None:
    """moto can't judge permissions; the answer is AWS's own form of it."""
    answer = json.dumps({"__type": code, "Message": "User: arn:aws:sts::1:assumed-role/x is not authorized"}).encode()
    refused = whole(400, answer, kind="application/x-amz-json-1.1")
    with Wire(for_ever=refused) as server, pytest.MonkeyPatch.context() as environ:
        environ.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.url)
        with pytest.raises(ConfigurationError, match=words) as caught:
            settings.load(environment)
    assert caught.value.exit_code == 3
    assert len(server.asked) == 1


def test_a_number_is_a_value_and_extra_names_are_let_be(environment: dict[str, str]) -> None:
    put(json.dumps({**GOOD, "SALESFORCE_PASSWORD": 12345678, "owner of this secret": "somebody", "note": 1.5}))
    loaded = settings.load(environment)
    assert loaded.access["salesforce"].password is not None
    assert loaded.access["salesforce"].password.reveal() == "12345678"
