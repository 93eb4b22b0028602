"""What the scripts of the page get: facts in the open, lists and views compressed, views in chunks of accounts.

All of it is ready to be shown: texts, orders and positions. Lists are opened when the page starts, a chunk of views
when one of its accounts is looked at.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from accountpulse.report.limits import MOST_POINTS
from accountpulse.report.page_account import DECIMALS, AccountViews
from accountpulse.report.page_rows import AccountTexts
from accountpulse.report.page_text import Texts, day, month, tier_tones

CHUNK = 250  # accounts: some 100 kB each to open, a moment on a phone


def facts(document: Mapping[str, Any], texts: Texts) -> str:
    """What every view needs, as JSON that may stand in an element."""
    tones, since = tier_tones(document["tiers"]), document["details"]["change"]["since"]
    given = {
        "period_text": document["period_text"],
        "as_of": {"date": document["as_of"], "text": day(document["as_of"])},
        "money": {"sign": texts.sign, "sizes": texts.sizes},
        "chunk": CHUNK,
        "tiers": [
            {"name": tier["name"], "from": tier["from"], "tone": tones[tier["name"]]} for tier in document["tiers"]
        ],
        "months": [month(period) for period in document["periods"]],
        "scorecard_changes": _scorecard_changes(document),
        "change": {
            "from": month(since) if since else "before",
            "to": month(document.get("snapshot") or document["period"]),
            "since": since is not None,
        },
        "dimensions": [dimension["label"] for dimension in document["dimensions"]],
        "metrics": _metrics(document),
    }
    return _json(given).replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _metrics(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is said of each metric of the catalogue; `dimension` is a place among the dimensions."""
    places = {dimension["name"]: place for place, dimension in enumerate(document["dimensions"])}
    return [
        {
            "label": metric["label"],
            "good": metric["good"],
            "about": " · ".join(metric[key] for key in ("direction", "window", "source") if metric[key]),
            "dimension": places.get(metric["dimension"]),
        }
        for metric in document["catalogue"]
    ]


def _scorecard_changes(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """The months of the line from which on another scorecard was used."""
    cards = document["scorecards"]
    ran = [period for period in document["periods"] if period in cards]
    return [
        {"month": month(now), "label": f"{cards[now]['name']} {cards[now]['version']}"}
        for then, now in pairwise(ran)
        if cards[now]["hash"] != cards[then]["hash"]
    ]


def lists(document: Mapping[str, Any], rows: AccountTexts) -> str:
    """The lines of all accounts by slot, what they are sorted by, and the orders of the lists, compressed."""
    given = {
        "slots": rows.slots,
        "keys": rows.keys(),
        "searched": rows.searched(),
        "worklist": document["worklist"],
        "movers": [rows.mover(mover) for mover in document["movers"]],
        "danger": document["danger"],
        "links": {str(i): links for i in document["danger"] if (links := rows.links(i))},
        "crossed": [rows.crossing(each) for each in document["crossed"]],
        "disagreed": [rows.disagreement(each) for each in document["disagreed"]],
        "renewals": [point["i"] for point in document["renewals"]],
        "points": renewal_points(document),
    }
    return _packed(_rounded(given))


def renewal_points(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The renewals that the chart draws, largest ARR first, so that a small one lies on a large one."""
    tones = tier_tones(document["tiers"])
    points = sorted(document["renewals"], key=lambda point: -(point["arr"] or 0))
    return [
        {"i": point["i"], "date": point["date"], "health": point["health"], "arr": point["arr"] or 0,
         "tone": tones.get(point["tier"], "none")}
        for point in points[:MOST_POINTS]
    ]  # fmt: skip


def views(document: Mapping[str, Any], texts: Texts, rows: AccountTexts) -> list[str]:
    """What only the view of an account shows, compressed, `CHUNK` accounts each."""
    made, count = AccountViews(document, texts, rows), len(document["accounts"]["id"])
    parts = (slice(begin, min(begin + CHUNK, count)) for begin in range(0, count, CHUNK))
    return [_packed(made.views(part)) for part in parts]


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
