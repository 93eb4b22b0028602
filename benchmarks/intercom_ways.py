"""Ways to read a window of conversations: ours, two loops as one writes them by hand, and dlt's REST client.

All end with the same wanted fields of the same conversations, and all but dlt with the companies of their contacts.
The plain loop gathers the conversations and looks at them afterwards; the careful one keeps no more than the fields
that it needs; dlt is given these fields too, and ends in Parquet.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
START, END = (int(datetime(2026, month, day, tzinfo=UTC).timestamp()) for month, day in ((8, 3), (11, 1)))


def ours(told: dict[str, Any]) -> int:
    """The extractor, as the pipeline calls it; ends with a typed frame."""
    from accountpulse import settings
    from accountpulse.extractors import EXTRACTORS
    from accountpulse.extractors.base import Request
    from accountpulse.period import Period, scope_of

    request = Request(settings.load(told["environment"]), scope_of(Period(2026, 10), NOW), tuple(told["keys"]))
    return EXTRACTORS["intercom"](request).piles["conversations"].height


def plain(told: dict[str, Any]) -> int:
    """One session, one cursor, json; every page into one list, then the fields."""
    session, base = _session(told)
    talks = [talk for page in _pages(session, base) for talk in page["conversations"]]
    rows = [wanted(talk) for talk in talks if matters(talk)]
    return _attributed(session, base, rows)


def careful(told: dict[str, Any]) -> int:
    """The same, but of each page only the fields are kept."""
    session, base = _session(told)
    rows = [wanted(talk) for page in _pages(session, base) for talk in page["conversations"] if matters(talk)]
    return _attributed(session, base, rows)


def _attributed(session: Any, base: str, rows: list[dict[str, Any]]) -> int:
    """Give each row its companies: its own, or those of its contacts, who are asked for by 150."""
    people = sorted({person for row in rows if row["company"] is None for person in row["people"]})
    companies: dict[str, list[str]] = {}
    for begin in range(0, len(people), 150):
        chunk = {"field": "id", "operator": "IN", "value": people[begin : begin + 150]}
        found = _post(session, f"{base}/contacts/search", {"query": chunk, "pagination": {"per_page": 150}})
        for contact in found["data"]:
            companies[contact["id"]] = [company["id"] for company in contact["companies"]["data"]]
    for row in rows:
        mine = {company for person in row["people"] for company in companies.get(person, ())}
        row["keys"] = [row["company"]] if row["company"] is not None else sorted(mine)
    return len(rows)


def with_dlt(told: dict[str, Any]) -> int:
    """dlt's REST client and paginator, the wanted fields alone, into Parquet without child tables."""
    import dlt
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
    from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

    environment = told["environment"]
    client = RESTClient(
        base_url=environment["INTERCOM_BASE_URL"],
        headers={"Intercom-Version": "2.16"},
        auth=BearerTokenAuth(environment["INTERCOM_API_TOKEN"]),
        paginator=JSONResponseCursorPaginator(
            "pages.next.starting_after", cursor_body_path="pagination.starting_after"
        ),
        data_selector="conversations",
    )
    count = 0

    @dlt.resource(name="conversations", max_table_nesting=0, write_disposition="replace")
    def conversations() -> Iterator[list[dict[str, Any]]]:
        nonlocal count
        for page in client.paginate("/conversations/search", method="POST", json=_body()):
            rows = [wanted(each) for each in page if matters(each)]
            count += len(rows)
            yield rows

    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "extract",
            destination=dlt.destinations.filesystem(folder),
            dataset_name="support",
            pipelines_dir=f"{folder}/p",
        )
        pipeline.run(conversations(), loader_file_format="parquet")
    return count


WAYS = {"ours": ours, "plain": plain, "careful": careful, "dlt": with_dlt}


def matters(talk: dict[str, Any]) -> bool:
    """Created, closed or asked for a rating in the window, and no ticket."""
    statistics, rating = talk["statistics"] or {}, talk["conversation_rating"] or {}
    closed = statistics.get("last_close_at") if talk["state"] == "closed" else None
    moments = (talk["created_at"], closed, rating.get("created_at"))
    return "ticket" not in talk and any(at is not None and START <= at < END for at in moments)


def wanted(talk: dict[str, Any]) -> dict[str, Any]:
    """The fields that the metrics need, as our extractor has them."""
    statistics, rating = talk["statistics"] or {}, talk["conversation_rating"] or {}
    begun, answered, last = (
        statistics.get(name) for name in ("first_contact_reply_at", "first_admin_reply_at", "last_close_at")
    )
    closed = last if talk["state"] == "closed" else None
    author = talk["source"]["author"]["type"]
    return {
        "id": talk["id"],
        "company": talk["company"]["id"] if talk["company"] else None,
        "people": [person["id"] for person in talk["contacts"]["contacts"]],
        "created_at": talk["created_at"],
        "customer_involved": begun is not None or author in ("user", "lead", "contact"),
        "p1_p2": talk["priority"] in ("urgent", "high"),
        "escalated": any(tag["name"].strip().lower() in ("escalated", "escalation") for tag in talk["tags"]["tags"])
        or any(linked["category"] in ("Back-office", "Tracker") for linked in talk["linked_objects"]["data"]),
        "first_response": answered - begun if answered is not None and begun is not None else None,
        "last_closed_at": closed,
        "resolution": closed - begun if closed is not None and begun is not None else None,
        "rating_asked_at": rating.get("created_at"),
        "rating": rating.get("rating"),
    }


def _body() -> dict[str, Any]:
    fields = ("created_at", "statistics.last_close_at", "conversation_rating.requested_at")
    recent = {"operator": "OR", "value": [{"field": each, "operator": ">", "value": START - 1} for each in fields]}
    before = {"operator": "AND", "value": [{"field": "created_at", "operator": "<", "value": END}]}
    return {"query": {"operator": "AND", "value": [before, recent]}, "pagination": {"per_page": 150}}


def _session(told: dict[str, Any]) -> tuple[Any, str]:
    import requests

    session, environment = requests.Session(), told["environment"]
    session.headers["Authorization"] = f"Bearer {environment['INTERCOM_API_TOKEN']}"
    session.headers["Intercom-Version"] = "2.16"
    return session, environment["INTERCOM_BASE_URL"]


def _post(session: Any, url: str, body: dict[str, Any]) -> dict[str, Any]:
    while (answer := session.post(url, json=body)).status_code == 429:
        time.sleep(max(0.1, int(answer.headers["X-RateLimit-Reset"]) - time.time()))
    answer.raise_for_status()
    found: dict[str, Any] = json.loads(answer.content)
    return found


def _pages(session: Any, base: str) -> Iterator[dict[str, Any]]:
    body = _body()
    while True:
        page = _post(session, f"{base}/conversations/search", body)
        yield page
        following = (page["pages"] or {}).get("next")
        if not following:
            return
        body["pagination"]["starting_after"] = following["starting_after"]
