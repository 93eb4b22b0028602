"""What a test can change in the org beyond its data."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class SalesforceBehaviour:
    """How the org behaves beyond its data; a test changes it, also while the server runs."""

    hidden: set[tuple[str, str]] = field(default_factory=set)  # object and field that the user may not read
    calls_per_session: int | None = None  # after as many calls a session has expired
    calls_before: int = 0  # of the day's allocation, used by others
    busy: int = 0  # the next n calls find too many long calls running
    page_size: int = 2_000  # records of a query page
    locked: dict[str, int] = field(default_factory=dict)  # account id → its next n upserts find the row locked
    unseen: set[str] = field(default_factory=set)  # ids that our user may put into no lookup
    refused: set[str] = field(default_factory=set)  # account ids whose upsert a validation rule refuses
    bulk_looks: int = 1  # looks at a bulk job that find it still at work
    bulk_failure: tuple[int, str] | None = None  # the next bulk job ends after so many records, with this message
    bulk_bytes: int = 100_000_000  # of CSV in one job
