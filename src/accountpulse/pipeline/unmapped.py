"""What of the scorecard nothing feeds, as it is mapped, and how many accounts have no rating because of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from accountpulse.core.catalogue import PILLAR
from accountpulse.scoring.columns import reason_of
from accountpulse.scoring.scorecard import Leaf, Node, Scorecard, with_pillars
from accountpulse.scoring.scores import why_not_rated
from accountpulse.settings import Settings
from accountpulse.systems import SYSTEMS

KNOWN = 1_000.0  # of a metric that would be known
STAND_IN = "unmapped"  # a pillar, where none is configured
LISTED = 6  # parts that are named


@dataclass(frozen=True)
class UnfedPart:
    """A part of the scorecard that nothing feeds: what it is called, its share of the weight (0 to 1), its metrics.

    `metrics` is empty for pillars of platform value that nobody configured.
    """

    name: str
    share: float
    metrics: tuple[str, ...] = ()


def unfed_parts(measured: pl.DataFrame, card: Scorecard) -> tuple[UnfedPart, ...]:
    """Dimensions as a whole, and of the others single metrics, that nobody was asked for of any account.

    `measured` has a row an account with the metrics' reasons. A metric with another one that stands in for it is fed
    where that one is.
    """
    return tuple(part for node in card.dimension_nodes for part in _of_dimension(node, measured, card))


def unfed_note(
    measured: pl.DataFrame, card: Scorecard, settings: Settings, *, now: pl.Series | None = None, ahead: bool = False
) -> str | None:
    """What nothing feeds, how many accounts are Not Rated because of it, and what to do; None: everything is fed.

    `measured` has a row an account with the metrics, their reasons and the attributes. Because of it are those that
    would be rated if all of it were known. `now`: why each has no rating, where that was worked out. `ahead`: before a
    run, with what isn't read yet taken for known.
    """
    parts = unfed_parts(measured, card)
    if not parts:
        return None
    waived = settings.rules.signals_waived
    if now is None:
        now = why_not_rated(measured, card, signals_waived=waived)
    lost = _not_rated_because(now, measured, card, parts, signals_waived=waived)
    many = _many(lost, measured.height, ahead=ahead)
    wanted = dict.fromkeys(remedy for part in parts for remedy in _remedies(part, card, settings))
    remedy = f"To do: {', '.join(wanted)}; or leave out of the scorecard what you don't have"
    return f"{_named(parts)} {'has' if len(parts) == 1 else 'have'} no mapping: {many}. {remedy}."


def _many(lost: int, whole: int, *, ahead: bool) -> str:
    """How many accounts have no rating, as the middle of a sentence."""
    if ahead and lost:
        return f"at least {lost:,} of {whole:,} accounts will be Not Rated because of it"
    if not lost:
        return "that alone leaves no account Not Rated"
    return f"{lost:,} of {whole:,} accounts {'is' if lost == 1 else 'are'} Not Rated because of it"


def _of_dimension(node: Node, measured: pl.DataFrame, card: Scorecard) -> Iterator[UnfedPart]:
    leaves = list(node.leaves())
    empty = [leaf for leaf in leaves if _is_unfed(leaf, measured)]
    if len(empty) == len(leaves):
        yield UnfedPart(node.name, card.share_of(node), tuple(name for leaf in leaves for name in leaf.metrics))
    else:
        yield from (UnfedPart(card.catalogue[leaf.name].label, leaf.share, leaf.metrics) for leaf in empty)


def _is_unfed(leaf: Leaf, measured: pl.DataFrame) -> bool:
    reasons = [measured[reason_of(name)].cast(pl.String) for name in leaf.metrics]
    return measured.height > 0 and all((each == "not_configured").fill_null(value=False).all() for each in reasons)


def _not_rated_because(
    now: pl.Series, measured: pl.DataFrame, card: Scorecard, parts: Sequence[UnfedPart], *, signals_waived: bool
) -> int:
    """The accounts that can't be rated, and could if all of it were known."""
    if now.null_count() == now.len():
        return 0
    names = {name for part in parts for name in part.metrics}
    fed = measured.with_columns(
        *(pl.lit(KNOWN).alias(name) for name in names),
        *(pl.lit(None, pl.String).alias(reason_of(name)) for name in names),
        pl.lit(KNOWN).alias(f"{PILLAR}{STAND_IN}"),
    )
    then = why_not_rated(fed, with_pillars(card, (STAND_IN,)), signals_waived=signals_waived)
    return int((now.is_not_null() & then.is_null()).sum())


def _named(parts: Sequence[UnfedPart]) -> str:
    shown = [f"{part.name} ({100 * part.share:.3g} % of the weight)" for part in parts[:LISTED]]
    more = len(parts) - LISTED
    shown += [f"{more} more"] if more > 0 else []
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _remedies(part: UnfedPart, card: Scorecard, settings: Settings) -> Iterator[str]:
    """What to do: map the key that a metric rests on, or sign in to the system that would know it."""
    for name in part.metrics or (PILLAR,):
        if name in card.file.metrics:
            yield f"say under `metrics:` where {name} comes from"
            continue
        able = [system for system in SYSTEMS.values() if _can_feed(system.name, name, card)]
        asked = [system for system in able if system.name in settings.configured]
        if asked:
            yield f"map `{asked[0].mapped_by.get(_key(name), asked[0].name)}`"
        elif able:
            yield f"set up {' or '.join(system.title for system in able)}"


def _key(name: str) -> str:
    return PILLAR if name.startswith(PILLAR) else name


def _can_feed(system: str, name: str, card: Scorecard) -> bool:
    if _key(name) == PILLAR:
        return PILLAR in SYSTEMS[system].mapped_by
    return SYSTEMS[system].extract is not None and SYSTEMS[system].source.feeds(card.catalogue[name].tables)
