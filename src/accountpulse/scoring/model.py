"""The shape of a scorecard file: what may stand where, and what one value alone can get wrong.

Problems that need two places of the file to see (a name used that nothing declares) are found in validation.py. The
texts below the fields are what an editor shows: they go into the JSON Schema, `scorecard.schema.json`.
"""

from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from accountpulse.core.catalogue import KNOWN_UNITS

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Weight = Annotated[Number, Field(gt=0)]
Points = Annotated[Number, Field(ge=0, le=100)]
Share = Annotated[Number, Field(ge=0, le=1)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
UnitText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=30, pattern=r"^[^;\r\n]+$"),
    Field(examples=list(KNOWN_UNITS)),
]
NOT_RATED = "Not Rated"  # stands in place of a tier where too little is known
ANY_DIMENSION = "any_dimension"  # in a cap's `when`
HEALTH_CHANGE = "health_change"  # in a next step's `when`: points of health since the run before
# what a next step's `when` may compare besides metrics
NUMBERS = ("health_score", HEALTH_CHANGE, "churn_risk_score", "coverage", "arr", "seats")
FILLED_IN = ("driver", "not_rated", "cap")  # in the words of a next step
Curve = tuple[tuple[float, float], ...]  # points of a line: (value, what it becomes), values increasing


def _curve(raw: Any) -> Any:
    """Two to eight pairs of finite numbers, the first ones strictly increasing; else a ValueError says which fails."""
    if isinstance(raw, tuple):
        raw = [list(pair) if isinstance(pair, tuple) else pair for pair in raw]
    if not isinstance(raw, list) or not 2 <= len(raw) <= 8:
        raise ValueError("must be a list of 2 to 8 points [value, points]")
    for pair in raw:
        if not isinstance(pair, list) or len(pair) != 2 or not all(_is_number(part) for part in pair):
            raise ValueError(f"{pair!r} is not a point [value, points] of two numbers")
    for (left, _), (right, _) in pairwise(raw):
        if left >= right:
            raise ValueError(f"values must increase from point to point, but {right:g} follows {left:g}")
    return tuple((float(value), float(points)) for value, points in raw)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _scored(curve: Curve) -> Curve:
    """Points lie between 0 and 100 and only rise or only fall."""
    outside = [points for _, points in curve if not 0 <= points <= 100]
    if outside:
        raise ValueError(f"points must lie between 0 and 100, not {outside[0]:g}")
    steps = [right - left for (_, left), (_, right) in pairwise(curve)]
    if min(steps) < 0 < max(steps):
        raise ValueError("points must only rise or only fall (monotone)")
    return curve


def _falling(curve: Curve) -> Curve:
    if any(left < right for (_, left), (_, right) in pairwise(curve)):
        raise ValueError("must not rise: the better the value, the lower the risk")
    return curve


def _points(height: dict[str, Any], meaning: str) -> WithJsonSchema:
    """What an editor can check of a curve: 2 to 8 pairs of numbers."""
    pair = {"type": "array", "prefixItems": [{"type": "number"}, height], "minItems": 2, "maxItems": 2, "items": False}
    return WithJsonSchema({"type": "array", "items": pair, "minItems": 2, "maxItems": 8, "description": meaning})


Anchors = Annotated[
    Curve,
    BeforeValidator(_curve),
    AfterValidator(_scored),
    _points(
        {"type": "number", "minimum": 0, "maximum": 100},
        "[value, points]: values strictly increasing, points only rising or only falling; straight lines between, "
        "flat beyond the ends",
    ),
]
RiskCurve = Annotated[
    Curve,
    BeforeValidator(_curve),
    AfterValidator(_falling),
    _points({"type": "number"}, "[value, what is added to z]: values strictly increasing, never rising"),
]


def _version(raw: Any) -> Any:
    """A text or a number; YAML makes a date of 2026-10-01."""
    if isinstance(raw, date):
        return raw.isoformat()
    if not isinstance(raw, str) and not _is_number(raw):
        raise ValueError("must be a text or a number")
    return raw


