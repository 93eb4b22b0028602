"""Companies that are the plain one under other names, or with other ways to keep the same: what is true stays true.

So a mapping that reads one of them rightly gives every account the plain company's score.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import FieldDef, SObject, World
from accountpulse.sandbox.world.org import record_id
from accountpulse.sandbox.world.renamed_org import Naming, rename
from support import NOW

ACCOUNTS = 30  # fewer don't tell where one tier ends
MONTH_END = NOW.replace(day=1, hour=0)
FIELDS = {
    "Account": ("Type", "ARR__c", "Tier__c", "Segment__c", "Seats__c", "OwnerId", "Customer_Since__c",
                "Renewal_Date__c", "Intercom_Company_Id__c", "Jira_Component__c"),
    "Contact": ("No_Longer_At_Company__c",),
    "Event": ("No_Show__c",),
    "Task": ("No_Show__c",),
    "Churn_Signal__c": ("Account__c", "Severity__c", "Status__c", "Confidence__c", "Signal_Date__c", "Closed_Date__c"),
}  # fmt: skip
VALUES = {
    ("Account", "Type"): ("Customer - Direct", "Customer - Channel", "Prospect"),
    ("Account", "Tier__c"): ("Bronze", "Silver", "Gold", "Platinum"),
    ("Opportunity", "Type"): ("New Customer", "Existing Customer - Upgrade", "Existing Customer - Downgrade", "Renewal",
                              "Expansion"),
    ("OpportunityContactRole", "Role"): ("Executive Sponsor", "Decision Maker", "Economic Buyer", "Business User",
                                         "Influencer"),
    ("Case", "Type"): ("Billing", "Question", "Problem"),
    ("Contract", "Status"): ("Draft", "Activated", "Expired"),
    ("Churn_Signal__c", "Severity__c"): ("Critical", "Moderate", "Watch"),
    ("Churn_Signal__c", "Status__c"): ("Active", "Monitoring", "Resolved"),
    ("Churn_Signal__c", "Confidence__c"): ("Suspected", "Likely", "Confirmed"),
}  # fmt: skip


def plain() -> World:
    """The company as it is."""
    return build(seed=7, accounts=ACCOUNTS, until=NOW)


def _naming(
    signals: str,
    review: str,
    fields: Sequence[str],
    values: Mapping[str, Sequence[str]],
    labels: Mapping[str, str] | None = None,
) -> Naming:
    """Names in the order of FIELDS (one name for a no-show) and VALUES."""
    named = iter(fields)
    by_object = {owner: {name: next(named) for name in names} for owner, names in FIELDS.items() if owner != "Task"}
    listed = {key: dict(zip(VALUES[key], new, strict=True)) for key, new in zip(VALUES, values.values(), strict=True)}
    words = tuple((word, review) for word in ("Quarterly Business Review", "business review", "QBR"))
    return Naming({**by_object, "Task": by_object["Event"]}, listed, words, {"Churn_Signal__c": signals}, labels or {})


GERMAN = _naming(
    "Abwanderungsrisiko__c", "Quartalsgespräch",
    ("Kundenstatus__c", "Jaehrlicher_Vertragswert__c", "Paket__c", "Kundengroesse__c", "Anzahl_Nutzer__c",
     "Kundenbetreuer__c", "Kunde_seit__c", "Vertragsende__c", "Support_Nummer__c", "Projektname__c",
     "Ausgeschieden__c", "Nicht_erschienen__c",
     "Kunde__c", "Schweregrad__c", "Bearbeitungsstand__c", "Gewissheit__c", "Gemeldet_am__c", "Erledigt_am__c"),
    {"customers": ("Bestandskunde", "Partnerkunde", "Interessent"),
     "tiers": ("Basis", "Standard", "Professionell", "Premium"),
     "deals": ("Neukunde", "Zusatzverkauf", "Reduzierung", "Verlängerung", "Erweiterung"),
     "roles": ("Sponsor der Geschäftsführung", "Entscheider", "Wirtschaftlicher Käufer", "Anwender",
               "Beeinflusser"),
     "cases": ("Rechnung", "Frage", "Problem"), "contracts": ("Entwurf", "Aktiviert", "Abgelaufen"),
     "severities": ("Kritisch", "Mittel", "Gering"), "statuses": ("Offen", "Beobachtung", "Erledigt"),
     "confidence": ("Vermutet", "Wahrscheinlich", "Bestätigt")},
    {"Jaehrlicher_Vertragswert__c": "Jährlicher Vertragswert", "Kundengroesse__c": "Kundengröße"},
)  # fmt: skip
OTHER_ENGLISH = _naming(
    "Red_Flag__c", "Value review",
    ("Relationship__c", "ACV__c", "Edition__c", "Company_Size__c", "Contracted_Licences__c", "CSM__c",
     "Go_Live_Date__c", "Subscription_End__c", "Helpdesk_Key__c", "Issue_Key__c", "Departed__c", "Did_Not_Show__c",
     "Customer__c", "Impact__c", "Stage__c", "Certainty__c", "Flagged_On__c", "Cleared_On__c"),
    {"customers": ("Paying client", "Reseller client", "Target"),
     "tiers": ("Starter", "Professional", "Business", "Ultimate"),
     "deals": ("New logo", "Add-on", "Contraction", "Renewal - flat", "Expansion - seats"),
     "roles": ("Executive champion", "Decision-maker", "Budget holder", "End user", "Evaluator"),
     "cases": ("Accounts receivable", "How-to", "Bug"), "contracts": ("Draft", "In force", "Terminated"),
     "severities": ("Sev 1", "Sev 2", "Sev 3"), "statuses": ("New", "Being watched", "Dismissed"),
     "confidence": ("Rumour", "Likely", "Verified")},
)  # fmt: skip


# --- the same, kept elsewhere --------------------------------------------------------------------------------------


def _label(name: str) -> str:
    return name.removesuffix("__c").replace("_", " ")


def _add_field(world: World, owner: str, name: str, kind: str, values: Mapping[str, Any]) -> None:
    """A field more, with the value of each record by its id."""
    found = world.salesforce.objects[owner]
    found.fields[name] = FieldDef(name, kind, _label(name), 255)
    for row in found.rows:
        row[name] = values.get(row["Id"])


def terms_in_an_own_object(world: World) -> None:
    """Subscriptions in place of open renewals, and of contracts where there is none; of an org with its first names."""
    objects = world.salesforce.objects
    fields = {"Id": "id", "IsDeleted": "boolean", "CreatedDate": "datetime", "LastModifiedDate": "datetime",
              "Term_End__c": "date", "State__c": "picklist"}  # fmt: skip
    described = {name: FieldDef(name, kind, _label(name), 255) for name, kind in fields.items()}
    described["State__c"].values = ["Active", "Ended"]
    described["Client__c"] = FieldDef("Client__c", "reference", "Client", 18, "Account", "Client__r")
    deals, contracts = objects["Opportunity"], objects["Contract"]
    renewing = [row for row in deals.rows if row["Type"] == "Renewal"]
    begun = [row for row in renewing if not row["IsClosed"] and row["CreatedDate"] < MONTH_END]
    ends = [(row, row["CloseDate"]) for row in begun]
    told = {row["AccountId"] for row, _end in ends}
    in_force = [row for row in contracts.rows if row["Status"] == "Activated"]
    ends += [(row, row["EndDate"]) for row in in_force if row["AccountId"] not in told]
    rows = []
    for number, (row, end) in enumerate(ends, 1):
        same = {name: row[name] for name in ("IsDeleted", "CreatedDate", "LastModifiedDate")}
        own = {"Id": record_id("a06", number), "Client__c": row["AccountId"], "Term_End__c": end, "State__c": "Active"}
        rows.append({**same, **own})
    objects["Subscription__c"] = SObject("Subscription__c", "Subscription", "a06", described, rows)
    contracts.rows.clear()
    deals.rows[:] = [row for row in deals.rows if row not in renewing]
    deals.fields["Type"].values.remove("Renewal")


# --- other links ---------------------------------------------------------------------------------------------------


def _without_keys(world: World) -> None:
    account = world.salesforce.objects["Account"]
    for name in ("Intercom_Company_Id__c", "Jira_Component__c"):
        del account.fields[name]
        for row in account.rows:
            del row[name]


def _customer_numbers(world: World) -> dict[str, str]:
    rows = world.salesforce.objects["Account"].rows
    numbers = {row["Id"]: f"C-{10_400 + 7 * place}" for place, row in enumerate(rows)}
    _add_field(world, "Account", "Customer_No__c", "string", numbers)
    return numbers


def _relink(world: World, in_intercom: Callable[[str], dict[str, Any]], label: Callable[[str], str]) -> None:
    """Companies know accounts by these values alone, and bugs by this label alone."""
    _without_keys(world)
    accounts = {each.intercom_company: each.account_id for each in world.customers}
    for key, company in world.intercom.companies.items():
        if not company.company_id.endswith("-qualification-company"):
            company.company_id, company.custom_attributes = f"tenant-{key[-5:]}", {}
            for name, value in in_intercom(accounts[key]).items() if key in accounts else ():
                setattr(company, name, value)
    components = {each.jira_component: each.account_id for each in world.customers if each.jira_component}
    for issue in world.jira.issues:
        issue.labels = [label(components[name]) for name in issue.components if name in components]
        issue.components, issue.fields = ["Backend"], {}
    world.jira.components = {project: ["Backend"] for project in world.jira.components}


def linked_by_numbers(world: World) -> None:
    """A custom attribute in Intercom, labels in Jira and explores under other names in Looker hold customer numbers."""
    numbers = _customer_numbers(world)
    _relink(world, lambda account: {"custom_attributes": {"kundennummer": numbers[account]}}, numbers.__getitem__)
    short = {account[:15]: number for account, number in numbers.items()}
    looker = world.looker
    looker.usage = {short.get(key.strip()[:15], key): used for key, used in looker.usage.items()}
    looker.called = {
        "user_sessions": "nutzung", "user_sessions.account_id": "nutzung.kunde",
        "user_sessions.distinct_users": "nutzung.anzahl_nutzer", "user_sessions.session_count": "nutzung.sitzungen",
        "feature_usage": "funktionen", "feature_usage.feature_name": "funktionen.funktion",
        "platform_metrics": "kennzahlen",
    }  # fmt: skip


def linked_by_ids(world: World) -> None:
    """Intercom's company_id is the Salesforce id of 15 characters, and so are Jira's labels."""
    _relink(world, lambda account: {"company_id": account[:15]}, lambda account: account)


WORLDS: dict[str, tuple[Callable[[World], None], ...]] = {
    "in German, linked by customer numbers": (linked_by_numbers, lambda world: rename(world.salesforce, GERMAN)),
    "with an object for terms, linked by ids": (
        linked_by_ids, terms_in_an_own_object, lambda world: rename(world.salesforce, OTHER_ENGLISH),
    ),
}  # fmt: skip


def other(name: str) -> World:
    """One of WORLDS."""
    world = plain()
    for change in WORLDS[name]:
        change(world)
    return world
