"""The account view: every metric with its points, weight and reason, the parts of the change, bounds, line, signals."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from accountpulse.report.catalogue import leaves_of
from accountpulse.report.inputs import LINE_MONTHS, ReportInput
from accountpulse.report.opinions import of_each
from accountpulse.scoring.change import changes_between
from accountpulse.scoring.columns import (
    HEALTH,
    contribution_of,
    effect_of,
    lost_of,
    lower_bound_of,
    points_of,
    reason_of,
    score_of,
    upper_bound_of,
)
from accountpulse.scoring.explain import NO_EVIDENCE, REASONS
from accountpulse.scoring.scorecard import TOLERANCE, Leaf, Scorecard

SEVERITIES = ("critical", "moderate", "watch")


def details(inputs: ReportInput, ids: pl.Series, parts: pl.DataFrame | None) -> dict[str, Any]:
    """All of it, in columns over the accounts in the order of `ids`; `parts` is what `parts_of` gave."""
    scores = _aligned(inputs.month.scores, ids)
    texts = list(dict.fromkeys([*REASONS.values(), *NO_EVIDENCE.values()]))
    return {
        "lines": _lines(inputs, ids),
        "metrics": _metrics(inputs, scores, ids, texts),
        "reasons": texts,
        "change": _change(inputs, parts, ids),
        "dimensions": _dimensions(scores, inputs.month.card),
        "signals": _signals(inputs, ids),
        "pulses": of_each(inputs, ids),
        "signal_counts": {
            name: _column(scores, f"{name}_signals") for name in SEVERITIES
        },  # after monitoring, as the scorecard counts them
    }


def parts_of(inputs: ReportInput) -> pl.DataFrame | None:
    """What changed since the run before, as `scoring.change.changes` takes it apart; None where there is none."""
    before, rescored = inputs.before, inputs.rescored
    if before is None or rescored is None:
        return None
    return changes_between(before.scores, rescored, inputs.month.scores, inputs.month.card)


def periods(inputs: ReportInput) -> list[str]:
    """The months of the line, months without a run included."""
    return [inputs.month.period.shifted(-back).name for back in reversed(range(LINE_MONTHS))]


def _aligned(frame: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"account_id": ids}).join(frame, on="account_id", how="left", maintain_order="left")


def _column(frame: pl.DataFrame, name: str) -> list[Any]:
    return frame[name].to_list() if name in frame.columns else [None] * frame.height


def _lines(inputs: ReportInput, ids: pl.Series) -> list[list[float | None]]:
    months = [
        _column(_aligned(inputs.line[name], ids), HEALTH) if name in inputs.line else [None] * len(ids)
        for name in periods(inputs)
    ]
    return [list(line) for line in zip(*months, strict=True)]


# --- metrics ---------------------------------------------------------------------------------------------------


def _metrics(inputs: ReportInput, scores: pl.DataFrame, ids: pl.Series, texts: list[str]) -> dict[str, Any]:
    before = None if inputs.before is None else _aligned(inputs.before.scores, ids)
    return {
        leaf.name: {
            "value": _column(scores, leaf.name),
            "points": _column(scores, points_of(leaf.name)),
            "weight": scores.select(_weight(leaf)).to_series().to_list(),
            "contribution": scores.select(_contribution(leaf)).to_series().to_list(),
            "before": [None] * len(ids) if before is None else _column(before, leaf.name),
            "reason": _reasons(scores, leaf, texts),
            **_instead(scores, leaf),
        }
        for leaf in inputs.month.card.leaves
    }


def _weight(leaf: Leaf) -> pl.Expr:
    """The share that a metric has in health, since what is not known has none; null where it is not known itself."""
    whole = (pl.col(contribution_of(leaf.name)) + pl.col(lost_of(leaf.name))) / 100
    return pl.when(pl.col(points_of(leaf.name)).is_not_null()).then(whole)


def _contribution(leaf: Leaf) -> pl.Expr:
    return pl.when(pl.col(points_of(leaf.name)).is_not_null()).then(pl.col(contribution_of(leaf.name)))


def reason(scores: pl.DataFrame, leaf: Leaf) -> pl.Expr:
    """What `explain.reason` says of one account, for all of `scores`."""
    short = pl.any_horizontal(
        pl.lit(value=False),
        *(_known(scores, name).fill_null(0) < least for name, least in leaf.rule.enough.items()),
    )
    lacking = pl.when(short).then(pl.lit("too_few")).otherwise(pl.lit(f"no_{leaf.rule.per}"))
    noted = pl.col(reason_of(leaf.name)) if reason_of(leaf.name) in scores.columns else pl.lit(None, pl.String)
    why = pl.when(_known(scores, leaf.name).is_not_null()).then(lacking).otherwise(noted.fill_null("unknown"))
    return pl.when(pl.col(points_of(leaf.name)).is_null()).then(why)


def _known(scores: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in scores.columns else pl.lit(None, pl.Float64)


def _reasons(scores: pl.DataFrame, leaf: Leaf, texts: list[str]) -> list[int | None]:
    """Why a metric has no points, as places in `texts`."""
    by_code = {
        code: NO_EVIDENCE.get(leaf.name, text) if code == "no_evidence" else text for code, text in REASONS.items()
    }
    places = {code: texts.index(text) for code, text in by_code.items()}
    unknown = texts.index(REASONS["unknown"])
    codes = scores.select(reason(scores, leaf)).to_series()
    found = codes.replace_strict(places, default=unknown, return_dtype=pl.Int64)
    return found.zip_with(codes.is_not_null(), pl.Series([None], dtype=pl.Int64)).to_list()


def _instead(scores: pl.DataFrame, leaf: Leaf) -> dict[str, list[Any]]:
    """The values of the metric that stood in, where it gave the points."""
    if leaf.rule.substitute is None:
        return {}
    enough = [_known(scores, name).fill_null(0) >= least for name, least in leaf.rule.enough.items()]
    attribute = [] if leaf.rule.per is None else [_known(scores, leaf.rule.per).fill_null(0) > 0]
    usable = pl.all_horizontal(_known(scores, leaf.name).is_not_null(), *enough, *attribute)
    other = _known(scores, leaf.rule.substitute.metric)
    return {"instead": scores.select(pl.when(~usable).then(other).alias("x"))["x"].to_list()}


# --- change, dimensions, signals -------------------------------------------------------------------------------


def _change(inputs: ReportInput, parts: pl.DataFrame | None, ids: pl.Series) -> dict[str, Any]:
    """Columns of nulls where there is no run before, and where an account has no health in one of the two."""
    before, nothing = inputs.before, [None] * len(ids)
    rows = pl.DataFrame({"account_id": ids}) if parts is None else _aligned(parts, ids)
    return {
        "since": None if before is None else before.name,
        "parts": {
            **{name: _column(rows, name) for name in ("scorecard", "coverage", "caps")},
            "metrics": {leaf.name: _column(rows, effect_of(leaf.name)) for leaf in inputs.month.card.leaves},
        },
        "health_before_change": nothing if before is None else _column(_aligned(before.scores, ids), HEALTH),
        "total": _column(rows, "total"),
    }


def _dimensions(scores: pl.DataFrame, card: Scorecard) -> dict[str, Any]:
    return {
        node.name: {
            "score": _column(scores, score_of(node.name)),
            "lower": _column(scores, lower_bound_of(node.name)),
            "upper": _column(scores, upper_bound_of(node.name)),
            "coverage": scores.select(_coverage(leaves, card.share_of(node)).alias("x"))["x"].to_list(),
            "weight": [card.share_of(node)] * scores.height,
        }
        for node, leaves in leaves_of(card)
    }


def _coverage(leaves: list[Leaf], whole: float) -> pl.Expr:
    """The part of a dimension's weight that rests on data, 0 to 1."""
    if not leaves:
        return pl.lit(0.0)
    measured = pl.sum_horizontal(
        pl.when(pl.col(points_of(leaf.name)).is_not_null()).then(pl.lit(leaf.share)).otherwise(0.0) for leaf in leaves
    )
    return pl.when(measured > TOLERANCE).then(pl.min_horizontal(pl.lit(1.0), measured / whole)).otherwise(0.0)


def _signals(inputs: ReportInput, ids: pl.Series) -> list[list[dict[str, Any]]] | None:
    """The open signals of each account; None where the run kept none of them, only their counts."""
    if inputs.signals is None:
        return None
    by_account: dict[str, list[dict[str, Any]]] = {}
    for row in inputs.signals.iter_rows(named=True):
        by_account.setdefault(row["account_id"], []).append(signal(row, inputs.month.as_of_day))
    return [by_account.get(account_id, []) for account_id in ids]


def signal(row: Mapping[str, Any], as_of: date) -> dict[str, Any]:
    """An open signal as people read it; `age_days` are whole days from its day to `as_of`.

    `title` and `owner` are null where they aren't known, as in every month that an older version kept.
    """
    opened = row["opened_on"]
    return {
        "severity": row["severity"],
        "title": row.get("title"),
        "owner": row.get("owner"),
        "status": ("monitoring" if row["monitoring"] else "active") + (", confirmed" if row["confirmed"] else ""),
        "date": None if opened is None else opened.isoformat(),
        "age_days": None if opened is None else (as_of - opened).days,
    }
