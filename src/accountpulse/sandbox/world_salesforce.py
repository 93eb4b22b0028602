"""The org: accounts, contracts, people, reviews and signals, with the rows that must not be counted."""

from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from accountpulse.sandbox.model import Salesforce
from accountpulse.sandbox.org import empty_objects, record_id
from accountpulse.sandbox.plans import Calendar, Plan, moment

PREFIXES = {
    "Account": "001", "Contact": "003", "Opportunity": "006", "Case": "500", "Contract": "800", "Event": "00U",
    "Task": "00T", "OpportunityContactRole": "00K", "AccountHistory": "017", "User": "005", "Churn_Signal__c": "a0S",
}  # fmt: skip
REVIEWS_A_YEAR = {"Bronze": 0, "Silver": 1, "Gold": 2, "Platinum": 4}
Row = dict[str, Any]


class Office:
    """The org while it fills."""

    def __init__(self, seed: int, calendar: Calendar) -> None:
        """The org's schema, and a counter an object type."""
        self.calendar = calendar
        self.objects = empty_objects()
        self.numbers = {name: count(10_000) for name in self.objects}
        self.rng = Random(f"salesforce {seed}")

    @property
    def end(self) -> date:
        """The day of as_of of a run for the last complete month."""
        return self.calendar.month_end.date()

    def add(self, name: str, created: datetime | None = None, **values: Any) -> Row:
        """A new record; fields that aren't named are empty, flags are false."""
        kind = self.objects[name]
        row: Row = {field.name: False if field.type == "boolean" else None for field in kind.fields.values()}
        moment_made = created or self.calendar.start
        row["Id"] = record_id(PREFIXES[name], next(self.numbers[name]))
        for field in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            if field in row:
                row[field] = moment_made
        unknown = set(values) - set(row)
        if unknown:
            raise KeyError(f"{name} has no {sorted(unknown)}")
        row.update(values)
        kind.rows.append(row)
        return row


def salesforce(seed: int, plans: list[Plan], calendar: Calendar) -> Salesforce:
    """The whole org."""
    office = Office(seed, calendar)
    owners = [
        office.add(
            "User", Name=f"CSM {n}", Username=f"csm{n}@sandbox.example", Email=f"csm{n}@sandbox.example", IsActive=True
        )["Id"]
        for n in range(6)
    ]
    for plan in plans:
        account = _account(office, plan, owners[plan.number % len(owners)])
        people = [
            office.add(
                "Contact",
                AccountId=account["Id"],
                Name=f"Person {plan.number}-{n}",
                Email=f"p{plan.number}.{n}@sandbox.example",
            )
            for n in range(3)
        ]
        _renewal(office, plan, account)
        _history(office, plan, account)
        _money(office, plan, account)
        _champions(office, plan, account, people)
        _meetings(office, plan, account)
        _signals(office, plan, account)
    _strangers(office, owners[0])
    return Salesforce(
        username="integration@sandbox.example",
        password="salesforce-password-of-the-sandbox",
        security_token="SandboxSecurityToken",
        client_id="salesforce-client-of-the-sandbox",
        client_secret="salesforce-secret-of-the-sandbox",
        objects=office.objects,
    )


def _account(office: Office, plan: Plan, owner: str) -> Row:
    segment = {"Platinum": "Enterprise", "Gold": "Paid", "Silver": "Standard", "Bronze": "Free"}[plan.tier]
    customer = plan.customer
    row = office.add(
        "Account",
        Name=customer.name,
        Type="Customer - Direct" if plan.number % 4 else "Customer - Channel",
        ARR__c=plan.arr if plan.number % 29 != 28 else None,
        Tier__c=plan.tier if plan.number % 31 != 30 else None,
        Segment__c=segment,
        Seats__c=float(plan.seats) if plan.number % 17 != 16 else None,
        OwnerId=owner,
        Customer_Since__c=customer.since,
        Intercom_Company_Id__c=customer.intercom_company,
        Jira_Component__c=customer.jira_component,
    )
    row["Id"] = customer.account_id
    return row


