"""A scorecard as a page in Markdown for people: what counts how much, what limits health, when there is no score."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from accountpulse.core.catalogue import Metric
from accountpulse.scoring import explain
from accountpulse.scoring.model import (
    ANY_DIMENSION,
    NOT_RATED,
    Condition,
    Curve,
    Group,
    MetricRule,
    OneOrSeveral,
    StepConditions,
)
from accountpulse.scoring.scorecard import Leaf, Node, Scorecard, dimension_label

_COMPARED = {"gte": "at least", "gt": "more than", "lte": "at most", "lt": "below", "eq": "exactly"}
_EXACT = 6  # decimals: a page that rounds an anchor would show another scorecard
HOW_TO_READ = """\
A metric's value becomes points from 0 to 100: 75 is the edge of good, 50 the edge of bad. Between the values that are
named, points lie on a straight line; beyond them they stay. A group is worth the weighted mean of what is known in it.
What is not known is left out of the mean and lowers the coverage; it never counts as zero."""


def markdown(card: Scorecard) -> str:
    """The whole scorecard; the same card gives the same page."""
    parts = [
        *_head(card),
        *_tree(card),
        *_segments(card),
        *_caps(card),
        *_tiers(card),
        *_unrated(card),
        *_risk(card),
        *_next_steps(card),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _head(card: Scorecard) -> Iterator[str]:
    yield f"# The scorecard “{_cell(card.name)}”"
    yield ""
    yield f"Version {card.version}, content hash `{card.hash}`."
    yield ""
    yield HOW_TO_READ
    yield ""


def _table(heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _cell(text: str) -> str:
    """A text of the file's author as plain text inside a table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _exact(value: float) -> str:
    return explain.plain(value, _EXACT)


def _signed(value: float) -> str:
    return explain.signed(value, _EXACT)


def _percent(share: float) -> str:
    return f"{explain.plain(100 * share)} %"


# --- the tree --------------------------------------------------------------------------------------------------


def _tree(card: Scorecard) -> Iterator[str]:
    yield "## What counts"
    yield ""
    yield from _nodes(card.root, 1.0, 0)
    yield ""
    for node in card.dimension_nodes:
        yield from _dimension(card, node)


def _nodes(node: Node, share: float, depth: int) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, Node):
            inside = share * child.weight / node.total_weight
            yield f"{'  ' * depth}- **{dimension_label(child.name)}**: {_percent(inside)} of the whole"
            yield from _nodes(child, inside, depth + 1)


def _dimension(card: Scorecard, node: Node) -> Iterator[str]:
    yield f"### {dimension_label(node.name)}"
    yield ""
    if node.children:
        leaves = (child for child in node.children if isinstance(child, Leaf))
        yield from _table(("metric", "weight", "points"), (_leaf(card, leaf, node) for leaf in leaves))
    else:
        pillars = _pillars(card, node)
        yield f"One metric for each configured pillar of platform value, all of the same weight: {pillars}."
        yield ""


def _pillars(card: Scorecard, node: Node) -> str:
    group = Group(weight=1.0, groups=card.file.groups)
    for name in (*node.path, node.name):
        group = (group.groups or {})[name]
    anchors = group.pillars.anchors if group.pillars else ()
    return _points(anchors, _exact)


def _leaf(card: Scorecard, leaf: Leaf, node: Node) -> tuple[str, ...]:
    metric = card.catalogue[leaf.name]
    texts = [_curve(metric, leaf.rule.anchors, leaf.rule.per)]
    if substitute := leaf.rule.substitute:
        other = card.catalogue[substitute.metric]
        texts.append(f"where not known, by {_cell(other.label)}: {_curve(other, substitute.anchors)}")
    if leaf.rule.enough:
        texts.append(f"only with {_enough(card, leaf.rule)}")
    return f"{_cell(metric.label)} (`{leaf.name}`)", _percent(leaf.weight / node.total_weight), "; ".join(texts)


def _enough(card: Scorecard, rule: MetricRule) -> str:
    enough = rule.enough.items()
    return " and ".join(f"at least {_exact(least)} {_cell(card.catalogue[name].label)}" for name, least in enough)


def _curve(metric: Metric, anchors: Curve, per: str | None = None) -> str:
    if per is None:
        return _points(anchors, lambda value: _cell(explain.value_text(metric, value, _EXACT)))
    return f"{_points(anchors, lambda value: f'{_exact(value)} %')} of {'ARR' if per == 'arr' else per}"


def _points(anchors: Curve, text: Callable[[float], str]) -> str:
    """`100 at 0 %, 75 at 10 %, … 0 from 50 %`: the ends hold beyond themselves."""
    (first, *middle, last) = anchors
    texts = [f"{_exact(first[1])} up to {text(first[0])}"]
    texts += [f"{_exact(points)} at {text(value)}" for value, points in middle]
    return ", ".join([*texts, f"{_exact(last[1])} from {text(last[0])}"])


# --- segments, caps, tiers -------------------------------------------------------------------------------------


def _segments(card: Scorecard) -> Iterator[str]:
    if not card.file.segments:
        return
    yield "## Segments"
    yield ""
    yield "The first that matches an account counts. Weights stay the same, so that scores can be compared."
    yield ""
    rules = {name: leaf.rule for leaf in card.leaves for name in leaf.metrics[:1]}
    for segment in card.file.segments:
        yield f"- **{_cell(segment.name)}** (segment {' or '.join(map(_cell, segment.when.names))}):"
        for name, anchors in segment.anchors.items():
            per = rules[name].per if name in rules else None
            metric = card.catalogue[name]
            yield f"  - {_cell(metric.label)}: {_curve(metric, anchors, per)}"
    yield ""


