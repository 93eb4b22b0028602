"""What the shell completes beside the names of options: months, sources and pages. It must answer at once."""

from collections.abc import Iterator
from datetime import UTC, datetime

MONTHS = 24  # the last ones, this one among them


def months(incomplete: str) -> Iterator[str]:
    """The last two years' months, the latest first."""
    today = datetime.now(UTC)
    for back in range(MONTHS):
        index = today.year * 12 + today.month - 1 - back
        if (month := f"{index // 12:04d}-{index % 12 + 1:02d}").startswith(incomplete):
            yield month


def sources(incomplete: str) -> list[str]:
    """The systems that are read."""
    from accountpulse.systems import SOURCES

    return [source.name for source in SOURCES if source.name.startswith(incomplete)]


def pages(incomplete: str) -> list[str]:
    """The pages of the documentation."""
    from accountpulse.cli.docs import topics

    return [name for name in topics() if name.startswith(incomplete)]
