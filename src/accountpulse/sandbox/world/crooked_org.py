"""The crooked world's org: the plain one, with what real orgs hold and nobody expects.

Every list (`Kinds`) names what happens to the accounts in turn, one thing a domain: the first account that it comes to
keeps what it has, the next gets the second entry, and so on. What is true of each, docs/sandbox-worlds.md says. How the
org keeps its contracts and people changes from seed to seed (`WAYS`), so that three seeds see every strategy.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from accountpulse.sandbox.world.crooked_account import CORPORATE, OTHER, YEAR, Bend, Bending, Kinds, empty
from accountpulse.sandbox.world.crooked_arr import ARR, ARR_BY_HISTORY, ARR_BY_SNAPSHOTS, take_snapshots
from accountpulse.sandbox.world.crooked_people import CHAMPIONS, REVIEWS, SIGNALS, say_who_left
from accountpulse.sandbox.world.model import FieldDef, Salesforce, SObject
from accountpulse.sandbox.world.org import long_id, record_id
from accountpulse.sandbox.world.plans import Blueprint, Calendar

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
RATES = ((date(2000, 1, 1), 0.95), (date(2026, 7, 1), 0.9), (date(2026, 11, 10), 0.8))  # of the other currency, from


def bend_org(org: Salesforce, blueprint: Blueprint) -> None:
    """Bend the plain org."""
    org.keeps = WAYS[blueprint.seed % len(WAYS)]
    org.nulls_compare = False
    calendar = blueprint.calendar
    _widen(org)
    _date_accounts(org, blueprint)
    accounts = {row["Id"]: row for row in org.objects["Account"].rows}
    numbers = count(900_000)
    for plan in blueprint.plans:
        bending = Bending(org, calendar, plan, accounts[plan.customer.account_id], numbers)
        say_who_left(bending)
        for place, kinds in enumerate(_domains(org)):
            name, bend = kinds[(plan.number + plan.number // len(kinds) * place) % len(kinds)]
            if bend is not None and bend(bending) is not False and name:
                plan.customer.crooked.append(name)
    _merge(Bending(org, calendar, blueprint.plans[0], accounts[blueprint.plans[0].customer.account_id], numbers))
    if org.keeps["arr"] == "snapshots":
        take_snapshots(org, blueprint, numbers)
    _begin_late(org, calendar)
    _archive(org, calendar.until)


def _domains(org: Salesforce) -> Sequence[Kinds]:
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
            row.update({field.name: empty(field) for field in fields})
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
        row = {field.name: empty(field) for field in kind.fields.values()}
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


def _renewed(days: int) -> Bend:
    """A renewal that was won so many days before as_of, beside one of a contract."""

    def bend(at: Bending) -> None:
        _no_renewal(at)
        won = {"StageName": "Closed Won", "IsClosed": True, "IsWon": True, "LastStageChangeDate": at.at(days)}
        at.add("Opportunity", at.at(90), Name="Renewal", Type="Renewal", CloseDate=at.day(days), **won)
        at.add("Contract", Status="Activated", StartDate=at.day(300), EndDate=at.day(-65))

    return bend


RENEWALS: Kinds = [
    ("", None),
    ("contract without end", _without_end),
    ("contract without end, and a date on the account", _without_end_but_a_date),
    ("renewal given up long ago, and a contract", _given_up),
    ("renewal 180 days overdue", _overdue(180)),
    ("renewal 181 days overdue", _overdue(181)),
    ("renewed before", _renewed(3)),
    ("renewed since", _renewed(-3)),
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


def _grown(days: int) -> Bend:
    """A deal to grow that was lost so many days before as_of."""

    def bend(at: Bending) -> None:
        at.drop("Opportunity", lambda row: row["Type"] == "Expansion")
        lost = {"StageName": "Closed Lost", "IsClosed": True, "Probability": 0.0, "LastStageChangeDate": at.at(days)}
        at.add("Opportunity", at.at(40), Name="Growth", Type="Expansion", CloseDate=at.day(days), **lost)

    return bend


EXPANSIONS: Kinds = [
    ("", None),
    ("expansion without a probability", _growth(None, 15)),
    ("expansion made since", _growth(60.0, -1)),
    ("expansion lost before", _grown(2)),
    ("expansion lost since", _grown(-2)),
]
CASES: Kinds = [("", None), ("billing case of nobody", _nobodys_case)]
INVOICES: Kinds = [
    ("", None),
    ("invoice overdue", _invoice(200, None)),
    ("invoice without a due date", _invoice(None, None)),
    ("invoice paid late", _invoice(60, 40)),
    ("invoice paid on the day", _invoice(60, 60)),
    ("invoice paid since", _invoice(200, -5)),
    ("invoice paid late, long ago", _invoice(200, 150)),
]
PROBLEMS: Kinds = [
    ("two problems", _problems(2.0)),
    ("", _problems(0.0)),
    ("no number", _problems(None)),
]
DEALS: Kinds = [("", None)]
SEATS: Kinds = [
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


# --- what is kept, and from when ---------------------------------------------------------------------------------


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
