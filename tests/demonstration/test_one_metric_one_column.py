"""A metric is a line of the catalogue and its value, a column of the report one declaration: shown on a copy."""

import csv
from typing import Any

import pytest

from accountpulse.scoring import scorecard
from demonstration.copies import ACCOUNTS, PERIOD, Copy, Session

METRIC = "urgent_conversations"
PILLARS = ("automation", "engagement", "insights", "operations")  # of the sandbox's accountpulse.yaml
METRIC_FILES = ["core/catalogue.py", "metrics/support.py", "scoring/default.yaml"]
COLUMN_FILES = ["report/columns.py", "report/accounts.py"]
CHECK, _RUN, REPORT, _WRITTEN = range(4)


def add_the_metric(copy: Copy) -> None:
    copy.insert(
        "core/catalogue.py",
        "    # support\n",
        f'    Metric("{METRIC}", "support", "urgent conversations", "count", WINDOW, "lower", grows=True),\n',
    )
    copy.insert("metrics/support.py", '_COUNTS = ("total", ', '"p1_p2", ')
    total = '        *reported("total_conversations", nw.col("total")),\n'
    copy.insert("metrics/support.py", total, f'        *reported("{METRIC}", nw.col("p1_p2")),\n')
    copy.insert(
        "scoring/default.yaml",
        "a share or a median of a handful of conversations is noise\n",
        f"      {METRIC}: {{weight: 0.10, anchors: [[0, 100], [50, 0]]}}\n",
    )


def add_the_column(copy: Copy) -> None:
    copy.insert(
        "report/columns.py",
        '    Column("segment", "segment", is_listed=True),\n',
        '    Column("customer_tier", "sold_tier"),\n',
    )
    copy.insert("report/accounts.py", '    "segment": pl.String,\n', '    "customer_tier": pl.String,\n')


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    made = Copy.make(tmp_path_factory.mktemp("copy"))
    add_the_metric(made)
    assert made.changed == METRIC_FILES
    add_the_column(made)
    assert made.changed == METRIC_FILES + COLUMN_FILES
    return made


@pytest.fixture(scope="module")
def session(copy: Copy) -> Session:
    return copy.run(
        "scorecard check accountpulse/scoring/default.yaml",
        f"run --period {PERIOD}",
        f"report --period {PERIOD} --json",
        f"report --period {PERIOD} --out written",
    )


def urgent(truth: list[Any]) -> dict[str, float | None]:
    """The urgent conversations of each account, from what the sandbox knows of their number and share."""
    known = {(account, metric): value for account, metric, value, _ in truth}
    totals = {account: value for (account, metric), value in known.items() if metric == "total_conversations"}
    shares = {account: known[account, "p1_p2_pct"] for account in totals}
    return {
        account: None if total is None else round(total * (shares[account] or 0) / 100)
        for account, total in totals.items()
    }


def test_a_metric_is_a_line_of_the_catalogue_and_its_value(copy: Copy, session: Session) -> None:
    assert [done.code for done in session.done] == [0] * 4
    measured = dict(copy.history("metrics").select("account_id", METRIC).iter_rows())
    expected = urgent(session.truth)
    assert measured == expected
    assert len(expected) == ACCOUNTS
    assert {None, 0.0} < set(expected.values())


def test_a_metric_that_the_scorecard_counts_is_checked_scored_and_shown(copy: Copy, session: Session) -> None:
    assert f"{len(scorecard.default(PILLARS).leaves) + 1} metrics" in session.done[CHECK].output
    points = copy.history("scores")[f"{METRIC}_points"]
    assert points.max() == 100
    shown = [metric for metric in session.done[REPORT].data["catalogue"] if metric["name"] == METRIC]
    assert [metric["label"] for metric in shown] == ["urgent conversations"]


def test_a_column_is_declared_once(copy: Copy, session: Session) -> None:
    tiers = dict(copy.history("metrics").select("account_id", "customer_tier").iter_rows())
    assert len(set(tiers.values())) > 1
    accounts = session.done[REPORT].data["accounts"]
    assert dict(zip(accounts["id"], accounts["customer_tier"], strict=True)) == tiers
    (file,) = (copy.root / "written").glob("*.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["account_id"]: row["sold_tier"] or None for row in rows} == tiers
