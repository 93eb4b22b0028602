"""The support workspace: companies, people, conversations, and the cases that a careless pipeline gets wrong."""

from datetime import datetime, timedelta
from itertools import count
from random import Random

from accountpulse.sandbox.world.model import Company, Conversation, Intercom, Rating, SupportContact
from accountpulse.sandbox.world.plans import Calendar, Plan, moment, poisson

ESCALATIONS_TEAM = 9100
MONTHS = 18


class Workspace:
    """The workspace while it fills."""

    def __init__(self, seed: int, calendar: Calendar) -> None:
        """Ids come from counters, so that the same seed gives the same ones."""
        self.rng = Random(f"intercom {seed}")
        self.calendar = calendar
        self.numbers = count(1)
        self.companies: dict[str, Company] = {}
        self.contacts: dict[str, SupportContact] = {}
        self.conversations: list[Conversation] = []

    def company(self, identifier: str, own: str, name: str) -> Company:
        """A new company."""
        made = Company(identifier, own, name, self.calendar.start)
        self.companies[identifier] = made
        return made

    def person(self, *companies: Company, role: str = "user") -> SupportContact:
        """A new contact of these companies."""
        number = next(self.numbers)
        made = SupportContact(f"5e{number:022x}", f"user-{number}", role, self.calendar.start)
        self.contacts[made.id] = made
        for company in companies:
            made.company_ids.append(company.id)
            company.contact_ids.append(made.id)
        return made

    def talk(self, created: datetime, people: list[SupportContact], company: Company | None) -> Conversation:
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


def intercom(seed: int, plans: list[Plan], calendar: Calendar, more: int = 0) -> Intercom:
    """The whole workspace; `more` ordinary conversations in the ninety days before the last month's end."""
    place = Workspace(seed, calendar)
    crews: list[tuple[Plan, Company, list[SupportContact]]] = []
    for plan in plans:
        identifier = plan.customer.intercom_company
        if identifier is None:
            continue
        company = place.company(identifier, plan.customer.account_id, plan.customer.name)
        company.custom_attributes["salesforce_account_id"] = plan.customer.account_id
        if plan.customer.story == "no support contact":
            continue
        crews.append((plan, company, [place.person(company) for _ in range(1 + plan.number % 5)]))
    for plan, company, crew in crews:
        _ordinary(place, plan, company, crew)
    _crowd(place, crews, more)
    if len(crews) >= 3:
        _traps(place, crews)
    place.conversations.sort(key=lambda talk: (talk.created_at, talk.id))
    return Intercom("intercom-token-of-the-sandbox", place.companies, place.contacts, place.conversations)


def _ordinary(place: Workspace, plan: Plan, company: Company, crew: list[SupportContact]) -> None:
    rng, story = plan.rng, plan.customer.story
    begin = max(
        place.calendar.start,
        datetime(plan.customer.since.year, plan.customer.since.month, 1, tzinfo=place.calendar.start.tzinfo),
    )
    months = max(1.0, (place.calendar.until - begin).days / 30.4)
    rate = rng.choice((0.2, 1, 2, 3, 4, 6, 12)) * (1.6 - plan.quality) * (2.5 if story == "escalations" else 1)
    for _ in range(poisson(rng, rate * months)):
        created = moment(rng, begin, place.calendar.until)
        people = [rng.choice(crew)] if len(crew) < 3 or rng.random() < 0.9 else crew[:2]
        known = rng.random() < 0.8
        talk = place.talk(created, people, company if known else None)
        _course(place, plan, talk)
        if rng.random() < 0.04:
            _make_outbound(talk, rng)
        elif rng.random() < 0.03:
            talk.is_ticket = True


def _crowd(place: Workspace, crews: list[tuple[Plan, Company, list[SupportContact]]], count: int) -> None:
    """As many as a large company has, most of them in office hours."""
    rng, calendar = Random(f"crowd {count}"), place.calendar
    while count > 0:
        created = moment(rng, calendar.window_start, calendar.month_end)
        if rng.random() < (0.9 if created.weekday() > 4 or not 7 <= created.hour < 19 else 0.1):
            continue
        plan, company, crew = rng.choice(crews)
        _course(place, plan, place.talk(created, [rng.choice(crew)], company if rng.random() < 0.8 else None))
        count -= 1


def _course(place: Workspace, plan: Plan, talk: Conversation) -> None:
    """How it went: answered, closed, rated, tagged."""
    rng, bad = plan.rng, 1 - plan.quality
    if plan.customer.story == "escalations" and talk.created_at > place.calendar.window_start:
        bad = 0.9
    if rng.random() < 0.15 + 0.5 * bad:
        talk.tags.append(rng.choice(("billing", "how-to", "P1", "bug")))
    if rng.random() < 0.04 + 0.3 * bad:
        talk.priority = rng.choice(("urgent", "high"))
    elif rng.random() < 0.3:
        talk.priority = rng.choice(("low", "medium"))
    if rng.random() < 0.02 + 0.2 * bad:
        rng.choice((lambda: talk.tags.append(" Escalated "), lambda: talk.linked_tickets.append("Back-office"),
                    lambda: talk.linked_tickets.append("Tracker")))()  # fmt: skip
    elif rng.random() < 0.05:
        talk.linked_tickets.append("Customer")
    if rng.random() < 0.03:
        talk.team_id = ESCALATIONS_TEAM  # no sign of escalation unless the mapping says so
    _answers(talk, rng, bad, place.calendar.until)


