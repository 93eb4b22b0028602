"""`accountpulse scorecard diff`: what two scorecards say, and what that would mean for the accounts."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountpulse.cli import summary
from accountpulse.cli.files import check_apart, read_card, read_given, write_table
from accountpulse.cli.formatting import money, plural, points
from accountpulse.cli.table_look import look_of
from accountpulse.cli.voice import note
from accountpulse.core.errors import UsageError
from accountpulse.core.period import Period
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import earlier_runs
from accountpulse.scoring import table
from accountpulse.scoring.columns import AS_OF
from accountpulse.scoring.compare import Difference, differences, side_by_side, why_moved
from accountpulse.scoring.explain import signed
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.trend import score_table
from accountpulse.state import State

LISTED = 20  # accounts shown; --out writes all
SHOWN = 40  # differences of the files shown; the rest is counted
CUT = 60  # characters of a value shown
ATTRIBUTES_SHOWN = ("account_name", "segment", "arr")
Cards = tuple[Scorecard, Scorecard]
ScoreFrames = tuple[pl.DataFrame, pl.DataFrame]


def show_difference(
    before: Path, after: Path, pillars: tuple[str, ...], out: Path | None, *, as_json: bool = False
) -> int:
    """Print where the files differ, without any account."""
    if out is not None:
        raise UsageError("--out needs accounts: give --metrics FILE or --period YYYY-MM too")
    cards = (read_card(before, pillars), read_card(after, pillars))
    if as_json:
        _print_json(cards, None)
    else:
        _files(summary.tables(), cards)
    return 0


def compare_on_file(
    before: Path | None,
    after: Path,
    metrics: Path,
    out: Path | None,
    *,
    unread_named: bool = False,
    as_json: bool = False,
) -> int:
    """Print what the second scorecard would do to the accounts of a table; of several dates, on the last one.

    `unread_named`: the table's columns that nobody reads were named before.
    """
    check_apart([] if out is None else [out], [before, after, metrics])
    given, name = read_given(metrics), metrics.name
    pillars = table.pillars_in(given)
    cards = (read_card(before, pillars), read_card(after, pillars))
    unknown = [set(table.unknown_columns_in(given, card)) for card in cards]
    read = [table.read_table(given, card) for card in cards]
    if not unread_named:
        note([*sorted(unknown[0] & unknown[1]), *dict.fromkeys(line for each in read for line in each.notes)])
    frames = [each.rows for each in read]
    before_scores, after_scores = (
        score_table(frame, card, detail=True) for frame, card in zip(frames, cards, strict=True)
    )
    if (last := table.last_date(frames[0])) is None:
        return _report(cards, (before_scores, after_scores), frames[0], name, out, as_json=as_json)
    before_scores, after_scores, metrics_then = (
        frame.filter(pl.col(AS_OF) == last) for frame in (before_scores, after_scores, frames[0])
    )
    return _report(cards, (before_scores, after_scores), metrics_then, f"{name} as of {last}", out, as_json=as_json)


def compare_on_state(
    before: Path | None, after: Path, state: State, period: Period | None, out: Path | None, *, as_json: bool = False
) -> int:
    """Print what the second scorecard would do to the accounts of a month."""
    earlier = earlier_runs.recall_or_refuse(state, period)
    pillars = earlier.card.pillars
    cards = (read_card(before, pillars), read_card(after, pillars))
    before_scores, after_scores = (earlier_runs.rescored_whole(earlier, state, card, detail=True) for card in cards)
    of_run, scores = f"the run of {earlier.period.name}", (before_scores, after_scores)
    return _report(cards, scores, earlier.metrics, of_run, out, as_json=as_json)


def _report(
    cards: Cards, scores: ScoreFrames, metrics: pl.DataFrame, source: str, out: Path | None, *, as_json: bool
) -> int:
    present = [name for name in ATTRIBUTES_SHOWN if name in metrics.columns]
    absent = [pl.lit(None, pl.Float64 if name == "arr" else pl.String).alias(name) for name in ATTRIBUTES_SHOWN]
    attributes = metrics.select(
        "account_id", *present, *(each for each in absent if each.meta.output_name() not in present)
    )
    accounts = _with_reasons(side_by_side(*scores, attributes), cards, scores)
    if out is not None:
        write_table(out, accounts, look_of(accounts, *cards))
    if as_json:
        _print_json(cards, accounts)
        return 0
    console = summary.tables()
    _files(console, cards)
    console.print(f"\n[bold]What it does[/bold] to {plural(accounts.height, 'account')} of {escape(source)}")
    console.print(_tiers(cards, accounts))
    _moves(console, accounts)
    if out is not None:
        console.print(f"\nEvery account: {out}", markup=False)
    return 0


def _with_reasons(accounts: pl.DataFrame, cards: Cards, scores: ScoreFrames) -> pl.DataFrame:
    """Why, for each account whose tier changes."""
    changing = accounts.filter("tier_changes").select("account_id")
    rows = [frame.join(changing, on="account_id", how="semi").iter_rows(named=True) for frame in scores]
    texts = [
        {"account_id": before["account_id"], "why": why_moved(before, after, *cards)}
        for before, after in zip(*rows, strict=True)
    ]
    found = pl.DataFrame(texts, schema={"account_id": pl.String, "why": pl.String})
    return accounts.join(found, on="account_id", how="left", maintain_order="left")


def _print_json(cards: Cards, accounts: pl.DataFrame | None) -> None:
    """Both scorecards, where the files differ, and every account whose tier changes; null without accounts."""
    named = [{"name": card.name, "hash": card.hash} for card in cards]
    changing = None if accounts is None else accounts.filter("tier_changes").drop("tier_changes").to_dicts()
    facts = {
        "before": named[0],
        "after": named[1],
        "differences": [
            {"path": each.path, "before": each.before, "after": each.after} for each in differences(*cards)
        ],
        "accounts": None if accounts is None else accounts.height,
        "changing": changing,
    }
    write_json(sys.stdout, [{"version": summary.JSON_VERSION, **facts}])


# --- the files -------------------------------------------------------------------------------------------------


def _files(console: Console, cards: Cards) -> None:
    before, after = cards
    found = differences(before, after)
    console.print(f"{before.name} {before.hash} → {after.name} {after.hash}", markup=False)
    console.print(f"\n[bold]What the files say[/bold]: {plural(len(found), 'difference')}")
    for difference in found[:SHOWN]:
        console.print(Padding(_line(difference), (0, 0, 0, 2), expand=False))
    if len(found) > SHOWN:
        console.print(f"  … and {len(found) - SHOWN} more")


def _line(difference: Difference) -> Text:
    if difference.before is None:
        return Text.assemble("+ ", difference.path, f": {_short(difference.after)}")
    if difference.after is None:
        return Text.assemble("− ", difference.path, f": {_short(difference.before)}")
    return Text.assemble("  ", difference.path, f": {_short(difference.before)} → {_short(difference.after)}")


def _short(value: Any) -> str:
    text = _plain(value)
    return text if len(text) <= CUT else f"{text[: CUT - 1]}…"


def _plain(value: Any) -> str:
    """A value as the file would have it, on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_plain(part)}' for key, part in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


