"""Who left and who renewed, by every strategy, on orgs that are small enough to work it out by hand.

October 2026 is measured and nothing is read of later days: today is 2026-11-01.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.period import Scope
from accountpulse.core.records import MERGES, OUTCOMES, Extract
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.org import record_id
from accountpulse.systems import SYSTEMS
from salesforce_org import ONE, THREE, TWO, Org, Reader, day
from support import NOW, Configure, request

Asked = Callable[..., Extract]
LOSER, GONE = (record_id("001", number) for number in (601, 602))
ONLY = "salesforce: {outcomes: [{from: %s}]}"


@pytest.fixture
def ask(configure: Configure, scope: Scope, tmp_path: Path) -> Asked:
    """What an org says of outcomes alone, with the text of an accountpulse.yaml."""
    outcomes = SYSTEMS["salesforce"].outcomes
    assert outcomes is not None

    def asked(org: Org, text: str = "", hidden: AbstractSet[tuple[str, str]] = frozenset()) -> Extract:
        path = tmp_path / "accountpulse.yaml"
        path.write_text(text, encoding="utf-8")
        with Sandbox(org.world) as sandbox:
            sandbox.ahead = NOW - datetime.now(UTC)
            sandbox.behaviour.hidden |= hidden
            return outcomes(request(configure(sandbox, ACCOUNTPULSE_CONFIG=str(path)), "salesforce", scope))

    return asked


def told(org: Org, ask: Asked, text: str = "") -> list[tuple[Any, ...]]:
    """What the org says: account, day, kind and ARR lost."""
    return ask(org, text).tables["outcomes"].select("account_id", "happened_on", "kind", "arr_lost").rows()


def opportunity(org: Org, account: str, closed: str, *, won: bool = False, **more: Any) -> None:
    values = {"Type": "Renewal", "IsClosed": True, "IsWon": won, "CloseDate": day(closed), **more}
    org.add("Opportunity", AccountId=account, **values)


def contract(org: Org, account: str, start: str, end: str | None, status: str = "Activated", **more: Any) -> None:
    days = {"StartDate": day(start), "EndDate": day(end) if end else None}
    org.add("Contract", AccountId=account, Status=status, **days, **more)


def change(org: Org, account: str, at: str, before: str | None, after: str | None, **more: Any) -> None:
    made = datetime.fromisoformat(f"{at}T12:00:00+00:00")
    values = {"Field": "ARR__c", "OldValue": before, "NewValue": after, "CreatedDate": made, **more}
    org.add("AccountHistory", AccountId=account, **values)


# --- renewal opportunities -------------------------------------------------------------------------------------


def test_a_renewal_opportunity_that_was_not_won_is_a_loss_and_one_that_was_won_a_renewal(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-05-20", Amount=900.0)
    opportunity(org, TWO[:15], "2026-06-30", won=True, Amount=900.0)
    opportunity(org, TWO, "2026-05-01", Type="Expansion")  # of another type
    opportunity(org, THREE, "2026-05-20", IsClosed=False)
    assert told(org, ask) == [
        (ONE, day("2026-05-20"), "lost", 900.0),
        (TWO, day("2026-06-30"), "renewed", None),
    ]


def test_a_loss_is_dated_by_the_end_of_the_contract_where_that_comes_later(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-03-10")
    contract(org, ONE, "2025-06-01", "2026-05-31", "Expired")
    opportunity(org, TWO, "2026-06-20")  # closed when the contract had ended
    contract(org, TWO, "2025-06-01", "2026-05-31", "Expired")
    opportunity(org, THREE, "2026-08-01")  # its contract ends after today
    contract(org, THREE, "2025-12-01", "2026-11-30")
    found = ask(org)
    outcomes = found.tables["outcomes"]
    assert outcomes.select("account_id", "happened_on", "known_at").rows() == [
        (ONE, day("2026-05-31"), day("2026-03-10")),
        (TWO, day("2026-06-20"), day("2026-06-20")),
    ]
    assert found.counts["outcomes"].left_out["dated in the future"] == 1


def test_a_field_may_say_which_contract_was_to_be_renewed(org: Org, ask: Asked) -> None:
    org.field("Opportunity", "Term_End__c", "date")
    opportunity(org, ONE, "2026-03-10", Term_End__c=day("2026-07-31"))
    contract(org, ONE, "2025-06-01", "2026-05-31", "Expired")
    text = "salesforce: {outcomes: [{from: renewal_opportunities, contract_end: Term_End__c}, {from: contracts}]}"
    assert told(org, ask, text) == [(ONE, day("2026-07-31"), "lost", None)]


def test_an_opportunity_is_known_from_the_day_on_which_its_stage_changed(org: Org, ask: Asked) -> None:
    staged = datetime.fromisoformat("2026-09-02T10:00:00+00:00")
    opportunity(org, ONE, "2026-05-20", LastStageChangeDate=staged)
    assert ask(org).tables["outcomes"]["known_at"].to_list() == [day("2026-09-02")]


def test_a_loss_beside_an_open_contract_is_doubtful(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-05-20")
    contract(org, ONE, "2026-01-01", "2028-12-31")
    assert ask(org).tables["outcomes"]["doubt"].to_list() == ["a contract of the account is still open"]


def moment(on: str) -> datetime:
    return datetime.fromisoformat(f"{on}T10:00:00+00:00")


def test_a_loss_with_last_years_close_date_ends_the_contract_that_ran_when_its_stage_changed(
    org: Org, ask: Asked
) -> None:
    opportunity(org, ONE, "2025-05-20", LastStageChangeDate=moment("2026-05-20"))
    contract(org, ONE, "2024-06-01", "2025-05-31", "Expired")  # was renewed
    contract(org, ONE, "2025-06-01", "2026-05-31", "Expired")
    opportunity(org, TWO, "2025-05-20", LastStageChangeDate=moment("2026-05-20"))
    contract(org, TWO, "2025-06-01", "2026-05-31", "Expired")  # the first one that there was
    outcomes = ask(org).tables["outcomes"].filter(kind="lost")
    assert outcomes.select("account_id", "happened_on", "origin", "doubt").rows() == [
        (ONE, day("2026-05-31"), "renewal_opportunities", None),
        (TWO, day("2026-05-31"), "renewal_opportunities", None),
    ]


def test_a_stage_that_was_changed_in_a_later_clean_up_moves_nothing_that_contracts_tell(org: Org, ask: Asked) -> None:
    cleaned = {"LastStageChangeDate": moment("2026-09-15")}
    opportunity(org, ONE, "2024-05-20", won=True, **cleaned)
    contract(org, ONE, "2023-06-01", "2024-05-31", "Expired")
    contract(org, ONE, "2024-06-01", "2026-10-31")
    opportunity(org, TWO, "2024-05-20", **cleaned)
    contract(org, TWO, "2023-06-01", "2024-05-31", "Expired")
    outcomes = ask(org).tables["outcomes"].filter(origin="renewal_opportunities")
    assert outcomes.select("account_id", "happened_on", "kind", "doubt").rows() == [
        (ONE, day("2024-05-31"), "renewed", None),
        (TWO, day("2024-05-31"), "lost", None),
    ]


@pytest.mark.parametrize(
    ("staged", "doubtful"),
    [
        ("2026-07-19", False),  # 60 days later
        ("2026-07-20", True),
        ("2025-11-21", False),  # decided 180 days before
        ("2025-11-20", True),
    ],
)
@pytest.mark.parametrize("won", [True, False])
def test_a_close_date_that_no_contract_confirms_is_doubtful_far_from_the_change_of_the_stage(
    org: Org, ask: Asked, staged: str, *, doubtful: bool, won: bool
) -> None:
    opportunity(org, ONE, "2026-05-20", won=won, LastStageChangeDate=moment(staged))
    text = f"its close date is 2026-05-20, but its stage last changed on {staged}"
    outcomes = ask(org).tables["outcomes"]
    assert outcomes.select("happened_on", "doubt").rows() == [(day("2026-05-20"), text if doubtful else None)]


def test_a_loss_far_from_its_stage_that_fits_no_contract_says_both_doubts(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2025-05-20", LastStageChangeDate=moment("2026-05-20"))
    contract(org, ONE, "2024-06-01", "2025-05-31", "Expired")
    contract(org, ONE, "2025-06-01", "2027-05-31")
    outcomes = ask(org).tables["outcomes"]
    lost = outcomes.filter(kind="lost")
    assert lost["happened_on"].to_list() == [day("2025-05-31")]
    assert lost["doubt"][0].split("; ") == [
        "its close date is 2025-05-20, but its stage last changed on 2026-05-20",
        "a contract of the account is still open",
    ]


def test_several_lost_renewals_of_one_day_are_one_loss_of_all_they_were_worth(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-05-20", Amount=900.0)
    opportunity(org, ONE, "2026-05-20", Amount=100.0)
    opportunity(org, TWO, "2026-05-20", Amount=900.0)
    opportunity(org, TWO, "2026-05-20")
    assert told(org, ask) == [(ONE, day("2026-05-20"), "lost", 1000.0), (TWO, day("2026-05-20"), "lost", None)]


# --- contracts -------------------------------------------------------------------------------------------------


def test_a_contract_that_ended_is_a_loss_unless_another_follows_within_the_grace(org: Org, ask: Asked) -> None:
    contract(org, ONE, "2025-06-01", "2026-05-31", "Expired")
    contract(org, TWO, "2025-06-01", "2026-05-31")  # nobody has ended it
    contract(org, TWO, "2026-07-30", "2027-07-29")  # 60 days later
    contract(org, THREE, "2025-06-01", "2026-05-31", "Terminated")
    contract(org, THREE, "2026-07-31", "2027-07-30")  # 61 days later
    assert told(org, ask, ONLY % "contracts") == [
        (ONE, day("2026-05-31"), "lost", None),
        (TWO, day("2026-05-31"), "renewed", None),
        (THREE, day("2026-05-31"), "lost", None),
    ]


def test_an_end_says_nothing_before_the_grace_is_over(org: Org, ask: Asked) -> None:
    contract(org, ONE, "2025-09-02", "2026-09-01", "Expired")  # 61 days before today
    contract(org, TWO, "2025-09-03", "2026-09-02", "Expired")  # 60
    found = ask(org, ONLY % "contracts")
    assert found.tables["outcomes"].select("account_id", "known_at").rows() == [(ONE, day("2026-10-31"))]
    assert found.counts["outcomes"].left_out == {"a contract that ended so recently that another may follow": 1}


def test_drafts_are_no_contracts_and_an_open_end_is_none(org: Org, ask: Asked) -> None:
    contract(org, ONE, "2025-06-01", "2026-05-31", "Draft")
    contract(org, TWO, "2025-06-01", None)
    contract(org, TWO, "2024-06-01", "2025-05-31", "Expired")
    contract(org, THREE, "2025-06-01", "2027-05-31", "Terminated")  # on a day that nobody knows
    found = ask(org, ONLY % "contracts")
    assert found.tables["outcomes"].select("account_id", "happened_on", "kind").rows() == [
        (TWO, day("2025-05-31"), "renewed")
    ]
    assert found.counts["outcomes"].left_out == {
        "a contract whose status says neither in force nor ended": 1,
        "a contract that is still in force": 1,
        "a contract that ended on an unknown day": 1,
    }


def test_a_field_may_say_when_a_contract_was_ended_before_its_time(org: Org, ask: Asked) -> None:
    org.field("Contract", "Ended__c", "date")
    contract(org, ONE, "2025-06-01", "2027-05-31", "Terminated", Ended__c=day("2026-02-28"))
    contract(org, TWO, "2025-06-01", "2026-01-31", "Expired", Ended__c=day("2026-02-28"))
    text = "salesforce: {outcomes: [{from: contracts, ended_on: Ended__c}]}"
    assert told(org, ask, text) == [(ONE, day("2026-02-28"), "lost", None), (TWO, day("2026-01-31"), "lost", None)]


# --- ARR -------------------------------------------------------------------------------------------------------


def test_arr_that_fell_to_zero_and_stayed_there_is_a_loss(org: Org, ask: Asked) -> None:
    change(org, ONE, "2026-03-05", "1200.0", "0.0")
    change(org, TWO, "2026-03-05", "1200.0", "0")
    change(org, TWO, "2026-05-04", "0", "800")  # 60 days later: no loss
    change(org, THREE, "2026-03-05", "1200.0", "600.0")  # smaller, and no zero
    change(org, THREE, "2026-04-05", "600.0", None)  # emptied: nobody knows what it is
    found = ask(org, ONLY % "arr")
    assert found.tables["outcomes"].select("account_id", "happened_on", "kind", "arr_lost").rows() == [
        (ONE, day("2026-03-05"), "lost", 1200.0)
    ]
    assert found.counts["outcomes"].left_out == {
        "a fall to zero from which ARR came back": 1,
        "a change of ARR that is not a fall to zero": 2,
        "ARR that was cleared, which is not a fall to zero": 1,
    }


def test_arr_that_came_back_later_leaves_a_doubtful_loss(org: Org, ask: Asked) -> None:
    change(org, ONE, "2026-03-05", "1200.0", "0.0")
    change(org, ONE, "2026-05-05", "0.0", "800.0")
    outcomes = ask(org, ONLY % "arr").tables["outcomes"]
    assert outcomes["doubt"].to_list() == ["ARR came back on 2026-05-05"]


def test_what_was_lost_in_another_currency_is_converted(org: Org, ask: Asked) -> None:
    org.object("CurrencyType", "01L", IsoCode="string", ConversionRate="double")
    org.field("Account", "CurrencyIsoCode", "picklist")
    org.field("Opportunity", "CurrencyIsoCode", "picklist")
    for iso, rate in (("EUR", 1.0), ("USD", 1.25)):
        org.add("CurrencyType", IsoCode=iso, ConversionRate=rate)
    for account in (ONE, TWO, THREE):
        org.account(account)["CurrencyIsoCode"] = "USD"
    opportunity(org, ONE, "2026-05-20", Amount=1000.0, CurrencyIsoCode="USD")
    opportunity(org, TWO, "2026-05-20", Amount=1000.0, CurrencyIsoCode="GBP")  # of which the org has no rate
    change(org, THREE, "2026-03-05", "500.0", "0.0")
    assert told(org, ask) == [
        (ONE, day("2026-05-20"), "lost", 800.0),
        (TWO, day("2026-05-20"), "lost", None),
        (THREE, day("2026-03-05"), "lost", 400.0),
    ]


# --- together --------------------------------------------------------------------------------------------------


def test_the_first_strategy_that_says_it_counts_for_each_account_and_time(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-05-20", Amount=900.0)
    change(org, ONE, "2026-01-15", "900.0", "0.0")  # the same loss, though months before
    opportunity(org, TWO, "2025-05-31", won=True)
    contract(org, TWO, "2025-06-01", "2026-05-31", "Expired")  # a year after the renewal: another time
    found = ask(org)
    assert found.tables["outcomes"].select("account_id", "happened_on", "kind", "origin").rows() == [
        (ONE, day("2026-05-20"), "lost", "renewal_opportunities"),
        (TWO, day("2025-05-31"), "renewed", "renewal_opportunities"),
        (TWO, day("2026-05-31"), "lost", "contracts"),
    ]
    left_out = found.counts["outcomes"].left_out
    assert left_out["already reported by another strategy"] == 1


def test_a_strategy_that_is_contradicted_by_a_later_one_is_doubtful(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-05-20", won=True)
    contract(org, ONE, "2025-07-01", "2026-06-30", "Expired")
    text = "salesforce: {outcomes: [{from: contracts}, {from: renewal_opportunities}]}"
    outcomes = ask(org, text).tables["outcomes"]
    assert outcomes.select("happened_on", "kind", "doubt").rows() == [
        (day("2026-06-30"), "lost", "renewal_opportunities says renewed on 2026-06-30")
    ]


def test_an_account_that_renewed_and_whose_new_contract_was_terminated_soon_did_both(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-05-20", won=True)
    contract(org, ONE, "2025-06-01", "2026-05-31", "Expired")
    contract(org, ONE, "2026-06-01", "2026-07-02", "Terminated")
    change(org, ONE, "2026-07-09", "1200.0", "0.0")
    found = ask(org)
    assert found.tables["outcomes"].select("happened_on", "kind", "origin", "doubt").rows() == [
        (day("2026-05-31"), "renewed", "renewal_opportunities", None),
        (day("2026-07-02"), "lost", "contracts", None),
    ]
    assert found.counts["outcomes"].left_out["already reported by another strategy"] == 2


def test_a_renewal_that_was_entered_twice_is_one_where_another_contract_follows(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2025-05-20", won=True)
    opportunity(org, ONE, "2025-05-25")
    contract(org, ONE, "2024-06-01", "2025-05-31", "Expired")
    contract(org, ONE, "2025-06-01", "2025-08-10", "Terminated")  # 71 days later
    opportunity(org, TWO, "2025-05-20", won=True)
    opportunity(org, TWO, "2025-05-20")
    contract(org, TWO, "2024-06-01", "2025-05-31", "Expired")  # and none follows: who knows
    outcomes = ask(org).tables["outcomes"]
    assert outcomes.select("account_id", "happened_on", "kind", "doubt").rows() == [
        (ONE, day("2025-05-31"), "renewed", "renewal_opportunities says lost on 2025-05-31 as well"),
        (ONE, day("2025-08-10"), "lost", None),
        (TWO, day("2025-05-31"), "lost", None),
        (TWO, day("2025-05-31"), "renewed", "contracts says lost on 2025-05-31"),
    ]


def test_every_row_that_came_is_accounted_for(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-05-20")
    opportunity(org, ONE, "2026-05-20")
    org.add("Opportunity", Type="Renewal", IsClosed=True, CloseDate=day("2026-05-20"))  # nobody's
    contract(org, ONE, "2025-06-01", "2026-05-31", "Expired")
    change(org, TWO, "2026-03-05", "1200.0", "600.0")
    found = ask(org)
    assert found.counts["outcomes"].came == 5
    assert found.counts["outcomes"].kept == found.tables["outcomes"].height == 1


def test_what_lies_further_back_than_the_years_is_not_asked_for(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2025-10-31")  # 366 days ago
    opportunity(org, TWO, "2025-11-01")
    assert told(org, ask, "salesforce: {outcomes: {years: 1}}") == [(TWO, day("2025-11-01"), "lost", None)]


# --- who is gone -----------------------------------------------------------------------------------------------


def test_accounts_that_are_no_customers_any_more_and_deleted_ones_count_too(org: Org, ask: Asked) -> None:
    org.account(ONE)["Type"] = "Prospect"
    opportunity(org, ONE, "2026-05-20")
    org.add("Account", Id=GONE, Name="Gone", Type="Customer - Direct", IsDeleted=True)
    opportunity(org, GONE, "2026-06-20", IsDeleted=True)
    opportunity(org, TWO, "2026-06-20", IsDeleted=True)  # a mistake that was taken back
    change(org, GONE, "2026-06-25", "10", "0", IsDeleted=True)
    found = ask(org)
    assert found.tables["outcomes"].select("account_id", "happened_on").rows() == [
        (ONE, day("2026-05-20")),
        (GONE, day("2026-06-20")),
    ]
    assert found.tables["accounts"]["account_id"].to_list() == [TWO, THREE]
    assert found.counts["outcomes"].left_out["a deleted record of an existing account"] == 1


def test_what_is_left_of_a_merged_account_belongs_to_the_one_that_it_was_merged_into(org: Org, ask: Asked) -> None:
    org.add("Account", Id=LOSER, Name="Twice", IsDeleted=True, MasterRecordId=ONE)
    org.add("Account", Id=GONE, Name="Gone", IsDeleted=True)
    contract(org, LOSER, "2025-06-01", "2026-05-31", "Expired")
    change(org, LOSER, "2026-03-05", "1200.0", "0.0")  # moved to the other one, and not lost
    found = ask(org)
    assert found.tables["merges"].schema == pl.Schema(MERGES)
    assert found.tables["merges"].rows() == [(LOSER, ONE)]
    assert found.tables["outcomes"].select("account_id", "happened_on", "kind").rows() == [
        (ONE, day("2026-05-31"), "lost")
    ]


# --- what the org lacks ----------------------------------------------------------------------------------------


def test_a_strategy_whose_names_the_org_lacks_is_told_and_the_next_is_asked(org: Org, ask: Asked) -> None:
    opportunity(org, ONE, "2026-05-20")
    contract(org, ONE, "2025-06-01", "2026-06-30", "Expired")
    found = ask(org, hidden={("Opportunity", "IsWon"), ("Contract", "StartDate")})
    assert found.tables["outcomes"].rows() == []
    assert "outcomes 1 (from: renewal_opportunities): field Opportunity.IsWon is absent" in "".join(found.notes)
    assert "outcomes 2 (from: contracts): field Contract.StartDate is absent" in "".join(found.notes)
    assert "stay empty" not in found.notes  # no metric rests on it


def test_an_org_that_has_none_of_it_is_told_what_to_do(org: Org, ask: Asked) -> None:
    org.objects["Opportunity"].fields["Type"].values = ["New Business"]
    text = "salesforce: {outcomes: [{from: renewal_opportunities}]}"
    found = ask(org, text)
    assert "only: 'Renewal' is no value of Opportunity.Type, which has New Business" in "".join(found.notes)
    assert "`accountpulse outcomes --import FILE`" in "".join(found.notes)
    assert found.tables["outcomes"].is_empty()


def test_a_status_that_the_owner_wrote_and_the_org_lacks_is_told(org: Org, ask: Asked) -> None:
    assert "Terminated" not in "".join(ask(org).notes)  # by default both are looked for
    text = "salesforce: {outcomes: [{from: contracts, ended: [Expired, Cancelled]}]}"
    assert "ended: 'Cancelled' is no value of Contract.Status" in "".join(ask(org, text).notes)


def test_a_run_reads_the_same_for_one_query_a_strategy_and_one_for_deleted_accounts(
    org: Org, read: Reader, ask: Asked
) -> None:
    opportunity(org, ONE, "2026-05-20")
    without = read(org, "salesforce: {outcomes: none}")
    assert without.extract.tables["outcomes"].equals(pl.DataFrame(schema=OUTCOMES))
    found = read(org)
    assert found.extract.tables["outcomes"].equals(ask(org).tables["outcomes"])
    assert found.extract.tables["outcomes"].height == 1
    assert len(found.queries) == len(without.queries) + 4


def test_a_strategy_that_stands_twice_is_a_mistake_of_the_mapping(org: Org, ask: Asked) -> None:
    with pytest.raises(ConfigurationError, match="contracts stands twice"):
        ask(org, "salesforce: {outcomes: [{from: contracts}, {from: contracts, start: X__c}]}")
