"""State in a folder, for its owner's eyes alone: folders 0700, files 0600, whatever the umask."""

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from accountpulse.core import file_locks
from accountpulse.core.errors import ConfigurationError
from accountpulse.state.store import Blob, Obstacle

FOLDER_MODE, FILE_MODE = 0o700, 0o600
MOST_DOCUMENT = 64 * 2**20  # bytes: a run of 100,000 accounts notes a few MB
ENDINGS = (".json", ".parquet", ".csv", ".html")  # of objects: a folder with such a name stands in the place of one
HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{8}")
NOT_THERE = (FileNotFoundError, NotADirectoryError)
REMEDIES = {
    errno.ENOSPC: "Make room on its disk.",
    errno.EDQUOT: "Make room, or raise this user's quota.",
    errno.ENAMETOOLONG: "Set ACCOUNTPULSE_STATE to a shorter path.",
    errno.ENOTDIR: "It is a file: set ACCOUNTPULSE_STATE to a folder.",
    errno.EEXIST: "It is a file: set ACCOUNTPULSE_STATE to a folder.",
}
REMEDIES |= dict.fromkeys(
    (errno.EPERM, errno.EOPNOTSUPP),
    "Set ACCOUNTPULSE_STATE to a folder that this user can write, on a file system with hard links.",
)
REMEDY = "Set ACCOUNTPULSE_STATE to a folder with room that this user can read and write."


class Folder:
    """A store in a folder, which is made when something is first written.

    What is being written has a name that begins with a dot, and is locked as long as its writer lives.
    """

    def __init__(self, root: Path) -> None:
        """Nothing is made here."""
        self._root = root
        self.place = str(root)

    def read(self, name: str) -> Blob | None:
        """As Store says."""
        path = self._root / name
        try:
            there = path.stat()
            if not stat.S_ISREG(there.st_mode):
                raise Obstacle(self.place, name)
            if name.endswith(".json") and there.st_size > MOST_DOCUMENT:
                raise Obstacle(self.place, name, "is larger than any document of ours")
            return Blob(path.read_bytes())
        except NOT_THERE:
            self._refuse_a_file()
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Obstacle(self.place, name) from None
            raise self._trouble(name, "read", error) from None

    def write(self, name: str, content: bytes) -> None:
        """As Store says."""
        self._put(name, content, lambda part, path: part.replace(path))

    def create(self, name: str, content: bytes) -> bool:
        """As Store says: a hard link is made whole and never over an existing name."""
        try:
            self._put(name, content, lambda part, path: path.hardlink_to(part))
        except FileExistsError:
            return False
        return True

    def swap(self, name: str, content: bytes, tag: str) -> bool:
        """As Store says: whoever holds the old file's lock while it still has its name."""
        path = self._root / name
        try:
            with path.open("rb") as stream:
                file_locks.hold(stream.fileno())
                if not os.path.samestat(os.fstat(stream.fileno()), path.stat()) or Blob(stream.read()).tag != tag:
                    return False
                self.write(name, content)
                return True
        except NOT_THERE:
            return False
        except OSError as error:
            raise self._trouble(name, "read", error) from None

    def remove(self, name: str) -> None:
        """As Store says."""
        path = self._root / name
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise self._trouble(name, "removed", error) from None

    def move(self, name: str, to: str) -> None:
        """As Store says."""
        path = self._root / to
        try:
            _make(path.parent)
            (self._root / name).rename(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._trouble(name, "moved", error) from None

    def names(self, prefix: str = "") -> Iterator[str]:
        """As Store says; what begins with a dot is half written and no object."""
        start = self._root / prefix.rpartition("/")[0]
        for folder, folders, files in self._walk(start):
            found = [each for each in folders if each.endswith(ENDINGS)]
            folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in found)
            for each in sorted([*files, *found]):
                name = (folder / each).relative_to(self._root).as_posix()
                if not each.startswith(".") and name.startswith(prefix):
                    yield name

    def sweep(self, prefix: str) -> None:
        """As Store says. What an earlier version left open to others is closed, too."""
        for folder, _folders, files in self._walk(self._root / prefix):
            with suppress(OSError):  # another's
                if stat.S_IMODE(folder.stat().st_mode) & 0o077:
                    folder.chmod(FOLDER_MODE)
            for each in files:
                if HALF_WRITTEN.fullmatch(each):
                    _sweep(folder / each)

    def _walk(self, start: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
        """As `os.walk`; a folder that can't be read is an error, and not an empty one."""

        def refuse(error: OSError) -> None:
            if not isinstance(error, NOT_THERE):
                raise error

        try:
            self._refuse_a_file()
            for folder, folders, files in os.walk(start, onerror=refuse):
                yield Path(folder), folders, files
        except OSError as error:
            name = Path(error.filename or start).relative_to(self._root)
            raise self._trouble(str(name), "read", error) from None

    def _put(self, name: str, content: bytes, place: Callable[[Path, Path], object]) -> None:
        """Write beside the name, to the disk itself, then place it. FileExistsError only from `place`."""
        path = self._root / name
        try:
            _make(path.parent)
            with _half_written(path, content) as part:
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
                place(part, path)
        except OSError as error:
            if isinstance(error, FileExistsError) and path.is_file():
                raise
            if (obstacle := self._obstacle(path)) is not None:
                raise Obstacle(self.place, obstacle) from None
            raise self._trouble(name, "written", error) from None

    def _obstacle(self, path: Path) -> str | None:
        """What stands in a file's way below the root: a file for a folder, or a folder for the file."""
        with suppress(OSError):
            if os.path.lexists(path) and not path.is_file():
                return path.relative_to(self._root).as_posix()
            for folder in path.relative_to(self._root).parents:
                if folder.parts and (self._root / folder).exists() and not (self._root / folder).is_dir():
                    return folder.as_posix()
        return None

    def _refuse_a_file(self) -> None:
        """For the root, of which nothing is there: it isn't made yet, unless it is a file, or lies below one."""
        there = next(path for path in (self._root, *self._root.absolute().parents) if path.exists())
        if not there.is_dir():
            raise self._trouble("", "read", NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))

    def _trouble(self, name: str, what: str, error: OSError) -> ConfigurationError:
        remedy = REMEDIES.get(error.errno or 0, REMEDY)
        return ConfigurationError("state", [f"{self._root / name} can't be {what} ({error.strerror}). {remedy}"])


def _make(folder: Path) -> None:
    """The folder and those above it that are not there yet."""
    if folder.is_dir():
        return
    _make(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        folder.chmod(FOLDER_MODE)


@contextmanager
def _half_written(path: Path, content: bytes) -> Iterator[Path]:
    """The content under a passing name, on the disk itself; locked, so that nobody takes it for abandoned."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with _locked(part) as stream:
            part.chmod(FILE_MODE)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            yield part
    finally:
        part.unlink(missing_ok=True)


def _locked(part: Path) -> BinaryIO:
    """A new file with its lock; once more where it was swept before it had one."""
    while True:
        stream = part.open("xb")
        file_locks.hold(stream.fileno())
        if os.fstat(stream.fileno()).st_nlink:
            return stream
        stream.close()


def _sweep(file: Path) -> None:
    """Take a half written file away, unless its writer lives."""
    with suppress(OSError), file.open("rb") as stream:  # gone meanwhile, or not ours
        if file_locks.is_abandoned(stream.fileno()):
            file.unlink()
