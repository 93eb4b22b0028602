"""Why an account crossed a line, in words: what limits its health, the critical signal behind it, what costs most."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from accountpulse.notify.told import NewestRun
from accountpulse.scoring.columns import BEFORE_CAPS, CAP_REASON, CRITICAL, DRIVERS, HEALTH, NOT_RATED_REASON, TIER
from accountpulse.scoring.crossings import Crossing
from accountpulse.scoring.explain import driver, plain
from accountpulse.scoring.model import NOT_RATED, Cap
from accountpulse.scoring.scorecard import Scorecard

_COUNTS = (pl.col("severity") == "critical") & ~pl.col("monitoring").fill_null(value=False)  # as critical signal
_CRITICAL = {CRITICAL, "critical_confirmed_signals"}


def reason(row: Mapping[str, Any], crossings: Iterable[Crossing], newest: NewestRun) -> str | None:
    """`capped at 35: confirmed critical signal (Competitor, Dana Owner, 6 days); CSAT: 20 %, costs 60 points`.

    `row`: the account's scores with its metrics. Of an account without a score, why it isn't rated.
    """
    cap, signal = _cap(row, newest.card), newest.signals.get(row["account_id"])
    of_signal = cap is not None and not _CRITICAL.isdisjoint(cap.when)
    is_news = any(each.line == "critical signal" and each.worse for each in crossings)
    parts = [f"capped at {plain(cap.cap)}: {cap.reason}"] if cap is not None else []
    if signal is not None and of_signal:
        parts = [f"{parts[0]} ({signal})"]
    elif signal is not None and (is_news or row.get(HEALTH) is None):
        parts.append(f"critical signal ({signal})")
    return "; ".join([*parts, *_rest(row, newest)]) or None


def _rest(row: Mapping[str, Any], newest: NewestRun) -> Iterator[str]:
    """Why there is no score, or what costs most points."""
    drivers = row.get(DRIVERS)
    if why := row.get(NOT_RATED_REASON):
        # a known critical signal makes an account Critical also without a score
        yield f"{'not rated' if row[TIER] == NOT_RATED else 'no score'}: {why}"
    elif drivers:
        yield driver(row, newest.card, drivers[0], newest.as_of)


def _cap(row: Mapping[str, Any], card: Scorecard) -> Cap | None:
    """The lowest cap that lowers health; None where none does."""
    health, before = row.get(HEALTH), row.get(BEFORE_CAPS)
    if health is None or before is None or health >= before:
        return None
    held = (row.get(CAP_REASON) or "").split("; ")
    return min((cap for cap in card.file.caps if cap.reason in held), key=lambda cap: cap.cap, default=None)


def latest_signals(signals: pl.DataFrame | None, as_of: date) -> Mapping[str, str]:
    """Of each account its latest open critical signal, as far as it is known: `Competitor, Dana Owner, 6 days`.

    `signals`: what a run kept of those that were open (an older version kept neither title nor owner); None: nothing.
    """
    if signals is None:
        return {}
    # the latest comes last, and stays
    rows = signals.filter(_COUNTS).sort("opened_on", nulls_last=False, maintain_order=True).iter_rows(named=True)
    said = {row["account_id"]: _in_words(row, as_of) for row in rows}
    return {account: text for account, text in said.items() if text}


def latest_openings(signals: pl.DataFrame | None) -> Mapping[str, date]:
    """The day on which that signal was opened, of the accounts of which it is known."""
    if signals is None:
        return {}
    dated = signals.filter(_COUNTS & pl.col("opened_on").is_not_null())
    return dict(dated.group_by("account_id").agg(pl.col("opened_on").max()).iter_rows())


def _in_words(signal: Mapping[str, Any], as_of: date) -> str:
    opened = signal["opened_on"]
    days = None if opened is None else (as_of - opened).days
    age = None if days is None else f"{days:,} {'day' if days == 1 else 'days'}"
    return ", ".join(each for each in (signal.get("title"), signal.get("owner"), age) if each)
