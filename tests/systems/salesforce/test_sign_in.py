"""Signing in to Salesforce and staying signed in, with the real client against the sandbox."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from accountpulse import settings
from accountpulse.core.errors import (
    AccessError,
    AccountpulseError,
    ConfigurationError,
    SourceUnavailable,
    UnexpectedAnswer,
)
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from accountpulse.systems.salesforce.client import NotThere, Org, UnknownName
from accountpulse.systems.salesforce.sign_in import JWT_GRANT, SOAP_ENDS, announcement, audience
from support import Configure

EXPIRED = json.dumps([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]).encode()
APP = {"SALESFORCE_CLIENT_SECRET": None}
UPSERT = "composite/sobjects/Health_Score__c/External_Key__c"
USER = "integration@sandbox.example"
SOAP = {
    "SALESFORCE_CLIENT_ID": None,
    "SALESFORCE_CLIENT_SECRET": None,
    "SALESFORCE_USERNAME": USER,
    "SALESFORCE_PASSWORD": "salesforce-password-of-the-sandbox",
    "SALESFORCE_SECURITY_TOKEN": "SandboxSecurityToken",
}


def pem_of(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def certificate_of(key: rsa.RSAPrivateKey) -> str:
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, public).decode()


@pytest.fixture(scope="module")
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """The app's key, and somebody else's."""
    made = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    return next(made), next(made)


@pytest.fixture
def certified(world: World, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]) -> Iterator[Sandbox]:
    """A sandbox whose app has a certificate."""
    org = replace(world.salesforce, certificate=certificate_of(keys[0]))
    with Sandbox(world.with_part("salesforce", org)) as running:
        yield running


def connected(loaded: Settings, budget: RequestBudget | None = None) -> Org:
    org = Org.connect(loaded.access["salesforce"], budget or RequestBudget(), loaded.ca_bundle)
    org.sleep = lambda _seconds: None
    return org


def logins(sandbox: Sandbox) -> int:
    return sum("oauth2" in call.path or "Soap" in call.path for call in sandbox.log)


def count_accounts(org: Org) -> int:
    return sum(1 for _ in org.query("SELECT Id FROM Account", "Account"))


# --- the three ways --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["as it is", "with escaped line ends"])
def test_a_key_of_the_apps_certificate_opens_a_session(
    certified: Sandbox, configure: Configure, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey], form: str
) -> None:
    pem = pem_of(keys[0])
    text = pem if form == "as it is" else pem.replace("\n", "\\n")
    loaded = configure(certified, **APP, SALESFORCE_USERNAME=USER, SALESFORCE_PRIVATE_KEY=text)
    assert loaded.access["salesforce"].way == "jwt"
    org = connected(loaded)
    assert count_accounts(org) > 100
    assert org.notices == ()


def test_a_key_of_another_certificate_is_refused_once_and_named(
    certified: Sandbox, configure: Configure, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    loaded = configure(certified, **APP, SALESFORCE_USERNAME=USER, SALESFORCE_PRIVATE_KEY=pem_of(keys[1]))
    with pytest.raises(AccessError, match="SALESFORCE_PRIVATE_KEY") as caught:
        connected(loaded)
    assert "PRIVATE KEY--" not in str(caught.value)
    assert logins(certified) == 1


def test_a_user_who_was_not_allowed_the_app_is_told_so(
    certified: Sandbox, configure: Configure, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    other = {"SALESFORCE_USERNAME": "other@sandbox.example", "SALESFORCE_PRIVATE_KEY": pem_of(keys[0])}
    with pytest.raises(AccessError, match=r"hasn't approved this consumer.* permission set"):
        connected(configure(certified, **APP, **other))


def test_the_sandbox_takes_no_assertion_that_salesforce_would_refuse(
    certified: Sandbox, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey], configure: Configure
) -> None:
    now = datetime.now(UTC)
    good = {
        "iss": "salesforce-client-of-the-sandbox",
        "sub": USER,
        "aud": "https://login.salesforce.com",
        "exp": now + timedelta(minutes=3),
    }
    session = connected(configure(certified)).session

    def answer(key: rsa.RSAPrivateKey = keys[0], algorithm: str = "RS256", **changes: object) -> tuple[int, str]:
        secret = "x" * 32 if algorithm == "HS256" else pem_of(key)
        form = {"grant_type": JWT_GRANT, "assertion": jwt.encode({**good, **changes}, secret, algorithm)}
        sent = session.post(f"{certified.https_url}/services/oauth2/token", data=form)
        return sent.status_code, sent.json().get("error_description", "")

    assert answer() == (200, "")
    assert answer(keys[1]) == (400, "invalid assertion")
    assert answer(algorithm="HS256") == (400, "invalid assertion")
    assert answer(exp=now - timedelta(seconds=1)) == (400, "expired authorization code")
    assert answer(exp=now + timedelta(minutes=6)) == (400, "invalid assertion")
    assert answer(aud="https://example.com") == (400, "audience is invalid")
    assert answer(iss="another") == (400, "client identifier invalid")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
    ],
)
def test_the_audience_is_production_or_the_sandboxes(url: str, expected: str) -> None:
    """Salesforce help, "OAuth 2.0 JWT Bearer Flow": the audience is the authorization server, not the My Domain."""
    assert audience(url) == expected


def test_soap_signs_in_by_the_last_version_that_has_it_and_says_that_it_ends(
    sandbox: Sandbox, configure: Configure
) -> None:
    org = connected(configure(sandbox, **SOAP))
    assert org.notices == (SOAP_ENDS,)
    assert count_accounts(org) > 100
    assert sandbox.log[0].path == "/services/Soap/u/64.0"
    assert {call.path.split("/")[3] for call in sandbox.log[1:]} == {"v66.0"}


def test_the_rest_version_is_a_setting_of_its_own(sandbox: Sandbox, configure: Configure) -> None:
    org = connected(configure(sandbox, **SOAP, SALESFORCE_API_VERSION="67.0"))
    count_accounts(org)
    assert [call.path.split("/")[3] for call in sandbox.log] == ["u", "v67.0"]


def test_which_way_was_chosen_is_said_before_the_first_request(
    sandbox: Sandbox, configure: Configure, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    by_key = {"SALESFORCE_USERNAME": USER, "SALESFORCE_PRIVATE_KEY": pem_of(keys[0])}
    said = [announcement(configure(sandbox, **changes).access["salesforce"]) for changes in ({}, SOAP, by_key)]
    assert ["client credentials" in said[0], "SOAP" in said[1], "JWT bearer" in said[2]] == [True] * 3


# --- what settings refuse --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({}, "must be set"),
        ({"SALESFORCE_CLIENT_ID": "c"}, "SALESFORCE_CLIENT_SECRET is not set"),
        ({"SALESFORCE_CLIENT_SECRET": "s"}, "SALESFORCE_CLIENT_ID is not set"),
        ({"SALESFORCE_USERNAME": "u"}, "SALESFORCE_PASSWORD is not set"),
        ({"SALESFORCE_CLIENT_ID": "c", "SALESFORCE_CLIENT_SECRET": "s"}, "My Domain"),
        (
            {"SALESFORCE_CLIENT_ID": "c", "SALESFORCE_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----"},
            "SALESFORCE_USERNAME is not set",
        ),
        (
            {"SALESFORCE_CLIENT_ID": "c", "SALESFORCE_USERNAME": "u", "SALESFORCE_PRIVATE_KEY": "/etc/key.pem"},
            "SALESFORCE_PRIVATE_KEY is not an RSA key in PEM form",
        ),
        ({"SALESFORCE_USERNAME": "u", "SALESFORCE_PASSWORD": "p", "SALESFORCE_API_VERSION": "v66"}, "API_VERSION"),
    ],
)
def test_an_incomplete_way_is_named_before_anything_is_sent(environment: dict[str, str], part: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(environment)
    assert part in str(caught.value)


@pytest.mark.parametrize("domain", ["acme.my", "acme.my.salesforce.com"])
def test_a_domain_may_be_written_short_or_whole(domain: str) -> None:
    given = {"SALESFORCE_CLIENT_ID": "c", "SALESFORCE_CLIENT_SECRET": "s", "SALESFORCE_DOMAIN": domain}
    assert settings.load(given).access["salesforce"].login_url == "https://acme.my.salesforce.com"


def test_no_line_of_the_key_is_ever_printed(keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]) -> None:
    pem = pem_of(keys[0])
    given = {"SALESFORCE_CLIENT_ID": "client", "SALESFORCE_USERNAME": "u", "SALESFORCE_PRIVATE_KEY": pem}
    loaded = settings.load(given)
    lines = pem.splitlines()[1:-1]
    assert not any(line in repr(loaded) for line in lines)
    assert not any(line in loaded.redactor(f"a dump: {line}") for line in lines)


# --- staying signed in -----------------------------------------------------------------------------------------


def test_a_session_that_ends_is_renewed_and_the_call_repeated(sandbox: Sandbox, configure: Configure) -> None:
    sandbox.behaviour.calls_per_session = 2
    sandbox.behaviour.page_size = 20
    assert count_accounts(connected(configure(sandbox))) == 122
    assert logins(sandbox) == 4  # seven pages, two a session


def ended(sandbox: Sandbox) -> None:
    sandbox.faults.append(Fault("salesforce", 401, body=EXPIRED, times=10**6, path_contains="/data/"))


@pytest.mark.parametrize("call", ["describe", "query", "write"])
def test_a_session_that_never_lives_ends_after_one_new_login(sandbox: Sandbox, configure: Configure, call: str) -> None:
    """The client by itself would sign in without end: its counter is never handed on."""
    ended(sandbox)
    org = connected(configure(sandbox))
    work: dict[str, Callable[[], object]] = {
        "describe": lambda: org.describe("Account"),
        "query": lambda: count_accounts(org),
        "write": lambda: org.call("writing", lambda: org.client.restful(UPSERT, method="PATCH", json={"records": []})),
    }
    with pytest.raises(AccessError, match="INVALID_SESSION_ID"):
        work[call]()
    assert logins(sandbox) == 2
    assert len(sandbox.log) == 4


@pytest.mark.parametrize("body", [b"<html>who are you?</html>", b"{}", b"[]", b"[1]", b""])
def test_a_401_without_salesforces_own_words_ends_at_once(sandbox: Sandbox, configure: Configure, body: bytes) -> None:
    org = connected(configure(sandbox))
    sandbox.faults.append(Fault("salesforce", 401, body=body, times=10**6, path_contains="/data/"))
    with pytest.raises(AccessError, match="HTTP 401"):
        org.describe("Account")
    assert logins(sandbox) == 1


@pytest.mark.parametrize(
    "body", [b"<html>proxy</html>", b"[]", b"{}", b'{"done": true}', b'{"done": false, "records": []}']
)
def test_an_answer_that_is_no_page_is_never_taken_for_an_empty_one(
    sandbox: Sandbox, configure: Configure, body: bytes
) -> None:
    org = connected(configure(sandbox))
    sandbox.faults.append(Fault("salesforce", 200, body=body, path_contains="/query"))
    with pytest.raises(UnexpectedAnswer):
        count_accounts(org)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"access_token": "a"}'])
@pytest.mark.parametrize("status", [200, 400])
def test_a_token_answer_in_no_known_shape_is_unexpected(
    sandbox: Sandbox, configure: Configure, body: bytes, status: int
) -> None:
    sandbox.faults.append(Fault("salesforce", status, body=body, path_contains="oauth2"))
    with pytest.raises(UnexpectedAnswer):
        connected(configure(sandbox))


@pytest.mark.parametrize("body", [b"<html>not XML", b"<a/>"])
def test_a_soap_answer_in_no_known_shape_is_one_of_our_errors(
    sandbox: Sandbox, configure: Configure, body: bytes
) -> None:
    sandbox.faults.append(Fault("salesforce", 200, body=body, path_contains="Soap"))
    with pytest.raises(AccountpulseError):
        connected(configure(sandbox, **SOAP))


def test_an_entry_of_netrc_does_not_take_the_tokens_place(
    sandbox: Sandbox, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else", encoding="utf-8")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert count_accounts(connected(configure(sandbox))) == 122


# --- time limits: the client itself has none ---------------------------------------------------------------------


@pytest.mark.parametrize("way", ["client credentials", "jwt", "soap"])
def test_signing_in_at_a_server_that_never_answers_ends(
    sandbox: Sandbox, configure: Configure, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey], way: str
) -> None:
    by_key = {**APP, "SALESFORCE_USERNAME": USER, "SALESFORCE_PRIVATE_KEY": pem_of(keys[0])}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = {"SALESFORCE_LOGIN_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        loaded = configure(sandbox, **({"soap": SOAP, "jwt": by_key}.get(way, {}) | url))
        assert loaded.access["salesforce"].way == way
        with pytest.raises(SourceUnavailable):
            connected(loaded, RequestBudget(ends=time.monotonic() + 0.4))


@pytest.mark.parametrize("call", ["describe", "query", "write"])
def test_a_call_to_an_org_that_stops_answering_ends(sandbox: Sandbox, configure: Configure, call: str) -> None:
    budget = RequestBudget()
    org = connected(configure(sandbox), budget)
    work: dict[str, Callable[[], object]] = {
        "describe": lambda: org.describe("Account"),
        "query": lambda: count_accounts(org),
        "write": lambda: org.call("writing", lambda: org.client.restful(UPSERT, method="PATCH", json={"records": []})),
    }
    sandbox._latency = 3.0
    budget.ends = time.monotonic() + 0.4
    with pytest.raises(SourceUnavailable):
        work[call]()


# --- the day's calls -------------------------------------------------------------------------------------------


def test_too_many_long_calls_pass_and_the_days_limit_does_not(sandbox: Sandbox, configure: Configure) -> None:
    org = connected(configure(sandbox))
    sandbox.behaviour.busy = 3
    assert count_accounts(org) == 122
    sandbox.behaviour.busy = 4
    with pytest.raises(SourceUnavailable, match="long calls"):
        count_accounts(org)
    sandbox.behaviour.busy = 0
    sandbox.behaviour.calls_before = 100_000
    before = len(sandbox.log)
    with pytest.raises(SourceUnavailable, match="API calls of the day are used up"):
        count_accounts(org)
    assert len(sandbox.log) == before + 1


def test_a_query_that_is_longer_than_an_address_says_so(sandbox: Sandbox, configure: Configure) -> None:
    org = connected(configure(sandbox))
    for length, status in ((16_100, 431), (17_000, 414)):  # too long with its headers, and by itself
        with pytest.raises(AccessError, match="16,384 bytes"):
            list(org.query("x" * length, "Account"))
        assert sandbox.log[-1].status == status


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (400, "QUERY_TIMEOUT", SourceUnavailable, "Narrow the `where` text"),
        (400, "INVALID_QUERY_LOCATOR", SourceUnavailable, "INVALID_QUERY_LOCATOR"),
        (400, "INVALID_FIELD", UnknownName, "accountpulse.yaml"),
        (400, "MALFORMED_QUERY", AccessError, "accountpulse.yaml"),
        (403, "INSUFFICIENT_ACCESS", AccessError, "permissions"),
        (404, "NOT_FOUND", NotThere, "may not see it"),
        (404, "O'Brien & Sons", NotThere, "HTTP 404"),
    ],
)
def test_a_refusal_says_what_to_do_and_never_what_was_asked(  # noqa: PLR0917
    sandbox: Sandbox, configure: Configure, status: int, code: str, kind: type[AccountpulseError], words: str
) -> None:
    org = connected(configure(sandbox))
    body = json.dumps([{"message": "about O'Brien & Sons", "errorCode": code}]).encode()
    sandbox.faults.append(Fault("salesforce", status, body=body, path_contains="/query", times=2))
    with pytest.raises(kind, match=re.escape(words)) as caught:
        list(org.query("SELECT Id FROM Account WHERE Name = 'O\\'Brien & Sons'", "Account"))
    assert "Brien" not in str(caught.value)
