"""Secrets and endpoints from the environment, and the file beside them: one frozen Settings, or every problem."""

import ipaddress
from collections.abc import Callable
from collections.abc import Mapping as Environment
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from accountpulse import documents
from accountpulse.documents import nearest
from accountpulse.errors import ConfigurationError
from accountpulse.records import Rules, Source
from accountpulse.redact import MASK, Redactor
from accountpulse.settings.mapping import Mapping

DEFAULT_CONFIG = "accountpulse.yaml"

# every name that can be set, with what it is for: the README's table and the nearest-name hints come from here
NAMES: Environment[str, str] = {
    "INTERCOM_API_TOKEN": "Intercom access token",
    "INTERCOM_BASE_URL": "Intercom host of your region; default https://api.intercom.io",
    "INTERCOM_VERSION": "Intercom API version, 2.14 to 2.16; default 2.16",
    "JIRA_BASE_URL": "Jira address; may have a path (https://api.atlassian.com/ex/jira/<cloud id>)",
    "JIRA_EMAIL": "Jira Cloud: the account the token belongs to; leave unset for Data Center",
    "JIRA_API_TOKEN": "Jira Cloud API token, or Data Center personal access token",
    "LOOKER_BASE_URL": "Looker address, without a path",
    "LOOKER_CLIENT_ID": "Looker API client id",
    "LOOKER_CLIENT_SECRET": "Looker API client secret",
    "SALESFORCE_USERNAME": "Salesforce user",
    "SALESFORCE_PASSWORD": "Salesforce password",
    "SALESFORCE_SECURITY_TOKEN": "Salesforce security token of that user; leave unset from a trusted network",
    "SALESFORCE_DOMAIN": "Salesforce domain: login (default), test, or your My Domain such as acme.my",
    "SALESFORCE_CLIENT_ID": "Salesforce external client app: consumer key",
    "SALESFORCE_CLIENT_SECRET": "Salesforce external client app: consumer secret (client credentials)",
    "SALESFORCE_LOGIN_URL": "Salesforce sign-in address, in place of the one that the domain makes",
    "SALESFORCE_API_VERSION": "Salesforce REST version; default 66.0",
    "ACCOUNTPULSE_CONFIG": "the mapping file; default accountpulse.yaml in the current folder, if there is one",
    "ACCOUNTPULSE_STATE": "folder, or s3://bucket/prefix, for checkpoints and history; default .accountpulse",
    "ACCOUNTPULSE_CA_BUNDLE": "extra certificate authority (PEM file) to trust, for a company proxy or a stand-in",
}
SECRET_NAMES = tuple(name for name in NAMES if name.endswith(("_TOKEN", "_SECRET", "_PASSWORD", "_CLIENT_ID")))
PREFIXES = ("INTERCOM_", "JIRA_", "LOOKER_", "SALESFORCE_", "ACCOUNTPULSE_")


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
    """How to reach Salesforce: client credentials where `client_id` is set, else SOAP with `username`."""

    login_url: str
    api_version: str
    username: str | None = None
    password: Secret | None = None
    security_token: Secret | None = None
    client_id: Secret | None = None
    client_secret: Secret | None = None


@dataclass(frozen=True)
class Settings:
    """Everything that a run needs to know; a source without access is not configured."""

    mapping: Mapping
    salesforce: SalesforceAccess
    intercom: IntercomAccess | None = None
    jira: JiraAccess | None = None
    looker: LookerAccess | None = None
    state: str = ".accountpulse"
    ca_bundle: Path | None = None
    config_folder: Path = Path()
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    @property
    def configured(self) -> tuple[Source, ...]:
        """The sources that have access, in the order of the flow."""
        present: dict[Source, object] = {"intercom": self.intercom, "jira": self.jira, "looker": self.looker}
        return ("salesforce", *(source for source, access in present.items() if access is not None))

    @property
    def redactor(self) -> Redactor:
        """Removes every secret of these settings from a text."""
        return Redactor(secret.reveal() for secret in self.secrets)

    @property
    def rules(self) -> Rules:
        """The company's own decisions, as the middle wants them."""
        org, features = self.mapping.salesforce, self.mapping.looker.features
        return Rules(
            csat=self.mapping.intercom.csat,
            features=features.catalogue if features else (),
            pillars=tuple(self.mapping.looker.platform.pillars),
            tiers=org.tiers.order,
            tier_floors=org.tiers.arr_floor,
            reviews_expected=org.reviews.expected_per_year if org.reviews else {},
        )


def load(environment: Environment[str, str]) -> Settings:
    """Settings from the environment and the mapping file it names; a ConfigurationError lists every problem."""
    reader = _Reader(environment)
    intercom, jira, looker = reader.intercom(), reader.jira(), reader.looker()
    salesforce = reader.salesforce()
    mapping, folder = reader.mapping()
    bundle = reader.path("ACCOUNTPULSE_CA_BUNDLE")
    reader.unknown_names()
    if reader.problems or mapping is None or salesforce is None:
        raise ConfigurationError("settings", reader.problems)
    return Settings(
        mapping=mapping,
        salesforce=salesforce,
        intercom=intercom,
        jira=jira,
        looker=looker,
        state=reader.state(),
        ca_bundle=bundle,
        config_folder=folder,
        secrets=tuple(reader.secrets),
    )


def state_of(environment: Environment[str, str]) -> str:
    """Where state lies, for commands that need nothing else."""
    reader = _Reader(environment)
    root = reader.state()
    if reader.problems:
        raise ConfigurationError("settings", reader.problems)
    return root


