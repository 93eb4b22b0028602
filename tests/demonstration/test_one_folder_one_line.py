"""A system, and a destination, is one folder and one line of the register: shown on a copy of the package."""

import math
from collections.abc import Iterable
from typing import Any

import polars as pl
import pytest

from demonstration.copies import ACCOUNTS, PACKAGE, PERIOD, Copy, Session

SUPPORT = (
    "total_conversations",
    "p1_p2_pct",
    "escalation_pct",
    "median_first_response_seconds",
    "median_resolution_seconds",
    "csat_score",
    "csat_response_rate",
)
RUN = f"run --period {PERIOD}"
WHOLE, CHECK, LINKS, REPORT, AGAIN, NO_HELPDESK, NO_INTERCOM, NO_LOGBOOK = range(8)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    made = Copy.make(tmp_path_factory.mktemp("copy"))
    made.add_folder("systems", "helpdesk")
    made.add_folder("sandbox", "helpdesk")
    made.add_folder("systems", "logbook")
    return made


@pytest.fixture(scope="module")
def session(copy: Copy) -> Session:
    return copy.run(
        RUN,
        f"check --period {PERIOD}",
        "accounts --json",
        f"report --period {PERIOD} --json",
        RUN,
        f"DOWN=helpdesk ACCOUNTPULSE_STATE=no-helpdesk LOGBOOK_FILE=other.parquet {RUN} --allow-partial",
        f"DOWN=intercom ACCOUNTPULSE_STATE=no-intercom LOGBOOK_FILE=other.parquet {RUN} --allow-partial",
        f"ACCOUNTPULSE_STATE=no-logbook LOGBOOK_FILE=absent/logbook.parquet {RUN}",
        LOGBOOK_FILE="logbook.parquet",
    )


def support_of(truth: Iterable[Any]) -> dict[tuple[str, str], tuple[Any, Any]]:
    return {(account, metric): (value, why) for account, metric, value, why in truth if metric in SUPPORT}


def differences(measured: pl.DataFrame, expected: dict[tuple[str, str], tuple[Any, Any]]) -> list[str]:
    rows = {row["account_id"]: row for row in measured.iter_rows(named=True)}
    assert len(expected) == len(rows) * len(SUPPORT) == ACCOUNTS * len(SUPPORT)
    found = []
    for (account, metric), (value, reason) in expected.items():
        got, why = rows[account][metric], rows[account][f"{metric}_reason"]
        same = why == reason and (got is None if value is None else got is not None and math.isclose(got, value))
        if not same:
            found.append(f"{account} {metric}: {got} ({why}), true is {value} ({reason})")
    return found


def test_only_the_folders_and_the_registers_were_touched(copy: Copy) -> None:
    registers = ["systems/__init__.py", "sandbox/__init__.py"]
    folders = ["systems/helpdesk/", "sandbox/helpdesk/", "systems/logbook/"]
    assert sorted(copy.changed) == sorted([*folders, *registers])
    for path in PACKAGE.rglob("*"):
        if path.suffix in {".py", ".yaml", ".js", ".html"}:
            text = path.read_text(encoding="utf-8").lower()
            assert "helpdesk" not in text, path
            assert "logbook" not in text, path


def test_support_of_all_accounts_is_that_of_both_systems_united(copy: Copy, session: Session) -> None:
    assert session.done[WHOLE].code == 0
    assert differences(copy.history("metrics"), support_of(session.truth)) == []


def test_accounts_of_both_one_and_no_support_system_are_among_them(copy: Copy, session: Session) -> None:
    evidence = copy.history("evidence").filter(pl.col("source").is_in(["intercom", "helpdesk"]))
    linked = evidence.filter(pl.col("reason").is_null()).group_by("account_id").agg(pl.col("source").sort())
    assert {tuple(sources) for sources in linked["source"]} == {("intercom",), ("helpdesk",), ("helpdesk", "intercom")}
    assert linked.height < ACCOUNTS
    tickets = evidence.filter(pl.col("source") == "helpdesk")
    assert tickets["rows"].sum() == 36  # three of every second customer
    assert set(tickets.filter(pl.col("rows") > 0)["account_id"]) == set(session.customers["helpdesk"])


def test_a_run_and_a_check_name_both_systems(session: Session) -> None:
    run, check = session.done[WHOLE], session.done[CHECK]
    assert "36 tickets" in run.text
    assert "helpdesk can't be looked at before a run: it was not asked" in check.text
    assert "intercom signed in" in check.text
    assert check.code == 0


def test_every_account_stands_in_each_system_as_the_rule_and_the_file_say(session: Session) -> None:
    links = session.done[LINKS].data
    customers = set(session.customers["helpdesk"])
    assert len(links["accounts"]) == links["customers"] == ACCOUNTS
    for account in links["accounts"]:
        stands = account["helpdesk"]
        is_linked = account["account_id"] in customers
        assert (stands["state"], stands["by"]) == (("linked" if is_linked else "none"), "file")
    assert links["sources"]["helpdesk"]["linked"] == len(customers) == ACCOUNTS // 2
    assert 0 < links["sources"]["intercom"]["linked"] < ACCOUNTS


def test_the_report_tells_the_two_systems_of_support_apart(session: Session) -> None:
    report = session.done[REPORT].data
    gaps = {title: [row for row in report["gaps"] if row["source"] == title] for title in ("Helpdesk", "Intercom")}
    assert all(sum(row["accounts"] for row in rows) == ACCOUNTS for rows in gaps.values())
    assert sum(row["known"] for row in gaps["Helpdesk"]) == len(session.customers["helpdesk"])
    assert sum(row["not_linked"] for row in gaps["Helpdesk"]) == ACCOUNTS // 2
    assert 4 <= sum(row["not_linked"] for row in gaps["Intercom"]) < ACCOUNTS // 2  # four have no company at all


@pytest.mark.parametrize(("down", "number"), [("helpdesk", NO_HELPDESK), ("intercom", NO_INTERCOM)])
def test_a_failed_system_leaves_support_unknown_only_where_the_account_is_linked_in_it(
    copy: Copy, session: Session, down: str, number: int
) -> None:
    linked = set(session.customers[down])
    expected = {
        (account, metric): (None, "source_failed") if account in linked else rest
        for (account, metric), rest in support_of(session.truth_without[down]).items()
    }
    assert 0 < len(linked) < ACCOUNTS
    assert session.done[number].code == 5
    assert differences(copy.history("metrics", f"no-{down}"), expected) == []


def test_a_destination_gets_every_record_and_a_second_run_changes_nothing(copy: Copy, session: Session) -> None:
    table = pl.read_parquet(copy.root / "logbook.parquet")
    assert table.height == table["account_id"].n_unique() == ACCOUNTS
    scores = copy.history("scores").sort("account_id")
    assert table.sort("account_id")["health_score"].equals(scores["health_score"])
    assert f"Wrote {ACCOUNTS} records to Logbook" in session.done[WHOLE].text
    unchanged = f"Wrote 0 records to Logbook (0 created, 0 updated), {ACCOUNTS} unchanged"
    assert unchanged in session.done[AGAIN].text


def test_a_destination_that_breaks_off_costs_neither_the_others_records_nor_the_history(
    copy: Copy, session: Session
) -> None:
    broken = session.done[NO_LOGBOOK]
    assert broken.code == 5
    assert "records to Salesforce" in broken.text
    assert "The load to Logbook broke off: logbook: writing the file failed" in broken.text
    assert copy.history("scores", "no-logbook").height == ACCOUNTS
