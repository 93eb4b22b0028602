"""How many requests of one source are under way at once, and when the next may go.

Three rules work together. *How many* adapts: it grows while answers stay quick and falls when they become slow, or when
the system says that it has had enough. *When* follows what the system tells of its allowance, so that a limit is met
without being run into: measured, 32 requests at once that are only told off by 429 are slower than 8. Where it tells
nothing but refuses, *how fast* is learnt from what it let through before.
"""

import asyncio
import contextlib
import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from accountpulse.http.learnt_rate import LearntRate
from accountpulse.http.rate_headers import RateAllowance, told
from accountpulse.http.retry import LONGEST_WAIT, asked_wait

START = 8  # requests at once, before anything is known
MOST = 64
QUICK = 1.25  # times the usual time of an answer: up to here more at once gains more
SLOW = 2.0  # from here on requests only wait for each other
MARGIN = 0.05  # seconds after a reset that is told: no two clocks agree entirely
RESERVE = 0.2  # of what is filled in: spread, while it isn't known when more comes
REGAINED = 0.1  # of the trust in an allowance: it halves when more was refused than it told, and returns by windows
FULL = frozenset({429, 503})


@dataclass(frozen=True)
class Permit:
    """One request under way: its number, counted from 1, and when it went (seconds since 1970)."""

    number: int
    went: float


@dataclass(frozen=True)
class _Window:
    """What the system allows: requests up to number `last` before more is allowed, which is at `ends` at the latest."""

    told: RateAllowance
    last: int
    ends: float
    sure: bool  # that more comes at `ends`, not before
    after: int  # answers to requests up to this number belong to an earlier window
    left: int | None = None  # the least that an answer told; None: the window began by the clock, and none has come
    known: int = 0  # requests that had gone by then


