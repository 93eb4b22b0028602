"""The report's document as one HTML file that asks for nothing: style, scripts, charts' library and data are inside.

The file opens from a mail, a bucket or a disk. Its Content-Security-Policy allows the scripts written here, by their
hashes, and no connection at all. Names of accounts reach the page as text only: templates.py escapes what is written
into the markup, the scripts set text and never markup, and data inside the page is JSON without a `<`.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from accountpulse.report import page_data, page_text
from accountpulse.report.page_figures import figures
from accountpulse.report.page_rows import AccountTexts
from accountpulse.report.templates import environment, joined

_STYLES = ("page.css", "tables.css", "account.css", "print.css")
# in this order: each may use what stands above it
_SCRIPTS = (
    "dom.js", "data.js", "text.js", "rows.js", "worklist.js", "address.js", "chart.js", "renewals.js", "waterfall.js",
    "account_parts.js", "account.js", "start.js",
)  # fmt: skip


def render(document: Mapping[str, Any]) -> str:
    """The whole page. `document` is what docs/report.md describes; numbers unrounded, null = not known."""
    scripts = [_own_script(), _chart_library()]
    texts = page_text.Texts(document["arr"]["currency"])
    rows = AccountTexts(document, texts)
    return (
        environment(texts)
        .get_template("template.html")
        .render(
            document=document,
            **figures(document, rows),
            facts=page_data.facts(document, texts),
            lists=page_data.lists(document, rows),
            views=page_data.views(document, texts, rows),
            style=joined(_STYLES),
            scripts=scripts,
            hashes=[_hash(script) for script in scripts],
        )
    )


def _own_script() -> str:
    return _inside_a_script(f'(() => {{\n"use strict";\n{joined(_SCRIPTS)}\n}})();')


@cache
def _chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed, as tools/charts.py has made them one file."""
    return _inside_a_script((files("accountpulse.report") / "charts" / "vega.js").read_text(encoding="utf-8"))


def _inside_a_script(text: str) -> str:
    """Nothing in it ends the element or begins a comment: a backslash changes no string and no pattern there."""
    return text.replace("</script", r"<\/script").replace("<!--", r"<\!--").replace("\r\n", "\n")


def _hash(script: str) -> str:
    """As a Content-Security-Policy names an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
