"""One account of the crooked world's org while it is bent, and what a list of things to bend is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, TypeAlias

from accountpulse.sandbox.world.model import FieldDef, Salesforce
from accountpulse.sandbox.world.org import record_id
from accountpulse.sandbox.world.org_builder import Row
from accountpulse.sandbox.world.plans import Calendar, Plan

CORPORATE, OTHER = "USD", "EUR"
YEAR = timedelta(days=365)


def empty(field: FieldDef) -> Any:
    """What a field holds that nothing was written to."""
    return False if field.type == "boolean" else None


@dataclass
class Bending:
    """One account of the org while it is bent."""

    org: Salesforce
    calendar: Calendar
    plan: Plan
    account: Row
    numbers: "count[int]"

    @property
    def end(self) -> date:
        """The day of as_of."""
        return self.calendar.month_end.date()

    @property
    def account_id(self) -> str:
        """Its id."""
        return str(self.account["Id"])

    def rows(self, name: str, key: str = "AccountId") -> list[Row]:
        """Its rows of an object."""
        return [row for row in self.org.objects[name].rows if row[key] == self.account_id]

    def drop(self, name: str, test: Callable[[Row], bool], key: str = "AccountId") -> None:
        """Take rows of it away."""
        kind = self.org.objects[name]
        kind.rows[:] = [row for row in kind.rows if row[key] != self.account_id or not test(row)]

    def add(self, name: str, created: datetime | None = None, **values: Any) -> Row:
        """A new record of an object; of the account, unless another is named."""
        kind = self.org.objects[name]
        row: Row = {field.name: empty(field) for field in kind.fields.values()}
        row["Id"] = record_id(kind.key_prefix, next(self.numbers))
        for field in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            row[field] = created or self.calendar.start
        key = "Account__c" if "Account__c" in kind.fields else "AccountId"
        values = values if key in values or key not in kind.fields else {key: self.account_id, **values}
        if unknown := set(values) - set(row):
            raise KeyError(f"{name} has no {sorted(unknown)}")
        row.update(values)
        kind.rows.append(row)
        return row

    def at(self, days: float) -> datetime:
        """So many days before as_of."""
        return self.calendar.month_end - timedelta(days=days)

    def day(self, days: int) -> date:
        """So many days before the day of as_of."""
        return self.end - timedelta(days=days)


Bend: TypeAlias = Callable[[Bending], bool | None]  # False: this account has nothing to bend there
Kinds: TypeAlias = list[tuple[str, Bend | None]]  # what happens to the accounts in turn; None: nothing
