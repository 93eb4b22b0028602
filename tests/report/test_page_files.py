"""The page's own files: plain, short, and without a way for a text to become markup."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from report.documents import document

FOLDER = Path(__file__).parents[2] / "src" / "accountpulse" / "report" / "page"
SCRIPTS = sorted(FOLDER.glob("*.js"))
MARKUP = (
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|createContextualFragment|DOMParser"
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_never_makes_markup_or_code_of_a_text(path: Path) -> None:
    assert not re.findall(MARKUP, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_file_of_the_page_is_short_and_names_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 340
    assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "\r" not in text


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.html")), ids=lambda path: path.name)
def test_only_the_frame_of_a_page_writes_anything_unescaped(path: Path) -> None:
    assert path.name in {"frame.html", "template.html"} or not re.search(
        r"\|\s*safe|autoescape", path.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize(("accounts", "limit"), [(120, 3_000_000), (10_000, 15_000_000)])
def test_a_page_stays_small(written: Callable[[dict[str, Any]], Path], accounts: int, limit: int) -> None:
    assert written(document(accounts)).stat().st_size < limit
