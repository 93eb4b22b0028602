"""What a run has to say, as tables for a terminal of any width, on stdout."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import polars as pl
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountpulse.cli.formatting import money, plural, points, rows_of
from accountpulse.cli.terminal import Terminal
from accountpulse.cli.voice import VOICE
from accountpulse.core.records import Problem
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline.deliver import Load
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.watch import SourceStatus
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.ranking import worklist_order
from accountpulse.systems import TITLES

NARROW = 60  # columns below which what would stand beside is told in lines, for nothing may be cut
WIDE = 110  # columns from which the reasons stand beside the numbers instead of below them
JSON_VERSION = 1  # of what --json prints: keys are added without a new one, never taken away
LISTED = 20  # problems shown; the rest is counted


def tables(*, stderr: bool = False) -> Console:
    """The console that results are printed on; `stderr`: where stdout has JSON."""
    return Terminal(stderr=stderr)


def statuses(result: RunResult, width: int) -> Table:
    """A line a source: how it stands, what it brought, what it cost; below NARROW one text that wraps."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for source, status in result.statuses.items():
        mark = "[red]✗[/red]" if status.error is not None else "[green]✓[/green]"
        cells = (TITLES[source], *_status_cells(status))
        table.add_row(mark, *(cells if width >= NARROW else [", ".join(filter(None, cells))]))
    return table


def _status_cells(status: SourceStatus) -> tuple[str, str, str]:
    if status.error is not None:
        return "not read", f"{plural(status.budget.calls, 'request')}", f"{status.seconds:.1f} s"
    if status.from_checkpoint:
        return rows_of(status), "from the checkpoint", ""
    waited = f", waited {status.budget.waited:.0f} s" if status.budget.waited >= 1 else ""
    return rows_of(status), f"{plural(status.budget.calls, 'request')}{waited}", f"{status.seconds:.1f} s"


def row_counts(result: RunResult, width: int) -> RenderableType | None:
    """Where the rows of each source went; None where they weren't attributed to accounts."""
    counted = {source: counts for source in result.statuses if (counts := result.counted(source)) is not None}
    if not counted:
        return None
    headings = ("read", "assigned to accounts", "excluded", "outside the period", "no account")
    rows = {TITLES[source]: [f"{number:,}" for number in _places(counts)] for source, counts in counted.items()}
    return by_source("Rows", headings, rows, width)


def by_source(first: str, headings: Sequence[str], rows: Mapping[str, Sequence[str]], width: int) -> RenderableType:
    """A row of numbers a source; in a line of words where the terminal is too narrow for a table: no digit is cut."""
    columns = list(zip(*rows.values(), strict=True))
    places = range(len(headings))

    def least(texts: Sequence[str]) -> int:
        beside = [max(map(len, (*texts[place].split("\n"), *columns[place]))) + 2 for place in places]
        return max(map(len, (first, *rows))) + 2 + sum(beside)

    shown = headings if least(headings) <= width else [each.replace(" ", "\n") for each in headings]
    if least(shown) > width:
        pairs = {title: zip(headings, numbers, strict=True) for title, numbers in rows.items()}
        return Group(*(Text(f"{title}: {', '.join(map(' '.join, each))}") for title, each in pairs.items()))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True)
    for heading in shown:
        table.add_column(heading, justify="right")
    for title, numbers in rows.items():
        table.add_row(title, *numbers)
    return table


def _places(counts: Mapping[str, Any]) -> tuple[int, ...]:
    """In the order of the headings; the first number is the sum of the others."""
    excluded = sum(counts["left_out"].values())
    return counts["came"], counts["attributed"], excluded, counts["outside"], counts["nobodys"]


def _excluded(result: RunResult) -> Iterator[str]:
    """By which rules rows were excluded, a line a source."""
    for source in result.statuses:
        rules = (result.counted(source) or {}).get("left_out", {})
        if named := ", ".join(f"{rule} ({count:,})" for rule, count in rules.items() if count):
            yield f"{TITLES[source]} rows excluded: {named}"


def tier_styles(tiers: Sequence[str]) -> dict[str, str]:
    """Tier → colour, for a scorecard's tiers, best first: green for the better half, red for the worst."""
    return {name: _colour(rank, len(tiers) - 1) for rank, name in enumerate(tiers)} | {NOT_RATED: "dim"}


