"""Whether a request is sent again, how long to wait before, and what its failure means.

One decision for both ways to send: `Client` and the adapter for vendors' clients do the I/O, and ask `Attempts` what
follows. No I/O here: the clock and chance are arguments.
"""

import email.utils
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from accountpulse.core.errors import AccessError, AccountpulseError, SourceUnavailable, Unanswered, UnexpectedAnswer
from accountpulse.http import no_answer, tls
from accountpulse.http.bodies import UnfitBody
from accountpulse.http.budget import RequestBudget
from accountpulse.http.shape import MISSHAPEN, WrongShape

TRIES = 5  # of one request at least, the first one included, while its failure may pass
ANSWER_PATIENCE = 180.0  # seconds that one request goes on trying for, where nothing says how long to wait
ASKED_AGAIN = frozenset({408, 425, 429})  # of the refusals those that may pass
# of the refusals those that may be about what was asked for, so that a caller may know what they mean; any other, such
# as one of a proxy, says nothing of the data, and the system is unavailable
JUDGED = frozenset({400, 402, 403, 404, 405, 409, 410, 413, 414, 422})
FOR_GOOD = frozenset({501, 505})  # of the server's errors those that won't
FIRST_BACKOFF = 0.5  # seconds; doubles with each try
LONGEST_BACKOFF = 30.0
CLOCKS_DIFFER = 3.0  # seconds; a Date header is up to a second old, or two
_BODY_REMEDY = (
    "Check the base URL, and what stands before the system; `accountpulse docs http` has the limits of an answer."
)
_STRANGE_REMEDY = "The system itself gives no such answer: look at its status page, and at what stands before it."
_PAGE_REMEDY = "Check the base URL, and whether a proxy or a sign-in page stands before the system."
LONGEST_WAIT = 120.0  # seconds; a system that asks for more is unavailable for this run


class AttemptState(Enum):
    """Where one request is between its attempts."""

    READY = "it has not been sent yet"
    SENDING = "an attempt is under way, or was answered"
    WAITING = "the attempt failed, and another follows after a wait"
    FAILED = "the attempt failed, and its error is raised"


@dataclass(frozen=True)
class AttemptFailure:
    """An attempt that failed: the error if it was the last, and what a system that refused it has said.

    `status` None: no answer came, or one that can't be read.
    """

    error: AccountpulseError
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    patience: float = ANSWER_PATIENCE  # seconds that its request may go on for
    is_unreached: bool = False  # the call did not come to the system


@dataclass
class Attempts:
    """The attempts of one request to `source`; `tried` names the request in errors.

    `remedies` says, by status, what the reader can do at this system. `now` and `chance` stand in for the clock and
    the jitter in tests.
    """

    source: str
    tried: str
    budget: RequestBudget
    remedies: Mapping[int, str] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random
    number: int = 0
    spent: float = 0.0  # seconds, sending and waiting
    state: AttemptState = AttemptState.READY
    _went: float = 0.0  # on the budget's clock

    def send(self) -> None:
        """The next attempt goes, and is counted; OutOfTime where the run has no time left for it."""
        self.budget.sent(self.source)
        self.number += 1
        self._went = self.budget.clock()
        self.state = AttemptState.SENDING

    # --- what an attempt may fail by

    def refused(self, status: int, headers: Mapping[str, str]) -> AttemptFailure:
        """The system answered with an error status."""
        return AttemptFailure(refusal(self.source, self.tried, status, self.remedies), status, headers)

    def unanswered(self, error: Exception, url: str) -> AttemptFailure:
        """No answer came from `url`; OutOfTime where the run's end, and not the system, cut it off."""
        self.budget.cut(self.source)
        failure = Unanswered(self.source, self.tried, no_answer.why(error, url))
        return AttemptFailure(failure, is_unreached=no_answer.is_unreached(error))

    def unreadable(self, error: Exception, *, is_page: bool = False) -> AttemptFailure:
        """A cut or foreign body under a good status: may pass, and must never be taken for "no data".

        The system is there, so that patience is short.
        """
        what = f"an answer that can't be read: {type(error).__name__}"
        remedy = "Try again later."
        if is_page:
            what, remedy = "a web page instead of JSON", _PAGE_REMEDY
        elif isinstance(error, UnfitBody):
            what, remedy = str(error), _BODY_REMEDY
        return AttemptFailure(UnexpectedAnswer(self.source, self.tried, what, remedy), patience=0.0)

    def misshapen(self, error: WrongShape) -> UnexpectedAnswer:
        """The error for a well-formed answer of the wrong type: it would be the same the next time."""
        return UnexpectedAnswer(self.source, self.tried, f"a field of another type, {error}", MISSHAPEN)

    def distrusted(self, url: str, error: Exception) -> AccessError:
        """The error for a certificate that isn't trusted: another attempt won't change that."""
        return AccessError(self.source, self.tried, tls.distrust(error), tls.distrusted(url))

    # --- the decision

    def wait_after(self, failure: AttemptFailure) -> float:
        """Seconds to wait before the next attempt, counted in the budget; or the failure's error is raised.

        Raised where waiting doesn't help, tries and patience are used up, the system asks for more than LONGEST_WAIT or
        can't be reached for too long, or the budget has no room for the wait.
        """
        self.spent += self.budget.clock() - self._went
        left = failure.patience - self.spent
        wait = wait_before_retry(failure.status, failure.headers, self.number, self.now(), self.chance(), left=left)
        is_hopeless = wait is None or (failure.is_unreached and self.budget.gives_up(self.spent + wait))
        if wait is None or is_hopeless or not self.budget.retried(wait):
            self.state = AttemptState.FAILED
            raise failure.error from None
        self.spent += wait
        self.state = AttemptState.WAITING
        return wait


