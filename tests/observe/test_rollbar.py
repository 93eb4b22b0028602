"""Errors to Rollbar: delivered before the process freezes, without secrets, and never the run's own trouble."""

import gzip
import http.server
import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import trustme

from accountpulse.core.errors import AccessError
from accountpulse.core.redact import mapped
from accountpulse.core.secret import Secret
from accountpulse.observe.rollbar import Silence, alerts
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.settings import RollbarAccess
from aws.rig import Rig
from support import NOW

TOKEN = "rollbar-token-1234567890"
PLANTED = ("s3cret-token-in-a-text", "another-secret-value")
ITEM = {"environment", "timestamp", "level", "language", "code_version", "notifier", "body", "custom"}


class Project:
    """A Rollbar project that keeps the items it is sent; over TLS where a certificate is given."""

    def __init__(self, status: int = 200, delay: float = 0.0, certificate: Path | None = None) -> None:
        self.items: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        catcher = self

        class Api(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(delay)
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                catcher.items.append(json.loads(body))
                catcher.tokens.append(self.headers.get("X-Rollbar-Access-Token"))
                answer = json.dumps({"err": 0, "result": {"uuid": "x"}}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}/api/1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    issued.write_to_path(tmp_path / "server.pem")
    yield tmp_path / "ca.pem", tmp_path / "server.pem"


def access(url: str) -> RollbarAccess:
    return RollbarAccess(Secret(TOKEN), f"{url}/")


def fail_in_our_code() -> None:
    """As a library fails under a function of ours: with a query in its words, behind another error."""
    local = PLANTED[1]
    try:
        float(f"a query with {PLANTED[0]} and {local}")
    except ValueError as error:
        message = f"refused {PLANTED[0]}, mail somebody@example.com"
        raise KeyError(message) from error


def test_an_item_of_a_fault_has_its_kind_and_places_in_our_code_and_no_word_of_a_library() -> None:
    Secret(PLANTED[1])
    with Project() as project:
        try:
            mapped({"name": "x"}, lambda _text: fail_in_our_code() or "")
        except KeyError as error:
            alerts(access(project.url)).error(error, {"run_id": "r1", "note": f"token {PLANTED[1]}"})
    assert project.tokens == [TOKEN]
    (item,) = project.items
    data = item.pop("data")
    assert item == {"access_token": TOKEN}
    trace = data["body"].pop("trace")
    assert trace["exception"] == {"class": "KeyError"}
    assert [(frame["filename"], frame["method"]) for frame in trace["frames"]] == [
        ("accountpulse/core/redact.py", "mapped"),
        ("accountpulse/core/redact.py", "<dictcomp>"),
        ("accountpulse/core/redact.py", "mapped"),
    ]
    assert all(set(frame) == {"filename", "lineno", "method"} and frame["lineno"] > 0 for frame in trace["frames"])
    assert data["custom"] == {"run_id": "r1", "note": "token •••"}
    assert (data["level"], data["body"]) == ("critical", {})
    assert set(data) == ITEM


def test_an_item_arrives_without_secrets_locals_or_mail_addresses() -> None:
    Secret(PLANTED[1])
    with Project() as project:
        report = alerts(access(project.url))
        report.error(AccessError("jira", "signing in", f"for a@example.com and {PLANTED[1]}", "Ask them."), {})
        report.say(f"jira could not be read with {PLANTED[1]}", {"source": "jira"})
    first, second = (item["data"] for item in project.items)
    said = "jira: signing in was refused (for ••• and •••). Ask them."
    assert first["body"]["trace"]["exception"] == {"class": "AccessError", "message": said}
    assert second["body"] == {"message": {"body": "jira could not be read with •••"}}
    assert (first["level"], second["level"], second["custom"]) == ("error", "error", {"source": "jira"})


def test_a_run_sends_a_bounded_number_of_items() -> None:
    with Project() as project:
        report = alerts(access(project.url))
        for number in range(50):
            report.say("again", {"number": number})
    assert len(project.items) == 10


@pytest.mark.parametrize("status", [413, 429, 500])
def test_a_refused_item_is_not_the_runs_trouble(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with Project(status) as project:
        alerts(access(project.url)).say("something", {"secret": PLANTED[0]})
    assert PLANTED[0] not in caplog.text


def test_a_project_that_hangs_or_is_not_there_holds_nothing_up() -> None:
    with Project(delay=30) as project:
        alerts(access(project.url)).say("something", {})
        assert project.items == []  # nobody waited for its answer
    alerts(access("http://127.0.0.1:9/api/1")).say("something", {})


def test_without_a_token_rollbar_is_not_even_imported() -> None:
    assert isinstance(alerts(None), Silence)
    code = (
        "import sys; from accountpulse.observe.rollbar import alerts;"
        "alerts(None).say('x', {}); sys.exit('rollbar' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_item_of_a_failed_run_is_there_although_the_process_is_frozen(
    tmp_path: Path, tls: tuple[Path, Path]
) -> None:
    """Over TLS an item that a thread would send is lost: the freeze comes between its flights."""
    authority, certificate = tls
    with Sandbox(build(seed=7, accounts=3, until=NOW)) as sandbox, Project(certificate=certificate) as project:
        sandbox.down.add("jira")
        environment = {
            **sandbox.environment(),
            "ACCOUNTPULSE_STATE": str(tmp_path / "state"),
            "ROLLBAR_ACCESS_TOKEN": TOKEN,
            "ROLLBAR_ENDPOINT": project.url,
            "REQUESTS_CA_BUNDLE": str(authority),
        }
        with Rig(tmp_path, environment) as rig:
            result = rig.invoke({"period": "2026-10"})
            frozen = list(project.items)
    assert result.kind == "error"
    assert len(frozen) == 1
    assert "jira could not be read" in json.dumps(frozen[0])
