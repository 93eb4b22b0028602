"""How each channel of the digest is reached: what the settings and accountpulse.yaml say of it."""

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path

from accountpulse.core.secret import Secret

SLACK_ID = re.compile(r"[USW][A-Z0-9]{4,20}")  # of a member (U, W) or of a user group (S)
KEY_BYTES = range(24, 65)  # https://github.com/standard-webhooks/standard-webhooks, "Signature scheme"


def signing_key(key: Secret) -> bytes | None:
    """The bytes that sign a webhook, of `whsec_` and their base64; None where the text is no such key."""
    try:
        made = base64.b64decode(key.reveal().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return made if len(made) in KEY_BYTES else None


@dataclass(frozen=True)
class MailServer:
    """A server that takes mail. Without `user` nobody signs in.

    `is_tls`: the connection begins with TLS; otherwise STARTTLS follows, which only a server of this machine may lack.
    """

    host: str
    port: int
    is_tls: bool
    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True)
class WebhookAccess:
    """An address that takes signed JSON, and the key that signs it: `whsec_` and base64, or base64 alone."""

    url: Secret
    key: Secret


@dataclass(frozen=True)
class ChannelAccess:
    """What the channels need; None or empty: that channel is not set up.

    `sender` and `receivers` are mail addresses; a digest's own recipient comes before `receivers`. `folder` is where
    the file channel writes. `ca_bundle`: one more certificate authority to trust.
    """

    slack: Secret | None = None
    mail_server: MailServer | None = None
    sender: str | None = None
    receivers: tuple[str, ...] = ()
    webhook: WebhookAccess | None = None
    apprise: tuple[Secret, ...] = ()
    folder: Path | None = None
    ca_bundle: Path | None = None
