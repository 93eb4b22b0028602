"""The truth about the crooked world's org: what its records say by the ten rules of evidence, and what they don't.

Computed from the org's own state, the plain definitions of docs/metrics.md and the rules; what is decided where they
leave something open stands in docs/sandbox-worlds.md.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, permutations

from accountpulse.sandbox.truth.contract import CHAMPIONS, FLOORS, REVIEWS_A_YEAR, SEVERITIES, Row
from accountpulse.sandbox.truth.instants import Instants, Truth, Value, Values
from accountpulse.sandbox.world.model import Customer, Salesforce

OVERDUE_DAYS = 180
YEAR = timedelta(days=365)
LEFT = {"picklist": ("yes", "retired"), "text": ("left", "has retired")}
# where several hold, the first
WORST = ("not_visible", "several_rows", "unclear", "too_new", "not_configured", "not_expected", "no_evidence")
SIGNALS = (
    "critical_signals",
    "moderate_signals",
    "watch_signals",
    "critical_confirmed_signals",
    "monitoring_reduction",
)


@dataclass(frozen=True)
class Seen:
    """The org as our user may see it, by queryAll without what is deleted."""

    org: Salesforce
    at: Instants

    def rows(self, name: str, **equal: object) -> list[Row]:
        """An object's rows that have these values."""
        kind = self.org.objects[name]
        return [
            row
            for row in kind.rows
            if not row.get("IsDeleted")
            and row["Id"] not in kind.unshared
            and all(row[field] == value for field, value in equal.items())
        ]


def crooked_org_truth(org: Salesforce, at: Instants) -> Truth:
    """Contract, relationship and signal metrics of a customer."""
    seen = Seen(org, at)
    accounts = {row["Id"]: row for row in seen.rows("Account")}

    def measure(customer: Customer) -> Values:
        account = accounts[customer.account_id]
        arr = _Arr(seen, account)
        values = {
            "days_to_renewal": _renewal(seen, account),
            "payment_health": _payments(seen, account),
            "contract_changes": _downgrades(seen, account),
            "arr_trajectory_pct": arr.trajectory(),
            "tier_alignment": _alignment(arr.now(), account["Tier__c"]),
            "qbr_attendance": _reviews(seen, account),
            "champion_stability": _champions(seen, account),
            "expansion_signals": _expansions(seen, account),
            **_signals(seen, account),
        }
        if _tier_changed(seen, account):
            for name in ("tier_alignment", "qbr_attendance"):
                found = values[name]
                values[name] = _worst(["unclear", *([found] if isinstance(found, str) else ())]) or "unclear"
        return values

    return measure


def _tier_changed(seen: Seen, account: Row) -> bool:
    """Rule 6: whether the account shows another tier than it had, where ARR is read from the history that says so."""
    if seen.org.keeps["arr"] == "snapshots":
        return False
    changes = seen.rows("AccountHistory", AccountId=account["Id"], Field="Tier__c")
    return any(row["CreatedDate"] >= seen.at.as_of for row in changes)


def _worst(reasons: Iterable[str]) -> str | None:
    return min(reasons, key=WORST.index, default=None)


# --- contract --------------------------------------------------------------------------------------------------


def _renewal(seen: Seen, account: Row) -> Value:
    """Rule 7: by deal, else by contract, else by the account's field; each must give a date that may be one."""
    if _closed_since(seen, account, "Renewal"):
        return "unclear"  # rule 6: open then, and its date may have been another
    deals = [
        deal["CloseDate"]
        for deal in seen.rows("Opportunity", AccountId=account["Id"], Type="Renewal", IsClosed=False)
        if deal["CreatedDate"] < seen.at.as_of
    ]
    contracts = [each["EndDate"] for each in seen.rows("Contract", AccountId=account["Id"], Status="Activated")]
    for dates in (deals, contracts, [account["Renewal_Date__c"]]):
        days: list[int] = [(day - seen.at.day).days for day in dates if day is not None]
        ahead = [each for each in days if each >= 0]
        overdue = [each for each in days if -OVERDUE_DAYS <= each < 0]
        if ahead or overdue:
            return min(ahead) if ahead else max(overdue)
    return "no_evidence"


def _closed_since(seen: Seen, account: Row, *kinds: str) -> bool:
    deals = seen.rows("Opportunity", AccountId=account["Id"], IsClosed=True)
    return any(
        deal["Type"] in kinds and deal["LastStageChangeDate"] and deal["LastStageChangeDate"] >= seen.at.as_of
        for deal in deals
        if deal["CreatedDate"] < seen.at.as_of
    )


