"""Field histories: from when on one tells everything, and the changes of one record in the order they came in.

Salesforce writes a row for each change of a tracked field, from the day on which tracking was switched on, and keeps it
for 18 months, 24 by queryAll (Salesforce help, "Field History Tracking"). The time of a row has whole seconds only.
"""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise, permutations
from typing import Any
from zoneinfo import ZoneInfo

from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.queries import OrgReading, in_list, number, text
from accountpulse.systems.salesforce.settings import ArrFieldHistory, DowngradeHistory

YEAR = 365
KEPT = timedelta(days=730)  # by queryAll
REACH = timedelta(days=92)  # read along before the year: a row there proves that the field was tracked by then
MOST_AT_ONCE = 6  # changes of one field in one second that are put in order
FIRST_ORGS = datetime(1999, 1, 1, tzinfo=UTC)  # no history is older
CENT = 0.005  # amounts that differ by less are one amount

HistoryPart = ArrFieldHistory | DowngradeHistory


def history_rows(reading: OrgReading, part: HistoryPart, fields: Sequence[str]) -> list[Row]:
    """The changes of these fields over the trailing 365 days and since, and those of REACH before, which are outside.

    MissingInOrg where the org lacks the history or doesn't show it.
    """
    reading.need(part.object, part.parent, "Field", "OldValue", "NewValue", "CreatedDate")
    since = reading.compare(part.object, "CreatedDate", ">=", _start(reading) - REACH, null=False)
    named = f"Field = {text(fields[0])}" if len(fields) == 1 else f"Field IN {in_list(fields)}"
    columns = (part.parent, "Field", "OldValue", "NewValue", "CreatedDate")
    return list(reading.rows(part.object, columns, named, since, archived=True))


def of_the_year(reading: OrgReading, rows: Sequence[Row]) -> list[Row]:
    """Those of the trailing 365 days and since; the others count as outside."""
    found = [row for row in rows if _at(reading, row) >= _start(reading)]
    reading.outside(len(rows) - len(found))
    return found


def tracked_from(reading: OrgReading, part: HistoryPart, field: str, rows: Sequence[Row]) -> datetime | None:
    """From when on the history tells every change of the field; None: there is no row, and nobody says that it is kept.

    It is `tracked_since`, as far as the org still keeps rows from then, else the first row of the field in the whole
    org. What lies before the year's start needs no second query.
    """
    asked = _start(reading) - REACH  # a row from before it is none that was asked for
    times = (_at(reading, row) for row in rows if row["Field"] == field)
    early = [at for at in times if asked <= at < _start(reading)]
    if part.tracked_since is None:
        return min(early) if early else _earliest(reading, part, field)
    stated = _midnight(reading, part.tracked_since)
    kept = _org_time(reading) - KEPT
    if early or stated >= kept:
        return stated
    earliest = _earliest(reading, part, field)
    return stated if earliest is not None and earliest < _start(reading) else max(stated, kept)


def _start(reading: OrgReading) -> datetime:
    return reading.scope.trailing(YEAR).start


def _midnight(reading: OrgReading, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(reading.scope.period.zone)).astimezone(UTC)


def _at(reading: OrgReading, row: Row) -> datetime:
    """When a change was made; one that can't be read, as what nobody can order."""
    return reading.moment(row.get("CreatedDate"), None) or datetime.max.replace(tzinfo=UTC)


def _earliest(reading: OrgReading, part: HistoryPart, field: str) -> datetime | None:
    """The time of the first change of the field that the org has of any record; one before there were orgs is none."""
    soql = f"SELECT CreatedDate FROM {part.object} WHERE Field = {text(field)} AND IsDeleted = false"  # noqa: S608
    found = reading.org.query(f"{soql} ORDER BY CreatedDate LIMIT 1", part.object, archived=True)
    return next((at for row in found if (at := _at(reading, row)) >= FIRST_ORGS), None)


def _org_time(reading: OrgReading) -> datetime:
    """Now, as the org's last answer said it."""
    return datetime.now(UTC) - timedelta(seconds=reading.org.ahead or 0)


# --- the order of changes --------------------------------------------------------------------------------------


def in_order(rows: Sequence[Row], present: Any) -> list[list[Row]] | None:
    """The changes of one field of one record, by time, those of one second together in their order.

    Each must begin with what the one before ended with, and the last must end with the present value. None: they
    contradict each other or the present, or those of one second have more orders than one.
    """
    if not rows:
        return []
    seconds = [_together(list(group)) for _, group in groupby(sorted(rows, key=_time), key=_time)]
    if any(each is None for each in seconds):
        return None
    found = [each for each in seconds if each is not None]
    chain = [row for group in found for row in group]
    return found if joins(chain) and same(chain[-1]["NewValue"], present) else None


def _time(row: Row) -> str:
    return str(row["CreatedDate"])


def _together(rows: list[Row]) -> list[Row] | None:
    if len(rows) > MOST_AT_ONCE:
        return None
    orders = [list(order) for order in permutations(rows) if joins(order)]
    return orders[0] if len(orders) == 1 else None


def joins(rows: Sequence[Row]) -> bool:
    """Whether each change begins with what the one before ended with."""
    return all(same(one["NewValue"], other["OldValue"]) for one, other in pairwise(rows))


def same(one: Any, other: Any) -> bool:
    """Whether two values are one: numbers also where one is written as text, null with null."""
    amounts = number(one), number(other)
    if amounts[0] is None or amounts[1] is None:
        return bool(one == other)
    return math.isclose(amounts[0], amounts[1], rel_tol=1e-9, abs_tol=CENT)