def _renewal(office: Office, plan: Plan, account: Row) -> None:
    """By opportunity for most; by contract or by a date on the account for others; some have none."""
    rng, end, story = plan.rng, office.end, plan.customer.story
    due = end + timedelta(days=rng.randint(5, 360))
    if story == "renewal overdue":
        due = end - timedelta(days=21)
    elif story == "critical and renewal near":
        due = end + timedelta(days=45)
    way = 0 if story != "ordinary" else plan.number % 10
    begun = office.calendar.month_end - timedelta(days=120)
    renewal = {
        "AccountId": account["Id"],
        "Name": "Renewal",
        "Type": "Renewal",
        "Probability": 60.0,
        "Amount": plan.arr,
    }
    if way < 7:
        office.add("Opportunity", begun, **renewal, CloseDate=due, StageName="Negotiation")
        if way == 1:
            office.add(
                "Opportunity", begun, **renewal, CloseDate=end, StageName="Negotiation"
            )  # on the very day: 0 days
        if way == 2:  # one overdue beside one that is ahead; one that was made after as_of
            office.add("Opportunity", begun, **renewal, CloseDate=end - timedelta(days=40), StageName="Negotiation")
            office.add(
                "Opportunity",
                office.calendar.month_end + timedelta(hours=5),
                **renewal,
                CloseDate=end + timedelta(days=1),
            )
        if way == 3:  # last year's, won and closed
            office.add(
                "Opportunity",
                begun,
                **renewal,
                CloseDate=end + timedelta(days=2),
                StageName="Closed Won",
                IsClosed=True,
                IsWon=True,
            )
    elif way == 7:
        for status, shift in (("Activated", 0), ("Draft", -200), ("Expired", -100)):
            office.add(
                "Contract",
                begun,
                AccountId=account["Id"],
                Status=status,
                StartDate=end - timedelta(days=300),
                EndDate=due + timedelta(days=shift),
            )
    elif way == 8:
        account["Renewal_Date__c"] = due


def _history(office: Office, plan: Plan, account: Row) -> None:
    """Changes of ARR, also ones after as_of and of other fields."""
    rng, arr = plan.rng, plan.arr
    if rng.random() < 0.6 and account["ARR__c"] is not None:
        value = arr
        for days in sorted(rng.sample(range(-20, 500), rng.randint(1, 3))):  # latest first: going back in time
            before = round(
                value * rng.choice((0.7, 0.85, 0.95, 1.0, 1.1, 1.25)) * (1.15 if plan.quality < 0.5 else 0.95), -2
            )
            at = office.calendar.month_end - timedelta(days=days, hours=3)
            if at < office.calendar.until:
                office.add(
                    "AccountHistory",
                    at,
                    AccountId=account["Id"],
                    Field="ARR__c",
                    OldValue=str(before),
                    NewValue=str(value),
                )
                value = before
    office.add(
        "AccountHistory",
        office.calendar.month_end - timedelta(days=30),
        AccountId=account["Id"],
        Field="Tier__c",
        OldValue="Bronze",
        NewValue=plan.tier,
    )
    if plan.customer.story == "downgrade" or rng.random() < 0.05:
        for days in (0, 1, 30, 364, 365, 366):
            if plan.customer.story == "downgrade" or days == 30:
                won = {"StageName": "Closed Won", "IsClosed": True, "IsWon": True, "AccountId": account["Id"]}
                office.add(
                    "Opportunity",
                    Name="Fewer seats",
                    Type="Existing Customer - Downgrade",
                    CloseDate=office.end - timedelta(days=days),
                    **won,
                )
    if plan.number % 6 == 0:  # an upgrade is no downgrade, a lost downgrade neither
        office.add(
            "Opportunity",
            AccountId=account["Id"],
            Name="More",
            Type="Existing Customer - Upgrade",
            CloseDate=office.end - timedelta(days=60),
            StageName="Closed Won",
            IsClosed=True,
            IsWon=True,
        )
        office.add(
            "Opportunity",
            AccountId=account["Id"],
            Name="Less",
            Type="Existing Customer - Downgrade",
            CloseDate=office.end - timedelta(days=60),
            StageName="Closed Lost",
            IsClosed=True,
        )
    chances = 3 if plan.customer.story == "growing" else (plan.number % 5 == 0)
    for _ in range(chances):
        created = office.calendar.month_end - timedelta(days=15)
        office.add(
            "Opportunity",
            created,
            AccountId=account["Id"],
            Name="Growth",
            Type="Expansion",
            CloseDate=office.end + timedelta(days=50),
            StageName="Proposal",
            Probability=rng.choice((10.0, 20.0, 55.0)),
        )


