"""`accountpulse accounts`: who is linked where, and why; who isn't; who is twice."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountpulse.accounts import Linked
from accountpulse.cli import links_table, progress, summary
from accountpulse.cli.formatting import plural
from accountpulse.cli.link_names import customers_named, names_that_contradict
from accountpulse.cli.links_table import IN_DOUBT, LinkPlace, LinkRow
from accountpulse.core.errors import SourceUnavailable, UsageError
from accountpulse.core.period import last_complete, scope_of
from accountpulse.core.records import SourceName
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline.measure import link
from accountpulse.pipeline.read import SourceReader
from accountpulse.pipeline.run import Run, looking
from accountpulse.scoring import scorecard
from accountpulse.settings import Settings, link_file
from accountpulse.systems import CRM, TITLES, csv_file
from accountpulse.systems.extraction import CustomerList

LISTED = 20  # accounts that are shown, below NARROW columns half of them; --out writes all
NARROW = 80
KEY_SHOWN = 30  # characters of a key, on a terminal that is wide enough
SHORT_KEY = 12  # characters of a key below which it isn't shown
NAME_SHOWN = 24  # characters of a name
BESIDE_KEYS = 20 + NAME_SHOWN + 2  # characters of a line that an id and a name take
STATE = 9  # characters before a key: `unknown` and blanks
STYLES = {"linked": "", "unknown": "yellow", "none": "dim", "shared": "red", "several": "red"}


@dataclass(frozen=True)
class LinkReport:
    """What was read and matched."""

    rows: list[LinkRow]
    linked: Linked
    sources: tuple[SourceName, ...]
    notes: tuple[str, ...]
    failures: tuple[SourceUnavailable, ...]
    run: Run
    customers: Mapping[SourceName, CustomerList]  # those that were asked for already, to compare names

    @property
    def exit_code(self) -> int:
        """5 where a system could not be asked, 4 where an account can't be scored."""
        if self.failures:
            return SourceUnavailable.exit_code
        return 4 if self.linked.problems else 0


def show_links(loaded: Settings, now: datetime, out: Path | None, *, as_json: bool) -> int:
    """Read the accounts, ask the systems for the keys, and print how everybody stands; the exit code."""
    if out is not None:
        _refuse_decisions(out)
    with progress.waiting("reading accounts and looking for their links …"):
        found = find_links(loaded, now)
    if out is not None:
        csv_file.write(links_table.mapping_file(found.rows), out)
    if as_json:
        _print_json(found)
    else:
        _print(found, summary.tables(), out)
    return found.exit_code


def _refuse_decisions(out: Path) -> None:
    """People's decisions are no less than what is written over them here."""
    if out.exists() and link_file.read_decisions_of(out) is not None:
        raise UsageError(f"--out: {out} holds decisions about links, which would be lost; name another file")


def find_links(loaded: Settings, now: datetime) -> LinkReport:
    """Read as a run does, but for the keys alone: who has the accounts knows the links, the others their keys."""
    scope = scope_of(last_complete(now, loaded.mapping.timezone), now)
    run = looking(loaded, scorecard.default(loaded.rules.pillars), scope, now)
    reader = SourceReader(run, look_up=True)
    reader.read_all()
    extracts, sources = reader.extracts, loaded.configured[1:]
    errors = [status.error for status in reader.statuses.values()]
    failures = tuple(error for error in errors if isinstance(error, SourceUnavailable))
    linked, _left_out = link(loaded, extracts, [name for name in sources if name not in extracts])
    notes = [f"{TITLES[name]}: {note}" for name, extract in extracts.items() for note in extract.notes]
    rows = links_table.rows_of(extracts[CRM].tables["accounts"], linked)
    customers, unasked = customers_named(loaded, run, [name for name in sources if name in extracts])
    names = {row.account_id: row.name for row in rows}
    notes += [*linked.notes, *unasked, *names_that_contradict(loaded.link_file, names, customers)]
    return LinkReport(rows, linked, sources, tuple(notes), failures, run, customers)


def _print_json(found: LinkReport) -> None:
    facts = {
        **links_table.data(found.rows, found.sources),
        "problems": [{"account_id": each.account_id, "text": each.text} for each in found.linked.problems],
        "notes": found.notes,
        "failures": [str(failure) for failure in found.failures],
    }
    write_json(sys.stdout, [facts], indent=1)


