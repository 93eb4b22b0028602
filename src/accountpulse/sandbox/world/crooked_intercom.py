"""What real Intercom workspaces have at worst: the plain one of the same seed, with a peculiarity an account.

docs/sandbox-worlds.md lists what is done here, and what is true of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from accountpulse.sandbox.world.model import Company, Conversation, Customer, Intercom, Rating, SupportContact
from accountpulse.sandbox.world.plans import ORDINARY, Blueprint, Calendar

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LINKS = ("id", "attribute", "company_id")
ATTRIBUTE = "salesforce_account_id"
SEVERITY = "Severity"
UNKNOWN_PRIORITY = "critical"  # no level that the vendor has told of


def bend_intercom(workspace: Intercom, blueprint: Blueprint) -> None:
    """Let the workspace find its customers in one of three ways, and give each of a few accounts one trouble."""
    workspace.link = LINKS[blueprint.seed % len(LINKS)]
    workspace.attribute_types = {SEVERITY: "integer"}
    workspace.urgent_when = (SEVERITY, ("1",))
    workspace.wrong_totals = 2
    bent = Bend(workspace, blueprint.calendar)
    linked = [plan.customer for plan in blueprint.plans if plan.customer.intercom_company in workspace.companies]
    ordinary = [
        each for each in linked[3:] if each.scenario == ORDINARY
    ]  # the first three have edge cases of their own
    for customer, (name, trouble) in zip(ordinary, TROUBLES.items(), strict=False):
        customer.crooked.append(f"intercom: {name}")
        trouble(bent, customer)
    workspace.conversations.sort(key=lambda each: (each.created_at, each.id))


def intercom_mapping(workspace: Intercom, _edition: str) -> dict[str, object]:
    """The `intercom:` block of accountpulse.yaml that reads this workspace."""
    links: dict[str, dict[str, object]] = {
        "id": {},
        "attribute": {"account_field": "Id", "attribute": ATTRIBUTE},
        "company_id": {"account_field": "Id", "holds": "company_id"},
    }
    name, values = workspace.urgent_when or ("", ())
    priority = {"priority": {"attribute": {"name": name, "values": list(values)}}} if name else {}
    return {**links[workspace.link], **priority}


@dataclass
class Bend:
    """The workspace while it is bent."""

    workspace: Intercom
    calendar: Calendar

    def __post_init__(self) -> None:
        """Ids go on far behind those of the plain workspace."""
        self._numbers = count(800_001)

    def company_of(self, customer: Customer) -> Company:
        """A customer's company."""
        return self.workspace.companies[str(customer.intercom_company)]

    def contact(self, *companies: Company, state: str = "active", role: str = "user") -> SupportContact:
        """A new contact of these companies, which know of it as long as it is active."""
        number = next(self._numbers)
        ids = [company.id for company in companies]
        made = SupportContact(f"6e{number:022x}", f"user-{number}", role, self.calendar.start, ids, state)
        self.workspace.contacts[made.id] = made
        for company in companies if state == "active" else ():
            company.contact_ids.append(made.id)
        return made

    def side_company(self) -> Company:
        """A new company that is no customer's."""
        number = next(self._numbers)
        made = Company(f"d0{number:022x}", f"side-{number}", f"Side company {number}", self.calendar.start)
        self.workspace.companies[made.id] = made
        return made

    def talk(self, customer: Customer, days: float, *people: SupportContact) -> Conversation:
        """A conversation that began so many days before the last month's end, was answered and closed.

        Of these people; of a new one and the customer's company, where none is given.
        """
        company = None if people else self.company_of(customer)
        spoken = people or (self.contact(self.company_of(customer)),)
        created = self.calendar.month_end - days * DAY
        made = Conversation(
            id=str(200_000_000 + next(self._numbers)),
            created_at=created,
            updated_at=created + 5 * HOUR,
            source_type="conversation",
            author_type="user",
            contact_ids=[person.id for person in spoken],
            company_id=None if company is None else company.id,
            state="closed",
            first_contact_reply_at=created,
            first_admin_reply_at=created + HOUR,
            office_seconds_to_reply=1_800,
            first_close_at=created + 5 * HOUR,
            last_close_at=created + 5 * HOUR,
            office_seconds_to_last_close=9_000,
        )
        self.workspace.conversations.append(made)
        return made


# --- the troubles ------------------------------------------------------------------------------------------------


def _merged_contact(bent: Bend, customer: Customer) -> None:
    before = bent.contact(state="merged")
    before.merged_into = bent.contact(bent.company_of(customer)).id
    bent.talk(customer, 12, before)


def _merged_and_deleted(bent: Bend, customer: Customer) -> None:
    before = bent.contact(state="merged")
    before.merged_into = bent.contact(bent.company_of(customer), state="deleted").id
    bent.talk(customer, 11, before)


def _deleted_contact(bent: Bend, customer: Customer) -> None:
    bent.talk(customer, 13, bent.contact(bent.company_of(customer), state="deleted"))


def _archived_contact(bent: Bend, customer: Customer) -> None:
    bent.talk(customer, 14, bent.contact(bent.company_of(customer), state="archived"))


def _deleted_conversation(bent: Bend, customer: Customer) -> None:
    """Whether it was escalated stood in the part of its list that search cut."""
    talk = bent.talk(customer, 15)
    talk.linked_tickets, talk.gone = ["Customer"] * 5 + ["Tracker"], True


