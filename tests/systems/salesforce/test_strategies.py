"""Every way to find a number in an org, on orgs that are small enough to work it out by hand.

October 2026 is measured: as_of is 2026-11-01T00:00Z, the 90 days begin on 2026-08-03, the 365 days on 2025-11-01.
"""

from pathlib import Path

import pytest

from accountpulse.core.errors import ConfigurationError, SourceUnavailable
from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.sandbox.server import Sandbox
from accountpulse.systems.salesforce import extract
from salesforce_org import ONE, THREE, TWO, Org, Reader, at, day
from support import NOW, Configure, request

MISSING = "field_missing"


# --- renewal ---------------------------------------------------------------------------------------------------


def test_a_renewal_is_an_opportunity_else_a_contract_else_a_date_of_the_account(org: Org, read: Reader) -> None:
    org.add("Opportunity", AccountId=ONE, Type="Renewal", CloseDate=day("2026-11-11"))
    org.add("Opportunity", AccountId=ONE, Type="Expansion", CloseDate=day("2026-11-02"))
    for account in (ONE, TWO):
        org.add("Contract", AccountId=account, Status="Activated", EndDate=day("2026-11-21"))
        org.add("Contract", AccountId=account, Status="Draft", EndDate=day("2026-11-03"))
    org.account(THREE)["Renewal_Date__c"] = day("2026-12-01")
    org.account(ONE)["Renewal_Date__c"] = day("2026-11-05")
    assert read(org).values("days_to_renewal") == [10, 20, 30]


def test_a_renewal_is_a_record_of_an_own_object_where_the_mapping_names_it(org: Org, read: Reader) -> None:
    org.object("Subscription__c", "a12", Client__c="reference", Term_End__c="date", State__c="picklist")
    for account, end, state in ((ONE, "2026-11-11", "Active"), (ONE, "2026-11-02", "Ended"), (TWO, None, "Active")):
        when = None if end is None else day(end)
        org.add("Subscription__c", Client__c=account, Term_End__c=when, State__c=state)
    way = "from: records, object: Subscription__c, account: Client__c, date: Term_End__c"
    only = "only: {field: State__c, values: [Active]}"
    found = read(org, f"salesforce: {{renewal: [{{{way}, {only}}}]}}")
    assert found.values("days_to_renewal") == [10, "no_evidence", "no_evidence"]


def test_the_administrators_own_condition_narrows_a_strategy(org: Org, read: Reader) -> None:
    org.field("Opportunity", "Region__c", "string")
    for account, region in ((ONE, "North"), (TWO, "South")):
        org.add("Opportunity", AccountId=account, Type="Renewal", CloseDate=day("2026-11-11"), Region__c=region)
    text = """
      salesforce: {renewal: [{from: opportunity, date: CloseDate, where: "Region__c = 'North' OR Region__c = 'East'"}]}
    """
    assert read(org, text).values("days_to_renewal") == [10, "no_evidence", "no_evidence"]


# --- payment ---------------------------------------------------------------------------------------------------

INVOICES = "salesforce: {payment: {from: invoice}}"


def invoices(org: Org) -> None:
    org.object("Invoice__c", "a10", Account__c="string", Due_Date__c="date", Paid_Date__c="date")

    def invoice(account: str, due: str, paid: str | None) -> None:
        org.add("Invoice__c", Account__c=account, Due_Date__c=day(due), Paid_Date__c=day(paid) if paid else None)

    invoice(ONE, "2026-10-31", None)  # overdue by a day
    invoice(ONE, "2026-11-01", None)  # due on as_of's own day: not yet
    invoice(ONE, "2026-01-01", None)  # long overdue, and still open
    invoice(ONE, "2026-01-01", "2026-02-01")  # paid late, long ago
    invoice(ONE[:15], "2026-08-03", "2026-08-10")  # paid late in the 90 days; the id has 15 characters
    invoice(TWO, "2026-10-01", "2026-10-01")  # paid on the day
    invoice(TWO, "2026-10-20", "2026-11-05")  # paid after as_of: open then
    invoice(TWO, "2026-08-02", "2026-08-20")  # paid late, a day before the 90 days


def test_an_invoice_is_a_problem_from_its_due_date_until_it_is_paid(org: Org, read: Reader) -> None:
    invoices(org)
    assert read(org, INVOICES).values("payment_health") == [3, 1, 0]


