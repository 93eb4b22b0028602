"""Helpdesk tickets → support conversations."""

from datetime import datetime, timedelta

import msgspec
from accountpulse.systems.helpdesk.settings import HelpdeskRequest

from accountpulse.core.records import CONVERSATIONS, Extract, frame
from accountpulse.core.spooled import spooled
from accountpulse.http import client
from accountpulse.http.client import Client, Endpoint, together

MILLISECOND = timedelta(milliseconds=1)
REMEDIES = {401: "Check HELPDESK_TOKEN."}


class Ticket(msgspec.Struct):
    """One ticket."""

    id: int
    account: str
    urgent: bool
    created_at: datetime
    answered_at: datetime
    closed_at: datetime


IDS = msgspec.json.Decoder(list[int])
TICKET = msgspec.json.Decoder(Ticket)


def extract(request: HelpdeskRequest) -> Extract:
    """Every ticket of the window; whether one was escalated, the helpdesk doesn't say."""
    return client.run(_extract(request))


async def _extract(request: HelpdeskRequest) -> Extract:
    headers = {"Authorization": f"Bearer {request.access.token.reveal()}"}
    endpoint = Endpoint("helpdesk", request.access.base_url, headers, REMEDIES)
    async with Client(endpoint, request.budget, ca_bundle=request.connection.ca_bundle) as web:
        ids = await web.get("/tickets", IDS)
        tickets = await together(web.get(f"/tickets/{each}", TICKET) for each in ids)
    rows = [_row(ticket) for ticket in tickets if ticket.created_at < request.scope.as_of]
    request.progress(len(rows), len(rows))
    unknown = set(request.keys) - {ticket.account for ticket in tickets}
    return Extract(
        "helpdesk",
        {},
        gaps={"escalation_pct": "not_configured"},
        unknown_keys=dict.fromkeys(sorted(unknown), "not_linked"),
        spools={"conversations": spooled(frame("conversations", rows).select(*CONVERSATIONS))},
    )


def _row(ticket: Ticket) -> dict[str, object]:
    return {
        "conversation_id": str(ticket.id),
        "keys": [ticket.account],
        "created_at": ticket.created_at,
        "customer_involved": True,
        "p1_p2": ticket.urgent,
        "first_response_ms": (ticket.answered_at - ticket.created_at) // MILLISECOND,
        "last_closed_at": ticket.closed_at,
        "resolution_ms": (ticket.closed_at - ticket.created_at) // MILLISECOND,
    }
