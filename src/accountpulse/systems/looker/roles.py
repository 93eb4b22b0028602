"""What an explore could be used for, by the kinds and names of its fields; nothing is asked here.

Kinds decide what a field can be, as they do in a run; names only which of several is taken first. Values decide in the
end, where they are sampled.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from accountpulse.systems.looker.api import Explore
from accountpulse.systems.looker.fields import ExploreField, mistake
from accountpulse.systems.mapping_parts import FieldKind, FieldOf
from accountpulse.systems.samples import is_fit

MOST_KEYS = 4  # dimensions of an explore that are tried as the account

NameWords = frozenset[str]


def _words(text: str) -> NameWords:
    return frozenset(text.split())


WHOSE = _words(
    "account accounts customer customers client company organization organisation org tenant workspace crm salesforce "
    "sfdc sf subscriber kunde kunden konto firma cliente compte cuenta empresa"
)
PEOPLE = _words(
    "user users person persons people member members visitor visitors employee employees actor actors nutzer benutzer "
    "utilisateurs usuarios utenti gebruikers mau dau wau"
)
ACTIVE = _words("active distinct unique uniques aktive actifs activos")
SOME_PEOPLE = _words("new invited admin admins deleted inactive paid paying internal churned first")
SESSIONS = _words("session sessions visit visits login logins sitzungen besuche visites sesiones")
EVENTS = _words("event events activity activities action actions hit hits view views usage opens")
LENGTHS = _words("duration seconds minutes hours time days length")
SHARES = _words("avg average per rate ratio")
FEATURES = _words(
    "feature features module modules function functions functionality capability capabilities tool tools funktion "
    "funktionen fonction fonctionnalite funcionalidad funzione modul"
)
DEEDS = _words("event action page screen area")
PILLARS = _words("index score pillar maturity grade kpi reifegrad indice puntaje")
VALUE = _words("platform value pillar pillars maturity outcome outcomes success mehrwert")
NPS = _words("nps promoter promoters")
SEATS = _words("seat seats licence licences license licenses licensed entitlements lizenzen")
OTHER_NUMBERS = _words(
    "csat ces count number total revenue amount price arr mrr cost churn risk health age rank id latitude longitude"
)
NO_PILLAR = NPS | SEATS | PEOPLE | SESSIONS | LENGTHS | OTHER_NUMBERS
OTHER_TIMES = _words(
    "signup signed first joined birth birthday renewal contract start end account customer closed deleted expires"
)
IDS = _words("id key number no ref code")
PERSONAL = _words("email mail phone ip address user person contact owner")
_NUMBERS = frozenset({"average", "average_distinct", "median", "median_distinct", "number", "min", "max", "percentile"})
_PART = re.compile(r"[a-z]+|\d+")
_TRIMMED = re.compile(
    r"^(avg|average|pillar|platform)_|_(index|score|pillar|kpi|pct|percent|avg|average|maturity|grade)$"
)


@dataclass(frozen=True)
class SeenExplore:
    """An explore of a model, as it was described."""

    model: str
    name: str
    about: Explore


@dataclass(frozen=True)
class UsageRole:
    """The fields by which an explore would give sessions; `fit`: how much its names say so."""

    date: str
    month: str
    users: str
    sessions: str
    fit: int
    in_doubt: tuple[str, ...] = ()  # measures that have the kind, and whose names don't say it


@dataclass(frozen=True)
class FeatureRole:
    """The fields by which it would give features in use."""

    date: str
    feature: str
    fit: int


def words_of(name: str) -> set[str]:
    """The words of a name, in small letters: of `user_sessions.activeUsers` four."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return set(_PART.findall(parts.casefold()))


def own_words(field: str) -> set[str]:
    """The words of a field's name, without its view's."""
    return words_of(field.rpartition(".")[2])


def account_dimensions(seen: SeenExplore) -> list[str]:
    """The dimensions that may hold whose a row is, the likeliest first; none that is called after a person."""

    def rank(field: ExploreField) -> tuple[object, ...]:
        words, view = own_words(field.name), words_of(field.name.partition(".")[0])
        is_id = bool(words & IDS)
        says_whose = bool(words & WHOSE) or (is_id and bool(view & WHOSE))  # `accounts.id` of a joined view
        return (not says_whose, not is_id, _joined(seen, field), field.name)

    fields = [each for each in _fitting(seen, "reference", "text") if not own_words(each.name) & PERSONAL]
    return [each.name for each in sorted(fields, key=rank)][:MOST_KEYS]


def usage_role(seen: SeenExplore) -> UsageRole | None:
    """The explore as one of sessions; None: it can't be."""
    frames = list(_days_with_months(seen))
    users = [(points, each.name) for each in _fitting(seen, "distinct count") if (points := _as_users(each)) > 0]
    best_users = max(users, default=None)
    if not frames or best_users is None:
        return None
    others = [each for each in _fitting(seen, "count") if each.name != best_users[1]]
    sessions = max(((points, each.name) for each in others if (points := _as_sessions(each)) > 0), default=None)
    if sessions is None:
        return None
    words, (date, month) = words_of(seen.name), frames[0]
    fit = 3 * bool(words & (SESSIONS | EVENTS)) - 2 * bool(words & FEATURES) + best_users[0] + sessions[0]
    doubts = tuple(name for points, name in (best_users, sessions) if points == 1)
    return UsageRole(date, month, best_users[1], sessions[1], fit, doubts)