# --- the accounts ----------------------------------------------------------------------------------------------


def _tiers(cards: Cards, accounts: pl.DataFrame) -> Table:
    """Accounts and ARR by tier, before and after."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("Tier", "Accounts", "after", "ARR", "after"):
        grid.add_column(name, justify="left" if name == "Tier" else "right", no_wrap=True)
    names = dict.fromkeys([*(name for card in cards for name in card.tier_names), NOT_RATED])
    styles = {name: style for card in cards for name, style in summary.tier_styles(card.tier_names).items()}
    for name in names:
        before, after = (accounts.filter(pl.col(f"tier_{when}") == name) for when in ("before", "after"))
        if before.height or after.height:
            counts = (f"{before.height:,}", f"{after.height:,}", _arr(before), _arr(after))
            grid.add_row(Text(name, style=styles[name]), *counts)
    return grid


def _arr(rows: pl.DataFrame) -> str:
    known = rows["arr"].drop_nulls()
    return money(float(known.sum())) if known.len() else "–"


def _moves(console: Console, accounts: pl.DataFrame) -> None:
    """How many change tier, from where to where, and which."""
    changing = accounts.filter("tier_changes").sort("arr", "account_id", descending=[True, False], nulls_last=True)
    console.print(
        f"\n[bold]{plural(changing.height, 'account')} of {accounts.height:,} change tier[/bold]{_spread(accounts)}"
    )
    pairs = changing.group_by("tier_before", "tier_after", maintain_order=True).agg(
        pl.len(), pl.col("arr").sum(), known=pl.col("arr").count()
    )
    for before, after, count, arr, known in pairs.sort("len", descending=True).iter_rows():
        amount = f", ARR {money(arr)}" if known else ""
        console.print(f"  {before} → {after}: {plural(count, 'account')}{amount}", markup=False)
    if changing.height:
        console.print()
    for row in changing.head(LISTED).iter_rows(named=True):
        console.print(Padding(_account(row), (0, 0, 0, 2), expand=False))
    if changing.height > LISTED:
        where = "`scorecard diff --out FILE` writes all of them"
        console.print(f"  … and {changing.height - LISTED:,} more; {where}")


def _spread(accounts: pl.DataFrame) -> str:
    change = accounts["health_change"].drop_nulls()
    if not change.len():
        return ""
    low, high, mean = (float(value) for value in (change.min(), change.max(), change.mean()))  # type: ignore[arg-type]
    return f"; health moves by {signed(mean)} on average, from {signed(low)} to {signed(high)}"


def _account(row: Mapping[str, Any]) -> RenderableType:
    health = f"{points(row['health_score_before'])} → {points(row['health_score_after'])}"
    tiers = f"{row['tier_before']} → {row['tier_after']}"
    facts: Iterable[str] = (tiers, health, *([f"ARR {money(row['arr'])}"] if row["arr"] is not None else []))
    name = (row["account_name"] or row["account_id"], "bold")
    return Text.assemble(name, f"  {' · '.join(facts)}\n  {row['why'] or 'no metric alone moves it'}")
