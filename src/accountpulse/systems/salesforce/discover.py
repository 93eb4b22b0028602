"""What an org has, for a starter accountpulse.yaml: describes, counts and a sample of its customers. Reads only.

Each part of the mapping is proposed by names (meanings.py), kinds of field and how full they are. What no answer tells
stays unknown and is said.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from accountpulse.core.errors import AccessError
from accountpulse.core.ids import to_18
from accountpulse.systems.discovery import AccountSample, DiscoverRequest, Discovery, MappingChoice
from accountpulse.systems.salesforce import discover_accounts, discover_contract, discover_people, meanings
from accountpulse.systems.salesforce.client import Field, Org
from accountpulse.systems.salesforce.discover_accounts import CustomerFilter
from accountpulse.systems.salesforce.discover_contract import ChildObject, DealKinds
from accountpulse.systems.salesforce.discover_pulse import pulse_choice
from accountpulse.systems.salesforce.limits import refuse_below
from accountpulse.systems.salesforce.row_facts import value_text
from accountpulse.systems.salesforce.settings import SalesforceAccess, SalesforceMapping, Target
from accountpulse.systems.salesforce.survey import SAMPLE, Candidate, OrgSurvey
from accountpulse.systems.samples import domain_of

CHILDREN = 40  # objects of the org's own that are described
KEY_TYPES = frozenset({"string", "double", "int", "url"})
STANDARD_KEYS = ("AccountNumber", "Site")
MOST_KEYS = 200  # fields that may be keys elsewhere
UNIQUE = 0.95  # of the filled values: a key hardly ever stands twice
OTHERS = 3


def discover(request: DiscoverRequest[SalesforceAccess, SalesforceMapping]) -> Discovery:
    """Look at the org; an AccessError where accounts can't be read, since nothing else tells anything then."""
    connection = request.connection
    org = Org.connect(connection.access, request.budget, connection.ca_bundle)
    survey = OrgSurvey(org)
    fields = survey.fields("Account")
    if not {"Id", "Name"} <= fields.keys():
        remedy = "Give our user read access to Account."
        raise AccessError("salesforce", "describing Account", "the object isn't there for our user", remedy)
    refuse_below(org.allowance, connection.mapping.daily_calls_reserve)
    filters = discover_accounts.customers(survey)
    where = filters[0].where if filters else connection.mapping.accounts.where
    rows = _customers(survey, fields, where)
    children = discover_contract.own_children(survey, CHILDREN)
    choices, unknown = _choices(survey, filters, rows, children)
    found = (
        f"{len(rows):,}{' and more' if len(rows) >= SAMPLE else ''} accounts that are customers",
        f"fields of your own on the account: {sum(name.endswith('__c') for name in fields):,}",
        f"objects of your own that belong to accounts: {len(children):,}",
    )
    told = (*unknown, *_missing_objects(survey), *survey.unanswered)
    return Discovery(found, choices, told, _sample(fields, rows))


def _customers(survey: OrgSurvey, fields: Mapping[str, Field], where: str) -> list[dict[str, Any]]:
    """The customers with the fields that may mean something."""
    wanted = [*discover_accounts.wanted_fields(fields), *_key_fields(fields)]
    wanted += [name for name in ("Name", "Website") if name in fields]
    return survey.sample("Account", dict.fromkeys(wanted), where)


