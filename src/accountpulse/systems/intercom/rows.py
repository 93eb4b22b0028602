"""Conversations → columns: what each one means for the window, by the company's rules.

Rows are built by column and in batches, since one row at a time costs more than reading the answers does.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import polars as pl

from accountpulse.core.period import Window
from accountpulse.core.records import CONVERSATIONS, Columns, Reason
from accountpulse.systems.intercom.settings import IntercomMapping
from accountpulse.systems.intercom.wire import (
    Company,
    Conversation,
    ConversationPage,
    ConversationWithAttributes,
    Moment,
    PageWithAttributes,
    Rating,
    Statistics,
    milliseconds,
)

CUSTOMERS = frozenset({"user", "lead", "contact"})
BACK_OFFICE = frozenset({"Back-office", "Tracker"})
LEADS = "-qualification-company"  # ends the id of a company that Intercom made for a lead: nobody's account
BATCH = 300  # rows of a slice that wait until they become columns: many slices wait at once
NO_STATISTICS = Statistics()
NOT_ASKED = Rating()

# the columns of a conversation before it is known whose it is
ROWS: Columns = {
    **CONVERSATIONS,  # keys: of its own company; null: it has none
    "people": pl.String,  # ids of the contacts with commas between, where it has no company
}


def at_least(version: str, first: str) -> bool:
    """Whether an API version has what `first` brought."""
    return tuple(map(int, version.split("."))) >= tuple(map(int, first.split(".")))


class ConversationReader:
    """Turns conversations into columns by the company's rules, for one window.

    `companies` are those that were seen, Intercom's id → the workspace's own.
    """

    def __init__(self, mapping: IntercomMapping, version: str, window: Window) -> None:
        """`version` decides what can be seen of a priority and of attributes."""
        levels = at_least(version, "2.16")
        rule, escalation = mapping.priority, mapping.escalation
        self.companies: dict[str, str | None] = {}
        self._own_id = mapping.holds == "company_id"
        self._office_hours = mapping.time_basis == "office_hours"
        self._start, self._end = (round(moment.timestamp() * 1000) for moment in (window.start, window.end))
        self._urgent = frozenset(rule.levels if levels else ("priority",) if rule.flag else ())
        self._urgent_tags = folded(rule.tags)
        lists_attributes = version == "2.11" or at_least(version, "2.14")
        self._attribute = rule.attribute if lists_attributes else None
        self._escalated_tags = folded(escalation.tags)
        self._teams = frozenset(escalation.teams)
        self._linked = escalation.linked_tickets
        self._meanings = self._expressions()
        # attributes are decoded only where a rule looks at one
        shape: type[ConversationPage] = ConversationPage if self._attribute is None else PageWithAttributes
        self.pages = msgspec.json.Decoder(shape)
        self.whole = msgspec.json.Decoder(Conversation if self._attribute is None else ConversationWithAttributes)

    @property
    def gaps(self) -> dict[str, Reason]:
        """Metrics that the configured rules can't show at this version."""
        gaps: dict[str, Reason] = {}
        if not self._shows_urgent:
            gaps["p1_p2_pct"] = "not_configured"
        if not self._shows_escalated:
            gaps["escalation_pct"] = "not_configured"
        return gaps

    @property
    def _shows_urgent(self) -> bool:
        return bool(self._urgent or self._urgent_tags or self._attribute)

    @property
    def _shows_escalated(self) -> bool:
        return bool(self._escalated_tags or self._teams or self._linked)

    def cut(self, row: Conversation) -> bool:
        """Whether search has cut a list of it that counts; reading it alone shows the whole."""
        contacts, linked = row.contacts, row.linked_objects
        if contacts is not None and contacts.total_count and customer_of(row) is None:
            return contacts.total_count > len(contacts.contacts or ())
        if linked is not None and linked.total_count and self._linked:
            return linked.total_count > len(linked.data or ())
        return False

    def raw(self, rows: Sequence[Conversation]) -> pl.DataFrame:
        """Columns of what was said of these conversations, as `rows` takes them."""
        return pl.DataFrame([*self._facts(rows), *self._signs(rows), *self._owners(rows)])

    def rows(self, raw: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, int]:
        """Columns ROWS of the conversations that matter to the window, and how many tickets among them are left out.

        Those matter that were created, closed or asked for a rating in it.
        """
        if not raw:
            return pl.DataFrame(schema=ROWS), 0
        created, closed, asked = (
            pl.col(name).is_between(self._start, self._end, closed="left").fill_null(value=False)
            for name in ("created_at", "closed_at", "asked_at")
        )
        matters = (created | closed | asked) & (pl.col("created_at") < self._end)
        found = pl.concat(raw).lazy().filter(matters).select(*self._meanings, "ticket").collect()
        return found.filter(~pl.col("ticket")).drop("ticket"), int(found["ticket"].sum())

    def _facts(self, rows: Sequence[Conversation]) -> list[pl.Series]:
        statistics = [row.statistics or NO_STATISTICS for row in rows]
        ratings = [row.conversation_rating or NOT_ASKED for row in rows]
        closed = [row.state == "closed" for row in rows]
        last_close = [each.last_close_at for each in statistics]
        facts = [
            pl.Series("conversation_id", [row.id for row in rows], pl.String),
            moments("created_at", [row.created_at for row in rows]),
            moments("replied_at", [each.first_contact_reply_at for each in statistics]),
            moments("last_close_at", last_close),
            moments("closed_at", [at if now else None for at, now in zip(last_close, closed, strict=True)]),
            moments("asked_at", [each.created_at for each in ratings]),
            pl.Series("score", [each.rating for each in ratings], pl.Int64),
        ]
        if self._office_hours:
            answers, closes = (
                [each.time_to_admin_reply for each in statistics],
                [each.time_to_last_close for each in statistics],
            )
            return [
                *facts,
                pl.Series("to_reply", answers, pl.Float64),
                pl.Series("to_close", closes, pl.Float64),
            ]
        return [*facts, moments("answered_at", [each.first_admin_reply_at for each in statistics])]

    def _signs(self, rows: Sequence[Conversation]) -> list[pl.Series]:
        signs = {
            "ticket": [row.ticket is not None for row in rows],
            "spoke": [row.first_contact_reply is not None or _from_customer(row) for row in rows],
            "p1_p2": self._urgent_ones(rows) if self._shows_urgent else [None] * len(rows),
            "escalated": self._escalated_ones(rows) if self._shows_escalated else [None] * len(rows),
        }
        return [pl.Series(name, values, pl.Boolean) for name, values in signs.items()]

    def _owners(self, rows: Sequence[Conversation]) -> list[pl.Series]:
        companies = [customer_of(row) for row in rows]
        self.companies.update((company.id, company.company_id) for company in companies if company is not None)
        if self._own_id:
            keys = [None if company is None else company.company_id for company in companies]
        else:
            keys = [None if company is None else company.id for company in companies]
        people = [None if company is not None else _people(row) for row, company in zip(rows, companies, strict=True)]
        return [pl.Series("key", keys, pl.String), pl.Series("people", people, pl.String)]

    def _urgent_ones(self, rows: Sequence[Conversation]) -> list[bool]:
        urgent, tags = self._urgent, self._urgent_tags
        found = [row.priority in urgent or (bool(tags) and _tagged(row, tags)) for row in rows]
        if self._attribute is None:
            return found
        name, values = self._attribute.name, folded(self._attribute.values)
        return [so or _has(row, name, values) for so, row in zip(found, rows, strict=True)]

    def _escalated_ones(self, rows: Sequence[Conversation]) -> list[bool]:
        tags, teams, linked = self._escalated_tags, self._teams, self._linked
        return [
            (bool(tags) and _tagged(row, tags))
            or (bool(teams) and str(row.team_assignee_id) in teams)
            or (linked and _linked_to_back_office(row))
            for row in rows
        ]

    def _expressions(self) -> list[pl.Expr]:
        """ROWS out of the raw columns. A span that is negative is none."""
        if self._office_hours:
            answer, close = ((pl.col(name) * 1000).round().cast(pl.Int64) for name in ("to_reply", "to_close"))
        else:
            answer, close = (pl.col(name) - pl.col("replied_at") for name in ("answered_at", "last_close_at"))
        rated = pl.col("asked_at").is_not_null() & pl.col("score").is_between(1, 5)
        values = {
            **{name: pl.col(name) for name in ("conversation_id", "created_at", "p1_p2", "escalated", "people")},
            "keys": pl.when(pl.col("key").is_not_null()).then(pl.concat_list("key")),
            "customer_involved": pl.col("spoke") | pl.col("replied_at").is_not_null(),
            "first_response_ms": pl.when(answer >= 0).then(answer),
            "last_closed_at": pl.col("closed_at"),
            "resolution_ms": pl.when(pl.col("closed_at").is_not_null() & (close >= 0)).then(close),
            "rating_asked_at": pl.col("asked_at"),
            "rating": pl.when(rated).then(pl.col("score")),
        }
        return [values[name].cast(kind).alias(name) for name, kind in ROWS.items()]


