"""The report's document as one HTML file that asks for nothing: style, scripts, charts' library and data are inside.

The file opens from a mail, a bucket or a disk. Its Content-Security-Policy allows the scripts written here, by their
hashes, and no connection at all. Names of accounts reach the page as text only: Jinja escapes what is written into
the markup, the scripts set text and never markup, and data inside the page is JSON without a `<`.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import vl_convert

from accountpulse.report import page_data, page_text
from accountpulse.report.page_figures import figures
from accountpulse.report.page_rows import AccountTexts

_STYLES = ("page.css", "tables.css", "account.css", "print.css")
# in this order: each may use what stands above it
_SCRIPTS = (
    "dom.js", "text.js", "data.js", "rows.js", "worklist.js", "chart.js", "renewals.js", "waterfall.js",
    "account_parts.js", "account.js", "start.js",
)  # fmt: skip
_CHARTS = "window.vegaEmbed = vegaEmbed;"


def render(document: Mapping[str, Any]) -> str:
    """The whole page. `document` is what docs/report.md describes; numbers unrounded, null = not known."""
    scripts = [_own_script(), _chart_library()]
    texts = page_text.Texts(document["arr"]["currency"])
    rows = AccountTexts(document, texts)
    environment = _environment(texts)
    return environment.get_template("template.html").render(
        document=document,
        **figures(document, rows),
        facts=page_data.facts(document, texts),
        lists=page_data.lists(document, rows),
        views=page_data.views(document, texts),
        style="\n".join(_text(name) for name in _STYLES),
        scripts=scripts,
        hashes=[_hash(script) for script in scripts],
    )


def _environment(texts: page_text.Texts) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("accountpulse.report", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_without_nul,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= texts.filters()
    return environment


def _without_nul(value: Any) -> Any:
    """A browser drops the character NUL from markup; its replacement shows that one was there."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _text(name: str) -> str:
    return (files("accountpulse.report") / "page" / name).read_text(encoding="utf-8")


def _own_script() -> str:
    parts = "\n".join(_text(name) for name in _SCRIPTS)
    return _inside_a_script(f'(() => {{\n"use strict";\n{parts}\n}})();')


@cache
def _chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed as the wheel of vl-convert carries them; bundling takes seconds, hence once."""
    return _inside_a_script(vl_convert.javascript_bundle(_CHARTS))


def _inside_a_script(text: str) -> str:
    """Nothing in it ends the element or begins a comment: a backslash changes no string and no pattern there."""
    return text.replace("</script", r"<\/script").replace("<!--", r"<\!--").replace("\r\n", "\n")


def _hash(script: str) -> str:
    """As a Content-Security-Policy names an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
