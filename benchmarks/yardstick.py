"""The yardstick: the same job written by hand in plain Polars, for this one scorecard, as fast as we know how.

It takes every short cut that one known file allows: dimensions lie right below the root, no cap compares with `eq`, all
anchors end at 0 and 100 or are looked up here, and nothing is checked. Only the numbers must be the same.
"""

from functools import reduce
from itertools import pairwise
from operator import add

import polars as pl


def line(x: pl.Expr, curve: list) -> pl.Expr:
    chain = pl.when(x <= curve[0][0]).then(pl.lit(float(curve[0][1])))
    for (x0, y0), (x1, y1) in pairwise(curve):
        chain = chain.when(x < x1).then((x - x0) * ((y1 - y0) / (x1 - x0)) + y0)
    return chain.when(x >= curve[-1][0]).then(pl.lit(float(curve[-1][1])))


def total(terms: list) -> pl.Expr:
    return reduce(add, terms)


def own_value(name: str, rule: dict) -> pl.Expr:
    x = pl.col(name)
    if "per" in rule:
        x = x * 100.0 / pl.when(pl.col(rule["per"]) > 0).then(pl.col(rule["per"]))
    for other, least in rule.get("enough", {}).items():
        x = pl.when(pl.col(other) >= least).then(x)
    return x


def own_points(name: str, rule: dict, segments: list) -> pl.Expr:
    points = line(pl.col(f"x {name}"), rule["anchors"])
    for segment in segments:
        if name in segment["anchors"]:
            here = pl.col("segment").is_in(segment["when"]["segment"])
            points = pl.when(here).then(line(pl.col(f"x {name}"), segment["anchors"][name])).otherwise(points)
    return points.alias(f"own {name}")


def final_points(name: str, rule: dict) -> list:
    own, heights = pl.col(f"own {name}"), [y for _, y in rule["anchors"]]
    points = own
    if "else" in rule:
        points = pl.coalesce(own, line(pl.col(rule["else"]["metric"]), rule["else"]["anchors"]))
        heights += [y for _, y in rule["else"]["anchors"]]
    return [
        points.alias(f"p {name}"),
        own.fill_null(float(min(heights))).alias(f"low {name}"),
        own.fill_null(float(max(heights))).alias(f"high {name}"),
    ]


def sums(group: str, metrics: dict) -> list:
    weights = {name: rule["weight"] for name, rule in metrics.items()}
    whole = sum(weights.values())
    return [
        total([pl.col(f"p {n}").fill_null(0.0) * w for n, w in weights.items()]).alias(f"sum {group}"),
        total([pl.when(pl.col(f"p {n}").is_null()).then(0.0).otherwise(w) for n, w in weights.items()]).alias(
            f"known {group}"
        ),
        *(
            (total([pl.col(f"{end} {n}") * w for n, w in weights.items()]) / whole).alias(f"{end} {group}")
            for end in ("low", "high")
        ),
    ]


def dimension(group: str, metrics: dict, least: float) -> pl.Expr:
    known, whole = pl.col(f"known {group}"), sum(rule["weight"] for rule in metrics.values())
    return pl.when(known >= least * whole - 1e-9).then(pl.col(f"sum {group}") / known).alias(f"{group}_score")


def root(groups: dict) -> list:
    weights = {group: body["weight"] for group, body in groups.items()}
    whole = sum(weights.values())
    inside = {group: sum(rule["weight"] for rule in body["metrics"].values()) for group, body in groups.items()}
    scored = {g: pl.col(f"{g}_score") for g in groups}
    known = total([pl.when(scored[g].is_null()).then(0.0).otherwise(w) for g, w in weights.items()])
    return [
        total([scored[g].fill_null(0.0) * w for g, w in weights.items()]).alias("sum"),
        pl.when(known > 0).then(known).alias("known"),
        total([pl.col(f"known {g}") * (100.0 * w / inside[g] / whole) for g, w in weights.items()]).alias("coverage"),
        *(
            (total([pl.col(f"{end} {g}") * w for g, w in weights.items()]) / whole).alias(end)
            for end in ("low", "high")
        ),
    ]


# --- drivers: the points lost and the leaf's place in one float, so that the next is the largest one below the last


def keys(groups: dict) -> list:
    leaves = sorted((name, group) for group, body in groups.items() for name in body["metrics"])
    made = []
    for place, (name, group) in enumerate(leaves):  # of two that cost the same, the first by name comes first
        weight = groups[group]["weight"] * groups[group]["metrics"][name]["weight"]
        lost = pl.col(f"unit {group}") * weight * (100.0 - pl.col(f"p {name}"))
        steps = (lost * 2.0**40 + 0.5).floor()
        made.append(pl.when(steps > 0).then(steps * 32.0 + (31.0 - place)).alias(f"key {place}"))
    return made


