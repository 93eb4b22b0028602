"""Questions to a Looker instance before anything is mapped: which explores there are, and samples of what they hold."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import polars as pl

from accountpulse.core.errors import AccessError, UnexpectedAnswer
from accountpulse.core.ids import comparable_id
from accountpulse.systems.key_match import KeyMatch, matches
from accountpulse.systems.looker.api import Api, Query, Refused
from accountpulse.systems.looker.roles import (
    EVENTS,
    FEATURES,
    NPS,
    SESSIONS,
    VALUE,
    SeenExplore,
    account_dimensions,
    any_date,
    words_of,
)
from accountpulse.systems.looker.rows import Kind, NotRows, ResultRows
from accountpulse.systems.looker.settings import LookerLook
from accountpulse.systems.looker.wire import LookQueryAnswer
from accountpulse.systems.samples import inside, is_fit, rows, shown, text

DAYS = 92  # that samples are of: three months
EXPLORES = 40  # whose fields are looked at
QUERIED = 15  # explores that are asked for their accounts
LOOKS = 15  # saved Looks whose query is looked at
ACCOUNT_ROWS = 5000
FIGURE_ROWS = 500
FEATURE_ROWS = 5000
FAILED = 6  # queries in a row that fail: then no more are sent
_TELLING = SESSIONS | EVENTS | FEATURES | VALUE | NPS | {"kpi", "scores", "index", "adoption", "surveys", "survey"}
T = TypeVar("T")


@dataclass(frozen=True)
class SavedQuery:
    """A saved Look: what it is called, and what it asks."""

    look: str
    title: str
    query: LookQueryAnswer

    def __str__(self) -> str:
        """As a line names it."""
        return f"Look {self.look}, {shown(self.title)},"


@dataclass
class InstanceLook:
    """What one instance shows our user. `unseen`: lines about what was refused."""

    request: LookerLook
    api: Api
    unseen: list[str] = field(default_factory=list)
    explores: list[SeenExplore] = field(default_factory=list)
    models: dict[str, list[str]] = field(default_factory=dict)
    _failed: int = 0

    @property
    def days(self) -> str:
        """The days that samples are of, as a filter."""
        today = self.request.now.date()
        return f"{today - timedelta(days=DAYS)} to {today + timedelta(days=1)}"

    # --- metadata

    def read(self) -> None:
        """Every model, and the fields of the explores whose names promise most."""
        try:
            listed = self.api.models()  # also the sign-in, whose refusal is raised
        except Refused as refused:
            listed = []
            self.unseen.append(f"Models can't be listed (HTTP {refused.status}). {ROLE}")
        for each in rows(listed):
            explores = sorted(rows(each, "explores"), key=lambda one: one.get("hidden") is True)
            found = (text(one.get("name")) for one in explores)
            called, named = text(each.get("name")), [name for name in found if name is not None and is_fit(name)]
            if called is not None and is_fit(called) and named:
                self.models[called] = named
        self._describe()

    def _describe(self) -> None:
        pairs = [(model, name) for model, names in self.models.items() for name in names]
        pairs.sort(key=lambda pair: not words_of(pair[1]) & _TELLING)
        if len(pairs) > EXPLORES:
            left = len(pairs) - EXPLORES
            self.unseen.append(
                f"{left:,} of {len(pairs):,} explores were not looked at: name yours in `looker:` if it is one"
            )
        for model, name in pairs[:EXPLORES]:
            about = self.have(f"Explore {shown(name)}", lambda model=model, name=name: self.api.explore(model, name))  # type: ignore[misc]
            if about is not None:
                self.explores.append(SeenExplore(model, name, about))

    def looks(self, model: str) -> Iterator[SavedQuery]:
        """Saved Looks of a model that can be asked."""
        listed = rows(self.have("Saved Looks", self.api.looks))
        alive = [each for each in listed if each.get("deleted") is not True]
        alive = [each for each in alive if inside(each, "model", "id") in (None, model)]
        alive.sort(key=lambda each: not words_of(text(each.get("title")) or "") & _TELLING)
        if len(alive) > LOOKS:
            self.unseen.append(f"{len(alive) - LOOKS:,} of {len(alive):,} saved Looks were not looked at")
        for each in alive[:LOOKS]:
            number, title = text(each.get("id")), text(each.get("title")) or ""
            if number is None or not number.isalnum():
                continue
            found = self.have(f"Look {number}", lambda number=number: self.api.look_query(number))  # type: ignore[misc]
            if found is not None and not found.deleted and found.query.model in (None, model):
                yield SavedQuery(number, title, found.query)

    def have(self, what: str, ask: Callable[[], T]) -> T | None:
        """The answer; None and a line where it was refused, or is none that can be read."""
        try:
            return ask()
        except Refused as refused:
            self.unseen.append(f"{what} is absent, or closed to our user (HTTP {refused.status}). {ROLE}")
        except (AccessError, UnexpectedAnswer) as error:
            self.unseen.append(f"{what} can't be seen: {error}")
        except NotRows as wrong:
            self.unseen.append(f"{what} can't be read: {wrong}")
        return None

    # --- samples

    def accounts_of(self, seen: SeenExplore) -> list[KeyMatch]:
        """The explore's dimensions against the account's fields, as far as to the first that fits most of one."""
        best: list[KeyMatch] = []
        for name in account_dimensions(seen):
            found = self._sample(seen, {name: "key"}, {}, ACCOUNT_ROWS)
            values = _texts(found, name) if found is not None else Counter[str]()
            tried = matches(name, dict.fromkeys(map(comparable_id, values), 1), self.request.accounts, comparable_id)
            fitting = [each for each in tried if each.plausible]
            best = max(best, fitting, key=lambda some: max((each.linked for each in some), default=0))
            if any(2 * each.linked >= min(each.values, each.records) for each in best):
                break
        return best

    def features_of(self, seen: SeenExplore, account: str, feature: str) -> Counter[str]:
        """Values of a dimension with how many accounts have each."""
        found = self._sample(seen, {account: "key", feature: "text"}, {}, FEATURE_ROWS)
        return _texts(found, feature) if found is not None else Counter()

    def figures_of(self, seen: SeenExplore, account: str, measures: Sequence[str]) -> Mapping[str, list[float]]:
        """Values of measures, an account each; those that can't be read as numbers aren't there."""
        found = self._sample(seen, {account: "key"}, dict.fromkeys(measures, "figure"), FIGURE_ROWS)
        return {} if found is None else _numbers(found, measures)

    def look_figures(self, look: str, columns: Mapping[str, Kind]) -> tuple[set[str], Mapping[str, list[float]]]:
        """The accounts of a Look's first rows, and its columns' numbers."""
        found = self.have(f"Look {look}", lambda: self.api.look_sample(look, columns, FIGURE_ROWS))
        if found is None:
            return set(), {}
        keys = [name for name, kind in columns.items() if kind == "key"]
        ids = {comparable_id(value) for name in keys for value in _texts(found, name)}
        return ids, _numbers(found, [name for name, kind in columns.items() if kind == "figure"])

    def _sample(
        self, seen: SeenExplore, dimensions: dict[str, Kind], measures: Mapping[str, str], limit: int
    ) -> ResultRows | None:
        """The first rows of a query over the last months, of all rows that its own filters may hide."""
        if self._failed >= FAILED:
            return None
        date = any_date(seen)
        filters = {name: "" for name in seen.about.default_filters if name in seen.about.fields}
        filters |= {date: self.days} if date is not None else {}
        figures: dict[str, Kind] = dict.fromkeys(measures, "figure")
        query = Query(seen.model, seen.name, dimensions, figures, filters, "UTC")
        found = self.have(f"What explore {shown(seen.name)} holds", lambda: self.api.sample(query, limit))
        self._failed = 0 if found is not None else self._failed + 1
        return found


ROLE = "Give the role of the API user access_data, explore and see_looks for it."


def _texts(found: ResultRows, name: str) -> Counter[str]:
    if name in found.lacking:
        return Counter()
    values = found.spool.lazy().select(pl.col(name).drop_nulls()).collect().to_series()
    return Counter(value.strip() for value in values if value.strip())


def _numbers(found: ResultRows, names: Sequence[str]) -> Mapping[str, list[float]]:
    good = [name for name in names if name not in found.lacking and name not in found.unfit]
    table = found.spool.lazy().select(good).collect() if good else pl.DataFrame()
    return {name: table[name].drop_nulls().to_list() for name in good}
