"""A scorecard's file with other weights: everything else stays to the letter, comments, order and quotes included.

The numbers are replaced where they stand in the text. What counts nothing any more is commented out, with the reason.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log10
from typing import Any

import yaml

from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.proof.points import Weights, effective_weights, owners_weights
from accountpulse.scoring.scorecard import Leaf, Node, Scorecard, load

_WIDTH = 100  # of a comment
_NEAR = 0.005  # of the whole weight: as far as rounding may lead from what was suggested


@dataclass(frozen=True)
class RewrittenCard:
    """The new text, and the scorecard that it holds.

    `taken_out` are the keys of groups and metrics that are commented out; `kept` says of those that should count
    nothing why they stay all the same, with the least weight.
    """

    text: str
    card: Scorecard
    taken_out: tuple[str, ...]
    kept: Mapping[str, str]


def rewritten(
    text: str, name: str, card: Scorecard, weights: Weights, reasons: Mapping[str, str], *, head: str = ""
) -> RewrittenCard:
    """The file `text`, from which `card` was loaded, with these weights, as `suggest` gives them (0: take it out).

    `reasons` say by key why something is taken out, `head` is a comment for the begin of the file. The weights of
    neighbours keep their sum, rounded to about a thousandth of it; what rounds to the old number stays. What other
    rules of the file name stays with the least weight. A UsageError where a weight can't be changed alone, since it
    stands in one place for several.
    """
    kept = _kept(card, weights)
    edits = _Edits(text, card, weights, reasons, kept)
    top = [f"{line}{edits.line_end}" for line in _comment(head, "")]
    changed = "".join(top) + edits.applied()
    found = _checked(changed, name, card, weights, tuple(edits.taken_out))
    return RewrittenCard(changed, found, tuple(edits.taken_out), kept)


# --- what can't be taken out ---------------------------------------------------------------------------------------


def _kept(card: Scorecard, weights: Weights) -> dict[str, str]:
    """Groups and metrics of weight 0 that another rule of the file needs: key → which."""
    kept: dict[str, str] = {}
    overlays = {metric for segment in card.file.segments for metric in segment.anchors}
    for leaf in card.leaves:
        if weights[leaf.key] == 0 and overlays & set(leaf.metrics):
            kept[leaf.key] = "segments: has anchors for it"
    out = [node for node in card.dimension_nodes if weights[node.key] == 0]
    for node in out:
        if node.name in card.file.coverage.tier_needs_any_of:
            kept[node.key] = "coverage: tier_needs_any_of names it"
        if any(node.name in cap.when for cap in card.file.caps):
            kept[node.key] = "a cap names it"
    least = card.file.coverage.tier_min_dimensions
    filled = [node for node in card.dimension_nodes if node.children]
    if len(filled) - len([node for node in out if node.key not in kept]) < least:
        kept |= {node.key: f"coverage: tier_min_dimensions asks for {least}" for node in out if node.key not in kept}
    return kept


# --- edits -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _YamlEntry:
    """A key and its value in a mapping of the file."""

    key: yaml.ScalarNode
    value: yaml.Node

    @property
    def end(self) -> int:
        return _end(self.value).index


class _Edits:
    """What is replaced in a text: from, to, by what."""

    def __init__(
        self, text: str, card: Scorecard, weights: Weights, reasons: Mapping[str, str], kept: Mapping[str, str]
    ) -> None:
        self.text = text
        self.line_end = "\r\n" if "\r\n" in text else "\n"
        self.card, self.weights, self.reasons, self.kept = card, weights, reasons, kept
        self.taken_out: list[str] = []
        self.edits: dict[tuple[int, int], str] = {}
        self.notes: list[tuple[int, str]] = []  # of what stands at a place

    def applied(self) -> str:
        """The new text."""
        root = yaml.compose(self.text, Loader=yaml.SafeLoader)
        self._children(self.card.root, _mapping_at(root, "groups"))
        for place, note in self.notes:
            line = self._line_before(place)
            self.edits[line, line] = self.edits.get((line, line), "") + note
        changed = self.text
        for (start, end), new in sorted(self.edits.items(), reverse=True):
            changed = changed[:start] + new + changed[end:]
        return changed

    def _replace(self, start: int, end: int, new: str) -> None:
        if self.edits.setdefault((start, end), new) != new:
            line = self.text.count("\n", 0, start) + 1
            raise UsageError(
                f"line {line}: this place of the scorecard stands for several (YAML's & and *), whose weights now "
                "differ: write each of them out first"
            )

    def _children(self, node: Node, mapping: yaml.MappingNode) -> None:
        """The weights of a group's children, and what is below them."""
        new = self._scaled(node, mapping)
        gone = [child.name for child in node.children if child.name not in new]
        for child in node.children:
            if child.name in gone:
                self.taken_out.append(child.key)
                continue
            entry = _entry(mapping, child.name)
            self._weight(entry, new[child.name])
            if isinstance(child, Node) and child.children:
                self._inside(child, entry)
        if gone:
            self._take_out(node, mapping, gone)

    def _inside(self, node: Node, entry: _YamlEntry) -> None:
        inner = _as_mapping(entry.value)
        names = {str(key.value) for key, _ in inner.value}
        if "pillars" in names:
            self._pillars(node, _entry(inner, "pillars"))
        elif self.weights[node.key] > 0:  # else it stays as it is, with the least weight
            self._children(node, _mapping_at(inner, "metrics" if "metrics" in names else "groups"))

    def _scaled(self, node: Node, mapping: yaml.MappingNode) -> dict[str, Decimal]:
        """The new weights of the children that stay, on the scale of the old ones."""
        old = {child.name: _number(_weight_of(_entry(mapping, child.name))) for child in node.children}
        return _rounded(node, old, self.weights, self.kept)

    def _weight(self, entry: _YamlEntry, new: Decimal) -> None:
        scalar = _weight_of(entry)
        if Decimal(str(_number(scalar))) != new:
            self._replace(scalar.start_mark.index, scalar.end_mark.index, f"{new.normalize():f}")

    # --- taking out

    def _take_out(self, node: Node, mapping: yaml.MappingNode, gone: list[str]) -> None:
        entries = [_YamlEntry(_scalar(key), value) for key, value in mapping.value]
        if not mapping.flow_style:
            for entry in entries:
                if entry.key.value in gone:
                    self._comment_out(entry, self._why(node, entry.key.value))
            return
        for position, entry in enumerate(entries):
            if entry.key.value in gone:
                self._cut(entries, position, gone)
                note = f"{self._why(node, entry.key.value)}: {self.text[entry.key.start_mark.index : entry.end]}"
                self._note(entry.key, note)

    def _why(self, node: Node, name: str) -> str:
        key = next(child.key for child in node.children if child.name == name)
        return f"taken out: {self.reasons.get(key) or 'with the new weights it counts nothing'}"

    def _comment_out(self, entry: _YamlEntry, why: str) -> None:
        """Each line of a block entry behind #, below the reason."""
        begin, column = entry.key.start_mark.index, entry.key.start_mark.column
        start, stop = begin - column, self.text.find(self.line_end, entry.end)
        lines = self.text[start : stop if stop >= 0 else len(self.text)].split(self.line_end)
        indent = " " * column
        body = [f"{indent}# {line.removeprefix(indent)}".rstrip() for line in lines]
        comment = [*_comment(why, indent), *body]
        self._replace(start, start + len(self.line_end.join(lines)), self.line_end.join(comment))

    def _note(self, at: yaml.ScalarNode, note: str) -> None:
        """A comment on lines of its own, before the line of a place."""
        line = self.text[at.start_mark.index - at.start_mark.column : at.start_mark.index]
        indent = line[: len(line) - len(line.lstrip())]
        comment = self.line_end.join([*_comment(" ".join(note.split()), indent), ""])
        self.notes.append((at.start_mark.index, comment))

    def _line_before(self, place: int) -> int:
        """The begin of the line of a place, or of the nearest line before it that stays."""
        begin = self.text.rfind("\n", 0, place) + 1
        cut = min((start for start, end in self.edits if start < begin < end), default=None)
        return begin if cut is None else self._line_before(cut)

    def _cut(self, entries: list[_YamlEntry], position: int, gone: list[str]) -> None:
        """Take an entry out of a mapping in braces, with the comma that it no longer needs."""
        entry = entries[position]
        if any(later.key.value not in gone for later in entries[position + 1 :]):
            self._replace(entry.key.start_mark.index, entries[position + 1].key.start_mark.index, "")
            return
        self._replace(entries[position - 1].end, entry.end, "")

    # --- pillars

    def _pillars(self, node: Node, entry: _YamlEntry) -> None:
        """`pillars:` gives all the same weight: where they differ now, each is written out."""
        new = _rounded(node, {leaf.name: 1.0 for leaf in node.leaves()}, self.weights, self.kept)
        if len(new) == len(node.children) and len(set(new.values())) == 1:
            return
        self.taken_out += [leaf.key for leaf in node.leaves() if leaf.name not in new]
        for leaf in node.leaves():
            if leaf.name not in new:
                self._note(entry.key, f"{leaf.name} is {self._why(node, leaf.name)}")
        anchors = {leaf.name: json.dumps([list(point) for point in leaf.rule.anchors]) for leaf in node.leaves()}
        rules = [f"{name}: {{weight: {weight:f}, anchors: {anchors[name]}}}" for name, weight in new.items()]
        self._replace(entry.key.start_mark.index, entry.end, f"metrics: {{{', '.join(rules)}}}")


