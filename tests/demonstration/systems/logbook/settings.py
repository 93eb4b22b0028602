"""Where the logbook lies, and the `logbook:` block of accountpulse.yaml."""

from dataclasses import dataclass
from pathlib import Path

from accountpulse.systems.environment import EnvironmentReader, Variable
from accountpulse.systems.mapping_parts import MappingBlock

VARIABLES = (Variable("LOGBOOK_FILE", "Logbook: the Parquet file that scores are written to", required=True),)


@dataclass(frozen=True)
class LogbookAccess:
    """Where it lies."""

    file: Path


class LogbookMapping(MappingBlock):
    """Nothing is mapped."""


def access(environment: EnvironmentReader) -> LogbookAccess | None:
    """Read it; None where no file is named."""
    file = environment.get("LOGBOOK_FILE")
    return LogbookAccess(Path(file)) if file else None
