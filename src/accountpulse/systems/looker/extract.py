"""Looker → usage, features and platform value: one query a question, for all accounts at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial, reduce
from typing import Any, TypeVar

import polars as pl
from msgspec import structs

from accountpulse.core.catalogue import PILLAR
from accountpulse.core.period import STRETCH
from accountpulse.core.records import ON_DISK, SEATS, TABLES, Extract, Reason, RowCounts, frame
from accountpulse.core.spooled import CheckpointPart, SpooledTable, spooled
from accountpulse.systems.looker.api import Api, Query, Refused
from accountpulse.systems.looker.explores import ExploreChecks, Missing
from accountpulse.systems.looker.fields import nearest
from accountpulse.systems.looker.grain import (
    DAYS,
    FEATURES,
    MONTHS,
    TREND_MONTHS,
    Unknown,
    UsageFindings,
    judge_accounts,
    judge_days,
    judge_features,
    judge_months,
    repeated,
    unknown_of,
)
from accountpulse.systems.looker.keys import unmatched
from accountpulse.systems.looker.rows import UNFIT, DatabaseRefused, Kind, NotRows, ResultRows
from accountpulse.systems.looker.settings import LookerMapping, LookerRequest, Measure, SavedLook, UsageExplore
from accountpulse.systems.mapping_parts import FieldOf, MappingBlock, fields_named

NOBODYS = "without an account"
QUESTIONS = ("usage_days", "usage_months", "features", "figures")
T = TypeVar("T")


def extract(request: LookerRequest) -> Extract:
    """Daily and monthly users over the period and the three months before, features over the period, and figures.

    `key` is what the account fields of the explores hold. Days and months are those of the period's zone. A row
    without an account is nobody's. What is absent, not readable or of another kind than the mapping means costs its own
    metrics (`field_missing`) and has a note; so does data that begins late (`too_new`) or has a hole (`unclear`).
    Rows that can't be trusted cost their accounts (`unknowns`). An answer that can't be trusted (an error, a cut) is
    the source's failure, a Look's only its figures'.
    """
    work = connect(request)
    answers = {name: work.answer(name) for name in QUESTIONS}
    work.explores.refuse_nothing_seen(kept=work.has_kept)
    found = work.judged(answers)
    tables = {name: each.spool.lazy().collect() for name, each in answers.items() if name not in ON_DISK}
    spools = {name: each.spool for name, each in answers.items() if name in ON_DISK}
    notes = [*work.notes, *found.notes, *unmatched((each.spool for each in answers.values()), request.keys)]
    return Extract(
        "looker",
        tables,
        {**found.gaps, **work.gaps},
        {},
        tuple(dict.fromkeys(notes)),
        spools=spools,
        unknowns=found.frame(),
        counts={name: each.counts for name, each in answers.items()},
    )


def connect(request: LookerRequest) -> "LookerExtraction":
    """The work of a request; nothing is asked yet."""
    mapping = request.mapping
    api = Api(request.access, request.budget, request.connection.ca_bundle, mapping.timeout)
    figures = {**mapping.metrics, **request.connection.own_metrics}
    return LookerExtraction(request, structs.replace(mapping, metrics=figures), api)


def metrics_of(figure: str) -> tuple[str, ...]:
    """The metrics that a figure is for: seats are none, and where they are missing the CRM has them."""
    return () if figure == SEATS else (figure,)


@dataclass(frozen=True)
class TableAnswer:
    """One of our tables as it was answered, where its rows went, and which single keys it says nothing of."""

    spool: SpooledTable
    counts: RowCounts
    unknowns: tuple[Unknown, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What a checkpoint part keeps beside the rows."""
        counted = [self.counts.came, self.counts.outside, dict(self.counts.left_out)]
        return {"counts": counted, "unknowns": [list(each) for each in self.unknowns]}

    @classmethod
    def kept(cls, table: str, part: CheckpointPart) -> "TableAnswer":
        """As an earlier process of the run has kept it."""
        unknowns = tuple((key, metric, reason) for key, metric, reason in part.facts["unknowns"])
        return cls(part.spools[table], RowCounts(*part.facts["counts"]), unknowns)