def _rounded(node: Node, old: Mapping[str, float], weights: Weights, kept: Mapping[str, str]) -> dict[str, Decimal]:
    """The weights of the children that stay, rounded: their sum is that of `old`, and none is 0."""
    whole, total = sum(old.values()), sum(weights[child.key] for child in node.children)
    step = Decimal(1).scaleb(round(log10(whole)) - 3)
    found = {}
    for child in node.children:
        if weights[child.key] == 0 and child.key not in kept and not _holds_kept(child, kept):
            continue
        exact = weights[child.key] / total * whole if total else old[child.name]
        stays = abs(exact - old[child.name]) <= float(step) / 2
        rounded = Decimal(str(exact)).quantize(step)
        found[child.name] = Decimal(str(old[child.name])) if stays else max(rounded, step).normalize()
    return found


def _holds_kept(child: Node | Leaf, kept: Mapping[str, str]) -> bool:
    return isinstance(child, Node) and any(key.startswith(f"{child.key}/") for key in kept)


def _comment(text: str, indent: str) -> list[str]:
    mark = f"{indent}# "
    return textwrap.wrap(
        text, _WIDTH, initial_indent=mark, subsequent_indent=mark, break_long_words=False, break_on_hyphens=False
    )


# --- the file's own nodes ----------------------------------------------------------------------------------------


