"""When the next request to a source may go. One function says in which state a limiter is and how long to wait.

Three rules work together. *How many* are under way at once adapts (`ConcurrencyLimit`). *When* the next goes follows
what the system's headers say of its allowance (`AllowanceWindow`), so that a limit is met without being run into:
measured, 32 requests at once that are only stopped by 429 are slower than 8. Where the headers say nothing but requests
are refused, *how fast* is learnt from what was let through before (`LearntRate`). docs/http.md draws the states.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from accountpulse.http.allowance_window import AllowanceWindow
from accountpulse.http.answer_time import AnswerTime
from accountpulse.http.concurrency import ConcurrencyLimit
from accountpulse.http.learnt_rate import LearntRate
from accountpulse.http.rate_headers import read_allowance
from accountpulse.http.retry import LONGEST_WAIT, asked_wait

REGAINED = 0.1  # of the trust in an allowance: it halves when more was refused than it said, and returns by windows
TOO_MANY = frozenset({429, 503})


class LimiterState(Enum):
    """What decides when the next request goes."""

    UNLIMITED = "nothing is known of a limit: it goes at once"
    LEARNT = "requests were refused, and no headers say why: they are spaced by the learnt rate"
    ALLOWED = "the headers leave enough: it goes at once"
    SPREAD = "the headers leave few, and don't say when more come: they are spread over the time left"
    USED_UP = "the headers leave none: it waits for the end of the window"
    RENEWED = "the window has ended: one request goes in any case, since only an answer says what is true"
    UNCONFIRMED = "what a new window should allow went without an answer: it waits for one"
    HELD = "a refusal asked to wait: it waits"
    FULL = "as many requests are under way as may be: it waits for an answer"


@dataclass(frozen=True)
class Permit:
    """One request under way: its number, counted from 1."""

    number: int


class RateLimiter:
    """One for each source, shared by everything that asks it.

    Headers it understands: those of `read_allowance`, and `Retry-After`. Jira Cloud has a bucket for each endpoint:
    they are taken for one, as nearly all requests at a time go to one.
    """

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), concurrency: ConcurrencyLimit | None = None
    ) -> None:
        """Nothing is known of the system yet. `now` stands in for the clock in tests, as `concurrency` may."""
        self._now = now
        self._concurrency = concurrency or ConcurrencyLimit()
        self._window: AllowanceWindow | None = None  # None: no headers said what is allowed
        self._took = 0.0  # seconds of the last answer
        self._trust = 1.0  # how much of what should have been filled in is counted on before an answer comes
        self._rate = LearntRate()
        self._held_until = 0.0
        self._under_way = 0
        self._sent = 0  # the number of the last request
        self._went = 0.0  # when it went
        self._refused_at = 0  # refusals of requests up to this number are the same burst as the last one
        self._gate = asyncio.Lock()  # whoever holds it goes next; the others stand in line behind
        self._ended = asyncio.Event()

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return self._concurrency.value

    async def begin(self) -> Permit:
        """Wait until a request may go. Every permit must be given back with `end`."""
        async with self._gate:
            state, wait = self.next_request()
            while wait != 0:
                await self._pause(wait)
                state, wait = self.next_request()
            return self._on_sent(state)

    def end(self, permit: Permit, status: int | None, headers: Mapping[str, str], took: AnswerTime | None) -> None:
        """Learn from an answer and from how long it took; `status` None means that none came."""
        self._under_way -= 1
        self._ended.set()
        self._took = self._took if took is None else took.waited
        if status in TOO_MANY:
            self._on_refused(permit, headers)
        elif status is not None:
            self._on_answered(permit, headers, took)

    def next_request(self) -> tuple[LimiterState, float | None]:
        """The state, and seconds until the next request may go; None: not before one that is under way has ended."""
        now = self._time()
        if self._under_way >= self.limit:
            return LimiterState.FULL, None
        if now < self._held_until:
            return LimiterState.HELD, self._held_until - now
        if self._window is not None:
            return self._next_in_window(self._window, now)
        return LimiterState.LEARNT if self._rate.is_known else LimiterState.UNLIMITED, self._rate.wait(now)

    def _next_in_window(self, window: AllowanceWindow, now: float) -> tuple[LimiterState, float | None]:
        left = window.left(self._sent)
        if window.is_over(now):
            return LimiterState.RENEWED, 0.0
        if left > 0 and window.is_scarce(left):
            return LimiterState.SPREAD, window.spread_wait(now, self._went, left)
        if left > 0:
            return LimiterState.ALLOWED, 0.0
        if now < window.ends:
            return LimiterState.USED_UP, window.ends - now
        # where all answers are in, none of them speaks of an allowance any more: one goes, and the window is forgotten
        return LimiterState.UNCONFIRMED, None if self._under_way else 0.0

    def _time(self) -> float:
        return self._now().timestamp()

    async def _pause(self, seconds: float | None) -> None:
        """Until the seconds are over, or a request has ended: its answer may say more."""
        self._ended.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    # --- events

    def _on_sent(self, state: LimiterState) -> Permit:
        """A request goes, out of this state."""
        now = self._time()
        if state is LimiterState.UNCONFIRMED:
            self._window = None
        elif state is LimiterState.RENEWED and self._window is not None:
            trust = 0.0 if self._window.is_cheap_to_ask(self._took) else self._trust
            self._window = self._window.renewed(now, self._sent, self._under_way, trust)
            self._trust = min(1.0, self._trust + REGAINED)
        self._sent += 1
        self._under_way += 1
        self._went = now
        self._concurrency.sent(self._under_way)
        self._rate.sent(now)
        return Permit(self._sent)

    def _on_answered(self, permit: Permit, headers: Mapping[str, str], took: AnswerTime | None) -> None:
        """An answer came, whatever its status but a refusal for being too many."""
        now = self._time()
        self._rate.answered(now)
        allowance = read_allowance(headers, self._now())
        if allowance is not None and self._window is None:
            self._window = AllowanceWindow.opened(allowance, now, self._sent, self._under_way)
        elif allowance is not None and self._window is not None:
            self._window = self._window.answered(allowance, now, permit.number, self._sent, self._under_way)
        if took is not None:
            self._concurrency.answered(took, self._under_way)

    def _on_refused(self, permit: Permit, headers: Mapping[str, str]) -> None:
        """There were too many requests. All that were under way together are refused together: it counts once."""
        now, wait = self._time(), asked_wait(headers, self._now())
        if wait is not None and wait <= LONGEST_WAIT:
            self._held_until = max(self._held_until, now + wait)
        if permit.number <= self._refused_at:
            return
        self._refused_at = self._sent
        self._concurrency.refused(self._under_way)
        held = max(0.0, self._held_until - now)
        if self._window is None and (allowance := read_allowance(headers, self._now())) is not None:
            self._window = AllowanceWindow.opened(allowance, now, self._sent, self._under_way)
        if self._window is None:
            self._rate.refused(now, held)
        else:
            self._trust /= 2
            self._window = self._window.refused(now, held, self._sent)