def _colour(rank: int, last: int) -> str:
    if rank == 0 or 2 * rank < last:
        return "green"
    return "red" if rank == last else "yellow"


def tiers(scores: pl.DataFrame, names: Sequence[str]) -> Table:
    """Accounts and ARR by tier, with a bar; `names` are the scorecard's tiers, best first."""
    return tier_table(by_tier(scores), names)


def by_tier(scores: pl.DataFrame) -> pl.DataFrame:
    """A row a tier: `tier`, `accounts`, `arr` (null: not known of any)."""
    arr = pl.when(pl.col("arr").count() > 0).then(pl.col("arr").sum())
    return scores.group_by("tier").agg(accounts=pl.len(), arr=arr)


def tier_table(by_tier: pl.DataFrame, names: Sequence[str]) -> Table:
    """The same of a row a tier: `tier`, `accounts`, `arr` (null: not known)."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, justify in (("Tier", "left"), ("Accounts", "right"), ("ARR", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("", overflow="crop")  # the bar alone gives way where there is little room
    rows = {name: (count, arr) for name, count, arr in by_tier.select("tier", "accounts", "arr").iter_rows()}
    whole = max(1, sum(count for count, _ in rows.values()))
    styles = tier_styles(names)
    for name in [*styles, *sorted(set(rows) - set(styles))]:
        count, arr = rows.get(name, (0, None))
        bar = "█" * round(30 * count / whole) or ("▏" if count else "")
        shown = Text(bar, style=styles.get(name, ""))
        table.add_row(escape(name), f"{count:,}", "–" if arr is None else money(arr), shown)
    return table


def most_at_risk(scores: pl.DataFrame, result: RunResult, width: int, count: int = 10) -> RenderableType:
    """The accounts with the highest churn-risk index, in the order of the worklist: ARR, renewal, health and why."""
    worst = scores[worklist_order(scores)].filter(pl.col("churn_risk_score").is_not_null())
    wide, styles = width >= WIDE, tier_styles(result.run.card.tier_names)
    if width < NARROW:
        return Group(*_reasons(worst.head(count), result))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Account", max_width=28)
    for name in ("ARR", "Renewal", "Health", "Risk"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Tier", no_wrap=True)
    if wide:
        table.add_column("Why", ratio=1)
    for row in worst.head(count).iter_rows(named=True):
        numbers = (
            money(row["arr"]),
            _renewal(row, result),
            points(row["health_score"]),
            points(row["churn_risk_score"]),
        )
        tier = Text(row["tier"], style=styles.get(row["tier"], ""))
        why = (escape(row["drivers_text"] or ""),) if wide else ()
        table.add_row(escape(row["account_name"] or row["account_id"]), *numbers, tier, *why)
    if wide:
        return table
    return Group(table, Text(), *_reasons(worst.head(count)))


def _reasons(rows: pl.DataFrame, told: RunResult | None = None) -> Iterable[RenderableType]:
    """Each account with its reasons; `told`: and with the numbers of that run, where no table has them."""
    for row in rows.iter_rows(named=True):
        yield Text(row["account_name"] or row["account_id"], style="bold")
        if told is not None:
            numbers = f"ARR {money(row['arr'])}, renewal {_renewal(row, told)}, health {points(row['health_score'])}"
            yield Padding(Text(f"{numbers}, risk {points(row['churn_risk_score'])}, {row['tier']}"), (0, 0, 0, 2))
        yield Padding(Text(row["drivers_text"] or ""), (0, 0, 0, 2))


def _renewal(row: Mapping[str, Any], result: RunResult) -> str:
    days = row["days_to_renewal"]
    if days is None:
        return "–"
    return f"{result.scope.as_of_day + timedelta(days=days):%Y-%m-%d}"


def problems(found: Sequence[Problem]) -> RenderableType:
    """A line for each account that was left out, the first ones in full."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for problem in found[:LISTED]:
        table.add_row(f"  {escape(problem.account_id)}", escape(f"{problem.stage}: {problem.text}"))
    more = len(found) - LISTED
    return Group(table, Text(f"  … and {plural(more, 'more account')}")) if more > 0 else table