class RateLimiter:
    """One for each source, shared by everything that asks it. `limit` is how many may be under way now.

    Headers it understands: those of `allowance.told`, and `Retry-After`. Cloud has a bucket for each endpoint: they are
    taken for one, as nearly all requests at a time go to one. `now` stands in for the clock in tests.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        start: int = START,
    ) -> None:
        """Nothing is known of the system yet."""
        self.limit = start
        self._now = now
        self._gate = asyncio.Lock()  # whoever holds it goes next; the others stand in line behind
        self._answered = asyncio.Event()
        self._under_way = 0
        self._number = 0
        self._went = 0.0  # when the last request went
        self._held_until = 0.0
        self._window: _Window | None = None
        self._trust = 1.0  # how much of what should have been filled in is counted on before an answer tells
        self._speed = LearntRate()
        self._fell_at = 0  # answers to requests up to this number can't make the limit fall once more
        self._round: list[float] = []
        self._busiest = 0
        self._usual: float | None = None  # seconds an answer takes where few are under way

    async def begin(self) -> Permit:
        """Wait until a request may go. Every permit must be given back with `end`."""
        async with self._gate:
            while (wait := self._wait()) != 0:
                await self._pause(wait)
            self._number += 1
            self._under_way += 1
            self._busiest = max(self._busiest, self._under_way)
            self._went = self._time()
            self._speed.sent(self._went)
            return Permit(self._number, self._went)

    def end(self, permit: Permit, status: int | None, headers: Mapping[str, str]) -> None:
        """Learn from an answer; `status` None means that none came."""
        self._under_way -= 1
        self._answered.set()
        if status in FULL:
            self._refused(permit, headers)
        elif status is not None:
            self._speed.accepted(self._time())
            self._learn_allowance(permit, headers)
            self._learn_speed(self._time() - permit.went)

    def _time(self) -> float:
        return self._now().timestamp()

    # --- when

    async def _pause(self, seconds: float | None) -> None:
        """Until the seconds are over, or an answer has come: it may tell more."""
        self._answered.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._answered.wait()

    def _wait(self) -> float | None:
        """Seconds until the next request may go; None: until an answer has come."""
        if self._under_way >= self.limit:
            return None
        now = self._time()
        if now < self._held_until:
            return self._held_until - now
        return self._speed.wait(now) if self._window is None else self._wait_for_allowance(now, self._window)

    def _wait_for_allowance(self, now: float, window: _Window) -> float | None:
        left = window.last - self._number
        if now >= window.ends and window.left is not None:
            self._window = self._next(window, left, now)
            return 0  # one goes in any case, since only an answer tells what is true
        if left > 0:
            return 0 if window.sure or left > window.told.fill * RESERVE else self._spread(now, window, left)
        if now < window.ends:
            return window.ends - now
        if self._under_way == 0:  # all answers are in, and nobody speaks of an allowance any more
            self._window = None
            return 0
        return None

    def _spread(self, now: float, window: _Window, left: int) -> float:
        """The last few go one by one, so that one of them tells when more has come."""
        return max(0.0, self._went + (window.ends - self._went) / (left + 1) - now)

    def _next(self, window: _Window, left: int, now: float) -> _Window:
        """The window that has begun by the clock: more must have come. What is under way may count in it."""
        allowed, ends = window.told, window.ends
        if not allowed.exact:
            ends += allowed.wait * (1 + (now - ends) // allowed.wait)
        last = self._number + min(allowed.most - self._under_way, left + math.ceil(allowed.fill * self._trust))
        self._trust = min(1.0, self._trust + REGAINED)
        return replace(window, last=last, ends=ends, after=self._number, left=None)

    def _learn_allowance(self, permit: Permit, headers: Mapping[str, str]) -> None:
        allowed = told(headers, self._now())
        if allowed is None:
            return
        window, ends = self._window, self._time() + allowed.wait + (MARGIN if allowed.exact else 0)
        if window is None or (allowed.exact and ends > window.ends + 0.5):
            self._window = self._narrowed(_Window(allowed, 0, ends, allowed.exact, 0), allowed)
        elif allowed.exact:
            if ends > window.ends - 0.5 and window.left is not None:
                self._window = self._narrowed(window, allowed)
        elif permit.number > window.after:
            if window.left is not None and allowed.left > window.left and permit.number > window.known:
                window = _Window(allowed, 0, ends, sure=True, after=permit.number - 1)  # more has come just before
            self._window = self._narrowed(window, allowed)

    def _narrowed(self, window: _Window, allowed: RateAllowance) -> _Window:
        """What an answer leaves, less what is under way.

        Answers overtake each other. The least of a window is the newest, and counts every request that is answered.
        """
        if window.left is None or allowed.left < window.left:
            window = replace(window, told=allowed, left=allowed.left, known=self._number)
        return replace(window, last=self._number + (window.left or 0) - self._under_way)

    # --- how many

    def _refused(self, permit: Permit, headers: Mapping[str, str]) -> None:
        now, wait = self._time(), asked_wait(headers, self._now())
        if wait is not None and wait <= LONGEST_WAIT:
            self._held_until = max(self._held_until, now + wait)
        if permit.number <= self._fell_at:
            return
        self._fell_at = self._number
        self.limit = max(1, self.limit // 2)
        self._begin_round()
        if self._window is None:
            self._speed.refused(now, max(0.0, self._held_until - now))
        else:
            ends = self._held_until if self._held_until > now else self._window.ends
            self._trust /= 2
            window = replace(self._window, last=self._number, ends=ends, after=self._number, left=0)
            self._window = replace(window, sure=window.told.exact)

    def _learn_speed(self, seconds: float) -> None:
        """After as many answers as may be under way: more, fewer, or stay."""
        self._round.append(seconds)
        if len(self._round) < self.limit:
            return
        middle = statistics.median(self._round)
        # where few are under way and it is slow all the same, it has become slow by itself
        self._usual = middle if self._usual is None or self.limit <= START else min(middle, self._usual)
        in_use = self._busiest * 4 >= self.limit * 3
        self._begin_round()
        if middle <= self._usual * QUICK and in_use:
            self.limit = min(MOST, self.limit + max(1, self.limit // 2))
        elif middle > self._usual * SLOW and self.limit > START:  # only a refusal takes it below
            self.limit = max(START, self.limit * 3 // 4)

    def _begin_round(self) -> None:
        self._round.clear()
        self._busiest = self._under_way
