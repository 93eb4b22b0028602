"""A company's name as it can be compared: without legal form, accents, scripts and remarks, which are kept apart."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from accountpulse.accounts.company_words import (
    ABBREVIATIONS,
    DISSOLVED,
    DOTTED_FORMS,
    EARLIER,
    EARLIER_IN_BRACKETS,
    FILLERS,
    LONG_FORMS,
    NOT_FORMS,
    OTHER_FORMS,
    OTHER_SCRIPTS,
    OWNER,
)

_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】]*)[)）\]】]")
_FORM_IN_BRACKETS = re.compile(
    r"[(（]\s*(pty|pvt|private|publ|haftungsbeschränkt|ltd|limited)\b\.?\s*[)）]", re.IGNORECASE
)
_SHORT_FORM = re.compile(r"[(（]\s*[株有주유]\s*[)）]")  # of 株式会社, 有限会社, 주식회사, 유한회사
_TAIL = re.compile(r"(?:\s[-–—|]|,)\s([^–—|,]*)$")
_DOTTED = re.compile(r"\b(?:\w\.){2,}(?:\w\b)?")
_SLASHED = re.compile(r"\b(\w)/(\w)\b")
_UMLAUT = re.compile(r"(?<=[aou])e|(?<=a)a")
_VOWELS = re.compile(r"[aeiouyhw]")  # beside vowels what stands for one in some scripts
_VOWEL_GROUPS = re.compile(r"[aeiouy]+")
_WITH_VOWELS = ("LATIN", "CYRILLIC", "GREEK")
# Greek pairs of letters that stand for one sound
_GREEK = tuple(
    (re.compile(pattern, re.IGNORECASE), sound)
    for pattern, sound in ((r"ο[υύ]", "ou"), (r"([αε])[υύ](?=[θκξπσςτφχψ])", r"\1φ"), (r"([αε])[υύ]", r"\1β"))
)
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"shch|sch|sh", "s"), (r"zh|dzh|dj", "s"), (r"tch", "ch"), (r"c(?=[eiy])", "s"), (r"kh", ""),
        (r"ch|ck|q|c", "k"), (r"ph", "f"), (r"ts|tz|z", "s"), (r"x", "ks"), (r"j", ""), (r"p", "b"),
    )
)  # fmt: skip
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompanyName:
    """One name. `words` are in Latin letters, lower case, umlauts in one of their two ways, without legal form.

    `joined` are the words without blanks. `form` is the legal form ("": none), `foreign` whether another script was
    used, `dissolved` whether the name says that the company is no more, `others` what it was or is called beside.
    """

    words: Words
    joined: str
    form: str
    foreign: bool
    dissolved: bool
    others: tuple[Words, ...]

    @property
    def sound(self) -> str:
        """The consonants as they sound, for names that were written in another script."""
        return sound_of(self.joined)


def read_name(written: str) -> CompanyName:
    """Take a name apart."""
    text = _FORM_IN_BRACKETS.sub(r" \1 ", unicodedata.normalize("NFKC", written))
    text = _SHORT_FORM.sub(" 株式会社 ", text)
    for pattern, whole in DOTTED_FORMS:
        text = pattern.sub(whole, text)
    text = text.strip()
    main, remarks = _apart(text)
    dissolved = any(DISSOLVED.search(remark) for remark in remarks)
    end = DISSOLVED.search(main)
    if end is not None and main[: end.start()].strip(" ,-–"):
        main, dissolved = main[: end.start()], True
    main, *earlier = EARLIER.split(main) if _has_name_before(main) else (main,)
    other_names = [*earlier, *chain.from_iterable(map(_earlier, remarks))]
    own_script = [remark for remark in remarks if _is_other_script(remark, main)]
    named = [remark for remark in remarks if _belongs(remark) and remark not in own_script]
    words, form = _without_form(main)
    words += tuple(word for remark in named for word in _without_form(remark)[0])
    others = tuple(dict.fromkeys(_without_form(each)[0] for each in [*other_names, *own_script]))
    foreign = not _is_latin(main)
    return CompanyName(words, "".join(words), form, foreign, dissolved, tuple(each for each in others if each))


@lru_cache(maxsize=200_000)
def sound_of(joined: str) -> str:
    """Consonants by their sound: transliterations differ in vowels, and in how they write one consonant."""
    for pattern, sound in _SOUNDS:
        joined = pattern.sub(sound, joined)
    bare = _VOWELS.sub("", joined)
    return re.sub(r"(.)\1+", r"\1", bare)


def syllables(joined: str) -> int:
    """Groups of vowels: one each, whatever letters it is written in."""
    return len(_VOWEL_GROUPS.findall(joined))


def writes_vowels(written: str) -> bool:
    """Whether a name's letters are all of scripts that write every vowel, and none that isn't spoken."""
    return written.isascii() or all(
        unicodedata.name(letter, "?").startswith(_WITH_VOWELS) for letter in written if letter.isalpha()
    )


def _apart(text: str) -> tuple[str, list[str]]:
    """The name, and what stands in brackets or, as a remark, behind a dash."""
    remarks = [found[1].strip() for found in _BRACKETS.finditer(text)]
    main = _BRACKETS.sub(" ", text).strip()
    tail = _TAIL.search(main)
    if tail is not None and (OWNER.match(tail[1]) or DISSOLVED.fullmatch(tail[1].strip()) or _earlier_short(tail[1])):
        remarks.append(tail[1].strip())
        main = main[: tail.start()]
    return (main, remarks) if main else (" ".join(remarks), [])


def _has_name_before(main: str) -> bool:
    found = EARLIER.search(main)
    return found is not None and bool(main[: found.start()].strip(" ,-–"))


def _earlier_short(remark: str) -> bool:
    return EARLIER_IN_BRACKETS.match(remark) is not None


def _earlier(remark: str) -> Iterator[str]:
    """The earlier or other name that a remark tells."""
    for pattern in (EARLIER, EARLIER_IN_BRACKETS):
        if found := pattern.match(remark):
            yield remark[found.end() :]
            return


def _belongs(remark: str) -> bool:
    """Whether what stands in brackets is part of the name, such as a country."""
    told = (EARLIER, EARLIER_IN_BRACKETS, OWNER)
    return not any(pattern.match(remark) for pattern in told) and not DISSOLVED.search(remark)


def _is_latin(text: str) -> bool:
    return text.isascii() or all("LATIN" in unicodedata.name(letter, "LATIN") for letter in text if letter.isalpha())


def _is_other_script(remark: str, main: str) -> bool:
    letters = sum(map(str.isalpha, remark))
    return letters > 1 and _belongs(remark) and _is_latin(remark) != _is_latin(main)


# --- legal forms --------------------------------------------------------------------------------------------------


def _without_form(text: str) -> tuple[Words, str]:
    """A text's words, and the legal form that stood before or behind them."""
    bare = OTHER_SCRIPTS.sub(" ", text)
    other = "other script" if bare != text and bare.strip() else ""
    words = _words(bare if bare.strip() else text)
    kept, form = _stripped(words)
    while kept and kept[-1] in FILLERS:
        kept = kept[:-1]
    if len(kept) > 1 and kept[0] == "the":
        kept = kept[1:]
    kept = tuple(ABBREVIATIONS.get(word, word) for word in kept if word not in FILLERS) or kept
    return kept or words, other or form


