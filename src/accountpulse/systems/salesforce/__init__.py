"""Salesforce: who the customers are, contract, relationship, churn signals; and where scores are written."""

from collections.abc import Mapping
from typing import Any

from accountpulse.core.catalogue import METRICS
from accountpulse.systems.salesforce.figure_settings import AccountFigure
from accountpulse.systems.salesforce.settings import (
    VARIABLES,
    ArrOwn,
    SalesforceAccess,
    SalesforceMapping,
    access,
)
from accountpulse.systems.salesforce.signal_settings import Signals, UnlessSignals
from accountpulse.systems.system import Feed, OwnMetricForm, System, later

MAPPED_BY = {
    "days_to_renewal": "salesforce.renewal",
    "payment_health": "salesforce.payment",
    "contract_changes": "salesforce.downgrades",
    "arr_trajectory_pct": "salesforce.arr_history",
    "tier_alignment": "salesforce.accounts.tier",
    "qbr_attendance": "salesforce.reviews",
    "champion_stability": "salesforce.champions",
    "expansion_signals": "salesforce.expansion",
    **{name: "signals" for name, metric in METRICS.items() if metric.domain == "signals"},
}


def _rules(mapping: SalesforceMapping, blocks: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tiers": mapping.tiers.order,
        "tier_floors": mapping.tiers.arr_floor,
        "reviews_expected": mapping.reviews.expected_per_year if mapping.reviews else {},
        "signals_waived": blocks["signals"] is None,
        "renewal_overdue_days": mapping.renewal.overdue_days,
        **_outcome_rules(mapping),
        "own_arr_history": any(isinstance(strategy, ArrOwn) for strategy in mapping.arr_history or ()),
    }


def _outcome_rules(mapping: SalesforceMapping) -> dict[str, Any]:
    asked = mapping.outcomes
    return {} if asked is None else {"grace_days": asked.grace_days, "contraction_pct": asked.contraction_pct}


SYSTEM: System[SalesforceAccess, SalesforceMapping] = System(
    name="salesforce",
    title="Salesforce",
    variables=VARIABLES,
    access=access,
    mapping=SalesforceMapping,
    blocks={"signals": (UnlessSignals, Signals())},
    domains=("contract", "signals"),
    feeds=(
        Feed("accounts", "accounts"),
        Feed("parents"),
        Feed("links"),
        Feed("renewals"),
        Feed("payment_problems"),
        Feed("downgrades"),
        Feed("arr_changes"),
        Feed("reviews"),
        Feed("champions"),
        Feed("expansions"),
        Feed("signals", "signals"),
        Feed("pulses"),
        Feed("owner_changes"),
        Feed("dated_figures"),
        Feed("merges"),
        Feed("outcomes"),
    ),
    key_noun="Salesforce account",
    fingerprint=lambda reached: reached.login_url,
    rules=_rules,
    mapped_by=MAPPED_BY,
    own_metric=OwnMetricForm(AccountFigure, ("field",)),
    extract=later(f"{__name__}.extract", "extract"),
    outcomes=later(f"{__name__}.extract", "extract_outcomes"),
    discover=later(f"{__name__}.discover", "discover"),
    list_customers=later(f"{__name__}.customers", "list_customers"),
    link_to=later(f"{__name__}.address", "link_to"),
    announce=later(f"{__name__}.sign_in", "announcement"),
    destination=later(f"{__name__}.destination", "SalesforceDestination"),
    tasks=later(f"{__name__}.tasks", "SalesforceTasks"),
)
