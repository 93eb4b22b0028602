"""A proxy that leads the vendors' own host names to the sandbox.

A client that names its vendor's host in its code (`api.intercom.io`, `login.salesforce.com`) is used as it is: it gets
a proxy and a certificate authority, as behind any company's proxy, and everything else is its own.
"""

import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

import requests
import trustme

from accountpulse.sandbox.server import Sandbox

# the host, and where the sandbox has what is below its root
HOSTS = {
    "api.intercom.io": "/intercom",
    "login.salesforce.com": "",
    "sandbox.my.salesforce.com": "",
    "sandbox.atlassian.net": "/jira",
}
HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "content-encoding"}


class Road:
    """The proxy while it listens; a context manager. `url` is its address, `ca_file` whom its clients must trust."""

    def __init__(self, running: Sandbox, folder: Path, hosts: Mapping[str, str] = HOSTS) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "road.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.hosts = hosts
        self.sandbox = running
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(running.ca_file)
        self.contexts: dict[str, ssl.SSLContext] = {}
        for host in hosts:
            self.contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(host).configure_cert(self.contexts[host])
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Relay,), {"road": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.session.close()

    def environment(self) -> dict[str, str]:
        """What leads a program over this road."""
        names = {"HTTPS_PROXY": self.url, "https_proxy": self.url, "NO_PROXY": "", "no_proxy": ""}
        return names | {"REQUESTS_CA_BUNDLE": str(self.ca_file), "SSL_CERT_FILE": str(self.ca_file)}


class _Relay(BaseHTTPRequestHandler):
    """One connection: CONNECT names the host, and what comes inside of it goes on to the sandbox."""

    road: Road
    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        if host not in self.road.hosts:
            self.send_error(403, "no such road")
            return
        self.send_response(200)
        self.end_headers()
        self.host = host
        self.connection = self.road.contexts[host].wrap_socket(self.connection, server_side=True)
        self.close_connection = False  # http.client asks for its tunnel as HTTP/1.0
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        answer = self.road.session.request(
            self.command,
            f"{self.road.sandbox.https_url}{self.road.hosts[self.host]}{self.path}",
            data=body,
            headers={**headers, "Host": self.host},
            allow_redirects=False,
            timeout=60,
        )
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""
