"""The support workspace: companies, contacts, conversations, and the cases that a careless pipeline gets wrong."""

from datetime import datetime, timedelta
from itertools import count
from random import Random

from accountpulse.sandbox.world.model import Company, Conversation, Intercom, Rating, SupportContact
from accountpulse.sandbox.world.plans import Blueprint, Calendar, Plan, moment, poisson

ESCALATIONS_TEAM = 9100
Linked = tuple[Plan, Company, list[SupportContact]]  # a customer in the workspace: its company and contacts


class WorkspaceBuilder:
    """The workspace while it fills."""

    def __init__(self, seed: int, calendar: Calendar) -> None:
        """Ids come from counters, so that the same seed gives the same ones."""
        self.rng = Random(f"intercom {seed}")
        self.calendar = calendar
        self.numbers = count(1)
        self.companies: dict[str, Company] = {}
        self.contacts: dict[str, SupportContact] = {}
        self.conversations: list[Conversation] = []

    def add_company(self, identifier: str, own: str, name: str) -> Company:
        """A new company."""
        made = Company(identifier, own, name, self.calendar.start)
        self.companies[identifier] = made
        return made

    def add_contact(self, *companies: Company, role: str = "user") -> SupportContact:
        """A new contact of these companies."""
        number = next(self.numbers)
        made = SupportContact(f"5e{number:022x}", f"user-{number}", role, self.calendar.start)
        self.contacts[made.id] = made
        for company in companies:
            made.company_ids.append(company.id)
            company.contact_ids.append(made.id)
        return made

    def add_conversation(
        self, created: datetime, people: list[SupportContact], company: Company | None
    ) -> Conversation:
        """A new conversation that a customer began and that nobody has answered yet."""
        number = next(self.numbers)
        made = Conversation(
            id=str(200_000_000 + number),
            created_at=created,
            updated_at=created,
            source_type="conversation",
            author_type="user",
            contact_ids=[person.id for person in people],
            company_id=company.id if company is not None else None,
            state="open",
            first_contact_reply_at=created,
        )
        self.conversations.append(made)
        return made


def build_intercom(blueprint: Blueprint) -> Intercom:
    """The whole workspace; the blueprint's extra conversations lie in the ninety days before the last month's end."""
    workspace = WorkspaceBuilder(blueprint.seed, blueprint.calendar)
    customers: list[Linked] = []
    for plan in blueprint.plans:
        identifier = plan.customer.intercom_company
        if identifier is None:
            continue
        company = workspace.add_company(identifier, plan.customer.account_id, plan.customer.name)
        company.custom_attributes["salesforce_account_id"] = plan.customer.account_id
        if plan.customer.scenario == "no support contact":
            continue
        customers.append((plan, company, [workspace.add_contact(company) for _ in range(1 + plan.number % 5)]))
    for customer in customers:
        _add_customer_conversations(workspace, customer)
    _add_extra_conversations(workspace, customers, blueprint.conversations)
    if len(customers) >= 3:
        _add_edge_cases(workspace, customers)
    workspace.conversations.sort(key=lambda conversation: (conversation.created_at, conversation.id))
    return Intercom("intercom-token-of-the-sandbox", workspace.companies, workspace.contacts, workspace.conversations)


def _add_customer_conversations(workspace: WorkspaceBuilder, customer: Linked) -> None:
    plan, company, contacts = customer
    rng, scenario = plan.rng, plan.customer.scenario
    begin = max(
        workspace.calendar.start,
        datetime(plan.customer.since.year, plan.customer.since.month, 1, tzinfo=workspace.calendar.start.tzinfo),
    )
    months = max(1.0, (workspace.calendar.until - begin).days / 30.4)
    rate = rng.choice((0.2, 1, 2, 3, 4, 6, 12)) * (1.6 - plan.quality) * (2.5 if scenario == "escalations" else 1)
    for _ in range(poisson(rng, rate * months)):
        created = moment(rng, begin, workspace.calendar.until)
        people = [rng.choice(contacts)] if len(contacts) < 3 or rng.random() < 0.9 else contacts[:2]
        has_company = rng.random() < 0.8
        conversation = workspace.add_conversation(created, people, company if has_company else None)
        decide_course(workspace, plan, conversation)
        if rng.random() < 0.04:
            _make_outbound(conversation, rng)
        elif rng.random() < 0.03:
            conversation.is_ticket = True