def is_transient(status: int | None) -> bool:
    """Whether it may pass: no answer, a wait that is asked for, every error of a server or of what stands before it."""
    return status is None or status in ASKED_AGAIN or (status >= 500 and status not in FOR_GOOD)


def wait_before_retry(
    status: int | None, headers: Mapping[str, str], attempt: int, now: datetime, jitter: float, *, left: float = 0.0
) -> float | None:
    """Seconds to wait before trying again, or None: don't.

    `status` None means that no answer came. `attempt` counts from 1. `jitter` in [0, 1) spreads those who wait for the
    same moment. `left`: seconds of patience, in which it is tried also after TRIES, unless the system says that it may
    be asked at once and refuses again. A wait that the system demands is never shortened: where it is too long, the
    answer is None.
    """
    if not is_transient(status):
        return None
    demanded = asked_wait(headers, now) if status in (429, 503) else None
    if attempt >= TRIES and (left <= 0 or demanded == 0):
        return None
    if demanded is None:
        return backoff(FIRST_BACKOFF, attempt, jitter)
    return demanded + jitter if demanded <= LONGEST_WAIT else None


def backoff(first: float, attempt: int, jitter: float, spread: float = 0.5) -> float:
    """Seconds to wait after attempt number `attempt` (from 1): `first`, doubled with each, at most LONGEST_BACKOFF.

    Of that, from a half to a half and `spread`, as `jitter` in [0, 1) says: those who failed together don't come back
    together.
    """
    return min(LONGEST_BACKOFF, first * 2.0 ** (attempt - 1)) * (0.5 + jitter * spread)


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """The wait that a refusal asks for, in seconds; None where it asks for none that can be read.

    `Retry-After`: seconds (also decimals) or an HTTP date; else what `reset_wait` reads.
    """
    text = _header(headers, "retry-after")
    if text is None:
        return reset_wait(headers, now)
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    return _until(http_date(text), now)


def reset_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the allowance is renewed; None where `X-RateLimit-Reset` is absent or can't be read.

    Intercom sends a UNIX second, Jira an ISO time with minutes. Where their clock and ours disagree by more than
    `CLOCKS_DIFFER`, theirs counts.
    """
    text = _header(headers, "x-ratelimit-reset") or ""
    theirs = http_date(_header(headers, "date") or "")
    if theirs is not None and abs((theirs - now).total_seconds()) > CLOCKS_DIFFER:
        now = theirs
    if re.fullmatch(r"\d{9,11}", text, re.ASCII):
        return _until(datetime.fromtimestamp(int(text), UTC), now)
    return _until(_iso(text), now)


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value.strip() for key, value in headers.items() if key.lower() == name), None)


def _until(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def http_date(text: str) -> datetime | None:
    """The instant of a `Date` header; None where it is none."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def refusal(source: str, tried: str, status: int, remedies: Mapping[int, str]) -> AccountpulseError:
    """The error for an answer that is no success and won't become one by trying again.

    `remedies` says, by status, what the reader can do at this system: 401 and 403 name the settings to mend.
    """
    answer = f"HTTP {status}"
    if status in remedies:
        return AccessError(source, tried, answer, remedies[status])
    if status in (401, 403):
        return AccessError(source, tried, answer, "Check the credentials and what they may read.")
    if 300 <= status < 400:
        remedy = "A redirect to another address was not followed; check the base URL."
        return AccessError(source, tried, answer, remedy)
    if status in (405, 501, 505):
        method = tried.partition(" ")[0] if status != 505 else "this version of HTTP"
        remedy = "Check the base URL, and whether a proxy before the system lets only some methods through."
        return AccessError(source, tried, f"{answer}: this address doesn't take {method}", remedy)
    if status in (404, 410):
        remedy = "The address is gone or wrong: check the base URL, or look for a newer release."
        return AccessError(source, tried, answer, remedy)
    is_strange = 400 <= status < 500 and status not in ASKED_AGAIN | JUDGED
    return SourceUnavailable(source, tried, answer, _STRANGE_REMEDY if is_strange else "Try again later.")