def _as_mapping(node: yaml.Node) -> yaml.MappingNode:
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - the scorecard was loaded from it
    return node


def _scalar(node: yaml.Node) -> yaml.ScalarNode:
    assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - as above
    return node


def _entry(mapping: yaml.MappingNode, name: str) -> _YamlEntry:
    for key, value in mapping.value:
        if key.value == name:
            return _YamlEntry(_scalar(key), value)
    line = mapping.start_mark.line + 1
    raise UsageError(
        f"line {line}: {name!r} of the scorecard comes from another place (YAML's <<): write it out here first"
    )


def _mapping_at(node: Any, name: str) -> yaml.MappingNode:
    return _as_mapping(_entry(_as_mapping(node), name).value)


def _number(scalar: yaml.ScalarNode) -> float:
    """As the loader reads it: 0x10 is a number, too."""
    return float(yaml.safe_load(scalar.value))


def _weight_of(entry: _YamlEntry) -> yaml.ScalarNode:
    return _scalar(_entry(_as_mapping(entry.value), "weight").value)


def _end(node: yaml.Node) -> yaml.Mark:
    """Where a node's own text ends: of a block the end of its last value, without comments and blanks below."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark


# --- whether it came out right -----------------------------------------------------------------------------------


def _checked(text: str, name: str, card: Scorecard, weights: Weights, taken_out: tuple[str, ...]) -> Scorecard:
    """The scorecard in the new text; a UsageError where anything but weights differs from the old one."""
    trouble = f"{name}: its weights can't be changed where they stand"
    try:
        found = load(text, name, card.pillars)
    except ConfigurationError as error:
        raise UsageError(f"{trouble}: {'; '.join(error.problems)}") from None
    same = _without_weights(card, taken_out) == _without_weights(found, ())
    wanted = dict(zip((leaf.key for leaf in card.leaves), effective_weights(card, weights), strict=True))
    got = dict(zip((leaf.key for leaf in found.leaves), effective_weights(found, owners_weights(found)), strict=True))
    near = all(abs(got.get(key, 0.0) - weight) <= _NEAR for key, weight in wanted.items())
    if not same or not near:
        raise UsageError(f"{trouble}: does one place stand for several (YAML's &, * and <<)? Write each of them out")
    return found


def _without_weights(card: Scorecard, taken_out: tuple[str, ...]) -> dict[str, Any]:
    plain: dict[str, Any] = card.content["scorecard"]
    return {**plain, "groups": dict(_groups_without(plain["groups"], "", taken_out))}


def _groups_without(groups: Mapping[str, Any], path: str, taken_out: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, group in groups.items():
        key = f"{path}{name}"
        if key not in taken_out:
            inner = {part: value for part, value in group.items() if part != "weight"}
            inner |= {
                part: dict(_groups_without(inner[part], f"{key}/", taken_out))
                for part in ("groups", "metrics")
                if inner.get(part)
            }
            yield name, inner
