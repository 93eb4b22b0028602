"""A query's text → the rows that it finds, and each row as the REST API writes it."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from accountpulse.sandbox.salesforce.soql.aggregate import aggregated
from accountpulse.sandbox.salesforce.soql.conditions import Conditions, Test
from accountpulse.sandbox.salesforce.soql.errors import SoqlError, malformed, unsupported
from accountpulse.sandbox.salesforce.soql.parser import parse
from accountpulse.sandbox.salesforce.soql.schema import Parents, Path, Row, Schema
from accountpulse.sandbox.salesforce.soql.syntax import Order, Query
from accountpulse.sandbox.salesforce.soql.values import IDS, as_json, compared
from accountpulse.sandbox.world.model import FieldDef, SObject

MAX_OFFSET = 2_000  # and, with any OFFSET, rows in all

Branch: TypeAlias = "dict[str, FieldDef | Relationship]"


@dataclass(frozen=True)
class Relationship:
    """A parent that a query selects from: by which field it is reached, and what is wanted of it."""

    reference: FieldDef
    parent: SObject
    branch: Branch


@dataclass(frozen=True)
class Found:
    """The answer. `count_only`: the query was COUNT(), and the rows are only to be counted.

    `results` are there instead of rows where groups were asked for.
    """

    sobject: SObject
    rows: list[Row]
    branch: Branch
    parents: Parents
    count_only: bool
    results: list[dict[str, Any]] | None = None
    children: tuple["Children", ...] = ()

    def record(self, row: Row, root: str) -> dict[str, Any]:
        """The row as JSON, parents nested or null; `root` is the path before `/sobjects`."""
        record = self._record(self.sobject, self.branch, row, root)
        for each in self.children:
            record[each.name] = each.of(row, root)
        return record

    def _record(self, sobject: SObject, branch: Branch, row: Row, root: str) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": attributes(sobject, row, root)}
        for name, wanted in branch.items():
            if isinstance(wanted, FieldDef):
                record[name] = as_json(wanted, row.get(name))
                continue
            key = (row.get(wanted.reference.name) or "")[:15]
            parent = self.parents.index(wanted.parent).get(key)
            record[name] = None if parent is None else self._record(wanted.parent, wanted.branch, parent, root)
        return record


@dataclass(frozen=True)
class Children:
    """The child records that a query wants of each row: what was found of them all, by their parent's id."""

    name: str
    found: Found
    by_parent: dict[str, list[Row]]
    limit: int | None

    def of(self, row: Row, root: str) -> dict[str, Any] | None:
        """The children of one row as an answer within the answer; null where it has none."""
        rows = self.by_parent.get(row["Id"][:15], [])[: self.limit]
        records = [self.found.record(each, root) for each in rows]
        return {"totalSize": len(records), "done": True, "records": records} if records else None


def attributes(sobject: SObject, row: Row, root: str) -> dict[str, str]:
    """What every record carries: its type and its address."""
    return {"type": sobject.name, "url": f"{root}/sobjects/{sobject.name}/{row['Id']}"}


def run(text: str, schema: Schema, *, with_deleted: bool = False) -> Found:
    """Answer a query as Salesforce's query call (queryAll `with_deleted`); SoqlError where it would refuse."""
    query = parse(text)
    if query.offset is not None and query.offset > MAX_OFFSET:
        raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
    return _answer(query, schema, with_deleted=with_deleted)


def _answer(query: Query, schema: Schema, *, with_deleted: bool) -> Found:
    sobject = schema.sobject(query.source)
    parents = Parents()
    branch: Branch = {}
    for dotted in query.paths:
        _graft(branch, schema.path(sobject, dotted), dotted)

    def ids_of(inner: Query) -> set[str]:
        return _ids(inner, schema, with_deleted=with_deleted)

    rows = list(schema.rows(sobject, with_deleted=with_deleted))
    if query.where is not None:
        test: Test = Conditions(schema, sobject, parents, ids_of).test(query.where)
        rows = [row for row in rows if test(row)]
    if query.aggregates or query.groups:
        if query.order:
            raise unsupported("ORDER BY of groups")
        return Found(sobject, [], branch, parents, False, aggregated(query, schema, sobject, rows, parents))
    for order in reversed(query.order):
        rows = _sorted(rows, order, schema.path(sobject, order.path), parents)
    children = tuple(_children(inner, sobject, schema, with_deleted=with_deleted) for inner in query.children)
    return Found(sobject, _slice(rows, query), branch, parents, not (query.paths or children), None, children)


def _children(query: Query, parent: SObject, schema: Schema, *, with_deleted: bool) -> Children:
    """What a query of child records finds: its limit holds for each parent."""
    name, child, field = schema.child(parent, query.source)
    found = _answer(replace(query, source=child.name, limit=None), schema, with_deleted=with_deleted)
    by_parent: dict[str, list[Row]] = {}
    for row in found.rows:
        by_parent.setdefault((row.get(field.name) or "")[:15], []).append(row)
    return Children(name, found, by_parent, query.limit)


def _graft(branch: Branch, path: Path, dotted: str) -> None:
    """Add a selected path to the tree of what is wanted; INVALID_FIELD where it is there already."""
    for reference, parent in path.hops:
        name = reference.relationship or ""
        existing = branch.get(name)
        if not isinstance(existing, Relationship):
            existing = branch[name] = Relationship(reference, parent, {})
        branch = existing.branch
    if path.field.name in branch:
        raise SoqlError("INVALID_FIELD", f"duplicate field selected: {dotted}")
    branch[path.field.name] = path.field


def _ids(query: Query, schema: Schema, *, with_deleted: bool) -> set[str]:
    """The ids that a query within a query finds, by 15 characters."""
    if len(query.paths) != 1 or query.aggregates or query.groups:
        raise malformed("a semi join selects exactly one field")
    path = schema.path(schema.sobject(query.source), query.paths[0])
    if path.field.type not in IDS:
        raise malformed(f"The inner select field '{query.paths[0]}' must be an id or a reference")
    found = _answer(query, schema, with_deleted=with_deleted)
    get = found.parents.getter(path)
    return {value[:15] for row in found.rows if (value := get(row))}


def _sorted(rows: list[Row], order: Order, path: Path, parents: Parents) -> list[Row]:
    """Sort by one field, keeping the order of equals; nulls come first unless the query says otherwise."""
    if not path.field.filterable:
        raise SoqlError("INVALID_FIELD", f"field '{path.field.name}' can not be sorted in a query call")
    get, comparable = parents.getter(path), compared(path.field) or (lambda value: value)
    keyed = [(comparable(get(row)), row) for row in rows]
    nulls = [row for value, row in keyed if value is None]
    filled = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=order.descending)
    ordered = [row for _, row in filled]
    return [*ordered, *nulls] if order.nulls_last else [*nulls, *ordered]


def _slice(rows: list[Row], query: Query) -> list[Row]:
    if query.offset is not None:
        rows = rows[query.offset :][:MAX_OFFSET]
    return rows if query.limit is None else rows[: query.limit]
