"""An account's people, its business reviews and its churn signals."""

from datetime import timedelta

from accountpulse.sandbox.world.org import CATEGORIES, record_id
from accountpulse.sandbox.world.org_builder import OrgBuilder, Row
from accountpulse.sandbox.world.plans import Plan

REVIEWS_A_YEAR = {"Bronze": 0, "Silver": 1, "Gold": 2, "Platinum": 4}


def add_champions(org: OrgBuilder, plan: Plan, account: Row, people: list[Row]) -> None:
    """Roles on won opportunities; some people have left, moved or bounce."""
    rng, end = plan.rng, org.end
    if plan.number % 9 == 8:
        return
    won = org.add(
        "Opportunity", AccountId=account["Id"], Name="First deal", Type="New Customer",
        CloseDate=end - timedelta(days=180), StageName="Closed Won", IsClosed=True, IsWon=True,
    )  # fmt: skip
    roles = ("Executive Sponsor", "Decision Maker", "Influencer")
    for person, role in zip(people, roles, strict=True):
        org.add(
            "OpportunityContactRole",
            OpportunityId=won["Id"],
            ContactId=person["Id"],
            Role=role,
            IsPrimary=role == roles[0],
        )
    again = org.add(
        "Opportunity", AccountId=account["Id"], Name="Second deal", Type="Existing Customer - Upgrade",
        CloseDate=end - timedelta(days=90), StageName="Closed Won" if plan.number % 2 else "Prospecting",
        IsClosed=bool(plan.number % 2), IsWon=bool(plan.number % 2),
    )  # fmt: skip
    for role in ("Economic Buyer", "Decision Maker"):  # the same person in two roles is one champion
        org.add("OpportunityContactRole", OpportunityId=again["Id"], ContactId=people[1]["Id"], Role=role)
        org.add("OpportunityContactRole", OpportunityId=again["Id"], ContactId=people[2]["Id"], Role=role)
    for person in people:
        fate = rng.random() * (0.4 + plan.quality)
        if fate < 0.06 or plan.customer.scenario == "champion leaves":
            person["No_Longer_At_Company__c"] = True
        elif fate < 0.09:
            person["EmailBouncedDate"] = org.calendar.month_end - timedelta(days=20)
        elif fate < 0.11:
            person["AccountId"] = record_id("001", 999)


def add_reviews(org: OrgBuilder, plan: Plan, account: Row) -> None:
    """Business reviews held, missed, cancelled, too old, and lunches."""
    rng, end = plan.rng, org.end
    base = {"AccountId": account["Id"], "WhatId": account["Id"]}
    expected = REVIEWS_A_YEAR[plan.tier]
    count = sum(rng.random() < 0.25 + 0.7 * plan.quality for _ in range(expected)) + (plan.number % 13 == 0)
    for _ in range(count):
        day = end - timedelta(days=rng.randint(1, 360))
        org.add(
            "Event", **base, Subject=rng.choice(("QBR with the team", "Quarterly Business Review")), ActivityDate=day
        )
        if rng.random() < 0.4:
            org.add("Task", **base, Subject="QBR notes", ActivityDate=day, Status="Completed", IsClosed=True)
    org.add("Event", **base, Subject="lunch", ActivityDate=end - timedelta(days=10))
    if plan.number % 4 == 0:
        org.add("Event", **base, Subject="Canceled: QBR", ActivityDate=end - timedelta(days=12))
        org.add("Event", **base, Subject="QBR", ActivityDate=end - timedelta(days=13), No_Show__c=True)
        org.add("Event", **base, Subject="QBR", ActivityDate=end - timedelta(days=366))
        org.add("Event", **base, Subject="QBR", ActivityDate=end)
        org.add("Event", **base, Subject="QBR", ActivityDate=end - timedelta(days=14), IsChild=True)
        org.add("Task", **base, Subject="QBR", ActivityDate=end - timedelta(days=15), Status="Open")
    if plan.number % 7 == 0:
        org.add(
            "Task",
            **base,
            Subject="business review by mail",
            ActivityDate=end - timedelta(days=365),
            Status="Completed",
            IsClosed=True,
        )


def add_signals(org: OrgBuilder, plan: Plan, account: Row) -> None:
    """Churn signals by scenario, and a few that were closed before or opened after as_of."""
    calendar, day, scenario = org.calendar, timedelta(days=1), plan.customer.scenario

    def signal(
        severity: str,
        status: str = "Active",
        confidence: str = "Suspected",
        days: float = 20,
        closed: float | None = None,
    ) -> None:
        done = None if closed is None else calendar.month_end - closed * day
        org.add(
            "Churn_Signal__c",
            Account__c=account["Id"],
            Severity__c=severity,
            Status__c=status,
            Confidence__c=confidence,
            Signal_Date__c=calendar.month_end - days * day,
            Closed_Date__c=done,
            Category__c=CATEGORIES[(plan.number + round(days)) % len(CATEGORIES)],
            CreatedById=account["OwnerId"],
            Description__c="An invented reason",
        )

    if scenario == "critical and renewal near":
        signal("Critical", confidence="Confirmed")
        signal("Moderate", "Monitoring", "Confirmed")
    elif scenario == "monitored critical":
        signal("Critical", "Monitoring", "Confirmed")
        signal("Watch", "Monitoring")
    elif scenario == "three watch signals":
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
