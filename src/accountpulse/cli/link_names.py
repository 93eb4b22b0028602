"""The names in the file of links, held against those that the systems give: a row that contradicts is named."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accountpulse.accounts.link_names import contradictions
from accountpulse.core.errors import AccountpulseError
from accountpulse.core.ids import comparable_id
from accountpulse.core.records import LinkFile, SourceName
from accountpulse.pipeline.run import Run
from accountpulse.settings import Settings
from accountpulse.systems import CRM, SYSTEMS, TITLES
from accountpulse.systems.extraction import CustomerList, ExtractRequest

NAMED = 5  # rows that a note names


def customers_named(
    loaded: Settings, run: Run, sources: Sequence[SourceName]
) -> tuple[dict[SourceName, CustomerList], list[str]]:
    """Whom the systems know whose keys the file gives names; notes on those that could not be asked."""
    wanted = {each.source for each in loaded.link_file.links if each.key is not None and each.key_name}
    found: dict[SourceName, CustomerList] = {}
    notes = []
    for name in (each for each in sources if each in wanted):
        ask = SYSTEMS[name].list_customers
        if ask is None:
            continue
        request: ExtractRequest[Any, Any] = ExtractRequest(loaded.connection(name), run.scope, budget=run.budget())
        try:
            found[name] = ask(request)
        except AccountpulseError as error:
            notes.append(f"{TITLES[name]}: the key_name of links was not compared. {error}")
    return found, notes


def names_that_contradict(
    link_file: LinkFile, account_names: Mapping[str, str], customers: Mapping[SourceName, CustomerList]
) -> Iterator[str]:
    """A line that names the rows, where there are any."""
    comparable = {name: system.comparable for name, system in SYSTEMS.items()}
    key_names = {
        name: {comparable[name](row["key"]): row["name"] for row in listed.rows.iter_rows(named=True) if row["name"]}
        for name, listed in customers.items()
    }
    ours = {comparable_id(account): name for account, name in account_names.items()}
    rows = list(contradictions(link_file, ours, key_names, comparable))
    if rows:
        named = [
            f"line {line} ({column} {said!r}, in {TITLES[source or CRM]} {name!r})"
            for line, column, said, source, name in rows[:NAMED]
        ]
        more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
        told = f"{link_file.name} links under other names than the systems have: {', '.join(named)}{more}"
        yield f"{told}. Somebody was renamed, or cells were moved: look whether these links are right"
