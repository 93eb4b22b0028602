"""The digest as signed JSON to a webhook, by the scheme of Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from accountpulse.core.channel_access import WebhookAccess, signing_key
from accountpulse.core.errors import ConfigurationError
from accountpulse.notify.message import Digest, Receipt
from accountpulse.notify.posting import ANSWER, Poster
from accountpulse.notify.rendering import as_data, identifier, ready

SETTING, KEY_SETTING = "ACCOUNTPULSE_WEBHOOK_URL", "ACCOUNTPULSE_WEBHOOK_KEY"
TYPE = "accountpulse.digest"


class WebhookChannel:
    """Posts `{"type": "accountpulse.digest", "data": …}`, signed; a repeat has the same `webhook-id`."""

    name = "webhook"

    def __init__(
        self,
        access: WebhookAccess,
        ca_bundle: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        seconds: float = ANSWER,
    ) -> None:
        """`sleep`, `now` and `seconds` (that an answer may take) stand in for time in tests."""
        key = signing_key(access.key)
        if key is None:
            raise ConfigurationError(KEY_SETTING, ["must be whsec_ and base64 of 24 to 64 random bytes"])
        self._key = key
        self._now = now
        self._poster = Poster("webhook", SETTING, access.url, ca_bundle, repeatable=True, sleep=sleep, seconds=seconds)

    def send(self, digest: Digest, before: Mapping[str, str]) -> Receipt:  # noqa: ARG002 - Channel's
        """As Channel says."""
        told = {"type": TYPE, "data": as_data(ready(digest))}
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        self._poster.post(body, lambda: self._headers(f"msg_{identifier(digest)}", body))
        return Receipt({})

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._now()))
        signed = hmac.digest(self._key, b".".join([message_id.encode(), timestamp.encode(), body]), hashlib.sha256)
        return {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        }
