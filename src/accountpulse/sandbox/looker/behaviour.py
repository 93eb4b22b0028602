"""What a test can change in the instance beyond its data."""

from dataclasses import dataclass, field


@dataclass
class LookerBehaviour:
    """What a real instance may do to its callers."""

    calls_per_token: int | None = None  # then it is taken for expired
    most_rows: int | None = None  # of an unlimited answer, where the role lacks download_without_limit (there: 5000)
    broken: dict[str, int] = field(default_factory=dict)  # explore → rows after which its database gives up
    closed: set[str] = field(default_factory=set)  # explores and Looks that the user may not see
    forbidden: set[str] = field(default_factory=set)  # explores that may be looked at and not be queried
