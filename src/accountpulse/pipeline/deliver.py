"""Scores → every destination, or the CSV that would have been sent; and the period's history."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from accountpulse.core.errors import AccountpulseError, AlreadyRunning, ConfigurationError, OutOfTime
from accountpulse.core.outgoing import outgoing_table
from accountpulse.core.records import DETAILS, SCORES, Problem, ScoreRecords
from accountpulse.core.tables import is_table
from accountpulse.pipeline.earlier_runs import LOOK_BACK_MONTHS
from accountpulse.pipeline.measure import Measured
from accountpulse.pipeline.rate import Rated
from accountpulse.pipeline.read import Reading
from accountpulse.pipeline.record_details import with_details
from accountpulse.pipeline.run import Run
from accountpulse.scoring.columns import DRIVERS_TEXT, PROBABILITIES, score_of
from accountpulse.systems.csv_file import CsvDestination, put
from accountpulse.systems.destination import AnyDestination

DRY_RUN_FOLDER = Path("out")


@dataclass(frozen=True)
class Load:
    """What became of the records in one destination; where not `done`, what a load would have done.

    `problems` are the accounts that it refused, or whose older records it could not change. `imbalance`: it holds
    other records than were written, or an account is not accounted for.

    `planned` records were to be written; where it broke off, `unseen` are those that it took without an answer
    (None: it could not be asked).
    """

    title: str
    done: bool
    created: int = 0
    updated: int = 0
    unchanged: int = 0  # equal there already, and not sent
    refused: int = 0
    planned: int = 0
    unseen: int | None = 0
    calls: int = 0  # requests, reading before and counting afterwards included
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    imbalance: str | None = None
    error: AccountpulseError | None = (
        None  # why nothing, or not all, was written; in a dry run: why it would be refused
    )

    @property
    def written(self) -> int:
        """Records that it took in this run; where `unseen` is None, at least these."""
        return self.created + self.updated + (self.unseen or 0) if self.done else 0

    @property
    def trouble(self) -> str | None:
        """The error, and how much was done before it."""
        if self.error is None or not self.done:
            return None if self.error is None else str(self.error)
        rest = "" if isinstance(self.error, OutOfTime) else " Run the same command again: it goes on from there."
        least = "At least " if self.unseen is None else ""
        return f"{self.error} {least}{self.written:,} of {self.planned:,} records were written before that.{rest}"


@dataclass(frozen=True)
class Delivery:
    """What was delivered where. `csv` is where the file lies."""

    loads: tuple[Load, ...]
    csv: str | None = None

    @property
    def error(self) -> AccountpulseError | None:
        """The first destination's trouble, if any has one."""
        return next((load.error for load in self.loads if load.error is not None), None)

    @property
    def trouble(self) -> str | None:
        """The same in words, with what was written before it."""
        return next((load.trouble for load in self.loads if load.error is not None), None)


def deliver_records(run: Run, reading: Reading, measured: Measured, rated: Rated) -> Delivery:
    """Records to every destination and the period's history, or in a dry run the CSV alone.

    A snapshot's go to no destination, unless it was asked for: then it is not asked either.

    A dry run asks the destinations the same questions as a load; where one isn't ready, the delivery says so.
    """
    records = _records(
        run,
        with_details(run, rated.scores, measured.details["parents"], is_whole=not reading.unread),
        _former(run, measured),
    )
    destinations = _destinations(run)
    csv = _keep_csv(run, records, rated.scores, destinations)
    destinations = destinations if run.loads else []
    if run.lock is None:
        return _rehearsed(records, destinations, csv)
    _refuse_if_lost(run)
    planned = [(each, each.plan(records)) for each in destinations]  # all are ready before one is written to
    scored = records.table.height
    del records  # the plans have them
    loads: list[Load] = []
    for destination, plan in planned:
        try:
            _refuse_if_lost(run)
            loads.append(_loaded(destination, plan, scored))
        except AccountpulseError as error:
            if not any(load.done for load in loads):
                raise
            loads.append(Load(destination.title, done=False, calls=destination.budget.calls, error=error))
    if run.keeps_history and not any(load.done and load.error for load in loads):
        _keep(run, measured, rated)
    return Delivery(tuple(loads), csv)


def _keep(run: Run, measured: Measured, rated: Rated) -> None:
    """In the history of the months, or among the snapshots."""
    if run.scope.snapshot is None:
        run.state.history.save(run.scope.period, rated.metrics, rated.scores, measured.details)
    else:
        run.state.snapshots.save(run.scope.snapshot, rated.metrics, rated.scores, measured.details)


def _former(run: Run, measured: Measured) -> frozenset[str]:
    """Who was scored in this month or the year before and is on the CRM's list no more, not even as left out.

    Only who was scored here: other runs may write to the same object, with accounts of their own. A run of some
    accounts takes nothing from others.
    """
    if run.request.accounts:
        return frozenset()
    months = (run.scope.period.shifted(-back) for back in range(LOOK_BACK_MONTHS + 1))
    tables = (run.state.history.load(month, "metrics", ["account_id"]) for month in months)
    scored = {account for table in tables if table is not None for account in table["account_id"]}
    customers = {*measured.metrics["account_id"], *(each.account_id for each in measured.problems)}
    return frozenset(scored - customers)


