"""A backtest on a terminal: what it says in words, who was misjudged, the tiers, each metric alone, and the limits."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountpulse.cli import summary
from accountpulse.cli.formatting import money, named, plural, points

if TYPE_CHECKING:
    from accountpulse.proof.document import (
        BacktestDocument,
        GroupOutcome,
        PartAlone,
        ProofCase,
        Sample,
        WordRecord,
        WordsAtLead,
    )
    from accountpulse.proof.intervals import Interval

GREENS, REDS, PARTS = 10, 5, 12  # rows shown; the files have all
NARROW = 64  # columns below which tables have their main figures alone
VERDICTS = {"wrong way": "red", "right way": "green"}


def show(document: "BacktestDocument", console: Console) -> None:
    """Print the whole of it."""
    console.print(_head(document))
    summary.marked(console, "·", "cyan", document.sentences)
    greens, reds = document.false_greens[:GREENS], document.false_reds[:REDS]
    _cases(console, "green, and left", greens, document.false_green_count)
    later = f"; {document.false_reds_left_later:,} of them left later" if document.false_reds_left_later else ""
    _cases(console, f"red, and {document.stayed}", reds, document.false_red_count, later)
    sample = document.renewals if document.main == "renewals" else document.account_months
    if sample.rows:
        console.print(f"\n[bold]By tier[/bold] ({_rows_of(sample)})")
        console.print(_tiers(sample, document.tiers, console.width))
    if document.reconstructed is not None and document.reconstructed.rows:
        console.print(f"\n[bold]Measured afterwards[/bold], apart ({_rows_of(document.reconstructed)})")
        console.print(_tiers(document.reconstructed, document.tiers, console.width))
    if document.words:
        console.print("\n[bold]Who was right[/bold], the score or the pulse")
        console.print(_words(document.words, console.width))
    if document.parts:
        console.print("\n[bold]Each alone[/bold] (AUC: above 0.50 it points the right way)")
        console.print(_parts(document.parts, console.width))
    if document.comparison is not None:
        console.print("\n[bold]The other scorecard[/bold]")
        summary.marked(console, "·", "cyan", [document.comparison.text])
    console.print("\n[bold]What is not proven[/bold]")
    summary.marked(console, "?", "yellow", document.not_proven)
    findings = [named(each.text, each.accounts, each.count) for each in document.labels.findings]
    summary.marked(console, "!", "yellow", [*findings, *document.notes])
    console.print()


def _head(document: "BacktestDocument") -> Text:
    title = (f"Backtest of {document.scorecard.name} {document.scorecard.hash}", "bold")
    if not document.months:
        return Text.assemble(title, f" on {document.source}: no month that was measured in time")
    customers = plural(document.labels.accounts, "customer")
    return Text.assemble(
        title,
        f" on {document.source}: {document.months[0]} to {document.months[-1]}, {customers}, "
        f"{document.labels.departures:,} of them left by {document.known_until}{_strangers(document)}",
    )


def _strangers(document: "BacktestDocument") -> str:
    count = document.labels.strangers
    return f"; {count:,} more who left {'is' if count == 1 else 'are'} in none of these months" if count else ""


def _rows_of(sample: "Sample") -> str:
    return f"{plural(sample.rows, _word(sample))} of {plural(sample.customers, 'customer')}"


def _word(sample: "Sample") -> str:
    return "renewal" if sample.kind == "renewals" else "account-month"


# --- who was misjudged -----------------------------------------------------------------------------------------


def _cases(console: Console, what: str, cases: Sequence["ProofCase"], count: int, later: str = "") -> None:
    if not cases:
        return
    console.print(f"\n[bold]{cases[0].kind.capitalize()}s[/bold]: {what} ({plural(count, 'customer')}{later})")
    console.print(_case_table(cases, console.width))
    if count > len(cases):
        console.print(f"… and {count - len(cases):,} more: backtest.json names them", style="dim")


def _case_table(cases: Sequence["ProofCase"], width: int) -> RenderableType:
    wide = width >= summary.WIDE
    table = _table("Account", 24)
    narrow = width < NARROW
    for name in ("Health",) if narrow else ("ARR", "Health"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("As of",) if narrow else ("Tier", "As of"):
        table.add_column(name, no_wrap=True)
    if wide:
        table.add_column("What happened", max_width=34)
        table.add_column("What the score saw", ratio=1)
    for case in cases:
        more = (escape(case.happened), escape("; ".join(case.saw))) if wide else ()
        cells = (money(case.arr), points(case.health), escape(case.tier), str(case.as_of), *more)
        table.add_row(escape(case.account_name or case.account_id), *(cells[1::2] if narrow else cells))
    return table if wide else Group(table, Text(), *_told(cases))


def _told(cases: Sequence["ProofCase"]) -> list[RenderableType]:
    """The same that a wide terminal has beside the numbers, below them."""
    lines: list[RenderableType] = []
    for case in cases:
        lines.append(Text.assemble((case.account_name or case.account_id, "bold"), f" {case.happened}"))
        lines += [Padding(Text(line), (0, 0, 0, 2)) for line in case.saw]
    return lines


# --- tables ----------------------------------------------------------------------------------------------------


def _table(first: str, most: int | None = None) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, max_width=most)
    return table


def _tiers(sample: "Sample", names: Sequence[str], width: int) -> Table:
    wide, narrow, styles = width >= summary.WIDE, width < NARROW, summary.tier_styles(names)
    table = _table("Tier")
    counts = ("Left", "Rows") if narrow else ("Customers", "Left", f"{_word(sample).capitalize()}s")
    more = ("ARR lost", "Gross ret.", "Net ret.", "AUC inside") if wide else ()
    for title in (*counts, "lost of these", *more):
        table.add_column(title, justify="right", no_wrap=True)
    for group in sample.by_tier:
        numbers = (group.lost, group.rows) if narrow else (group.customers, group.lost, group.rows)
        cells = (*(f"{number:,}" for number in numbers), _percent(group.share), *(_money(group) if wide else ()))
        table.add_row(Text(group.group, style=styles.get(group.group, "")), *cells)
    return table


def _money(group: "GroupOutcome") -> tuple[str, ...]:
    kept = group.retention
    return (
        _percent(group.arr_loss),
        _percent(kept.gross if kept else None),
        _percent(kept.net if kept else None),
        _hundredths(group.auc),
    )


def _words(leads: Sequence["WordsAtLead"], width: int) -> RenderableType:
    """What became of the renewals on which the two disagreed, and of those before which each said one word."""
    lines = [
        Padding(Text.assemble((f"{lead.lead_days} days before: ", "bold"), lead.text, _unread(lead)), (0, 0, 0, 2))
        for lead in leads
    ]
    narrow = width < summary.WIDE
    table = _table("Said")
    for lead in leads:
        name = f"{lead.lead_days} d" if narrow else f"{lead.lead_days} days before"
        table.add_column("Lost" if narrow else f"{name}: lost", justify="right", no_wrap=True)
        table.add_column(f"of {name}" if narrow else "of renewals", justify="right", no_wrap=True)
    for records in zip(*(lead.records for lead in leads), strict=True):
        counts = [(_lost(record), f"{record.renewals:,}") for record in records]
        table.add_row(f"{records[0].who} {records[0].word}", *(cell for pair in counts for cell in pair))
    return Group(*lines, Text(), table)


def _lost(record: "WordRecord") -> str:
    return "–" if record.lost is None else f"{record.lost:,}"


def _unread(lead: "WordsAtLead") -> str:
    return f" {plural(lead.unread, 'more renewal')} without a month of that time." if lead.unread else ""


def _parts(parts: Sequence["PartAlone"], width: int) -> RenderableType:
    """Scores and dimensions, and of the metrics those that point the wrong way and those that tell most."""
    metrics = sorted((part for part in parts if part.kind == "metric"), key=_interest)
    shown = [*(part for part in parts if part.kind != "metric"), *metrics[:PARTS]]
    more = len(metrics) - PARTS
    rest = [Text(f"… and {plural(more, 'more metric')}: backtest.json has all", "dim")] if more > 0 else []
    return Group(*(_parts_told(shown) if width < NARROW else [_part_table(shown, width)]), *rest)


def _part_table(parts: Sequence["PartAlone"], width: int) -> Table:
    wide = width >= summary.WIDE
    table = _table("", 40 if wide else 28)
    for title in ("Weight", "AUC", *(("Known",) if wide else ())):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for part in parts:
        weight = "" if part.weight is None else f"{100 * part.weight:.1f} %"
        known = (f"{100 * part.known:.0f} %",) if wide else ()
        verdict = Text(part.verdict, style=VERDICTS.get(part.verdict, "dim"))
        table.add_row(escape(part.label.replace("_", " ")), weight, _hundredths(part.auc), *known, verdict)
    return table


def _parts_told(parts: Sequence["PartAlone"]) -> Iterator[RenderableType]:
    """The same for a terminal that has no room for columns."""
    for part in parts:
        yield Text(part.label.replace("_", " "), style="bold")
        weight = "" if part.weight is None else f", {100 * part.weight:.1f} % of the weight"
        told = f"AUC {_hundredths(part.auc)}, {part.verdict}{weight}"
        yield Padding(Text(told, style=VERDICTS.get(part.verdict, "")), (0, 0, 0, 2))


def _interest(part: "PartAlone") -> tuple[bool, float]:
    """What points the wrong way first, then what tells most."""
    return part.verdict != "wrong way", -abs((part.auc.value if part.auc else 0.5) - 0.5)


def _percent(share: "Interval | None") -> str:
    """`59 % (46–71)`."""
    if share is None:
        return "–"
    digits = 0 if share.value >= 0.1 or share.value == 0 else 1
    value, low, high = (f"{100 * each:.{digits}f}" for each in (share.value, share.lower, share.upper))
    return f"{value} % ({low}–{high})"


def _hundredths(value: "Interval | None") -> str:
    """`0.78 (0.71–0.84)`."""
    return "–" if value is None else f"{value.value:.2f} ({value.lower:.2f}–{value.upper:.2f})"
