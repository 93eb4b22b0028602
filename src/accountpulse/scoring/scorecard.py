"""A scorecard: read from its file, checked whole, its tree flattened for the arithmetic."""

import hashlib
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal

from accountpulse.core.catalogue import Metric, catalogue, own_metric, pillar_metric
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.yaml_files import parse, validate
from accountpulse.scoring.model import ChurnRisk, Group, MetricRule, NextStep, ScorecardFile, Tier
from accountpulse.scoring.validation import find_problems

PACKAGED = "default.yaml"
GREEN = 75.0  # points: the edge of good, as the anchors mean it
RED = 50.0  # points of health below which an account is in danger, whatever its tiers are called
TOLERANCE = 1e-9  # shares of weight that add up to a minimum reach it, whatever their last bit
RiskBand = Literal["low", "medium", "high"]


@dataclass(frozen=True)
class Leaf:
    """A metric in the tree."""

    name: str
    path: tuple[str, ...]  # the groups above it, outermost first
    weight: float  # among its siblings; all siblings' weights are whole numbers
    share: float  # of the whole weight, 0 to 1, where everything is known
    rule: MetricRule

    @property
    def key(self) -> str:
        """Its place in the tree as one text."""
        return "/".join((*self.path, self.name))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that can give it points: its own, and its substitute."""
        return (self.name, self.rule.substitute.metric) if self.rule.substitute else (self.name,)


@dataclass(frozen=True)
class Node:
    """A group in the tree. A dimension holds leaves; one without any stands for pillars that nobody configured."""

    name: str
    path: tuple[str, ...]
    weight: float
    children: tuple["Node | Leaf", ...]
    is_dimension: bool
    empty_bounds: tuple[float, float] = (0.0, 100.0)  # the lowest and highest score that it could have without children

    @property
    def key(self) -> str:
        """Its place in the tree as one text; the root's is empty."""
        return "/".join((*self.path, self.name)) if self.name else ""

    @property
    def children_by_name(self) -> tuple["Node | Leaf", ...]:
        """The children in the order in which they are added up: by name, so that the order of keys changes no bit."""
        return tuple(sorted(self.children, key=lambda child: child.name))

    @property
    def total_weight(self) -> float:
        """The weight of all children."""
        return sum(child.weight for child in self.children)

    def nodes(self) -> Iterator["Node"]:
        """This node and all below, each before its children, in the file's order."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.nodes()

    def leaves(self) -> Iterator[Leaf]:
        """All leaves below, in the file's order."""
        for child in self.children:
            if isinstance(child, Node):
                yield from child.leaves()
            else:
                yield child


