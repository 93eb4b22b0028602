"""A scorecard's own metrics in a run: which of them are fed, by whom, and what to say of the others."""

from collections.abc import Collection, Iterator

import polars as pl

from accountpulse.core.nearest import nearest
from accountpulse.core.records import TABLE, Reason, Rules
from accountpulse.scoring.columns import reason_of
from accountpulse.scoring.explain import REASONS
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Settings
from accountpulse.systems import TITLES

KEY = "metrics:"  # at the top of accountpulse.yaml: where a run finds them
# what a reason means here, where it is said in other words; the second ones of a table
NO_VALUE = {"no_evidence": "no value there"}
OF_TABLE = {"unclear": "a value without its day", "several_rows": "different values of one day"}


def unfed(card: Scorecard, rules: Rules) -> tuple[str, ...]:
    """The own metrics that nothing in a run measures; a table given to `accountpulse score` may still have them."""
    return tuple(name for name in card.file.metrics if name not in rules.fed)


def gaps(card: Scorecard, rules: Rules) -> dict[str, Reason]:
    """Why these are null for every account."""
    return dict.fromkeys(unfed(card, rules), "not_configured")


def notes(card: Scorecard, rules: Rules) -> Iterator[str]:
    """A line for own metrics that nobody feeds, and one for each feed that the scorecard doesn't declare."""
    if names := unfed(card, rules):
        way_out = f"`{KEY}` in accountpulse.yaml says where a run finds them"
        yield f"scorecard: nothing in a run measures {', '.join(names)} (left empty); {way_out}"
    for name in rules.fed:
        if name not in card.file.metrics:
            hint = nearest(name, card.file.metrics) or "; declare it under metrics: there to keep it"
            yield f"{KEY} {name} is no own metric of the scorecard {card.name}{hint}"


def origins(card: Scorecard, settings: Settings) -> dict[str, str]:
    """Where each own metric that is fed comes from, for people: the table, or the system."""
    tables, fed = settings.mapping.own_tables, settings.mapping.fed
    return {
        name: tables[name].source if fed[name] == TABLE else TITLES[fed[name]]
        for name in card.file.metrics
        if name in fed
    }


def shortfalls(
    measured: pl.DataFrame, card: Scorecard, settings: Settings, among: Collection[str] | None = None
) -> Iterator[str]:
    """A line for each own metric that some account lacks: how many, and why. `among`: of these alone."""
    for name, origin in origins(card, settings).items():
        if among is not None and name not in among:
            continue
        lacking = measured.filter(pl.col(name).is_null())[reason_of(name)].cast(pl.String)
        if lacking.is_empty():
            continue
        reasons = sorted(lacking.value_counts().iter_rows(), key=lambda each: (-each[1], each[0]))
        is_table = settings.mapping.fed[name] == TABLE
        words = {**REASONS, **NO_VALUE, **(OF_TABLE if is_table else {})}
        why = ", ".join(f"{words[code]}: {count:,} ({code})" for code, count in reasons)
        label = card.catalogue[name].label
        count = measured.height - lacking.len()
        known = f"{count:,} of {measured.height:,} accounts {'has' if count == 1 else 'have'} a value"
        yield f"{label} ({name}, from {origin}): {known}; {why}"
