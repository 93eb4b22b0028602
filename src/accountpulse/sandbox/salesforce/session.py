"""Logging in to the sandbox's org: SOAP login(), OAuth client credentials and JWT bearer; how long a session lives."""

import base64
import binascii
import html
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import jwt

from accountpulse.sandbox.salesforce.behaviour import SalesforceBehaviour
from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.org import record_id

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_ASSERTION = 300  # seconds that an assertion may live, by our clock
LAST_SOAP_LOGIN = 64.0  # login() is not there in later versions; SOAP API Developer Guide, "login()"

_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring>"
    '<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
    "<sf:exceptionMessage>{message}</sf:exceptionMessage></sf:{kind}></detail>"
    "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)
_RESULT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body><loginResponse><result><metadataServerUrl>{base}/services/Soap/m/{version}/{organization}"
    "</metadataServerUrl><passwordExpired>false</passwordExpired><sandbox>true</sandbox>"
    "<serverUrl>{base}/services/Soap/u/{version}/{organization}</serverUrl><sessionId>{session}</sessionId>"
    "<userId>{user}</userId><userInfo><organizationId>{organization}</organizationId><userId>{user}</userId>"
    "<userName>{username}</userName></userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True)
class Answer:
    """What a login call sends back: a status, and XML text or an object for JSON."""

    status: int
    body: str | dict[str, Any]


class Sessions:
    """The sessions of one org, counted by the calls that they have made."""

    def __init__(self, org: Salesforce, behaviour: SalesforceBehaviour) -> None:
        """No session yet."""
        self._org = org
        self._behaviour = behaviour
        self._calls: dict[str, int] = {}
        organization = org.objects.get("Organization")
        self._organization = organization.rows[0]["Id"] if organization and organization.rows else record_id("00D", 1)

    def accepts(self, authorization: str) -> bool:
        """Count a call of the session that an Authorization header names; False: there is none, or it has expired."""
        kind, _, token = authorization.partition(" ")
        if kind not in ("Bearer", "OAuth") or token not in self._calls:
            return False
        self._calls[token] += 1
        limit = self._behaviour.calls_per_session
        return limit is None or self._calls[token] <= limit

    def soap(self, version: str, body: str, base: str) -> Answer:
        """login() of the partner WSDL: username, and password followed at once by the security token."""
        if float(version) > LAST_SOAP_LOGIN:
            text = f"The SOAP Login operation is not available in the API version specified ({version})"
            return _fault("INVALID_OPERATION", text, "UnexpectedErrorFault")
        right = (self._org.username.lower(), self._org.password + self._org.security_token)
        if (_element(body, "username").lower(), _element(body, "password")) != right:
            text = "Invalid username, password, security token; or user locked out."
            return _fault("INVALID_LOGIN", text, "LoginFault")
        return Answer(
            200,
            _RESULT.format(
                base=base,
                version=version,
                organization=self._organization,
                session=self._open(),
                user=record_id("005", 1),
                username=html.escape(self._org.username),
            ),
        )

    def oauth(self, body: str, authorization: str, base: str, at: datetime) -> Answer:
        """The token endpoint: client credentials, with Basic or the form's own fields, and JWT bearer."""
        form = {name: values[0] for name, values in parse_qs(body).items()}
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            client, secret = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
            refused = self._refused_client(client, secret)
        elif grant == JWT_BEARER:
            refused = self._refused_assertion(form.get("assertion", ""), base, at)
        elif grant == "password":
            refused = ("invalid_grant", "authentication failure")
        else:
            refused = ("unsupported_grant_type", "grant type not supported")
        if refused is not None:
            return Answer(400, {"error": refused[0], "error_description": refused[1]})
        return Answer(
            200,
            {
                "access_token": self._open(),
                "signature": "c2FuZGJveA==",
                "scope": "api",
                "instance_url": base,
                "id": f"{base}/id/{self._organization}/{record_id('005', 1)}",
                "token_type": "Bearer",
                "issued_at": str(int(at.timestamp() * 1000)),
            },
        )

    def _refused_client(self, client: str, secret: str) -> tuple[str, str] | None:
        if client != self._org.client_id:
            return "invalid_client_id", "client identifier invalid"
        return None if secret == self._org.client_secret else ("invalid_client", "invalid client credentials")

    def _refused_assertion(self, assertion: str, base: str, at: datetime) -> tuple[str, str] | None:
        """Why a JWT bearer assertion is refused: its signature by the app's certificate, audience, life and user.

        Salesforce help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration".
        """
        required = ["iss", "sub", "aud", "exp"]
        try:
            claims = jwt.decode(
                assertion,
                self._org.certificate or "",
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_aud": False, "require": required},
            )
            life = float(claims["exp"]) - at.timestamp()
        except (jwt.PyJWTError, TypeError, ValueError):
            return "invalid_grant", "invalid assertion"
        refusals = {
            ("invalid_client_id", "client identifier invalid"): claims["iss"] != self._org.client_id,
            ("invalid_grant", "audience is invalid"): claims["aud"] not in (*AUDIENCES, base),
            ("invalid_grant", "expired authorization code"): life <= 0,
            ("invalid_grant", "invalid assertion"): life > LONGEST_ASSERTION,
            ("invalid_grant", "user hasn't approved this consumer"): claims["sub"] != self._org.username,
        }
        return next((refusal for refusal, holds in refusals.items() if holds), None)

    def _open(self) -> str:
        token = f"{self._organization[:15]}!sandbox.session.{len(self._calls) + 1:06d}"
        self._calls[token] = 0
        return token


def _fault(code: str, message: str, kind: str) -> Answer:
    return Answer(500, _FAULT.format(code=code, message=html.escape(message), kind=kind))


def _element(xml: str, name: str) -> str:
    """The text of the first element of that name, whatever its prefix; empty where there is none."""
    match = re.search(rf"<(?:\w+:)?{name}>([^<]*)</", xml)
    return html.unescape(match[1]) if match else ""


def _basic(authorization: str) -> tuple[str, str] | None:
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client, secret
