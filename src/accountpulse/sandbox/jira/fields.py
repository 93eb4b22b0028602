"""The kinds of custom fields that can name a customer: how each is declared, written and searched.

https://developer.atlassian.com/server/jira/platform/jira-rest-api-examples/#setting-custom-field-data-for-other-field-types
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accountpulse.sandbox.world.model import Jira

_BASIC = "com.atlassian.jira.plugin.system.customfieldtypes:"
PARENT = "Kunden"  # what every customer stands below in a cascading field
WORKSPACE = "5f0c3c1e-8d0f-4b7e-9d0e-6f6d2c1b0a99"  # of Assets


@dataclass(frozen=True)
class Kind:
    """A kind of field: its type, what its list holds, its plugin's key; `by_words`: only text search (~) finds it."""

    type: str
    custom: str
    items: str | None = None
    by_words: bool = False

    def schema(self, number: int) -> dict[str, Any]:
        """As the list of fields shows it."""
        items = {} if self.items is None else {"items": self.items}
        return {"type": self.type, **items, "custom": self.custom, "customId": number}


KINDS: Mapping[str, Kind] = {
    "text": Kind("string", f"{_BASIC}textfield", by_words=True),
    "document": Kind("string", f"{_BASIC}textarea", by_words=True),
    "option": Kind("option", f"{_BASIC}select"),
    "multi": Kind("array", f"{_BASIC}multiselect", "option"),
    "cascading": Kind("option-with-child", f"{_BASIC}cascadingselect"),
    "user": Kind("user", f"{_BASIC}userpicker"),
    "group": Kind("group", f"{_BASIC}grouppicker"),
    "object": Kind("array", "com.atlassian.jira.plugins.cmdb:cmdb-object-cftype", "cmdb-object-field"),
    "organization": Kind("array", "com.atlassian.servicedesk:sd-customer-organizations", "sd-customerorganization"),
}


def kind_of(site: Jira, field: str) -> Kind:
    """A custom field's kind: the site's word for it, else what it is searched like; organisations have their own."""
    plain = "organization" if site.field_names.get(field) == "Organizations" else "option"
    return KINDS[site.field_kinds.get(field, "text" if field in site.text_fields else plain)]


def shown(kind: str, names: Sequence[str], *, cloud: bool) -> Any:
    """A field of this kind that names these customers, as an issue shows it; None where it is empty."""
    write = _WRITERS[kind]
    return write(names, cloud) if names else None


def searched(kind: str, names: Iterable[str]) -> Iterable[str]:
    """What JQL finds a field of this kind by."""
    for name in names:
        yield name
        if kind in ("option", "multi", "cascading", "organization"):
            yield number_of(name)
        if kind == "cascading":
            yield PARENT


def number_of(name: str) -> str:
    """The id of what is called so, whatever it is."""
    return str(30_000 + sum((place + 1) * ord(letter) for place, letter in enumerate(name)) % 60_000)


def document(text: str) -> dict[str, Any]:
    """A text in Atlassian's document format; a half of it is bold, so that it comes in two pieces."""
    half = (len(text) + 1) // 2
    bold = {"type": "text", "text": text[:half], "marks": [{"type": "strong"}]}
    rest = [{"type": "text", "text": text[half:]}] if text[half:] else []
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [bold, *rest]}]}


def _option(name: str) -> dict[str, Any]:
    number = number_of(name)
    return {"self": f"http://127.0.0.1/rest/api/3/customFieldOption/{number}", "value": name, "id": number}


def _asset(name: str) -> dict[str, Any]:
    number = number_of(name)
    return {"workspaceId": WORKSPACE, "id": f"{WORKSPACE}:{number}", "objectId": number}


def _cloud_user(name: str) -> dict[str, Any]:
    return {"accountId": f"{int(number_of(name)):024x}", "displayName": name, "active": True, "accountType": "customer"}


def _server_user(name: str) -> dict[str, Any]:
    number = number_of(name)
    return {"name": f"customer{number}", "key": f"JIRAUSER{number}", "displayName": name, "active": True}


def _group(name: str) -> dict[str, Any]:
    return {"name": name, "self": f"http://127.0.0.1/rest/api/2/group?groupname={number_of(name)}"}


_WRITERS: Mapping[str, Callable[[Sequence[str], bool], Any]] = {
    "text": lambda names, _cloud: names[0],
    "document": lambda names, cloud: document(names[0]) if cloud else names[0],
    "option": lambda names, _cloud: _option(names[0]),
    "multi": lambda names, _cloud: [_option(name) for name in names],
    "cascading": lambda names, _cloud: {**_option(PARENT), "child": _option(names[0])},
    "user": lambda names, cloud: _cloud_user(names[0]) if cloud else _server_user(names[0]),
    "group": lambda names, _cloud: _group(names[0]),
    # Cloud names a thing of Assets by its number alone, Data Center by its label and key
    "object": lambda names, cloud: [_asset(name) if cloud else f"{name} (CRM-{number_of(name)})" for name in names],
    "organization": lambda names, _cloud: [{"id": number_of(name), "name": name} for name in names],
}
