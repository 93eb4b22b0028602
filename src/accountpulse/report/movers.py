"""The accounts that moved: another tier, or five points and more, each with what moved it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import polars as pl

from accountpulse.report.inputs import ReportInput
from accountpulse.report.limits import LEAST_CHANGE
from accountpulse.scoring.change import ScoreChange, change_between
from accountpulse.scoring.columns import BEFORE_CAPS, CAP_REASON, HEALTH, LOST_SIGHT, NOT_RATED_REASON, TIER
from accountpulse.scoring.explain import cap_reasons, mover, signed
from accountpulse.scoring.scorecard import Scorecard

LARGEST = 3  # reasons that are named
SMALL = 0.05  # points that would be shown as 0
ONLY_THE_CARD = "nothing but the scorecard's new content"
TIER_BY_THE_CARD = "another tier by the new scorecard alone"


def movers(
    rows: pl.DataFrame, parts: pl.DataFrame | None, crossed: Sequence[Mapping[str, Any]], inputs: ReportInput
) -> list[dict[str, Any]]:
    """Tier changes and changes of 5 points or more, the largest |change| × ARR first.

    Those whose ARR is not known come after, by their change; last those that have no health in one of the runs.
    `change` is health now − health then, null where one is missing; `scorecard_effect` is its part that only the
    scorecard's new content makes. `words` are at most three: that the tier is another one by the new scorecard alone,
    where it is, and the largest other parts. `way` is `fell`, `rose`, or empty where
    neither can be said; `lines` are the lines that the account crossed, as in `crossed`.
    """
    before, rescored = inputs.before, inputs.rescored
    if before is None or rescored is None or parts is None:
        return []
    moved = _moved(rows, parts)
    frames = (before.scores, rescored, inputs.month.scores)
    then, again, now = (_of(frame, moved["id"]) for frame in frames)
    ranks = {name: rank for rank, name in enumerate(inputs.month.card.tier_names)}
    lines = {each["i"]: each["lines"] for each in crossed}
    return [
        {
            "i": row["i"],
            "tier_before": row["tier_before"],
            "tier": row["tier"],
            "health_before": row["health_before"],
            "health": row["health"],
            "change": row["change"],
            "scorecard_effect": row["scorecard"],
            "arr": row["arr"],
            "way": _way(row, ranks),
            "lines": lines.get(row["i"], []),
            "words": list(islice(_words(a, b, c, inputs), LARGEST)) or [ONLY_THE_CARD],
        }
        for row, a, b, c in zip(moved.iter_rows(named=True), then, again, now, strict=True)
    ]


def _way(row: Mapping[str, Any], ranks: Mapping[str, int]) -> str:
    """To be without a score, or to have had a tier that is no more, is no step."""
    then, now = ranks.get(row["tier_before"]), ranks.get(row["tier"])
    step = row["change"] or (0 if then is None or now is None else then - now)
    return "fell" if step < 0 else "rose" if step > 0 else ""


def _moved(rows: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    changes = parts.select(id="account_id", change="total", scorecard="scorecard")
    joined = rows.with_row_index("i").join(changes, on="id", how="left", maintain_order="left")
    size = pl.col("change").abs()
    other = (pl.col("tier") != pl.col("tier_before")).fill_null(value=False)
    moved = joined.filter(other | (size >= LEAST_CHANGE).fill_null(value=False))
    return moved.with_columns(size=size, weight=size * pl.col("arr")).sort(
        "weight", "size", "arr", "id", descending=[True, True, True, False], nulls_last=True
    )


def _of(frame: pl.DataFrame, ids: pl.Series) -> Iterator[Mapping[str, Any]]:
    wanted = pl.DataFrame({"account_id": ids})
    return wanted.join(frame, on="account_id", how="left", maintain_order="left").iter_rows(named=True)


def _words(
    then: Mapping[str, Any], again: Mapping[str, Any], now: Mapping[str, Any], inputs: ReportInput
) -> Iterator[str]:
    """That the new scorecard alone gives another tier, where it does, and what else moved the account."""
    if then[TIER] != again[TIER] == now[TIER] and _differ_by_the_card(then, inputs):
        yield TIER_BY_THE_CARD
    yield from _causes(then, again, now, inputs)


def _differ_by_the_card(then: Mapping[str, Any], inputs: ReportInput) -> bool:
    """Whether nothing but the scorecard tells the run before from its values scored again: no outage limited it."""
    before = inputs.before
    if before is None or before.card.hash == inputs.month.card.hash or before.facts["failed"]:
        return False
    return f"{LOST_SIGHT}: " not in (then[CAP_REASON] or "")


def _causes(
    then: Mapping[str, Any], again: Mapping[str, Any], now: Mapping[str, Any], inputs: ReportInput
) -> Iterator[str]:
    """What moved an account, the largest part first; or why there is no difference to tell."""
    found = change_between(then, again, now, inputs.month.card)
    if found is None:
        for row, lead in ((now, "no health now"), (then, "no health then")):
            if row[HEALTH] is None:
                yield f"{lead}: {row[NOT_RATED_REASON] or 'not known'}"
        return
    parts = [*found.metrics.items(), ("caps", found.caps), ("coverage", found.coverage)]
    for name, effect in sorted(parts, key=lambda part: -abs(part[1])):
        if abs(effect) < SMALL:
            return
        if name == "caps":
            yield _caps(effect, then, now, inputs.month.card)
        elif name == "coverage":
            yield _coverage(found, inputs)
        else:
            days = inputs.before.as_of_day if inputs.before else inputs.month.as_of_day
            yield mover((then, days), (now, inputs.month.as_of_day), inputs.month.card, name, effect)


def _caps(effect: float, then: Mapping[str, Any], now: Mapping[str, Any], card: Scorecard) -> str:
    """What holds health down, or no longer does."""
    if effect < 0:
        return f"capped by: {'; '.join(cap_reasons(now, card))}, {signed(effect)} points"
    lead = "still capped, but less" if now[HEALTH] < now[BEFORE_CAPS] else "no longer capped"
    return f"{lead} (was: {'; '.join(cap_reasons(then, card))}), {signed(effect)} points"


def _coverage(found: ScoreChange, inputs: ReportInput) -> str:
    labels = inputs.month.card.catalogue
    parts = [
        f"{lead}: {', '.join(labels[name].label for name in names)}"
        for lead, names in (("now known", found.now_known), ("no longer known", found.no_longer_known))
        if names
    ]
    return f"{'; '.join(parts) or 'what is known weighs differently'}, {signed(found.coverage)} points"
