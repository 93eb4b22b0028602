"""A made-up helpdesk of three calls: support tickets."""

from accountpulse.systems.helpdesk.settings import VARIABLES, HelpdeskAccess, HelpdeskMapping, access

from accountpulse.systems.system import Feed, System, later

SYSTEM: System[HelpdeskAccess, HelpdeskMapping] = System(
    name="helpdesk",
    title="Helpdesk",
    variables=VARIABLES,
    access=access,
    mapping=HelpdeskMapping,
    domains=("support",),
    feeds=(Feed("conversations", "tickets"),),
    key_noun="Helpdesk customer",
    link_field=lambda mapping: mapping.account_field,
    fingerprint=lambda reached: reached.base_url,
    extract=later(f"{__name__}.extract", "extract"),
)
