"""Which field of the account holds what a system's records are known by: tried with the values of both, and counted."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accountpulse.systems.discovery import AccountSample

FEWEST = 3  # links by which a match is no chance
MOST_OTHERS = 5  # that are named beside the best
MEANS_NOTHING = frozenset({"", "-", "0", "n/a", "na", "none", "null", "unknown", "true", "false", "yes", "no"})
ID, NAME = "Id", "Name"


@dataclass(frozen=True)
class KeyMatch:
    """Something that a system's records carry (`carrier`), held against a field of the account.

    `linked`: values of the field that exactly one record carries; `shared`: those that several carry. `values` and
    `records`: how many different ones there are in all, on each side. `told`: of what belongs to the records, such as
    bugs, how many say whose they are.
    """

    carrier: str
    field: str
    linked: int
    shared: int
    values: int
    records: int
    told: int = 0

    @property
    def plausible(self) -> bool:
        """Whether it is more than chance: three links, or half of fewer values; and more links than doubts."""
        return self.linked > self.shared and self.linked >= min(FEWEST, -(-min(self.values, self.records) // 2))


def fields_of(accounts: AccountSample) -> dict[str, frozenset[str]]:
    """The account's fields that may name it elsewhere, with their values."""
    named = {ID: accounts.ids, NAME: accounts.names, **accounts.fields}
    return {field: values for field, values in named.items() if values}


def matches(
    carrier: str, records: Mapping[str, int], accounts: AccountSample, comparable: Callable[[str], str]
) -> Iterator[KeyMatch]:
    """The carrier against each of the account's fields. `records`: how many records carry each comparable value."""
    for field, values in fields_of(accounts).items():
        ours = keys(values, comparable)
        found = [records[key] for key in ours if key in records]
        linked = found.count(1)
        yield KeyMatch(carrier, field, linked, len(found) - linked, len(ours), len(records))


def keys(values: Iterable[str], comparable: Callable[[str], str]) -> set[str]:
    """The values as they are compared, without those that name nobody."""
    return {comparable(value) for value in values if value.strip().casefold() not in MEANS_NOTHING}


def ranked(found: Iterable[KeyMatch], carriers: Sequence[str], hints: Sequence[str]) -> list[KeyMatch]:
    """The plausible ones, best first: most links, fewest doubts, most told.

    Of equal ones a field before the name, which changes; the earlier carrier; a field that is called after the system
    (`hints`); the id.
    """

    def rank(match: KeyMatch) -> tuple[object, ...]:
        hinted = any(hint in match.field.casefold() for hint in hints)
        place = carriers.index(match.carrier) if match.carrier in carriers else len(carriers)
        counts = (-match.linked, match.shared, -match.told)
        return (*counts, match.field == NAME, place, not hinted, match.field != ID, match.field, match.carrier)

    return sorted((match for match in found if match.plausible), key=rank)


def untried(accounts: AccountSample, hint: str) -> str | None:
    """The field of the account that is called after a system, for where its values can't be tried; None: none is."""
    return min((name for name in accounts.fields if hint in name.casefold()), default=None)


def same_count(best: KeyMatch, others: Iterable[KeyMatch]) -> list[KeyMatch]:
    """Those that link as many as the best one."""
    return [each for each in others if each != best and (each.linked, each.shared) == (best.linked, best.shared)]


def alternatives(best: KeyMatch, others: Iterable[KeyMatch]) -> list[KeyMatch]:
    """Of each other carrier the best field, and of the best carrier the next one; a few."""
    first: dict[str, KeyMatch] = {}
    for each in others:
        first.setdefault(each.carrier, each)
    return sorted(first.values(), key=lambda each: each.carrier == best.carrier)[:MOST_OTHERS]
