"""The report's page in a real browser: what it shows is what the document says, and its lists can be worked with."""

from collections.abc import Callable
from datetime import date
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
        "Renewals in danger",
        "What crossed a line since September 2026",
        "ARR by tier",
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
    assert "compared with September 2026. The scorecard changed since the run before." in shown(".top").inner_text()


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
    for rows in (ROWS, "#movers-rows tr", "#danger-rows tr", "#crossed-rows tr"):
        assert on_paper(written, rows) == on_paper(scripted, rows)[: len(written.texts(rows))]
        assert len(written.texts(rows)) > 3
    scripted("[data-sort=name]").click()
    scripted("button[type=reset]").click()
    scripted("[data-movers=rose]").click()
    scripted("[data-movers='']").click()
    expect(scripted("#worklist th[aria-sort=ascending]")).to_have_text("#")
    for rows in (ROWS, "#movers-rows tr"):  # now the scripts have made them
        assert on_paper(written, rows) == on_paper(scripted, rows)
        classes = "(all) => all.map((row) => row.className)"
        assert written(rows).evaluate_all(classes) == scripted(rows).evaluate_all(classes)


def on_paper(shown: Visit, rows: str) -> list[str]:
    """Their texts as they are printed: with days that are counted from the report's day."""
    shown.page.emulate_media(media="print")
    texts = shown.texts(rows)
    shown.page.emulate_media(media="screen")
    return texts


