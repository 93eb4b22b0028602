"""What real Jira sites have at worst: the plain site of the same seed, on a German site, with a peculiarity an account.

docs/sandbox-worlds.md lists what is done here, and what is true of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from accountpulse.sandbox.world.model import Customer, Jira, JiraIssue, Status, Transition
from accountpulse.sandbox.world.plans import ORDINARY, Blueprint, Calendar

DAY = timedelta(days=1)
STATUS_NAMES = {
    "1": "Offen",
    "3": "In Arbeit",
    "4": "In Prüfung",
    "5": "Erledigt",
    "6": "Geschlossen",
    "7": "Wird nicht erledigt",
    "8": "Erledigt",
    "9": "Behoben",
}
NAMESAKE = Status("15", "Erledigt", "indeterminate")  # of a project whose team named its own statuses
WAITING = Status("16", "Wartet", "undefined")
ACCEPTED = Status("20", "Abgenommen", "done")  # deleted since
PARKED = Status("21", "Geparkt", "done")  # deleted since, and without a resolution nobody can tell what it was
PRIORITY_NAMES = {"Highest": "Höchste", "High": "Hoch", "Medium": "Mittel", "Low": "Niedrig", "Lowest": "Niedrigste"}
DISASTER = "Katastrophe"  # a priority that was deleted since
TYPE_NAMES = {"Bug": "Fehler", "Story": "Story", "Task": "Aufgabe"}
BUG, SECOND_BUG_TYPE = "Fehler", "10103"
CATEGORY_NAMES = {"new": "Zu erledigen", "indeterminate": "In Bearbeitung", "done": "Fertig"}
FIELDS = {  # the fields that name customers, by their kinds
    "organization": "customfield_10002",
    "multi": "customfield_10234",
    "text": "customfield_10500",
    "document": "customfield_10601",
    "option": "customfield_10602",
    "cascading": "customfield_10603",
    "user": "customfield_10604",
    "group": "customfield_10605",
    "object": "customfield_10606",
}
SEVERAL = {"organization", "multi", "object"}  # those that can name more than one
WORDS = {"text", "document"}  # those that know nothing of their values
FIELD_NAMES = dict(zip(FIELDS.values(), (
    "Organisationen", "Kundenkonten", "Kundenkonto", "Kunde (Beschreibung)", "Kunde", "Kundengruppe und Kunde",
    "Ansprechpartner", "Gruppe", "Vertragspartner",
), strict=True))  # fmt: skip
IN_COMPASS, HIDDEN = "API", "VAULT"  # projects: with components in Compass; that the caller may not browse
LINKS: tuple[tuple[str, str | None], ...] = (
    ("component", None),
    ("field", FIELDS["document"]),
    ("organization", None),
)


def bend_jira(site: Jira, blueprint: Blueprint) -> None:
    """Translate the site, give it every kind of field that names customers, and each of a few accounts one trouble."""
    _translate(site)
    bent = Bend(site, blueprint.calendar)
    linked = [plan.customer for plan in blueprint.plans if plan.customer.jira_component is not None]
    ordinary = [
        each for each in linked[3:] if each.scenario == ORDINARY
    ]  # the first three have edge cases of their own
    for customer, (name, trouble) in zip(ordinary, TROUBLES.items(), strict=False):
        customer.crooked.append(f"jira: {name}")
        trouble(bent, customer)
    _name_customers(site, {str(each.jira_component): each.account_id for each in linked})
    bent.add_similar_texts()
    bent.hide_values()
    site.link = LINKS[blueprint.seed % len(LINKS)]


def link_by(site: Jira, kind: str) -> None:
    """Let the company know its customers by another thing: component, label, project, organization, or a kind of field.

    A label is the account's id, since names have blanks.
    """
    if kind == "project":
        _give_each_a_project(site)
    by_name = kind in ("component", "project", "organization", "label")
    site.link = (kind, None) if by_name else ("field", FIELDS[kind])


def jira_mapping(site: Jira, _edition: str) -> dict[str, object]:
    """The `jira:` block of accountpulse.yaml that reads this site."""
    kind, field = site.link
    mapping: dict[str, object] = {"link": kind, "bug_types": site.bug_types, "critical_priorities": site.critical}
    mapping |= {"account_field": "Id"} if kind == "label" else {}
    return mapping if field is None else {**mapping, "field": field}


def _translate(site: Jira) -> None:
    def renamed(status: Status) -> Status:
        return replace(status, name=STATUS_NAMES[status.id])

    site.statuses = {
        **{key: renamed(each) for key, each in site.statuses.items()},
        NAMESAKE.id: NAMESAKE,
        WAITING.id: WAITING,
    }
    site.former = {key: renamed(each) for key, each in site.former.items()}
    site.former |= {each.id: each for each in (ACCEPTED, PARKED)}
    site.priorities = [PRIORITY_NAMES[name] for name in site.priorities]
    site.former_priorities = {DISASTER: "77"}
    site.issue_types = [*(TYPE_NAMES[name] for name in site.issue_types), BUG]
    site.category_names = CATEGORY_NAMES
    site.bug_types, site.critical = [BUG], [PRIORITY_NAMES["Highest"], "Blocker"]
    for issue in site.issues:
        issue.type = TYPE_NAMES[issue.type]
        issue.priority = None if issue.priority is None else PRIORITY_NAMES[issue.priority]


def _name_customers(site: Jira, ids: Mapping[str, str]) -> None:
    """Say in every kind of field whom an issue names by its components; and which values the fields know."""
    ours = {name for names in (*site.components.values(), *site.compass.values()) for name in names}
    ours -= {"Platform", "Website"}
    for issue in site.issues:
        named = [] if issue.project == HIDDEN else [name for name in issue.components if name in ours]
        issue.fields, issue.labels = {}, ["kunde", *(ids[name] for name in named if name in ids)]
        issue.customers = {field: named if kind in SEVERAL else named[:1] for kind, field in FIELDS.items()}
    site.field_kinds = {field: kind for kind, field in FIELDS.items()}
    site.field_names = FIELD_NAMES
    site.text_fields = [FIELDS[kind] for kind in WORDS]
    known = sorted(ours)
    site.strict_fields = {field: known for kind, field in FIELDS.items() if kind not in WORDS}
    site.strict_fields[FIELDS["cascading"]] = [*known, "Kunden"]


def _give_each_a_project(site: Jira) -> None:
    """A project for every customer, called like it; a component's first customer has the issue."""
    names = {name: name for key, listed in _homes(site) if key != HIDDEN for name in listed}
    keys = {name: f"K{number}" for number, name in enumerate(names, start=100)}
    secret = {name: f"G{number}" for number, name in enumerate(site.components[HIDDEN])}
    for issue in site.issues:
        home = next((found for name in issue.components if (found := {**keys, **secret}.get(name))), None)
        if home is not None:
            issue.project, issue.key = home, f"{home}-{issue.id}"
            issue.components = []
    site.project_names = {key: name for name, key in {**keys, **secret}.items()}
    site.components = {**site.components, **{key: [] for key in site.project_names}}
    site.hidden = [*site.hidden, *secret.values()]


