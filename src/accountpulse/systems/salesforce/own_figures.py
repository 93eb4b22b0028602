"""A company's own metrics that stand in fields of the account."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from accountpulse.systems.salesforce.figure_settings import AccountFigure
from accountpulse.systems.salesforce.queries import OrgReading, Rows, at

Figures = Mapping[str, AccountFigure]


def fields_of(figures: Figures) -> Iterator[str]:
    """The fields that are read with the accounts."""
    for figure in figures.values():
        yield from filter(None, (figure.field, figure.dated))


def dated_figures(reading: OrgReading, figures: Figures, found: Iterable[Mapping[str, Any]]) -> Rows:
    """The values of all accounts as DATED_FIGURES; a field that is missing, or of another kind, is its metric's gap.

    What is no number (a formula of text, say), or lacks the date that it should have, is unknown of its account.
    """
    for metric, figure in figures.items():
        reading.setting = f"metrics.{metric}"
        there = [reading.has("Account", name) for name in filter(None, (figure.field, figure.dated))]
        if not all(there):
            reading.gaps[metric] = "field_missing"
            continue
        for row in found:
            yield from _of_account(reading, metric, figure, row)


def _of_account(reading: OrgReading, metric: str, figure: AccountFigure, row: Mapping[str, Any]) -> Rows:
    if "." in figure.field and reading.hidden("Account", row, figure.field):
        why = f"our user can't see the record that {figure.field} is read from"
        reading.unknown(row["Id"], [metric], "not_visible", why)
        return
    value, day = at(row, figure.field), None
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        reading.unknown(row["Id"], [metric], "unclear", f"{figure.field} holds something else than a number")
        return
    if figure.dated is not None:
        day = reading.day_of(at(row, figure.dated), row["Id"])
        if day is None:
            reading.unknown(row["Id"], [metric], "unclear", f"{figure.field} has a value without its {figure.dated}")
            return
    yield {"account_id": row["Id"], "metric": metric, "value": float(value), "day": day}
