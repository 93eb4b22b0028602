"""A first accountpulse.yaml, made of what was found in each system: every key with its reason and its alternatives.

Pure. Names and values come from systems, where anybody may have written them: a value is dumped as YAML does, on one
line; a comment is one line of printable text. The same findings make the same bytes.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import yaml

from accountpulse.core.plain_text import plain
from accountpulse.settings.mapping import AccountpulseYaml, RunMapping
from accountpulse.systems.discovery import NULL, Discovery, Keys, MappingChoice
from accountpulse.systems.system import AnySystem

WIDTH = 110
LONGEST_LINE = 100  # characters of a list on one line
INDENT = "  "
ORDERED = "order"  # the key of a list whose order counts
HEAD = (
    "accountpulse.yaml: how your systems are mapped. A proposal of `accountpulse init`: read it, change what is wrong.",
    "Above each key stands what was found and why it was chosen, below it, as comments, what else it might be.",
    "`accountpulse docs mapping` has every key with its default; what isn't here has its default.",
)


@dataclass(frozen=True)
class LookedAt:
    """A system after the look: what was found, or why nothing was."""

    system: AnySystem
    discovery: Discovery | None = None
    problem: str = ""
    failed: bool = False  # it was asked, and could not be looked at

    @property
    def choices(self) -> tuple[MappingChoice, ...]:
        """What is proposed for its keys."""
        return () if self.discovery is None else self.discovery.choices

    def with_choice(self, place: int, value: object) -> "LookedAt":
        """The same, with another value of one of its choices; the proposed one becomes an alternative."""
        if self.discovery is None:
            return self
        old = self.choices[place]
        others = tuple(each for each in old.others if each[0] != value)
        why = next((text for each, text in old.others if each == value), old.why)
        if old.counted_on:
            why = f"{why.rstrip('. ')}. Counts elsewhere in this file are of those that {on_one_line(old.value)} keeps"
        before = () if old.value is None else ((old.value, f"proposed: {old.why}"),)
        chosen = replace(old, value=value, why=f"Chosen by you. {why}", others=(*before, *others))
        return self._replaced(place, chosen, self.discovery.unknown)

    def with_numbers(self, place: int, numbers: Mapping[str, float]) -> "LookedAt":
        """The same, with the numbers that somebody said; they are unknown no more."""
        old = self.choices[place]
        if self.discovery is None or old.to_say is None or not isinstance(old.value, Mapping):
            return self
        said = replace(
            old, value={**old.value, old.to_say.key: dict(numbers)}, why=f"{old.why.rstrip('. ')}: as you said"
        )
        return self._replaced(place, said, tuple(each for each in self.discovery.unknown if each != old.to_say.unknown))

    def _replaced(self, place: int, choice: MappingChoice, unknown: tuple[str, ...]) -> "LookedAt":
        assert self.discovery is not None  # noqa: S101 - it has choices
        choices = (*self.choices[:place], choice, *self.choices[place + 1 :])
        return replace(self, discovery=replace(self.discovery, choices=choices, unknown=unknown))


def starter(looked: Sequence[LookedAt]) -> str:
    """The text of the file. It loads as settings do, as far as the values of the choices are right."""
    lines = [*_comment(" ".join(HEAD[:2]), ""), *_comment(HEAD[2], "")]
    for each in looked:
        lines += ["", *_section(each)]
    return "\n".join(lines) + "\n"


def _section(looked: LookedAt) -> Iterator[str]:
    title = looked.system.title
    yield f"# --- {title} {'-' * (WIDTH - len(title) - 7)}"
    if looked.discovery is None:
        yield from _comment(looked.problem, "")
        return
    if looked.discovery.found:
        yield from _comment(f"Found: {'; '.join(looked.discovery.found)}.", "")
    for text in looked.discovery.unknown:
        yield from _comment(f"Not known: {text}.", "")
    for key, tree in _tree(looked.choices).items():
        yield ""
        yield from _node(key, tree, "")


Tree = dict[str, Any]


def _tree(choices: Sequence[MappingChoice]) -> Tree:
    """The choices by the words of their paths. ValueError where two are of one key, or one lies within another."""
    paths = [path for choice in choices for path in (choice.keys or {choice.path: None})]
    root: Tree = {}
    for path in paths:
        if sum(other[: len(path)] == path for other in paths) > 1:
            raise ValueError(f"{'.'.join(path)}: a second choice is of the same key, or lies within it")
    for choice in choices:
        place = root
        for word in choice.path[:-1]:
            place = place.setdefault(word, {})
        place[choice.path[-1]] = choice
    return root


def _node(key: str, tree: Any, indent: str) -> Iterator[str]:
    if isinstance(tree, MappingChoice):
        yield from _choice(key, tree, indent)
        return
    mark = "" if _has_value(tree) else "# "
    yield f"{indent}{mark}{_scalar(key)}:"
    for word, each in tree.items():
        yield from _node(word, each, indent + INDENT)


def _has_value(tree: Any) -> bool:
    """Whether a key below is written: one that only has comments would be null."""
    if isinstance(tree, MappingChoice):
        return tree.value is not None
    return any(_has_value(each) for each in tree.values())


def _choice(key: str, choice: MappingChoice, indent: str) -> Iterator[str]:
    if why := choice.why.rstrip(". "):
        yield from _comment(f"{why}.", indent)
    if choice.value is not None:
        yield from (f"{indent}{line}" for line in _entries(key, choice.value))
    elif not choice.others:  # beside others the key would stand there twice, once all are uncommented
        yield f"{indent}# {_scalar(key)}:"
    for value, why in choice.others:
        instead = f" in place of {_several(choice.value)}" if isinstance(choice.value, Keys) else ""
        offered = "Possible" if choice.value is None else f"Or{instead}"
        yield from _comment(f"{offered}: {why.rstrip('.')}:", indent)
        yield from (f"{indent}# {line}" for line in _entries(key, value))


def _several(keys: Keys) -> str:
    return " and ".join(map(_scalar, keys))


def _comment(text: str, indent: str) -> list[str]:
    """Lines of a comment: one line of printable text, wrapped."""
    shown = " ".join("".join(each if each.isprintable() else " " for each in plain(text)).split())
    lead = f"{indent}# "
    return textwrap.wrap(shown, WIDTH, initial_indent=lead, subsequent_indent=lead, break_on_hyphens=False) or [lead]


# --- values ------------------------------------------------------------------------------------------------------


def _entries(key: str, value: object) -> list[str]:
    """A key, or several of one block, with their values, as lines."""
    keys = value if isinstance(value, Keys) else {key: value}
    return [line for name, each in keys.items() for line in _entry(name, each)]


def _entry(key: str, value: object) -> list[str]:
    """A key with its value, as lines."""
    name = _scalar(key)
    if isinstance(value, Mapping) and value:
        return [f"{name}:", *(f"{INDENT}{line}" for word, each in value.items() for line in _entry(str(word), each))]
    if isinstance(value, list | tuple) and value:
        line = f"{name}: {_flow(value)}"
        if not any(isinstance(each, Mapping | list | tuple) for each in value) and len(line) <= LONGEST_LINE:
            return [line]
        return [f"{name}:", *(line for each in value for line in _item(each))]
    return [f"{name}: {_flow(value)}"]


def _item(value: object) -> list[str]:
    """An entry of a list, as lines."""
    if not isinstance(value, Mapping) or not value:
        return [f"{INDENT}- {_flow(value)}"]
    lines = [line for word, each in value.items() for line in _entry(str(word), each)]
    return [f"{INDENT}{'- ' if number == 0 else '  '}{line}" for number, line in enumerate(lines)]


def _flow(value: object) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_scalar(str(key))}: {_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    """A single value on one line, quoted where it must be. What steers a terminal, or can't be seen, is escaped."""
    if value is NULL:
        value = None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_odd = isinstance(value, str) and (plain(value) != value or not value.isprintable())
    text = _dumped(value, '"' if is_odd else None, allow_unicode=not is_odd)
    return _dumped(value, '"', allow_unicode=True) if text.startswith("'") and "''" in text[1:-1] else text


