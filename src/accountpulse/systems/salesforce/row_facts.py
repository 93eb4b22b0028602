"""What a single row says: whose it is, whether it lies in the window, and what a value of it means."""

from collections.abc import Iterable
from typing import Any

from accountpulse.core.period import Window
from accountpulse.systems.salesforce.queries import OrgReading, Row, at

HIDDEN = "records whose {} our user may not see: whose they are can't be known"
UNLISTED = "has a value that the org no longer lists"


def account_of(reading: OrgReading, name: str, row: Row, path: str) -> Any:
    """The account that the row belongs to; null: nobody's, which is told where it is only hidden from our user."""
    account = at(row, path)
    if account is None and reading.hidden(name, row, path):
        reading.unknown(None, (), "not_visible", HIDDEN.format(path.split(".", maxsplit=1)[0]))
    return account


def may_lie_in(reading: OrgReading, row: Row, window: Window) -> bool:
    """Whether something that bears no date of its own may have happened in the window.

    It lies between the making of its record and the last change to it: Salesforce keeps both of every record.
    """
    made, changed = (reading.moment(at(row, name), None) for name in ("CreatedDate", "LastModifiedDate"))
    return not ((made is not None and made >= window.end) or (changed is not None and changed < window.start))


def means(value: Any, wanted: Iterable[str]) -> bool:
    """Whether a text or picklist value is one of these, whatever its case; of several values in one, whether any is.

    Null is none of them. Multi-select picklists hold their values with `;` between them.
    """
    if value is None:
        return False
    there = {each.strip().casefold() for each in (str(value), *_several(value))}
    return any(each.strip().casefold() in there for each in wanted)


def unlisted(reading: OrgReading, name: str, each: str, value: Any) -> bool:
    """Whether a picklist's value is one that the org no longer lists, so that nobody can say what it means."""
    found = reading.find(name, each)
    if value is None or found is None or not found.active:
        return False
    listed = {active.casefold() for active in found.active}
    parts = _several(value) if found.type == "multipicklist" else (str(value),)
    return any(part.strip().casefold() not in listed for part in parts)


def _several(value: Any) -> tuple[str, ...]:
    return tuple(str(value).split(";"))
