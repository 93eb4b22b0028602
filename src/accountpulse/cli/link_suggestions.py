"""`accountpulse accounts --suggest`: who the unlinked accounts may be, as links.csv with a decision a row."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from accountpulse.accounts.decisions import ACCEPT, Decided, LinkPair, accepted_keys, decide, rejected, undone
from accountpulse.accounts.likeness import THRESHOLD
from accountpulse.accounts.suggestions import SUGGESTIONS, suggest
from accountpulse.cli import progress, summary
from accountpulse.cli.formatting import plural
from accountpulse.cli.links import LISTED, LinkReport, find_links
from accountpulse.core.errors import SourceUnavailable, UsageError
from accountpulse.core.ids import comparable_id
from accountpulse.core.records import LINK_DECISIONS, SourceName
from accountpulse.observe.outlet import write_json
from accountpulse.settings import Settings, link_file
from accountpulse.settings.link_decisions import ABSENT
from accountpulse.systems import CRM, SYSTEMS, TITLES, csv_file
from accountpulse.systems.extraction import CustomerList, ExtractRequest

NAME = 22  # characters of a name
BESIDE_WHY = 2 * NAME + 8 + 5 + 8  # characters of a line that the other columns take
UNDO = "accountpulse accounts --undo-accepted"


@dataclass
class SuggestionReport:
    """What was suggested, decided and written.

    `unlinked`: accounts without a link, by source. `unasked`: the sources that could not say whom they know.
    """

    links: LinkReport
    decided: Decided
    path: Path
    is_read: bool  # whether a run reads the file
    suggestions: pl.DataFrame
    unlinked: dict[SourceName, set[str]]
    unasked: frozenset[SourceName]
    above: int | None
    notes: list[str] = field(default_factory=list)
    failures: list[SourceUnavailable] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """5 where a system could not be asked."""
        return SourceUnavailable.exit_code if self.failures else 0


def show_suggestions(loaded: Settings, now: datetime, out: Path | None, above: int | None, *, as_json: bool) -> int:
    """Suggest links for the accounts that lack one, write them beside people's decisions, and print what came of it."""
    path, decisions = _before(loaded, out)
    as_read = bytes_of(path)
    with progress.waiting("reading accounts and looking for their links …"):
        links = find_links(loaded, now)
    with progress.waiting("reading whom the other systems know …"):
        found = _Suggesting(loaded, links, decisions).report(path, above, now)
    write_decisions(found.decided.table, path, as_read)
    if as_json:
        write_json(sys.stdout, [_data(found)], indent=1)
    else:
        _print(found, summary.tables())
    return found.exit_code


def undo_accepted(loaded: Settings, out: Path | None) -> int:
    """Open every link again that `--accept-above` accepted; people's own decisions stay."""
    path = out or _configured(loaded)
    decisions = link_file.read_decisions_of(path)
    if decisions is None:
        raise UsageError(f"{path} is no file of decisions: `accountpulse accounts --suggest` writes one")
    table, count = undone(decisions)
    if count:
        csv_file.write(table, path)
    summary.tables().print(f"{plural(count, 'link')} open again: {escape(str(path))}", soft_wrap=True)
    return 0


# --- the file -----------------------------------------------------------------------------------------------------


def _configured(loaded: Settings) -> Path:
    return link_file.place(loaded.mapping.block("links"), loaded.config_folder)


def bytes_of(path: Path) -> bytes | None:
    """What a file holds now; None: it isn't there."""
    return path.read_bytes() if path.exists() else None


def write_decisions(table: pl.DataFrame, path: Path, as_read: bytes | None) -> None:
    """Write the file anew; UsageError where somebody changed it since it was read, which may take minutes."""
    if bytes_of(path) != as_read:
        raise UsageError(f"{path} was changed while the systems were asked. Nothing was written: start again")
    csv_file.write(table, path)


def _before(loaded: Settings, out: Path | None) -> tuple[Path, pl.DataFrame]:
    """Where the decisions go, and those that there are: of that file, else of the one that a run reads."""
    path, configured = out or _configured(loaded), _configured(loaded)
    if path.exists():
        decisions = link_file.read_decisions_of(path)
        if decisions is None:
            raise UsageError(
                f"{path} has a column for each system, and no place for decisions: name another file with --out. It "
                "takes over the links of this one; then name it as links.file in accountpulse.yaml"
            )
        return path, decisions
    decisions = link_file.read_decisions_of(configured) if configured.exists() else None
    return path, _taken_over(loaded) if decisions is None else decisions


def _taken_over(loaded: Settings) -> pl.DataFrame:
    """The links of a mapping file in the other form, as accepted ones."""
    nothing = dict.fromkeys(LINK_DECISIONS)
    name = loaded.link_file.name
    rows = [
        {
            **nothing,
            "account_id": each.account_id,
            "system": each.source,
            "key": each.key or ABSENT,
            "decision": ACCEPT,
            "note": f"from {name}",
        }
        for each in loaded.link_file.links
    ]
    return pl.DataFrame(rows, schema=dict(LINK_DECISIONS), orient="row")


