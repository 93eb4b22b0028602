"""The crooked world's org: the plain one, with what real orgs hold and nobody expects.

Every list below names what happens to the accounts in turn, one thing a domain: the first account that a list comes to
keeps what it has, the next gets the second entry, and so on. What is true of each, docs/sandbox-worlds.md says. How the
org keeps its contracts and people changes from seed to seed (`WAYS`), so that three seeds see every strategy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Any, TypeAlias

from accountpulse.sandbox.world.model import FieldDef, Salesforce, SObject
from accountpulse.sandbox.world.org import long_id, record_id
from accountpulse.sandbox.world.org_builder import Row
from accountpulse.sandbox.world.plans import Blueprint, Calendar, Plan
from accountpulse.sandbox.world.relationship import REVIEWS_A_YEAR

# how an org keeps payments, downgrades, ARR and champions
WAYS = (
    {"payment": "case", "downgrades": "records", "arr": "history", "champions": "role", "left": "picklist"},
    {"payment": "invoice", "downgrades": "history", "arr": "snapshots", "champions": "contact", "left": "text"},
    {
        "payment": "account",
        "downgrades": "late history",
        "arr": "late history",
        "champions": "role",
        "left": "checkbox",
    },
)
CORPORATE, OTHER = "USD", "EUR"
RATES = ((date(2000, 1, 1), 0.95), (date(2026, 7, 1), 0.9), (date(2026, 11, 10), 0.8))  # of the other currency, from
YEAR = timedelta(days=365)
RETIRED_TIER, RETIRED_SEVERITY = "Titanium", "Severe"  # values that the picklists no longer have


@dataclass
class Bending:
    """One account of the org while it is bent."""

    org: Salesforce
    calendar: Calendar
    plan: Plan
    account: Row
    numbers: "count[int]"
    rng: Random

    @property
    def end(self) -> date:
        """The day of as_of."""
        return self.calendar.month_end.date()

    @property
    def account_id(self) -> str:
        """Its id."""
        return str(self.account["Id"])

    def rows(self, name: str, key: str = "AccountId") -> list[Row]:
        """Its rows of an object."""
        return [row for row in self.org.objects[name].rows if row[key] == self.account_id]

    def drop(self, name: str, test: Callable[[Row], bool], key: str = "AccountId") -> None:
        """Take rows of it away."""
        kind = self.org.objects[name]
        kind.rows[:] = [row for row in kind.rows if row[key] != self.account_id or not test(row)]

    def add(self, name: str, created: datetime | None = None, **values: Any) -> Row:
        """A new record of an object; of the account, unless another is named."""
        kind = self.org.objects[name]
        row: Row = {field.name: _empty(field) for field in kind.fields.values()}
        row["Id"] = record_id(kind.key_prefix, next(self.numbers))
        for field in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            row[field] = created or self.calendar.start
        key = "Account__c" if "Account__c" in kind.fields else "AccountId"
        values = values if key in values or key not in kind.fields else {key: self.account_id, **values}
        if unknown := set(values) - set(row):
            raise KeyError(f"{name} has no {sorted(unknown)}")
        row.update(values)
        kind.rows.append(row)
        return row

    def at(self, days: float) -> datetime:
        """So many days before as_of."""
        return self.calendar.month_end - timedelta(days=days)

    def day(self, days: int) -> date:
        """So many days before the day of as_of."""
        return self.end - timedelta(days=days)


Bend: TypeAlias = Callable[[Bending], bool | None]  # False: this account has nothing to bend there


def bend_org(org: Salesforce, blueprint: Blueprint) -> None:
    """Bend the plain org."""
    org.keeps = WAYS[blueprint.seed % len(WAYS)]
    org.nulls_compare = False
    calendar = blueprint.calendar
    _widen(org)
    _date_accounts(org, blueprint)
    accounts = {row["Id"]: row for row in org.objects["Account"].rows}
    numbers, rng = count(900_000), Random(f"crooked org {blueprint.seed}")
    for plan in blueprint.plans:
        bending = Bending(org, calendar, plan, accounts[plan.customer.account_id], numbers, rng)
        _say_who_left(bending)
        for place, kinds in enumerate(_domains(org)):
            name, bend = kinds[(plan.number + plan.number // len(kinds) * place) % len(kinds)]
            if bend is not None and bend(bending) is not False and name:
                plan.customer.crooked.append(name)
    _merge(Bending(org, calendar, blueprint.plans[0], accounts[blueprint.plans[0].customer.account_id], numbers, rng))
    if org.keeps["arr"] == "snapshots":
        _take_snapshots(org, blueprint, numbers)
    _begin_late(org, calendar)
    _archive(org, calendar.until)


def _domains(org: Salesforce) -> Sequence[Sequence[tuple[str, Bend | None]]]:
    ways = org.keeps
    return (
        RENEWALS,
        ARR_BY_HISTORY if ways["arr"] == "history" else ARR_BY_SNAPSHOTS if ways["arr"] == "snapshots" else ARR,
        REVIEWS,
        CHAMPIONS,
        SIGNALS,
        {"case": CASES, "invoice": INVOICES, "account": PROBLEMS}[ways["payment"]],
        SEATS if "history" in ways["downgrades"] else DEALS,
        EXPANSIONS,
    )


# --- what the org has beside the plain one ---------------------------------------------------------------------


def _empty(field: FieldDef) -> Any:
    return False if field.type == "boolean" else None


def _widen(org: Salesforce) -> None:
    """Fields and objects that the plain org does without."""
    flag, words, day = "boolean", "picklist", "date"
    more: dict[str, list[FieldDef]] = {
        "Account": [
            FieldDef("CurrencyIsoCode", words, "Currency", 3, values=[CORPORATE, OTHER]),
            FieldDef("Open_Problems__c", "double", "Open problems", scale=0),
        ],
        "AccountHistory": [],
        "Contact": [
            FieldDef("Left__c", words, "Has left", 255, values=["Yes", "No", "Retired"]),
            FieldDef("Situation__c", "textarea", "Situation", 32768, filterable=False),
            FieldDef("Champion__c", flag, "Champion"),
        ],
        "Event": [
            FieldDef("IsArchived", flag, "Archived", writable=False),
            FieldDef("IsRecurrence", flag, "Series"),
            FieldDef("RecurrenceActivityId", "reference", "Series", 18, reference_to="Event"),
        ],
        "Task": [
            FieldDef("IsArchived", flag, "Archived", writable=False),
            FieldDef("IsRecurrence", flag, "Series"),
            FieldDef("RecurrenceActivityId", "reference", "Series", 18, reference_to="Task"),
        ],
    }
    for name, fields in more.items():
        kind = org.objects[name]
        kind.fields |= {field.name: field for field in fields}
        for row in kind.rows:
            row.update({field.name: _empty(field) for field in fields})
    lookup = FieldDef("Account__c", "reference", "Account", 18, reference_to="Account", relationship="Account__r")
    currency = FieldDef("CurrencyIsoCode", words, "Currency", 3, values=[CORPORATE, OTHER])
    dates = [FieldDef(name, day, name) for name in ("Due_Date__c", "Paid_Date__c")]
    _object(org, "Invoice__c", "a05", lookup, *dates)
    amount = FieldDef("ARR__c", "currency", "ARR")
    _object(org, "ARR_Snapshot__c", "a06", lookup, FieldDef("Snapshot_Date__c", day, "Day"), amount, currency)
    code, rate = FieldDef("IsoCode", words, "Code", 3), FieldDef("ConversionRate", "double", "Rate", scale=6)
    _object(org, "CurrencyType", "01L", code, rate, FieldDef("IsActive", flag, "Active"))
    spans = [FieldDef(name, day, name) for name in ("StartDate", "NextStartDate")]
    _object(org, "DatedConversionRate", "04w", code, rate, *spans)
    _rate(org)


def _object(org: Salesforce, name: str, prefix: str, *fields: FieldDef) -> None:
    bin_of_its_own = [FieldDef("IsDeleted", "boolean", "Deleted", writable=False)] if name.endswith("__c") else []
    system = [
        FieldDef("Id", "id", "Record ID", 18, writable=False, required=True),
        *bin_of_its_own,  # rates have none
        *(FieldDef(each, "datetime", each, writable=False) for each in ("CreatedDate", "LastModifiedDate")),
        FieldDef("SystemModstamp", "datetime", "SystemModstamp", writable=False),
    ]
    org.objects[name] = SObject(name, name, prefix, {field.name: field for field in (*system, *fields)}, [])


def _rate(org: Salesforce) -> None:
    """Standing rates, which are today's, and dated ones. Every account is in the corporate currency at first."""
    numbers = count(1)

    def add(name: str, **values: Any) -> None:
        kind = org.objects[name]
        row = {field.name: _empty(field) for field in kind.fields.values()}
        kind.rows.append(row | {"Id": record_id(kind.key_prefix, next(numbers))} | values)

    for code, rate in ((CORPORATE, 1.0), (OTHER, RATES[-1][1])):
        add("CurrencyType", IsoCode=code, ConversionRate=rate, IsActive=True)
    until = [start for start, _rate in RATES[1:]] + [date(9999, 12, 30)]
    for (start, rate), following in zip(RATES, until, strict=True):
        add("DatedConversionRate", IsoCode=OTHER, ConversionRate=rate, StartDate=start, NextStartDate=following)
    add(
        "DatedConversionRate",
        IsoCode=CORPORATE,
        ConversionRate=1.0,
        StartDate=date(2000, 1, 1),
        NextStartDate=until[-1],
    )
    for row in org.objects["Account"].rows:
        row["CurrencyIsoCode"] = CORPORATE


