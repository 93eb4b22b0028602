"""What the sandbox's explores hold: rows of the world's usage, grouped as a query asks."""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from accountpulse.sandbox.world.model import Looker, UsageOf

RANGE = re.compile(r"(\d{4}-\d{2}-\d{2}) to (\d{4}-\d{2}-\d{2})")
Rows = list[dict[str, Any]]
Grouped = Iterator[tuple[dict[str, Any], dict[str, Any]]]  # where a row stands, and what is measured there


class BadFilter(Exception):
    """A filter that the database would choke on."""


def explores(instance: Looker) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each explore's dimensions and measures."""
    pillars = tuple(f"platform_metrics.{name}_index" for name in instance.pillars)
    licences = "platform_metrics.licensed_seats"
    plain = {
        "user_sessions": (
            ("user_sessions.account_id", "user_sessions.session_date", "user_sessions.session_month"),
            ("user_sessions.distinct_users", "user_sessions.session_count"),
        ),
        "feature_usage": (
            ("feature_usage.account_id", "feature_usage.used_date", "feature_usage.feature_name"),
            ("feature_usage.usage_count",),
        ),
        "platform_metrics": (
            ("platform_metrics.account_id", "platform_metrics.metric_date", "platform_metrics.metric_month"),
            (*pillars, licences),
        ),
        "surveys": (
            ("surveys.account_id", "surveys.answered_date", "surveys.channel"),
            ("surveys.net_promoter_score", "surveys.answer_count"),
        ),
    }
    filtered = {view: field for view, (field, _value) in instance.always.items()}
    return {
        view: ((*dimensions, filtered[view]) if view in filtered else dimensions, measures)
        for view, (dimensions, measures) in plain.items()
    }


def select(
    instance: Looker, view: str, fields: Sequence[str], filters: Mapping[str, str], sorts: Sequence[str] = ()
) -> Iterable[dict[str, Any]]:
    """The rows of a query: grouped by its dimensions, in the order that it asks for.

    Fields that the explore doesn't have are left out of the rows, without a word.
    """
    dimensions, measures = explores(instance)[view]
    account = f"{view}.account_id"
    if account not in fields:
        raise BadFilter("the sandbox's tables can only be grouped by account")
    wanted = [name for name in fields if name in {*dimensions, *measures}]
    first, end = _range(instance, view, filters)
    own = instance.always.get(view)
    if other := set(filters) - _FILTERED[view] - ({own[0]} if own else set()):
        raise BadFilter(f"the sandbox's tables can't be filtered by {other.pop()}")
    rows = (
        _surveys(instance, wanted, filters, first, end)
        if view == "surveys"
        else _rows(_filtered(instance, view, filters), view, wanted, only=_only(filters, account), first=first, end=end)
    )
    orders = [(name, order) for name, order, *_ in (f"{text} asc".split() for text in sorts) if name in wanted]
    if all(order == "asc" for _name, order in orders) and (not orders or orders[0][0] == account):
        return rows  # as the world keeps them
    ordered = list(rows)
    for name, order in reversed(orders):
        ordered.sort(key=lambda row, name=name: (row[name] is None, row[name]), reverse=order == "desc")  # type: ignore[misc]
    return ordered


def _filtered(instance: Looker, view: str, filters: Mapping[str, str]) -> Looker:
    """The instance as the explore's own filter leaves it: every other user is of its value. Empty is any value."""
    field, usual = instance.always.get(view, ("", ""))
    chosen = filters.get(field, usual)
    if not chosen:
        return instance
    begin = 0 if chosen == usual else 1
    usage = {
        account: replace(used, users=used.users[begin::2], sessions_twice=used.sessions_twice[begin::2])
        for account, used in instance.usage.items()
    }
    return replace(instance, usage=usage)


def _only(filters: Mapping[str, str], field: str) -> set[str] | None:
    """The values that a filter on text lets through; None: all. The comma is Looker's `or`."""
    text = filters.get(field)
    return None if text is None else {part.strip() for part in text.split(",")}


def look_fields(instance: Looker) -> list[str]:
    """The saved Look's columns."""
    figures = [f"platform_metrics.{name}_index" for name in instance.look_pillars]
    return ["platform_metrics.account_id", "platform_metrics.metric_month", *figures]


