"""What an answer may hold: packed, unpacked, and how deep; the same for both ways to send."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from accountpulse.core.errors import AccessError, SourceUnavailable, UnexpectedAnswer
from accountpulse.http import bodies, client, requests_adapter
from accountpulse.http.bodies import MIB, PIECE, Body, UnfitBody
from accountpulse.http.budget import RequestBudget
from accountpulse.http.client import Client, Endpoint
from faults import wire
from faults.wire import Answer, Wire

ANY = msgspec.json.Decoder(dict[str, Any])
PLAIN = b'{"ok": true}'


def unpacked(data: bytes, encoding: str, most: int = MIB, step: int = 1000) -> bytes:
    body = Body({"Content-Encoding": encoding}, most)
    parts = [piece for at in range(0, len(data), step) for piece in body.pieces(data[at : at + step])]
    body.end()
    assert all(len(piece) <= max(PIECE, step) for piece in parts)
    return b"".join(parts)


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (PLAIN, ""),
        (PLAIN, "identity"),
        (gzip.compress(PLAIN, mtime=0), "gzip"),
        (gzip.compress(PLAIN, mtime=0), "X-GZIP"),
        (gzip.compress(PLAIN[:5], mtime=0) + gzip.compress(PLAIN[5:], mtime=0), "gzip"),
        (zlib.compress(PLAIN), "deflate"),
        (bare(PLAIN), "deflate"),
        (b"", "gzip"),
    ],
    ids=["as it is", "identity", "gzip", "in capitals", "two members", "deflate", "bare deflate", "nothing"],
)
def test_what_was_asked_for_is_unpacked(data: bytes, encoding: str) -> None:
    assert unpacked(data, encoding) == (PLAIN if data else b"")


def test_a_body_of_several_pieces_comes_out_as_it_went_in() -> None:
    noise = bytes(range(256)) * 20_000  # five pieces
    for packed, encoding in (
        (gzip.compress(noise), "gzip"),
        (bare(noise), "deflate"),
        (zlib.compress(noise), "deflate"),
    ):
        assert unpacked(packed, encoding, 8 * MIB) == noise


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_what_was_not_asked_for_is_not_unpacked(encoding: str) -> None:
    with pytest.raises(UnfitBody, match="not asked for"):
        Body({"Content-Encoding": encoding}, MIB)


def test_a_bomb_is_put_down_as_soon_as_it_has_grown_too_large() -> None:
    bomb = gzip.compress(bytes(64 * MIB))  # a thousandth of what it unpacks to
    body, grown = Body({"Content-Encoding": "gzip"}, 4 * MIB), 0
    with pytest.raises(UnfitBody, match="more than 4 MiB"):
        for piece in body.pieces(bomb):
            grown += len(piece)
    assert grown <= 4 * MIB


def test_packed_bytes_that_unpack_to_nothing_have_an_end_too() -> None:
    body, nothing = Body({"Content-Encoding": "gzip"}, MIB), gzip.compress(b"") * 1000
    with pytest.raises(UnfitBody, match="more than 1 MiB"):
        for _ in range(60):
            assert list(body.pieces(nothing)) == []


@pytest.mark.parametrize("length", [str(MIB + 1), "9" * 5000])
def test_a_body_that_says_it_is_too_large_is_not_begun(length: str) -> None:
    with pytest.raises(UnfitBody, match="more than 1 MiB"):
        Body({"Content-Length": length}, MIB)


def by_client(url: str, ca: Path | None = None) -> Any:
    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0)

    async def ask() -> Any:
        async with Client(Endpoint("jira", url, {}), RequestBudget(), ca_bundle=ca, sleep=sleep) as web:
            return await web.get("/thing", ANY)

    return client.run(ask())


def by_session(url: str, ca: Path | None = None) -> Any:
    with requests_adapter.session("looker", RequestBudget(), ca, sleep=lambda _seconds: None) as session:
        return session.get(f"{url}/thing").json()


WAYS = pytest.mark.parametrize("ask", [by_client, by_session])
DEEP = 100_000
UNFIT: dict[str, tuple[Answer, str]] = {
    "three-gigabytes": (wire.raw(wire.head(f"Content-Length: {3 * 1024 * MIB}") + b"{"), r"more than \d+ MiB"),
    "a-bomb": (wire.whole(200, gzip.compress(bytes(80 * MIB)), "Content-Encoding: gzip"), r"more than \d+ MiB"),
    "brotli": (wire.whole(200, b"\x0b\x02\x80{}\x03", "Content-Encoding: br"), "not asked for"),
    "deep-lists": (wire.whole(200, b"[" * DEEP + b"]" * DEEP), "nested too deeply"),
    "deep-objects": (wire.whole(200, b'{"ok":' * DEEP + b"1" + b"}" * DEEP), "nested too deeply"),
}


@WAYS
@pytest.mark.parametrize(("answer", "says"), UNFIT.values(), ids=UNFIT.keys())
def test_an_answer_that_nobody_could_hold_is_an_error_that_names_the_limits(
    ask: Callable[[str], Any], answer: Answer, says: str
) -> None:
    with Wire(for_ever=answer) as server, pytest.raises(UnexpectedAnswer, match=rf"{says}.*`accountpulse docs http`"):
        ask(server.url)


@WAYS
def test_only_what_we_can_unpack_is_asked_for(ask: Callable[[str], Any]) -> None:
    packed = wire.whole(200, gzip.compress(PLAIN, mtime=0), "Content-Encoding: gzip")
    with Wire(packed) as server:
        assert ask(server.url) == {"ok": True}
    (asked,) = server.asked
    assert "accept-encoding: gzip, deflate\r\n" in asked.lower()


def test_a_token_is_small_and_results_of_bulk_jobs_may_be_large() -> None:
    padded = b'{"ok": "' + bytes(2 * MIB).replace(b"\0", b"x") + b'"}'
    with (
        Wire(for_ever=wire.whole(200, padded)) as server,
        requests_adapter.session("looker", RequestBudget(), None, sleep=lambda _seconds: None) as session,
    ):
        assert len(session.get(f"{server.url}/query").content) == len(padded)
        for path in ("/api/4.0/login", "/services/Soap/u/64.0", "/services/oauth2/token"):
            with pytest.raises(UnexpectedAnswer, match="more than 1 MiB"):
                session.get(f"{server.url}{path}")
    assert bodies.MOST_CSV > 2 * 90_000_000  # the largest upload, as systems/salesforce/writes.py cuts it


@WAYS
def test_a_handshake_that_is_cut_is_trouble_with_the_connection_and_a_wrong_certificate_is_not(
    ask: Callable[[str, Path], Any], tmp_path: Path
) -> None:
    ours, stranger = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger.issue_cert("127.0.0.1").configure_cert(context)
    with (
        Wire(context=context) as server,
        pytest.raises(AccessError, match=r"certificate.*certificate of 127\.0\.0\.1 is not trusted"),
    ):
        ask(server.url, tmp_path / "ca.pem")
    with (
        Wire(for_ever=wire.CLOSED, asks=False) as server,
        pytest.raises(SourceUnavailable, match=r"handshake|closed the connection") as caught,
    ):
        ask(server.url.replace("http:", "https:"), tmp_path / "ca.pem")
    assert "not trusted" not in str(caught.value)
    assert caught.value.exit_code == 5