def _payments(seen: Seen, account: Row) -> Value:
    at, way = seen.at, seen.org.keeps["payment"]
    if way == "account":
        number = account["Open_Problems__c"]
        return "no_evidence" if number is None else float(number)
    if way == "case":
        spans = [
            (case["CreatedDate"], case["ClosedDate"])
            for case in seen.rows("Case", AccountId=account["Id"], Type="Billing")
            if case["CreatedDate"] < at.as_of
        ]
    else:
        invoices = seen.rows("Invoice__c", Account__c=account["Id"])
        invoices = [each for each in invoices if each["CreatedDate"] < at.as_of]
        if any(each["Due_Date__c"] is None and each["Paid_Date__c"] is None for each in invoices):
            return "unclear"  # unpaid, and nobody can say whether it is overdue
        spans = [
            (_midnight(each["Due_Date__c"]), each["Paid_Date__c"] and _midnight(each["Paid_Date__c"]))
            for each in invoices
            if each["Due_Date__c"] < at.day
            and (each["Paid_Date__c"] is None or each["Paid_Date__c"] > each["Due_Date__c"])
        ]
    recent = at.as_of - timedelta(days=90)
    return len([1 for opened, closed in spans if opened >= recent or closed is None or closed >= at.as_of])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _downgrades(seen: Seen, account: Row) -> Value:
    at, start = seen.at, seen.at.as_of - YEAR
    if seen.org.keeps["downgrades"] == "records":
        kind = "Existing Customer - Downgrade"
        deals = seen.rows("Opportunity", AccountId=account["Id"], Type=kind, IsWon=True)
        return len([deal for deal in deals if at.day - YEAR <= deal["CloseDate"] < at.day])
    known = _known_since(seen.org, "Seats__c")
    if start < known and account["CreatedDate"] < known:
        return "too_new"  # rule 5: what fell before, nobody wrote down
    days = {
        row["CreatedDate"].date()
        for row in seen.rows("AccountHistory", AccountId=account["Id"], Field="Seats__c")
        if start <= row["CreatedDate"] < at.as_of
        and row["OldValue"] is not None
        and row["NewValue"] is not None
        and float(row["NewValue"]) < float(row["OldValue"])
    }
    return len(days)


def _known_since(org: Salesforce, field: str) -> datetime:
    """From when on a field's history tells everything: since it is tracked, as far back as Salesforce keeps it."""
    return max(_midnight(org.tracked_since[field]), _midnight(org.history_from))


# --- ARR -------------------------------------------------------------------------------------------------------


