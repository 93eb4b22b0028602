"""Intercom → support conversations: one walk over the whole workspace, attributed in memory.

Search can't filter by company, so each account's own search would cost far more and miss what was assigned by hand.
https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/searchconversations
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

import polars as pl

from accountpulse.core.period import Window
from accountpulse.core.records import CONVERSATIONS, Extract
from accountpulse.core.spooled import PartCollector, SpooledTable
from accountpulse.http import client
from accountpulse.http.client import Client, Endpoint
from accountpulse.http.slice_walk import RowPage, RowSource, SliceRows, SliceWalk
from accountpulse.http.time_slices import TimeSlice, equal_slices, without
from accountpulse.systems.intercom.companies import Companies
from accountpulse.systems.intercom.rows import ROWS, ConversationBatch, ConversationReader
from accountpulse.systems.intercom.settings import IntercomRequest
from accountpulse.systems.intercom.wire import Conversation, cursor_of, milliseconds

PAGE = 150  # the most that search gives
PAD = 1  # second: whether `>` includes its bound is not documented; the exact slice is applied here
WALK = "conversations"  # names the one question that is asked here
SLICES = 8  # of the window; more come about as the walk goes
DAY = 86_400
# days before the window at which its past is cut: what was created long ago is seldom closed now
PAST = (365, 90, 30)
REMEDIES = {
    401: "Check INTERCOM_API_TOKEN, and that INTERCOM_BASE_URL is the host of its region.",
    403: "Give the token of INTERCOM_API_TOKEN the permission to read conversations, contacts and companies.",
}


def extract(request: IntercomRequest) -> Extract:
    """Conversations that were created, last closed, or asked for a rating in the window; tickets left out.

    `keys` hold Intercom's id of the company, or the workspace's own, as `intercom.holds` says.
    """
    return client.run(_extract(request))


def connect(request: IntercomRequest) -> Client:
    """The client of the workspace."""
    access = request.access
    headers = {"Authorization": f"Bearer {access.token.reveal()}", "Intercom-Version": access.version}
    endpoint = Endpoint("intercom", access.base_url, headers, REMEDIES)
    return Client(endpoint, request.budget, ca_bundle=request.connection.ca_bundle)


async def _extract(request: IntercomRequest) -> Extract:
    mapping = request.mapping
    reader = ConversationReader(mapping, request.access.version, request.scope.window)
    async with connect(request) as web:
        collector = await _conversations(web, reader, request)
        seen = {company: own for facts in collector.facts for company, own in facts["companies"].items()}
        companies = Companies(web, mapping.holds, seen)
        known, waiting = collector.spools["conversations"], collector.spools["waiting"]
        await companies.attribute(waiting, known, request.keys)
        unknown = await companies.unknown(request.keys)
    notes = [*companies.notes]
    if tickets := sum(facts["tickets"] for facts in collector.facts):
        notes.append(f"{tickets:,} tickets among the conversations were left out")
    return Extract("intercom", {}, reader.gaps, unknown, tuple(notes), spools={"conversations": known})


async def _conversations(
    web: Client, reader: ConversationReader, request: IntercomRequest
) -> PartCollector[ConversationBatch]:
    """Everything that matters.

    In `conversations` are those of which it is known whose they are; `waiting`, in columns ROWS, are the others.
    """
    window = request.scope.window
    spools = {"conversations": SpooledTable(CONVERSATIONS), "waiting": SpooledTable(ROWS)}
    collector: PartCollector[ConversationBatch] = PartCollector(
        request.parts, spools, lambda batches: _read(reader, batches)
    )

    async def ask(part: TimeSlice, cursor: str | None) -> RowPage[Conversation]:
        page = await web.post("/conversations/search", reader.pages, body(part, window, cursor))
        rows = list(page.conversations)
        cut = [place for place, row in enumerate(rows) if reader.cut(row)]
        whole = await client.together(web.get(f"/conversations/{rows[place].id}", reader.whole) for place in cut)
        for place, row in zip(cut, whole, strict=True):
            rows[place] = row
        return RowPage(rows, cursor_of(page.pages), page.total_count)

    def done(part: TimeSlice, batch: ConversationBatch, _rows: SliceRows) -> None:
        collector.take((WALK, part.start, part.end), batch)

    rows = RowSource("intercom", "conversations", ask, _id, _created)
    walk: SliceWalk[Conversation, ConversationBatch] = SliceWalk(
        rows, web.limiter, lambda: ConversationBatch(reader), done, request.progress
    )
    await walk.run(without(slices(window), collector.done(WALK)))
    collector.close()
    return collector


def _read(
    reader: ConversationReader, batches: Sequence[ConversationBatch]
) -> tuple[Mapping[str, pl.DataFrame], Mapping[str, Any]]:
    """Many slices at once: few calls."""
    found, tickets = reader.rows(list(chain.from_iterable(batch.frames() for batch in batches)))
    waits = pl.col("people").is_not_null() & (pl.col("people") != "")
    tables = {"waiting": found.filter(waits), "conversations": found.filter(~waits)}
    tables["conversations"] = tables["conversations"].with_columns(pl.col("keys").fill_null([])).select(*CONVERSATIONS)
    return tables, {"tickets": tickets, "companies": dict(reader.companies)}


def _id(row: Conversation) -> str:
    return row.id


def _created(row: Conversation) -> int | None:
    at = row.created_at
    if isinstance(at, int):
        return at
    moment = milliseconds(at)
    return None if moment is None else moment // 1000


def slices(window: Window) -> list[TimeSlice]:
    """What is walked, in seconds: the window in equal parts, and its past in parts that grow, the first from 1970."""
    start, end = _seconds(window)
    edges = [0, *(start - days * DAY for days in PAST), start]
    past = [TimeSlice(*pair) for pair in pairwise(edges)]
    return [*equal_slices(start, end, SLICES), *past]


def _seconds(window: Window) -> tuple[int, int]:
    return math.floor(window.start.timestamp()), math.ceil(window.end.timestamp())


def body(part: TimeSlice, window: Window, cursor: str | None) -> dict[str, Any]:
    """What to ask for a slice: created in it; where it lies before the window, also closed or asked since its start."""
    start, _ = _seconds(window)
    conditions = [{"field": "created_at", "operator": "<", "value": part.end}]
    if part.start > 0:
        conditions.append({"field": "created_at", "operator": ">", "value": part.start - PAD})
    query: dict[str, Any] = {"operator": "AND", "value": conditions}
    if part.end <= start:
        fields = ("statistics.last_close_at", "conversation_rating.requested_at")
        recent = [{"field": field, "operator": ">", "value": start - PAD} for field in fields]
        # the vendor's schema knows arrays of conditions and arrays of groups, never both in one
        query = {"operator": "AND", "value": [query, {"operator": "OR", "value": recent}]}
    paging = {"per_page": PAGE} if cursor is None else {"per_page": PAGE, "starting_after": cursor}
    # the order is a wish: other clients send it, the vendor's schema doesn't name it, and nothing depends on it
    return {"query": query, "sort": {"field": "created_at", "order": "ascending"}, "pagination": paging}
