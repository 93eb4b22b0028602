"""The stand-in for Looker."""

from typing import Any

from accountpulse.sandbox.looker.behaviour import LookerBehaviour
from accountpulse.sandbox.looker.service import LookerService
from accountpulse.sandbox.stand_in import Address, Crooked, StandIn, Surroundings
from accountpulse.sandbox.truth.crooked_warehouse import crooked_usage_truth
from accountpulse.sandbox.truth.usage import usage_truth
from accountpulse.sandbox.world.churn_looker import build_churn_usage
from accountpulse.sandbox.world.crooked_warehouse import bend_looker
from accountpulse.sandbox.world.looker import build_looker
from accountpulse.sandbox.world.model import Looker


def _serve(instance: Looker, behaviour: LookerBehaviour, _surroundings: Surroundings) -> LookerService:
    return LookerService(instance, behaviour)


def _environment(instance: Looker, address: Address) -> dict[str, str]:
    return {
        "LOOKER_BASE_URL": address.url,
        "LOOKER_CLIENT_ID": instance.client_id,
        "LOOKER_CLIENT_SECRET": instance.client_secret,
    }


def _mapping(instance: Looker, _edition: str) -> dict[str, Any]:
    """Sessions of any value of the field that the explore filters by."""
    own = instance.always.get("user_sessions")
    return {} if own is None else {"usage": {"filters": {own[0]: ""}}}


STAND_IN = StandIn(
    name="looker",
    title="Looker",
    prefix="/api",
    build=build_looker,
    behaviour=LookerBehaviour,
    serve=_serve,
    environment=_environment,
    metrics=usage_truth,
    crooked=Crooked(bend=bend_looker, mapping=_mapping, metrics=crooked_usage_truth),
    churn=build_churn_usage,
)