class ConversationBatch:
    """Gathers the conversations of a slice, as raw columns as soon as there are enough. `rows` counts them."""

    def __init__(self, reader: ConversationReader) -> None:
        """Empty."""
        self.rows = 0
        self._reader = reader
        self._rows: list[Conversation] = []
        self._frames: list[pl.DataFrame] = []

    def add(self, rows: Sequence[Conversation]) -> None:
        """Take the rows of a page."""
        self.rows += len(rows)
        self._rows.extend(rows)
        if len(self._rows) >= BATCH:
            self._turn()

    def frames(self) -> list[pl.DataFrame]:
        """Everything that was added since the last time, as raw columns."""
        self._turn()
        found, self._frames = self._frames, []
        return found

    def _turn(self) -> None:
        if self._rows:
            self._frames.append(self._reader.raw(self._rows))
            self._rows = []


def moments(name: str, values: Sequence[Moment]) -> pl.Series:
    """Times as milliseconds since 1970."""
    try:
        return pl.Series(name, values, pl.Int64) * 1000
    except TypeError:  # not all of them whole seconds
        return pl.Series(name, [milliseconds(value) for value in values], pl.Int64)


@lru_cache(maxsize=10_000)
def fold(text: str) -> str:
    """A name to compare with: blanks around it and case don't matter."""
    return text.strip().casefold()


