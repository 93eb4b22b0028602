"""How to reach the helpdesk, and the `helpdesk:` block of accountpulse.yaml."""

from dataclasses import dataclass

from accountpulse.core.secret import Secret
from accountpulse.systems.environment import EnvironmentReader, Variable
from accountpulse.systems.extraction import ExtractRequest
from accountpulse.systems.mapping_parts import ApiName, MappingBlock

VARIABLES = (
    Variable("HELPDESK_URL", "Helpdesk address", required=True),
    Variable("HELPDESK_TOKEN", "Helpdesk access token", secret=True, required=True),
)


@dataclass(frozen=True)
class HelpdeskAccess:
    """How to reach the helpdesk."""

    base_url: str
    token: Secret


class HelpdeskMapping(MappingBlock):
    """How tickets belong to accounts."""

    account_field: ApiName = "Id"


HelpdeskRequest = ExtractRequest[HelpdeskAccess, HelpdeskMapping]


def access(environment: EnvironmentReader) -> HelpdeskAccess | None:
    """Read it; None without an address and a token."""
    base_url, token = environment.url("HELPDESK_URL"), environment.secret("HELPDESK_TOKEN")
    if not environment.together("Helpdesk", ["HELPDESK_URL", "HELPDESK_TOKEN"]) or token is None:
        return None
    return HelpdeskAccess(base_url, token)
