"""An account's contract: its renewal, the history of its ARR, its deals and its billing cases."""

from datetime import date, timedelta

from accountpulse.sandbox.world.org_builder import OrgBuilder, Row
from accountpulse.sandbox.world.plans import Plan


def add_renewal(org: OrgBuilder, plan: Plan, account: Row) -> None:
    """By opportunity for most; by contract or by a date on the account for others; some have none."""
    rng, end, scenario = plan.rng, org.end, plan.customer.scenario
    due = end + timedelta(days=rng.randint(5, 360))
    if scenario == "renewal overdue":
        due = end - timedelta(days=21)
    elif scenario == "critical and renewal near":
        due = end + timedelta(days=45)
    way = 0 if scenario != "ordinary" else plan.number % 10
    begun = org.calendar.month_end - timedelta(days=120)
    renewal = {
        "AccountId": account["Id"],
        "Name": "Renewal",
        "Type": "Renewal",
        "Probability": 60.0,
        "Amount": plan.arr,
    }
    if way < 7:
        org.add("Opportunity", begun, **renewal, CloseDate=due, StageName="Negotiation")
        if way == 1:
            org.add("Opportunity", begun, **renewal, CloseDate=end, StageName="Negotiation")  # on the very day: 0 days
        if way == 2:  # one overdue beside one that is ahead; one that was made after as_of
            org.add("Opportunity", begun, **renewal, CloseDate=end - timedelta(days=40), StageName="Negotiation")
            org.add(
                "Opportunity",
                org.calendar.month_end + timedelta(hours=5),
                **renewal,
                CloseDate=end + timedelta(days=1),
            )
        if way == 3:  # last year's, won and closed
            org.add(
                "Opportunity",
                begun,
                **renewal,
                CloseDate=end + timedelta(days=2),
                StageName="Closed Won",
                IsClosed=True,
                IsWon=True,
            )
    elif way == 7:
        _add_contracts(org, account, due)
    elif way == 8:
        account["Renewal_Date__c"] = due


def _add_contracts(org: OrgBuilder, account: Row, due: date) -> None:
    """The contract in force, beside a draft and one that has expired."""
    begun, end = org.calendar.month_end - timedelta(days=120), org.end
    for status, shift in (("Activated", 0), ("Draft", -200), ("Expired", -100)):
        org.add(
            "Contract",
            begun,
            AccountId=account["Id"],
            Status=status,
            StartDate=end - timedelta(days=300),
            EndDate=due + timedelta(days=shift),
        )


def add_arr_history(org: OrgBuilder, plan: Plan, account: Row) -> None:
    """Changes of ARR, also ones after as_of and of other fields."""
    rng, arr = plan.rng, plan.arr
    if rng.random() < 0.6 and account["ARR__c"] is not None:
        value = arr
        for days in sorted(rng.sample(range(-20, 500), rng.randint(1, 3))):  # latest first: going back in time
            before = round(
                value * rng.choice((0.7, 0.85, 0.95, 1.0, 1.1, 1.25)) * (1.15 if plan.quality < 0.5 else 0.95), -2
            )
            at = org.calendar.month_end - timedelta(days=days, hours=3)
            if at < org.calendar.until:
                org.add(
                    "AccountHistory",
                    at,
                    AccountId=account["Id"],
                    Field="ARR__c",
                    OldValue=str(before),
                    NewValue=str(value),
                )
                value = before
    org.add(
        "AccountHistory",
        org.calendar.month_end - timedelta(days=300),
        AccountId=account["Id"],
        Field="Tier__c",
        OldValue="Bronze",
        NewValue=plan.tier,
    )
    _add_deals(org, plan, account)
    _add_expansions(org, plan, account)


def _add_deals(org: OrgBuilder, plan: Plan, account: Row) -> None:
    """Downgrades on every edge of the year, and deals that are none."""
    rng = plan.rng
    if plan.customer.scenario == "downgrade" or rng.random() < 0.05:
        for days in (0, 1, 30, 364, 365, 366):
            if plan.customer.scenario == "downgrade" or days == 30:
                won = {"StageName": "Closed Won", "IsClosed": True, "IsWon": True, "AccountId": account["Id"]}
                org.add(
                    "Opportunity",
                    Name="Fewer seats",
                    Type="Existing Customer - Downgrade",
                    CloseDate=org.end - timedelta(days=days),
                    **won,
                )
    if plan.number % 6 == 0:  # an upgrade is no downgrade, a lost downgrade neither
        org.add(
            "Opportunity",
            AccountId=account["Id"],
            Name="More",
            Type="Existing Customer - Upgrade",
            CloseDate=org.end - timedelta(days=60),
            StageName="Closed Won",
            IsClosed=True,
            IsWon=True,
        )
        org.add(
            "Opportunity",
            AccountId=account["Id"],
            Name="Less",
            Type="Existing Customer - Downgrade",
            CloseDate=org.end - timedelta(days=60),
            StageName="Closed Lost",
            IsClosed=True,
        )


def _add_expansions(org: OrgBuilder, plan: Plan, account: Row) -> None:
    """Open deals to grow, likely and unlikely."""
    rng = plan.rng
    count = 3 if plan.customer.scenario == "growing" else (plan.number % 5 == 0)
    for _ in range(count):
        created = org.calendar.month_end - timedelta(days=15)
        org.add(
            "Opportunity",
            created,
            AccountId=account["Id"],
            Name="Growth",
            Type="Expansion",
            CloseDate=org.end + timedelta(days=50),
            StageName="Proposal",
            Probability=rng.choice((10.0, 20.0, 55.0)),
        )


def add_billing_cases(org: OrgBuilder, plan: Plan, account: Row) -> None:
    """Billing cases: open, closed recently, closed long ago, after as_of; and cases about something else."""
    rng, calendar, day = plan.rng, org.calendar, timedelta(days=1)
    case = {"AccountId": account["Id"], "Subject": "An invented case"}
    shut = {"Status": "Closed", "IsClosed": True}
    problems = 3 if plan.customer.scenario == "unpaid invoice" else int(rng.random() < 0.25 * (1.3 - plan.quality))
    for _ in range(problems):
        org.add("Case", calendar.month_end - rng.randint(2, 85) * day, **case, Type="Billing", Status="New")
    if plan.number % 5 == 1:
        org.add(
            "Case",
            calendar.month_end - 100 * day,
            **case,
            **shut,
            Type="Billing",
            ClosedDate=calendar.month_end - 5 * day,
        )
        org.add(
            "Case",
            calendar.month_end - 10 * day,
            **case,
            **shut,
            Type="Mechanical",
            ClosedDate=calendar.month_end - 5 * day,
        )
    if plan.number % 11 == 1:  # open for long; opened in the window and closed; opened after as_of; closed after as_of
        org.add("Case", calendar.month_end - 200 * day, **case, Type="Billing", Status="New")
        org.add(
            "Case",
            calendar.month_end - 40 * day,
            **case,
            **shut,
            Type="Billing",
            ClosedDate=calendar.month_end - 30 * day,
        )
        org.add("Case", calendar.month_end, **case, Type="Billing", Status="New")
        org.add("Case", calendar.month_end - 95 * day, **case, **shut, Type="Billing", ClosedDate=calendar.month_end)
