"""What makes a scorecard file invalid and only shows when two of its places are compared.

Problems are looked for in the plain data, not in the validated model, so that a file with problems of both kinds gets
all of them in one list. Whatever has the wrong shape is skipped here: the model reports it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accountpulse.core.catalogue import PILLAR, catalogue
from accountpulse.core.nearest import nearest
from accountpulse.core.yaml_files import Document, Path
from accountpulse.scoring.columns import ATTRIBUTES, OUTAGES, RESERVED, is_reason, score_of
from accountpulse.scoring.model import ANY_DIMENSION, CONTENTS, FILLED_IN, NOT_RATED, NUMBERS, StepConditions

_LOWER, _UPPER = ("gte", "gt", "eq"), ("lte", "lt", "eq")  # comparisons that bound a value from below, from above
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


@dataclass
class ScorecardCheck:
    """One pass over a file: the problems found so far, and what its tree names."""

    document: Document
    metrics: Collection[str]  # that may be used: built in, configured pillars, declared in the file
    pillars: Sequence[str]
    problems: list[str] = field(default_factory=list)
    dimensions: dict[str, bool] = field(default_factory=dict)  # name → it has leaves
    leaves: set[str] = field(default_factory=set)
    substitutes: set[str] = field(default_factory=set)
    directions: dict[str, int] = field(default_factory=dict)  # of the points of leaves and substitutes

    def add(self, path: Path, text: str) -> None:
        """Add a problem with its line."""
        self.problems.append(f"{self.document.where(path)}: {text}")

    def require_metric(self, name: str, path: Path) -> None:
        """A metric must be built in, a configured pillar or declared."""
        if name not in self.metrics:
            self.add(path, f"there is no metric {name!r}{self._hint(name)}")

    def _hint(self, name: str) -> str:
        if name.startswith(PILLAR):
            return f"; configured pillars: {', '.join(self.pillars) or 'none'}"
        return nearest(name, self.metrics) or "; declare your own under metrics: at the top of the file"


def find_problems(document: Document, pillars: Sequence[str]) -> list[str]:
    """Every problem, one line each; `pillars` are the configured ones."""
    data = _mapping(document.data)
    own = _mapping(data.get("metrics"))
    check = ScorecardCheck(document, {*catalogue(pillars), *(str(name) for name in own)}, pillars)
    _own_metrics(check, own)
    _groups(check, data.get("groups"), ("groups",))
    _segments(check, data.get("segments"))
    _caps(check, data.get("caps"))
    _coverage(check, _mapping(data.get("coverage")))
    _tiers(check, data.get("tiers"))
    _risk(check, _mapping(data.get("churn_risk")))
    _next_steps(check, data)
    return check.problems


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> Iterator[tuple[int, Any]]:
    return enumerate(value) if isinstance(value, list) else enumerate(())


def _names(value: Any) -> Iterator[tuple[int, str]]:
    return ((index, name) for index, name in _items(value) if isinstance(name, str))


def _own_metrics(check: ScorecardCheck, own: Mapping[Any, Any]) -> None:
    builtin = catalogue(check.pillars)
    for name in map(str, own):
        path: Path = ("metrics", name)
        if name in builtin:
            check.add(path, "is built in: it needs no declaration, and its meaning can't be changed here")
        elif name in ATTRIBUTES or name in RESERVED or is_reason(name):
            check.add(path, "this name is taken by a column of its own; choose another")
        elif name.startswith(PILLAR):
            check.add(path, f"names that begin with {PILLAR} are kept for the configured pillars; choose another")
        elif not _NAME.fullmatch(name):
            check.add(path, "a name has small letters, digits and _, and begins with a letter")


# --- the tree --------------------------------------------------------------------------------------------------


def _groups(check: ScorecardCheck, groups: Any, path: Path) -> None:
    for key, group in _mapping(groups).items():
        name, here = str(key), (*path, str(key))
        if not isinstance(group, dict):
            continue
        if not _NAME.fullmatch(name):
            check.add(here, "a name has small letters, digits and _, and begins with a letter")
        contents = [part for part in CONTENTS if group.get(part) is not None]
        if len(contents) != 1:
            check.add(here, f"needs exactly one of groups, metrics, pillars; it has {' and '.join(contents) or 'none'}")
        if "groups" in contents:
            _not_empty(check, group["groups"], (*here, "groups"))
            _groups(check, group["groups"], (*here, "groups"))
        else:
            _dimension(check, name, group, here)


def _dimension(check: ScorecardCheck, name: str, group: Mapping[str, Any], here: Path) -> None:
    if name in check.dimensions:
        check.add(here, "a dimension of this name stands in the tree already")
    if name in check.metrics or name == ANY_DIMENSION or score_of(name) in {*check.metrics, *RESERVED}:
        check.add(here, "this name is taken by a metric or by a column of the result; choose another")
    if group.get("metrics") is not None:
        _not_empty(check, group["metrics"], (*here, "metrics"))
    for metric, rule in _mapping(group.get("metrics")).items():
        _leaf(check, str(metric), _mapping(rule), (*here, "metrics", str(metric)))
    if group.get("pillars") is not None:
        for pillar in check.pillars:
            _count_once(check, f"{PILLAR}{pillar}", (*here, "pillars"))
    has_leaves = bool(group.get("metrics")) or (group.get("pillars") is not None and bool(check.pillars))
    check.dimensions[name] = check.dimensions.get(name, False) or has_leaves


def _not_empty(check: ScorecardCheck, content: Any, path: Path) -> None:
    if content == {}:
        check.add(path, "is empty: what must not count is left out of the tree with its group")


def _leaf(check: ScorecardCheck, metric: str, rule: Mapping[Any, Any], here: Path) -> None:
    check.require_metric(metric, here)
    _count_once(check, metric, here)
    for name in map(str, _mapping(rule.get("enough"))):
        check.require_metric(name, (*here, "enough", name))
    check.directions.setdefault(metric, _direction(rule.get("anchors")))
    substitute = _mapping(rule.get("else")).get("metric")
    if isinstance(substitute, str):
        check.require_metric(substitute, (*here, "else", "metric"))
        check.substitutes.add(substitute)
        check.directions.setdefault(substitute, _direction(_mapping(rule.get("else")).get("anchors")))


def _count_once(check: ScorecardCheck, metric: str, here: Path) -> None:
    if metric in check.leaves:
        check.add(here, f"{metric} counts in the tree already; a metric counts once")
    check.leaves.add(metric)


# --- the rest --------------------------------------------------------------------------------------------------


def _segments(check: ScorecardCheck, segments: Any) -> None:
    usable = check.leaves | check.substitutes
    names: set[str] = set()
    for index, segment in _items(segments):
        name = _mapping(segment).get("name")
        if name in names:
            check.add(("segments", index, "name"), f"{name!r} is given twice")
        names |= {name} if isinstance(name, str) else set()
        for metric, anchors in _mapping(_mapping(segment).get("anchors")).items():
            path = ("segments", index, "anchors", str(metric))
            if metric not in usable:
                check.add(path, f"{metric!r} is no metric under groups{nearest(str(metric), usable)}")
            elif _direction(anchors) * check.directions.get(metric, 0) < 0:
                here, there = ("rise", "fall") if _direction(anchors) > 0 else ("fall", "rise")
                check.add(path, f"points {here} with the value here, but {there} in the tree")


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


def _caps(check: ScorecardCheck, caps: Any) -> None:
    names = {*check.metrics, *check.dimensions, ANY_DIMENSION}
    for index, cap in _items(caps):
        for name, condition in _mapping(_mapping(cap).get("when")).items():
            path = ("caps", index, "when", str(name))
            if name not in names:
                hint = nearest(str(name), names)
                check.add(path, f"{name!r} is neither a metric nor a dimension nor {ANY_DIMENSION}{hint}")
            if condition == {}:
                check.add(path, "needs a comparison: gte, gt, lte, lt or eq")


def _coverage(check: ScorecardCheck, coverage: Mapping[Any, Any]) -> None:
    needed = list(_names(coverage.get("tier_needs_any_of")))
    for index, name in needed:
        if name not in check.dimensions:
            path = ("coverage", "tier_needs_any_of", index)
            check.add(path, f"there is no dimension {name!r}{nearest(name, check.dimensions)}")
    if needed and all(check.dimensions.get(name) is False for _, name in needed):
        names = ", ".join(name for _, name in needed)
        text = f"no pillar is configured, so {names} can never have a score: configure pillars, or name a dimension"
        check.add(("coverage", "tier_needs_any_of"), f"{text} that has metrics")
    for index, name in _names(coverage.get("tier_needs_readable")):
        check.require_metric(name, ("coverage", "tier_needs_readable", index))
    least, filled = coverage.get("tier_min_dimensions"), sum(check.dimensions.values())
    if isinstance(least, int) and least > filled:
        check.add(("coverage", "tier_min_dimensions"), f"{least} asked for, but only {filled} dimensions have metrics")


def _tiers(check: ScorecardCheck, tiers: Any) -> None:
    names: set[Any] = set()
    floors: set[Any] = set()
    for index, tier in _items(tiers):
        name, floor = _mapping(tier).get("name"), _mapping(tier).get("min")
        if name == NOT_RATED:
            check.add(("tiers", index, "name"), f"{NOT_RATED!r} is kept for accounts without a score")
        if isinstance(name, str) and name in names:
            check.add(("tiers", index, "name"), f"{name!r} is given twice")
        if isinstance(floor, int | float) and floor in floors:
            check.add(("tiers", index, "min"), f"another tier begins at {floor:g} too")
        names |= {name} if isinstance(name, str) else set()
        floors |= {floor} if isinstance(floor, int | float) else set()
    if floors and 0 not in floors:
        check.add(("tiers",), "one tier must begin at 0, so that every score has a tier")


def _risk(check: ScorecardCheck, risk: Mapping[Any, Any]) -> None:
    for name, term in _mapping(risk.get("signals")).items():
        path: Path = ("churn_risk", "signals", str(name))
        check.require_metric(str(name), path)
        first, most = _mapping(term).get("first"), _mapping(term).get("max")
        if isinstance(first, int | float) and isinstance(most, int | float) and first > most:
            check.add(path, f"max ({most:g}) lies below first ({first:g})")
    bands = _mapping(risk.get("bands"))
    medium, high = bands.get("medium"), bands.get("high")
    if isinstance(medium, int | float) and isinstance(high, int | float) and medium >= high:
        check.add(("churn_risk", "bands"), "high must lie above medium")


def _next_steps(check: ScorecardCheck, data: Mapping[Any, Any]) -> None:
    if data.get("next_steps") == []:
        check.add(("next_steps",), "is empty: leave it out to get the packaged next steps")
    tiers = {str(_mapping(tier).get("name")) for _, tier in _items(data.get("tiers"))} | {NOT_RATED}
    rules = list(_items(data.get("next_steps")))
    for index, rule in rules:
        if index < len(rules) - 1 and _always_holds(_mapping(rule)):
            text = "holds for every account, so that no rule after it is ever reached"
            check.add(("next_steps", index), f"{text}: give it when, or make it the last")
        when = _mapping(_mapping(rule).get("when"))
        here: Path = ("next_steps", index, "when")
        for name in _one_or_several(when.get("tier")):
            if name not in tiers:
                check.add((*here, "tier"), f"there is no tier {name!r}{nearest(name, tiers)}")
        drivers = {*check.metrics, *check.dimensions}
        for name in _one_or_several(when.get("first_driver")):
            if name not in drivers:
                check.add((*here, "first_driver"), f"{name!r} is no metric and no dimension{nearest(name, drivers)}")
        _step_comparisons(check, when, here)
        _step_cap(check, when.get("cap"), data.get("caps"), (*here, "cap"))
        _step_words(check, _mapping(rule).get("step"), ("next_steps", index, "step"))


def _always_holds(rule: Mapping[Any, Any]) -> bool:
    """A rule whose words have something to fill in holds only where that is known."""
    words = rule.get("step")
    return isinstance(words, str) and "{" not in words and not rule.get("when")


def _step_comparisons(check: ScorecardCheck, when: Mapping[Any, Any], here: Path) -> None:
    keys = set(StepConditions.model_fields)
    for name, condition in when.items():
        known = {*check.metrics, *NUMBERS, *keys}
        if str(name) not in known:
            check.add(
                (*here, str(name)), f"{name!r} is nothing that a next step can rest on{nearest(str(name), known)}"
            )
        elif str(name) not in keys and condition == {}:
            check.add((*here, str(name)), "needs a comparison: gte, gt, lte, lt or eq")
        elif str(name) not in keys and (text := _never_together(_mapping(condition))):
            check.add((*here, str(name)), f"{text} can never hold together, so that the rule never holds")


def _never_together(condition: Mapping[Any, Any]) -> str | None:
    """Two comparisons, the one above the other: `gte 20 and lte 10`; None: some value fulfils all."""
    given = [
        (str(name), float(limit))
        for name, limit in condition.items()
        if isinstance(limit, int | float) and not isinstance(limit, bool)
    ]
    for lower, least in given:
        for upper, most in given:
            excluded = "gt" in (lower, upper) or "lt" in (lower, upper)
            if lower in _LOWER and upper in _UPPER and (least > most or (least == most and excluded)):
                return f"{lower} {least:g} and {upper} {most:g}"
    return None


def _step_cap(check: ScorecardCheck, part: Any, caps: Any, here: Path) -> None:
    """The text must stand in the reason of a cap, or in that of an outage, which names a system or a metric."""
    reasons = [reason for _, cap in _items(caps) if isinstance(reason := _mapping(cap).get("reason"), str)]
    if not isinstance(part, str) or any(part.lower() in reason.lower() for reason in reasons):
        return
    outages = [lead.strip(": ") for lead in OUTAGES]
    if not any(part.lower() in lead or part.lower().startswith(lead) for lead in outages):
        known = ", ".join(map(repr, (*dict.fromkeys(reasons), *outages)))
        check.add(here, f"no cap has {part!r} in its reason; there are {known}")


def _step_words(check: ScorecardCheck, words: Any, here: Path) -> None:
    for name in re.findall(r"\{(.*?)\}", words) if isinstance(words, str) else ():
        if name not in FILLED_IN:
            known = ", ".join(f"{{{each}}}" for each in FILLED_IN)
            check.add(here, f"{{{name}}} is nothing that can be filled in; there are {known}")


def _one_or_several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [name for _, name in _names(value)]