@dataclass(frozen=True)
class Scorecard:
    """A valid scorecard, pillars expanded. `root` is the tree whose score is health before caps."""

    file: ScorecardFile
    risk: ChurnRisk
    pillars: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name in the file."""
        return self.file.name

    @property
    def version(self) -> str:
        """The version in the file."""
        return str(self.file.version)

    @cached_property
    def hash(self) -> str:
        """The first 12 hex digits of the SHA-256 of what scores: not of comments, the order of keys and next steps."""
        text = json.dumps(self._plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def content(self) -> dict[str, Any]:
        """The whole content as plain data, in the file's order, for `restored`: stored with each run.

        Next steps are in it where they are its own: the packaged ones may get better with a later version.
        """
        own = {} if self.next_steps == default().next_steps else {"next_steps": plain_steps(self.next_steps)}
        return {"pillars": list(self.pillars), "scorecard": self._plain | own}

    @cached_property
    def _plain(self) -> dict[str, Any]:
        """What scores, as plain data: pillars expanded, the packaged churn risk where the file has none."""
        content = self.file.model_copy(update={"churn_risk": self.risk, "tiers": self.tiers, "next_steps": None})
        return content.model_dump(mode="json", by_alias=True, exclude_none=True)

    @cached_property
    def root(self) -> Node:
        """The tree."""
        return Node("", (), 1.0, _children(self.file.groups, (), 1.0), is_dimension=False)

    @cached_property
    def dimension_nodes(self) -> tuple[Node, ...]:
        """The groups that hold metrics, in the file's order."""
        return tuple(node for node in self.root.nodes() if node.is_dimension)

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(node.name for node in self.dimension_nodes)

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every metric that counts, in the file's order."""
        return tuple(self.root.leaves())

    @cached_property
    def leaves_by_name(self) -> tuple[Leaf, ...]:
        """Every metric that counts, by name: of two that cost the same, the first is named first."""
        return tuple(sorted(self.leaves, key=lambda leaf: leaf.name))

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers, best first."""
        return tuple(sorted(self.file.tiers, key=lambda tier: -tier.min))

    @property
    def tier_names(self) -> tuple[str, ...]:
        """The tiers' names, best first; Not Rated is none of them."""
        return tuple(tier.name for tier in self.tiers)

    @cached_property
    def green_tiers(self) -> tuple[str, ...]:
        """The tiers from GREEN points on, best first; the best one where none begins there."""
        return tuple(tier.name for tier in self.tiers if tier.min >= GREEN) or self.tier_names[:1]

    @cached_property
    def next_steps(self) -> tuple[NextStep, ...]:
        """The rules for what to do next, its own or the packaged ones."""
        return self.file.next_steps or default().file.next_steps or ()

    @cached_property
    def dimension_of(self) -> dict[str, str]:
        """The dimension of each metric that counts."""
        return {leaf.name: leaf.path[-1] for leaf in self.leaves}

    @cached_property
    def catalogue(self) -> dict[str, Metric]:
        """All metrics by name: built-in ones, pillars, and the file's own."""
        return catalogue(self.pillars, self.own)

    @property
    def own(self) -> tuple[Metric, ...]:
        """The metrics that the file declares."""
        return tuple(own_metric(name, metric.label, metric.unit) for name, metric in self.file.metrics.items())

    def share_of(self, node: Node) -> float:
        """The weight in the whole, 0 to 1, of a group, also of one without any metric."""
        part, inside = 1.0, self.root
        for name in (*node.path, node.name):
            child = next(child for child in inside.children if isinstance(child, Node) and child.name == name)
            part, inside = part * child.weight / inside.total_weight, child
        return part

    def risk_band(self, risk: float | None) -> RiskBand | None:
        """What a churn risk is called; None where it is not known."""
        if risk is None:
            return None
        return "high" if risk >= self.risk.bands.high else "medium" if risk >= self.risk.bands.medium else "low"


def dimension_label(name: str) -> str:
    """What people read for the name of a dimension or a group."""
    return name.replace("_", " ")


def plain_steps(steps: Sequence[NextStep]) -> list[dict[str, Any]]:
    """Next steps as plain data."""
    return [rule.model_dump(mode="json", exclude_none=True) for rule in steps]


def load(text: str, name: str, pillars: Sequence[str] = ()) -> Scorecard:
    """The scorecard in `text`; `name` is its file's name, `pillars` are the configured ones.

    Every problem is reported at once, each with its line, as one ConfigurationError.
    """
    document = parse(text, name)
    problems = find_problems(document, pillars)
    try:
        file = validate(document, ScorecardFile)
    except ConfigurationError as error:
        problems = [*error.problems, *problems]
    if problems:
        raise ConfigurationError(name, sorted(dict.fromkeys(problems), key=_line_number))
    groups = {key: _expanded(group, pillars) for key, group in file.groups.items()}
    risk = file.churn_risk or default().risk
    return Scorecard(file.model_copy(update={"groups": groups}), risk, tuple(pillars))


def restored(content: Mapping[str, Any]) -> Scorecard:
    """A scorecard from its own `content`, with the same hash."""
    file = ScorecardFile.model_validate(content["scorecard"])
    return Scorecard(file, file.churn_risk or default().risk, tuple(content["pillars"]))


def with_pillars(card: Scorecard, pillars: Sequence[str]) -> Scorecard:
    """The same scorecard where these pillars of platform value are configured; one that has any stays as it is."""
    if card.pillars:
        return card
    groups = {key: _expanded(group, pillars) for key, group in card.file.groups.items()}
    return Scorecard(card.file.model_copy(update={"groups": groups}), card.risk, tuple(pillars))


def default(pillars: Sequence[str] = ()) -> Scorecard:
    """The packaged scorecard."""
    return _default(tuple(pillars))


@cache
def _default(pillars: tuple[str, ...]) -> Scorecard:
    """Read once: a file of our own doesn't change while the process runs."""
    return load(default_text(), PACKAGED, pillars)