def _add_extra_conversations(workspace: WorkspaceBuilder, customers: list[Linked], count: int) -> None:
    """As many as a large company has, most of them in office hours."""
    rng, calendar = Random(f"crowd {count}"), workspace.calendar
    while count > 0:
        created = moment(rng, calendar.window_start, calendar.month_end)
        if rng.random() < (0.9 if created.weekday() > 4 or not 7 <= created.hour < 19 else 0.1):
            continue
        plan, company, contacts = rng.choice(customers)
        people = [rng.choice(contacts)]
        conversation = workspace.add_conversation(created, people, company if rng.random() < 0.8 else None)
        decide_course(workspace, plan, conversation)
        count -= 1


def decide_course(workspace: WorkspaceBuilder, plan: Plan, conversation: Conversation) -> None:
    """How it went: answered, closed, rated, tagged."""
    rng, bad = plan.rng, 1 - plan.quality
    if plan.customer.scenario == "escalations" and conversation.created_at > workspace.calendar.window_start:
        bad = 0.9
    if rng.random() < 0.15 + 0.5 * bad:
        conversation.tags.append(rng.choice(("billing", "how-to", "P1", "bug")))
    if rng.random() < 0.04 + 0.3 * bad:
        conversation.priority = rng.choice(("urgent", "high"))
    elif rng.random() < 0.3:
        conversation.priority = rng.choice(("low", "medium"))
    if rng.random() < 0.02 + 0.2 * bad:
        signs = (
            (conversation.tags, " Escalated "),
            (conversation.linked_tickets, "Back-office"),
            (conversation.linked_tickets, "Tracker"),
        )
        listed, sign = rng.choice(signs)
        listed.append(sign)
    elif rng.random() < 0.05:
        conversation.linked_tickets.append("Customer")
    if rng.random() < 0.03:
        conversation.team_id = ESCALATIONS_TEAM  # no sign of escalation unless the mapping says so
    _decide_answers(conversation, rng, bad, workspace.calendar.until)


def _decide_answers(conversation: Conversation, rng: Random, bad: float, until: datetime) -> None:
    """When it was answered, closed and rated, as far as that lies before the world's end."""
    answered = conversation.created_at + timedelta(seconds=int(rng.expovariate(1 / (1800 + 40_000 * bad))) + 30)
    if rng.random() < 0.06 or answered >= until:
        return
    conversation.first_admin_reply_at = answered
    conversation.office_seconds_to_reply = int((answered - conversation.created_at).total_seconds() * 0.4)
    closed = answered + timedelta(seconds=int(rng.expovariate(1 / (20_000 + 500_000 * bad))) + 60)
    if rng.random() < 0.08 or closed >= until:
        return
    conversation.state, conversation.first_close_at, conversation.last_close_at = "closed", closed, closed
    if rng.random() < 0.1 and (again := closed + timedelta(days=rng.randint(1, 9))) < until:
        conversation.reopens, conversation.last_close_at = 1, again
        if rng.random() < 0.3:
            conversation.state = "open"  # reopened once more, and not closed since
    conversation.office_seconds_to_last_close = int(
        (conversation.last_close_at - conversation.created_at).total_seconds() * 0.35
    )
    requested_at = conversation.last_close_at + timedelta(minutes=rng.randint(1, 90))
    if rng.random() < 0.5 and requested_at < until:
        conversation.rating = _rating(rng, requested_at, bad, until)
    conversation.updated_at = max(conversation.last_close_at, conversation.updated_at)


def _rating(rng: Random, requested_at: datetime, bad: float, until: datetime) -> Rating:
    replied = requested_at + timedelta(hours=rng.randint(1, 60))
    if rng.random() < 0.55 or replied >= until:
        return Rating(requested_at, by_bot=rng.random() < 0.1)
    score = rng.choice((1, 2, 3)) if rng.random() < 0.08 + 0.5 * bad else rng.choice((4, 5, 5))
    return Rating(requested_at, score, replied, by_bot=rng.random() < 0.08)


