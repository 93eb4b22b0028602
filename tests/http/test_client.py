"""What the client makes of an answer: of another type, of one object, of a query with values that is refused."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.core.errors import AccessError, AccountpulseError, SourceUnavailable, UnexpectedAnswer
from accountpulse.http import client
from accountpulse.http.budget import RequestBudget
from accountpulse.http.client import Client, Endpoint, Refusal, RequestRefused
from accountpulse.http.concurrency import START
from accountpulse.http.refused_values import ValueQueries
from faults import wire
from faults.wire import Answer, Wire


class Item(msgspec.Struct):
    id: str
    count: int | None = None


class Page(msgspec.Struct):
    items: list[Item]
    total: int | None = None


PAGE, ITEM = msgspec.json.Decoder(Page), msgspec.json.Decoder(Item)


def talk(work: Callable[[Client], Coroutine[Any, Any, Any]], server: Wire, **more: Any) -> Any:
    async def run() -> Any:
        async with Client(Endpoint("system", server.url, {}, **more), RequestBudget()) as web:
            return await work(web)

    return client.run(run())


def body(text: bytes) -> Answer:
    return wire.whole(200, text)


@pytest.mark.parametrize(
    "text",
    [b'{"items": [{"id": "a", "count": 5.0}], "total": 1.0}', b'{"items": [{"id": "a", "count": "5"}], "total": "1"}'],
)
def test_a_whole_number_may_be_written_as_text_or_with_a_point(text: bytes) -> None:
    with Wire(for_ever=body(text)) as server:
        page = talk(lambda web: web.get("/items", PAGE), server)
    assert (page.items[0].count, page.total) == (5, 1)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            b'{"items": [{"id": "a"}, {"id": "b7", "count": "many"}]}',
            r"\$\.items\[1\]\.count of b7: a whole number or null was expected, a text came",
        ),
        (b'{"items": [{"id": "a"}, {"id": "b7", "count": 5.5}]}', r"\$\.items\[1\]\.count of b7"),
        (b'{"items": {}}', r"\$\.items: a list was expected, a record came"),
        (b"null", r"\$: a record was expected, null came"),
        (b'{"total": 3}', r"\$: items is missing"),
    ],
)
def test_a_field_of_another_type_is_named_with_its_record_and_not_asked_for_again(text: bytes, says: str) -> None:
    with Wire(for_ever=body(text)) as server, pytest.raises(UnexpectedAnswer, match=says) as caught:
        talk(lambda web: web.get("/items", PAGE), server)
    assert "many" not in str(caught.value)
    assert len(server.asked) == 1


def test_the_limiter_learns_how_long_answers_took() -> None:
    async def limit(web: Client) -> int:
        await client.together(web.get("/items", PAGE) for _ in range(START))
        return web.limiter.limit

    with Wire(for_ever=body(b'{"items": []}')) as server:
        assert talk(limit, server) > START


def test_a_web_page_under_a_good_status_is_called_one() -> None:
    with (
        Wire(for_ever=wire.HTML) as server,
        pytest.raises(UnexpectedAnswer, match=r"a web page instead of JSON.*base URL"),
    ):
        talk(lambda web: web.get("/items", PAGE), server)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 422])
def test_one_object_that_cannot_be_had_is_gone_and_nobody_elses_trouble(status: int) -> None:
    async def ask(web: Client) -> Any:
        found = await web.object("items", "a7", "/items/a7", ITEM), await web.object("items", "b1", "/items/b1", ITEM)
        return found, web.gone, list(web.gone_notes())

    with Wire(wire.whole(status, b"{}"), body(b'{"id": "b1"}')) as server:
        (gone, there), counted, (note,) = talk(ask, server)
    assert gone is None
    assert there.id == "b1"
    assert counted == {"items": ["a7"]}
    assert "1 items" in note
    assert "a7" in note


def test_a_token_that_ends_between_two_objects_is_not_the_objects_trouble() -> None:
    with Wire(for_ever=wire.whole(401, b"{}")) as server, pytest.raises(AccessError):
        talk(lambda web: web.object("items", "a7", "/items/a7", ITEM), server)


def test_a_wait_that_is_asked_for_at_an_object_is_waited_for() -> None:
    with Wire(wire.whole(429, b"{}", "Retry-After: 0"), body(b'{"id": "a7"}')) as server:
        assert talk(lambda web: web.object("items", "a7", "/items/a7", ITEM), server).id == "a7"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_the_vendors_own_code_decides_before_the_status(status: int) -> None:
    def cause(refusal: Refusal) -> AccountpulseError | None:
        if b"plan_restricted" not in refusal.body:
            return None
        return AccessError("system", refusal.tried, "the plan has no API", "Ask for another plan.")

    answer = wire.whole(status, b'{"code": "plan_restricted"}', "Retry-After: 0")
    with Wire(for_ever=answer) as server, pytest.raises(AccessError, match=r"the plan has no API.*another plan"):
        talk(lambda web: web.get("/items", PAGE), server, cause=cause)


# --- a query with values that is refused -------------------------------------------------------------------------


REFUSED = RequestRefused(400, SourceUnavailable("system", "searching", "HTTP 400"), b"")


class Queries:
    """A system that refuses queries with some of the values, or altogether."""

    def __init__(self, wrong: set[str], *, refuses_all: bool = False) -> None:
        self.wrong, self.refuses_all, self.asked, self.controls = wrong, refuses_all, 0, 0

    async def ask(self, values: Sequence[str]) -> list[str]:
        self.asked += 1
        if self.refuses_all or not self.wrong.isdisjoint(values):
            raise REFUSED
        return list(values)

    async def control(self) -> None:
        self.controls += 1
        if self.refuses_all:
            raise REFUSED


VALUES = [f"v{number:03}" for number in range(200)]


@pytest.mark.parametrize("wrong", [set(), {"v007"}, {"v007", "v008", "v199"}, set(VALUES)], ids=len)
def test_the_values_that_are_refused_are_found_however_many(wrong: set[str]) -> None:
    system = Queries(wrong)
    queries = ValueQueries(system.ask, system.control)
    answers = asyncio.run(queries.answers(VALUES))
    assert queries.refused == wrong
    assert sorted(value for answer in answers for value in answer) == sorted(set(VALUES) - wrong)
    assert system.controls == bool(wrong)


def test_a_query_that_is_refused_without_values_is_no_values_fault() -> None:
    """Case 33: 200 good components, and every query is refused: a few requests, and no account counts as unlinked."""
    system = Queries(set(), refuses_all=True)
    queries = ValueQueries(system.ask, system.control)
    with pytest.raises(RequestRefused):
        asyncio.run(queries.answers(VALUES))
    assert not queries.refused
    assert (system.asked, system.controls) == (1, 1)


@pytest.mark.parametrize("status", [406, 418, 451, 499])
def test_a_refusal_that_says_nothing_of_what_was_asked_for_is_nobodys_gap(status: int) -> None:
    """Such as a proxy's: an object that is refused so isn't gone, and no caller may take it for an answer."""
    with (
        Wire(for_ever=wire.whole(status, b"{}")) as server,
        pytest.raises(SourceUnavailable, match=rf"HTTP {status}.*what stands before it"),
    ):
        talk(lambda web: web.object("items", "a7", "/items/a7", ITEM), server)
    assert len(server.asked) == 1


def test_what_a_later_run_is_at_is_not_set_aside_with_the_program() -> None:
    """Set aside, it could not be collected where a run fails: a warm process would keep it for ever."""

    async def nothing() -> None:
        return None

    client.run(nothing())
    before = gc.get_freeze_count()
    kept = [[number] for number in range(100)]
    client.run(nothing())
    assert len(kept) == 100
    assert 0 < gc.get_freeze_count() <= before


# --- works side by side


@given(st.integers(1, 12), st.lists(st.integers(1, 20), max_size=12))
def test_works_side_by_side_never_take_more_than_the_room_but_alone(room: int, takes: list[int]) -> None:
    under_way: list[int] = []
    ended: list[int] = []

    async def work(each: int) -> None:
        under_way.append(each)
        assert sum(under_way) <= room or under_way == [each]
        await asyncio.sleep(0)
        under_way.remove(each)
        ended.append(each)

    asyncio.run(client.together_within(room, ((each, partial(work, each)) for each in takes)))
    assert sorted(ended) == sorted(takes)


def test_the_first_error_ends_the_works_beside_it() -> None:
    stopped: list[str] = []

    async def fails() -> None:
        raise ValueError("first")

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.append("waits")

    async def never() -> None:
        stopped.append("never")

    with pytest.raises(ValueError, match="first"):
        asyncio.run(client.together_within(2, ((1, waits), (1, fails), (1, never))))
    assert stopped == ["waits"]