def _dumped(value: object, style: str | None, *, allow_unicode: bool) -> str:
    text = yaml.safe_dump(
        [value], default_flow_style=True, default_style=style, allow_unicode=allow_unicode, width=float("inf")
    )
    return text.rstrip("\n").removeprefix("[").removesuffix("]")


# --- what it would change ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyChange:
    """A key that the proposal has otherwise than the file that is there; `why` says what was found."""

    key: str
    before: str
    after: str
    why: str


def changes(before: RunMapping, after: RunMapping, looked: Sequence[LookedAt]) -> list[KeyChange]:
    """Every chosen key whose meaning differs, whatever way it is written."""
    old, new = (msgspec.to_builtins(each) for each in (before, after))
    found = []
    for path, why in ((path, choice.why) for each in looked for choice in each.choices for path in choice.keys):
        was, would = (_at(each, path) for each in (old, new))
        if _meaning(was, path[-1]) != _meaning(would, path[-1]):
            found.append(KeyChange(".".join(path), _part(was, would), _part(would, was), why))
    return found


def _meaning(value: Any, key: str) -> Any:
    """A value without what says nothing: the order of a list of texts, unless the list is an `order`."""
    if isinstance(value, dict):
        return {name: _meaning(each, name) for name, each in value.items()}
    is_set = isinstance(value, list | tuple) and key != ORDERED and all(isinstance(each, str) for each in value)
    return sorted(value) if is_set else value


def _part(value: object, other: object) -> str:
    """A value on one line; a whole part that is not in use is `none`, as the file has it."""
    return "none" if value is None and isinstance(other, dict | list) else on_one_line(value)


def kept(before: RunMapping, looked: Sequence[LookedAt]) -> list[str]:
    """The keys that the file has otherwise than the defaults, and of which the proposal says nothing."""
    old, usual = (msgspec.to_builtins(each) for each in (before, AccountpulseYaml()))
    chosen = [path for each in looked for choice in each.choices for path in choice.keys]
    return [f"{'.'.join(path)}: {on_one_line(value)}" for path, value in _differing(old, usual, (), chosen)]


def _differing(
    old: Any, usual: Any, path: tuple[str, ...], chosen: Sequence[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    if path in chosen or old == usual:
        return
    if isinstance(old, dict) and isinstance(usual, dict):
        for key, value in old.items():
            yield from _differing(value, usual.get(key), (*path, key), chosen)
    else:
        yield path, old


def _at(value: Any, path: Sequence[str]) -> Any:
    for word in path:
        value = value.get(word) if isinstance(value, dict) else None
    return value


def on_one_line(value: object) -> str:
    """A value as the file has it, on one line."""
    return _flow(value).strip("{}") if isinstance(value, Keys) else _flow(value)
