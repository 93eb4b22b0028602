"""Whether the names in a row of links.csv are those of the account and the record that it links."""

from collections.abc import Iterator, Mapping

from accountpulse.accounts.company_names import read_name
from accountpulse.accounts.decisions import Comparable
from accountpulse.core.ids import comparable_id
from accountpulse.core.records import LinkFile, SourceName

KeyNames = Mapping[SourceName, Mapping[str, str]]  # comparable key → what its system calls it


def contradictions(
    link_file: LinkFile, account_names: Mapping[str, str], key_names: KeyNames, comparable: Comparable
) -> Iterator[tuple[int, str, str, SourceName | None, str]]:
    """Rows that link, but call the account or the key otherwise than their systems do.

    Line, column, name in the file, source (None: of the accounts), name there. `account_names`: comparable id → name.
    A name that isn't given, or that its system doesn't give, contradicts nothing.
    """
    for each in link_file.links:
        ours = account_names.get(comparable_id(each.account_id))
        if each.account_name and ours and not is_same_name(each.account_name, ours):
            yield each.line, "account_name", each.account_name, None, ours
        if each.key is None or not each.key_name:
            continue
        theirs = key_names.get(each.source, {}).get(comparable[each.source](each.key))
        if theirs and not is_same_name(each.key_name, theirs):
            yield each.line, "key_name", each.key_name, each.source, theirs


def is_same_name(one: str, two: str) -> bool:
    """Whether two names may be one company's, but for legal form, spelling, order, or words that one of them lacks."""
    first, second = read_name(one), read_name(two)
    if not first.joined or not second.joined:
        return one.strip().casefold() == two.strip().casefold()
    words, others = set(first.words), set(second.words)
    also_called = {first.words, *first.others} & {second.words, *second.others}
    in_other_letters = first.foreign != second.foreign and first.sound == second.sound
    return bool(also_called) or first.joined == second.joined or words <= others or others <= words or in_other_letters
