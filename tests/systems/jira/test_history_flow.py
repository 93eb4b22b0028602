"""Histories are fetched by the thousand while the walk goes on; what can't be fetched then is left for its end."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from accountpulse.core.spooled import SpooledTable, Stretch
from accountpulse.systems.jira import parts
from accountpulse.systems.jira.history import HistoryReader, Present
from accountpulse.systems.jira.history_flow import AT_ONCE, HistoryFlow, Unread
from accountpulse.systems.jira.parts import StretchContent
from accountpulse.systems.jira.rows import framed
from accountpulse.systems.jira.wire import IssueHistory

READER = HistoryReader({"1": False}, 0, 1)


@dataclass
class Fetch:
    """Stands in for HistoryFetch; answers when it is let."""

    useful: bool = True
    cloud: bool = True
    asked: list[int] = field(default_factory=list)
    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def of(self, issues: list[str]) -> dict[str, tuple[list[IssueHistory], bool]]:
        self.asked.append(len(issues))
        await self.let.wait()
        return {issue: ([], True) for issue in issues} if self.useful else {}


def unread(count: int, begin: int = 0, updated: int = 0) -> list[Unread]:
    present = msgspec.msgpack.encode(Present("1", False, False, 0, updated, None, 0))
    return [(str(number), present) for number in range(begin, begin + count)]


async def flowing(fetch: Fetch, pages: Sequence[list[Unread]]) -> tuple[list[int], list[str]]:
    """How many issues each fetch asked for before any was answered, and the issues that were read in the end."""
    taken: list[StretchContent] = []

    def take(_stretch: Stretch, content: StretchContent) -> None:
        taken.append(content)

    async with HistoryFlow(fetch, READER, take) as flow:
        for page in pages:
            flow.add(page)
            await asyncio.sleep(0)
        asked = list(fetch.asked)
        fetch.let.set()
    return asked, [str(issue) for content in taken for issue, _present in content.contents["read"]]


def test_every_thousand_issues_are_asked_for_while_others_are_walked() -> None:
    pages = [unread(100, begin) for begin in range(0, 2500, 100)]
    asked, read = asyncio.run(flowing(Fetch(), pages))
    assert asked == [1000, 1000]
    assert sorted(map(int, read)) == list(range(2000))


def test_where_answers_are_late_the_rest_is_left_for_the_end() -> None:
    asked, _read = asyncio.run(flowing(Fetch(), [unread(1000, begin) for begin in range(0, 40_000, 1000)]))
    assert len(asked) == AT_ONCE


def test_where_histories_can_not_be_had_no_more_are_asked_for_on_the_way() -> None:
    fetch = Fetch(useful=False)
    fetch.let.set()
    asked, read = asyncio.run(flowing(fetch, [unread(1000, begin) for begin in range(0, 9000, 1000)]))
    assert len(asked) < 3
    assert not read


def test_histories_of_data_center_come_with_the_search() -> None:
    asked, _read = asyncio.run(flowing(Fetch(cloud=False), [unread(3000)]))
    assert not asked


def test_a_history_of_what_an_issue_was_before_it_was_walked_again_counts_for_nothing() -> None:
    spools = {name: SpooledTable(columns) for name, columns in parts.TABLES.items()}
    walked = [(issue, present, False) for issue, present in (*unread(2), *unread(1, 2, updated=7))]
    spools["unread"].add(framed(walked, parts.TABLES["unread"]))
    spools["read"].add(framed(unread(3), parts.TABLES["read"]))
    assert parts.unread(spools)["issue_id"].to_list() == ["2"]
