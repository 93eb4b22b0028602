"""Conversations → columns: what each one means for the window, by the company's rules.

Rows are built by column and in batches, since one row at a time costs more than reading the answers does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import polars as pl

from accountpulse.core.period import Window
from accountpulse.core.records import CONVERSATIONS, Columns, Reason
from accountpulse.systems.intercom.settings import IntercomMapping
from accountpulse.systems.intercom.signs import EscalationSigns, PrioritySigns
from accountpulse.systems.intercom.wire import (
    MILLISECONDS,
    Company,
    Conversation,
    ConversationPage,
    ConversationWithAttributes,
    LinkedObjects,
    Moment,
    PageWithAttributes,
    Rating,
    Statistics,
    is_cut,
    milliseconds,
)

DAY = 86_400_000  # milliseconds: how far before its creation a time of a conversation may lie, by several clocks
LATEST = 4_102_444_800_000  # the year 2100: what lies beyond is no time
CUSTOMERS = frozenset({"user", "lead", "contact"})
OURS = frozenset({"admin", "team", "bot"})  # who else begins a conversation
BY_CUSTOMERS = "customer_initiated"
BY_US = frozenset({"admin_initiated", "operator_initiated", "automated", "campaigns_initiated"})
BOT = "bot"  # a rating of it is none of support's
LEADS = "-qualification-company"  # ends the id of a company that Intercom made for a lead: nobody's account
NO_SCORE = -1  # no rating
TIMES = ("created_at", "replied_at", "answered_at", "last_close_at", "asked_at")
CLOSED = {"open": False, "snoozed": False, "closed": True}  # by state; null: a state that isn't known
NO_STATISTICS = Statistics()
NOT_ASKED = Rating()

_INVOLVED = pl.col("spoke") | pl.col("wrote") | pl.col("replied_at").is_not_null()
_CLOSED_AT = pl.when(pl.col("closed")).then(pl.col("last_close_at"))
_RATED = pl.col("score").is_between(1, 5)

# the columns of a conversation before it is known whose it is
ROWS: Columns = {
    **CONVERSATIONS,  # keys: of its own company; null: it has none, or its key isn't known yet
    "people": pl.String,  # ids of the contacts with commas between, where it has no company
    "company": pl.String,  # Intercom's id of its company
}
# those of which something isn't known: `causes` are names of CAUSES with commas between
OWNERS = ("conversation_id", "keys", "people", "company")
UNCLEAR: Columns = {**{name: ROWS[name] for name in OWNERS}, "causes": pl.String}


@dataclass(frozen=True)
class Cause:
    """Something of a conversation that isn't known: what it is, and which metrics of its accounts stay null for it."""

    what: str
    metrics: tuple[str, ...]


CREATED = ("total_conversations", "p1_p2_pct", "escalation_pct")  # of those that were created in the window
RESPONSE, RESOLUTION = "median_first_response_seconds", "median_resolution_seconds"
RATINGS = ("csat_score", "csat_response_rate")
SUPPORT = (*CREATED, RESPONSE, RESOLUTION, *RATINGS)
CAUSES: Mapping[str, Cause] = {
    "created": Cause("have no time of creation, or one that the search excludes", SUPPORT),
    "customer": Cause("don't say whether a customer wrote in them", CREATED),
    "priority": Cause("have signs of P1/P2 that aren't known or not shown whole", ("p1_p2_pct",)),
    "escalation": Cause("have signs of an escalation that aren't known or not shown whole", ("escalation_pct",)),
    "response": Cause("have times of the first reply that contradict each other", (RESPONSE,)),
    "close": Cause("have a state and times of the last close that contradict each other", (RESOLUTION,)),
    "rating": Cause("have a rating that is not 1 to 5, or not dated", RATINGS),
}


@dataclass(frozen=True)
class ReadConversations:
    """`rows` (ROWS) matter to the window; `unclear` (UNCLEAR) are those of which something isn't known.

    The numbers say where all the others went.
    """

    rows: pl.DataFrame
    unclear: pl.DataFrame
    outside: int = 0
    tickets: int = 0
    undated: int = 0


