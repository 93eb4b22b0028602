"""The churn world's org: what people wrote down of renewals, contracts, ARR and all else, as it stood at a moment.

Every record has a life: when it was made, and what was changed in it when. The org at a moment is cut from these lives,
so that months can be measured one after the other as they were then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from accountpulse.sandbox.world.churn import (
    BOTH,
    CONTRACTS,
    DAY,
    DELETED,
    EARLY,
    LATE,
    MERGED,
    NEITHER,
    OPPORTUNITIES,
    WRONG_YEAR,
    Departure,
    History,
    Past,
    Term,
    quality,
    shifted,
)
from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.org import record_id
from accountpulse.sandbox.world.org_builder import PREFIXES, OrgBuilder, Row
from accountpulse.sandbox.world.plans import SEGMENTS, Calendar, poisson
from accountpulse.sandbox.world.relationship import REVIEWS_A_YEAR
from accountpulse.sandbox.world.salesforce import org_of

CUSTOMER, PROSPECT, FORMER_CUSTOMER = "Customer - Direct", "Prospect", "Former Customer"
WON = {"StageName": "Closed Won", "IsClosed": True, "IsWon": True}
LOST = {"StageName": "Closed Lost", "IsClosed": True}
OPENED_BEFORE = timedelta(days=120)  # a renewal opportunity, before it is due
ROOM = 10_000  # ids of an account's records of one kind


@dataclass(slots=True)
class RecordLife:
    """A record: when it was made, with which values, and what was changed in it later."""

    kind: str
    id: str
    made: datetime
    values: Row
    changes: list[tuple[datetime, Row]] = field(default_factory=list)

    def change(self, at: datetime, **values: object) -> None:
        """From that moment on the record has these values."""
        self.changes.append((at, values))


@dataclass(slots=True)
class AccountRecords:
    """An account's records while they are written; the first one is the account itself."""

    past: Past
    owner: str
    rng: Random
    lives: list[RecordLife] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def account(self) -> RecordLife:
        """The account's own record."""
        return self.lives[0]

    def add(self, kind: str, made: datetime, **values: object) -> RecordLife:
        """A new record of the account."""
        number = self.counts[kind] = self.counts.get(kind, 0) + 1
        identifier = record_id(PREFIXES[kind], 1_000_000 + self.past.plan.number * ROOM + number)
        life = RecordLife(kind, identifier, made, dict(values))
        self.lives.append(life)
        return life

    def of(self, made: datetime, kind: str, **values: object) -> RecordLife:
        """A new record that names the account."""
        key = "Account__c" if kind == "Churn_Signal__c" else "AccountId"
        return self.add(kind, made, **{key: self.account.id}, **values)


def build_churn_org(history: History, moment: datetime) -> Salesforce:
    """The org as it stood at a moment."""
    org = OrgBuilder(history.seed, Calendar(history.start, moment))
    org.objects["Account"].fields["Type"].values.append(FORMER_CUSTOMER)
    org.objects["Contract"].fields["Status"].values.append("Terminated")
    owners = [
        org.add(
            "User", Name=f"CSM {n}", Username=f"csm{n}@sandbox.example", Email=f"csm{n}@sandbox.example", IsActive=True
        )
        for n in range(4)
    ]
    for past in history.pasts:
        rng = Random(f"churn org {history.seed} {past.plan.number}")
        book = AccountRecords(past, owners[past.plan.number % len(owners)]["Id"], rng)
        _write(book)
        _add_pulses(book, Random(f"churn pulses {history.seed} {past.plan.number}"))
        _cut(org, book.lives, moment)
    return org_of(org)


def _cut(org: OrgBuilder, lives: Iterable[RecordLife], moment: datetime) -> None:
    for life in lives:
        if life.made >= moment:
            continue
        row = org.add(life.kind, life.made, **life.values)
        row["Id"] = life.id
        for at, values in sorted(life.changes, key=lambda change: change[0]):
            if at < moment:
                row.update(values)
                row["LastModifiedDate"] = row["SystemModstamp"] = at


def at(day: date, hour: int = 10) -> datetime:
    """An hour of a day, UTC."""
    return datetime.combine(day, time(hour), UTC)


# --- an account ------------------------------------------------------------------------------------------------


def _write(book: AccountRecords) -> None:
    past = book.past
    _add_account(book)
    _add_arr(book)
    for term in past.terms:
        if past.kept in (BOTH, CONTRACTS):
            _add_contract(book, term)
        if past.kept in (BOTH, OPPORTUNITIES):
            _add_renewal(book, term)
        if past.kept == NEITHER:
            book.account.change(at(term.begins, 9), Renewal_Date__c=term.due)
    _add_people(book)
    for first, well in (*_year_before(past), *_months(past)):
        _add_reviews(book, first, well)
    for first, well in _months(past):
        _add_signals(book, first, well)
        _add_money_matters(book, first, well)
    for departure in past.departures:
        _tell(book, departure)