def look_rows(instance: Looker) -> Iterator[dict[str, Any]]:
    """The saved Look: its figures of every month."""
    for account, usage in sorted(instance.usage.items()):
        columns = {f"platform_metrics.{name}_index": usage.pillars.get(name, {}) for name in instance.look_pillars}
        if instance.pivoted:
            yield {"platform_metrics.account_id": account or None, **columns}
            continue
        for month in sorted({month for figures in columns.values() for month in figures}):
            place = {"platform_metrics.account_id": account or None, "platform_metrics.metric_month": month}
            yield {**place, **{name: figures.get(month) for name, figures in columns.items()}}


def _rows(
    instance: Looker, view: str, wanted: list[str], *, only: set[str] | None, first: int, end: int
) -> Iterator[dict[str, Any]]:
    read, account_id = _READERS[view], f"{view}.account_id"
    for account, usage in sorted(instance.usage.items()):
        if only is None or account in only:
            for place, measured in read(instance, usage, wanted, first, end):
                row = {account_id: account or None, **place, **_as_shown(instance, account, measured)}
                yield {name: row[name] for name in wanted}


def _as_shown(instance: Looker, account: str, measured: dict[str, Any]) -> dict[str, Any]:
    """The measures as this account's are shown."""
    shown = instance.shown.get(account)
    if shown is None:
        return measured
    ways: dict[str, Callable[[Any], Any]] = {"null": lambda _value: None, "words": lambda value: f"{value:,} in all"}
    return {
        name: ways[shown[name]](value) if name in shown and value is not None else value
        for name, value in measured.items()
    }


def _range(instance: Looker, view: str, filters: Mapping[str, str]) -> tuple[int, int]:
    """The days of the date filter as numbers from the instance's first day; the end is left out."""
    date_field = next(name for name in explores(instance)[view][0] if name.endswith("_date"))
    text = filters.get(date_field)
    if text is None:
        return 0, instance.days
    match = RANGE.fullmatch(text)
    if match is None:
        raise BadFilter(f"cannot read the filter on {date_field}")
    first, end = ((date.fromisoformat(part) - instance.first_day).days for part in match.groups())
    return max(0, first), min(instance.days, end)


def _sessions(instance: Looker, usage: UsageOf, wanted: list[str], first: int, end: int) -> Grouped:
    if "user_sessions.session_date" in wanted:
        yield from _sessions_by_day(instance, usage, wanted, first, end)
        return
    for place, mask in _spans(instance, "user_sessions.session", wanted, first, end):
        active = [days & mask for days in usage.users]
        users = sum(1 for days in active if days)
        if users:
            twice = sum((days & again).bit_count() for days, again in zip(active, usage.sessions_twice, strict=True))
            sessions = sum(days.bit_count() for days in active) + twice
            yield place, {"user_sessions.distinct_users": users, "user_sessions.session_count": sessions}


def _sessions_by_day(instance: Looker, usage: UsageOf, wanted: list[str], first: int, end: int) -> Grouped:
    users = again = _per_day(usage.users, first, end)
    if "user_sessions.session_count" in wanted:
        again = _per_day((a & b for a, b in zip(usage.users, usage.sessions_twice, strict=True)), first, end)
    for number, (count, twice) in enumerate(zip(users, again, strict=True), first):
        if count:
            day = _text(instance.first_day, number)
            place = {"user_sessions.session_date": day, "user_sessions.session_month": day[:7]}
            yield place, {"user_sessions.distinct_users": count, "user_sessions.session_count": count + twice}


def _per_day(masks: Iterable[int], first: int, end: int) -> list[int]:
    """How many masks have each day's bit: written as digits, all days are added at once, a byte each."""
    if end <= first:
        return []  # no digits, no days: a month that lies before the world's first day, or after its last
    width, masks = end - first, list(masks)
    zeros, mask = int.from_bytes(b"0" * width), (1 << width) - 1
    counts = [0] * width
    for start in range(0, len(masks), 255):
        digits = (int.from_bytes(f"{days >> first & mask:0{width}b}".encode()) for days in masks[start : start + 255])
        total = sum(number - zeros for number in digits)
        counts = list(map(operator.add, counts, reversed(total.to_bytes(width))))
    return counts


