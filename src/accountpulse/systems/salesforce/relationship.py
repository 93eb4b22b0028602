"""Business reviews, champions, expansions and churn signals: what to ask, and what the rows mean.

Each function gives the rows of one table of records, or raises MissingInOrg.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from accountpulse.core.catalogue import METRICS
from accountpulse.systems.salesforce.client import Field, format_soql
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.queries import (
    UNREADABLE,
    MissingInOrg,
    OrgReading,
    RowCondition,
    Rows,
    at,
    in_list,
    number,
    text,
)
from accountpulse.systems.salesforce.record import TASK_KEY
from accountpulse.systems.salesforce.row_facts import (
    account_of,
    closed_since,
    may_lie_in,
    means,
    on_one_line,
    open_at_as_of,
    unlisted,
)
from accountpulse.systems.salesforce.schema import TIMES
from accountpulse.systems.salesforce.settings import ChampionContacts, ChampionRoles, Expansion, Reviews
from accountpulse.systems.salesforce.signal_settings import Signals
from accountpulse.systems.salesforce.staff import StaffNames

YEAR = 365
BOUNCED = "EmailBouncedDate"
TITLE = 120  # characters that are kept of what a signal is about
LEVELS = ("critical", "moderate", "watch")
SIGNALS = tuple(name for name, metric in METRICS.items() if metric.domain == "signals")
CONFIRMED = ("critical_confirmed_signals",)
CHAMPIONS = ("champion_stability",)
REVIEWS = ("qbr_attendance",)

# --- business reviews ------------------------------------------------------------------------------------------

# when it was, where an activity bears no ActivityDate: Object Reference, "Event" and "Task"
TIMES_OF = {"Event": ("ActivityDateTime", "EndDateTime"), "Task": ("CompletedDateTime",)}
SERIES = "3"  # of GroupEventType: the pattern of a series, which stands beside its occurrences
ACCOUNT = "001"  # the ids of accounts begin with it


def reviews(reading: OrgReading, part: Reviews) -> Rows:
    """Business reviews held in the trailing 365 days, archived ones too. Activities are archived after a year."""
    for name in part.objects:
        yield from _reviews(reading, part, name)


def _reviews(reading: OrgReading, part: Reviews, name: str) -> Rows:
    """Events, and tasks that are finished. One without a day makes the account's number unknown, if it may count."""
    reading.need(name, "AccountId", "Subject", "ActivityDate")
    window = reading.scope.trailing(YEAR)
    no_show = _no_show(reading, part, name)
    helpful = ("WhatId", "IsRecurrence", "GroupEventType", "CreatedDate", "LastModifiedDate", *TIMES_OF[name])
    known = [each for each in helpful if reading.find(name, each) is not None]
    wanted = " OR ".join(f"Subject LIKE {text(pattern)}" for pattern in part.subject_like)
    unwanted = [f"NOT Subject LIKE {text(pattern)}" for pattern in part.not_subject_like]
    days = [format_soql("{}", reading.day(moment)) for moment in (window.start, window.end)]
    bounds = f"ActivityDate = null OR (ActivityDate >= {days[0]} AND ActivityDate < {days[1]})"
    held = "IsChild = false" if name == "Event" else "IsClosed = true"
    # a Task that the digest made is no review, whatever its subject
    others = f"{TASK_KEY} = null" if reading.find(name, TASK_KEY) is not None else None
    fields = ("AccountId", "ActivityDate", no_show, *known)
    for row in reading.rows(name, fields, wanted, *unwanted, bounds, held, others, archived=True):
        if at(row, "IsRecurrence") is True or at(row, "GroupEventType") == SERIES:
            reading.leave_out("the record of a series, beside its occurrences")
            continue
        if no_show is not None and at(row, no_show) is True:
            reading.leave_out("a review that did not take place")
            continue
        account = account_of(reading, name, row, "AccountId") or _about(row)
        day = _day_of(reading, name, row, account)
        if day is not None and reading.day(window.start) <= day < reading.day(window.end):
            yield {"account_id": account, "held_on": day}
        elif day is not None or not may_lie_in(reading, row, window):
            reading.outside()
        else:
            reading.unknown(account, REVIEWS, "unclear", f"a business review ({name}) without a day")
            reading.leave_out("a review without a day")


