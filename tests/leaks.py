"""Twelve odd secrets, the forms in which a text may hold them, and a search for those; written without the product."""

import base64
import html
import json
from collections.abc import Iterable, Mapping
from functools import cache
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ODD: Mapping[str, str] = {
    "INTERCOM_API_TOKEN": "dG9rOmludGVyY29tKzEyMw==",  # is base64 itself
    "JIRA_API_TOKEN": "50%25off%20%41nd%2Fmore%",
    "LOOKER_CLIENT_ID": "kD3$xY",
    "LOOKER_CLIENT_SECRET": "L'oo\"k\\er`s",
    "SALESFORCE_CLIENT_ID": "3MVG9<&>;'id.of=app",
    "SALESFORCE_CLIENT_SECRET": "Mötley Crüe™ 🤘 1981",
    "SALESFORCE_PASSWORD": "hunter",
    "SALESFORCE_SECURITY_TOKEN": "qWx7 {$[(.*+?)]}^|",
    "ROLLBAR_ACCESS_TOKEN": "5f2c0e9ab7d14c3e8a60b1d2c3e4f5a6",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLE=",
    "AWS_SESSION_TOKEN": "tab\tand!bang~tilde/slash",
}
EMAIL = "ops@example.com"


@cache
def key() -> rsa.RSAPrivateKey:
    """An RSA key of its own for these tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem() -> str:
    """The twelfth secret: it has line feeds."""
    kind = serialization.PrivateFormat.PKCS8
    return key().private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


def secrets() -> list[str]:
    """The single-line ones, and the key's lines."""
    return [*ODD.values(), *pem().splitlines()[1:-1]]


def forms(secret: str) -> dict[str, str]:
    """What systems, libraries and terminals make of a secret, by the name of the way."""
    found = {
        "raw": secret,
        "json": json.dumps(secret)[1:-1],
        "json with its characters": json.dumps(secret, ensure_ascii=False)[1:-1],
        "json in json": json.dumps(json.dumps(secret))[3:-3],
        "json with escaped slashes": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "python": repr(secret)[1:-1],
        "python's bytes": repr(secret.encode())[2:-1],
        "path": quote(secret),
        "query": quote(secret, safe=""),
        "query in small letters": _small(quote(secret, safe="")),
        "form": quote_plus(secret),
        "query in a query": quote(quote(secret, safe=""), safe=""),
        "html": html.escape(secret),
        "html by numbers": "".join(each if each.isalnum() and each.isascii() else f"&#{ord(each)};" for each in secret),
        "html in json": json.dumps(html.escape(secret))[1:-1],
        "xml": escape(secret),
        "xml's attribute": quoteattr(secret)[1:-1],
        "wrong encoding": secret.encode().decode("latin-1"),
    }
    for before in ("", "a", "ab", f"{EMAIL}:"):
        found |= {f"base64 after {before!r}": base64.b64encode(f"{before}{secret}".encode()).decode()}
        found |= {f"url-safe base64 after {before!r}": base64.urlsafe_b64encode(f"{before}{secret}:".encode()).decode()}
    return found


def _small(quoted: str) -> str:
    first, *others = quoted.split("%")
    return "%".join([first, *(each[:2].lower() + each[2:] for each in others)])


def found_in(text: str, wanted: Iterable[str]) -> list[tuple[str, str]]:
    """The forms of the wanted secrets that a text holds, as secret and form. Of base64 its middle is looked for."""
    return [
        (secret, way)
        for secret in wanted
        for way, form in forms(secret).items()
        if (form[4:-4] if "base64" in way and len(form) > 16 else form) in text
    ]
