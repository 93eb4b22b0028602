"""How alike an account and a system's customer are, from 0 to 100, and why, in words.

Two questions are asked: are the names the same, and are the addresses? The table POINTS answers for both together.
An identifier that both carry comes on top. The points are chosen so that only what is very rarely wrong reaches
THRESHOLD: docs/linking.md has the measurement.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from accountpulse.accounts.company_names import CompanyName, Words, fold, syllables, writes_vowels
from accountpulse.accounts.company_words import EVERYDAY, FAMILY, LEFT_OUT, SURNAMES, TOWNS
from accountpulse.accounts.domains import brand
from accountpulse.core.ids import comparable_id

THRESHOLD = 90  # from here on a suggestion is right in at least 99 of 100 cases
LONG_NAME = 10  # letters from which on two wrong letters may be slips
LONG_WORD = 6  # letters of a word from which on a wrong one in it is a slip, where many names have the word
COMMON_WORD = 4  # names, of both sides, that have a word which is nobody's own
LONG_SOUND = 5  # consonants from which on names that sound alike are rarely two names
WRITTEN_ALIKE = 75  # percent of letters in common, of names that sound alike
STEM = 4  # letters that words have in common at least that differ in their ending, or by a slip
SHORT_BRAND = 4  # letters that the first part of a domain has at least to say something
LONG_KEY = 6  # characters of an identifier that isn't there by chance

NameKind = Literal[
    "same",
    "joined",
    "order",
    "letter",
    "letters",
    "sound",
    "earlier",
    "form",
    "initials",
    "part",
    "family",
    "some",
    "none",
    "different",
]
DomainKind = Literal["own", "shared", "brand", "unknown", "mail", "other"]
# own: nobody else has the domain; shared: others have it too; brand: another ending; unknown: one has no domain;
# mail: they differ, and of one only people's addresses are known; other: their websites differ
_DOMAINS: tuple[DomainKind, ...] = ("own", "shared", "brand", "unknown", "mail", "other")
_POINTS: Mapping[NameKind, tuple[int, ...]] = {
    "same": (100, 97, 88, 94, 86, 78),
    "joined": (99, 95, 86, 92, 84, 74),
    "order": (99, 95, 86, 92, 84, 74),
    "letter": (97, 88, 82, 86, 76, 62),
    "letters": (95, 80, 76, 78, 66, 50),
    "sound": (97, 88, 82, 86, 76, 62),
    "earlier": (98, 93, 86, 92, 82, 70),
    "form": (97, 84, 78, 78, 70, 60),  # the same name with another legal form: most often a sister company
    "initials": (92, 76, 70, 70, 60, 46),
    "part": (86, 76, 70, 70, 60, 46),  # a branch or a subsidiary on its parent's page is called so, too
    "family": (80, 66, 66, 60, 50, 40),
    "some": (84, 60, 60, 50, 40, 30),
    "none": (90, 48, 48, 0, 0, 0),  # one of them has no name, or one in a script that can't be compared
    "different": (84, 48, 48, 0, 0, 0),
}
POINTS: Mapping[tuple[NameKind, DomainKind], int] = {
    (name, domain): points for name, row in _POINTS.items() for domain, points in zip(_DOMAINS, row, strict=True)
}
_FORM = 12  # less where the legal forms differ and no domain says that it is the same company
_SHORT_NAME = 92  # one name is short for the other, and their website is theirs alone
_SLIP = 91  # a slip in a word of many names, or the same sound in another script, and no domain speaks against it
_NAMESAKES = 86  # the same name, but one that many have, and no domain
_GONE = 8  # less where only one of them is said to be no more
_ALONE = 82  # an identifier that both carry, and nothing else that is alike


@dataclass(frozen=True, slots=True)
class Profile:
    """What one account, or one customer of a system, is compared by.

    `key`: an account's own id, or what a link would hold. `keys`: what else it is called, in comparable form. `mail`:
    the registered domains of its people's addresses; `sites` those of its website.
    """

    key: str
    written: str
    name: CompanyName
    sites: frozenset[str]
    mail: frozenset[str]
    keys: frozenset[str]

    @property
    def domains(self) -> frozenset[str]:
        """All of them."""
        return self.sites | self.mail

    @property
    def names(self) -> tuple[Words, ...]:
        """What it is, was and is also called."""
        return (self.name.words, *self.name.others)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many accounts and how many of the system's customers have a domain, an identifier or a word."""

    accounts: Mapping[str, int]
    candidates: Mapping[str, int]

    def is_unique(self, what: str) -> bool:
        """Whether one of each has it."""
        return self.accounts.get(what, 0) <= 1 and self.candidates.get(what, 0) <= 1

    def together(self, what: str) -> int:
        """Of both."""
        return self.accounts.get(what, 0) + self.candidates.get(what, 0)


