"""What an instance has, for the `looker:` block of a starter accountpulse.yaml: usage, features, figures of accounts.

Which explore holds what is known by the kinds of its fields and by samples of their values; names only decide which is
tried first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from accountpulse.systems.discovery import Discovery, MappingChoice
from accountpulse.systems.key_match import ID, MOST_OTHERS, KeyMatch
from accountpulse.systems.looker.api import Api
from accountpulse.systems.looker.figures import FoundFigures, find_figures
from accountpulse.systems.looker.instance import DAYS, QUERIED, InstanceLook
from accountpulse.systems.looker.roles import (
    NPS,
    SEATS,
    FeatureRole,
    SeenExplore,
    UsageRole,
    account_dimensions,
    any_date,
    feature_role,
    measures_called,
    pillar_measures,
    usage_role,
    words_of,
)
from accountpulse.systems.looker.settings import LookerLook
from accountpulse.systems.samples import counted, is_fit, listed, questions, shown

FEW_FEATURES, MOST_FEATURES = 60, 200  # in a catalogue
NOT_FOR_ALL = frozenset(  # words in names of features that not every customer is offered
    ("alpha", "beta", "debug", "demo", "deprecated", "experiment", "experimental", "internal", "lab", "labs", "legacy")
) | {"pilot", "preview", "test"}
MATCHES = "The dimension that holds what account_field holds"
LIKELIEST = "The likeliest by its name; no field of the account holds its values"
NO_USAGE = (
    "Who uses the product on which day: no explore of the model has a day, a month and counts of distinct users and of "
    "sessions beside the account. A measure of type count_distinct is what lacks most often"
)
NO_ACCOUNTS = (
    "Whose usage it is: no dimension of an explore holds what a field of the account holds. Name the explores' account "
    "fields in `looker:`, and in account_field the account's field with the same values"
)


@dataclass
class UsableExplore:
    """An explore with the roles that its fields allow, and the account's fields that its dimensions match.

    `likeliest`: the dimension that holds the account where none matches.
    """

    seen: SeenExplore
    usage: UsageRole | None
    features: FeatureRole | None
    matches: list[KeyMatch] = field(default_factory=list)
    likeliest: str | None = None

    @property
    def fit(self) -> int:
        """How much its names promise."""
        roles = [each.fit for each in (self.usage, self.features) if each is not None]
        figures = pillar_measures(self.seen) or measures_called(self.seen, NPS | SEATS)
        return max([*roles, 2 if figures else 0])

    def match(self, account_field: str | None) -> KeyMatch | None:
        """The dimension that matches a field of the account."""
        return next((each for each in self.matches if each.field == account_field), None)

    def key(self, account_field: str | None) -> str | None:
        """The dimension that holds the account; where no field of it matches anything, the likeliest."""
        match = self.match(account_field)
        return match.carrier if match is not None else self.likeliest if account_field is None else None


def discover(request: LookerLook) -> Discovery:
    """What the instance has, and the block that reads it.

    At most 40 explores are looked at, and 15 of them asked (two requests a query): some 25 requests for a model of
    four, 100 at most. What our user may not see is told, and the rest goes on; AccessError where the sign-in is
    refused, SourceUnavailable where nobody answers.
    """
    connection = request.connection
    api = Api(request.access, request.budget, connection.ca_bundle, connection.mapping.timeout)
    look = InstanceLook(request, api)
    look.read()
    candidates = _candidates(look)
    account_field, total = _account_field(candidates)
    found = [_instance_line(look)]
    unknown = [] if account_field is not None else [NO_ACCOUNTS]
    fitting = [each for each in candidates if each.key(account_field) is not None]
    if not fitting:
        return Discovery(tuple(found), (_no_account(),), questions([*look.unseen, NO_ACCOUNTS]))
    model, ours = _model(fitting)
    choices = [
        _account_choice(candidates, account_field, total) if account_field is not None else _no_account(),
        _model_choice(model, ours, look),
        *_usage(ours, account_field, unknown),
        *_features(look, ours, account_field, unknown),
        *_figures(
            find_figures(look, [(each.seen, str(each.key(account_field))) for each in ours], model, account_field)
        ),
        *_days(ours, unknown),
    ]
    if account_field is None:
        choices = [replace(each, why=LIKELIEST) if each.why == MATCHES else each for each in choices]
    return Discovery(tuple(found), tuple(choices), questions([*look.unseen, *unknown]))


def _candidates(look: InstanceLook) -> list[UsableExplore]:
    """The explores that could be used, with what their account dimensions match."""
    found = [UsableExplore(each, usage_role(each), feature_role(each)) for each in look.explores]
    promising = [each for each in found if each.usage or each.features or any_date(each.seen) is not None]
    promising.sort(key=lambda each: -each.fit)
    for each in promising[:QUERIED]:
        each.matches = look.accounts_of(each.seen)
        each.likeliest = next(iter(account_dimensions(each.seen)), None)
    return promising[:QUERIED]


def _account_field(candidates: Sequence[UsableExplore]) -> tuple[str | None, Counter[str]]:
    """The account's field that most rows are found by, over all explores; the id where several are as good."""
    total: Counter[str] = Counter()
    for each in candidates:
        for match in each.matches:
            total[match.field] += match.linked
    best = max(total, key=lambda name: (total[name], name == ID, name), default=None)
    return best, total


