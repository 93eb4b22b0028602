"""The backtest's page in a real browser: it shows what the document says, whom the score missed first."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from accountpulse.proof.document import BacktestDocument
from accountpulse.report import backtest_page
from report.backtests import NASTY, REFUSED, few, many, plain, words
from report.browsing import Visit

Open = Callable[..., Visit]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of both, and of one whose months were all read later."""
    folder = tmp_path_factory.mktemp("backtests")
    made = {"many": many(), "few": few()}
    made["rebuilt"] = replace(made["few"], reconstructed=made["many"].account_months, sentences=())
    return {name: written(folder / f"{name}.html", document) for name, document in made.items()}


def written(path: Path, document: BacktestDocument) -> Path:
    path.write_text(backtest_page.render(plain(document)), encoding="utf-8")
    return path


@pytest.fixture
def shown(visit: Open, pages: dict[str, Path]) -> Visit:
    return visit(pages["many"], ready="main")


def test_whom_the_score_missed_comes_before_everything_else(shown: Visit) -> None:
    sections = shown(".sections > section[id]").evaluate_all("(all) => all.map((each) => each.id)")
    assert sections == [
        "greens", "reds", "tiers", "reliability", "parts", "groups", "comparison", "refused", "unproven", "outcomes",
        "run",
    ]  # fmt: skip
    assert shown.texts(".said li") == list(many().sentences)
    assert shown.texts(".figure .big") == ["60", "31", "9", "0.78"]
    top = [shown(selector).first.bounding_box() for selector in (".said", "#greens", "#reds", "#tiers")]
    assert "4 more who left are in none of these months" in shown(".headline").inner_text()
    reds = " ".join(shown("#reds").inner_text().split())
    assert "False reds: red, and kept at the renewal 9 customers with a health below 50" in reds
    assert "2 of them left later and stand last." in reds
    assert [box["y"] for box in top if box] == sorted(box["y"] for box in top if box)


def test_a_false_green_has_its_numbers_and_what_the_score_saw(shown: Visit) -> None:
    assert shown("#greens > table tbody tr").count() == 25
    assert shown("#greens details tbody tr").count() == 5
    assert shown("#greens details").inner_text().strip() == "5 more"
    assert "1 more, with less ARR, are counted and not listed." in shown("#greens").inner_text()
    assert shown.texts("#greens > table tbody tr:nth-child(3) > *")[1:] == [
        "310k", "1 Sep 2025", "Healthy", "81.2", "3.3", "left on 2025-12-28, 118 days later",
        f"active users: 25 of 32 seats (78 %), costs 4 points{NASTY}",
    ]  # fmt: skip
    assert shown.texts("#greens > table tbody tr:nth-child(2) > *")[1] == "–"
    assert shown.texts("#reds > table tbody tr:nth-child(1) > *")[5] == "–"  # no risk is known


def test_a_group_has_each_share_with_its_interval(shown: Visit) -> None:
    assert shown.texts("#tiers tbody tr:nth-child(2) > *") == [
        "Healthy 82 renewals", "41", "9", "", "7.0 % 3.1 to 15.4 %", "12 % 5 to 20 % 3 without ARR", "93 % 88 to 97 %",
        "102 % 94 to 110 %", "0.78 0.71 to 0.84",
    ]  # fmt: skip
    tiers = shown.texts("#tiers tbody th .tier")
    assert tiers == ["Champion", "Healthy", "At Risk", "Critical", "Not Rated"]
    shapes = shown("#tiers tbody use").evaluate_all("(all) => all.map((use) => use.getAttribute('href'))")
    assert len(set(shapes)) == 5
    assert shown.texts("#groups h3") == [
        "By segment",
        "By quarter",
        "By how far ahead they left",
        "By how much was known",
    ]


def test_a_line_is_drawn_where_its_numbers_lie(shown: Visit) -> None:
    """Shares end at 15.4 %, so that the scale goes to 20 %; AUC from 0.33 to 0.84, so 0.4 to each side of chance."""
    place = "(spot) => [spot.style.left, spot.style.width]"
    assert shown("#tiers .whisker").first.evaluate(place) == ["15.5%", "61.5%"]
    assert shown("#tiers .dot").first.evaluate(place) == ["35%", ""]
    assert shown("#parts .whisker").first.evaluate(place) == ["76.25%", "16.25%"]
    assert "runs from 0.10 to 0.90" in shown("#parts").inner_text()


def test_what_points_the_wrong_way_leads_the_metrics_in_words(shown: Visit) -> None:
    rows = [" | ".join(shown.texts(f"#parts tbody >> nth=2 >> tr:nth-child({place}) > *")) for place in (1, 2, 3)]
    assert rows == [
        "open bugs | 2.0 % | 90 % | ✕ wrong way | | 0.38 0.33 to 0.43".replace("| |", "|  |"),
        "active users | 12 % | 90 % | ✓ right way |  | 0.78 0.71 to 0.84",
        "CSAT | 3.0 % | 1.0 % | … too rarely known |  | –",
    ]


