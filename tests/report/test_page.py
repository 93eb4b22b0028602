"""The report's page in a real browser: what it shows is what the document says, and its lists can be worked with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from accountpulse.report.page_text import Texts
from report.browsing import Visit
from report.documents import PROOF, document

Open = Callable[..., Visit]
ROWS = "#worklist-rows tr"


def test_a_page_of_120_accounts_opens_and_shows_every_section(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page)
    titles = shown.texts("#portfolio h2, #guide h2")
    for title in (
        "Distribution",
        "ARR at risk",
        "Movers",
        "Renewals",
        "Worklist",
        "Coverage gaps",
        "Does the score say who leaves?",
        "How to read this page",
    ):
        assert title in titles
    assert shown("main").inner_text().count("not a probability") >= 2


def test_the_policy_of_the_page_refuses_any_connection_and_any_foreign_script(
    browser: Browser, portfolio_page: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    context.on("requestfinished", lambda request: asked.append(request.url))
    page.goto(portfolio_page.as_uri())
    page.wait_for_selector("html.ready")
    refused = page.evaluate("""async () => {
        const refused = [];
        document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
        await fetch("http://127.0.0.1:9/").catch(() => null);
        document.body.append(Object.assign(new Image(), {src: "http://127.0.0.1:9/x.png"}));
        const script = document.createElement("script");
        script.textContent = "window.foreign = true";
        document.body.append(script);
        await new Promise((done) => setTimeout(done, 200));
        return [...refused, window.foreign === undefined];
    }""")
    context.close()
    assert {"connect-src", "img-src", "script-src-elem", True} <= set(refused)
    assert asked == [portfolio_page.as_uri()]
    assert "unsafe-eval" not in portfolio_page.read_text(encoding="utf-8").partition("<style>")[0]


def test_the_lines_written_into_the_page_are_those_that_the_scripts_show(visit: Open, portfolio_page: Path) -> None:
    written, scripted = visit(portfolio_page, scripts=False), visit(portfolio_page)
    for rows in (ROWS, "#movers-rows tr", "#attention-rows tr"):
        assert written.texts(rows) == scripted.texts(rows)[: len(written.texts(rows))]
        assert len(written.texts(rows)) > 3
    scripted("[data-sort=name]").click()
    scripted("button[type=reset]").click()
    scripted("[data-movers=rose]").click()
    scripted("[data-movers='']").click()
    expect(scripted("#worklist th[aria-sort=ascending]")).to_have_text("#")
    for rows in (ROWS, "#movers-rows tr"):  # now the scripts have made them
        assert written.texts(rows) == scripted.texts(rows)
        classes = "(all) => all.map((row) => row.className)"
        assert written(rows).evaluate_all(classes) == scripted(rows).evaluate_all(classes)


def test_a_sum_of_arr_is_written_as_every_other_amount(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown, accounts = visit(portfolio_page), portfolio["accounts"]
    texts = Texts("USD")
    for i in range(0, 120, 7):
        shown("#search").fill(accounts["id"][i])
        assert shown("#found").inner_text() == f"1 of 120 accounts, {texts.money(accounts['arr'][i] or 0.0)} of ARR"


def test_without_scripts_the_page_still_says_the_most_and_offers_no_dead_control(
    visit: Open, portfolio_page: Path
) -> None:
    shown = visit(portfolio_page, scripts=False)
    assert shown(".headline .big").count() == 4
    assert not shown("#filters").is_visible()
    assert "Without JavaScript" in shown("noscript").inner_text()


def test_the_distribution_equals_the_document(visit: Open, portfolio_page: Path, portfolio: dict[str, Any]) -> None:
    shown = visit(portfolio_page)
    rows = portfolio["distribution"]
    assert shown.texts("#distribution [data-fact=accounts]") == [str(row["accounts"]) for row in rows]
    assert sum(row["accounts"] for row in rows) == 120
    arr = shown.texts("#distribution [data-fact=arr]")
    for text, row in zip(arr, rows, strict=True):
        assert amount(text) == pytest.approx(row["arr"], rel=0.005)


def amount(text: str) -> float:
    """`$1.36M` as a number."""
    unit = {"k": 1e3, "M": 1e6, "B": 1e9}.get(text[-1], 1.0)
    return float(text.strip("$kMB").replace(",", "")) * unit


def test_the_headline_says_what_the_document_says(visit: Open, portfolio_page: Path, portfolio: dict[str, Any]) -> None:
    figures = visit(portfolio_page).texts("#portfolio .headline .figure")
    high = next(row for row in portfolio["risk"] if row["band"] == "high")
    assert amount(figures[0].split()[4]) == pytest.approx(high["arr"], rel=0.005)
    assert f"{high['accounts']} accounts" in figures[0]
    assert f"Renewals to look after {len(portfolio['renewals']['attention'])} " in figures[1]
    order = {tier["name"]: tier["rank"] for tier in portfolio["tiers"] if tier["name"] != "Not Rated"}
    steps = [
        order[mover["tier"]] - order[mover["tier_before"]]
        for mover in portfolio["movers"]
        if {mover["tier"], mover["tier_before"]} <= set(order)
    ]
    assert f"{sum(step > 0 for step in steps)} fell, {sum(step < 0 for step in steps)} rose" in figures[2]


def test_every_account_is_in_the_worklist_with_the_numbers_of_the_document(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown = visit(portfolio_page)
    shown.show_all("worklist")
    accounts = portfolio["accounts"]
    names, healths, risks = (shown.texts(f"{ROWS} [data-slot={slot}]") for slot in ("name", "health", "risk"))
    order = portfolio["worklist"]
    assert names == [accounts["name"][i] for i in order]
    assert healths == ["–" if accounts["health"][i] is None else f"{accounts['health'][i]:.1f}" for i in order]
    assert risks == ["–" if accounts["risk"][i] is None else f"{accounts['risk'][i]:.0f}" for i in order]


def test_the_search_finds_names_ids_owners_and_reasons_as_they_are_typed(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown, accounts = visit(portfolio_page), portfolio["accounts"]
    for asked, column in (
        ("zephyr hold", "name"),
        (accounts["id"][9], "id"),
        ("mei tan", "owner"),
        ("coverage below 60", "not_rated"),
        ("adoption plan", "step"),
    ):
        shown("#search").fill("")
        shown("#search").press_sequentially(asked)
        expected = [i for i, text in enumerate(accounts[column]) if text and asked.lower() in text.lower()]
        count = len(expected)
        assert shown("#found").inner_text().startswith(f"{count} of 120 accounts")
        shown.show_all("worklist")
        assert sorted(shown.texts(f"{ROWS} .name")) == sorted(accounts["name"][i] for i in expected)
    shown("#search").fill("no such account")
    assert shown(ROWS).count() == 0
    assert "No account matches" in shown("#found").inner_text()


def test_filters_add_up_and_reset_takes_them_away(visit: Open, portfolio_page: Path, portfolio: dict[str, Any]) -> None:
    shown, accounts = visit(portfolio_page), portfolio["accounts"]
    shown("[name=tier]").select_option("Critical")
    shown("[name=segment]").select_option("Enterprise")
    expected = [i for i in range(120) if accounts["tier"][i] == "Critical" and accounts["segment"][i] == "Enterprise"]
    assert len(expected) > 1
    assert sorted(shown.texts(f"{ROWS} .name")) == sorted(accounts["name"][i] for i in expected)
    shown("[name=renewal]").select_option("0")
    assert all("overdue" in text for text in shown.texts(f"{ROWS} [data-slot=due]"))
    shown("button[type=reset]").click()
    expect(shown("#found")).to_contain_text("120 accounts,")


@pytest.mark.parametrize(("column", "first_click"), [("health", "ascending"), ("arr", "descending")])
def test_a_header_sorts_by_mouse_and_by_keyboard_with_what_is_not_known_last(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any], column: str, first_click: str
) -> None:
    shown, values = visit(portfolio_page), portfolio["accounts"][column]
    known = sorted(
        (i for i in range(120) if values[i] is not None), key=lambda i: values[i], reverse=first_click == "descending"
    )
    button = shown(f"[data-sort={column}]")
    button.click()
    shown.show_all("worklist")
    first, last = shown.texts(f"{ROWS} .name")[0], shown.texts(f"{ROWS} .name")[-1]
    assert values[known[0]] == values[portfolio["accounts"]["name"].index(first)]
    assert values[portfolio["accounts"]["name"].index(last)] is None
    assert button.locator("xpath=..").get_attribute("aria-sort") == first_click
    button.focus()
    shown.page.keyboard.press("Enter")
    shown.show_all("worklist")
    names = shown.texts(f"{ROWS} .name")
    assert values[known[-1]] == values[portfolio["accounts"]["name"].index(names[0])]
    assert values[portfolio["accounts"]["name"].index(names[-1])] is None


def test_movers_show_all_of_them_and_only_those_that_fell(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown = visit(portfolio_page)
    shown.show_all("movers")
    assert shown("#movers-rows tr").count() == len(portfolio["movers"])
    shown("[data-movers=fell]").click()
    shown.show_all("movers")
    changes = shown.texts("#movers-rows [data-slot=change]")
    assert len(changes) < len(portfolio["movers"])
    assert all(text.startswith("−") or text == "–" for text in changes)


def test_the_chart_of_renewals_draws_every_one_tells_whose_it_is_and_opens_it(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown = visit(portfolio_page)
    marks = shown("#renewals-chart svg .mark-symbol path")
    marks.first.wait_for()
    assert marks.count() == len(portfolio["renewals"]["points"])
    largest = max(portfolio["renewals"]["points"], key=lambda point: point["arr"] or 0)
    name = portfolio["accounts"]["name"][largest["i"]]
    marks.first.hover()
    assert name in shown("#hint").inner_text()
    marks.first.click()
    shown.page.wait_for_selector("#account:not([hidden])")
    assert shown("#account-name").inner_text() == name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 1}, "1 account"),
        ({"count": 40, "before": False}, "There is no earlier period"),
        ({"count": 40, "failed": "Looker"}, "Failed: Looker could not be read"),
        ({"count": 40, "rated": False}, "100 % of the accounts are Not Rated"),
    ],
)
def test_odd_portfolios_open_and_say_what_is_odd(
    visit: Open, written: Callable[[dict[str, Any]], Path], options: dict[str, Any], words: str
) -> None:
    content = document(**options)
    shown = visit(written(content))
    assert words in " ".join(shown("#portfolio").inner_text().split())
    shown.page.goto(f"{shown.page.url.split('#')[0]}#account={content['accounts']['id'][0]}")
    shown.page.wait_for_selector("#account:not([hidden])")


def test_tiers_that_only_the_scorecard_before_had_are_shown_and_are_no_step(
    visit: Open, written: Callable[[dict[str, Any]], Path]
) -> None:
    content = document(40)
    old = {"tier": "Poor", "accounts": 0, "arr": 0.0, "accounts_before": 3, "arr_before": 1000.0}
    content["distribution"].append(old)
    content["movers"][0] |= {"tier_before": "Poor", "change": None, "health_before": None, "scorecard_effect": None}
    shown = visit(written(content))
    assert "Poor of the scorecard before" in shown.texts("#distribution tbody th")[-1]
    first = shown("#movers-rows tr").first
    assert "Poor" in first.inner_text()
    assert first.get_attribute("class") == ""


def test_on_paper_there_are_no_controls_and_all_sections(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page, scheme="dark")
    shown("#renewals-chart svg").wait_for()
    shown.page.emulate_media(media="print")
    for control in ("#filters", ".jump", "#worklist-more"):
        assert not shown(control).is_visible()
    assert shown("#renewals-chart svg").is_visible()
    paper = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert shown.page.pdf()[:5] == b"%PDF-"


def test_the_last_backtest_is_told_in_its_own_sentences(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page)
    text = " ".join(shown("#proof").inner_text().split())
    assert (
        "Held on 5 Oct 2026 against who had left: 240 customers, 31 of them left by 6 Aug 2026, by their scores" in text
    )
    assert "With another scorecard than this month's: default, version 1." in text
    assert shown.texts("#proof li") == PROOF["sentences"]
    assert "Not proven: The churn risk is an index: that is what accountpulse calibrate is for." in text


@pytest.mark.parametrize(
    ("proof", "said"),
    [(None, "nobody has held this score against"), (PROOF | {"auc": None}, "How well it ranks is not shown")],
)
def test_what_no_backtest_has_shown_is_said(
    visit: Open, written: Callable[[dict[str, Any]], Path], proof: dict[str, Any] | None, said: str
) -> None:
    assert said in visit(written(document(3) | {"proof": proof}))("#proof").inner_text()
