"""When a request is tried again, and after how long: every form in which the vendors say so."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.http.retry import FIRST_BACKOFF, LONGEST_BACKOFF, LONGEST_WAIT, TRIES, asked_wait, wait_before_retry

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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    assert wait_before_retry(status, {"Retry-After": "1"}, 1, NOW, 0.5) is None


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
    waits = [wait_before_retry(500, {}, attempt, NOW, jitter) for attempt in range(1, TRIES)]
    assert waits[0] == FIRST_BACKOFF * (0.5 + jitter / 2)
    for shorter, longer in pairwise(waits):
        assert shorter is not None
        assert longer == min(2 * shorter, LONGEST_BACKOFF)
    assert wait_before_retry(500, {}, TRIES, NOW, jitter) is None