# --- suggesting ---------------------------------------------------------------------------------------------------


@dataclass
class _Suggesting:
    """Asks the systems whom they know, and matches; what can't be asked costs its own suggestions."""

    loaded: Settings
    links: LinkReport
    decisions: pl.DataFrame
    notes: list[str] = field(default_factory=list)
    failures: list[SourceUnavailable] = field(default_factory=list)

    def report(self, path: Path, above: int | None, now: datetime) -> SuggestionReport:
        """Suggestions of all systems, decided as far as they can be."""
        links = self.links
        comparable = {name: system.comparable for name, system in SYSTEMS.items()}
        unlinked = {name: _unlinked(links, name) for name in links.sources}
        ours = self._customers(CRM) if any(unlinked.values()) else None
        found = {name: None if ours is None else self._of(name, ours, ids) for name, ids in unlinked.items() if ids}
        silent = {failure.source for failure in links.failures}
        unasked = frozenset({name for name, table in found.items() if table is None} | silent)
        asked = [table for table in found.values() if table is not None]
        suggestions = pl.concat([pl.DataFrame(schema={**SUGGESTIONS, "system": pl.String}), *asked])
        names = {row.account_id: row.name for row in links.rows}
        day = now.date().isoformat()
        decided = decide(
            self.decisions,
            suggestions,
            names,
            comparable,
            today=day,
            above=above,
            unknown=_unknown(links),
            unasked=unasked,
        )
        is_read = path.resolve() == _configured(self.loaded).resolve()
        failures = [*links.failures, *self.failures]
        notes = list(dict.fromkeys((*links.notes, *self.notes)))
        return SuggestionReport(links, decided, path, is_read, suggestions, unlinked, unasked, above, notes, failures)

    def _of(self, name: SourceName, ours: pl.DataFrame, wanted: set[str]) -> pl.DataFrame | None:
        """The suggestions of one system, with its name; None: it gave no list."""
        comparable = {name: SYSTEMS[name].comparable}
        claims = self.links.linked.claims.filter((pl.col("source") == name) & pl.col("reason").is_null())
        theirs = self._customers(name)
        if theirs is None:
            return None
        found = suggest(
            ours,
            theirs,
            wanted=wanted,
            taken={*claims["match"], *accepted_keys(self.decisions, name, comparable)},
            rejected=rejected(self.decisions, name, comparable),
            comparable=SYSTEMS[name].comparable,
        )
        return found.with_columns(system=pl.lit(name))

    def _customers(self, name: SourceName) -> pl.DataFrame | None:
        """The customers that a system knows; None: it has no list, or could not be asked."""
        if name in {failure.source for failure in self.links.failures}:
            return None
        ask = SYSTEMS[name].list_customers
        if ask is None:
            self.notes.append(f"{TITLES[name]}: it has no list of customers to suggest from")
            return None
        run = self.links.run
        request: ExtractRequest[Any, Any] = ExtractRequest(self.loaded.connection(name), run.scope, budget=run.budget())
        try:
            found: CustomerList = self.links.customers.get(name) or ask(request)
        except SourceUnavailable as error:
            self.failures.append(error)
            return None
        self.notes.extend(f"{TITLES[name]}: {note}" for note in found.notes)
        return found.rows


def _unlinked(links: LinkReport, name: SourceName) -> set[str]:
    """The accounts without a link that the system knows, and of which nobody said that there is none."""
    places = ((row.account_id, row.places[name]) for row in links.rows)
    return {
        account for account, place in places if place.state == "unknown" or (place.state == "none" and not place.by)
    }


def _unknown(links: LinkReport) -> set[LinkPair]:
    """The links of the file whose key its system doesn't know."""
    lost = links.linked.claims.filter((pl.col("by") == "file") & pl.col("reason").is_not_null())
    rows = lost.select("source", "account_id", "match").iter_rows()
    return {(source, comparable_id(account), match) for source, account, match in rows}


# --- words --------------------------------------------------------------------------------------------------------


def _data(found: SuggestionReport) -> dict[str, Any]:
    return {
        "customers": len(found.links.rows),
        "file": str(found.path),
        "accepted": found.decided.accepted,
        "accept_above": found.above,
        "decided_before": found.decided.kept,
        "rejected_before": found.decided.again,
        "sources": {name: _counts(found, name) for name in found.links.sources},
        "suggestions": list(found.suggestions.iter_rows(named=True)),
        "notes": [*found.notes],
        "failures": [str(failure) for failure in found.failures],
    }