def _date_accounts(org: Salesforce, blueprint: Blueprint) -> None:
    """An account was made on the day that its customer came."""
    since = {plan.customer.account_id: plan.customer.since for plan in blueprint.plans}
    for row in org.objects["Account"].rows:
        if (day := since.get(row["Id"])) is not None:
            row["CreatedDate"] = datetime.combine(day, time(), UTC)


# --- renewals --------------------------------------------------------------------------------------------------


def _no_renewal(at: Bending) -> None:
    at.drop("Opportunity", lambda row: row["Type"] == "Renewal")
    at.drop("Contract", lambda _row: True)
    at.account["Renewal_Date__c"] = None


def _without_end(at: Bending) -> None:
    _no_renewal(at)
    for start, end in ((at.day(1500), at.day(854)), (at.day(500), None)):
        at.add("Contract", Status="Activated", StartDate=start, EndDate=end)


def _without_end_but_a_date(at: Bending) -> None:
    _without_end(at)
    at.account["Renewal_Date__c"] = at.day(-241)


def _given_up(at: Bending) -> None:
    _no_renewal(at)
    at.add("Opportunity", Name="Renewal", Type="Renewal", CloseDate=at.day(300), StageName="Negotiation")
    at.add("Contract", Status="Activated", StartDate=at.day(300), EndDate=at.day(-65))


