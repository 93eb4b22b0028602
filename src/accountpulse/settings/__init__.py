"""What can be set: the environment (secrets, endpoints) and accountpulse.yaml (what a company maps and means).

The environment is a mapping that is passed in; nothing is read while importing. All problems come together, each
with the name to set and never with a value.
"""

from accountpulse.settings.digest import DigestBlock
from accountpulse.settings.environment import (
    DEFAULT_CONFIG,
    NAMES,
    RollbarAccess,
    Settings,
    load,
    load_for_digest,
    load_unmapped,
    mapping_of,
    read_mapping,
    rules_of,
    state_of,
)
from accountpulse.settings.mapping import AccountpulseYaml, OwnTable, RunMapping
from accountpulse.settings.rotation import work_with
from accountpulse.settings.secret_store import SecretCache

__all__ = [
    "DEFAULT_CONFIG",
    "NAMES",
    "AccountpulseYaml",
    "DigestBlock",
    "OwnTable",
    "RollbarAccess",
    "RunMapping",
    "SecretCache",
    "Settings",
    "load",
    "load_for_digest",
    "load_unmapped",
    "mapping_of",
    "read_mapping",
    "rules_of",
    "state_of",
    "work_with",
]
