"""What must be true of an explore before it is asked: its fields and their kinds, and what it lets our user see."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from accountpulse.core.errors import AccessError, UnexpectedAnswer
from accountpulse.core.records import Reason
from accountpulse.systems.looker.api import Api, Explore, Query, Refused
from accountpulse.systems.looker.fields import COLUMNS, ExploreField, mistake, nearest
from accountpulse.systems.looker.settings import Measure, SavedLook
from accountpulse.systems.looker.wire import LookQueryAnswer
from accountpulse.systems.mapping_parts import FieldOf, fields_named

EVERYTHING = frozenset({"%", "NOT NULL"})  # parts of a user attribute's value that let all rows through
QUERY_REFUSED = {
    403: "the role of our user lacks access_data or explore for this model",
    404: "the explore, or a field of it, is gone",
}


class Missing(Exception):
    """A name of the mapping leads to nothing that can be used; the notes say which and why."""

    def __init__(self, reason: Reason) -> None:
        """`reason`: why the metrics stay null."""
        self.reason = reason
        super().__init__(reason)


@dataclass
class ExploreChecks:
    """The explores of a model, each looked at once, and held against what is to be asked of them.

    `zone`: the period's; `database_zone`: that of days which Looker can't move. `notes` are told to the reader.
    """

    api: Api
    model: str
    zone: str
    database_zone: str
    notes: list[str]
    _known: dict[tuple[str, str], Explore | None] = field(default_factory=dict)
    _model_refused: int = 0
    # how each kind of thing was refused: "explore", "query" or "Look"; 403 before all others, 404 behind them
    _refused: dict[str, int] = field(default_factory=dict)
    _attributes: Mapping[str, str] | None = None

    def ready(self, query: Query, fields: Iterable[FieldOf], *dates: str | None) -> Query:
        """The query as it has to be asked so that nothing is cut in silence; Missing where it can't be.

        `fields` says what its fields have to be, `dates` are those of its days and months.
        """
        explore = self.explore(query.explore)
        if explore is None:
            raise Missing("field_missing")
        self._need(query, explore, list(fields))
        self._need_all_rows(query.explore, explore)
        self._need_zone(query.explore, explore, dates)
        return replace(query, filters=self._filters(query, explore))

    # --- fields

    def _need(self, query: Query, explore: Explore, fields: Collection[FieldOf]) -> None:
        """The explore has the fields, each of its kind: a query would leave out what it lacks without a word."""
        columns, name = {*query.dimensions, *query.measures}, query.explore
        used = dict.fromkeys([*columns, *(each.name for each in fields), *query.filters])
        problems = [
            *(self._absent(name, each, explore) for each in used if each not in explore.fields),
            *_mistakes(explore, fields),
            *_not_usable(explore, columns, query.filters),
        ]
        self.notes += [text if text.startswith("explore") else f"explore {name}: {text}" for text in problems]
        if problems:
            raise Missing("field_missing")

    def _absent(self, name: str, field: str, explore: Explore) -> str:
        return f"explore {name} has no field {field} that our user can see{nearest(field, list(explore.fields))}"

    def fits(self, source: Measure) -> bool:
        """Whether the explore has the measure, of its kind; nothing is told."""
        explore = self.explore(source.explore)
        if explore is None or source.measure not in explore.fields:
            return False
        return not list(_mistakes(explore, [each for each in fields_named(source) if each.key == "measure"]))

    def need_same_group(self, name: str, date: str, month: str) -> None:
        """The month is that of the date: another one, such as the month of joining, would count other people."""
        explore = self.explore(name)
        fields = [explore.fields.get(each) for each in (date, month)] if explore is not None else []
        groups = [each.group for each in fields if each is not None]
        if len(groups) == 2 and None not in groups and groups[0] != groups[1]:
            self.notes.append(
                f"explore {name}: {month} is a month of {groups[1]}, and {date} a day of {groups[0]}; name two time "
                "frames of one dimension group"
            )
            raise Missing("field_missing")

    # --- rows that would be cut

    def _filters(self, query: Query, explore: Explore) -> Mapping[str, str]:
        """The query's filters, with the explore's own ones set aside where they are on days or accounts.

        Looker applies a default filter where a query says nothing of its field; an empty one lets all rows through.
        https://cloud.google.com/looker/docs/reference/param-explore-always-filter
        """
        open_filters, unknown = {}, []
        for name, value in explore.default_filters.items():
            if name in query.filters or not value.strip():
                continue
            found = explore.fields.get(name)
            if found is not None and found.filterable and (found.is_time or name in query.dimensions):
                open_filters[name] = ""
                self._tell(f"explore {query.explore}: its own filter on {name} is set aside")
            else:
                unknown.append(name)
        if unknown:
            self._tell(
                f"explore {query.explore} filters on {', '.join(unknown)} by default, and what that leaves out is not "
                'known: name the field in `filters` beside the explore, with the value that you want, or "" for all'
            )
            raise Missing("unclear")
        return {**query.filters, **open_filters}

    def _need_all_rows(self, name: str, explore: Explore) -> None:
        """What a user may see is decided by user attributes; ours has to see everything."""
        if not explore.access_filters:
            return
        values = self._user_attributes()
        closed = {
            attribute: on
            for on, attribute in explore.access_filters.items()
            if not EVERYTHING & {part.strip().upper() for part in values.get(attribute, "").split(",")}
        }
        if closed:
            named = ", ".join(f"{on} (user attribute {attribute})" for attribute, on in closed.items())
            self._tell(
                f"explore {name} shows each user its own rows, by {named}, and ours is not known to see all of them: "
                "give our user the value `%, NULL`, and let users view it"
            )
            raise Missing("not_visible")

    def _user_attributes(self) -> Mapping[str, str]:
        if self._attributes is None:
            try:
                self._attributes = self.api.user_attributes()
            except Refused:
                self._attributes = {}
        return self._attributes

    def _need_zone(self, name: str, explore: Explore, dates: Iterable[str | None]) -> None:
        """Days that Looker can't cut in the period's zone have to be in it already."""
        found = [explore.fields[each] for each in dates if each is not None]
        fixed = [each.name for each in found if not (explore.has_zones and each.in_zone)]
        if not fixed or self.zone == self.database_zone:
            return
        why = f"{fixed[0]} is not converted" if explore.has_zones else "it has no time zones"
        self._tell(
            f"explore {name}: its days are those of {self.database_zone}, and not of {self.zone}, since {why}. Where "
            "the database keeps other days, say so in looker.database_timezone"
        )
        raise Missing("unclear")

    # --- explores

    def explore(self, name: str) -> Explore | None:
        """What the explore offers, asked once; None and a note where it is absent."""
        where = (self.model, name)
        if where not in self._known:
            try:
                self._known[where] = self.api.explore(*where)
            except Refused as refused:
                self._known[where] = None
                self._note_refusal("explore", refused.status)
                self.notes.append(self._why_absent(*where, refused.status))
        return self._known[where]

    def _why_absent(self, model: str, explore: str, status: int) -> str:
        hint = ""
        try:
            others = self.api.explores(model)
            hint = "" if explore in others else nearest(explore, others)
        except Refused as refused:
            self._model_refused = refused.status
        return f"explore {explore} of model {model} is absent, or not open to our user (HTTP {status}){hint}"

    def no_query(self, explore: str, status: int) -> Missing:
        """A query was refused; `Missing`, told."""
        self._note_refusal("query", status)
        why = QUERY_REFUSED.get(status, "run it in Looker to see why")
        self._tell(f"explore {explore}: the query was refused (HTTP {status}); {why}")
        return Missing("field_missing")

    def no_look(self, look: str, status: int) -> Missing:
        """A Look was refused; `Missing`, told."""
        self._note_refusal("Look", status)
        self._tell(f"Look {look} is absent, or not open to our user (HTTP {status})")
        return Missing("field_missing")

    def _note_refusal(self, what: str, status: int) -> None:
        self._refused[what] = max(
            self._refused.get(what, status), status, key=lambda each: (each == 403, each != 404, each)
        )

    def refuse_nothing_seen(self, *, kept: bool = False) -> None:
        """AccessError where the model, or every query, is closed to our user: no gap, but a setting to mend.

        UnexpectedAnswer where every query and Look was refused for another reason: that is no gap of each, either.
        `kept`: an earlier process of the run could see something.
        """
        if kept:
            return
        if self._model_refused and not any(self._known.values()):
            remedy = "Check looker.model in accountpulse.yaml, and that the role of our user has the model."
            tried = f"looking at model {self.model}"
            raise AccessError("looker", tried, f"HTTP {self._model_refused}", remedy)
        asked = self._all_refused()
        if asked is None:
            return
        tried, status = f"querying model {self.model}", self._refused[asked]
        if status == 403 and asked != "Look":
            remedy = "Give the role of our user access_data and explore for the model."
            raise AccessError("looker", tried, "HTTP 403", remedy)
        remedy = "Try one of those that the mapping names in Looker to see why."
        raise UnexpectedAnswer("looker", tried, f"every {asked} was refused, with HTTP {status}", remedy)

    def _all_refused(self) -> str | None:
        """What was refused as often as it was asked for; an explore that is absent (404) is a name to mend."""
        if self._refused.get("explore", 404) != 404 and not any(self._known.values()):
            return "explore"
        if "query" in self._refused:
            return None if "query" in self.api.answered else "query"
        return "Look" if "Look" in self._refused and not self.api.answered else None

    def _tell(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    # --- saved Looks, of which a run sees the rows alone

    def need_look(self, source: SavedLook) -> None:
        """A saved Look and its columns; Missing where a run could not use them."""
        try:
            found = self.api.look_query(source.look)
        except Refused as refused:
            raise self.no_look(source.look, refused.status) from None
        if found.deleted:
            self._tell(f"Look {source.look} is deleted")
            raise Missing("field_missing")
        self._tell_of_look(source.look, found.query)
        problems = [*self._look_mistakes(source, found.query)]
        self.notes += problems
        if problems:
            raise Missing("field_missing")

    def _look_mistakes(self, source: SavedLook, query: LookQueryAnswer) -> Iterable[str]:
        columns, has_others = set(query.fields or ()), bool(query.dynamic_fields or query.has_table_calculations)
        wanted = [each for each in fields_named(source) if each.key in ("account", "value", "month")]
        for each in wanted:
            if columns and each.name not in columns and not has_others:
                yield f"the Look has no column {each.name}{nearest(each.name, columns)}"
        if query.pivots:
            yield f"Look {source.look} is pivoted by {', '.join(query.pivots)}: take the pivot out of it"
        explore = self._look_explore(query)
        if explore is not None:
            found = [each for each in wanted if each.name in explore.fields and each.key != "value"]
            yield from (f"Look {source.look}: {text}" for text in _mistakes(explore, found))
            taken = {each.name for each in wanted}
            others = sorted(name for name in columns - taken if _is_dimension(explore.fields.get(name)))
            if others:
                named = ", ".join(others)
                self._tell(f"Look {source.look} also has {named}: an account with several rows has no figure")

    def _look_explore(self, query: LookQueryAnswer) -> Explore | None:
        """What a Look's explore offers; None where our user may run the Look and not see that."""
        if query.view is None:
            return None
        where = (query.model or self.model, query.view)
        if where not in self._known:
            try:
                self._known[where] = self.api.explore(*where)
            except Refused:
                return None
        return self._known[where]

    def _tell_of_look(self, look: str, query: LookQueryAnswer) -> None:
        if filtered := [name for name, value in (query.filters or {}).items() if value]:
            self._tell(f"Look {look} filters on {', '.join(filtered)}: accounts outside of it have no figure")
        if query.filter_expression:
            self._tell(f"Look {look} has a filter of its own: accounts outside of it have no figure")
        if query.total or query.row_total or query.subtotals or query.has_table_calculations or query.dynamic_fields:
            self._tell(
                f"Look {look} has totals or table calculations: Looker cuts its rows at a limit, and a run would do "
                "without it from there on"
            )


def _mistakes(explore: Explore, fields: Iterable[FieldOf]) -> Iterable[str]:
    for each in fields:
        found = explore.fields.get(each.name)
        text = None if found is None else mistake(found, each, explore.own_views)
        if text is not None:
            yield text


def _not_usable(explore: Explore, columns: Collection[str], filters: Collection[str]) -> Iterable[str]:
    """Filter-only fields as columns, which Looker leaves out of the rows; filters that it doesn't take."""
    for name in columns:
        found = explore.fields.get(name)
        if found is not None and found.category not in COLUMNS:
            yield f"{name} is a {found.category}, and can't be a column"
    for name in filters:
        found = explore.fields.get(name)
        if found is not None and not found.filterable:
            yield f"{name} can't be filtered by"


def _is_dimension(found: ExploreField | None) -> bool:
    return found is not None and found.category == "dimension"