def _overdue(days: int) -> Bend:
    def bend(at: Bending) -> None:
        _no_renewal(at)
        at.add("Opportunity", Name="Renewal", Type="Renewal", CloseDate=at.day(days), StageName="Negotiation")

    return bend


RENEWALS: list[tuple[str, Bend | None]] = [
    ("", None),
    ("contract without end", _without_end),
    ("contract without end, and a date on the account", _without_end_but_a_date),
    ("renewal given up long ago, and a contract", _given_up),
    ("renewal 180 days overdue", _overdue(180)),
    ("renewal 181 days overdue", _overdue(181)),
]

# --- ARR -------------------------------------------------------------------------------------------------------


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


OF_ANY_ORG: list[tuple[str, Bend | None]] = [
    ("", None),
    ("ARR in another currency", _in_the_other_currency),
    ("tier sold no more", _tier_sold_no_more),
]
ARR: list[tuple[str, Bend | None]] = [*OF_ANY_ORG, ("", None), ("", None)]
ARR_BY_HISTORY: list[tuple[str, Bend | None]] = [
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


ARR_BY_SNAPSHOTS: list[tuple[str, Bend | None]] = [
    *OF_ANY_ORG,
    ("two snapshots on a day", _two_snapshots),
    ("the same snapshot twice", _two_snapshots),
    ("snapshot without a day", _two_snapshots),
    ("no snapshot of a year ago", _two_snapshots),
    ("snapshot in another currency", _in_the_other_currency),
]


def _take_snapshots(org: Salesforce, blueprint: Blueprint, numbers: "count[int]") -> None:
    """ARR on the first of every month, as the plain org's history has it; and what is odd about some."""
    calendar = blueprint.calendar
    accounts = {row["Id"]: row for row in org.objects["Account"].rows}
    for plan in blueprint.plans:
        account = accounts[plan.customer.account_id]
        at = Bending(org, calendar, plan, account, numbers, Random(0))
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


def _begin_late(org: Salesforce, calendar: Calendar) -> None:
    """Histories that are kept from a day on; for what was tracked always, that day lies before everything."""
    long_ago = (calendar.start - 2 * YEAR).date()
    for field, way, days in (("ARR__c", "arr", 200), ("Seats__c", "downgrades", 100)):
        late = org.keeps[way] == "late history"
        since = (calendar.month_end - timedelta(days=days)).date() if late else long_ago
        org.tracked_since[field] = since
        history = org.objects["AccountHistory"]
        begin = datetime.combine(since, time(), UTC)
        history.rows[:] = [row for row in history.rows if row["Field"] != field or row["CreatedDate"] >= begin]
    if org.keeps["arr"] == "late history":  # the mapping doesn't name the day: the earliest row of anybody does
        rows = [row for row in org.objects["AccountHistory"].rows if row["Field"] == "ARR__c"]
        first = min((row["CreatedDate"] for row in rows), default=calendar.until)
        org.tracked_since["ARR__c"] = first.date()


# --- reviews ---------------------------------------------------------------------------------------------------


def _expects_reviews(at: Bending) -> bool:
    """Whether reviews are owed; those that it has go, so that one more or less is seen."""
    if not REVIEWS_A_YEAR.get(at.account["Tier__c"] or ""):
        return False
    for name in ("Event", "Task"):
        at.drop(name, lambda _row: True)
    return True


def _archived_review(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Event", at.at(380), Subject="QBR", ActivityDate=at.day(356))
    return True


def _series(at: Bending) -> bool:
    """A series as Salesforce Classic keeps it: a record for the series itself, and one for each time."""
    if not _expects_reviews(at):
        return False
    series = at.add("Event", at.at(40), Subject="QBR", ActivityDate=at.day(31), IsRecurrence=True)
    at.add("Event", at.at(40), Subject="QBR", ActivityDate=at.day(30), RecurrenceActivityId=series["Id"])
    return True


def _task_without_a_day(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Task", at.at(100), Subject="QBR by mail", Status="Completed", IsClosed=True)
    return True


def _open_task_without_a_day(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Task", at.at(100), Subject="QBR by mail", Status="Not Started")
    return True


def _deleted_review(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Event", at.at(60), Subject="QBR", ActivityDate=at.day(50), IsDeleted=True)
    return True


def _no_subject(at: Bending) -> bool:
    if not _expects_reviews(at):
        return False
    at.add("Event", at.at(60), Subject=None, ActivityDate=at.day(50))
    at.add("Event", at.at(60), Subject="QBR", ActivityDate=at.day(20))
    return True


REVIEWS: list[tuple[str, Bend | None]] = [
    ("", None),
    ("archived review", _archived_review),
    ("series of reviews", _series),
    ("finished review task without a day", _task_without_a_day),
    ("open review task without a day", _open_task_without_a_day),
    ("deleted review", _deleted_review),
    ("event without a subject", _no_subject),
]


def _archive(org: Salesforce, until: datetime) -> None:
    """Activities a year old, and field history 18 months old, are shown by queryAll alone; history ends with 24.

    Salesforce help, "Archive Activities": events that ended, and closed tasks that were due, more than 365 days ago,
    and closed tasks without a due date that were made then; counted from the day of the run.
    """
    before = (until - YEAR).date()
    for name in ("Event", "Task"):
        kind = org.objects[name]
        for row in kind.rows:
            day = row["ActivityDate"] or row["CreatedDate"].date()
            if day < before and (name == "Event" or row["IsClosed"]):
                row["IsArchived"] = True
                kind.archived.add(row["Id"])
    history = org.objects["AccountHistory"]
    shown = datetime.combine(_months_before(until, 18), time(), UTC)
    history.archived |= {row["Id"] for row in history.rows if row["CreatedDate"] < shown}
    org.history_from = _months_before(until, 24)


def _months_before(moment: datetime, months: int) -> date:
    index = moment.year * 12 + moment.month - 1 - months
    return date(index // 12, index % 12 + 1, min(moment.day, 28))


# --- champions -------------------------------------------------------------------------------------------------


def _say_who_left(at: Bending) -> None:
    """The same in a picklist, in words and by the checkbox; a mark on who is in a champion's role on a won deal."""
    deals = {row["Id"]: row for row in at.rows("Opportunity")}
    roles = [row for row in at.org.objects["OpportunityContactRole"].rows if row["OpportunityId"] in deals]
    people = {row["ContactId"] for row in roles if row["Role"] != "Influencer" and deals[row["OpportunityId"]]["IsWon"]}
    for number, row in enumerate(at.rows("Contact")):
        if row["No_Longer_At_Company__c"]:
            row["Left__c"], row["Situation__c"] = ("Yes", "LEFT") if number % 2 else ("Retired", "has retired")
        else:
            row["Left__c"], row["Situation__c"] = (
                ("No", "still here") if (at.plan.number + number) % 2 else (None, None)
            )
        row["Champion__c"] = row["Id"] in people


def _people(at: Bending, *, champions: bool) -> list[str]:
    """Contacts of the account that are in a champion's role on a won deal; or only in other roles."""
    deals = {row["Id"]: row for row in at.rows("Opportunity") if row["IsWon"]}
    found: dict[str, bool] = {}
    for row in at.org.objects["OpportunityContactRole"].rows:
        if row["OpportunityId"] in deals:
            found[row["ContactId"]] = found.get(row["ContactId"], False) or row["Role"] != "Influencer"
    return [person for person, champion in found.items() if champion == champions]


def _unshared_champion(at: Bending) -> bool:
    people = _people(at, champions=True)
    at.org.objects["Contact"].unshared |= set(people[:1])
    return bool(people)


def _unshared_influencer(at: Bending) -> bool:
    people = _people(at, champions=False)
    at.org.objects["Contact"].unshared |= set(people[:1])
    return bool(people)


def _all_there(at: Bending) -> bool:
    people = _people(at, champions=True)
    for row in at.org.objects["Contact"].rows:
        if row["Id"] in people:
            row |= {"AccountId": at.account_id, "Champion__c": True, "EmailBouncedDate": None}
            row |= {"No_Longer_At_Company__c": False, "Left__c": "No", "Situation__c": "not left"}
    return bool(people)


CHAMPIONS: list[tuple[str, Bend | None]] = [
    ("", None),
    ("champion without sharing", _unshared_champion),
    ("said in words that all are there", _all_there),
    ("influencer without sharing", _unshared_influencer),
]

# --- signals ---------------------------------------------------------------------------------------------------


def _signal(opened: float | None = 46, closed: float | None = None, **values: Any) -> Bend:
    """One signal alone, by days before as_of."""

    def bend(at: Bending) -> None:
        at.drop("Churn_Signal__c", lambda _row: True, "Account__c")
        usual = {"Severity__c": "Critical", "Status__c": "Active", "Confidence__c": "Confirmed"}
        days = {"Signal_Date__c": opened, "Closed_Date__c": closed}
        dates = {name: None if each is None else at.at(each) for name, each in days.items()}
        at.add("Churn_Signal__c", at.at(46 if opened is None else opened), **usual | dates | values)

    return bend


SIGNALS: list[tuple[str, Bend | None]] = [
    ("", None),
    ("signal without a date", _signal(None)),
    ("signal without a severity", _signal(Severity__c=None)),
    ("severity that is used no more", _signal(Severity__c=RETIRED_SEVERITY)),
    ("resolved without a date", _signal(Status__c="Resolved")),
    ("severity that is used no more, of a signal closed before", _signal(Severity__c=RETIRED_SEVERITY, closed=10)),
    ("signal without a severity, of after as_of", _signal(Severity__c=None, opened=-2)),
    ("monitored without a date", _signal(None, Status__c="Monitoring")),
]

# --- payment and downgrades ------------------------------------------------------------------------------------


def _invoice(due: int | None, paid: int | None) -> Bend:
    """An invoice by days before as_of."""

    def bend(at: Bending) -> None:
        dates = {"Due_Date__c": due, "Paid_Date__c": paid}
        days = {name: None if days is None else at.day(days) for name, days in dates.items()}
        at.add("Invoice__c", at.at(150), **days)

    return bend


def _problems(number: float | None) -> Bend:
    def bend(at: Bending) -> None:
        at.account["Open_Problems__c"] = number

    return bend


def _nobodys_case(at: Bending) -> None:
    at.add("Case", at.at(10), AccountId=None, Type="Billing", Status="New")


def _seats(*changes: tuple[float, float | None, float | None]) -> Bend:
    """A history of seats: days before as_of, before and after."""

    def bend(at: Bending) -> None:
        at.drop("AccountHistory", lambda row: row["Field"] == "Seats__c")
        for days, before, after in changes:
            at.add("AccountHistory", at.at(days), Field="Seats__c", OldValue=before, NewValue=after)
        at.account["Seats__c"] = changes[-1][2]

    return bend


def _growth(probability: float | None, made: float) -> Bend:
    """An open deal to grow, alone; made so many days before as_of."""

    def bend(at: Bending) -> None:
        at.drop("Opportunity", lambda row: row["Type"] == "Expansion")
        deal = {"Name": "Growth", "Type": "Expansion", "StageName": "Proposal", "CloseDate": at.day(-50)}
        at.add("Opportunity", at.at(made), **deal, Probability=probability)

    return bend


EXPANSIONS: list[tuple[str, Bend | None]] = [
    ("", None),
    ("expansion without a probability", _growth(None, 15)),
    ("expansion made since", _growth(60.0, -1)),
]
CASES: list[tuple[str, Bend | None]] = [("", None), ("billing case of nobody", _nobodys_case)]
INVOICES: list[tuple[str, Bend | None]] = [
    ("", None),
    ("invoice overdue", _invoice(200, None)),
    ("invoice without a due date", _invoice(None, None)),
    ("invoice paid late", _invoice(60, 40)),
    ("invoice paid on the day", _invoice(60, 60)),
    ("invoice paid since", _invoice(200, -5)),
    ("invoice paid late, long ago", _invoice(200, 150)),
]
PROBLEMS: list[tuple[str, Bend | None]] = [
    ("two problems", _problems(2.0)),
    ("", _problems(0.0)),
    ("no number", _problems(None)),
]
DEALS: list[tuple[str, Bend | None]] = [("", None)]
SEATS: list[tuple[str, Bend | None]] = [
    ("", None),
    ("seats fell twice on a day", _seats((40.1, 80.0, 70.0), (40.05, 70.0, 60.0))),
    ("seats from nothing", _seats((40, None, 60.0))),
    ("seats fell once", _seats((40, 80.0, 60.0))),
]

# --- who is there ----------------------------------------------------------------------------------------------


def _merge(at: Bending) -> None:
    """An account that was merged into another is deleted, and says which one won."""
    loser = at.add("Account", Name="Merged away", Type="Customer - Direct", ARR__c=1_000.0, CurrencyIsoCode=CORPORATE)
    loser |= {"Id": MERGED, "IsDeleted": True, "MasterRecordId": at.account_id}


MERGED = long_id("001Hu0000000MRG")
