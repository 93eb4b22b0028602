"""`accountpulse scorecard`: is the file good, what does it say, and the schema for an editor."""

import sys
from collections.abc import Mapping
from pathlib import Path

from rich.markdown import Markdown

from accountpulse import settings
from accountpulse.cli import summary
from accountpulse.cli.files import read_card
from accountpulse.cli.formatting import plural
from accountpulse.cli.voice import note
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import own_metrics
from accountpulse.scoring.schema import shipped
from accountpulse.scoring.scorecard_page import markdown


def check_scorecard(
    file: Path, pillars: tuple[str, ...], environment: Mapping[str, str], *, as_json: bool = False
) -> int:
    """Say that a scorecard is valid, or raise with every problem; warn of own metrics that no run would measure."""
    card = read_card(file, pillars)
    if unfed := own_metrics.unfed(card, settings.rules_of(settings.mapping_of(environment))):
        where = f"{own_metrics.KEYS} in {environment.get('ACCOUNTPULSE_CONFIG') or settings.DEFAULT_CONFIG}"
        note([f"{', '.join(unfed)}: not under {where}, left empty by a run; only `accountpulse score` has them"])
    if as_json:
        counts = {"dimensions": list(card.dimensions), "metrics": [leaf.name for leaf in card.leaves]}
        facts = {"file": str(file), "name": card.name, "hash": card.hash, **counts, "not_measured": list(unfed)}
        write_json(sys.stdout, [{"version": summary.JSON_VERSION, **facts}])
        return 0
    leaves, dimensions = plural(len(card.leaves), "metric"), plural(len(card.dimensions), "dimension")
    console = summary.tables()
    console.print(f"{file} is a good scorecard: {card.name}, {dimensions}, {leaves}, hash {card.hash}", markup=False)
    return 0


def show_scorecard(file: Path | None, pillars: tuple[str, ...]) -> int:
    """Print a scorecard as a page: laid out on a terminal, Markdown elsewhere."""
    text = markdown(read_card(file, pillars))
    if sys.stdout.isatty():
        summary.tables().print(Markdown(text))
    else:
        print(text, end="")  # noqa: T201
    return 0


def print_schema() -> int:
    """Print the schema that comes with the package."""
    print(shipped(), end="")  # noqa: T201
    return 0