@dataclass(frozen=True, slots=True)
class Likeness:
    """The points, and the grounds: they stay the same as long as what is known of the two stays the same."""

    points: int
    grounds: tuple[str, ...]


def likeness(account: Profile, candidate: Profile, counts: Counts) -> Likeness:
    """Compare one account with one candidate."""
    name, by_name = compare_names(account, candidate, counts)
    domain, by_domain = compare_domains(account, candidate, counts)
    if name == "earlier" and domain in {"mail", "other"} and _is_of_earlier(account, candidate):
        domain, by_domain = "unknown", ["the domain of one is that of the earlier name"]
    points, remarks = _by_both(account, candidate, counts, name, domain)
    grounds = [*by_name, *by_domain, *remarks]
    if forms_differ(account.name, candidate.name) and name not in {"form", "different"}:
        points -= _FORM if domain != "own" else _FORM // 3
        grounds.append(f"legal forms differ ({account.name.form}, {candidate.name.form})")
    if account.name.dissolved != candidate.name.dissolved and points:
        points -= _GONE if domain != "own" else _GONE // 2
        grounds.append("one of them is said to be no more")
    points, by_key = _with_keys(points, name, domain, _common_keys(account, candidate, counts))
    return Likeness(max(points, 0), (*by_key, *grounds))


def _by_both(
    account: Profile, candidate: Profile, counts: Counts, name: NameKind, domain: DomainKind
) -> tuple[int, list[str]]:
    """The points of POINTS, but where a look at the words themselves says more; and what it says."""
    one, two = account.name, candidate.name
    points = POINTS[name, domain]
    if name == "part" and domain == "own" and _is_short_name(account, candidate):
        return _SHORT_NAME, []
    if domain != "unknown":
        return points, []
    if name in {"same", "joined", "order", "earlier"} and _has_namesakes(one, two, counts, name):
        return _NAMESAKES, ["many are called so"]
    if name == "letter" and _is_slip_in_common_word(one, two, counts):
        return _SLIP, []
    if name == "sound" and _is_sure_sound(account, candidate):
        return THRESHOLD, []
    return points, []


def _has_namesakes(one: CompanyName, two: CompanyName, counts: Counts, kind: NameKind) -> bool:
    """Whether a name, without any domain, may well be another company's: `Data`, `Smart Solutions`, `Schmidt`.

    Words in another order are the same name only where one of them is nobody else's: `Weber Logistik` and `Logistik
    Weber` may be two. So may `Kraft Heinz` and `Heinz Kraft`: of two words the other one has to be a common one.
    """
    words = {*(one.words if kind != "earlier" else _earlier_name(one, two))}
    if words <= EVERYDAY or (len(words) == 1 and words <= SURNAMES):
        return True
    listed = EVERYDAY | SURNAMES | TOWNS | FAMILY
    common = sum(word in listed or counts.together(f"w:{word}") > 2 for word in words)
    return kind == "order" and (common == len(words) or (common == 0 and len(words) == 2))


def _is_short_name(account: Profile, candidate: Profile) -> bool:
    """Whether the shorter of two names is short for the longer one, not the name of its parent.

    It is where the website is called like the longer name, or where only words are lacking that companies leave out
    themselves. `Acme Logistics` on acme.com may be a part of Acme.
    """
    shorter, longer = sorted((account.name, candidate.name), key=lambda name: len(name.words))
    if set(longer.words) - set(shorter.words) <= LEFT_OUT:
        return True
    brands = (fold(brand(domain)).replace("-", "") for domain in account.domains & candidate.domains)
    return any(each.startswith(longer.joined) for each in brands)


# --- identifiers --------------------------------------------------------------------------------------------------


def _common_keys(account: Profile, candidate: Profile, counts: Counts) -> Iterator[tuple[str, bool]]:
    """Identifiers that both have and nobody else, with whether it is the account's own id."""
    for key in account.keys & candidate.keys:
        if counts.is_unique(f"k:{key}"):
            yield key, key == comparable_id(account.key)


def _with_keys(
    points: int, name: NameKind, domain: DomainKind, common: Iterator[tuple[str, bool]]
) -> tuple[int, list[str]]:
    """A number that two systems gave may be the same by chance, an account's own id can't."""
    grounds = []
    for key, is_own in sorted(common):
        agreed = domain == "own" or name not in {"family", "some", "none", "different"}
        told = len(key) >= LONG_KEY and not key.isdigit() and domain != "other"
        found = 100 if is_own else 99 if agreed else THRESHOLD + 2 if told else _ALONE if domain != "other" else 60
        points = max(points, found)
        grounds.append("it carries the account's own id" if is_own else f"both carry the identifier {key}")
    return points, grounds


# --- domains ------------------------------------------------------------------------------------------------------


