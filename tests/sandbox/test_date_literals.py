"""Date literals by the table of Salesforce's reference, counted by hand from Wednesday, 18 November 2026, 09:30 UTC."""

from datetime import UTC, date, datetime

import pytest

from accountpulse.sandbox.salesforce.soql import spans
from accountpulse.sandbox.salesforce.soql.errors import SoqlError
from accountpulse.sandbox.salesforce.soql.evaluator import run
from accountpulse.sandbox.salesforce.soql.schema import Schema
from accountpulse.sandbox.world.org import empty_objects
from accountpulse.sandbox.world.org_builder import Row

NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "number", "first", "last"),
    [
        ("YESTERDAY", None, "2026-11-17", "2026-11-17"),
        ("TODAY", None, "2026-11-18", "2026-11-18"),
        ("TOMORROW", None, "2026-11-19", "2026-11-19"),
        ("LAST_WEEK", None, "2026-11-08", "2026-11-14"),
        ("THIS_WEEK", None, "2026-11-15", "2026-11-21"),
        ("NEXT_WEEK", None, "2026-11-22", "2026-11-28"),
        ("LAST_MONTH", None, "2026-10-01", "2026-10-31"),
        ("THIS_MONTH", None, "2026-11-01", "2026-11-30"),
        ("NEXT_MONTH", None, "2026-12-01", "2026-12-31"),
        ("LAST_QUARTER", None, "2026-07-01", "2026-09-30"),
        ("THIS_QUARTER", None, "2026-10-01", "2026-12-31"),
        ("NEXT_QUARTER", None, "2027-01-01", "2027-03-31"),
        ("LAST_YEAR", None, "2025-01-01", "2025-12-31"),
        ("NEXT_YEAR", None, "2027-01-01", "2027-12-31"),
        ("LAST_90_DAYS", None, "2026-08-20", "2026-11-18"),
        ("NEXT_90_DAYS", None, "2026-11-19", "2027-02-16"),
        ("LAST_N_DAYS", 1, "2026-11-17", "2026-11-18"),
        ("NEXT_N_DAYS", 2, "2026-11-19", "2026-11-20"),
        ("N_DAYS_AGO", 3, "2026-11-15", "2026-11-15"),
        ("LAST_N_WEEKS", 2, "2026-11-01", "2026-11-14"),
        ("LAST_N_MONTHS", 2, "2026-09-01", "2026-10-31"),
        ("NEXT_N_MONTHS", 2, "2026-12-01", "2027-01-31"),
        ("N_MONTHS_AGO", 11, "2025-12-01", "2025-12-31"),
        ("LAST_N_QUARTERS", 1, "2026-07-01", "2026-09-30"),
        ("LAST_N_YEARS", 2, "2024-01-01", "2025-12-31"),
    ],
)
def test_a_literal_spans_the_days_of_the_reference(word: str, number: int | None, first: str, last: str) -> None:
    begin, end = spans.days(spans.checked(word, number), NOW.date())
    assert (begin, end - spans.DAY) == (date.fromisoformat(first), date.fromisoformat(last))


def contracts() -> Schema:
    """Contracts that end on five days, and one without an end."""
    objects = empty_objects()
    ends = {"a": "2026-10-31", "b": "2026-11-01", "c": "2026-11-18", "d": "2026-11-30", "e": "2026-12-01", "f": None}
    for name, day in ends.items():
        row: Row = dict.fromkeys(objects["Contract"].fields)
        row |= {"Id": f"80000000000000{name}", "Status": name, "EndDate": date.fromisoformat(day) if day else None}
        row["CreatedDate"] = datetime(2026, 11, 18, 9 if name < "d" else 23, tzinfo=UTC)
        objects["Contract"].rows.append(row)
    return Schema(objects, now=lambda: NOW)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("EndDate = THIS_MONTH", "bcd"),
        ("EndDate < THIS_MONTH", "a"),
        ("EndDate <= THIS_MONTH", "abcd"),
        ("EndDate > THIS_MONTH", "e"),
        ("EndDate >= THIS_MONTH", "bcde"),
        ("EndDate != THIS_MONTH", "aef"),
        ("CreatedDate = TODAY", "abcdef"),
        ("CreatedDate = LAST_N_DAYS:1", "abc"),  # up to the present second
    ],
)
def test_a_comparison_is_with_the_whole_span(condition: str, found: str) -> None:
    rows = run(f"SELECT Status FROM Contract WHERE {condition}", contracts()).rows  # noqa: S608 - the lines above
    assert "".join(sorted(str(row["Status"]) for row in rows)) == found


def test_only_dates_have_a_place_in_a_span() -> None:
    with pytest.raises(SoqlError) as caught:
        run("SELECT Id FROM Contract WHERE Status = TODAY", contracts())
    assert caught.value.code == "INVALID_FIELD"