def _caps(card: Scorecard) -> Iterator[str]:
    yield "## Caps"
    yield ""
    if not card.file.caps:
        yield "Nothing."
        yield ""
        return
    yield "A cap limits health, however good the rest is. The lowest that applies counts, and every reason is shown."
    yield ""
    rows = (
        (_exact(cap.cap), _cell(cap.reason), " and ".join(_when(card, *item) for item in cap.when.items()))
        for cap in sorted(card.file.caps, key=lambda cap: cap.cap)
    )
    yield from _table(("health at most", "reason", "where"), rows)


def _when(card: Scorecard, name: str, condition: Condition) -> str:
    metric = card.catalogue.get(name)
    what = "any dimension" if name == ANY_DIMENSION else _cell(metric.label) if metric else dimension_label(name)

    def value(limit: float) -> str:
        return _cell(explain.value_text(metric, limit, _EXACT)) if metric else _exact(limit)

    return f"{what} {' and '.join(f'{_COMPARED[how]} {value(limit)}' for how, limit in condition.comparisons)}"


def _tiers(card: Scorecard) -> Iterator[str]:
    yield "## Tiers"
    yield ""
    rows = ((_cell(tier.name), _exact(tier.min)) for tier in card.tiers)
    yield from _table(("tier", "health from"), rows)


def _unrated(card: Scorecard) -> Iterator[str]:
    rules = card.file.coverage
    yield f"## When an account is {NOT_RATED}"
    yield ""
    known = f"less than {_percent(rules.tier_min)} of the whole weight" if rules.tier_min else "nothing"
    yield f"- {known} is known"
    if rules.tier_needs_any_of:
        yield f"- no score for {' or '.join(map(dimension_label, rules.tier_needs_any_of))}"
    if rules.tier_min_dimensions:
        yield f"- fewer than {rules.tier_min_dimensions} dimensions have a score"
    if rules.tier_needs_readable:
        labels = (card.catalogue[name].label for name in rules.tier_needs_readable)
        yield f"- {' or '.join(map(_cell, labels))} could not be read: an unread warning is not an absent one"
    yield ""
    if rules.dimension_min:
        yield f"A dimension has no score where less than {_percent(rules.dimension_min)} of its weight is known."
    yield f"A known critical signal makes such an account {_cell(card.tiers[-1].name)} all the same."
    yield ""


# --- churn risk ------------------------------------------------------------------------------------------------


def _risk(card: Scorecard) -> Iterator[str]:
    risk = card.risk
    yield "## Churn risk"
    yield ""
    yield (
        f"From 0 to 100, **higher is worse**, for the next {card.file.horizon_days} days. It is an index, not a "
        "probability, until it has been calibrated on your own outcomes."
    )
    yield ""
    yield f"risk = 100 / (1 + e^−z), where z is the sum of {_signed(risk.intercept)} and:"
    yield ""
    rows = [
        ("health before caps", f"{_exact(risk.slope)} for each point below 50, as much less for each above"),
        ("points of health since three months before", _added(risk.trend)),
        ("days to renewal", _added(risk.renewal)),
    ]
    for name, term in risk.signals.items():
        added = f"{_signed(term.first)} for the first, {_signed(term.more)} for each more, {_signed(term.max)} at most"
        rows.append((_cell(card.catalogue[name].label), added))
    yield from _table(("term", "adds"), iter(rows))
    yield "What is not known adds nothing."
    yield ""
    for floor in sorted(risk.floors, key=lambda floor: floor.cap_below):
        yield f"- capped below {_exact(floor.cap_below)}: the risk is at least {_exact(floor.risk)}"
    bands = f"low, medium from {_exact(risk.bands.medium)}, high from {_exact(risk.bands.high)}"
    yield f"- it is called {bands}"


def _added(curve: Curve) -> str:
    (first, *middle, last) = curve
    texts = [f"{_signed(first[1])} up to {_exact(first[0])}"]
    texts += [f"{_signed(added)} at {_exact(value)}" for value, added in middle]
    return ", ".join([*texts, f"{_signed(last[1])} from {_exact(last[0])}"])


# --- next steps ------------------------------------------------------------------------------------------------


def _next_steps(card: Scorecard) -> Iterator[str]:
    yield ""
    yield "## Next steps"
    yield ""
    yield "The first that holds is the next step with an account. What is not known fulfils no condition."
    yield ""
    rows = ((" and ".join(_step_conditions(card, rule.when)) or "else", _cell(rule.step)) for rule in card.next_steps)
    yield from _table(("where", "next step"), rows)


def _step_conditions(card: Scorecard, when: StepConditions) -> Iterator[str]:
    for name, condition in (when.model_extra or {}).items():
        yield _when(card, name, condition)
    if when.tier is not None:
        yield f"the tier is {_either(when.tier)}"
    if when.green is not None:
        yield f"the tier is {'' if when.green else 'not '}{' or '.join(map(_cell, card.green_tiers))}"
    if when.not_rated is not None:
        yield f"Not Rated because of “{_cell(when.not_rated)}”"
    if when.cap is not None:
        yield f"a cap holds because of “{_cell(when.cap)}”"
    if when.first_driver is not None:
        metrics = {name: card.catalogue[name].label for name in card.catalogue}
        yield f"what costs most is {_either(when.first_driver, metrics)}"


def _either(names: OneOrSeveral, labels: Mapping[str, str] | None = None) -> str:
    several = (names,) if isinstance(names, str) else names
    return " or ".join(_cell((labels or {}).get(name, name)) for name in several)
