"""Intercom → support conversations: one walk over the whole workspace, attributed in memory.

Search can't filter by company, so each account's own search would cost far more and miss what was assigned by hand.
https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/searchconversations
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

import polars as pl
from msgspec.structs import replace

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.period import Window
from accountpulse.core.records import CONVERSATIONS, UNKNOWNS, Extract, RowCounts, unknowns
from accountpulse.core.spooled import PartCollector, SpooledTable
from accountpulse.http import client
from accountpulse.http.client import Client, Endpoint
from accountpulse.http.slice_walk import RowPage, RowSource, SliceRows, SliceWalk
from accountpulse.http.time_slices import TimeSlice, equal_slices, without
from accountpulse.systems.intercom.address import link_notes
from accountpulse.systems.intercom.companies import Companies
from accountpulse.systems.intercom.refusals import REMEDIES, cause
from accountpulse.systems.intercom.rows import ROWS, SUPPORT, UNCLEAR, ConversationBatch, ConversationReader
from accountpulse.systems.intercom.settings import IntercomLook, IntercomRequest
from accountpulse.systems.intercom.unclear import kept_once, several_notes, unclear_notes, unknowns_of
from accountpulse.systems.intercom.wire import (
    MILLISECONDS,
    Conversation,
    ConversationPage,
    Moment,
    cursor_of,
    milliseconds,
    with_lists,
)
from accountpulse.systems.intercom.workspace import Workspace

PAGE = 150  # the most that search gives
PAD = 1  # second: whether `>` includes its bound is not documented; the exact slice is applied here
WALK = "conversations"  # names the one question that is asked here
SLICES = 8  # of the window; more come about as the walk goes
DAY = 86_400
# days before the window at which its past is cut: what was created long ago is seldom closed now
PAST = (365, 90, 30)
STRAY = DAY  # how far outside of what was asked a time of creation may lie; beyond, it contradicts the search
NO_PRIORITY = "no conversation is P1/P2 by the mapping; where urgency is kept elsewhere, name it in intercom.priority"
KEPT_TWICE = "came more than once"


def extract(request: IntercomRequest) -> Extract:
    """Conversations that were created, last closed, or asked for a rating in the window; tickets left out.

    `keys` hold Intercom's id of the company, or the workspace's own, as `intercom.holds` says.
    """
    return client.run(_extract(request))


def connect(request: IntercomRequest | IntercomLook) -> Client:
    """The client of the workspace."""
    access = request.access
    headers = {"Authorization": f"Bearer {access.token.reveal()}", "Intercom-Version": access.version}
    endpoint = Endpoint("intercom", access.base_url, headers, REMEDIES, cause)
    return Client(endpoint, request.budget, ca_bundle=request.connection.ca_bundle)


async def _extract(request: IntercomRequest) -> Extract:
    mapping, version = request.mapping, request.access.version
    reader = ConversationReader(mapping, version, request.scope.window)
    async with connect(request) as web:
        workspace = Workspace(web, mapping, version)
        await workspace.check_attributes("conversation")
        await workspace.check_signs(defaults=False)
        collector = await _conversations(web, reader, request)
        facts, spools = collector.facts, collector.spools
        seen = {company: own for each in facts for company, own in each["companies"].items()}
        companies = Companies(web, mapping.holds, seen)
        known = spools["conversations"]
        in_doubt = spools["unclear"].lazy().unique(("conversation_id", "causes"), maintain_order=True).collect()
        unclear = await companies.attribute(spools["waiting"], in_doubt, known, request.keys)
        unknown = await companies.unknown(request.keys)
        signs = _signs_seen(known)
        gaps = await workspace.gaps(reader, signs)
        if lost := {talk for each in facts for talk in each["gone"]}:
            web.gone["conversations"] = sorted(lost)
        gone = tuple(web.gone_notes())
    conversations, several = kept_once(known)
    stays_null = pl.concat([unknowns_of(unclear), unknowns(several.keys(), SUPPORT, "several_rows")])
    notes = [*link_notes(mapping), *workspace.notes, *companies.notes, *gone, *_notes(facts), *unclear_notes(unclear)]
    if not signs["p1_p2_pct"] and gaps.get("p1_p2_pct") != "not_configured":
        notes.append(NO_PRIORITY)
    return Extract(
        "intercom",
        {},
        gaps,
        unknown,
        (*notes, *several_notes(several)),
        spools={"conversations": conversations},
        unknowns=stays_null.unique().sort(*UNKNOWNS),
        counts={"conversations": _counts(facts, known.height - conversations.height)},
    )


async def _conversations(
    web: Client, reader: ConversationReader, request: IntercomRequest
) -> PartCollector[ConversationBatch]:
    """Everything that matters.

    In `conversations` are those of which it is known whose they are; `waiting`, in columns ROWS, are the others;
    `unclear` are those of which something isn't known.
    """
    window = request.scope.window
    spools = {
        "conversations": SpooledTable(CONVERSATIONS),
        "waiting": SpooledTable(ROWS),
        "unclear": SpooledTable(UNCLEAR),
    }
    collector: PartCollector[ConversationBatch] = PartCollector(
        request.parts, spools, lambda batches: _read(reader, batches, web.gone.get("conversations", ()))
    )

    async def ask(part: TimeSlice, cursor: str | None) -> RowPage[Conversation]:
        page = await web.post("/conversations/search", reader.pages, body(part, window, cursor))
        rows = _without_strays(list(page.conversations), part)
        cut = [place for place, row in enumerate(rows) if reader.cut(row)]
        whole = await client.together(_whole(web, reader, rows[place].id) for place in cut)
        for place, row in zip(cut, whole, strict=True):
            if row is None:
                continue
            rows[place] = with_lists(row, rows[place])
            if reader.cut(rows[place]):
                web.lost("conversations", row.id)
        return RowPage(rows, cursor_of(page.pages), counted(page))

    def done(part: TimeSlice, batch: ConversationBatch, rows: SliceRows) -> None:
        batch.came, batch.outside, batch.repeated = rows.came, rows.outside, rows.repeated
        collector.take((WALK, part.start, part.end), batch)

    rows = RowSource("intercom", "conversations", ask, _id, _created)
    walk: SliceWalk[Conversation, ConversationBatch] = SliceWalk(
        rows, web.limiter, lambda: ConversationBatch(reader), done, request.progress
    )
    await walk.run(without(slices(window), collector.done(WALK)))
    collector.close()
    return collector


async def _whole(web: Client, reader: ConversationReader, talk: str) -> Conversation | None:
    """A conversation with longer lists; None: it is gone, and what the search said of it has to do."""
    found = await web.object("conversations", talk, f"/conversations/{talk}", reader.whole)
    return found if found is not None and found.id == talk else None


def _without_strays(rows: list[Conversation], part: TimeSlice) -> list[Conversation]:
    """The rows, without the times of creation that the search excludes: they say nothing.

    UnexpectedAnswer where most of them are so: then the search was not understood.
    """
    first, last = part.start - STRAY, part.end + STRAY
    if _lie_in([row.created_at for row in rows], first, last):
        return rows
    times = [_created(row) for row in rows]
    strays = [
        place for place, at in enumerate(times) if at is not None and not part.start - STRAY <= at < part.end + STRAY
    ]
    if len(strays) > max(1, len(rows) // 2):
        answer = f"{len(strays):,} of {len(rows):,} have another time of creation than was asked for"
        raise UnexpectedAnswer("intercom", "searching conversations", answer)
    for place in strays:
        rows[place] = replace(rows[place], created_at=None)
    return rows


def _lie_in(times: Sequence[Moment], first: int, last: int) -> bool:
    """Whether all are whole seconds from `first` to before `last`, as they usually are."""
    try:
        return not times or (first <= min(times) and max(times) < last)  # type: ignore[type-var, operator]
    except TypeError:
        return False


def counted(page: ConversationPage) -> int | None:
    """How many rows an answer counts: by rows, or at least by pages; None: it doesn't."""
    pages = page.pages
    full = (pages.total_pages or 1) - 1 if pages is not None else 0  # all pages but the last
    if pages is None or full < 1:
        return page.total_count
    return max(page.total_count or 0, full * (pages.per_page or len(page.conversations)) + 1)


