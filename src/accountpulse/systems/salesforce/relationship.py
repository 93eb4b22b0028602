"""Business reviews, champions, expansions and churn signals: what to ask, and what the rows mean.

Each function gives the rows of one table of records, or raises MissingInOrg.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from accountpulse.systems.salesforce.client import format_soql
from accountpulse.systems.salesforce.queries import UNREADABLE, MissingInOrg, OrgReading, Rows, at, in_list, text
from accountpulse.systems.salesforce.settings import ChampionContacts, ChampionRoles, Expansion, Reviews, Signals

YEAR = 365
BOUNCED = "EmailBouncedDate"
LEVELS = ("critical", "moderate", "watch")


def reviews(reading: OrgReading, part: Reviews) -> Rows:
    """Business reviews held in the trailing 365 days."""
    window = reading.scope.trailing(YEAR)
    wanted = " OR ".join(f"Subject LIKE {text(pattern)}" for pattern in part.subject_like)
    unwanted = [f"NOT Subject LIKE {text(pattern)}" for pattern in part.not_subject_like]
    days = (format_soql("{}", reading.day(moment)) for moment in (window.start, window.end))
    bounds = "ActivityDate >= {} AND ActivityDate < {}".format(*days)
    for name in part.objects:
        reading.need(name, "AccountId", "Subject", "ActivityDate")
        held = "IsChild = false" if name == "Event" else "IsClosed = true"
        came = f"{part.no_show} = false" if reading.has(name, part.no_show) else None
        for row in reading.rows(name, ("AccountId", "ActivityDate"), wanted, *unwanted, bounds, held, came):
            if row["AccountId"] is not None:
                yield {"account_id": row["AccountId"], "held_on": reading.day_of(row["ActivityDate"], row["AccountId"])}


def champions(reading: OrgReading, part: ChampionRoles | ChampionContacts) -> Rows:
    """Recorded champions, each contact once an account, and whether they are still there.

    MissingInOrg where nothing of a contact says that somebody has left: a champion who can't leave proves nothing.
    """
    signs = [each for each in (part.contact_left, BOUNCED) if each is not None and reading.has("Contact", each)]
    if not signs:
        raise MissingInOrg
    return _by_role(reading, part, signs) if isinstance(part, ChampionRoles) else _by_contact(reading, part, signs)


def _by_role(reading: OrgReading, part: ChampionRoles, signs: Sequence[str]) -> Rows:
    """Contacts in a champion's role on opportunities won before as_of. One who moved to another account is gone."""
    name = "OpportunityContactRole"
    there = tuple(f"Contact.{sign}" for sign in signs)
    needed = ("ContactId", "Role", "Opportunity.AccountId", "Opportunity.IsWon", "Opportunity.CloseDate")
    reading.need(name, *needed, "Contact.AccountId")
    roles = reading.known(name, "Role", part.roles, "roles")
    if not roles:
        raise MissingInOrg
    won = f"Opportunity.IsWon = true AND Opportunity.CloseDate < {format_soql('{}', reading.scope.as_of_day)}"
    fields = ("ContactId", "Opportunity.AccountId", "Contact.AccountId", *there)
    seen: set[tuple[str, str]] = set()
    for row in reading.rows(name, fields, f"Role IN {in_list(roles)}", won):
        account, contact = at(row, "Opportunity.AccountId"), row["ContactId"]
        if account is None or (account, contact) in seen:
            continue
        seen.add((account, contact))
        stayed = not any(at(row, sign) for sign in there) and at(row, "Contact.AccountId") == account
        yield {"account_id": account, "contact_id": contact, "still_there": stayed}


def _by_contact(reading: OrgReading, part: ChampionContacts, signs: Sequence[str]) -> Rows:
    reading.need("Contact", "Id", "AccountId")
    chosen = (reading.only("Contact", part.only), part.where)
    for row in reading.rows("Contact", ("Id", "AccountId", *signs), *chosen):
        stayed = not any(at(row, sign) for sign in signs)
        yield {"account_id": row["AccountId"], "contact_id": row["Id"], "still_there": stayed}


def expansions(reading: OrgReading, part: Expansion) -> Rows:
    """Expansion opportunities that are open and were there at as_of."""
    reading.need("Opportunity", "AccountId", "Probability")
    created = f"CreatedDate < {reading.bound('Opportunity', 'CreatedDate', reading.scope.as_of)}"
    likely = f"IsClosed = false AND Probability >= {part.min_probability:g}"
    chosen = (reading.only("Opportunity", part.only), part.where)
    for row in reading.rows("Opportunity", ("Id", "AccountId"), *chosen, likely, created):
        yield {"account_id": row["AccountId"], "opportunity_id": row["Id"]}


# --- signals ---------------------------------------------------------------------------------------------------


def signals(reading: OrgReading, part: Signals) -> Rows:
    """Churn signals that were open at as_of: begun before, and not closed by then."""
    name = part.object
    reading.need(name, part.account, part.severity, part.status, part.opened)
    confidence = part.confidence if reading.has(name, part.confidence) else None
    _say_what_cannot_be(reading, part, confidence)
    as_of = reading.scope.as_of
    closed = part.closed if reading.has(name, part.closed) else None
    begun = f"{part.opened} < {reading.bound(name, part.opened, as_of)}"
    still = f"{closed} = null OR {closed} >= {reading.bound(name, closed, as_of)}" if closed else None
    fields = (part.account, part.severity, part.status, part.opened, confidence, closed)
    strange = 0
    for row in reading.rows(name, fields, begun, still):
        ended = reading.moment(at(row, closed), at(row, part.account)) if closed else None
        if ended is None and _is(at(row, part.status), part.resolved):
            continue
        level = _level(at(row, part.severity), part)
        strange += level is None
        yield {
            "account_id": at(row, part.account),
            "severity": level or "watch",
            "monitoring": _is(at(row, part.status), part.monitoring),
            "confirmed": confidence is not None and _is(at(row, confidence), part.confirmed),
            "opened_at": reading.moment(at(row, part.opened), at(row, part.account)),
            "closed_at": ended,
        }
    if strange:
        reading.note(f"{strange:,} signals have a severity that levels: doesn't know; they count as watch")


def _say_what_cannot_be(reading: OrgReading, part: Signals, confidence: str | None) -> None:
    """A severity or confidence that the org has no value for can't be counted, and 0 would say that all is well."""
    name = part.object
    reading.known(name, part.status, part.monitoring, "monitoring")
    reading.known(name, part.status, part.resolved, "resolved")
    seen = [
        bool(reading.known(name, part.severity, getattr(part.levels, level), f"levels.{level}")) for level in LEVELS
    ]
    critical, moderate, _ = seen
    unknown = {"critical_signals": not critical, "moderate_signals": not (critical or moderate)}
    confirmed = confidence and reading.known(name, confidence, part.confirmed, "confirmed")
    unknown["critical_confirmed_signals"] = not (critical and confirmed)
    for metric, missing in unknown.items():
        if missing:
            reading.gaps[metric] = "field_missing"
            reading.note(f"{metric} stays empty, since what it counts {UNREADABLE}")


def _level(severity: Any, part: Signals) -> str | None:
    return next((level for level in LEVELS if _is(severity, getattr(part.levels, level))), None)


def _is(value: Any, wanted: Iterable[str]) -> bool:
    return str(value).strip().casefold() in {each.casefold() for each in wanted}
