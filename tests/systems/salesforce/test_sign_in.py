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
from accountpulse.core.redact import REDACT
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.salesforce.service import NEWEST
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


MY_DOMAIN, UAT = "https://acme.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"
APP_ONLY = {"SALESFORCE_CLIENT_ID": "c", "SALESFORCE_CLIENT_SECRET": "s"}


@pytest.mark.parametrize("name", ["SALESFORCE_DOMAIN", "SALESFORCE_LOGIN_URL"])
@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://acme.my.salesforce.com", MY_DOMAIN),
        ("https://acme.my.salesforce.com/services/", MY_DOMAIN),
        ("https://ACME.my.salesforce.com", MY_DOMAIN),
        ("https://acme.lightning.force.com/lightning/page/home", MY_DOMAIN),
        ("https://acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home", MY_DOMAIN),
        ("https://acme--uat.sandbox.lightning.force.com", UAT),
        ("https://acme--uat.sandbox.my.salesforce-setup.com", UAT),
        ("https://acme-dev-ed.develop.lightning.force.com", "https://acme-dev-ed.develop.my.salesforce.com"),
    ],
)
def test_a_domain_is_read_as_people_copy_it_from_the_browser(name: str, given: str, url: str) -> None:
    assert settings.load({**APP_ONLY, name: given}).access["salesforce"].login_url == url


@pytest.mark.parametrize(
    "given", ["acme.lightning.force.com", "acme.my.salesforce.com/", "acme.my.salesforce-setup.com"]
)
def test_a_domain_needs_no_scheme(given: str) -> None:
    assert settings.load({**APP_ONLY, "SALESFORCE_DOMAIN": given}).access["salesforce"].login_url == MY_DOMAIN


@pytest.mark.parametrize("domain", ["login", "test", "na123", "login.salesforce.com"])
def test_the_shared_hosts_and_instances_are_domains_too(domain: str) -> None:
    given = {"SALESFORCE_USERNAME": "u", "SALESFORCE_PASSWORD": "p", "SALESFORCE_DOMAIN": domain}
    url = f"https://{domain.removesuffix('.salesforce.com')}.salesforce.com"
    assert settings.load(given).access["salesforce"].login_url == url


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("SALESFORCE_DOMAIN", "acme"),
        ("SALESFORCE_DOMAIN", "acme.com"),
        ("SALESFORCE_DOMAIN", "acme.my.site.com"),
        ("SALESFORCE_DOMAIN", "https://acme.file.force.com"),
        ("SALESFORCE_DOMAIN", "my domain"),
        ("SALESFORCE_DOMAIN", "https://["),
        ("SALESFORCE_LOGIN_URL", "https://acme.file.force.com"),
        ("SALESFORCE_LOGIN_URL", "https://acme.salesforce.com"),
    ],
)
def test_what_is_no_domain_is_refused_as_a_setting_with_an_example(name: str, given: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} is no .*acme\.my") as caught:
        settings.load({**APP_ONLY, name: given})
    assert given not in str(caught.value).replace("acme.my", "")


def test_no_line_of_the_key_is_ever_printed(keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]) -> None:
    pem = pem_of(keys[0])
    given = {"SALESFORCE_CLIENT_ID": "client", "SALESFORCE_USERNAME": "u", "SALESFORCE_PRIVATE_KEY": pem}
    loaded = settings.load(given)
    lines = pem.splitlines()[1:-1]
    assert not any(line in repr(loaded) for line in lines)
    assert not any(line in REDACT(f"a dump: {line}") for line in lines)


# --- why it was refused ------------------------------------------------------------------------------------------


def fault_of(code: str, *, detail: bool = True) -> bytes:
    """A SOAP fault; the SOAP API Developer Guide, "API Faults", shows its two places for the code."""
    inner = f"<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>about a user</sf:exceptionMessage>"
    shown = f"<detail><sf:LoginFault>{inner}</sf:LoginFault></detail>" if detail else ""
    envelope = 'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"'
    fault = f"<faultcode>sf:{code}</faultcode><faultstring>{code}: about a user</faultstring>{shown}"
    body = f"<soapenv:Body><soapenv:Fault>{fault}</soapenv:Fault></soapenv:Body>"
    return f"<soapenv:Envelope {envelope}>{body}</soapenv:Envelope>".encode()


