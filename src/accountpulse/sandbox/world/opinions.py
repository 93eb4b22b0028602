"""What people say of the customers: the CSMs' pulses, changes of owner, and the forecast of renewals.

Drawn by a generator of its own, after all else, so that nothing else of a world hangs on it.
"""

from datetime import datetime, timedelta
from random import Random

from accountpulse.sandbox.world.org_builder import OrgBuilder, Row
from accountpulse.sandbox.world.plans import Blueprint, Plan

REASONS = {
    "Green": ("Sponsor asks for more seats", "Happy users, steady usage", "Roll-out went well"),
    "Yellow": ("Waiting for a fix", "New manager, still unknown to us", "Usage is flat"),
    "Red": ("Looks at a competitor", "Budget is cut", "Nobody answers any more"),
}
FORECASTS_FROM = ((0.7, "Forecast"), (0.5, "BestCase"), (0.3, "Pipeline"), (-9.0, "Omitted"))
COLOURS = ((0.65, "Green"), (0.42, "Yellow"), (-9.0, "Red"))  # from which opinion on


def add_opinions(org: OrgBuilder, blueprint: Blueprint) -> None:
    """Pulses of most customers, and the forecast of every renewal opportunity.

    By the customer's number: some have none, one that bears no date, or one of after the month; some owners changed.
    """
    rng = Random(f"opinions {blueprint.seed}")
    rows = {row["Id"]: row for row in org.objects["Account"].rows}
    owners = [row["Id"] for row in org.objects["User"].rows]
    for plan in blueprint.plans:
        if (account := rows.get(plan.customer.account_id)) is not None:
            _add_pulse(org, plan, account, owners, rng)
    qualities = {plan.customer.account_id: plan.quality for plan in blueprint.plans}
    for deal in org.objects["Opportunity"].rows:
        opinion = qualities.get(deal["AccountId"], 0.5) + rng.gauss(0, 0.2)
        deal["ForecastCategory"] = "Closed" if deal["IsWon"] else _forecast(opinion)


def _forecast(opinion: float) -> str:
    return next(name for least, name in FORECASTS_FROM if opinion >= least)


def _add_pulse(org: OrgBuilder, plan: Plan, account: Row, owners: list[str], rng: Random) -> None:
    number, owner, end = plan.number, account["OwnerId"], org.calendar.month_end
    colour = next(name for least, name in COLOURS if plan.quality + rng.gauss(0, 0.2) >= least)
    given = end - timedelta(days=rng.randint(1, 135), hours=rng.randint(1, 12))
    reason, other = rng.choice(REASONS[colour]), owners[(owners.index(owner) + 1) % len(owners)]
    changed = end - timedelta(days=rng.randint(1, 110), hours=3)
    if number % 11 == 10:
        return
    if number % 23 == 22:
        given = end + timedelta(hours=3)
    author = owner if number % 5 else other
    account["Pulse__c"], account["Pulse_Reason__c"] = colour, reason
    account["Pulse_Author__c"], account["Pulse_Date__c"] = author, None if number % 19 == 18 else given
    if number % 13 == 12:
        _add_owner_change(org, account, changed, other)
    elif number % 17 == 16:  # on the day of the pulse, in its last hour
        _add_owner_change(org, account, given.replace(hour=23, minute=0), other)


def _add_owner_change(org: OrgBuilder, account: Row, at: datetime, before: str) -> None:
    """Two rows, as Salesforce writes them: one with the names, one with the ids."""
    names = {row["Id"]: row["Name"] for row in org.objects["User"].rows}
    for old, new in ((names[before], names[account["OwnerId"]]), (before, account["OwnerId"])):
        org.add("AccountHistory", at, AccountId=account["Id"], Field="Owner", OldValue=old, NewValue=new)
