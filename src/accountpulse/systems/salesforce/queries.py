"""Reading one org: names that are checked before they are asked for, values that are quoted, rows of our columns.

Every query of every strategy goes through OrgReading.rows, which holds what comes against describe and counts it.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl

from accountpulse.core.errors import AccessError, AccountpulseError, ConfigurationError
from accountpulse.core.ids import to_18
from accountpulse.core.period import Scope
from accountpulse.core.records import Reason, unknowns
from accountpulse.systems.mapping_parts import MappingBlock
from accountpulse.systems.salesforce.choices import Only
from accountpulse.systems.salesforce.client import Field, Org, RefusedQuery, UnknownName, format_soql
from accountpulse.systems.salesforce.field_check import FieldCheck, Row
from accountpulse.systems.salesforce.kinds import unfit
from accountpulse.systems.salesforce.schema import QUOTED
from accountpulse.systems.salesforce.tally import Tally

UNREADABLE = "is absent, or our user may not read it"
SHOWN = 12  # values of a picklist that a note lists
WHERE_HELP = "write it as in the org's own queries, and try it there"
Rows = Iterable[Mapping[str, Any]]  # of one table of records
Operator = Literal["<", "<=", ">", ">="]


class MissingInOrg(Exception):
    """A part can't be read because the org lacks one of its names or values."""


@dataclass(frozen=True)
class RowCondition:
    """What a row must meet: `text` is what the org is asked, None where it can't be and `holds` decides here.

    `fields` are those that `holds` reads. `values`: it names values of the mapping, which the org may refuse.
    `rule` says in words where a row goes that doesn't meet it here; None: it is of another time.
    """

    text: str | None
    fields: tuple[str, ...] = ()
    holds: Callable[[Row], bool] = lambda _row: True
    rule: str | None = None
    values: bool = False


