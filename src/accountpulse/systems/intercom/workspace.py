"""What the mapping names, held against what the workspace has: attributes with their kinds, tags and teams.

Read before anything else, and only where something is named that isn't every workspace's. A list that our token may not
read, or that this version doesn't have, is told of; then what the conversations show has to do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import msgspec

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.records import Reason
from accountpulse.http.client import Client, RequestRefused
from accountpulse.systems.intercom.rows import ConversationReader
from accountpulse.systems.intercom.settings import Escalation, IntercomMapping
from accountpulse.systems.intercom.signs import at_least, attribute_text, fold, lists_attributes
from accountpulse.systems.intercom.wire import DataAttribute, DataAttributes, NamedItem, NamedItems
from accountpulse.systems.mapping_parts import FieldKind, FieldOf, fields_named

SHOWN = 10  # names that a message lists
KINDS: Mapping[str, FieldKind] = {  # of Intercom's data types, old and new
    "string": "text",
    "list": "picklist",
    "integer": "count",
    "float": "number",
    "decimal": "number",
    "boolean": "yes/no",
    "date": "date",
    "datetime": "date",
    "relationship": "reference",
}
MODELS = {"attribute": "company", "priority.attribute.name": "conversation"}  # by the mapping's key

_ATTRIBUTES = msgspec.json.Decoder(DataAttributes)
_NAMED = msgspec.json.Decoder(NamedItems)


@dataclass
class Workspace:
    """The lists of one workspace, each asked for once. `notes` are lines for the reader."""

    web: Client
    mapping: IntercomMapping
    version: str
    notes: list[str] = field(default_factory=list)
    attributes_seen: bool = True  # whether the attribute of the priority was found in the list
    _lists: dict[str, Sequence[NamedItem] | None] = field(default_factory=dict)

    # --- attributes

    async def check_attributes(self, model: str) -> None:
        """ConfigurationError where the mapping names an attribute of the model that isn't there or of another kind."""
        for named in fields_named(self.mapping):
            if MODELS.get(named.key) != model or (model == "conversation" and not lists_attributes(self.version)):
                continue
            attributes = await self._attributes(model)
            if attributes is None:
                self.attributes_seen = False
                self.notes.append(f"the attributes of intercom.{named.key} can't be listed: its kind was not checked")
            elif problems := list(self._problems(named, model, attributes)):
                raise ConfigurationError("accountpulse.yaml", [f"intercom.{named.key}: {text}" for text in problems])

    async def _attributes(self, model: str) -> Sequence[DataAttribute] | None:
        params = {"include_archived": "true"}
        path = "/conversations/attributes"
        if model == "company" or not at_least(self.version, "2.16"):
            path, params = "/data_attributes", {"model": model, **params}
        try:
            return (await self.web.get(path, _ATTRIBUTES, params)).data
        except RequestRefused:
            return None

    def _problems(self, named: FieldOf, model: str, attributes: Sequence[DataAttribute]) -> Iterator[str]:
        found = next((each for each in attributes if each.name == named.name and each.custom is not False), None)
        if found is None:
            yield _absent(named.name, model, attributes)
        elif found.archived:
            yield f"the {model} attribute {named.name!r} is archived in Intercom: unarchive it, or name another"
        elif kind_of(found) not in named.kinds:
            wanted = " or ".join(named.kinds)
            yield f"the {model} attribute {named.name!r} holds {found.data_type}; name one that holds {wanted}"
        elif model == "conversation":
            yield from self._no_options(found)

    def _no_options(self, found: DataAttribute) -> Iterator[str]:
        """Values of the mapping that a list attribute can't have; it is a mistake where it can have none of them."""
        rule = self.mapping.priority.attribute
        options = [option if isinstance(option, str) else option.label or "" for option in found.options or ()]
        if rule is None or not options:
            return
        known = set(map(attribute_text, options))
        lost = [value for value in rule.values if attribute_text(value) not in known]
        text = f"{_quoted(lost)} can't be chosen in the list {found.name!r}: it has {_quoted(options)}"
        if len(lost) == len(rule.values):
            yield text
        elif lost:
            self.notes.append(f"intercom.priority.attribute.values: {text}")

    # --- tags and teams

    async def check_signs(self, *, defaults: bool) -> None:
        """A note for each tag and team of the mapping that isn't there; the default tags only with `defaults`."""
        escalation = self.mapping.escalation
        own_tags = escalation.tags if defaults or escalation.tags != Escalation().tags else ()
        for key, names in (("priority.tags", self.mapping.priority.tags), ("escalation.tags", own_tags)):
            if names and (lost := await self._lost("tags", names)):
                self.notes.append(f"intercom.{key}: Intercom has no tag {_quoted(lost)}")
        if escalation.teams and (lost := await self._lost("teams", escalation.teams)):
            known = ", ".join(f"{each.name} is {each.id}" for each in (await self._list("teams") or ())[:SHOWN])
            self.notes.append(f"intercom.escalation.teams: Intercom has no team with the id {_quoted(lost)} ({known})")

    async def gaps(self, reader: ConversationReader, seen: Mapping[str, bool]) -> dict[str, Reason]:
        """Metrics that nobody can have, since nothing exists that the mapping names for them.

        `seen`: whether any conversation showed a sign; the vendor's own fields (priority, linked tickets) exist
        everywhere. Where no tag or team of the mapping exists and no ticket was ever linked, "0 %" would be a guess.
        """
        gaps = reader.gaps
        escalation = self.mapping.escalation
        if "escalation_pct" not in gaps and not seen["escalation_pct"]:
            missing = [await self._none_of("tags", escalation.tags), await self._none_of("teams", escalation.teams)]
            if all(missing):
                gaps["escalation_pct"] = "field_missing"
                self.notes.append(_NO_ESCALATION.format(tags=_quoted(escalation.tags) or "of the mapping"))
        unseen = "p1_p2_pct" not in gaps and not seen["p1_p2_pct"]
        if unseen and (not self.attributes_seen or await self._only_absent_tags(reader)):
            gaps["p1_p2_pct"] = "field_missing"
        return gaps

    async def foreseen(self, reader: ConversationReader) -> dict[str, Reason]:
        """The gaps that can be told before a conversation is read."""
        by_tags = not reader.priority.looks_at_priority and reader.priority.attribute is None
        seen = {"p1_p2_pct": not by_tags, "escalation_pct": reader.escalation.linked_tickets}
        return await self.gaps(reader, seen)

    async def _only_absent_tags(self, reader: ConversationReader) -> bool:
        """Whether tags are all that means P1/P2, and none of them exists."""
        signs, tags = reader.priority, self.mapping.priority.tags
        alone = bool(tags) and signs.attribute is None and not signs.looks_at_priority
        return alone and await self._none_of("tags", tags)

    async def _none_of(self, what: str, names: Sequence[str]) -> bool:
        """Whether it is known that none of these tags or teams exists; with no names, that is so."""
        if not names:
            return True
        lost = await self._lost(what, names)
        return lost is not None and len(lost) == len(names)

    async def _lost(self, what: str, names: Sequence[str]) -> list[str] | None:
        """Those that the workspace doesn't have; None where the list can't be read."""
        items = await self._list(what)
        if items is None:
            return None
        ids = {str(each.id) for each in items}
        known = {fold(each.name or "") for each in items} if what == "tags" else set()
        return [name for name in names if name not in ids and fold(name) not in known]

    async def _list(self, what: str) -> Sequence[NamedItem] | None:
        if what not in self._lists:
            self._lists[what] = await self._read(what)
        return self._lists[what]

    async def _read(self, what: str) -> Sequence[NamedItem] | None:
        try:
            answer = await self.web.get(f"/{what}", _NAMED)
        except RequestRefused:
            self.notes.append(f"Intercom's {what} can't be listed with this token: the mapping's were not checked")
            return None
        return answer.data if answer.data is not None else answer.teams or answer.tags or ()