def _records(run: Run, scores: pl.DataFrame, former: frozenset[str]) -> ScoreRecords:
    """The scores in the columns that every destination gets."""
    dimensions = run.card.dimensions
    known = {name: kind for name, kind in SCORES.items() if name not in DETAILS or name in scores.columns}
    columns = {**known, **dict.fromkeys((score_of(name) for name in dimensions), pl.Float64)}
    absent = [pl.lit(None).alias(name) for name in PROBABILITIES if name not in scores.columns]
    stamped = scores.with_columns(
        *absent,
        period=pl.lit(run.scope.period.name),
        drivers=pl.col(DRIVERS_TEXT),
        scored_at=pl.lit(run.now),
        scorecard=pl.lit(run.scorecard_name),
        run_id=pl.lit(run.run_id),
    )
    table = stamped.select(pl.col(name).cast(kind) for name, kind in columns.items())
    return ScoreRecords(outgoing_table(table), dimensions, former)


def _destinations(run: Run) -> list[AnyDestination]:
    """Where the accounts come from first: it is what the CSV stands for."""
    systems = sorted(run.settings.systems, key=lambda system: not system.has_accounts)
    return [
        system.destination(run.settings.connection(system.name), run.budget())
        for system in systems
        if system.destination is not None
    ]


def _keep_csv(
    run: Run, records: ScoreRecords, scores: pl.DataFrame, destinations: Sequence[AnyDestination]
) -> str | None:
    """Leave what the first destination is sent as a file where it was asked for; where that is."""
    if run.request.keep_csv:
        store, name = run.state.files.store, f"dry-runs/{run.run_id}.csv"
        place, keep = f"{store.place}/{name}", partial(store.write, name)
    else:
        out = run.request.out or (DRY_RUN_FOLDER if run.request.dry_run else None)
        if out is None:
            return None
        path = out if is_table(out.name) else out / f"health-scores-{run.scope.name}.csv"
        place, keep = str(path), partial(put, path)
    file = CsvDestination(lambda records: _with_names(destinations[0].sent(records), scores), keep, place)
    file.load(file.plan(records))
    return place


def _with_names(sent: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """The records with `account_name` behind the column that holds the accounts' ids, whatever it is called there."""
    ids = scores["account_id"]
    holds = [name for name, kind in sent.schema.items() if kind == pl.String and sent[name].is_in(ids.implode()).all()]
    if sent.is_empty() or not holds or "account_name" not in scores.columns:
        return sent
    names = outgoing_table(scores.select("account_name")).insert_column(0, ids.alias(holds[0]))
    joined = sent.join(names, on=holds[0], how="left", maintain_order="left")
    place = sent.columns.index(holds[0]) + 1
    return joined.select(*sent.columns[:place], "account_name", *sent.columns[place:])


def _refuse_if_lost(run: Run) -> None:
    """A run that overslept its time may find the period in other hands: then it must not write."""
    if not all(run.state.locks.is_held(lock) for lock in (run.lock, run.month_lock) if lock is not None):
        raise AlreadyRunning("another run took this period over while this one was reading: nothing was written.")


def _rehearsed(records: ScoreRecords, destinations: Sequence[AnyDestination], csv: str | None) -> Delivery:
    """What a load would do, or why a destination would refuse it as a whole."""
    loads: list[Load] = []
    for each in destinations:
        try:
            plan = each.plan(records)
        except ConfigurationError as error:
            loads.append(Load(each.title, done=False, calls=each.budget.calls, error=error))
            continue
        counts = (len(plan.create), len(plan.update), len(plan.unchanged), len(plan.refused))
        problems = tuple(plan.refused)
        loads.append(Load(each.title, False, *counts, calls=each.budget.calls, problems=problems, notes=plan.notes))
    return Delivery(tuple(loads), csv)


def _loaded(destination: AnyDestination, plan: Any, scored: int) -> Load:
    result = destination.load(plan)
    accounted = result.created + result.updated + result.unchanged + len(result.refused)
    imbalance = destination.verify(result) if result.broken is None else None
    if result.broken is None and imbalance is None and accounted != scored:
        imbalance = f"{scored:,} accounts were scored, but only {accounted:,} are written, unchanged or refused."
    return Load(
        destination.title,
        done=True,
        created=result.created,
        updated=result.updated,
        unchanged=result.unchanged,
        refused=len(result.refused),
        planned=len(plan.create) + len(plan.update),
        unseen=result.unseen,
        calls=destination.budget.calls,
        problems=(*result.refused, *result.stuck),
        notes=(*plan.notes, *result.notes),
        imbalance=imbalance,
        error=result.broken,
    )
