"""Which account somebody means: by its id of 15 or 18 characters, by its name or a part of it; else who is near."""

from collections.abc import Iterable, Sequence

import polars as pl

from accountpulse.core.errors import UsageError
from accountpulse.core.ids import comparable_id, looks_like_an_id, to_18
from accountpulse.core.plain_text import typed
from accountpulse.pipeline.earlier_runs import EarlierRun

LISTED = 10  # accounts shown where a name fits several
NEAR = 5  # accounts shown where nobody fits
ALIKE = 75.0  # of 100, from which on a name is near
Match = tuple[str, str]  # id and name


def find_account(earlier: EarlierRun, wanted: str) -> str:
    """The id of the account that is meant; a UsageError lists those that fit, or that are near."""
    wanted = typed(wanted).strip()
    names = earlier.scores.select("account_id", pl.col("account_name").fill_null(""))
    for same in (to_18, comparable_id):  # a spreadsheet may have lost an id's case
        if found := [each for each in names["account_id"] if same(each) == same(wanted)]:
            return str(found[0])
    lower, given = names["account_name"].str.to_lowercase(), wanted.lower()
    for fits in (lower == given, lower.str.contains(given, literal=True)):
        found = names.filter(fits).sort("account_name", "account_id").rows()
        if len(found) == 1 and given:
            return str(found[0][0])
        if found and given:
            head = f"{wanted!r} fits {len(found):,} accounts; give the id of the one you mean:"
            raise UsageError("\n".join([head, *_lines(found, LISTED)]))
    for problem_id, _, text in earlier.facts["problems"]:
        if problem_id == to_18(wanted):
            raise UsageError(f"{wanted} was left out of the run of {earlier.name}: {text}")
    nobody = f"no account of {earlier.name} has the id or the name {wanted!r}"
    near = _near(wanted, names.rows())
    raise UsageError("\n".join([f"{nobody}; did you mean:", *_lines(near, NEAR)]) if near else nobody)


def _lines(found: Sequence[Match], most: int) -> Iterable[str]:
    yield from (f"  {account_id}  {name}" for account_id, name in found[:most])
    if len(found) > most:
        yield f"  … and {len(found) - most:,} more"


def _near(wanted: str, accounts: Sequence[Match]) -> list[Match]:
    """The accounts whose id differs in one character or in case, or whose name is nearly this; the nearest first."""
    from rapidfuzz.distance import Levenshtein

    if looks_like_an_id(wanted) and any(each.isdigit() for each in wanted):
        given = wanted.upper()
        return [
            each for each in accounts if Levenshtein.distance(given, each[0][: len(given)].upper(), score_cutoff=1) <= 1
        ]
    if len(wanted) < 3:
        return []
    alike = [(_alike(wanted.casefold(), each[1].casefold()), each) for each in accounts]
    return [each for score, each in sorted(alike, key=lambda pair: (-pair[0], pair[1][1])) if score >= ALIKE][:NEAR]


def _alike(given: str, name: str) -> float:
    """How near two names are, 0 to 100: as they stand, with their words in order, or the name's beginning alone."""
    from rapidfuzz import fuzz

    begins = name[: len(given) + 1]
    return max(fuzz.ratio(given, name), fuzz.token_sort_ratio(given, name), fuzz.ratio(given, begins))
