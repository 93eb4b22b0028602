"""The digest to a webhook: verified as the specification of Standard Webhooks says, by hand."""

import base64
import hashlib
import json
from typing import Any

import pytest

from accountpulse.core.channel_access import WebhookAccess
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.secret import Secret
from accountpulse.notify.errors import NotSent
from accountpulse.notify.webhook import WebhookChannel
from notify.digests import ACME, Came, digest, receiver

KEY = b"0123456789abcdef0123456789abcdef"
NOW = 1_796_025_600.5


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104 as it is written: H((K ⊕ opad) ‖ H((K ⊕ ipad) ‖ message)), with blocks of 64 bytes."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in padded) + message).digest()
    return hashlib.sha256(bytes(each ^ 0x5C for each in padded) + inner).digest()


def test_the_reference_of_the_signature_is_right() -> None:
    """RFC 4231, test case 2."""
    wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == wanted


def channel(url: str, key: bytes = KEY, **more: Any) -> WebhookChannel:
    access = WebhookAccess(Secret(url), Secret(f"whsec_{base64.b64encode(key).decode()}"))
    return WebhookChannel(access, sleep=lambda _seconds: None, now=lambda: NOW, **more)


def verified(came: Came) -> bool:
    headers = {name.lower(): value for name, value in came.headers.items()}
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), came.body])
    version, _, signature = headers["webhook-signature"].partition(",")
    return version == "v1" and base64.b64decode(signature) == hmac_sha256(KEY, signed)


def test_the_signature_is_that_of_id_time_and_body() -> None:
    with receiver((204, "", {})) as hook:
        channel(f"{hook.url}/in?route=7").send(digest(), {})
    [came] = hook.came
    assert verified(came)
    assert came.path == "/in?route=7"
    assert came.headers["webhook-timestamp"] == "1796025600"
    assert not verified(Came(came.path, came.headers, came.body + b" "))


def test_the_body_is_the_digest_as_data() -> None:
    with receiver((202, "", {})) as hook:
        channel(hook.url).send(digest(), {})
    told = json.loads(hook.came[0].body)
    assert told["type"] == "accountpulse.digest"
    data = told["data"]
    assert (data["as_of"], data["owner_id"]) == ("2026-11-30", "005Hu0000000001AAA")
    [account] = data["accounts"]
    assert account["account_id"] == ACME
    assert account["crossings"] == [{"line": "tier", "text": "Healthy to At Risk", "worse": True}]
    assert account["next_step"] == "Call the sponsor"
    assert [each["account_name"] for each in (*data["others"], *data["crossed_back"])] == ["Globex", "Initech"]
    assert "recipient" not in data


def test_a_repeat_has_the_same_id_and_another_digest_another() -> None:
    with receiver((500, "", {}), None, (200, "", {})) as hook:
        made = channel(hook.url)
        made.send(digest(), {})
        made.send(digest(), {})
        made.send(digest(key="another"), {})
    ids = [each.headers["webhook-id"] for each in hook.came]
    assert len(ids) == 5
    assert len(set(ids[:4])) == 1
    assert ids[4] != ids[0]
    assert all(verified(each) for each in hook.came)


def test_a_receiver_that_stays_silent_may_have_it() -> None:
    with receiver(delay=0.5) as hook, pytest.raises(NotSent, match="in time") as caught:
        channel(hook.url, seconds=0.05).send(digest(), {})
    assert caught.value.may_have_arrived
    assert len(hook.came) == 5


@pytest.mark.parametrize(
    "key", ["whsec_AAAA", "whsec_c2hvcnQ=", "whsec_!!", "not base64 at all, but long enough for it"]
)
def test_a_key_that_is_none_is_told_by_its_name(key: str) -> None:
    with pytest.raises(ConfigurationError, match="ACCOUNTPULSE_WEBHOOK_KEY") as caught:
        WebhookChannel(WebhookAccess(Secret("https://example.com"), Secret(key)))
    assert key not in str(caught.value)
