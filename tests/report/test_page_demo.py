"""The page of the demo's company, as real runs left it: equal to the CSV beside it, and every account adds up."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accountpulse.pipeline import report_document
from accountpulse.report import table
from accountpulse.state import State
from report.browsing import Visit, number
from report.kept import runs
from report.test_page_account import ALL_VIEWS

Open = Callable[..., Visit]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return report_document.document(State(runs(tmp_path_factory.mktemp("demo"))), None)


def test_the_page_shows_the_numbers_of_the_csv_and_every_account_adds_up(
    visit: Open, written: Callable[[dict[str, Any]], Path], kept: dict[str, Any]
) -> None:
    shown = visit(written(kept))
    shown.show_all("worklist")
    lines = list(csv.DictReader(io.StringIO(table.csv(kept).decode("utf-8-sig"))))
    assert len(lines) == 120
    slots = {"health": ("health_score", 1), "risk": ("churn_risk_score", 0)}
    for slot, (column, decimals) in slots.items():
        texts = ["–" if line[column] == "" else f"{float(line[column]):.{decimals}f}" for line in lines]
        assert shown.texts(f"#worklist-rows [data-slot={slot}]") == texts
    assert shown.texts("#worklist-rows [data-slot=tier]") == [line["tier"] for line in lines]

    views = shown.page.evaluate(ALL_VIEWS, [line["account_id"] for line in lines])
    for line, view in zip(lines, views, strict=True):
        contributions = [number(text) for _, text in view["metrics"] if text != "–"]
        assert sum(contributions) == number(view["foot"][0][1])
        if line["health_before_caps"]:
            assert view["foot"][0][1] == f"{float(line['health_before_caps']):.1f}"
        if line["health_score"] and line["health_score_before"]:
            (_, begin), *steps, (_, end) = view["waterfall"]
            assert begin == f"{float(line['health_score_before']):.1f}"
            assert number(begin) + sum(number(text) for _, text in steps) == number(end)
            assert end == f"{float(line['health_score']):.1f}"
