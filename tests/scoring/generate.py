"""Scorecards and accounts for the property tests: plain data, as a YAML file or a table would hold it."""

import random

from hypothesis import strategies as st

# metric → (rising: more is better, largest value that is tried)
METRICS = {
    "p1_p2_pct": (False, 60),
    "escalation_pct": (False, 40),
    "median_first_response_seconds": (False, 200_000),
    "csat_score": (True, 100),
    "total_conversations": (False, 60),
    "critical_bugs": (False, 4),
    "open_bugs": (False, 20),
    "reopened_bugs": (False, 6),
    "bug_trend": (False, 4),
    "mau": (True, 120),
    "dau": (True, 60),
    "feature_breadth": (True, 100),
    "login_frequency": (True, 5),
    "arr_trajectory_pct": (True, 40),
    "payment_health": (False, 4),
    "days_to_renewal": (True, 300),
    "champion_stability": (True, 100),
    "qbr_attendance": (True, 100),
    "expansion_signals": (True, 3),
    "nps": (True, 100),  # a company's own
}
OWN = {"nps": {"label": "Net promoter score", "unit": "points"}}
SIGNALS = ("critical_signals", "moderate_signals", "watch_signals")
SUBSTITUTES = ("mau_trend_pct", "dau_trend_pct")
PILLARS = ("ops", "auto")
REASONS = ("not_configured", "source_failed", "field_missing", "no_evidence", "not_linked", None)
TIERS = [{"name": "Champion", "min": 85}, {"name": "Healthy", "min": 75}, {"name": "At Risk", "min": 50}]
WEIGHTS = st.sampled_from([0.05, 0.1, 0.15, 0.2, 0.35, 0.4, 1, 3])
RISK = {
    "intercept": -2.2,
    "slope": 0.052,
    "trend": [[-20, 1.4], [-10, 0.7], [0, 0], [10, -0.3]],
    "renewal": [[-30, 1.2], [0, 1.0], [90, 0.6], [365, -1.0]],
    "signals": {
        "critical_signals": {"first": 1.6, "more": 0.6, "max": 2.8},
        "watch_signals": {"first": 0.2, "more": 0.2, "max": 0.6},
    },
    "floors": [{"cap_below": 50, "risk": 50}, {"cap_below": 75, "risk": 10}],
    "bands": {"medium": 10, "high": 30},
}


@st.composite
def curves(draw, metric):
    rising, largest = METRICS.get(metric, (True, 60))
    count = draw(st.integers(2, 5))
    step = largest / count
    xs = sorted(draw(st.lists(st.integers(-2, 2 * count), min_size=count, max_size=count, unique=True)))
    ys = sorted(draw(st.lists(st.integers(0, 100), min_size=count, max_size=count)), reverse=not rising)
    return [[round(x * step, 3), y] for x, y in zip(xs, ys, strict=True)]


@st.composite
def rules(draw, metric):
    rule = {"weight": draw(WEIGHTS), "anchors": draw(curves(metric))}
    if metric in ("mau", "dau"):
        if draw(st.booleans()):
            rule["per"] = "seats"
        if draw(st.booleans()):
            name = f"{metric}_trend_pct"
            rule["else"] = {"metric": name, "anchors": draw(curves(name))}
    if metric in ("p1_p2_pct", "escalation_pct", "median_first_response_seconds") and draw(st.booleans()):
        rule["enough"] = {"total_conversations": draw(st.integers(1, 6))}
    return rule


@st.composite
def groups(draw):
    """Up to four dimensions, one of them pillars, some of them together in a group of their own."""
    metrics = draw(st.lists(st.sampled_from(sorted(METRICS)), min_size=2, max_size=9, unique=True))
    cut = draw(st.integers(1, len(metrics) - 1))
    made = {}
    for name, part in (("first", metrics[:cut]), ("second", metrics[cut:])):
        made[name] = {"weight": draw(WEIGHTS), "metrics": {metric: draw(rules(metric)) for metric in part}}
    if draw(st.booleans()):
        made["value"] = {"weight": draw(WEIGHTS), "pillars": {"each": "equal", "anchors": [[0, 0], [100, 100]]}}
    if draw(st.booleans()):
        made = {
            "inner": {
                "weight": draw(WEIGHTS),
                "groups": {"deep": {"weight": 1, "groups": {"first": made.pop("first")}}},
            },
            **made,
        }
    return made


