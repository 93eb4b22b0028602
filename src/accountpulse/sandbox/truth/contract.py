"""The truth about contract, relationship and signals."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from accountpulse.sandbox.world.model import Customer, World

FLOORS = {"Bronze": 0, "Silver": 25_000, "Gold": 100_000, "Platinum": 250_000}
OWED = {"Bronze": 0, "Silver": 1, "Gold": 2, "Platinum": 4}
CHAMPIONS = ("Executive Sponsor", "Decision Maker", "Economic Buyer")
SEVERITIES = ("Critical", "Moderate", "Watch")
NONE = "no_evidence"
Row = dict[str, Any]
Told = dict[str, float | str]


class Instants(Protocol):
    """What contracts need to know of the period."""

    @property
    def as_of(self) -> datetime:
        """The end of everything."""

    @property
    def day(self) -> date:
        """Its day."""


class Org:
    """The CRM's rows by account, deleted ones left out."""

    def __init__(self, world: World) -> None:
        """Group what belongs to accounts directly; look parents up for the rest."""
        objects = world.salesforce.objects
        self.rows = {name: [row for row in kind.rows if not row["IsDeleted"]] for name, kind in objects.items()}
        self.accounts = {row["Id"]: row for row in self.rows["Account"]}
        self.people = {row["Id"]: row for row in self.rows["Contact"]}
        self.deals = {row["Id"]: row for row in self.rows["Opportunity"]}
        self._grouped: dict[str, dict[str, list[Row]]] = {}
        for name, kind in self.rows.items():
            key = "Account__c" if name == "Churn_Signal__c" else "AccountId"
            if kind and key in kind[0]:
                for row in kind:
                    self._grouped.setdefault(name, {}).setdefault(row[key], []).append(row)
        self.roles: dict[str, list[Row]] = {}
        for row in self.rows["OpportunityContactRole"]:
            self.roles.setdefault(self.deals[row["OpportunityId"]]["AccountId"], []).append(row)

    def of(self, account: str, name: str) -> list[Row]:
        """An account's rows of one object."""
        return self._grouped.get(name, {}).get(account, [])


def contract(world: World, at: Instants) -> Callable[[Customer], Told]:
    """A teller of one customer's contract, relationship and signal metrics."""
    org = Org(world)

    def tell(customer: Customer) -> Told:
        account = org.accounts[customer.account_id]
        arr = _arr(org, account, at.as_of)
        tier = account["Tier__c"]
        return {
            "days_to_renewal": _renewal(org, account, at),
            "payment_health": _payments(org, account["Id"], at.as_of),
            "contract_changes": _downgrades(org, account["Id"], at.day),
            "arr_trajectory_pct": _trajectory(org, account, arr, at),
            "tier_alignment": NONE if arr is None or tier is None else _steps(arr, tier),
            "qbr_attendance": _reviews(org, account["Id"], tier, at.day),
            "champion_stability": _champions(org, account["Id"], at.day),
            "expansion_signals": _expansions(org, account["Id"], at.as_of),
            **_signals(org, account["Id"], at.as_of),
        }

    return tell


def _renewal(org: Org, account: Row, at: Instants) -> float | str:
    by_deal = [
        deal["CloseDate"]
        for deal in org.of(account["Id"], "Opportunity")
        if deal["Type"] == "Renewal" and not deal["IsClosed"] and deal["CreatedDate"] < at.as_of and deal["CloseDate"]
    ]
    by_contract = [
        each["EndDate"]
        for each in org.of(account["Id"], "Contract")
        if each["Status"] == "Activated" and each["EndDate"]
    ]
    by_field = [account["Renewal_Date__c"]] if account["Renewal_Date__c"] else []
    for dates in (by_deal, by_contract, by_field):
        if dates:
            ahead = [due for due in dates if due >= at.day]
            due: date = min(ahead) if ahead else max(dates)
            return (due - at.day).days
    return NONE


def _payments(org: Org, account: str, as_of: datetime) -> float:
    count = 0
    for case in org.of(account, "Case"):
        if case["Type"] == "Billing" and case["CreatedDate"] < as_of:
            recent = case["CreatedDate"] >= as_of - timedelta(days=90)
            count += recent or case["ClosedDate"] is None or case["ClosedDate"] >= as_of
    return count