def units(groups: dict) -> list:
    return [
        pl.when(pl.col(f"{g}_score").is_not_null())
        .then(1.0 / (pl.col("known") * pl.col(f"known {g}")))
        .alias(f"unit {g}")
        for g in groups
    ]


def name_of(place: str, names: list) -> pl.Expr:
    last = pl.col(place) - (pl.col(place) * (1 / 32)).floor() * 32.0
    chain = pl.when(last == 31).then(pl.lit(names[0]))
    for index, name in enumerate(names[1:], 1):
        chain = chain.when(last == 31 - index).then(pl.lit(name))
    return chain.otherwise(None)


# --- caps, risk, tier


def compared(x: pl.Expr, condition: dict) -> pl.Expr:
    made = {"gte": x.ge, "gt": x.gt, "lte": x.le, "lt": x.lt}
    return total([made[operator](edge) for operator, edge in condition.items()])


def holds(cap: dict, groups: dict, view: str) -> pl.Expr:
    parts = []
    for name, condition in cap["when"].items():
        column = {"known": "{}_score", "possible": "low {}", "certain": "high {}"}[view]  # all are "below": low decides
        if name == "any_dimension":
            parts.append(
                pl.any_horizontal([compared(pl.col(column.format(g)), condition).fill_null(False) for g in groups])
            )
        elif name in groups:
            parts.append(compared(pl.col(column.format(name)), condition).fill_null(False))
        else:
            parts.append(compared(pl.col(name), condition).fill_null(view == "possible"))
    return reduce(lambda a, b: a & b, parts)


def cap_columns(caps: list, groups: dict) -> list:
    return [
        holds(cap, groups, view).alias(f"{view} {index}")
        for index, cap in enumerate(caps)
        for view in ("known", "possible", "certain")
    ]


def lowest(caps: list, view: str) -> pl.Expr:
    chain = pl.when(pl.col(f"{view} 0")).then(pl.lit(float(caps[0]["cap"])))
    for index, cap in enumerate(caps[1:], 1):
        chain = chain.when(pl.col(f"{view} {index}")).then(pl.lit(float(cap["cap"])))
    return chain.otherwise(None).alias(f"cap {view}")


def texts(pairs: list) -> pl.Expr:
    parts = [pl.when(condition).then(pl.lit(text)) for condition, text in pairs]
    return pl.concat_str(parts, separator="; ", ignore_nulls=True).replace("", None)


def exponent(risk: dict) -> pl.Expr:
    z = risk["intercept"] + (50.0 - pl.col("before")) * risk["slope"]
    z += line(pl.col("before") - pl.col("health_before_caps_3m"), risk["trend"]).fill_null(0.0)
    z += line(pl.col("days_to_renewal"), risk["renewal"]).fill_null(0.0)
    for name, term in risk["signals"].items():
        several = pl.min_horizontal(term["first"] + (pl.col(name) - 1.0) * term["more"], pl.lit(float(term["max"])))
        held = pl.when(pl.col(name) >= 1).then(several).otherwise(pl.col(name).clip(0.0, 1.0) * term["first"])
        z += held.fill_null(0.0)
    return z


def lacking(card: dict) -> list:
    rules, groups = card["coverage"], card["groups"]
    scores = {g: pl.col(f"{g}_score") for g in groups}
    needed, least = rules["tier_needs_any_of"], rules["tier_min_dimensions"]
    return [
        (pl.col("coverage") < 100 * rules["tier_min"] - 1e-7, f"coverage below {100 * rules['tier_min']:g} %"),
        (pl.col("before").is_null(), "nothing that counts is known"),
        (pl.all_horizontal([scores[g].is_null() for g in needed]), f"no score for {' or '.join(needed)}"),
        (
            pl.sum_horizontal([s.is_not_null() for s in scores.values()]) < least,
            f"fewer than {least} dimensions have a score",
        ),
        *((pl.col(name).is_null(), f"{name} can't be read") for name in rules["tier_needs_readable"]),
    ]


