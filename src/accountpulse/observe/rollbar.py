"""Errors to Rollbar, where a token is set; without one, nothing of it is even imported.

An item holds what is listed here and nothing else: the kind of the error, our own message (never a library's, which
may hold a query or a body), file, line and function of our own frames, and the facts that the caller names. Rollbar's
client only sends it: its own items carry messages, arguments and the errors behind an error.
https://docs.rollbar.com/reference/create-item

An item is sent before the call returns: a Lambda function is frozen right after its answer, and with it every thread
that still has something to send.
"""

import logging
import re
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import accountpulse
from accountpulse import __version__
from accountpulse.core.errors import AccountpulseError
from accountpulse.core.outgoing import outgoing_data
from accountpulse.core.redact import MASK, mapped
from accountpulse.settings import RollbarAccess

LONGEST = 2  # seconds that one item may take; a run is never held up for longer
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")  # of a mailbox: nobody's business
_OURS = Path(accountpulse.__file__).parent
MOST = 10  # items of one run
Facts = Mapping[str, str | int | float | None]


class Alerts(Protocol):
    """Where errors are reported."""

    def error(self, error: BaseException, facts: Facts) -> None:
        """Report an exception, and where in our code it came from."""

    def say(self, text: str, facts: Facts) -> None:
        """Report what went wrong without an exception: a failed source, accounts that were left out."""


class Silence:
    """No token: nothing is reported."""

    def error(self, error: BaseException, facts: Facts) -> None:
        """Nothing."""

    def say(self, text: str, facts: Facts) -> None:
        """Nothing."""


class Rollbar:
    """Sends items to a Rollbar project; whatever goes wrong with that is not the run's trouble."""

    def __init__(self, access: RollbarAccess) -> None:
        """Nothing is sent here."""
        import rollbar
        from rollbar.lib import events

        self._rollbar = rollbar
        self._token = access.token
        self._left = MOST
        logging.getLogger("rollbar").setLevel(logging.CRITICAL)  # its warnings hold what it could not send
        rollbar.init(
            access.token.reveal(),
            endpoint=access.endpoint,
            handler="blocking",
            timeout=LONGEST,
            request_max_retries=0,
            log_payload_on_error=False,
            allow_logging_basic_config=False,
            suppress_reinit_warning=True,
        )
        events.reset()  # nothing of its own looks at the item, or adds to it

    def error(self, error: BaseException, facts: Facts) -> None:
        """Report an exception, and where in our code it came from."""
        is_ours = isinstance(error, AccountpulseError)
        said = {"class": type(error).__name__, **({"message": str(error)} if is_ours else {})}
        body = {"trace": {"frames": list(_frames(error)), "exception": said}}
        self._send("error" if is_ours else "critical", body, facts)

    def say(self, text: str, facts: Facts) -> None:
        """Report what went wrong without an exception."""
        self._send("error", {"message": {"body": text}}, facts)

    def _send(self, level: str, body: Mapping[str, Any], facts: Facts) -> None:
        self._left -= 1
        if self._left < 0:
            return
        item = {
            "environment": "production",
            "timestamp": int(time.time()),
            "level": level,
            "language": "python",
            "code_version": __version__,
            "notifier": {"name": "accountpulse", "version": __version__},
            "body": body,
            "custom": dict(facts),
        }
        clean = mapped(outgoing_data(item), lambda text: _ADDRESS.sub(MASK, text))
        token = self._token.reveal()
        self._rollbar.send_payload({"access_token": token, "data": clean}, token)


def alerts(access: RollbarAccess | None) -> Alerts:
    """Rollbar where it is set up, else silence."""
    return Silence() if access is None else Rollbar(access)


def _frames(error: BaseException) -> Iterator[dict[str, str | int | None]]:
    """Our own frames of its traceback, outermost first; neither source lines nor values."""
    for frame in traceback.extract_tb(error.__traceback__):
        file = Path(frame.filename)
        if file.is_relative_to(_OURS):
            name = file.relative_to(_OURS.parent).as_posix()
            yield {"filename": name, "lineno": frame.lineno, "method": frame.name}
