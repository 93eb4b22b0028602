"""WHERE → a test on a row.

Null rules as in the SOQL reference, "Use null in WHERE": null equals null, differs from any value, is neither less nor
greater; a boolean that is null is false. What `!=`, NOT IN and NOT make of a null that is compared with a value, the
reference doesn't say, and people report both: a schema whose `nulls_compare` is false leaves the row out, as SQL does.
"""

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

from accountpulse.sandbox.salesforce.soql import spans
from accountpulse.sandbox.salesforce.soql.errors import SoqlError, malformed
from accountpulse.sandbox.salesforce.soql.schema import Getter, Parents, Path, Row, Schema
from accountpulse.sandbox.salesforce.soql.syntax import (
    Comparison,
    Condition,
    In,
    Junction,
    Like,
    Negation,
    Query,
    Span,
    Value,
)
from accountpulse.sandbox.salesforce.soql.values import IDS, TEXTS, compared, literal, wrong_type
from accountpulse.sandbox.world.model import FieldDef, SObject

Test: TypeAlias = Callable[[Row], bool | None]  # None: a null was compared, and nothing follows from it
SubQuery: TypeAlias = Callable[[Query], set[str]]

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Conditions:
    """Compiles the conditions of one query on one object. `ids_of` answers a query within it."""

    def __init__(self, schema: Schema, sobject: SObject, parents: Parents, ids_of: SubQuery) -> None:
        self._schema = schema
        self._sobject = sobject
        self._parents = parents
        self._ids_of = ids_of

    def test(self, condition: Condition) -> Test:
        """A function that says of a row whether the condition holds; SoqlError for what Salesforce refuses."""
        match condition:
            case Junction(word, parts):
                tests = [self.test(part) for part in parts]
                return _joined(tests, ends=word == "OR")
            case Negation(part):
                return _negated(self.test(part))
            case Like():
                return self._like(condition)
            case In():
                return self._in(condition)
            case Comparison():
                return self._compare(condition)

    def _filterable(self, dotted: str) -> Path:
        path = self._schema.path(self._sobject, dotted)
        if not path.field.filterable:
            raise SoqlError("INVALID_FIELD", f"field '{path.field.name}' can not be filtered in a query call")
        return path

    def _getter(self, path: Path) -> Getter:
        """The value in the form in which values of this field are compared."""
        raw, comparable = self._parents.getter(path), compared(path.field)
        return raw if comparable is None else lambda row: comparable(raw(row))

    def _compare(self, condition: Comparison) -> Test:
        path = self._filterable(condition.path)
        if isinstance(condition.value, Span):
            return self._within(path, condition.operator, condition.value)
        wanted = literal(path.field, condition.value)
        get = self._getter(path)
        if condition.operator == "=":
            return self._known(get, wanted, lambda value: value == wanted)
        if condition.operator == "!=":
            return self._known(get, wanted, lambda value: value != wanted)
        if path.field.type == "boolean":
            raise _wrong_operator(path.field, "boolean")
        if wanted is None:
            return lambda _row: False
        relation = _RELATIONS[condition.operator]
        return self._known(get, wanted, lambda value: value is not None and relation(value, wanted))

    def _within(self, path: Path, operator: str, span: Span) -> Test:
        """A date or a moment against a date literal; an empty one only differs from it."""
        if path.field.type not in ("date", "datetime"):
            raise wrong_type(path.field)
        now = self._schema.now()
        first, end = spans.days(span, now.date()) if path.field.type == "date" else spans.instants(span, now)
        get, holds = self._parents.getter(path), spans.holds(operator)
        return lambda row: holds(value, first, end) if (value := get(row)) is not None else operator == "!="

    def _like(self, condition: Like) -> Test:
        path = self._filterable(condition.path)
        if path.field.type not in TEXTS:
            raise _wrong_operator(path.field, path.field.type)
        get, matches = self._parents.getter(path), condition.pattern.fullmatch
        return self._known(get, "", lambda value: value is not None and matches(value) is not None)

    def _in(self, condition: In) -> Test:
        path = self._filterable(condition.path)
        wanted = self._members(path.field, condition.values)
        get = self._getter(path)
        null = None if None in wanted else ""
        if condition.negated:
            return self._known(get, null, lambda value: value not in wanted)
        return self._known(get, null, lambda value: value in wanted)

    def _known(self, get: Getter, wanted: Any, holds: Callable[[Any], bool]) -> Test:
        """The test on a row's value; None for a null that is compared with a value where nulls don't compare."""
        if self._schema.nulls_compare or wanted is None:
            return lambda row: holds(get(row))
        return lambda row: None if (value := get(row)) is None else holds(value)

    def _members(self, field: FieldDef, values: tuple[Value, ...] | Query) -> set[Any]:
        if not isinstance(values, Query):
            return {literal(field, value) for value in values}
        if field.type not in IDS:
            raise malformed(f"The field '{field.name}' of a semi join must be an id or a reference")
        return set(self._ids_of(values))


def _joined(tests: list[Test], *, ends: bool) -> Test:
    """AND and OR: the first part that is `ends` decides; else a part that is None leaves it open."""

    def test(row: Row) -> bool | None:
        left_open = False
        for part in tests:
            found = part(row)
            if found is ends:
                return ends
            left_open = left_open or found is None
        return None if left_open else not ends

    return test


def _negated(inner: Test) -> Test:
    def test(row: Row) -> bool | None:
        found = inner(row)
        return None if found is None else not found

    return test


def _wrong_operator(field: FieldDef, kind: str) -> SoqlError:
    return SoqlError("INVALID_QUERY_FILTER_OPERATOR", f"'{field.name}': invalid operator on {kind} field")
