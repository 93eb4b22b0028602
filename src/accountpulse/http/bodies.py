"""Bodies of answers: what came is counted and unpacked by us, so that no answer takes more memory than it may.

Both ways to send read through one `Body`: our client, and the adapter of the vendors' clients. What it refuses is a
ValueError whose text says what the answer was, and never what stood in it.
"""

import zlib
from collections.abc import Iterator, Mapping

MIB = 1 << 20
# what a body may hold, packed as it comes and unpacked; docs/http.md says why
MOST = 64 * MIB  # of Intercom and Jira: a page of 1,000 changes with two long descriptions each
MOST_OBJECTS = 32 * MIB  # of Looker and Salesforce: their clients make objects of it, which take up to 24 times as much
MOST_CSV = 256 * MIB  # of a bulk job's results: what was sent (90 MB), quoted, with two columns more
MOST_ROWS = 4_096 * MIB  # of rows that are taken apart while they come, and lie on disk
MOST_SIGN_IN = MIB  # of an answer to signing in: a token
ENCODINGS = "gzip, deflate"  # what we ask for, and understand
PIECE = MIB  # bytes that are unpacked at once
GZIP, ZLIB, BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS  # zlib's names of the formats


class UnfitBody(ValueError):
    """A body that isn't read to its end: another attempt may bring a better one."""


class Body:
    """One answer's body: takes the bytes as they come, and gives pieces of what they unpack to.

    UnfitBody where it is or grows larger than `most` bytes, is packed in a way that nobody asked for, or is broken.
    """

    def __init__(self, headers: Mapping[str, str], most: int) -> None:
        """Where the headers say already that it is too large, nothing of it is read."""
        self._most = most
        self._came = self._grew = 0
        self._format = _format(headers.get("Content-Encoding", ""))
        self._unpack = None if self._format is None else zlib.decompressobj(self._format)
        length = headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > most):
            raise self._too_large()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes unpack to; never more than PIECE at once."""
        self._came += len(data)
        if self._came > self._most:
            raise self._too_large()
        if self._unpack is None:
            yield data
            return
        more = True
        while more:
            if self._unpack.eof:  # one packed file may follow another
                self._unpack = zlib.decompressobj(self._format or GZIP)
            piece = self._piece(data)
            self._grew += len(piece)
            if self._grew > self._most:
                raise self._too_large()
            if piece:
                yield piece
            data = self._unpack.unconsumed_tail or self._unpack.unused_data
            more = bool(data) or (len(piece) == PIECE and not self._unpack.eof)

    def end(self) -> None:
        """There is no more; UnfitBody where a packed body breaks off."""
        if self._unpack is not None and self._came and not self._unpack.eof:
            raise UnfitBody("a packed body that breaks off")

    def _piece(self, data: bytes) -> bytes:
        assert self._unpack is not None  # noqa: S101  # of a packed body
        try:
            return self._unpack.decompress(data, PIECE)
        except zlib.error:
            if self._format != ZLIB or self._grew:
                raise UnfitBody("a packed body that can't be unpacked") from None
        # some servers send "deflate" without its frame; RFC 9110, 8.4.1.2
        self._format, self._unpack = BARE, zlib.decompressobj(BARE)
        return self._piece(data)

    def _too_large(self) -> UnfitBody:
        return UnfitBody(f"a body of more than {self._most // MIB:,} MiB")


def _format(encoding: str) -> int | None:
    """Zlib's name of an encoding; None: it isn't packed."""
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return GZIP
        case "deflate":
            return ZLIB
    raise UnfitBody("a body that is packed in a way that was not asked for")
