"""Faults of the wire (10 to 16 of docs/reliability.md), for both ways we send: our client, and the vendors' own."""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from accountpulse.core.errors import AccessError, OutOfTime, SourceUnavailable
from accountpulse.http import client, requests_adapter
from accountpulse.http.budget import RequestBudget
from accountpulse.http.client import Client, Endpoint
from faults import wire
from faults.wire import Answer, Wire

DECODER = msgspec.json.Decoder(dict[str, bool])
Ask = Callable[..., Any]


class Sleeper:
    """Sleeps without waiting: the budget's clock, and its own, go on by so much."""

    def __init__(self, budget: RequestBudget) -> None:
        self._slept = 0.0
        budget.clock = lambda: time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._slept)


def by_client(url: str, budget: RequestBudget, total: float = client.TOTAL) -> Any:
    """Ask through the client that Intercom and Jira are asked with; a call may take `total` seconds."""

    sleeper = Sleeper(budget)

    async def sleep(seconds: float) -> None:
        sleeper.sleep(seconds)
        await asyncio.sleep(0)

    async def ask() -> Any:
        headers = {"Authorization": "Bearer s3cret"}
        endpoint = Endpoint("jira", url, headers)
        async with Client(endpoint, budget, sleep=sleep, now=sleeper.now, total=total) as web:
            return await web.get("/thing", DECODER)

    return client.run(ask())


def by_session(url: str, budget: RequestBudget, total: float = requests_adapter.TOTAL) -> Any:
    """Ask through the session that the clients of Looker and Salesforce are given."""
    with requests_adapter.session("looker", budget, None, sleep=Sleeper(budget).sleep, total=total) as session:
        return session.get(f"{url}/thing", headers={"Authorization": "Bearer s3cret"}).json()


WAYS = pytest.mark.parametrize("ask", [by_client, by_session])
BROKEN: dict[str, Answer] = {
    "10-reset": wire.reset,
    "10-reset-in-the-body": wire.reset_in_the_body,
    "10-closed-before-an-answer": wire.CLOSED,
    "10-cut-length": wire.CUT_LENGTH,
    "10-cut-chunk": wire.CUT_CHUNK,
    "10-garbage": wire.GARBAGE,
    "10-endless-header": wire.LONG_HEADER,
    "11-gzip-cut-in-half": wire.HALF_GZIP,
    "11-body-cut-without-a-length": wire.NO_LENGTH,
    "11-html-with-200": wire.HTML,
    "11-nothing-with-200": wire.EMPTY,
    "11-text-that-is-no-text": wire.BAD_TEXT,
    "08-500": wire.whole(500),
    "08-502": wire.whole(502, b"<html>", kind="text/html"),
    "08-503": wire.whole(503, b"", "Retry-After: 0"),
    "08-504": wire.whole(504, b""),
    "45-522-of-an-edge-in-front": wire.whole(522, b"error code: 522", kind="text/plain"),
    "45-425": wire.whole(425, b""),
    "01-429": wire.whole(429, b"{}", "Retry-After: 0"),
}


@WAYS
@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_a_fault_that_passes_is_survived(ask: Ask, fault: Answer) -> None:
    budget = RequestBudget()
    with Wire(fault, fault) as server:
        assert ask(server.url, budget) == {"ok": True}
    assert len(server.asked) == 3  # aiohttp itself sends a GET anew where a kept connection was reset
    assert 1 <= budget.retries <= 2


# the system is there, and says what can't be read, or that it may be asked again at once
ANSWERED = {
    "11-gzip-cut-in-half",
    "11-body-cut-without-a-length",
    "11-html-with-200",
    "11-nothing-with-200",
    "11-text-that-is-no-text",
    "08-503",
    "01-429",
}


@WAYS
@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_that_stays_ends_in_words_after_a_few_tries_and_is_never_data(ask: Ask, name: str) -> None:
    budget = RequestBudget()
    with Wire(for_ever=BROKEN[name]) as server, pytest.raises(SourceUnavailable) as caught:
        ask(server.url, budget)
    assert re.search(
        r"GET /thing failed \((127\.0\.0\.1:\d+ closed the connection|\w*Error|HTTP \d+|.*: \w*Error|"
        r"a web page instead of JSON|a packed body .* off)\)",
        str(caught.value),
    )  # its text is empty
    assert "s3cret" not in str(caught.value)
    if name in ANSWERED:
        assert budget.calls == 5
    else:
        assert 179 <= budget.waited <= 210
        assert budget.calls <= 17


@WAYS
def test_08_a_system_that_is_down_for_a_minute_and_says_nothing_of_it_is_waited_for(ask: Ask) -> None:
    budget = RequestBudget()
    with Wire(*[wire.whole(503, b"")] * 7) as server:  # which takes from half a minute to a minute
        assert ask(server.url, budget) == {"ok": True}
    assert budget.retries == 7
    assert 30 <= budget.waited <= 62


