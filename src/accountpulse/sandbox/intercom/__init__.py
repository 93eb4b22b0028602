"""The stand-in for Intercom."""

from accountpulse.sandbox.intercom.oddities import IntercomOddities
from accountpulse.sandbox.intercom.rate_limit import intercom_style
from accountpulse.sandbox.intercom.service import IntercomService
from accountpulse.sandbox.stand_in import STANDARD, Address, Crooked, StandIn, Surroundings, unbent
from accountpulse.sandbox.truth.crooked_intercom import crooked_conversations
from accountpulse.sandbox.truth.intercom import intercom_conversations
from accountpulse.sandbox.world.churn_desk import build_churn_support
from accountpulse.sandbox.world.crooked_intercom import bend_intercom, intercom_mapping
from accountpulse.sandbox.world.intercom import build_intercom
from accountpulse.sandbox.world.model import Intercom

USUAL_VERSION = "2.16"  # need not be named


def _serve(workspace: Intercom, oddities: IntercomOddities, _surroundings: Surroundings) -> IntercomService:
    return IntercomService(workspace, oddities)


def _environment(workspace: Intercom, address: Address) -> dict[str, str]:
    names = {"INTERCOM_API_TOKEN": workspace.token, "INTERCOM_BASE_URL": f"{address.url}/intercom"}
    return names if workspace.version == USUAL_VERSION else {**names, "INTERCOM_VERSION": workspace.version}


STAND_IN = StandIn(
    name="intercom",
    title="Intercom",
    prefix="/intercom",
    build=build_intercom,
    behaviour=IntercomOddities,
    serve=_serve,
    environment=_environment,
    rate_limits={STANDARD: intercom_style},
    conversations=intercom_conversations,
    renamed=Crooked(bend=unbent, mapping=lambda *_of: {"account_field": "Support_Id__c"}),
    crooked=Crooked(bend=bend_intercom, mapping=intercom_mapping, conversations=crooked_conversations),
    churn=build_churn_support,
)