def _merged_conversation(bent: Bend, customer: Customer) -> None:
    """That it was escalated stands in the part of its list that search shows."""
    talk = bent.talk(customer, 16)
    talk.linked_tickets, talk.gone = ["Back-office"] + ["Customer"] * 5, True


def _cut_tags(bent: Bend, customer: Customer) -> None:
    bent.talk(customer, 17).tags = ["billing", "how-to", "bug", "api", "mobile", "login", " Escalated "]


def _cut_contacts(bent: Bend, customer: Customer) -> None:
    strangers = [bent.contact() for _ in range(8)]
    bent.talk(customer, 18, *strangers, bent.contact(bent.company_of(customer)))


def _cut_contacts_gone(bent: Bend, customer: Customer) -> None:
    """Whoever else took part, nobody can say any more; the customer is among those that search shows."""
    strangers = [bent.contact() for _ in range(8)]
    bent.talk(customer, 10, bent.contact(bent.company_of(customer)), *strangers).gone = True


def _cut_tickets(bent: Bend, customer: Customer) -> None:
    talk = bent.talk(customer, 19)
    talk.linked_tickets, talk.cut_unsaid = ["Customer"] * 5 + ["Tracker"], True


def _cut_companies(bent: Bend, customer: Customer) -> None:
    busy = bent.contact(*(bent.side_company() for _ in range(11)), bent.company_of(customer))
    busy.cut_unsaid = True
    bent.talk(customer, 20, busy)


def _short_id(bent: Bend, customer: Customer) -> None:
    company = bent.company_of(customer)
    company.company_id = customer.account_id[:15]
    company.custom_attributes = {ATTRIBUTE: f" {customer.account_id[:15]} "}
    bent.talk(customer, 21)


def _rating_as_text(bent: Bend, customer: Customer) -> None:
    _rate(bent.talk(customer, 22), 5).written = "5"


def _rating_with_a_point(bent: Bend, customer: Customer) -> None:
    _rate(bent.talk(customer, 23), 4).written = 4.0


def _undated_rating(bent: Bend, customer: Customer) -> None:
    _rate(bent.talk(customer, 24), 2).undated = True


def _rate(talk: Conversation, score: int) -> Rating:
    asked = talk.created_at + 6 * HOUR
    talk.rating = Rating(asked, score, asked + HOUR)
    return talk.rating


def _unknown_priority(bent: Bend, customer: Customer) -> None:
    bent.talk(customer, 25).priority = UNKNOWN_PRIORITY


def _severities(bent: Bend, customer: Customer) -> None:
    for days, value in enumerate((1, "1", 1.0, 2, "3", None), start=26):
        bent.talk(customer, days).custom_attributes = {SEVERITY: value}


def _deleted_company(bent: Bend, customer: Customer) -> None:
    gone = bent.workspace.companies.pop(str(customer.intercom_company))
    for person in bent.workspace.contacts.values():
        person.company_ids = [each for each in person.company_ids if each != gone.id]


def _company_gone(bent: Bend, customer: Customer) -> None:
    """A contact still names a company that was deleted, beside the customer's."""
    person = bent.contact(bent.side_company(), bent.company_of(customer))
    del bent.workspace.companies[person.company_ids[0]]
    bent.talk(customer, 9, person)


def _snoozed(bent: Bend, customer: Customer) -> None:
    bent.talk(customer, 8).state = "snoozed"


def _no_times(bent: Bend, customer: Customer) -> None:
    bent.talk(customer, 33).untimed = True


def _reply_before_question(bent: Bend, customer: Customer) -> None:
    talk = bent.talk(customer, 38)
    talk.first_admin_reply_at = talk.created_at - HOUR


def _iso_times(bent: Bend, customer: Customer) -> None:
    bent.talk(customer, 34).iso_times = True


def _lead(bent: Bend, customer: Customer) -> None:
    """Two conversations with a lead: of the customer, too; of its own made-up company alone."""
    trial = bent.side_company()
    trial.company_id = f"{trial.company_id}-qualification-company"
    of_both = bent.contact(trial, bent.company_of(customer), role="lead")
    bent.talk(customer, 35, of_both).company_id = trial.id
    bent.talk(customer, 36, bent.contact(trial, role="lead")).company_id = trial.id


def _ticket(bent: Bend, customer: Customer) -> None:
    bent.talk(customer, 37).is_ticket = True


TROUBLES: dict[str, Callable[[Bend, Customer], None]] = {
    "contact merged": _merged_contact,
    "contact merged, then deleted": _merged_and_deleted,
    "contact deleted": _deleted_contact,
    "contact archived": _archived_contact,
    "conversation deleted": _deleted_conversation,
    "conversation merged": _merged_conversation,
    "tags cut": _cut_tags,
    "contacts cut": _cut_contacts,
    "contacts cut, conversation deleted": _cut_contacts_gone,
    "tickets cut, has_more false": _cut_tickets,
    "companies cut, has_more false": _cut_companies,
    "id of fifteen characters": _short_id,
    "rating as text": _rating_as_text,
    "rating as 4.0": _rating_with_a_point,
    "rating without a date": _undated_rating,
    "priority that nobody knows": _unknown_priority,
    "numbers and texts in an attribute": _severities,
    "company deleted": _deleted_company,
    "one of two companies deleted": _company_gone,
    "snoozed after it was closed": _snoozed,
    "closed without times": _no_times,
    "ISO times": _iso_times,
    "answered before it was asked": _reply_before_question,
    "leads": _lead,
    "ticket": _ticket,
}
