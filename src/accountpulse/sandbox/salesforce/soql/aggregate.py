"""GROUP BY and the functions of groups, with the cap that Salesforce has: 2,000 groups, and no second page of them."""

from collections.abc import Callable, Mapping
from typing import Any

from accountpulse.sandbox.salesforce.soql.errors import SoqlError, malformed
from accountpulse.sandbox.salesforce.soql.schema import Parents, Path, Row, Schema
from accountpulse.sandbox.salesforce.soql.syntax import Query
from accountpulse.sandbox.salesforce.soql.values import IDS, NUMBERS, TEXTS, as_json, compared
from accountpulse.sandbox.world.model import SObject

MAX_GROUPS = 2_000
GROUPABLE = {"boolean", "date"} | IDS | (TEXTS - {"textarea"})

_FUNCTIONS: Mapping[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len(set(values)),
    "SUM": lambda values: float(sum(values)) if values else None,
    "AVG": lambda values: sum(values) / len(values) if values else None,
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
}


def aggregated(
    query: Query, schema: Schema, sobject: SObject, rows: list[Row], parents: Parents
) -> list[dict[str, Any]]:
    """One AggregateResult for each group, as JSON; EXCEEDED_ID_LIMIT where there are more than one answer holds."""
    keys = [_groupable(schema.path(sobject, dotted)) for dotted in query.groups]
    for dotted in query.paths:
        if dotted.lower() not in {group.lower() for group in query.groups}:
            raise malformed(f"Field must be grouped or aggregated: {dotted}")
    if query.limit is not None and not keys:
        raise malformed("LIMIT with a function of all rows needs GROUP BY")
    getters = [(key, parents.getter(key)) for key in keys]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        values = tuple((compared(key.field) or _same)(get(row)) for key, get in getters)
        groups.setdefault(values, []).append(row)
    if not keys:
        groups = {(): rows}
    found = [_result(query, schema, sobject, members, parents) for members in groups.values()]
    found = found[query.offset or 0 :][: query.limit]
    if len(found) > MAX_GROUPS:
        text = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        raise SoqlError("EXCEEDED_ID_LIMIT", text)
    return found


def _result(query: Query, schema: Schema, sobject: SObject, rows: list[Row], parents: Parents) -> dict[str, Any]:
    result: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
    for dotted in query.paths:
        path = schema.path(sobject, dotted)
        result[path.field.name] = as_json(path.field, parents.getter(path)(rows[0]))
    for each in query.aggregates:
        path = schema.path(sobject, each.path)
        if each.function in ("SUM", "AVG") and path.field.type not in NUMBERS:
            raise malformed(f"field {each.path} does not support aggregate operator {each.function}")
        values = [value for row in rows if (value := parents.getter(path)(row)) is not None]
        outcome = _FUNCTIONS[each.function](values)
        result[each.alias] = outcome if each.function.startswith("COUNT") else as_json(path.field, outcome)
    return result


def _groupable(path: Path) -> Path:
    if path.field.type not in GROUPABLE or not path.field.filterable:
        raise SoqlError("INVALID_FIELD", f"field '{path.field.name}' can not be grouped in a query call")
    return path


def _same(value: Any) -> Any:
    return value
