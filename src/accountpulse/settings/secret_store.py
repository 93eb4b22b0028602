"""Settings from one AWS Secrets Manager secret: a flat JSON object with the names of the environment.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

import json
from collections.abc import Mapping
from typing import Any

from accountpulse.core.errors import ConfigurationError, SourceUnavailable

SETTING = "ACCOUNTPULSE_SECRET_ID"
REMEDIES = {
    "ResourceNotFoundException": "There is no such secret in this region: mend the name or AWS_DEFAULT_REGION.",
    "AccessDeniedException": "Let our role do secretsmanager:GetSecretValue on it.",
    "InvalidRequestException": "The secret is about to be deleted: restore it.",
    "DecryptionFailure": "Let our role do kms:Decrypt with the secret's key.",
    "UnrecognizedClientException": "The AWS credentials are not known: mend them.",
    "ExpiredTokenException": "The AWS credentials have ended: renew them.",
}
FORM = 'It must hold one flat JSON object, such as {"JIRA_API_TOKEN": "…"}.'


def named(environment: Mapping[str, str]) -> str:
    """The secret's name, empty where none is set."""
    return (environment.get(SETTING) or "").strip()


def read(secret_id: str) -> Mapping[str, str]:
    """The names and values that the secret holds. No message holds any of its values.

    ConfigurationError: absent, refused, or not of the form; SourceUnavailable: AWS did not answer.
    """
    text = _fetch(secret_id).get("SecretString")
    if text is None:
        raise _wrong(f"holds binary data. {FORM}")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _wrong(f"is not JSON. {FORM}") from None
    if not isinstance(found, dict):
        raise _wrong(f"is not a JSON object. {FORM}")
    nested = sorted(name for name, value in found.items() if not isinstance(value, str | int | float) or value is True)
    if nested:
        names = ", ".join(nested)
        raise _wrong(f"has something other than a text or a number under {names}. {FORM}")
    return {name: str(value) for name, value in found.items()}


class SecretCache:
    """What secrets held when they were last read. A process reads one once; `again` tells whether it was rotated."""

    def __init__(self) -> None:
        """Nothing is read here."""
        self._values: dict[str, Mapping[str, str]] = {}

    def read(self, secret_id: str) -> Mapping[str, str]:
        """As `read`, and only the first time from AWS."""
        if secret_id not in self._values:
            self._values[secret_id] = read(secret_id)
        return self._values[secret_id]

    def again(self, secret_id: str) -> bool:
        """Read it anew; whether it holds something else by now."""
        before = self._values.get(secret_id)
        self._values[secret_id] = read(secret_id)
        return self._values[secret_id] != before


def _fetch(secret_id: str) -> Mapping[str, Any]:
    import boto3  # a third of a second, and only where a secret is named
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    limits = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=10)
    try:
        client = boto3.session.Session().client("secretsmanager", config=limits)
        answer: Mapping[str, Any] = client.get_secret_value(SecretId=secret_id)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in REMEDIES:
            raise _wrong(f"could not be read ({code}). {REMEDIES[code]}") from None
        raise SourceUnavailable("secrets manager", f"reading {SETTING}", code or type(error).__name__) from None
    except (NoCredentialsError, NoRegionError) as error:
        remedy = "Give AWS credentials and AWS_DEFAULT_REGION."
        raise _wrong(f"could not be read ({type(error).__name__}). {remedy}") from None
    except BotoCoreError as error:
        raise SourceUnavailable("secrets manager", f"reading {SETTING}", type(error).__name__) from None
    return answer


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError("settings", [f"the secret that {SETTING} names {what}"])
