"""Secrets and endpoints from the environment, and the file beside them: one frozen Settings, or every problem."""

import re
from collections.abc import Callable
from collections.abc import Mapping as Environment
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from accountpulse.core import yaml_files
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.records import LinkFile, Rules, Source
from accountpulse.core.redact import Redactor
from accountpulse.core.yaml_files import nearest
from accountpulse.settings import links, secret_store
from accountpulse.settings.addresses import url_problem
from accountpulse.settings.mapping import Mapping
from accountpulse.systems.access import (
    IntercomAccess,
    JiraAccess,
    LookerAccess,
    RollbarAccess,
    SalesforceAccess,
    Secret,
)

T = TypeVar("T")
DEFAULT_CONFIG = "accountpulse.yaml"
INTERCOM_VERSIONS = ("2.11", "2.12", "2.13", "2.14", "2.15", "2.16")

# every name that can be set, with what it is for: the README's table and the nearest-name hints come from here
NAMES: Environment[str, str] = {
    "INTERCOM_API_TOKEN": "Intercom access token",
    "INTERCOM_BASE_URL": "Intercom host of your region; default https://api.intercom.io",
    "INTERCOM_VERSION": "Intercom API version, 2.11 to 2.16; default 2.16",
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
    "SALESFORCE_PRIVATE_KEY": "Salesforce JWT bearer: RSA key of the app's certificate as PEM text (also with \\n)",
    "SALESFORCE_LOGIN_URL": "Salesforce sign-in address, in place of the one that the domain makes",
    "SALESFORCE_API_VERSION": "Salesforce REST version; default 66.0",
    "ROLLBAR_ACCESS_TOKEN": "Rollbar project token (post_server_item); without it no error is reported there",
    "ROLLBAR_ENDPOINT": "Rollbar address; default https://api.rollbar.com/api/1/",
    "ACCOUNTPULSE_SECRET_ID": "name of an AWS secret that holds any of these names; the environment wins",
    "ACCOUNTPULSE_CONFIG": "the mapping file; default accountpulse.yaml in the current folder, if there is one",
    "ACCOUNTPULSE_STATE": "folder, or s3://bucket/prefix, for checkpoints and history; default .accountpulse",
    "ACCOUNTPULSE_CA_BUNDLE": "extra certificate authority (PEM file) to trust, for a company proxy or a stand-in",
}
SECRET_NAMES = tuple(
    name for name in NAMES if name.endswith(("_TOKEN", "_SECRET", "_PASSWORD", "_CLIENT_ID", "_PRIVATE_KEY"))
)
PREFIXES = ("INTERCOM_", "JIRA_", "LOOKER_", "SALESFORCE_", "ROLLBAR_", "ACCOUNTPULSE_")


SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")


@dataclass(frozen=True)
class Settings:
    """Everything that a run needs to know; a source without access is not configured."""

    mapping: Mapping
    salesforce: SalesforceAccess
    intercom: IntercomAccess | None = None
    jira: JiraAccess | None = None
    looker: LookerAccess | None = None
    rollbar: RollbarAccess | None = None
    state: str = ".accountpulse"
    ca_bundle: Path | None = None
    config_folder: Path = Path()
    link_file: LinkFile = field(default_factory=LinkFile)
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    @property
    def configured(self) -> tuple[Source, ...]:
        """The sources that have access, in the order of the flow."""
        present: dict[Source, object] = {"intercom": self.intercom, "jira": self.jira, "looker": self.looker}
        return ("salesforce", *(source for source, access in present.items() if access is not None))

    @property
    def redactor(self) -> Redactor:
        """Removes every secret of these settings from a text."""
        return Redactor(self.revealed)

    @property
    def revealed(self) -> tuple[str, ...]:
        """Every secret value, for a redactor to know."""
        return tuple(secret.reveal() for secret in self.secrets)

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


def load(environment: Environment[str, str], held: secret_store.Held | None = None) -> Settings:
    """Settings from the environment, its secret and its mapping file; a ConfigurationError lists every problem.

    `held`: secrets that this process has read already.
    """
    reader = _Reader(_with_secret(environment, held or secret_store.Held()))
    intercom, jira, looker = reader.intercom(), reader.jira(), reader.looker()
    salesforce, rollbar = reader.salesforce(), reader.rollbar()
    mapping, folder = reader.mapping()
    link_file = reader.link_file(mapping, folder)
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
        rollbar=rollbar,
        state=reader.state(),
        ca_bundle=bundle,
        config_folder=folder,
        link_file=link_file,
        secrets=tuple(reader.secrets),
    )


def _with_secret(environment: Environment[str, str], held: secret_store.Held) -> Environment[str, str]:
    """The environment, and beneath it what the named secret holds."""
    secret_id = secret_store.named(environment)
    if not secret_id:
        return environment
    given = {name: value for name, value in environment.items() if value.strip()}
    return {**held.read(secret_id), **given}