@pytest.mark.parametrize("detail", [True, False])
@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (
            "INVALID_OPERATION",
            AccessError,
            "switched SOAP login() off. Have its administrator enable it, or use an ext",
        ),
        ("INSUFFICIENT_ACCESS", AccessError, '"Use Any API Auth"'),
        ("UNSUPPORTED_API_VERSION", AccessError, "external client app"),
        ("LOGIN_MUST_USE_SECURITY_TOKEN", AccessError, "Set SALESFORCE_SECURITY_TOKEN"),
        ("PASSWORD_LOCKOUT", AccessError, "locked out"),
        ("LOGIN_DURING_RESTRICTED_DOMAIN", AccessError, "from this address"),
        ("TRIAL_EXPIRED", AccessError, "trial is over"),
        ("ORG_LOCKED", AccessError, "locked, suspended"),
        ("API_DISABLED_FOR_ORG", AccessError, "edition has no API"),
        ("INVALID_LOGIN", AccessError, "Check SALESFORCE_USERNAME, SALESFORCE_PASSWORD and SALESFORCE_SECURITY_TOKEN"),
        ("API_CURRENTLY_DISABLED", SourceUnavailable, "later"),
        ("LOGIN_RATE_EXCEEDED", SourceUnavailable, "3,600 times an hour"),
        ("SERVER_UNAVAILABLE", SourceUnavailable, "later"),
    ],
)
def test_a_soap_fault_says_its_cause_and_is_met_once(  # noqa: PLR0917
    sandbox: Sandbox,
    configure: Configure,
    code: str,
    kind: type[AccountpulseError],
    words: str,
    detail: bool,  # noqa: FBT001
) -> None:
    if code == "INVALID_LOGIN" and not detail:
        return
    xml = {"Content-Type": "text/xml"}
    sandbox.faults.append(Fault("salesforce", 500, xml, fault_of(code, detail=detail), 9, "Soap"))
    with pytest.raises(kind, match=re.escape(words)) as caught:
        connected(configure(sandbox, **SOAP))
    assert code in str(caught.value)
    assert "about a user" not in str(caught.value)
    assert logins(sandbox) == 1


LAUGHS = (
    b"<!DOCTYPE l [<!ENTITY a 'lol'><!ENTITY b '" + b"&a;" * 99 + b"'><!ENTITY c '" + b"&b;" * 99 + b"'>]><l>&c;</l>"
)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("body", [b"null", b"<a/>", b"<a>" * 5_000 + b"</a>" * 5_000, LAUGHS])
def test_an_answer_without_a_soap_fault_is_not_called_a_wrong_password(
    sandbox: Sandbox, configure: Configure, status: int, body: bytes
) -> None:
    sandbox.faults.append(Fault("salesforce", status, {"Content-Type": "text/xml"}, body, 9, "Soap"))
    with pytest.raises(
        UnexpectedAnswer, match=r"signing in failed \((HTTP \d+ without a SOAP fault|.* no SOAP message)"
    ):
        connected(configure(sandbox, **SOAP))
    assert logins(sandbox) == 1


@pytest.mark.parametrize(
    ("error", "description", "kind", "words"),
    [
        ("invalid_grant", "ip restricted", AccessError, "IP restrictions"),
        ("invalid_grant", "inactive user", AccessError, "not active"),
        ("invalid_grant", "expired authorization code", AccessError, "clock"),
        ("invalid_grant", "login rate exceeded", AccessError, "hour"),
        ("inactive_user", "", AccessError, "not active"),
        ("inactive_org", "", AccessError, "locked, suspended"),
        ("unsupported_grant_type", "grant type not supported", AccessError, "Enable this flow"),
        ("invalid_client_id", "client identifier invalid", AccessError, "SALESFORCE_CLIENT_ID"),
        ("rate_limit_exceeded", "", SourceUnavailable, "in an hour"),
        ("server_error", "", SourceUnavailable, "later"),
    ],
)
def test_a_token_error_says_its_cause_and_is_met_once(  # noqa: PLR0917
    sandbox: Sandbox, configure: Configure, error: str, description: str, kind: type[AccountpulseError], words: str
) -> None:
    body = json.dumps({"error": error, "error_description": description}).encode()
    sandbox.faults.append(Fault("salesforce", 400, body=body, path_contains="oauth2", times=9))
    with pytest.raises(kind, match=re.escape(words)):
        connected(configure(sandbox))
    assert logins(sandbox) == 1


