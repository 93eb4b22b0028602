"""Files that the command line is given."""

from pathlib import Path

from accountpulse.core.errors import UsageError
from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard


def read(path: Path) -> bytes:
    """The file's content; one that can't be read is a UsageError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror})") from None


def write(path: Path, data: bytes) -> None:
    """Make the file, and its folder; a place that can't be written to is a UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror})") from None


def read_card(file: Path | None, pillars: tuple[str, ...]) -> Scorecard:
    """The scorecard in the file, or the packaged one."""
    if file is None:
        return scorecard.default(pillars)
    try:
        return scorecard.load(read(file).decode("utf-8-sig"), file.name, pillars)
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not a text file in UTF-8") from None