def state_of(environment: Environment[str, str]) -> str:
    """Where state lies, for commands that need nothing else."""
    reader = _Reader(_with_secret(environment, secret_store.Held()))
    root = reader.state()
    if reader.problems:
        raise ConfigurationError("settings", reader.problems)
    return root


def mapping_of(environment: Environment[str, str]) -> Mapping:
    """accountpulse.yaml, or its defaults where there is none, for commands that need nothing else."""
    reader = _Reader(environment)
    mapping, _folder = reader.mapping()
    if mapping is None:
        raise ConfigurationError("settings", reader.problems)
    return mapping


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
            problem = url_problem(value)
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
        if version not in INTERCOM_VERSIONS:
            self.problems.append(f"INTERCOM_VERSION is not one of {', '.join(INTERCOM_VERSIONS)}")
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
        domain = (self.get("SALESFORCE_DOMAIN") or "login").removesuffix(".salesforce.com")
        access = SalesforceAccess(
            self.url("SALESFORCE_LOGIN_URL", f"https://{domain}.salesforce.com"),
            self.get("SALESFORCE_API_VERSION") or "66.0",
            self.get("SALESFORCE_USERNAME"),
            self.secret("SALESFORCE_PASSWORD"),
            self.secret("SALESFORCE_SECURITY_TOKEN"),
            self.secret("SALESFORCE_CLIENT_ID"),
            self.secret("SALESFORCE_CLIENT_SECRET"),
            self.private_key("SALESFORCE_PRIVATE_KEY"),
        )
        if not re.fullmatch(r"\d{2,3}\.0", access.api_version, re.ASCII):
            self.problems.append("SALESFORCE_API_VERSION is not a version such as 66.0")
        if not (access.username or access.password or access.client_id or access.client_secret or access.private_key):
            self.problems.append(
                "SALESFORCE_CLIENT_ID with SALESFORCE_CLIENT_SECRET (client credentials) or with "
                "SALESFORCE_PRIVATE_KEY and SALESFORCE_USERNAME (JWT bearer), or SALESFORCE_USERNAME and "
                "SALESFORCE_PASSWORD (SOAP), must be set: accounts are read from Salesforce and scores written to it"
            )
            return None
        by_app, by_user = ["SALESFORCE_CLIENT_ID"], ["SALESFORCE_USERNAME"]
        needed = {
            "jwt": [*by_app, *by_user, "SALESFORCE_PRIVATE_KEY"],
            "client credentials": [*by_app, "SALESFORCE_CLIENT_SECRET"],
            "soap": [*by_user, "SALESFORCE_PASSWORD"],
        }[access.way]
        if access.client_id and access.way == "soap":
            needed = [*by_app, "SALESFORCE_CLIENT_SECRET"]
        complete = self.together("Salesforce", needed)
        if access.way == "client credentials" and urlsplit(access.login_url).hostname in SHARED_HOSTS:
            self.problems.append(
                "SALESFORCE_DOMAIN or SALESFORCE_LOGIN_URL must be the org's My Domain: client credentials are not "
                "taken at login or test"
            )
        return access if complete else None

    def private_key(self, name: str) -> Secret | None:
        r"""A key in PEM form, whose line ends may be written as \n; each of its lines is a secret of its own."""
        if self.secret(name) is None:
            return None
        text = (self.get(name) or "").replace("\\n", "\n")
        if "PRIVATE KEY-----" not in text or "ENCRYPTED" in text:
            self.problems.append(f"{name} is not an RSA key in PEM form without a passphrase")
        self.secrets += [Secret(line.strip()) for line in text.splitlines() if line and not line.startswith("-----")]
        return Secret(text)

    def rollbar(self) -> RollbarAccess | None:
        token, endpoint = (
            self.secret("ROLLBAR_ACCESS_TOKEN"),
            self.url("ROLLBAR_ENDPOINT", "https://api.rollbar.com/api/1"),
        )
        return RollbarAccess(token, f"{endpoint}/") if token else None

    def mapping(self) -> tuple[Mapping | None, Path]:
        named = self.get("ACCOUNTPULSE_CONFIG")
        path = Path(named or DEFAULT_CONFIG)
        try:
            text = path.read_text(encoding="utf-8") if named or path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"ACCOUNTPULSE_CONFIG names a file that can't be read ({type(error).__name__})")
            return None, path.parent
        return self._collect(lambda: yaml_files.validate(yaml_files.parse(text, path.name), Mapping)), path.parent

    def link_file(self, mapping: Mapping | None, folder: Path) -> LinkFile:
        """The mapping file that accountpulse.yaml names, read."""
        chosen = mapping.links if mapping is not None else None
        return (self._collect(lambda: links.load(chosen, folder)) if chosen is not None else None) or LinkFile()

    def _collect(self, read: Callable[[], T]) -> T | None:
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
