"""What the page says before any script runs: the headline and the rows of its tables, for the templates."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from accountpulse.report.page_text import MISSING, Texts, band_tones, day, due, fixed, signed, tier_tones, words

Document = Mapping[str, Any]
FIRST = 25  # accounts of the worklist that are written into the page; the scripts show the rest
FIRST_MOVERS = 10
_COLUMNS = (
    "id", "name", "segment", "owner", "arr", "tier", "health", "health_before", "risk", "band", "renewal", "cap",
    "drivers", "not_rated", "step",
)  # fmt: skip


def figures(document: Document, texts: Texts) -> dict[str, Any]:
    """Everything that templates show besides the document itself."""
    tones, bands = tier_tones(document["tiers"]), band_tones(document["bands"])
    rows = Rows(document, texts)
    return {
        "tones": tones,
        "band_tones": bands,
        "headline": headline(document),
        "most": {key: _most(document["distribution"], key) for key in ("accounts", "arr")},
        "at_risk": _at_risk(document),
        "gaps": _grouped(document["gaps"], "source"),
        "worklist": [rows.account(i, place) for place, i in enumerate(document["worklist"][:FIRST], 1)],
        "movers": [rows.mover(mover) for mover in document["movers"][:FIRST_MOVERS]],
        "attention": [rows.account(i, 0) for i in document["renewals"]["attention"][:FIRST]],
        "blank": _Blank(),
        "labels": {metric["name"]: metric["label"] for metric in document["catalogue"]},
        "owners": _names(document["accounts"]["owner"]),
        "segments": _names(document["accounts"]["segment"]),
    }


def _most(rows: Iterable[Mapping[str, Any]], key: str) -> float:
    """The longest bar of the distribution, now or before."""
    return max(row[name] or 0 for row in rows for name in (key, f"{key}_before"))


def _names(column: Sequence[str | None]) -> list[str]:
    return sorted({name for name in column if name is not None}, key=str.casefold)


def headline(document: Document) -> dict[str, Any]:
    """The four figures on top: ARR at the highest risk, renewals to look after, who changed tier, how much is known."""
    worst = next(row for row in document["risk"] if row["band"] == document["bands"][-1]["name"])
    ranks = {tier["name"]: tier["rank"] for tier in document["tiers"][:-1]}
    moves = [(ranks.get(mover["tier_before"]), ranks.get(mover["tier"])) for mover in document["movers"]]
    steps = [now - then for then, now in moves if then is not None and now is not None]
    arr = document["accounts"]["arr"]
    more = _difference(worst, "arr"), _difference(worst, "accounts")
    attention = document["renewals"]["attention"]
    return {
        "worst": worst,
        "arr_more": more[0],
        "accounts_more": more[1],
        "fell": sum(step > 0 for step in steps),
        "rose": sum(step < 0 for step in steps),
        "attention": len(attention),
        "attention_arr": sum(arr[i] or 0.0 for i in attention),
    }


def _difference(row: Mapping[str, Any], key: str) -> float | None:
    now, before = row[key], row[f"{key}_before"]
    return None if now is None or before is None else now - before


def _at_risk(document: Document) -> list[dict[str, Any]]:
    order = [tier["name"] for tier in document["tiers"]]
    bands = [*(band["name"] for band in document["bands"]), None]
    told = []
    for key in ("tier", "segment", "owner"):
        rows = [_spread(name, inside, bands) for name, inside in _grouped(document["at_risk"][f"by_{key}"], key)]
        worst = len(bands) - 2
        rows.sort(key=lambda row: (-row["arrs"][worst], -row["arr"]))
        if key == "tier":
            rows.sort(key=lambda row: order.index(row["name"]))
        told.append({"key": key, "rows": rows, "most": max((row["arr"] for row in rows), default=0.0)})
    return told


def _spread(name: str | None, rows: Iterable[Mapping[str, Any]], bands: Sequence[str | None]) -> dict[str, Any]:
    """One line of ARR by band of risk."""
    arr, accounts = dict.fromkeys(bands, 0.0), dict.fromkeys(bands, 0)
    for row in rows:
        arr[row["band"]] += row["arr"] or 0.0
        accounts[row["band"]] += row["accounts"]
    return {"name": name, "arrs": list(arr.values()), "counts": list(accounts.values()),
            "arr": sum(arr.values()), "accounts": sum(accounts.values())}  # fmt: skip


def _grouped(rows: Iterable[Mapping[str, Any]], key: str) -> list[tuple[Any, list[Mapping[str, Any]]]]:
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return list(groups.items())


class _Blank(dict[str, Any]):
    """A row without texts, of which the scripts make lines."""

    def __missing__(self, name: str) -> Any:
        return [] if name == "why" else ""


class Rows:
    """An account's line in a list, as texts; rows.js writes the same texts."""

    def __init__(self, document: Document, texts: Texts) -> None:
        self.columns: Mapping[str, list[Any] | None] = document["accounts"]
        self.as_of = date.fromisoformat(document["as_of"])
        self.tones = tier_tones(document["tiers"])
        self.ranks = {tier["name"]: tier["rank"] for tier in document["tiers"][:-1]}
        self.texts = texts

    def _cell(self, name: str, i: int) -> Any:
        column = self.columns.get(name)
        return None if column is None else column[i]

    def account(self, i: int, place: int) -> dict[str, Any]:
        """For the worklist, `place` counted from 1, and for renewals."""
        cell = {name: self._cell(name, i) for name in _COLUMNS}
        health, before, renewal = cell["health"], cell["health_before"], cell["renewal"]
        held = [f"held down by: {', '.join(words(cell['cap']))}"] if cell["cap"] else []
        return {
            "place": str(place),
            "id": cell["id"],
            "name": cell["name"],
            "about": cell["segment"] or "",
            "tier": cell["tier"],
            "tone": self.tones[cell["tier"]],
            "health": fixed(health),
            "change": "" if health is None or before is None else signed(health - before),
            "risk": fixed(cell["risk"], 0),
            "band": cell["band"] or "",
            "arr": self.texts.money(cell["arr"]),
            "renewal": day(renewal),
            "due": "" if renewal is None else due((date.fromisoformat(renewal) - self.as_of).days),
            "why": [*held, *words(cell["drivers"]), *words(cell["not_rated"])],
            "step": cell["step"] or "",
            "owner": cell["owner"] or MISSING,
        }

    def _way(self, mover: Mapping[str, Any]) -> str:
        """`fell`, `rose`, or neither: to be without a score, or to have had a tier that is no more, is no step."""
        then, now = self.ranks.get(mover["tier_before"]), self.ranks.get(mover["tier"])
        step = mover["change"] or (0 if then is None or now is None else then - now)
        return "fell" if step < 0 else "rose" if step > 0 else ""

    def mover(self, mover: Mapping[str, Any]) -> dict[str, Any]:
        """One line of the movers."""
        i, effect = mover["i"], mover["scorecard_effect"]
        apart = [f"the scorecard's own change: {signed(effect)}"] if effect and signed(effect) != "0.0" else []
        return {
            "id": self._cell("id", i),
            "name": self._cell("name", i),
            "arr": self.texts.money(mover["arr"]),
            "owner": self._cell("owner", i) or MISSING,
            "tier": mover["tier"],
            "tone": self.tones.get(mover["tier"], "none"),
            "tier_before": mover["tier_before"],
            "tone_before": self.tones.get(mover["tier_before"], "none"),
            "health": fixed(mover["health"]),
            "health_before": fixed(mover["health_before"]),
            "change": signed(mover["change"]),
            "way": self._way(mover),
            "why": [*mover["words"], *apart],
        }
