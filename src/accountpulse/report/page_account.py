"""The views of single accounts, as texts and as the positions of what is drawn; the scripts only make elements of it.

Everything is a list over some accounts, since lists compress much better than one tree an account. Numbers that add up
are rounded so that they add up as they are shown.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from accountpulse.core.catalogue import METRICS, own_metric
from accountpulse.report.page_rows import AccountTexts
from accountpulse.report.page_text import MISSING, Texts, counted, day, fixed, sentences, share, signed
from accountpulse.scoring.columns import PULSE, PULSE_ON, PULSE_STATE
from accountpulse.scoring.explain import bounds_text, plain, probability_text, value_text
from accountpulse.scoring.opinions import OUTLOOKS, pulse_sentence

NAMED = 5  # metrics by name in the waterfall; the others are one sum
DECIMALS = 4  # of what is computed: smaller effects are none
SEVERITIES = ("critical", "moderate", "watch")


class AccountViews:
    """The views of a document's accounts, those of one slice of them at a time."""

    def __init__(self, document: Mapping[str, Any], texts: Texts, rows: AccountTexts) -> None:
        self._document = document
        self._details: Mapping[str, Any] = document["details"]
        self._catalogue: Sequence[Mapping[str, Any]] = document["catalogue"]
        ran = document["scorecards"]
        self._lacking = ["no score" if period in ran else "no run" for period in document["periods"]]
        self._money = texts.amount
        self._links = rows.links

    def views(self, part: slice) -> dict[str, Any]:
        """Everything that the views of these accounts show; the lists stand in a tree of names."""
        metrics, sums = self._metrics(part)
        return {
            "about": self._about(part),
            "links": [self._links(i) for i in range(part.start, part.stop)],
            "figures": self._figures(part),
            "months": self._months(part),
            "dimensions": {
                place: self._dimension(each, part) for place, each in enumerate(self._document["dimensions"])
            },
            "change": self._changes(part),
            "signals": self._signals(part),
            "opinions": self._opinions(part),
            "metrics": metrics,
            "sums": sums,
        }

    def _accounts(self, part: slice, *keys: str) -> list[list[Any]]:
        return [_column(self._document["accounts"], key, part) for key in keys]

    def _about(self, part: slice) -> list[list[str]]:
        rows = zip(*self._accounts(part, "arr", "segment", "seats", "owner", "group", "renewal"), strict=True)
        return [[text for text in self._facts(row) if text] for row in rows]

    def _facts(self, row: Sequence[Any]) -> Iterator[str | None]:
        arr, segment, seats, owner, group, renewal = row
        yield "ARR not known" if arr is None else f"{self._money(arr)} of ARR"
        yield segment
        yield None if seats is None else f"{fixed(seats, 0)} seats"
        yield owner
        yield None if group is None else f"group {group}"
        yield "no renewal known" if renewal is None else f"renewal {day(renewal)}"  # the page adds how far it is

    def _figures(self, part: slice) -> dict[str, list[str]]:
        """What stands below health and tier, and the coverage; an empty text is nothing to say."""
        health, then, lower, upper = self._accounts(part, "health", "health_before", "lower", "upper")
        coverage, tier, tier_then = self._accounts(part, "coverage", "tier", "tier_before")
        chances = self._accounts(part, "probability", "probability_lower", "probability_upper")
        horizon = self._document["horizon_days"]
        before = self._document["before"]
        since = before["period_text"] if before else "before"
        return {
            "bounds": [bounds_text(*each) for each in zip(lower, upper, coverage, strict=True)],
            "probability": [
                probability_text(value, low, high, horizon) or "" for value, low, high in zip(*chances, strict=True)
            ],
            "moved": [
                "" if None in pair else f"{signed(pair[0] - pair[1])} since {since}"
                for pair in zip(health, then, strict=True)
            ],
            "was": [
                "" if old is None or old == new else f"was {old}" for old, new in zip(tier_then, tier, strict=True)
            ],
            "coverage": [MISSING if value is None else f"{fixed(value, 0)} %" for value in coverage],
        }

    def _months(self, part: slice) -> dict[str, list[Any]]:
        """Health of each month of the line, and what is said of it."""
        lines = self._details["lines"][part]
        return {
            "health": [list(map(_rounded, line)) for line in lines],
            "texts": [
                [
                    lacking if health is None else fixed(health)
                    for health, lacking in zip(line, self._lacking, strict=True)
                ]
                for line in lines
            ],
        }

    def _dimension(self, dimension: Mapping[str, Any], part: slice) -> dict[str, Any]:
        columns = self._details["dimensions"].get(dimension["name"])
        keys = ("score", "lower", "upper", "coverage", "weight")
        scores, lower, upper, coverage, weights = (_column(columns, key, part) for key in keys)
        return {
            "score": list(map(_rounded, scores)),
            "lower": list(map(_rounded, lower)),
            "upper": list(map(_rounded, upper)),
            "texts": {
                "weight": [f"weight {share(dimension['weight'] if each is None else each)}" for each in weights],
                "score": list(map(fixed, scores)),
                "range": [
                    "" if low is None else " to ".join(dict.fromkeys((fixed(low, 0), fixed(high, 0))))
                    for low, high in zip(lower, upper, strict=True)
                ],
                "coverage": list(map(share, coverage)),
            },
        }

    def _signals(self, part: slice) -> dict[str, list[Any]]:
        """Open signals, each as its severity and the rest of the sentence; `empty` is said where there is none."""
        found = _column(self._details, "signals", part)
        numbers = self._details.get("signal_counts")
        counts = zip(*(_column(numbers, severity, part) for severity in SEVERITIES), strict=True)
        as_of = self._document["as_of"]
        return {
            "lines": [[[signal["severity"], _signal(signal, as_of)] for signal in signals or ()] for signals in found],
            "empty": [
                _only_counted(numbers) if signals is None else "None."
                for signals, numbers in zip(found, counts, strict=True)
            ],
        }

    def _opinions(self, part: slice) -> list[list[str]]:
        """What people say of each account: its pulse with the reason, what sales expect, and where they disagree."""
        outlooks, disagreements = self._accounts(part, "forecast", "disagreement")
        found = zip(_column(self._details, "pulses", part), outlooks, disagreements, strict=True)
        return [list(self._said(*each)) for each in found]

    def _said(self, pulse: Mapping[str, Any] | None, outlook: str | None, disagreement: str | None) -> Iterator[str]:
        if pulse is not None:
            on = None if pulse["on"] is None else date.fromisoformat(pulse["on"])
            row = {PULSE: pulse["pulse"], PULSE_STATE: pulse["state"], PULSE_ON: on}
            last_day = date.fromisoformat(self._document["last_day"])
            sentence = pulse_sentence(row, last_day, pulse["author"], lambda each: day(each.isoformat()))
            yield f"Pulse {sentence}" + (f": {pulse['reason']}" if pulse["reason"] else "")
        if outlook is not None:
            yield f"Sales expect: {OUTLOOKS[outlook]}"
        if disagreement is not None:
            yield f"Disagreement: {disagreement}"

    # --- the waterfall -----------------------------------------------------------------------------------------

    def _changes(self, part: slice) -> list[dict[str, Any]]:
        """From the health of the period before to now; `steps` is null, and `empty` says why, where there are none."""
        change = self._details["change"] or {"since": None}
        (health,) = self._accounts(part, "health")
        begins, totals = (_column(change, key, part) for key in ("health_before_change", "total"))
        reason = "Nothing to compare: one of the two periods has no score."
        nothing = {"steps": None, "empty": reason if change["since"] else "There is no earlier period."}
        places = range(part.start, part.start + len(health))
        return [
            nothing if end is None or total is None else _waterfall(begin, end, self._effects(i))
            for i, begin, end, total in zip(places, begins, health, totals, strict=True)
        ]

    def _effects(self, i: int) -> Iterator[tuple[str, float]]:
        """The parts of an account's change in the order they are shown, also those that are nothing."""
        parts = self._details["change"]["parts"]
        columns = ((metric["label"], parts["metrics"].get(metric["name"])) for metric in self._catalogue)
        effects = [(label, _rounded(column[i]) or 0.0) for label, column in columns if column]
        moved = sorted((effect for effect in effects if effect[1]), key=lambda effect: -abs(effect[1]))
        others = moved[NAMED:]
        yield "the scorecard's own change", _rounded(parts["scorecard"][i]) or 0.0
        yield "what became known or unknown", _rounded(parts["coverage"][i]) or 0.0
        yield from moved[:NAMED]
        yield counted(len(others), "other metric"), sum(effect for _, effect in others)
        yield "caps", _rounded(parts["caps"][i]) or 0.0

    # --- every metric ------------------------------------------------------------------------------------------

    def _metrics(self, part: slice) -> tuple[dict[int, dict[str, list[Any]]], list[list[list[str]]]]:
        """The lines of all metrics by their place in the catalogue, and the sums below them."""
        columns = self._details["metrics"]
        there = {place: metric for place, metric in enumerate(self._catalogue) if metric["name"] in columns}
        contributions_of = [_column(columns[metric["name"]], "contribution", part) for metric in there.values()]
        totals, shown = [], []
        for row in zip(*contributions_of, strict=True) if there else [()] * (part.stop - part.start):
            given = [value for value in row if value is not None]
            totals.append(sum(given) if given else None)
            rounded = iter(adding_up(given, sum(given)))
            shown.append([MISSING if value is None else fixed(next(rounded)) for value in row])
        lines = {
            place: self._metric(metric, part) | {"contribution": list(contributions)}
            for (place, metric), contributions in zip(there.items(), zip(*shown, strict=True), strict=True)
        }
        health, caps = self._accounts(part, "health", "cap")
        return lines, [_sums(*row) for row in zip(totals, health, caps, strict=True)]

    def _metric(self, metric: Mapping[str, Any], part: slice) -> dict[str, list[Any]]:
        columns = self._details["metrics"][metric["name"]]
        keys = ("value", "before", "points", "weight")
        values, before, points, weights = (_column(columns, key, part) for key in keys)
        return {
            "value": _written(metric, values),
            "per": self._per(metric, values, part),
            "notes": self._notes(metric, columns, part),
            "before": _written(metric, before),
            "points": list(map(fixed, points)),
            "weight": [MISSING if weight is None else f"{fixed(100 * weight)} %" for weight in weights],
            **self._good(metric, part),
            "unknown": [each is None for each in points],
        }

    def _good(self, metric: Mapping[str, Any], part: slice) -> dict[str, list[str]]:
        """What is good for each account, where the scorecard has other anchors for some segments."""
        if not metric["good_in"]:
            return {}
        (segments,) = self._accounts(part, "segment")
        return {"good": [metric["good_in"].get(segment, metric["good"]) for segment in segments]}

    def _per(self, metric: Mapping[str, Any], values: list[float | None], part: slice) -> list[str]:
        """The values as shares of the seats or the ARR."""
        attribute = metric["per"]
        if not attribute:
            return [""] * len(values)
        (wholes,) = self._accounts(part, attribute)
        return [
            f"{fixed(100 * value / whole, 0)} % of {'ARR' if attribute == 'arr' else f'{plain(whole)} {attribute}'}"
            if value is not None and whole
            else ""
            for value, whole in zip(values, wholes, strict=True)
        ]

    def _notes(self, metric: Mapping[str, Any], columns: Mapping[str, Any], part: slice) -> list[list[str]]:
        """Why a value is missing, and what was taken instead."""
        texts, other = self._details["reasons"], metric["instead"]
        reasons = [[] if place is None else [texts[place]] for place in _column(columns, "reason", part)]
        if not other:
            return reasons
        values = _column(columns, "instead", part)
        substitutes = zip(values, _written(other, values), strict=True)
        instead = [[] if value is None else [f"instead: {other['label']} {text}"] for value, text in substitutes]
        return [first + second for first, second in zip(reasons, instead, strict=True)]


