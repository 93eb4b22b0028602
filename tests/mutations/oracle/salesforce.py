"""Contract and relationship metrics out of Salesforce's raw answers, with the sandbox's mapping.

The queries hold the rows to the mapping's conditions; what they can't tell (windows, the state at `as_of`) is here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mutations.proxy import Exchanged

TIERS = ("Bronze", "Silver", "Gold", "Platinum")
FLOORS = {"Silver": 25_000, "Gold": 100_000, "Platinum": 250_000}
REVIEWS = {"Bronze": 0, "Silver": 1, "Gold": 2, "Platinum": 4}
OVERDUE_DAYS, MIN_PROBABILITY, YEAR, QUARTER = 180, 20, timedelta(days=365), timedelta(days=90)
LEVELS = ("Critical", "Moderate", "Watch")
Measures = dict[str, float | None]
Row = dict[str, Any]


def measured(
    answers: Sequence[Exchanged], _keys: Mapping[str, Sequence[str]], _start: datetime, end: datetime
) -> dict[str, Measures]:
    """Account → its metrics; the accounts are those of the answers, `end` is as_of."""
    accounts = _rows(answers, "FROM Account ")
    return {row["Id"]: _Account(answers, row, end).metrics() for row in accounts}


class _Account:
    def __init__(self, answers: Sequence[Exchanged], row: Row, as_of: datetime) -> None:
        self._answers, self._row, self._as_of = answers, row, as_of
        self._id = row["Id"]

    def metrics(self) -> Measures:
        levels = self._signals()
        return {
            "days_to_renewal": self._renewal(),
            "payment_health": self._payments(),
            "contract_changes": self._downgrades(),
            "arr_trajectory_pct": self._trajectory(),
            "tier_alignment": self._tier(),
            "qbr_attendance": self._reviews(),
            "champion_stability": self._champions(),
            "expansion_signals": self._expansions(),
            **levels,
        }

    def _mine(self, words: str, account: str = "AccountId") -> list[Row]:
        return [row for row in _rows(self._answers, words) if _at(row, account) == self._id]

    def _renewal(self) -> float | None:
        own = self._row.get("Renewal_Date__c")
        strategies = (
            [row["CloseDate"] for row in self._mine("'Renewal'")],
            [row["EndDate"] for row in self._mine("FROM Contract ")],
            [own],
        )
        for dates in strategies:
            days = [(date.fromisoformat(day) - self._as_of.date()).days for day in dates if day is not None]
            open_ones = [number for number in days if number >= 0]
            overdue = [number for number in days if -OVERDUE_DAYS <= number < 0]
            if open_ones:
                return min(open_ones)
            if overdue:
                return max(overdue)
        return None

    def _payments(self) -> float:
        cases = self._mine("FROM Case ")
        opened = [row for row in cases if _time(row["CreatedDate"]) < self._as_of]
        since = self._as_of - QUARTER
        return sum(_time(row["CreatedDate"]) >= since or self._is_open(row["ClosedDate"]) for row in opened)

    def _is_open(self, closed: str | None) -> bool:
        return closed is None or _time(closed) >= self._as_of

    def _downgrades(self) -> float:
        rows = self._mine("Downgrade'")
        dated = [date.fromisoformat(row["CloseDate"]) for row in rows if row["CloseDate"] is not None]
        undated = [row for row in rows if row["CloseDate"] is None]
        if any(_time(row["LastModifiedDate"]) >= self._as_of - YEAR for row in undated):
            raise ValueError("a downgrade that may have been closed in the window")
        return sum(self._in_year(day) for day in dated)

    def _in_year(self, day: date) -> bool:
        return (self._as_of - YEAR).date() <= day < self._as_of.date()

    def _trajectory(self) -> float | None:
        """Against ARR of a year before: each change tells what was before it. Null where nobody tracked it then."""
        arr, year_ago, since = self._row.get("ARR__c"), self._as_of - YEAR, self._row.get("Customer_Since__c")
        history = _rows(self._answers, "FROM AccountHistory ")
        tracked = [_time(row["CreatedDate"]) for row in history if row.get("Field", "ARR__c") == "ARR__c"]
        tracked += [_time(row["CreatedDate"]) for row in _rows(self._answers, "LIMIT 1")]
        is_young = since is not None and date.fromisoformat(since) > year_ago.date()
        if arr is None or is_young or not tracked or min(tracked) > year_ago:
            return None
        changes = sorted((_time(row["CreatedDate"]), row["OldValue"]) for row in self._changes("ARR__c"))
        then, now = (
            float(next((old for at, old in changes if at >= moment), arr)) for moment in (year_ago, self._as_of)
        )
        return 100 * (now - then) / then if then > 0 else None

    def _tier(self) -> float | None:
        arr, held = self._row.get("ARR__c"), self._row.get("Tier__c")
        if arr is None or held not in TIERS or self._tier_changed():
            return None
        implied = [tier for tier in TIERS if float(arr) >= FLOORS.get(tier, float("-inf"))][-1]
        return abs(TIERS.index(implied) - TIERS.index(held))

    def _changes(self, field: str) -> list[Row]:
        return [row for row in self._mine("FROM AccountHistory ") if row["Field"] == field]

    def _tier_changed(self) -> bool:
        return any(_time(row["CreatedDate"]) >= self._as_of for row in self._changes("Tier__c"))

    def _reviews(self) -> float | None:
        expected = REVIEWS.get(self._row.get("Tier__c") or "")
        if not expected or self._tier_changed():
            return None
        rows = [*self._mine("FROM Event "), *self._mine("FROM Task ")]
        days = {date.fromisoformat(row["ActivityDate"]) for row in rows if row["No_Show__c"] is not True}
        return min(100.0, 100 * sum(map(self._in_year, days)) / expected)

    def _champions(self) -> float | None:
        stay: dict[str, bool] = {}
        for row in self._mine("FROM OpportunityContactRole ", "Opportunity.AccountId"):
            contact = row["Contact"]
            bounced = contact["EmailBouncedDate"]
            left = contact["No_Longer_At_Company__c"] or (bounced is not None and _time(bounced) < self._as_of)
            stay[row["ContactId"]] = not left and contact["AccountId"] == self._id
        return 100 * sum(stay.values()) / len(stay) if stay else None

    def _expansions(self) -> float | None:
        rows = self._mine("'Expansion'")
        if any(row["IsClosed"] for row in rows):
            return None
        return sum(row["Probability"] is not None and float(row["Probability"]) >= MIN_PROBABILITY for row in rows)

    def _signals(self) -> Measures:
        found = dict.fromkeys(("critical", "moderate", "watch", "lowered", "confirmed"), 0)
        for row in self._mine("FROM Churn_Signal__c", "Account__c"):
            began = row["Signal_Date__c"] or row["CreatedDate"]
            if _time(began) >= self._as_of or not self._is_open(row["Closed_Date__c"]):
                continue
            place, is_monitored = LEVELS.index(row["Severity__c"]), row["Status__c"] == "Monitoring"
            found["lowered"] += is_monitored
            place += is_monitored
            if place < len(LEVELS):
                found[LEVELS[place].lower()] += 1
            found["confirmed"] += place == 0 and row["Confidence__c"] == "Confirmed"
        return {
            **{f"{level}_signals": found[level] for level in ("critical", "moderate", "watch")},
            "critical_confirmed_signals": found["confirmed"],
            "monitoring_reduction": found["lowered"],
        }


def _rows(answers: Sequence[Exchanged], words: str) -> list[Row]:
    """The records of the last walk over the query that holds these words."""
    found: list[Row] = []
    for each in _walk(answers, words):
        found = each
    return found


def _walk(answers: Sequence[Exchanged], words: str) -> Iterator[list[Row]]:
    for each in answers:
        soql = each.query.get("q", "")
        if "IsDeleted" in soql.replace("IsDeleted = false", ""):
            continue  # who left, of which no metric knows
        if words in f"{soql} " and ("LIMIT 1" in soql) == (words == "LIMIT 1") and each.answer.status == 200:
            yield json.loads(each.answer.body)["records"]


def _at(row: Any, path: str) -> Any:
    for step in path.split("."):
        row = None if row is None else row[step]
    return row


def _time(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
