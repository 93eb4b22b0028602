"""The last backtest of the state's own months, for the report: `proof/backtest.json`. Its document names no account."""

from collections.abc import Mapping
from typing import Any

import msgspec

from accountpulse.state.files import Files

BACKTEST = "proof/backtest.json"


class KeptDocument(msgspec.Struct):
    """What the report reads of the document; one without it, of another version, is none."""

    known_until: str
    months: list[str]
    scorecard: dict[str, str]
    labels: dict[str, Any]
    main: str
    renewals: dict[str, Any]
    account_months: dict[str, Any]
    sentences: list[str]
    not_proven: list[str]


class KeptBacktest(msgspec.Struct):
    """What is kept, at least."""

    made_at: str
    document: KeptDocument


class Backtests:
    """What was held against what happened."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    def last(self) -> dict[str, Any] | None:
        """`made_at` and `document` of the last one that was kept; None where there is none."""
        return self._files.read_json(BACKTEST, KeptBacktest, sealed=True)

    def keep(self, made_at: str, document: Mapping[str, Any]) -> None:
        """Keep one in place of the one before."""
        self._files.write_json(BACKTEST, {"made_at": made_at, "document": document})
