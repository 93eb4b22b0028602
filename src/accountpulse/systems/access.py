"""How to reach each system: addresses, and secrets that never print."""

from dataclasses import dataclass, field
from typing import Literal

from accountpulse.core.redact import MASK


class Secret:
    """A value that never prints; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Holds `value`."""
        self._value = value

    def reveal(self) -> str:
        """The value, for the request that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)


@dataclass(frozen=True)
class IntercomAccess:
    """How to reach Intercom."""

    token: Secret
    base_url: str
    version: str


@dataclass(frozen=True)
class JiraAccess:
    """How to reach Jira: Basic with an e-mail (Cloud), Bearer without (Data Center)."""

    base_url: str
    email: str | None
    token: Secret


@dataclass(frozen=True)
class LookerAccess:
    """How to reach Looker."""

    base_url: str
    client_id: Secret
    client_secret: Secret


@dataclass(frozen=True)
class SalesforceAccess:
    """How to reach Salesforce; what is set decides the way to sign in.

    `sessions` holds the last session id and its address, once there is one: a run signs in once.
    """

    login_url: str
    api_version: str
    username: str | None = None
    password: Secret | None = None
    security_token: Secret | None = None
    client_id: Secret | None = None
    client_secret: Secret | None = None
    private_key: Secret | None = None
    sessions: list[tuple[str, str]] = field(init=False, default_factory=list, repr=False, compare=False)

    @property
    def way(self) -> Literal["jwt", "client credentials", "soap"]:
        """How to sign in: with the private key where there is one, else with the app's secret, else by SOAP."""
        if self.private_key:
            return "jwt"
        return "client credentials" if self.client_secret else "soap"


@dataclass(frozen=True)
class RollbarAccess:
    """Where errors are reported."""

    token: Secret
    endpoint: str
