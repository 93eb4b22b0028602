"""An account's contract: its renewal, the history of its ARR, its deals and its billing cases."""

from datetime import date, timedelta

from accountpulse.sandbox.world.office import Office, Row
from accountpulse.sandbox.world.plans import Plan


def renewal(office: Office, plan: Plan, account: Row) -> None:
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
        _contracts(office, account, due)
    elif way == 8:
        account["Renewal_Date__c"] = due


def _contracts(office: Office, account: Row, due: date) -> None:
    """The contract in force, beside a draft and one that has expired."""
    begun, end = office.calendar.month_end - timedelta(days=120), office.end
    for status, shift in (("Activated", 0), ("Draft", -200), ("Expired", -100)):
        office.add(
            "Contract",
            begun,
            AccountId=account["Id"],
            Status=status,
            StartDate=end - timedelta(days=300),
            EndDate=due + timedelta(days=shift),
        )


def history(office: Office, plan: Plan, account: Row) -> None:
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
    _deals(office, plan, account)
    _chances(office, plan, account)


def _deals(office: Office, plan: Plan, account: Row) -> None:
    """Downgrades on every edge of the year, and deals that are none."""
    rng = plan.rng
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


def _chances(office: Office, plan: Plan, account: Row) -> None:
    """Open deals to grow, likely and unlikely."""
    rng = plan.rng
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


def money(office: Office, plan: Plan, account: Row) -> None:
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
