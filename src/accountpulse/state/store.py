"""What state lies in: named objects that are whole or absent, never half of something.

Names are relative, with slashes. `create` and `swap` are conditional, so that of several runs that want the same thing
one gets it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from accountpulse.core.errors import ConfigurationError


@dataclass(frozen=True)
class Blob:
    """An object's bytes; `etag` is the store's own word for them, where it has one."""

    content: bytes
    etag: str = ""

    @property
    def tag(self) -> str:
        """What changes when they do."""
        return self.etag or hashlib.sha256(self.content).hexdigest()


class Obstacle(ConfigurationError):
    """Something stands in an object's place that is none, such as a folder: under `name`, which may be moved."""

    def __init__(self, place: str, name: str, why: str = "is no file") -> None:
        """`name` lies in the store at `place`."""
        self.name, self.why = name, why
        super().__init__("state", [f"{place}/{name} is in the way: move it elsewhere."])


class Store(Protocol):
    """A root that holds named objects. Whatever can't be read, written or listed is one of our errors."""

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

    def move(self, name: str, to: str) -> None:
        """Give what lies under a name another one, whatever it is; nothing where nothing is there."""

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names that begin with `prefix`, sorted."""

    def sweep(self, prefix: str) -> None:
        """Take away what writes below `prefix` that were cut off have left."""
