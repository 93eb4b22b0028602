"""What became of suggested links: people's decisions stay, suggestions are added, nothing is decided in doubt."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from accountpulse.core.ids import comparable_id
from accountpulse.core.records import LINK_DECISIONS, SourceName

ACCEPT, REJECT, LATER = "accept", "reject", "later"
BY_SCORE = "accept-above"  # what `decided_by` begins with where no person decided
_UNCLEAR = "; unclear: "
DecisionRow = dict[str, Any]
LinkPair = tuple[SourceName, str, str]  # system, account and key, these two in comparable form
Comparable = Mapping[SourceName, Callable[[str], str]]  # how the keys of each source compare


@dataclass(frozen=True)
class Decided:
    """The whole file anew, and what came of it: counts of rows.

    `accepted`: by score, now. `again`: rejected before, and put to people again (`later`) since their grounds changed.
    `kept`: decisions that stood there before. `table` has LINK_DECISIONS.
    """

    table: pl.DataFrame
    accepted: int
    again: int
    kept: int


def grounds(reasons: str | None) -> str:
    """The reasons without what makes them unclear, which changes with other accounts."""
    return (reasons or "").partition(_UNCLEAR)[0]


def rejected(decisions: pl.DataFrame, system: SourceName, comparable: Comparable) -> dict[tuple[str, str], str]:
    """What people refused in a system: account and comparable key → the grounds that they refused.

    "": whatever they are, since nobody wrote any down.
    """
    rows = decisions.filter((pl.col("system") == system) & (pl.col("decision") == REJECT))
    return {
        (comparable_id(row["account_id"]), comparable[system](row["key"])): grounds(row["reasons"])
        for row in rows.iter_rows(named=True)
    }


def accepted_keys(decisions: pl.DataFrame, system: SourceName, comparable: Comparable) -> set[str]:
    """The keys that are somebody's, in comparable form."""
    rows = decisions.filter((pl.col("system") == system) & (pl.col("decision") == ACCEPT))
    return {comparable[system](key) for key in rows["key"]}


def decide(
    decisions: pl.DataFrame,
    suggestions: pl.DataFrame,
    names: Mapping[str, str],
    comparable: Comparable,
    *,
    today: str,
    above: int | None = None,
    unknown: Collection[LinkPair] = (),
    unasked: Collection[SourceName] = (),
) -> Decided:
    """The decisions (LINK_DECISIONS) with new suggestions (SUGGESTIONS, and `system`) after them.

    What people decided, and rows with a note, stay; of the others only what is suggested now, and neither of an account
    nor with a key that has an accepted link there. `above`: first
    suggestions that nobody else comes near to are accepted from that score on, unless a person has decided about the
    pair, the account has an accepted key there, or the key is accepted for another account. `names`: of the accounts.
    `unknown`: accepted links whose key its system doesn't know (any more): they leave the account open to suggestions,
    for people to decide about. `unasked`: systems that gave no list this time; what was suggested there stays.
    """
    now: dict[LinkPair, DecisionRow] = {}
    for row in suggestions.iter_rows(named=True):
        now.setdefault(_pair(row, comparable), row)
    first = {pair for pair, row in now.items() if row["rank"] == 1 and row["unclear"] is None}
    rows, again, kept = [], 0, 0
    for old in decisions.iter_rows(named=True):
        new = now.pop(_pair(old, comparable), None)
        kept += old["decision"] is not None
        again += old["decision"] == REJECT and new is not None
        if old["system"] in unasked:
            rows.append(old)
        elif (updated := _updated(old, new, today)) is not None:
            rows.append(updated)
    rows += [_row(each, names) for each in now.values()]
    accepted = 0 if above is None else _accept(rows, first, comparable, today, above)
    links = (pair for pair in _accepted(rows, comparable) if pair not in unknown)
    left = list(_unsettled(rows, links, comparable, unasked))
    return Decided(pl.DataFrame(left, schema=LINK_DECISIONS, orient="row"), accepted, again, kept)


def undone(decisions: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Without what was accepted by score: these links are open again; and how many they were."""
    by_score = (pl.col("decision") == ACCEPT) & pl.col("decided_by").str.starts_with(BY_SCORE).fill_null(value=False)
    emptied = (pl.when(~by_score).then(name).alias(name) for name in ("decision", "decided_at", "decided_by"))
    return decisions.with_columns(emptied), decisions.filter(by_score).height


def _pair(row: DecisionRow, comparable: Comparable) -> LinkPair:
    system = row["system"]
    return system, comparable_id(row["account_id"]), comparable[system](row["key"])


def _reasons(new: DecisionRow) -> str:
    reasons: str = new["reasons"]
    return f"{reasons}{_UNCLEAR}{new['unclear']}" if new["unclear"] else reasons


def _row(new: DecisionRow, names: Mapping[str, str]) -> DecisionRow:
    found = {name: new.get(name) for name in LINK_DECISIONS}
    return {**found, "account_name": names.get(new["account_id"]), "reasons": _reasons(new)}


def _updated(old: DecisionRow, new: DecisionRow | None, today: str) -> DecisionRow | None:
    """A row as it stands now; None: nobody decided, and it isn't suggested any more."""
    fresh = {} if new is None else {"score": new["score"], "reasons": _reasons(new), "key_name": new["key_name"]}
    if old["decision"] == REJECT and new is not None:
        told = f"rejected {old['decided_at'] or 'before'} for: {grounds(old['reasons'])}"
        note = "; ".join(each for each in (old["note"], told) if each)
        return {**old, **fresh, "decision": LATER, "decided_at": today, "decided_by": None, "note": note}
    if old["decision"] is None:
        return None if new is None and not old["note"] else {**old, **fresh}
    if old["decision"] == LATER:
        old = {**old, **fresh}
    return {**old, "decided_at": old["decided_at"] or today}


def _unsettled(
    rows: Iterable[DecisionRow], links: Iterable[LinkPair], comparable: Comparable, unasked: Collection[SourceName]
) -> Iterator[DecisionRow]:
    """The rows but for open ones whose account, or whose key, has found the other half of its link."""
    links = list(links)
    linked, taken = {(system, account) for system, account, _ in links}, {(system, key) for system, _, key in links}
    for row in rows:
        system, account, key = _pair(row, comparable)
        is_settled = (system, account) in linked or (system, key) in taken
        if row["decision"] is not None or row["note"] or system in unasked or not is_settled:
            yield row


def _accept(rows: Iterable[DecisionRow], first: set[LinkPair], comparable: Comparable, today: str, above: int) -> int:
    rows = list(rows)
    taken = {(system, key) for system, _, key in _accepted(rows, comparable)}
    linked = {(system, account) for system, account, _ in _accepted(rows, comparable)}
    count = 0
    for row in rows:
        system, account, key = pair = _pair(row, comparable)
        is_open = row["decision"] is None and row["score"] is not None and row["score"] >= above
        if is_open and pair in first and (system, key) not in taken and (system, account) not in linked:
            row |= {"decision": ACCEPT, "decided_at": today, "decided_by": f"{BY_SCORE} {above}"}
            taken.add((system, key))
            linked.add((system, account))
            count += 1
    return count


def _accepted(rows: Iterable[DecisionRow], comparable: Comparable) -> Iterator[LinkPair]:
    return (_pair(row, comparable) for row in rows if row["decision"] == ACCEPT)
