"""`accountpulse scorecard suggest`: other weights, from who left, as a new scorecard file."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountpulse.cli import summary
from accountpulse.cli.calibrate import TrainingRequest, learn
from accountpulse.cli.difference import compare_on_file, compare_on_state
from accountpulse.cli.proof_tables import check_extra
from accountpulse.core import given_files
from accountpulse.core.errors import UsageError
from accountpulse.observe.outlet import write_json
from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.state import State

if TYPE_CHECKING:
    from accountpulse.proof.rewrite import RewrittenCard
    from accountpulse.proof.suggest import Suggestion, WeightChange
    from accountpulse.proof.training import Training


def suggest_weights(asked: TrainingRequest, out: Path, now: datetime, *, as_json: bool = False) -> int:
    """Find other weights, say why each moves, and write the new file; 4 where nothing can be suggested."""
    check_extra("scorecard suggest")
    from accountpulse.cli.calibration_summary import show_notes, show_training
    from accountpulse.proof.training import suggested

    if out.exists():
        raise UsageError(f"--out {out}: this file is there already, and none is overwritten; name another")
    tables, learned = learn(asked, now)
    text = _text_of(asked, tables.card)
    found = suggested(learned)
    console = summary.tables()
    console.quiet = as_json
    show_training("Suggested weights", learned, tables, console)
    show_notes(learned, tables, console)
    if found is None or _is_idle(learned, found):
        refusals = _refusals(learned, found)
        if as_json:
            _print_json(found, refusals, None)
        return _refuse(learned, refusals, console)
    console.print(f"\n[bold]{escape(found.verdict)}[/bold]")
    if not any(change.reason for change in found.changes):
        _name_wrong_ways(learned, console)
        nothing = "Nothing was written: the new file would be the old one."
        console.print(f"\n{nothing}")
        if as_json:
            _print_json(found, [nothing], None)
        return 4
    new = _rewritten(asked, text, learned, found, now)
    _show(learned, found, new, console)
    _write_new(out, new.text)
    if as_json:
        _print_json(found, [], out)
        return 0
    _difference(asked, out, console, recommended=found.recommended)
    return 0


def _is_idle(learned: "Training", found: "Suggestion") -> bool:
    """Whether neither the old weights nor the new ones are shown to foretell anything."""
    auc = learned.evidence.auc
    return not found.recommended and (auc is None or auc.lower <= 0.5)


def _refusals(learned: "Training", found: "Suggestion | None") -> list[str]:
    """Why nothing is suggested."""
    from accountpulse.proof.gates import WEIGHTS, gate

    if found is None:
        return [*learned.leaks, *gate(learned.evidence, WEIGHTS).refusals]
    return [
        "Neither these weights nor others are shown to foretell who leaves better than chance.",
        *([found.verdict] if any(change.reason for change in found.changes) else []),
    ]


def _print_json(found: "Suggestion | None", refusals: Sequence[str], written: Path | None) -> None:
    """The new weights, each part's reason, and where they were written; or why there are none."""
    facts = {
        "suggested": written is not None,
        "recommended": None if found is None else found.recommended,
        "verdict": None if found is None else found.verdict,
        "changes": [] if found is None else msgspec.to_builtins(found.changes),
        "refusals": list(refusals),
        "out": None if written is None else str(written),
    }
    write_json(sys.stdout, [{"version": summary.JSON_VERSION, **facts}])


def _refuse(learned: "Training", refusals: Sequence[str], console: Console) -> int:
    """Say why nothing is suggested."""
    from accountpulse.cli.calibration_summary import across

    console.print("\n[bold]No other weights can be suggested[/bold]")
    summary.marked(console, "✗", "red", refusals)
    summary.marked(console, "·", "cyan", across(learned))
    _name_wrong_ways(learned, console)
    console.print("Nothing was written.")
    return 4


def _text_of(asked: TrainingRequest, card: Scorecard) -> str:
    """The owner's file, or the packaged one where the months were scored with that."""
    if asked.scorecard is not None:
        try:
            return given_files.read_text(asked.scorecard, given_files.MOST_YAML)
        except given_files.Unreadable as error:
            raise UsageError(f"{asked.scorecard} can't be read ({error})") from None
    if card.hash != scorecard.default(card.pillars).hash:
        raise UsageError(f"the latest month was scored with {card.name} {card.hash}: give its file by --scorecard")
    return scorecard.default_text()