Version = Annotated[int | float | str, BeforeValidator(_version)]


class ScorecardBlock(BaseModel):
    """Base of all parts: unknown keys are mistakes, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class Substitute(ScorecardBlock):
    """The metric that stands in where the first one is not known."""

    metric: str
    anchors: Anchors


class MetricRule(ScorecardBlock):
    """One leaf: how much a metric counts, and how its value becomes points."""

    weight: Weight
    """Relative to its neighbours in the group."""
    anchors: Anchors
    per: Literal["seats", "arr"] | None = None
    """The value becomes a percentage of this attribute of the account."""
    enough: dict[str, Number] = Field(default_factory=dict)
    """Other metrics that must reach so much, or this one counts as not known."""
    substitute: Substitute | None = Field(default=None, alias="else")
    """The metric that stands in where this one is not known."""


class Pillars(ScorecardBlock):
    """One leaf for each configured pillar of platform value, all of one weight."""

    each: Literal["equal"] = "equal"
    """All of the same weight; for other weights list the pillar_ metrics under metrics."""
    anchors: Anchors


CONTENTS = ("groups", "metrics", "pillars")  # what a group may hold: one of these


class Group(ScorecardBlock):
    """A node of the tree: it has groups, or metrics, or pillars."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [part]} for part in CONTENTS]})

    weight: Weight
    """Relative to its neighbours."""
    groups: dict[str, "Group"] | None = None
    """Groups inside this one."""
    metrics: dict[str, MetricRule] | None = None
    """Metrics by their names: this group is a dimension with a score of its own."""
    pillars: Pillars | None = None
    """One metric for each configured pillar: this group is a dimension."""


class SegmentMatch(ScorecardBlock):
    """Which accounts a segment's anchors are for: one segment or several."""

    segment: Text | Annotated[tuple[Text, ...], Field(min_length=1)]

    @property
    def names(self) -> list[str]:
        """The segments that match."""
        return [self.segment] if isinstance(self.segment, str) else list(self.segment)


class Segment(ScorecardBlock):
    """Other anchors for some accounts; weights stay the same."""

    name: Text
    when: SegmentMatch
    """The first segment that matches an account is taken."""
    anchors: Annotated[dict[str, Anchors], Field(min_length=1)]


class Condition(ScorecardBlock):
    """Comparisons with a value; all that are given must hold. An unknown value fulfils none."""

    gte: Number | None = None
    gt: Number | None = None
    lte: Number | None = None
    lt: Number | None = None
    eq: Number | None = None

    @property
    def comparisons(self) -> list[tuple[str, float]]:
        """The comparisons that are given: operator, limit."""
        return [(name, limit) for name, limit in self if limit is not None]


class Cap(ScorecardBlock):
    """Where all of `when` holds, health is at most `cap`. OneOrSeveral are metrics, dimensions or `any_dimension`."""

    when: Annotated[dict[str, Condition], Field(min_length=1)]
    """All must hold. OneOrSeveral are metrics, dimensions, or any_dimension."""
    cap: Points
    """Health is at most this; of several caps that hold, the lowest counts."""
    reason: Text
    """In words: it stands beside every score that is held down."""


class Tier(ScorecardBlock):
    """A tier begins at `min` points of health."""

    name: Text
    min: Points
    """Health from which an account is in this tier, compared unrounded; one tier must begin at 0."""


class Coverage(ScorecardBlock):
    """How much must be known before a score is spoken out; what is not given is not asked for."""

    dimension_min: Share = 0.0
    """A dimension with a smaller share of its weight known has no score."""
    tier_min: Share = 0.0
    """An account with a smaller share of the whole weight known is Not Rated."""
    tier_needs_any_of: tuple[str, ...] = ()
    """At least one of these dimensions must have a score."""
    tier_min_dimensions: Annotated[int, Field(ge=0)] = 0
    """So many dimensions must have a score."""
    tier_needs_readable: tuple[str, ...] = ()
    """Metrics that must have been looked at, such as critical_signals: an unread warning is not an absent one."""