class _Arr:
    """What an account paid in a year, at as_of and a year before; a reason where that isn't known."""

    def __init__(self, seen: Seen, account: Row) -> None:
        self._seen = seen
        self._account = account
        self._start = seen.at.as_of - YEAR
        self._snapshots = seen.org.keeps["arr"] == "snapshots"

    def now(self) -> Value:
        """In the corporate currency, by the rate of as_of's day."""
        if self._snapshots:
            found = self._snapshot(self._seen.at.day)
            if found != "no_evidence":
                return found
        amount = self._present() if self._snapshots else self._by_history(self._seen.at.as_of)
        return amount if isinstance(amount, str) else self._worth(amount, self._currency(self._seen.at.as_of))

    def trajectory(self) -> Value:
        """Percent since a year ago. The fall of a currency is nobody's: both amounts are converted by one rate."""
        since = self._account["Customer_Since__c"]
        reasons = ["too_new"] if since is not None and since > self._seen.at.day - YEAR else []
        if not self._snapshots and _known_since(self._seen.org, "ARR__c") > self._start:
            reasons.append("too_new")  # rule 5
        now, then = self.now(), self._snapshot(self._start.date()) if self._snapshots else self._then()
        reasons += [each for each in (now, then) if isinstance(each, str)]
        if not isinstance(now, str) and not isinstance(then, str):
            if not reasons and then > 0:
                return 100 * (now - then) / then
            reasons.append("no_evidence")
        return _worst(reasons) or "no_evidence"

    def _then(self) -> Value:
        """A year ago, by history. Where the currency was changed since, by what was equal on that day: rule 6."""
        amount = self._by_history(self._start)
        if isinstance(amount, str):
            return amount
        for change in self._currency_changes():
            if self._start <= change["CreatedDate"] < self._seen.at.as_of:
                day = change["CreatedDate"].date()
                amount = self._worth(amount, change["OldValue"], day) * self._rate(change["NewValue"], day)
        return self._worth(amount, self._currency(self._seen.at.as_of))

    def _present(self) -> Value:
        amount = self._account["ARR__c"]
        return "no_evidence" if amount is None else float(amount)

    def _by_history(self, moment: datetime) -> Value:
        """What the first change since then changed it from, or what it is now."""
        chain = self._chain()
        if chain is None:
            return "unclear"
        for change in chain:
            if change["CreatedDate"] >= moment:
                return "no_evidence" if change["OldValue"] is None else float(change["OldValue"])
        return self._present()

    def _chain(self) -> list[Row] | None:
        """The changes since a year ago, each of which begins where the one before ended; None: they don't join.

        Rules 4 and 10: changes of one second have no order but this one, and the last must come to the present amount.
        """
        rows = self._seen.rows("AccountHistory", AccountId=self._account["Id"], Field="ARR__c")
        rows = sorted((row for row in rows if row["CreatedDate"] >= self._start), key=lambda row: row["CreatedDate"])
        seconds: list[list[Row]] = []
        for row in rows:
            if seconds and seconds[-1][0]["CreatedDate"] == row["CreatedDate"]:
                seconds[-1].append(row)
            else:
                seconds.append([row])
        chain: list[Row] = []
        for together in seconds:
            orders = [order for order in permutations(together) if _joins(order)]
            if len(orders) != 1:
                return None
            chain.extend(orders[0])
        end = [{"OldValue": self._account["ARR__c"], "NewValue": None}] if chain else []
        return chain if _joins([*chain, *end]) else None

    def _snapshot(self, day: date) -> Value:
        """What the nearest snapshot says, at most 15 days away; of as_of only earlier ones. Rule 4: one a day."""
        found = [
            (abs((row["Snapshot_Date__c"] - day).days), self._worth(float(row["ARR__c"]), row["CurrencyIsoCode"]))
            for row in self._seen.rows("ARR_Snapshot__c", Account__c=self._account["Id"])
            if row["Snapshot_Date__c"] is not None
            and abs((row["Snapshot_Date__c"] - day).days) <= 15
            and (day != self._seen.at.day or row["Snapshot_Date__c"] <= day)
        ]
        if not found:
            return "no_evidence"
        nearest = min(away for away, _amount in found)
        amounts = {amount for away, amount in found if away == nearest}
        return amounts.pop() if len(amounts) == 1 else "several_rows"

    def _currency_changes(self) -> list[Row]:
        changes = self._seen.rows("AccountHistory", AccountId=self._account["Id"], Field="CurrencyIsoCode")
        return sorted(changes, key=lambda row: row["CreatedDate"])

    def _currency(self, moment: datetime) -> str:
        """The account's currency then: rule 6."""
        later = [each["OldValue"] for each in self._currency_changes() if each["CreatedDate"] >= moment]
        return str(later[0] if later else self._account["CurrencyIsoCode"])

    def _worth(self, amount: float, currency: str, day: date | None = None) -> float:
        """In the corporate currency by a day's rate, as_of's where none is given."""
        return amount / self._rate(currency, day or self._seen.at.day)

    def _rate(self, currency: str, day: date) -> float:
        (rate,) = (
            row["ConversionRate"]
            for row in self._seen.rows("DatedConversionRate", IsoCode=currency)
            if row["StartDate"] <= day < row["NextStartDate"]
        )
        return float(rate)


def _joins(rows: Sequence[Row]) -> bool:
    return all(_same(before["NewValue"], after["OldValue"]) for before, after in pairwise(rows))


def _same(one: object, other: object) -> bool:
    return one == other or (one is not None and other is not None and float(str(one)) == float(str(other)))


def _alignment(arr: Value, tier: str | None) -> Value:
    order = list(FLOORS)
    reasons = [arr] if isinstance(arr, str) else []
    if tier is None:
        reasons.append("no_evidence")
    elif tier not in order:
        reasons.append("unclear")  # rule 10: a tier that nobody can place
    if reasons or isinstance(arr, str) or tier is None:
        return _worst(reasons) or "no_evidence"
    implied = max((name for name in order if arr >= FLOORS[name]), key=order.index, default=order[0])
    return abs(order.index(implied) - order.index(tier))


# --- relationship ----------------------------------------------------------------------------------------------


