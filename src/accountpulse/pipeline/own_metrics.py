"""A scorecard's own metrics in a run: which of them a source is mapped to, and what to say of the others."""

from collections.abc import Iterator

from accountpulse.core.records import Reason
from accountpulse.core.yaml_files import nearest
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Mapping


def unfed(card: Scorecard, mapping: Mapping) -> tuple[str, ...]:
    """The own metrics that nothing in a run measures; a table given to `accountpulse score` may still have them."""
    return tuple(name for name in card.file.metrics if name not in mapping.looker.metrics)


def gaps(card: Scorecard, mapping: Mapping) -> dict[str, Reason]:
    """Why these are null for every account."""
    return dict.fromkeys(unfed(card, mapping), "not_configured")


def notes(card: Scorecard, mapping: Mapping) -> Iterator[str]:
    """A line for own metrics that nobody feeds, and one for each feed that the scorecard doesn't declare."""
    if names := unfed(card, mapping):
        way_out = "looker.metrics in accountpulse.yaml says where a run finds them"
        yield f"scorecard: nothing in a run measures {', '.join(names)} (left empty); {way_out}"
    for name in mapping.looker.metrics:
        if name not in card.file.metrics:
            hint = nearest(name, card.file.metrics) or "; declare it under metrics: there to keep it"
            yield f"looker.metrics: {name} is no own metric of the scorecard {card.name}{hint}"
