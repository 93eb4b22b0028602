"""Reading one org: names that are checked before they are asked for, values that are quoted, rows of our columns."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from accountpulse.errors import UnexpectedAnswer
from accountpulse.period import Scope
from accountpulse.records import Reason
from accountpulse.rest.salesforce import Org, UnknownName, format_soql

Row = Mapping[str, Any]


class Missing(Exception):
    """A part can't be read because the org lacks one of its names."""


@dataclass
class Reading:
    """One extraction from one org: what was found out along the way."""

    org: Org
    scope: Scope
    gaps: dict[str, Reason] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def need(self, name: str, *fields: str) -> None:
        """The object must have these fields for our user, else Missing, and a note that names the nearest one.

        A field through a relationship (`Account.Name`) is checked by the query itself.
        """
        described = self.org.describe(name)
        if described is None:
            self.notes.append(f"object {name} is absent, or not readable for our user")
            raise Missing
        lacking = [each for each in fields if "." not in each and each not in described]
        for each in lacking:
            near = difflib.get_close_matches(each, list(described), n=1)
            hint = f"; the nearest name is {near[0]}" if near else ""
            self.notes.append(f"field {name}.{each} is absent, or not readable for our user{hint}")
        if lacking:
            raise Missing

    def has(self, name: str, each: str | None) -> bool:
        """Whether a field is configured and there; a note tells where it is only configured."""
        if each is None:
            return False
        try:
            self.need(name, each)
        except Missing:
            return False
        return True

    def rows(self, name: str, fields: Iterable[str], *conditions: str | None) -> Iterator[Row]:
        """The rows of an object that meet all conditions. Missing where the org knows one of the names not."""
        where = " AND ".join(f"({condition})" for condition in conditions if condition)
        # names were checked against describe, values quoted by format_soql; `where` is the administrator's own text
        end = f" WHERE {where}" if where else ""
        soql = f"SELECT {', '.join(dict.fromkeys(fields))} FROM {name}{end}"  # noqa: S608
        try:
            yield from self.org.query(soql, name)
        except UnknownName:
            self.notes.append(f"a name in the `where` text for {name} is absent, or not readable for our user")
            raise Missing from None

    def bound(self, name: str, each: str, moment: datetime) -> str:
        """An instant as a value to compare the field with: a date for a date field, else a time in UTC."""
        described = self.org.describe(name) or {}
        is_date = each in described and described[each].type == "date"
        return str(format_soql("{}", self.day(moment) if is_date else moment.astimezone(UTC)))

    def day(self, moment: datetime) -> date:
        """The day of an instant in the period's zone."""
        return moment.astimezone(ZoneInfo(self.scope.period.zone)).date()

    def moment(self, value: Any) -> datetime | None:
        """A date (its first instant in the period's zone) or a time, as a time in UTC."""
        if value is None:
            return None
        text = str(value)
        try:
            if len(text) == 10:
                zone = ZoneInfo(self.scope.period.zone)
                return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
            return datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            raise UnexpectedAnswer("salesforce", "reading a time", "it is not ISO 8601") from None


def in_list(values: Iterable[str]) -> str:
    """Values as a list of quoted texts."""
    return str(format_soql("{}", list(values)))


def text(value: str) -> str:
    """A value as quoted text."""
    return str(format_soql("{}", value))


def day_of(value: Any) -> date | None:
    """A date field, or the date part of a time."""
    return None if value is None else date.fromisoformat(str(value)[:10])


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