def _months(past: Past) -> Iterator[tuple[date, float]]:
    """The months that begin with the account as a customer, and how well things go in each."""
    for month in past.months:
        if past.is_customer(month.first):
            yield month.first, quality(month.health)


def _year_before(past: Past) -> Iterator[tuple[date, float]]:
    """The same for the year before the systems' data begin, which reviews are counted over: as the first month goes."""
    begin = past.months[0]
    for back in range(12, 0, -1):
        first = shifted(begin.first, -back)
        if past.plan.customer.since <= first:
            yield first, quality(begin.health)


def _add_account(book: AccountRecords) -> None:
    plan, customer = book.past.plan, book.past.plan.customer
    life = book.add(
        "Account",
        at(customer.since) - timedelta(days=40),
        Name=customer.name,
        Type=PROSPECT,
        Tier__c=plan.tier,
        Segment__c=SEGMENTS[plan.tier],
        Seats__c=float(plan.seats),
        OwnerId=book.owner,
        Customer_Since__c=customer.since,
        Intercom_Company_Id__c=customer.intercom_company,
        Jira_Component__c=customer.jira_component,
    )
    life.id = customer.account_id
    life.change(at(customer.since, 8), Type=CUSTOMER)
    for term in book.past.terms[1:]:
        life.change(at(term.begins, 8), Type=CUSTOMER)


def _add_arr(book: AccountRecords) -> None:
    """Each change of ARR with its history; a smaller contract that goes on is an amendment as well."""
    for day, before, after in book.past.arr:
        book.account.change(at(day), ARR__c=after)
        old = None if before is None else str(before)
        book.of(at(day), "AccountHistory", Field="ARR__c", OldValue=old, NewValue=str(after))
        if before is not None and 0 < after < before * 0.9:
            deal = {"Name": "Fewer seats", "Type": "Existing Customer - Downgrade", "CloseDate": day, **WON}
            book.of(at(day, 9), "Opportunity", **deal, LastStageChangeDate=at(day, 9))
    first = book.past.arr[0]
    book.account.values["ARR__c"] = first[1]


def _add_contract(book: AccountRecords, term: Term) -> None:
    """Of those that ran out without a successor, every third still says Activated."""
    made = at(term.begins) - timedelta(days=5)
    life = book.of(made, "Contract", Status="Activated", StartDate=term.begins, EndDate=term.due)
    if term.departure is None:
        if term.gap is not None:
            life.change(at(term.due + DAY), Status="Expired")
    elif not term.departure.at_renewal:
        life.change(at(term.ends, 15), Status="Terminated", EndDate=term.ends)
    elif term.departure.order % 3 != 1:
        life.change(at(term.due + DAY), Status="Expired")


def _add_renewal(book: AccountRecords, term: Term) -> None:
    past, left = book.past, term.departure
    if not is_written_as_opportunity(past, term):
        return
    made = at(term.due) - OPENED_BEFORE
    if left is not None:
        made = min(made, at(left.day) - timedelta(days=9))
    deal = {"Name": "Renewal", "Type": "Renewal", "StageName": "Negotiation", "Probability": 60.0}
    deal |= {"Amount": past.arr_on(made.date()), "CloseDate": term.due}
    life = book.of(made, "Opportunity", **deal)
    if left is not None or term.gap is not None:
        closed, written = close_dates(past, term)
        end = LOST if left is not None else WON
        life.change(at(closed, 14), **end, CloseDate=written, LastStageChangeDate=at(closed, 14))
    if term.entered_twice:
        closed = term.due - timedelta(days=5)
        again = book.of(made + 2 * DAY, "Opportunity", **deal)
        again.change(at(closed, 15), **LOST, CloseDate=closed, LastStageChangeDate=at(closed, 15))


def is_written_as_opportunity(past: Past, term: Term) -> bool:
    """Whether the term's end is an opportunity's; not where it came before there was one, and the contract says it."""
    left = term.departure
    too_early = left is not None and left.day <= term.due - OPENED_BEFORE
    return past.kept == OPPORTUNITIES or (past.kept == BOTH and not too_early)


def close_dates(past: Past, term: Term) -> tuple[date, date]:
    """When a renewal opportunity was closed, and the close date that was written into it."""
    left = term.departure
    if left is None:
        closed = term.due - timedelta(days=past.plan.number % 15)
        return closed, closed
    if not left.at_renewal:
        return left.day, left.day
    if left.closing == LATE:
        late = term.due + timedelta(days=20 + left.order % 8 * 5)
        return late, late
    closed = term.due - timedelta(days=left.order % 4 * 5)
    return closed, closed - timedelta(days={EARLY: 130, WRONG_YEAR: 365}.get(left.closing, 0))


