"""The document of a report against the state that it is made from, counted again here in another way."""

import csv
import io
import json
import math
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from accountpulse.core.period import Period
from accountpulse.pipeline import earlier_runs, report_document
from accountpulse.pipeline.earlier_runs import EarlierRun
from accountpulse.pipeline.report_input import read
from accountpulse.report.columns import COLUMNS
from accountpulse.report.table import csv as table
from accountpulse.scoring.account_details import ScoredAccount, account_details
from accountpulse.scoring.change import change_between
from accountpulse.scoring.explain import why_unknown
from accountpulse.state import State
from report.kept import runs

AS_OF = date(2026, 11, 1)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def document(kept: Path) -> dict[str, Any]:
    """As the page reads it: after JSON."""
    made = report_document.document(State(kept), None)
    return json.loads(json.dumps(made, allow_nan=False))


@pytest.fixture(scope="module")
def now(kept: Path) -> EarlierRun:
    return earlier_runs.recall_or_refuse(State(kept), Period(2026, 10))


@pytest.fixture(scope="module")
def rows(now: EarlierRun) -> list[dict[str, Any]]:
    return now.scores.sort("account_id").to_dicts()


def test_the_accounts_are_those_of_the_state_with_the_same_numbers(
    document: dict[str, Any], rows: list[dict[str, Any]], now: EarlierRun
) -> None:
    accounts = document["accounts"]
    same = {"id": "account_id", "name": "account_name", "owner": "owner", "arr": "arr", "tier": "tier"}
    same |= {"health": "health_score", "risk": "churn_risk_score", "coverage": "coverage", "cap": "cap_reason"}
    for column, name in same.items():
        assert accounts[column] == [row[name] for row in rows], column
    for i, row in enumerate(rows):
        assert accounts["band"][i] == now.card.risk_band(row["churn_risk_score"])
        days = row["days_to_renewal"]
        assert accounts["renewal"][i] == (None if days is None else (AS_OF + timedelta(days=days)).isoformat())
        if row["drivers"]:
            assert accounts["drivers"][i].count("; ") == len(row["drivers"]) - 1
            assert accounts["drivers"][i].replace(", ", "; ") in row["drivers_text"].replace(", ", "; ")
    for column in accounts.values():
        assert len(column) == 120


def test_the_head_says_which_run_it_was_and_how_the_sources_stood(document: dict[str, Any], now: EarlierRun) -> None:
    facts = now.facts
    assert document["run"]["id"] == facts["run_id"]
    assert document["scorecard"] == {"name": "default", "version": "1", "hash": now.card.hash}
    assert document["before"]["period"] == "2026-09"
    assert document["before"]["same_scorecard"] is False
    counts = document["counts"]
    assert (counts["customers"], counts["scored"], counts["left_out"]) == (120, 120, 0)
    assert counts["rated"] + counts["not_rated"] == 120
    assert [each["state"] for each in document["sources"]] == ["read"] * 4
    by_name = {each["name"]: each for each in document["sources"]}
    assert by_name["Salesforce"]["rows"]["accounts"] == 120
    assert by_name["Intercom"]["read_at"] == "2026-11-23T08:00:00+00:00"
    assert document["alarms"] == []


def test_groups_add_up_to_the_whole(document: dict[str, Any], rows: list[dict[str, Any]], kept: Path) -> None:
    total = sum(row["arr"] or 0 for row in rows)
    assert document["arr"]["total"] == pytest.approx(total)
    assert document["arr"]["currency"] == "EUR"
    assert document["arr"]["accounts_without"] == sum(row["arr"] is None for row in rows)
    for group in (document["distribution"], document["risk"], *document["at_risk"].values()):
        assert sum(each["accounts"] for each in group) == 120
        assert sum(each["arr"] or 0 for each in group) == pytest.approx(total)
    tiers = Counter(row["tier"] for row in rows)
    assert {each["tier"]: each["accounts"] for each in document["distribution"] if each["accounts"]} == tiers
    september = pl.read_parquet(kept / "history" / "scores" / "period=2026-09" / "scores.parquet")
    before = {each["tier"]: each["accounts_before"] for each in document["distribution"] if each["accounts_before"]}
    assert before == Counter(september["tier"])
    names = [each["name"] for each in document["tiers"]]
    for source in ("Salesforce", "Intercom", "Jira", "Looker"):
        lines = [each for each in document["gaps"] if each["source"] == source]
        assert {each["tier"]: each["accounts"] for each in lines} == tiers
        assert [each["tier"] for each in lines] == [name for name in names if tiers[name]]
        for each in lines:
            kinds = ("known", "not_linked", "nothing_there", "could_not_look")
            assert sum(each[kind] for kind in kinds) == each["accounts"]


