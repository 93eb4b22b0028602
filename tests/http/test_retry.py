"""When a request is tried again, and after how long: every form in which the vendors say so."""

import socket
import ssl
from datetime import UTC, datetime
from itertools import pairwise

import aiohttp
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.core.errors import AccessError, OutOfTime, SourceUnavailable, Unanswered, UnexpectedAnswer
from accountpulse.http.budget import PATIENCE, RequestBudget
from accountpulse.http.retry import (
    ANSWER_PATIENCE,
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    LONGEST_WAIT,
    TRIES,
    Attempts,
    AttemptState,
    asked_wait,
    backoff,
    refusal,
    wait_before_retry,
)

NOW = datetime(2026, 11, 23, 10, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"Retry-After": "Mon, 23 Nov 2026 10:14:40 GMT"}, 10.0),
        ({"Retry-After": "Mon, 23 Nov 2026 10:14:00 GMT"}, 0.0),  # past: at once, never a negative wait
        ({"X-RateLimit-Reset": "1795428875"}, 5.0),  # Intercom: a UNIX second; here 10:14:35
        ({"X-RateLimit-Reset": "2026-11-23T10:15Z"}, 30.0),  # Jira: ISO minutes
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"X-RateLimit-Reset": "later"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_in_every_form_that_the_vendors_send(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422, 501, 505])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    assert wait_before_retry(status, {"Retry-After": "1"}, 1, NOW, 0.5) is None


@pytest.mark.parametrize("status", [405, 501, 505])
def test_a_request_that_the_address_never_takes_is_something_to_mend(status: int) -> None:
    error = refusal("jira", "POST /search", status, {})
    assert isinstance(error, AccessError)
    assert "Check the base URL" in str(error)
    assert "later" not in str(error)


@pytest.mark.parametrize("status", [None, 408, 425, 429, 500, 502, 503, 504, 507, 520, 522, 524, 525, 529, 530, 599])
def test_no_answer_and_every_error_of_a_server_or_of_what_stands_before_it_is_tried_again(status: int | None) -> None:
    assert wait_before_retry(status, {}, 1, NOW, 0.5) is not None


def test_a_wait_that_is_too_long_is_not_begun_and_never_shortened() -> None:
    assert wait_before_retry(429, {"Retry-After": str(int(LONGEST_WAIT) + 1)}, 1, NOW, 0.0) is None
    assert wait_before_retry(429, {"Retry-After": str(int(LONGEST_WAIT))}, 1, NOW, 0.0) == LONGEST_WAIT