def test_a_number_on_the_account_counts_problems_and_an_empty_one_is_not_zero(org: Org, read: Reader) -> None:
    org.field("Account", "Overdue__c", "double")
    org.account(ONE)["Overdue__c"] = 3.0
    org.account(TWO)["Overdue__c"] = 0.0
    text = "salesforce: {payment: {from: account, field: Overdue__c}}"
    assert read(org, text).values("payment_health") == [3, 0, "no_evidence"]


def test_a_checkbox_of_the_account_is_one_problem(org: Org, read: Reader) -> None:
    org.field("Account", "Collections_Hold__c", "boolean")
    org.account(TWO)["Collections_Hold__c"] = True
    text = "salesforce: {payment: {from: account, field: Collections_Hold__c}}"
    assert read(org, text).values("payment_health") == [0, 1, 0]


def test_a_picklist_of_the_account_means_a_problem_by_its_configured_values(org: Org, read: Reader) -> None:
    org.field("Account", "Standing__c", "picklist", values=["Good", "Late", "Stopped"])
    org.account(ONE)["Standing__c"] = "Late"
    org.account(TWO)["Standing__c"] = "Good"
    found = read(org, "salesforce: {payment: {from: account, field: Standing__c, values: [late, Gone]}}")
    assert found.values("payment_health") == [1, 0, "no_evidence"]
    assert "payment: values: 'Gone' is no value of Account.Standing__c" in found.notes
    nothing = read(org, "salesforce: {payment: {from: account, field: Standing__c}}")
    assert nothing.values("payment_health") == [MISSING] * 3


# --- downgrades ------------------------------------------------------------------------------------------------


def test_a_fall_in_a_field_history_is_a_downgrade_and_one_a_day(org: Org, read: Reader) -> None:
    def change(account: str, when: str, old: str | None, new: str | None, field: str = "Seats__c") -> None:
        org.add("AccountHistory", AccountId=account, CreatedDate=at(when), Field=field, OldValue=old, NewValue=new)

    change(ONE, "2026-05-01T08:00", "50", "40")
    change(ONE, "2026-05-01T09:00", "40", "30")  # the same day
    change(ONE, "2025-11-01T00:00", "60", "50")  # the first instant of the year
    change(ONE, "2025-10-31T23:59", "70", "60")  # before it
    change(ONE, "2026-11-01T00:00", "30", "20")  # at as_of
    change(TWO, "2026-05-01T08:00", "40", "50")
    change(TWO, "2026-06-01T08:00", None, "50")
    change(TWO, "2026-07-01T08:00", "50", "40", field="Other__c")
    assert read(org, "salesforce: {downgrades: {from: history}}").values("contract_changes") == [2, 0, 0]


# --- ARR a year ago --------------------------------------------------------------------------------------------

SNAPSHOTS = "salesforce: {arr_history: [{from: snapshots}]}"


def snapshots(org: Org) -> None:
    org.object("ARR_Snapshot__c", "a11", Account__c="reference", Snapshot_Date__c="date", ARR__c="double")

    def snapshot(account: str, when: str, amount: float) -> None:
        org.add("ARR_Snapshot__c", Account__c=account, Snapshot_Date__c=day(when), ARR__c=amount)

    snapshot(ONE, "2025-10-31", 80.0)  # the nearest to 2025-11-01
    snapshot(ONE, "2025-11-05", 999.0)
    snapshot(ONE, "2026-10-31", 120.0)  # and the last one before as_of
    snapshot(TWO, "2025-10-16", 999.0)  # sixteen days away
    snapshot(TWO, "2026-10-10", 999.0)


def test_snapshots_tell_arr_then_and_at_as_of(org: Org, read: Reader) -> None:
    snapshots(org)
    found = read(org, SNAPSHOTS)
    assert found.values("arr_trajectory_pct") == [50, "no_evidence", "no_evidence"]
    assert [found.of(each)["arr"] for each in (ONE, TWO)] == [120, 30_000]


def test_snapshots_of_accounts_that_are_no_customers_are_rows_like_any(org: Org, read: Reader) -> None:
    snapshots(org)
    other = org.add("Account", Name="Target", Type="Prospect")
    for when in ("2025-11-01", "2026-10-31"):
        org.add("ARR_Snapshot__c", Account__c=other, Snapshot_Date__c=day(when), ARR__c=5.0)
    found = read(org, SNAPSHOTS).extract
    assert found.counts["arr_changes"].kept == found.rows["arr_changes"] == 2


