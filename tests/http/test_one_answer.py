"""Answers that come twice on a connection that is kept: the next request never gets them."""

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from accountpulse.core.errors import UnexpectedAnswer
from accountpulse.http import client, requests_adapter
from accountpulse.http.budget import RequestBudget
from accountpulse.http.client import Client, Endpoint
from faults.wire import Answer, Wire

NUMBER = msgspec.json.Decoder(dict[str, int])


def twice(*, later: float = 0.0, cut: int = 0, size: int = 0) -> Answer:
    """Numbers its answers, and sends each twice: at once, or `later`, from `cut` bytes of the second on."""
    number = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal number
        number += 1
        body = b'{"n": %d}' % number + b" " * size
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        writer.write(whole + (whole[:cut] if later else whole))
        await writer.drain()
        if later:
            await asyncio.sleep(later)
            writer.write(whole[cut:])
            await writer.drain()

    return answer


def by_client(url: str, pause: float, ca: Path | None = None) -> list[int]:
    async def ask() -> Any:
        async with Client(Endpoint("jira", url, {}), RequestBudget(), ca_bundle=ca) as web:
            found = []
            for _ in range(3):
                found.append((await web.get("/thing", NUMBER))["n"])
                await asyncio.sleep(pause)
            return found

    return client.run(ask())


def by_session(url: str, pause: float, ca: Path | None = None) -> list[int]:
    found = []
    with requests_adapter.session("looker", RequestBudget(), ca) as session:
        for _ in range(3):
            found.append(session.get(f"{url}/thing").json()["n"])
            time.sleep(pause)
    return found


@pytest.mark.parametrize("ask", [by_client, by_session])
@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        ({}, 0.0),
        ({"later": 0.01}, 0.05),
        ({"later": 0.01, "cut": 20}, 0.05),
        ({"later": 0.01, "cut": 90}, 0.05),
    ],
    ids=["at-once", "while-idle", "cut-in-the-head", "cut-in-the-body"],
)
def test_a_connection_with_bytes_left_over_is_closed(ask: Any, answer: dict[str, Any], pause: float) -> None:
    with Wire(for_ever=twice(**answer)) as server:
        assert ask(server.url, pause) == [1, 2, 3]


@pytest.mark.parametrize("ask", [by_client, by_session])
@pytest.mark.parametrize("size", [0, 6000, 8192 - 8])
def test_what_is_left_over_in_the_tls_layer_counts_too(ask: Any, size: int, tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Wire(for_ever=twice(size=size), context=context) as server:
        assert ask(server.url, 0.0, tmp_path / "ca.pem") == [1, 2, 3]


def test_an_answer_that_came_to_another_request_ends_the_reading_instead_of_being_believed() -> None:
    """The second one comes when the next request is out already: nobody can tell, before that one's own answer."""
    sent = [b""]

    async def answer(writer: asyncio.StreamWriter) -> None:
        body = b'{"n": %d}' % len(sent)
        sent.append(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n" + body)
        writer.write(sent[-2] + sent[-1])
        await writer.drain()

    with (
        Wire(for_ever=answer) as server,
        pytest.raises(UnexpectedAnswer, match=r"telling answers apart.*sends answers twice"),
    ):
        by_client(server.url, 0.0)


@pytest.mark.parametrize("farewell", [b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", b"\r\n"])
def test_a_server_that_is_tired_of_waiting_costs_a_connection_and_nothing_else(farewell: bytes) -> None:
    number = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal number
        number += 1
        body = b'{"n": %d}' % number
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n" + body)
        if number == 2:
            await asyncio.sleep(0.02)
            writer.write(farewell)
        await writer.drain()

    with Wire(for_ever=answer) as server:
        assert by_client(server.url, 0.05) == [1, 2, 3]


def test_the_same_answer_again_on_a_connection_that_has_served_before_does_no_harm() -> None:
    number = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal number
        number += 1
        body = b'{"n": %d}' % number + b" " * 100_000
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100008\r\n\r\n" + body
        writer.write(whole * 2 if number == 2 else whole)
        await writer.drain()

    with Wire(for_ever=answer) as server:
        assert by_client(server.url, 0.02) == [1, 2, 3]