class ConversationReader:
    """Turns conversations into columns by the company's rules, for one window.

    `companies` are those that were seen, Intercom's id → the workspace's own.
    """

    def __init__(self, mapping: IntercomMapping, version: str, window: Window) -> None:
        """`version` decides what can be seen of a priority and of attributes."""
        self.companies: dict[str, str | None] = {}
        self._handed_over: dict[str, str | None] = {}  # of them
        self.priority = PrioritySigns(mapping, version)
        self.escalation = EscalationSigns(mapping)
        self._looks_at_tags = bool(self.priority.tags or self.escalation.tags)
        self._own_id = mapping.holds == "company_id"
        self._office_hours = mapping.time_basis == "office_hours"
        self._start, self._end = (round(moment.timestamp() * 1000) for moment in (window.start, window.end))
        durations = {"to_reply": "time_to_admin_reply", "to_close": "time_to_last_close"}
        self._durations = durations if self._office_hours else {"to_reply": "time_to_admin_reply"}
        self._meanings = self._expressions()
        self._causes = self._unknowns()
        # attributes are decoded only where a rule looks at one
        with_attributes = self.priority.attribute is not None
        shape: type[ConversationPage] = PageWithAttributes if with_attributes else ConversationPage
        self.pages = msgspec.json.Decoder(shape)
        self.whole = msgspec.json.Decoder(ConversationWithAttributes if with_attributes else Conversation)

    @property
    def gaps(self) -> dict[str, Reason]:
        """Metrics that the configured rules can't show at this version."""
        gaps: dict[str, Reason] = {}
        if not self.priority.is_shown:
            gaps["p1_p2_pct"] = "not_configured"
        if not self.escalation.is_shown:
            gaps["escalation_pct"] = "not_configured"
        return gaps

    def new_companies(self) -> dict[str, str | None]:
        """Those that were seen since the last call."""
        new = dict(self.companies.items() - self._handed_over.items())
        self._handed_over |= new
        return new

    def cut(self, row: Conversation) -> bool:
        """Whether search has cut a list of it that counts; reading it alone shows more."""
        linked, tags, contacts = row.linked_objects, row.tags, row.contacts
        # most lists count nothing: calls are for the others
        if linked is not None and (linked.total_count or linked.has_more) and self._cuts_tickets(linked):
            return True
        if tags is not None and (tags.total_count or tags.has_more) and self._looks_at_tags and is_cut(tags.tags, tags):
            return True
        if contacts is None or not (contacts.total_count or contacts.has_more):
            return False
        return is_cut(contacts.contacts, contacts) and customer_of(row) is None

    def _cuts_tickets(self, linked: LinkedObjects) -> bool:
        return self.escalation.linked_tickets and is_cut(linked.data, linked)

    def raw(self, rows: Sequence[Conversation]) -> pl.DataFrame:
        """Columns of what was said of these conversations, as `read` takes them."""
        return pl.DataFrame([*self._facts(rows), *self._ratings(rows), *self._signs(rows), *self._owners(rows)])

    def read(self, raw: Sequence[pl.DataFrame]) -> ReadConversations:
        """Those that matter to the window: created, closed or asked for a rating in it, and no tickets."""
        if not raw:
            return ReadConversations(pl.DataFrame(schema=ROWS), pl.DataFrame(schema=UNCLEAR))
        table = pl.concat(raw).lazy().with_columns(_in_milliseconds(name) for name in TIMES).collect()
        found = table.lazy().filter(self._matters()).select(*self._meanings, "ticket").collect()
        undated = table["created_at"].null_count()
        ours = ~pl.col("ticket") & (pl.col("created_at") < self._end).fill_null(value=True)
        whose = [each for each in self._meanings if each.meta.output_name() in OWNERS]
        unclear = table.lazy().filter(ours & pl.any_horizontal(self._causes.values()))
        return ReadConversations(
            found.filter(~pl.col("ticket")).drop("ticket"),
            unclear.select(*whose, causes=_named(self._causes)).collect(),
            outside=table.height - undated - found.height,
            tickets=int(found["ticket"].sum()),
            undated=undated,
        )

    # --- what is said, column by column

    def _facts(self, rows: Sequence[Conversation]) -> list[pl.Series]:
        statistics = [row.statistics or NO_STATISTICS for row in rows]
        ids = [row.id for row in rows]
        return [
            pl.Series("conversation_id", ids, pl.String),
            moments("created_at", [row.created_at for row in rows], ids),
            moments("replied_at", [each.first_contact_reply_at for each in statistics], ids),
            moments("answered_at", [each.first_admin_reply_at for each in statistics], ids),
            moments("last_close_at", [each.last_close_at for each in statistics], ids),
            *(
                pl.Series(name, [getattr(each, field) for each in statistics], pl.Float64)
                for name, field in self._durations.items()
            ),
            pl.Series("closed", [CLOSED.get(row.state or "") for row in rows], pl.Boolean),
            pl.Series("wrote", [row.first_contact_reply is not None for row in rows], pl.Boolean),
        ]

    def _ratings(self, rows: Sequence[Conversation]) -> list[pl.Series]:
        ratings = [
            NOT_ASKED if row.conversation_rating is None else _of_people(row.conversation_rating) for row in rows
        ]
        asked = [each.created_at for each in ratings]
        return [
            moments("asked_at", asked, [row.id for row in rows]),
            whole_numbers("score", [None if each is NOT_ASKED else _score(each) for each in ratings]),
        ]

    def _signs(self, rows: Sequence[Conversation]) -> list[pl.Series]:
        signs: dict[str, Sequence[bool | None]] = {
            "ticket": [row.ticket is not None for row in rows],
            "spoke": [_from_customer(row) for row in rows],
            "p1_p2": self.priority.of(rows),
            "escalated": self.escalation.of(rows),
        }
        return [pl.Series(name, values, pl.Boolean) for name, values in signs.items()]

    def _owners(self, rows: Sequence[Conversation]) -> list[pl.Series]:
        companies = [customer_of(row) for row in rows]
        self.companies.update({company.id: company.own for company in companies if company is not None})
        ids = [None if company is None else company.id for company in companies]
        people = [None if company is not None else _people(row) for row, company in zip(rows, companies, strict=True)]
        columns: dict[str, list[str | None]] = {"people": people, "company": ids}
        if self._own_id:
            columns["own"] = [None if company is None else company.own for company in companies]
        return [pl.Series(name, values, pl.String) for name, values in columns.items()]

    # --- what it means

    def _expressions(self) -> list[pl.Expr]:
        """ROWS out of the raw columns. A span that is negative is none."""
        answer, close = self._spans()
        key = pl.col("own" if self._own_id else "company")
        values = {
            **{name: pl.col(name) for name in ("conversation_id", "created_at", "p1_p2", "escalated")},
            "keys": pl.when(key.is_not_null()).then(pl.concat_list(key)),
            "people": pl.col("people"),
            "company": pl.col("company"),
            "customer_involved": _INVOLVED,
            "first_response_ms": pl.when(answer >= 0).then(answer),
            "last_closed_at": _CLOSED_AT,
            "resolution_ms": pl.when(_CLOSED_AT.is_not_null() & (close >= 0)).then(close),
            "rating_asked_at": pl.col("asked_at"),
            "rating": pl.when(pl.col("asked_at").is_not_null() & _RATED).then(pl.col("score")),
        }
        return [values[name].cast(kind).alias(name) for name, kind in ROWS.items()]

    def _spans(self) -> tuple[pl.Expr, pl.Expr]:
        """From the customer's first words to the first answer and to the last close, in milliseconds."""
        if self._office_hours:
            answer, close = ((pl.col(name) * 1000).round().cast(pl.Int64) for name in ("to_reply", "to_close"))
        else:
            answer, close = (pl.col(name) - pl.col("replied_at") for name in ("answered_at", "last_close_at"))
        return answer, close

    def _unknowns(self) -> dict[str, pl.Expr]:
        """Where each of CAUSES holds."""
        answer, close = self._spans()
        created, asked = self._within("created_at"), self._within("asked_at")
        maybe = _INVOLVED.fill_null(value=True)
        odd = {name: _is_odd(name) for name in TIMES}
        unheard = pl.col("wrote") & pl.col("replied_at").is_null()  # the customer wrote, and the clock doesn't know it
        if self._office_hours:
            no_answer = answer.is_null() & pl.col("answered_at").is_not_null()
            no_close = close.is_null()
        else:
            answered = pl.any_horizontal(pl.col("answered_at", "to_reply").is_not_null())
            no_answer = unheard | (answer.is_null() & answered) | odd["replied_at"] | odd["answered_at"]
            no_close = unheard | odd["replied_at"]
        closed = self._within_if_closed() & (_INVOLVED.is_null() | pl.col("closed").is_null() | (close < 0) | no_close)
        undated = pl.col("last_close_at").is_null() | odd["last_close_at"]
        conditions = {
            "created": pl.col("created_at").is_null(),
            "customer": created & _INVOLVED.is_null(),
            "priority": created & maybe & pl.col("p1_p2").is_null() & self.priority.is_shown,
            "escalation": created & maybe & pl.col("escalated").is_null() & self.escalation.is_shown,
            "response": created & maybe & ((answer < 0) | no_answer),
            "close": maybe & (closed | (pl.col("closed") & undated)),
            "rating": ((asked | pl.col("asked_at").is_null()) & ~_RATED) | odd["asked_at"],
        }
        return {name: holds.fill_null(value=False) for name, holds in conditions.items()}

    def _matters(self) -> pl.Expr:
        inside = [self._within("created_at"), self._within_closed(), self._within("asked_at")]
        return pl.any_horizontal(inside) & (pl.col("created_at") < self._end)

    def _within(self, name: str) -> pl.Expr:
        return pl.col(name).is_between(self._start, self._end, closed="left").fill_null(value=False)

    def _within_closed(self) -> pl.Expr:
        return pl.col("closed").fill_null(value=False) & self._within("last_close_at")

    def _within_if_closed(self) -> pl.Expr:
        """Last closed in the window, if it is closed at all."""
        return pl.col("closed").fill_null(value=True) & self._within("last_close_at")