def _counts(found: SuggestionReport, name: SourceName) -> dict[str, int | None]:
    """How many accounts of a source: unlinked, with a clear first suggestion, with an unclear one, with none.

    Null: the source could not say whom it knows.
    """
    first = found.suggestions.filter((pl.col("system") == name) & (pl.col("rank") == 1))
    clear = first.filter((pl.col("score") >= THRESHOLD) & pl.col("unclear").is_null())
    unclear = first.filter(pl.col("unclear").is_not_null())
    by_score = pl.col("decided_by").is_not_null() & (pl.col("decision") == ACCEPT) & (pl.col("system") == name)
    unlinked = len(found.unlinked[name])
    counts: dict[str, int | None] = {
        "clear": clear.height,
        "unclear": unclear.height,
        "weak": first.height - clear.height - unclear.height,
        "none": unlinked - first.height,
    }
    if name in found.unasked:
        counts = dict.fromkeys(counts)
    return {"unlinked": unlinked, **counts, "accepted_by_score": found.decided.table.filter(by_score).height}


def _print(found: SuggestionReport, console: Console) -> None:
    lacking = set().union(*found.unlinked.values()) if found.unlinked else set()
    console.print(
        f"[bold]{len(lacking):,} of {plural(len(found.links.rows), 'customer')}[/bold] lack a link somewhere\n"
    )
    console.print(_per_source(found, console.width))
    errors = [f"{failure} Nothing is suggested there." for failure in found.failures]
    summary.marked(console, "✗", "red", errors)
    summary.marked(console, "!", "yellow", found.notes)
    to_decide = _to_decide(found)
    if to_decide.height:
        console.print(f"\n[bold]To decide, {plural(to_decide.height, 'first suggestion')}[/bold]")
        console.print(_firsts(to_decide, found, console.width))
        if to_decide.height > LISTED:
            console.print(f"… and {to_decide.height - LISTED:,} more: they are in the file below", style="dim")
    console.print()
    for line in _ends(found):
        console.print(line, soft_wrap=False)


def _ends(found: SuggestionReport) -> Iterator[str]:
    decided = found.decided
    if found.above is not None:
        undo = f" To undo it: {UNDO}" if decided.accepted else ""
        yield f"{plural(decided.accepted, 'link')} accepted by --accept-above {found.above}.{undo}"
        if found.above < THRESHOLD:
            yield f"Below {THRESHOLD} more than one link in a hundred may be wrong: look at them in the file."
    if decided.again:
        yield f"{plural(decided.again, 'link')} rejected before, now later: there are other reasons, see note"
    if in_doubt := len(found.links.linked.problems):
        yield f"{plural(in_doubt, 'account')} can't be scored, such as two with one key: accountpulse accounts"
    if decided.kept:
        yield f"{plural(decided.kept, 'earlier decision')} kept"
    yield f"Links and decisions, {plural(decided.table.height, 'row')}: {escape(str(found.path))}"
    yield "Write accept, reject or later in its column decision: only accepted links count."
    if not found.is_read:
        yield "A run doesn't read this file yet: name it as links.file in accountpulse.yaml."


def _per_source(found: SuggestionReport, width: int) -> RenderableType:
    """A line a source: what became of the accounts that lack a link there."""
    rows = {}
    for source in found.links.sources:
        counts = _counts(found, source)
        numbers = [counts[name] for name in ("unlinked", "clear", "weak", "unclear", "none")]
        rows[TITLES[source]] = ["–" if number is None else f"{number:,}" for number in numbers]
    headings = ("no link", f"{THRESHOLD}+", "weak", "unclear", "no suggestion")
    return summary.by_source("", headings, rows, width)


def _to_decide(found: SuggestionReport) -> pl.DataFrame:
    """The best suggestion of each account and source that nobody has decided about, the surest first."""
    pair = ["account_id", "system", "key"]
    is_open = found.decided.table.filter(pl.col("decision").is_null()).select(pair)
    first = found.suggestions.filter(pl.col("rank") == 1).join(is_open, on=pair, how="semi", maintain_order="left")
    return first.sort("score", descending=True, maintain_order=True)


def _firsts(first: pl.DataFrame, found: SuggestionReport, width: int) -> Table:
    """Accounts and whom they may be."""
    names = {row.account_id: row.name for row in found.links.rows}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Account", max_width=NAME, no_wrap=True, overflow="ellipsis")
    table.add_column("System", no_wrap=True, min_width=8)
    table.add_column("Suggestion", max_width=NAME, no_wrap=True, overflow="ellipsis")
    table.add_column("Score", justify="right", no_wrap=True, min_width=5)
    if width >= 80:
        table.add_column("Why", no_wrap=True, overflow="ellipsis", max_width=width - BESIDE_WHY)
    for row in first.head(LISTED).iter_rows(named=True):
        unclear = f"; unclear: {row['unclear']}" if row["unclear"] else ""
        cells: Sequence[str] = (
            escape(names.get(row["account_id"]) or row["account_id"]),
            TITLES[row["system"]],
            escape(row["key_name"] or row["key"]),
            str(row["score"]),
        )
        table.add_row(*cells, *([escape(row["reasons"] + unclear)] if width >= 80 else []))
    return table
