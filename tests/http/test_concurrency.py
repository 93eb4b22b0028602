"""How many requests go at once, and when: against servers of one's own making, on a clock of one's own."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import cycle, islice, repeat
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accountpulse.http.answer_time import TICK, AnswerTime, LoopLag
from accountpulse.http.concurrency import MOST, START, ConcurrencyLimit
from accountpulse.http.rate_limiter import LimiterState, RateLimiter
from virtual import BEGIN, Clock

Answer = tuple[int | None, Mapping[str, str]]
QUICK: Answer = (200, {})


class Server:
    """Answers after `latency` seconds what `answer` says; knows how many requests it had at once, and when."""

    def __init__(self, clock: Clock, latency: Callable[[int], float], answer: Callable[[], Answer]) -> None:
        self.clock, self.latency, self.answer = clock, latency, answer
        self.under_way = self.most = 0
        self.came: list[float] = []
        self.statuses: list[int | None] = []

    async def ask(self, limiter: RateLimiter) -> int | None:
        permit = await limiter.begin()
        went = self.clock.seconds
        self.came.append(went)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        answer = self.answer()
        await asyncio.sleep(self.latency(self.under_way))
        self.under_way -= 1
        self.statuses.append(answer[0])
        limiter.end(permit, *answer, AnswerTime(self.clock.seconds - went))
        return answer[0]


class Recording(RateLimiter):
    """A limiter that remembers in which states it was."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.now)
        self.states: set[LimiterState] = set()

    def next_request(self) -> tuple[LimiterState, float | None]:
        state, wait = super().next_request()
        self.states.add(state)
        return state, wait


def drive(clock: Clock, server: Server, *phases: tuple[int, Callable[[RateLimiter], None]]) -> Recording:
    """Requests from as many workers as the limiter could ever want; a refused one is asked again.

    A phase is how many requests, and what to do after them.
    """
    limiter = Recording(clock)

    async def worker(left: Iterator[int]) -> None:
        for _ in left:
            while await server.ask(limiter) != 200:
                pass

    async def work() -> None:
        for requests, then in phases:
            left = iter(range(requests))
            await asyncio.gather(*(worker(left) for _ in range(100)))
            then(limiter)

    clock.run(work())
    return limiter


def go_on(_limiter: RateLimiter) -> None:
    """Nothing to look at."""


