"""A made-up helpdesk of three calls, as a system of the sandbox would be added: its world, its service, its truth."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accountpulse.sandbox.stand_in import Address, StandIn, Surroundings
from accountpulse.sandbox.truth.support import SupportConversation
from accountpulse.sandbox.world.model import Customer
from accountpulse.sandbox.world.plans import Blueprint


@dataclass(slots=True)
class Ticket:
    id: int
    account_id: str
    urgent: bool
    created_at: datetime
    answered_at: datetime
    closed_at: datetime


@dataclass(slots=True)
class Helpdesk:
    token: str
    tickets: list[Ticket]


@dataclass
class Behaviour:
    closed_for_lunch: bool = False


def build(blueprint: Blueprint) -> Helpdesk:
    """Three tickets of every second customer, all in the window."""
    hour, tickets = timedelta(hours=1), []
    for number, plan in enumerate([plan for plan in blueprint.plans[::2] for _ in range(3)], 1):
        at = blueprint.calendar.month_end - (10 + number) * hour
        tickets.append(
            Ticket(number, plan.customer.account_id, number % 3 == 0, at, at + number % 3 * hour, at + 8 * hour)
        )
    return Helpdesk("helpdesk-token", tickets)


class Service:
    def __init__(self, helpdesk: Helpdesk, behaviour: Behaviour, _surroundings: Surroundings) -> None:
        self.helpdesk = helpdesk
        self.behaviour = behaviour

    def routes(self) -> list[Route]:
        return [
            Route("/helpdesk/me", self.me),
            Route("/helpdesk/tickets", self.tickets),
            Route("/helpdesk/tickets/{id:int}", self.ticket),
        ]

    async def me(self, request: Request) -> Response:
        good = request.headers.get("authorization") == f"Bearer {self.helpdesk.token}"
        return Response(status_code=200 if good else 401)

    async def tickets(self, _request: Request) -> Response:
        if self.behaviour.closed_for_lunch:
            return Response(status_code=503)
        return JSONResponse([each.id for each in self.helpdesk.tickets])

    async def ticket(self, request: Request) -> Response:
        found = [each for each in self.helpdesk.tickets if each.id == request.path_params["id"]]
        return JSONResponse(_shown(found[0])) if found else Response(status_code=404)


def _shown(ticket: Ticket) -> dict[str, object]:
    return {
        "id": ticket.id,
        "account": ticket.account_id,
        "urgent": ticket.urgent,
        "created_at": ticket.created_at.isoformat(),
        "answered_at": ticket.answered_at.isoformat(),
        "closed_at": ticket.closed_at.isoformat(),
    }


def environment(helpdesk: Helpdesk, address: Address) -> dict[str, str]:
    return {"HELPDESK_TOKEN": helpdesk.token, "HELPDESK_URL": f"{address.url}/helpdesk"}


def conversations(helpdesk: Helpdesk) -> Callable[[Customer], list[SupportConversation] | None]:
    """Whether one was escalated, a helpdesk doesn't say; nor does it ask for ratings."""

    def of(customer: Customer) -> list[SupportConversation] | None:
        found = [
            SupportConversation(
                id=str(each.id),
                created_at=each.created_at,
                customer_involved=True,
                urgent=each.urgent,
                first_response_seconds=(each.answered_at - each.created_at).total_seconds(),
                closed_at=each.closed_at,
                resolution_seconds=(each.closed_at - each.created_at).total_seconds(),
            )
            for each in helpdesk.tickets
            if each.account_id == customer.account_id
        ]
        return found or None

    return of


STAND_IN = StandIn(
    name="helpdesk",
    title="Helpdesk",
    prefix="/helpdesk",
    build=build,
    behaviour=Behaviour,
    serve=Service,
    environment=environment,
    conversations=conversations,
)