def test_the_worklist_goes_by_risk_within_floors_by_the_risk_before_them_and_what_is_unknown_comes_last(
    document: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    def rank(i: int) -> tuple[Any, ...]:
        row, unknown = rows[i], 1.0
        numbers = (row["churn_risk_score"], row["risk_z"], row["arr"])
        return (*(unknown if number is None else -1e9 - number for number in numbers), row["account_id"])

    assert document["worklist"] == sorted(range(120), key=rank)
    risks = [rows[i]["churn_risk_score"] for i in document["worklist"]]
    assert risks.count(10.0) > 5  # a floor
    assert risks[-1] is None
    for i, row in enumerate(rows):
        before = document["accounts"]["risk_before_floors"][i]
        expected = None if row["risk_z"] is None else 100 / (1 + math.exp(-row["risk_z"]))
        assert before == (None if expected is None else pytest.approx(expected))
        assert before is None or before <= row["churn_risk_score"] + 1e-9


def test_the_renewals_in_danger_are_not_green_and_due_in_90_days_the_highest_arr_first(
    document: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    def is_due(row: dict[str, Any]) -> bool:
        days = row["days_to_renewal"]
        return row["tier"] not in ("Champion", "Healthy") and days is not None and days <= 90

    expected = [i for i in range(120) if is_due(rows[i])]
    expected.sort(key=lambda i: (rows[i]["arr"] is None, -(rows[i]["arr"] or 0), rows[i]["account_id"]))
    assert document["danger"] == expected
    assert len(expected) > 10
    assert {"At Risk", "Critical"} <= {rows[i]["tier"] for i in expected}


def test_what_crossed_a_line_is_what_differs_from_the_run_before_by_the_same_scorecard(
    document: dict[str, Any], rows: list[dict[str, Any]], kept: Path
) -> None:
    inputs = read(State(kept), None)
    assert inputs.rescored is not None
    assert inputs.before is not None
    then = {row["account_id"]: row for row in inputs.rescored.to_dicts()}
    measured = {row["account_id"]: row for row in inputs.before.scores.to_dicts()}
    told = {each["i"]: {line["line"]: line for line in each["lines"]} for each in document["crossed"]}
    ways = [each["way"] for each in document["crossed"]]
    assert ways == sorted(ways, key=["fell", "rose", ""].index)
    assert set(ways) == {"fell", "rose", ""}
    for i, row in enumerate(rows):
        lines, before, days = told.get(i, {}), then[row["account_id"]], measured[row["account_id"]]["days_to_renewal"]
        rated = "Not Rated" not in (row["tier"], before["tier"])
        assert ("tier" in lines) == (rated and row["tier"] != before["tier"])
        entered = [n for n in (30, 90, 180) if None not in (days, row["days_to_renewal"])
                   and row["days_to_renewal"] <= n < days]  # fmt: skip
        overdue = days is not None and row["days_to_renewal"] is not None and row["days_to_renewal"] < 0 <= days
        assert ("renewal" in lines) == (bool(entered) or overdue)
        if "renewal" in lines and not overdue:
            assert lines["renewal"]["text"].startswith(f"renewal within {min(entered)} days (20")
    assert {line for lines in told.values() for line in lines} >= {"tier", "cap", "critical signal", "renewal"}
    movers = {each["i"]: each["lines"] for each in document["movers"]}
    assert all(lines == list(told.get(i, {}).values()) for i, lines in movers.items())


def test_waterfalls_and_contributions_add_up_on_every_account_and_are_those_of_change(
    document: dict[str, Any], rows: list[dict[str, Any]], kept: Path
) -> None:
    inputs, details = read(State(kept), None), document["details"]
    assert inputs.before is not None
    assert inputs.rescored is not None
    then = {row["account_id"]: row for row in inputs.before.scores.to_dicts()}
    again = {row["account_id"]: row for row in inputs.rescored.to_dicts()}
    parts = details["change"]["parts"]
    told = 0
    for i, row in enumerate(rows):
        account = row["account_id"]
        contributions = [metric["contribution"][i] or 0.0 for metric in details["metrics"].values()]
        if row["health_before_caps"] is not None:
            assert math.isclose(sum(contributions), row["health_before_caps"], abs_tol=1e-9)
        expected = change_between(then[account], again[account], row, inputs.month.card)
        flat = {name: parts[name][i] for name in ("scorecard", "coverage", "caps")}
        effects = {name: values[i] for name, values in parts["metrics"].items() if values[i] is not None}
        if expected is None:
            assert effects == {}
            assert details["change"]["total"][i] is None
            assert set(flat.values()) == {None}
            continue
        told += 1
        for name, value in flat.items():
            assert math.isclose(value, getattr(expected, name), abs_tol=1e-9), name
        assert effects == pytest.approx(dict(expected.metrics), abs=1e-9)
        moved = row["health_score"] - then[account]["health_score"]
        assert math.isclose(sum(flat.values()) + sum(effects.values()), moved, abs_tol=1e-9)
        assert math.isclose(details["change"]["total"][i], moved, abs_tol=1e-9)
        assert details["change"]["health_before_change"][i] == then[account]["health_score"]
    assert told > 100


def test_every_metric_of_the_account_view_is_what_explain_says(
    document: dict[str, Any], rows: list[dict[str, Any]], now: EarlierRun
) -> None:
    details, words = document["details"], document["details"]["reasons"]
    for i, row in enumerate(rows):
        story = account_details(ScoredAccount(row, now.card, "2026-10", AS_OF))
        for metric in story["metrics"]:
            shown = {key: values[i] for key, values in details["metrics"][metric["name"]].items()}
            assert (shown["value"], shown["points"]) == (metric["value"], metric["points"])
            reason = None if shown["reason"] is None else words[shown["reason"]]
            assert reason == metric["why_not_known"]
            if metric["points"] is not None:
                assert shown["contribution"] == metric["contribution"]
                assert math.isclose(shown["weight"] * metric["points"], metric["contribution"], abs_tol=1e-9)
        for each in story["dimensions"]:
            shown = {key: values[i] for key, values in details["dimensions"][each["name"]].items()}
            assert shown["score"] == each["score"]
            assert math.isclose(shown["coverage"], each["coverage"], abs_tol=1e-12)
            assert math.isclose(shown["weight"], each["weight"], abs_tol=1e-12)
            assert 0 <= shown["lower"] <= shown["upper"] <= 100


def test_a_metric_that_stands_in_is_shown_with_its_own_value(
    document: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    instead = document["details"]["metrics"]["mau"]["instead"]
    entry = next(each for each in document["catalogue"] if each["name"] == "mau")
    assert (entry["per"], entry["instead"]["name"]) == ("seats", "mau_trend_pct")
    without_seats = [row["mau_trend_pct"] if not row["seats"] else None for row in rows]
    assert instead == without_seats
    assert any(value is not None for value in instead)


def test_movers_are_the_other_tiers_and_five_points_and_more(document: dict[str, Any], kept: Path) -> None:
    accounts = document["accounts"]
    expected = set()
    for i in range(120):
        before, after = accounts["health_before"][i], accounts["health"][i]
        far = before is not None and after is not None and abs(after - before) >= 5
        if far or accounts["tier"][i] != accounts["tier_before"][i]:
            expected.add(i)
    movers = document["movers"]
    assert {each["i"] for each in movers} == expected
    assert len(movers) == len(expected) > 10
    sizes = [None if None in (m["change"], m["arr"]) else abs(m["change"]) * m["arr"] for m in movers]
    known = [size for size in sizes if size is not None]
    assert sizes[: len(known)] == sorted(known, reverse=True)
    for each in movers:
        assert 1 <= len(each["words"]) <= 3
        if each["change"] is not None:
            assert each["change"] == pytest.approx(each["health"] - each["health_before"])
            assert each["scorecard_effect"] != 0  # adoption weighs less now
    assert State(kept).history.periods() == ["2026-07", "2026-09", "2026-10"]


def test_renewals_are_the_overdue_ones_and_those_of_180_days(
    document: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    points = document["renewals"]
    due = {i for i, row in enumerate(rows) if row["days_to_renewal"] is not None and row["days_to_renewal"] <= 180}
    assert {point["i"] for point in points} == due
    assert [point["days"] for point in points] == sorted(point["days"] for point in points)
    assert [point["overdue"] for point in points] == [point["days"] < 0 for point in points]


def test_the_line_has_twelve_months_and_marks_the_scorecards(document: dict[str, Any], kept: Path) -> None:
    assert document["periods"] == [f"2025-{month}" for month in (11, 12)] + [
        f"2026-{month:02}" for month in range(1, 11)
    ]
    assert list(document["scorecards"]) == ["2026-07", "2026-09", "2026-10"]
    assert document["scorecards"]["2026-09"]["hash"] != document["scorecards"]["2026-10"]["hash"]
    july = pl.read_parquet(kept / "history" / "scores" / "period=2026-07" / "scores.parquet")
    health = dict(july.select("account_id", "health_score").iter_rows())
    for account, line in zip(document["accounts"]["id"], document["details"]["lines"], strict=True):
        assert len(line) == 12
        assert line[8] == health.get(account)
        assert line[9] is None  # August was not run
        assert line[11] == document["accounts"]["health"][document["accounts"]["id"].index(account)]


def test_open_signals_are_rows_with_an_age_and_agree_with_their_counts(
    document: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    signals = document["details"]["signals"]
    assert sum(map(len, signals)) > 10
    for row, open_ones in zip(rows, signals, strict=True):
        assert sum(each["status"].startswith("monitoring") for each in open_ones) == row["monitoring_reduction"]
        active = Counter(each["severity"] for each in open_ones if each["status"].startswith("active"))
        lowered = [each for each in open_ones if each["status"].startswith("monitoring")]
        criticals = active["critical"]
        moderates = active["moderate"] + sum(each["severity"] == "critical" for each in lowered)
        assert (row["critical_signals"], row["moderate_signals"]) == (criticals, moderates)
        for each in open_ones:
            assert each["age_days"] == (AS_OF - date.fromisoformat(each["date"])).days >= 0


def test_reasons_are_counted_over_the_portfolio(
    document: dict[str, Any], rows: list[dict[str, Any]], now: EarlierRun
) -> None:
    for leaf in now.card.leaves:
        counted = Counter(why_unknown(row, leaf) for row in rows)
        known = counted.pop(None, 0)
        found = [each for each in document["missing_metrics"] if each["metric"] == leaf.name]
        assert [(each["known"], each["reasons"]) for each in found] == ([(known, dict(counted))] if counted else [])


def test_the_catalogue_says_what_every_number_means(document: dict[str, Any], now: EarlierRun) -> None:
    catalogue = {each["name"]: each for each in document["catalogue"]}
    assert list(catalogue) == [leaf.name for leaf in now.card.leaves]
    assert catalogue["open_bugs"]["direction"] == "lower is better"
    assert catalogue["csat_score"]["direction"] == "higher is better"
    assert catalogue["csat_score"]["window"] == "the 90 days up to 2026-10-31"
    assert catalogue["mau"]["source"] == "Looker"
    assert math.isclose(sum(each["weight"] for each in catalogue.values()), 1)
    assert all(each[key] for each in catalogue.values() for key in ("label", "unit", "window", "direction"))


def test_the_csv_is_the_worklist_with_the_numbers_of_the_document(document: dict[str, Any]) -> None:
    lines = list(csv.DictReader(io.StringIO(table(document).decode())))
    accounts = document["accounts"]
    assert [line["account_id"] for line in lines] == [accounts["id"][i] for i in document["worklist"]]
    for line, i in zip(lines, document["worklist"], strict=True):
        numbers = {"health_score": "health", "churn_risk_score": "risk", "arr": "arr", "coverage": "coverage"}
        numbers["adoption_score"] = "dimension:adoption"
        for name, column in numbers.items():
            assert (float(line[name]) if line[name] else None) == accounts[column][i], name
        texts = {"tier": "tier", "renewal_date": "renewal", "drivers": "drivers", "next_step": "step"}
        for name, column in texts.items():
            assert line[name] == (accounts[column][i] or ""), name


def test_every_column_of_the_accounts_is_a_declared_one(document: dict[str, Any], now: EarlierRun) -> None:
    dimensions = {f"dimension:{name}" for name in now.card.dimensions}
    assert set(document["accounts"]) == {column.key for column in COLUMNS} | dimensions | {"links"}
    head = table(document).decode().splitlines()[0].split(",")
    unheard = ("probability_lower", "forecast")  # no calibration counts, and the month was run long after its end
    there = [column.name for column in COLUMNS if column.only_with not in unheard]
    assert head == [*there, *(f"{name}_score" for name in now.card.dimensions)]
    guide = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    described = guide[guide.index("| columns | |") : guide.index("## The data behind the page")]
    assert sorted(re.findall(r"`([a-z_<>]+)`", described)) == sorted(
        [*(column.name for column in COLUMNS), "<dimension>_score"]
    )


def test_a_name_that_a_spreadsheet_would_run_is_harmless_in_the_csv(document: dict[str, Any]) -> None:
    hostile = '=HYPERLINK("http://x","y")'
    names = [hostile] * 120
    lines = csv.DictReader(
        io.StringIO(table({**document, "accounts": {**document["accounts"], "name": names}}).decode())
    )
    assert {line["account_name"] for line in lines} == {"'" + hostile}