def _make_outbound(conversation: Conversation, rng: Random) -> None:
    """A message of ours that nobody answered: no customer in it, no statistics."""
    conversation.author_type = rng.choice(("admin", "bot"))
    conversation.source_type = "email" if conversation.author_type == "admin" else "push"
    conversation.first_contact_reply_at = conversation.first_admin_reply_at = None
    conversation.first_close_at = conversation.last_close_at = None
    conversation.office_seconds_to_reply = conversation.office_seconds_to_last_close = None
    conversation.state, conversation.rating, conversation.reopens = "open", None, 0


def _add_edge_cases(workspace: WorkspaceBuilder, customers: list[Linked]) -> None:
    calendar, second, hour = workspace.calendar, timedelta(seconds=1), timedelta(hours=1)
    (_, first, contacts), (_, other, _), (_, third, third_contacts) = customers[0], customers[1], customers[2]
    both = workspace.add_contact(first, other)
    # edges: the first counted second, the last one, and their neighbours outside
    for edge in (
        calendar.window_start,
        calendar.window_start - second,
        calendar.month_end,
        calendar.month_end - second,
    ):
        for company, person in ((first, contacts[0]), (None, third_contacts[0])):
            workspace.add_conversation(edge, [person], company)
    # one person of two customers, and two people of two customers
    for days in (5, 25, 45):
        workspace.add_conversation(calendar.month_end - timedelta(days=days), [both], None)
        workspace.add_conversation(
            calendar.month_end - timedelta(days=days, hours=5), [contacts[0], third_contacts[0]], None
        )
    # created long before the window: closed in it, asked in it, both too early
    for closed, asked in ((3, None), (100, 4), (120, 110), (1, 1)):
        conversation = workspace.add_conversation(calendar.month_end - timedelta(days=200), [contacts[0]], first)
        conversation.first_admin_reply_at = conversation.created_at + hour
        conversation.office_seconds_to_reply = 1200
        conversation.state, conversation.last_close_at = "closed", calendar.month_end - timedelta(days=closed)
        conversation.first_close_at, conversation.office_seconds_to_last_close = conversation.last_close_at, 50_000
        if asked is not None:
            requested_at = calendar.month_end - timedelta(days=asked)
            conversation.rating = Rating(requested_at, 2, requested_at + 3 * hour)
    # an old one that was last closed exactly at the end: not in the window
    late = workspace.add_conversation(calendar.month_end - timedelta(days=150), [third_contacts[0]], third)
    late.state, late.first_close_at, late.last_close_at = "closed", calendar.month_end, calendar.month_end
    # many contacts and many linked tickets: their lists are cut in search answers
    many = [workspace.add_contact(third) for _ in range(14)]
    conversation = workspace.add_conversation(calendar.month_end - timedelta(days=9), many, None)
    conversation.linked_tickets = ["Customer"] * 5 + ["Tracker"]
    _add_other_companies(workspace, other, third)


def _add_other_companies(workspace: WorkspaceBuilder, other: Company, third: Company) -> None:
    """A lead's company, a prospect's, nobody, and somebody with more companies than a contact shows."""
    calendar = workspace.calendar
    trial = workspace.add_company("f0" * 12, "7f3a-qualification-company", "A lead")
    lead = workspace.add_contact(trial, role="lead")
    lead.company_ids.append(third.id)
    third.contact_ids.append(lead.id)
    workspace.add_conversation(calendar.month_end - timedelta(days=11), [lead], None)
    workspace.add_conversation(calendar.month_end - timedelta(days=12), [lead], trial)  # of the lead's customer
    prospect = workspace.add_company("e1" * 12, "prospect-1", "Prospect One")
    for _ in range(6):
        workspace.add_conversation(
            moment(workspace.rng, calendar.window_start, calendar.month_end),
            [workspace.add_contact(prospect)],
            prospect,
        )
    workspace.add_conversation(calendar.month_end - timedelta(days=2), [workspace.add_contact()], None)
    many = [
        workspace.add_company(f"{number:024x}"[::-1], f"side-{number}", f"Side company {number}")
        for number in range(11, 23)
    ]
    busy = workspace.add_contact(*many)
    busy.company_ids.append(other.id)
    other.contact_ids.append(busy.id)
    workspace.add_conversation(calendar.month_end - timedelta(days=6), [busy], None)
