"""How to reach Looker, and the `looker:` block of accountpulse.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from accountpulse.core.catalogue import pillar_metric
from accountpulse.core.records import SEATS
from accountpulse.core.secret import Secret
from accountpulse.core.yaml_structs import After, Before, Chosen
from accountpulse.systems.discovery import DiscoverRequest
from accountpulse.systems.environment import EnvironmentReader, Variable
from accountpulse.systems.extraction import ExtractRequest
from accountpulse.systems.mapping_parts import (
    OFF,
    AccountUrl,
    ApiName,
    CountName,
    DateName,
    DayName,
    DistinctCountName,
    MappingBlock,
    MetricName,
    MonthName,
    NumberName,
    OwnMetricName,
    ReferenceName,
    TextName,
    Unless,
)
from accountpulse.systems.system import AccountAddress

VARIABLES = (
    Variable("LOOKER_BASE_URL", "Looker address, without a path", required=True),
    Variable("LOOKER_CLIENT_ID", "Looker API client id", secret=True, required=True),
    Variable("LOOKER_CLIENT_SECRET", "Looker API client secret", secret=True, required=True),
)


@dataclass(frozen=True)
class LookerAccess:
    """How to reach Looker."""

    base_url: str
    client_id: Secret
    client_secret: Secret


def access(environment: EnvironmentReader) -> LookerAccess | None:
    """Read it; None without an address and an API client."""
    client_id, client_secret = environment.secret("LOOKER_CLIENT_ID"), environment.secret("LOOKER_CLIENT_SECRET")
    base_url = environment.url("LOOKER_BASE_URL")
    complete = environment.together("Looker", ["LOOKER_BASE_URL", "LOOKER_CLIENT_ID", "LOOKER_CLIENT_SECRET"])
    if urlsplit(base_url).path:
        environment.problems.append("LOOKER_BASE_URL must not have a path")
    if not complete or client_id is None or client_secret is None:
        return None
    return LookerAccess(base_url, client_id, client_secret)


def _text_of(value: object) -> object:
    return str(value) if type(value) is int else value


LookId = Annotated[str, msgspec.Meta(pattern=r"^\w+$"), Before(_text_of)]


Filters = dict[ApiName, str]


def _own_filters(filters: Filters, *taken: str | None) -> None:
    """ValueError where a filter is on a field that the run itself filters by."""
    if doubled := set(taken) & set(filters):
        raise ValueError(f"filters: {', '.join(sorted(filter(None, doubled)))} is filtered by the run itself")


class UsageExplore(MappingBlock, frozen=True):
    """Sessions: the explore and its fields.

    `users` is a measure that counts distinct users (type `count_distinct`, or the `count` of a joined view of users),
    `date` the time frame of days (`2026-10-31`), `month` that of months (`2026-10`) of the same dimension group.
    `filters` are Looker's own filter expressions, by field; one that the explore has by default has to be named here,
    with the value that you want, or `""` for all rows. `quiet_days`: so many days on end without a row of anybody say
    that the data has a hole, and not that nobody came.
    """

    explore: ApiName = "user_sessions"
    account: ReferenceName = "user_sessions.account_id"
    date: DayName = "user_sessions.session_date"
    month: MonthName = "user_sessions.session_month"
    users: DistinctCountName = "user_sessions.distinct_users"
    sessions: CountName = "user_sessions.session_count"
    filters: Filters = msgspec.field(default_factory=dict)
    quiet_days: Annotated[int, msgspec.Meta(ge=1, le=31)] = 4

    def __post_init__(self) -> None:
        _own_filters(self.filters, self.account, self.date)


class FeatureExplore(MappingBlock, frozen=True):
    """Features in use: the explore and its fields. `catalogue` names the features that count.

    `date` is only filtered by: a day, an instant, or a filter-only field. `filters`: as in `usage`.
    """

    explore: ApiName = "feature_usage"
    account: ReferenceName = "feature_usage.account_id"
    date: DateName = "feature_usage.used_date"
    feature: TextName = "feature_usage.feature_name"
    catalogue: tuple[str, ...] = ()
    filters: Filters = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        _own_filters(self.filters, self.account, self.date)


class SavedLook(MappingBlock, frozen=True):
    """A figure from a saved Look: its id and columns.

    With `month` (`YYYY-MM`) only the period's rows are taken; without one, the figures are those that the Look shows
    on the day of the run, also for an earlier period.
    """

    look: LookId
    account: ReferenceName
    value: NumberName
    month: MonthName | None = None

    @property
    def question(self) -> str:
        """What is asked: figures of the same question come by one run."""
        return f"Look {self.look}"


class Measure(MappingBlock, frozen=True):
    """A figure from a measure of an explore, over the period, or over the `days` that end with it.

    `filters` are Looker's own filter expressions, by field: also those that the explore has by default, `""` for all
    rows. `date: null` asks without a date: the figures are those of the day of the run, also for an earlier period.
    """

    explore: ApiName
    account: ReferenceName
    date: DateName | None
    measure: NumberName
    days: Annotated[int, msgspec.Meta(ge=1, le=730)] | None = None
    filters: Filters = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.date is None and self.days is not None:
            raise ValueError("days needs a date to count them by")
        _own_filters(self.filters, self.account, self.date)

    @property
    def question(self) -> str:
        """What is asked, but for the measure: figures of the same question come by one query."""
        return repr((self.explore, self.account, self.date, self.days, sorted(self.filters.items())))


def _kind(value: object) -> type[MappingBlock]:
    """A figure's, by its form."""
    named = value if isinstance(value, dict) else {}
    return Measure if {"explore", "measure"} & set(named) else SavedLook