def test_a_month_that_is_still_open_keeps_the_arr_of_now(org: Org, read: Reader) -> None:
    snapshots(org)
    org.add("ARR_Snapshot__c", Account__c=ONE, Snapshot_Date__c=day("2025-11-23"), ARR__c=50.0)
    org.add("ARR_Snapshot__c", Account__c=ONE, Snapshot_Date__c=day("2026-11-20"), ARR__c=999.0)
    found = read(org, SNAPSHOTS, at=scope_of(Period(2026, 11), NOW))
    assert found.of(ONE)["arr"] == 100
    assert found.of(ONE)["arr_trajectory_pct"] == 100


def test_a_history_without_a_single_row_proves_nothing(org: Org, read: Reader) -> None:
    """The field may not be tracked: 0 % for every account would be invented."""
    found = read(org, "salesforce: {arr_history: [{from: history}]}")
    assert found.values("arr_trajectory_pct") == ["no_evidence"] * 3
    assert "arr_history 1 (from: history): AccountHistory has no record of ARR__c" in found.notes
    assert read(org).values("arr_trajectory_pct") == ["too_new"] * 3


def test_the_first_history_that_knows_is_taken_for_each_account(org: Org, read: Reader) -> None:
    snapshots(org)
    text = "salesforce: {arr_history: [{from: history, tracked_since: DAY}, {from: snapshots}]}"
    late, early = (text.replace("DAY", each) for each in ("2026-09-01", "2025-06-01"))
    assert read(org, late).values("arr_trajectory_pct") == [50, "too_new", "too_new"]
    change = {"Field": "ARR__c", "OldValue": "200", "NewValue": "100", "CreatedDate": at("2026-03-01T00:00")}
    org.add("AccountHistory", AccountId=ONE, **change)
    assert read(org, early).values("arr_trajectory_pct") == [-50, 0, "no_evidence"]


# --- currencies ------------------------------------------------------------------------------------------------


TRACKED = "salesforce: {arr_history: [{from: history, tracked_since: 2025-06-01}]}"


def several_currencies(org: Org, *, dated: bool = False) -> None:
    org.field("Account", "CurrencyIsoCode", "string")
    for account, iso in ((ONE, "USD"), (TWO, "JPY"), (THREE, "EUR")):
        org.account(account)["CurrencyIsoCode"] = iso
    org.account(THREE)["ARR__c"] = 900.0
    org.object("CurrencyType", "01L", IsoCode="string", ConversionRate="double", IsCorporate="boolean")
    for iso, rate in (("USD", 1.0), ("JPY", 150.0), ("EUR", 0.9)):
        org.add("CurrencyType", IsoCode=iso, ConversionRate=rate, IsCorporate=iso == "USD")
    if dated:
        fields = {"IsoCode": "string", "ConversionRate": "double", "StartDate": "date", "NextStartDate": "date"}
        org.object("DatedConversionRate", "04w", **fields)
        for since, until, rate in (("2020-01-01", "2026-11-01", 100.0), ("2026-11-01", "9999-12-31", 120.0)):
            stretch = {"StartDate": day(since), "NextStartDate": day(until)}
            org.add("DatedConversionRate", IsoCode="JPY", ConversionRate=rate, **stretch)


def test_arr_is_in_the_corporate_currency(org: Org, read: Reader) -> None:
    several_currencies(org)
    change = {"Field": "ARR__c", "OldValue": "15000", "NewValue": "30000", "CreatedDate": at("2026-03-01T00:00")}
    org.add("AccountHistory", AccountId=TWO, **change)
    found = read(org, TRACKED)
    assert [found.of(each)["arr"] for each in (ONE, TWO, THREE)] == pytest.approx([100, 200, 1000])
    assert found.of(TWO)["tier_alignment"] == 1  # Silver, though 200 is Bronze: 30,000 yen are not 30,000 dollars
    assert found.of(TWO)["arr_trajectory_pct"] == 100


def test_the_rate_of_the_day_wins_over_the_standing_one(org: Org, read: Reader) -> None:
    several_currencies(org, dated=True)
    assert read(org).of(TWO)["arr"] == pytest.approx(250)  # 120 from 2026-11-01 on, which is the day of as_of


def test_without_readable_rates_arr_is_refused_with_a_reason(org: Org, read: Reader) -> None:
    several_currencies(org)
    found = read(org, hidden={("CurrencyType", "ConversionRate")})
    assert [found.of(each)["arr"] for each in (ONE, TWO, THREE)] == [None] * 3
    assert found.values("arr_trajectory_pct") == found.values("tier_alignment") == [MISSING] * 3
    assert "CurrencyType.ConversionRate is absent, or our user may not read it" in found.notes
    assert "the org has several currencies; without its rates ARR stays empty" in found.notes


