"""One HTTP POST of a digest to an address that is a secret: no part of it stands in an error.

Waits where the address asks for it (429 and 503 with Retry-After), tries again what may pass, and follows no redirect.
"""

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

import requests
import urllib3

from accountpulse.core.secret import Secret
from accountpulse.http import no_answer, tls
from accountpulse.http.requests_adapter import TrustingAdapter, session_of
from accountpulse.http.retry import is_transient, wait_before_retry
from accountpulse.notify.errors import NotSent

CONNECT, ANSWER = 10.0, 30.0  # seconds; the second between two parts of an answer, and for all of its text
PATIENCE = 180.0  # seconds that one digest is tried for, waits included
MOST = 4_096  # bytes of an answer's text that are looked at
_WORD = re.compile(r"[a-z_]{2,60}")  # an error's code, such as no_service; any other text might be anybody's


class Reply(NamedTuple):
    """What an address answered that took the digest: the status, and the beginning of its text."""

    status: int
    text: str


class FailedPost(NamedTuple):
    """One attempt that failed. `status` None: no answer came."""

    answer: str
    status: int | None = None
    headers: Mapping[str, str] = {}
    may_have_arrived: bool = False
    may_pass: bool = True


@dataclass
class Poster:
    """Posts to one address; `channel` and `setting` name it in errors.

    `repeatable`: the receiver knows a digest that it has, so that one is sent again where no answer came. `sleep` and
    `seconds` stand in for time in tests.
    """

    channel: str
    setting: str
    url: Secret
    ca_bundle: Path | None = None
    repeatable: bool = False
    sleep: Callable[[float], None] = time.sleep
    seconds: float = ANSWER

    def post(self, body: bytes, headers: Callable[[], Mapping[str, str]]) -> Reply:
        """Send until it is taken (2xx), or there is no sense in trying again: a NotSent.

        `headers` are made for each attempt.
        """
        spent, may_have_arrived = 0.0, False
        for attempt in count(1):
            began = time.monotonic()
            outcome = self._attempt(body, headers())
            spent += time.monotonic() - began
            if isinstance(outcome, Reply):
                return outcome
            may_have_arrived |= outcome.may_have_arrived
            wait = self._wait(outcome, attempt)
            if wait is None or spent + wait > PATIENCE:
                remedy = "Try again later." if outcome.may_pass else f"Check {self.setting}."
                raise NotSent(self.channel, outcome.answer, remedy, may_have_arrived=may_have_arrived)
            self.sleep(wait)
            spent += wait
        raise AssertionError("unreachable")

    def _wait(self, failed: FailedPost, attempt: int) -> float | None:
        """Seconds until the next attempt; None: there is none, since it can't help or might tell a thing twice."""
        is_unclear = failed.status is None and failed.may_have_arrived
        if not failed.may_pass or (is_unclear and not self.repeatable):
            return None
        chance = random.random()  # noqa: S311
        return wait_before_retry(failed.status, failed.headers, attempt, datetime.now(UTC), chance)

    def _attempt(self, body: bytes, headers: Mapping[str, str]) -> Reply | FailedPost:
        limits = (min(CONNECT, self.seconds), self.seconds)
        with session_of(TrustingAdapter(self.ca_bundle)) as session:
            try:
                sent = {**headers, "Accept-Encoding": "identity"}
                answer = session.post(
                    self.url.reveal(), data=body, headers=sent, timeout=limits, allow_redirects=False, stream=True
                )
            except requests.RequestException as error:
                return self._unanswered(error)
            with answer:
                return self._judged(answer)

    def _unanswered(self, error: requests.RequestException) -> FailedPost:
        if tls.is_distrust(error):
            why = f"{tls.distrust(error)}. {tls.distrusted(self.url.reveal())}"
            return FailedPost(why, may_pass=False)
        why = no_answer.why(error, self.url.reveal())
        return FailedPost(why, may_have_arrived=not no_answer.is_unreached(error))

    def _judged(self, answer: requests.Response) -> Reply | FailedPost:
        status, text = answer.status_code, self._text(answer)
        if 200 <= status < 300:
            return Reply(status, text)
        if 300 <= status < 400:
            return FailedPost(f"HTTP {status}: a redirect, which is not followed", status, may_pass=False)
        word = f": {text}" if _WORD.fullmatch(text) else ""
        may_have_arrived = status >= 500 and status != 503  # 503: not worked on
        return FailedPost(
            f"HTTP {status}{word}", status, answer.headers, may_have_arrived, may_pass=is_transient(status)
        )

    def _text(self, answer: requests.Response) -> str:
        """The beginning of the answer's text, as far as it comes in time."""
        ends, found = time.monotonic() + self.seconds, b""
        try:
            while len(found) < MOST and time.monotonic() < ends and (part := answer.raw.read1(MOST)):
                found += part
        except (urllib3.exceptions.HTTPError, OSError):
            pass  # the status says what became of the digest
        return found.decode(errors="replace").strip()