def _model(fitting: Sequence[UsableExplore]) -> tuple[str, list[UsableExplore]]:
    """The model that has most of what is asked, since the mapping names one; and its explores."""
    by_model: dict[str, list[UsableExplore]] = {}
    for each in fitting:
        by_model.setdefault(each.seen.model, []).append(each)

    def worth(model: str) -> tuple[int, int]:
        roles = (any(each.usage for each in by_model[model]), any(each.features for each in by_model[model]))
        return 2 * roles[0] + roles[1], sum(match.linked for each in by_model[model] for match in each.matches)

    best = max(by_model, key=worth)
    return best, by_model[best]


# --- the account and the model ------------------------------------------------------------------------------------


def _instance_line(look: InstanceLook) -> str:
    names = sum(map(len, look.models.values()))
    explores = f"{counted(names, 'explore')}, {len(look.explores):,} of them looked at"
    return f"{counted(len(look.models), 'model')} with {explores}"


def _no_account() -> MappingChoice:
    return MappingChoice(("looker", "account_field"), ID, "No field was found that links; this one links nobody")


def _account_choice(candidates: Sequence[UsableExplore], best: str, total: Mapping[str, int]) -> MappingChoice:
    named = [(each.seen.name, match) for each in candidates if (match := each.match(best)) is not None]
    why = "; ".join(
        f"{match.linked:,} of its {match.values:,} values are among the {match.records:,} of {match.carrier}"
        for _explore, match in named[:4]
    )
    others = tuple(
        (name, f"{count:,} values in the same dimensions")
        for name, count in total.items()
        if name != best and all(_same_key(each, best, name) for each in candidates)
    )
    return MappingChoice(("looker", "account_field"), best, why, others[:MOST_OTHERS], asked=True)


def _same_key(each: UsableExplore, best: str, other: str) -> bool:
    """Whether an explore that knows accounts by a field knows them by the other one in the same dimension."""
    ours, theirs = each.match(best), each.match(other)
    return ours is None or (theirs is not None and theirs.carrier == ours.carrier)


def _model_choice(model: str, ours: Sequence[UsableExplore], look: InstanceLook) -> MappingChoice:
    why = f"It has rows of accounts in {listed(each.seen.name for each in ours)}"
    others = tuple((name, f"{len(explores):,} explores") for name, explores in look.models.items() if name != model)
    return MappingChoice(("looker", "model"), model, why, others[:5])


# --- usage and features -------------------------------------------------------------------------------------------


def _usage(ours: Sequence[UsableExplore], account_field: str | None, unknown: list[str]) -> Iterator[MappingChoice]:
    ranked = sorted(
        (each for each in ours if each.usage is not None), key=lambda each: -(each.usage.fit if each.usage else 0)
    )
    if not ranked:
        unknown.append(NO_USAGE)
        yield MappingChoice(("looker", "usage"), "none", "No explore was found for it")
        return
    best, *rest = ranked
    role = best.usage
    if role is None:
        return
    others = tuple((each.seen.name, "has fields for it as well; name all of its fields then") for each in rest)
    at = ("looker", "usage")
    yield MappingChoice(
        (*at, "explore"), best.seen.name, "It has days, months, distinct users and sessions of accounts", others
    )
    yield MappingChoice((*at, "account"), best.key(account_field), MATCHES)
    yield MappingChoice((*at, "date"), role.date, "Its days")
    yield MappingChoice((*at, "month"), role.month, "The months of the same dates")
    yield MappingChoice((*at, "users"), role.users, "Counts distinct users")
    yield MappingChoice((*at, "sessions"), role.sessions, "Counts sessions")
    unknown += [f"What {name} counts: it is of the right kind, and its name doesn't say it" for name in role.in_doubt]
    yield from _filters(best.seen, at, unknown)


def _features(
    look: InstanceLook, ours: Sequence[UsableExplore], account_field: str | None, unknown: list[str]
) -> Iterator[MappingChoice]:
    ranked = sorted(
        (each for each in ours if each.features), key=lambda each: -(each.features.fit if each.features else 0)
    )
    for each in ranked:
        role, key = each.features, each.key(account_field)
        if role is None or key is None:
            continue
        used = look.features_of(each.seen, key, role.feature)
        named = {name: count for name, count in used.items() if is_fit(name)}
        if _is_catalogue(named):
            yield from _feature_choices(each.seen, key, role, named, unknown)
            return
        unknown.append(f"{role.feature}: {len(used):,} values, which are no catalogue of features")
    unknown.append("Which features there are: no explore of the model was found that has features by account and day")
    yield MappingChoice(("looker", "features"), "none", "No explore was found for it")