def _money(office: Office, plan: Plan, account: Row) -> None:
    """Billing cases: open, closed lately, closed long ago, after as_of; and cases about something else."""
    rng, calendar, day = plan.rng, office.calendar, timedelta(days=1)
    case = {"AccountId": account["Id"], "Subject": "An invented case"}
    shut = {"Status": "Closed", "IsClosed": True}
    problems = 3 if plan.customer.story == "unpaid invoice" else int(rng.random() < 0.25 * (1.3 - plan.quality))
    for _ in range(problems):
        office.add("Case", calendar.month_end - rng.randint(2, 85) * day, **case, Type="Billing", Status="New")
    if plan.number % 5 == 1:
        office.add(
            "Case",
            calendar.month_end - 100 * day,
            **case,
            **shut,
            Type="Billing",
            ClosedDate=calendar.month_end - 5 * day,
        )
        office.add(
            "Case",
            calendar.month_end - 10 * day,
            **case,
            **shut,
            Type="Mechanical",
            ClosedDate=calendar.month_end - 5 * day,
        )
    if plan.number % 11 == 1:  # open for long; opened in the window and closed; opened after as_of; closed after as_of
        office.add("Case", calendar.month_end - 200 * day, **case, Type="Billing", Status="New")
        office.add(
            "Case",
            calendar.month_end - 40 * day,
            **case,
            **shut,
            Type="Billing",
            ClosedDate=calendar.month_end - 30 * day,
        )
        office.add("Case", calendar.month_end, **case, Type="Billing", Status="New")
        office.add("Case", calendar.month_end - 95 * day, **case, **shut, Type="Billing", ClosedDate=calendar.month_end)


def _champions(office: Office, plan: Plan, account: Row, people: list[Row]) -> None:
    """Roles on won opportunities; some people have left, moved or bounce."""
    rng, end = plan.rng, office.end
    if plan.number % 9 == 8:
        return
    won = office.add(
        "Opportunity", AccountId=account["Id"], Name="First deal", Type="New Customer",
        CloseDate=end - timedelta(days=180), StageName="Closed Won", IsClosed=True, IsWon=True,
    )  # fmt: skip
    roles = ("Executive Sponsor", "Decision Maker", "Influencer")
    for person, role in zip(people, roles, strict=True):
        office.add(
            "OpportunityContactRole",
            OpportunityId=won["Id"],
            ContactId=person["Id"],
            Role=role,
            IsPrimary=role == roles[0],
        )
    again = office.add(
        "Opportunity", AccountId=account["Id"], Name="Second deal", Type="Existing Customer - Upgrade",
        CloseDate=end - timedelta(days=90), StageName="Closed Won" if plan.number % 2 else "Prospecting",
        IsClosed=bool(plan.number % 2), IsWon=bool(plan.number % 2),
    )  # fmt: skip
    for role in ("Economic Buyer", "Decision Maker"):  # the same person in two roles is one champion
        office.add("OpportunityContactRole", OpportunityId=again["Id"], ContactId=people[1]["Id"], Role=role)
        office.add("OpportunityContactRole", OpportunityId=again["Id"], ContactId=people[2]["Id"], Role=role)
    for person in people:
        fate = rng.random() * (0.4 + plan.quality)
        if fate < 0.06 or plan.customer.story == "champion leaves":
            person["No_Longer_At_Company__c"] = True
        elif fate < 0.09:
            person["EmailBouncedDate"] = office.calendar.month_end - timedelta(days=20)
        elif fate < 0.11:
            person["AccountId"] = record_id("001", 999)


