"""What marks a conversation as urgent or escalated in a workspace: counted in those of the last ninety days."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from accountpulse.http.client import Client, together
from accountpulse.http.time_slices import TimeSlice, equal_slices
from accountpulse.systems.discovery import MappingChoice
from accountpulse.systems.intercom.extract import PAGE
from accountpulse.systems.intercom.settings import Attribute, Escalation, Priority
from accountpulse.systems.intercom.signs import BACK_OFFICE, at_least, attribute_text, fold
from accountpulse.systems.intercom.workspace import KINDS
from accountpulse.systems.looking import Unseen
from accountpulse.systems.mapping_parts import kinds_of
from accountpulse.systems.samples import counted, inside, is_fit, listed, rows, shown, text, whole
from accountpulse.systems.words import ESCALATED, HIGH, SECOND, TOP, URGENCY, says

DAYS = 90
SLICES = 8  # of these days, each read from its beginning
PAGES = 3  # of a slice at most: 3,600 conversations in all
MOST_VALUES = 20  # of an attribute: with more it is no scale
LONGEST_LEVEL = 25  # characters of a value that says how urgent something is; a longer one is a note
SCALE = 10  # the highest number of a scale
_ANY = msgspec.json.Decoder()
_SCALES = kinds_of(Attribute.__annotations__["name"])
ListedItems = Sequence[Mapping[str, Any]]


@dataclass
class SignsInUse:
    """The marks that conversations carry, each with how many carry it; and what the workspace lists of them.

    `seen` of `total` conversations were looked at. `values`: of attributes that are called like an urgency.
    """

    seen: int = 0
    total: int = 0
    priorities: Counter[str] = field(default_factory=Counter)
    tagged: Counter[str] = field(default_factory=Counter)  # by name as compared
    spelled: dict[str, str] = field(default_factory=dict)  # name as compared → as it is written
    team_ids: Counter[str] = field(default_factory=Counter)
    linked: Counter[str] = field(default_factory=Counter)  # categories of tickets
    values: dict[str, Counter[str]] = field(default_factory=dict)
    attributes: ListedItems = ()
    tags: ListedItems = ()
    teams: ListedItems = ()

    def add(self, talk: Mapping[str, Any]) -> None:
        """Count the marks of one conversation."""
        self.seen += 1
        if (level := text(talk.get("priority"))) is not None:
            self.priorities[level] += 1
        names = {name for each in rows(inside(talk, "tags"), "tags") if (name := text(each.get("name"))) is not None}
        for name in names:
            self.tagged[fold(name)] += 1
            self.spelled.setdefault(fold(name), name)
        if (team := text(talk.get("team_assignee_id"))) not in (None, "0"):
            self.team_ids[str(team)] += 1
        self.linked.update({str(each.get("category")) for each in rows(inside(talk, "linked_objects"), "data")})
        own = talk.get("custom_attributes")
        for name, value in own.items() if isinstance(own, dict) else ():
            if says(name.replace("_", " "), URGENCY) and isinstance(value, str | int | float):
                self.values.setdefault(name, Counter())[attribute_text(value)] += 1

    def lines(self) -> Iterator[str]:
        """What was looked at."""
        yield f"{self.seen:,} of {self.total:,} conversations of the last {DAYS} days"
        if self.tags:
            used = sum(fold(str(text(each.get("name")))) in self.tagged for each in self.tags)
            yield f"{counted(len(self.tags), 'tag')}, {used:,} of them on these conversations"
        if self.teams:
            yield counted(len(self.teams), "team")
        levels = ", ".join(f"{name}: {count:,}" for name, count in sorted(self.priorities.items()) if is_fit(name))
        if levels:
            yield f"priorities in use: {levels}"

    def named(self, words: frozenset[str]) -> dict[str, int]:
        """The tags that say one of the words and can stand in a mapping, with their counts; most in use first.

        Of those that no conversation carries, the list has them.
        """
        spelled = {fold(name): name for each in self.tags if (name := text(each.get("name"))) is not None}
        spelled |= self.spelled
        found = {name: self.tagged[key] for key, name in spelled.items() if says(name, words) and is_fit(name)}
        return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


# --- asking -------------------------------------------------------------------------------------------------------


async def sample_signs(web: Client, unseen: Unseen, now: datetime) -> SignsInUse:
    """The marks of conversations of the last DAYS days."""
    found, end = SignsInUse(), int(now.timestamp())
    slices = equal_slices(end - int(timedelta(days=DAYS).total_seconds()), end, SLICES)
    pages = await unseen.have("Conversations", together(_slice(web, part) for part in slices))
    for answers in pages or ():
        found.total += whole(inside(answers[0], "total_count"))
        for page in answers:
            for talk in rows(page, "conversations"):
                found.add(talk)
    found.total = max(found.total, found.seen)
    return found


async def _slice(web: Client, part: TimeSlice) -> list[Any]:
    """The first pages of a slice."""
    bounds = [{"field": "created_at", "operator": ">", "value": part.start - 1}]
    bounds.append({"field": "created_at", "operator": "<", "value": part.end})
    body: dict[str, Any] = {"query": {"operator": "AND", "value": bounds}, "pagination": {"per_page": PAGE}}
    answers = []
    for _ in range(PAGES):
        answers.append(await web.post("/conversations/search", _ANY, body))
        cursor = inside(answers[-1], "pages", "next", "starting_after")
        if not isinstance(cursor, str):
            break
        body = {**body, "pagination": {"per_page": PAGE, "starting_after": cursor}}
    return answers


# --- choosing -----------------------------------------------------------------------------------------------------


def sign_choices(signs: SignsInUse, version: str, unknown: list[str]) -> Iterator[MappingChoice]:
    """The keys that say what is urgent and what is escalated, and how times and ratings are counted."""
    yield from _priority(signs, version, unknown)
    yield from _escalation(signs, unknown)
    calendar = "Times are counted by the clock; which way you promise them, no answer tells"
    hours = "only the workspace's office hours count"
    yield MappingChoice(("intercom", "time_basis"), "calendar", calendar, (("office_hours", hours),))
    mean = "the mean of the ratings"
    yield MappingChoice(("intercom", "csat"), "share", "The share of ratings of 4 and 5", (("mean", mean),))


def _priority(signs: SignsInUse, version: str, unknown: list[str]) -> Iterator[MappingChoice]:
    """Intercom's own priority; the tags that say the same only where they are in use more than it.

    Any sign makes a conversation P1/P2, so two ways that don't mean the same would count more than either.
    """
    levels, at = Priority().levels, ("intercom", "priority")
    has_levels = at_least(version, "2.16")
    marks = levels if has_levels else ("priority",)
    used = sum(signs.priorities[each] for each in marks)
    tags = {name: count for name, count in signs.named(TOP | SECOND).items() if count}
    scales = list(_scales(signs))
    if has_levels:
        why = f"Intercom's own levels: {_counted(signs.priorities, marks)}, of {signs.seen:,} conversations"
        yield MappingChoice((*at, "levels"), list(levels), why, ((["urgent"], "P1 alone"),))
    else:
        why = f"{used:,} of {signs.seen:,} conversations are marked as priority (API version {version} has no levels)"
        yield MappingChoice((*at, "flag"), used > 0, why)
    why = f"Tags in use that say it: {_with_counts(tags)}"
    if tags and used >= sum(tags.values()):
        why += ". Intercom's own priority is in use more, and any sign would count, so they are left out"
        yield MappingChoice((*at, "tags"), [], why, ((list(tags), f"count them as well: {_with_counts(tags)}"),))
    elif tags:
        yield MappingChoice((*at, "tags"), list(tags), why)
    yield from _attribute_choice(scales, unknown)
    if not (used or tags or scales):
        unknown.append("What is urgent: no priority, tag or attribute of a recent conversation says it; ask support")


def _attribute_choice(scales: Sequence[tuple[Attribute, str, bool]], unknown: list[str]) -> Iterator[MappingChoice]:
    if not scales:
        return
    (best, why, is_number), *others = scales
    value = {"name": best.name, "values": list(best.values)}
    rest = tuple(({"name": each.name, "values": list(each.values)}, text) for each, text, _number in others)
    yield MappingChoice(("intercom", "priority", "attribute"), value, why, rest)
    if is_number:
        unknown.append(f"Whether the lowest number of {shown(best.name)} is the most urgent one, as it was read here")


def _scales(signs: SignsInUse) -> Iterator[tuple[Attribute, str, bool]]:
    """Attributes that say how urgent a conversation is, with the values that say P1/P2, most in use first.

    Third: whether they are numbers, of which nobody says which end is the urgent one.
    """
    kinds = {text(each.get("name")): each for each in signs.attributes if each.get("archived") is not True}
    for name, values in sorted(signs.values.items(), key=lambda each: (-each[1].total(), each[0])):
        known = kinds.get(name)
        is_scale = known is not None and KINDS.get(str(known.get("data_type")), "any") in _SCALES
        if not is_scale or not is_fit(name) or len(values) > MOST_VALUES:
            continue
        urgent = [
            value for value in values if len(value) <= LONGEST_LEVEL and says(value, TOP | HIGH) and is_fit(value)
        ]
        numbers = sorted(int(value) for value in values if value.isdecimal() and int(value) <= SCALE)
        if not urgent and len(numbers) == len(values) > 1:
            urgent = list(map(str, numbers[: 1 if len(numbers) <= 3 else 2]))
        if urgent:
            why = f"{_counted(values, urgent)}, of {values.total():,} conversations that have {shown(name)}"
            yield Attribute(name=name, values=tuple(sorted(urgent))), why, bool(numbers)


def _escalation(signs: SignsInUse, unknown: list[str]) -> Iterator[MappingChoice]:
    at, tags = ("intercom", "escalation"), signs.named(ESCALATED)
    linked = sum(signs.linked[each] for each in BACK_OFFICE)
    teams = {}
    for each in signs.teams:
        number, name = text(each.get("id")), text(each.get("name"))
        if number is not None and name is not None and is_fit(number) and says(name, ESCALATED):
            teams[number] = f"{shown(name)}, {signs.team_ids[number]:,} conversations"
    if tags:
        yield MappingChoice((*at, "tags"), list(tags), f"Tags that say it: {_with_counts(tags)}")
    else:
        why = "No tag says it; one that is called so would count from its first day on"
        yield MappingChoice((*at, "tags"), list(Escalation().tags), why)
    named = "; ".join(f"{number} is {text}" for number, text in teams.items())
    is_chosen = bool(teams) and not (any(tags.values()) or linked)
    if is_chosen:
        yield MappingChoice((*at, "teams"), list(teams), named)
    elif teams:
        why = f"Tags or linked tickets say it already, so no team was taken. {named}"
        yield MappingChoice((*at, "teams"), [], why, ((list(teams), "what this team is given counts as well"),))
    why = f"Tickets that are linked: {_counted(signs.linked, sorted(BACK_OFFICE))}, of {signs.seen:,} conversations"
    yield MappingChoice((*at, "linked_tickets"), True, why)
    if not (tags or teams or linked):
        unknown.append("What an escalation looks like: no tag, team or linked ticket says it; ask support")


def _counted(counts: Mapping[str, int], names: Iterable[str]) -> str:
    return ", ".join(f"{shown(name)}: {counts.get(name, 0):,}" for name in names)


def _with_counts(names: Mapping[str, int]) -> str:
    return f"{listed(names)} ({', '.join(f'{count:,}' for count in names.values())} conversations)"
