"""Errors to Rollbar, where a token is set; without one, nothing of it is even imported.

An item is sent before the call returns: a Lambda function is frozen right after its answer, and with it every thread
that still has something to send. https://docs.rollbar.com/docs/python
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Protocol

from accountpulse import __version__
from accountpulse.core.errors import AccountpulseError
from accountpulse.core.redact import MASK, Redactor
from accountpulse.settings import RollbarAccess

LONGEST = 2  # seconds that one item may take; a run is never held up for longer
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")  # of a mailbox: nobody's business
MOST = 10  # items of one run
Facts = Mapping[str, str | int | float | None]


class Alerts(Protocol):
    """Where errors are reported."""

    def error(self, error: BaseException, facts: Facts) -> None:
        """Report an exception with its traceback."""

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

    def __init__(self, access: RollbarAccess, redact: Redactor) -> None:
        """Every text of every item goes through `redact`; no local variable is ever sent."""
        import rollbar
        from rollbar.lib import events

        self._rollbar = rollbar
        self._left = MOST
        logging.getLogger("rollbar").setLevel(logging.CRITICAL)  # its warnings hold what it could not send
        rollbar.init(
            access.token.reveal(),
            endpoint=access.endpoint,
            handler="blocking",
            timeout=LONGEST,
            request_max_retries=0,
            locals={"enabled": False},
            capture_ip=False,
            log_payload_on_error=False,
            allow_logging_basic_config=False,
            suppress_reinit_warning=True,
            code_version=__version__,
        )
        events.reset()
        events.add_payload_handler(lambda payload, **_more: _clean(payload, redact, access.token.reveal()))

    def error(self, error: BaseException, facts: Facts) -> None:
        """Report an exception with its traceback."""
        if self._take():
            level = "error" if isinstance(error, AccountpulseError) else "critical"
            self._rollbar.report_exc_info(
                (type(error), error, error.__traceback__), extra_data=dict(facts), level=level
            )

    def say(self, text: str, facts: Facts) -> None:
        """Report what went wrong without an exception."""
        if self._take():
            self._rollbar.report_message(text, "error", extra_data=dict(facts))

    def _take(self) -> bool:
        self._left -= 1
        return self._left >= 0


def alerts(access: RollbarAccess | None, redact: Redactor) -> Alerts:
    """Rollbar where it is set up, else silence."""
    return Silence() if access is None else Rollbar(access, redact)


def _clean(value: Any, redact: Redactor, token: str) -> Any:
    """The same structure with every text redacted; the item's own token, which Rollbar needs, stays."""
    if isinstance(value, str):
        return value if value == token else _ADDRESS.sub(MASK, redact(value))
    if isinstance(value, Mapping):
        return {name: _clean(each, redact, token) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each, redact, token) for each in value]
    return value
