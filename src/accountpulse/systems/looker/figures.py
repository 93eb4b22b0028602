"""Figures of accounts that an instance has: pillars of 0 to 100, what looks like NPS, and counts of seats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from accountpulse.core.ids import comparable_id
from accountpulse.systems.key_match import fields_of
from accountpulse.systems.looker.instance import InstanceLook, SavedQuery
from accountpulse.systems.looker.roles import (
    NPS,
    SEATS,
    SeenExplore,
    any_date,
    is_pillar_column,
    measures_called,
    pillar_measures,
    pillar_name,
)
from accountpulse.systems.looker.rows import Kind
from accountpulse.systems.samples import is_fit, listed, shown

Explores = Sequence[tuple[SeenExplore, str]]  # with the dimension that holds the account
FEWEST_VALUES = 3  # by which a figure is judged
FEWEST_UNNAMED = 2  # figures of 0 to 100 in one explore that make pillars of them, whatever they are called


@dataclass
class FoundFigures:
    """Pillars as the mapping writes them, with the main explore of those that are a name alone; the rest as offers."""

    explore: str | None = None
    account: str | None = None
    date: str | None = None
    pillars: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    metrics: list[tuple[object, str]] = field(default_factory=list)
    seats: list[tuple[object, str]] = field(default_factory=list)


def find_figures(look: InstanceLook, explores: Explores, model: str, account_field: str | None) -> FoundFigures:
    """Everything in these explores, and in the saved Looks of the model."""
    found = FoundFigures()
    dated = [(seen, key) for seen, key in explores if any_date(seen) is not None]
    good = _pillars(look, dated, pillar_measures)
    if not good:
        unnamed = _pillars(look, dated, lambda seen: pillar_measures(seen, by_name=False))
        good = [each for each in unnamed if len(each[2]) >= FEWEST_UNNAMED]
    good.sort(key=lambda each: -len(each[2]))
    for place, (seen, key, measures) in enumerate(good):
        _take_measures(found, seen, key, measures, is_main=place == 0)
    for saved in look.looks(model):
        _take_look(found, look, saved, explores, account_field)
    for seen, key in dated:
        where = {"explore": seen.name, "account": key, "date": any_date(seen)}
        for name in measures_called(seen, NPS):
            found.metrics.append(({"nps": {**where, "measure": name, "days": 90}}, f"{name} is called like NPS"))
        for name in measures_called(seen, SEATS):
            found.seats.append(({**where, "measure": name}, f"{name} is called like a count of seats"))
    return found


def _pillars(
    look: InstanceLook, explores: Explores, measures_of: Callable[[SeenExplore], list[str]]
) -> list[tuple[SeenExplore, str, list[str]]]:
    """Explores with the measures whose values are figures of 0 to 100."""
    found = []
    for seen, key in explores:
        if measures := measures_of(seen):
            values = look.figures_of(seen, key, measures)
            good = [name for name in measures if _is_share_of_100(values.get(name, []))]
            if good:
                found.append((seen, key, good))
    return found


def _take_measures(found: FoundFigures, seen: SeenExplore, key: str, measures: Sequence[str], *, is_main: bool) -> None:
    date = any_date(seen)
    if is_main:
        found.explore, found.account, found.date = seen.name, key, date
    for measure in measures:
        name = pillar_name(measure)
        if name is None or name in found.pillars:
            continue
        full = {"explore": seen.name, "account": key, "date": date, "measure": measure}
        found.pillars[name] = measure if is_main else full
    found.reasons.append(f"Explore {shown(seen.name)} has {listed(measures)}, whose values lie between 0 and 100")


def _take_look(
    found: FoundFigures, look: InstanceLook, saved: SavedQuery, explores: Explores, account_field: str | None
) -> None:
    """A saved Look's columns that are pillars."""
    columns = [name for name in saved.query.fields or () if isinstance(name, str) and is_fit(name)]
    keys = {key for _seen, key in explores}
    account = next((name for name in columns if name in keys), None)
    values = [name for name in columns if is_pillar_column(name) and pillar_name(name) not in (None, *found.pillars)]
    if account is None or not values:
        return
    if saved.query.pivots:
        look.unseen.append(f"{saved} can't be read: it is pivoted. Take the pivot out of it")
        return
    month = next((name for name in columns if _is_month(name, explores)), None)
    wanted: dict[str, Kind] = {account: "key", **dict.fromkeys(values, "figure")}
    wanted |= {month: "month"} if month is not None else {}
    ids, numbers = look.look_figures(saved.look, wanted)
    ours = set(map(comparable_id, fields_of(look.request.accounts).get(account_field or "", ())))
    good = [name for name in values if _is_share_of_100(numbers.get(name, []))] if ids & ours else []
    for value in good:
        where = {"look": saved.look, "account": account, "value": value}
        found.pillars[str(pillar_name(value))] = {**where, "month": month} if month is not None else where
    if good:
        found.reasons.append(f"{saved} has {listed(good)}")


def _is_month(name: str, explores: Explores) -> bool:
    known = [seen.about.fields[name].type for seen, _key in explores if name in seen.about.fields]
    return "date_month" in known if known else name.endswith("_month")


def _is_share_of_100(values: Sequence[float]) -> bool:
    """Whether values are figures of 0 to 100; a few may lie a little outside. Shares of 1 are none."""
    if len(values) < FEWEST_VALUES:
        return False
    inside = sum(-10 <= value <= 130 for value in values)
    return inside >= 0.95 * len(values) and 1.5 < median(values) <= 100