def results(card: dict) -> list:
    rated, critical = pl.col("lacking").is_null(), pl.col("critical_signals") >= 1
    tiers = sorted(card["tiers"], key=lambda tier: -tier["min"])
    tier = pl.when(rated & (pl.col("health") >= tiers[0]["min"])).then(pl.lit(tiers[0]["name"]))
    for each in tiers[1:]:
        tier = tier.when(rated & (pl.col("health") >= each["min"])).then(pl.lit(each["name"]))
    floors = sorted(card["churn_risk"]["floors"], key=lambda floor: floor["cap_below"])
    plain = 100.0 / (1.0 + (-pl.col("z")).exp())
    floor = pl.when(pl.col("cap known") < floors[0]["cap_below"]).then(pl.lit(float(floors[0]["risk"])))
    floor = (
        floor.when(pl.col("cap known") < floors[1]["cap_below"]).then(pl.lit(float(floors[1]["risk"]))).otherwise(0.0)
    )
    names = sorted(name for body in card["groups"].values() for name in body["metrics"])
    drivers = pl.concat_str([name_of(f"top {n}", names) for n in range(3)], separator=" ", ignore_nulls=True)
    nobody = pl.lit([], dtype=pl.List(pl.String))
    return [
        pl.col("account_id"),
        pl.when(rated).then(pl.col("health")).alias("health_score"),
        pl.when(rated).then(pl.col("before")).alias("health_before_caps"),
        pl.when(rated)
        .then(pl.max_horizontal(plain, floor))
        .when(critical)
        .then(pl.lit(50.0))
        .alias("churn_risk_score"),
        tier.when(critical).then(pl.lit(tiers[-1]["name"])).otherwise(pl.lit("Not Rated")).alias("tier"),
        pl.col("coverage"),
        pl.min_horizontal("low", "cap possible").alias("lower_bound"),
        pl.min_horizontal("high", "cap certain").alias("upper_bound"),
        *(pl.col(f"{group}_score") for group in card["groups"]),
        pl.col("cap_reason"),
        pl.col("lacking").alias("not_rated_reason"),
        pl.when(pl.col("top 0").is_null()).then(nobody).otherwise(drivers.str.split(" ")).alias("drivers"),
        pl.lit("0" * 12).alias("scorecard"),  # a hash, which only ours works out
    ]


def with_whole_weights(groups: dict) -> dict:
    """Weights in hundredths: sums of whole numbers are exact, so that 25 points of a dimension are 25."""
    made = {}
    for group, body in groups.items():
        metrics = {name: {**rule, "weight": round(100 * rule["weight"])} for name, rule in body["metrics"].items()}
        made[group] = {"weight": round(100 * body["weight"]), "metrics": metrics}
    return made


def score(frame: pl.LazyFrame, given: dict) -> pl.LazyFrame:
    groups = with_whole_weights(given["groups"])
    card = {**given, "groups": groups}
    leaves = {name: rule for body in groups.values() for name, rule in body["metrics"].items()}
    caps = sorted(card["caps"], key=lambda cap: cap["cap"])
    width = len(leaves)
    below = [pl.when(pl.col(f"key {n}") < pl.col("top")).then(pl.col(f"key {n}")) for n in range(width)]
    return (
        frame.with_columns(pl.when(pl.selectors.numeric().is_finite()).then(pl.selectors.numeric()))
        .with_columns(own_value(name, rule).alias(f"x {name}") for name, rule in leaves.items())
        .with_columns(own_points(name, rule, card["segments"]) for name, rule in leaves.items())
        .with_columns(made for name, rule in leaves.items() for made in final_points(name, rule))
        .with_columns(made for group, body in groups.items() for made in sums(group, body["metrics"]))
        .with_columns(dimension(g, body["metrics"], card["coverage"]["dimension_min"]) for g, body in groups.items())
        .with_columns(root(groups))
        .with_columns((pl.col("sum") / pl.col("known")).alias("before"), *units(groups))
        .with_columns(keys(groups))
        .with_columns(pl.max_horizontal(f"key {n}" for n in range(width)).alias("top"))
        .with_columns(pl.col("top").alias("top 0"), pl.max_horizontal(below).alias("top"))
        .with_columns(pl.col("top").alias("top 1"), pl.max_horizontal(below).alias("top 2"))
        .with_columns(cap_columns(caps, groups))
        .with_columns(*(lowest(caps, view) for view in ("known", "possible", "certain")))
        .with_columns(
            pl.min_horizontal("before", "cap known").alias("health"),
            exponent(card["churn_risk"]).alias("z"),
            texts([(pl.col(f"known {n}"), cap["reason"]) for n, cap in enumerate(caps)]).alias("cap_reason"),
            texts(lacking(card)).alias("lacking"),
        )
        .select(results(card))
    )
