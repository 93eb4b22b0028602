"""A raw server that breaks the rules of the wire, which no proper web server can be told to do."""

import asyncio
import gzip
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
BODY = b'{"ok": true}'


def whole(status: int = 200, body: bytes = BODY, *headers: str, kind: str = "application/json") -> Answer:
    """A proper answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"Content-Type: {kind}", *headers]

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return answer


def raw(data: bytes) -> Answer:
    """Exactly these bytes, and the connection is closed."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return answer


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: application/json", *lines, "", ""]).encode()


async def reset(writer: asyncio.StreamWriter) -> None:
    """The peer resets the connection."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER: closing sends RST
    writer.transport.abort()


async def reset_in_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(head("Content-Length: 100") + b'{"ok"')
    await writer.drain()
    await asyncio.sleep(0.05)
    await reset(writer)


async def silence(_writer: asyncio.StreamWriter) -> None:
    """Accepts, and never answers."""
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    """One byte every twentieth of a second."""
    writer.write(head("Content-Length: 100000"))
    for _ in range(2400):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


CLOSED = raw(b"")
CUT_LENGTH = raw(head("Content-Length: 100") + b'{"ok"')
CUT_CHUNK = raw(head("Transfer-Encoding: chunked") + b'64\r\n{"ok"')
GARBAGE = raw(b"\x00\xff not http at all\r\n\r\n")
LONG_HEADER = raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n")
HALF_GZIP = raw(head("Content-Encoding: gzip", "Connection: close") + gzip.compress(BODY * 50)[:40])
NO_LENGTH = raw(head("Connection: close") + b'{"ok": tr')
HTML = whole(200, b"<html>We'll be back soon</html>", kind="text/html")
EMPTY = whole(200, b"")
BAD_TEXT = whole(200, b'{"ok": "\xff\xfe"}')


class Wire:
    """Serves the planned answers in their order, then proper ones; `asked` holds the request lines and headers."""

    def __init__(
        self,
        *plan: Answer,
        for_ever: Answer | None = None,
        context: ssl.SSLContext | None = None,
        asks: bool = True,  # False: it answers before anything of a request came
    ) -> None:
        self._asks = asks
        self._context = context  # with one, over TLS
        self._plan = list(plan)
        self._then = for_ever or whole()
        self.asked: list[str] = []
        self.url = ""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context), self._loop
        ).result()
        scheme = "http" if self._context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._server = server
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def end() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)  # their connections are closed in the next round

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode() if self._asks else ""
                self.asked.append(lines)
                await (self._plan.pop(0) if self._plan else self._then)(writer)
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