def _is_catalogue(used: Mapping[str, int]) -> bool:
    """Whether values are features: a few, or more of which most are used by several accounts."""
    if any("@" in name for name in used):  # addresses of people
        return False
    several = sum(count > 1 for count in used.values())
    return 2 <= len(used) <= FEW_FEATURES or (len(used) <= MOST_FEATURES and 2 * several > len(used) > 1)


def _feature_choices(
    seen: SeenExplore, key: str, role: FeatureRole, used: Mapping[str, int], unknown: list[str]
) -> Iterator[MappingChoice]:
    at = ("looker", "features")
    ordered = sorted(used, key=lambda name: (-used[name], name))
    left_out = [name for name in ordered if words_of(name) & NOT_FOR_ALL]
    catalogue = [name for name in ordered if name not in left_out]
    most, fewest = used[ordered[0]], used[ordered[-1]]
    why = f"{counted(len(used), 'feature')} were used in the last {DAYS} days, by {most:,} to {fewest:,} accounts each"
    others: tuple[tuple[object, str], ...] = ()
    if left_out:
        why += f"; {listed(left_out)} was left out, since its name says that it is not for everybody"
        others = ((ordered, "all of them"),)
    yield MappingChoice((*at, "explore"), seen.name, "It has a feature's name beside the account and a date")
    yield MappingChoice((*at, "account"), key, MATCHES)
    yield MappingChoice((*at, "date"), role.date, "The date of use")
    yield MappingChoice((*at, "feature"), role.feature, f"Its values: {listed(ordered)}")
    yield MappingChoice((*at, "catalogue"), catalogue, why, others)
    yield from _filters(seen, at, unknown)


def _filters(seen: SeenExplore, at: tuple[str, ...], unknown: list[str]) -> Iterator[MappingChoice]:
    """A filter that the explore has of its own: all rows, unless it keeps out what is no usage."""
    chosen: dict[str, str] = {}
    for name, value in seen.about.default_filters.items():
        about = seen.about.fields.get(name)
        if value.strip() and about is not None and not about.is_time:
            keeps_out = about.type == "yesno" or bool(words_of(name) & NOT_FOR_ALL)
            chosen[name] = value if keeps_out else ""
    if not chosen:
        return
    usual = {name: seen.about.default_filters[name] for name in chosen}
    unknown.append(
        f"Which rows of explore {shown(seen.name)} count: it filters by {listed(chosen)} unless told otherwise"
    )
    why = "The explore filters by this itself; an empty text asks for all rows"
    yield MappingChoice((*at, "filters"), chosen, why, ((usual, "as the explore filters itself"),))


# --- figures ------------------------------------------------------------------------------------------------------


def _figures(found: FoundFigures) -> Iterator[MappingChoice]:
    at = ("looker", "platform")
    if found.explore is not None:
        yield MappingChoice((*at, "explore"), found.explore, "It has figures of 0 to 100 by account and date")
        yield MappingChoice((*at, "account"), found.account, MATCHES)
        yield MappingChoice((*at, "date"), found.date, "The date of the figures")
    why = (
        "; ".join(found.reasons) or "No explore or saved Look has figures of 0 to 100 that are called an index or score"
    )
    yield MappingChoice((*at, "pillars"), found.pillars or None, why)
    if found.metrics:
        why = "Metrics of your own count once the scorecard declares them"
        yield MappingChoice(("looker", "metrics"), None, why, tuple(found.metrics))
    if found.seats:
        why = "The CRM's count of seats is taken, unless one is named here"
        yield MappingChoice(("looker", "seats"), None, why, tuple(found.seats))


def _days(ours: Iterable[UsableExplore], unknown: list[str]) -> Iterator[MappingChoice]:
    """In whose days the database counts, where Looker can't move them."""
    fixed = [each.seen.name for each in ours if not each.seen.about.has_zones]
    why = "Looker moves days into your time zone"
    if fixed:
        why = f"Explore {listed(fixed)} has no time zones: its days are the database's own"
        unknown.append(f"In which zone the days of explore {listed(fixed)} are; ask who runs the warehouse")
    yield MappingChoice(("looker", "database_timezone"), "UTC", why)
    unknown += [
        f"Whether explore {shown(each.seen.name)} shows our user all rows: it has access filters. Give the API user "
        "the value `%, NULL` of their user attributes"
        for each in ours
        if each.seen.about.access_filters
    ]
