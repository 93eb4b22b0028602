"""What a report is made of: a month as its last run left it, the run before, and the months of the line."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

import polars as pl

from accountpulse.core.period import Period
from accountpulse.scoring.scorecard import Scorecard

LINE_MONTHS = 12


class Month(Protocol):
    """The last run of a period: its document, its accounts and the scorecard that it used."""

    @property
    def period(self) -> Period:
        """The month."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The run's document; one of an older version lacks some keys."""

    @property
    def scores(self) -> pl.DataFrame:
        """One row an account: results of `score` with `detail`, metrics with their reasons, attributes, drivers."""

    @property
    def card(self) -> Scorecard:
        """The scorecard that it used."""

    @property
    def as_of_day(self) -> date:
        """The day after the last one that was measured."""

    @property
    def window_days(self) -> float:
        """How many days support and bugs were measured over."""


class Material(Protocol):
    """Everything that the state knows of a month, for its report."""

    @property
    def month(self) -> Month:
        """The month of the report."""

    @property
    def before(self) -> Month | None:
        """The latest earlier month with a run."""

    @property
    def rescored(self) -> pl.DataFrame | None:
        """The metrics of `before`, scored in detail with the scorecard of `month`."""

    @property
    def line(self) -> Mapping[str, pl.DataFrame]:
        """For each month of the last twelve that has a run: account_id, health_score, scorecard (name and hash)."""

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each scorecard of the line that was kept, by its hash."""

    @property
    def evidence(self) -> pl.DataFrame | None:
        """account_id, source, reason (null: linked and read), rows; None where the run kept none."""

    @property
    def signals(self) -> pl.DataFrame | None:
        """Open signals: account_id, severity, monitoring, confirmed, opened_on; None where the run kept none."""

    @property
    def unfinished(self) -> tuple[Mapping[str, Any], ...]:
        """The documents of later runs, of this month or the next, that did not finish."""