def test_a_currency_without_a_rate_costs_its_own_accounts_only(org: Org, read: Reader) -> None:
    several_currencies(org)
    org.account(THREE)["CurrencyIsoCode"] = "CHF"
    found = read(org)
    assert [found.of(each)["arr"] for each in (ONE, THREE)] == [100, None]
    assert "the org has no rate for CHF" in found.notes


def test_a_plain_number_and_an_org_of_one_currency_are_left_as_they_are(org: Org, read: Reader) -> None:
    assert read(org).of(TWO)["arr"] == 30_000
    several_currencies(org)
    org.objects["Account"].fields["ARR__c"].type = "double"
    assert read(org).of(TWO)["arr"] == 30_000


# --- champions -------------------------------------------------------------------------------------------------


def test_champions_may_be_marked_on_the_contact(org: Org, read: Reader) -> None:
    org.field("Contact", "Power__c", "picklist", values=["Champion", "User"])
    org.add("Contact", AccountId=ONE, Power__c="Champion")
    org.add("Contact", AccountId=ONE, Power__c="champion", No_Longer_At_Company__c=True)
    org.add("Contact", AccountId=ONE, Power__c="User", No_Longer_At_Company__c=True)
    org.add("Contact", AccountId=TWO, Power__c="Champion", EmailBouncedDate=at("2026-09-01T00:00"))
    text = "salesforce: {champions: {from: contact, only: {field: Power__c, values: [Champion]}}}"
    assert read(org, text).values("champion_stability") == [50, 0, "no_evidence"]


def test_without_any_sign_that_somebody_left_champions_prove_nothing(org: Org, read: Reader) -> None:
    person = org.add("Contact", AccountId=ONE)
    deal = org.add("Opportunity", AccountId=ONE, IsWon=True, IsClosed=True, CloseDate=day("2026-01-01"))
    org.add("OpportunityContactRole", OpportunityId=deal, ContactId=person, Role="Decision Maker")
    left, bounced = ("Contact", "No_Longer_At_Company__c"), ("Contact", "EmailBouncedDate")
    assert read(org, hidden={left}).values("champion_stability")[0] == 100
    assert read(org, hidden={left, bounced}).values("champion_stability") == [MISSING] * 3


# --- who is an account -----------------------------------------------------------------------------------------


def test_deleted_and_merged_accounts_are_nobody_and_take_nothing_with_them(org: Org, read: Reader) -> None:
    """After a merge the losing account is deleted and names the winner; its children hang on the winner by then."""
    org.account(TWO).update(IsDeleted=True, MasterRecordId=ONE)
    org.add("Case", AccountId=ONE, Type="Billing", CreatedDate=at("2026-10-01T00:00"))
    org.add("Case", AccountId=TWO, Type="Billing", CreatedDate=at("2026-10-02T00:00"))
    found = read(org)
    assert found.extract.tables["accounts"]["account_id"].to_list() == [ONE, THREE]
    assert found.of(ONE)["payment_health"] == 1


def test_a_parent_is_scored_by_its_own_records_only(org: Org, read: Reader) -> None:
    org.account(TWO)["ParentId"] = ONE
    org.add("Case", AccountId=TWO, Type="Billing", CreatedDate=at("2026-10-02T00:00"))
    found = read(org)
    assert found.values("payment_health") == [0, 1, 0]
    assert found.of(ONE)["arr"] == 100


def test_person_accounts_are_accounts_unless_the_administrator_leaves_them_out(org: Org, read: Reader) -> None:
    org.field("Account", "IsPersonAccount", "boolean")
    org.account(THREE)["IsPersonAccount"] = True
    assert read(org).extract.tables["accounts"].height == 3
    text = """salesforce: {accounts: {where: "Type LIKE 'Customer%' AND IsPersonAccount = false"}}"""
    assert read(org, text).extract.tables["accounts"]["account_id"].to_list() == [ONE, TWO]


def test_nobody_who_is_no_customer_is_said(org: Org, read: Reader) -> None:
    assert "no account meets `where`" in read(org, "salesforce: {accounts: {where: \"Type = 'Nobody'\"}}").notes


# --- what an org lacks -----------------------------------------------------------------------------------------