def compare_domains(account: Profile, candidate: Profile, counts: Counts) -> tuple[DomainKind, list[str]]:
    """Whether they have a domain in common; of several the one that the fewest others have."""
    if not account.domains or not candidate.domains:
        return "unknown", []
    common = account.domains & candidate.domains
    if common:
        domain = min(sorted(common), key=lambda each: counts.together(f"d:{each}"))
        is_own = counts.is_unique(f"d:{domain}")
        site = domain in account.sites or domain in candidate.sites
        return ("own" if is_own and site else "shared"), [_shared_domain(account, candidate, domain)]
    brands = {each: brand(each) for each in account.domains}
    others = {brand(each): each for each in candidate.domains}
    for domain, first in sorted(brands.items()):
        if len(first) >= SHORT_BRAND and first in others and counts.is_unique(f"b:{first}"):
            return "brand", [f"domains differ in their ending ({domain}, {others[first]})"]
    return ("other" if account.sites and candidate.sites else "mail"), ["their domains differ"]


def _shared_domain(account: Profile, candidate: Profile, domain: str) -> str:
    here, there = domain in account.sites, domain in candidate.sites
    if here and there:
        return f"same website {domain}"
    return f"website of one, addresses of the other: {domain}" if here or there else f"people write from {domain}"


# --- names --------------------------------------------------------------------------------------------------------


def compare_names(account: Profile, candidate: Profile, counts: Counts) -> tuple[NameKind, list[str]]:
    """How the names stand to each other."""
    if not account.name.joined or not candidate.name.joined:
        return "none", ["one of them has no name"]
    return _same_name(account, candidate) or _near_name(account, candidate, counts)


def _same_name(account: Profile, candidate: Profile) -> tuple[NameKind, list[str]] | None:
    """Whether they are the same, however they are written."""
    one, two = account.name, candidate.name
    if one.words == two.words and forms_differ(one, two):
        return "form", [f"same name, another legal form ({one.form}, {two.form})"]
    if one.words == two.words:
        as_written = account.written.strip().casefold() == candidate.written.strip().casefold()
        return "same", ["same name" if as_written else "same name but for legal form and spelling"]
    if one.joined == two.joined:
        return "joined", ["same name but for blanks"]
    if sorted(one.words) == sorted(two.words):
        return "order", ["same words in another order"]
    if earlier := _earlier_name(one, two):
        return "earlier", [f"an earlier or other name is the same: {' '.join(earlier)}"]
    return None


def _earlier_name(one: CompanyName, two: CompanyName) -> Words:
    """What both are, were or are also called; empty: nothing."""
    return min({one.words, *one.others} & {two.words, *two.others}, default=())


def _near_name(account: Profile, candidate: Profile, counts: Counts) -> tuple[NameKind, list[str]]:
    """What names that aren't the same have in common."""
    one, two = account.name, candidate.name
    if _is_family(one, two):
        apart = ", ".join(sorted(set(one.words) ^ set(two.words)))
        return "family", [f"it may be a sister company or a branch: the names differ in {apart}"]
    if _sounds_alike(one, two):
        return "sound", ["the names sound alike, written in other letters"]
    if wrong := _wrong_letters(one, two, counts):
        letters: NameKind = "letter" if wrong == 1 else "letters"
        return letters, [f"the names differ in {'one letter' if wrong == 1 else 'two letters'}"]
    if ends := _other_endings(one, two):
        return "letters", [f"the names differ in the ending of a word ({', '.join(ends)})"]
    return _common_words(one, two, counts)


def forms_differ(one: CompanyName, two: CompanyName) -> bool:
    """Whether both have a legal form, and not the same; one in another script can't be compared."""
    scripts = "other script" in {one.form, two.form} or one.foreign or two.foreign
    same = one.form.replace(" ", "") == two.form.replace(" ", "")
    return bool(one.form and two.form and not same and not scripts)


def _is_family(one: CompanyName, two: CompanyName) -> bool:
    """Whether a country, a town, a role in a group or a number is what names differ in: sister companies, not slips."""
    mine, theirs = set(one.words), set(two.words)
    if not mine & theirs:
        return False
    apart = mine ^ theirs
    numbers = any(word.isdigit() or (len(word) < 4 and set(word) <= set("iv")) for word in apart)
    told = {word for word in apart if word in FAMILY or word in TOWNS}
    return numbers or (bool(told) and (mine - told <= theirs or theirs - told <= mine))


def _wrong_letters(one: CompanyName, two: CompanyName, counts: Counts) -> int:
    """How many letters are wrong, missing, too much or swapped; 0: too many, or the words with them are both in use."""
    from rapidfuzz.distance import OSA

    shorter = min(len(one.joined), len(two.joined))
    most = 0 if shorter < 5 else 1 if shorter < LONG_NAME else 2
    wrong = OSA.distance(one.joined, two.joined, score_cutoff=most)
    apart = [set(one.words) - set(two.words), set(two.words) - set(one.words)]
    is_slip = any(all(counts.together(f"w:{word}") <= 1 for word in side) for side in apart)
    is_long = all(len(word) >= STEM for side in apart for word in side)  # `Acme A` and `Acme B` are two
    return wrong if wrong <= most and is_slip and is_long else 0


