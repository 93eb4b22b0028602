"""The CSM's pulse of each account, and the changes of its owner since: what to ask, and what the rows mean."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from accountpulse.core.errors import AccessError, UnexpectedAnswer
from accountpulse.core.ids import to_18
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.pulse_settings import COLOURS, PulseField, PulseRecords
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, Rows, at, text
from accountpulse.systems.salesforce.row_facts import AccountRows, account_of, counted, means, on_one_line, value_text
from accountpulse.systems.salesforce.staff import StaffNames, is_staff_id

ACCOUNT, HISTORY = "Account", "AccountHistory"
OWNER = {"OwnerId": "Owner"}  # how the history calls it: Object Reference, "AccountHistory"
REACH = timedelta(days=120)  # a pulse that is older says nothing, whoever owns the account
SHOWN = 5  # values that a note lists
REASON = 255  # characters that are kept of why a pulse was given
LONG_AGO = datetime.min.replace(tzinfo=UTC)
USUAL = ("Pulse__c", "Pulse_Date__c")  # one of them is there where ours was deployed
PulsePart = PulseField | PulseRecords


def pulse_fields(reading: OrgReading, part: PulsePart | None, staff: StaffNames) -> tuple[str, ...]:
    """What is asked for with the accounts: the fields of the pulse that are there."""
    if not isinstance(part, PulseField):
        return ()
    names = (part.value, part.date, part.author, part.reason, *staff.fields(ACCOUNT, part.author))
    return tuple(name for name in names if name is not None and reading.find(ACCOUNT, name) is not None)


def pulses(reading: OrgReading, part: PulsePart, accounts: AccountRows, staff: StaffNames) -> Rows:
    """Rows of PULSES, `author` as `StaffNames` holds it.

    Where the org lacks what the mapping names, the pulse of every account is `unread`. Where it has none of the fields
    that we only suppose, there are no pulses.
    """
    if part == PulseField() and not any(reading.find(ACCOUNT, each) for each in USUAL):
        return []
    name = ACCOUNT if isinstance(part, PulseField) else part.object
    try:
        _need(reading, part, name)
        given = _Pulses(reading, part, name, staff)
        return list(given.of_accounts(accounts) if isinstance(part, PulseField) else given.of_records(part, accounts))
    except MissingInOrg:
        pass
    except (AccessError, UnexpectedAnswer) as error:  # what stands beside the score must not cost it
        reading.note(f"the pulses can't be read: {' '.join(str(error).split())}")
    reading.drop()
    return [_pulse(row["Id"], doubt="unread") for row in accounts]


def _need(reading: OrgReading, part: PulsePart, name: str) -> None:
    """MissingInOrg where there is no such field, or it has no value of any colour."""
    reading.need(name, part.value)
    known = [reading.known(name, part.value, getattr(part, colour), colour) for colour in COLOURS]
    if not any(known):
        raise MissingInOrg


def _pulse(account: Any, doubt: Literal["unclear", "unread"] | None = None, **values: Any) -> Mapping[str, Any]:
    """A row of PULSES."""
    nothing = dict.fromkeys(("colour", "given_at", "author", "author_id", "reason"))
    return {"account_id": account, **nothing, **values, "doubt": doubt}


@dataclass
class _Pulses:
    """The pulses of an object's records, and why some of them are unclear."""

    reading: OrgReading
    part: PulsePart
    name: str
    staff: StaffNames
    strange: Counter[str] = field(default_factory=Counter)  # values that no colour lists
    unclear: list[str] = field(default_factory=list)  # accounts that have one of these
    later: list[str] = field(default_factory=list)  # accounts whose pulse was given after as_of
    undated: list[str] = field(default_factory=list)  # or when nobody can say

    def of_accounts(self, accounts: AccountRows) -> Iterator[Mapping[str, Any]]:
        """The pulse that stands in each account's fields."""
        shown = [each for each in (self.part.date, self.part.author, self.part.reason) if each and self._shows(each)]
        for row in accounts:
            if value_text(at(row, self.part.value)):
                yield self._read(row["Id"], row, shown)
        self._tell()

    def of_records(self, part: PulseRecords, accounts: AccountRows) -> Iterator[Mapping[str, Any]]:
        """The last pulse that was given of each account before as_of."""
        reading, ours = self.reading, {row["Id"] for row in accounts}
        reading.need(self.name, part.account, part.date)
        shown = [part.date, *(each for each in (part.author, part.reason) if each and self._shows(each))]
        made = "CreatedDate" if reading.find(self.name, "CreatedDate") else None
        before = reading.compare(self.name, part.date, "<", reading.scope.as_of, null=True)
        fields = (part.account, part.value, *shown, made, *self.staff.fields(self.name, part.author))
        last: dict[str, tuple[tuple[datetime, datetime], list[Row]]] = {}
        for row in reading.rows(self.name, fields, before, reading.only(self.name, part.only), part.where):
            account = account_of(reading, self.name, row, part.account)
            if account is None or (key := to_18(str(account))) not in ours or not value_text(at(row, part.value)):
                reading.leave_out("of no customer, or without a value")
                continue
            given = self._instant(at(row, part.date))
            if given is None and key not in self.undated:
                self.undated.append(key)  # it may be newer than the one that counts
            when = (given or LONG_AGO, self._instant(at(row, made or "")) or LONG_AGO)
            newest, tied = last.get(key, (when, []))
            reading.leave_out("older than another pulse of the account", int(bool(tied)))
            if when > newest or not tied:
                last[key] = (when, [row])
            elif when == newest:
                tied.append(row)
        for key, (_, tied) in last.items():
            same = {self._colour(row) for row in tied}
            yield self._read(key, tied[0], shown) if len(same) == 1 else _pulse(key, "unclear")
        self._tell()

    def _shows(self, each: str) -> bool:
        """Whether a field that no colour rests on can be read; one that we only suppose may be missing without a word.

        But the date: without it no pulse counts.
        """
        usual = (PulseField().author, PulseField().reason, "CreatedById")
        if each in usual and self.reading.find(self.name, each) is None:
            return False
        return self.reading.has(self.name, each)

    def _read(self, account: str, row: Row, shown: list[str]) -> Mapping[str, Any]:
        part, colour = self.part, self._colour(row)
        written = at(row, part.date) if part.date in shown else None
        given = self._instant(written)
        if colour is None:
            self.strange[value_text(at(row, part.value))] += 1
            self.unclear.append(account)
            return _pulse(account, "unclear")
        if given is not None and given >= self.reading.scope.as_of:
            self.later.append(account)
            return _pulse(account, "unclear")
        if given is None and account not in self.undated:
            self.undated.append(account)
        author = part.author if part.author in shown else None
        reason = at(row, part.reason) if part.reason in shown and part.reason is not None else None
        return _pulse(
            account,
            colour=colour,
            given_at=given,
            author=self.staff.held(self.name, author, row),
            reason=on_one_line(reason, REASON),
        )

    def _colour(self, row: Row) -> str | None:
        value = value_text(at(row, self.part.value))
        return next((each for each in COLOURS if means(value, getattr(self.part, each))), None)

    def _instant(self, value: Any) -> datetime | None:
        """A date or a time; null for what is neither: it must not cost the account its score."""
        try:
            return None if value is None else self.reading.instant(str(value))
        except ValueError:
            return None

    def _tell(self) -> None:
        reading = self.reading
        if self.strange:
            found = reading.find(self.name, self.part.value)
            known = () if found is None else found.picklist  # anything else may be somebody's own words
            shown = [value for value, _ in self.strange.most_common() if value in known]
            values = ", ".join(map(repr, shown[:SHOWN]))
            what = f"a pulse that green, yellow and red don't list{f' ({values})' if values else ''} is unclear"
            reading.note(f"{what}: {counted(self.unclear)}")
        if self.later:
            what = "a pulse that was given after the time that is measured is unclear, since it hides the one before"
            reading.note(f"{what}: {counted(self.later)}")
        if self.undated:
            reading.note(f"a pulse without a date doesn't count: {counted(self.undated)}")


