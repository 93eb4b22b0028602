"""Support metrics out of Intercom's raw answers, with the sandbox's mapping: company ids, priority levels, tags."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from mutations.proxy import Exchanged

URGENT = ("urgent", "high")
ESCALATED = ("escalated", "escalation")
TICKETS_OF_OTHERS = ("Back-office", "Tracker")
PEOPLE = ("user", "lead", "contact")
OF_A_LEAD = "-qualification-company"
Measures = dict[str, float | None]


def measured(
    answers: Sequence[Exchanged], keys: Mapping[str, Sequence[str]], start: datetime, end: datetime
) -> dict[str, Measures]:
    """Account → the seven support metrics."""
    talks, companies_of = _talks(answers), _companies_of(answers)
    owned: dict[str, list[Any]] = {}
    for talk in talks.values():
        for company in _companies(talk, companies_of):
            owned.setdefault(company, []).append(talk)
    found = {}
    for account, its in keys.items():
        mine = {talk["id"]: talk for key in its for talk in owned.get(key, [])}
        found[account] = _metrics(list(mine.values()), start.timestamp(), end.timestamp())
    return found


def _metrics(talks: Sequence[Any], start: float, end: float) -> Measures:
    def inside(at: float | None) -> bool:
        return at is not None and start <= at < end

    counted = [talk for talk in talks if talk.get("ticket") is None and talk["created_at"] < end]
    created = [talk for talk in counted if inside(talk["created_at"]) and _has_customer(talk)]
    waits = [each for each in map(_first_response, created) if each is not None]
    closes = [
        _of(talk, "last_close_at") - _of(talk, "first_contact_reply_at")
        for talk in counted
        if talk.get("state") == "closed" and inside(_of(talk, "last_close_at")) and _has_customer(talk)
        if _of(talk, "first_contact_reply_at") is not None
    ]
    asked = [rating for rating in map(_rating, counted) if rating is not None and inside(rating["created_at"])]
    scores = [float(rating["rating"]) for rating in asked if rating.get("rating") is not None]
    return {
        "total_conversations": len(created),
        "p1_p2_pct": _percent(sum(talk.get("priority") in URGENT for talk in created), len(created)),
        "escalation_pct": _percent(sum(map(_is_escalated, created)), len(created)),
        "median_first_response_seconds": median(waits) if waits else None,
        "median_resolution_seconds": median(closes) if closes else None,
        "csat_score": _percent(sum(score >= 4 for score in scores), len(scores)),
        "csat_response_rate": _percent(len(scores), len(asked)),
    }


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _of(talk: Any, name: str) -> Any:
    return (talk.get("statistics") or {}).get(name)


def _has_customer(talk: Any) -> bool:
    author = ((talk.get("source") or {}).get("author") or {}).get("type")
    replied = _of(talk, "first_contact_reply_at") is not None or talk.get("first_contact_reply") is not None
    return author in PEOPLE or replied


def _first_response(talk: Any) -> float | None:
    asked, answered = _of(talk, "first_contact_reply_at"), _of(talk, "first_admin_reply_at")
    return None if asked is None or answered is None else answered - asked


def _is_escalated(talk: Any) -> bool:
    tags = [tag["name"].strip().casefold() for tag in talk["tags"]["tags"]]
    linked = [each.get("category") for each in talk["linked_objects"]["data"]]
    return any(tag in ESCALATED for tag in tags) or any(category in TICKETS_OF_OTHERS for category in linked)


def _rating(talk: Any) -> Any:
    rating = talk.get("conversation_rating")
    if rating is None or rating.get("created_at") is None or (rating.get("teammate") or {}).get("type") == "bot":
        return None
    return rating


# --- what the answers hold


def _bodies(answers: Sequence[Exchanged], end: str) -> Iterator[Any]:
    for each in answers:
        if each.endpoint.endswith(end) and each.answer.status == 200:
            yield json.loads(each.answer.body)


def _talks(answers: Sequence[Exchanged]) -> dict[str, Any]:
    """Conversations by id; what was read alone has the longer lists."""
    found: dict[str, Any] = {}
    for page in _bodies(answers, "/conversations/search"):
        found.update((talk["id"], talk) for talk in page["conversations"])
    for talk in _bodies(answers, "/conversations/*"):
        found[talk["id"]] = talk
    return found


def _companies_of(answers: Sequence[Exchanged]) -> dict[str, set[str]]:
    """The companies of each contact, those of leads left out."""
    leads, found = set(), dict[str, set[str]]()
    for each in answers:
        if each.answer.status == 200 and each.endpoint.endswith("/contacts/*/companies"):
            page, contact = json.loads(each.answer.body), each.path.split("/")[-2]
            found.setdefault(contact, set()).update(company["id"] for company in page["companies"])
    for page in _bodies(answers, "/contacts/search"):
        for contact in page["data"]:
            found.setdefault(contact["id"], set()).update(ref["id"] for ref in contact["companies"]["data"])
    for page in _bodies(answers, "/companies/list"):
        leads.update(company["id"] for company in page["data"] if _is_leads(company))
    return {contact: companies - leads for contact, companies in found.items()}


def _is_leads(company: Any) -> bool:
    return str(company.get("company_id") or "").endswith(OF_A_LEAD)


def _companies(talk: Any, companies_of: Mapping[str, set[str]]) -> set[str]:
    company = talk.get("company")
    if company is not None and not _is_leads(company):
        return {company["id"]}
    people = [person["id"] for person in talk["contacts"]["contacts"]]
    return {company for person in people for company in companies_of.get(person, ())}
