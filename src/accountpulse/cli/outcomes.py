"""`accountpulse outcomes`: who left and who renewed, where each was found, and what is doubtful about it."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from accountpulse.cli import files, progress, summary
from accountpulse.cli.formatting import money, named, plural
from accountpulse.core import tables
from accountpulse.core.ids import to_18
from accountpulse.core.outcomes import CONTRACTION, LOST, RENEWED
from accountpulse.core.records import Rules
from accountpulse.core.xlsx_writing import TableLook
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import outcome_reading
from accountpulse.pipeline.proof_input import months_of, outcomes_of
from accountpulse.proof import outcome_table
from accountpulse.proof.label_report import LabelFinding, inspect
from accountpulse.proof.labels import LabelRules, Labels
from accountpulse.settings import Settings
from accountpulse.state import State

KINDS = (LOST, CONTRACTION, RENEWED)
LISTED = 20  # outcomes that are shown; --out writes all
OF_OUTCOMES = ("unknown_account", "before_first_month", "left_again")  # findings that are told of outcomes alone
EMPTY = (
    "No outcome is known. `accountpulse outcomes --refresh` asks Salesforce, as every run does; `--import FILE` takes "
    "a table of account_id, date, kind and arr_lost."
)


@dataclass(frozen=True)
class OutcomeList:
    """All outcomes, newest first, with `account_name`; and what they are compared with."""

    rows: pl.DataFrame
    months: int
    reconstructed: int
    findings: tuple[LabelFinding, ...]  # what can't be used with these months
    merged: Mapping[str, str]
    forgotten: Mapping[str, int]
    done: tuple[str, ...]  # what the command did before
    notes: tuple[str, ...]

    @property
    def doubtful(self) -> pl.DataFrame:
        """Those that may not be so."""
        return self.rows.filter(pl.col("doubt").is_not_null())

    def counts(self) -> dict[str, dict[str, int]]:
        """How many there are of each kind, by origin."""
        found: dict[str, dict[str, int]] = {}
        for origin, kind, count in self.rows.group_by("origin", "kind").len().sort("origin", "kind").iter_rows():
            found.setdefault(origin, {})[kind] = count
        return found


def import_outcomes(state: State, path: Path, today: date) -> tuple[str, ...]:
    """Keep the outcomes of a table in place of those of an earlier one; what there is to say of it.

    A UsageError names everything that is wrong with it, and nothing changes.
    """
    read = read_outcomes(path, today)
    before = state.outcomes.import_table(read.rows)
    again = f", in place of the {plural(before, 'outcome')} of an earlier table" if before else ""
    return (f"{path.name}: {plural(read.rows.height, 'outcome')} imported{again}", *read.notes)


def read_outcomes(path: Path, today: date) -> outcome_table.OutcomeTable:
    """The outcomes in a table; ids of 15 characters in their form of 18; none of a day to come."""
    given = files.read_given(path, outcome_table.NEEDED)
    return outcome_table.outcomes_in(given, today, ids=to_18)


def refresh_outcomes(loaded: Settings, state: State, now: datetime) -> tuple[str, ...]:
    """Ask the systems for outcomes; notes for the reader."""
    with progress.waiting("reading who left and who renewed …"):
        return outcome_reading.refresh(loaded, state, now)


def show_outcomes(
    state: State, rules: Rules, out: Path | None, said: tuple[tuple[str, ...], tuple[str, ...]], *, as_json: bool
) -> int:
    """Print them, and write all of them to a file where one is named; the exit code.

    `said`: what was done before, and what there is to say of the reading.
    """
    if out is not None:
        tables.kind_of(out.name)
    found = _find(state, rules, *said)
    if out is not None:
        first = ("account_id", "account_name")
        shown = found.rows.select(*first, *(name for name in found.rows.columns if name not in first))
        files.write_table(out, shown, TableLook(decimals={"arr_lost": 2}, wide=("doubt",)))
    if as_json:
        write_json(sys.stdout, [_data(found)], indent=1)
    else:
        _print(found, summary.tables(), out)
    return 0


def _find(state: State, rules: Rules, done: tuple[str, ...], notes: tuple[str, ...]) -> OutcomeList:
    months = months_of(state)
    outcomes = outcomes_of(state, months, rules)
    named = months.select(pl.col(name) for name in ("account_id", "account_name") if name in months.columns)
    names = named.group_by("account_id", maintain_order=True).last()
    if "account_name" not in names.columns:
        names = names.with_columns(account_name=pl.lit(None, pl.String))
    rows = outcomes.join(names, on="account_id", how="left").sort("happened_on", "account_id", descending=[True, False])
    first = months.unique("as_of")
    return OutcomeList(
        rows,
        first.height,
        first.filter("reconstructed").height,
        _findings(months, outcomes, rules),
        state.outcomes.survivors(),
        state.history.forgotten(),
        done,
        (*notes, *state.files.notes),
    )


def _findings(months: pl.DataFrame, outcomes: pl.DataFrame, rules: Rules) -> tuple[LabelFinding, ...]:
    """What of the outcomes can't be held against the months; nothing where there are none yet."""
    if months.is_empty():
        return ()
    labels = Labels(months, outcomes, LabelRules(grace_days=rules.grace_days), date.max)  # up to now, or not: all
    return tuple(each for each in inspect(labels).findings if each.what in OF_OUTCOMES)


