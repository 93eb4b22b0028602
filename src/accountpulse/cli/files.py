"""Files that the command line is given."""

from pathlib import Path

from accountpulse.core import given_files
from accountpulse.core.errors import UsageError
from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard


def read(path: Path) -> bytes:
    """A table's content; one that can't be read is a UsageError."""
    try:
        return given_files.read(path, given_files.MOST_TABLE)
    except given_files.Unreadable as error:
        raise UsageError(f"{path} can't be read ({error})") from None


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
        text = given_files.read_text(file, given_files.MOST_YAML)
    except given_files.Unreadable as error:
        raise UsageError(f"{file} can't be read ({error})") from None
    return scorecard.load(text, file.name, pillars)