def _homes(site: Jira) -> Iterator[tuple[str, list[str]]]:
    yield from site.components.items()
    yield from site.compass.items()


@dataclass
class Bend:
    """The site while it is bent."""

    site: Jira
    calendar: Calendar

    def __post_init__(self) -> None:
        """Ids and keys go on where the plain site ends; the lists become its own."""
        self._ids = count(1 + max((int(issue.id) for issue in self.site.issues), default=10_000))
        self._keys = count(50_001)
        self._similar: list[str] = []
        self._unshown: list[JiraIssue] = []
        plain = {key: list(names) for key, names in self.site.components.items()}
        self.site.components = {**plain, IN_COMPASS: [], HIDDEN: []}
        self.site.compass, self.site.hidden = {IN_COMPASS: []}, [HIDDEN]

    def bug(self, customer: Customer, days: float, *, project: str = "CORE") -> JiraIssue:
        """A new open bug of a customer, made so many days before the last month's end."""
        created = self.calendar.month_end - days * DAY
        made = JiraIssue(
            id=str(next(self._ids)),
            key=f"{project}-{next(self._keys)}",
            project=project,
            type=BUG,
            created=created,
            updated=created,
            status="1",
            priority=PRIORITY_NAMES["Medium"],
            components=[str(customer.jira_component)],
            labels=[],
            statuscategorychangedate=created,
        )
        self.site.issues.append(made)
        return made

    def move(
        self, issue: JiraIssue, at: datetime, status: str, resolution: str | None = None, *, joined: bool = False
    ) -> Transition:
        """Move a bug. `resolution` is set with it, "" clears it; `joined`: in one entry with the move before."""
        known = {**self.site.statuses, **self.site.former}
        if known[issue.status].category != known[status].category:
            issue.statuscategorychangedate = at
        if resolution is not None:
            issue.resolution, issue.resolutiondate = (resolution, at) if resolution else (None, None)
        made = Transition(at, issue.status, status, resolution, joined)
        issue.transitions.append(made)
        issue.status, issue.updated = status, at
        return made

    def before(self, days: float) -> datetime:
        """So many days before the last month's end."""
        return self.calendar.month_end - days * DAY

    @property
    def after(self) -> datetime:
        """After the last month's end, and before the world's."""
        return self.calendar.month_end + (self.calendar.until - self.calendar.month_end) / 2

    def issues_of(self, customer: Customer) -> list[JiraIssue]:
        """The issues of a customer's component."""
        return [issue for issue in self.site.issues if customer.jira_component in issue.components]

    def rename(self, customer: Customer, name: str | None, project: str | None = None) -> None:
        """Call a customer's component otherwise, or take it away; in another project, where one is named."""
        old = customer.jira_component
        moved = name is None or project is not None
        for listed in self.site.components.values():
            listed[:] = [name or each if each == old else each for each in listed if not (moved and each == old)]
        for issue in self.issues_of(customer):
            kept = [each for each in issue.components if each != old or name is not None]
            issue.components = [name or each if each == old else each for each in kept]
            if project is not None:
                issue.project, issue.key = project, f"{project}-{issue.id}"

    def remember_similar(self, customer: Customer) -> None:
        """There will be a bug whose text has this customer's name among other words."""
        self._similar.append(str(customer.jira_component))

    def remember_unshown(self, issue: JiraIssue) -> None:
        """Its project's configuration will hide all fields that name customers."""
        self._unshown.append(issue)

    def add_similar_texts(self) -> None:
        """Bugs of nobody, in whose texts a customer's name stands among other words."""
        for name in self._similar:
            made = self.bug(Customer("", "", "", self.calendar.start.date(), None, "Platform", in_looker=False), 25)
            made.customers = {FIELDS[kind]: [f"{name} (früher)"] for kind in sorted(WORDS)}

    def hide_values(self) -> None:
        """Searched, but never shown."""
        for issue in self._unshown:
            issue.unshown = tuple(FIELDS.values())