def _column(columns: Mapping[str, Any] | None, key: str, part: slice) -> list[Any]:
    """Some values of a column; nulls where there are no columns, or not this one."""
    column = columns.get(key) if columns else None
    return [None] * (part.stop - part.start) if column is None else column[part]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)


def _written(metric: Mapping[str, Any], values: Sequence[float | None]) -> list[str]:
    entry = METRICS.get(metric["name"]) or own_metric(metric["name"], metric["label"], metric["unit"])
    return [MISSING if value is None else value_text(entry, value) for value in values]


def _signal(signal: Mapping[str, Any], as_of: str) -> str:
    """`Sponsor left: active, since 9 Oct 2026 (23 days on 1 Nov 2026), Ada Okafor`."""
    days = signal["age_days"]
    age = f"{MISSING} days" if days is None else f"{counted(days, 'day')} on {day(as_of)}"
    title, owner = signal.get("title"), signal.get("owner")
    lead, end = f": {title}" if title else "", f", {owner}" if owner else ""
    return f"{lead}, {signal['status']}, since {day(signal['date'])} ({age}){end}"


def _only_counted(counts: Sequence[float | None]) -> str:
    counted_texts = [f"{fixed(count, 0)} {name}" for name, count in zip(SEVERITIES, counts, strict=True) if count]
    return (
        f"{', '.join(counted_texts)}; this run kept no more about them." if counted_texts else "None known to this run."
    )


