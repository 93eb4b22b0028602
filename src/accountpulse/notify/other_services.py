"""The digest to what Apprise knows (Teams, Google Chat, Telegram, ntfy and many more): the extra `apprise`.

https://github.com/caronc/apprise/wiki: each service has addresses of a form of its own.
"""

import logging
from collections.abc import Mapping
from typing import Any

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.loopback import is_loopback
from accountpulse.core.secret import Secret
from accountpulse.notify.errors import NotSent
from accountpulse.notify.message import Digest, Receipt
from accountpulse.notify.rendering import plain_text, ready

SETTING = "ACCOUNTPULSE_APPRISE_URLS"
MISSING = "needs Apprise, which isn't installed: pip install 'accountpulse[apprise]'"


class AppriseChannel:
    """Sends the text to each of the addresses. They count as one: where one fails, all get it again next time."""

    name = "apprise"

    def __init__(self, urls: tuple[Secret, ...]) -> None:
        """A ConfigurationError where Apprise is missing, knows one of the addresses not, or would send it openly."""
        try:
            import apprise
        except ImportError:
            raise ConfigurationError(SETTING, [MISSING]) from None
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its warnings hold addresses and answers
        asset = apprise.AppriseAsset(http_redirects=False, async_mode=False)
        made: list[Any] = [apprise.Apprise.instantiate(each.reveal(), asset=asset) for each in urls]
        problems = [text for n, each in enumerate(made, 1) if (text := _problem(n, each))]
        if problems:
            raise ConfigurationError(SETTING, problems)
        self._services = made
        for each in made:
            each.redirects = False  # also where the address asks for them
            each.overflow_mode = apprise.OverflowMode.SPLIT  # a long digest in several messages, none cut

    def send(self, digest: Digest, before: Mapping[str, str]) -> Receipt:  # noqa: ARG002 - Channel's
        """As Channel says."""
        clean = ready(digest)
        body = plain_text(clean).partition("\n")[2].lstrip("\n") or clean.heading
        done = [bool(each.notify(body=body, title=clean.heading)) for each in self._services]
        if not all(done):
            failed = [f"{n} ({each.service_name})" for n, each in enumerate(self._services, 1) if not done[n - 1]]
            said = f"address {', '.join(failed)} of {len(done)} did not take it"
            remedy = f"Check these of {SETTING}, or try again later."
            raise NotSent("apprise", said, remedy, may_have_arrived=any(done))
        return Receipt({})


def _problem(number: int, service: Any) -> str | None:
    if service is None:
        return f"address {number} is none that Apprise knows"
    is_plain = bool(service.protocol) and bool(service.secure_protocol) and not service.secure
    if is_plain and not is_loopback(service.host or ""):
        return f"address {number} goes without TLS: use its secure form, such as jsons:// in place of json://"
    return None