class ConversationBatch:
    """Gathers the conversations of a slice, as raw columns at once: a page takes six times as much. `rows` counts them.

    `came`, `outside` and `repeated` count what the walk met on its way to them.
    """

    def __init__(self, reader: ConversationReader) -> None:
        """Empty."""
        self.rows = 0
        self.came = self.outside = self.repeated = 0
        self.frames: list[pl.DataFrame] = []
        self._reader = reader

    def add(self, rows: Sequence[Conversation]) -> None:
        """Take the rows of a page."""
        if rows:
            self.rows += len(rows)
            self.frames.append(self._reader.raw(rows))


def moments(name: str, values: Sequence[Moment], ids: Sequence[str]) -> pl.Series:
    """Times as seconds or milliseconds since 1970; `ids` are of their conversations, to name one in an error."""
    try:
        return pl.Series(name, values, pl.Int64)
    except TypeError:  # not all of them whole numbers
        read = [milliseconds(value, f"{name} of {whose}") for value, whose in zip(values, ids, strict=True)]
        return pl.Series(name, read, pl.Int64)


def _named(conditions: Mapping[str, pl.Expr]) -> pl.Expr:
    """The names of those that hold, with commas between."""
    names = [pl.when(holds).then(pl.lit(name)) for name, holds in conditions.items()]
    return pl.concat_str(names, separator=",", ignore_nulls=True)


