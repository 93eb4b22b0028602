"""The stand-in for Salesforce."""

from accountpulse.sandbox.salesforce.behaviour import SalesforceBehaviour
from accountpulse.sandbox.salesforce.crooked import mapping_of_org
from accountpulse.sandbox.salesforce.renamed import renamed_mapping, renamed_signals
from accountpulse.sandbox.salesforce.service import SalesforceService
from accountpulse.sandbox.stand_in import Address, Crooked, StandIn, Surroundings
from accountpulse.sandbox.truth.contract import contract_truth
from accountpulse.sandbox.truth.crooked_org import crooked_org_truth
from accountpulse.sandbox.world.churn_salesforce import build_churn_org
from accountpulse.sandbox.world.crooked_org import bend_org
from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.renamed_org import rename_org
from accountpulse.sandbox.world.salesforce import build_salesforce


def _serve(org: Salesforce, behaviour: SalesforceBehaviour, surroundings: Surroundings) -> SalesforceService:
    return SalesforceService(org, behaviour, surroundings.now)


def _environment(org: Salesforce, address: Address) -> dict[str, str]:
    return {
        "SALESFORCE_LOGIN_URL": address.https_url,
        "SALESFORCE_CLIENT_ID": org.client_id,
        "SALESFORCE_CLIENT_SECRET": org.client_secret,
    }


STAND_IN = StandIn(
    name="salesforce",
    title="Salesforce",
    prefix="/services",
    build=build_salesforce,
    behaviour=SalesforceBehaviour,
    serve=_serve,
    environment=_environment,
    metrics=contract_truth,
    crooked=Crooked(bend=bend_org, mapping=mapping_of_org, metrics=crooked_org_truth),
    renamed=Crooked(bend=rename_org, mapping=renamed_mapping, beside={"signals": renamed_signals()}),
    churn=build_churn_org,
)
