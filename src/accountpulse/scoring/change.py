"""What changed between two runs of an account, taken apart so that the parts add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
