"""A proxy between the program and the sandbox that changes one thing of one answer."""

import asyncio
import json
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import trustme
from aiohttp import web
from yarl import URL

HOP = {"transfer-encoding", "content-length", "connection", "keep-alive", "content-encoding", "date", "server"}
LONG_ID = re.compile(r"^(?:[0-9a-zA-Z]{15,64}|[0-9a-f]{6,}|\d+)$")


@dataclass(frozen=True)
class Answer:
    """An answer of the sandbox: `body` is its text; `json` what it holds, where it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def holding(self, content: Any) -> "Answer":
        """The same with another content."""
        return replace(self, body=json.dumps(content).encode())


@dataclass(frozen=True)
class Exchanged:
    """What went through: the endpoint's name, the request's body and query, and the answer as it was given."""

    endpoint: str
    path: str
    query: Mapping[str, str]
    asked: bytes
    answer: Answer


@dataclass
class Change:
    """Change the answer number `place` (from 0) of an endpoint by `by`; None of it: not applicable, unchanged.

    `place` None: the first answer that it applies to.

    `held`: the change was made. `what`: the way to the first value that changed, before and after.
    """

    endpoint: str
    place: int | None
    by: Callable[[Answer], Answer | None]
    held: bool = False
    what: str = ""

    def is_due(self, place: int) -> bool:
        """Whether the answer number `place` is the one to change."""
        return not self.held if self.place is None else self.place == place


# kept, since a loop that is collected complains of the connections that its clients have left open
_ENDED: list[asyncio.AbstractEventLoop] = []


@dataclass
class Proxy:
    """Speaks for the server at `target`; a context manager. `log` has everything that went through, in order."""

    target: str
    https_target: str
    folder: Path  # of the authority's certificate
    url: str = ""
    https_url: str = ""
    change: Change | None = None
    log: list[Exchanged] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _queries: dict[str, str] = field(default_factory=dict)  # Looker's query ids → what they ask

    def __enter__(self) -> Self:
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        _ENDED.append(self._loop)

    def begin(self, change: Change | None = None) -> None:
        """Forget what went through; from here on with this change."""
        self.change = change
        self.log.clear()
        self._counts.clear()

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """A sandbox's environment, with this in its place."""
        led = {name: self._to_us(value.encode()).decode() for name, value in given.items()}
        return led | {name: str(self._ca_file) for name, value in given.items() if value.endswith(".pem")}

    @property
    def _ca_file(self) -> Path:
        return self.folder / "proxy-ca.pem"

    def _to_us(self, text: bytes) -> bytes:
        led = text.replace(self.target.encode(), self.url.encode())
        return led.replace(_host(self.https_target), _host(self.https_url))

    def _to_them(self, text: bytes) -> bytes:
        led = text.replace(self.url.encode(), self.target.encode())
        return led.replace(_host(self.https_url), _host(self.https_target))

    # --- serving

    def _serve(self) -> None:
        self._loop.run_until_complete(self._run())

    async def _run(self) -> None:
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self._ca_file)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(tls)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        (_, port), (_, https_port) = (each[:2] for each in runner.addresses)
        host = self.https_target.split("//")[1].split(":")[0]
        self.url, self.https_url = f"http://127.0.0.1:{port}", f"https://{host}:{https_port}"
        async with aiohttp.ClientSession(auto_decompress=True) as self._session:
            self._ready.set()
            await self._stopping.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in {"host", *HOP}}
        sent = self._to_them(asked)
        target = self.https_target if request.secure else self.target
        async with self._session.request(
            request.method,
            URL(target + request.raw_path, encoded=True),
            data=sent or None,
            headers=headers,
            allow_redirects=False,
            ssl=False,
        ) as answer:
            body = self._to_us(await answer.read())
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
        found = Answer(answer.status, kept, body)
        endpoint = self._name(request, asked, found)
        place, self._counts[endpoint] = self._counts[endpoint], self._counts[endpoint] + 1
        change = self.change
        if change is not None and change.endpoint == endpoint and change.is_due(place):
            changed = change.by(found)
            change.held = changed is not None and changed != found
            if changed is not None and change.held:
                change.what = what_changed(found, changed)
            found = changed or found
        self.log.append(Exchanged(endpoint, request.path, dict(request.query), asked, found))
        return web.Response(status=found.status, headers=dict(found.headers), body=found.body)

    # --- names of endpoints

    def _name(self, request: web.Request, asked: bytes, answer: Answer) -> str:
        """The endpoint: method and path without ids; of Salesforce's queries the object, of Looker's what is asked."""
        path = request.path
        if "/query" in path and "/services/data" in path:
            soql = request.query.get("q", "")
            kind = "COUNT " if "COUNT()" in soql.upper() else ""
            table = re.search(r"\bFROM\s+(\w+)", soql, re.IGNORECASE)
            what = "queryAll" if "queryAll" in path else "query"
            return f"GET {what} {kind}{table[1] if table else 'next page'}"
        if match := re.search(r"/sobjects/(\w+)/describe", path):
            return f"GET describe {match[1]}"
        if path.endswith("/queries") and request.method == "POST":
            wanted = json.loads(asked)
            name = f"{wanted['view']} {','.join(each.split('.')[-1] for each in wanted['fields'])}"
            made = answer.json
            if isinstance(made, dict) and "id" in made:
                self._queries[str(made["id"])] = name
            return f"POST queries {name}"
        if match := re.search(r"/queries/(\w+)/run/json", path):
            return f"GET run {self._queries.get(match[1], '?')}"
        if path.endswith(("/search", "/search/jql")) and asked and "rest/api" in path:
            return f"{request.method} {_template(path)} {_purpose(json.loads(asked))}"
        return f"{request.method} {_template(path)}"


def _purpose(body: Mapping[str, Any]) -> str:
    """What a search of Jira is for."""
    if body.get("maxResults") == 0:
        return "count"
    if body.get("maxResults") == 1:
        return "look"
    return "ids" if body.get("fields") == ["id"] else "page"


def what_changed(before: Answer, after: Answer) -> str:
    """The way to the first value that differs between two answers, with both values; else what else differs."""
    if before.status != after.status:
        return f"status {after.status}"
    if before.headers != after.headers:
        return f"headers {dict(after.headers)}"
    return _first_difference(before.json, after.json) or f"body {after.body[:40]!r}"


def _first_difference(before: Any, after: Any, path: str = "") -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        if gone := sorted(set(before) - set(after)):
            return f"{path}.{gone[0]}: gone, was {_short(before[gone[0]])}"
        names = sorted(after)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        names = list(range(len(after)))
    elif isinstance(before, list) and isinstance(after, list):
        place = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), -1)
        return f"{path}: {len(before)} rows became {len(after)}, from {place} on: {_short(before[place])}"
    else:
        return "" if same(before, after) else f"{path}: {_short(before)} became {_short(after)}"
    for name in names:
        if isinstance(before, dict) and name not in before:
            return f"{path}.{name}: new, {_short(after[name])}"
        if found := _first_difference(before[name], after[name], f"{path}.{name}"):
            return found
    return ""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, type included (1 isn't 1.0, and isn't true)."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 160 else text[:160] + "…"


def _host(url: str) -> bytes:
    return url.partition("//")[2].encode()


def _template(path: str) -> str:
    return "/".join("*" if LONG_ID.match(part) and not part.startswith("v") else part for part in path.split("/"))