def _no_show(reading: OrgReading, part: Reviews, name: str) -> str | None:
    """The checkbox of reviews that nobody came to, where the object has one; MissingInOrg where it is no checkbox."""
    reading.refuse_unfit(name, part.no_show)
    return part.no_show if reading.has(name, part.no_show) else None


def _about(row: Row) -> str | None:
    """The account that an activity is about, where it names one that Salesforce hasn't taken over."""
    about = at(row, "WhatId")
    return str(about) if about is not None and str(about).startswith(ACCOUNT) else None


def _day_of(reading: OrgReading, name: str, row: Row, account: Any) -> date | None:
    values = (at(row, each) for each in ("ActivityDate", *TIMES_OF[name]))
    return next((reading.day_of(value, account) for value in values if value is not None), None)


# --- champions -------------------------------------------------------------------------------------------------


class LeftSign:
    """A field of the contact that says that somebody has left, and how it says so."""

    def __init__(self, reading: OrgReading, definition: Field, values: Sequence[str], as_of: datetime) -> None:
        """`values`: those of a text or picklist that mean it; where it has none of them, nothing says it."""
        self.name = definition.name
        self._reading = reading
        self._type = definition.type
        self._values = values
        self._as_of = as_of

    def says(self, row: Row, path: str) -> bool | None:
        """Whether it says that the contact has left by as_of. Null doesn't; None: it can't be told."""
        value = at(row, f"{path}{self.name}")
        if self._type == "boolean":
            return value is True
        if self._type in TIMES:
            moment = self._reading.moment(value, None)
            return moment is not None and moment < self._as_of
        if means(value, self._values):
            return True
        return None if unlisted(self._reading, "Contact", self.name, value) else False


def champions(reading: OrgReading, part: ChampionRoles | ChampionContacts) -> Rows:
    """Recorded champions, each contact once an account, and whether they are still there.

    MissingInOrg where nothing of a contact says that somebody has left: a champion who can't leave proves nothing.
    """
    signs = [sign for each in (part.contact_left, BOUNCED) if (sign := _sign(reading, part, each)) is not None]
    if not signs:
        raise MissingInOrg
    return _by_role(reading, part, signs) if isinstance(part, ChampionRoles) else _by_contact(reading, part, signs)


def _sign(reading: OrgReading, part: ChampionRoles | ChampionContacts, each: str | None) -> LeftSign | None:
    """None: not there. MissingInOrg where it is of a kind that says nothing."""
    reading.refuse_unfit("Contact", each)
    if each is None or not reading.has("Contact", each):
        return None
    found = reading.find("Contact", each)
    if found is None:
        return None
    values: tuple[str, ...] = ()
    if found.type not in {"boolean", *TIMES}:
        values = reading.known("Contact", each, part.left_values, "left_values")
        if not values:
            what = f"contact_left: Contact.{each} is a {found.type}, no checkbox"
            reading.note(f"{what}; name those of its values that mean that somebody has left in left_values:")
            raise MissingInOrg
    return LeftSign(reading, found, values, reading.scope.as_of)


def _by_role(reading: OrgReading, part: ChampionRoles, signs: Sequence[LeftSign]) -> Rows:
    """Contacts in a champion's role on opportunities won before as_of. One who moved to another account is gone."""
    name = "OpportunityContactRole"
    there = tuple(f"Contact.{sign.name}" for sign in signs)
    needed = ("ContactId", "Role", "Opportunity.AccountId", "Opportunity.IsWon", "Opportunity.CloseDate")
    reading.need(name, *needed, "Contact.AccountId")
    roles = reading.known(name, "Role", part.roles, "roles")
    if not roles:
        raise MissingInOrg
    won = f"Opportunity.IsWon = true AND Opportunity.CloseDate < {format_soql('{}', reading.scope.as_of_day)}"
    fields = ("ContactId", "Opportunity.AccountId", "Contact.AccountId", *there)
    seen: set[tuple[Any, Any]] = set()
    for row in reading.rows(name, fields, f"Role IN {in_list(roles)}", won):
        account = account_of(reading, name, row, "Opportunity.AccountId")
        if row["ContactId"] is None:
            reading.leave_out("a role without a contact")
        elif at(row, "Contact") is None:
            reading.unknown(account, CHAMPIONS, "not_visible", "a champion whose contact our user may not see")
            reading.leave_out("a champion whose contact our user may not see")
        elif (account, row["ContactId"]) in seen:
            reading.leave_out("the same champion on another deal of the account")
        else:
            seen.add((account, row["ContactId"]))
            stayed = _stayed(reading, account, row, signs, "Contact.")
            moved = at(row, "Contact.AccountId") != account
            if at(row, "Contact.AccountId") is None and stayed:
                reading.unknown(account, CHAMPIONS, "unclear", "a champion whose contact names no account any more")
            yield {"account_id": account, "contact_id": row["ContactId"], "still_there": stayed and not moved}