def _read(
    reader: ConversationReader, batches: Sequence[ConversationBatch], gone: Sequence[str]
) -> tuple[Mapping[str, pl.DataFrame], Mapping[str, Any]]:
    """Many slices at once: few calls. `gone` are conversations that couldn't be read alone so far."""
    found = reader.read(list(chain.from_iterable(batch.frames for batch in batches)))
    named = pl.col("company").is_not_null() | (pl.col("people") != "")
    waits = pl.col("keys").is_null() & named.fill_null(value=False)
    tables = {"waiting": found.rows.filter(waits), "conversations": found.rows.filter(~waits)}
    nameless = tables["conversations"].filter(pl.col("keys").is_null())["conversation_id"]
    tables["conversations"] = tables["conversations"].with_columns(pl.col("keys").fill_null([])).select(*CONVERSATIONS)
    return {**tables, "unclear": found.unclear}, {
        "companies": reader.new_companies(),
        "came": sum(batch.came for batch in batches),
        "outside": found.outside + sum(batch.outside for batch in batches),
        "repeated": sum(batch.repeated for batch in batches),
        "tickets": found.tickets,
        "undated": found.undated,
        "nameless": nameless.to_list(),
        "gone": list(gone),
    }


def _counts(facts: Sequence[Mapping[str, Any]], twice: int) -> RowCounts:
    """Where every row went that came."""
    total = {name: sum(each[name] for each in facts) for name in ("came", "outside", "repeated", "tickets", "undated")}
    left_out = {
        "tickets": total["tickets"],
        "without a time of creation": total["undated"],
        KEPT_TWICE: total["repeated"] + twice,
    }
    return RowCounts(total["came"], total["outside"], {rule: rows for rule, rows in left_out.items() if rows})


def _signs_seen(known: SpooledTable) -> dict[str, bool]:
    """Whether any conversation is P1/P2, and whether any is an escalation; where there is none, so it is said."""
    pieces = [piece.select(pl.all().any()) for piece in known.pieces("p1_p2", "escalated")]
    urgent, escalated = pl.concat(pieces).select(pl.all().any()).row(0)
    empty = known.height == 0
    return {"p1_p2_pct": empty or urgent, "escalation_pct": empty or escalated}


def _notes(facts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if tickets := sum(each["tickets"] for each in facts):
        yield f"{tickets:,} tickets among the conversations were left out"
    if nameless := sorted(chain.from_iterable(each["nameless"] for each in facts)):
        yield f"{len(nameless):,} conversations name neither a company nor a contact, such as {nameless[0]}"


def _id(row: Conversation) -> str:
    return row.id


def _created(row: Conversation) -> int | None:
    at = row.created_at
    if isinstance(at, int) and at < MILLISECONDS:
        return at
    moment = milliseconds(at, f"created_at of {row.id}")
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
