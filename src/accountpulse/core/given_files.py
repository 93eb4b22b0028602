"""Files that a user names: read no further than such a file can sensibly be long."""

from pathlib import Path

MIB = 1 << 20
MOST_YAML = MIB // 2  # of accountpulse.yaml and of a scorecard; ours have some kilobytes
MOST_LINKS = 64 * MIB  # of a mapping file; 100,000 accounts with a key in each system are 10 MiB
MOST_TABLE = 1024 * MIB  # of a table that is held whole; larger ones go through DuckDB or Spark


class Unreadable(Exception):
    """A file that can't be read. The text says why, and holds nothing of the file."""


def read(path: Path, most: int) -> bytes:
    """The file's content, at most so many bytes; Unreadable where it has more, or can't be read."""
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: no path at all
        raise Unreadable(getattr(error, "strerror", None) or type(error).__name__) from None
    if len(content) > most:
        size = f"{most // MIB:,} MiB" if most >= MIB else f"{most // 1024:,} KiB"
        raise Unreadable(f"it is larger than {size}")
    return content


def read_text(path: Path, most: int) -> str:
    """The same as text; Unreadable where it isn't UTF-8, with or without a byte-order mark."""
    try:
        return read(path, most).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("it is not a text in UTF-8") from None
