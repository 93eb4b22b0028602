"""What a report is made of: a month as its last run left it, the run before, and the months of the line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Protocol

import polars as pl

from accountpulse.core.period import Period
from accountpulse.core.records import Source
from accountpulse.scoring.columns import CRITICAL, RENEWAL
from accountpulse.scoring.groups import AccountGroups, rollups
from accountpulse.scoring.scorecard import Scorecard

LINE_MONTHS = 12


class MonthlyRun(Protocol):
    """The last run of a period, or a snapshot: its document, its accounts and the scorecard that it used."""

    @property
    def period(self) -> Period:
        """The month; of a snapshot the one that its day lies in."""

    @property
    def snapshot(self) -> date | None:
        """The day of a snapshot; None: it is a month's run."""

    @property
    def name(self) -> str:
        """The month as `YYYY-MM`, or the day of a snapshot as `YYYY-MM-DD`."""

    @property
    def text(self) -> str:
        """The same for people."""

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
    def last_day(self) -> date:
        """The last day of which anything was measured, one that was not over included."""

    @property
    def window_days(self) -> float:
        """How many days support and bugs were measured over."""


@dataclass(frozen=True)
class ReportInput:
    """Everything that the state knows of a month, for its report."""

    month: MonthlyRun
    before: MonthlyRun | None  # the latest earlier month with a run; of a snapshot that of a week before
    rescored: pl.DataFrame | None  # the metrics of `before`, scored in detail with the scorecard of `month`
    # accounts that lack a source that failed, scored with its values of `before`; None: nothing failed
    judged: pl.DataFrame | None
    line: Mapping[str, pl.DataFrame]  # month of the last twelve with a run → account_id, health_score, scorecard
    versions: Mapping[str, str]  # the version of each scorecard of the line that was kept, by its hash
    # account_id, source, reason (null: linked and read), rows, urls (an older run's has none); None: the run kept none
    evidence: pl.DataFrame | None
    # open: account_id, severity, monitoring, confirmed, opened_on, title, owner (likewise); None: it kept none
    signals: pl.DataFrame | None
    parents: pl.DataFrame | None  # as PARENTS of core/records.py; None: it kept none
    pulses: pl.DataFrame | None  # as PULSES_AT of metrics/opinions.py; None: it kept none
    unfinished: tuple[Mapping[str, Any], ...]  # the documents of later runs that did not finish
    backtest: (
        Mapping[str, Any] | None
    )  # the last one that was kept: made_at, document (backtest.json); None: there is none
    sources: tuple[Source, ...]  # all that there are, in the order of the flow

    @cached_property
    def groups(self) -> AccountGroups:
        """The accounts that belong together by their parents."""
        return rollups(self.month.scores, self.parents)

    @cached_property
    def comparable(self) -> pl.DataFrame | None:
        """The accounts of the run before by the scorecard of this one, so that a new scorecard changes nobody.

        Results of `score`, `days_to_renewal` and `critical_signals`; None: there is no run before.
        """
        if self.before is None or self.rescored is None or self.before.card.hash == self.month.card.hash:
            return None if self.before is None else self.before.scores
        kept = [name for name in (RENEWAL, CRITICAL) if name in self.before.scores.columns]
        return self.rescored.join(self.before.scores.select("account_id", *kept), on="account_id", how="left")
