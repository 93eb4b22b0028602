"""Explores and fields that are called otherwise: names are changed where they leave, and back on the way in."""

from collections.abc import Iterable, Iterator
from typing import Any

from accountpulse.sandbox.looker.data import explores, look_fields
from accountpulse.sandbox.world.model import Looker


class Names:
    """The names of one instance, both ways. A field whose view is called otherwise has the view's new name."""

    def __init__(self, instance: Looker) -> None:
        """`instance.called` has the names that differ."""
        self._out = {name: called for name in _all(instance) if (called := _called(instance, name)) != name}
        self._in = {called: name for name, called in self._out.items()}

    def inward(self, asked: Any) -> Any:
        """What was asked, in the sandbox's own names."""
        return _changed(asked, self._in) if self._in else asked

    def outward(self, answer: Any) -> Any:
        """An answer, in the instance's names."""
        return _changed(answer, self._out) if self._out else answer

    def rows(self, rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        """Rows with their columns called so."""
        return (_changed_keys(row, self._out) for row in rows) if self._out else rows


def _all(instance: Looker) -> Iterator[str]:
    for view, groups in explores(instance).items():
        yield view
        for names in groups:
            yield from names
        yield f"{view}.seen_within"
    yield from look_fields(instance)


def _called(instance: Looker, name: str) -> str:
    view, _, field = name.partition(".")
    other = instance.called.get(view, view)
    return instance.called.get(name) or (f"{other}.{field}" if field else other)


def _changed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _changed(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(each, names) for each in value]
    if not isinstance(value, str):
        return value
    first, blank, rest = value.partition(" ")  # an order stands behind the name that is sorted by
    return f"{names.get(first, first)}{blank}{rest}"


def _changed_keys(row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in row.items()}
