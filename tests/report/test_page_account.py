"""The view of one account: opened by click and by link, and what it shows adds up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from report.browsing import Visit, number
from report.documents import document

Open = Callable[..., Visit]
# every account is opened by its link in turn; what each view shows comes back
ALL_VIEWS = """async (ids) => {
    const body = document.getElementById("account-body");
    const cells = (selector) => [...body.querySelectorAll(selector)].map((row) => [
        row.querySelector("th")?.firstChild.textContent ?? "", row.lastElementChild.textContent]);
    const views = [];
    for (const id of ids) {
        const drawn = new Promise((done) => {
            new MutationObserver((_, watch) => { watch.disconnect(); done(); }).observe(body, {childList: true});
        });
        location.hash = `#account=${id}`;
        await drawn;
        const [metrics, foot] = [cells(".metrics tbody tr:not(.group)"), cells(".metrics tfoot tr")];
        views.push({waterfall: cells(".waterfall tr"), metrics, foot});
    }
    return views;
}"""


@pytest.fixture(scope="module")
def views(browser: Browser, portfolio_page: Path, portfolio: dict[str, Any]) -> list[dict[str, list[list[str]]]]:
    visit = Visit(browser, portfolio_page)
    shown: list[dict[str, list[list[str]]]] = visit.page.evaluate(ALL_VIEWS, portfolio["accounts"]["id"])
    visit.close()
    assert visit.problems == []
    return shown


def test_the_waterfall_of_every_account_adds_up_as_it_is_shown(
    views: list[dict[str, list[list[str]]]], portfolio: dict[str, Any]
) -> None:
    change = portfolio["details"]["change"]
    labels = {metric["label"]: metric["name"] for metric in portfolio["catalogue"]}
    seen = 0
    for i, view in enumerate(views):
        if change["total"][i] is None:
            assert view["waterfall"] == []
            continue
        seen += 1
        (_, begin), *steps, (_, end) = view["waterfall"]
        assert number(begin) + sum(number(text) for _, text in steps) == number(end)
        assert begin == f"{change['health_before_change'][i]:.1f}"
        assert end == f"{portfolio['accounts']['health'][i]:.1f}"
        for label, text in steps:
            if label in labels:
                assert float(number(text)) == pytest.approx(change["parts"]["metrics"][labels[label]][i], abs=0.11)
        caps = dict(map(tuple, steps)).get("caps", "0")  # type: ignore[arg-type]
        assert float(number(caps)) == pytest.approx(change["parts"]["caps"][i], abs=0.11)
    assert seen > 60


def test_the_contributions_of_every_account_add_up_to_its_health_before_caps(
    views: list[dict[str, list[list[str]]]], portfolio: dict[str, Any]
) -> None:
    for i, view in enumerate(views):
        shown = [number(text) for _, text in view["metrics"] if text != "–"]
        assert sum(shown) == number(view["foot"][0][1])
        before_caps = portfolio["accounts"]["before_caps"][i]
        if before_caps is not None and portfolio["accounts"]["cap"][i] is not None:
            assert view["foot"][0][1] == f"{before_caps:.1f}"


def test_a_view_opens_by_click_and_the_back_button_returns_to_the_same_place(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page)
    link = shown("#worklist-rows tr:nth-child(20) .name")
    name = link.inner_text()
    link.scroll_into_view_if_needed()
    left_at = shown.page.evaluate("window.scrollY")
    link.click()
    shown.page.wait_for_selector("#account:not([hidden])")
    assert shown("#account-name").inner_text() == name
    assert not shown("#portfolio").is_visible()
    assert shown.page.evaluate("document.activeElement.id") == "account-name"
    shown.page.go_back()
    shown.page.wait_for_selector("#portfolio:not([hidden])")
    assert shown.page.evaluate("window.scrollY") == pytest.approx(left_at, abs=2)
    assert shown.page.evaluate("document.activeElement.textContent") == name


def _is_capped_and_open(portfolio: dict[str, Any], i: int) -> bool:
    """Whether an account has a cap and signals, and bounds that differ."""
    accounts = portfolio["accounts"]
    apart = round(accounts["lower"][i] or 0, 1) != round(accounts["upper"][i] or 0, 1)
    return bool(accounts["cap"][i] and portfolio["details"]["signals"][i] and apart)


def test_a_view_opens_by_its_link_with_what_the_document_says(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    accounts = portfolio["accounts"]
    i = next(i for i in range(120) if _is_capped_and_open(portfolio, i))
    shown = visit(portfolio_page, at=f"#account={accounts['id'][i]}")
    text = " ".join(shown("#account").inner_text().split())
    assert shown("#account-name").inner_text() == accounts["name"][i]
    assert f"{accounts['health'][i]:.1f}" in text
    assert f"between {accounts['lower'][i]:.1f} and {accounts['upper'][i]:.1f}" in text
    assert f"{accounts['coverage'][i]:.0f} %" in text
    assert "a risk index, not a probability" in text
    assert all(reason in text for reason in accounts["cap"][i].split("; "))
    assert portfolio["details"]["signals"][i][0]["severity"] in text
    for dimension in portfolio["dimensions"]:
        assert dimension["label"] in text.lower()
    shown("#back").click()
    shown.page.wait_for_selector("#portfolio:not([hidden])")


def test_an_open_signal_is_told_with_its_title_its_owner_and_its_age(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    signals = portfolio["details"]["signals"]
    i = next(i for i in range(120) if signals[i] and signals[i][0]["title"] and signals[i][0]["owner"])
    shown = visit(portfolio_page, at=f"#account={portfolio['accounts']['id'][i]}")
    told = f"{signals[i][0]['severity']}: Sponsor left, active, confirmed, since 9 Oct 2026 (23 days on 1 Nov 2026)"
    assert f"{told}, Ada Okafor" in shown.texts("#account-body li")


def test_every_metric_is_there_with_its_reason_where_it_is_missing(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    metrics = portfolio["details"]["metrics"]
    i = max(range(120), key=lambda i: sum(column["points"][i] is None for column in metrics.values()))
    shown = visit(portfolio_page, at=f"#account={portfolio['accounts']['id'][i]}")
    rows = shown.texts(".metrics tbody tr:not(.group)")
    assert len(rows) == len(portfolio["catalogue"])
    missing = [metric for metric in portfolio["catalogue"] if metrics[metric["name"]]["points"][i] is None]
    assert missing
    for metric in missing:
        (row,) = (row for row in rows if row.startswith(metric["label"]))
        assert portfolio["details"]["reasons"][metrics[metric["name"]]["reason"][i]] in row
        assert f"{metric['direction']} · {metric['window']}" in row
        good = metric["good_in"].get(portfolio["accounts"]["segment"][i], metric["good"])
        assert good in row


def test_the_line_of_twelve_months_has_gaps_and_marks_a_changed_scorecard(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    i = next(i for i, line in enumerate(portfolio["details"]["lines"]) if sum(value is None for value in line) == 1)
    shown = visit(portfolio_page, at=f"#account={portfolio['accounts']['id'][i]}")
    chart = shown("#account .chart")
    chart.locator("svg .mark-symbol path").first.wait_for()
    assert chart.locator("svg .mark-symbol path").count() == 11
    told = chart.get_attribute("aria-label") or ""
    assert "Mar 2026: no run" in told
    assert f"Oct 2026: {portfolio['accounts']['health'][i]:.1f}" in told
    assert "default 2" in " ".join(chart.locator("svg text").all_text_contents())


def test_the_probability_stands_below_the_risk_index_only_where_there_is_one(
    visit: Open, written: Callable[[dict[str, Any]], Path]
) -> None:
    made = document(3)
    for end, values in {"": [18.2, None, None], "_lower": [9.04, 20.0, None], "_upper": [28.5, 41.0, None]}.items():
        made["accounts"][f"probability{end}"] = values
    page, ids = written(made), made["accounts"]["id"]
    figures = [visit(page, at=f"#account={each}").texts("#account .figure")[2] for each in ids]
    assert figures[0].endswith("a risk index, not a probability probability of leaving within 180 days 18 % (9–28 %)")
    assert figures[1].endswith("probability of leaving within 180 days 20–41 % (accounts in its risk band)")
    assert figures[2].endswith("a risk index, not a probability")


@pytest.mark.parametrize("wrong", ["001000000000999AAA", "nonsense", "%E0%A4%A", "<img src=x onerror=alert(1)>"])
def test_an_unknown_account_is_said_to_be_unknown(visit: Open, portfolio_page: Path, wrong: str) -> None:
    shown = visit(portfolio_page, at=f"#account={wrong}")
    assert shown("#account-name").inner_text() == "Unknown account"
    assert "This report has no account with the id" in shown("#account-body").inner_text()
    assert shown("#account-body img").count() == 0
    shown("#back").click()
    shown.page.wait_for_selector("#portfolio:not([hidden])")
