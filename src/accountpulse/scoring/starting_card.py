"""A scorecard to begin with: the packaged file, comments and all, without what nothing feeds.

What is left out stays in the file as comments, with the reason. The other weights stay as they are: they are relative
among neighbours, so their proportions stay, too.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from accountpulse.scoring.scorecard import Leaf, Node, Scorecard, default, default_text, load

WIDTH = 110


@dataclass(frozen=True)
class StartingCard:
    """The text, the scorecard that it holds, and what was left out: groups and metrics by key, with the reason."""

    text: str
    card: Scorecard
    left_out: Mapping[str, str]


def starting_card(unfed: Mapping[str, str], pillars: tuple[str, ...], name: str) -> StartingCard:
    """The packaged scorecard without the metrics that are `unfed` (each with the reason why), as the file `name`.

    A group without any metric left goes as a whole, with the caps and the rules of coverage that name it.
    ConfigurationError where nothing is left.
    """
    card = default(pillars)
    gone = dict(_gone(card.root, unfed))
    groups = {key for key in gone if any(node.key == key for node in card.root.nodes())}
    lines = default_text().splitlines()
    root = yaml.compose(default_text(), Loader=yaml.SafeLoader)
    for key, why in gone.items():
        first, last = _lines_of(root, _path(key, groups))
        _comment_out(lines, first, last, f"left out: {why}")
    _mend_rules(lines, card, groups)
    text = "\n".join([*_head(gone), *lines]) + "\n"
    return StartingCard(text, load(text, name, pillars), gone)


def _gone(node: Node, unfed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What to leave out below a group: whole groups where nothing of them is fed."""
    for child in node.children:
        if isinstance(child, Leaf):
            if all(metric in unfed for metric in child.metrics):
                yield child.key, unfed[child.name]
        elif not child.children:
            yield child.key, "no pillars are configured"
        elif all(metric in unfed for leaf in child.leaves() for metric in leaf.metrics):
            yield child.key, "; ".join(dict.fromkeys(unfed[leaf.name] for leaf in child.leaves()))
        else:
            yield from _gone(child, unfed)


def _path(key: str, groups: set[str]) -> tuple[str, ...]:
    """The keys that lead to a group or a metric: `support/csat_score` → groups, support, metrics, csat_score."""
    words = key.split("/")
    inner = [word for name in words[:-1] for word in (name, "groups")]
    path = ["groups", *inner, words[-1]]
    if key not in groups:
        path[-2] = "metrics"
    return tuple(path)


def _lines_of(root: yaml.Node | None, path: tuple[str, ...]) -> tuple[int, int]:
    """The first and the last line (from 0) of an entry."""
    first, node = 0, root
    for word in path:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - of the packaged file
        first, node = next((key.start_mark.line, value) for key, value in node.value if key.value == word)
    return first, _last_line(node)


def _last_line(node: yaml.Node | None) -> int:
    assert node is not None  # noqa: S101 - as above
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.line


def _comment_out(lines: list[str], first: int, last: int, why: str) -> None:
    """Put the lines behind #, the reason above them."""
    indent = " " * (len(lines[first]) - len(lines[first].lstrip()))
    body = [f"{indent}# {line.removeprefix(indent)}".rstrip() for line in lines[first : last + 1]]
    lines[first : last + 1] = ["\n".join([f"{indent}# {why}", *body]), *[_SAME] * (last - first)]


_SAME = "\0"  # a line that has moved up into the comment: so the others keep their numbers


def _mend_rules(lines: list[str], card: Scorecard, groups: set[str]) -> None:
    """Take the groups that are gone out of the rules that name them, and the empty lines' marks out of the text."""
    names = {key.rpartition("/")[2] for key in groups}
    left = len(card.dimensions) - len(names & set(card.dimensions))
    for number, line in enumerate(lines):
        if line == "name: default":
            lines[number] = "name: own"
        elif (found := re.match(r"  tier_needs_any_of: \[([^]]*)\]", line)) is not None:
            kept = [name for name in found[1].split(", ") if name not in names]
            lines[number] = f"  tier_needs_any_of: [{', '.join(kept)}]{line[found.end() :]}"
        elif line.startswith("  tier_min_dimensions:"):
            least = min(card.file.coverage.tier_min_dimensions, left)
            lines[number] = re.sub(r"\d+", str(least), line, count=1)
        elif line.startswith("  - {when: {") and any(f"{{{name}:" in line or f", {name}:" in line for name in names):
            lines[number] = f"  # left out, since its group is: {line.strip()}"
    lines[:] = [line for line in lines if line != _SAME]


def _head(gone: Mapping[str, str]) -> list[str]:
    told = "everything is fed" if not gone else f"left out, since nothing feeds it: {', '.join(gone)}"
    text = (
        "A copy of accountpulse's own scorecard, by `accountpulse scorecard init`, to edit; name it under scorecard: "
        f"in accountpulse.yaml. By the mapping in force {told}. The other weights are as they were: relative among "
        "their neighbours."
    )
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False)] + ["#"]
