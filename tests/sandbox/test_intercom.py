"""The stand-in for Intercom: finds what a scan finds, tells its limits, has the oddities that were asked for."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.sandbox.intercom.index import Index
from accountpulse.sandbox.intercom.search import CONVERSATION_FIELDS, Matcher
from accountpulse.sandbox.jira.rate_limit import cloud_style, data_center_style
from accountpulse.sandbox.limits import Limit, RateLimitStyle, limited
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from support import NOW

SINCE = int(datetime(2026, 8, 3, tzinfo=UTC).timestamp())
UNTIL = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
ALL = {"field": "created_at", "operator": "<", "value": UNTIL}


def search(running: Sandbox, query: dict[str, Any], version: str = "2.16", **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {running.world.intercom.token}", "Intercom-Version": version}
    body = {"query": query, **more}
    return requests.post(f"{running.url}/intercom/conversations/search", json=body, headers=headers, timeout=60)


def walk(running: Sandbox, **paging: int) -> list[list[str]]:
    """The ids of each page, until there is no next one."""
    pages, cursor = [], None
    while len(pages) < 100:
        more = {"pagination": {**paging, **({} if cursor is None else {"starting_after": cursor})}}
        page = search(running, ALL, **more).json()
        pages.append([each["id"] for each in page["conversations"]])
        following = page["pages"].get("next")
        if following is None:
            break
        cursor = following["starting_after"]
    return pages


# --- finding

bounds = st.builds(
    lambda field, operator, value: {"field": field, "operator": operator, "value": value},
    st.sampled_from(["created_at", "statistics.last_close_at", "conversation_rating.requested_at", "updated_at"]),
    st.sampled_from(["<", ">"]),
    st.integers(SINCE - 10**7, UNTIL + 10**6),
)
groups = st.builds(
    lambda operator, value: {"operator": operator, "value": value},
    st.sampled_from(["AND", "OR"]),
    st.lists(bounds, min_size=1, max_size=4),
)
queries = st.one_of(
    bounds,
    groups,
    st.builds(
        lambda operator, value: {"operator": operator, "value": value},
        st.sampled_from(["AND", "OR"]),
        st.lists(st.one_of(bounds, groups), min_size=1, max_size=3),
    ),
)
SMALL = build(seed=3, accounts=12, until=NOW)


@pytest.mark.parametrize("inclusive", [False, True])
@given(query=queries)
def test_the_index_finds_what_looking_at_every_conversation_finds(query: dict[str, Any], inclusive: bool) -> None:  # noqa: FBT001
    index = Index(SMALL.intercom.conversations, inclusive=inclusive)
    test = Matcher(query, CONVERSATION_FIELDS, inclusive=inclusive).test
    expected = [place for place, talk in enumerate(index.conversations) if test(talk)]
    assert list(index.find(query)) == expected


def test_pages_hold_every_conversation_once(world: World) -> None:
    with Sandbox(world) as running:
        pages = walk(running, per_page=150)
    expected = [talk.id for talk in world.intercom.conversations if talk.created_at.timestamp() < UNTIL]
    assert sorted(name for page in pages for name in page) == sorted(expected)
    assert {len(page) for page in pages[:-1]} == {150}


def test_an_order_that_is_asked_for_is_kept(world: World) -> None:
    with Sandbox(world) as running:
        answer = search(running, ALL, sort={"field": "updated_at", "order": "descending"}).json()
    moments = [each["updated_at"] for each in answer["conversations"]]
    assert moments == sorted(moments, reverse=True)
    assert len(set(moments)) > 1


# --- oddities


def test_a_cap_makes_pages_smaller_than_was_asked(world: World) -> None:
    with Sandbox(world) as running:
        running.intercom_oddities.page_cap = 40
        assert len(search(running, ALL, pagination={"per_page": 150}).json()["conversations"]) == 40


def test_a_conversation_that_moves_comes_twice_and_another_not_at_all() -> None:
    with Sandbox(SMALL) as running:
        running.intercom_oddities.moves = 1
        seen = [name for page in walk(running, per_page=150) for name in page]
    known = [talk.id for talk in SMALL.intercom.conversations if talk.created_at.timestamp() < UNTIL]
    assert len(seen) == len(known)
    assert len(set(known) - set(seen)) == 1
    assert len(seen) - len(set(seen)) == 1


def test_a_cursor_can_repeat_and_the_last_page_can_have_a_next_one() -> None:
    with Sandbox(SMALL) as running:
        plain = walk(running, per_page=150)
        running.intercom_oddities.repeats = 1
        repeated = walk(running, per_page=150)
        running.intercom_oddities.next_after_last = True
        beyond = walk(running, per_page=150)
    assert repeated == [plain[0], plain[1], *plain[1:]]
    assert beyond == [*plain, []]


def test_statistics_can_have_iso_times() -> None:
    with Sandbox(SMALL) as running:
        running.intercom_oddities.iso_times = True
        first = search(running, ALL).json()["conversations"]
    told = [each["statistics"]["first_contact_reply_at"] for each in first if each["statistics"]]
    assert told
    assert all(datetime.fromisoformat(text).tzinfo is not None for text in told if text is not None)


# --- versions


@pytest.mark.parametrize(
    ("version", "company", "attributes", "priorities"),
    [
        ("2.11", False, True, {"priority", "not_priority"}),
        ("2.13", False, False, {"priority", "not_priority"}),
        ("2.14", False, True, {"priority", "not_priority"}),
        ("2.15", True, True, {"priority", "not_priority"}),
        ("2.16", True, True, {"none", "low", "medium", "high", "urgent"}),
    ],
)
def test_each_version_has_its_own_shape(version: str, company: bool, attributes: bool, priorities: set[str]) -> None:  # noqa: FBT001
    with Sandbox(SMALL) as running:
        page = search(running, ALL, version, pagination={"per_page": 150}).json()["conversations"]
    assert all(("company" in each) is company for each in page)
    assert all(("custom_attributes" in each) is attributes for each in page)
    assert {each["priority"] for each in page} <= priorities
    assert {each["team_assignee_id"] for each in page} & {0, None} == ({0} if version == "2.16" else {None})


# --- limits


def test_what_is_beyond_the_limit_is_refused_as_intercom_does_it(world: World) -> None:
    with Sandbox(world) as running:
        running.limits = {"intercom": Limit(3, 10_000)}
        answers = [search(running, ALL) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"3"}
    assert int(answers[-1].headers["X-RateLimit-Reset"]) % 10_000 == 0
    assert answers[-1].json()["errors"][0]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("style", "headers"),
    [
        (cloud_style, {"Retry-After": "8", "RateLimit-Reason": "jira-burst-based"}),
        (data_center_style, {"Retry-After": "8"}),
    ],
)
def test_jira_says_how_long_to_wait(style: RateLimitStyle, headers: dict[str, str]) -> None:
    limit, now = Limit(1, 10), datetime(2026, 11, 1, 0, 0, 2, tzinfo=UTC)
    assert limited(limit, style, now)[1] is None
    refusal = limited(limit, style, now)[1]
    assert refusal is not None
    assert refusal.status_code == 429
    assert (
        headers.items()
        <= {name.title().replace("Ratelimit", "RateLimit"): value for name, value in refusal.headers.items()}.items()
    )
    assert isinstance(json.loads(bytes(refusal.body)), dict)


@pytest.mark.parametrize(
    ("style", "headers"),
    [
        (
            cloud_style,
            {
                "X-RateLimit-Limit": "50",
                "X-RateLimit-Remaining": "49",
                "RateLimit-Policy": '"jira-burst-based";q=50;w=1',
                "RateLimit": '"jira-burst-based";r=49;t=1',
            },
        ),
        (
            data_center_style,
            {
                "X-RateLimit-Limit": "50",
                "X-RateLimit-Remaining": "49",
                "X-RateLimit-FillRate": "50",
                "X-RateLimit-Interval-Seconds": "1",
            },
        ),
    ],
)
def test_jira_tells_its_bucket_with_every_answer(style: RateLimitStyle, headers: dict[str, str]) -> None:
    now = datetime(2026, 11, 1, 0, 0, 2, tzinfo=UTC)
    assert limited(Limit(50, 1), style, now) == (headers, None)
    assert limited(Limit(50, 1, announced=False), style, now) == ({}, None)


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 8), st.integers(1, 20))
def test_no_window_lets_more_through_than_its_limit(milliseconds: list[int], requests: int, seconds: int) -> None:
    limit, begin = Limit(requests, seconds), datetime(2026, 11, 1, tzinfo=UTC)
    allowed: dict[int, int] = {}
    for moment in sorted(milliseconds):
        now = begin + timedelta(milliseconds=moment * 20)
        if limit.count(now):
            window = int(now.timestamp()) // seconds
            allowed[window] = allowed.get(window, 0) + 1
    assert all(count <= requests for count in allowed.values())


# --- size


def test_a_large_workspace_is_as_many_conversations_as_were_asked_for() -> None:
    plain, large = (build(seed=3, accounts=12, until=NOW, conversations=count) for count in (0, 3_000))
    assert len(large.intercom.conversations) - len(plain.intercom.conversations) == 3_000
    window = [talk for talk in large.intercom.conversations if SINCE <= talk.created_at.timestamp() < UNTIL]
    assert len(window) >= 3_000