Figure = Annotated[SavedLook | Measure, Chosen(_kind)]
Pillar = Annotated[
    ApiName | SavedLook | Measure, Chosen(lambda value: ApiName if isinstance(value, str) else _kind(value))
]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone such as Europe/Berlin") from None
    return name


class PillarExplore(MappingBlock, frozen=True):
    """Platform value: a 0–100 figure for each pillar, averaged over the period.

    A name alone is a measure of this explore; else a pillar is given in full, as an own metric is. `filters`: as in
    `usage`, for the pillars that are a name alone.
    """

    explore: ApiName = "platform_metrics"
    account: ReferenceName = "platform_metrics.account_id"
    date: DateName = "platform_metrics.metric_date"
    pillars: dict[MetricName, Pillar] = msgspec.field(default_factory=dict)
    filters: Filters = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        _own_filters(self.filters, self.account, self.date)

    @property
    def figures(self) -> Mapping[str, Measure | SavedLook]:
        """Where each pillar comes from, by its metric."""
        return {
            pillar_metric(name).name: self._measure(source) if isinstance(source, str) else source
            for name, source in self.pillars.items()
        }

    def _measure(self, name: str) -> Measure:
        return Measure(explore=self.explore, account=self.account, date=self.date, measure=name, filters=self.filters)


class LookerMapping(MappingBlock, frozen=True):
    """Which model, explores and fields hold usage.

    The explores' account fields hold what the CRM's account holds in `account_field`; record ids of 15 and 18
    characters are the same. Days and months are those of `timezone`. `database_timezone`: the zone of days that Looker
    can't move into another one (an explore without time zones, a date with `convert_tz: no`). `timeout`: seconds that a
    query may stay without an answer. `metrics`: own metrics, which may also stand at the top of the file. `seats`:
    where an account's seats come from; the CRM's count for accounts without a figure here.
    """

    account_field: ApiName = "Id"
    model: str = "alliants"
    database_timezone: Annotated[str, After(_zone)] = "UTC"
    timeout: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 300
    usage: Unless[UsageExplore] = UsageExplore()
    features: Unless[FeatureExplore] = FeatureExplore()
    platform: PillarExplore = PillarExplore()
    metrics: dict[OwnMetricName, Figure] = msgspec.field(default_factory=dict)
    seats: Unless[Figure] = None
    account_url: AccountUrl = None  # null: none, since which Look shows an account is yours to say

    @property
    def figures(self) -> Mapping[str, Measure | SavedLook]:
        """Where each figure of an account comes from, by its metric or attribute."""
        return {**self.platform.figures, **self.metrics, **({SEATS: self.seats} if self.seats else {})}


def link_to(_access: LookerAccess, mapping: LookerMapping) -> AccountAddress | None:
    """The address that the mapping names."""
    url = mapping.account_url
    return None if url is None or url == OFF else AccountAddress(url)


LookerRequest = ExtractRequest[LookerAccess, LookerMapping]
LookerLook = DiscoverRequest[LookerAccess, LookerMapping]
