"""`accountpulse scorecard`: is the file good, what does it say, and the schema for an editor."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.markdown import Markdown

from accountpulse import settings
from accountpulse.check import unfed as unfed_metrics
from accountpulse.cli import progress, summary
from accountpulse.cli.files import read_card, write
from accountpulse.cli.formatting import plural
from accountpulse.cli.voice import note
from accountpulse.core.errors import UsageError
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import own_metrics
from accountpulse.scoring.schema import shipped
from accountpulse.scoring.scorecard_page import markdown
from accountpulse.scoring.starting_card import starting_card

REASON_WORDS = {
    "not_configured": "its system is not configured, or accountpulse.yaml maps nothing there",
    "field_missing": "a field or value is missing",
}


def check_scorecard(
    file: Path, pillars: tuple[str, ...], environment: Mapping[str, str], *, as_json: bool = False
) -> int:
    """Say that a scorecard is valid, or raise with every problem; warn of own metrics that no run would measure."""
    card = read_card(file, pillars)
    if unfed := own_metrics.unfed(card, settings.rules_of(settings.mapping_of(environment))):
        where = f"{own_metrics.KEY} in {environment.get('ACCOUNTPULSE_CONFIG') or settings.DEFAULT_CONFIG}"
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


def write_starter_card(environment: Mapping[str, str], out: Path) -> int:
    """Write the packaged scorecard without what nobody can have by the mapping in force; never over a file."""
    if out.exists():
        raise UsageError(f"{out} is there, and is not overwritten: name another file with --out")
    loaded = settings.load(environment)
    with progress.waiting("looking at what can be fed …"):
        lacking = unfed_metrics(loaded, datetime.now(UTC))
    words = {name: REASON_WORDS[reason] for name, reason in lacking.items()}
    made = starting_card(words, loaded.rules.pillars, out.name)
    write(out, made.text.encode())
    console = summary.tables()
    leaves, dimensions = plural(len(made.card.leaves), "metric"), plural(len(made.card.dimensions), "dimension")
    console.print(f"{out} was written: {leaves} in {dimensions}, hash {made.card.hash}.", markup=False)
    for key, why in made.left_out.items():
        console.print(f"  left out: {key} ({why})", markup=False)
    console.print(f"Name it in accountpulse.yaml to use it: scorecard: {out.name}", markup=False)
    return 0


def print_schema() -> int:
    """Print the schema that comes with the package."""
    print(shipped(), end="")  # noqa: T201
    return 0