_NO_ESCALATION = (
    "no conversation shows an escalation: Intercom has no tag {tags}, no team of the mapping, and no linked "
    "back-office or tracker ticket; escalation_pct is not known. Name your own signs in intercom.escalation"
)


def kind_of(attribute: DataAttribute) -> FieldKind:
    """What an attribute holds; a text with options is a picklist."""
    kind = KINDS.get(attribute.data_type or "", "any")
    return "picklist" if kind == "text" and attribute.options else kind


def _absent(name: str, model: str, attributes: Sequence[DataAttribute]) -> str:
    if name == "company_id" and model == "company":
        return "company_id is no attribute but the company's own id: take it away, and write holds: company_id"
    if any(each.name == name for each in attributes):
        return f"{name!r} is a field of Intercom's own, not an attribute of the workspace"
    names = sorted({each.name for each in attributes if each.custom is not False and not each.archived})
    near = get_close_matches(name, names, 1, 0.5) or [each for each in names if fold(each) == fold(name)]
    hint = f"did you mean {near[0]!r}?" if near else f"it has {_quoted(names) or 'none'}"
    return f"Intercom has no {model} attribute {name!r}; {hint}"


def _quoted(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - SHOWN:,} more" if len(listed) > SHOWN else ""
    return ", ".join(map(repr, listed[:SHOWN])) + more
