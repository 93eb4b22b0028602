"""What changed between two runs of an account, taken apart so that the parts add up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from accountpulse.scoring.scorecard import Scorecard

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """Points of health after caps from the earlier run to the later one: `total` is the sum of all parts."""

    scorecard: float  # the old values, scored with the new file instead of the old one
    coverage: float  # of what became known or unknown, and the weights that moved with it
    metrics: Mapping[str, float]  # of each metric that is known in both runs: its points, at its new weight
    caps: float  # of what holds health down
    now_known: tuple[str, ...]
    no_longer_known: tuple[str, ...]

    @property
    def total(self) -> float:
        """Health now − health then."""
        return self.scorecard + self.coverage + sum(self.metrics.values()) + self.caps

    def movers(self, count: int = 3) -> list[str]:
        """The metrics that moved health most, up or down."""
        moved = [name for name, effect in self.metrics.items() if round(effect, 9)]
        return sorted(moved, key=lambda name: (-abs(self.metrics[name]), name))[:count]


def change(then: Row, rescored: Row, now: Row, card: Scorecard) -> Change | None:
    """The change from `then` to `now`; None where one of them has no health.

    `then` and `now` are results of `score` with `detail`, each with the scorecard of its run. `rescored` is the result
    of the earlier values with `card`, the scorecard of `now`.
    """
    before, after = then.get("health_before_caps"), now.get("health_before_caps")
    if before is None or after is None:
        return None
    names = [leaf.name for leaf in card.leaves]
    new = {name: now[f"{name}_contribution"] for name in names}
    old = {name: rescored[f"{name}_contribution"] for name in names}
    # what the account would have now, had no value changed: new weights, old points where there are some
    same = {name: _at_old_points(rescored, now, name) for name in names}
    return Change(
        scorecard=sum(old.values()) - before,
        coverage=sum(same.values()) - sum(old.values()),
        metrics={name: new[name] - same[name] for name in names if _known(rescored, name) and _known(now, name)},
        caps=(now["health_score"] - after) - (then["health_score"] - before),
        now_known=tuple(name for name in names if _known(now, name) and not _known(rescored, name)),
        no_longer_known=tuple(name for name in names if _known(rescored, name) and not _known(now, name)),
    )


def _known(row: Row, name: str) -> bool:
    return row[f"{name}_points"] is not None


def _at_old_points(rescored: Row, now: Row, name: str) -> float:
    contribution: float = now[f"{name}_contribution"]
    if not _known(rescored, name) or not _known(now, name):
        return contribution
    weight: float = (contribution + now[f"{name}_lost"]) / 100
    points: float = rescored[f"{name}_points"]
    return weight * points


# --- of all accounts at once -----------------------------------------------------------------------------------


def effect_of(name: str) -> str:
    """The column of a metric's part."""
    return f"effect:{name}"


def changes(then: pl.DataFrame, rescored: pl.DataFrame, now: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """What `change` says of each account of `now`, in its order: the same arithmetic over whole columns.

    Columns: account_id, scorecard, coverage, caps, total, and `effect:<metric>` for each metric of the card, null where
    it is not known in both runs. All of them are null where one of the runs has no health.
    """
    names = [leaf.name for leaf in card.leaves]
    points, contributions = [f"{name}_points" for name in names], [f"{name}_contribution" for name in names]
    health = ["health_score", "health_before_caps"]
    lost = [f"{name}_lost" for name in names]
    rows = (
        now.select("account_id", *health, *points, *contributions, *lost)
        .join(_named(then, "then", health), on="account_id", how="left", maintain_order="left")
        .join(_named(rescored, "old", [*points, *contributions]), on="account_id", how="left", maintain_order="left")
        .with_columns(_same(name) for name in names)
        .with_columns(_part(name) for name in names)
    )
    told = pl.col("then:health_before_caps").is_not_null() & pl.col("health_before_caps").is_not_null()
    old, same = _sum(f"old:{name}" for name in contributions), _sum(f"same:{name}" for name in names)
    parts = {
        "scorecard": old - pl.col("then:health_before_caps"),
        "coverage": same - old,
        "caps": _held("") - _held("then:"),
    }
    effects = [effect_of(name) for name in names]
    rows = rows.select(
        "account_id",
        *(pl.when(told).then(part).alias(name) for name, part in parts.items()),
        *(pl.when(told).then(pl.col(name)).alias(name) for name in effects),
    )
    known = [*parts, *effects]
    return rows.with_columns(total=pl.when(pl.col("scorecard").is_not_null()).then(_sum(known)))


def _named(frame: pl.DataFrame, prefix: str, columns: Sequence[str]) -> pl.DataFrame:
    """The columns of an earlier result; one that it doesn't have is null."""
    there = [pl.col(name) if name in frame.columns else pl.lit(None, pl.Float64).alias(name) for name in columns]
    return frame.select("account_id", *(column.name.prefix(f"{prefix}:") for column in there))


def _both(name: str) -> pl.Expr:
    return pl.col(f"old:{name}_points").is_not_null() & pl.col(f"{name}_points").is_not_null()


def _same(name: str) -> pl.Expr:
    """As `_at_old_points` says of one."""
    contribution = pl.col(f"{name}_contribution")
    weight = (contribution + pl.col(f"{name}_lost")) / 100
    at_old = weight * pl.col(f"old:{name}_points")
    return pl.when(_both(name)).then(at_old).otherwise(contribution).alias(f"same:{name}")


def _part(name: str) -> pl.Expr:
    moved = pl.col(f"{name}_contribution") - pl.col(f"same:{name}")
    return pl.when(_both(name)).then(moved).alias(effect_of(name))


def _held(prefix: str) -> pl.Expr:
    return pl.col(f"{prefix}health_score") - pl.col(f"{prefix}health_before_caps")


def _sum(names: Iterable[str]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(name) for name in names)
