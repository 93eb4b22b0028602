"""Values of fields: how they compare with what a query says, and how they look in an answer."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from accountpulse.sandbox.salesforce.soql.errors import SoqlError
from accountpulse.sandbox.salesforce.soql.syntax import Value
from accountpulse.sandbox.world.model import FieldDef

IDS = {"id", "reference"}
TEXTS = {"string", "picklist", "email", "textarea"}
NUMBERS = {"double", "currency", "percent"}

_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)
_SPOKEN = {"datetime": "dateTime"}


def literal(field: FieldDef, value: Value) -> Any:
    """What the query says, in the form in which the field's values are compared.

    INVALID_FIELD for a value of another type, with or without quotes; INVALID_QUERY_FILTER_OPERATOR for what is no id.
    """
    if field.type == "boolean":
        value = False if value is None else value
    elif value is None or (value == "" and field.type in TEXTS):
        return None
    if type(value) is not _python_type(field):
        raise wrong_type(field)
    if field.type in IDS and not _ID.fullmatch(str(value)):
        raise SoqlError("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value}")
    comparable = compared(field)
    return value if comparable is None else comparable(value)


def compared(field: FieldDef) -> Callable[[Any], Any] | None:
    """A function from a field's value to its comparable form: ids by 15 characters, text by case-folding.

    None where the value compares as it is.
    """
    if field.type in IDS:
        return lambda value: value[:15] if value else None
    if field.type in TEXTS:
        return lambda value: value.casefold() if value else None
    return bool if field.type == "boolean" else None


def as_json(field: FieldDef, value: Any) -> Any:
    """A field's value as the REST API writes it."""
    if field.type == "boolean":
        return bool(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if value is not None and field.type in NUMBERS else value


def _python_type(field: FieldDef) -> type:
    if field.type in NUMBERS:
        return float
    return {"boolean": bool, "date": date, "datetime": datetime}.get(field.type, str)


def wrong_type(field: FieldDef) -> SoqlError:
    """A value of another type than the field's."""
    quotes = "should be" if _python_type(field) is str else "should not be"
    return SoqlError(
        "INVALID_FIELD",
        f"value of filter criterion for field '{field.name}' must be of type {_SPOKEN.get(field.type, field.type)} "
        f"and {quotes} enclosed in quotes",
    )
