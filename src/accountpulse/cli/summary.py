"""What a run has to say, as tables for a terminal of any width, on stdout."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import polars as pl
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountpulse.cli.formatting import TITLES, money, plural, points, rows_of
from accountpulse.core.records import Problem
from accountpulse.core.redact import Redactor
from accountpulse.pipeline.result import Outcome, Standing
from accountpulse.scoring.model import NOT_RATED

TIER_STYLES = {"Champion": "green", "Healthy": "green", "At Risk": "yellow", "Critical": "red", NOT_RATED: "dim"}
WIDE = 110  # columns from which the reasons stand beside the numbers instead of below them
LISTED = 20  # problems shown; the rest is counted


def tables() -> Console:
    """The console that results are printed on."""
    return Console(highlight=False)


def standings(outcome: Outcome) -> Table:
    """A line a source: how it stands, what it brought, what it cost."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for source, standing in outcome.standings.items():
        mark = "[red]✗[/red]" if standing.error is not None else "[green]✓[/green]"
        table.add_row(mark, TITLES[source], *_standing_cells(standing))
    return table


def _standing_cells(standing: Standing) -> tuple[str, str, str]:
    if standing.error is not None:
        return "not read", f"{plural(standing.budget.calls, 'request')}", f"{standing.seconds:.1f} s"
    if standing.from_checkpoint:
        return rows_of(standing), "from the checkpoint", ""
    waited = f", waited {standing.budget.waited:.0f} s" if standing.budget.waited >= 1 else ""
    return rows_of(standing), f"{plural(standing.budget.calls, 'request')}{waited}", f"{standing.seconds:.1f} s"


def tiers(scores: pl.DataFrame) -> Table:
    """Accounts and ARR by tier, with a bar."""
    arr = pl.when(pl.col("arr").count() > 0).then(pl.col("arr").sum())
    return tier_table(scores.group_by("tier").agg(accounts=pl.len(), arr=arr))


def tier_table(by_tier: pl.DataFrame) -> Table:
    """The same of a row a tier: `tier`, `accounts`, `arr` (null: not known)."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, justify in (("Tier", "left"), ("Accounts", "right"), ("ARR", "right"), ("", "left")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    rows = {name: (count, arr) for name, count, arr in by_tier.select("tier", "accounts", "arr").iter_rows()}
    whole = max(1, sum(count for count, _ in rows.values()))
    for name in [*TIER_STYLES, *sorted(set(rows) - set(TIER_STYLES))]:
        count, arr = rows.get(name, (0, None))
        bar = "█" * round(30 * count / whole) or ("▏" if count else "")
        shown = Text(bar, style=TIER_STYLES[name]) if name in TIER_STYLES else ""
        table.add_row(escape(name), f"{count:,}", "–" if arr is None else money(arr), shown)
    return table


def most_at_risk(scores: pl.DataFrame, outcome: Outcome, width: int, count: int = 10) -> RenderableType:
    """The accounts with the highest churn-risk index: ARR, renewal, health and why."""
    worst = scores.filter(pl.col("churn_risk_score").is_not_null()).sort(
        "churn_risk_score", "arr", "account_id", descending=[True, True, False], nulls_last=True
    )
    wide = width >= WIDE
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
            _renewal(row, outcome),
            points(row["health_score"]),
            points(row["churn_risk_score"]),
        )
        tier = Text(row["tier"], style=TIER_STYLES.get(row["tier"], ""))
        why = (escape(row["drivers_text"] or ""),) if wide else ()
        table.add_row(escape(row["account_name"] or row["account_id"]), *numbers, tier, *why)
    if wide:
        return table
    return Group(table, Text(), *_reasons(worst.head(count)))


def _reasons(rows: pl.DataFrame) -> Iterable[RenderableType]:
    for row in rows.iter_rows(named=True):
        yield Text(row["account_name"] or row["account_id"], style="bold")
        yield Padding(Text(row["drivers_text"] or ""), (0, 0, 0, 2))


def _renewal(row: Mapping[str, Any], outcome: Outcome) -> str:
    days = row["days_to_renewal"]
    if days is None:
        return "–"
    return f"{outcome.scope.as_of_day + timedelta(days=days):%Y-%m-%d}"


def problems(found: Sequence[Problem]) -> RenderableType:
    """A line for each account that was left out, the first ones in full."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for problem in found[:LISTED]:
        table.add_row(f"  {escape(problem.account_id)}", escape(f"{problem.stage}: {problem.text}"))
    more = len(found) - LISTED
    return Group(table, Text(f"  … and {plural(more, 'more account')}")) if more > 0 else table


def marked(console: Console, mark: str, style: str, lines: Iterable[str]) -> None:
    """Print lines for the reader, each behind its mark and wrapped beside it."""
    for line in lines:
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_row(Text(mark, style=style), escape(line))
        console.print(row)


def closing(outcome: Outcome) -> list[str]:
    """The last lines: what was scored, written, left out, and where it lies."""
    if outcome.scores is None:
        return [outcome.stopped or ""]
    scored = outcome.scores.height
    lines = [
        f"Scored {plural(scored, 'account')}, {scored - outcome.rated:,} of them Not Rated, with {outcome.scorecard}."
    ]
    lines += _load_lines(outcome)
    if outcome.csv is not None:
        lines.append(f"CSV: {outcome.csv}")
    unlinked = [f"{TITLES[source]} {count:,}" for source, count in outcome.unlinked.items() if count]
    if unlinked:
        lines.append(f"Accounts without a link: {', '.join(unlinked)} (see `accountpulse accounts`).")
    return lines


def _load_lines(outcome: Outcome) -> list[str]:
    """What became of the records, or in a dry run what would have become of them."""
    if outcome.unready is not None:
        return ["Dry run: nothing was written to Salesforce, and a load would be refused:", str(outcome.unready)]
    counts = f"({outcome.created:,} created, {outcome.updated:,} updated), {outcome.unchanged:,} unchanged"
    counts += f", {outcome.refused:,} refused"
    requests = plural(outcome.load_calls, "request")
    if not outcome.loaded:
        would = plural(outcome.created + outcome.updated, "record")
        return [f"Dry run: nothing was written to Salesforce. A load would write {would} {counts}."]
    lines = [f"Wrote {plural(outcome.written, 'record')} to Salesforce {counts}, in {requests}, run {outcome.run_id}."]
    return [*lines, outcome.imbalance] if outcome.imbalance else lines


def report(outcome: Outcome, console: Console, redact: Redactor) -> None:
    """Print the whole of an outcome."""
    period = outcome.scope.period
    console.print(
        f"[bold]{period.first_day:%B %Y}[/bold] ({period.zone}), as of {outcome.scope.as_of:%Y-%m-%d %H:%M} UTC"
    )
    console.print(standings(outcome))
    errors = [str(standing.error) for standing in outcome.standings.values() if standing.error is not None]
    marked(console, "✗", "red", map(redact, errors))
    marked(console, "!", "yellow", map(redact, outcome.notes))
    if outcome.scores is not None:
        console.print()
        console.print(tiers(outcome.scores))
        console.print("\n[bold]Most at risk[/bold] (churn risk is an index, not a probability)")
        console.print(most_at_risk(outcome.scores, outcome, console.width))
    if outcome.problems:
        console.print(f"\n[red]{plural(len(outcome.problems), 'account')} left out:[/red]")
        console.print(problems(outcome.problems))
    console.print()
    console.print("\n".join(map(escape, closing(outcome))))
