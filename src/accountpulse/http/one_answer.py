"""Connections of aiohttp that give each request the answer to it: whatever comes beside it closes the connection.

aiohttp keeps what comes unasked for, and gives it to the next request on the same connection: where a proxy sends an
answer twice, that is the answer to another request, well-formed and wrong.

They see an answer before anything else of the process does, and tell how long it took.
"""

import asyncio
from functools import partial
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from accountpulse.http.answer_time import AnswerClock, AnswerTime, LoopLag

REMEMBERED = 1 << 16  # bytes of a connection's last answer: enough to tell whether what follows is the same again


class OneAnswerConnector(aiohttp.TCPConnector):
    """A connector whose connections are closed where more comes than the one answer that was asked for.

    `mixed_up`: an answer came so late that another request may have been given the one before it.
    """

    def __init__(self, lag: LoopLag, **options: Any) -> None:
        """`lag` says how late answers are seen; `options` are those of aiohttp's."""
        super().__init__(**options)
        self.mixed_up = False
        handler = partial(_OneAnswer, self, lag, loop=asyncio.get_running_loop())
        self._factory = cast("partial[ResponseHandler]", handler)


class TimedResponse(aiohttp.ClientResponse):
    """An answer that knows how long it took; only over connections of OneAnswerConnector."""

    took: AnswerTime | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Wait for the answer's head."""
        # taken before, since afterwards the connection may carry another request already
        clock = cast("_OneAnswer", connection.protocol).clock
        await super().start(connection)
        self.took = clock.took
        return self


class _OneAnswer(ResponseHandler):
    """One connection; `set_response_params` is called before each request on it."""

    def __init__(self, connector: OneAnswerConnector, lag: LoopLag, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._connector = connector
        self._lag = lag
        self.clock = AnswerClock(lag)  # of the request that was sent last
        self._requests = 0
        self._due = False  # the head of an answer is due
        self._last = b""  # the beginning of the last answer
        self._piece = b""  # the last piece of it

    def set_response_params(self, **options: Any) -> None:
        super().set_response_params(**options)
        self.clock = AnswerClock(self._lag)
        self._requests += 1
        self._due, self._last = True, b""

    def feed_data(self, data: Any, size: int = 0) -> None:
        """A whole head has come. Those of the 100s come before the answer."""
        if not self._due:
            self._close_for(self._piece[self._piece.rfind(b"HTTP/1.") :])  # both came in one piece
            return
        super().feed_data(data, size)
        self._due = 100 <= data[0].code < 200

    def data_received(self, data: bytes) -> None:
        if data and not self._due and (self._payload is None or self._payload.is_eof()):
            self._close_for(data)
            return
        self.clock.seen()
        self._piece = data
        if len(self._last) < REMEMBERED:
            self._last += data[: REMEMBERED - len(self._last)]
        super().data_received(data)

    def _close_for(self, more: bytes) -> None:
        """Close at once. A second good answer that isn't the last one again may be what that request should have had.

        Others do no harm, such as the 408 of a server that is tired of waiting for the next request.
        """
        is_good = more.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2"))
        is_same = self._last.startswith(more) or more.startswith(self._last)
        self._connector.mixed_up |= self._requests > 1 and is_good and not is_same
        self.force_close()
        if self.transport is not None:
            self.transport.abort()  # to close politely over TLS is to wait for the other side's farewell
