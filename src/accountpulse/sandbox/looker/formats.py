"""The formats in which a query's rows are sent: json, json_detail and csv.

https://cloud.google.com/looker/docs/reference/looker-api/latest/methods/Query/run_query
"""

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

BLOCK = 1000  # rows that are sent at once
Rows = Iterable[dict[str, Any]]


def _json(rows: Rows, _names: Sequence[str], _query: Mapping[str, Any]) -> Iterator[bytes]:
    """A list of objects, in pieces."""
    rows, begin = iter(rows), b"["
    while block := list(itertools.islice(rows, BLOCK)):
        yield begin + msgspec.json.encode(block)[1:-1]
        begin = b",\n"
    yield b"[]" if begin == b"[" else b"]"


def _json_detail(rows: Rows, names: Sequence[str], query: Mapping[str, Any]) -> Iterator[bytes]:
    """One object: the rows with a value an object, beside what they are rows of."""
    data, errors = [], []
    for row in rows:
        if "looker_error" in row:
            errors.append({"message": row["looker_error"]})
        else:
            data.append({name: {"value": value} for name, value in row.items()})
    fields: dict[str, list[dict[str, str]]] = {"dimensions": [], "measures": [], "table_calculations": []}
    for name in names:
        kind = "dimensions" if name in (query.get("dimensions") or ()) else "measures"
        fields[kind].append({"name": name, "label": label(name)})
    shown = {"id": str(query.get("id") or ""), "fields": fields, "pivots": [], "data": data, "errors": errors}
    yield msgspec.json.encode(shown)


def _csv(rows: Rows, names: Sequence[str], _query: Mapping[str, Any]) -> Iterator[bytes]:
    """Labels as heading, a line a row; null is an empty cell."""
    target = io.StringIO()
    lines = csv.writer(target, lineterminator="\n")
    lines.writerow([label(name) for name in names])
    lines.writerows(
        [row.get("looker_error")] if "looker_error" in row else [row[name] for name in names] for row in rows
    )
    yield target.getvalue().encode()


def label(name: str) -> str:
    """A field as people read it: the view's name, then its own."""
    return name.replace(".", " ").replace("_", " ").title()


Writer = Callable[[Rows, Sequence[str], Mapping[str, Any]], Iterator[bytes]]
FORMATS: Mapping[str, tuple[str, Writer]] = {
    "json": ("application/json", _json),
    "json_detail": ("application/json", _json_detail),
    "csv": ("text/csv", _csv),
}
