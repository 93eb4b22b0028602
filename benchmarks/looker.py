"""What reading a portfolio's usage from Looker costs, beside the plainest way to read the same rows.

usage: extract.py [ACCOUNTS]      default 10000; four months of daily rows for each

The sandbox's Looker runs in a process of its own. Each reader runs in a fresh process: ours is the extractor; the
yardstick sends the same daily query by `requests` and calls `json.loads` on the answer, and does nothing with it.
"""

import json
import multiprocessing as processes
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from random import Random
from typing import Any

DAYS = 123  # July to October
FIRST = date(2026, 7, 1)
USERS = 20  # of each account
FIELDS = ["user_sessions.account_id", "user_sessions.session_date", "user_sessions.distinct_users"]


def serve(accounts: int, port: Connection) -> None:
    """Serve the sandbox's Looker; tells its port."""
    import socket

    import uvicorn
    from starlette.applications import Starlette

    from accountpulse.sandbox.looker.behaviour import LookerBehaviour
    from accountpulse.sandbox.looker.service import LookerService
    from accountpulse.sandbox.world.model import Looker, UsageOf

    rng = Random(5)
    usage = {}
    for number in range(accounts):
        users = [rng.getrandbits(DAYS) for _ in range(USERS)]
        twice = [rng.getrandbits(DAYS) for _ in range(USERS)]
        figures = {name: {"2026-10": float(rng.randrange(101))} for name in ("operations", "automation")}
        usage[f"001{number:012d}AAA"] = UsageOf(users, twice, {"sso": rng.getrandbits(DAYS)}, figures, [], len(users))
    instance = Looker("id", "secret", "alliants", FIRST, DAYS, ["sso"], ["operations", "automation"], [], "42", usage)
    app = Starlette(routes=LookerService(instance, LookerBehaviour()).routes())
    listening = socket.create_server(("127.0.0.1", 0))
    port.send(listening.getsockname()[1])
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listening])


def ours(url: str) -> str:
    """The extractor, all of it."""
    from accountpulse import settings
    from accountpulse.core.period import Period, scope_of
    from accountpulse.systems.extraction import ExtractRequest
    from accountpulse.systems.looker import extract

    loaded = settings.load(
        {
            "LOOKER_BASE_URL": url,
            "LOOKER_CLIENT_ID": "id",
            "LOOKER_CLIENT_SECRET": "secret",
            "SALESFORCE_USERNAME": "nobody",
            "SALESFORCE_PASSWORD": "nothing",
        }
    )
    request = ExtractRequest(
        loaded.connection("looker"), scope_of(Period(2026, 10), datetime(2026, 11, 23, tzinfo=UTC))
    )
    found = extract.extract(request)
    return f"{found.spools['usage_days'].height:,} daily rows of all, {request.budget.calls} calls"


def yardstick(url: str) -> str:
    """The daily rows alone, by the plainest means."""
    import requests

    session = requests.Session()
    session.trust_env = False
    root = f"{url}/api/4.0"
    token = session.post(f"{root}/login", data={"client_id": "id", "client_secret": "secret"}).json()["access_token"]
    session.headers["Authorization"] = f"token {token}"
    query = {"model": "alliants", "view": "user_sessions", "fields": FIELDS, "limit": "-1"}
    rows = json.loads(session.post(f"{root}/queries/run/json", json=query).text)
    return f"{len(rows):,} daily rows, 2 calls"


def measured(work: Callable[[str], str], url: str, answer: Connection) -> None:
    """Seconds, peak megabytes above those after the imports, and what was done."""
    import accountpulse.settings
    import accountpulse.systems

    _ = accountpulse.systems, accountpulse.settings
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.perf_counter()
    done = work(url)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.send((seconds, peak - before, peak, done))


def alone(work: Callable[[str], str], url: str) -> tuple[float, float, float, str]:
    """Measure in a fresh process."""
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=measured, args=(work, url, send))
    process.start()
    process.join()
    result: tuple[float, float, float, str] = receive.recv()
    return result


context: Any = processes.get_context("spawn")

if __name__ == "__main__":
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    receive, send = context.Pipe(duplex=False)
    server = context.Process(target=serve, args=(accounts, send), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{receive.recv()}"
    time.sleep(0.5)
    results = {work.__name__: alone(work, url) for work in (yardstick, ours)}
    server.terminate()
    for name, (seconds, more, peak, done) in results.items():
        print(f"{name:<10} {seconds:6.1f} s   peak {peak:5.0f} MB, {more:5.0f} MB of it for the rows   {done}")
    plain, own = results["yardstick"], results["ours"]
    print(f"ours / yardstick: time {own[0] / plain[0]:.2f}, memory for the rows {own[1] / plain[1]:.2f}")