def _reviews(seen: Seen, account: Row) -> Value:
    expected = REVIEWS_A_YEAR.get(account["Tier__c"] or "")
    if not expected:
        return "not_configured" if expected is None else "not_expected"
    held = [
        row
        for row in (*seen.rows("Event", AccountId=account["Id"]), *seen.rows("Task", AccountId=account["Id"]))
        if _is_review(row)
        and not row.get("IsChild")  # the same event in an invitee's calendar
        and not row["IsRecurrence"]  # rule 4: the series stands for no occurrence
        and row.get("IsClosed", True)  # a task that isn't done
    ]
    if any(row["ActivityDate"] is None and row["CreatedDate"] < seen.at.as_of for row in held):
        return "unclear"  # rule 3: done, and nobody can say when
    days = {row["ActivityDate"] for row in held if row["ActivityDate"] is not None}
    counted = [day for day in days if seen.at.day - YEAR <= day < seen.at.day]
    return min(100.0, 100 * len(counted) / expected)


def _is_review(row: Row) -> bool:
    subject = (row["Subject"] or "").lower()
    wanted = "qbr" in subject or "business review" in subject
    return wanted and not subject.startswith("cancel") and not row["No_Show__c"]


def _champions(seen: Seen, account: Row) -> Value:
    contacts = {row["Id"]: row for row in seen.rows("Contact")}
    if seen.org.keeps["champions"] == "contact":
        people = {row["Id"] for row in contacts.values() if row["AccountId"] == account["Id"] and row["Champion__c"]}
    else:
        won = {
            deal["Id"]
            for deal in seen.rows("Opportunity", AccountId=account["Id"], IsWon=True)
            if deal["CloseDate"] < seen.at.day
        }
        roles = [row for row in seen.rows("OpportunityContactRole") if row["OpportunityId"] in won]
        people = {row["ContactId"] for row in roles if row["Role"] in CHAMPIONS}
    if not people:
        return "no_evidence"
    if not people <= contacts.keys():
        return "not_visible"  # rule 5
    has_left = _way_to_leave(seen.org)
    reached = [
        person for person in people if not _bounced(contacts[person], seen.at.as_of) and not has_left(contacts[person])
    ]
    if any(contacts[person]["AccountId"] is None for person in reached):
        return "unclear"  # rule 3: neither here nor anywhere else
    there = [person for person in reached if contacts[person]["AccountId"] == account["Id"]]
    return 100 * len(there) / len(people)


def _bounced(contact: Row, as_of: datetime) -> bool:
    """Whether mail had come back by as_of: rule 6."""
    moment = contact["EmailBouncedDate"]
    return moment is not None and bool(moment < as_of)


def _way_to_leave(org: Salesforce) -> Callable[[Row], bool]:
    """Rule 2: by the checkbox, or by the values that the mapping names."""
    way = org.keeps["left"]
    if way == "checkbox":
        return lambda contact: bool(contact["No_Longer_At_Company__c"])
    field = "Left__c" if way == "picklist" else "Situation__c"
    return lambda contact: (contact[field] or "").lower() in LEFT[way]


def _expansions(seen: Seen, account: Row) -> Value:
    if _closed_since(seen, account, "Expansion", "Existing Customer - Upgrade"):
        return "unclear"
    growing = [
        deal
        for deal in seen.rows("Opportunity", AccountId=account["Id"], IsClosed=False)
        if deal["Type"] in ("Expansion", "Existing Customer - Upgrade")
        and (deal["Probability"] or 0) >= 20
        and deal["CreatedDate"] < seen.at.as_of
    ]
    return len(growing)


# --- signals ---------------------------------------------------------------------------------------------------


def _signals(seen: Seen, account: Row) -> Values:
    as_of = seen.at.as_of
    counts = dict.fromkeys(SEVERITIES, 0)
    confirmed = lowered = 0
    for signal in seen.rows("Churn_Signal__c", Account__c=account["Id"]):
        opened, closed = signal["Signal_Date__c"], signal["Closed_Date__c"]
        if (opened or signal["CreatedDate"]) >= as_of:  # rule 3: without a date, it is as old as its record at least
            continue
        if closed < as_of if closed is not None else signal["Status__c"] == "Resolved":
            continue
        if signal["Severity__c"] not in SEVERITIES:
            return dict.fromkeys(SIGNALS, "unclear")  # rule 10: how bad it is, nobody can say
        level = SEVERITIES.index(signal["Severity__c"])
        if signal["Status__c"] == "Monitoring":
            lowered += 1
            level += 1
        elif level == 0 and signal["Confidence__c"] == "Confirmed":
            confirmed += 1
        if level < len(SEVERITIES):
            counts[SEVERITIES[level]] += 1
    return dict(zip(SIGNALS, (*counts.values(), confirmed, lowered), strict=True))
