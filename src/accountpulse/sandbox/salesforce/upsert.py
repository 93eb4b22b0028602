"""Upserts by external id, each record with its own result; and the collections call, up to 200 records of JSON.

REST API Developer Guide, "Upsert Records Using sObject Collections". What is no well-formed request is refused whole
(400); what the org's data or rules refuse is refused record by record, in a 200.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from accountpulse.sandbox.salesforce.behaviour import SalesforceBehaviour
from accountpulse.sandbox.salesforce.data import ApiError, not_found
from accountpulse.sandbox.salesforce.soql.errors import SoqlError
from accountpulse.sandbox.salesforce.soql.schema import Parents, Row, Schema
from accountpulse.sandbox.salesforce.soql.values import NUMBERS
from accountpulse.sandbox.world.model import FieldDef, SObject
from accountpulse.sandbox.world.org import long_id, record_id

MOST_RECORDS = 200
FIRST_NEW = 1_000_000  # number of the first id given to a new record, above those that the world gave

_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)


@dataclass
class Prepared:
    """One record of the request: the row that it meets, if any, what it would change, and what is wrong."""

    row: Row | None
    changes: Row
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, code: str, message: str, *fields: str) -> None:
        """One thing that is wrong with it."""
        self.errors.append({"statusCode": code, "message": message, "fields": list(fields)})


@dataclass(frozen=True)
class _Request:
    """One call: what is written, the rows that it may meet by folded key, and how often each key is given."""

    sobject: SObject
    key: FieldDef
    existing: dict[str, Row]
    times: Counter[str]
    parents: Parents


class Upserter:
    """Writes to the org's objects."""

    def __init__(self, schema: Schema, behaviour: SalesforceBehaviour, now: Callable[[], datetime]) -> None:
        """`behaviour` holds the faults that a test plans."""
        self._schema = schema
        self._behaviour = behaviour
        self._now = now

    def upsert(self, object_name: str, key_name: str, body: bytes) -> list[dict[str, Any]]:
        """The results in the order of the records; ApiError 400 or 404 refuses the whole call."""
        sobject, key = self.target(object_name, key_name)
        records, all_or_none = envelope(body)
        changes = [self.typed_record(sobject, record) for record in records]
        return self.write(sobject, key, changes, all_or_none=all_or_none)

    def target(self, object_name: str, key_name: str) -> tuple[SObject, FieldDef]:
        """The object and its external id field; ApiError 404 where they aren't."""
        try:
            sobject = self._schema.sobject(object_name)
            key = self._schema.field(sobject, key_name)
        except SoqlError:
            raise not_found() from None
        if not key.external_id:
            text = f"Provided external ID field does not exist or is not accessible: {key_name}"
            raise ApiError(404, "NOT_FOUND", text)
        return sobject, key

    def write(
        self, sobject: SObject, key: FieldDef, changes: list[Row], *, all_or_none: bool = False
    ) -> list[dict[str, Any]]:
        """Check and store changes, values by canonical field name; a field that isn't named keeps its value."""
        existing = {str(row[key.name]).casefold(): row for row in sobject.rows if row.get(key.name)}
        times = Counter(_folded(change.get(key.name)) for change in changes)
        request = _Request(sobject, key, existing, times, Parents())
        prepared = [self._prepare(request, change) for change in changes]
        if all_or_none and any(one.errors for one in prepared):
            for one in prepared:
                if not one.errors:
                    text = "Record rolled back because not all records were valid and the request was using AllOrNone"
                    one.refuse("ALL_OR_NONE_OPERATION_ROLLED_BACK", f"{text} header")
        return [self.apply(sobject, one) for one in prepared]

    def typed_record(self, sobject: SObject, record: Any) -> Row:
        """The record's values in our types, by canonical field name; 400 for a field or a type that is not there."""
        if not isinstance(record, dict):
            raise _unreadable("each record must be an object")
        given = dict(record)
        kind = given.pop("attributes", None)
        if not isinstance(kind, dict) or kind.get("type") != sobject.name:
            raise ApiError(400, "INVALID_TYPE", f"each record needs attributes with the type {sobject.name}")
        changes: Row = {}
        for name, value in given.items():
            if name.lower() == "id":
                raise ApiError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
            try:
                definition = self._schema.field(sobject, name)
            except SoqlError:
                text = f"No such column '{name}' on sobject of type {sobject.name}"
                raise ApiError(400, "INVALID_FIELD", text) from None
            changes[definition.name] = typed(definition, value)
        return changes

    def _prepare(self, request: _Request, changes: Row) -> Prepared:
        key = request.key
        folded = _folded(changes.get(key.name))
        one = Prepared(request.existing.get(folded), changes)
        if not folded:
            one.refuse("MISSING_ARGUMENT", f"{key.name} not specified")
        elif request.times[folded] > 1:
            one.refuse("DUPLICATE_VALUE", f"Duplicate external id specified: {changes[key.name]}", key.name)
        self.examine(request.sobject, one, request.parents, key.name)
        return one

    def examine(self, sobject: SObject, one: Prepared, parents: Parents, key: str | None = None) -> None:
        """What the fields, the records that are pointed at and the org's rules have against one record."""
        fields, changes = sobject.fields, one.changes
        for name, value in changes.items():
            _check(fields[name], value, one)
            if value is not None and fields[name].reference_to:
                self._check_reference(fields[name], value, parents, one)
        required = [f.name for f in fields.values() if f.required and f.writable and f.name != key]
        before = one.row or {}
        after = {**before, **changes}
        missing = [name for name in required if after.get(name) is None]
        if missing:
            one.refuse("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing)
        accounts = {long_id(after.get(f.name) or "") for f in fields.values() if f.reference_to == "Account"}
        if not one.errors and accounts & self._behaviour.refused:  # the org's own rules come last, at every change
            one.refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", "This account is closed for scores")

    def _check_reference(self, definition: FieldDef, value: str, parents: Parents, one: Prepared) -> None:
        """The record that is pointed at must be there, and may be locked by plan."""
        if not _ID.fullmatch(value):
            one.refuse("MALFORMED_ID", f"{definition.label}: id value of incorrect type: {value}", definition.name)
            return
        if value in self._behaviour.unseen:  # the org names no field
            text = f"insufficient access rights on cross-reference id: {value[:15]}"
            one.refuse("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", text)
            return
        target = self._schema.sobject(definition.reference_to or "")
        found = parents.index(target).get(value[:15])
        if found is None:
            one.refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", definition.name)
        elif found.get("IsDeleted"):
            one.refuse("ENTITY_IS_DELETED", "entity is deleted", definition.name)
        elif self._behaviour.locked.get(long_id(value), 0) > 0:
            self._behaviour.locked[long_id(value)] -= 1
            text = f"unable to obtain exclusive access to this record or 1 records: {long_id(value)}"
            one.refuse("UNABLE_TO_LOCK_ROW", text)

    def apply(self, sobject: SObject, one: Prepared) -> dict[str, Any]:
        """Store it, unless something is wrong with it; its result."""
        if one.errors:
            return {"success": False, "created": False, "errors": one.errors}
        at = self._now().astimezone(UTC).replace(microsecond=0)
        created = one.row is None
        if one.row is None:
            one.row = {f.name: False if f.type == "boolean" else None for f in sobject.fields.values()}
            one.row |= {"Id": record_id(sobject.key_prefix, FIRST_NEW + len(sobject.rows)), "CreatedDate": at}
            sobject.rows.append(one.row)
        one.row |= {**one.changes, "LastModifiedDate": at, "SystemModstamp": at}
        return {"id": one.row["Id"], "success": True, "created": created, "errors": []}


def envelope(body: bytes) -> tuple[list[Any], bool]:
    """The records of a collections call, and whether it is all or none; ApiError 400 where it is no such call."""
    try:
        content = json.loads(body, parse_constant=_no_constant)
    except (ValueError, UnicodeDecodeError):
        raise _unreadable("the body is not JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("records"), list):
        raise _unreadable("the body must be an object with a list of records")
    unknown = set(content) - {"records", "allOrNone"}
    if unknown:
        raise _unreadable(f'Unrecognized field "{min(unknown)}"')
    if len(content["records"]) > MOST_RECORDS:
        text = f"record limit reached. cannot submit more than {MOST_RECORDS} records into this call"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", text)
    return content["records"], content.get("allOrNone") is True


def _no_constant(name: str) -> Any:
    """NaN and the infinities are Python's, not JSON's."""
    raise ValueError(name)


def _unreadable(message: str) -> ApiError:
    return ApiError(400, "JSON_PARSER_ERROR", message)


def typed(definition: FieldDef, value: Any) -> Any:
    """A JSON value in the type that rows hold; 400 where the type is wrong. Text is trimmed, and empty text is null.

    Digits behind a number's scale are cut off without a word; SOAP API Developer Guide, "Field", `scale`.
    """
    kind = definition.type
    if value is None:
        return False if kind == "boolean" else None
    if kind in NUMBERS:
        right = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        right = isinstance(value, bool if kind == "boolean" else str)
    if not right:
        raise _wrong_type(definition, value)
    if kind in ("date", "datetime"):
        return _moment(definition, value)
    if kind in NUMBERS:
        return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-definition.scale), ROUND_DOWN))
    if kind == "reference":
        return long_id(value) if _ID.fullmatch(value) else value
    return value.strip() or None if isinstance(value, str) else value


