"""A real browser: Debian's Chromium by its path, driven by Playwright."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from accountpulse.report import page
from report.browsing import Visit
from report.documents import document

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """Its path. Without it a developer's tests are skipped; where changes land (`CI` is set) that is a failure."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("there is no Chromium here, and the report's page must be tested: apt-get install chromium")
    if found is None:
        pytest.skip("there is no Chromium on the PATH: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module: Playwright's loop must be gone before asynchronous tests of other modules run."""
    path = chromium()
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Path]:
    """A document's page as a file."""
    folder = tmp_path_factory.mktemp("pages")

    def write(content: dict[str, Any]) -> Path:
        path = folder / f"{len(list(folder.iterdir()))}.html"
        path.write_text(page.render(content), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def portfolio() -> dict[str, Any]:
    """The document that most tests look at: 120 accounts."""
    return document(120, names=["Zephyr Holdings"])


@pytest.fixture(scope="session")
def portfolio_page(written: Callable[[dict[str, Any]], Path], portfolio: dict[str, Any]) -> Path:
    """Its page."""
    return written(portfolio)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open a page; at the end of the test, whatever was opened has complained of nothing and asked for nothing."""
    made: list[Visit] = []

    def opened(path: Path, **options: Any) -> Visit:
        made.append(Visit(browser, path, **options))
        return made[-1]

    yield opened
    for each in made:
        each.close()
    assert [problem for each in made for problem in each.problems] == []
    assert [request for each in made for request in each.requests] == []
