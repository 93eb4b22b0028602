"""The org: its accounts and what belongs to each, with the rows that must not be counted."""

from datetime import timedelta

from accountpulse.sandbox.world.contract import history, money, renewal
from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.office import Office, Row
from accountpulse.sandbox.world.plans import Calendar, Plan, moment
from accountpulse.sandbox.world.relationship import champions, meetings, signals


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
        renewal(office, plan, account)
        history(office, plan, account)
        money(office, plan, account)
        champions(office, plan, account, people)
        meetings(office, plan, account)
        signals(office, plan, account)
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