def test_a_renamed_field_is_missing_and_its_nearest_name_is_told(org: Org, read: Reader) -> None:
    org.field("Account", "Annual_ARR__c", "currency")
    del org.objects["Account"].fields["ARR__c"]
    found = read(org)
    assert found.values("arr_trajectory_pct") == found.values("tier_alignment") == [MISSING] * 3
    assert (
        "accounts: field Account.ARR__c is absent, or our user may not read it (field-level security); "
        "the nearest name is Annual_ARR__c"
    ) in found.notes
    mended = read(org, "salesforce: {accounts: {arr: Annual_ARR__c}}")
    assert "Account.ARR__c" not in mended.notes
    assert mended.values("tier_alignment")[0] == "no_evidence"  # there, and empty


SIGNALS = (
    "critical_signals",
    "moderate_signals",
    "watch_signals",
    "critical_confirmed_signals",
    "monitoring_reduction",
)


def test_an_org_without_churn_signals_has_none_known(org: Org, read: Reader) -> None:
    del org.objects["Churn_Signal__c"]
    found = read(org)
    assert [found.values(metric) for metric in SIGNALS] == [[MISSING] * 3] * 5
    assert "signals: object Churn_Signal__c is absent, or our user may not read it (object permission)" in found.notes


def test_signals_need_neither_an_end_nor_a_confidence(org: Org, read: Reader) -> None:
    for each in ("Closed_Date__c", "Confidence__c"):
        del org.objects["Churn_Signal__c"].fields[each]
    signal = {"Account__c": ONE, "Severity__c": "Critical", "Signal_Date__c": at("2026-10-01T00:00")}
    org.add("Churn_Signal__c", **signal, Status__c="Active")
    org.add("Churn_Signal__c", **signal, Status__c="Resolved")
    found = read(org)
    assert found.values("critical_signals") == [1, 0, 0]
    assert found.values("critical_confirmed_signals") == [MISSING] * 3


RELATIONSHIP = ("qbr_attendance", "champion_stability", "expansion_signals")
LACKING = {
    ("Event", "AccountId"),
    ("Task", "AccountId"),
    ("OpportunityContactRole", "Role"),
    ("Opportunity", "Probability"),
}


def test_an_org_without_relationship_fields_has_nulls_and_no_zeros(org: Org, read: Reader) -> None:
    found = read(org, hidden=LACKING)
    assert [found.values(metric) for metric in RELATIONSHIP] == [[MISSING] * 3] * 3
    assert found.values("payment_health") == [0, 0, 0]
    for name, each in LACKING - {("Task", "AccountId")}:
        assert f"field {name}.{each} is absent, or our user may not read it" in found.notes


@pytest.mark.parametrize("name", ["Event", "Task"])
def test_one_unreadable_half_of_the_reviews_makes_the_whole_unknown(org: Org, read: Reader, name: str) -> None:
    del org.objects[name]
    other = {"Event": "Task", "Task": "Event"}[name]
    assert read(org).values("qbr_attendance") == [MISSING] * 3
    assert read(org, f"salesforce: {{reviews: {{objects: [{other}]}}}}").of(TWO)["qbr_attendance"] == 0


def test_a_name_that_only_a_where_text_has_costs_its_own_metric(org: Org, read: Reader) -> None:
    found = read(org, "salesforce: {payment: {where: \"Cause__c = 'x'\"}}")
    assert found.values("payment_health") == [MISSING] * 3
    assert "payment: a name in the `where` text for Case is absent, or our user may not read it" in found.notes
    assert found.values("contract_changes") == [0, 0, 0]


def test_a_where_text_that_is_no_soql_stops_the_run_and_names_its_key_and_the_object(org: Org, read: Reader) -> None:
    with pytest.raises(ConfigurationError, match=r"salesforce\.payment\.where: the org doesn't take .* on Case"):
        read(org, "salesforce: {payment: {where: 'Type = ='}}")


# --- picklists -------------------------------------------------------------------------------------------------


def test_values_that_no_picklist_has_are_told_and_never_a_zero(org: Org, read: Reader) -> None:
    """Out of the box, Case.Type knows nothing of billing: no such case is no proof of payment."""
    org.objects["Case"].fields["Type"].values = ["Mechanical", "Electrical"]
    org.objects["Opportunity"].fields["Type"].values = ["Existing Customer - Upgrade", "New Customer"]
    found = read(org)
    assert found.values("payment_health") == [MISSING] * 3
    assert found.values("contract_changes") == [MISSING] * 3
    assert found.values("expansion_signals") == [0, 0, 0]
    assert "payment: only: 'Billing' is no value of Case.Type, which has Mechanical, Electrical" in found.notes
    assert "expansion: only: 'Expansion' is no value of Opportunity.Type" in found.notes


