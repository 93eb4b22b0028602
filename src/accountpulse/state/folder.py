"""State in a folder."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from accountpulse.core.errors import ConfigurationError
from accountpulse.state.store import Blob


class Folder:
    """A store in a folder, which is made when something is first written."""

    def __init__(self, root: Path) -> None:
        """Nothing is made here."""
        self._root = root
        self.place = str(root)

    def read(self, name: str) -> Blob | None:
        """As Store says."""
        try:
            content = (self._root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._trouble(name, "read", error) from None
        return Blob(content, _tag(content))

    def write(self, name: str, content: bytes) -> None:
        """As Store says."""
        self._placed(name, content, lambda part, path: part.replace(path))

    def create(self, name: str, content: bytes) -> bool:
        """As Store says: a hard link is made whole and never over an existing name."""
        try:
            self._placed(name, content, lambda part, path: path.hardlink_to(part))
        except FileExistsError:
            return False
        return True

    def swap(self, name: str, content: bytes, tag: str) -> bool:
        """As Store says: of several who rename the old object, one gets it."""
        path = self._root / name
        aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        seen = self.read(name)
        if seen is None or seen.tag != tag:
            return False
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        try:
            if _tag(aside.read_bytes()) != tag:  # changed since we looked: give it back, if its place is still free
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(aside)
                return False
            return self.create(name, content)
        finally:
            aside.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """As Store says."""
        try:
            (self._root / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._trouble(name, "removed", error) from None

    def names(self, prefix: str = "") -> Iterator[str]:
        """As Store says; what begins with a dot is half written and no object."""
        start = self._root / prefix.rpartition("/")[0]
        for folder, folders, files in os.walk(start):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for file in sorted(files):
                name = (Path(folder) / file).relative_to(self._root).as_posix()
                if not file.startswith(".") and name.startswith(prefix):
                    yield name

    def _placed(self, name: str, content: bytes, place: Callable[[Path, Path], object]) -> None:
        """Write beside the name, to the disk itself, then place it."""
        path = self._root / name
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            place(part, path)
        except FileExistsError:
            raise
        except OSError as error:
            raise self._trouble(name, "written", error) from None
        finally:
            if part.parent.is_dir():
                part.unlink(missing_ok=True)

    def _trouble(self, name: str, what: str, error: OSError) -> ConfigurationError:
        remedy = "Set ACCOUNTPULSE_STATE to a folder with room that this user can read and write."
        return ConfigurationError("state", [f"{self._root / name} can't be {what} ({error.strerror}). {remedy}"])


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