def _tell(book: AccountRecords, left: Departure) -> None:
    """The account record after it left: former, or in the bin with all that belongs to it, or merged."""
    moment = at(left.told_on, 12)
    if left.fate == DELETED:
        for life in book.lives:
            life.change(moment, IsDeleted=True)
    elif left.fate == MERGED:
        name, belonging = book.past.plan.customer.name, book.lives[1:]
        book.account.change(moment, IsDeleted=True)
        other = book.add("Account", moment - DAY, Name=f"{name} (once a customer)", Type=FORMER_CUSTOMER)
        other.id = survivor_id(book.past)
        book.account.changes[-1][1]["MasterRecordId"] = other.id
        for life in belonging:
            if life.kind == "AccountHistory":  # doesn't survive its record
                life.change(moment, IsDeleted=True)
            else:
                keys = {"AccountId", "Account__c", "WhatId"} & life.values.keys()
                life.change(moment, **dict.fromkeys(keys, other.id))
    else:
        book.account.change(moment, Type=FORMER_CUSTOMER)


def survivor_id(past: Past) -> str:
    """The account that a merged one lives on in."""
    return record_id("001", 800_000 + past.plan.number * 7)


# --- its people and what happens from month to month -----------------------------------------------------------


def _add_people(book: AccountRecords) -> None:
    """Three champions on the first deal; the worse things go, the sooner each has left."""
    since = book.past.plan.customer.since
    deal = {"Name": "First deal", "Type": "New Customer", "CloseDate": since, **WON}
    won = book.of(at(since) - timedelta(days=30), "Opportunity", **deal, LastStageChangeDate=at(since, 7))
    for n, role in enumerate(("Executive Sponsor", "Decision Maker", "Economic Buyer")):
        number = book.past.plan.number
        person = book.of(at(since), "Contact", Name=f"Person {number}-{n}", Email=f"p{number}.{n}@sandbox.example")
        book.add("OpportunityContactRole", at(since), OpportunityId=won.id, ContactId=person.id, Role=role)
        for first, well in _months(book.past):
            if book.rng.random() < 0.005 + 0.07 * (1 - well):
                person.change(_sometime(book, first), No_Longer_At_Company__c=True)
                break


def _add_reviews(book: AccountRecords, first: date, well: float) -> None:
    owed = REVIEWS_A_YEAR[book.past.plan.tier] / 12
    if book.rng.random() < owed * (0.1 + 1.1 * well):
        held = _sometime(book, first)
        book.of(held, "Event", WhatId=book.account.id, Subject="QBR with the team", ActivityDate=held.date())


def _add_signals(book: AccountRecords, first: date, well: float) -> None:
    if book.rng.random() < 0.01 + 0.22 * (1 - well) ** 2:
        seen = _sometime(book, first)
        severity = book.rng.choice(("Critical", "Moderate", "Moderate", "Watch", "Watch"))
        signal = {"Severity__c": severity, "Status__c": "Active", "Signal_Date__c": seen, "Description__c": "Invented"}
        life = book.of(seen, "Churn_Signal__c", **signal, Confidence__c=book.rng.choice(("Suspected", "Confirmed")))
        closed = seen + timedelta(days=book.rng.randint(30, 150))
        life.change(closed, Status__c="Resolved", Closed_Date__c=closed)


def _add_money_matters(book: AccountRecords, first: date, well: float) -> None:
    for _ in range(poisson(book.rng, 0.25 * (1 - well))):
        opened = _sometime(book, first)
        life = book.of(opened, "Case", Type="Billing", Subject="An invented case", Status="New")
        closed = opened + timedelta(days=book.rng.randint(3, 60))
        life.change(closed, Status="Closed", IsClosed=True, ClosedDate=closed)
    if book.rng.random() < 0.06 * well:
        opened = _sometime(book, first)
        growth = {"Name": "Growth", "Type": "Expansion", "StageName": "Proposal", "Probability": 55.0}
        due = opened.date() + timedelta(days=75)
        life = book.of(opened, "Opportunity", **growth, CloseDate=due)
        life.change(at(due), **LOST, LastStageChangeDate=at(due))


def _sometime(book: AccountRecords, first: date) -> datetime:
    return at(first.replace(day=book.rng.randint(1, 28)), book.rng.randint(7, 18))


def _add_pulses(book: AccountRecords, rng: Random) -> None:
    """Every second month or so the owner says how the account is, as far as people can tell."""
    for month in book.past.months:
        opinion, is_asked, day = month.health + rng.gauss(0, 0.7), rng.random() < 0.5, rng.randint(1, 28)
        if is_asked and book.past.is_customer(month.first):
            colour = "Green" if opinion > 0.1 else "Yellow" if opinion > -0.6 else "Red"
            said = at(month.first.replace(day=day), 15)
            book.account.change(said, Pulse__c=colour, Pulse_Date__c=said, Pulse_Author__c=book.owner)