class SignalTerm(ScorecardBlock):
    """What signals add to the risk: the first, each more, and all together at most."""

    first: Annotated[Number, Field(ge=0)]
    more: Annotated[Number, Field(ge=0)]
    max: Annotated[Number, Field(ge=0)]


class Floor(ScorecardBlock):
    """Where a cap below `cap_below` holds, risk is at least `risk`."""

    cap_below: Points
    risk: Points


class Bands(ScorecardBlock):
    """From which risk on it is called medium and high; below, low."""

    medium: Points
    high: Points


class ChurnRisk(ScorecardBlock):
    """The terms of the risk index; `trend` and `renewal` are lines from a value to what it adds to z."""

    intercept: Number
    slope: Annotated[Number, Field(ge=0)]
    """Of each point that health before caps lies below 50."""
    trend: RiskCurve
    """By the points of health gained or lost in three months."""
    renewal: RiskCurve
    """By the days to the renewal."""
    signals: dict[str, SignalTerm]
    """By open signals of each kind."""
    floors: tuple[Floor, ...]
    """So that tier and risk don't contradict each other."""
    bands: Bands


OneOrSeveral = Text | Annotated[tuple[Text, ...], Field(min_length=1)]


class StepConditions(ScorecardBlock):
    """When a next step is the one to take: all that are given must hold; what is not known fulfils none.

    Beside these keys: comparisons of any metric, and of the NUMBERS below.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Condition] = Field(init=False)

    tier: OneOrSeveral | None = None
    """One tier or several, by name; Not Rated may be one of them."""
    green: bool | None = None
    """Whether the tier is a green one: from 75 points on, or the best. Not Rated is neither."""
    not_rated: Text | None = None
    """A part of the reason why an account is Not Rated."""
    cap: Text | None = None
    """A part of the reason of a cap that holds, or of an outage that keeps the tier."""
    first_driver: OneOrSeveral | None = None
    """The metric that costs most points, one or several, or its dimension."""

    @cached_property
    def comparisons(self) -> tuple[tuple[str, str, float], ...]:
        """The comparisons that are given: of what, operator, limit."""
        given = (self.model_extra or {}).items()
        return tuple((name, *each) for name, condition in given for each in condition.comparisons)


class NextStep(ScorecardBlock):
    """One rule: the first that holds says what to do next with an account."""

    when: StepConditions = StepConditions()
    """All must hold. Left out: always."""
    step: Text
    """What to do. {driver}, {not_rated} and {cap} (no outage) are filled in; the rule holds only where they can be."""


class OwnMetric(ScorecardBlock):
    """A company's own column."""

    label: Text
    """How it is called wherever it is shown."""
    unit: UnitText
    """How its values are written: one of the examples, or any other text, such as GB, which stands behind them."""


class ScorecardFile(ScorecardBlock):
    """The whole of a scorecard file. Without `churn_risk` it is the packaged scorecard's."""

    name: Text
    """Stands beside every score, with a hash of the content."""
    version: Version = 1
    """For your own use."""
    horizon_days: Annotated[int, Field(ge=1)] = 180
    """How far churn risk looks ahead."""
    metrics: dict[str, OwnMetric] = Field(default_factory=dict)
    """Columns of your own, by name; built-in metrics need no declaration."""
    coverage: Coverage = Coverage()
    groups: Annotated[dict[str, Group], Field(min_length=1)]
    """The tree that health is the weighted mean of."""
    segments: tuple[Segment, ...] = ()
    """Other anchors for some accounts; weights stay the same, so that scores can be compared."""
    caps: tuple[Cap, ...] = ()
    """A limit on health, however good the rest is, such as for an open critical signal."""
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    churn_risk: ChurnRisk | None = None
    """An index from 0 to 100, higher is worse; left out: that of the packaged scorecard."""
    next_steps: tuple[NextStep, ...] | None = None
    """What to do next with an account: the first rule that holds; left out: those of the packaged scorecard."""