def test_a_sum_of_arr_is_written_as_every_other_amount(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown, accounts = visit(portfolio_page), portfolio["accounts"]
    texts = Texts("USD")
    for i in range(0, 120, 7):
        shown("#search").fill(accounts["id"][i])
        assert shown("#found").inner_text() == f"1 of 120 accounts, {texts.money(accounts['arr'][i] or 0.0)} of ARR"


def test_without_scripts_the_page_still_says_the_most_and_offers_no_dead_control(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown = visit(portfolio_page, scripts=False)
    assert shown(".headline .big").count() == 4
    assert not shown("#filters").is_visible()
    assert "Without JavaScript" in shown("noscript").inner_text()
    for name, first in (("danger", 25), ("crossed", 25), ("movers", 10), ("worklist", 25)):
        cut = f"The first {first} of {len(portfolio[name])} are shown; the CSV file beside the page holds all accounts."
        assert shown.texts(f"#{name} .rest") == ([cut] if len(portfolio[name]) > first else []), name


def test_the_distribution_equals_the_document(visit: Open, portfolio_page: Path, portfolio: dict[str, Any]) -> None:
    shown = visit(portfolio_page)
    rows = portfolio["distribution"]
    assert shown.texts("#distribution [data-fact=accounts]") == [str(row["accounts"]) for row in rows]
    assert sum(row["accounts"] for row in rows) == 120
    arr = shown.texts("#distribution [data-fact=arr]")
    for text, row in zip(arr, rows, strict=True):
        assert amount(text) == pytest.approx(row["arr"], rel=0.005)


def amount(text: str) -> float:
    """`1.36M` as a number."""
    unit = {"k": 1e3, "M": 1e6, "B": 1e9}.get(text[-1], 1.0)
    return float(text.strip("kMB").replace(",", "")) * unit


def test_the_headline_says_what_the_document_says(visit: Open, portfolio_page: Path, portfolio: dict[str, Any]) -> None:
    figures = visit(portfolio_page).texts("#portfolio .headline .figure")
    high = next(row for row in portfolio["risk"] if row["band"] == "high")
    assert amount(figures[2].split()[5]) == pytest.approx(high["arr"], rel=0.005)
    assert f"{high['accounts']} accounts" in figures[2]
    danger = portfolio["danger"]
    assert figures[0].startswith(f"Renewals in danger {len(danger)} USD ")
    arr = sum(portfolio["accounts"]["arr"][i] or 0 for i in danger)
    assert amount(figures[0].split()[5]) == pytest.approx(arr, rel=0.005)
    worse = [any(line["worse"] for line in each["lines"]) for each in portfolio["crossed"]]
    assert f"{sum(worse)} worse, {len(worse) - sum(worse)} better" in figures[1]


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


def test_the_first_screen_answers_which_renewals_are_in_danger_why_whose_and_what_next(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    accounts, first = portfolio["accounts"], portfolio["danger"][0]
    for width, height in ((1400, 900), (390, 844)):
        shown = visit(portfolio_page, width=width)
        shown.page.set_viewport_size({"width": width, "height": height})
        row = shown("#danger-rows tr").first
        box = row.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height
        text = " ".join(row.inner_text().split())
        assert f"{accounts['arr'][first]:,.0f} USD" in text
        for column in ("name", "owner", "tier", "step"):
            assert (accounts[column][first] or "") in text
        reason = accounts["cap"][first] or accounts["not_rated"][first] or accounts["drivers"][first]
        assert reason.split("; ")[0] in text
        assert shown.overflow() == 0


def test_days_are_counted_from_the_readers_day_and_on_paper_from_the_reports(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    renewals = portfolio["accounts"]["renewal"]
    dated = [(date.fromisoformat(renewals[i]) - date(2026, 11, 1)).days for i in portfolio["danger"]]
    shown = visit(portfolio_page, today="2026-11-04")
    assert "Days to a renewal are counted from today, 4 Nov 2026." in shown(".top").inner_text()
    shown.show_all("danger")
    assert shown.texts("#danger-rows .when small") == [told(days - 3) for days in dated]
    shown.page.emulate_media(media="print")
    assert shown.texts("#danger-rows .when small") == [f"{told(days)} (on 1 Nov 2026)" for days in dated]
    assert "Days to a renewal are counted from 1 Nov 2026." in shown(".top").inner_text()
    unscripted = visit(portfolio_page, scripts=False)
    assert unscripted.texts("#danger-rows .when small")[0] == f"{told(dated[0])} (on 1 Nov 2026)"


def told(days: int) -> str:
    if days == 0:
        return "today"
    many = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"in {many}" if days > 0 else f"{many} overdue"


def test_filters_and_order_are_in_the_address_and_the_back_button_undoes_them(
    visit: Open, portfolio_page: Path
) -> None:
    shown = visit(portfolio_page)
    shown("[name=tier]").select_option("Critical")
    shown("[data-sort=arr]").click()
    expect(shown("#worklist [aria-sort=descending]")).to_have_text("ARR")
    address, names = shown.page.url, shown.texts(f"{ROWS} .name")
    assert address.endswith("#worklist?tier=Critical&sort=arr%2Cdown")
    shown.page.go_back()
    expect(shown("#worklist [aria-sort=ascending]")).to_have_text("#")
    assert shown("[name=tier]").input_value() == "Critical"
    shown.page.go_back()
    expect(shown("#found")).to_contain_text("120 accounts,")
    shown.page.go_forward()
    shown.page.go_forward()
    expect(shown("#worklist [aria-sort=descending]")).to_have_text("ARR")
    shown(f"{ROWS} .name").first.click()
    shown.page.wait_for_selector("#account:not([hidden])")
    shown.page.go_back()
    shown.page.wait_for_selector("#portfolio:not([hidden])")
    assert shown.texts(f"{ROWS} .name") == names
    linked = visit(portfolio_page, at="#worklist?tier=Critical&sort=arr%2Cdown")
    assert linked.texts(f"{ROWS} .name") == names
    assert not linked("#unknown-asked").is_visible()
    assert linked.page.evaluate("document.getElementById('worklist').getBoundingClientRect().top") < 100


def test_what_an_address_asks_for_and_the_report_lacks_is_said_until_something_else_is_asked_for(
    visit: Open, portfolio_page: Path
) -> None:
    shown = visit(portfolio_page, at="#worklist?owner=Nobody&band=high&tier=Nonsense&sort=size,down")
    said = "The address asks for tier Nonsense, which isn't in this report: shown without it. "
    said += "The address asks for owner Nobody, who isn't in this report: shown without it."
    expect(shown("#unknown-asked")).to_have_text(said)
    assert set(shown.texts(f"{ROWS} [data-slot=band]")) == {"high"}
    expect(shown("#worklist [aria-sort=ascending]")).to_have_text("#")
    assert shown("[name=renewal] option").all_inner_texts()[1] == "overdue on 1 Nov 2026"
    shown("button[type=reset]").click()
    expect(shown("#unknown-asked")).to_be_hidden()
    expect(shown("#found")).to_contain_text("120 accounts,")
    shown.page.go_back()
    expect(shown("#unknown-asked")).to_have_text(said)


def test_what_is_typed_into_the_search_is_one_step_of_the_history(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page)
    shown("#search").press_sequentially("mei tan")
    shown.page.wait_for_url("**#worklist?search=mei+tan")
    shown.page.go_back()
    expect(shown("#found")).to_contain_text("120 accounts,")
    assert shown("#search").input_value() == ""
    shown("#search").press_sequentially("mei tan")
    names = shown.texts(f"{ROWS} .name")
    shown(f"{ROWS} .name").first.click()  # before the reader paused
    shown.page.wait_for_selector("#account:not([hidden])")
    shown.page.go_back()
    shown.page.wait_for_selector("#portfolio:not([hidden])")
    assert shown.texts(f"{ROWS} .name") == names


def test_tiles_lead_to_their_lists(visit: Open, portfolio_page: Path, portfolio: dict[str, Any]) -> None:
    shown = visit(portfolio_page)
    for place, name, count in ((2, "high", "band"), (3, "Not Rated", "tier")):
        shown(".headline a").nth(place).click()
        expected = portfolio["accounts"][count].count(name)
        expect(shown("#found")).to_contain_text(f"{expected} of 120 accounts")
        assert shown.page.evaluate("document.getElementById('worklist').getBoundingClientRect().top") < 100
        shown.page.evaluate("window.scrollTo(0, 0)")
    for place, section in ((0, "danger"), (1, "crossed")):
        shown(".headline a").nth(place).click()
        assert shown.page.url.endswith(f"#{section}")
        assert shown(f"#{section}").is_visible()


def test_links_to_the_systems_are_plain_and_only_of_the_web(
    visit: Open, written: Callable[[dict[str, Any]], Path]
) -> None:
    content = document(40)
    first = content["danger"][0]
    content["accounts"]["links"][first].append({"label": "Evil", "url": "javascript:alert(1)"})
    shown = visit(written(content))
    links = shown("#danger-rows tr").first.locator(".ways a")
    assert links.all_inner_texts() == ["Salesforce", "Intercom"]
    assert links.first.get_attribute("rel") == "noopener noreferrer"
    shown("#danger-rows .name").first.click()
    shown.page.wait_for_selector("#account:not([hidden])")
    assert shown.texts("#account-about .ways a") == ["Salesforce", "Intercom"]


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
    assert marks.count() == len(portfolio["renewals"])
    largest = max(portfolio["renewals"], key=lambda point: point["arr"] or 0)
    name = portfolio["accounts"]["name"][largest["i"]]
    marks.first.hover()
    assert name in shown("#hint").inner_text()
    marks.first.click()
    shown.page.wait_for_selector("#account:not([hidden])")
    assert shown("#account-name").inner_text() == name


def test_the_chart_of_renewals_is_walked_by_keyboard_and_has_a_table(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown, accounts, points = visit(portfolio_page), portfolio["accounts"], portfolio["renewals"]
    shown("#renewals-chart svg .mark-symbol path").first.wait_for()
    shown("#renewals-chart").focus()
    shown.page.keyboard.press("ArrowRight")
    shown.page.keyboard.press("ArrowRight")
    shown.page.keyboard.press("ArrowLeft")
    assert shown("#renewals-chart path.at").count() == 1
    said = shown("#renewals-at").inner_text()
    first = [accounts["name"][point["i"]] for point in points if point["date"] == points[0]["date"]]
    assert said.startswith(f"1 of {len(points)}: ")
    name = next(name for name in first if name in said)
    shown.page.keyboard.press("Enter")
    shown.page.wait_for_selector("#account:not([hidden])")
    assert shown("#account-name").inner_text() == name
    shown.page.go_back()
    shown("#renewals-table summary").click()
    shown.show_all("renewals")
    assert shown.texts("#renewals-rows .name") == [accounts["name"][point["i"]] for point in points]


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
    content["movers"][0]["way"] = ""
    shown = visit(written(content))
    assert "Poor of the scorecard before" in shown.texts("#distribution tbody th")[-1]
    first = shown("#movers-rows tr").first
    assert "Poor" in first.inner_text()
    assert first.get_attribute("class") == ""


def test_on_paper_there_are_no_controls_all_sections_and_how_many_lines_are_missing(
    visit: Open, portfolio_page: Path, portfolio: dict[str, Any]
) -> None:
    shown = visit(portfolio_page, scheme="dark")
    assert not shown("#movers .rest").is_visible()
    shown("#movers-more").click()
    shown.show_all("crossed")
    shown("#renewals-chart svg").wait_for()
    shown.page.emulate_media(media="print")
    for control in ("#filters", ".jump", "#worklist-more"):
        assert not shown(control).is_visible()
    assert shown("#renewals-chart svg").is_visible()
    assert f"The first 35 of {len(portfolio['movers'])} are shown;" in shown("#movers .rest").inner_text()
    assert not shown("#crossed .rest").is_visible()
    assert shown.texts("#worklist .rest")[0].startswith("The first 25 of 120 are shown;")
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
