"""A visit to a page: what it shows, what it complains of, what it asks for."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator


def number(text: str) -> Decimal:
    """A number as the page writes it."""
    return Decimal(text.replace("−", "-").replace(",", ""))


class Visit:
    """One opened page with everything that went wrong and every request but the one for the file itself."""

    def __init__(
        self,
        browser: Browser,
        path: Path,
        *,
        width: int = 1400,
        scheme: Any = "light",
        at: str = "",
        scripts: bool = True,
        ready: str = "html.ready",
        today: str | None = None,
    ) -> None:
        size: Any = {"width": width, "height": 900}
        self.context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=scripts)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.problems.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.context.on("request", lambda request: self._asked(request.url, path.as_uri()))
        if today:
            self.page.clock.set_fixed_time(today)
        self.page.goto(path.as_uri() + at)
        if scripts:
            self.page.wait_for_selector(ready)

    def _asked(self, address: str, own: str) -> None:
        if address.split("#", maxsplit=1)[0] != own:
            self.requests.append(address)

    def close(self) -> None:
        self.context.close()

    def __call__(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def texts(self, selector: str) -> list[str]:
        """The visible texts of all that match, blanks made one."""
        return [" ".join(text.split()) for text in self(selector).all_inner_texts()]

    def show_all(self, list_name: str) -> None:
        """Press the button below a list until nothing more is left."""
        while self(f"#{list_name}-more").is_visible():
            self(f"#{list_name}-more").click()

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
