"""Where the ledger lies, and the `ledger:` block of accountpulse.yaml."""

from dataclasses import dataclass
from pathlib import Path

from accountpulse.systems.environment import EnvironmentReader, Variable
from accountpulse.systems.mapping_parts import MappingBlock

VARIABLES = (Variable("LEDGER_FILE", "Ledger: the Parquet file that scores are written to", required=True),)


@dataclass(frozen=True)
class LedgerAccess:
    """Where it lies."""

    file: Path


class LedgerMapping(MappingBlock):
    """Nothing is mapped."""


def access(environment: EnvironmentReader) -> LedgerAccess | None:
    """Read it; None where no file is named."""
    file = environment.get("LEDGER_FILE")
    return LedgerAccess(Path(file)) if file else None