def _meetings(office: Office, plan: Plan, account: Row) -> None:
    """Business reviews held, missed, cancelled, too old, and lunches."""
    rng, end = plan.rng, office.end
    base = {"AccountId": account["Id"], "WhatId": account["Id"]}
    owed = REVIEWS_A_YEAR[plan.tier]
    held = sum(rng.random() < 0.25 + 0.7 * plan.quality for _ in range(owed)) + (plan.number % 13 == 0)
    for _ in range(held):
        day = end - timedelta(days=rng.randint(1, 360))
        office.add(
            "Event", **base, Subject=rng.choice(("QBR with the team", "Quarterly Business Review")), ActivityDate=day
        )
        if rng.random() < 0.4:
            office.add("Task", **base, Subject="QBR notes", ActivityDate=day, Status="Completed", IsClosed=True)
    office.add("Event", **base, Subject="lunch", ActivityDate=end - timedelta(days=10))
    if plan.number % 4 == 0:
        office.add("Event", **base, Subject="Canceled: QBR", ActivityDate=end - timedelta(days=12))
        office.add("Event", **base, Subject="QBR", ActivityDate=end - timedelta(days=13), No_Show__c=True)
        office.add("Event", **base, Subject="QBR", ActivityDate=end - timedelta(days=366))
        office.add("Event", **base, Subject="QBR", ActivityDate=end)
        office.add("Event", **base, Subject="QBR", ActivityDate=end - timedelta(days=14), IsChild=True)
        office.add("Task", **base, Subject="QBR", ActivityDate=end - timedelta(days=15), Status="Open")
    if plan.number % 7 == 0:
        office.add(
            "Task",
            **base,
            Subject="business review by mail",
            ActivityDate=end - timedelta(days=365),
            Status="Completed",
            IsClosed=True,
        )


def _signals(office: Office, plan: Plan, account: Row) -> None:
    """Churn signals by story, and a few that were closed before or opened after as_of."""
    calendar, day, story = office.calendar, timedelta(days=1), plan.customer.story

    def signal(
        severity: str,
        status: str = "Active",
        confidence: str = "Suspected",
        days: float = 20,
        closed: float | None = None,
    ) -> None:
        done = None if closed is None else calendar.month_end - closed * day
        office.add(
            "Churn_Signal__c",
            Account__c=account["Id"],
            Severity__c=severity,
            Status__c=status,
            Confidence__c=confidence,
            Signal_Date__c=calendar.month_end - days * day,
            Closed_Date__c=done,
            Description__c="An invented reason",
        )

    if story == "critical and renewal near":
        signal("Critical", confidence="Confirmed")
        signal("Moderate", "Monitoring", "Confirmed")
    elif story == "monitored critical":
        signal("Critical", "Monitoring", "Confirmed")
        signal("Watch", "Monitoring")
    elif story == "three watch signals":
        for days in (3, 30, 300):
            signal("Watch", days=days)
    elif plan.rng.random() < 0.25 * (1.1 - plan.quality):
        signal(
            plan.rng.choice(("Critical", "Moderate", "Watch")), confidence=plan.rng.choice(("Confirmed", "Suspected"))
        )
    if plan.number % 8 == 3:
        signal("Critical", "Resolved", "Confirmed", days=60, closed=0.5)
        signal("Watch", days=0)  # opened exactly at as_of: not yet
        signal("Watch", "Resolved", days=40, closed=0)  # closed exactly at as_of: still open then
    if plan.number % 16 == 5:
        signal("Moderate", "Resolved", days=40, closed=-3)


def _strangers(office: Office, owner: str) -> None:
    """Prospects and deleted accounts: nobody's customers, though they have everything that customers have."""
    for number, kind, deleted in ((0, "Prospect", False), (1, "Prospect", False), (2, "Customer - Direct", True)):
        row = office.add(
            "Account", Name=f"Stranger {number}", Type=kind, ARR__c=1000.0, OwnerId=owner, IsDeleted=deleted,
            Intercom_Company_Id__c="e1" * 12 if number == 0 else None,
        )  # fmt: skip
        office.add(
            "Case",
            moment(office.rng, office.calendar.window_start, office.calendar.month_end),
            AccountId=row["Id"],
            Type="Billing",
            Status="New",
        )
        office.add(
            "Opportunity", AccountId=row["Id"], Name="Renewal", Type="Renewal", CloseDate=office.end + timedelta(days=9)
        )
