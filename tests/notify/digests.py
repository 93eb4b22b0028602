"""A digest that a test sends, and a server that answers as it is told and remembers what came."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from accountpulse.core.web_links import WebLink
from accountpulse.notify.message import Crossing, Digest, Entry, Other

ACME = "001Hu0000000001AAA"
GLOBEX = "001Hu0000000002AAA"
LINK = WebLink("salesforce", "Salesforce", "https://example.my.salesforce.com/001Hu0000000001AAA?a=1&b=2")


def entry(name: str = "Acme & Söhne <GmbH>", account: str = ACME, **changes: object) -> Entry:
    """An account in full."""
    crossings = (Crossing("tier", "Healthy to At Risk", worse=True),)
    made = Entry(
        account,
        name,
        crossings,
        "Health 49, churn risk 71, ARR 423,000 USD",
        "half of the users gone",
        "Call the sponsor",
        (LINK,),
        group="Acme <Holding>: group health 61.2 of 4 accounts",
    )
    return made._replace(**changes)


def digest(**changes: object) -> Digest:
    """A digest of one account in full, one in a line and one that is better again."""
    made = Digest(
        key="slack 2026-11-30 0015",
        heading="Customer health, 30 November 2026: 2 accounts crossed a line",
        as_of=date(2026, 11, 30),
        owner_id="005Hu0000000001AAA",
        owner="Dana Owner",
        entries=(entry(),),
        others=(Other(GLOBEX, "Globex", "renewal within 30 days (2026-12-20)", (LINK,)),),
        crossed_back=(Other("001Hu0000000003AAA", "Initech", "At Risk to Healthy", ()),),
        notes=("Jira was not read.",),
        recipient=None,
    )
    return made._replace(**changes)


@dataclass
class Came:
    """A request that came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server on a real socket. `answers` are given in their order, the last one again and again.

    An answer is a status, a text and headers; None: the connection is closed without one.
    """

    answers: list[tuple[int, str, Mapping[str, str]] | None] = field(default_factory=lambda: [(200, "ok", {})])
    delay: float = 0.0
    came: list[Came] = field(default_factory=list)
    url: str = ""

    def answer(self) -> tuple[int, str, Mapping[str, str]] | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiver(*answers: tuple[int, str, Mapping[str, str]] | None, delay: float = 0.0) -> Iterator[Receiver]:
    """The server, running."""
    made = Receiver(*([list(answers)] if answers else []), delay=delay)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.came.append(Came(self.path, dict(self.headers), body))
            time.sleep(made.delay)
            answer = made.answer()
            if answer is None:
                self.close_connection = True
                return
            status, text, headers = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_GET(self) -> None:
            made.came.append(Came(self.path, dict(self.headers), b"GET"))
            self.send_error(405)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Somebody went away before the answer, as a test wants it."""

    with Server(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()
