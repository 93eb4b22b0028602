"""The shape of a scorecard file: what may stand where, and what one value alone can get wrong.

Mistakes that need two places of the file to see (a name used that nothing declares) are found in mistakes.py.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from accountpulse.records import Unit

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Weight = Annotated[Number, Field(gt=0)]
Points = Annotated[Number, Field(ge=0, le=100)]
Share = Annotated[Number, Field(ge=0, le=1)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
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


Anchors = Annotated[Curve, BeforeValidator(_curve), AfterValidator(_scored)]
RiskCurve = Annotated[Curve, BeforeValidator(_curve), AfterValidator(_falling)]


class Part(BaseModel):
    """Base of all parts: unknown keys are mistakes, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Substitute(Part):
    """The metric that stands in where the first one is not known."""

    metric: str
    anchors: Anchors


class MetricRule(Part):
    """One leaf: how much a metric counts, and how its value becomes points."""

    weight: Weight
    anchors: Anchors
    per: Literal["seats", "arr"] | None = None  # the value becomes a percentage of this attribute
    enough: dict[str, Number] = Field(default_factory=dict)  # other metrics that must reach so much
    substitute: Substitute | None = Field(default=None, alias="else")


class Pillars(Part):
    """One leaf for each configured pillar of platform value, all of one weight."""

    each: Literal["equal"] = "equal"
    anchors: Anchors


class Group(Part):
    """A node of the tree: it has groups, or metrics, or pillars."""

    weight: Weight
    groups: dict[str, "Group"] | None = None
    metrics: dict[str, MetricRule] | None = None
    pillars: Pillars | None = None


class SegmentMatch(Part):
    """Which accounts a segment's anchors are for: one segment or several."""

    segment: Text | Annotated[tuple[Text, ...], Field(min_length=1)]

    @property
    def names(self) -> list[str]:
        """The segments that match."""
        return [self.segment] if isinstance(self.segment, str) else list(self.segment)


class Segment(Part):
    """Other anchors for some accounts; weights stay the same."""

    name: Text
    when: SegmentMatch
    anchors: Annotated[dict[str, Anchors], Field(min_length=1)]


class Condition(Part):
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


class Cap(Part):
    """Where all of `when` holds, health is at most `cap`. Names are metrics, dimensions or `any_dimension`."""

    when: Annotated[dict[str, Condition], Field(min_length=1)]
    cap: Points
    reason: Text


class Tier(Part):
    """A tier begins at `min` points of health."""

    name: Text
    min: Points


class Coverage(Part):
    """How much must be known before a score is spoken out; what is not given is not asked for."""

    dimension_min: Share = 0.0
    tier_min: Share = 0.0
    tier_needs_any_of: tuple[str, ...] = ()
    tier_min_dimensions: Annotated[int, Field(ge=0)] = 0
    tier_needs_readable: tuple[str, ...] = ()


class SignalTerm(Part):
    """What signals add to the risk: the first, each more, and all together at most."""

    first: Annotated[Number, Field(ge=0)]
    more: Annotated[Number, Field(ge=0)]
    max: Annotated[Number, Field(ge=0)]


class Floor(Part):
    """Where a cap below `cap_below` holds, risk is at least `risk`."""

    cap_below: Points
    risk: Points


class Bands(Part):
    """From which risk on it is called medium and high; below, low."""

    medium: Points
    high: Points


class ChurnRisk(Part):
    """The terms of the risk index; `trend` and `renewal` are lines from a value to what it adds to z."""

    intercept: Number
    slope: Annotated[Number, Field(ge=0)]
    trend: RiskCurve
    renewal: RiskCurve
    signals: dict[str, SignalTerm]
    floors: tuple[Floor, ...]
    bands: Bands


class OwnMetric(Part):
    """A company's own column."""

    label: Text
    unit: Unit


class ScorecardFile(Part):
    """The whole of a scorecard file. Without `churn_risk` it is the packaged scorecard's."""

    name: Text
    version: int | float | str = 1
    horizon_days: Annotated[int, Field(ge=1)] = 180
    metrics: dict[str, OwnMetric] = Field(default_factory=dict)
    coverage: Coverage = Coverage()
    groups: Annotated[dict[str, Group], Field(min_length=1)]
    segments: tuple[Segment, ...] = ()
    caps: tuple[Cap, ...] = ()
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    churn_risk: ChurnRisk | None = None