# --- the troubles ------------------------------------------------------------------------------------------------


def _deleted_done(bent: Bend, customer: Customer) -> None:
    bug = bent.bug(customer, 150)
    bent.move(bug, bent.before(140), "3")
    bent.move(bug, bent.before(120), ACCEPTED.id, "Done")
    bent.move(bug, bent.after, "6")


def _deleted_unclear(bent: Bend, customer: Customer) -> None:
    bug = bent.bug(customer, 60)
    bent.move(bug, bent.before(40), PARKED.id)
    bent.move(bug, bent.after, "3")


def _left_deleted(bent: Bend, customer: Customer) -> None:
    bug = bent.bug(customer, 80)
    bent.move(bug, bent.before(60), PARKED.id)
    bent.move(bug, bent.before(20), "3")


def _two_in_one(bent: Bend, customer: Customer) -> None:
    bug = bent.bug(customer, 100)
    bent.move(bug, bent.before(50), "5", "Done")
    bent.move(bug, bent.before(20), "1", "")
    bent.move(bug, bent.before(20), "3", joined=True)


def _contradiction(bent: Bend, customer: Customer) -> None:
    """Its history says that it went into work and stayed there; it is done, and was touched after the month."""
    bug = bent.bug(customer, 100)
    bug.priority = PRIORITY_NAMES["Highest"]
    bent.move(bug, bent.before(70), "3")
    bug.status, bug.updated = "5", bent.after


def _gap(bent: Bend, customer: Customer) -> None:
    """Between its moves one is missing: nobody knows when it was done first."""
    bug = bent.bug(customer, 90)
    bug.priority = PRIORITY_NAMES["Highest"]
    bent.move(bug, bent.before(60), "3")
    bent.move(bug, bent.before(40), "5")
    bent.move(bug, bent.after, "6")
    del bug.transitions[1]
    bug.statuscategorychangedate = bent.before(60)


