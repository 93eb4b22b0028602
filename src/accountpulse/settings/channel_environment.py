"""What the environment says of the digest's channels: secrets all, since who has such an address may write to it."""

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from accountpulse.core.channel_access import ChannelAccess, MailServer, WebhookAccess, signing_key
from accountpulse.core.secret import Secret
from accountpulse.settings.digest_channels import ChannelKeys
from accountpulse.systems.addresses import url_problem
from accountpulse.systems.environment import EnvironmentReader, Variable

SLACK, SMTP = "ACCOUNTPULSE_SLACK_WEBHOOK", "ACCOUNTPULSE_SMTP_URL"
WEBHOOK, KEY = "ACCOUNTPULSE_WEBHOOK_URL", "ACCOUNTPULSE_WEBHOOK_KEY"
APPRISE = "ACCOUNTPULSE_APPRISE_URLS"
VARIABLES = (
    Variable(SLACK, "digest: address of a Slack incoming webhook", secret=True),
    Variable(
        SMTP,
        "digest: mail server, smtps://user:password@host:465, or smtp://user:password@host:587 (with STARTTLS)",
        secret=True,
    ),
    Variable(WEBHOOK, "digest: address that takes signed JSON (Standard Webhooks)", secret=True),
    Variable(KEY, "digest: the key that signs it, whsec_ and base64 of 24 to 64 bytes", secret=True),
    Variable(APPRISE, "digest: other services, in Apprise's form, blanks between them", secret=True),
)
PORTS = {"smtps": 465, "smtp": 587}
_FORM = (
    "must be smtps://user:password@host:465 or smtp://user:password@host:587, with % codes for special characters, "
    "and user and password of ASCII characters"
)
_UNFIT = re.compile("[\x00-\x20\x7f-\U0010ffff]")


def access(reader: EnvironmentReader, keys: ChannelKeys | None, folder: Path, bundle: Path | None) -> ChannelAccess:
    """How the channels are reached; what is wrong is among the reader's problems. `folder`: of accountpulse.yaml."""
    keys = keys or ChannelKeys()
    named = keys.file.folder
    return ChannelAccess(
        slack=_address(reader, SLACK),
        mail_server=_mail_server(reader),
        sender=keys.mail.source,
        receivers=keys.mail.to,
        webhook=_webhook(reader),
        apprise=tuple(Secret(each) for each in (reader.get(APPRISE) or "").split()),
        folder=None if named is None else folder / Path(named).expanduser(),
        ca_bundle=bundle,
    )


def _address(reader: EnvironmentReader, name: str, *, with_query: bool = False) -> Secret | None:
    value = reader.get(name)
    if value is None:
        return None
    if problem := url_problem(value, with_query=with_query):
        reader.problems.append(f"{name} {problem}")
    return Secret(value)


def _webhook(reader: EnvironmentReader) -> WebhookAccess | None:
    url, key = _address(reader, WEBHOOK, with_query=True), reader.secret(KEY)
    reader.together("the webhook", [WEBHOOK, KEY])
    if key is not None and signing_key(key) is None:
        reader.problems.append(f"{KEY} must be whsec_ and base64 of 24 to 64 random bytes")
    return WebhookAccess(url, key) if url is not None and key is not None else None


def _mail_server(reader: EnvironmentReader) -> MailServer | None:
    value = reader.get(SMTP)
    if value is None:
        return None
    try:
        found = _server(urlsplit(value)) if not _UNFIT.search(value) else None
    except ValueError:  # a port that is none
        found = None
    if found is None:
        reader.problems.append(f"{SMTP} {_FORM}")
    return found


def _server(parts: SplitResult) -> MailServer | None:
    """The server that an address names; None where it isn't one."""
    host = parts.hostname or ""
    fits = parts.scheme in PORTS and host and parts.path in ("", "/") and not (parts.query or parts.fragment)
    if not fits or (parts.username is None) != (parts.password is None) or parts.port == 0:
        return None
    user, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
    if not f"{user}{password}".isascii():  # as smtplib sends them
        return None
    secret = None if password is None else Secret(password)
    return MailServer(host, parts.port or PORTS[parts.scheme], parts.scheme == "smtps", user, secret)
