"""Names and words from outside stay text, whatever they look like."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from report.browsing import Visit
from report.documents import document

Open = Callable[..., Visit]
HOSTILE = [
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 1</script>",
    '"><img src=x onerror="window.pwned = 1">',
    "' onmouseover='window.pwned = 1",
    "javascript:window.pwned=1",
    "${window.pwned = 1} {{ 7 * 7 }} {% raw %}",
    "<!-- comment --><style>body { display: none }</style>",
    "line\u2028and\u2029paragraph\u0000nothing",
    "\u202eright to left\u202c and back",
    "W" * 400,
    "👩‍🚀 Åström & Søn “GmbH” ½ < 1",
    "=HYPERLINK(1)",
]


@pytest.fixture(scope="module")
def hostile() -> dict[str, Any]:
    """A document where every text that comes from outside is hostile."""
    content = document(40, names=HOSTILE, failed="Looker")
    words = itertools.cycle(HOSTILE)
    for column in ("owner", "segment", "cap", "drivers", "step"):
        content["accounts"][column] = [next(words) for _ in range(40)]
    for rows in content["at_risk"].values():
        for row in rows:
            row.update({key: next(words) for key in ("segment", "owner") if key in row})
    for mover in content["movers"]:
        mover["words"] = [next(words), next(words)]
    for signals in content["details"]["signals"]:
        signals.append({"severity": next(words), "status": next(words), "date": "2026-10-01", "age_days": 3.0})
    content["alarms"], content["warnings"], content["notes"] = HOSTILE, HOSTILE, HOSTILE
    content["details"]["reasons"] = HOSTILE[:5]
    for metric, name in zip(content["catalogue"], words, strict=False):
        metric["label"] = name
    content["scorecard"] = {"name": HOSTILE[1], "version": HOSTILE[2], "hash": HOSTILE[0]}
    content["scorecards"]["2026-10"] = content["scorecard"]
    content["sources"][0]["error"] = HOSTILE[2]
    return content


@pytest.fixture(scope="module")
def hostile_page(written: Callable[[dict[str, Any]], Path], hostile: dict[str, Any]) -> Path:
    return written(hostile)


def test_hostile_names_are_shown_as_text_in_every_list_and_view(
    visit: Open, hostile_page: Path, portfolio_page: Path, hostile: dict[str, Any]
) -> None:
    plain, shown = visit(portfolio_page), visit(hostile_page)
    shown.show_all("worklist")
    assert {name.replace("\0", "\ufffd") for name in HOSTILE} <= {
        text.replace("\0", "\ufffd") for text in shown("#worklist-rows .name").all_text_contents()
    }
    for i in range(len(HOSTILE)):
        shown.page.evaluate("(hash) => { location.hash = hash; }", f"#account={hostile['accounts']['id'][i]}")
        expect(shown("#account-about code")).to_have_text(hostile["accounts"]["id"][i])
        assert shown("#account-name").text_content() == HOSTILE[i]
    for element in ("script", "style", "img", "iframe", "link", "object"):
        assert shown(element).count() - plain(element).count() == 0, element
    assert shown.page.evaluate("window.pwned") is None
    assert shown.page.evaluate("[...document.querySelectorAll('*')].every((node) => !node.hasAttribute('onmouseover'))")


def test_a_hostile_name_in_the_hint_of_a_chart_is_text(visit: Open, hostile_page: Path) -> None:
    shown = visit(hostile_page)
    marks = shown("#renewals-chart svg .mark-symbol path")
    marks.first.wait_for()
    for k in range(marks.count()):
        marks.nth(k).dispatch_event("mousemove", {"bubbles": True})
        marks.nth(k).dispatch_event("mouseover", {"bubbles": True})
    assert shown("#hint img, #hint script").count() == 0
    assert shown.page.evaluate("window.pwned") is None


@pytest.mark.parametrize("view", ["", "#account=001000000000009AAA", "#account=001000000000000AAA"])
def test_a_phone_never_scrolls_sideways_however_long_a_name_is(visit: Open, hostile_page: Path, view: str) -> None:
    assert visit(hostile_page, width=390, at=view).overflow() == 0


@pytest.mark.parametrize("view", ["", "#account=001000000000003AAA"])
@pytest.mark.parametrize("width", [390, 700, 1400])
def test_no_width_scrolls_sideways(visit: Open, portfolio_page: Path, view: str, width: int) -> None:
    assert visit(portfolio_page, width=width, at=view).overflow() == 0


def test_a_sort_on_a_phone_is_a_choice_because_there_are_no_headers(visit: Open, portfolio_page: Path) -> None:
    shown = visit(portfolio_page, width=390)
    shown("[name=sort]").select_option("name")
    shown.show_all("worklist")
    words = [name.rsplit(" ", 1)[0] for name in shown.texts("#worklist-rows .name")]
    assert words == sorted(words)
    assert len(set(words)) > 5
