"""The view of one account, as texts and as the positions of what is drawn; the scripts only make elements of it.

Numbers that add up are rounded so that they add up as they are shown.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from accountpulse.core.catalogue import METRICS, Metric, own_metric
from accountpulse.report.page_text import MISSING, Texts, counted, day, due, fixed, month, sentences, share, signed
from accountpulse.scoring.explain import plain, value_text

NAMED = 5  # metrics by name in the waterfall; the others are one sum
DECIMALS = 4  # of what is computed: smaller effects are none
SEVERITIES = ("critical", "moderate", "watch")


class AccountViews:
    """The views of a document's accounts."""

    def __init__(self, document: Mapping[str, Any], texts: Texts) -> None:
        self._document = document
        self._accounts: Mapping[str, list[Any] | None] = document["accounts"]
        self._details: Mapping[str, Any] = document["details"]
        self._catalogue: Sequence[Mapping[str, Any]] = document["catalogue"]
        self._as_of = date.fromisoformat(document["as_of"])
        self._money = texts.money

    def view(self, i: int) -> dict[str, Any]:
        """Everything that the view of the account at place `i` shows."""
        return {
            "about": self._about(i),
            "figures": self._figures(i),
            "months": self._months(i),
            "dimensions": [self._dimension(dimension, i) for dimension in self._document["dimensions"]],
            "change": self._change(i),
            "signals": self._signals(i),
            **self._metrics(i),
        }

    def _value(self, key: str, i: int) -> Any:
        return _at(self._accounts, key, i)

    def _about(self, i: int) -> list[str]:
        arr, seats, renewal = (self._value(key, i) for key in ("arr", "seats", "renewal"))
        found = [
            "ARR not known" if arr is None else f"{self._money(arr)} of ARR",
            self._value("segment", i),
            None if seats is None else f"{fixed(seats, 0)} seats",
            self._value("owner", i),
            "no renewal known" if renewal is None else f"renewal {day(renewal)}, {due(self._days(renewal))}",
        ]
        return [text for text in found if text]

    def _days(self, renewal: str) -> int:
        return (date.fromisoformat(renewal) - self._as_of).days

    def _figures(self, i: int) -> dict[str, str]:
        """What stands below health and tier, and the coverage; an empty text is nothing to say."""
        keys = ("health", "health_before", "lower", "upper", "coverage", "tier", "tier_before")
        health, then, lower, upper, coverage, tier, tier_then = (self._value(key, i) for key in keys)
        before = self._document["before"]
        since = before["period_text"] if before else "before"
        return {
            "bounds": "" if lower is None else f"between {fixed(lower)} and {fixed(upper)}, whatever is not known",
            "moved": "" if health is None or then is None else f"{signed(health - then)} since {since}",
            "was": f"was {tier_then}" if tier_then is not None and tier_then != tier else "",
            "coverage": MISSING if coverage is None else f"{fixed(coverage, 0)} %",
        }

    def _months(self, i: int) -> list[dict[str, Any]]:
        """Health of each of the twelve months, and what is said of the month."""
        ran, line = self._document["scorecards"], self._details["lines"][i]
        lacking = {period: "no score" if period in ran else "no run" for period in self._document["periods"]}
        return [
            {
                "health": _rounded(health),
                "text": f"{month(period)}: {lacking[period] if health is None else fixed(health)}",
            }
            for period, health in zip(self._document["periods"], line, strict=True)
        ]

    def _dimension(self, dimension: Mapping[str, Any], i: int) -> dict[str, Any]:
        columns = self._details["dimensions"].get(dimension["name"])
        keys = ("score", "lower", "upper", "coverage", "weight")
        score, lower, upper, coverage, weight = (_at(columns, key, i) for key in keys)
        return {
            "score": _rounded(score),
            "lower": _rounded(lower),
            "upper": _rounded(upper),
            "texts": {
                "weight": f"weight {share(dimension['weight'] if weight is None else weight)}",
                "score": fixed(score),
                "range": "" if lower is None else f"{fixed(lower, 0)} to {fixed(upper, 0)}",
                "coverage": share(coverage),
            },
        }

    def _signals(self, i: int) -> dict[str, Any]:
        """Each open signal as its severity and the rest of the sentence; `empty` where there is none to show."""
        found = _at(self._details, "signals", i)
        if found is None:
            counts = [(name, _at(self._details.get("signal_counts"), name, i)) for name in SEVERITIES]
            known = ", ".join(f"{fixed(count, 0)} {name}" for name, count in counts if count)
            return {
                "lines": [],
                "empty": f"{known}; this run kept no more about them." if known else "None known to this run.",
            }
        return {"lines": [[signal["severity"], _signal(signal)] for signal in found], "empty": "None."}

    # --- the waterfall -----------------------------------------------------------------------------------------

    def _change(self, i: int) -> dict[str, Any]:
        """From the health of the period before to now; `steps` is null, and `empty` says why, where there are none."""
        change, health = self._details["change"], self._value("health", i)
        if health is None or not change or _at(change, "total", i) is None:
            since = "Nothing to compare: one of the two periods has no score."
            return {"steps": None, "empty": since if change and change["since"] else "There is no earlier period."}
        parts = [(label, value) for label, value in self._parts(change["parts"], i) if value]
        begin, end = (round(value, 1) for value in (_at(change, "health_before_change", i), health))
        shown = adding_up([value for _, value in parts], end - begin)
        return {
            "begin": {"level": begin, "text": fixed(begin)},
            "end": {"level": end, "text": fixed(end)},
            "steps": [
                {"label": label, "value": value, "text": signed(value)}
                for (label, _), value in zip(parts, shown, strict=True)
            ],
        }

    def _parts(self, parts: Mapping[str, Any], i: int) -> Iterator[tuple[str, float]]:
        """The parts of a change in the order they are shown, also those that are nothing."""
        effects = [
            (metric["label"], _rounded(_at(parts["metrics"], metric["name"], i)) or 0.0) for metric in self._catalogue
        ]
        moved = sorted((effect for effect in effects if effect[1]), key=lambda effect: -abs(effect[1]))
        others = moved[NAMED:]
        yield "the scorecard's own change", _rounded(_at(parts, "scorecard", i)) or 0.0
        yield "what became known or unknown", _rounded(_at(parts, "coverage", i)) or 0.0
        yield from moved[:NAMED]
        yield counted(len(others), "other metric"), sum(effect for _, effect in others)
        yield "caps", _rounded(_at(parts, "caps", i)) or 0.0

    # --- every metric ------------------------------------------------------------------------------------------

    def _metrics(self, i: int) -> dict[str, Any]:
        """The lines of all metrics, each with its place in the catalogue, and the sums below them."""
        columns = self._details["metrics"]
        there = [(place, metric) for place, metric in enumerate(self._catalogue) if metric["name"] in columns]
        given = {place: _rounded(_at(columns[metric["name"]], "contribution", i)) for place, metric in there}
        known = {place: value for place, value in given.items() if value is not None}
        total = sum(known.values())
        shown = dict(zip(known, adding_up(list(known.values()), total), strict=True))
        return {
            "metrics": [{"place": place, **self._metric(metric, i, shown.get(place))} for place, metric in there],
            "sums": self._sums(i, total) if known else [],
        }

    def _metric(self, metric: Mapping[str, Any], i: int, contribution: float | None) -> dict[str, Any]:
        column = self._details["metrics"][metric["name"]]
        value, before, points, weight = (_at(column, key, i) for key in ("value", "before", "points", "weight"))
        return {
            "value": _written(metric, value),
            "per": self._per(metric, value, i),
            "notes": self._notes(metric, column, i),
            "before": _written(metric, before),
            "points": fixed(points),
            "weight": MISSING if weight is None else f"{fixed(100 * weight)} %",
            "contribution": fixed(contribution),
            "unknown": points is None,
        }

    def _per(self, metric: Mapping[str, Any], value: float | None, i: int) -> str:
        """A value's share of the seats or the ARR."""
        attribute = metric["per"]
        whole = self._value(attribute, i) if attribute else None
        if value is None or not whole:
            return ""
        return f"{fixed(100 * value / whole, 0)} % of {'ARR' if attribute == 'arr' else f'{plain(whole)} {attribute}'}"

    def _notes(self, metric: Mapping[str, Any], column: Mapping[str, Any], i: int) -> list[str]:
        """Why a value is missing, and what was taken instead."""
        reason, instead, other = _at(column, "reason", i), _at(column, "instead", i), metric["instead"]
        notes = [] if reason is None else [self._details["reasons"][reason]]
        if instead is not None and other:
            notes.append(f"instead: {other['label']} {_written(other, instead)}")
        return notes

    def _sums(self, i: int, total: float) -> list[list[str]]:
        health = self._value("health", i)
        first = ["sum of what is known" if health is None else "health before caps", fixed(total)]
        if health is None or fixed(health) == fixed(total):
            return [first]
        caps = ", ".join(sentences(self._value("cap", i)))
        return [first, [f"after caps: {caps}" if caps else "after caps", fixed(health)]]


