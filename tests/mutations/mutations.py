"""What may change in one answer: one thing each, chosen by chance in the answer's rows or in what surrounds them."""

import copy
import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mutations.proxy import Answer

Body = Any
Path = tuple[Any, ...]
TOTALS = ("total", "total_count", "totalSize", "total_pages", "count", "size", "recordCount", "maxResults")
CURSORS = ("nextPageToken", "starting_after", "nextRecordsUrl")
IDS = ("id", "Id", "AccountId", "account_id", "company_id", "key", "ContactId", "issueId")


class Chance(random.Random):
    """What is chosen in one turn of a mutation at an endpoint: turns one after another choose one field each."""

    def __init__(self, what: str, turn: int) -> None:
        super().__init__(f"{turn} {what}")
        self._turn = turn + random.Random(what).randrange(1000)  # noqa: S311

    def field(self, fields: Iterable[str]) -> str:
        """One of the fields: each comes once in so many turns."""
        ordered = sorted(fields)
        return ordered[self._turn % len(ordered)]


@dataclass(frozen=True)
class Mutation:
    """One way to change an answer; `by` gives None where it doesn't apply. `passes`: what comes may be tried again."""

    name: str
    by: Callable[[Answer, Chance], Answer | None]


def rows_of(body: Body) -> list[Any] | None:
    """The rows of an answer: the longest list of objects at its top, the very list."""
    if isinstance(body, list):
        return body if body and isinstance(body[0], dict) else None
    if not isinstance(body, dict):
        return None
    lists = [each for each in body.values() if isinstance(each, list) and each and isinstance(each[0], dict)]
    inner = [rows_of(each) for each in body.values() if isinstance(each, dict)]
    found = [*lists, *(each for each in inner if each)]
    return max(found, key=len, default=None)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every plain value with the way to it."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from leaves(each, (*path, place))
    else:
        yield path, value