def test_a_severity_without_a_value_is_unknown(org: Org, read: Reader) -> None:
    org.objects["Churn_Signal__c"].fields["Severity__c"].values = ["High", "Low"]
    signal = {"Account__c": ONE, "Status__c": "Active", "Signal_Date__c": at("2026-10-01T00:00")}
    org.add("Churn_Signal__c", **signal, Severity__c="High", Confidence__c="Confirmed")
    found = read(org)
    assert found.values("critical_signals") == found.values("moderate_signals") == ["unclear", MISSING, MISSING]
    assert found.values("watch_signals") == ["unclear", 0, 0]  # it is one of them, and nobody can say which
    assert "levels.critical: 'Critical' is no value of Churn_Signal__c.Severity__c, which has High, Low" in found.notes
    named = read(org, "signals: {levels: {critical: [High], moderate: [Low], watch: [Low]}}")
    assert named.values("critical_signals") == named.values("critical_confirmed_signals") == [1, 0, 0]


def test_tiers_are_compared_with_the_orgs_own(org: Org, read: Reader) -> None:
    org.objects["Account"].fields["Tier__c"].values = ["Bronze", "Silver", "Gold", "Diamond"]
    org.account(TWO)["Tier__c"] = "Diamond"
    found = read(org)
    assert "tiers.order: 'Platinum' is no value of Account.Tier__c" in found.notes
    assert "accounts have 'Diamond' as their tier" in found.notes
    assert found.values("tier_alignment") == [0, "unclear", "no_evidence"]


def test_only_takes_no_field_without_texts(org: Org, read: Reader) -> None:
    found = read(org, "salesforce: {payment: {only: {field: IsClosed, values: ['true']}}}")
    assert found.values("payment_health") == [MISSING] * 3
    assert "payment: only.field: Case.IsClosed is a checkbox field" in found.notes


# --- how it is asked -------------------------------------------------------------------------------------------


def test_an_object_is_described_once_and_no_query_is_for_one_account(
    sandbox: Sandbox, configure: Configure, scope: Scope
) -> None:
    sandbox.recorded = []
    extract.extract(request(configure(sandbox), "salesforce", scope))
    described = [each.path for each in sandbox.recorded if each.path.endswith("/describe")]
    assert len(described) == len(set(described))
    queries = [each.query["q"] for each in sandbox.recorded if "q" in each.query]
    for query in queries:
        words = query.upper().split()
        assert not {"OFFSET", "GROUP", "LIMIT"} & set(words), query
        assert not any(word.startswith(("LAST_", "NEXT_", "THIS_", "TODAY", "YESTERDAY")) for word in words), query
        assert all(len(part.split(",")) <= 200 for part in query.split(" IN (")[1:]), query
        assert "'001" not in query, "an account's id"


def test_every_page_is_walked_to_the_end(sandbox: Sandbox, configure: Configure, scope: Scope) -> None:
    loaded = configure(sandbox)
    whole = extract.extract(request(loaded, "salesforce", scope))
    sandbox.behaviour.page_size = 7
    pages = extract.extract(request(loaded, "salesforce", scope))
    assert {name: each.height for name, each in pages.tables.items()} == {
        name: each.height for name, each in whole.tables.items()
    }


def test_below_the_reserve_the_run_does_not_start_and_says_the_numbers(
    sandbox: Sandbox, configure: Configure, scope: Scope, tmp_path: Path
) -> None:
    sandbox.behaviour.calls_before = 90_000  # and the describe that asks makes it 90,001
    with pytest.raises(SourceUnavailable) as caught:
        extract.extract(request(configure(sandbox), "salesforce", scope))
    assert "9,999 of 100,000 API calls of the day are left, and 10,000 are kept in reserve" in str(caught.value)
    assert not [call for call in sandbox.log if "/query" in call.path]
    path = tmp_path / "config.yaml"
    path.write_text("salesforce: {daily_calls_reserve: 9.9}", encoding="utf-8")
    assert (
        extract.extract(request(configure(sandbox, ACCOUNTPULSE_CONFIG=str(path)), "salesforce", scope))
        .tables["accounts"]
        .height
    )
