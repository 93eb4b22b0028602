"""YAML files that people write: read with line numbers, checked whole, every mistake reported with its line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.given_files import MOST_YAML
from accountpulse.core.mistakes import not_a_number, unknown_key

if TYPE_CHECKING:  # loading it takes longer than all of ours: a process without a scorecard does without
    from pydantic import BaseModel, ValidationError

Path = tuple[str | int, ...]
DEEPEST = 50  # levels
MOST_NODES = 100_000  # keys, values and list entries
LONGEST_TEXT = 1 << 16  # characters of one value
_TOO_DEEP = f"nested deeper than {DEEPEST} levels, or within itself"
Model = TypeVar("Model", bound="BaseModel")
_COLUMNS = "begin the keys of one level in the same column"
_BROKEN = {  # what PyYAML finds, as the writer of a file needs it
    r"'\t'": "a tab: indent with blanks",
    "mapping values are not allowed": "here or in the line above a key lacks its ':', a text that holds ': ' lacks its "
    f"quotes, or a key is not in its column ({_COLUMNS})",
    "expected <block end>": f"the line does not fit to those above: {_COLUMNS}",
    "could not find expected ':'": "a key without ': ' and a value after it",
    "expected ',' or": "a comma is missing, or a bracket is not closed",
    "that cannot start any token": "a text that begins with a sign such as @, % or ` must stand in quotes",
    "unexpected end of stream": "a quotation mark is not closed",
    "undefined alias": "a text that begins with * must stand in quotes",
    "unknown escape": "in double quotes a backslash escapes: use single ones",
}


@dataclass(frozen=True)
class Document:
    """A parsed file: plain data, and the line (from 1) that each path stands on."""

    name: str
    data: Any
    lines: Mapping[Path, int]

    def where(self, path: Path) -> str:
        """`line 12, groups.support.weight` for the nearest part of the path that the file has."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        dotted = ".".join(str(part) for part in path)
        line = self.lines.get(known)
        return ", ".join(text for text in (f"line {line}" if line else "", dotted) if text)


def parse(text: str, name: str) -> Document:
    """Read one YAML document; not YAML, or a key given twice, is a ConfigurationError with its line.

    So is one that is larger, deeper or longer than any of ours: aliases count as often as they are used.
    """
    if len(text) > MOST_YAML:
        raise ConfigurationError(name, [f"it is larger than {MOST_YAML // 1024:,} KiB"])
    walk = _Walk()
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is not None:
            walk.node(root, ())
        data = None if root is None else loader.construct_document(root)
    except RecursionError:
        raise ConfigurationError(name, [_TOO_DEEP]) from None
    except _TooMuch as error:
        raise ConfigurationError(name, [str(error)]) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(name, [_broken(error)]) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise ConfigurationError(name, [f"not YAML: {error}"]) from None
    if walk.twice:
        raise ConfigurationError(name, walk.twice)
    return Document(name, data, walk.lines)


def _broken(error: yaml.MarkedYAMLError) -> str:
    """Where a document is no YAML, why, and where that which is not finished begins."""
    line = error.problem_mark.line + 1 if error.problem_mark else 1
    said = str(error.problem)
    words = next((words for sign, words in _BROKEN.items() if sign in said), said)
    is_open = error.context_mark is not None and ("flow" in str(error.context) or "quoted" in str(error.context))
    begins = error.context_mark.line + 1 if is_open and error.context_mark else line
    return f"line {line}: not YAML: {words}{f' (it begins in line {begins})' if begins != line else ''}"


class _TooMuch(Exception):
    """A document that nobody wrote by hand."""


