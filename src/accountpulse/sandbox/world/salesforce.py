"""The org: its accounts and what belongs to each, with the rows that must not be counted."""

from datetime import timedelta

from accountpulse.sandbox.world.contract import add_arr_history, add_billing_cases, add_renewal
from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.opinions import add_opinions
from accountpulse.sandbox.world.org_builder import OrgBuilder, Row
from accountpulse.sandbox.world.plans import SEGMENTS, Blueprint, Plan, moment
from accountpulse.sandbox.world.relationship import add_champions, add_reviews, add_signals


def build_salesforce(blueprint: Blueprint) -> Salesforce:
    """The whole org."""
    org = OrgBuilder(blueprint.seed, blueprint.calendar)
    owners = [
        org.add(
            "User", Name=f"CSM {n}", Username=f"csm{n}@sandbox.example", Email=f"csm{n}@sandbox.example", IsActive=True
        )["Id"]
        for n in range(6)
    ]
    for plan in blueprint.plans:
        account = _add_account(org, plan, owners[plan.number % len(owners)])
        people = [
            org.add(
                "Contact",
                AccountId=account["Id"],
                Name=f"Person {plan.number}-{n}",
                Email=f"p{plan.number}.{n}@sandbox.example",
            )
            for n in range(3)
        ]
        add_renewal(org, plan, account)
        add_arr_history(org, plan, account)
        add_billing_cases(org, plan, account)
        add_champions(org, plan, account, people)
        add_reviews(org, plan, account)
        add_signals(org, plan, account)
    _add_other_accounts(org, owners[0])
    _add_parents(org, blueprint)
    add_opinions(org, blueprint)
    return org_of(org)


def org_of(org: OrgBuilder) -> Salesforce:
    """The sandbox's org, with the records that were made."""
    org.add("Organization", Name="Sandbox", IsSandbox=True)
    return Salesforce(
        username="integration@sandbox.example",
        password="salesforce-password-of-the-sandbox",
        security_token="SandboxSecurityToken",
        client_id="salesforce-client-of-the-sandbox",
        client_secret="salesforce-secret-of-the-sandbox",
        objects=org.objects,
    )


def _add_account(org: OrgBuilder, plan: Plan, owner: str) -> Row:
    customer = plan.customer
    row = org.add(
        "Account",
        Name=customer.name,
        Type="Customer - Direct" if plan.number % 4 else "Customer - Channel",
        ARR__c=plan.arr if plan.number % 29 != 28 else None,
        Tier__c=plan.tier if plan.number % 31 != 30 else None,
        Segment__c=SEGMENTS[plan.tier],
        Seats__c=float(plan.seats) if plan.number % 17 != 16 else None,
        OwnerId=owner,
        Customer_Since__c=customer.since,
        Intercom_Company_Id__c=customer.intercom_company,
        Jira_Component__c=customer.jira_component,
    )
    row["Id"] = customer.account_id
    return row


def _add_parents(org: OrgBuilder, blueprint: Blueprint) -> None:
    """Of each dozen of customers one is the parent of two, one of them of a third; two others share a prospect."""
    rows = {row["Id"]: row for row in org.objects["Account"].rows}
    customers = [rows[plan.customer.account_id] for plan in blueprint.plans if plan.customer.account_id in rows]
    outside = next(row["Id"] for row in rows.values() if row["Name"] == "Stranger 1")
    for number, row in enumerate(customers):
        first = number - number % 12
        parent = {2: first + 1, 3: first + 1, 4: first + 3}.get(number % 12)
        if parent is not None:
            row["ParentId"] = customers[parent]["Id"]
        elif number in (7, 8):
            row["ParentId"] = outside


def _add_other_accounts(org: OrgBuilder, owner: str) -> None:
    """Prospects and deleted accounts: nobody's customers, though they have everything that customers have."""
    for number, kind, deleted in ((0, "Prospect", False), (1, "Prospect", False), (2, "Customer - Direct", True)):
        row = org.add(
            "Account", Name=f"Stranger {number}", Type=kind, ARR__c=1000.0, OwnerId=owner, IsDeleted=deleted,
            Intercom_Company_Id__c="e1" * 12 if number == 0 else None,
        )  # fmt: skip
        org.add(
            "Case",
            moment(org.rng, org.calendar.window_start, org.calendar.month_end),
            AccountId=row["Id"],
            Type="Billing",
            Status="New",
        )
        org.add(
            "Opportunity", AccountId=row["Id"], Name="Renewal", Type="Renewal", CloseDate=org.end + timedelta(days=9)
        )
