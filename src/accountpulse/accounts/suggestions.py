"""Which customer of a system an account may be: ranked, with points and reasons. Nothing is linked here.

Who is compared with whom is found by blocks: what two of them have in common that few others have (an identifier, a
domain, a rare word, the name without blanks, its sound, the name but for one letter).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from accountpulse.accounts.company_names import read_name
from accountpulse.accounts.domains import brand, registered
from accountpulse.accounts.likeness import SHORT_BRAND, THRESHOLD, Counts, Profile, likeness
from accountpulse.core.ids import comparable_id
from accountpulse.core.records import CUSTOMERS

SUGGESTIONS = {
    "account_id": pl.String,
    "key": pl.String,  # as a link would hold it
    "key_name": pl.String,  # what the system calls it
    "rank": pl.Int64,  # 1: the first suggestion
    "score": pl.Int64,  # 0 to 100
    "reasons": pl.String,  # why, in words
    "unclear": pl.String,  # null: nobody else comes into question; else who does
}
FEWEST = 50  # points below which nothing is suggested
SHOWN = 3  # candidates that an account is shown
CLOSE = 5  # points within which two of them can't be told apart
COMMON = 12  # accounts, or customers, that have a domain from which on it says nothing of any of them
PAIRS = 900  # that a block may make: what more have in common tells little
_DOMAIN = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}/?")
# account and key, both in comparable form → the refused grounds; "": any
Rejected = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class _ComparedPair:
    """One account and one candidate, by their places, with what was found."""

    account: int
    candidate: int
    points: int
    reasons: str


def suggest(
    accounts: pl.DataFrame,
    candidates: pl.DataFrame,
    *,
    wanted: Collection[str] | None = None,
    taken: Collection[str] = (),
    rejected: Rejected | None = None,
    comparable: Callable[[str], str] = comparable_id,
) -> pl.DataFrame:
    """For each account up to three candidates, best first, as SUGGESTIONS.

    Both tables have CUSTOMERS; an account's key is its id. All accounts are given, also those that are linked: they
    come into question for a candidate as well. `wanted`: those that get suggestions (None: all). `taken`: keys that are
    linked, in comparable form; no account gets them. `rejected`: pairs that people refused; they come again only with
    other reasons, and never where no reasons were written down. What two candidates, or two accounts, come near to is
    `unclear`, and stays below the threshold.
    A row without a key, and all rows but the first of one key (in comparable form), are left out; without a name only
    identifiers and domains count.
    """
    ours, theirs = _profiles(accounts, comparable_id), _profiles(candidates, comparable)
    counts = Counts(_holders(ours), _holders(theirs))
    ours, theirs = [_telling(each, counts) for each in ours], [_telling(each, counts) for each in theirs]
    free = {number for number, each in enumerate(theirs) if comparable(each.key) not in frozenset(taken)}
    refused = rejected or {}
    pairs: list[_ComparedPair] = []
    for one, two in _blocked(ours, theirs):
        if two in free:
            found = likeness(ours[one], theirs[two], counts)
            reasons = "; ".join(found.grounds)
            if found.points >= FEWEST and refused.get(
                (comparable_id(ours[one].key), comparable(theirs[two].key))
            ) not in {reasons, ""}:
                pairs.append(_ComparedPair(one, two, found.points, reasons))
    asked = None if wanted is None else frozenset(wanted)
    rows = [row for row in _ranked(pairs, ours, theirs) if asked is None or row[0] in asked]
    return pl.DataFrame(rows, schema=SUGGESTIONS, orient="row")


# --- what is compared ---------------------------------------------------------------------------------------------


def _profiles(table: pl.DataFrame, comparable: Callable[[str], str]) -> list[Profile]:
    rows = table.select(list(CUSTOMERS)).drop_nulls("key")
    first = {comparable(row[0]): row for row in reversed(rows.rows())}
    return [
        Profile(
            key,
            name or "",
            read_name(_named(name or "")),
            _registered([*(websites or ()), *([name] if name and _is_domain(name) else [])]),
            _registered(mail),
            frozenset({comparable(key), *(comparable_id(each) for each in keys or () if each and each.strip())}),
        )
        for key, name, websites, mail, keys in reversed(first.values())
    ]


def _is_domain(name: str) -> bool:
    """Whether somebody is called like a website: `acme.com`."""
    return name == name.lower() and _DOMAIN.fullmatch(name.strip()) is not None and registered(name) is not None


def _named(name: str) -> str:
    return brand(registered(name) or name) if _is_domain(name) else name


def _registered(addresses: Iterable[str | None] | None) -> frozenset[str]:
    found = (registered(address) for address in addresses or () if address)
    return frozenset(domain for domain in found if domain is not None)


def _features(profile: Profile) -> set[str]:
    """What is counted: who else has it."""
    domains = profile.domains
    return {
        *(f"d:{domain}" for domain in domains),
        *(f"b:{brand(domain)}" for domain in domains),
        *(f"k:{key}" for key in profile.keys),
        *(f"w:{word}" for words in profile.names for word in words),
    }


def _holders(profiles: Iterable[Profile]) -> Counter[str]:
    found: Counter[str] = Counter()
    for profile in profiles:
        found.update(_features(profile))
    return found


def _telling(profile: Profile, counts: Counts) -> Profile:
    """Take away the domains that many have: franchises, agencies, providers of mail that no list knows."""
    if all(_tells(domain, counts) for domain in profile.domains):
        return profile
    sites, mail = ({each for each in some if _tells(each, counts)} for some in (profile.sites, profile.mail))
    return Profile(profile.key, profile.written, profile.name, frozenset(sites), frozenset(mail), profile.keys)


def _tells(domain: str, counts: Counts) -> bool:
    return max(counts.accounts.get(f"d:{domain}", 0), counts.candidates.get(f"d:{domain}", 0)) <= COMMON


# --- who is compared ----------------------------------------------------------------------------------------------


def _blocked(ours: list[Profile], theirs: list[Profile]) -> Iterator[tuple[int, int]]:
    """Pairs of places that share a block, each once."""
    left, right = _blocks(ours), _blocks(theirs)
    sizes = left.group_by("block").len("ours").join(right.group_by("block").len("theirs"), on="block")
    usable = sizes.filter(pl.col("ours") * pl.col("theirs") <= PAIRS).select("block")
    pairs = (
        left.join(usable, on="block")
        .join(right, on="block", suffix="_candidate")
        .select("place", "place_candidate")
        .unique()
        .sort("place", "place_candidate")
    )
    yield from pairs.iter_rows()


def _blocks(profiles: Iterable[Profile]) -> pl.DataFrame:
    """`place` and `block`, a hash: the texts themselves would be most of the memory."""
    places: list[int] = []
    texts: list[str] = []
    parts = []
    for place, profile in enumerate(profiles):
        for block in _blocks_of(profile):
            places.append(place)
            texts.append(block)
        if len(places) > 500_000:
            parts.append(_hashed(places, texts))
            places, texts = [], []
    return pl.concat([*parts, _hashed(places, texts)])


def _hashed(places: list[int], texts: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"place": pl.Series(places, dtype=pl.UInt32), "block": pl.Series(texts, dtype=pl.String).hash()}
    )


def _blocks_of(profile: Profile) -> Iterator[str]:
    yield from (each for each in _features(profile) if not each.startswith("b:") or len(each) >= SHORT_BRAND + 2)
    for words in dict.fromkeys(profile.names):
        joined = "".join(words)
        yield f"j:{joined}"
        if len(words) > 1:
            yield f"j:{''.join(sorted(words))}"
    joined, sound = profile.name.joined, profile.name.sound
    if len(sound) >= 3:
        yield f"s:{sound}"
    if len(joined) >= 5:
        yield f"1:{joined}"
        yield from {f"1:{joined[:place]}{joined[place + 1 :]}" for place in range(len(joined))}


# --- ranking ------------------------------------------------------------------------------------------------------


def _ranked(
    pairs: Iterable[_ComparedPair], ours: list[Profile], theirs: list[Profile]
) -> Iterator[tuple[str, str, str, int, int, str, str | None]]:
    by_account: defaultdict[int, list[_ComparedPair]] = defaultdict(list)
    by_candidate: defaultdict[int, list[_ComparedPair]] = defaultdict(list)
    for pair in pairs:
        by_account[pair.account].append(pair)
        by_candidate[pair.candidate].append(pair)
    for account, found in by_account.items():
        judged = [(pair, *_judged(pair, found, by_candidate[pair.candidate], ours, theirs)) for pair in found]
        judged.sort(key=lambda each: (-each[1], -each[0].points, theirs[each[0].candidate].key))
        for rank, (pair, points, unclear) in enumerate(judged[:SHOWN], 1):
            candidate = theirs[pair.candidate]
            yield ours[account].key, candidate.key, candidate.written, rank, points, pair.reasons, unclear


def _judged(
    pair: _ComparedPair,
    of_account: list[_ComparedPair],
    of_candidate: list[_ComparedPair],
    ours: list[Profile],
    theirs: list[Profile],
) -> tuple[int, str | None]:
    """The points, below the threshold where another comes near; and who that is."""
    better = max((each for each in of_candidate if each.account != pair.account), key=_points, default=None)
    if better is not None and better.points >= pair.points - CLOSE:
        return min(pair.points, THRESHOLD - 1), f"it may also be {_called(ours[better.account])}'s"
    other = max((each for each in of_account if each.candidate != pair.candidate), key=_points, default=None)
    if other is not None and other.points >= pair.points - CLOSE:
        return min(pair.points, THRESHOLD - 1), f"{_called(theirs[other.candidate])} comes into question as well"
    return pair.points, None


def _points(pair: _ComparedPair) -> int:
    return pair.points


def _called(profile: Profile) -> str:
    return f"{profile.written} ({profile.key})" if profile.written else profile.key
