"""The report's page in a real browser, beside a plain page that holds the same accounts as one finished table.

usage: report_page.py [--accounts N] [--chromium PATH]

What counts: when something is seen (first paint), when lists can be used, and what a reader waits after a click. The
plain page is the yardstick: no scripts, no styles, every account already written. Each figure is a median of visits.
"""

import argparse
import html
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from accountpulse.report import page

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from report.documents import document

VISITS = 5
COLUMNS = ("id", "name", "tier", "health", "risk", "arr", "renewal", "owner", "drivers", "cap")
# from an event to the frame that shows what it did, ms
WAIT = """async () => {
    const begin = performance.now();
    ACT;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - begin;
}"""
ACTS = {
    "sort by name": "document.querySelector('[data-sort=name]').click()",
    "sort by health": "document.querySelector('[data-sort=health]').click()",
    "search": "const s = document.getElementById('search'); s.value = 'lake 77'; "
    "s.dispatchEvent(new Event('input', {bubbles: true}))",
    "filter": "const t = document.querySelector('[name=tier]'); t.value = 'Critical'; "
    "t.dispatchEvent(new Event('input', {bubbles: true}))",
}


def plain_page(content: dict) -> str:
    columns = [content["accounts"][name] for name in COLUMNS]
    lines = ("".join(f"<td>{html.escape(str(value))}" for value in values) for values in zip(*columns, strict=True))
    return "<!DOCTYPE html><meta charset=utf-8><title>plain</title><table>" + "".join(f"<tr>{line}" for line in lines)


def painted(opened: Page) -> float:
    """Milliseconds from the navigation to the first thing on the screen."""
    opened.wait_for_load_state()
    opened.wait_for_timeout(100)
    return float(opened.evaluate("performance.getEntriesByType('paint')[0].startTime"))


def visit(browser: Browser, path: Path, ready: str | None) -> dict[str, float]:
    opened = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    begin = time.perf_counter()
    opened.goto(path.as_uri(), wait_until="commit")
    if ready:
        opened.wait_for_selector(ready)
    all_there = 1000 * (time.perf_counter() - begin)
    found = {"first paint": painted(opened)}
    if ready:
        found["lists ready"] = all_there
        found |= {name: opened.evaluate(WAIT.replace("ACT", act)) for name, act in ACTS.items()}
        opened.evaluate("document.getElementById('filters').reset()")
        opened.wait_for_timeout(100)
        found["open an account"] = account(opened)
    opened.context.close()
    return found


def account(opened: Page) -> float:
    return float(
        opened.evaluate("""async () => {
            const begin = performance.now();
            document.querySelector('#worklist-rows .name').click();
            while (document.getElementById('account').hidden) await new Promise((done) => requestAnimationFrame(done));
            return performance.now() - begin;
        }""")
    )


def measure(browser: Browser, path: Path, ready: str | None) -> dict[str, float]:
    visits = [visit(browser, path, ready) for _ in range(VISITS)]
    return {name: statistics.median(each[name] for each in visits) for name in visits[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    asked = parser.parse_args()
    content = document(asked.accounts)
    begin = time.perf_counter()
    whole = page.render(content)
    took = time.perf_counter() - begin
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        ours, plain = Path(folder) / "report.html", Path(folder) / "plain.html"
        ours.write_text(whole, encoding="utf-8")
        plain.write_text(plain_page(content), encoding="utf-8")
        browser = driver.chromium.launch(
            executable_path=asked.chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        found, yardstick = measure(browser, ours, "html.ready"), measure(browser, plain, None)
        sizes = ours.stat().st_size / 1e6, plain.stat().st_size / 1e6
        browser.close()
    ratio = found["first paint"] / yardstick["first paint"]
    print(
        f"{asked.accounts:,} accounts: page {sizes[0]:.1f} MB (plain table {sizes[1]:.1f} MB), written in {took:.1f} s"
    )
    print(
        f"first paint {found['first paint']:.0f} ms, {ratio:.2f} × the plain table's {yardstick['first paint']:.0f} ms"
    )
    for name, value in found.items():
        if name != "first paint":
            print(f"{name:<16} {value:7.0f} ms")


if __name__ == "__main__":
    main()
