"""What state lies in: named objects that are whole or absent, never half of something.

Names are relative, with slashes. `create` and `swap` are conditional, so that of several runs that want the same thing
one gets it.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Blob(NamedTuple):
    """An object's bytes, and a tag that changes when they do."""

    content: bytes
    tag: str


class Store(Protocol):
    """A root that holds named objects."""

    place: str  # for messages

    def read(self, name: str) -> Blob | None:
        """The object, or None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Put the object in place of whatever is there; a reader sees the old one or the new one."""

    def create(self, name: str, content: bytes) -> bool:
        """Put the object where there is none; False: there is one, and it stays."""

    def swap(self, name: str, content: bytes, tag: str) -> bool:
        """Put the object in place of the one with this tag; False: it is another one by now, and stays."""

    def remove(self, name: str) -> None:
        """Take the object away, if it is there."""

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names that begin with `prefix`, sorted."""
