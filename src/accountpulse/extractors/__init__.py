"""One system → records. This is the register: a new source is one line here.

FINDERS look for an account's records by an attribute, before the extractor is given their keys. LOOKUPS tell which
keys a system knows, without the extraction. A source may have neither. Both give an Extract without tables.
"""

from collections.abc import Mapping

from accountpulse.extractors import intercom, intercom_lookup, jira, jira_lookup, looker, salesforce
from accountpulse.extractors.base import Extractor
from accountpulse.records import Source

EXTRACTORS: Mapping[Source, Extractor] = {
    "salesforce": salesforce.extract,
    "intercom": intercom.extract,
    "jira": jira.extract,
    "looker": looker.extract,
}
FINDERS: Mapping[Source, Extractor] = {"intercom": intercom_lookup.find}
LOOKUPS: Mapping[Source, Extractor] = {"intercom": intercom_lookup.look_up, "jira": jira_lookup.look_up}
