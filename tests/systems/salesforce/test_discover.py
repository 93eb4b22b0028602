"""The look at an org: what it proposes, held against mappings by hand and against what is true."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse import settings
from accountpulse.core.errors import AccessError
from accountpulse.core.period import Scope
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth import bugs, support
from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.settings import starter
from accountpulse.settings.starter import LookedAt
from accountpulse.systems import SYSTEMS
from accountpulse.systems.discovery import NULL, DiscoverRequest, Discovery, MappingChoice
from accountpulse.systems.salesforce import meanings, value_words
from accountpulse.systems.salesforce.client import Field
from accountpulse.systems.salesforce.client import Org as SignedInOrg
from accountpulse.systems.salesforce.discover import discover
from accountpulse.systems.salesforce.discover_accounts import dividing, tier_order
from accountpulse.systems.salesforce.meanings import named, words
from accountpulse.systems.salesforce.pulse_settings import PulseField, PulseRecords
from accountpulse.systems.salesforce.settings import SalesforceMapping
from accountpulse.systems.salesforce.signal_settings import Signals
from accountpulse.systems.salesforce.survey import OrgSurvey
from accountpulse.systems.samples import domain_of
from salesforce_org import ONE, TWO, Org
from support import NOW, Configure, extract, measured

ELSEWHERE = {*support.METRICS, *bugs.BUGS}


def look(running: Sandbox, configure: Configure) -> Discovery:
    return discover(DiscoverRequest(configure(running).connection("salesforce"), NOW))


def mapping(found: Discovery) -> Any:
    """What the written file says, read back as any file."""
    return settings.read_mapping(starter.starter([LookedAt(SYSTEMS["salesforce"], found)]), "accountpulse.yaml")


def day_before(days: int) -> date:
    return (NOW - timedelta(days=days)).date()


def choice(found: Discovery, *path: str) -> MappingChoice:
    return next(each for each in found.choices if each.path == path)


@pytest.fixture(scope="module")
def renamed() -> World:
    return build(seed=7, accounts=40, until=NOW, kind="renamed")


@pytest.fixture
def org(company: World) -> Iterator[Org]:
    """An org of three customers; tests add to it."""
    yield Org(company)


def of_org(org: Org, configure: Configure, hidden: frozenset[tuple[str, str]] = frozenset()) -> Discovery:
    with Sandbox(org.world) as sandbox:
        sandbox.behaviour.hidden |= hidden
        sandbox.ahead = NOW - datetime.now(UTC)
        return look(sandbox, configure)


# --- whole orgs --------------------------------------------------------------------------------------------------


def test_the_usual_org_is_mapped_as_the_defaults_have_it(served: Sandbox, configure: Configure) -> None:
    found = mapping(look(served, configure))
    usual = SalesforceMapping()
    for part in ("accounts", "renewal", "payment", "downgrades", "arr_history", "tiers", "reviews", "champions"):
        assert getattr(found.block("salesforce"), part) == getattr(usual, part), part
    assert set(found.block("salesforce").expansion.only.values) == set(usual.expansion.only.values)
    assert found.block("signals") == Signals()


def test_an_org_with_names_of_its_own_is_mapped_as_by_hand(renamed: World, configure: Configure) -> None:
    with Sandbox(renamed) as running:
        by_hand = configure(running).mapping
        found = mapping(look(running, configure))
    for block in ("salesforce", "signals"):
        one, other = (_unordered(msgspec.to_builtins(each.block(block))) for each in (found, by_hand))
        assert one | {"accounts": None} == other | {"accounts": None}
    one, other = (msgspec.structs.asdict(each.block("salesforce").accounts) for each in (found, by_hand))
    assert {**one, "where": None} == {**other, "where": None}


def _unordered(value: Any) -> Any:
    """Lists of words without their order, which means nothing."""
    if isinstance(value, dict):
        return {key: each if key == "order" else _unordered(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        inner = [_unordered(each) for each in value]
        return sorted(inner) if all(isinstance(each, str) for each in inner) else inner
    return value


def test_what_is_proposed_for_an_org_with_names_of_its_own_measures_the_truth(
    renamed: World, configure: Configure, scope: Scope
) -> None:
    with Sandbox(renamed) as running:
        loaded = configure(running)
        loaded = replace(loaded, mapping=mapping(look(running, configure)))
        running.ahead = NOW - datetime.now(UTC)
        alone = replace(loaded, access={"salesforce": loaded.access["salesforce"]})
        rows = measured(alone, {"salesforce": extract(alone, "salesforce", scope)}, scope)
    by_account = {row["account_id"]: row for row in rows.iter_rows(named=True)}
    truth = [row for row in truth_table(renamed, "2026-10", NOW) if row.metric not in ELSEWHERE]
    own = [row for row in truth if row.metric in SYSTEMS_METRICS]
    assert len(own) > 40 * 8
    for row in own:
        value = by_account[row.account_id][row.metric]
        same = value is None if row.value is None else value is not None and math.isclose(value, row.value)
        assert same, (row, value, by_account[row.account_id][f"{row.metric}_reason"])


SYSTEMS_METRICS = {
    "days_to_renewal", "payment_health", "contract_changes", "arr_trajectory_pct", "tier_alignment", "qbr_attendance",
    "champion_stability", "expansion_signals", "critical_signals", "moderate_signals", "watch_signals",
    "critical_confirmed_signals",
}  # fmt: skip


@pytest.mark.parametrize(("seed", "payment"), [(3, "case"), (4, "invoice"), (5, "case")])
def test_what_is_proposed_for_a_crooked_org_can_be_read(
    configure: Configure, scope: Scope, seed: int, payment: str
) -> None:
    with Sandbox(build(seed, 15, until=NOW, kind="crooked")) as running:
        loaded = configure(running)
        loaded = replace(loaded, mapping=mapping(look(running, configure)))
        running.ahead = NOW - datetime.now(UTC)
        found = extract(replace(loaded, access={"salesforce": loaded.access["salesforce"]}), "salesforce", scope)
    assert loaded.mapping.block("salesforce").payment.source == payment
    assert "field_missing" not in found.gaps.values(), found.notes
    assert found.tables["accounts"].height == 15


def test_the_look_asks_for_no_personal_data_and_few_questions(served: Sandbox, configure: Configure) -> None:
    served.recorded = []
    look(served, configure)
    queries = [each.query["q"] for each in served.recorded if "q" in each.query]
    assert len(queries) < 60
    assert not [query for query in queries if "Email" in query or "Phone" in query or "Description" in query]
    assert not [query for query in queries if "FROM Contact" in query and "COUNT" not in query]


def test_the_sample_has_what_names_customers_elsewhere(served: Sandbox, company: World, configure: Configure) -> None:
    sample = look(served, configure).accounts
    assert sample.ids == {each.account_id for each in company.customers}
    assert sample.names == {each.name for each in company.customers}
    linked = {each.intercom_company for each in company.customers if each.intercom_company}
    assert sample.fields["Intercom_Company_Id__c"] == linked


# --- what can't be told ------------------------------------------------------------------------------------------


def test_an_org_without_an_object_for_signals_waives_them_and_says_so(org: Org, configure: Configure) -> None:
    del org.objects["Churn_Signal__c"]
    found = of_org(org, configure)
    assert choice(found, "signals").value == "none"
    assert any("churn signals" in text for text in found.unknown)


def test_severities_that_say_nothing_leave_an_object_of_signals_out(org: Org, configure: Configure) -> None:
    org.objects["Churn_Signal__c"].fields["Severity__c"].values = ["1", "2", "3"]
    found = of_org(org, configure)
    assert choice(found, "signals").value == "none"
    assert any(text.startswith("Churn_Signal__c is called as churn signals are") for text in found.unknown)


def test_an_object_whose_lists_fit_but_not_its_name_is_only_offered(org: Org, configure: Configure) -> None:
    kind = org.objects.pop("Churn_Signal__c")
    kind.name = kind.label = "Customer_Diary__c"
    org.objects[kind.name] = kind
    signals = choice(of_org(org, configure), "signals")
    assert signals.value == "none"
    offered = signals.others[0][0]
    assert isinstance(offered, dict)
    assert (offered["object"], offered["severity"]) == ("Customer_Diary__c", "Severity__c")


def test_a_severity_that_nobody_can_place_is_named(org: Org, configure: Configure) -> None:
    org.objects["Churn_Signal__c"].fields["Severity__c"].values = ["High", "Medium", "Low", "Purple"]
    found = of_org(org, configure)
    block = choice(found, "signals").value
    assert isinstance(block, dict)
    assert block["levels"] == {"critical": ["High"], "moderate": ["Medium"], "watch": ["Low"]}
    assert any("'Purple'" in text for text in found.unknown)


def test_what_a_signal_is_about_and_whose_it_is_are_proposed_where_fields_say_so(
    org: Org, configure: Configure
) -> None:
    kind = org.objects["Churn_Signal__c"]
    del kind.fields["Category__c"]
    org.field(kind.name, "Headline__c", "string")
    org.field(kind.name, "OwnerId", "reference", reference_to="User", relationship="Owner")
    block = choice(of_org(org, configure), "signals").value
    assert isinstance(block, dict)
    assert (block["title"], block["owner"]) == ("Headline__c", "OwnerId")


def test_reviews_that_nobody_recorded_are_left_out_and_count_for_nothing(org: Org, configure: Configure) -> None:
    org.add("Event", Subject="lunch", ActivityDate=NOW.date())
    found = of_org(org, configure)
    assert choice(found, "salesforce", "reviews").value == "none"


def test_a_field_that_our_user_may_not_see_is_not_proposed(org: Org, configure: Configure) -> None:
    assert choice(of_org(org, configure), "salesforce", "accounts", "arr").value == "ARR__c"
    hidden = frozenset({("Account", "ARR__c")})
    assert choice(of_org(org, configure, hidden), "salesforce", "accounts", "arr").value is NULL


def test_an_empty_field_is_not_proposed(org: Org, configure: Configure) -> None:
    assert choice(of_org(org, configure), "salesforce", "accounts", "seats").value is NULL
    org.account(ONE)["Seats__c"] = 0.0
    assert choice(of_org(org, configure), "salesforce", "accounts", "seats").value == "Seats__c"


def test_an_org_whose_accounts_can_not_be_seen_is_refused(org: Org, configure: Configure) -> None:
    del org.objects["Account"]
    with pytest.raises(AccessError, match="read access to Account"):
        of_org(org, configure)


def test_what_the_org_will_not_count_is_unknown_and_said_not_zero(served: Sandbox, configure: Configure) -> None:
    reached = configure(served).connection("salesforce")
    survey = OrgSurvey(SignedInOrg.connect(reached.access, RequestBudget(), reached.ca_bundle))
    assert survey.count("Absent__c") is None
    assert survey.accounts_of("Absent__c", "Account__c") is None
    assert not survey.groups("Absent__c", ["Status__c"])
    assert survey.unanswered == ["records of Absent__c were not counted for our user"]
    assert survey.count("Account", "Name = 'nobody'") == 0


def test_nobody_who_is_a_customer_leaves_the_filter_out(org: Org, configure: Configure) -> None:
    for row in org.objects["Account"].rows:
        row |= {"Type": None, "ARR__c": None}
    found = of_org(org, configure)
    assert choice(found, "salesforce", "accounts", "where").value is None
    assert any("which accounts are customers" in text for text in found.unknown)


# --- ways to keep things -------------------------------------------------------------------------------------------


def test_customers_by_a_status_where_the_type_says_nothing(org: Org, configure: Configure) -> None:
    values = ["Active", "Churned", "O'Neil's active client"]
    org.field("Account", "Account_Status__c", "picklist", values=values)
    for row, value in zip(org.objects["Account"].rows, (values[0], values[2], values[1]), strict=True):
        row |= {"Type": "Prospect", "Account_Status__c": value}
    where = choice(of_org(org, configure), "salesforce", "accounts", "where")
    # one value says client; the other says nothing, but its account has ARR; an apostrophe is quoted
    assert where.value == r"Account_Status__c IN ('Active','O\'Neil\'s active client')"
    assert where.why.startswith("2 accounts")
    assert "Active since nearly all of these accounts are among those with `ARR__c > 0`" in where.why


def test_a_filter_that_agrees_with_arr_wins_over_a_type_that_nobody_keeps(org: Org, configure: Configure) -> None:
    org.field("Account", "Lifecycle_Stage__c", "picklist", values=["Live", "Lost"])
    for row in org.objects["Account"].rows:
        row |= {"Type": None, "Lifecycle_Stage__c": "Live", "ARR__c": 10.0}
    org.objects["Account"].rows[0]["Type"] = "Customer - Direct"
    org.add("Account", Name="Gone", Lifecycle_Stage__c="Lost")
    where = choice(of_org(org, configure), "salesforce", "accounts", "where")
    assert where.value == "Lifecycle_Stage__c = 'Live'"
    assert [value for value, _ in where.others][:1] == ["Type = 'Customer - Direct'"]


def test_invoices_with_a_due_date_win_over_cases(org: Org, configure: Configure) -> None:
    org.add("Case", AccountId=ONE, Type="Billing")
    org.object(
        "Customer_Invoice__c", "a09", Client__c="reference", Due_On__c="date", Paid_On__c="date", Total__c="currency"
    )
    lookup = org.objects["Customer_Invoice__c"].fields["Client__c"]
    lookup.reference_to, lookup.relationship = "Account", "Client__r"
    org.add("Customer_Invoice__c", Client__c=ONE)
    payment = choice(of_org(org, configure), "salesforce", "payment")
    assert payment.value == {
        "from": "invoice",
        "object": "Customer_Invoice__c",
        "account": "Client__c",
        "due": "Due_On__c",
        "paid": "Paid_On__c",
    }
    assert payment.others[0][0] == {
        "from": "case",
        "object": "Case",
        "only": {"field": "Type", "values": ["Billing"]},
    }


def test_champions_by_a_mark_on_contacts_where_no_role_is_kept(org: Org, configure: Configure) -> None:
    org.field("Contact", "Is_Champion__c", "boolean")
    org.add("Contact", AccountId=ONE, Is_Champion__c=True)
    org.add("Contact", AccountId=TWO, Is_Champion__c=True)
    champions = choice(of_org(org, configure), "salesforce", "champions")
    assert champions.value == {
        "from": "contact",
        "where": "Is_Champion__c = true",
        "contact_left": "No_Longer_At_Company__c",
    }
    assert "2 contacts are marked by Is_Champion__c, of 2 accounts" in champions.why


def test_a_tier_that_is_sold_no_more_stays_unknown(org: Org, configure: Configure) -> None:
    for row, tier in zip(org.objects["Account"].rows, ("Bronze", "Silver", "Titanium"), strict=True):
        row |= {"Tier__c": tier, "ARR__c": 5.0}
    found = of_org(org, configure)
    assert choice(found, "salesforce", "tiers").value["order"] == ["Bronze", "Silver", "Gold", "Platinum"]  # type: ignore[index]
    assert any("Titanium" in text for text in found.unknown)


def test_an_object_for_subscriptions_is_asked_for_renewals_that_hold(org: Org, configure: Configure) -> None:
    org.object("Subscription__c", "a12", Client__c="reference", Term_End__c="date", State__c="picklist")
    fields = org.objects["Subscription__c"].fields
    fields["Client__c"].reference_to, fields["Client__c"].relationship = "Account", "Client__r"
    fields["State__c"].values = ["Active", "Inactive", "Ended"]
    org.add("Subscription__c", Client__c=ONE, Term_End__c=NOW.date(), State__c="Active")
    assert choice(of_org(org, configure), "salesforce", "renewal").value == [
        {
            "from": "records",
            "object": "Subscription__c",
            "account": "Client__c",
            "date": "Term_End__c",
            "only": {"field": "State__c", "values": ["Active"]},
        }
    ]


def test_fields_that_nothing_is_called_after_are_offered_and_never_taken(org: Org, configure: Configure) -> None:
    org.field("Account", "Zahl_7__c", "currency")
    for row in org.objects["Account"].rows:
        row |= {"ARR__c": None, "Zahl_7__c": 5.0}
    found = of_org(org, configure)
    arr = choice(found, "salesforce", "accounts", "arr")
    assert arr.value is NULL
    assert arr.asked
    assert arr.others == (("Zahl_7__c", "Zahl_7__c (Zahl_7__c) is filled on 3 of 3 customers"),)
    assert "which field of the account has ARR" in found.unknown


def test_customers_are_told_by_what_only_they_have_where_no_word_says_it(org: Org, configure: Configure) -> None:
    org.field("Account", "Phase__c", "picklist", values=["Grün", "Blau"])
    for row in org.objects["Account"].rows:
        row |= {"Type": None, "Phase__c": "Grün", "ARR__c": 10.0}
    for number in range(3):
        org.add("Account", Name=f"nobody {number}", Phase__c="Blau")
    where = choice(of_org(org, configure), "salesforce", "accounts", "where")
    assert where.value == "Phase__c = 'Grün'"


def test_contracts_hold_by_the_status_code_that_no_language_changes(org: Org, configure: Configure) -> None:
    org.field("Contract", "StatusCode", "picklist", values=["Draft", "Activated"])
    for status, code in (("Käynnissä", "Activated"), ("Luonnos", "Draft")):
        org.add("Contract", AccountId=ONE, Status=status, StatusCode=code, EndDate=NOW.date())
    (way,) = choice(of_org(org, configure), "salesforce", "renewal").value  # type: ignore[misc, union-attr]
    assert way["only"] == {"field": "Status", "values": ["Käynnissä"]}


def test_an_extension_is_growth_where_renewals_have_a_kind_and_is_asked_about(org: Org, configure: Configure) -> None:
    org.objects["Opportunity"].fields["Type"].values = ["Extension", "Renewal", "Swap"]
    org.add("Opportunity", AccountId=ONE, Type="Extension")
    assert choice(of_org(org, configure), "salesforce", "expansion").value == "none"
    for kind in ("Renewal", "Swap"):
        org.add("Opportunity", AccountId=ONE, Type=kind)
    found = of_org(org, configure)
    assert choice(found, "salesforce", "expansion").value == {"only": {"field": "Type", "values": ["Extension"]}}
    assert "whether Type 'Extension' is growth" in found.unknown
    assert any("what opportunities with Type 'Swap' are" in text for text in found.unknown)


def test_subjects_of_reviews_are_found_in_few_questions(org: Org, configure: Configure) -> None:
    org.add("Event", AccountId=ONE, Subject="Revue trimestrielle", ActivityDate=day_before(390))
    org.add("Event", AccountId=ONE, Subject="Kwartaalgesprek", ActivityDate=day_before(401))
    reviews = choice(of_org(org, configure), "salesforce", "reviews")
    assert reviews.value["subject_like"] == ["%Revue trimestrielle%"]  # type: ignore[index]


# --- words and amounts ---------------------------------------------------------------------------------------------


def test_words_of_a_name_have_no_accents_humps_or_plural() -> None:
    assert words("Annual_ContractValues") == ("annual", "contract", "value")
    assert words("Kündigungsgründe") == ("kundigungsgrunde",)
    assert words("Cross-sell business") == ("cross", "sell", "business")


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Annual_Contract_Value__c", meanings.ARR),
        ("acme__ARR__c", meanings.ARR),
        ("Service_Plan__c", meanings.TIER),
        ("Customer_Segment__c", meanings.SEGMENT),
        ("Number_of_Licenses__c", meanings.SEATS),
        ("Client_Since__c", meanings.SINCE),
        ("Contract_End_Date__c", meanings.RENEWS),
        ("No_Longer_With_Company__c", meanings.LEFT),
    ],
)
def test_a_field_is_known_by_its_name(name: str, meaning: meanings.Meaning) -> None:
    kind = min(meaning.types - {"combobox"})
    assert meaning.of(Field(name, kind)) >= 4
    assert meaning.of(Field(name, "location")) == 0


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Jährlicher_Vertragswert__c", meanings.ARR),
        ("Revenu_annuel_récurrent__c", meanings.ARR),
        ("Ingreso_anual_recurrente__c", meanings.ARR),
        ("Ricavo_annuale_ricorrente__c", meanings.ARR),
        ("Servicepaket__c", meanings.TIER),
        ("Taille_entreprise__c", meanings.SEGMENT),
        ("Número_de_licencias__c", meanings.SEATS),
        ("Cliente_desde__c", meanings.SINCE),
        ("Fecha_de_renovación__c", meanings.RENEWS),
        ("Kundenbetreuer__c", meanings.OWNER),
        ("A_quitté_l_entreprise__c", meanings.LEFT),
        ("Nicht_erschienen__c", meanings.NO_SHOW),
        ("Schweregrad__c", meanings.SEVERITY),
        ("Clôturé_le__c", meanings.CLOSED),
    ],
)
def test_a_field_is_known_in_other_languages(name: str, meaning: meanings.Meaning) -> None:
    assert meaning.of(Field(name, min(meaning.types - {"combobox"}))) >= 4


@pytest.mark.parametrize(
    ("value", "stems"),
    [
        ("Partnerkunde", value_words.CUSTOMER_VALUES),
        ("Vertragsverlängerung", ("*verlangerung",)),
        ("Renouvellement", value_words.RENEWAL_VALUES),
        ("Montée en gamme", value_words.LARGER_VALUES),
        ("Venta cruzada", value_words.LARGER_VALUES),
        ("Réduction", value_words.SMALLER_VALUES),
        ("Facturación", value_words.BILLING_VALUES),
        ("Décideur", value_words.CHAMPION_ROLES),
        ("Sev 1", value_words.CRITICAL_VALUES),
        ("Modéré", value_words.MODERATE_VALUES),
        ("Faible", value_words.WATCH_VALUES),
        ("En observación", value_words.MONITORING_VALUES),
        ("Résolu", value_words.RESOLVED_VALUES),
        ("Bestätigt", value_words.CONFIRMED_VALUES),
        ("Vencido", value_words.ENDED_VALUES),
    ],
)
def test_a_value_is_known_in_other_languages(value: str, stems: tuple[str, ...]) -> None:
    assert named(value, stems)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Previous_ARR__c", meanings.ARR),
        ("Pipeline_Annual_Value__c", meanings.ARR),
        ("Health_Tier__c", meanings.TIER),
        ("Active_Users__c", meanings.SEATS),
        ("Last_Renewal_Date__c", meanings.RENEWS),
        ("Trial_Start__c", meanings.SINCE),
    ],
)
def test_a_word_that_speaks_against_a_meaning_takes_it(name: str, meaning: meanings.Meaning) -> None:
    assert meaning.of(Field(name, min(meaning.types))) == 0


def test_values_that_deny_a_word_do_not_say_it() -> None:
    assert named("Customer - Direct", value_words.CUSTOMER_VALUES, value_words.NO_CUSTOMERS)
    assert named("Existing customers", value_words.CUSTOMER_VALUES, value_words.NO_CUSTOMERS)
    assert named("Partner-led customer", value_words.CUSTOMER_VALUES, value_words.NO_CUSTOMERS)
    assert not named("Active partner", value_words.LIVE_VALUES, value_words.NO_LIVE_CUSTOMERS)
    for value in ("Not a customer", "Former customer", "Ex-Customer", "Inactive", "Prospect"):
        assert not named(value, (*value_words.CUSTOMER_VALUES, *value_words.LIVE_VALUES), value_words.NO_CUSTOMERS)
    assert not named("Unconfirmed", value_words.CONFIRMED_VALUES)
    assert not named("Technical Buyer", value_words.CHAMPION_ROLES, value_words.NO_CHAMPIONS)


def test_a_floor_is_the_roundest_amount_that_divides_two_tiers() -> None:
    assert dividing([3_000, 18_200, 24_900], [25_300, 61_000]) == 25_000
    assert dividing([90_000], [130_000]) == 100_000
    assert dividing([10, 400_000], [240_000, 260_000, 500_000, 600_000]) == 100_000  # one below is on the wrong side
    assert dividing([1.0], [2.0]) == 2
    # of a hundred accounts, one is off: a floor of 22,600 would put it right, 25,000 is what was meant
    assert dividing([*[2_000.0] * 48, 21_000.0, 22_500.0], [22_600.0, *[26_000.0] * 49]) == 25_000


@given(st.lists(st.floats(0, 1e9), min_size=1), st.lists(st.floats(0, 1e9), min_size=1))
def test_no_amount_leaves_far_fewer_on_the_wrong_side(below: list[float], above: list[float]) -> None:
    def wrong(amount: float) -> int:
        return sum(each >= amount for each in below) + sum(each < amount for each in above)

    edges = sorted({0.0, *below, *above})
    best = min(map(wrong, edges[1:]), default=wrong(edges[0]))
    assert wrong(dividing(below, above)) <= best + (len(below) + len(above)) // 50


def test_tiers_of_unknown_names_are_ordered_by_their_median_arr() -> None:
    sold = {"Ocean": (900_000, 450_000), "Sail": (4_000, 12_000), "Harbor": (60_000, 81_000)}
    rows = [{"Plan__c": name, "ARR__c": amount} for name, amounts in sold.items() for amount in amounts]
    found = tier_order(rows, Field("Plan__c", "picklist"), "ARR__c")
    assert found is not None
    assert found.order == ("Sail", "Harbor", "Ocean")
    assert found.arr_floor == {"Harbor": 50_000, "Ocean": 250_000}
    assert found.reviews == {"Sail": 1.0, "Harbor": 2.0, "Ocean": 4.0}


def test_tiers_without_arr_have_no_order() -> None:
    rows = [{"Plan__c": "Sail", "ARR__c": None}, {"Plan__c": "Ocean", "ARR__c": 5.0}]
    assert tier_order(rows, Field("Plan__c", "picklist"), "ARR__c") is None
    assert tier_order(rows, Field("Plan__c", "picklist"), None) is None


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("https://www.Acme.com/de", "acme.com"),
        ("acme.co.uk", "acme.co.uk"),
        ("http://acme.com:8080", "acme.com"),
        ("n/a", ""),
        ("someone@acme.com", "acme.com"),
        ("http://[", ""),
        (None, ""),
    ],
)
def test_a_website_is_cut_to_its_domain(website: str | None, domain: str) -> None:
    assert domain_of(website) == domain


# --- pulses ---------------------------------------------------------------------------------------------------------


def pulse_of(org: Org, configure: Configure) -> Any:
    """The pulse of the written file, and whether it was proposed."""
    with Sandbox(org.world) as running:
        found = look(running, configure)
    return mapping(found).salesforce.pulse, any(each.path == ("salesforce", "pulse") for each in found.choices)


def without_ours(org: Org) -> None:
    for name in ("Pulse__c", "Pulse_Date__c", "Pulse_Author__c", "Pulse_Reason__c"):
        del org.objects["Account"].fields[name]


def test_our_own_pulse_needs_no_word_in_the_file(world: World, configure: Configure) -> None:
    assert pulse_of(Org(world), configure) == (PulseField(), False)


def test_a_list_of_the_account_with_green_and_red_values_is_its_pulse(world: World, configure: Configure) -> None:
    org = Org(world)
    without_ours(org)
    values = ["Happy", "Neutral", "Unhappy", "At risk", "Low risk", "Reduced scope"]
    org.field("Account", "CSM_Sentiment__c", "picklist", values=values)
    org.field("Account", "CSM_Sentiment_Next_Review__c", "date")
    org.field("Account", "CSM_Sentiment_Date__c", "date")
    org.field("Account", "CSM_Sentiment_Escalated_To__c", "reference", reference_to="User", relationship="Boss__r")
    org.field("Account", "CSM_Sentiment_Email__c", "string")
    org.field("Account", "CSM_Sentiment_By__c", "reference", reference_to="User", relationship="CSM_Sentiment_By__r")
    org.field("Account", "Region_Status__c", "picklist", values=["Green", "Red"])
    found, _ = pulse_of(org, configure)
    assert found == PulseField(
        value="CSM_Sentiment__c", date="CSM_Sentiment_Date__c", author="CSM_Sentiment_By__c", reason=None,
        green=("Happy",), yellow=("Neutral",), red=("Unhappy", "At risk"),
    )  # fmt: skip


def test_an_object_of_check_ins_is_read_by_its_records(world: World, configure: Configure) -> None:
    org = Org(world)
    without_ours(org)
    org.object(
        "Check_In__c", "a7M", Account__c="reference", Stimmung__c="picklist", Held_On__c="date", Notes__c="string"
    )
    kind = org.objects["Check_In__c"].fields
    kind["Account__c"].reference_to, kind["Account__c"].relationship = "Account", "Account__r"
    kind["Stimmung__c"].values[:] = ["Gut", "Mittel", "Schlecht"]
    found, _ = pulse_of(org, configure)
    assert isinstance(found, PulseRecords)
    assert (found.object, found.account, found.value, found.date) == (
        "Check_In__c", "Account__c", "Stimmung__c", "Held_On__c",
    )  # fmt: skip
    assert (found.green, found.yellow, found.red, found.reason) == (("Gut",), ("Mittel",), ("Schlecht",), "Notes__c")


def test_an_org_without_anything_of_the_kind_has_no_pulse(world: World, configure: Configure) -> None:
    org = Org(world)
    without_ours(org)
    org.field("Account", "Pulse_Of_Region__c", "picklist", values=["North", "South"])
    assert pulse_of(org, configure)[1] is False
