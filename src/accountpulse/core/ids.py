"""Record ids of the CRM, which come in 15 characters and in 18."""

from functools import lru_cache

_MANY = 2**15  # ids that are remembered: a run meets those of its accounts in many rows of many tables
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"  # the 32 characters that stand for five bits


def to_18(key: str) -> str:
    """A record id of 15 characters in its 18-character form; any other key as it is, without outer blanks.

    Each added character stands for five of the id's and says which of them are capital letters, so that two ids
    that differ in case alone stay different where case is lost.
    """
    key = key.strip()
    if len(key) != 15 or not looks_like_an_id(key):
        return key
    return key + "".join(_SUFFIX[_capitals(key[start : start + 5])] for start in (0, 5, 10))


@lru_cache(_MANY)
def comparable_id(key: str) -> str:
    """What is equal for two ways to write one record id: 15 or 18 characters, whatever became of their case.

    Any other key stays as it is, without outer blanks.
    """
    whole = to_18(key)
    return whole.upper() if looks_like_an_id(whole) else whole


def looks_like_an_id(key: str) -> bool:
    """Whether a text has the form of a record id, of 15 or 18 characters."""
    return len(key) in (15, 18) and key.isascii() and key.isalnum()


def _capitals(chunk: str) -> int:
    """The bits of five characters, the first one lowest: written out, since a run asks it for every row of usage."""
    a, b, c, d, e = map(str.isupper, chunk)
    return a | b << 1 | c << 2 | d << 3 | e << 4
