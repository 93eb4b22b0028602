"""Looker → usage, features and platform value: one query a question, for all accounts at once."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from accountpulse.extractors.base import Request
from accountpulse.extractors.looker_api import Absent, Api
from accountpulse.records import TABLES, TABLES_OF, Extract, Reason, pillar_metric
from accountpulse.rest.sync import Adapter
from accountpulse.settings.mapping import LookerMapping, SavedLook

TREND_MONTHS = 3
DAYS = ("dau", "dau_trend_pct")
MONTHS = ("mau", "mau_trend_pct", "login_frequency")
Rows = list[dict[str, Any]]


def extract(request: Request) -> Extract:
    """Daily and monthly users over the period and the three months before, features and pillars over the period.

    `key` is what the account fields of the explores hold.
    """
    access = request.settings.looker
    if access is None:
        raise ValueError("looker is not configured")
    adapter = Adapter("looker", request.meter, request.settings.ca_bundle)
    work = Work(request, request.settings.mapping.looker, Api(access, request.meter, adapter))
    tables = {
        "usage_days": work.part(DAYS, work.usage_days),
        "usage_months": work.part(MONTHS, work.usage_months),
        "features": work.part(("feature_breadth",), work.features),
        "pillars": work.pillars(),
    }
    frames = {name: pl.DataFrame(tables[name], schema=TABLES[name], orient="row") for name in TABLES_OF["looker"]}
    return Extract("looker", frames, work.gaps, {}, tuple(work.notes))


@dataclass
class Work:
    """One extraction from one instance."""

    request: Request
    mapping: LookerMapping
    api: Api
    gaps: dict[str, Reason] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rows_so_far: int = 0
    _known: dict[str, set[str] | None] = field(default_factory=dict)

    def part(self, metrics: Iterable[str], read: Callable[[], Iterator[dict[str, Any]]]) -> Rows:
        """The rows of a part, or none and a gap for its metrics where a name is absent."""
        try:
            rows = list(read())
        except Absent:
            self.gaps |= dict.fromkeys(metrics, "field_missing")
            return []
        self.rows_so_far += len(rows)
        self.request.progress(self.rows_so_far, None)
        return rows

    def usage_days(self) -> Iterator[dict[str, Any]]:
        """Distinct users of each day."""
        usage = self.mapping.usage
        for row in self._ask(usage.explore, (usage.account, usage.date, usage.users), usage.date, TREND_MONTHS):
            yield {
                "key": _key(row[usage.account]),
                "day": _day(row[usage.date]),
                "users": self._whole(row[usage.users]),
            }

    def usage_months(self) -> Iterator[dict[str, Any]]:
        """Distinct users and sessions of each month: users of days can't be added up."""
        usage = self.mapping.usage
        fields = (usage.account, usage.month, usage.users, usage.sessions)
        for row in self._ask(usage.explore, fields, usage.date, TREND_MONTHS):
            month = _day(f"{row[usage.month]}-01") if row[usage.month] else None
            counts = {"users": self._whole(row[usage.users]), "sessions": self._whole(row[usage.sessions])}
            yield {"key": _key(row[usage.account]), "month": month, **counts}

    def features(self) -> Iterator[dict[str, Any]]:
        """Features that were used in the period."""
        part = self.mapping.features
        if not part.catalogue:
            self.gaps["feature_breadth"] = "not_configured"
            return
        for row in self._ask(part.explore, (part.account, part.feature), part.date, 0):
            if row[part.feature] is not None:
                yield {"key": _key(row[part.account]), "feature": str(row[part.feature])}

    def pillars(self) -> Rows:
        """The figures of all pillars: those of the explore in one query, those of saved Looks one by one."""
        platform, rows = self.mapping.platform, []
        measures = {name: source for name, source in platform.pillars.items() if isinstance(source, str)}
        present = {name: measure for name, measure in measures.items() if self._present(platform.explore, [measure])}
        self.gaps |= {pillar_metric(name).name: "field_missing" for name in measures if name not in present}
        if present:
            names = [pillar_metric(name).name for name in present]
            rows += self.part(names, lambda: self._of_explore(present))
        for name, source in platform.pillars.items():
            if isinstance(source, SavedLook):
                rows += self.part([pillar_metric(name).name], lambda n=name, s=source: self._of_look(n, s))  # type: ignore[misc]
        return self._clamped(rows)

    def _of_explore(self, measures: dict[str, str]) -> Iterator[dict[str, Any]]:
        platform = self.mapping.platform
        for row in self._ask(platform.explore, (platform.account, *measures.values()), platform.date, 0):
            for name, measure in measures.items():
                yield {"key": _key(row[platform.account]), "pillar": name, "value": self._number(row[measure])}

    def _of_look(self, name: str, source: SavedLook) -> Iterator[dict[str, Any]]:
        fields = [source.account, source.value, *([source.month] if source.month else [])]
        try:
            rows = self.api.look(source.look, fields)
        except Absent:
            self.notes.append(f"Look {source.look} of pillar {name} is absent, or not visible to our user")
            raise
        period = self.request.scope.period.name
        for row in rows:
            if source.month is None or str(row[source.month]) == period:
                yield {"key": _key(row[source.account]), "pillar": name, "value": self._number(row[source.value])}

    def _clamped(self, rows: Rows) -> Rows:
        kept = [row for row in rows if row["value"] is not None]
        outside = [row for row in kept if not 0 <= row["value"] <= 100]
        for row in outside:
            row["value"] = min(100.0, max(0.0, row["value"]))
        if outside:
            self.notes.append(f"{len(outside):,} pillar figures lay outside 0 to 100 and were clamped")
        return kept

    def _ask(self, explore: str, fields: tuple[str, ...], day: str, months_before: int) -> Rows:
        """The rows with an account, over whole months up to the end of the period (or today, while it is open)."""
        if not self._present(explore, [*fields, day]):
            raise Absent
        scope = self.request.scope
        first = scope.period.shifted(-months_before).first_day
        end = scope.period.first_day + timedelta(days=scope.measured_days)
        rows = self.api.query(self.mapping.model, explore, fields, {day: f"{first} to {end}"}, scope.period.zone)
        return [row for row in rows if row[fields[0]] is not None]

    def _present(self, explore: str, fields: Iterable[str]) -> bool:
        """Whether the explore has these fields; a note names what it lacks and the nearest name."""
        if explore not in self._known:
            try:
                self._known[explore] = self.api.fields(self.mapping.model, explore)
            except Absent:
                self._known[explore] = None
                self.notes.append(
                    f"explore {explore} of model {self.mapping.model} is absent, or not visible to our user"
                )
        known = self._known[explore]
        if known is None:
            return False
        lacking = [name for name in fields if name not in known]
        for name in lacking:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; the nearest name is {near[0]}" if near else ""
            note = f"explore {explore} has no field {name} that our user can see{hint}"
            if note not in self.notes:
                self.notes.append(note)
        return not lacking

    def _number(self, value: Any) -> float | None:
        """A number, also as plain text; formatted text (`1,234`, `12%`) is refused and counted as not known."""
        if value is None or isinstance(value, bool):
            return None
        if isinstance(value, str) and not re.fullmatch(r"-?\d+(\.\d+)?", value.strip(), re.ASCII):
            note = "a figure came as formatted text and was left out; take the format off the measure in Looker"
            if note not in self.notes:
                self.notes.append(note)
            return None
        return float(value)

    def _whole(self, value: Any) -> int | None:
        number = self._number(value)
        return None if number is None else round(number)


def _key(value: Any) -> str:
    return str(value)


def _day(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(str(value)[:10])