@dataclass
class _Walk:
    """Where everything stands, and how much there is. An alias counts as what it stands for."""

    lines: dict[Path, int] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    nodes: int = 0

    def node(self, node: yaml.Node, path: Path) -> None:
        """Take a node and everything below it."""
        line = node.start_mark.line + 1
        self.nodes += 1
        if len(path) > DEEPEST:
            raise _TooMuch(f"line {line}: {_TOO_DEEP}")
        if self.nodes > MOST_NODES:
            raise _TooMuch(f"line {line}: with its aliases it has more than {MOST_NODES:,} entries")
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self.node(value, (*path, index))
        elif len(node.value) > LONGEST_TEXT:
            raise _TooMuch(f"line {line}: a text of more than {LONGEST_TEXT:,} characters")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = (
                key.value if isinstance(key, yaml.ScalarNode) else f"line {line}"
            )  # no key at all: construction says so
            if name in seen:
                self.twice.append(f"line {line}: {name!r} is given twice")
            seen.add(name)
            self.lines[*path, name] = line
            self.node(value, (*path, name))


def validate(document: Document, model: type[Model]) -> Model:
    """The document as `model`, or a ConfigurationError that lists every mistake with line, path and nearest name."""
    from pydantic import ValidationError

    try:
        return model.model_validate(document.data if document.data is not None else {})
    except ValidationError as error:
        raise ConfigurationError(document.name, list(_problems(document, model, error))) from None


def _problems(document: Document, model: "type[BaseModel]", error: "ValidationError") -> Iterator[str]:
    found: dict[Path, list[str]] = {}
    for item in error.errors(include_input=False, include_url=False, include_context=True):
        path = _real(document, item["loc"], absent=item["type"] == "missing")
        if item["type"] == "extra_forbidden":
            text = unknown_key(str(path[-1]), _fields(model, path[:-1]))
        else:
            text = in_words(item["type"], item["msg"], item.get("ctx") or {})
            if item["type"].startswith(("int_", "float_")):
                text += not_a_number(_at(document.data, path), whole=item["type"].startswith("int_"))
        found.setdefault(path, []).append(text)
    for path, texts in found.items():
        yield f"{document.where(path)}: {_either(texts)}"


def _at(data: Any, path: Path) -> object:
    """What stands at a path."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _real(document: Document, path: Path, *, absent: bool) -> Path:
    """The path without the names that pydantic adds for the members of a union; `absent`: the last key isn't there."""
    real: Path = ()
    for position, part in enumerate(path):
        if (*real, part) in document.lines or (absent and position == len(path) - 1):
            real = (*real, part)
    return real


# pydantic's kinds of mistakes, as the reader of a file needs them; what stands in braces is the kind's own limit
_WORDS = {
    "missing": "is missing",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "finite_number": "must be a finite number",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must not have a semicolon or a line break",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
    "model": "must be keys with their values",
    "dict": "must be names with their values",
    "list": "must be a list",
    "tuple": "must be a list",
    "string": "must be a text",
    "int": "must be a whole number",
    "float": "must be a number",
    "bool": "must be true or false",
    "date": "must be a day such as 2026-10-31",
}


def in_words(kind: str, message: str, limits: Mapping[str, Any]) -> str:
    """A mistake in plain words, by pydantic's kind of it; `message` is pydantic's, and shown where it is our own."""
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    words = _WORDS.get(kind) or _WORDS.get(kind.partition("_")[0], "can't be used here")
    return words.format_map(limits)


def _either(texts: Iterable[str]) -> str:
    """What is wrong at one place: where it may be one of several types, `must be a text or a list`."""
    first, *more = dict.fromkeys(texts)
    return " or ".join([first, *(text.removeprefix("must be ") for text in more)])


def _fields(model: "type[BaseModel]", path: Path) -> Iterable[str]:
    """The keys that the model knows at a path, as far as they can be followed."""
    current: Any = model
    for part in path:
        fields = next((_keys(kind) for kind in _types(current) if hasattr(kind, "model_fields")), {})
        if part in fields:
            current = fields[part]
        elif hasattr(current, "model_fields"):
            return ()  # the key above is unknown itself; below a dict or a list the same model goes on
    return [str(key) for kind in _types(current) if hasattr(kind, "model_fields") for key in _keys(kind)]


def _keys(model: "type[BaseModel]") -> dict[str | int, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _types(argument)