def owner_changes(reading: OrgReading, owner: str, accounts: AccountRows) -> Rows:
    """Rows of OWNER_CHANGES since the first day that a pulse can be of. MissingInOrg where the org has no such history.

    A change of a lookup has two rows, one with the ids and one with the names (Object Reference,
    "StandardObjectNameHistory").
    """
    if "." in owner:
        return []
    ours = {row["Id"] for row in accounts}
    reading.need(HISTORY, "AccountId", "Field", "NewValue", "CreatedDate")
    since = reading.compare(HISTORY, "CreatedDate", ">=", reading.scope.as_of - REACH, null=False)
    named = f"Field = {text(OWNER.get(owner, owner))}"
    found: dict[tuple[str, datetime], str | None] = {}
    for row in reading.rows(HISTORY, ("AccountId", "NewValue", "CreatedDate"), named, since, archived=True):
        account, at_ = account_of(reading, HISTORY, row, "AccountId"), reading.moment(row["CreatedDate"], None)
        if account is None or at_ is None or (key := (to_18(str(account)), at_))[0] not in ours:
            reading.leave_out("a change of owner of no customer")
            continue
        new = str(row["NewValue"] or "")
        reading.leave_out("the name of an owner, beside the id", int(key in found))
        found[key] = to_18(new) if is_staff_id(new) else found.get(key)
    return [{"account_id": account, "at": moment, "owner_id": new} for (account, moment), new in found.items()]
