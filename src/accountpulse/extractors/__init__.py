"""One system → records. This is the register: a new source is one line here."""

from collections.abc import Mapping

from accountpulse.extractors import intercom, jira, looker, salesforce
from accountpulse.extractors.base import Extractor
from accountpulse.records import Source

EXTRACTORS: Mapping[Source, Extractor] = {
    "salesforce": salesforce.extract,
    "intercom": intercom.extract,
    "jira": jira.extract,
    "looker": looker.extract,
}