def feature_role(seen: SeenExplore) -> FeatureRole | None:
    """The explore as one of features in use; None: it can't be."""
    date = any_date(seen)
    called_so = bool(words_of(seen.name) & FEATURES)
    found = [(_as_feature(each) + called_so, each.name) for each in _fitting(seen, "text") if _may_be_feature(each)]
    points, name = max(found, default=(0, ""))
    return FeatureRole(date, name, points + called_so) if date is not None and points else None


def pillar_measures(seen: SeenExplore, *, by_name: bool = True) -> list[str]:
    """Measures that may be figures of 0 to 100 for a pillar; their values have to show it.

    `by_name`: only those that are called so, or whose explore is.
    """
    in_explore = not by_name or bool(words_of(seen.name) & VALUE)
    numbers = [each for each in _fitting(seen, "count", "number") if each.type in _NUMBERS and each.unit is None]
    named = {each.name: own_words(each.name) for each in numbers}
    return [name for name, words in named.items() if not words & NO_PILLAR and (in_explore or words & PILLARS)]


def measures_called(seen: SeenExplore, words: NameWords) -> list[str]:
    """Measures that are numbers and called by one of the words."""
    return [each.name for each in _fitting(seen, "count", "number") if own_words(each.name) & words]


def any_date(seen: SeenExplore) -> str | None:
    """The date that the explore's rows are of: a day before an instant, and one of what happened before others."""
    fields = [each for each in _fitting(seen, "date") if each.category == "dimension" and each.is_time]
    days = {each.name for each in _fitting(seen, "day")}
    ordered = sorted(
        fields, key=lambda each: (_is_other_time(each), _joined(seen, each), each.name not in days, each.name)
    )
    return ordered[0].name if ordered else None


def is_pillar_column(name: str) -> bool:
    """Whether a Look's column is called as a pillar is."""
    words = own_words(name)
    return bool(words & PILLARS) and not words & NO_PILLAR


def pillar_name(field: str) -> str | None:
    """What a pillar is called in accountpulse.yaml: `operations` for `metrics.operations_index`; None: it can't be."""
    name = field.rpartition(".")[2].casefold()
    for _ in range(2):
        name = _TRIMMED.sub("", name) or name
    return name if re.fullmatch(r"[a-z][a-z0-9_]*", name, re.ASCII) else None


# --- fields -------------------------------------------------------------------------------------------------------


def _fitting(seen: SeenExplore, *kinds: FieldKind) -> Iterator[ExploreField]:
    """The fields that the mapping may name for these kinds, of a type that Looker says."""
    for field in seen.about.fields.values():
        wanted = FieldOf("", field.name, kinds)
        if field.type is not None and is_fit(field.name) and mistake(field, wanted, seen.about.own_views) is None:
            yield field


def _days_with_months(seen: SeenExplore) -> Iterable[tuple[str, str]]:
    """Days and months of one dimension group, the likeliest first."""
    months = {_group(each): each.name for each in _fitting(seen, "month")}
    days = [each for each in _fitting(seen, "day") if _group(each) in months]
    ordered = sorted(days, key=lambda each: (_is_other_time(each), _joined(seen, each), each.name))
    return [(each.name, months[_group(each)]) for each in ordered]


def _group(field: ExploreField) -> str:
    return field.group or field.name.rpartition("_")[0]


def _joined(seen: SeenExplore, field: ExploreField) -> bool:
    """Whether a field is one of another view than the explore's own."""
    view = field.view or field.name.partition(".")[0]
    return view not in seen.about.own_views


def _is_other_time(field: ExploreField) -> bool:
    return bool(own_words(field.name) & OTHER_TIMES)


def _as_users(field: ExploreField) -> int:
    words = own_words(field.name) if field.type != "count" else words_of(field.name)  # `users.count` of a joined view
    named, is_active = bool(words & PEOPLE), bool(words & ACTIVE)
    if not named:
        return int(is_active or field.type == "count_distinct") * (not words & (WHOSE | SESSIONS | EVENTS | FEATURES))
    return 3 + is_active - 2 * bool(words & SOME_PEOPLE)


def _as_sessions(field: ExploreField) -> int:
    words = own_words(field.name)
    if words & (LENGTHS | SHARES | PEOPLE | WHOSE | SEATS) or field.unit is not None:
        return 0
    words = words_of(field.name) if field.type == "count" else words  # `sessions.count`
    return 3 * bool(words & SESSIONS) + bool(words & EVENTS) + (field.type == "count")


def _may_be_feature(field: ExploreField) -> bool:
    return field.type == "string" and not own_words(field.name) & (PERSONAL | WHOSE | {"id", "key"})


def _as_feature(field: ExploreField) -> int:
    words = own_words(field.name)
    return 3 * bool(words & FEATURES) + bool(words & DEEDS and words & {"name", "type"})
