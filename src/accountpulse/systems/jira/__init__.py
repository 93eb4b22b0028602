"""Jira: bugs and their changes of status."""

from accountpulse.systems.jira.names import folded
from accountpulse.systems.jira.settings import VARIABLES, JiraAccess, JiraMapping, access
from accountpulse.systems.system import Feed, System, later

SYSTEM: System[JiraAccess, JiraMapping] = System(
    name="jira",
    title="Jira",
    variables=VARIABLES,
    access=access,
    mapping=JiraMapping,
    domains=("bugs",),
    feeds=(Feed("issues", "bugs"), Feed("issue_moves")),
    key_noun="Jira link",
    comparable=folded,  # names are found in any case, so two accounts must not differ in case alone
    link_field=lambda mapping: mapping.account_field,
    fingerprint=lambda reached: reached.base_url,
    extract=later(f"{__name__}.extract", "extract"),
    look_up=later(f"{__name__}.lookup", "look_up"),
    list_customers=later(f"{__name__}.customers", "list_customers"),
    link_to=later(f"{__name__}.address", "link_to"),
    probe=later(f"{__name__}.lookup", "probe"),
    discover=later(f"{__name__}.discover", "discover"),
)