def _words(text: str) -> Words:
    folded = fold(text)
    folded = _DOTTED.sub(lambda found: found[0].replace(".", ""), folded)
    folded = _SLASHED.sub(r"\1\2", folded)
    folded = folded.replace("'", "").replace("’", "")
    return tuple(word for word in re.split(r"[^a-z0-9]+", folded) if word)


def fold(text: str) -> str:
    """Latin letters without accents, in lower case; `ä`, `ae` and `a` are one, as are `ß` and `ss`, `å` and `aa`."""
    from anyascii import anyascii

    if not text.isascii():
        for pattern, sound in _GREEK:
            text = pattern.sub(sound, text)
    latin = text if text.isascii() else anyascii(text)
    return _UMLAUT.sub("", latin.lower())


def _stripped(words: Words) -> tuple[Words, str]:
    forms, found = _forms(), []
    while size := next((size for size in _sizes(words) if words[-size:] in forms), 0):
        found.append(forms[words[-size:]])
        words = words[:-size]
        while len(words) > 1 and words[-1] in FILLERS:
            words = words[:-1]
    if size := next((size for size in _sizes(words) if words[:size] in _before()), 0):
        found.append(forms[words[:size]])
        words = words[size:]
    return words, " ".join(reversed(found))


def _sizes(words: Words) -> range:
    """How many words a form may have, the longest first; one word is left for the name."""
    return range(min(6, len(words) - 1), 0, -1)


@lru_cache(maxsize=1)
def _forms() -> dict[Words, str]:
    """Every legal form, folded as words are, with the short form that it is the same as."""
    from cleanco import termdata

    terms = chain(chain.from_iterable(termdata.terms_by_type.values()), *termdata.terms_by_country.values())
    plain = {_words(term) for term in chain(terms, OTHER_FORMS, LONG_FORMS)}
    long = {_words(term): same for term, same in LONG_FORMS.items()}
    return {words: long.get(words, _short(words)) for words in plain if words and "".join(words) not in NOT_FORMS}


def _short(form: Words) -> str:
    return ("" if all(len(word) == 1 for word in form) else " ").join(form)


@lru_cache(maxsize=1)
def _before() -> frozenset[Words]:
    """Those that stand before the name, as in the Baltic countries, in Russia and in Indonesia."""
    named = (
        "uab",
        "sia",
        "as",
        "ou",
        "ab",
        "ooo",
        "oao",
        "zao",
        "pao",
        "ao",
        "pt",
        "ip",
        "tov",
        "too",
        "ltd",
        "sc",
        "llc",
        "jsc",
        "pjsc",
        "ojsc",
        "cjsc",
    )
    return frozenset((each,) for each in named if (each,) in _forms())