@dataclass
class OrgReading:
    """One extraction from one org: what was found out along the way.

    `setting` is the part of the mapping's `salesforce:` that is being read; every note begins with it. `table` is the
    table of records that rows are read for. `malformed` says, by account, what of it can't be read. `own_texts` are
    the administrator's own conditions. `unknowns` hold, by metric and reason, the accounts of which it isn't known.
    """

    org: Org
    scope: Scope
    gaps: dict[str, Reason] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    setting: str = "accounts"
    malformed: dict[str, str] = field(default_factory=dict)
    table: str = "accounts"
    tallies: dict[str, Tally] = field(default_factory=dict)
    own_texts: Mapping[str, str] = field(default_factory=dict)
    unknowns: dict[tuple[str, Reason], dict[str, None]] = field(default_factory=dict)
    unfit: set[tuple[str, str, str]] = field(default_factory=set)  # part of the mapping, object, field
    _why: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    _nobodys: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    _ways: dict[tuple[str, str], list[tuple[list[str], list[str]]]] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """A line for the reader, once."""
        line = f"{self.setting}: {text}"
        if line not in self.notes:
            self.notes.append(line)

    # --- where rows go ---

    @property
    def tally(self) -> Tally:
        """Of the table that is being read."""
        return self.tallies.setdefault(self.table, Tally())

    def leave_out(self, rule: str, rows: int = 1) -> None:
        """Rows that came are not in the table, by a rule in words for the reader; a rule without rows isn't named."""
        if rows:
            self.tally.left_out[rule] += rows

    def outside(self, rows: int = 1) -> None:
        """Rows that came are of another time than was asked for."""
        self.tally.outside += rows

    def taken(self, rows: int) -> None:
        """Rows of the table that came by no query of its own: accounts that were read before, or rows made here."""
        self.tally.came += rows

    def drop(self) -> None:
        """The table that is being read stays empty after all: whatever came for it is no part of it."""
        tally = self.tally
        self.leave_out("the rest of this part can't be read", tally.counts().kept)

    def close(self, rows: int) -> None:
        """The table that is being read has so many rows; those that no query brought were made of the accounts.

        Fewer than came and weren't left out by name are a fault of ours, which the pipeline's count finds.
        """
        self.taken(max(0, rows - self.tally.counts().kept))

    def unknown(self, account: Any, metrics: Iterable[str], reason: Reason, why: str) -> None:
        """These metrics stay null for the account. `why` says in words what is in the way, told once with an example.

        What is nobody's (null) leaves nothing unknown.
        """
        if account is None:
            return
        key = to_18(str(account))
        self._why.setdefault((self.setting, why), {})[key] = None
        for metric in metrics:
            self.unknowns.setdefault((metric, reason), {})[key] = None

    def nobodys(self, row: Row, why: str) -> None:
        """A record can be given to no account. `why` says in words what is in the way, told once with an example."""
        self._nobodys.setdefault((self.setting, why), {})[str(row.get("Id"))] = None

    def unknown_rows(self) -> Iterator[pl.DataFrame]:
        """What `unknown` was told, as UNKNOWNS."""
        for (metric, reason), accounts in self.unknowns.items():
            yield unknowns(accounts, [metric], reason)

    def tell_unknowns(self) -> None:
        """One note for each reason that `unknown` and `nobodys` were given, with how many there are and an example."""
        for (setting, why), accounts in self._why.items():
            example = next(iter(accounts))
            self.setting = setting
            self.note(f"{why}: {len(accounts):,} account{'s' if len(accounts) > 1 else ''}, such as {example}")
        for (setting, why), records in self._nobodys.items():
            self.setting = setting
            self.note(f"{why}: {len(records):,} record{'s' if len(records) > 1 else ''}, such as {next(iter(records))}")

    # --- names and values ---

    def check_kinds(self, block: MappingBlock, part: str = "") -> None:
        """Hold every field that a mapping names against its real kind, before anything is read.

        One of another kind is as if it weren't there: what rests on it stays empty, and a note says what it is and
        what to write instead. `part` is the block's own key in accountpulse.yaml.
        """
        for each in unfit(block, part, self.find, self.org.describe):
            self.setting = each.part
            self.note(each.text)
            self.unfit.add((each.part, each.object, each.field))

    def refuse_unfit(self, name: str, each: str | None) -> None:
        """MissingInOrg where a key names a field of a kind that it may not: without it more or less would count."""
        if (self._part, name, each) in self.unfit:
            raise MissingInOrg

    @property
    def _part(self) -> str:
        """The key of the mapping under which the setting stands."""
        return self.setting.split(" ")[0].split(".")[0]

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
            if (self._part, name, each) in self.unfit:
                continue  # which was told
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
        """What describe says of a field, also through parents.

        None where it is absent, not readable, or of another kind than the key that names it may mean.
        """
        if (self._part, name, path) in self.unfit:
            return None
        head, _, rest = path.partition(".")
        described = self.org.describe(name) or {}
        if not rest:
            return described.get(head)
        parents = [parent for each in described.values() if each.relationship == head for parent in each.parents]
        return next((found for parent in parents if (found := self.find(parent, rest)) is not None), None)

    def known(self, name: str, each: str, values: Iterable[str], setting: str = "") -> tuple[str, ...]:
        """The values, and a note on those that the field's picklist doesn't have; none where it has none of them.

        What was taken off the list still stands in records, so it is looked for beside the others. Values compare
        without regard to case, as in the org's own queries.
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
            labels = [
                f"; {value!r} is how {found.labels[value]!r} is shown" for value in absent if value in found.labels
            ]
            self.note(
                f"{place}{', '.join(map(repr, absent))} {noun} of {name}.{each}, which has {shown}{''.join(labels)}"
            )
        return wanted if len(absent) < len(wanted) else ()

    def only(self, name: str, part: Only | None) -> RowCondition | None:
        """The condition that `only` means; MissingInOrg where its field is absent, no text, or knows no such value.

        Values compare without regard to case. A field that the org can't filter by is read, and decided here.
        """
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
        return self.listed(name, part.field, values)

    def listed(self, name: str, each: str, values: Iterable[str]) -> RowCondition:
        """The field is one of the values, whatever their case; null is none of them."""
        wanted = tuple(values)
        folded = {value.casefold() for value in wanted}
        return RowCondition(
            f"{each} IN {in_list(wanted)}" if self.filterable(name, each) else None,
            (each,),
            lambda row: str(at(row, each) or "").casefold() in folded,
            f"{each} has another value",
            values=True,
        )

    def compare(self, name: str, each: str, operator: Operator, moment: datetime, *, null: bool) -> RowCondition:
        """The date or time of a field against an instant. `null` says what an empty field means: it meets it, or not.

        SOQL drops a null in every comparison, so it is asked for where it counts.
        """
        text = f"{each} {operator} {self.bound(name, each, moment)}"
        found = self.find(name, each)
        is_date = found is not None and found.type == "date"
        edge = self.day(moment) if is_date else moment

        def holds(row: Row) -> bool:
            value = at(row, each)
            if value is None:
                return null
            there: Any = _read(str(value), is_date=is_date)
            return there is None or _compared(there, operator, edge)  # what can't be read is judged by who reads it

        asked = f"{each} = null OR {text}" if null else text
        return RowCondition(asked if self.filterable(name, each) else None, (each,), holds)

    def filterable(self, name: str, each: str) -> bool:
        """Whether a field may stand in WHERE; a note tells where it may not."""
        found = self.find(name, each)
        if found is None or found.filterable:
            return True
        self.note(f"{name}.{each} is a {found.type} that the org can't filter by: all rows are read")
        return False

    # --- rows ---

    def rows(
        self,
        name: str,
        fields: Iterable[str | None],
        *conditions: str | RowCondition | None,
        archived: bool = False,
        deleted: bool = False,
    ) -> Iterator[Row]:
        """The rows of an object that meet all conditions, each counted for the table that is being read.

        `archived`: also those that the org has put away (Event, Task, histories). `deleted`: these too, and what lies
        in the bin. MissingInOrg, with a note, where the org knows one of the
        names not; a `where` text that it doesn't take is a ConfigurationError; a value of another type than describe
        says is an UnexpectedAnswer.
        """
        wanted = [_as_condition(each, self.own_texts) for each in conditions if each]
        if archived and not deleted:
            wanted.append(RowCondition("IsDeleted = false"))
        here = [each for each in wanted if each.text is None]
        asked = [each for each in (*fields, *(each for one in here for each in one.fields)) if each]
        selected = dict.fromkeys([*asked, *self._keys_of_parents(name, asked), "Id"])
        check = FieldCheck.of(name, {each: self.find(name, each) for each in selected})
        tally = self.tally
        for row in check.held(self._asked(name, selected, wanted, archived=archived or deleted)):
            tally.came += 1
            refused = next((each for each in here if not each.holds(row)), None)
            if refused is None:
                yield row
            elif refused.rule is None:
                tally.outside += 1
            else:
                tally.left_out[refused.rule] += 1

    def _keys_of_parents(self, name: str, fields: Iterable[str]) -> Iterator[str]:
        """The fields that hold the ids of the parents that are read, so that a parent that is hidden can be told."""
        for each in fields:
            yield from (".".join(key) for key, _parent in self._parents(name, each))

    def _parents(self, name: str, path: str) -> list[tuple[list[str], list[str]]]:
        """Each parent on a path, as the way to the field that holds its id and the way to itself."""
        if (name, path) not in self._ways:
            words, owners, found = path.split("."), [name], []
            for depth, word in enumerate(words[:-1]):
                keys = [each for owner in owners for each in self._fields(owner) if each.relationship == word]
                found += [([*words[:depth], keys[0].name], words[: depth + 1])] if keys else []
                owners = [parent for each in keys for parent in each.parents]
            self._ways[name, path] = found
        return self._ways[name, path]

    def _fields(self, name: str) -> Iterable[Field]:
        return (self.org.describe(name) or {}).values()

    def hidden(self, name: str, row: Row, path: str) -> bool:
        """Whether a parent on the path is one that our user can't see: its id is there, and itself is null."""
        return any(
            at(row, ".".join(parent)) is None and at(row, ".".join(key)) is not None
            for key, parent in self._parents(name, path)
        )

    def _asked(
        self, name: str, selected: Iterable[str], conditions: list[RowCondition], *, archived: bool
    ) -> Iterator[Row]:
        try:
            yield from self.org.query(_soql(name, selected, conditions), name, archived=archived)
        except (UnknownName, RefusedQuery) as error:
            self._blame(name, selected, conditions, error)

    def _blame(self, name: str, selected: Iterable[str], conditions: list[RowCondition], error: AccessError) -> None:
        """Whose fault a refused query is: the same query without the mapping's own texts and values is asked first."""
        doubtful = [each for each in conditions if each.values]
        sure = [each for each in conditions if not each.values]

        def refused(*more: RowCondition) -> AccountpulseError | None:
            try:
                list(self.org.query(f"{_soql(name, selected, [*sure, *more])} LIMIT 1", name))
            except (UnknownName, RefusedQuery) as again:
                return again
            return None

        if not doubtful or refused() is not None:
            if isinstance(error, RefusedQuery):
                raise error
            self.note(f"the org doesn't know a name in our query of {name}, which its describe has shown")
            raise MissingInOrg from None
        for each in doubtful:
            found = refused(each)
            key = self.own_texts.get(each.text or "")
            if found is not None and key is None:
                self.note(f"only: the org doesn't take its values for {name}.{each.fields[0]}")
            elif isinstance(found, UnknownName):
                self.note(f"a name in the `where` text for {name} {UNREADABLE}, or can't filter by it")
            elif found is not None:
                problem = f"{key}: the org doesn't take this text as a condition on {name}; {WHERE_HELP}"
                raise ConfigurationError("accountpulse.yaml", [problem]) from None
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
        try:
            return None if value is None else self.instant(str(value))
        except ValueError:
            self._unreadable(account, "a date or time is not ISO 8601")
            return None

    def instant(self, text: str) -> datetime:
        """A date (its first instant in the period's zone) or a time, in UTC; a ValueError for what is neither."""
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), ZoneInfo(self.scope.period.zone)).astimezone(UTC)
        return datetime.fromisoformat(text).astimezone(UTC)

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


def _as_condition(given: str | RowCondition, own: Mapping[str, str]) -> RowCondition:
    return given if isinstance(given, RowCondition) else RowCondition(given, values=given in own)


def _soql(name: str, selected: Iterable[str], conditions: Iterable[RowCondition]) -> str:
    # names were checked against describe, values quoted by format_soql; `where` is the administrator's own text
    where = " AND ".join(f"({each.text})" for each in conditions if each.text is not None)
    return f"SELECT {', '.join(selected)} FROM {name}{f' WHERE {where}' if where else ''}"  # noqa: S608


def _read(text: str, *, is_date: bool) -> date | datetime | None:
    """A date, or an aware time; None: it is none."""
    try:
        return date.fromisoformat(text[:10]) if is_date else datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _compared(one: Any, operator: Operator, other: Any) -> bool:
    return bool({"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator])


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
    if "." not in path:
        return row.get(path)
    value: Any = row
    for name in path.split("."):
        if value is None:
            return None
        value = value.get(name)
    return value
