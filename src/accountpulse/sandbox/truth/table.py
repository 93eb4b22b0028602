"""What every metric of every customer truly is, computed from the world itself.

Plain loops over the world's state, following the definitions of docs/metrics.md word by word. Nothing here is shared
with the extractors or the metrics, so that agreement means something.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from accountpulse import sandbox
from accountpulse.sandbox.truth.instants import Instants, Truth, instants_of
from accountpulse.sandbox.truth.support import support_truth
from accountpulse.sandbox.world.model import Customer, World


@dataclass(frozen=True)
class TruthRow:
    """One account and metric: its value, or the reason why there is none."""

    account_id: str
    metric: str
    value: float | None
    reason: str | None


def truth_table(world: World, period: str, now: datetime) -> list[TruthRow]:
    """Every metric of every customer in the CRM for the month `period`, as a run at `now` must find it."""
    truths = _truths(world, instants_of(period, now))
    return [
        TruthRow(customer.account_id, metric, None, value)
        if isinstance(value, str)
        else TruthRow(customer.account_id, metric, float(value), None)
        for customer in _in_crm(world)
        for truth in truths
        for metric, value in truth(customer).items()
    ]


def _truths(world: World, at: Instants) -> list[Truth]:
    """Support, united over every system that has conversations; then each system's own metrics, by its name."""
    systems = sorted((each for each in sandbox.STAND_INS if each.name in world.parts), key=lambda each: each.name)
    conversations = [each.conversations_of(world) for each in systems]
    own = [each.metrics_of(world, at) for each in systems]
    return [support_truth([each for each in conversations if each], at), *(each for each in own if each)]


def _in_crm(world: World) -> Iterator[Customer]:
    accounts = {row["Id"]: row for row in world.salesforce.as_first_named["Account"].rows}
    for customer in world.customers:
        account = accounts[customer.account_id]
        if not account["IsDeleted"] and str(account["Type"]).startswith("Customer"):
            yield customer


def write_csv(rows: Iterable[TruthRow], stream: TextIO) -> None:
    """One line a value: account_id, metric, value, reason."""
    writer = csv.writer(stream)
    writer.writerow(("account_id", "metric", "value", "reason"))
    for row in rows:
        writer.writerow((row.account_id, row.metric, "" if row.value is None else repr(row.value), row.reason or ""))
