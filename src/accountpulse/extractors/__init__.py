"""One system → records. This is the register: a new source is one line here.

FINDERS look for an account's records by an attribute, before the extractor is given their keys. LOOKUPS tell which
keys a system knows, without the extraction. A source may have neither. Both give an Extract without tables. PROBES
look at a system as `accountpulse check` does: sign in, read a little of each thing, count the rest.
"""

from collections.abc import Mapping
from importlib import import_module

from accountpulse.extractors.base import Extractor, Probe, Prober, Request
from accountpulse.records import Extract, Source


def _later(module: str, name: str = "extract") -> Extractor:
    """A function of a module of this folder; the module and the vendor's client in it are loaded at the first call."""

    def call(request: Request) -> Extract:
        made: Extract = getattr(import_module(f"{__name__}.{module}"), name)(request)
        return made

    return call


EXTRACTORS: Mapping[Source, Extractor] = {
    "salesforce": _later("salesforce"),
    "intercom": _later("intercom"),
    "jira": _later("jira"),
    "looker": _later("looker"),
}
FINDERS: Mapping[Source, Extractor] = {"intercom": _later("intercom_lookup", "find")}
LOOKUPS: Mapping[Source, Extractor] = {
    "intercom": _later("intercom_lookup", "look_up"),
    "jira": _later("jira_lookup", "look_up"),
}


def _probe_later(module: str) -> Prober:
    def call(request: Request) -> Probe:
        made: Probe = import_module(f"{__name__}.{module}").probe(request)
        return made

    return call


PROBES: Mapping[Source, Prober] = {
    "intercom": _probe_later("intercom_lookup"),
    "jira": _probe_later("jira_lookup"),
    "looker": _probe_later("looker_lookup"),
}
