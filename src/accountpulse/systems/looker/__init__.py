"""Looker: usage, features, platform value and a company's own figures."""

from accountpulse.systems.looker.settings import VARIABLES, LookerAccess, LookerMapping, access
from accountpulse.systems.system import Feed, System, later


def _rules(mapping: LookerMapping) -> dict[str, tuple[str, ...]]:
    return {
        "features": mapping.features.catalogue if mapping.features else (),
        "pillars": tuple(mapping.platform.pillars),
        "fed": tuple(mapping.metrics),
    }


SYSTEM: System[LookerAccess, LookerMapping] = System(
    name="looker",
    title="Looker",
    variables=VARIABLES,
    access=access,
    mapping=LookerMapping,
    domains=("usage",),
    feeds=(Feed("usage_days", "usage days"), Feed("usage_months"), Feed("features", "features"), Feed("figures")),
    key_noun="Looker customer",
    link_field=lambda mapping: mapping.account_field,
    fingerprint=lambda reached: reached.base_url,
    rules=lambda mapping, _blocks: _rules(mapping),
    own_metrics="looker.metrics",
    extract=later(f"{__name__}.extract", "extract"),
    list_customers=later(f"{__name__}.customers", "list_customers"),
    probe=later(f"{__name__}.lookup", "probe"),
)
