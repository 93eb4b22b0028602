"""Looker → usage, features and platform value: one query a question, for all accounts at once."""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import TypeVar

import polars as pl

from accountpulse.core.catalogue import PILLAR
from accountpulse.core.errors import AccessError
from accountpulse.core.records import ON_DISK, SEATS, TABLES, Extract, Reason, frame
from accountpulse.core.spooled import CheckpointPart, SpooledTable, spooled
from accountpulse.systems.looker.api import Api, Explore, Query, Refused
from accountpulse.systems.looker.keys import unmatched
from accountpulse.systems.looker.rows import UNFIT, Kind, ResultRows
from accountpulse.systems.looker.settings import LookerMapping, LookerRequest, Measure, SavedLook, UsageExplore

TREND_MONTHS = 3
DAYS = ("dau", "dau_trend_pct")
MONTHS = ("mau", "mau_trend_pct", "login_frequency")
FEATURES = ("feature_breadth",)
T = TypeVar("T")


def extract(request: LookerRequest) -> Extract:
    """Daily and monthly users over the period and the three months before, features over the period, and figures.

    `key` is what the account fields of the explores hold. Days and months are those of the period's zone. A row
    without an account is nobody's. What is absent or not readable costs its own metrics (`field_missing`) and has a
    note; an answer that can't be trusted (an error, a cut) is the source's failure.
    """
    work = connect(request)
    questions: dict[str, Callable[[], SpooledTable | None]] = {
        "usage_days": lambda: work.part(DAYS, work.usage_days),
        "usage_months": lambda: work.part(MONTHS, work.usage_months),
        "features": lambda: work.part(FEATURES, work.features),
        "figures": work.figures,
    }
    answers = {name: work.answer(name, ask) for name, ask in questions.items()}
    work.check_model()
    tables = {name: spool.lazy().collect() for name, spool in answers.items() if name not in ON_DISK}
    spools = {name: spool for name, spool in answers.items() if name in ON_DISK}
    notes = dict.fromkeys([*work.notes, *unmatched(answers.values(), request.keys)])
    return Extract("looker", tables, work.gaps, {}, tuple(notes), spools=spools)


def connect(request: LookerRequest) -> "LookerExtraction":
    """The work of a request; nothing is asked yet."""
    api = Api(request.access, request.budget, request.connection.ca_bundle, request.mapping.timeout)
    return LookerExtraction(request, request.mapping, api)


def metrics_of(figure: str) -> tuple[str, ...]:
    """The metrics that a figure is for: seats are none, and where they are missing the CRM has them."""
    return () if figure == SEATS else (figure,)


class MissingInLooker(Exception):
    """A name of the mapping leads to nothing that can be used; the notes say which and why."""