def test_a_probability_is_drawn_and_told_only_where_it_is_allowed(visit: Open, pages: dict[str, Path]) -> None:
    allowed, refused = visit(pages["many"], ready="main"), visit(pages["few"], ready="main")
    assert allowed("#reliability circle").count() == allowed("#reliability tbody tr").count() == 10
    assert allowed.texts("#reliability tbody tr:nth-child(4) > *") == ["12 % to 16 %", "14 %", "10 % 7 to 12 %", "40"]
    assert refused("#reliability").count() == 0


def test_eight_departures_are_counts_and_a_reason(visit: Open, pages: dict[str, Path]) -> None:
    shown = visit(pages["few"], ready="main")
    assert shown.texts("#tiers tbody tr:nth-child(1) > *") == ["Champion 80 account-months", "40", "6"]
    assert shown.texts(".figure .big") == ["8", "0", "9", "–"]
    assert "None: no customer who left had a health of 75 or more." in shown("#greens").inner_text()
    assert "it takes 10" in shown("#refused").inner_text()
    assert shown.texts("#refused td") == ["✓ allowed"] + ["✕ refused"] * 5
    assert shown("#parts, #groups, #comparison").count() == 0


def test_a_refusal_stands_once_and_a_command_is_set_apart(shown: Visit) -> None:
    assert shown.texts("#refused li") == [REFUSED]
    assert REFUSED not in shown.texts("#unproven li")
    assert shown.texts("#unproven code") == ["accountpulse calibrate"]


def test_months_that_were_measured_later_stand_apart(visit: Open, pages: dict[str, Path]) -> None:
    shown = visit(pages["rebuilt"], ready="main")
    assert shown.texts("#run thead th") == ["Renewals", "Account-months", "Reconstructed"]
    assert shown.texts("#run tbody tr:nth-child(9) td") == ["–", "–", "0.78 0.71 to 0.84"]
    assert "Nothing can be said yet: see what is not proven" in shown(".said").inner_text()


def test_a_name_is_text_and_nothing_else(shown: Visit, pages: dict[str, Path]) -> None:
    assert shown.texts("#greens > table th.who bdi")[0] == " ".join(NASTY.split())
    assert shown("main script, main img").count() == 0
    assert "<script" not in pages["many"].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("many", 390, "dark"), ("many", 1440, "light"), ("few", 800, "dark")],
)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    visit: Open, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    shown = visit(pages[name], width=width, scheme=scheme, ready="main")
    shown.page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    found = Axe().run(shown.page).response["violations"]
    assert [(rule["id"], node["html"][:160]) for rule in found for node in rule["nodes"]] == []
    assert shown.overflow() == 0


def test_paper_shows_the_list_that_was_closed_and_no_way_around(shown: Visit) -> None:
    shown.page.emulate_media(media="print")
    assert not shown(".jump").is_visible()
    assert shown("#greens details tbody tr").last.bounding_box() is not None
    assert shown.page.pdf(format="A4").startswith(b"%PDF")


def test_every_stop_of_the_keyboard_shows_where_it_is(shown: Visit) -> None:
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate("document.activeElement.className") == "skip"
    for _ in range(12):
        shown.page.keyboard.press("Tab")
        assert shown.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_a_page_is_small_and_its_policy_allows_no_script_at_all(pages: dict[str, Path]) -> None:
    text = pages["many"].read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:;" in text


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_score_and_pulse_stand_with_what_became_of_each_word(
    visit: Open, tmp_path: Path, width: int, scheme: str
) -> None:
    path = written(tmp_path / "words.html", replace(few(), words=words()))
    shown = visit(path, ready="main", width=width, scheme=scheme)
    early, late = words()
    assert shown.texts("#words .lines li") == [
        f"180 days before: {early.text} 20 more renewals without a month of that time.",
        f"90 days before: {late.text}",
    ]
    cells = shown("#words tbody td").all_text_contents()
    assert cells == [text for text in ("9 of 150", "22 of 41", "12 of 88", "– of 14") for _lead in (180, 90)]
    assert shown.overflow() == 0
    assert shown("a[href='#words']").count() == 1
    found = Axe().run(shown.page).response["violations"]
    assert [(rule["id"], node["html"][:160]) for rule in found for node in rule["nodes"]] == []


def test_without_a_pulse_nothing_is_said_of_one(visit: Open, pages: dict[str, Path]) -> None:
    assert visit(pages["few"], ready="main")("#words, a[href='#words']").count() == 0
