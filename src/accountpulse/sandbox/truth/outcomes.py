"""The truth of the churn world: what became of every customer, how the org shows it, and the hazard behind it."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import TextIO

from accountpulse.sandbox.world.churn import (
    BOTH,
    CONTRACTS,
    MERGED,
    NEITHER,
    ON_TIME,
    OPPORTUNITIES,
    Departure,
    History,
    Past,
    Term,
)
from accountpulse.sandbox.world.churn_salesforce import close_dates, is_written_as_opportunity, survivor_id

LOST, CONTRACTION, RENEWED = "lost", "contraction", "renewed"
SMALLER = 10  # percent of ARR, above which a fall is a contraction


@dataclass(frozen=True, slots=True)
class OutcomeTruth:
    """What happened to an account on a day.

    `recorded_on` is the day that the org's records say, by the first of its ways that holds the account (renewal
    opportunities, contracts, ARR): a lost opportunity counts from the later of its close date and the contract's end.
    None: nobody has written it down yet. `found_under`: the account that its records belong to today; another one where
    it was merged.
    """

    account_id: str
    kind: str
    happened_on: date
    arr_lost: float | None
    recorded_on: date | None
    shown_by: str
    account_now: str  # customer, former, deleted, merged
    found_under: str


@dataclass(frozen=True, slots=True)
class HazardTruth:
    """An account's latent month. `hazard`: the probability to leave in it; `leaves`: whether it did."""

    account_id: str
    month: str
    as_of: date  # as the month begins
    health: float
    hazard: float
    leaves: bool


def outcomes_truth(history: History) -> list[OutcomeTruth]:
    """Everything that happened before the history's end, by account and day."""
    end = history.until.date()
    found = [each for past in history.pasts for each in _outcomes(past, end) if each.happened_on < end]
    return sorted(found, key=lambda each: (each.account_id, each.happened_on))


def hazards_truth(history: History) -> list[HazardTruth]:
    """Every complete month that an account began as a customer, of those that can be scored."""
    rows = []
    for past in history.pasts:
        left = {each.day.replace(day=1) for each in past.departures}
        for month in past.months:
            if month.hazard is not None and history.months[0] <= month.first <= history.months[-1]:
                name = f"{month.first:%Y-%m}"
                latent = (name, month.first, month.health, month.hazard, month.first in left)
                rows.append(HazardTruth(past.plan.customer.account_id, *latent))
    return rows


def write_truth_rows(kind: type, rows: Sequence[OutcomeTruth] | Sequence[HazardTruth], stream: TextIO) -> None:
    """One line a row, with the names of its fields above; empty where there is no value."""
    writer = csv.writer(stream)
    writer.writerow([each.name for each in fields(kind)])
    writer.writerows(astuple(row) for row in rows)


def _outcomes(past: Past, end: date) -> Iterator[OutcomeTruth]:
    account = past.plan.customer.account_id
    last = past.terms[-1].departure
    now = "customer" if last is None or last.told_on >= end else last.fate
    under = survivor_id(past) if now == MERGED else account
    for term in past.terms:
        left = term.departure
        if left is not None:
            recorded, shown = _loss_shown(past, term, left, end)
            yield OutcomeTruth(account, LOST, left.day, left.arr_lost, recorded, shown, now, under)
        elif term.gap is not None and past.kept != NEITHER:
            recorded, shown = _renewal_shown(past, term)
            yield OutcomeTruth(account, RENEWED, term.due, None, recorded, shown, now, under)
    for day, before, after in past.arr:
        if before is not None and 0 < after < before * (1 - SMALLER / 100):
            yield OutcomeTruth(account, CONTRACTION, day, before - after, day, "history of ARR", now, under)


def _renewal_shown(past: Past, term: Term) -> tuple[date, str]:
    shown = "contract with a successor" if past.kept == CONTRACTS else "won renewal opportunity"
    shown += ", entered a second time as lost" if term.entered_twice else ""
    shown += f", contract {term.gap} days later" if term.gap and past.kept != OPPORTUNITIES else ""
    return close_dates(past, term)[0] if past.kept == OPPORTUNITIES else term.due, shown


def _loss_shown(past: Past, term: Term, left: Departure, end: date) -> tuple[date | None, str]:
    """The day that the first way of the org says, and what it looks like."""
    if is_written_as_opportunity(past, term):
        closed, written = close_dates(past, term)
        how = "" if left.closing == ON_TIME else f" {left.closing}"
        day = max(written, term.ends) if past.kept == BOTH else written
        return day if closed < end else None, f"renewal opportunity closed as lost{how}"
    if past.kept in (BOTH, CONTRACTS):
        status = "Terminated" if not left.at_renewal else "Activated" if left.order % 3 == 1 else "Expired"
        return term.ends, f"contract {status} without a successor"
    day = min(day for day, _before, after in past.arr if after == 0 and day > left.day)
    return day if day < end else None, "ARR to zero"
