"""`accountpulse docs`: the README and the pages of docs/, which come with the package: no network is needed."""

import sys
from pathlib import Path

from rich.markdown import Markdown
from rich.table import Table

import accountpulse
from accountpulse.cli import summary
from accountpulse.core.errors import UsageError
from accountpulse.core.nearest import nearest

PACKAGE = Path(accountpulse.__file__).parent


def folder() -> Path:
    """Where the pages lie: in the installed package, or beside its source."""
    packaged = PACKAGE / "docs"
    return packaged if packaged.is_dir() else PACKAGE.parents[1] / "docs"


def topics() -> dict[str, Path]:
    """The pages by their names; the README, which has the settings, lies beside their folder."""
    readme = folder().parent / "README.md"
    return {"readme": readme, **{page.stem: page for page in sorted(folder().glob("*.md"))}}


def list_topics() -> int:
    """Print the name and the title of each page, and where they lie."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, page in topics().items():
        with page.open(encoding="utf-8") as lines:
            table.add_row(name, next(lines).removeprefix("# ").strip())
    console = summary.tables()
    console.print(table)
    console.print(f"\n`accountpulse docs TOPIC` shows one. They lie in {folder()}", markup=False, soft_wrap=True)
    return 0


def show_topic(name: str) -> int:
    """Print a page: laid out on a terminal, as Markdown elsewhere."""
    pages, name = topics(), name.lower()
    if name not in pages:
        raise UsageError(f"there is no page {name!r}{nearest(name, pages)}; `accountpulse docs` lists them")
    text = pages[name].read_text(encoding="utf-8")
    if sys.stdout.isatty():
        summary.tables().print(Markdown(text))
    else:
        print(text, end="")  # noqa: T201
    return 0
