"""A workspace of a few objects behind a real socket, written down as Intercom would answer, with any answer changed.

It knows nothing of the program: search compares the fields that a query names with what was written down.
"""

import json
import operator
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import polars as pl

from accountpulse import settings
from accountpulse.core.period import Period, scope_of
from accountpulse.core.records import Extract
from support import NOW, extract, measured, request

Json = dict[str, Any]
OCTOBER = scope_of(Period(2026, 10), NOW)
SALESFORCE = {"SALESFORCE_USERNAME": "int@example.com", "SALESFORCE_PASSWORD": "pass-word-1"}
ALIASES = {"conversation_rating.requested_at": "conversation_rating.created_at"}
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"<": operator.lt, ">": operator.gt}


def at(text: str) -> int:
    """UNIX seconds of `2026-10-05 12:00`, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


IN = at("2026-10-05 12:00")
HOUR = 3600


def account(number: int) -> str:
    return f"{number:012}".join(("001", "AAA"))


def company(number: int) -> str:
    """Intercom's id of the company of an account."""
    return f"{number:024x}"


def company_json(number: int, own: Any = None, **more: Any) -> Json:
    own = f"own-{number}" if own is None else own
    return {"type": "company", "id": company(number), "company_id": own, "custom_attributes": {}, **more}


def talk(number: int, of: int | None = 1, created: int = IN, **changes: Any) -> Json:
    """A conversation that a customer began, answered in an hour, closed in two, not rated; of account `of`."""
    shown: Json = {
        "type": "conversation",
        "id": str(number),
        "created_at": created,
        "state": "closed",
        "priority": "none",
        "source": {"type": "conversation", "delivered_as": "customer_initiated", "author": {"type": "user", "id": "1"}},
        "first_contact_reply": {"created_at": created, "type": "conversation", "url": None},
        "statistics": {
            "first_contact_reply_at": created,
            "first_admin_reply_at": created + HOUR,
            "time_to_admin_reply": HOUR,
            "last_close_at": created + 2 * HOUR,
            "time_to_last_close": 2 * HOUR,
        },
        "tags": {"type": "tag.list", "tags": []},
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "5e01"}]},
        "company": None if of is None else company_json(of),
        "team_assignee_id": 0,
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
        "conversation_rating": None,
        "custom_attributes": {},
    }
    return changed(shown, **changes)


def changed(shown: Json, **changes: Any) -> Json:
    """With other values; `statistics__last_close_at` is a field of an object."""
    shown = json.loads(json.dumps(shown))
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = shown
        for name in outer:
            place = place[name]
        place[last] = value
    return shown


def rating(score: Any, asked: Any = IN + 3 * HOUR, **more: Any) -> Json:
    """A rating as Intercom shows it; `score` None: asked and not answered."""
    return {"rating": score, "created_at": asked, "contact": {"type": "contact", "id": "5e01"}, **more}


def tags(*names: str | None, **more: Any) -> Json:
    return {"type": "tag.list", "tags": [{"type": "tag", "id": f"t-{name}", "name": name} for name in names], **more}


def linked(*categories: str | None, **more: Any) -> Json:
    data = [{"type": "ticket", "id": str(number), "category": each} for number, each in enumerate(categories)]
    return {"type": "list", "data": data, "total_count": len(data), "has_more": False, **more}


def contact(name: str, *of: int, **companies: Any) -> Json:
    """A contact of the companies of these accounts."""
    refs = [{"id": company(each), "type": "company", "url": f"/companies/{company(each)}"} for each in of]
    listed = {"type": "list", "data": refs, "total_count": len(refs), "has_more": False, **companies}
    return {"type": "contact", "id": name, "companies": listed}


def people(*names: str, **more: Any) -> Json:
    return {"type": "contact.list", "contacts": [{"type": "contact", "id": name} for name in names], **more}


