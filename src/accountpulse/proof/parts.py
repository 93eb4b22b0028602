"""Each score, dimension and metric as the only thing that is looked at, and whether it points the right way."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from accountpulse.core.outcomes import LOST
from accountpulse.proof.arr_later import ACCOUNT
from accountpulse.proof.document import PartAlone, PartVerdict
from accountpulse.proof.intervals import LEVEL, Interval, beyond_chance, levels_of
from accountpulse.proof.ranking import auc, auc_at
from accountpulse.scoring.columns import BEFORE_CAPS, HEALTH, RISK_Z, points_of, score_of
from accountpulse.scoring.scorecard import Scorecard

FEWEST = 10  # customers that left, and that stayed, with a known value: below that nothing can be said of a metric
MISSING_APART = 0.1  # from which difference on it is asked whether a missing value itself tells who left


@dataclass(frozen=True)
class _Aspect:
    """What is looked at: `worse` is +1 where higher values are worse, −1 where lower ones are, 0 where nobody said."""

    kind: str
    name: str
    label: str
    weight: float | None
    column: str
    worse: int
    measured_by: str

    @property
    def one_of_many(self) -> bool:
        """Whether it is one of many whose direction is asked for."""
        return self.kind != "score" and self.worse != 0


def parts_alone(rows: pl.DataFrame, card: Scorecard) -> tuple[PartAlone, ...]:
    """Every part that `rows` (with `lost` known, and codes of accounts) have a column for, in the scorecard's order.

    A metric of the scorecard is judged by its points, another one of the catalogue by its value and the direction that
    the catalogue calls better. Rows in which a part is not known are left out of its AUC.

    Every AUC has its interval at 95 %. Of so many dimensions and metrics that tell nothing one would seem to point
    somewhere by chance, so these are judged together (`intervals.beyond_chance`); the scores, which are one question,
    at 95 % each.
    """
    lost, account = rows[LOST].to_numpy().astype(np.bool_), rows[ACCOUNT].to_numpy().astype(np.int64)
    parts = list(_parts(rows, card))
    count = sum(part.one_of_many and _enough(rows[part.column], lost, account) for part in parts)
    ranked = {part.column: _ranked(part, rows[part.column], lost, account, levels_of(count)) for part in parts}
    together = [part.column for part in parts if part.one_of_many and ranked[part.column]]
    named = beyond_chance([ranked[column][1:] for column in together])
    beyond = dict(zip(together, named, strict=True))
    found = [(next(iter(ranked[part.column]), None), beyond.get(part.column, True)) for part in parts]
    return tuple(_judged(part, rows[part.column], lost, account, each) for part, each in zip(parts, found, strict=True))


def _ranked(
    part: _Aspect, values: pl.Series, lost: np.ndarray, account: np.ndarray, levels: tuple[float, ...]
) -> tuple[Interval, ...]:
    """The AUC at LEVEL and at each of the levels; empty where the part isn't known of customers enough."""
    if not _enough(values, lost, account):
        return ()
    numbers = _known(values)
    known = numbers.is_not_null().to_numpy()
    worse = numbers.drop_nulls().to_numpy() * (part.worse or 1)
    return auc_at(worse, lost[known], account[known], (LEVEL, *levels)) or ()


def _enough(values: pl.Series, lost: np.ndarray, account: np.ndarray) -> bool:
    """Whether it is known of customers enough, among those who left and among those who stayed."""
    known = _known(values).is_not_null().to_numpy()
    return all(_accounts(account[known & rows]) >= FEWEST for rows in (lost, ~lost))


def _known(values: pl.Series) -> pl.Series:
    return values.cast(pl.Float64).fill_nan(None)


def _parts(rows: pl.DataFrame, card: Scorecard) -> Iterator[_Aspect]:
    present = {name for name, kind in rows.schema.items() if kind.is_numeric()}
    scores = (
        (RISK_Z, "churn risk before floors", 1),
        (HEALTH, "health", -1),
        (BEFORE_CAPS, "health before caps", -1),
    )
    yield from (_Aspect("score", name, text, None, name, way, "score") for name, text, way in scores if name in present)
    for node in card.dimension_nodes:
        if score_of(node.name) in present:
            share = card.share_of(node)
            yield _Aspect("dimension", node.name, node.name, share, score_of(node.name), -1, "score")
    leaves = [leaf for leaf in card.leaves if points_of(leaf.name) in present]
    for leaf in leaves:
        label = card.catalogue[leaf.name].label
        yield _Aspect("metric", leaf.name, label, leaf.share, points_of(leaf.name), -1, "points")
    others = card.catalogue.keys() & present - {leaf.name for leaf in leaves}
    for name in (name for name in card.catalogue if name in others):
        if rows[name].count():
            metric = card.catalogue[name]
            worse = {"higher": -1, "lower": 1, "neither": 0}[metric.better]
            yield _Aspect("metric", name, metric.label, None, name, worse, "value")


def _judged(
    part: _Aspect, values: pl.Series, lost: np.ndarray, account: np.ndarray, ranked: tuple[Interval | None, bool]
) -> PartAlone:
    """`ranked`: its AUC, and whether it lies apart from 0.50 beyond chance."""
    alone, beyond = ranked
    known = _known(values).is_not_null().to_numpy()
    among_lost, among_stayed = (_mean(known[rows]) for rows in (lost, ~lost))
    missing = None
    if among_lost is not None and among_stayed is not None and abs(among_lost - among_stayed) >= MISSING_APART:
        missing = auc((~known).astype(np.float64), lost, account)
    return PartAlone(
        kind=part.kind,  # type: ignore[arg-type]
        name=part.name,
        label=part.label,
        weight=part.weight,
        rows=int(known.sum()),
        known=_mean(known) or 0.0,
        known_lost=among_lost,
        known_stayed=among_stayed,
        missing_auc=missing,
        auc=alone,
        verdict=_verdict(alone, part.worse, beyond=beyond),
        measured_by=part.measured_by,  # type: ignore[arg-type]
    )


def _verdict(found: Interval | None, worse: int, *, beyond: bool) -> PartVerdict:
    """By the AUC alone; `beyond`: among so many parts it isn't chance that this one lies apart from 0.50."""
    if found is None:
        return "too rarely known"
    if worse == 0:
        return "no direction"
    if not beyond or found.lower <= 0.5 <= found.upper:
        return "no evidence"
    return "right way" if found.value > 0.5 else "wrong way"


def _mean(flags: np.ndarray) -> float | None:
    return float(flags.mean()) if flags.size else None


def _accounts(codes: np.ndarray) -> int:
    """How many different accounts there are; counted without sorting, for there are many rows."""
    return int(np.count_nonzero(np.bincount(codes))) if codes.size else 0