def _print(found: LinkReport, console: Console, out: Path | None) -> None:
    console.print(f"[bold]{plural(len(found.rows), 'customer')}[/bold] in {TITLES[CRM]}\n")
    if not found.rows:
        console.print("Which accounts are customers says salesforce.accounts.where in accountpulse.yaml.\n")
    console.print(
        _counts(found.rows, found.sources, console.width) if found.sources else "No other system is configured."
    )
    errors = [f"{failure} Its keys were not checked." for failure in found.failures]
    summary.marked(console, "✗", "red", errors)
    summary.marked(console, "!", "yellow", found.notes)
    if found.rows and found.sources:
        console.print()
        console.print(_who(found.rows, found.sources, console.width))
        more = len(found.rows) - _listed(console.width)
        if more > 0:
            rest = "they are in the file below" if out is not None else "--out FILE writes all of them"
            console.print(f"… and {plural(more, 'more account')}: {rest}", style="dim")
    if any(row.places[source].state in {"none", "unknown"} for row in found.rows for source in found.sources):
        console.print("\nWhom the others may be: accountpulse accounts --suggest")
    if found.linked.problems:
        console.print(f"\n[red]{plural(len(found.linked.problems), 'account')} can't be scored:[/red]")
        console.print(summary.problems(found.linked.problems))
    if out is not None:
        console.print(f"\nMapping file, {plural(len(found.rows), 'account')}: {escape(str(out))}")
        console.print("Correct it, and name it as links.file in accountpulse.yaml.")


def _counts(rows: Sequence[LinkRow], sources: Sequence[SourceName], width: int) -> RenderableType:
    """A line a source: how many accounts stand how."""
    numbers = {}
    for source in sources:
        found = links_table.counts(rows, source)
        doubt = found["shared"] + found["several"]
        counts = (found["linked"], found["by rule"], found["by file"], found["unknown"], found["none"], doubt)
        numbers[TITLES[source]] = [f"{count:,}" for count in counts]
    return summary.by_source("", ("linked", "by rule", "by file", "unknown", "no key", "in doubt"), numbers, width)


def _who(rows: Sequence[LinkRow], sources: Sequence[SourceName], width: int) -> RenderableType:
    """The first accounts with their links: those in doubt, then those that lack one, then the others."""
    first = sorted(rows, key=lambda row: _urgency(row, sources))[: _listed(width)]
    if width < NARROW:
        return Group(*(line for row in first for line in _in_lines(row, sources)))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Id", no_wrap=True)
    table.add_column("Account", max_width=NAME_SHOWN, no_wrap=True, overflow="ellipsis")
    for source in sources:
        table.add_column(TITLES[source], overflow="ellipsis", no_wrap=True)
    room = (width - BESIDE_KEYS) // len(sources) - STATE - 2
    for row in first:
        cells = [_cell(row.places[source], min(room, KEY_SHOWN)) for source in sources]
        table.add_row(row.account_id, escape(row.name), *cells)
    return table


def _listed(width: int) -> int:
    return LISTED if width >= NARROW else LISTED // 2


def _in_lines(row: LinkRow, sources: Sequence[SourceName]) -> Iterator[RenderableType]:
    """An account in two lines, where the terminal has no room for a table."""
    yield Text(f"{row.account_id} {row.name}")
    places = [Text.assemble(f"{TITLES[source]} ", _cell(row.places[source], 0)) for source in sources]
    yield Padding(Text(", ").join(places), (0, 0, 0, 2))


def _urgency(row: LinkRow, sources: Sequence[SourceName]) -> int:
    states = {row.places[source].state for source in sources}
    return 0 if states & IN_DOUBT else int(states == {"linked"}) + 1


def _cell(place: LinkPlace, room: int) -> Text:
    """How an account stands in a system, and its key where there is room for one."""
    many = f" {len(place.keys)} keys" if len(place.keys) > 1 else ""
    words = {
        "linked": f"{place.by}{many}",
        "unknown": "unknown",
        "none": "none (file)" if place.by else "–",
        "shared": "shared",
        "several": f"several{many}",
    }
    text = Text(words[place.state], style=STYLES[place.state])
    if room >= SHORT_KEY and len(place.keys) == 1:
        key = Text(f" {place.keys[0]}")
        key.truncate(room + 1, overflow="ellipsis")
        text.append(key)
    return text