def _downgrades(org: Org, account: str, day: date) -> float:
    lost = [
        deal
        for deal in org.of(account, "Opportunity")
        if deal["IsWon"]
        and deal["Type"] == "Existing Customer - Downgrade"
        and day - timedelta(days=365) <= deal["CloseDate"] < day
    ]
    return len(lost)


def _changes(org: Org, account: str) -> list[Row]:
    rows = [row for row in org.of(account, "AccountHistory") if row["Field"] == "ARR__c"]
    return sorted(rows, key=lambda row: row["CreatedDate"])


def _arr(org: Org, account: Row, moment: datetime) -> float | None:
    """ARR at a moment: what the first change since then changed it from, or what it is now."""
    for change in _changes(org, account["Id"]):
        if change["CreatedDate"] >= moment:
            return None if change["OldValue"] is None else float(change["OldValue"])
    return None if account["ARR__c"] is None else float(account["ARR__c"])


def _trajectory(org: Org, account: Row, arr: float | None, at: Instants) -> float | str:
    since = account["Customer_Since__c"]
    if since is not None and since > at.day - timedelta(days=365):
        return "too_new"
    then = _arr(org, account, at.as_of - timedelta(days=365))
    if arr is None or then is None or then <= 0:
        return NONE
    return 100 * (arr - then) / then


def _steps(arr: float, tier: str) -> float:
    order = list(FLOORS)
    implied = max((name for name in order if arr >= FLOORS[name]), key=order.index, default=order[0])
    return abs(order.index(implied) - order.index(tier))


def _reviews(org: Org, account: str, tier: str | None, day: date) -> float | str:
    owed = OWED.get(tier or "", 0)
    if not owed:
        return "not_configured"
    held = set()
    for event in org.of(account, "Event"):
        if _is_review(event, day) and not event["IsChild"]:
            held.add(event["ActivityDate"])
    for task in org.of(account, "Task"):
        if _is_review(task, day) and task["IsClosed"]:
            held.add(task["ActivityDate"])
    return min(100.0, 100 * len(held) / owed)


def _is_review(row: Row, day: date) -> bool:
    subject = row["Subject"].lower()
    wanted = ("qbr" in subject or "business review" in subject) and not subject.startswith("cancel")
    return wanted and not row["No_Show__c"] and day - timedelta(days=365) <= row["ActivityDate"] < day


def _champions(org: Org, account: str, day: date) -> float | str:
    people = set()
    for role in org.roles.get(account, []):
        deal = org.deals[role["OpportunityId"]]
        if role["Role"] in CHAMPIONS and deal["IsWon"] and deal["CloseDate"] < day:
            people.add(role["ContactId"])
    if not people:
        return NONE
    there = [person for person in people if _still_there(org.people[person], account)]
    return 100 * len(there) / len(people)


def _still_there(person: Row, account: str) -> bool:
    return (
        person["AccountId"] == account and not person["No_Longer_At_Company__c"] and person["EmailBouncedDate"] is None
    )


def _expansions(org: Org, account: str, as_of: datetime) -> float:
    growing = [
        deal
        for deal in org.of(account, "Opportunity")
        if not deal["IsClosed"]
        and deal["Type"] in ("Expansion", "Existing Customer - Upgrade")
        and (deal["Probability"] or 0) >= 20
        and deal["CreatedDate"] < as_of
    ]
    return len(growing)


def _signals(org: Org, account: str, as_of: datetime) -> Told:
    counts = dict.fromkeys(SEVERITIES, 0)
    confirmed = lowered = 0
    for signal in org.of(account, "Churn_Signal__c"):
        closed = signal["Closed_Date__c"]
        if signal["Signal_Date__c"] >= as_of or (closed is not None and closed < as_of):
            continue
        level = SEVERITIES.index(signal["Severity__c"])
        if signal["Status__c"] == "Monitoring":
            lowered += 1
            level += 1
        elif level == 0 and signal["Confidence__c"] == "Confirmed":
            confirmed += 1
        if level < len(SEVERITIES):
            counts[SEVERITIES[level]] += 1
    return {
        "critical_signals": counts["Critical"],
        "moderate_signals": counts["Moderate"],
        "watch_signals": counts["Watch"],
        "critical_confirmed_signals": confirmed,
        "monitoring_reduction": lowered,
    }