def _rewritten(
    asked: TrainingRequest, text: str, learned: "Training", found: "Suggestion", now: datetime
) -> "RewrittenCard":
    from accountpulse.proof.rewrite import rewritten

    card, months = learned.card, learned.months
    name = scorecard.PACKAGED if asked.scorecard is None else asked.scorecard.name
    head = (
        f"Weights by `accountpulse scorecard suggest` on {now:%Y-%m-%d}, from {name} ({card.name} {card.hash}) and "
        f"{learned.evidence.events:,} customers who left, months {months[0]} to {months[-1]}. {found.verdict}"
    )
    reasons = {change.key: change.reason for change in found.changes}
    return rewritten(text, name, card, found.weights, reasons, head=head)


def _write_new(out: Path, text: str) -> None:
    """Make the file; one that came there meanwhile is not overwritten."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("xb") as stream:
            stream.write(text.encode())
    except OSError as error:
        raise UsageError(f"{out} can't be written ({error.strerror})") from None


def _difference(asked: TrainingRequest, out: Path, console: Console, *, recommended: bool) -> None:
    """What `scorecard diff` says of both files, and of the accounts of the latest month."""
    console.print(f"\nNew scorecard: {out}\n", markup=False)
    if isinstance(asked.source, State):
        compare_on_state(asked.scorecard, out, asked.source, None, None)
    else:
        compare_on_file(asked.scorecard, out, asked.source, None, unread_named=True)
    console.print()
    when = "To use it" if recommended else "It isn't recommended. To use it all the same"
    use = f"{when}, name it in accountpulse.yaml (scorecard: {out})"
    summary.marked(console, "·", "cyan", [f"{use}, and calibrate again: a calibration counts for one scorecard."])


# --- weights -----------------------------------------------------------------------------------------------------


def _show(learned: "Training", found: "Suggestion", new: "RewrittenCard", console: Console) -> None:
    _name_wrong_ways(learned, console)
    console.print(f"\nWeights of {found.level.replace('leaves', 'metrics')}, in percent{_of_what(learned.card)}:")
    console.print(_weights(learned.card, found, new, wide=console.width >= summary.WIDE))
    kept = [f"{key} should count nothing, but stays with the least weight: {why}" for key, why in new.kept.items()]
    summary.marked(console, "!", "yellow", kept)


def _of_what(card: Scorecard) -> str:
    """What the weights add up to, where that isn't all that the file has."""
    empty = [node.name.replace("_", " ") for node in card.dimension_nodes if not list(node.leaves())]
    return f" of what is measured (without {', '.join(empty)}, of which nothing is configured)" if empty else ""


def _weights(card: Scorecard, found: "Suggestion", new: "RewrittenCard", *, wide: bool) -> RenderableType:
    """A row a dimension or metric, old beside new; the reason beside it, or below on a narrow terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", max_width=34)
    table.add_column("old", justify="right", no_wrap=True)
    table.add_column("new", justify="right", no_wrap=True)
    if wide:
        table.add_column("why", ratio=1)
    for change in found.changes:
        style = "red" if change.wrong_way else "" if change.reason else "dim"
        cells = (_label(card, change), f"{100 * change.old:.1f}", _share(new.card, change.key))
        table.add_row(*map(escape, cells), *((escape(change.reason),) if wide else ()), style=style)
    return table if wide else Group(table, Text(), *_reasons(card, found))


def _reasons(card: Scorecard, found: "Suggestion") -> Iterator[RenderableType]:
    for change in found.changes:
        if change.reason:
            yield Text(_label(card, change), style="bold")
            yield Padding(Text(change.reason), (0, 0, 0, 2))


def _label(card: Scorecard, change: "WeightChange") -> str:
    metric = card.catalogue.get(change.name)
    return change.name.replace("_", " ") if metric is None else metric.label


def _share(card: Scorecard, key: str) -> str:
    """The part of the whole weight that a group or metric has in a scorecard, in percent."""
    parts = [leaf.share for leaf in card.leaves if leaf.key == key or leaf.key.startswith(f"{key}/")]
    return f"{100 * sum(parts) / sum(leaf.share for leaf in card.leaves):.1f}" if parts else "out"


def _name_wrong_ways(learned: "Training", console: Console) -> None:
    """Name the metrics that point the wrong way; none is turned round."""
    whole = sum(leaf.share for leaf in learned.card.leaves)  # without pillars that nobody configured
    lines = [
        f"{part.label} points the wrong way, with {100 * (part.weight or 0.0) / whole:.1f} % of the weight: customers "
        "whom it calls worse left less often. Look at its anchors; nothing turns them round by itself."
        for part in learned.wrong_way
    ]
    summary.marked(console, "✗", "red", lines)
    summary.marked(console, "!", "yellow", learned.maybe_wrong_way)
