"""The stand-in for Jira, as Cloud or as Data Center."""

from accountpulse.sandbox.jira.oddities import JiraOddities
from accountpulse.sandbox.jira.rate_limit import cloud_style, data_center_style
from accountpulse.sandbox.jira.service import JiraService
from accountpulse.sandbox.stand_in import Address, Crooked, StandIn, Surroundings, unbent
from accountpulse.sandbox.truth.bugs import bugs_truth
from accountpulse.sandbox.truth.crooked_bugs import crooked_bugs_truth
from accountpulse.sandbox.world.churn_desk import build_churn_bugs
from accountpulse.sandbox.world.crooked_jira import bend_jira, jira_mapping
from accountpulse.sandbox.world.jira import build_jira
from accountpulse.sandbox.world.model import Jira

CLOUD, DATA_CENTER = "cloud", "datacenter"


def _serve(site: Jira, oddities: JiraOddities, surroundings: Surroundings) -> JiraService:
    return JiraService(site, surroundings.edition == CLOUD, surroundings.now, oddities)


def _environment(site: Jira, address: Address) -> dict[str, str]:
    """Cloud knows a caller by e-mail address and token, Data Center by the token alone."""
    names = {"JIRA_BASE_URL": f"{address.url}/jira", "JIRA_API_TOKEN": site.token}
    return names | {"JIRA_EMAIL": site.email} if address.edition == CLOUD else names


STAND_IN = StandIn(
    name="jira",
    title="Jira",
    prefix="/jira",
    build=build_jira,
    behaviour=JiraOddities,
    serve=_serve,
    environment=_environment,
    editions=(CLOUD, DATA_CENTER),
    rate_limits={CLOUD: cloud_style, DATA_CENTER: data_center_style},
    metrics=bugs_truth,
    renamed=Crooked(bend=unbent, mapping=lambda *_of: {"account_field": "Tracker_Name__c"}),
    crooked=Crooked(bend=bend_jira, mapping=jira_mapping, metrics=crooked_bugs_truth),
    churn=build_churn_bugs,
)