def marked(console: Console, mark: str, style: str, lines: Iterable[str]) -> None:
    """Print lines for the reader, each behind its mark and wrapped beside it; a quiet command has no notes (`!`)."""
    if VOICE.quiet and mark == "!":
        return
    for line in lines:
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_row(Text(mark, style=style), escape(line))
        console.print(row)


def closing(result: RunResult) -> list[str]:
    """The last lines: what was scored, written, left out, and where it lies."""
    if result.scores is None:
        return [result.stopped or ""]
    scored = result.scores.height
    unrated, name = scored - result.rated_count, result.run.scorecard_name
    lines = [f"Scored {plural(scored, 'account')}, {unrated:,} of them {NOT_RATED}, with {name}."]
    lines += _load_lines(result)
    if result.csv is not None:
        lines.append(f"Records: {result.csv}" if not result.csv.endswith(".csv") else f"CSV: {result.csv}")
    if result.is_kept:
        lines.append(f"See every account: `accountpulse report --run {result.run_id}` (or --run last).")
    unlinked = [f"{TITLES[source]} {count:,}" for source, count in result.unlinked.items() if count]
    if unlinked:
        lines.append(f"Accounts without a link: {', '.join(unlinked)} (see `accountpulse accounts`).")
    return lines


def _load_lines(result: RunResult) -> Iterator[str]:
    """What became of the records, or in a dry run what would have become of them."""
    if result.delivery is None:
        return
    if result.scope.snapshot is not None:
        yield from _of_snapshot(result)
    for load in result.delivery.loads:
        yield from _of_load(load, result)


def _of_snapshot(result: RunResult) -> Iterator[str]:
    """Where a snapshot stands, and that nothing was sent where nothing was to be."""
    name, run = result.scope.name, result.run
    if run.keeps_history and result.loaded:
        yield f"Kept as the snapshot of {name}: `accountpulse report --as-of {name}`."
    if not run.loads:
        yield "Nothing was sent to Salesforce; --current writes the records of the running month."


def _of_load(load: Load, result: RunResult) -> Iterator[str]:
    if load.error is not None:
        dry = f"Dry run: nothing was written to {load.title}, and a load would be refused:"
        yield f"The load to {load.title} broke off:" if result.run.may_write else dry
        yield str(load.trouble)
        return
    counts = f"({load.created:,} created, {load.updated:,} updated), {load.unchanged:,} unchanged"
    counts += f", {load.refused:,} refused"
    if not load.done:
        would = plural(load.created + load.updated, "record")
        yield f"Dry run: nothing was written to {load.title}. A load would write {would} {counts}."
        return
    cost = f"in {plural(load.calls, 'request')}, run {result.run_id}"
    yield f"Wrote {plural(load.written, 'record')} to {load.title} {counts}, {cost}."
    if load.imbalance:
        yield load.imbalance


def as_data(result: RunResult) -> None:
    """Print the same as one JSON object: what Lambda answers and history keeps, with the version of its shape."""
    write_json(sys.stdout, [{"version": JSON_VERSION, **result.summary()}])


def report(result: RunResult, console: Console) -> None:
    """Print the whole of a result."""
    scope = result.scope
    console.print(f"[bold]{scope.text}[/bold] ({scope.period.zone}), as of {scope.as_of:%Y-%m-%d %H:%M} UTC")
    console.print(statuses(result, console.width))
    if (counted := row_counts(result, console.width)) is not None:
        console.print()
        console.print(counted)
        marked(console, "·", "dim", () if VOICE.quiet else _excluded(result))
    read = [*(status.error for status in result.statuses.values()), *(table.error for table in result.reading.tables)]
    errors = [str(error) for error in read if error is not None]
    marked(console, "✗", "red", errors)
    marked(console, "!", "yellow", result.notes)
    if result.scores is not None:
        console.print()
        console.print(tiers(result.scores, result.run.card.tier_names))
        if result.rated_count:
            console.print("\n[bold]Most at risk[/bold] (churn risk is an index, not a probability)")
            console.print(most_at_risk(result.scores, result, console.width))
    if result.problems:
        console.print(f"\n[red]{plural(len(result.problems), 'account')} left out:[/red]")
        console.print(problems(result.problems))
    console.print()
    console.print("\n".join(map(escape, closing(result))))