def _by_contact(reading: OrgReading, part: ChampionContacts, signs: Sequence[LeftSign]) -> Rows:
    reading.need("Contact", "Id", "AccountId")
    chosen = (reading.only("Contact", part.only), part.where)
    for row in reading.rows("Contact", ("Id", "AccountId", *(sign.name for sign in signs)), *chosen):
        account = account_of(reading, "Contact", row, "AccountId")
        stayed = _stayed(reading, account, row, signs, "")
        yield {"account_id": account, "contact_id": row["Id"], "still_there": stayed}


def _stayed(reading: OrgReading, account: Any, row: Row, signs: Sequence[LeftSign], path: str) -> bool:
    said = [sign.says(row, path) for sign in signs]
    if None in said and True not in said:
        reading.unknown(account, CHAMPIONS, "unclear", "a champion whose value of contact_left the org no longer lists")
    return True not in said


# --- expansions ------------------------------------------------------------------------------------------------


def expansions(reading: OrgReading, part: Expansion) -> Rows:
    """Expansion opportunities that were open at as_of. One without a probability has none."""
    reading.need("Opportunity", "AccountId", "Probability")
    created = reading.compare("Opportunity", "CreatedDate", "<", reading.scope.as_of, null=False)
    likely = f"IsClosed = true OR Probability = null OR Probability >= {part.min_probability:g}"
    chosen = (reading.only("Opportunity", part.only), part.where)
    fields = ("Id", "AccountId", "Probability", "IsClosed")
    for row in reading.rows("Opportunity", fields, *chosen, likely, open_at_as_of(reading), created):
        account = account_of(reading, "Opportunity", row, "AccountId")
        if closed_since(reading, row, account, "expansion_signals"):
            continue
        if (number(row["Probability"]) or 0.0) < part.min_probability:
            reading.leave_out("an opportunity without a probability")
        else:
            yield {"account_id": account, "opportunity_id": row["Id"]}


# --- signals ---------------------------------------------------------------------------------------------------


def signals(reading: OrgReading, part: Signals, staff: StaffNames) -> Rows:
    """Churn signals that were open at as_of: begun before, and not closed by then; `owner` as `StaffNames` holds it.

    One without a beginning has been open since its record was made, or longer. One whose severity or status nobody can
    place makes the account's signals unknown.
    """
    name = part.object
    reading.need(name, part.account, part.severity, part.status, part.opened)
    confidence = part.confidence if reading.has(name, part.confidence) else None
    _say_what_cannot_be(reading, part, confidence)
    reading.refuse_unfit(name, part.closed)
    closed = part.closed if reading.has(name, part.closed) else None
    made = "CreatedDate" if reading.find(name, "CreatedDate") else None
    begun = reading.compare(name, part.opened, "<", reading.scope.as_of, null=True)
    still = _not_closed(reading, part, closed) if closed else None
    changed = "LastModifiedDate" if reading.find(name, "LastModifiedDate") else None
    title, owner = (_only_shown(reading, part, key) for key in ("title", "owner"))
    shown = (title, owner, *staff.fields(name, owner))
    fields = (part.account, part.severity, part.status, part.opened, confidence, closed, made, changed, *shown)
    nobodys: list[str] = []
    for row in reading.rows(name, fields, begun, still):
        account = account_of(reading, name, row, part.account)
        opened, ended = (reading.moment(at(row, each), account) if each else None for each in (part.opened, closed))
        if opened is None and made and not _was_made(reading, row):
            reading.outside()
            continue
        if ended is None and means(at(row, part.status), part.resolved):
            if changed and _was_changed_since(reading, row):
                reading.unknown(account, SIGNALS, "unclear", "a signal that may have been resolved after as_of")
            reading.leave_out("resolved, but without a date")
            continue
        if ended is not None and ended < reading.scope.as_of:
            if opened is not None and reading.day(ended) < reading.day(opened):
                reading.unknown(
                    account, SIGNALS, "unclear", "a signal that isn't resolved and was closed before it began"
                )
            reading.outside()
            continue
        if account is None:
            nobodys.append(row["Id"])
        _judge(reading, part, row, account, confidence)
        yield {
            "account_id": account,
            "severity": _level(at(row, part.severity), part) or "watch",
            "monitoring": means(at(row, part.status), part.monitoring),
            "confirmed": confidence is not None and means(at(row, confidence), part.confirmed),
            "opened_at": opened,
            "closed_at": ended,
            "title": None if title is None else on_one_line(at(row, title), TITLE),
            "owner": staff.held(name, owner, row),
        }
    if nobodys:
        reading.note(f"{len(nobodys):,} open signals name no account and count for nobody, such as {nobodys[0]}")