@WAYS
def test_12_a_dripping_answer_ends_by_the_calls_own_limit(ask: Ask) -> None:
    """One byte every twentieth of a second: no time-out between two bytes ever comes, nor the run's end."""
    budget = RequestBudget()
    with Wire(for_ever=wire.drip) as server, pytest.raises(SourceUnavailable):
        ask(server.url, budget, 0.1)
    assert 5 <= budget.calls <= 17


@WAYS
def test_12_a_dripping_answer_ends_with_the_run(ask: Ask) -> None:
    budget = RequestBudget(ends=time.monotonic() + 1.0)
    with Wire(for_ever=wire.drip) as server, pytest.raises(SourceUnavailable):
        ask(server.url, budget)


@WAYS
def test_13_a_server_that_never_answers_is_asked_again_and_given_up(ask: Ask) -> None:
    budget = RequestBudget()
    with (
        Wire(for_ever=wire.silence) as server,
        pytest.raises(SourceUnavailable, match=r"no answer from 127\.0\.0\.1:\d+ in time"),
    ):
        ask(server.url, budget, 0.1)
    assert 5 <= budget.calls <= 17


@WAYS
def test_13_a_server_that_never_answers_does_not_outlast_the_run(ask: Ask) -> None:
    budget = RequestBudget(ends=time.monotonic() + 1.0)
    with Wire(for_ever=wire.silence) as server, pytest.raises(SourceUnavailable):
        ask(server.url, budget)


@WAYS
def test_15_a_redirect_to_another_host_is_not_followed(ask: Ask) -> None:
    budget = RequestBudget()
    with Wire() as other, Wire(for_ever=wire.whole(302, b"", f"Location: {other.url}/thing")) as server:
        with pytest.raises(AccessError, match="redirect"):
            ask(server.url, budget)
        assert other.asked == []
    assert budget.calls == 1


def test_47_a_method_that_is_not_allowed_is_the_addresss_fault() -> None:
    with (
        Wire(for_ever=wire.whole(405, b"{}")) as server,
        pytest.raises(AccessError, match=r"HTTP 405: this address doesn't take GET.*proxy"),
    ):
        by_client(server.url, RequestBudget())


@pytest.mark.parametrize("status", [404, 410])
def test_16_an_address_that_is_gone_is_not_asked_again(status: int) -> None:
    budget = RequestBudget()
    with (
        Wire(for_ever=wire.whole(status, b"{}")) as server,
        pytest.raises(AccessError, match="newer release") as caught,
    ):
        by_client(server.url, budget)
    assert "gone or wrong" in str(caught.value)
    assert caught.value.exit_code == 3
    assert budget.calls == 1


@WAYS
def test_01_two_seconds_that_a_429_asks_for_are_waited_and_counted(ask: Ask) -> None:
    """By a clock that only sleeping moves."""
    budget = RequestBudget()
    with Wire(wire.whole(429, b"{}", "Retry-After: 2")) as server:
        assert ask(server.url, budget) == {"ok": True}
    assert (budget.calls, budget.retries) == (2, 1)
    assert 2.0 <= budget.waited <= 3.0


@WAYS
@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("Retry-After: 1.5", 1.5, 2.5),
        ("Retry-After: -5", 0.0, 1.0),
        ("Retry-After: soon", 0.0, 1.0),
        ("X-Nothing: 1", 0.0, 1.0),
    ],
    ids=["decimals", "negative", "garbage", "absent"],
)
def test_02_a_429_in_any_form_is_waited_for_within_bounds(ask: Ask, header: str, least: float, most: float) -> None:
    budget = RequestBudget()
    with Wire(wire.whole(429, b"{}", header)) as server:
        assert ask(server.url, budget) == {"ok": True}
    assert budget.retries == 1
    assert least <= budget.waited <= most


@WAYS
def test_03_a_wait_longer_than_the_run_has_left_is_not_begun(ask: Ask) -> None:
    budget = RequestBudget(ends=time.monotonic() + 50)
    with (
        Wire(for_ever=wire.whole(429, b"{}", "Retry-After: 60")) as server,
        pytest.raises(SourceUnavailable, match="429"),
    ):
        ask(server.url, budget)
    assert (budget.calls, budget.waited) == (1, 0.0)


@WAYS
def test_03_an_hour_is_not_waited_for_at_all(ask: Ask) -> None:
    budget = RequestBudget()
    with (
        Wire(for_ever=wire.whole(429, b"{}", "Retry-After: 3600")) as server,
        pytest.raises(SourceUnavailable, match="429"),
    ):
        ask(server.url, budget)
    assert (budget.calls, budget.waited) == (1, 0.0)


@WAYS
def test_04_the_patience_with_one_source_has_an_end(ask: Ask) -> None:
    budget = RequestBudget(patience=70)
    with Wire(for_ever=wire.whole(429, b"{}", "Retry-After: 30")) as server, pytest.raises(SourceUnavailable):
        ask(server.url, budget)
    assert budget.calls == 3
    assert 60 <= budget.waited <= 70


@WAYS
def test_after_the_runs_end_no_request_is_begun(ask: Ask) -> None:
    with Wire() as server, pytest.raises(OutOfTime, match="goes on"):
        ask(server.url, RequestBudget(ends=0.0))
    assert server.asked == []
