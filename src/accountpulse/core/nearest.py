"""The name that somebody most likely meant."""

from collections.abc import Iterable, Mapping

_SHORT = 4  # letters; of 3 a name that shares 2 is still another one: day is not dau
_NEAR, _NEAR_OF_SHORT = 0.6, 0.75  # how alike names must be, as difflib measures it


def nearest(word: str, known: Iterable[str], labels: Mapping[str, str] | None = None) -> str:
    """`; did you mean 'x'?` where a known name lies near, else nothing. Case, blanks and hyphens make no distance.

    `labels` are other texts that people know the names by: mau by `monthly active users`.
    """
    import difflib

    by_plain = {_plain(label): name for label, name in (labels or {}).items()} | {_plain(name): name for name in known}
    given = _plain(word)
    for near in difflib.get_close_matches(given, list(by_plain), n=3, cutoff=_NEAR):
        if min(len(given), len(near)) > _SHORT or _is_slip(given, near):
            return f"; did you mean {by_plain[near]!r}?"
    return ""


def _is_slip(given: str, name: str) -> bool:
    """Whether a short word is the other one with its letters in another order, or all but the same."""
    import difflib

    # in this order, as get_close_matches compares: the measure is not quite symmetric
    return sorted(given) == sorted(name) or difflib.SequenceMatcher(None, name, given).ratio() >= _NEAR_OF_SHORT


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")