def parts(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value, plain or not, with the way to it; the whole is left out."""
    if path:
        yield path, value
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in pairs:
            yield from parts(each, (*path, name))


def put(body: Body, path: Path, value: Any) -> None:
    for step in path[:-1]:
        body = body[step]
    body[path[-1]] = value


def templates(body: Body, choose: Callable[[Any], bool]) -> dict[str, list[tuple[Path, Any]]]:
    """The values that `choose` likes with the ways to them, by field: places in lists don't count."""
    found: dict[str, list[tuple[Path, Any]]] = {}
    for path, value in parts(body):
        if choose(value):
            field = ".".join("*" if isinstance(step, int) else step for step in path)
            found.setdefault(field, []).append((path, value))
    return found


def _of_row(
    choose: Callable[[Any], bool], change: Callable[[Any, Chance], Any]
) -> Callable[[Answer, Chance], Answer | None]:
    """Change one value that `choose` likes: each field is as likely as any other, and so is each row then."""

    def by(answer: Answer, rng: Chance) -> Answer | None:
        body = answer.json
        found = templates(body, choose)
        if not found:
            return None
        path, value = rng.choice(found[rng.field(found)])
        put(body, path, change(value, rng))
        return answer.holding(body)

    return by


def _of_body(change: Callable[[Body, Chance], bool]) -> Callable[[Answer, Chance], Answer | None]:
    """Change the decoded body in place; False: not applicable."""

    def by(answer: Answer, rng: Chance) -> Answer | None:
        body = answer.json
        return answer.holding(body) if body is not None and change(body, rng) else None

    return by


def _named(names: tuple[str, ...], change: Callable[[Any, Chance], Any]) -> Callable[..., Answer | None]:
    """Change one field with one of these names, anywhere outside the rows' own values first."""

    def work(body: Body, rng: Chance) -> bool:
        found = [
            (path, value) for path, value in parts(body) if path[-1] in names and not isinstance(value, dict | list)
        ]
        if not found:
            return False
        shortest = min(len(path) for path, _ in found)
        path, value = rng.choice([each for each in found if len(each[0]) == shortest])
        put(body, path, change(value, rng))
        return True

    return _of_body(work)


def _rows(change: Callable[[list[Any], Chance], None]) -> Callable[..., Answer | None]:
    def work(body: Body, rng: Chance) -> bool:
        rows = rows_of(body)
        if not rows:
            return False
        change(rows, rng)
        return True

    return _of_body(work)


def _status(status: int, body: bytes = b"{}", **headers: str) -> Callable[..., Answer | None]:
    return lambda answer, _rng: replace(
        answer, status=status, body=body, headers={"Content-Type": "application/json", **headers}
    )


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 10 and value[:4].isdigit() and value[4] == "-" and value[7] == "-"


def _plain(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _drop_field(body: Body, rng: Chance) -> bool:
    found = {field: ways for field, ways in templates(body, lambda _v: True).items() if not field.endswith("*")}
    if not found:
        return False
    path, _ = rng.choice(found[rng.field(found)])
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return True


def _cut_inner(body: Body, rng: Chance) -> bool:
    rows = rows_of(body) or []
    inner = [value for row in rows for _, value in parts(row) if isinstance(value, list) and value]
    if not inner:
        return False
    rng.choice(inner).pop()
    return True


def _extra_key(body: Body, rng: Chance) -> bool:
    rows = rows_of(body)
    target = rng.choice(rows) if rows else body
    if not isinstance(target, dict):
        return False
    target["zz_new_in_next_version"] = {"a": [1, {"b": None}]}
    return True


def _double(rows: list[Any], rng: Chance) -> None:
    rows.append(copy.deepcopy(rng.choice(rows)))


def _double_changed(rows: list[Any], rng: Chance) -> None:
    """The same row with one number changed."""
    row = copy.deepcopy(rng.choice(rows))
    numbers = [(path, value) for path, value in leaves(row) if _number(value)]
    if numbers:
        path, value = rng.choice(numbers)
        put(row, path, value + 1)
    rows.append(row)


def _respelt(value: Any, _rng: Chance) -> Any:
    text = str(value)
    return text[:15] if len(text) == 18 else f" {text.upper()} "


MUTATIONS: tuple[Mutation, ...] = (
    # values of a row
    Mutation("a value is null", _of_row(_plain, lambda _v, _r: None)),
    Mutation("an object or list is null", _of_row(lambda v: isinstance(v, dict | list), lambda _v, _r: None)),
    Mutation("a field is missing", _of_body(_drop_field)),
    Mutation("a number is a text", _of_row(_number, lambda v, _r: str(v))),
    Mutation("a number has a point", _of_row(_number, lambda v, _r: float(v))),
    Mutation("a number is words", _of_row(_number, lambda _v, _r: "many")),
    Mutation("a number is negative", _of_row(_number, lambda v, _r: -v - 1)),
    Mutation("a number is huge", _of_row(_number, lambda _v, _r: 10**15)),
    Mutation("a text is a number", _of_row(_text, lambda _v, _r: 7)),
    Mutation("a text is a list", _of_row(_text, lambda v, _r: [v])),
    Mutation("a text is an object", _of_row(_text, lambda v, _r: {"name": v})),
    Mutation("a text is empty", _of_row(_text, lambda _v, _r: "")),
    Mutation("a text is unknown", _of_row(_text, lambda _v, _r: "zz_unknown")),
    Mutation("a text has other case and blanks", _of_row(_text, lambda v, _r: f" {v.swapcase()} ")),
    Mutation("a yes/no is a text", _of_row(lambda v: isinstance(v, bool), lambda v, _r: str(v).lower())),
    Mutation("a yes/no is turned", _of_row(lambda v: isinstance(v, bool), lambda v, _r: not v)),
    Mutation("an object is a text", _of_row(lambda v: isinstance(v, dict), lambda _v, _r: "zz")),
    Mutation("a list is an object", _of_row(lambda v: isinstance(v, list), lambda v, _r: {"data": v})),
    Mutation("a date has another offset", _of_row(_is_date, lambda v, _r: v[:19] + "+05:30" if len(v) > 10 else v)),
    Mutation("a time is a day", _of_row(_is_date, lambda v, _r: v[:10])),
    Mutation("a date is none", _of_row(_is_date, lambda _v, _r: "31/10/2026")),
    Mutation("a date is far ahead", _of_row(_is_date, lambda v, _r: "2099" + v[4:])),
    Mutation("a date is of 1970", _of_row(_is_date, lambda v, _r: "1970" + v[4:])),
    Mutation("an id is spelt otherwise", _named(IDS, _respelt)),
    Mutation("an inner list is cut", _of_body(_cut_inner)),
    Mutation("a new key", _of_body(_extra_key)),
    # rows
    Mutation("a row is missing", _rows(lambda rows, rng: rows.remove(rng.choice(rows)))),
    Mutation("a row is doubled", _rows(_double)),
    Mutation("a row is doubled and differs", _rows(_double_changed)),
    Mutation("no rows", _rows(lambda rows, _rng: rows.clear())),
    Mutation("rows in another order", _rows(lambda rows, _rng: rows.reverse())),
    Mutation("a row is null", _rows(lambda rows, rng: rows.__setitem__(rng.randrange(len(rows)), None))),
    # counts and pages
    Mutation("one more is counted", _named(TOTALS, lambda v, _r: v + 1 if _number(v) else v)),
    Mutation("one fewer is counted", _named(TOTALS, lambda v, _r: v - 1 if _number(v) else v)),
    Mutation("none is counted", _named(TOTALS, lambda _v, _r: 0)),
    Mutation("very many are counted", _named(TOTALS, lambda _v, _r: 10**9)),
    Mutation("the count is null", _named(TOTALS, lambda _v, _r: None)),
    Mutation("the count is a text", _named(TOTALS, lambda v, _r: str(v))),
    Mutation("the cursor is lost", _named(CURSORS, lambda _v, _r: None)),
    Mutation("the cursor leads nowhere", _named(CURSORS, lambda _v, _r: "zz")),
    Mutation("it says that it is done", _named(("done", "isLast"), lambda _v, _r: True)),
    Mutation("it says that it is not done", _named(("done", "isLast"), lambda _v, _r: False)),
    # the whole answer
    Mutation("404", _status(404)),
    Mutation("403", _status(403)),
    Mutation("400", _status(400)),
    Mutation("405", _status(405)),
    Mutation("410", _status(410)),
    Mutation("401 once", _status(401)),
    Mutation("429 once", _status(429, **{"Retry-After": "0"})),
    Mutation("500 once", _status(500)),
    Mutation("502 once", _status(502, b"<html>bad gateway</html>", **{"Content-Type": "text/html"})),
    Mutation("522 once", _status(522, b"error code: 522", **{"Content-Type": "text/plain"})),
    Mutation(
        "a web page",
        lambda answer, _rng: replace(answer, body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}),
    ),
    Mutation(
        "JSON called text",
        lambda answer, _rng: replace(answer, headers={**answer.headers, "Content-Type": "text/plain"}),
    ),
    Mutation("an empty body", lambda answer, _rng: replace(answer, body=b"")),
    Mutation("half a body", lambda answer, _rng: replace(answer, body=answer.body[: len(answer.body) // 2])),
    Mutation("the body is null", lambda answer, _rng: replace(answer, body=b"null")),
    Mutation("the body is a list", lambda answer, _rng: replace(answer, body=b"[]")),
    Mutation("the body is an object", lambda answer, _rng: replace(answer, body=b"{}")),
    Mutation("the body is a text", lambda answer, _rng: replace(answer, body=json.dumps("zz").encode())),
)
