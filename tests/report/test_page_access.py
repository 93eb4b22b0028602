"""For everyone: axe-core's rules in light and dark, wide and narrow; everything by keyboard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from report.browsing import Visit
from report.documents import document

Open = Callable[..., Visit]


@pytest.fixture(scope="module")
def small_page(written: Callable[[dict[str, Any]], Path]) -> Path:
    """A dozen accounts hold everything that the page is made of, and axe-core looks at every element."""
    return written(document(12))


@pytest.mark.parametrize("view", ["", "#account=001000000000003AAA"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_axe_finds_nothing_serious(visit: Open, small_page: Path, view: str, scheme: str, width: int) -> None:
    shown = visit(small_page, width=width, scheme=scheme, at=view)
    shown(".chart svg").first.wait_for(state="attached")
    found = Axe().run(shown.page).response["violations"]
    serious = [
        (rule["id"], node["html"][:160], node["failureSummary"])
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
    assert serious == []


def test_the_first_tab_offers_to_skip_and_every_stop_shows_its_focus(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page)
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate("document.activeElement.className") == "skip"
    shown.page.keyboard.press("Enter")
    assert shown.page.evaluate("document.activeElement.id") == "content"
    for _ in range(12):
        shown.page.keyboard.press("Tab")
        outline: Any = shown.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"


def test_an_account_opens_by_keyboard_and_comes_back(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page)
    shown("#worklist-rows .name").first.focus()
    shown.page.keyboard.press("Enter")
    shown.page.wait_for_selector("#account:not([hidden])")
    shown("#back").focus()
    shown.page.keyboard.press("Enter")
    shown.page.wait_for_selector("#portfolio:not([hidden])")


def test_a_tier_is_told_by_a_word_and_a_shape_of_its_own_besides_its_colour(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page)
    shapes = shown("#distribution tbody use").evaluate_all("(all) => all.map((use) => use.getAttribute('href'))")
    assert len(shapes) == len(set(shapes)) == 5
    drawn = {shown.page.locator(shape).inner_html() for shape in shapes}
    assert len(drawn) == 5
    assert all(shown.texts("#distribution tbody .tier"))