@dataclass
class LookerExtraction:
    """One extraction from one instance."""

    request: LookerRequest
    mapping: LookerMapping
    api: Api
    gaps: dict[str, Reason] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rows_so_far: int = 0
    _known: dict[str, Explore | None] = field(default_factory=dict)
    _model_refused: int = 0
    _answers: dict[str, ResultRows | MissingInLooker] = field(default_factory=dict)
    _kept: dict[str, CheckpointPart] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the answers that an earlier process of this run has kept."""
        self._kept = {part.stretches[0][0]: part for part in self.request.parts.kept()}

    def answer(self, table: str, ask: Callable[[], SpooledTable | None]) -> SpooledTable:
        """A table: as it was kept, or asked for and, where nothing of it is missing, kept."""
        if table in self._kept:
            part = self._kept[table]
            self.notes += part.facts["notes"]
            return part.spools[table]
        noted, missing = len(self.notes), len(self.gaps)
        spool = ask() or SpooledTable(TABLES[table])
        if len(self.gaps) == missing:
            self.request.parts.keep(CheckpointPart(((table, 0, 0),), {table: spool}, {"notes": self.notes[noted:]}))
        return spool

    def part(self, metrics: Iterable[str], read: Callable[[], T | None]) -> T | None:
        """The table of a part, or None and a gap for its metrics where it is not in use or a name is missing."""
        try:
            rows = read()
        except MissingInLooker:
            self.gaps |= dict.fromkeys(metrics, "field_missing")
            return None
        if rows is None:
            self.gaps |= dict.fromkeys(metrics, "not_configured")
        return rows

    def usage_days(self) -> SpooledTable | None:
        """Distinct users of each day."""
        usage = self.mapping.usage
        if usage is None:
            return None
        dimensions: dict[str, Kind] = {usage.account: "key", usage.date: "day"}
        rows = self._ask(usage.explore, dimensions, {usage.users: "count"}, self._trend_days(usage))
        names = {usage.account: "key", usage.date: "day", usage.users: "users"}
        return self._table("usage_days", rows, names)

    def usage_months(self) -> SpooledTable | None:
        """Distinct users and sessions of each month: users of days can't be added up."""
        usage = self.mapping.usage
        if usage is None:
            return None
        dimensions: dict[str, Kind] = {usage.account: "key", usage.month: "month"}
        measures: dict[str, Kind] = {usage.users: "count", usage.sessions: "count"}
        rows = self._ask(usage.explore, dimensions, measures, self._trend_days(usage))
        names = {usage.account: "key", usage.month: "month", usage.users: "users", usage.sessions: "sessions"}
        return self._table("usage_months", rows, names)

    def _trend_days(self, usage: UsageExplore) -> dict[str, str]:
        return self._days(usage.date, self._months_ago(TREND_MONTHS))

    def features(self) -> SpooledTable | None:
        """Features that were used in the period."""
        part = self.mapping.features
        if part is None or not part.catalogue:
            return None
        days = self._days(part.date, self._months_ago(0))
        rows = self._ask(part.explore, {part.account: "key", part.feature: "text"}, {}, days)
        names = {part.account: "key", part.feature: "feature"}
        return self._table("features", rows, names)

    # --- figures

    def figures(self) -> SpooledTable:
        """Pillars, own metrics and seats: those of one question come by one query, those of a saved Look by one run."""
        parts = [frame("figures")]
        for name, source in self.mapping.figures.items():
            part = self.part(metrics_of(name), partial(self._figure, source))
            if part is not None:
                parts.append(part.select("key", pl.lit(name).alias("metric"), "value"))
        return spooled(self._clamped(pl.concat(parts).drop_nulls(["key", "value"])))

    def _figure(self, source: Measure | SavedLook) -> pl.DataFrame:
        if isinstance(source, SavedLook):
            return self._of_look(source)
        self.need(source.explore, source.fields)
        rows = self._once(source.question, partial(self._measures, source))
        return self._figures(rows, {source.account: "key", source.measure: "value"})

    def _measures(self, source: Measure) -> ResultRows:
        """Every measure that is asked for in the same way and that the explore has, by one query."""
        explore = self._explore(source.explore)
        alike = [each for each in self.mapping.figures.values() if each.question == source.question]
        named = [each.measure for each in alike if isinstance(each, Measure)]
        measures: dict[str, Kind] = {name: "figure" for name in named if explore and name in explore.fields}
        days = {} if source.date is None else self._days(source.date, self._first(source))
        return self._ask(source.explore, {source.account: "key"}, measures, {**source.filters, **days})

    def need_figure(self, source: Measure | SavedLook) -> None:
        """What the figure comes from must have its fields; a Look's are those of its query."""
        if isinstance(source, Measure):
            self.need(source.explore, source.fields)
            return
        try:
            columns = self.api.look_columns(source.look)
        except Refused as refused:
            raise self._no_look(source.look, refused.status) from None
        wanted = (source.account, source.value, *([source.month] if source.month else []))
        lacking = [name for name in wanted if columns and name not in columns]
        for name in lacking:
            self.notes.append(f"the Look has no column {name}{_nearest(name, columns)}")
        if lacking:
            raise MissingInLooker

    def _no_look(self, look: str, status: int) -> "MissingInLooker":
        return self._missing(f"Look {look} is absent, or not open to our user (HTTP {status})")

    def _first(self, source: Measure) -> date:
        return self._months_ago(0) if source.days is None else self._end - timedelta(days=source.days)

    def _of_look(self, source: SavedLook) -> pl.DataFrame:
        rows = self._once(source.question, lambda: self._look(source.look))
        names = {source.account: "key", source.value: "value"}
        if source.month is None:
            return self._figures(rows, names)
        month = pl.col("month") == self.request.scope.period.first_day
        return self._figures(rows, {**names, source.month: "month"}).filter(month)

    def _look(self, look: str) -> ResultRows:
        """A Look with the columns of all figures that come from it."""
        columns: dict[str, Kind] = {}
        for source in self.mapping.figures.values():
            if isinstance(source, SavedLook) and source.look == look:
                columns |= {source.account: "key", source.value: "figure"}
                columns |= {source.month: "month"} if source.month else {}
        try:
            return self._counted(self.api.look(look, columns))
        except Refused as refused:
            raise self._no_look(look, refused.status) from None

    def _once(self, what: str, ask: Callable[[], ResultRows]) -> ResultRows:
        """An answer that serves several figures is asked for once, also where it was refused."""
        if what not in self._answers:
            try:
                self._answers[what] = ask()
            except MissingInLooker as missing:
                self._answers[what] = missing
        answer = self._answers[what]
        if isinstance(answer, MissingInLooker):
            raise answer
        return answer

    def _clamped(self, rows: pl.DataFrame) -> pl.DataFrame:
        pillar = pl.col("metric").str.starts_with(PILLAR)
        outside = rows.filter(pillar & ~pl.col("value").is_between(0, 100))["metric"].str.strip_prefix(PILLAR)
        if not outside.is_empty():
            names = ", ".join(outside.unique().sort())
            self.notes.append(f"figures of pillars outside 0 to 100, which were clamped: {outside.len():,} ({names})")
        return rows.with_columns(pl.when(pillar).then(pl.col("value").clip(0, 100)).otherwise("value").alias("value"))

    # --- asking

    def _months_ago(self, count: int) -> date:
        """The first day of the period, or of a month before it."""
        return self.request.scope.period.shifted(-count).first_day

    @property
    def _end(self) -> date:
        """The day after the last one of the period, or after today while it is open."""
        return self._months_ago(0) + timedelta(days=self.request.scope.measured_days)

    def _days(self, field: str, first: date) -> dict[str, str]:
        """The filter on the days from the first one to the end."""
        return {field: f"{first} to {self._end}"}

    def _ask(
        self, explore: str, dimensions: dict[str, Kind], measures: dict[str, Kind], filters: Mapping[str, str]
    ) -> ResultRows:
        self.need(explore, [*dimensions, *measures, *filters])
        zone = self.request.scope.period.zone
        query = Query(self.mapping.model, explore, dimensions, measures, filters, zone)
        try:
            return self._counted(self.api.query(query))
        except Refused as refused:
            text = f"explore {explore}: the query was refused (HTTP {refused.status}); run it in Looker to see why"
            raise self._missing(text) from None

    def _counted(self, rows: ResultRows) -> ResultRows:
        self.rows_so_far += rows.count
        self.request.progress(self.rows_so_far, None)
        return rows

    def _table(self, table: str, rows: ResultRows, names: Mapping[str, str]) -> SpooledTable:
        """An answer as one of our tables; a row without its key or its other dimension is nobody's."""
        columns, spool = self._columns(rows, names), SpooledTable(TABLES[table])
        for piece in rows.spool.pieces():
            spool.add(piece.select(columns).drop_nulls([*TABLES[table]][:2]))
        return spool

    def _figures(self, rows: ResultRows, names: Mapping[str, str]) -> pl.DataFrame:
        """An answer with an account and a pillar's value in each row."""
        return rows.spool.lazy().select(self._columns(rows, names)).collect()

    def _columns(self, rows: ResultRows, names: Mapping[str, str]) -> list[pl.Expr]:
        """Columns of an answer under our names; MissingInLooker where one is absent or not of its kind."""
        for name in names:
            if name in rows.lacking:
                raise self._missing(f"the Look has no column {name}{_nearest(name, rows.names)}")
            if name in rows.unfit:
                raise self._missing(f"{name} {UNFIT[rows.wanted[name]]}")
        return [pl.col(name).alias(ours) for name, ours in names.items()]

    def need(self, explore: str, names: Iterable[str]) -> None:
        """The explore must have these fields: a query would leave out what it lacks without a word."""
        found = self._explore(explore)
        if found is None:
            raise MissingInLooker
        lacking = [name for name in names if name not in found.fields]
        for name in lacking:
            hint = _nearest(name, found.fields)
            self.notes.append(f"explore {explore} has no field {name} that our user can see{hint}")
        if lacking:
            raise MissingInLooker

    def _explore(self, name: str) -> Explore | None:
        """What the explore offers, asked once; None and a note where it is absent."""
        if name not in self._known:
            try:
                self._known[name] = self._looked_at(name, self.api.explore(self.mapping.model, name))
            except Refused as refused:
                self._known[name] = None
                self.notes.append(self._why_absent(name, refused.status))
        return self._known[name]

    def _looked_at(self, name: str, explore: Explore) -> Explore:
        zone = self.request.scope.period.zone
        if explore.always_filters:
            filters = ", ".join(explore.always_filters)
            self.notes.append(f"explore {name} always filters on {filters}: rows outside are not counted")
        if not explore.has_zones and zone != "UTC":
            self.notes.append(f"explore {name} has no time zones: its days are the database's, not those of {zone}")
        return explore

    def _why_absent(self, explore: str, status: int) -> str:
        model, hint = self.mapping.model, ""
        try:
            others = self.api.explores(model)
            hint = "" if explore in others else _nearest(explore, others)
        except Refused as refused:
            self._model_refused = refused.status
        return f"explore {explore} of model {model} is absent, or not open to our user (HTTP {status}){hint}"

    def check_model(self) -> None:
        """AccessError where neither the model nor any explore of it is there: no gap, but a setting to mend."""
        if self._model_refused and not any(self._known.values()) and not self._kept:
            remedy = "Check looker.model in accountpulse.yaml, and that the role of our user has the model."
            tried = f"looking at model {self.mapping.model}"
            raise AccessError("looker", tried, f"HTTP {self._model_refused}", remedy)

    def _missing(self, note: str) -> MissingInLooker:
        self.notes.append(note)
        return MissingInLooker()


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; the nearest name is {near[0]}" if near else ""
