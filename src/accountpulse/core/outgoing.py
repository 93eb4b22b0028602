"""What every text goes through that leaves for people, wherever it comes from: no secret, nothing that steers.

The places where text leaves call it: the streams (observe/outlet.py), log and Rollbar (observe/), the page and the CSV
files. What is kept for the program itself loses its secrets alone (state/files.py).
"""

from typing import TYPE_CHECKING, Any

from accountpulse.core.plain_text import plain, plain_table
from accountpulse.core.redact import REDACT, mapped

if TYPE_CHECKING:
    import polars as pl


def outgoing(text: str) -> str:
    """One text. A secret that was cut in two by an invisible character is found as well."""
    clean = REDACT(text)
    shown = plain(clean)
    return clean if shown == clean else REDACT(shown)


def outgoing_data(value: Any) -> Any:
    """Plain data: texts, numbers, lists, mappings and their keys."""
    return REDACT.data(mapped(REDACT.data(value), plain))


def outgoing_table(table: "pl.DataFrame") -> "pl.DataFrame":
    """A table, each text of it on one line."""
    return REDACT.table(plain_table(REDACT.table(table)))
