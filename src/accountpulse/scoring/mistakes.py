"""Mistakes of a scorecard file that only show when two of its places are held against each other.

They are looked for in the plain data, not in the validated model, so that a file with mistakes of both kinds gets
all of them in one list. Whatever has the wrong shape is passed over here: the model reports it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accountpulse.core.catalogue import PILLAR, catalogue
from accountpulse.core.records import ACCOUNTS
from accountpulse.core.yaml_files import Document, Path, nearest
from accountpulse.scoring.model import CONTENTS

ANY_DIMENSION = "any_dimension"
NOT_RATED = "Not Rated"
ATTRIBUTES = tuple(ACCOUNTS)  # what stands beside the metrics of an account
# what `score` and `explain` put beside the metrics
RESULTS = (
    "health_score",
    "health_before_caps",
    "churn_risk_score",
    "tier",
    "coverage",
    "lower_bound",
    "upper_bound",
    "cap_reason",
    "not_rated_reason",
    "drivers",
    "last_tier",
    "health_before_caps_3m",
    "drivers_text",
    "scorecard",
)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


@dataclass
class Seen:
    """What the tree of a file names, and the mistakes found on the way."""

    document: Document
    known: Collection[str]
    pillars: Sequence[str]
    problems: list[str] = field(default_factory=list)
    dimensions: dict[str, bool] = field(default_factory=dict)  # name → it has leaves
    leaves: set[str] = field(default_factory=set)
    substitutes: set[str] = field(default_factory=set)
    directions: dict[str, int] = field(default_factory=dict)  # of the points of leaves and substitutes

    def add(self, path: Path, text: str) -> None:
        """Note one mistake at its line."""
        self.problems.append(f"{self.document.where(path)}: {text}")

    def metric(self, name: str, path: Path) -> None:
        """A metric must be built in, a configured pillar or declared."""
        if name not in self.known:
            self.add(path, f"there is no metric {name!r}{self._way_out(name)}")

    def _way_out(self, name: str) -> str:
        if name.startswith(PILLAR):
            return f"; configured pillars: {', '.join(self.pillars) or 'none'}"
        return nearest(name, self.known) or "; declare your own under metrics: at the top of the file"


def find(document: Document, pillars: Sequence[str]) -> list[str]:
    """Every mistake, one line each."""
    data = _mapping(document.data)
    own = _mapping(data.get("metrics"))
    seen = Seen(document, {*catalogue(pillars), *(str(name) for name in own)}, pillars)
    _own_metrics(seen, own)
    _groups(seen, data.get("groups"), ("groups",))
    _segments(seen, data.get("segments"))
    _caps(seen, data.get("caps"))
    _coverage(seen, _mapping(data.get("coverage")))
    _tiers(seen, data.get("tiers"))
    _risk(seen, _mapping(data.get("churn_risk")))
    return seen.problems


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> Iterator[tuple[int, Any]]:
    return enumerate(value) if isinstance(value, list) else enumerate(())


def _names(value: Any) -> Iterator[tuple[int, str]]:
    return ((index, name) for index, name in _items(value) if isinstance(name, str))


def _own_metrics(seen: Seen, own: Mapping[Any, Any]) -> None:
    builtin = catalogue(seen.pillars)
    for name in map(str, own):
        path: Path = ("metrics", name)
        if name in builtin:
            seen.add(path, "is built in: it needs no declaration, and its meaning can't be changed here")
        elif name in ATTRIBUTES or name in RESULTS or name.endswith("_reason"):
            seen.add(path, "this name is taken by a column of its own; choose another")
        elif name.startswith(PILLAR):
            seen.add(path, f"names that begin with {PILLAR} are kept for the configured pillars; choose another")
        elif not _NAME.fullmatch(name):
            seen.add(path, "a name has small letters, digits and _, and begins with a letter")


# --- the tree --------------------------------------------------------------------------------------------------


def _groups(seen: Seen, groups: Any, path: Path) -> None:
    for key, group in _mapping(groups).items():
        name, here = str(key), (*path, str(key))
        if not isinstance(group, dict):
            continue
        if not _NAME.fullmatch(name):
            seen.add(here, "a name has small letters, digits and _, and begins with a letter")
        contents = [part for part in CONTENTS if group.get(part) is not None]
        if len(contents) != 1:
            seen.add(here, f"needs exactly one of groups, metrics, pillars; it has {' and '.join(contents) or 'none'}")
        if "groups" in contents:
            _not_empty(seen, group["groups"], (*here, "groups"))
            _groups(seen, group["groups"], (*here, "groups"))
        else:
            _dimension(seen, name, group, here)


def _dimension(seen: Seen, name: str, group: Mapping[str, Any], here: Path) -> None:
    if name in seen.dimensions:
        seen.add(here, "a dimension of this name stands in the tree already")
    if name in seen.known or name == ANY_DIMENSION or f"{name}_score" in {*seen.known, *RESULTS}:
        seen.add(here, "this name is taken by a metric or by a column of the result; choose another")
    if group.get("metrics") is not None:
        _not_empty(seen, group["metrics"], (*here, "metrics"))
    for metric, rule in _mapping(group.get("metrics")).items():
        _leaf(seen, str(metric), _mapping(rule), (*here, "metrics", str(metric)))
    if group.get("pillars") is not None:
        for pillar in seen.pillars:
            _once(seen, f"{PILLAR}{pillar}", (*here, "pillars"))
    has_leaves = bool(group.get("metrics")) or (group.get("pillars") is not None and bool(seen.pillars))
    seen.dimensions[name] = seen.dimensions.get(name, False) or has_leaves


def _not_empty(seen: Seen, content: Any, path: Path) -> None:
    if content == {}:
        seen.add(path, "is empty: what must not count is left out of the tree with its group")


def _leaf(seen: Seen, metric: str, rule: Mapping[Any, Any], here: Path) -> None:
    seen.metric(metric, here)
    _once(seen, metric, here)
    for name in map(str, _mapping(rule.get("enough"))):
        seen.metric(name, (*here, "enough", name))
    seen.directions.setdefault(metric, _direction(rule.get("anchors")))
    substitute = _mapping(rule.get("else")).get("metric")
    if isinstance(substitute, str):
        seen.metric(substitute, (*here, "else", "metric"))
        seen.substitutes.add(substitute)
        seen.directions.setdefault(substitute, _direction(_mapping(rule.get("else")).get("anchors")))


def _once(seen: Seen, metric: str, here: Path) -> None:
    if metric in seen.leaves:
        seen.add(here, f"{metric} counts in the tree already; a metric counts once")
    seen.leaves.add(metric)


# --- the rest --------------------------------------------------------------------------------------------------


def _segments(seen: Seen, segments: Any) -> None:
    usable = seen.leaves | seen.substitutes
    names: set[str] = set()
    for index, segment in _items(segments):
        name = _mapping(segment).get("name")
        if name in names:
            seen.add(("segments", index, "name"), f"{name!r} is given twice")
        names |= {name} if isinstance(name, str) else set()
        for metric, anchors in _mapping(_mapping(segment).get("anchors")).items():
            path = ("segments", index, "anchors", str(metric))
            if metric not in usable:
                seen.add(path, f"{metric!r} is not in the tree{nearest(str(metric), usable)}")
            elif _direction(anchors) * seen.directions.get(metric, 0) < 0:
                here, there = ("rise", "fall") if _direction(anchors) > 0 else ("fall", "rise")
                seen.add(path, f"points {here} with the value here, but {there} in the tree")


def _direction(anchors: Any) -> int:
    """1 where points rise with the value, −1 where they fall, 0 where they stay or where it is no curve."""
    ends = (
        [point[1] for point in anchors if isinstance(point, list) and len(point) == 2]
        if isinstance(anchors, list)
        else []
    )
    if len(ends) < 2 or not all(isinstance(end, int | float) for end in ends):
        return 0
    return int(ends[-1] > ends[0]) - int(ends[-1] < ends[0])


def _caps(seen: Seen, caps: Any) -> None:
    names = {*seen.known, *seen.dimensions, ANY_DIMENSION}
    for index, cap in _items(caps):
        for name, condition in _mapping(_mapping(cap).get("when")).items():
            path = ("caps", index, "when", str(name))
            if name not in names:
                hint = nearest(str(name), names)
                seen.add(path, f"{name!r} is neither a metric nor a dimension nor {ANY_DIMENSION}{hint}")
            if condition == {}:
                seen.add(path, "needs a comparison: gte, gt, lte, lt or eq")


def _coverage(seen: Seen, coverage: Mapping[Any, Any]) -> None:
    needed = list(_names(coverage.get("tier_needs_any_of")))
    for index, name in needed:
        if name not in seen.dimensions:
            path = ("coverage", "tier_needs_any_of", index)
            seen.add(path, f"there is no dimension {name!r}{nearest(name, seen.dimensions)}")
    if needed and all(seen.dimensions.get(name) is False for _, name in needed):
        names = ", ".join(name for _, name in needed)
        text = f"no pillar is configured, so {names} can never have a score: configure pillars, or name a dimension"
        seen.add(("coverage", "tier_needs_any_of"), f"{text} that has metrics")
    for index, name in _names(coverage.get("tier_needs_readable")):
        seen.metric(name, ("coverage", "tier_needs_readable", index))
    least, filled = coverage.get("tier_min_dimensions"), sum(seen.dimensions.values())
    if isinstance(least, int) and least > filled:
        seen.add(("coverage", "tier_min_dimensions"), f"{least} asked for, but only {filled} dimensions have metrics")


def _tiers(seen: Seen, tiers: Any) -> None:
    names: set[Any] = set()
    floors: set[Any] = set()
    for index, tier in _items(tiers):
        name, floor = _mapping(tier).get("name"), _mapping(tier).get("min")
        if name == NOT_RATED:
            seen.add(("tiers", index, "name"), f"{NOT_RATED!r} is kept for accounts without a score")
        if isinstance(name, str) and name in names:
            seen.add(("tiers", index, "name"), f"{name!r} is given twice")
        if isinstance(floor, int | float) and floor in floors:
            seen.add(("tiers", index, "min"), f"another tier begins at {floor:g} too")
        names |= {name} if isinstance(name, str) else set()
        floors |= {floor} if isinstance(floor, int | float) else set()
    if floors and 0 not in floors:
        seen.add(("tiers",), "one tier must begin at 0, so that every score has a tier")


def _risk(seen: Seen, risk: Mapping[Any, Any]) -> None:
    for name, term in _mapping(risk.get("signals")).items():
        path: Path = ("churn_risk", "signals", str(name))
        seen.metric(str(name), path)
        first, most = _mapping(term).get("first"), _mapping(term).get("max")
        if isinstance(first, int | float) and isinstance(most, int | float) and first > most:
            seen.add(path, f"max ({most:g}) lies below first ({first:g})")
    bands = _mapping(risk.get("bands"))
    medium, high = bands.get("medium"), bands.get("high")
    if isinstance(medium, int | float) and isinstance(high, int | float) and medium >= high:
        seen.add(("churn_risk", "bands"), "high must lie above medium")