def _sums(total: float | None, health: float | None, cap: str | None) -> list[list[str]]:
    """The lines below the contributions: what they add up to, and what caps make of it."""
    if total is None:
        return []
    first = ["sum of what is known" if health is None else "health before caps", fixed(total)]
    if health is None or fixed(health) == fixed(total):
        return [first]
    caps = ", ".join(sentences(cap))
    return [first, [f"after caps: {caps}" if caps else "after caps", fixed(health)]]


def _waterfall(begin: float, end: float, effects: Iterator[tuple[str, float]]) -> dict[str, Any]:
    parts = [(label, effect) for label, effect in effects if effect]
    first, last = round(begin, 1), round(end, 1)
    shown = adding_up([effect for _, effect in parts], last - first)
    return {
        "begin": {"level": first, "text": fixed(first)},
        "end": {"level": last, "text": fixed(last)},
        "steps": [
            {"label": label, "value": value, "text": signed(value)}
            for (label, _), value in zip(parts, shown, strict=True)
        ],
    }


def adding_up(values: Sequence[float], total: float) -> list[float]:
    """The values with one decimal, each rounded down or up, so that they add up to `total` with one decimal."""
    shown = [math.floor(value * 10 + 1e-6) for value in values]
    missing = round(round(total, 1) * 10) - sum(shown)
    order = sorted(range(len(values)), key=lambda i: shown[i] - values[i] * 10)
    for i in order[: max(missing, 0)]:
        shown[i] += 1
    if order:
        shown[order[0]] += min(missing, 0) + max(missing - len(order), 0)
    return [value / 10 for value in shown]
