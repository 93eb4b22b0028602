"""Own metrics that come from fields of the account: what stands under `metrics:` in accountpulse.yaml."""

import msgspec

from accountpulse.systems.mapping_parts import AgeDays, DateName, FigureName, MappingBlock


class AccountFigure(MappingBlock, frozen=True):
    """A number or a percentage of the Salesforce account: the `field`, as it is on the day of the run.

    `dated` names the date from which the value is: one that is dated after the month is unknown for it (`too_new`), one
    that is older than `max_age_days` on the month's last day is `stale`.
    """

    field: FigureName
    dated: DateName | None = None
    max_age_days: AgeDays | None = None

    def __post_init__(self) -> None:
        if self.max_age_days is not None and self.dated is None:
            raise ValueError("max_age_days needs `dated`, the date from which a value is")


class AccountFigures(MappingBlock, frozen=True):
    """The own metrics that come from fields of the account, by name."""

    metrics: dict[str, AccountFigure] = msgspec.field(default_factory=dict)
