"""What a single row says: whose it is, whether it lies in the window, and what a value of it means."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.ids import looks_like_an_id
from accountpulse.core.period import Window
from accountpulse.systems.salesforce.field_check import ODD_RECORD, Row
from accountpulse.systems.salesforce.queries import OrgReading, at

AccountRows = Sequence[Mapping[str, Any]]  # the accounts that are scored, as they were read
HIDDEN = "records whose {} our user may not see: whose they are can't be known"


def account_of(reading: OrgReading, name: str, row: Row, path: str) -> Any:
    """The account that the row belongs to; null: nobody's, which is told where it is only hidden from our user.

    UnexpectedAnswer where it is no record id.
    """
    account = at(row, path)
    if account is None:
        if reading.hidden(name, row, path):
            reading.unknown(None, (), "not_visible", HIDDEN.format(path.split(".", maxsplit=1)[0]))
    elif not looks_like_an_id(str(account)):
        what = f"{name}.{path} of {row.get('Id')} is no record id"
        raise UnexpectedAnswer("salesforce", f"querying {name}", what, ODD_RECORD)
    return account


def may_lie_in(reading: OrgReading, row: Row, window: Window) -> bool:
    """Whether something that bears no date of its own may have happened in the window.

    It lies between the making of its record and the last change to it: Salesforce keeps both of every record.
    """
    made, changed = (reading.moment(at(row, name), None) for name in ("CreatedDate", "LastModifiedDate"))
    return not ((made is not None and made >= window.end) or (changed is not None and changed < window.start))


def means(value: Any, wanted: Iterable[str]) -> bool:
    """Whether a text or picklist value is one of these, whatever its case; null is none."""
    return value is not None and str(value).strip().casefold() in {each.strip().casefold() for each in wanted}


def unlisted(reading: OrgReading, name: str, each: str, value: Any) -> bool:
    """Whether a picklist's value is one that the org no longer lists, so that nobody can say what it means."""
    found = reading.find(name, each)
    if value is None or found is None or not found.active:
        return False
    return str(value).strip().casefold() not in {active.casefold() for active in found.active}
