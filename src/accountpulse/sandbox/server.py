"""The sandbox as a running server: one origin for all systems, plain and with TLS."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import trustme
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accountpulse import sandbox
from accountpulse.sandbox.intercom.oddities import IntercomOddities
from accountpulse.sandbox.jira.oddities import JiraOddities
from accountpulse.sandbox.limits import Limit, limited
from accountpulse.sandbox.looker.behaviour import LookerBehaviour
from accountpulse.sandbox.salesforce.behaviour import SalesforceBehaviour
from accountpulse.sandbox.stand_in import Address, Service, StandIn, Surroundings
from accountpulse.sandbox.world.model import World

HOST = "127.0.0.1"
Answering = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Call:
    """One request as it was answered; the path is without its query."""

    system: str
    method: str
    path: str
    status: int


@dataclass(frozen=True)
class Exchange:
    """One request and its answer in full."""

    system: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


@dataclass
class Fault:
    """The next `times` requests of a system, whose path or query has `path_contains` in it, are answered like this.

    With `after` the request is carried out first, and only its answer is lost.
    """

    system: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    times: int = 1
    path_contains: str = ""
    after: bool = False
    method: str = ""  # of these requests only


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, in a thread of ours."""

    def install_signal_handlers(self) -> None:
        """Leave the process's signals alone."""


