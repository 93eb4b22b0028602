"""The org while it fills: every record that the world adds to it goes through here."""

from datetime import date, datetime
from itertools import count
from random import Random
from typing import Any

from accountpulse.sandbox.world.org import empty_objects, record_id
from accountpulse.sandbox.world.plans import Calendar

PREFIXES = {
    "Account": "001", "Contact": "003", "Opportunity": "006", "Case": "500", "Contract": "800", "Event": "00U",
    "Task": "00T", "OpportunityContactRole": "00K", "AccountHistory": "017", "User": "005", "Churn_Signal__c": "a0S",
    "Organization": "00D",
}  # fmt: skip
Row = dict[str, Any]


class OrgBuilder:
    """The org while it fills."""

    def __init__(self, seed: int, calendar: Calendar) -> None:
        """The org's schema, and a counter an object type."""
        self.calendar = calendar
        self.objects = empty_objects()
        self.numbers = {name: count(10_000) for name in self.objects}
        self.rng = Random(f"salesforce {seed}")

    @property
    def end(self) -> date:
        """The day of as_of of a run for the last complete month."""
        return self.calendar.month_end.date()

    def add(self, name: str, created: datetime | None = None, **values: Any) -> Row:
        """A new record; fields that aren't named are empty, flags are false."""
        kind = self.objects[name]
        row: Row = {field.name: False if field.type == "boolean" else None for field in kind.fields.values()}
        created = created or self.calendar.start
        row["Id"] = record_id(PREFIXES[name], next(self.numbers[name]))
        for field in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            if field in row:
                row[field] = created
        unknown = set(values) - set(row)
        if unknown:
            raise KeyError(f"{name} has no {sorted(unknown)}")
        row.update(values)
        kind.rows.append(row)
        return row