@st.composite
def caps(draw):
    """Caps that worse values meet: only these keep the laws."""
    worse = [
        ({"critical_signals": {"gte": 1}}, 49),
        ({"critical_signals": {"gt": 1}}, 35),
        ({"moderate_signals": {"gte": 1}}, 74),
        ({"watch_signals": {"gte": 2}}, 84),
        ({"first": {"lt": 25}}, 59),
        ({"any_dimension": {"lte": 20}}, 84),
        ({"payment_health": {"gte": 3}}, 74),
        ({"champion_stability": {"lt": 50}, "days_to_renewal": {"lte": 180}}, 74),
    ]
    chosen = draw(st.lists(st.sampled_from(worse), max_size=4, unique_by=str))
    return [{"when": when, "cap": cap, "reason": f"cap {number}"} for number, (when, cap) in enumerate(chosen)]


@st.composite
def scorecards(draw):
    coverage = {
        "dimension_min": draw(st.sampled_from([0, 0.3, 0.5])),
        "tier_min": draw(st.sampled_from([0, 0.4, 0.6])),
        "tier_min_dimensions": draw(st.integers(0, 2)),
        "tier_needs_any_of": draw(st.sampled_from([[], ["first"], ["first", "second"]])),
        "tier_needs_readable": draw(st.sampled_from([[], ["critical_signals"]])),
    }
    tree = draw(groups())
    card = {
        "name": "generated",
        "version": 1,
        "metrics": OWN,
        "coverage": coverage,
        "groups": tree,
        "caps": draw(caps()),
        "tiers": [{"name": "Critical", "min": 0}, *TIERS],
        "churn_risk": RISK,
    }
    if draw(st.booleans()):
        names = sorted(_overlaid(tree))
        first, second = (draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)) for _ in "ab")
        segment = draw(st.sampled_from(["Paid", ["Paid", "Enterprise"]]))
        card["segments"] = [
            {"name": "paid", "when": {"segment": segment}, "anchors": {leaf: draw(curves(leaf)) for leaf in first}},
            {
                "name": "rest",
                "when": {"segment": ["Free", "Paid"]},
                "anchors": {leaf: draw(curves(leaf)) for leaf in second},
            },
        ]
    return card


def _overlaid(tree):
    """What a segment may give other anchors: leaves and what stands in for them."""
    for group in tree.values():
        yield from _overlaid(group.get("groups", {}))
        for name, rule in group.get("metrics", {}).items():
            yield name
            if "else" in rule:
                yield rule["else"]["metric"]


def accounts(seed, count=20):
    """Accounts by a seed: hundreds of values each would be slow to draw one by one."""
    chance = random.Random(seed)  # noqa: S311
    return [_account(chance) for _ in range(count)]


def _account(chance):
    gaps = chance.choice([0.0, 0.15, 0.5])  # whole accounts are well known, or not

    def maybe(value):
        return None if chance.random() < gaps else value

    row = {name: maybe(chance.randint(-2, 12) * largest / 10) for name, (_, largest) in METRICS.items()}
    for name in SIGNALS:
        row[name] = maybe(float(max(0, chance.randint(-3, 4))))
        row[f"{name}_reason"] = chance.choice(REASONS) if row[name] is None else None
    for name in (*SUBSTITUTES, *(f"pillar_{pillar}" for pillar in PILLARS)):
        row[name] = maybe(chance.uniform(-20, 110))
    row["seats"] = maybe(chance.choice([0.0, 1.0, 49.0, 100.0, 120.0]))
    row["segment"] = chance.choice([None, "Paid", "Enterprise", "Free"])
    row["health_before_caps_3m"] = maybe(chance.uniform(0, 100))
    row["last_tier"] = chance.choice([None, "Not Rated", "Critical", "At Risk", "Healthy", "Champion"])
    return row
