"""What pages are made with: the templates, styles and scripts in `page/`, and how texts reach the markup.

Names reach a page as text only: Jinja escapes whatever is written into the markup.
"""

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import jinja2

from accountpulse.report.page_text import Texts


def environment(texts: Texts) -> jinja2.Environment:
    """The templates, with `texts` as filters; a name that a template doesn't get is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("accountpulse.report", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_without_nul,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= texts.filters()
    return made


def _without_nul(value: Any) -> Any:
    """A browser drops the character NUL from markup; its replacement shows that one was there."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def joined(names: Iterable[str]) -> str:
    """These files of `page/`, one after the other."""
    return "\n".join((files("accountpulse.report") / "page" / name).read_text(encoding="utf-8") for name in names)
