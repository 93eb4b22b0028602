"""The document's data inside the page: facts in the open, lists and details compressed, details in chunks of accounts.

Lists are opened when the page starts, a chunk of details when one of its accounts is looked at.
"""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from accountpulse.report.page_text import band_tones, tier_tones

CHUNK = 250  # accounts: some 100 kB each to open, a moment on a phone
DECIMALS = 4  # of what is computed; the page shows two at most
_COLUMNS = (
    "id", "name", "segment", "owner", "arr", "seats", "tier", "tier_before", "health", "health_before", "lower",
    "upper", "coverage", "risk", "band", "renewal", "cap", "drivers", "not_rated", "step",
)  # fmt: skip
_DETAILS = ("lines", "metrics", "change", "dimensions", "signals", "signal_counts")
_FACTS = ("period", "period_text", "as_of", "before", "catalogue", "dimensions", "periods", "scorecards")


def facts(document: Mapping[str, Any]) -> str:
    """What every view needs, as JSON that may stand in an element."""
    details = document["details"]
    told = {name: document[name] for name in _FACTS} | {
        "currency": document["arr"]["currency"],
        "count": len(document["accounts"]["id"]),
        "chunk": CHUNK,
        "tiers": _with_tones(document["tiers"], tier_tones(document["tiers"])),
        "bands": _with_tones(document["bands"], band_tones(document["bands"])),
        "reasons": details["reasons"],
        "since": details["change"]["since"],
    }
    return _json(told).replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _with_tones(rows: Sequence[Mapping[str, Any]], tones: Mapping[str | None, str]) -> list[dict[str, Any]]:
    return [{**row, "tone": tones[row["name"]]} for row in rows]


def lists(document: Mapping[str, Any]) -> str:
    """Accounts with their columns, and the orders in which lists show them, compressed."""
    accounts = {name: document["accounts"].get(name) for name in _COLUMNS}
    orders = {name: document[name] for name in ("worklist", "movers", "renewals")}
    return _packed(_rounded({"accounts": accounts, **orders}))


def details(document: Mapping[str, Any]) -> list[str]:
    """What only the view of an account shows, compressed, `CHUNK` accounts each."""
    count = len(document["accounts"]["id"])
    columns = {name: document["details"].get(name) for name in _DETAILS}
    return [_packed(_part(columns, begin, begin + CHUNK)) for begin in range(0, count, CHUNK)]


def _part(value: Any, begin: int, end: int) -> Any:
    """The same tree of columns, of some accounts."""
    if isinstance(value, Mapping):
        return {name: _part(inside, begin, end) for name, inside in value.items()}
    return _rounded(value[begin:end]) if isinstance(value, list) else value


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, Mapping):
        return {name: _rounded(inside) for name, inside in value.items()}
    return [_rounded(inside) for inside in value] if isinstance(value, list) else value


def _packed(value: Any) -> str:
    """Gzip, base64; the same value gives the same text."""
    return base64.b64encode(gzip.compress(_json(value).encode(), mtime=0)).decode()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
