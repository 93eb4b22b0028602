"""Reading one org: names that are checked before they are asked for, values that are quoted, rows of our columns."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from accountpulse.core.period import Scope
from accountpulse.core.records import Reason
from accountpulse.systems.salesforce.client import Field, Org, UnknownName, format_soql
from accountpulse.systems.salesforce.settings import Only

Row = Mapping[str, Any]
QUOTED = {"string", "picklist", "combobox", "textarea", "email", "url", "phone", "id", "reference"}
UNREADABLE = "is absent, or our user may not read it"
SHOWN = 12  # values of a picklist that a note lists
Rows = Iterable[Mapping[str, Any]]  # of one table of records


class MissingInOrg(Exception):
    """A part can't be read because the org lacks one of its names or values."""


@dataclass
class OrgReading:
    """One extraction from one org: what was found out along the way.

    `setting` is the part of the mapping's `salesforce:` that is being read; every note begins with it. `malformed`
    says, by account, what of it can't be read.
    """

    org: Org
    scope: Scope
    gaps: dict[str, Reason] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    setting: str = "accounts"
    malformed: dict[str, str] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """A line for the reader, once."""
        line = f"{self.setting}: {text}"
        if line not in self.notes:
            self.notes.append(line)

    # --- names and values ---

    def need(self, name: str, *fields: str | None) -> None:
        """The object must have these fields for our user, else MissingInOrg, and a note that names the nearest one.

        A field may be reached through parents: `Opportunity.AccountId`. None stands for a field that isn't used.
        """
        described = self.org.describe(name)
        if described is None:
            self.note(f"object {name} {UNREADABLE} (object permission)")
            raise MissingInOrg
        lacking = [each for each in fields if each is not None and self.find(name, each) is None]
        for each in lacking:
            near = difflib.get_close_matches(each, list(described), n=1, cutoff=0.5)
            hint = f"; the nearest name is {near[0]}" if near else ""
            self.note(f"field {name}.{each} {UNREADABLE} (field-level security){hint}")
        if lacking:
            raise MissingInOrg

    def has(self, name: str, each: str | None) -> bool:
        """Whether a field is configured and there; a note tells where it is only configured."""
        if each is None:
            return False
        try:
            self.need(name, each)
        except MissingInOrg:
            return False
        return True

    def find(self, name: str, path: str) -> Field | None:
        """What describe says of a field, also through parents; None where it is absent or not readable."""
        head, _, rest = path.partition(".")
        described = self.org.describe(name) or {}
        if not rest:
            return described.get(head)
        parents = [parent for each in described.values() if each.relationship == head for parent in each.parents]
        return next((found for parent in parents if (found := self.find(parent, rest)) is not None), None)

    def known(self, name: str, each: str, values: Iterable[str], setting: str = "") -> tuple[str, ...]:
        """Those of the values that the field's picklist has, and a note on the others. All, where it is no picklist.

        Picklist values compare without regard to case, as in the org's own queries.
        """
        wanted = tuple(values)
        found = self.find(name, each)
        if found is None or not found.picklist:
            return wanted
        there = {value.casefold() for value in found.picklist}
        absent = [value for value in wanted if value.casefold() not in there]
        if absent:
            shown = ", ".join(found.picklist[:SHOWN]) + (", …" if len(found.picklist) > SHOWN else "")
            noun = "are no values" if len(absent) > 1 else "is no value"
            place = f"{setting}: " if setting else ""
            self.note(f"{place}{', '.join(map(repr, absent))} {noun} of {name}.{each}, which has {shown}")
        return tuple(value for value in wanted if value not in absent)

    def only(self, name: str, part: Only | None) -> str | None:
        """The condition that `only` means; MissingInOrg where its field is absent, no text, or knows no such value."""
        if part is None:
            return None
        self.need(name, part.field)
        found = self.find(name, part.field)
        if found is not None and found.type not in QUOTED:
            self.note(f"only: {name}.{part.field} is a {found.type}, which has no values to list; use where:")
            raise MissingInOrg
        values = self.known(name, part.field, part.values, "only")
        if not values:
            raise MissingInOrg
        return f"{part.field} IN {in_list(values)}"

    # --- rows ---

    def rows(self, name: str, fields: Iterable[str | None], *conditions: str | None) -> Iterator[Row]:
        """The rows of an object that meet all conditions. MissingInOrg where the org knows one of the names not."""
        where = " AND ".join(f"({condition})" for condition in conditions if condition)
        # names were checked against describe, values quoted by format_soql; `where` is the administrator's own text
        end = f" WHERE {where}" if where else ""
        selected = ", ".join(dict.fromkeys(each for each in fields if each))
        try:
            yield from self.org.query(f"SELECT {selected} FROM {name}{end}", name)  # noqa: S608
        except UnknownName:
            self.note(f"a name in the `where` text for {name} {UNREADABLE}")
            raise MissingInOrg from None

    def bound(self, name: str, each: str, moment: datetime) -> str:
        """An instant as a value to compare the field with: a date for a date field, else a time in UTC."""
        found = self.find(name, each)
        is_date = found is not None and found.type == "date"
        return str(format_soql("{}", self.day(moment) if is_date else moment.astimezone(UTC)))

    def from_day(self, name: str, each: str, day: date) -> str:
        """The first instant of a day, as a value to compare the field with."""
        return self.bound(name, each, datetime.combine(day, time(), ZoneInfo(self.scope.period.zone)))

    def day(self, moment: datetime) -> date:
        """The day of an instant in the period's zone."""
        return moment.astimezone(ZoneInfo(self.scope.period.zone)).date()

    def moment(self, value: Any, account: Any) -> datetime | None:
        """A date (its first instant in the period's zone) or a time, as a time in UTC; null for what is neither.

        That would look like a date that isn't set: the account whose it is counts as `malformed`.
        """
        if value is None:
            return None
        text = str(value)
        try:
            if len(text) == 10:
                zone = ZoneInfo(self.scope.period.zone)
                return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
            return datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            self._unreadable(account, "a date or time is not ISO 8601")
            return None

    def day_of(self, value: Any, account: Any) -> date | None:
        """A date, or the day of a time in the period's zone; as `moment`."""
        moment = self.moment(value, account)
        return None if moment is None else self.day(moment)

    def amount(self, value: Any, account: Any, name: str | None) -> float | None:
        """A number of the field; one that is none counts as `malformed`."""
        found = number(value)
        if found is None and value is not None:
            self._unreadable(account, f"{name} is no number")
        return found

    def _unreadable(self, account: Any, what: str) -> None:
        self.malformed.setdefault(str(account), f"{self.setting}: {what}")


def in_list(values: Iterable[str]) -> str:
    """Values as a list of quoted texts."""
    return str(format_soql("{}", list(values)))


def text(value: str) -> str:
    """A value as quoted text."""
    return str(format_soql("{}", value))


def number(value: Any) -> float | None:
    """A number as the org gives it, also as text (field history); anything else is not known."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def at(row: Row, path: str) -> Any:
    """A field of a row, also through parents: `Opportunity.AccountId`; null where a parent is null."""
    value: Any = row
    for name in path.split("."):
        if value is None:
            return None
        value = value.get(name)
    return value
