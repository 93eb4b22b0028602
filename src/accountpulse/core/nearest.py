"""The name that somebody most likely meant."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a known name lies near, else nothing. Case, blanks and hyphens make no distance."""
    import difflib

    by_plain = {_plain(name): name for name in known}
    found = difflib.get_close_matches(_plain(word), list(by_plain), n=1, cutoff=0.6)
    return f"; did you mean {by_plain[found[0]]!r}?" if found else ""


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")