def _is_odd(name: str) -> pl.Expr:
    """Whether a time can't be: clearly before the conversation was created, or in no year of ours."""
    at = pl.col(name)
    return ((at < pl.col("created_at") - DAY) | (at > LATEST)).fill_null(value=False)


def _in_milliseconds(name: str) -> pl.Expr:
    return pl.when(pl.col(name) < MILLISECONDS).then(pl.col(name) * 1000).otherwise(pl.col(name)).alias(name)


def _score(rating: Rating) -> float | str | None:
    """What was given; NO_SCORE where somebody was asked, or gave one, and nobody knows when."""
    if rating.created_at is None and (rating.rating is not None or rating.contact is not None):
        return NO_SCORE
    return rating.rating


def whole_numbers(name: str, values: Sequence[float | str | None]) -> pl.Series:
    """Whole numbers, also those written as 5.0 or "5"; anything else is NO_SCORE."""
    try:
        return pl.Series(name, values, pl.Int64)
    except TypeError:
        return pl.Series(name, [_whole(value) for value in values], pl.Int64)


def _whole(value: float | str | None) -> int | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        return NO_SCORE
    return int(number) if number.is_integer() else NO_SCORE


def customer_of(row: Conversation) -> Company | None:
    """Its company; one without an id is none, and neither is one that was made for a lead."""
    company = row.company
    return None if company is None or not company.id or is_leads(company.own) else company


def is_leads(own: str | None) -> bool:
    """Whether a company was made for a lead, by the workspace's own id of it."""
    return own is not None and own.endswith(LEADS)


def _people(row: Conversation) -> str:
    contacts = row.contacts.contacts if row.contacts is not None else None
    return ",".join([str(person.id) for person in contacts or () if person.id is not None])


def _from_customer(row: Conversation) -> bool | None:
    """Whether a customer began it; null: its author, and the way that it came, are of kinds that aren't known."""
    source = row.source
    author = source.author.type if source is not None and source.author is not None else None
    if author in CUSTOMERS or author in OURS:
        return author in CUSTOMERS
    way = source.delivered_as if source is not None else None
    return True if way == BY_CUSTOMERS else False if way in BY_US else None


def _of_people(rating: Rating) -> Rating:
    """The rating, where it isn't a bot's."""
    return NOT_ASKED if rating.teammate is not None and rating.teammate.type == BOT else rating