@dataclass
class LookerExtraction:
    """One extraction from one instance."""

    request: LookerRequest
    mapping: LookerMapping
    api: Api
    gaps: dict[str, Reason] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rows_so_far: int = 0
    explores: ExploreChecks = field(init=False)
    _answers: dict[str, ResultRows | Missing] = field(default_factory=dict)
    _kept: dict[str, CheckpointPart] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the answers that an earlier process of this run has kept."""
        zone, mapping = self.request.scope.period.zone, self.mapping
        self.explores = ExploreChecks(self.api, mapping.model, zone, mapping.database_timezone, self.notes)
        kept = {part.stretches[0][0]: part for part in self.request.parts.kept()}
        self._kept = {table: part for table, part in kept.items() if {"counts", "unknowns"} <= part.facts.keys()}

    @property
    def has_kept(self) -> bool:
        """Whether an earlier process of this run has read anything."""
        return bool(self._kept)

    def answer(self, table: str) -> TableAnswer:
        """A table: as it was kept, or asked for and, where nothing of it is missing, kept."""
        if table in self._kept:
            part = self._kept[table]
            self.notes += part.facts["notes"]
            return TableAnswer.kept(table, part)
        asks: Mapping[str, Callable[[], TableAnswer | None]] = {
            "usage_days": partial(self.part, DAYS, self.usage_days),
            "usage_months": partial(self.part, MONTHS, self.usage_months),
            "features": partial(self.part, FEATURES, self.features),
            "figures": self.figures,
        }
        noted, missing = len(self.notes), len(self.gaps)
        found = asks[table]() or TableAnswer(SpooledTable(TABLES[table]), RowCounts(0))
        if len(self.gaps) == missing:
            facts = {"notes": self.notes[noted:], **found.facts}
            self.request.parts.keep(CheckpointPart(((table, 0, 0),), {table: found.spool}, facts))
        return found

    def part(self, metrics: Iterable[str], read: Callable[[], T | None]) -> T | None:
        """The table of a part, or None and a gap for its metrics where it is not in use or a name is missing."""
        try:
            rows = read()
        except Missing as missing:
            self.gaps |= dict.fromkeys(metrics, missing.reason)
            return None
        if rows is None:
            self.gaps |= dict.fromkeys(metrics, "not_configured")
        return rows

    def judged(self, answers: Mapping[str, TableAnswer]) -> UsageFindings:
        """What the rows can be trusted for."""
        found = UsageFindings(unknowns=[each for answer in answers.values() for each in answer.unknowns])
        days, months = answers["usage_days"].spool, answers["usage_months"].spool.lazy().collect()
        has_days, has_months = DAYS[0] not in self.gaps, MONTHS[0] not in self.gaps
        scope, usage, features = self.request.scope, self.mapping.usage, self.mapping.features
        found.add(judge_accounts(days, months, scope, compare=has_days and has_months))
        if usage is not None and has_days:
            found.add(judge_days(days, scope, self._end, usage.quiet_days))
        elif usage is not None and has_months:
            found.add(judge_months(months, scope))
        if features is not None and FEATURES[0] not in self.gaps:
            found.add(judge_features(answers["features"].spool.lazy().collect(), features.catalogue))
            if usage is not None and usage.explore == features.explore and DAYS[0] in found.gaps:
                found.gap(FEATURES, found.gaps[DAYS[0]])  # the same rows
        return found

    # --- questions

    def days_asked(self, usage: UsageExplore) -> Query:
        """Distinct users of each day, ready to be asked; Missing where they can't be."""
        dimensions: dict[str, Kind] = {usage.account: "key", usage.date: "day"}
        filters = {**usage.filters, **self._trend_days(usage)}
        query = self._query(usage.explore, dimensions, {usage.users: "count"}, filters)
        return self.explores.ready(query, _fields(usage, "account", "date", "users"), usage.date)

    def months_asked(self, usage: UsageExplore) -> Query:
        """Distinct users and sessions of each month: users of days can't be added up."""
        dimensions: dict[str, Kind] = {usage.account: "key", usage.month: "month"}
        measures: dict[str, Kind] = {usage.users: "count", usage.sessions: "count"}
        filters = {**usage.filters, **self._trend_days(usage)}
        query = self._query(usage.explore, dimensions, measures, filters)
        wanted = _fields(usage, "account", "date", "month", "users", "sessions")
        self.explores.need_same_group(usage.explore, usage.date, usage.month)
        return self.explores.ready(query, wanted, usage.date, usage.month)

    def stretch_asked(self, usage: UsageExplore, back: int) -> Query:
        """Distinct users and sessions of one stretch of a snapshot, which is no month that could be grouped by."""
        scope = self.request.scope
        first = scope.usage_first(back)
        measures: dict[str, Kind] = {usage.users: "count", usage.sessions: "count"}
        days = {usage.date: f"{first} to {first + timedelta(days=STRETCH)}"}
        query = self._query(usage.explore, {usage.account: "key"}, measures, {**usage.filters, **days})
        return self.explores.ready(query, _fields(usage, "account", "date", "users", "sessions"), usage.date)

    def features_asked(self) -> Query | None:
        """Features of each account in the period; None where they aren't in use."""
        part = self.mapping.features
        if part is None or not part.catalogue:
            return None
        days = self._days(part.date, self.request.scope.usage_first())
        query = self._query(part.explore, {part.account: "key", part.feature: "text"}, {}, {**part.filters, **days})
        return self.explores.ready(query, _fields(part, "account", "date", "feature"), part.date)

    def measure_asked(self, source: Measure, measures: Mapping[str, Kind] | None = None) -> Query:
        """A figure of each account; or all `measures` that are asked for in the same way."""
        filters = {**source.filters, **self._measured_days(source)}
        query = self._query(source.explore, {source.account: "key"}, measures or {source.measure: "figure"}, filters)
        return self.explores.ready(query, list(fields_named(source)), source.date)

    def usage_days(self) -> TableAnswer | None:
        """Distinct users of each day."""
        usage = self.mapping.usage
        if usage is None:
            return None
        names = {usage.account: "key", usage.date: "day", usage.users: "users"}
        return self._table("usage_days", self._ask(self.days_asked(usage)), names, DAYS)

    def usage_months(self) -> TableAnswer | None:
        """Distinct users and sessions of each month."""
        usage = self.mapping.usage
        if usage is None:
            return None
        names = {usage.account: "key", usage.users: "users", usage.sessions: "sessions"}
        if self.request.scope.snapshot is None:
            dated = {usage.account: "key", usage.month: "month", **names}
            return self._table("usage_months", self._ask(self.months_asked(usage)), dated, MONTHS)
        parts = []
        for back in reversed(range(TREND_MONTHS + 1)):
            rows, first = self._ask(self.stretch_asked(usage, back)), self.request.scope.usage_first(back)
            parts.append(self._table("usage_months", rows, names, MONTHS, month=first))
        return TableAnswer(
            spooled(pl.concat(each.spool.lazy().collect() for each in parts)),
            reduce(_added, (each.counts for each in parts)),
            tuple(dict.fromkeys(unknown for each in parts for unknown in each.unknowns)),
        )

    def features(self) -> TableAnswer | None:
        """Features that were used in the period. What was used without a name of a feature is none of the catalogue."""
        part, query = self.mapping.features, self.features_asked()
        if part is None or query is None:
            return None
        names = {part.account: "key", part.feature: "feature"}
        return self._table("features", self._ask(query), names, FEATURES, needs_both=False)

    def _query(
        self, explore: str, dimensions: Mapping[str, Kind], measures: Mapping[str, Kind], filters: Mapping[str, str]
    ) -> Query:
        return Query(self.mapping.model, explore, dimensions, measures, filters, self.request.scope.period.zone)

    def _trend_days(self, usage: UsageExplore) -> dict[str, str]:
        return self._days(usage.date, self.request.scope.usage_first(TREND_MONTHS))

    # --- figures

    def figures(self) -> TableAnswer:
        """Pillars, own metrics and seats: those of one question come by one query, those of a saved Look by one run."""
        parts, counts = [frame("figures")], RowCounts(0)
        unknowns: list[Unknown] = []
        for name, source in self.mapping.figures.items():
            found = self.part(metrics_of(name), partial(self._figure, name, source))
            if found is not None:
                parts.append(found.spool.lazy().collect())
                unknowns += found.unknowns
                counts = _added(counts, found.counts)
        return TableAnswer(spooled(self._clamped(pl.concat(parts))), counts, tuple(unknowns))

    def _figure(self, name: str, source: Measure | SavedLook) -> TableAnswer:
        names = {source.account: "key", source.value if isinstance(source, SavedLook) else source.measure: "value"}
        if isinstance(source, Measure):
            self.measure_asked(source)
            rows = self._once(source.question, partial(self._measures, source))
        else:
            rows = self._once(source.question, partial(self._look, source.look))
            names |= {source.month: "month"} if source.month is not None else {}
        taken = rows.spool.lazy().select(self._columns(rows, names)).collect()
        garbled = {key for each in names if each != source.account for key in rows.unreadable.get(each, ())}
        return self._one_each(name, taken, garbled)

    def _one_each(self, metric: str, rows: pl.DataFrame, garbled: Iterable[str]) -> TableAnswer:
        """One number for each account: figures don't add up, so of several nobody knows which is the account's."""
        came, is_of = rows.height, pl.lit(value=True)
        if "month" in rows.columns:
            is_of = (pl.col("month") == self._looks_month).fill_null(value=False)
        of_time = rows.filter(is_of)
        whose = of_time.filter(_has_account())
        alone = whose.filter(~repeated(whose))
        several = whose.filter(repeated(whose))["key"].unique().sort()
        if several.len():
            self.notes.append(
                f"{metric}: accounts with several rows, whose figures don't add up: {several.len():,}, such as "
                f"{several[0]}; give one row for each account, and write it in one way"
            )
        named = metrics_of(metric)
        unknowns = (*unknown_of(several, named, "several_rows"), *unknown_of(garbled, named, "unclear"))
        kept = alone.drop_nulls("value").select("key", pl.lit(metric).alias("metric"), "value")
        left_out = {
            NOBODYS: of_time.height - whose.height,
            "several of one account": whose.height - alone.height,
            "without a value that can be read": alone.height - kept.height,
        }
        return TableAnswer(spooled(kept), _counts(came, came - of_time.height, left_out), unknowns)

    def _measures(self, source: Measure) -> ResultRows:
        """Every measure that is asked for in the same way and that the explore has, by one query."""
        alike = [each for each in self.mapping.figures.values() if each.question == source.question]
        named = [each for each in alike if isinstance(each, Measure)]
        measures: dict[str, Kind] = {each.measure: "figure" for each in named if self.explores.fits(each)}
        return self._ask(self.measure_asked(source, measures))

    def _measured_days(self, source: Measure) -> dict[str, str]:
        if source.date is None:
            return {}
        first = self.request.scope.usage_first() if source.days is None else self._end - timedelta(days=source.days)
        return self._days(source.date, first)

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
            raise self.explores.no_look(look, refused.status) from None
        except NotRows as wrong:
            reason: Reason = "source_failed" if isinstance(wrong, DatabaseRefused) else "unclear"
            raise self._missing(f"running Look {look}: {wrong}. {wrong.remedy}".rstrip(), reason) from None

    def _once(self, what: str, ask: Callable[[], ResultRows]) -> ResultRows:
        """An answer that serves several figures is asked for once, also where it was refused."""
        if what not in self._answers:
            try:
                self._answers[what] = ask()
            except Missing as missing:
                self._answers[what] = missing
        answer = self._answers[what]
        if isinstance(answer, Missing):
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

    def first_row(self, query: Query | None) -> None:
        """Ask an explore for one row, once; Missing where it is refused."""
        if query is not None:
            self._once(f"first row of {query.explore}", partial(self._ask, query, self.api.first_row))

    @property
    def _looks_month(self) -> date:
        """The month whose figures a Look says; of a snapshot the last whole one, since a begun one has few days."""
        scope = self.request.scope
        whole = scope.snapshot is None or scope.as_of >= scope.period.end
        return (scope.period if whole else scope.period.shifted(-1)).first_day

    @property
    def _end(self) -> date:
        """The day after the last one that is measured: of the month, of an open one today, of a snapshot."""
        return self.request.scope.usage_end

    def _days(self, field: str, first: date) -> dict[str, str]:
        """The filter on the days from the first one to the end."""
        return {field: f"{first} to {self._end}"}

    def _ask(self, query: Query, send: Callable[[Query], ResultRows] | None = None) -> ResultRows:
        try:
            rows = (send or self.api.query)(query)
        except Refused as refused:
            raise self.explores.no_query(query.explore, refused.status) from None
        return self._counted(rows)

    def _counted(self, rows: ResultRows) -> ResultRows:
        self.rows_so_far += rows.count
        self.request.progress(self.rows_so_far, None)
        return rows

    def _table(
        self,
        table: str,
        rows: ResultRows,
        names: Mapping[str, str],
        metrics: tuple[str, ...],
        *,
        needs_both: bool = True,
        month: date | None = None,
    ) -> TableAnswer:
        """An answer as one of our tables; a row without its key is nobody's.

        `needs_both`: one without its day or month says nothing of any, and one that lies outside of what was asked says
        that days are cut otherwise there; both leave their account's metrics unknown. `month`: of an answer that was
        asked for one stretch alone, its first day.
        """
        columns, spool = self._columns(rows, names), SpooledTable(TABLES[table])
        columns += [] if month is None else [pl.lit(month, pl.Date).alias("month")]
        other, nobodys, placeless, outside = [*TABLES[table]][1], 0, 0, 0
        first = self.request.scope.usage_first(TREND_MONTHS)
        strays: set[str] = set()
        lost: set[str] = set() if needs_both else rows.unreadable.get([*names][1], set())
        for piece in rows.spool.pieces():
            ours = piece.select(columns).select(*TABLES[table])
            whose = ours.filter(_has_account())
            placed = whose.drop_nulls(other) if needs_both else whose
            nobodys, placeless = nobodys + ours.height - whose.height, placeless + whose.height - placed.height
            if placed.height < whose.height:
                lost |= set(whose.filter(pl.col(other).is_null())["key"])
            asked = placed.filter(pl.col(other).is_between(first, self._end, closed="left")) if needs_both else placed
            if asked.height < placed.height:
                outside += placed.height - asked.height
                strays |= set(placed.join(asked, on=placed.columns, how="anti", nulls_equal=True)["key"])
            spool.add(asked)
        if lost:
            self.notes.append(f"accounts with a row without {other}: {len(lost):,}, such as {min(lost)}")
        if strays:
            days = f"{other}s from {first} to {self._end}"
            self.notes.append(
                f"accounts with a row outside of the {days} that were asked for: {len(strays):,}, such as {min(strays)}"
            )
        counts = _counts(rows.count, outside, {NOBODYS: nobodys, f"without a {other}": placeless})
        return TableAnswer(spool, counts, tuple(unknown_of(lost | strays, metrics, "unclear")))

    def _columns(self, rows: ResultRows, names: Mapping[str, str]) -> list[pl.Expr]:
        """Columns of an answer under our names; Missing where one is absent or not of its kind."""
        for name in names:
            if name in rows.lacking:
                raise self._missing(f"the Look {_why_lacking(name, rows.names)}")
            if name in rows.unfit:
                raise self._missing(f"{name} {PIVOTED if name in rows.nested else UNFIT[rows.wanted[name]]}")
            if garbled := rows.unreadable.get(name):
                whose = f", such as that of {min(garbled)}" if garbled else ""
                self.notes.append(f"{name}: values that can't be read{whose}; it {UNFIT[rows.wanted[name]]}")
        return [pl.col(name).alias(ours) for name, ours in names.items()]

    def _missing(self, note: str, reason: Reason = "field_missing") -> Missing:
        self.notes.append(note)
        return Missing(reason)


PIVOTED = "comes in a column of its own for each value of another field: take the pivot out of the Look"


def _why_lacking(name: str, names: Iterable[str]) -> str:
    """Pivoted columns are called `measure|FIELD|value` in some versions."""
    if any(each.startswith(f"{name}|") for each in names):
        return f"has {name} pivoted: take the pivot out of it"
    return f"has no column {name}{nearest(name, list(names))}"


def _fields(block: MappingBlock, *keys: str) -> list[FieldOf]:
    """The fields that these keys of a block name, with what they may mean."""
    return [each for each in fields_named(block) if each.key in keys]


def _has_account() -> pl.Expr:
    return (pl.col("key").str.strip_chars() != "").fill_null(value=False)


def _counts(came: int, outside: int, left_out: Mapping[str, int]) -> RowCounts:
    return RowCounts(came, outside, {rule: count for rule, count in left_out.items() if count})


def _added(one: RowCounts, more: RowCounts) -> RowCounts:
    rules = [*one.left_out, *more.left_out]
    left_out = {rule: one.left_out.get(rule, 0) + more.left_out.get(rule, 0) for rule in rules}
    return RowCounts(one.came + more.came, one.outside + more.outside, left_out)
