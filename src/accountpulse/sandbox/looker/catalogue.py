"""What an instance says of itself: its user, its versions, its models, its saved Look and its queries."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from accountpulse.sandbox.looker.data import look_fields
from accountpulse.sandbox.looker.formats import label
from accountpulse.sandbox.world.model import Looker

Json = dict[str, Any]


def user() -> Json:
    """Whose API key it is."""
    named = {"display_name": "Sandbox", "first_name": "Sand", "last_name": "Box", "email": "sandbox@sandbox.example"}
    return {"id": "1", **named, "is_disabled": False, "group_ids": ["1"], "role_ids": ["2"], "locale": "en"}


def versions(base: str) -> Json:
    """The release, and the API that it has."""
    current = {"version": "4.0", "full_version": "4.0.26.18", "status": "current"}
    current["swagger_url"] = f"{base}/api/4.0/swagger.json"
    release = {"looker_release_version": "26.18.5", "current_version": current, "supported_versions": [current]}
    return {**release, "api_server_url": base, "web_server_url": base}


def model(instance: Looker, explores: Iterable[str]) -> Json:
    """The model with the explores that the caller may open."""
    named = {"name": instance.model, "label": label(instance.model), "project_name": instance.model}
    shown = [{"name": name, "label": label(name), "description": None, "hidden": False} for name in explores]
    return {**named, "explores": shown, "has_content": True, "allowed_db_connection_names": ["warehouse"]}


def about_explore(instance: Looker, name: str) -> Json:
    """What an explore is called and where it lives."""
    named = {"id": f"{instance.model}::{name}", "name": name, "label": label(name), "title": label(name)}
    place = {"model_name": instance.model, "project_name": instance.model, "view_name": name, "hidden": False}
    return {**named, **place, "connection_name": "warehouse"}


def look(instance: Looker) -> Json:
    """The saved Look; its query stands beside it where it is asked for by its id."""
    named = {"id": instance.look_id, "title": "Engagement by month", "description": None, "query_id": "look"}
    place = {"deleted": False, "public": False, "user_id": "1", "folder_id": "1"}
    return {**named, **place, "model": {"id": instance.model, "label": label(instance.model)}}


def look_query(instance: Looker, limit: int) -> Json:
    """The query of the saved Look."""
    fields, pivots = look_fields(instance), ["platform_metrics.metric_month"] if instance.pivoted else None
    asked = {"model": instance.model, "view": "platform_metrics", "fields": fields, "limit": str(limit)}
    return asked if pivots is None else {**asked, "pivots": pivots}


def query(number: str, asked: Mapping[str, Any], base: str) -> Json:
    """A saved query: what was asked, under its id and its slug."""
    slug = slug_of(asked)
    names = ("model", "view", "fields", "pivots", "filters", "filter_expression", "sorts", "limit", "query_timezone")
    shown = {name: asked.get(name) for name in names}
    address = f"{base}/explore/{asked['model']}/{asked['view']}?qid={slug}"
    return {
        "id": number,
        **shown,
        "slug": slug,
        "client_id": slug,
        "share_url": address,
        "has_table_calculations": False,
    }


def slug_of(asked: Mapping[str, Any]) -> str:
    """A query's short name: the same for equal queries."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:22]
