"""Days, clocks that go back, records of after the month, and rates that begin late: what was true at as_of."""

from accountpulse.core.period import Period, scope_of
from salesforce_org import ONE, THREE, TWO, Org, Reader, at, day

INVOICES = "salesforce: {payment: {from: invoice}}"


def test_ninety_days_are_days_of_the_periods_zone_where_clocks_went_back_in_them(org: Org, read: Reader) -> None:
    """They end with November in New York: 30 + 31 + 29 days before 2026-12-01 is 2026-09-02."""
    org.object("Invoice__c", "a0I", Account__c="string", Due_Date__c="date", Paid_Date__c="date")
    for account, due in ((ONE, "2026-09-02"), (TWO, "2026-09-01")):
        org.add("Invoice__c", Account__c=account, Due_Date__c=day(due), Paid_Date__c=day("2026-09-20"))
    november = scope_of(Period(2026, 11, "America/New_York"), at("2026-12-05T00:00"))
    assert read(org, INVOICES, at=november).values("payment_health") == [1, 0, 0]


def test_a_problem_without_a_beginning_is_as_old_as_its_record_at_most(org: Org, read: Reader) -> None:
    org.field("Case", "Began__c", "date")
    org.add("Case", AccountId=ONE, Type="Billing", CreatedDate=at("2026-11-10T10:00"))  # after the month
    org.add("Case", AccountId=TWO, Type="Billing", CreatedDate=at("2026-10-10T10:00"))
    found = read(org, "salesforce: {payment: {from: case, opened: Began__c}}")
    assert found.values("payment_health") == [0, 1, 0]
    assert found.extract.counts["payment_problems"].outside == 1


def test_the_snapshot_that_lies_nearest_by_the_clock_stands_for_a_day(org: Org, read: Reader) -> None:
    """Each night's is taken at 23:00: that of 2026-10-31 is an hour before as_of, that of the day after 23 later."""
    org.object("ARR_Snapshot__c", "a0S", Account__c="string", Date__c="datetime", ARR__c="double")
    nights = (("2025-10-31", 50.0), ("2025-11-01", 80.0), ("2026-10-31", 100.0), ("2026-11-01", 200.0))
    for night, amount in nights:
        org.add("ARR_Snapshot__c", Account__c=ONE, Date__c=at(f"{night}T23:00"), ARR__c=amount)
    where = "object: ARR_Snapshot__c, account: Account__c, date: Date__c, amount: ARR__c"
    found = read(org, f"salesforce: {{arr_history: [{{from: snapshots, {where}}}]}}").of(ONE)
    assert (found["arr"], found["arr_trajectory_pct"]) == (100, 100)


def test_a_currency_whose_dated_rates_begin_after_as_of_has_no_rate(org: Org, read: Reader) -> None:
    """The euro has had rates of its days since 2026-11-10; the standing one is today's. The pound has it alone."""
    org.field("Account", "CurrencyIsoCode", "string")
    org.object("CurrencyType", "01L", IsoCode="string", ConversionRate="double")
    for account, iso, rate in ((ONE, "EUR", 0.5), (TWO, "USD", 1.0), (THREE, "GBP", 0.8)):
        org.account(account).update(CurrencyIsoCode=iso, ARR__c=9000.0)
        org.add("CurrencyType", IsoCode=iso, ConversionRate=rate)
    fields = {"IsoCode": "string", "ConversionRate": "double", "StartDate": "date", "NextStartDate": "date"}
    org.object("DatedConversionRate", "04w", **fields)
    days = {"StartDate": day("2026-11-10"), "NextStartDate": day("9999-12-31")}
    org.add("DatedConversionRate", IsoCode="EUR", ConversionRate=0.9, **days)
    found = read(org)
    assert [found.of(each)["arr"] for each in (ONE, TWO, THREE)] == [None, 9000, 11_250]
    assert "the org has no rate for EUR" in found.notes


def test_tier_and_seats_that_changed_after_as_of_are_not_todays_where_the_history_shows_it(
    org: Org, read: Reader
) -> None:
    """TWO was Bronze with 9,000 and 40 seats at the end of October; now it is Silver with 30,000 and 90."""
    changed = {"ARR__c": ("9000", "30000"), "Tier__c": ("Bronze", "Silver"), "Seats__c": ("40", "55")}
    for name, (before, now) in changed.items():
        change = {"Field": name, "OldValue": before, "NewValue": now, "CreatedDate": at("2026-11-10T10:00")}
        org.add("AccountHistory", AccountId=TWO, **change)
    again = {"Field": "Seats__c", "OldValue": "55", "NewValue": "90", "CreatedDate": at("2026-11-12T10:00")}
    org.add("AccountHistory", AccountId=TWO, **again)
    org.account(TWO)["Seats__c"] = org.account(ONE)["Seats__c"] = 90
    earlier = {"Field": "Tier__c", "OldValue": "Silver", "NewValue": "Bronze", "CreatedDate": at("2026-10-10T10:00")}
    org.add("AccountHistory", AccountId=ONE, **earlier)
    found = read(org)
    assert (found.of(TWO)["arr"], found.of(TWO)["seats"], found.of(ONE)["seats"]) == (9000, 40, 90)
    assert found.values("tier_alignment") == [0, "unclear", "no_evidence"]
    assert found.values("qbr_attendance") == ["not_expected", "unclear", "not_configured"]
    assert f"the tier changed after as_of: 1 account, such as {TWO}" in found.notes
    left_out = found.extract.counts["arr_changes"].left_out
    assert left_out["changes of tier or seats, not of ARR"] == 4