def folded(texts: Iterable[object]) -> frozenset[str]:
    """Names to compare with."""
    return frozenset(fold(str(text)) for text in texts)


def customer_of(row: Conversation) -> Company | None:
    """Its company; one that was made for a lead is none."""
    company = row.company
    return None if company is None or (company.company_id or "").endswith(LEADS) else company


def _people(row: Conversation) -> str:
    contacts = row.contacts.contacts if row.contacts is not None else None
    return ",".join([str(person.id) for person in contacts or () if person.id is not None])


def _from_customer(row: Conversation) -> bool:
    author = row.source.author if row.source is not None else None
    return author is not None and author.type in CUSTOMERS


def _tagged(row: Conversation, wanted: frozenset[str]) -> bool:
    tags = row.tags.tags if row.tags is not None else None
    return bool(tags) and any(fold(tag.name or "") in wanted or tag.id in wanted for tag in tags or ())


def _linked_to_back_office(row: Conversation) -> bool:
    linked = row.linked_objects.data if row.linked_objects is not None else None
    return bool(linked) and any(ticket.category in BACK_OFFICE for ticket in linked or ())


def _has(row: Conversation, name: str, values: frozenset[str]) -> bool:
    attributes: dict[str, Any] | None = row.custom_attributes if isinstance(row, ConversationWithAttributes) else None
    return bool(attributes) and name in (attributes or {}) and not values.isdisjoint(folded([(attributes or {})[name]]))
