"""Decoding an answer; where one is well-formed but of another shape than it should have, saying where."""

import re
from typing import Any, TypeVar

import msgspec

from accountpulse.http.bodies import MIB, UnfitBody

_PATH = re.compile(r" - at `(\$[^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_OTHER_TYPE = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a record",
    "null": "null",
}
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_ID_NAMES = ("id", "key", "Id")
_LOOKED_THROUGH = 4 * MIB  # bytes of an answer in which the record is looked for: all of it becomes objects then
_SHOWN = 40  # characters of a record's id
MISSHAPEN = "Please report it, with the path: this version doesn't know such an answer."
T = TypeVar("T")


class WrongShape(Exception):
    """An answer of another type than it should have: asking again won't change it."""

    def __init__(self, path: str, wanted: str, record: str | None) -> None:
        """`path` leads to the field, `wanted` is what should stand there, `record` the id of whose field it is."""
        whose = f" of {record}" if record is not None else ""
        super().__init__(f"{path}{whose}: {wanted}")


def decode(decoder: "msgspec.json.Decoder[T]", content: bytes) -> T:
    """The answer; msgspec.DecodeError where it isn't JSON, WrongShape where a field is of another type.

    UnfitBody where it is nested deeper than our stack (some 900 levels; no vendor has more than 20).

    Whole numbers written as `5.0` or `"5"` are numbers: the vendors write both.
    """
    try:
        return _decoded(decoder, content)
    except RecursionError:
        raise too_deep() from None


def too_deep() -> UnfitBody:
    """The error for an answer that no decoder can follow to its ground."""
    return UnfitBody("a body that is nested too deeply")


def _decoded(decoder: "msgspec.json.Decoder[T]", content: bytes) -> T:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError:
        lenient = msgspec.json.Decoder(decoder.type, strict=False)
    try:
        return lenient.decode(content)
    except msgspec.ValidationError as error:
        try:
            body = msgspec.json.decode(content) if len(content) <= _LOOKED_THROUGH else None
        except UnicodeDecodeError:  # bytes that are no text: garbage on the wire, and no type
            raise msgspec.DecodeError from None
        raise _wrong_shape(str(error), body) from None


def converted(kind: type[T], body: Any) -> T:
    """An answer that another library has decoded, as `kind`; WrongShape as in `decode`."""
    try:
        return msgspec.convert(body, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong_shape(str(error), body) from None


def _wrong_shape(text: str, body: Any) -> WrongShape:
    match = _PATH.search(text)
    path = match[1] if match else "$"
    # "Expected `int`, got `str`": types, and never a value; of anything else only that it is wrong
    return WrongShape(path, _in_words(text[: match.start()] if match else text), _record(path, body))


def _in_words(text: str) -> str:
    """Msgspec's sentence about types, as people say it; what is missing by its name."""
    if missing := _MISSING.fullmatch(text):
        return f"{missing[1]} is missing"
    if wrong := _OTHER_TYPE.fullmatch(text):
        wanted = " or ".join(_TYPES.get(each, each) for each in wrong[1].split(" | "))
        return f"{wanted} was expected, {_TYPES.get(wrong[2], wrong[2])} came"
    return "a value that is not known"


def _record(path: str, body: Any) -> str | None:
    """The id of the innermost record on the way to a field that has one."""
    found = None
    for name, index in _STEP.findall(path):
        if isinstance(body, dict):
            body = body.get(name)
        elif isinstance(body, list) and index.isdigit():
            body = body[int(index)]
        else:
            break
        if isinstance(body, dict):
            ids = (body[each] for each in _ID_NAMES if isinstance(body.get(each), str | int))
            found = next(ids, found)
    return None if found is None else str(found)[:_SHOWN]
