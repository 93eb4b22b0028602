"""What can be set: the environment (secrets, endpoints) and accountpulse.yaml (what a company maps and means).

The environment is a mapping that is passed in; nothing is read while importing. All problems come together, each
with the name to set and never with a value.
"""

from accountpulse.settings.environment import DEFAULT_CONFIG, NAMES, Settings, load, mapping_of, state_of
from accountpulse.settings.mapping import Mapping
from accountpulse.settings.rotation import work_with
from accountpulse.settings.secret_store import Held
from accountpulse.systems.access import (
    IntercomAccess,
    JiraAccess,
    LookerAccess,
    RollbarAccess,
    SalesforceAccess,
    Secret,
)

__all__ = [
    "DEFAULT_CONFIG",
    "NAMES",
    "Held",
    "IntercomAccess",
    "JiraAccess",
    "LookerAccess",
    "Mapping",
    "RollbarAccess",
    "SalesforceAccess",
    "Secret",
    "Settings",
    "load",
    "mapping_of",
    "state_of",
    "work_with",
]
