"""What a system hands out when we sign in is a secret of the run from that answer on, whatever becomes of it."""

import json

import pytest

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.redact import MASK, REDACT
from accountpulse.core.secret import Secret
from accountpulse.http import requests_adapter
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.looker.api import Api
from accountpulse.systems.looker.settings import LookerAccess
from accountpulse.systems.salesforce.settings import SalesforceAccess
from accountpulse.systems.salesforce.sign_in import SignedIn, sign_in
from faults.wire import Wire, whole

SOAP = (
    "<Envelope><Body><loginResponse><result><serverUrl>https://na1.example/services/Soap/u/64.0/x</serverUrl>"
    "<sessionId>{session}</sessionId></result></loginResponse></Body></Envelope>"
)


def signed_in(body: str, **ways: Secret) -> SignedIn:
    kind = "text/xml" if body.startswith("<") else "application/json"
    with Wire(for_ever=whole(200, body.encode(), kind=kind)) as wire:
        access = SalesforceAccess(wire.url, "66.0", "somebody", **ways)  # type: ignore[arg-type]
        return sign_in(access, requests_adapter.session("salesforce", RequestBudget(), None))


def by_app(body: str) -> SignedIn:
    return signed_in(body, client_id=Secret("client-of-this-test-1"), client_secret=Secret("secret-of-this-test-1"))


def test_the_session_of_an_oauth_answer_is_known() -> None:
    body = {"access_token": "oauth-session/of-this-test-1", "instance_url": "https://na1.example"}
    assert by_app(json.dumps(body).replace("/of", "\\/of")).session_id == "oauth-session/of-this-test-1"
    assert REDACT("a oauth-session/of-this-test-1 b") == f"a {MASK} b"


def test_the_session_of_an_answer_that_is_no_use_is_known_too() -> None:
    with pytest.raises(UnexpectedAnswer):
        by_app('{"access_token": "oauth-session-of-this-test-2", "instance_url": 5}')
    assert REDACT("a oauth-session-of-this-test-2 b") == f"a {MASK} b"
    with pytest.raises(UnexpectedAnswer):
        signed_in("<a><sessionId>soap-session-of-this-test-3</sessionId>", password=Secret("password-of-this-test-3"))
    assert REDACT("a soap-session-of-this-test-3 b") == f"a {MASK} b"


def test_the_session_of_soap_and_password_and_token_as_they_are_sent_are_known() -> None:
    password, token = Secret("hunter"), Secret("Tok3n-of-this-test-4")
    assert signed_in(SOAP.format(session="soap-session-of-this-test-4"), password=password, security_token=token)
    assert REDACT("a soap-session-of-this-test-4 b") == f"a {MASK} b"
    assert REDACT("<n1:password>hunterTok3n-of-this-test-4</n1:password>") == f"<n1:password>{MASK}</n1:password>"


def test_lookers_token_is_known() -> None:
    body = json.dumps({"access_token": "looker-token-of-this-test-5", "token_type": "Bearer", "expires_in": 3600})
    with Wire(for_ever=whole(200, body.encode())) as wire:
        access = LookerAccess(wire.url, Secret("client-of-this-test-5"), Secret("secret-of-this-test-5"))
        api = Api(access, RequestBudget(), None, 5)
        with pytest.raises(UnexpectedAnswer):
            api.explores("a model")
    assert REDACT("a looker-token-of-this-test-5 b") == f"a {MASK} b"
