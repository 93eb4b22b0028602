"""Intercom: support conversations."""

from accountpulse.systems.intercom.settings import VARIABLES, IntercomAccess, IntercomMapping, access, comparable_key
from accountpulse.systems.system import Feed, System, later

SYSTEM: System[IntercomAccess, IntercomMapping] = System(
    name="intercom",
    title="Intercom",
    variables=VARIABLES,
    access=access,
    mapping=IntercomMapping,
    domains=("support",),
    feeds=(Feed("conversations", "conversations"),),
    key_noun="Intercom company",
    comparable=comparable_key,
    link_field=lambda mapping: mapping.account_field,
    fingerprint=lambda reached: reached.base_url,
    rules=lambda mapping, _blocks: {"csat": mapping.csat},
    extract=later(f"{__name__}.extract", "extract"),
    find=later(f"{__name__}.lookup", "find"),
    look_up=later(f"{__name__}.lookup", "look_up"),
    list_customers=later(f"{__name__}.customers", "list_customers"),
    link_to=later(f"{__name__}.address", "link_to"),
    probe=later(f"{__name__}.lookup", "probe"),
    discover=later(f"{__name__}.discover", "discover"),
)