def _deleted_priority(bent: Bend, customer: Customer) -> None:
    bent.bug(customer, 30).priority = DISASTER


def _namesake_status(bent: Bend, customer: Customer) -> None:
    names = bent.site.components["WEB"]
    names[:] = sorted({*names, str(customer.jira_component)})
    bug = bent.bug(customer, 30, project="WEB")
    bent.move(bug, bent.before(20), NAMESAKE.id)
    bent.move(bug, bent.before(10), "3")
    bent.move(bent.bug(customer, 28, project="WEB"), bent.before(21), NAMESAKE.id)


def _same_instant(bent: Bend, customer: Customer) -> None:
    bug = bent.bug(customer, 60)
    bent.move(bug, bent.before(50), "3")
    bent.move(bug, bent.before(25), "5", "Done")
    bent.move(bug, bent.before(25), "3", "")


def _resolved_later(bent: Bend, customer: Customer) -> None:
    bent.move(bent.bug(customer, 18), bent.after, "5", "Done")


def _in_compass(bent: Bend, customer: Customer) -> None:
    bent.bug(customer, 14)
    bent.rename(customer, customer.jira_component, IN_COMPASS)
    bent.site.compass[IN_COMPASS].append(str(customer.jira_component))


def _hidden(bent: Bend, customer: Customer) -> None:
    bent.bug(customer, 13)
    bent.rename(customer, customer.jira_component, HIDDEN)
    bent.site.components[HIDDEN].append(str(customer.jira_component))


def _taken_away(bent: Bend, customer: Customer) -> None:
    bent.rename(customer, None)


def _unshown(bent: Bend, customer: Customer) -> None:
    bent.remember_unshown(bent.bug(customer, 15))


def _other_spelling(bent: Bend, customer: Customer) -> None:
    bent.bug(customer, 16)
    bent.rename(customer, str(customer.jira_component).upper())


def _similar_text(bent: Bend, customer: Customer) -> None:
    bent.remember_similar(customer)


def _second_type(bent: Bend, customer: Customer) -> None:
    bug = bent.bug(customer, 17)
    bug.type_id, bug.priority = SECOND_BUG_TYPE, PRIORITY_NAMES["Highest"]


def _numbers(bent: Bend, customer: Customer) -> None:
    bug = bent.bug(customer, 90)
    bent.move(bug, bent.before(40), "5", "Done").beside = (_estimate(3),)
    bent.move(bug, bent.before(22), "1", "").beside = (_estimate(4),)


def _estimate(before: int) -> dict[str, object]:
    """A number field that grew by one; its history has numbers where others have texts."""
    field = {"field": "Story Points", "fieldId": "customfield_10016", "fieldtype": "custom"}
    return {**field, "from": before, "fromString": f"{before}", "to": before + 1, "toString": f"{before + 1}"}


def _field_called_status(bent: Bend, customer: Customer) -> None:
    """A custom field, whose options have the ids of statuses, goes from a done one's to an open one's."""
    field = {"field": "status", "fieldId": "customfield_10700", "fieldtype": "custom"}
    change = {**field, "from": "5", "fromString": "Erledigt", "to": "1", "toString": "Offen"}
    bent.move(bent.bug(customer, 70), bent.before(35), "3").beside = (change,)


def _no_category(bent: Bend, customer: Customer) -> None:
    bent.move(bent.bug(customer, 20), bent.before(19), WAITING.id)


TROUBLES: dict[str, Callable[[Bend, Customer], None]] = {
    "resolved into a deleted status": _deleted_done,
    "stands in a deleted status": _deleted_unclear,
    "left a deleted status": _left_deleted,
    "two moves in one entry": _two_in_one,
    "history and status contradict": _contradiction,
    "history with a gap": _gap,
    "deleted priority": _deleted_priority,
    "two statuses of one name": _namesake_status,
    "two moves in one instant": _same_instant,
    "resolved after the month": _resolved_later,
    "component in Compass": _in_compass,
    "project without permission": _hidden,
    "value taken away": _taken_away,
    "value not shown": _unshown,
    "other spelling": _other_spelling,
    "name among other words": _similar_text,
    "second type of one name": _second_type,
    "numbers in the history": _numbers,
    "custom field called status": _field_called_status,
    "status without a category": _no_category,
}