def _answers(talk: Conversation, rng: Random, bad: float, until: datetime) -> None:
    """When it was answered, closed and rated, as far as that lies before the world's end."""
    answered = talk.created_at + timedelta(seconds=int(rng.expovariate(1 / (1800 + 40_000 * bad))) + 30)
    if rng.random() < 0.06 or answered >= until:
        return
    talk.first_admin_reply_at = answered
    talk.office_seconds_to_reply = int((answered - talk.created_at).total_seconds() * 0.4)
    closed = answered + timedelta(seconds=int(rng.expovariate(1 / (20_000 + 500_000 * bad))) + 60)
    if rng.random() < 0.08 or closed >= until:
        return
    talk.state, talk.first_close_at, talk.last_close_at = "closed", closed, closed
    if rng.random() < 0.1 and (again := closed + timedelta(days=rng.randint(1, 9))) < until:
        talk.reopens, talk.last_close_at = 1, again
        if rng.random() < 0.3:
            talk.state = "open"  # reopened once more, and not closed since
    talk.office_seconds_to_last_close = int((talk.last_close_at - talk.created_at).total_seconds() * 0.35)
    asked = talk.last_close_at + timedelta(minutes=rng.randint(1, 90))
    if rng.random() < 0.5 and asked < until:
        talk.rating = _rating(rng, asked, bad, until)
    talk.updated_at = max(talk.last_close_at, talk.updated_at)


def _rating(rng: Random, asked: datetime, bad: float, until: datetime) -> Rating:
    replied = asked + timedelta(hours=rng.randint(1, 60))
    if rng.random() < 0.55 or replied >= until:
        return Rating(asked, by_bot=rng.random() < 0.1)
    score = rng.choice((1, 2, 3)) if rng.random() < 0.08 + 0.5 * bad else rng.choice((4, 5, 5))
    return Rating(asked, score, replied, by_bot=rng.random() < 0.08)


def _make_outbound(talk: Conversation, rng: Random) -> None:
    """A message of ours that nobody answered: no customer in it, no statistics."""
    talk.author_type = rng.choice(("admin", "bot"))
    talk.source_type = "email" if talk.author_type == "admin" else "push"
    talk.first_contact_reply_at = talk.first_admin_reply_at = talk.first_close_at = talk.last_close_at = None
    talk.office_seconds_to_reply = talk.office_seconds_to_last_close = None
    talk.state, talk.rating, talk.reopens = "open", None, 0


def _traps(place: Workspace, crews: list[tuple[Plan, Company, list[SupportContact]]]) -> None:
    calendar, second, hour = place.calendar, timedelta(seconds=1), timedelta(hours=1)
    (_, first, crew), (_, other, _), (_, third, thirds) = crews[0], crews[1], crews[2]
    both = place.person(first, other)
    # edges: the first counted second, the last one, and their neighbours outside
    for edge in (
        calendar.window_start,
        calendar.window_start - second,
        calendar.month_end,
        calendar.month_end - second,
    ):
        for company, person in ((first, crew[0]), (None, thirds[0])):
            place.talk(edge, [person], company)
    # one person of two customers, and two people of two customers
    for days in (5, 25, 45):
        place.talk(calendar.month_end - timedelta(days=days), [both], None)
        place.talk(calendar.month_end - timedelta(days=days, hours=5), [crew[0], thirds[0]], None)
    # created long before the window: closed in it, asked in it, both too early
    for closed, asked in ((3, None), (100, 4), (120, 110), (1, 1)):
        talk = place.talk(calendar.month_end - timedelta(days=200), [crew[0]], first)
        talk.first_admin_reply_at = talk.created_at + hour
        talk.office_seconds_to_reply = 1200
        talk.state, talk.last_close_at = "closed", calendar.month_end - timedelta(days=closed)
        talk.first_close_at, talk.office_seconds_to_last_close = talk.last_close_at, 50_000
        if asked is not None:
            talk.rating = Rating(
                calendar.month_end - timedelta(days=asked), 2, calendar.month_end - timedelta(days=asked, hours=-3)
            )
    # an old one that was last closed exactly at the end: not in the window
    late = place.talk(calendar.month_end - timedelta(days=150), [thirds[0]], third)
    late.state, late.first_close_at, late.last_close_at = "closed", calendar.month_end, calendar.month_end
    # a crowd and a pile of tickets: their lists are cut in search answers
    crowd = [place.person(third) for _ in range(14)]
    talk = place.talk(calendar.month_end - timedelta(days=9), crowd, None)
    talk.linked_tickets = ["Customer"] * 5 + ["Tracker"]
    _strangers(place, other, third)


def _strangers(place: Workspace, other: Company, third: Company) -> None:
    """A lead's company, a prospect's, nobody, and somebody with more companies than a contact shows."""
    calendar = place.calendar
    trial = place.company("f0" * 12, "7f3a-qualification-company", "A lead")
    lead = place.person(trial, role="lead")
    lead.company_ids.append(third.id)
    third.contact_ids.append(lead.id)
    place.talk(calendar.month_end - timedelta(days=11), [lead], None)
    place.talk(calendar.month_end - timedelta(days=12), [lead], trial)  # of the customer that the lead belongs to
    prospect = place.company("e1" * 12, "prospect-1", "Prospect One")
    for _ in range(6):
        place.talk(moment(place.rng, calendar.window_start, calendar.month_end), [place.person(prospect)], prospect)
    place.talk(calendar.month_end - timedelta(days=2), [place.person()], None)
    many = [
        place.company(f"{number:024x}"[::-1], f"side-{number}", f"Side company {number}") for number in range(11, 23)
    ]
    busy = place.person(*many)
    busy.company_ids.append(other.id)
    other.contact_ids.append(busy.id)
    place.talk(calendar.month_end - timedelta(days=6), [busy], None)