@dataclass
class Answer:
    """What is answered instead."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal(status: int, code: str, **headers: str) -> Answer:
    return Answer(status, {"type": "error.list", "request_id": "r", "errors": [{"code": code}]}, headers)


class _Server(ThreadingHTTPServer):
    """A client that goes away while it is answered is no fault."""

    daemon_threads = True

    def handle_error(self, *given: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*given)


@dataclass
class SmallWorkspace:
    """`found_at` says when a conversation was created where what it shows is something else. `whole` are conversations
    as they are read alone, where that differs. `instead` holds answers by `METHOD /path`, for ever; a callable gets the
    usual answer's body and gives another, or an Answer. `asked` is the log.
    """

    talks: list[Json] = field(default_factory=list)
    contacts: list[Json] = field(default_factory=list)
    companies: list[Json] = field(default_factory=list)
    listed: list[Json] | None = None  # companies that the list shows; None: all
    tags: list[str] = field(default_factory=lambda: ["escalated"])
    teams: list[Json] = field(default_factory=list)
    attributes: list[Json] = field(default_factory=list)
    found_at: dict[str, int] = field(default_factory=dict)
    whole: dict[str, Json] = field(default_factory=dict)
    instead: dict[str, Answer | Callable[[Any], Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        workspace = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                workspace.handle(self, None)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                workspace.handle(self, json.loads(self.rfile.read(length) or b"{}"))

            def log_message(self, *_given: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- answers

    def handle(self, handler: BaseHTTPRequestHandler, sent: Any) -> None:
        parts = urlsplit(handler.path)
        name = f"{handler.command} {parts.path}"
        self.asked.append(name)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        changed = self.instead.get(name)
        answer = changed if isinstance(changed, Answer) else self.usual(handler.command, parts.path, params, sent)
        if callable(changed) and not isinstance(changed, Answer):
            other = changed(answer.body)
            answer = other if isinstance(other, Answer) else Answer(answer.status, other)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        handler.send_response(answer.status)
        for key, value in {"Content-Type": "application/json", **answer.headers}.items():
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def usual(self, method: str, path: str, params: Mapping[str, str], sent: Any) -> Answer:
        lists = {"tags": [{"id": f"t-{each}", "name": each} for each in self.tags], "teams": self.teams}
        lists |= {"data_attributes": self.attributes, "conversations/attributes": self.attributes}
        if method == "POST":
            return self._searched(path, params, sent)
        if path.strip("/") in lists:
            return Answer(200, {"type": "list", "teams" if path == "/teams" else "data": lists[path.strip("/")]})
        return self._object(path, params)

    def _searched(self, path: str, params: Mapping[str, str], sent: Any) -> Answer:
        if path == "/conversations/search":
            return _page("conversations", [each for each in self.talks if self._holds(sent["query"], each)])
        if path == "/contacts/search":
            wanted = sent["query"]["value"]
            return _page("data", [each for each in self.contacts if wanted == 0 or each["id"] in wanted])
        listed = self.companies if self.listed is None else self.listed
        number, size = int(params["page"]), int(params["per_page"])
        pages = {"page": number, "per_page": size, "total_pages": max(1, -(-len(listed) // size))}
        shown = listed[(number - 1) * size : number * size]
        return Answer(200, {"data": shown, "total_count": len(listed), "pages": pages})

    def _object(self, path: str, params: Mapping[str, str]) -> Answer:
        head, _, rest = path.strip("/").partition("/")
        if path == "/companies":
            return _one([each for each in self.companies if each["company_id"] == params["company_id"]])
        whole = [self.whole[each["id"]] for each in self.talks if each["id"] in self.whole]
        things = {"companies": self.companies, "contacts": self.contacts, "conversations": whole}
        return _one([each for each in things.get(head, []) if each["id"] == rest])

    def _holds(self, query: Any, talk: Json) -> bool:
        if query["operator"] in ("AND", "OR"):
            parts = [self._holds(each, talk) for each in query["value"]]
            return all(parts) if query["operator"] == "AND" else any(parts)
        value: Any = talk
        for name in ALIASES.get(query["field"], query["field"]).split("."):
            value = (value or {}).get(name)
        if query["field"] == "created_at":
            value = self.found_at.get(talk["id"], value)
        return value is not None and COMPARE[query["operator"]](value, query["value"])

    # --- what the program makes of it

    def settings(self, intercom: Json | None = None, **environment: str) -> settings.Settings:
        """Settings with this `intercom:` block."""
        given = {**SALESFORCE, "INTERCOM_API_TOKEN": "tok-123456", "INTERCOM_BASE_URL": self.url, **environment}
        if intercom is None:
            return settings.load(given)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            json.dump({"intercom": intercom}, file)
            file.flush()
            return settings.load({**given, "ACCOUNTPULSE_CONFIG": file.name})

    def read(self, intercom: Json | None = None, links: Mapping[int, str] | None = None, **more: Any) -> "Outcome":
        """What comes of it, for accounts 1 to 3 or those of `links` (account → key)."""
        links = {number: company(number) for number in (1, 2, 3)} if links is None else links
        environment = {name: more.pop(name) for name in list(more) if name.isupper()}
        loaded = self.settings(intercom, **environment)
        found = extract(loaded, "intercom", OCTOBER, sorted(links.values()), **more)
        return Outcome(found, measured(loaded, {"salesforce": crm(links), "intercom": found}, OCTOBER))

    def request(self, intercom: Json | None = None, **environment: str) -> Any:
        """What a run asks of it for account 1."""
        return request(self.settings(intercom, **environment), "intercom", OCTOBER, [company(1)])


def _page(name: str, rows: list[Json]) -> Answer:
    pages = {"type": "pages", "page": 1, "per_page": 150, "total_pages": 1, "next": None}
    return Answer(200, {"type": "list", name: rows, "total_count": len(rows), "pages": pages})


def _one(found: list[Json]) -> Answer:
    return Answer(200, found[0]) if found else refusal(404, "not_found")


def crm(links: Mapping[int, str]) -> Extract:
    """The accounts and their links."""
    accounts = pl.DataFrame(
        {"account_id": [account(number) for number in links]},
    ).with_columns(
        account_name=pl.lit("A"),
        segment=pl.lit(None, pl.String),
        customer_tier=pl.lit(None, pl.String),
        arr=pl.lit(None, pl.Float64),
        seats=pl.lit(None, pl.Float64),
        owner=pl.lit(None, pl.String),
        owner_id=pl.lit(None, pl.String),
        customer_since=pl.lit(None, pl.Date),
    )
    rows = [(account(number), "intercom", key) for number, key in links.items()]
    table = pl.DataFrame(rows, schema={"account_id": pl.String, "source": pl.String, "key": pl.String}, orient="row")
    return Extract("salesforce", {"accounts": accounts, "links": table})


@dataclass
class Outcome:
    """An extract and the metrics that it comes to."""

    extract: Extract
    metrics: pl.DataFrame

    def of(self, number: int, metric: str) -> float | str:
        """An account's metric: its value, or why it has none."""
        row = self.metrics.filter(pl.col("account_id") == account(number)).row(0, named=True)
        return row[f"{metric}_reason"] if row[metric] is None else row[metric]

    def all_of(self, number: int) -> dict[str, float | str]:
        return {name: self.of(number, name) for name in SUPPORT}

    @property
    def notes(self) -> str:
        return "\n".join(self.extract.notes)


SUPPORT = (
    "total_conversations",
    "p1_p2_pct",
    "escalation_pct",
    "median_first_response_seconds",
    "median_resolution_seconds",
    "csat_score",
    "csat_response_rate",
)