def _only_shown(reading: OrgReading, part: Signals, key: Literal["title", "owner"]) -> str | None:
    """A field that no number rests on: the one that we only suppose may be missing without a word."""
    each: str | None = getattr(part, key)
    if each == getattr(Signals(), key) and each is not None and reading.find(part.object, each) is None:
        return None
    return each if reading.has(part.object, each) else None


def _not_closed(reading: OrgReading, part: Signals, closed: str) -> RowCondition:
    """Not closed by as_of; also one that isn't resolved whatever its date says: it may have been opened again."""
    still = reading.compare(part.object, closed, ">=", reading.scope.as_of, null=True)
    resolved = reading.listed(part.object, part.status, part.resolved)
    if still.text is None or resolved.text is None:
        fields = (closed, part.status)
        return RowCondition(None, fields, lambda row: still.holds(row) or not resolved.holds(row))
    return RowCondition(f"{still.text} OR (NOT {resolved.text})" if part.resolved else still.text)


def _was_changed_since(reading: OrgReading, row: Row) -> bool:
    """Whether the record was changed after as_of."""
    changed = reading.moment(at(row, "LastModifiedDate"), None)
    return changed is not None and changed >= reading.scope.as_of


def _was_made(reading: OrgReading, row: Row) -> bool:
    made = reading.moment(at(row, "CreatedDate"), None)
    return made is None or made < reading.scope.as_of


def _judge(reading: OrgReading, part: Signals, row: Row, account: Any, confidence: str | None) -> None:
    """Tell what an open signal leaves unknown of its account."""
    severity, status = at(row, part.severity), at(row, part.status)
    monitored = means(status, part.monitoring)
    if _level(severity, part) is None:
        what = "without a severity" if severity is None else "with a severity that levels: doesn't know"
        reading.unknown(account, SIGNALS, "unclear", f"an open signal {what}")
    elif not monitored and unlisted(reading, part.object, part.status, status):
        reading.unknown(account, SIGNALS, "unclear", "a signal with a status that the org no longer lists")
    elif confidence and not monitored and _level(severity, part) == "critical":
        sure = at(row, confidence)
        if not means(sure, part.confirmed) and unlisted(reading, part.object, confidence, sure):
            why = "a critical signal with a confidence that the org no longer lists"
            reading.unknown(account, CONFIRMED, "unclear", why)


def _say_what_cannot_be(reading: OrgReading, part: Signals, confidence: str | None) -> None:
    """A severity or confidence that the org has no value for can't be counted, and 0 would say that all is well."""
    name = part.object
    reading.known(name, part.status, part.monitoring, "monitoring")
    reading.known(name, part.status, part.resolved, "resolved")
    seen = [
        bool(reading.known(name, part.severity, getattr(part.levels, level), f"levels.{level}")) for level in LEVELS
    ]
    critical, moderate, _ = seen
    unknown = {"critical_signals": not critical, "moderate_signals": not (critical or moderate)}
    confirmed = confidence and reading.known(name, confidence, part.confirmed, "confirmed")
    unknown["critical_confirmed_signals"] = not (critical and confirmed)
    for metric, missing in unknown.items():
        if missing:
            reading.gaps[metric] = "field_missing"
            reading.note(f"{metric} stays empty, since what it counts {UNREADABLE}")


def _level(severity: Any, part: Signals) -> str | None:
    return next((level for level in LEVELS if means(severity, getattr(part.levels, level))), None)
