"""Kinds of Jira's custom fields, and which of them can say whose an issue is.

A field is known by its schema in the site's list of fields: `custom` is the key of its type, `type` and `items` are
what its values look like. Its name is nobody's to go by: it is free, and translated.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-fields/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from accountpulse.core.errors import ConfigurationError
from accountpulse.systems.jira.settings import JiraMapping
from accountpulse.systems.jira.wire import FieldInfo, FieldSchema

ORGANIZATIONS = "com.atlassian.servicedesk:sd-customer-organizations"  # the type's key, in every language

BY_FIELD = ("field", "organization")  # links that are custom fields
LinkKind = Literal["text", "number", "value", "object"]

# types by the end of their keys, where the kind doesn't follow from the values
_BY_CUSTOM: dict[str, LinkKind] = {
    ":textfield": "text",
    ":textarea": "text",
    ":readonlyfield": "text",
    ":url": "text",
    ":cmdb-object-cftype": "object",
    ":rlabs-customfield-object": "object",
    ":rlabs-customfield-default-object": "object",
    ":sd-customer-organizations": "value",
}
_NOT_A_LINK = {
    ":gh-sprint": "a sprint",
    ":gh-epic-link": "an epic link",
    ":gh-epic-status": "an epic's status",
    ":gh-lexo-rank": "a rank",
    ":vp-origin": "a request type",
    ":sd-sla-field": "an SLA",
    ":sd-request-feedback": "a rating",
    ":jpo-custom-field-parent": "a parent issue",
}
_BY_TYPE: dict[str, LinkKind] = {
    "string": "value",
    "number": "number",
    "option": "value",
    "option-with-child": "value",
    "user": "value",
    "group": "value",
    "version": "value",
    "project": "value",
}
ACCEPTED = (
    "text, a number, an option (also of a cascade), labels, a user, group, version, project, object or organisation"
)


@dataclass(frozen=True)
class LinkField:
    """The custom field that says whom an issue belongs to; one of free text is searched by its words."""

    id: str  # customfield_10234
    kind: LinkKind = "value"

    @property
    def free_text(self) -> bool:
        """Whether only the words of its text can be searched for."""
        return self.kind == "text"

    @property
    def clause(self) -> str:
        """Its name in JQL: names of fields repeat, numbers don't."""
        return f"cf[{self.id.removeprefix('customfield_')}]"


def link_field(listed: Sequence[FieldInfo], mapping: JiraMapping) -> LinkField | None:
    """The custom field that `jira.link` means, None where it means none; one that can't be it is a mistake."""
    if mapping.link not in BY_FIELD:
        return None
    found = _organizations(listed) if mapping.link == "organization" else [f for f in listed if f.id == mapping.field]
    if not found:
        absent = f"field {mapping.field}" if mapping.link == "field" else f"field of the type {ORGANIZATIONS}"
        raise _mistake("link", f"{mapping.link}, but the site has no {absent} that our user can see")
    kind = link_kind(found[0].schema)
    if kind is None:
        raise _mistake(
            "field", f"{found[0].id} is {described(found[0].schema)}, and can't name an account: {ACCEPTED} can"
        )
    return LinkField(found[0].id, kind)


def _organizations(listed: Sequence[FieldInfo]) -> list[FieldInfo]:
    return [field for field in listed if field.schema is not None and field.schema.custom == ORGANIZATIONS]


def _mistake(key: str, problem: str) -> ConfigurationError:
    return ConfigurationError("accountpulse.yaml", [f"jira.{key}: {problem}"])


def link_kind(schema: FieldSchema | None) -> LinkKind | None:
    """How a field of this kind is searched and read; None: it can't name an account."""
    if schema is None:
        return None
    custom = schema.custom or ""
    if custom.endswith(tuple(_NOT_A_LINK)):
        return None
    for end, kind in _BY_CUSTOM.items():
        if custom.endswith(end):
            return kind
    return _BY_TYPE.get((schema.items if schema.type == "array" else schema.type) or "")


def described(schema: FieldSchema | None) -> str:
    """A kind of field in words."""
    if schema is None:
        return "of an unknown kind"
    custom = schema.custom or ""
    for end, words in _NOT_A_LINK.items():
        if custom.endswith(end):
            return words
    if schema.type in ("date", "datetime"):
        return f"a {schema.type}"
    what = f"an array of {schema.items}" if schema.type == "array" else f"of the type {schema.type}"
    return f"{what} ({custom.rpartition(':')[2]})" if custom else what