def default_text() -> str:
    """The packaged scorecard's file, to copy and change."""
    return (resources.files("accountpulse.scoring") / PACKAGED).read_text(encoding="utf-8")


def unreachable(card: Scorecard, measurable: Collection[str], *, signals_waived: bool = False) -> list[str]:
    """Why no account could ever be rated where only the `measurable` metrics have a source; empty: some could.

    Each line says what to change. Called at the start of a run, before anything is read.
    """
    rules, problems = card.file.coverage, []
    best = {node.name: _best_coverage(node, measurable) for node in card.dimension_nodes}
    scored = [name for name, covered in best.items() if covered > 0 and covered >= rules.dimension_min - TOLERANCE]
    if (covered := _best_coverage(card.root, measurable)) < rules.tier_min - TOLERANCE:
        problems.append(
            f"the configured sources feed {covered:.0%} of the weight, but tier_min is {rules.tier_min:.0%}"
        )
    if rules.tier_needs_any_of and not set(rules.tier_needs_any_of) & set(scored):
        problems.append(f"no configured source can feed {' or '.join(rules.tier_needs_any_of)} (tier_needs_any_of)")
    if len(scored) < rules.tier_min_dimensions:
        problems.append(
            f"dimensions that can have a score: {len(scored)}, but tier_min_dimensions is {rules.tier_min_dimensions}"
        )
    unreadable = [name for name in rules.tier_needs_readable if name not in measurable]
    if signals_waived:
        unreadable = [name for name in unreadable if card.catalogue[name].domain != "signals"]
    if unreadable:
        problems.append(f"no configured source has {', '.join(unreadable)} (tier_needs_readable)")
    remedy = "configure the source, or change coverage: in the scorecard"
    return [f"{problem}: no account could be rated; {remedy}" for problem in problems]


def _best_coverage(node: Node, measurable: Collection[str]) -> float:
    """The coverage that a node can have at most, 0 to 1."""
    covered = 0.0
    for child in node.children:
        if isinstance(child, Node):
            covered += child.weight * _best_coverage(child, measurable)
        elif any(name in measurable for name in child.metrics):
            covered += child.weight
    return covered / node.total_weight if node.children else 0.0


# --- the tree --------------------------------------------------------------------------------------------------


def _expanded(group: Group, pillars: Sequence[str]) -> Group:
    """The group with one metric for each configured pillar; without any it stays as it is."""
    if group.groups:
        return group.model_copy(update={"groups": {key: _expanded(sub, pillars) for key, sub in group.groups.items()}})
    if group.pillars is None or not pillars:
        return group
    rules = {pillar_metric(name).name: MetricRule(weight=1.0, anchors=group.pillars.anchors) for name in pillars}
    return group.model_copy(update={"metrics": rules, "pillars": None})


def _children(groups: Mapping[str, Group], path: tuple[str, ...], share: float) -> tuple[Node | Leaf, ...]:
    weights = whole_weights([group.weight for group in groups.values()])
    total = sum(weights)
    return tuple(
        _node(name, path, weight, group, share * weight / total)
        for (name, group), weight in zip(groups.items(), weights, strict=True)
    )


def _node(name: str, path: tuple[str, ...], weight: float, group: Group, share: float) -> Node:
    inner = (*path, name)
    if group.groups:
        return Node(name, path, weight, _children(group.groups, inner, share), is_dimension=False)
    rules = group.metrics or {}
    weights = whole_weights([rule.weight for rule in rules.values()])
    leaves = tuple(
        Leaf(metric, inner, own, share * own / sum(weights), rule)
        for (metric, rule), own in zip(rules.items(), weights, strict=True)
    )
    possible = [points for _, points in group.pillars.anchors] if group.pillars else [0.0, 100.0]
    return Node(name, path, weight, leaves, is_dimension=True, empty_bounds=(min(possible), max(possible)))


def whole_weights(weights: Sequence[float]) -> list[float]:
    """The same proportions in whole numbers: sums of such weights are exact, so a score on an edge stays on it."""
    exact = [Fraction(repr(weight)) for weight in weights]
    scale = math.lcm(*(part.denominator for part in exact))
    numbers = [int(part * scale) for part in exact]
    common = math.gcd(*numbers) or 1
    return [float(number // common) for number in numbers]


def _line_number(problem: str) -> int:
    found = re.match(r"line (\d+)", problem)
    return int(found[1]) if found else 0
