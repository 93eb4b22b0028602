"""The `looker:` block of accountpulse.yaml."""

from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, Tag

from accountpulse.settings.parts import ApiName, Part, Unless


def _text_of(value: object) -> object:
    return str(value) if type(value) is int else value


LookId = Annotated[str, Field(pattern=r"^\w+$"), BeforeValidator(_text_of)]


class UsageExplore(Part):
    """Sessions: the explore and its fields.

    `users` is a measure that counts distinct users, `date` a dimension of days (`2026-10-31`), `month` one of months
    (`2026-10`).
    """

    explore: ApiName = "user_sessions"
    account: ApiName = "user_sessions.account_id"
    date: ApiName = "user_sessions.session_date"
    month: ApiName = "user_sessions.session_month"
    users: ApiName = "user_sessions.distinct_users"
    sessions: ApiName = "user_sessions.session_count"


class FeatureExplore(Part):
    """Features in use: the explore and its fields. `catalogue` names the features that count."""

    explore: ApiName = "feature_usage"
    account: ApiName = "feature_usage.account_id"
    date: ApiName = "feature_usage.used_date"
    feature: ApiName = "feature_usage.feature_name"
    catalogue: tuple[str, ...] = ()


class SavedLook(Part):
    """A pillar from a saved Look: its id and columns.

    With `month` (`YYYY-MM`) only the period's rows are taken; without one, the figures are those that the Look shows
    on the day of the run, also for an earlier period.
    """

    look: LookId
    account: ApiName
    value: ApiName
    month: ApiName | None = None


def _kind_of_pillar(value: object) -> str:
    """By its form, so that a mistake in one kind isn't told as one in the other as well."""
    return "[measure]" if isinstance(value, str) else "[look]"


Pillar = Annotated[
    Annotated[ApiName, Tag("[measure]")] | Annotated[SavedLook, Tag("[look]")], Discriminator(_kind_of_pillar)
]


class PillarExplore(Part):
    """Platform value: a 0–100 measure for each pillar, averaged over the period, or a saved Look's column."""

    explore: ApiName = "platform_metrics"
    account: ApiName = "platform_metrics.account_id"
    date: ApiName = "platform_metrics.metric_date"
    pillars: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Pillar] = Field(default_factory=dict)


class LookerMapping(Part):
    """Which model, explores and fields hold usage.

    The explores' account fields hold what the CRM's account holds in `account_field`; record ids of 15 and 18
    characters are the same. Days and months are those of `timezone`. `timeout`: seconds that a query may stay without
    an answer.
    """

    account_field: ApiName = "Id"
    model: str = "alliants"
    timeout: int = Field(default=300, ge=10, le=3600)
    usage: Unless[UsageExplore] = UsageExplore()
    features: Unless[FeatureExplore] = FeatureExplore()
    platform: PillarExplore = PillarExplore()
