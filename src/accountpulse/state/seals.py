"""Checksums: a document or a table that we wrote says so, and says whether it is whole.

The SHA-256 covers the object's name and every byte but its own digits, so that neither a flipped bit nor a file that
was put in another's place passes for what we wrote. It stands in the document's first line and in the metadata of a
table's Parquet footer, where other readers pass it over.

What earlier versions wrote has none. It is told by its form, which no sealed object can be bent to by a few bits: a
document that begins as they wrote it, and a table whose footer names nothing but its schema.
"""

import hashlib
import io

import polars as pl

ZEROS = "0" * 64
HEAD, NEXT = b'{\n "sha256": "', b'",\n "version": '  # how a sealed document begins
UNSEALED = b'{\n "version": 1,\n '  # how one of an earlier version does
MARK = b"accountpulse-sha256="
METADATA = {"accountpulse": MARK.decode() + ZEROS}  # to write a table with
PARQUET = b"PAR1"  # how each table begins and ends
ONLY_KEY = "ARROW:schema"  # what the footer of an earlier version's table has beside


class Damaged(Exception):
    """It is not what we wrote; the text says why."""


def seal_document(name: str, text: str) -> bytes:
    """The bytes of a document whose JSON begins with its version."""
    # a lone surrogate, such as one of a file's name, becomes JSON's own escape for it
    body = text.encode("utf-8", "backslashreplace")
    rest = b'",' + body.removeprefix(b"{")
    return HEAD + _digest(name, HEAD + ZEROS.encode() + rest, len(HEAD)) + rest


def is_sealed_document(name: str, content: bytes) -> bool:
    """Whether a document has a checksum, which then is right; Damaged where it isn't, or where it is none of ours."""
    if content.startswith(UNSEALED):
        return False
    if not content.startswith(HEAD) or content[len(HEAD) + 64 :][: len(NEXT)] != NEXT:
        raise Damaged("is not a document of ours, or damaged")
    _verify(name, content, len(HEAD))
    return True


def seal_table(name: str, written: io.BytesIO) -> bytes:
    """The bytes of a table that was written with METADATA; the buffer is changed and not copied."""
    content = written.getvalue()
    at = content.rindex(MARK) + len(MARK)
    digest = _digest(name, content, at)
    del content
    written.seek(at)
    written.write(digest)
    return written.getvalue()


def is_sealed_table(name: str, content: bytes) -> bool:
    """Whether a table has a checksum, which then is right; Damaged where it isn't, or the table is none of ours."""
    if (at := content.rfind(MARK)) >= 0:  # wherever: a reader that is given a damaged footer may end the process
        _verify(name, content, at + len(MARK))
        return True
    if not (content.startswith(PARQUET) and content.endswith(PARQUET)):
        raise Damaged("is no table, or cut off")
    try:
        keys = set(pl.read_parquet_metadata(io.BytesIO(content)))
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - whatever a reader of nonsense raises
        raise Damaged(f"is no table, or damaged ({type(error).__name__})") from None
    if keys != {ONLY_KEY}:
        raise Damaged("is not a table of ours, or damaged")
    return False


def _verify(name: str, content: bytes, at: int) -> None:
    if content[at : at + 64] != _digest(name, content, at):
        raise Damaged("is damaged, or another's: its checksum does not match")


def _digest(name: str, content: bytes, at: int) -> bytes:
    view = memoryview(content)
    found = hashlib.sha256(name.encode("utf-8", "surrogateescape") + b"\0")
    for part in (view[:at], ZEROS.encode(), view[at + 64 :]):
        found.update(part)
    return found.hexdigest().encode()
