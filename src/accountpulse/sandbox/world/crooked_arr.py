"""What the crooked world does to an account's ARR: its history, its snapshots, its currency, its tier."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from accountpulse.sandbox.world.crooked_account import CORPORATE, OTHER, Bending, Kinds
from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.plans import Blueprint

RETIRED_TIER = "Titanium"  # that the picklist no longer has


def _changed(at: Bending, *changes: tuple[float, float | None, float]) -> None:
    """A history of ARR of its own: days before as_of, before and after."""
    at.drop("AccountHistory", lambda row: row["Field"] == "ARR__c")
    at.account["Customer_Since__c"] = min(at.account["Customer_Since__c"], at.day(900))
    at.account["CreatedDate"] = datetime.combine(at.account["Customer_Since__c"], time(), UTC)
    for days, before, after in changes:
        at.add("AccountHistory", at.at(days), Field="ARR__c", OldValue=before, NewValue=after)


def _two_in_a_second(at: Bending) -> None:
    at.account["ARR__c"] = 60_000.0
    _changed(at, (50, 55_000.0, 60_000.0), (50, 50_000.0, 55_000.0), (400, 40_000.0, 50_000.0))


def _forked(at: Bending) -> None:
    at.account["ARR__c"] = 60_000.0
    _changed(at, (50, 50_000.0, 60_000.0), (50, 50_000.0, 55_000.0))


def _contradicted(at: Bending) -> None:
    """A load that left no trace: the present amount isn't what the last change came to."""
    at.account["ARR__c"] = 90_000.0
    _changed(at, (60, 50_000.0, 60_000.0))


def _in_the_other_currency(at: Bending) -> bool:
    if at.account["ARR__c"] is None:
        return False
    at.account["CurrencyIsoCode"] = OTHER
    return True


def _currency_changed(at: Bending) -> None:
    """The same worth in another currency: 80,000 of the corporate one at 0.9."""
    at.account |= {"ARR__c": 72_000.0, "CurrencyIsoCode": OTHER}
    _changed(at, (90, 80_000.0, 72_000.0))
    at.add("AccountHistory", at.at(90), Field="CurrencyIsoCode", OldValue=CORPORATE, NewValue=OTHER)


def _currency_changed_since(at: Bending) -> None:
    """After as_of: until then it paid in the corporate currency."""
    at.account |= {"ARR__c": 72_000.0, "CurrencyIsoCode": OTHER}
    _changed(at, (-10, 80_000.0, 72_000.0), (200, 64_000.0, 80_000.0))
    at.add("AccountHistory", at.at(-10), Field="CurrencyIsoCode", OldValue=CORPORATE, NewValue=OTHER)


def _from_nothing(at: Bending) -> None:
    at.account["ARR__c"] = 60_000.0
    _changed(at, (50, None, 60_000.0))


def _changed_long_ago(at: Bending) -> None:
    """Twenty months before as_of: of interest to whoever asks for a month of last year."""
    at.account["ARR__c"] = 50_000.0
    _changed(at, (585, 40_000.0, 50_000.0))


def _tier_sold_no_more(at: Bending) -> None:
    at.account["Tier__c"] = RETIRED_TIER


OF_ANY_ORG: Kinds = [
    ("", None),
    ("ARR in another currency", _in_the_other_currency),
    ("tier sold no more", _tier_sold_no_more),
]
ARR: Kinds = [*OF_ANY_ORG, ("", None), ("", None)]
ARR_BY_HISTORY: Kinds = [
    *OF_ANY_ORG,
    ("two changes in one second", _two_in_a_second),
    ("two changes in one second that fork", _forked),
    ("history against the present", _contradicted),
    ("currency changed", _currency_changed),
    ("currency changed since", _currency_changed_since),
    ("ARR from nothing", _from_nothing),
    ("ARR changed twenty months ago", _changed_long_ago),
]


def _two_snapshots(at: Bending) -> bool:
    return at.account["ARR__c"] is not None


ARR_BY_SNAPSHOTS: Kinds = [
    *OF_ANY_ORG,
    ("two snapshots on a day", _two_snapshots),
    ("the same snapshot twice", _two_snapshots),
    ("snapshot without a day", _two_snapshots),
    ("no snapshot of a year ago", _two_snapshots),
    ("snapshot in another currency", _in_the_other_currency),
]


def take_snapshots(org: Salesforce, blueprint: Blueprint, numbers: "count[int]") -> None:
    """ARR on the first of every month, as the plain org's history has it; and what is odd about some."""
    calendar = blueprint.calendar
    accounts = {row["Id"]: row for row in org.objects["Account"].rows}
    for plan in blueprint.plans:
        account = accounts[plan.customer.account_id]
        at = Bending(org, calendar, plan, account, numbers)
        changes = sorted(
            (row for row in at.rows("AccountHistory") if row["Field"] == "ARR__c"), key=lambda row: row["CreatedDate"]
        )
        begun = max(plan.customer.since, calendar.start.date())
        year_ago = at.day(365)
        day = calendar.start.date().replace(day=1)
        while day <= calendar.until.date() and account["ARR__c"] is not None:
            later = [row for row in changes if row["CreatedDate"] >= datetime.combine(day, time(), UTC)]
            amount = float(later[0]["OldValue"]) if later else account["ARR__c"]
            gone = "no snapshot of a year ago" in plan.customer.crooked and abs((day - year_ago).days) <= 15
            if day >= begun and not gone:
                early = "snapshot in another currency" in plan.customer.crooked and day <= year_ago
                _snapshot(at, day, amount, CORPORATE if early else account["CurrencyIsoCode"])
                if day == year_ago:
                    _odd_snapshots(at, day, amount)
            day = (day + timedelta(days=32)).replace(day=1)


def _snapshot(at: Bending, day: date | None, amount: float, currency: str) -> None:
    at.add("ARR_Snapshot__c", Snapshot_Date__c=day, ARR__c=amount, CurrencyIsoCode=currency)


def _odd_snapshots(at: Bending, day: date, amount: float) -> None:
    crooked, currency = at.plan.customer.crooked, at.account["CurrencyIsoCode"]
    if "two snapshots on a day" in crooked:
        _snapshot(at, day, amount + 5_000, currency)
    if "the same snapshot twice" in crooked:
        _snapshot(at, day, amount, currency)
    if "snapshot without a day" in crooked:
        _snapshot(at, None, amount + 5_000, currency)