class Windows:
    """A limit by fixed windows, told as Intercom does or as Jira Cloud, with the request counted when it comes.

    The first window has gone on for `gone` seconds, in which `used` requests went.
    """

    def __init__(
        self, clock: Clock, limit: int, seconds: int, *, style: str = "intercom", gone: float = 0.0, used: int = 0
    ) -> None:
        self.clock, self.limit, self.seconds, self.style, self.gone = clock, limit, seconds, style, gone
        self.window, self.count = 0, used

    def __call__(self) -> Answer:
        window = int((self.clock.seconds + self.gone) // self.seconds)
        if window != self.window:
            self.window, self.count = window, 0
        self.count += 1
        left, ends = max(0, self.limit - self.count), (window + 1) * self.seconds - self.gone
        headers = {"X-RateLimit-Limit": str(self.limit), "X-RateLimit-Remaining": str(left)}
        if self.style == "intercom":
            headers["X-RateLimit-Reset"] = str(int((BEGIN + timedelta(seconds=ends)).timestamp()))
        else:
            headers["RateLimit-Policy"] = f'"burst";q={self.limit};w={self.seconds}'
            headers["RateLimit"] = f'"burst";r={left};t={max(1, ceil(ends - self.clock.seconds))}'
        return (200 if self.count <= self.limit else 429), headers


class Bucket:
    """Holds `size` requests; each second, at `phase`, brings `rate` more. Tells it as a Jira does, or nothing."""

    def __init__(self, clock: Clock, rate: int, size: int, phase: float, style: str) -> None:
        self.clock, self.rate, self.size, self.phase, self.style = clock, rate, size, phase, style
        self.level, self.second = size, floor(clock.seconds - phase)

    def __call__(self) -> Answer:
        second = floor(self.clock.seconds - self.phase)
        self.level, self.second = min(self.size, self.level + (second - self.second) * self.rate), second
        refused = self.level == 0
        self.level -= not refused
        counts = {"X-RateLimit-Limit": str(self.size), "X-RateLimit-Remaining": str(self.level)}
        headers: Mapping[str, Mapping[str, str]] = {
            "cloud": {
                **counts,
                "RateLimit-Policy": f'"global-app-quota";q=65000;w=3600,"jira-burst-based";q={self.rate};w=1',
                "RateLimit": f'"global-app-quota";t=200,"jira-burst-based";r={self.level};t=1',
            },
            "datacenter": {
                **counts,
                "X-RateLimit-FillRate": str(self.rate),
                "X-RateLimit-Interval-Seconds": "1",
            },
            "silent": {},
        }
        return (429 if refused else 200), {**headers[self.style], **({"Retry-After": "1"} if refused else {})}


def test_it_begins_with_eight_and_grows_while_answers_are_quick() -> None:
    clock = Clock()
    server = Server(clock, lambda _: 0.1, lambda: QUICK)
    seen: list[int] = []
    limiter = drive(clock, server, (START, lambda _: seen.append(server.most)), (2000, go_on))
    assert seen == [START]
    assert server.most == limiter.limit == MOST


def test_it_stops_growing_where_answers_only_wait_for_each_other() -> None:
    clock = Clock()
    server = Server(clock, lambda at_once: 0.1 * max(1.0, at_once / 16), lambda: QUICK)
    limiter = drive(clock, server, (5000, go_on))
    assert START <= limiter.limit <= 32


def test_a_system_that_becomes_slow_gets_fewer_at_once_but_never_less_than_the_first_eight() -> None:
    clock = Clock()
    server = Server(clock, lambda _: 0.1, lambda: QUICK)
    before: list[int] = []

    def slow(limiter: RateLimiter) -> None:
        before.append(limiter.limit)
        server.latency = lambda _: 0.5

    limiter = drive(clock, server, (2000, slow), (200, go_on))
    assert START <= limiter.limit < before[0]


def limit_after(answers: Iterable[AnswerTime]) -> int:
    """Where the limit ends, with as many requests under way as may be."""
    limit = ConcurrencyLimit()
    for took in answers:
        limit.sent(limit.value)
        limit.answered(took, limit.value)
    return limit.value


@given(st.lists(st.floats(0, 10), min_size=1, max_size=5))
@settings(max_examples=30)
def test_being_late_ourselves_costs_no_request_at_once(late: list[float]) -> None:
    starved = limit_after(AnswerTime(0.1 + own, own) for own in islice(cycle(late), 5 * MOST))
    assert starved == limit_after(repeat(AnswerTime(0.1), 5 * MOST)) == MOST


@given(st.floats(0, 1))
def test_a_system_that_becomes_slow_gets_fewer_at_once_however_late_we_are(own: float) -> None:
    limit, found = ConcurrencyLimit(), []
    seen = 0.1 + own  # no more is known of how quick it was
    for took in (AnswerTime(seen, own), AnswerTime(2.1 * seen + own, own)):
        for _ in range(2 * MOST):
            limit.sent(limit.value)
            limit.answered(took, limit.value)
        found.append(limit.value)
    assert START <= found[1] < found[0]


def test_a_loop_is_as_late_as_what_kept_it_from_looking_and_in_time_again_afterwards() -> None:
    clock = Clock()
    seen: list[float] = []

    async def work() -> None:
        lag = LoopLag()
        await asyncio.sleep(10 * TICK)
        seen.append(lag.now())
        clock.seconds += 0.5  # nothing else runs
        seen.append(lag.now())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        seen.append(lag.now())  # for what was due meanwhile it is late all the same
        await asyncio.sleep(10 * TICK)
        seen.append(lag.now())
        lag.stop()

    clock.run(work())
    assert seen == pytest.approx([0, 0.5, 0.5, 0], abs=1.5 * TICK)


def test_a_burst_of_refusals_halves_it_once() -> None:
    clock = Clock()
    limiter = RateLimiter(clock.now)

    async def refused() -> None:
        permits = [await limiter.begin() for _ in range(START)]
        for permit in permits:
            limiter.end(permit, 429, {}, AnswerTime(0.1))

    clock.run(refused())
    assert limiter.limit == START // 2


@pytest.mark.parametrize(("status", "wait"), [(429, "7"), (503, "3")])
def test_after_a_refusal_nobody_asks_before_the_time_that_it_names(status: int, wait: str) -> None:
    clock = Clock()
    answers = iter([(status, {"Retry-After": wait})])
    server = Server(clock, lambda _: 0.1, lambda: next(answers, QUICK))
    drive(clock, server, (30, go_on))
    early = [came for came in server.came if 0.1 < came < float(wait) + 0.1]
    assert early == []


@pytest.mark.parametrize(("limit", "seconds"), [(50, 1), (500, 10), (167, 10), (20, 10)])
def test_a_limit_that_is_told_is_met_and_not_run_into(limit: int, seconds: int) -> None:
    clock = Clock()
    server = Server(clock, lambda _: 0.1, Windows(clock, limit, seconds))
    requests = limit * 10
    drive(clock, server, (requests, go_on))
    assert server.statuses.count(429) <= requests // 100
    assert clock.seconds <= 1.15 * requests * seconds / limit


@pytest.mark.parametrize("style", ["intercom", "cloud"])
@given(st.integers(0, 9), st.integers(0, 166), st.sampled_from([0.002, 0.1, 0.3]))
@settings(max_examples=8, deadline=None)
def test_a_run_that_begins_within_a_window_ends_no_window_late_and_is_not_refused(
    style: str, gone: int, used: int, latency: float
) -> None:
    clock = Clock()
    server = Server(clock, lambda _: latency, Windows(clock, 166, 10, style=style, gone=gone, used=used))
    drive(clock, server, (1, go_on), (639, go_on))  # four windows hold 24 more
    assert server.statuses.count(429) <= (used == 166)  # before the first answer nothing is known
    waits = ceil(max(0, 640 - 166 + used) / 166)  # windows that begin on the way
    assert clock.seconds <= (waits * 10 - gone if waits else 0) + 2 + 8 * latency


@given(st.floats(0, 9.9), st.sampled_from([0.1, 0.3]))
@settings(max_examples=8, deadline=None)
def test_windows_that_end_within_the_second_that_is_named_refuse_one_request(gone: float, latency: float) -> None:
    clock = Clock()
    server = Server(clock, lambda _: latency, Windows(clock, 166, 10, gone=gone))
    drive(clock, server, (1, go_on), (639, go_on))
    assert server.statuses.count(429) <= 1
    assert clock.seconds <= 40 - gone + 3 + 8 * latency


@pytest.mark.parametrize("style", ["cloud", "datacenter"])
@given(st.integers(5, 500), st.floats(0, 0.5), st.floats(0, 1), st.sampled_from([1, 3.5]))
@settings(max_examples=10, deadline=None)
def test_a_bucket_that_is_told_is_neither_run_empty_nor_left_full(
    style: str, rate: int, latency: float, phase: float, size: float
) -> None:
    clock = Clock()
    server = Server(clock, lambda _: latency + 0.002, Bucket(clock, rate, int(rate * size), phase, style))
    requests = min(10 * rate, 1000)
    drive(clock, server, (1, go_on), (requests, go_on))
    assert server.statuses.count(429) <= requests // 100
    first = 64 * latency  # answers are slow to say that more at once is welcome
    assert clock.seconds <= 1.15 * max(requests / rate, requests * (latency + 0.002) / MOST) + 1 + first


def test_a_bucket_that_drips_is_met_though_it_is_taken_for_one_filled_at_once() -> None:
    clock = Clock()
    level, filled = 40.0, 0.0

    def bucket() -> Answer:
        nonlocal level, filled
        now = clock.seconds
        level, filled = min(40.0, level + (now - filled) * 10), now
        refused = level < 1
        level -= 0 if refused else 1
        headers = {"X-RateLimit-Limit": "40", "X-RateLimit-Remaining": str(int(level)), "X-RateLimit-FillRate": "10",
                   "X-RateLimit-Interval-Seconds": "1", **({"Retry-After": "1"} if refused else {})}  # fmt: skip
        return 429 if refused else 200, headers

    server = Server(clock, lambda _: 0.1, bucket)
    drive(clock, server, (1000, go_on))
    assert server.statuses[len(server.statuses) // 2 :].count(429) <= 50  # it adapts
    assert clock.seconds <= 1.15 * (1000 - 40) / 10


@given(st.integers(5, 500), st.floats(0, 0.5), st.floats(0, 1))
@settings(max_examples=10, deadline=None)
def test_a_limit_that_is_never_told_is_learnt_from_refusals(rate: int, latency: float, phase: float) -> None:
    clock = Clock()
    server = Server(clock, lambda _: latency + 0.002, Bucket(clock, rate, rate, phase, "silent"))
    marks: list[tuple[int, float]] = []
    learning, later = min(10 * rate, 1000), min(10 * rate, 1000)
    drive(clock, server, (learning, lambda _: marks.append((len(server.statuses), clock.seconds))), (later, go_on))
    learnt, begun = marks[0]
    assert server.statuses[:learnt].count(429) <= 3 * MOST  # what is under way at once, a few times
    under_way = rate * (latency + 0.002)  # they are refused together when the limit is tried
    assert server.statuses[learnt:].count(429) <= max(3, later // 50) + under_way
    natural = max(later / rate, later * (latency + 0.002) / START)
    assert clock.seconds - begun <= natural / 0.6 + 2


def test_another_program_on_the_same_allowance_is_noticed() -> None:
    clock = Clock()
    windows = Windows(clock, 100, 10)

    def shared() -> Answer:
        windows()  # somebody else's request, for each of ours
        return windows()

    server = Server(clock, lambda _: 0.1, shared)
    drive(clock, server, (200, go_on))
    assert server.statuses.count(429) <= MOST  # a burst at most, since what others do is seen only afterwards


@given(st.integers(1, 300), st.integers(1, 10), st.floats(0.01, 2), st.integers(1, 300))
def test_every_request_is_answered_in_the_end_whatever_the_limit(
    limit: int, seconds: int, latency: float, requests: int
) -> None:
    clock = Clock()
    server = Server(clock, lambda _: latency, Windows(clock, limit, seconds))
    drive(clock, server, (requests, go_on))
    assert server.statuses.count(200) == requests


def test_a_silent_system_is_unlimited_until_it_refuses_then_held_then_learnt() -> None:
    clock = Clock()
    server = Server(clock, lambda _: 0.1, Bucket(clock, 20, 20, 0.0, "silent"))
    limiter = drive(clock, server, (200, go_on))
    assert limiter.states == {LimiterState.UNLIMITED, LimiterState.FULL, LimiterState.HELD, LimiterState.LEARNT}


def test_a_window_is_allowed_used_up_and_renewed_and_its_end_is_exact_so_that_nothing_is_spread() -> None:
    clock = Clock()
    limiter = drive(clock, Server(clock, lambda _: 0.1, Windows(clock, 20, 10)), (200, go_on))
    assert {LimiterState.ALLOWED, LimiterState.USED_UP, LimiterState.RENEWED} <= limiter.states
    assert LimiterState.SPREAD not in limiter.states


def test_the_last_few_of_a_bucket_are_spread() -> None:
    clock = Clock()
    limiter = drive(clock, Server(clock, lambda _: 0.1, Bucket(clock, 20, 70, 0.5, "datacenter")), (200, go_on))
    assert LimiterState.SPREAD in limiter.states


def test_headers_that_stop_coming_are_waited_for_once_and_then_forgotten() -> None:
    clock = Clock()
    windows = Windows(clock, 4, 1)
    server = Server(clock, lambda _: 1.5, windows)
    seen: list[bool] = []

    def fall_silent(_limiter: RateLimiter) -> None:
        server.answer = lambda: QUICK

    def look(limiter: RateLimiter) -> None:
        seen.append(limiter.next_request()[0] is LimiterState.UNLIMITED)

    limiter = drive(clock, server, (8, fall_silent), (60, look))
    assert LimiterState.UNCONFIRMED in limiter.states
    assert seen == [True]