class Sandbox:
    """The systems of a world, served until `stop()`; a context manager.

    `storm` refuses every second request of each system with 429. `ahead`: how far its clocks are before the true
    time. `down` holds the systems that answer 503 right now, `faults` what the next requests meet, `limits` how much a
    system lets through, `log` what was asked; `recorded`, once it is a list, gets every exchange in full. `behaviours`
    holds, by the system's name, what changes how its service behaves.
    """

    def __init__(self, world: World, *, port: int = 0, latency_ms: int = 0, **editions: str) -> None:
        """Nothing listens before `start()`. `port` is that of plain HTTP; TLS takes any free one.

        `editions` names the edition of a system's product (`jira="datacenter"`); ValueError for one that isn't there.
        """
        self.world = world
        self.log: list[Call] = []
        self.down: set[str] = set()
        self.storm = False
        self.ahead = timedelta()
        self.faults: list[Fault] = []
        self.recorded: list[Exchange] | None = None
        self.limits: dict[str, Limit] = {}
        self.stand_ins = {each.name: each for each in sandbox.STAND_INS if each.name in world.parts}
        self.behaviours: dict[str, Any] = {name: each.behaviour() for name, each in self.stand_ins.items()}
        self.services: dict[str, Service] = {}  # from `start()` on
        if unknown := editions.keys() - self.stand_ins.keys():
            raise ValueError(f"the sandbox has no system {', '.join(sorted(unknown))}")
        self._editions = {name: each.edition(editions.get(name)) for name, each in self.stand_ins.items()}
        self.url = self.https_url = ""
        self.ca_file = Path()
        self._port = port
        self._latency = latency_ms / 1000
        self._running: list[tuple[_Server, threading.Thread, socket.socket]] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns when requests are answered."""
        self._folder = tempfile.TemporaryDirectory(prefix="accountpulse-sandbox-")
        self.ca_file = Path(self._folder.name) / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        certificate = Path(self._folder.name) / "server.pem"
        authority.issue_cert(HOST, "localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
        app = self._app()
        self.url = f"http://{HOST}:{self._serve(app, self._port, None)}"
        self.https_url = f"https://{HOST}:{self._serve(app, 0, certificate)}"

    def stop(self) -> None:
        """Close everything; a second time does nothing."""
        for server, *_ in self._running:  # all at once: each takes two tenths of a second
            server.should_exit = server.force_exit = True
        for _, thread, listening in self._running:
            thread.join(timeout=10)
            listening.close()
        self._running.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def environment(self) -> dict[str, str]:
        """The settings that lead here, by their names; a system's beside each other."""
        names: dict[str, str] = {}
        for name in sorted(self.stand_ins):
            address = Address(self.url, self.https_url, self._editions[name])
            names |= self.stand_ins[name].environment(self.world.parts[name], address)
        names["ACCOUNTPULSE_CA_BUNDLE"] = str(self.ca_file)
        names["ACCOUNTPULSE_CONFIG"] = str(self._mapping_file())
        return names

    def _mapping_file(self) -> Path:
        """The mapping of this world, in a folder of its own: the plain one's, with what a crooked part needs instead.

        A copy, since links.csv and other files are read and written beside it.
        """
        plain = Path(str(resources.files("accountpulse.sandbox") / "accountpulse.yaml"))
        blocks = {name: each.mapping_of(self.world, self._editions[name]) for name, each in self.stand_ins.items()}
        for each in self.stand_ins.values():
            blocks |= each.blocks_of(self.world)
        if self._folder is None:
            return plain
        file = Path(self._folder.name) / "accountpulse.yaml"
        if not any(blocks.values()):
            file.write_bytes(plain.read_bytes())
            return file
        mapping = _merged(
            yaml.safe_load(plain.read_text("utf-8")), {name: each for name, each in blocks.items() if each}
        )
        file.write_text(yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True), "utf-8")
        return file

    # --- how the four systems behave, by names that tests use

    @property
    def intercom_oddities(self) -> IntercomOddities:
        """What Intercom's search does now and then."""
        return cast("IntercomOddities", self.behaviours["intercom"])

    @property
    def jira_oddities(self) -> JiraOddities:
        """What the Jira site does now and then."""
        return cast("JiraOddities", self.behaviours["jira"])

    @property
    def looker(self) -> LookerBehaviour:
        """What the Looker instance does to its callers."""
        return cast("LookerBehaviour", self.behaviours["looker"])

    @property
    def behaviour(self) -> SalesforceBehaviour:
        """How the Salesforce org behaves beyond its data."""
        return cast("SalesforceBehaviour", self.behaviours["salesforce"])

    # --- listening

    def _serve(self, app: Starlette, port: int, certificate: Path | None) -> int:
        # the protocol is named, since only then asyncio switches Nagle's algorithm off
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(1024)
        except OSError:
            listening.close()
            raise
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ssl_certfile=certificate, timeout_keep_alive=600,
            timeout_graceful_shutdown=1, date_header=False,
        )  # fmt: skip
        server = _Server(config)
        thread = threading.Thread(target=self._run, args=(server, listening), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            threading.Event().wait(0.005)
        self._running.append((server, thread, listening))
        return int(listening.getsockname()[1])

    @staticmethod
    def _run(server: _Server, listening: socket.socket) -> None:
        async def serve() -> None:
            await server.serve(sockets=[listening])
            for connection in list(server.server_state.connections):  # kept open by clients that are still there
                transport = getattr(connection, "transport", None)
                if transport is not None:
                    transport.abort()
            await asyncio.sleep(0)

        asyncio.run(serve())

    # --- answering

    def _service(self, stand_in: StandIn[Any, Any]) -> Service:
        name = stand_in.name
        surroundings = Surroundings(self._editions[name], self._now)
        return stand_in.serve(self.world.parts[name], self.behaviours[name], surroundings)

    def _app(self) -> Starlette:
        self.services = {name: self._service(each) for name, each in self.stand_ins.items()}
        routes = [
            *(route for service in self.services.values() for route in service.routes()),
            Route("/{path:path}", _nobody, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]
        return Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=self._through)])

    def _now(self) -> datetime:
        return datetime.now(UTC)

    async def _through(self, request: Request, answer: Answering) -> Response:
        path = request.url.path
        system = next((name for name, each in self.stand_ins.items() if path.startswith(each.prefix)), "nobody")
        if self._latency:
            await asyncio.sleep(self._latency)
        body = b"" if self.recorded is None else await request.body()
        headers, refusal = self._limited(system)
        response = refusal or await self._answered(system, request, answer)
        response.headers.update(headers)
        response.headers["Date"] = format_datetime(self._now() + self.ahead, usegmt=True)
        self.log.append(Call(system, request.method, path, response.status_code))
        return response if self.recorded is None else await self._record(system, request, body, response)

    async def _record(self, system: str, request: Request, body: bytes, response: Response) -> Response:
        """The same answer, no longer a stream."""
        stream = getattr(response, "body_iterator", None)
        answer = bytes(response.body) if stream is None else b"".join([part async for part in stream])
        if self.recorded is not None:
            query, headers = dict(request.query_params), dict(request.headers)
            sent = (system, request.method, request.url.path, query, headers, body)
            self.recorded.append(Exchange(*sent, response.status_code, answer))
        return Response(answer, response.status_code, dict(response.headers))

    async def _answered(self, system: str, request: Request, answer: Answering) -> Response:
        fault = self._fault(system, request.method, f"{request.url.path}?{request.url.query}")
        if fault is None:
            return await answer(request)
        planned, carried_out = fault
        if carried_out:
            await answer(request)
        return planned

    def _limited(self, system: str) -> tuple[dict[str, str], Response | None]:
        limit = self.limits.get(system)
        if limit is None:
            return {}, None
        style = self.stand_ins[system].rate_limit_style(self._editions[system])
        return limited(limit, style, self._now())

    def _fault(self, system: str, method: str, path: str) -> tuple[Response, bool] | None:
        """The planned answer, and whether the request is carried out all the same."""
        if self.storm and sum(call.system == system for call in self.log) % 2 == 0:
            return Response("too many requests", 429, {"Retry-After": "0"}), False
        if system in self.down:
            return Response("the sandbox was told to be down", 503, {"Retry-After": "0"}), False
        for fault in self.faults:
            if (
                fault.times > 0
                and fault.system == system
                and fault.path_contains in path
                and fault.method in ("", method)
            ):
                fault.times -= 1
                return Response(fault.body, fault.status, fault.headers), fault.after
        return None


def _merged(usual: dict[str, Any], instead: dict[str, Any]) -> dict[str, Any]:
    """Blocks are merged key by key; anything else takes the place of what was there."""
    both = {name: (usual[name], instead[name]) for name in usual.keys() & instead.keys()}
    inner = {name: _merged(*pair) for name, pair in both.items() if all(isinstance(each, dict) for each in pair)}
    return usual | instead | inner


async def _nobody(request: Request) -> Response:
    return JSONResponse({"error": f"the sandbox has no system at {request.url.path}"}, 404)