def _is_slip_in_common_word(one: CompanyName, two: CompanyName, counts: Counts) -> bool:
    """Whether the wrong letter is in a word that many names have: `Nordwind Logsitik`.

    In a word of its own, most often the first, it may be another name: Andersen and Anderson.
    """
    mine, theirs = set(one.words) - set(two.words), set(two.words) - set(one.words)
    if len(mine) != 1 or len(theirs) != 1 or set(one.words) & set(two.words) <= EVERYDAY:
        return False
    if {one.words[0], two.words[0]} & (mine | theirs):
        return False
    rare, common = sorted((*mine, *theirs), key=lambda word: counts.together(f"w:{word}"))
    often = counts.together(f"w:{common}") >= COMMON_WORD or common in EVERYDAY
    return often and counts.together(f"w:{rare}") <= 1 and min(len(rare), len(common)) >= LONG_WORD


def _other_endings(one: CompanyName, two: CompanyName) -> list[str]:
    """Words that differ in their ending alone (`logistik`, `logistics`), where the others are the same."""
    mine, theirs = [each for each in one.words if each not in two.words], [w for w in two.words if w not in one.words]
    if len(mine) != 1 or len(theirs) != 1 or len(one.words) < 2 or len(one.words) != len(two.words):
        return []
    first, second = mine[0], theirs[0]
    stem = 0
    while stem < min(len(first), len(second)) and first[stem] == second[stem]:
        stem += 1
    return [*mine, *theirs] if stem >= STEM and stem * 3 >= 2 * min(len(mine[0]), len(theirs[0])) else []


def _is_of_earlier(account: Profile, candidate: Profile) -> bool:
    """Whether the website of one is called like the name that the other had: it moved since."""
    return any(
        brand(domain).replace("-", "").startswith(words[0])
        for one, other in ((account, candidate), (candidate, account))
        for words in one.name.others
        if words == other.name.words
        for domain in other.domains
    )


def _sounds_alike(one: CompanyName, two: CompanyName) -> bool:
    """For two scripts: the same consonants, by their sound."""
    from rapidfuzz.distance import OSA

    if one.foreign == two.foreign or min(len(one.sound), len(two.sound)) < 3:
        return False
    if one.sound == two.sound:
        return True
    return min(len(one.sound), len(two.sound)) >= 8 and OSA.distance(one.sound, two.sound, score_cutoff=1) <= 1


def _is_sure_sound(account: Profile, candidate: Profile) -> bool:
    """Whether names that sound alike are long enough, or written alike as well, not to be two names.

    Where a script writes its vowels, there are as many of them: `Карат` is not Kert.
    """
    from rapidfuzz import fuzz

    one, two = account.name, candidate.name
    if one.sound != two.sound:
        return False
    vowels = all(
        name.foreign is False or writes_vowels(each.written) for each, name in ((account, one), (candidate, two))
    )
    if vowels and syllables(one.joined) != syllables(two.joined):
        return False
    shorter = len(one.sound)
    return shorter >= LONG_SOUND or (shorter == LONG_SOUND - 1 and fuzz.ratio(one.joined, two.joined) >= WRITTEN_ALIKE)


def _is_short_for(one: CompanyName, two: CompanyName) -> bool:
    """`ibm` for `international business machines`."""
    return len(two.words) > 1 and one.joined == "".join(word[0] for word in two.words)


def _common_words(one: CompanyName, two: CompanyName, counts: Counts) -> tuple[NameKind, list[str]]:
    """Whether one name is a part of the other, by how rare their words are."""
    common = set(one.words) & set(two.words)
    if one.foreign != two.foreign and not common:
        return "none", ["the names are in two scripts, and can't be compared"]
    if _is_short_for(one, two) or _is_short_for(two, one):
        return "initials", ["one name has the first letters of the other"]
    rare = {word: 1 / counts.together(f"w:{word}") ** 0.5 for word in {*one.words, *two.words}}
    weight = sum(rare[word] for word in common)
    if not common:
        return "different", [f"the names differ ({_shown(one)}, {_shown(two)})"]
    shorter, longer = sorted((one.words, two.words), key=len)
    if set(shorter) <= set(longer) and longer[0] == shorter[0] and weight * 2 >= rare[shorter[0]]:
        return "part", [f"one name is a part of the other: {' '.join(shorter)}"]
    return "some", [f"the names have in common: {', '.join(sorted(common))}"]


def _shown(name: CompanyName) -> str:
    return " ".join(name.words)