@given(
    status=st.sampled_from([None, 408, 429, 500, 502, 503, 504]),
    value=st.text(max_size=12),
    attempt=st.integers(1, TRIES - 1),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_whatever_a_header_says_the_wait_is_bounded_and_not_negative(
    status: int | None, value: str, attempt: int, jitter: float
) -> None:
    wait = wait_before_retry(status, {"Retry-After": value}, attempt, NOW, jitter)
    assert wait is None or 0 <= wait <= LONGEST_WAIT + 1


@given(jitter=st.floats(0, 1, exclude_max=True))
def test_without_a_word_waits_double_and_end(jitter: float) -> None:
    waits = [wait_before_retry(500, {}, attempt, NOW, jitter, left=1.0) for attempt in range(1, 2 * TRIES)]
    assert waits[0] == FIRST_BACKOFF * (0.5 + jitter / 2)
    for shorter, longer in pairwise(waits):
        assert shorter is not None
        assert longer == min(2 * shorter, LONGEST_BACKOFF * (0.5 + jitter / 2))
    assert wait_before_retry(500, {}, TRIES, NOW, jitter, left=0.0) is None


def test_a_system_that_may_be_asked_at_once_and_refuses_again_is_not_asked_for_minutes() -> None:
    assert wait_before_retry(503, {"Retry-After": "0"}, TRIES - 1, NOW, 0.5, left=100.0) == 0.5
    assert wait_before_retry(503, {"Retry-After": "0"}, TRIES, NOW, 0.5, left=100.0) is None
    assert wait_before_retry(503, {"Retry-After": "5"}, TRIES, NOW, 0.5, left=100.0) == 5.5


@given(attempt=st.integers(1, 12), first=st.floats(0.1, 60), jitter=st.floats(0, 1, exclude_max=True))
def test_a_backoff_is_spread_around_a_wait_that_doubles_up_to_the_longest(
    attempt: int, first: float, jitter: float
) -> None:
    whole = min(LONGEST_BACKOFF, first * 2 ** (attempt - 1))
    assert whole / 2 <= backoff(first, attempt, jitter) <= whole
    assert whole / 2 <= backoff(first, attempt, jitter, spread=1.0) <= whole * 1.5


def attempts(budget: RequestBudget) -> Attempts:
    return Attempts("jira", "GET /thing", budget, {403: "Ask."}, lambda: NOW, lambda: 0.0)


def test_an_attempt_is_counted_and_its_wait_too() -> None:
    budget = RequestBudget()
    one = attempts(budget)
    assert one.state is AttemptState.READY
    one.send()
    assert one.state is AttemptState.SENDING
    assert one.wait_after(one.refused(429, {"Retry-After": "2"})) == 2.0
    assert one.state is AttemptState.WAITING
    assert (budget.calls, budget.retries, budget.waited) == (1, 1, 2.0)


def test_the_last_attempt_raises_its_own_failure() -> None:
    one, spent = attempts(RequestBudget()), 0.0
    with pytest.raises(SourceUnavailable, match=r"GET /thing failed \(no connection with host:443: ConnectionError\)"):
        while True:
            one.send()
            spent += one.wait_after(one.unanswered(ConnectionError("of a host"), "https://host/x"))
    assert one.state is AttemptState.FAILED
    assert ANSWER_PATIENCE <= spent <= ANSWER_PATIENCE + LONGEST_BACKOFF


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionRefusedError(), "nothing listens at host:8443: the connection was refused"),
        (socket.gaierror(-2, "no name"), "the host host isn't known (DNS)"),
        (TimeoutError(), "no answer from host:8443 in time"),
        (requests.exceptions.ReadTimeout(), "no answer from host:8443 in time"),
        (aiohttp.ServerDisconnectedError(), "host:8443 closed the connection"),
        (ssl.SSLError(), "the TLS handshake with host:8443 broke off"),
        (OSError("by /secret/path"), "no connection with host:8443: OSError"),
    ],
)
def test_where_nobody_answers_host_and_port_are_named_and_how_far_the_call_got(error: OSError, says: str) -> None:
    wrapped = requests.exceptions.ConnectionError("wrapped") if type(error) is ConnectionRefusedError else error
    wrapped.__cause__ = None if wrapped is error else error
    found = attempts(RequestBudget()).unanswered(wrapped, "https://user:pass@host:8443/path?q=1").error
    assert isinstance(found, Unanswered)
    assert says in str(found)
    assert not {"pass", "path"} & set(str(found).replace("/", " ").replace(":", " ").split())


def test_whoever_looks_gives_up_in_seconds_on_a_system_that_can_not_be_reached_and_a_run_does_not() -> None:
    def tried(patience: float, error: OSError) -> float:
        one, spent = attempts(RequestBudget(patience=patience)), 0.0
        with pytest.raises(Unanswered):
            while True:
                one.send()
                spent += one.wait_after(one.unanswered(error, "https://host/x"))
        return spent

    for error in (ConnectionRefusedError(), socket.gaierror(-2, "no name")):
        assert tried(60.0, error) <= 4.0
        assert tried(PATIENCE, error) >= ANSWER_PATIENCE
    assert tried(60.0, TimeoutError()) > 30.0  # it is there, and slow


def test_waits_side_by_side_are_counted_once() -> None:
    seconds = 0.0
    budget = RequestBudget(patience=60, clock=lambda: seconds)
    assert all(budget.retried(40) for _ in range(8))  # of eight requests at once
    assert budget.waited == 40
    seconds = 20.0
    assert budget.retried(30)  # ten seconds after the others
    assert budget.waited == 50
    assert not budget.retried(41)


def test_what_cannot_be_read_is_tried_again_and_raised_by_its_own_name() -> None:
    one = attempts(RequestBudget(patience=0.3))
    one.send()
    one.wait_after(one.unreadable(ValueError("a body")))
    one.send()
    with pytest.raises(UnexpectedAnswer, match=r"can't be read: ValueError"):  # the patience is spent
        one.wait_after(one.unreadable(ValueError("a body")))


def test_a_refusal_that_waiting_does_not_mend_is_raised_with_its_remedy() -> None:
    one = attempts(RequestBudget())
    one.send()
    with pytest.raises(AccessError, match=r"Ask\."):
        one.wait_after(one.refused(403, {}))


def test_no_attempt_is_begun_after_the_runs_end_and_one_cut_off_by_it_says_so() -> None:
    with pytest.raises(OutOfTime):
        attempts(RequestBudget(ends=0.0)).send()
    with pytest.raises(OutOfTime):
        attempts(RequestBudget(ends=0.0)).unanswered(TimeoutError(), "https://host")
