"""A scorecard's own metrics in a run: which of them a source is asked for, and what to say of the others."""

from collections.abc import Iterator

from accountpulse.core.nearest import nearest
from accountpulse.core.records import Reason, Rules
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.systems import SYSTEMS

# the keys of accountpulse.yaml that say where a run finds them
KEYS = " or ".join(system.own_metrics for system in SYSTEMS.values() if system.own_metrics)


def unfed(card: Scorecard, rules: Rules) -> tuple[str, ...]:
    """The own metrics that nothing in a run measures; a table given to `accountpulse score` may still have them."""
    return tuple(name for name in card.file.metrics if name not in rules.fed)


def gaps(card: Scorecard, rules: Rules) -> dict[str, Reason]:
    """Why these are null for every account."""
    return dict.fromkeys(unfed(card, rules), "not_configured")


def notes(card: Scorecard, rules: Rules) -> Iterator[str]:
    """A line for own metrics that nobody feeds, and one for each feed that the scorecard doesn't declare."""
    if names := unfed(card, rules):
        way_out = f"{KEYS} in accountpulse.yaml says where a run finds them"
        yield f"scorecard: nothing in a run measures {', '.join(names)} (left empty); {way_out}"
    for name in rules.fed:
        if name not in card.file.metrics:
            hint = nearest(name, card.file.metrics) or "; declare it under metrics: there to keep it"
            yield f"{KEYS}: {name} is no own metric of the scorecard {card.name}{hint}"
