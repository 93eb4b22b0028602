"""A report as files: the page and the table beside it."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from accountpulse.core.errors import ConfigurationError
from accountpulse.report import table

EXTRA = "the page needs Jinja2, which is not installed: pip install Jinja2"


def files(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The two files by their names, `2026-10.html` and `2026-10.csv`, or by the day of a snapshot.

    Those of a dry run say so in their names.

    A ConfigurationError where Jinja2 is not installed.
    """
    page = drawing()
    if page is None:
        raise ConfigurationError("report", [EXTRA])
    text: str = page.render(document)
    name = document.get("snapshot") or document["period"]
    name = f"{name}-dry-run" if document["run"]["dry_run"] else name
    return {f"{name}.html": text.encode(), f"{name}.csv": table.csv(document)}


def backtest_page(document: Mapping[str, Any]) -> bytes | None:
    """A backtest's page, of what `backtest.json` holds; None where Jinja2 is not installed."""
    try:
        page = import_module("accountpulse.report.backtest_page")  # late: templates, which nothing else needs
    except ImportError:
        return None
    text: str = page.render(document)
    return text.encode()


def drawing() -> Any | None:
    """What draws the page; None where Jinja2 is not installed."""
    try:
        return import_module("accountpulse.report.page")  # late: charts and templates, which nothing else needs
    except ImportError:
        return None
