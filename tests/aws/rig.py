"""A local stand-in for the service that Lambda's own runtime client talks to, with its freeze and its kill.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import contextlib
import http.server
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:accountpulse"
LARGEST = 6 * 1024 * 1024
GIVEN = ("PATH", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")  # the last two: see tests/conftest.py


@dataclass(frozen=True)
class Result:
    """How an invocation ended: `response`, `error`, or `killed` at the time limit."""

    kind: str
    body: Any = None


class _Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rig: "Rig"

    def do_GET(self) -> None:
        self.rig.waiting.set()
        request_id, payload, limit = self.rig.events.get()
        self.rig.waiting.clear()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + limit) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Content-Type": "application/json",
        }
        with contextlib.suppress(BrokenPipeError):
            self._reply(200, payload, headers)

    def do_POST(self) -> None:
        body = self._body()
        kind = self.path.rsplit("/", 1)[-1]
        if kind == "response" and len(body) > LARGEST:
            self._reply(413, b"{}", {})
            return
        self.rig.results.put(Result(kind, json.loads(body)))
        self._reply(202, b"{}", {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        pass


class Rig:
    """One execution environment after the other: started, frozen between events, killed at the limit."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.events: queue.Queue[tuple[str, bytes, float]] = queue.Queue()
        self.results: queue.Queue[Result] = queue.Queue()
        self.waiting = threading.Event()
        self._folder = folder
        self._environment = environment
        handler = type("Api", (_Api,), {"rig": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "lambda.log"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: Any, limit: float = 120.0, kill_after: float | None = None) -> Result:
        """One event; thaw, wait for its end, freeze. Past the limit: killed without a warning, as Lambda does.

        `kill_after`: killed as early as that, whatever the function was told of its limit.
        """
        self._awake()
        self.events.put((str(uuid.uuid4()), json.dumps(event).encode(), limit))
        try:
            result = self.results.get(timeout=kill_after or limit)
        except queue.Empty:
            self._kill()
            return Result("killed")
        self.waiting.wait(5)
        self._signal(signal.SIGSTOP)
        return result

    def lines(self) -> list[dict[str, Any]]:
        """What the function logged: one JSON object a line."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line]

    def _awake(self) -> None:
        if self._process is not None:
            self._signal(signal.SIGCONT)
            return
        given = {name: os.environ[name] for name in GIVEN if name in os.environ}
        environment = {
            **given,
            "HOME": str(self._folder),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "_HANDLER": "accountpulse.main.lambda_handler",
            "LAMBDA_TASK_ROOT": str(self._folder),
            "AWS_LAMBDA_FUNCTION_NAME": "accountpulse",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "TZ": ":UTC",
            **self._environment,
        }
        command = [sys.executable, "-m", "awslambdaric", "accountpulse.main.lambda_handler"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        if not self.waiting.wait(60):
            raise AssertionError(self.log.read_text(encoding="utf-8"))

    def _signal(self, number: int) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            self.waiting.clear()
