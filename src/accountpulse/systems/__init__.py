"""One system → records. This is the register: a new source is one line here.

FINDERS look for an account's records by an attribute, before the extractor is given their keys. LOOKUPS tell which
keys a system knows, without the extraction. A source may have neither. Both give an Extract without tables. PROBES
look at a system as `accountpulse check` does: sign in, read a little of each thing, count the rest.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from accountpulse.core.records import Source

if TYPE_CHECKING:
    from accountpulse.systems.extraction import Extractor, Prober, Request


def _later(module: str, name: str = "extract") -> "Callable[[Request], Any]":
    """A function of a module of this folder; the module and the vendor's client in it are loaded at the first call."""

    def call(request: "Request") -> Any:
        return getattr(import_module(f"{__name__}.{module}"), name)(request)

    return call


EXTRACTORS: "Mapping[Source, Extractor]" = {
    "salesforce": _later("salesforce.extract"),
    "intercom": _later("intercom.extract"),
    "jira": _later("jira.extract"),
    "looker": _later("looker.extract"),
}
FINDERS: "Mapping[Source, Extractor]" = {"intercom": _later("intercom.lookup", "find")}
LOOKUPS: "Mapping[Source, Extractor]" = {
    "intercom": _later("intercom.lookup", "look_up"),
    "jira": _later("jira.lookup", "look_up"),
}


PROBES: "Mapping[Source, Prober]" = {
    "intercom": _later("intercom.lookup", "probe"),
    "jira": _later("jira.lookup", "probe"),
    "looker": _later("looker.lookup", "probe"),
}
