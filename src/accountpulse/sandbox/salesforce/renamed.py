"""How the renamed world's org is mapped, by hand."""

from typing import Any

from accountpulse.sandbox.world.model import Salesforce
from accountpulse.sandbox.world.renamed_org import SIGNALS

Block = dict[str, Any]


def renamed_mapping(_org: Salesforce, _edition: str) -> Block:
    """The block `salesforce:`."""
    renewals: Block = {"field": "Type", "values": ["Contract renewal"]}
    return {
        "accounts": {
            "where": "Lifecycle_Stage__c IN ('Live client', 'Client in rollout')",
            "arr": "Annual_Contract_Value__c",
            "tier": "Service_Plan__c",
            "segment": "Market_Segment__c",
            "seats": "Licensed_Users__c",
            "owner": "Success_Manager__c",
            "customer_since": "Client_Since__c",
        },
        "renewal": [
            {"from": "opportunity", "date": "CloseDate", "only": renewals},
            {"from": "contract", "date": "EndDate", "only": {"field": "Status", "values": ["Activated"]}},
            {"from": "account", "date": "Next_Renewal__c"},
        ],
        "payment": {"from": "case", "only": {"field": "Type", "values": ["Invoice or payment"]}},
        "downgrades": {"from": "records", "only": {"field": "Type", "values": ["Downsell"]}, "where": "IsWon = true"},
        "tiers": {
            "order": ["Basic", "Team", "Growth", "Enterprise"],
            "arr_floor": {"Team": 25_000, "Growth": 100_000, "Enterprise": 250_000},
        },
        "reviews": {
            "subject_like": ["EBR%", "% EBR%", "%Executive Review%"],
            "no_show": "Did_Not_Attend__c",
            "expected_per_year": {"Basic": 0, "Team": 1, "Growth": 2, "Enterprise": 4},
        },
        "champions": {
            "from": "role",
            "roles": ["Project sponsor", "Decision Maker", "Economic decision maker"],
            "contact_left": "Employment_Status__c",
            "left_values": ["Left the company"],
        },
        "expansion": {"only": {"field": "Type", "values": ["Upsell", "Cross-sell"]}},
        "outcomes": [
            {"from": "renewal_opportunities", "only": renewals},
            {"from": "contracts", "ended": ["Expired"]},
            {"from": "arr"},
        ],
    }


def renamed_signals() -> Block:
    """The block `signals:`."""
    return {
        "object": SIGNALS,
        "account": "Client__c",
        "severity": "Risk_Level__c",
        "status": "Alert_Status__c",
        "confidence": "Certainty__c",
        "opened": "Raised_On__c",
        "closed": "Resolved_On__c",
        "monitoring": ["Watching"],
        "resolved": ["Closed"],
        "confirmed": ["Verified"],
        "levels": {"critical": ["Red"], "moderate": ["Amber"], "watch": ["Yellow"]},
    }