class _Reader:
    """Reads names from the environment and gathers what is wrong."""

    def __init__(self, environment: Environment[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []
        self.secrets: list[Secret] = []

    def get(self, name: str) -> str | None:
        return (self._environment.get(name) or "").strip() or None

    def secret(self, name: str) -> Secret | None:
        value = self.get(name)
        if value is None:
            return None
        secret = Secret(value)
        self.secrets.append(secret)
        return secret

    def path(self, name: str) -> Path | None:
        value = self.get(name)
        if value is None:
            return None
        if not Path(value).is_file():
            self.problems.append(f"{name} names a file that doesn't exist")
        return Path(value)

    def state(self) -> str:
        value = self.get("ACCOUNTPULSE_STATE") or ".accountpulse"
        scheme, found, rest = value.partition("://")
        if found and (scheme != "s3" or not rest.partition("/")[0]):
            self.problems.append("ACCOUNTPULSE_STATE must be a folder, or s3://bucket/prefix")
        return value

    def url(self, name: str, default: str | None = None) -> str:
        value = (self.get(name) or default or "").rstrip("/")
        if value:
            problem = _url_problem(value)
            if problem:
                self.problems.append(f"{name} {problem}")
        return value

    def together(self, source: str, names: list[str]) -> bool:
        """True where all names are set; where only some are, the missing ones are problems."""
        missing = [name for name in names if self.get(name) is None]
        if missing and len(missing) < len(names):
            self.problems += [f"{name} is not set, and {source} needs it" for name in missing]
        return not missing

    def intercom(self) -> IntercomAccess | None:
        token = self.secret("INTERCOM_API_TOKEN")
        base_url = self.url("INTERCOM_BASE_URL", "https://api.intercom.io")
        version = self.get("INTERCOM_VERSION") or "2.16"
        if version not in ("2.14", "2.15", "2.16"):
            self.problems.append("INTERCOM_VERSION is not one of 2.14, 2.15, 2.16")
        return IntercomAccess(token, base_url, version) if token else None

    def jira(self) -> JiraAccess | None:
        token = self.secret("JIRA_API_TOKEN")
        base_url, email = self.url("JIRA_BASE_URL"), self.get("JIRA_EMAIL")
        if not self.together("Jira", ["JIRA_BASE_URL", "JIRA_API_TOKEN"]) or token is None:
            return None
        return JiraAccess(base_url, email, token)

    def looker(self) -> LookerAccess | None:
        client_id, client_secret = self.secret("LOOKER_CLIENT_ID"), self.secret("LOOKER_CLIENT_SECRET")
        base_url = self.url("LOOKER_BASE_URL")
        complete = self.together("Looker", ["LOOKER_BASE_URL", "LOOKER_CLIENT_ID", "LOOKER_CLIENT_SECRET"])
        if urlsplit(base_url).path:
            self.problems.append("LOOKER_BASE_URL must not have a path")
        if not complete or client_id is None or client_secret is None:
            return None
        return LookerAccess(base_url, client_id, client_secret)

    def salesforce(self) -> SalesforceAccess | None:
        client_id, client_secret = self.secret("SALESFORCE_CLIENT_ID"), self.secret("SALESFORCE_CLIENT_SECRET")
        username, password = self.get("SALESFORCE_USERNAME"), self.secret("SALESFORCE_PASSWORD")
        domain = self.get("SALESFORCE_DOMAIN") or "login"
        login_url = self.url("SALESFORCE_LOGIN_URL", f"https://{domain}.salesforce.com")
        version = self.get("SALESFORCE_API_VERSION") or "66.0"
        token = self.secret("SALESFORCE_SECURITY_TOKEN")
        by_app = self.together("Salesforce", ["SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"])
        by_user = self.together("Salesforce", ["SALESFORCE_USERNAME", "SALESFORCE_PASSWORD"])
        if by_app:
            return SalesforceAccess(login_url, version, client_id=client_id, client_secret=client_secret)
        if by_user:
            return SalesforceAccess(login_url, version, username, password, token)
        if not (client_id or client_secret or username or password):
            self.problems.append(
                "SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, or SALESFORCE_USERNAME and SALESFORCE_PASSWORD, "
                "must be set: accounts are read from Salesforce and scores written to it"
            )
        return None

    def mapping(self) -> tuple[Mapping | None, Path]:
        named = self.get("ACCOUNTPULSE_CONFIG")
        path = Path(named or DEFAULT_CONFIG)
        try:
            text = path.read_text(encoding="utf-8") if named or path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"ACCOUNTPULSE_CONFIG names a file that can't be read ({type(error).__name__})")
            return None, path.parent
        return self._collect(lambda: documents.validate(documents.parse(text, path.name), Mapping)), path.parent

    def _collect(self, read: Callable[[], Mapping]) -> Mapping | None:
        try:
            return read()
        except ConfigurationError as error:
            self.problems += [f"{error.subject}: {problem}" for problem in error.problems]
            return None

    def unknown_names(self) -> None:
        """A name with one of our prefixes that is not ours and lies near one of ours is most likely a slip."""
        for name in sorted(self._environment):
            if name.startswith(PREFIXES) and name not in NAMES and (hint := nearest(name, NAMES)):
                self.problems.append(f"{name} is not a setting{hint}")


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "is not an address such as https://example.com"
    if parts.scheme not in ("http", "https") or not host:
        return "is not an address such as https://example.com"
    if parts.username or parts.password:
        return "must not contain a user or password"
    if parts.query or parts.fragment:
        return "must not have a query or fragment"
    if parts.scheme == "http" and not _is_loopback(host):
        return "must begin with https:// (plain http is for addresses of this machine only)"
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
