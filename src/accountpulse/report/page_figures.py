"""What the page says before any script runs: the headline and the rows of its tables, for the templates."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accountpulse.report.columns import CROSSED, DANGER, DISAGREED, MOVERS, RENEWALS, WORKLIST
from accountpulse.report.limits import AHEAD, LEAST_CHANGE, MOST_POINTS
from accountpulse.report.page_rows import AccountTexts
from accountpulse.report.page_text import band_tones, tier_tones
from accountpulse.scoring.ranking import SOON

FIRST = 25  # lines of a list that are written into the page; the scripts show the rest
FIRST_MOVERS = 10
FIRST_GROUPS = 50  # and no more: the CSV has all


def figures(document: Mapping[str, Any], rows: AccountTexts) -> dict[str, Any]:
    """Everything that templates show besides the document itself."""
    return {
        "tones": tier_tones(document["tiers"]),
        "band_tones": band_tones(document["bands"]),
        "greens": [tier["name"] for tier in document["tiers"] if tier["green"]],
        "headline": headline(document),
        "most": {key: _most(document["distribution"], key) for key in ("accounts", "arr")},
        "at_risk": _at_risk(document),
        "gaps": _grouped(document["gaps"], "source"),
        "columns": {
            "worklist": WORKLIST,
            "movers": MOVERS,
            "danger": DANGER,
            "crossed": CROSSED,
            "disagreed": DISAGREED,
            "renewals": RENEWALS,
        },
        "worklist": [rows.line(i) for i in document["worklist"][:FIRST]],
        "movers": [rows.line(mover["i"]) | rows.mover(mover) for mover in document["movers"][:FIRST_MOVERS]],
        "danger": [rows.line(i) | {"links": rows.links(i)} for i in document["danger"][:FIRST]],
        "crossed": [rows.line(each["i"]) | rows.crossing(each) for each in document["crossed"][:FIRST]],
        "disagreed": [rows.line(each["i"]) | rows.disagreement(each) for each in document["disagreed"][:FIRST]],
        "renewals": [rows.line(point["i"]) for point in document["renewals"][:FIRST]],
        "groups": [_group(each, rows) for each in document["groups"][:FIRST_GROUPS]],
        "blank": _Blank(),
        "calibrated": any(bound is not None for bound in document["accounts"]["probability_lower"]),
        "labels": {metric["name"]: metric["label"] for metric in document["catalogue"]},
        "owners": _names(document["accounts"]["owner"]),
        "segments": _names(document["accounts"]["segment"]),
        "limits": {"ahead": AHEAD, "soon": SOON, "change": LEAST_CHANGE, "points": MOST_POINTS},
    }


def _group(group: Mapping[str, Any], rows: AccountTexts) -> dict[str, Any]:
    """A group with the lines of its parent and of its lowest account, where they are in the list."""
    lines = {key: None if group[key] is None else rows.line(group[key]) for key in ("i", "lowest_i")}
    return {**group, "account": lines["i"], "lowest_account": lines["lowest_i"]}


def _most(rows: Iterable[Mapping[str, Any]], key: str) -> float:
    """The longest bar of the distribution, now or before."""
    return max(row[name] or 0 for row in rows for name in (key, f"{key}_before"))


def _names(column: Sequence[str | None]) -> list[str]:
    return sorted({name for name in column if name is not None}, key=str.casefold)


def headline(document: Mapping[str, Any]) -> dict[str, Any]:
    """The four figures on top: renewals in danger, what crossed a line, ARR at the highest risk, how much is known."""
    worst = next(row for row in document["risk"] if row["band"] == document["bands"][-1]["name"])
    ways = [each["way"] for each in document["crossed"]]
    arr, danger = document["accounts"]["arr"], document["danger"]
    known = [arr[i] for i in danger if arr[i] is not None]
    return {
        "worst": worst,
        "fell": ways.count("fell"),
        "rose": ways.count("rose"),
        "nearer": ways.count(""),
        "danger": len(danger),
        "danger_arr": sum(known) if known or not danger else None,
        "danger_unknown": len(danger) - len(known),
    }


def _at_risk(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    order = [tier["name"] for tier in document["tiers"]]
    bands = [*(band["name"] for band in document["bands"]), None]
    groups = []
    for key in ("tier", "segment", "owner"):
        rows = [_spread(name, inside, bands) for name, inside in _grouped(document["at_risk"][f"by_{key}"], key)]
        worst = len(bands) - 2
        rows.sort(key=lambda row: (-row["arrs"][worst], -row["arr"]))
        if key == "tier":
            rows.sort(key=lambda row: order.index(row["name"]))
        groups.append({"key": key, "rows": rows, "most": max((row["arr"] for row in rows), default=0.0)})
    return groups


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
        return [] if name in ("why", "lines", "links") else ""