# --- for machines ----------------------------------------------------------------------------------------------


def _data(found: OutcomeList) -> dict[str, Any]:
    return {
        "outcomes": [_plain(row) for row in found.rows.iter_rows(named=True)],
        "counts": found.counts(),
        "accounts": found.rows["account_id"].n_unique(),
        "findings": [
            {"what": each.what, "count": each.count, "accounts": list(each.accounts), "text": each.text}
            for each in found.findings
        ],
        "doubtful": found.doubtful.height,
        "months": found.months,
        "reconstructed_months": found.reconstructed,
        "merged": dict(found.merged),
        "forgotten": dict(found.forgotten),
        "notes": [*found.done, *found.notes],
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    days = {name: None if row[name] is None else row[name].isoformat() for name in ("happened_on", "known_at")}
    return {**row, **days}


# --- for people ------------------------------------------------------------------------------------------------


def _print(found: OutcomeList, console: Console, out: Path | None) -> None:
    if found.rows.is_empty():
        console.print(EMPTY, markup=False)
    else:
        accounts = plural(found.rows["account_id"].n_unique(), "customer")
        last, first = str(found.rows["happened_on"][0]), str(found.rows["happened_on"][-1])
        console.print(f"[bold]{plural(found.rows.height, 'outcome')}[/bold] of {accounts}, {first} to {last}\n")
        console.print(_counts(found))
        if found.doubtful.height:
            console.print(f"\n[yellow]{found.doubtful.height:,} doubtful:[/yellow]")
            console.print(_doubts(found, console.width))
            _rest(console, found.doubtful.height, out)
        console.print("\nThe latest:")
        console.print(_latest(found, console.width))
        _rest(console, found.rows.height, out)
    console.print()
    for line in (*found.done, *_context(found)):
        console.print(line, markup=False)
    summary.marked(
        console,
        "!",
        "yellow",
        [*(named(each.text, each.accounts, each.count) for each in found.findings), *found.notes],
    )
    if out is not None:
        console.print(f"\n{plural(found.rows.height, 'outcome')}: {escape(str(out))}")


def _rest(console: Console, count: int, out: Path | None) -> None:
    if count > LISTED:
        where = "they are in the file below" if out is not None else "--out FILE writes all of them"
        console.print(f"… and {count - LISTED:,} more: {where}", style="dim")


def _counts(found: OutcomeList) -> Table:
    shown = _table("Found by")
    counts = found.counts()
    for kind in KINDS:
        shown.add_column(kind, justify="right")
    for origin, by_kind in counts.items():
        shown.add_row(escape(origin), *(f"{by_kind.get(kind, 0):,}" for kind in KINDS))
    if len(counts) > 1:
        sums = [sum(by_kind.get(kind, 0) for by_kind in counts.values()) for kind in KINDS]
        shown.add_row("all", *(f"{count:,}" for count in sums), style="bold")
    return shown


def _table(first: str) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column(first, no_wrap=True)
    return shown


def _doubts(found: OutcomeList, width: int) -> Table:
    shown = _table("Date")
    shown.add_column("Account", max_width=24 if width < summary.WIDE else 40, overflow="ellipsis", no_wrap=True)
    shown.add_column("Kind")
    shown.add_column("Why")
    for row in found.doubtful.head(LISTED).iter_rows(named=True):
        shown.add_row(str(row["happened_on"]), _who(row), row["kind"], escape(row["doubt"]))
    return shown


def _latest(found: OutcomeList, width: int) -> Table:
    wide = width >= summary.WIDE
    shown = _table("Date")
    if wide:
        shown.add_column("Id", no_wrap=True)
    shown.add_column("Account", max_width=40 if wide else 20, overflow="ellipsis", no_wrap=True)
    shown.add_column("Kind")
    shown.add_column("ARR lost", justify="right")
    shown.add_column("Known from", no_wrap=True)
    if wide:
        shown.add_column("Found by")
    for row in found.rows.head(LISTED).iter_rows(named=True):
        known = "–" if row["known_at"] is None else str(row["known_at"])
        lost = "" if row["kind"] == RENEWED else money(row["arr_lost"])
        cells = [str(row["happened_on"]), _who(row), row["kind"], lost, known]
        shown.add_row(*([cells[0], row["account_id"], *cells[1:], escape(row["origin"])] if wide else cells))
    return shown


def _who(row: Mapping[str, Any]) -> str:
    return escape(row["account_name"] or row["account_id"])


def _context(found: OutcomeList) -> Iterator[str]:
    """What they can be compared with, and who is missing there."""
    again = f", {found.reconstructed:,} of them reconstructed afterwards" if found.reconstructed else ""
    yield f"Months with scores as they were then: {found.months:,}{again}."
    if found.merged:
        yield f"Merged into another account, whose outcomes and months they share: {len(found.merged):,}."
    if found.forgotten:
        rows = sum(found.forgotten.values())
        yield f"Erased on request: {plural(rows, 'row')} of {plural(len(found.forgotten), 'month')}."