def _at(columns: Mapping[str, Any] | None, key: str, i: int) -> Any:
    """One value; None where there are no columns, or not this one."""
    column = columns.get(key) if columns else None
    return None if column is None else column[i]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)


def _signal(signal: Mapping[str, Any]) -> str:
    age = f"{MISSING} days" if signal["age_days"] is None else counted(signal["age_days"], "day")
    return f", {signal['status']}, since {day(signal['date'])} ({age})"


def _metric_of(entry: Mapping[str, Any]) -> Metric:
    return METRICS.get(entry["name"]) or own_metric(entry["name"], entry["label"], entry["unit"])


def _written(entry: Mapping[str, Any], value: float | None) -> str:
    return MISSING if value is None else value_text(_metric_of(entry), value)


def adding_up(values: Sequence[float], total: float) -> list[float]:
    """The values with one decimal, each rounded down or up, so that they add up to `total` with one decimal."""
    shown = [math.floor(value * 10 + 1e-6) for value in values]
    missing = round(round(total, 1) * 10) - sum(shown)
    order = sorted(range(len(values)), key=lambda i: shown[i] - values[i] * 10)
    for place, i in enumerate(order):
        shown[i] += 1 if place < missing else 0
    if order:
        shown[order[0]] += min(missing, 0) + max(missing - len(order), 0)
    return [value / 10 for value in shown]
