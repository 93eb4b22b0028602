"""What a YAML file says, as structs: every mistake together, each with its line.

The structs are msgspec's: declaring them costs a process next to nothing, and the limits of a value are `msgspec.Meta`.
What a type can't say stands beside it in Annotated: `Before`, `After`, `Chosen`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import structs

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.mistakes import not_a_number, unknown_key

if TYPE_CHECKING:  # models are declared where no file is read
    from accountpulse.core.yaml_files import Document, Path

T = TypeVar("T")
NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class Before(NamedTuple):
    """What is done with a value before it is looked at."""

    change: Callable[[object], object]


class After(NamedTuple):
    """A check of a value that has its type (ValueError: what is wrong), which gives it back, or a better form."""

    change: Callable[[Any], Any]


class Chosen(NamedTuple):
    """Which of several types a value has: by its form, so that a mistake in one isn't told as one in the others.

    `kind` gives the type; a ValueError says what is wrong where it has none of them.
    """

    kind: Callable[[object], Any]


def read(document: "Document", kind: type[T]) -> T:
    """The document as a struct, or a ConfigurationError that lists every mistake with line, path and nearest name.

    A key that is absent has its default. Unknown keys are mistakes.
    """
    reader = _Reader()
    found = reader.value({} if document.data is None else document.data, kind, ())
    if reader.problems:
        texts = [f"{document.where(path)}: {text}" for path, text in reader.problems]
        raise ConfigurationError(document.name, texts)
    return found  # type: ignore[no-any-return]


@dataclass
class _Reader:
    """What was wrong so far, and where. What could not be read is None; nothing is made of it."""

    problems: list[tuple["Path", str]] = field(default_factory=list)

    def value(self, given: object, kind: Any, path: "Path") -> Any:
        """The value as its type, with everything below it."""
        origin = get_origin(kind)
        if origin is Annotated:
            return self._annotated(given, kind, path)
        if origin in (Union, UnionType):
            return self._union(given, kind, path)
        if origin is tuple:
            return self._tuple(given, get_args(kind)[0], path)
        if origin is dict:
            return self._dict(given, get_args(kind), path)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(given, kind, path)
        return self._leaf(given, kind, path)

    def _annotated(self, given: object, kind: Any, path: "Path") -> Any:
        base, *marks = get_args(kind)
        known = len(self.problems)
        try:
            for mark in marks:
                if isinstance(mark, Before):
                    given = mark.change(given)
                elif isinstance(mark, Chosen):
                    base = mark.kind(given)
            found = self._leaf(given, kind, path) if base in NAMES else self.value(given, base, path)
            if len(self.problems) > known:
                return None
            for mark in marks:
                if isinstance(mark, After):
                    found = mark.change(found)
        except ValueError as error:
            return self._wrong(path, str(error))
        needs_one = any(isinstance(mark, msgspec.Meta) and mark.min_length for mark in marks)
        return self._wrong(path, "must name at least one") if needs_one and found == () else found

    def _union(self, given: object, kind: Any, path: "Path") -> Any:
        members = [member for member in get_args(kind) if member is not type(None)]
        if given is None and len(members) < len(get_args(kind)):
            return None
        return self.value(given, members[0], path) if len(members) == 1 else self._leaf(given, kind, path)

    def _tuple(self, given: object, kind: Any, path: "Path") -> Any:
        if not isinstance(given, list | tuple):
            return self._wrong(path, "must be a list")
        return tuple([self.value(each, kind, (*path, number)) for number, each in enumerate(given)])

    def _dict(self, given: object, kinds: tuple[Any, ...], path: "Path") -> Any:
        if not isinstance(given, dict):
            return self._wrong(path, "must be names with their values")
        key, value = kinds
        places = {name: (*path, str(name)) for name in given}
        return {self.value(name, key, places[name]): self.value(given[name], value, places[name]) for name in given}

    def _struct(self, given: object, kind: type[msgspec.Struct], path: "Path") -> Any:
        if given is None:
            return self._wrong(path, "is empty: put its keys below it, or take the line away")
        if not isinstance(given, dict):
            return self._wrong(path, "must be keys with their values")
        known = len(self.problems)
        fields = {each.encode_name: each for each in structs.fields(kind)}
        for key in given:
            if key not in fields:
                self._wrong((*path, str(key)), unknown_key(str(key), fields))
        found = {}
        for key, declared in fields.items():
            if key in given:
                found[declared.name] = self.value(given[key], declared.type, (*path, key))
            elif declared.required:
                self._wrong((*path, key), "is missing")
        if len(self.problems) > known:
            return None
        try:
            return kind(**found)
        except ValueError as error:  # of its __post_init__
            return self._wrong(path, str(error))

    def _leaf(self, given: object, kind: Any, path: "Path") -> Any:
        """A single value; a number may stand in quotes."""
        try:
            found = msgspec.convert(given, kind, strict=False)
        except msgspec.ValidationError:
            wanted = _wanted(kind)
            what = not_a_number(given, whole="whole" in wanted) if "number" in wanted else ""
            return self._wrong(path, f"must be {wanted}{what}")
        if isinstance(found, float) and not math.isfinite(found):
            return self._wrong(path, "must be a finite number")
        return found

    def _wrong(self, path: "Path", text: str) -> None:
        self.problems.append((path, text))


def _wanted(kind: Any) -> str:
    """What a single value may be, in words: `a whole number, at least 1, at most 730`."""
    arguments = get_args(kind)
    if get_origin(kind) is Annotated:
        limits = [text for mark in arguments[1:] if isinstance(mark, msgspec.Meta) for text in _limits(mark)]
        return ", ".join([_wanted(arguments[0]), *limits])
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, arguments))
    if arguments:
        return " or ".join(map(_wanted, arguments))
    return NAMES.get(kind, "a day such as 2026-10-31")


def _limits(mark: msgspec.Meta) -> list[str]:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than", "pattern": "which matches"}
    return [f"{word} {limit}" for name, word in words.items() if (limit := getattr(mark, name)) is not None]
