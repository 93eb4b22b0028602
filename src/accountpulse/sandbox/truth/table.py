"""What every metric of every customer truly is, told by the world itself.

Plain loops over the world's state, following the definitions of docs/metrics.md word by word. Nothing here is shared
with the extractors or the metrics, so that agreement means something.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TextIO

from accountpulse.sandbox.truth.contract import contract
from accountpulse.sandbox.truth.product import bugs, usage
from accountpulse.sandbox.truth.support import support
from accountpulse.sandbox.world.model import Customer, World

Value = float | str  # a number, or the reason why there is none


@dataclass(frozen=True)
class Instants:
    """The times of one period: everything is measured at or before `as_of`."""

    first: date  # of the month
    as_of: datetime
    window_start: datetime

    @property
    def day(self) -> date:
        """The day that as_of falls on."""
        return self.as_of.date()

    @property
    def days(self) -> int:
        """Days of the month that have begun by as_of."""
        following = (self.first + timedelta(days=32)).replace(day=1)
        return (min(following, self.day + timedelta(days=1)) - self.first).days

    def in_window(self, moment: datetime | None) -> bool:
        """Whether a moment lies in the window of support and bugs."""
        return moment is not None and self.window_start <= moment < self.as_of


@dataclass(frozen=True)
class TruthRow:
    """One account and metric: its value, or the reason why there is none."""

    account_id: str
    metric: str
    value: float | None
    reason: str | None


def instants(period: str, now: datetime) -> Instants:
    """The times of a month `YYYY-MM` for a run at `now`."""
    first = date.fromisoformat(f"{period}-01")
    following = (first + timedelta(days=32)).replace(day=1)
    end = datetime(following.year, following.month, 1, tzinfo=UTC)
    as_of = min(end, now)
    return Instants(first, as_of, as_of - timedelta(days=90))


def truth_table(world: World, period: str, now: datetime) -> list[TruthRow]:
    """Every metric of every customer in the CRM for the month `period`, as a run at `now` must find it."""
    at = instants(period, now)
    rows = {row["Id"]: row for row in world.salesforce.objects["Account"].rows}
    parts: Iterable[Callable[[World, Instants], Callable[[Customer], dict[str, Value]]]] = (
        support,
        bugs,
        usage,
        contract,
    )
    tellers = [part(world, at) for part in parts]
    told: list[TruthRow] = []
    for customer in world.customers:
        account = rows[customer.account_id]
        if account["IsDeleted"] or not str(account["Type"]).startswith("Customer"):
            continue
        for teller in tellers:
            for metric, value in teller(customer).items():
                is_reason = isinstance(value, str)
                told.append(
                    TruthRow(
                        customer.account_id,
                        metric,
                        None if is_reason else float(value),
                        str(value) if is_reason else None,
                    )
                )
    return told


def write_csv(rows: Iterable[TruthRow], stream: TextIO) -> None:
    """One line a value: account_id, metric, value, reason."""
    writer = csv.writer(stream)
    writer.writerow(("account_id", "metric", "value", "reason"))
    for row in rows:
        writer.writerow((row.account_id, row.metric, "" if row.value is None else repr(row.value), row.reason or ""))
