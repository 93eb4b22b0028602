"""The crooked world's Looker: the plain one, with what real warehouses hold and explores do.

The accounts come to the entries of `USAGE` in turn; what the instance as a whole does changes from seed to seed. What
is true of each, docs/sandbox-worlds.md says.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeAlias

from accountpulse.sandbox.world.crooked_org import MERGED
from accountpulse.sandbox.world.model import Looker
from accountpulse.sandbox.world.org import long_id
from accountpulse.sandbox.world.plans import Blueprint

NOBODY = ""  # the account of rows that have none
STOPPED = timedelta(days=12)  # before the month's end, the warehouse got no sessions any more
USERS, SESSIONS = "user_sessions.distinct_users", "user_sessions.session_count"
PILLAR = "platform_metrics.operations_index"

Bend: TypeAlias = Callable[[Looker, str], None]  # the instance, and an account as the warehouse spells it


def bend_looker(instance: Looker, blueprint: Blueprint) -> None:
    """Bend the plain instance."""
    way = blueprint.seed % 3
    if way == 0:
        instance.zoneless.add("platform_metrics")
    elif way == 1:
        instance.always["user_sessions"] = ("user_sessions.device", "web")
        instance.pivoted = True
    else:
        _stop(instance, (blueprint.calendar.month_end - STOPPED).date())
    spelled = {account[:15]: account for account in instance.usage}
    for plan in blueprint.plans:
        name, bend = USAGE[(plan.number + plan.number // len(USAGE)) % len(USAGE)]
        account = spelled.get(plan.customer.account_id[:15])
        if bend is not None and account is not None:
            bend(instance, account)
            plan.customer.crooked.append(name)
    first = next(iter(instance.usage.values()))
    instance.usage |= {NOBODY: first, MERGED: first}


def _stop(instance: Looker, day: date) -> None:
    """No session from that day on."""
    instance.stopped = day
    there = (1 << (day - instance.first_day).days) - 1
    for used in instance.usage.values():
        used.users = [days & there for days in used.users]


def _spell_twice(instance: Looker, account: str) -> None:
    """The same people, figures that differ, and a feature that only the second spelling has."""
    used = instance.usage[account]
    other = long_id(account) if len(account) == 15 else account[:15]
    name = min(used.features, default=None)
    moved = {} if name is None else {name: used.features.pop(name)}
    figures = {pillar: {month: value / 2 for month, value in months.items()} for pillar, months in used.pillars.items()}
    instance.usage[other] = replace(used, features=moved, pillars=figures, answers=[])


def _respelled(spell: Callable[[str], str]) -> Bend:
    """The account's one spelling is another one."""

    def bend(instance: Looker, account: str) -> None:
        instance.usage[spell(account)] = instance.usage.pop(account)

    return bend


def _shown(measure: str, how: str) -> Bend:
    def bend(instance: Looker, account: str) -> None:
        instance.shown.setdefault(account, {})[measure] = how

    return bend


def _unnamed_feature(instance: Looker, account: str) -> None:
    used = instance.usage[account]
    used.features[""] = (1 << instance.days) - 1


USAGE: list[tuple[str, Bend | None]] = [
    ("", None),
    ("account spelled twice", _spell_twice),
    ("account with a blank", _respelled(lambda account: f"{account} ")),
    ("account in small letters", _respelled(lambda account: long_id(account).lower())),
    ("users null", _shown(USERS, "null")),
    ("users in words", _shown(USERS, "words")),
    ("sessions null", _shown(SESSIONS, "null")),
    ("pillar in words", _shown(PILLAR, "words")),
    ("pillar null", _shown(PILLAR, "null")),
    ("feature without a name", _unnamed_feature),
]
