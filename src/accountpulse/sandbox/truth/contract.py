"""The truth about contract, relationship and signals."""

from datetime import date, datetime, timedelta
from typing import Any

from accountpulse.sandbox.truth.instants import Instants, Truth, Value, Values
from accountpulse.sandbox.world.model import Customer, Salesforce

FLOORS = {"Bronze": 0, "Silver": 25_000, "Gold": 100_000, "Platinum": 250_000}
REVIEWS_A_YEAR = {"Bronze": 0, "Silver": 1, "Gold": 2, "Platinum": 4}
CHAMPIONS = ("Executive Sponsor", "Decision Maker", "Economic Buyer")
SEVERITIES = ("Critical", "Moderate", "Watch")
NONE, UNCLEAR = "no_evidence", "unclear"
Row = dict[str, Any]


class Rows:
    """The CRM's rows by account, deleted ones left out."""

    def __init__(self, org: Salesforce) -> None:
        """Group what belongs to accounts directly; look parents up for the rest."""
        self.rows = {
            name: [row for row in kind.rows if not row["IsDeleted"]] for name, kind in org.as_first_named.items()
        }
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


def contract_truth(org: Salesforce, at: Instants) -> Truth:
    """Contract, relationship and signal metrics of a customer."""
    rows = Rows(org)

    def measure(customer: Customer) -> Values:
        account = rows.accounts[customer.account_id]
        arr = _arr(rows, account, at.as_of)
        tier = account["Tier__c"]
        values = {
            "days_to_renewal": _renewal(rows, account, at),
            "payment_health": _payments(rows, account["Id"], at.as_of),
            "contract_changes": _downgrades(rows, account["Id"], at.day),
            "arr_trajectory_pct": _trajectory(rows, account, arr, at),
            "tier_alignment": NONE if arr is None or tier is None else _steps(arr, tier),
            "qbr_attendance": _reviews(rows, account["Id"], tier, at.day),
            "champion_stability": _champions(rows, account["Id"], at.day, at.as_of),
            "expansion_signals": _expansions(rows, account["Id"], at.as_of),
            **_signals(rows, account["Id"], at.as_of),
        }
        if _tier_changed(rows, account["Id"], at.as_of):
            values |= {"tier_alignment": UNCLEAR, "qbr_attendance": UNCLEAR}
        return values

    return measure


def _tier_changed(rows: Rows, account: str, as_of: datetime) -> bool:
    """Whether the account shows another tier than it had at as_of."""
    history = rows.of(account, "AccountHistory")
    return any(row["Field"] == "Tier__c" and row["CreatedDate"] >= as_of for row in history)


def _renewal(rows: Rows, account: Row, at: Instants) -> Value:
    by_deal = [
        deal["CloseDate"]
        for deal in rows.of(account["Id"], "Opportunity")
        if deal["Type"] == "Renewal" and not deal["IsClosed"] and deal["CreatedDate"] < at.as_of and deal["CloseDate"]
    ]
    by_contract = [
        each["EndDate"]
        for each in rows.of(account["Id"], "Contract")
        if each["Status"] == "Activated" and each["EndDate"]
    ]
    by_field = [account["Renewal_Date__c"]] if account["Renewal_Date__c"] else []
    for dates in (by_deal, by_contract, by_field):
        if dates:
            ahead = [due for due in dates if due >= at.day]
            due: date = min(ahead) if ahead else max(dates)
            return (due - at.day).days
    return NONE


def _payments(rows: Rows, account: str, as_of: datetime) -> float:
    count = 0
    for case in rows.of(account, "Case"):
        if case["Type"] == "Billing" and case["CreatedDate"] < as_of:
            recent = case["CreatedDate"] >= as_of - timedelta(days=90)
            count += recent or case["ClosedDate"] is None or case["ClosedDate"] >= as_of
    return count


def _downgrades(rows: Rows, account: str, day: date) -> float:
    lost = [
        deal
        for deal in rows.of(account, "Opportunity")
        if deal["IsWon"]
        and deal["Type"] == "Existing Customer - Downgrade"
        and day - timedelta(days=365) <= deal["CloseDate"] < day
    ]
    return len(lost)


def _changes(rows: Rows, account: str) -> list[Row]:
    changes = [row for row in rows.of(account, "AccountHistory") if row["Field"] == "ARR__c"]
    return sorted(changes, key=lambda row: row["CreatedDate"])


def _arr(rows: Rows, account: Row, moment: datetime) -> float | None:
    """ARR at a moment: what the first change since then changed it from, or what it is now."""
    for change in _changes(rows, account["Id"]):
        if change["CreatedDate"] >= moment:
            return None if change["OldValue"] is None else float(change["OldValue"])
    return None if account["ARR__c"] is None else float(account["ARR__c"])


def _trajectory(rows: Rows, account: Row, arr: float | None, at: Instants) -> Value:
    since = account["Customer_Since__c"]
    if since is not None and since > at.day - timedelta(days=365):
        return "too_new"
    then = _arr(rows, account, at.as_of - timedelta(days=365))
    if arr is None or then is None or then <= 0:
        return NONE
    return 100 * (arr - then) / then


def _steps(arr: float, tier: str) -> float:
    order = list(FLOORS)
    implied = max((name for name in order if arr >= FLOORS[name]), key=order.index, default=order[0])
    return abs(order.index(implied) - order.index(tier))


def _reviews(rows: Rows, account: str, tier: str | None, day: date) -> Value:
    expected = REVIEWS_A_YEAR.get(tier or "")
    if not expected:
        return "not_configured" if expected is None else "not_expected"
    days = set()
    for event in rows.of(account, "Event"):
        if _is_review(event, day) and not event["IsChild"]:
            days.add(event["ActivityDate"])
    for task in rows.of(account, "Task"):
        if _is_review(task, day) and task["IsClosed"]:
            days.add(task["ActivityDate"])
    return min(100.0, 100 * len(days) / expected)


def _is_review(row: Row, day: date) -> bool:
    subject = row["Subject"].lower()
    wanted = ("qbr" in subject or "business review" in subject) and not subject.startswith("cancel")
    return wanted and not row["No_Show__c"] and day - timedelta(days=365) <= row["ActivityDate"] < day


def _champions(rows: Rows, account: str, day: date, as_of: datetime) -> Value:
    people = set()
    for role in rows.roles.get(account, []):
        deal = rows.deals[role["OpportunityId"]]
        if role["Role"] in CHAMPIONS and deal["IsWon"] and deal["CloseDate"] < day:
            people.add(role["ContactId"])
    if not people:
        return NONE
    there = [person for person in people if _still_there(rows.people[person], account, as_of)]
    return 100 * len(there) / len(people)


def _still_there(person: Row, account: str, as_of: datetime) -> bool:
    """Whose mail came back after as_of was there then."""
    bounced = person["EmailBouncedDate"]
    here = person["AccountId"] == account and not person["No_Longer_At_Company__c"]
    return here and (bounced is None or bounced >= as_of)


def _expansions(rows: Rows, account: str, as_of: datetime) -> float:
    growing = [
        deal
        for deal in rows.of(account, "Opportunity")
        if not deal["IsClosed"]
        and deal["Type"] in ("Expansion", "Existing Customer - Upgrade")
        and (deal["Probability"] or 0) >= 20
        and deal["CreatedDate"] < as_of
    ]
    return len(growing)


def _signals(rows: Rows, account: str, as_of: datetime) -> Values:
    counts = dict.fromkeys(SEVERITIES, 0)
    confirmed = lowered = 0
    for signal in rows.of(account, "Churn_Signal__c"):
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
