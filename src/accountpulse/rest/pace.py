"""How many requests of one source are under way at once, and when the next may go.

Two rules work together. *How many* adapts: it grows while answers stay quick and falls when they become slow, or when
the system says that it has had enough. *When* follows what the system tells of its allowance, so that a limit is met
without being run into: measured, 32 requests at once that are only told off by 429 are slower than 8.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from accountpulse.rest.policy import LONGEST_WAIT, asked_wait, reset_wait

START = 8  # requests at once, before anything is known
MOST = 64
QUICK = 1.25  # times the usual time of an answer: up to here more at once gains more
SLOW = 2.0  # from here on requests only wait for each other
MARGIN = 0.05  # seconds after a reset: no two clocks agree entirely
FULL = frozenset({429, 503})


@dataclass(frozen=True)
class Ticket:
    """One request under way: its number, counted from 1, and when it went (seconds since 1970)."""

    number: int
    went: float


@dataclass(frozen=True)
class _Window:
    """What the system allows: requests up to number `last` before `resets`, then about `limit` more."""

    limit: int
    last: int
    resets: float
    guessed: bool = False  # the window began by the clock; no answer of it has come yet


class Pace:
    """One for each source, shared by everything that asks it. `limit` is how many may be under way now.

    Headers it understands: `X-RateLimit-Limit`, `-Remaining` and `-Reset` (Intercom's windows of ten seconds; a UNIX
    second or ISO), `X-RateLimit-Interval-Seconds` and `-FillRate` (Jira Data Center's bucket) and `Retry-After`.
    `now` and `sleep` stand in for the clock in tests.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        start: int = START,
    ) -> None:
        """Nothing is known of the system yet."""
        self.limit = start
        self._now = now
        self._sleep = sleep
        self._gate = asyncio.Lock()  # whoever holds it goes next; the others stand in line behind
        self._answered = asyncio.Event()
        self._under_way = 0
        self._number = 0
        self._held_until = 0.0
        self._window: _Window | None = None
        self._fell_at = 0  # answers to requests up to this number can't make the limit fall once more
        self._round: list[float] = []
        self._busiest = 0
        self._usual: float | None = None  # seconds an answer takes where few are under way

    async def begin(self) -> Ticket:
        """Wait until a request may go. Every ticket must be given back with `end`."""
        async with self._gate:
            while (wait := self._wait()) != 0:
                if wait is None:
                    self._answered.clear()
                    await self._answered.wait()
                else:
                    await self._sleep(wait)
            self._number += 1
            self._under_way += 1
            self._busiest = max(self._busiest, self._under_way)
            return Ticket(self._number, self._time())

    def end(self, ticket: Ticket, status: int | None, headers: Mapping[str, str]) -> None:
        """Learn from an answer; `status` None means that none came."""
        self._under_way -= 1
        self._answered.set()
        if status in FULL:
            self._fall(ticket)
            wait = asked_wait(headers, self._now())
            if wait is not None and wait <= LONGEST_WAIT:
                self._held_until = max(self._held_until, self._time() + wait)
        elif status is not None:
            self._learn_allowance(ticket, headers)
            self._learn_speed(self._time() - ticket.went)

    def _time(self) -> float:
        return self._now().timestamp()

    def _wait(self) -> float | None:
        """Seconds until the next request may go; None: until an answer has come."""
        if self._under_way >= self.limit:
            return None
        now = self._time()
        return self._held_until - now if now < self._held_until else self._wait_for_allowance(now)

    def _wait_for_allowance(self, now: float) -> float | None:
        window = self._window
        if window is None or self._number < window.last:
            return 0
        if now < window.resets + MARGIN:
            return window.resets + MARGIN - now
        if window.guessed and self._under_way > 0:
            return None
        # a new window has begun; or, once all answers of it are in, nobody speaks of an allowance any more
        self._window = None if window.guessed else replace(window, last=self._number + window.limit, guessed=True)
        return 0

    def _learn_allowance(self, ticket: Ticket, headers: Mapping[str, str]) -> None:
        told = _told(headers, self._now())
        if told is None:
            return
        limit, remaining, wait = told
        # answers overtake each other, so what counts is which request is the last that `remaining` allows; a little
        # is left over, since requests overtake each other as well
        last = ticket.number + max(0, remaining - limit // 100)
        resets, window = self._time() + wait, self._window
        if window is None or resets > window.resets + 0.5:
            self._window = _Window(limit, last, resets)
        elif resets > window.resets - 0.5 and not window.guessed:
            self._window = replace(window, last=min(window.last, last))

    def _fall(self, ticket: Ticket) -> None:
        if ticket.number > self._fell_at:
            self._fell_at = self._number
            self.limit = max(1, self.limit // 2)
            self._begin_round()

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


def _told(headers: Mapping[str, str], now: datetime) -> tuple[int, int, float] | None:
    """The allowance that an answer tells: requests a window, those that are left, and seconds until the next window.

    None where it tells none, or a window so long that waiting for its end is no pacing.
    """
    remaining = _count(headers.get("X-RateLimit-Remaining"))
    if remaining is None:
        return None
    wait = reset_wait(headers, now)
    if wait is None:
        wait = _count(headers.get("X-RateLimit-Interval-Seconds"))
    limit = _count(headers.get("X-RateLimit-FillRate")) or _count(headers.get("X-RateLimit-Limit")) or 1
    return None if wait is None or wait > LONGEST_WAIT else (limit, remaining, wait)


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
