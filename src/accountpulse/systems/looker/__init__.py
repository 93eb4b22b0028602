"""Looker: usage, features, platform value and a company's own figures."""

from accountpulse.core.catalogue import PILLAR
from accountpulse.systems.looker.settings import VARIABLES, Figure, LookerAccess, LookerMapping, access, link_to
from accountpulse.systems.system import Feed, OwnMetricForm, System, later

_USAGE = ("dau", "mau", "dau_trend_pct", "mau_trend_pct", "login_frequency")
MAPPED_BY = {
    **dict.fromkeys(_USAGE, "looker.usage"),
    "feature_breadth": "looker.features.catalogue",
    PILLAR: "looker.platform.pillars",
}


def _rules(mapping: LookerMapping) -> dict[str, tuple[str, ...]]:
    return {
        "features": mapping.features.catalogue if mapping.features else (),
        "pillars": tuple(mapping.platform.pillars),
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
    mapped_by=MAPPED_BY,
    own_metric=OwnMetricForm(Figure, ("look", "explore", "measure"), lambda mapping: mapping.metrics),
    extract=later(f"{__name__}.extract", "extract"),
    look_up=later(f"{__name__}.lookup", "look_up"),
    list_customers=later(f"{__name__}.customers", "list_customers"),
    link_to=link_to,
    probe=later(f"{__name__}.lookup", "probe"),
    discover=later(f"{__name__}.discover", "discover"),
)