def _moment(definition: FieldDef, text: str) -> date | datetime:
    try:
        if definition.type == "date":
            return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong_type(definition, text) from None
    if moment.tzinfo is None:
        raise _wrong_type(definition, text)
    return moment.astimezone(UTC)


def _wrong_type(definition: FieldDef, value: Any) -> ApiError:
    return _unreadable(f"Cannot deserialize instance of {definition.type} ({definition.name}) from {json.dumps(value)}")


def _check(definition: FieldDef, value: Any, one: Prepared) -> None:
    """What the field itself refuses: not writable, too long, too large, not in the picklist."""
    name, label = definition.name, definition.label
    if not definition.writable:
        text = f"Unable to create/update fields: {name}. Please check the security settings of this field"
        one.refuse("INVALID_FIELD_FOR_INSERT_UPDATE", text, name)
    elif isinstance(value, str) and definition.type != "reference" and len(value) > definition.length > 0:
        text = f"{label}: data value too large: {value[:60]} (max length={definition.length})"
        one.refuse("STRING_TOO_LONG", text, name)
    elif definition.restricted and value is not None and value not in definition.values:
        text = f"{label}: bad value for restricted picklist field: {value}"
        one.refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, name)
    elif (
        definition.type in NUMBERS
        and value is not None
        and not abs(value) < 10 ** (definition.precision - definition.scale)
    ):
        text = f"{label}: value outside of valid range on numeric field: {value}"
        one.refuse("NUMBER_OUTSIDE_VALID_RANGE", text, name)


def _folded(key: Any) -> str:
    return str(key).casefold() if key else ""
