"""What changed between two runs of an account, taken apart so that the parts add up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from accountpulse.scoring.columns import (
    BEFORE_CAPS,
    HEALTH,
    ScoreRow,
    contribution_of,
    effect_of,
    lost_of,
    points_of,
)
from accountpulse.scoring.scorecard import Scorecard


@dataclass(frozen=True)
class ScoreChange:
    """Points of health after caps from the earlier run to the later one: `total` is the sum of all parts."""

    scorecard: float  # the old values, scored with the new file instead of the old one
    coverage: float  # of what became known or unknown, and the weights that moved with it
    metrics: Mapping[str, float]  # of each metric that is known in both runs: its points, at its new weight
    caps: float  # of the caps and outages that limit health
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


def change_between(then: ScoreRow, rescored: ScoreRow, now: ScoreRow, card: Scorecard) -> ScoreChange | None:
    """The change from `then` to `now`; None where one of them has no health.

    `then` and `now` are results of `score` with `detail`, each with the scorecard of its run. `rescored` is the result
    of the earlier values with `card`, the scorecard of `now`.
    """
    before, after = then.get(BEFORE_CAPS), now.get(BEFORE_CAPS)
    if before is None or after is None:
        return None
    names = [leaf.name for leaf in card.leaves]
    new = {name: now[contribution_of(name)] for name in names}
    old = {name: rescored[contribution_of(name)] for name in names}
    # what the account would have now, had no value changed: new weights, old points where there are some
    same = {name: _at_old_points(rescored, now, name) for name in names}
    return ScoreChange(
        scorecard=sum(old.values()) - before,
        coverage=sum(same.values()) - sum(old.values()),
        metrics={name: new[name] - same[name] for name in names if _known(rescored, name) and _known(now, name)},
        caps=(now[HEALTH] - after) - (then[HEALTH] - before),
        now_known=tuple(name for name in names if _known(now, name) and not _known(rescored, name)),
        no_longer_known=tuple(name for name in names if _known(rescored, name) and not _known(now, name)),
    )


def _known(row: ScoreRow, name: str) -> bool:
    return row[points_of(name)] is not None


def _at_old_points(rescored: ScoreRow, now: ScoreRow, name: str) -> float:
    contribution: float = now[contribution_of(name)]
    if not _known(rescored, name) or not _known(now, name):
        return contribution
    weight: float = (contribution + now[lost_of(name)]) / 100
    points: float = rescored[points_of(name)]
    return weight * points


# --- of all accounts at once -----------------------------------------------------------------------------------


def changes_between(then: pl.DataFrame, rescored: pl.DataFrame, now: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """As `change_between` for each account of `now`, in its order: the same arithmetic over whole columns.

    Columns: account_id, scorecard, coverage, caps, total, and `effect:<metric>` for each metric of the card, null where
    it is not known in both runs. All of them are null where one of the runs has no health.
    """
    names = [leaf.name for leaf in card.leaves]
    points, contributions = [points_of(name) for name in names], [contribution_of(name) for name in names]
    health = [HEALTH, BEFORE_CAPS]
    lost = [lost_of(name) for name in names]
    rows = (
        now.select("account_id", *health, *points, *contributions, *lost)
        .join(_prefixed(then, "then", health), on="account_id", how="left", maintain_order="left")
        .join(_prefixed(rescored, "old", [*points, *contributions]), on="account_id", how="left", maintain_order="left")
        .with_columns(_at_old_points_of_all(name) for name in names)
        .with_columns(_effect(name) for name in names)
    )
    rated = pl.col(f"then:{BEFORE_CAPS}").is_not_null() & pl.col(BEFORE_CAPS).is_not_null()
    old, same = _sum(f"old:{name}" for name in contributions), _sum(f"same:{name}" for name in names)
    parts = {
        "scorecard": old - pl.col(f"then:{BEFORE_CAPS}"),
        "coverage": same - old,
        "caps": _cap_effect("") - _cap_effect("then:"),
    }
    effects = [effect_of(name) for name in names]
    rows = rows.select(
        "account_id",
        *(pl.when(rated).then(part).alias(name) for name, part in parts.items()),
        *(pl.when(rated).then(pl.col(name)).alias(name) for name in effects),
    )
    total = _sum([*parts, *effects])
    return rows.with_columns(total=pl.when(pl.col("scorecard").is_not_null()).then(total))


def _prefixed(frame: pl.DataFrame, prefix: str, columns: Sequence[str]) -> pl.DataFrame:
    """The columns of an earlier result; one that it doesn't have is null."""
    found = [pl.col(name) if name in frame.columns else pl.lit(None, pl.Float64).alias(name) for name in columns]
    return frame.select("account_id", *(column.name.prefix(f"{prefix}:") for column in found))


def _known_in_both(name: str) -> pl.Expr:
    return pl.col(f"old:{points_of(name)}").is_not_null() & pl.col(points_of(name)).is_not_null()


def _at_old_points_of_all(name: str) -> pl.Expr:
    """As `_at_old_points`."""
    contribution = pl.col(contribution_of(name))
    weight = (contribution + pl.col(lost_of(name))) / 100
    at_old = weight * pl.col(f"old:{points_of(name)}")
    return pl.when(_known_in_both(name)).then(at_old).otherwise(contribution).alias(f"same:{name}")


def _effect(name: str) -> pl.Expr:
    effect = pl.col(contribution_of(name)) - pl.col(f"same:{name}")
    return pl.when(_known_in_both(name)).then(effect).alias(effect_of(name))


def _cap_effect(prefix: str) -> pl.Expr:
    return pl.col(f"{prefix}{HEALTH}") - pl.col(f"{prefix}{BEFORE_CAPS}")


def _sum(names: Iterable[str]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(name) for name in names)