def _features(instance: Looker, usage: UsageOf, wanted: list[str], first: int, end: int) -> Grouped:
    by_feature = "feature_usage.feature_name" in wanted
    for place, mask in _spans(instance, "feature_usage.used", wanted, first, end):
        counts = {name: (days & mask).bit_count() for name, days in sorted(usage.features.items())}
        if not by_feature:
            counts = {"": sum(counts.values())}
        for name, count in counts.items():
            if count:
                feature = {"feature_usage.feature_name": name or None} if by_feature else {}
                yield {**place, **feature}, {"feature_usage.usage_count": count}


def _platform(instance: Looker, usage: UsageOf, wanted: list[str], first: int, end: int) -> Grouped:
    for place, mask in _spans(instance, "platform_metrics.metric", wanted, first, end):
        months = _days_by_month(instance, mask)
        figures = {f"platform_metrics.{name}_index": _average(usage, name, months) for name in instance.pillars}
        if any(value is not None for value in figures.values()):
            yield place, {**figures, "platform_metrics.licensed_seats": usage.licences}


def _surveys(
    instance: Looker, wanted: list[str], filters: Mapping[str, str], first: int, end: int
) -> Iterator[dict[str, Any]]:
    """Net promoters in percent of all answers (9 and 10, less 0 to 6), an account a row; days and channels left out."""
    if {"surveys.answered_date", "surveys.channel"} & set(wanted):
        raise BadFilter("the sandbox's surveys can only be grouped by account")
    accounts, channels = _only(filters, "surveys.account_id"), _only(filters, "surveys.channel")
    for account, usage in sorted(instance.usage.items()):
        counted = [
            score
            for day, channel, score in usage.answers
            if first <= day < end and (channels is None or channel in channels)
        ]
        if counted and (accounts is None or account in accounts):
            net = sum((score >= 9) - (score <= 6) for score in counted)
            measures = (100 * net / len(counted), len(counted))
            names = ("surveys.net_promoter_score", "surveys.answer_count")
            row = {"surveys.account_id": account, **dict(zip(names, measures, strict=True))}
            yield {name: row[name] for name in wanted}


def _average(usage: UsageOf, pillar: str, months: Mapping[str, int]) -> float | None:
    """The mean over the days that have a figure; each day has its month's."""
    figures = [(usage.pillars.get(pillar, {}).get(month), days) for month, days in months.items()]
    present = [(value, days) for value, days in figures if value is not None]
    if len(present) == 1:
        return present[0][0]
    total = sum(days for _value, days in present)
    return sum(value * days for value, days in present) / total if total else None


def _days_by_month(instance: Looker, mask: int) -> dict[str, int]:
    days: dict[str, int] = {}
    for number in range(mask.bit_length()):
        if mask >> number & 1:
            month = _text(instance.first_day, number)[:7]
            days[month] = days.get(month, 0) + 1
    return days


@cache
def _text(first_day: date, number: int) -> str:
    return (first_day + timedelta(days=number)).isoformat()


def _spans(
    instance: Looker, prefix: str, wanted: list[str], first: int, end: int
) -> Iterator[tuple[dict[str, Any], int]]:
    """The stretches that a query groups by: each day, each month, or all of it, as masks of days."""
    if f"{prefix}_date" in wanted:
        for number in range(first, end):
            text = _text(instance.first_day, number)
            yield {f"{prefix}_date": text, f"{prefix}_month": text[:7]}, 1 << number
        return
    if f"{prefix}_month" not in wanted:
        yield {}, _mask(first, end)
        return
    start = first
    while start < end:
        day = instance.first_day + timedelta(days=start)
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        stop = min(end, (following - instance.first_day).days)
        yield {f"{prefix}_month": f"{day:%Y-%m}"}, _mask(start, stop)
        start = stop


def _mask(first: int, end: int) -> int:
    return ((1 << max(0, end - first)) - 1) << first


Reader = Callable[[Looker, UsageOf, list[str], int, int], Grouped]
_READERS: Mapping[str, Reader] = {"user_sessions": _sessions, "feature_usage": _features, "platform_metrics": _platform}
# the fields that each table can be filtered by
_FILTERED: Mapping[str, frozenset[str]] = {
    "user_sessions": frozenset({"user_sessions.account_id", "user_sessions.session_date"}),
    "feature_usage": frozenset({"feature_usage.account_id", "feature_usage.used_date"}),
    "platform_metrics": frozenset({"platform_metrics.account_id", "platform_metrics.metric_date"}),
    "surveys": frozenset({"surveys.account_id", "surveys.answered_date", "surveys.channel"}),
}