def _choices(
    survey: OrgSurvey,
    filters: Sequence[CustomerFilter],
    rows: Sequence[Mapping[str, Any]],
    children: Sequence[ChildObject],
) -> tuple[tuple[MappingChoice, ...], list[str]]:
    """Every part of the mapping, in the order of the file, and what stays unknown."""
    fields = survey.fields("Account")
    found = discover_accounts.described(fields, rows)
    arr, seats = (_first(found[key]) for key in ("arr", "seats"))
    tiers = discover_accounts.tier_order(rows, found["tier"][0].field if found["tier"] else None, arr)
    unknown = [] if filters else ["which accounts are customers: write a condition under salesforce.accounts.where"]
    if found["tier"] and tiers is not None:
        old = sorted({str(value) for value in found["tier"][0].values} - set(tiers.order))
        unknown += [
            f"what tier {name!r} is, which accounts still have and {found['tier'][0].name} no longer lists"
            for name in old
        ]
    elif found["tier"]:
        unknown.append(f"the order of the tiers in {found['tier'][0].name}, and the ARR that each is for")
        found["tier"] = []
    unknown += [
        f"which field of the account has {noun}"
        for key, (_, noun) in discover_accounts.NOUNS.items()
        if _lacks(found, key)
    ]
    deals = DealKinds.counted(survey)
    dates = discover_accounts.candidates(fields, rows, meanings.RENEWS)
    unpaid = discover_accounts.candidates(fields, rows, meanings.UNPAID)
    renewal, no_renewal = discover_contract.renewal_choice(survey, deals, dates, children)
    reviews, no_reviews = discover_people.review_choice(survey, tiers)
    champions, no_champions = discover_people.champion_choice(survey, children)
    expansion, no_expansion = discover_people.expansion_choice(deals)
    signals, no_signals = discover_people.signal_choice(survey, children)
    pulse = pulse_choice(survey, children)
    choices = (
        _where_choice(filters),
        *discover_accounts.account_choices(found, discover_accounts.unnamed(fields, rows, found)),
        renewal,
        discover_contract.payment_choice(survey, children, unpaid),
        discover_contract.downgrade_choice(survey, deals, seats),
        discover_contract.arr_history_choice(survey, children, arr),
        *_tier_choices(tiers),
        reviews,
        champions,
        expansion,
        *([] if pulse is None else [pulse]),
        discover_contract.outcome_choice(survey, deals, arr),
        *_target_choices(survey),
        signals,
    )
    return choices, [*unknown, *no_renewal, *no_reviews, *no_champions, *no_expansion, *no_signals]


def _lacks(found: Mapping[str, Sequence[Candidate]], key: str) -> bool:
    return key in discover_accounts.NEEDED and not found[key]


def _first(found: Sequence[Candidate]) -> str | None:
    return found[0].name if found else None


def _where_choice(filters: Sequence[CustomerFilter]) -> MappingChoice:
    path = ("salesforce", "accounts", "where")
    if not filters:
        why = "No type, status or checkbox of the account says who is a customer, and nobody has ARR or a won deal."
        return MappingChoice(path, None, why)
    others = tuple((each.where, f"{each.count:,} accounts: {each.why}") for each in filters[1 : OTHERS + 1])
    first = filters[0]
    why = f"{first.count:,} accounts: {first.why}."
    return MappingChoice(path, first.where, why, others, asked=True, counted_on=True)


def _tier_choices(tiers: discover_accounts.TierOrder | None) -> tuple[MappingChoice, ...]:
    if tiers is None:
        return ()
    value = {"order": list(tiers.order), "arr_floor": dict(tiers.arr_floor)}
    return (MappingChoice(("salesforce", "tiers"), value, f"Lowest first: {tiers.why}."),)


def _target_choices(survey: OrgSurvey) -> tuple[MappingChoice, ...]:
    """The key of our object, where it is called otherwise."""
    usual = Target()
    fields = survey.fields(usual.object)
    if not fields or usual.external_id in fields:
        return ()
    keys = [each.name for each in fields.values() if each.external_id and each.unique and each.type == "string"]
    if len(keys) != 1:
        return ()
    path = ("salesforce", "target", "external_id")
    return (MappingChoice(path, keys[0], f"The only unique external id of {usual.object}."),)


def _missing_objects(survey: OrgSurvey) -> list[str]:
    """What our user doesn't see: it may be absent, or kept from it."""
    names = ("Opportunity", "Contact", "OpportunityContactRole", "Contract", "Case", "Event", "Task", "AccountHistory")
    found = [f"{name}: absent, or our user may not read it" for name in names if not survey.fields(name)]
    if not survey.fields(Target().object):
        found.append(f"where scores are written: {Target().object} isn't there for our user; deploy deploy/salesforce")
    return found


# --- what names the customers elsewhere ----------------------------------------------------------------------------


def _key_fields(fields: Mapping[str, Field]) -> list[str]:
    """Fields of the account that may hold another system's key."""
    names = sorted(
        name
        for name, each in fields.items()
        if each.type in KEY_TYPES and (name in STANDARD_KEYS or name.endswith("__c"))
    )
    return names[:MOST_KEYS]


def _sample(fields: Mapping[str, Field], rows: Sequence[Mapping[str, Any]]) -> AccountSample:
    """Ids, names, domains, and the values of each field whose values hardly ever stand twice."""
    keys = {}
    for name in _key_fields(fields):
        values = [text for row in rows if (text := value_text(row.get(name)))]
        if values and len(set(values)) >= UNIQUE * len(values):
            keys[name] = frozenset(values)
    return AccountSample(
        ids=frozenset(to_18(str(row["Id"])) for row in rows),
        names=frozenset(str(row["Name"]) for row in rows if row.get("Name")),
        domains=frozenset(domain for row in rows if (domain := domain_of(row.get("Website")))),
        fields=keys,
    )