@pytest.mark.parametrize("changes", [{}, SOAP], ids=["token", "SOAP"])
@pytest.mark.parametrize("status", [301, 302, 404, 420])
def test_an_address_without_an_org_names_the_settings_that_lead_there(
    sandbox: Sandbox, configure: Configure, changes: dict[str, str | None], status: int
) -> None:
    body, elsewhere = (
        b"<html>URL No Longer Exists</html>",
        {"Location": "https://example.com", "Content-Type": "text/html"},
    )
    sandbox.faults.append(Fault("salesforce", status, elsewhere, body, 9, ""))
    with pytest.raises(AccessError, match="check SALESFORCE_DOMAIN and SALESFORCE_LOGIN_URL"):
        connected(configure(sandbox, **changes))
    assert logins(sandbox) == 1


@pytest.mark.parametrize("value", [None, 5, "", {}, []])
@pytest.mark.parametrize("name", ["access_token", "instance_url"])
def test_a_token_of_another_type_is_none(sandbox: Sandbox, configure: Configure, name: str, value: object) -> None:
    body = json.dumps({"access_token": "t", "instance_url": sandbox.https_url, name: value}).encode()
    sandbox.faults.append(Fault("salesforce", 200, {"Content-Type": "application/json"}, body, 1, "oauth2"))
    with pytest.raises(UnexpectedAnswer, match="without a token"):
        connected(configure(sandbox))


def test_an_api_version_that_the_org_lacks_is_said_with_its_newest(sandbox: Sandbox, configure: Configure) -> None:
    org = connected(configure(sandbox, SALESFORCE_API_VERSION="75.0"))
    with pytest.raises(AccessError, match=rf"Set SALESFORCE_API_VERSION to {NEWEST}\.0 or older") as caught:
        org.describe("Account")
    assert "75" not in str(caught.value)


def test_a_version_that_was_taken_away_names_the_setting(sandbox: Sandbox, configure: Configure) -> None:
    org = connected(configure(sandbox))
    body = json.dumps([{"errorCode": "UNSUPPORTED_API_VERSION", "message": "retired"}]).encode()
    sandbox.faults.append(Fault("salesforce", 410, body=body, path_contains="/describe"))
    with pytest.raises(AccessError, match="set SALESFORCE_API_VERSION"):
        org.describe("Account")


def test_an_object_that_is_absent_costs_no_question_about_versions(sandbox: Sandbox, configure: Configure) -> None:
    org = connected(configure(sandbox))
    assert org.describe("Account") is not None
    assert org.describe("Nonesuch__c") is None
    assert [call.path for call in sandbox.log if call.path.endswith("/data/")] == []


def test_a_web_page_for_json_says_so(sandbox: Sandbox, configure: Configure) -> None:
    org = connected(configure(sandbox))
    page = Fault("salesforce", 200, {"Content-Type": "text/html"}, b"<html>We'll be back</html>", 9, "/describe")
    sandbox.faults.append(page)
    org.budget.patience = 0.0  # without its repeats
    with pytest.raises(UnexpectedAnswer, match="a web page instead of JSON"):
        org.describe("Account")


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
        (400, "INVALID_QUERY_FILTER_OPERATOR", AccessError, "accountpulse.yaml"),
        (400, "MALFORMED_ID", AccessError, "accountpulse.yaml"),
        (400, "QUERY_TOO_COMPLICATED", SourceUnavailable, "Narrow the `where` text"),
        (400, "REQUEST_RUNNING_TOO_LONG", SourceUnavailable, "Narrow the `where` text"),
        (400, "UNABLE_TO_LOCK_ROW", SourceUnavailable, "Run again"),
        (403, "INSUFFICIENT_ACCESS", AccessError, "permissions"),
        (400, "INSUFFICIENT_ACCESS_OR_READONLY", AccessError, "permissions"),
        (403, "API_DISABLED_FOR_ORG", AccessError, "edition has no API"),
        (403, "API_CURRENTLY_DISABLED", SourceUnavailable, "later"),
        (403, "FUNCTIONALITY_NOT_ENABLED", AccessError, "permissions"),
        (403, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", AccessError, "SALESFORCE_PASSWORD"),
        (404, "ENTITY_IS_DELETED", SourceUnavailable, "Run again"),
        (420, "", AccessError, "SALESFORCE_DOMAIN"),
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
