"""What a single row says: whose it is, whether it lies in the window, and what a value of it means."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.core.ids import looks_like_an_id
from accountpulse.core.period import Window
from accountpulse.systems.salesforce.field_check import ODD_RECORD, Row
from accountpulse.systems.salesforce.queries import OrgReading, RowCondition, at

STAGED = "LastStageChangeDate"  # Object Reference, "Opportunity": from version 52.0 on
AccountRows = Sequence[Mapping[str, Any]]  # the accounts that are scored, as they were read
HIDDEN = "the {} of a record is hidden from our user: whose it is can't be known"


def account_of(reading: OrgReading, name: str, row: Row, path: str) -> Any:
    """The account that the row belongs to; null: nobody's, which is told where it is only hidden from our user.

    So is one whose text names no record, which is reported; UnexpectedAnswer where a reference is no record id.
    """
    account = at(row, path)
    if account is None:
        if reading.hidden(name, row, path):
            reading.nobodys(row, HIDDEN.format(path.split(".", maxsplit=1)[0]))
    elif not looks_like_an_id(str(account).strip()):
        found = reading.find(name, path)
        if found is None or found.type in ("reference", "id"):
            what = f"{name}.{path} of {row.get('Id')} is no record id"
            raise UnexpectedAnswer("salesforce", f"querying {name}", what, ODD_RECORD)
        reading.nobodys(row, f"{name}.{path} is no record id: whose it is can't be known")
        return None
    return account


def open_at_as_of(reading: OrgReading) -> RowCondition:
    """Opportunities that are open now, and those that were closed after as_of: these were open then."""
    since = reading.compare("Opportunity", STAGED, ">=", reading.scope.as_of, null=False)
    known = reading.find("Opportunity", STAGED) is not None and since.text is not None
    return RowCondition(f"IsClosed = false OR {since.text}" if known else "IsClosed = false")


def closed_since(reading: OrgReading, row: Row, account: Any, metric: str) -> bool:
    """Whether an opportunity of `open_at_as_of` was closed after as_of; what it said before, nobody knows."""
    if row.get("IsClosed") is not True:
        return False
    reading.unknown(account, (metric,), "unclear", "an opportunity that was closed after as_of")
    reading.leave_out("an opportunity that was closed after as_of")
    return True


def may_lie_in(reading: OrgReading, row: Row, window: Window) -> bool:
    """Whether something that bears no date of its own may have happened in the window.

    It lies between the making of its record and the last change to it: Salesforce keeps both of every record.
    """
    made, changed = (reading.moment(at(row, name), None) for name in ("CreatedDate", "LastModifiedDate"))
    return not ((made is not None and made >= window.end) or (changed is not None and changed < window.start))


def value_text(value: Any) -> str:
    """A value as its system writes it: a number field of the org gives 4711.0 for 4711. Empty: there is none."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def on_one_line(value: Any, most: int) -> str | None:
    """People's own words on one line; the beginning of a longer text. Null: there are none."""
    said = "" if value is None else " ".join(str(value).split())
    return (said if len(said) <= most else f"{said[: most - 1].rstrip()}…") or None


def means(value: Any, wanted: Iterable[str]) -> bool:
    """Whether a text or picklist value is one of these, whatever its case; null is none."""
    return value is not None and str(value).strip().casefold() in {each.strip().casefold() for each in wanted}


def unlisted(reading: OrgReading, name: str, each: str, value: Any) -> bool:
    """Whether a picklist's value is one that the org no longer lists, so that nobody can say what it means."""
    found = reading.find(name, each)
    if value is None or found is None or not found.active:
        return False
    return str(value).strip().casefold() not in {active.casefold() for active in found.active}


def counted(accounts: Sequence[str]) -> str:
    """`12 accounts, such as 001…`."""
    return f"{len(accounts):,} account{'s' if len(accounts) > 1 else ''}, such as {accounts[0]}"
