"""How a run is seen while it goes on, on stderr: a bar for people, one JSON line an event where nobody looks."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from accountpulse.cli.formatting import rows_of
from accountpulse.cli.terminal import Terminal
from accountpulse.cli.voice import VOICE
from accountpulse.core.records import SourceName
from accountpulse.observe.logs import Lines, Quiet, in_words, take_over
from accountpulse.pipeline.watch import NoWatch, SourceStatus, Watch
from accountpulse.systems import TITLES


class Bars:
    """A line a source: spinner, rows so far, and a bar where the system says how many there will be."""

    def __init__(self, progress: Progress) -> None:
        """Draws into `progress`."""
        self._progress = progress
        self._tasks: dict[SourceName, TaskID] = {}

    def enter(self, run_id: str, period: str, notes: Sequence[str]) -> None:
        """Nothing: the summary tells it."""

    def begin(self, source: SourceName) -> None:
        """Show the source as being read."""
        self._tasks[source] = self._progress.add_task(TITLES[source], total=None, note="…")

    def rows(self, source: SourceName, done: int, total: int | None) -> None:
        """Move the bar."""
        self._progress.update(self._tasks[source], completed=done, total=total, note=f"{done:,} rows")

    def end(self, source: SourceName, status: SourceStatus) -> None:
        """Show how the source stands."""
        if status.error is None:
            done = max(1, sum(status.rows.values()))
            note = f"{rows_of(status)} · {status.budget.calls} requests"
            self._progress.update(self._tasks[source], completed=done, total=done, note=note)
        else:
            self._progress.update(self._tasks[source], note="[red]failed[/red]")

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(text, highlight=False)


@contextmanager
def watching() -> Iterator[Watch]:
    """Bars on a terminal, JSON lines elsewhere."""
    if VOICE.quiet:
        take_over(in_words(logging.ERROR))
        yield NoWatch()
        return
    if not sys.stderr.isatty():
        lines = Lines()
        take_over(Quiet(lines))
        yield lines
        return
    take_over(in_words())
    columns = (
        SpinnerColumn(finished_text="[green]✓[/green]"),
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Terminal(stderr=True)) as progress:
        yield Bars(progress)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner beside a text, on a terminal."""
    if VOICE.quiet:
        yield
        return
    with Terminal(stderr=True).status(text):
        yield
