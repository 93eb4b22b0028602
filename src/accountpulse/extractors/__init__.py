"""One system → records. This is the register: a new source is one line here."""

from collections.abc import Mapping
from importlib import import_module

from accountpulse.extractors.base import Extractor, Request
from accountpulse.records import Extract, Source


def _later(source: Source) -> Extractor:
    """A source's `extract`; its module and the vendor's client in it are loaded at the first call."""

    def extract(request: Request) -> Extract:
        made: Extract = import_module(f"{__name__}.{source}").extract(request)
        return made

    return extract


EXTRACTORS: Mapping[Source, Extractor] = {
    "salesforce": _later("salesforce"),
    "intercom": _later("intercom"),
    "jira": _later("jira"),
    "looker": _later("looker"),
}
