"""`accountpulse accounts`: who is linked where, who isn't, who is twice."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl
from rich.markup import escape
from rich.table import Table

from accountpulse import accounts
from accountpulse.cli import progress, show
from accountpulse.cli.words import TITLES, plural
from accountpulse.extractors import EXTRACTORS
from accountpulse.extractors.base import Request
from accountpulse.loaders import csv_file
from accountpulse.period import last_complete, scope_of
from accountpulse.records import Extract, Source
from accountpulse.settings import Settings


def show_links(loaded: Settings, now: datetime, out: Path | None) -> int:
    """Read the accounts and their links, and print what is missing or doubtful; 4 where an account is."""
    scope = scope_of(last_complete(now, loaded.mapping.timezone), now)
    with progress.waiting("reading accounts from Salesforce …"):
        extract = EXTRACTORS["salesforce"](Request(loaded, scope))
    extracts: dict[Source, Extract] = {"salesforce": extract}
    linked = accounts.link(extract.tables["accounts"], extracts, loaded.configured, ())
    console = show.tables()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "linked", "not linked"):
        table.add_column(name, justify="left" if not name else "right")
    sources = [source for source in loaded.configured if source != "salesforce"]
    for source in sources:
        missing = linked.unlinked.get(source, 0)
        table.add_row(TITLES[source], f"{linked.accounts.height - missing:,}", f"{missing:,}")
    console.print(f"{plural(extract.tables['accounts'].height, 'customer')} in Salesforce")
    console.print(table)
    for note in extract.notes:
        console.print(f"[yellow]![/yellow] {escape(note)}")
    if linked.problems:
        console.print(f"\n[red]{plural(len(linked.problems), 'account')} can't be scored:[/red]")
        console.print("\n".join(map(escape, show.problems(linked.problems))))
    if out is not None:
        csv_file.write(_table(linked, sources), out)
        console.print(f"\nEvery account with its links: {out}")
    return 4 if linked.problems else 0


def _table(linked: accounts.Linked, sources: Sequence[Source]) -> pl.DataFrame:
    table = linked.accounts.select("account_id", "account_name")
    for source in sources:
        keys = linked.keys.filter(pl.col("source") == source).select("account_id", pl.col("key").alias(source))
        table = table.join(keys, on="account_id", how="left", maintain_order="left")
    return table.sort("account_id")
