"""Whom to trust is read once a process, and nothing adds to it on the way."""

import ssl
from pathlib import Path

import pytest
import trustme

from accountpulse.core.errors import AccessError
from accountpulse.http import requests_adapter, tls
from accountpulse.http.budget import RequestBudget
from faults import wire
from faults.wire import Wire


def authority_in(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A file with an authority, and a server's context that it vouches for."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return folder / "ca.pem", context


def test_sessions_share_what_was_read_until_the_file_changes(tmp_path: Path) -> None:
    file, _context = authority_in(tmp_path)
    first = tls.context(file)
    assert tls.context(file) is first
    assert tls.context(None) is not first
    authority_in(tmp_path)
    assert tls.context(file) is not first


def test_a_connection_adds_no_authority_to_those_of_the_machine_and_of_the_settings(tmp_path: Path) -> None:
    file, context = authority_in(tmp_path)
    trusted = tls.context(file).cert_store_stats()
    with (
        Wire(for_ever=wire.whole(200, b'{"ok": true}'), context=context) as server,
        requests_adapter.session("looker", RequestBudget(), file, sleep=lambda _seconds: None) as session,
    ):
        assert session.get(f"{server.url}/query").json() == {"ok": True}
    assert tls.context(file).cert_store_stats() == trusted


def test_a_certificate_of_a_stranger_is_refused_though_a_session_was_made_before(tmp_path: Path) -> None:
    file, _context = authority_in(tmp_path)
    tls.context(file)
    (tmp_path / "other").mkdir()
    _file, stranger = authority_in(tmp_path / "other")
    with (
        Wire(context=stranger) as server,
        requests_adapter.session("looker", RequestBudget(), file, sleep=lambda _seconds: None) as session,
        pytest.raises(AccessError, match="not trusted"),
    ):
        session.get(f"{server.url}/query")


def test_behind_a_proxy_the_same_authorities_are_trusted(tmp_path: Path) -> None:
    file, _context = authority_in(tmp_path)
    with requests_adapter.session("looker", RequestBudget(), file) as session:
        behind = session.get_adapter("https://looker.example.com").proxy_manager_for("http://127.0.0.1:9")
    assert behind.connection_pool_kw["ssl_context"] is tls.context(file)
