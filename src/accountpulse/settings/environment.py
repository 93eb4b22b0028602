"""Secrets and endpoints from the environment, and the file beside them: one frozen Settings, or every problem."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from accountpulse.core.channel_access import ChannelAccess
from accountpulse.core.errors import ConfigurationError
from accountpulse.core.given_files import MOST_YAML, Unreadable, read_text
from accountpulse.core.nearest import nearest
from accountpulse.core.records import LinkFile, Rules, SourceName
from accountpulse.core.secret import Secret
from accountpulse.settings import channel_environment, link_file, secret_store
from accountpulse.settings.mapping import AccountpulseYaml, RunMapping
from accountpulse.systems import CRM, SOURCES, SYSTEMS
from accountpulse.systems.connection import Connection
from accountpulse.systems.environment import HEADER, EnvironmentReader, Variable
from accountpulse.systems.system import AnySystem

T = TypeVar("T")
DEFAULT_CONFIG = "accountpulse.yaml"
OWN = (
    Variable(
        "ROLLBAR_ACCESS_TOKEN",
        "Rollbar project token (post_server_item); without it no error is reported there",
        secret=True,
    ),
    Variable("ROLLBAR_ENDPOINT", "Rollbar address; default https://api.rollbar.com/api/1/"),
    *channel_environment.VARIABLES,
    Variable("ACCOUNTPULSE_SECRET_ID", "name of an AWS secret that holds any of these names; the environment wins"),
    Variable(
        "ACCOUNTPULSE_CONFIG", "the mapping file; default accountpulse.yaml in the current folder, if there is one"
    ),
    Variable("ACCOUNTPULSE_STATE", "folder, or s3://bucket/prefix, for checkpoints and history; default .accountpulse"),
    Variable(
        "ACCOUNTPULSE_CA_BUNDLE", "extra certificate authority (PEM file) to trust, for a company proxy or a stand-in"
    ),
)
# every name that can be set: the README's table and the nearest-name hints come from here
VARIABLES = (*(variable for system in SYSTEMS.values() for variable in system.variables), *OWN)
NAMES: Mapping[str, str] = {variable.name: variable.meaning for variable in VARIABLES}
SECRET_NAMES = tuple(variable.name for variable in VARIABLES if variable.secret)
AWS_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")  # no settings of ours, but they lie beside them
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C:/ is a folder
BUCKET = re.compile(r"s3://[A-Za-z0-9._-]{3,255}(/.*)?")
PREFIXES = tuple({f"{name.partition('_')[0]}_" for name in NAMES})


@dataclass(frozen=True)
class RollbarAccess:
    """Where errors are reported."""

    token: Secret
    endpoint: str


@dataclass(frozen=True)
class Settings:
    """Everything that a run needs to know; `access` holds how to reach each system that is configured, by name."""

    mapping: RunMapping
    access: Mapping[SourceName, Any]
    rollbar: RollbarAccess | None = None
    channels: ChannelAccess = field(default_factory=ChannelAccess)
    state: str = ".accountpulse"
    ca_bundle: Path | None = None
    config_folder: Path = Path()
    link_file: LinkFile = field(default_factory=LinkFile)

    @property
    def configured(self) -> tuple[SourceName, ...]:
        """The sources that have access, in the order of the flow."""
        return tuple(source.name for source in SOURCES if source.name in self.access)

    @property
    def systems(self) -> Iterator[AnySystem]:
        """Every system that has access, also one that is a destination alone."""
        return (system for name, system in SYSTEMS.items() if name in self.access)

    def connection(self, name: SourceName) -> Connection[Any, Any]:
        """What one system is given of all this. KeyError where it is not configured."""
        system = SYSTEMS[name]
        return Connection(
            self.access[name],
            self.mapping.block(name),
            {block: self.mapping.block(block) for block in system.blocks},
            self._link_fields() if system.has_accounts else {},
            self.mapping.own_metrics(name),
            self.ca_bundle,
        )

    def _link_fields(self) -> dict[SourceName, str]:
        """The account's field that names it in each configured source."""
        return {
            name: link_field(self.mapping.block(name))
            for name in self.configured
            if (link_field := SYSTEMS[name].link_field) is not None
        }

    @property
    def rules(self) -> Rules:
        """The company's own decisions, as the middle wants them."""
        return rules_of(self.mapping, tuple(self.access))

    @property
    def fingerprints(self) -> tuple[list[Any], Any]:
        """What an extraction depends on beside the mapping: of each source, and of the one that has the accounts."""
        found = {source.name: self._fingerprint(source.name) for source in SOURCES}
        crm = found.pop(CRM)
        return list(found.values()), crm

    def _fingerprint(self, name: SourceName) -> Any:
        access = self.access.get(name)
        return None if access is None else SYSTEMS[name].fingerprint(access)


def rules_of(mapping: RunMapping, configured: Collection[SourceName] = ()) -> Rules:
    """What the systems' blocks say of the middle, as `merged_rules` puts them together."""
    said = {
        name: system.rules(mapping.block(name), {block: mapping.block(block) for block in system.blocks})
        for name, system in SYSTEMS.items()
    }
    rules = merged_rules(said, configured)
    return replace(rules, fed=mapping.fed, max_age_days=mapping.max_age_days)


def merged_rules(said: Mapping[SourceName, Mapping[str, Any]], configured: Collection[SourceName]) -> Rules:
    """What the configured systems say; of the others, what no configured one says.

    Lists are joined; a ConfigurationError where two configured systems say different things.
    """
    found: dict[str, list[tuple[SourceName, Any]]] = {}
    for name in sorted(said, key=lambda name: name not in configured):
        for rule, value in said[name].items():
            if name in configured or rule not in found:
                found.setdefault(rule, []).append((name, value))
    return Rules(**{rule: _agreed(rule, values) for rule, values in found.items()})


def _agreed(rule: str, values: list[tuple[SourceName, Any]]) -> Any:
    first = values[0][1]
    if isinstance(first, tuple):
        return tuple(dict.fromkeys(each for _, value in values for each in value))
    if different := [name for name, value in values if value != first]:
        names = ", ".join([values[0][0], *different])
        raise ConfigurationError("accountpulse.yaml", [f"{names} say different things of {rule}: make them equal"])
    return first


def load(environment: Mapping[str, str], secrets: secret_store.SecretCache | None = None) -> Settings:
    """Settings from the environment, its secret and its mapping file; a ConfigurationError lists every problem.

    `secrets`: those that this process has read already.
    """
    reader = EnvironmentReader(_with_secret(environment, secrets or secret_store.SecretCache()))
    return _loaded(reader, lambda: _mapping(reader))


def load_unmapped(environment: Mapping[str, str]) -> Settings:
    """The same with the defaults in place of the mapping file, for a look before there is one."""
    reader = EnvironmentReader(_with_secret(environment, secret_store.SecretCache()))
    return _loaded(reader, lambda: (AccountpulseYaml(), Path()))


def load_for_digest(environment: Mapping[str, str]) -> Settings:
    """The same for what reads the state alone: it asks for no system's settings where none of them is given."""
    reader = EnvironmentReader(_with_secret(environment, secret_store.SecretCache()))
    return _loaded(reader, lambda: _mapping(reader), SYSTEMS if names_set(reader.environment) else {})


def _loaded(
    reader: EnvironmentReader,
    mapped: Callable[[], tuple[RunMapping | None, Path]],
    systems: Mapping[SourceName, AnySystem] = SYSTEMS,
) -> Settings:
    access = {name: system.access(reader) for name, system in systems.items()}
    rollbar = _rollbar(reader)
    mapping, folder = mapped()
    links_given = _link_file(reader, mapping, folder)
    bundle = reader.certificates("ACCOUNTPULSE_CA_BUNDLE")
    channels = channel_environment.access(reader, None if mapping is None else mapping.block("digest"), folder, bundle)
    state = _state(reader)
    reader.problems += _unknown_names(reader.environment)
    if reader.problems or mapping is None:
        if reader.problems and not names_set(reader.environment):
            reader.problems[0] += ". `accountpulse init` writes a .env that lists every setting, to be filled in"
        raise ConfigurationError("settings", reader.problems)
    return Settings(
        mapping=mapping,
        access={name: found for name, found in access.items() if found is not None},
        rollbar=rollbar,
        channels=channels,
        state=state,
        ca_bundle=bundle,
        config_folder=folder,
        link_file=links_given,
    )


def names_set(environment: Mapping[str, str]) -> bool:
    """Whether any setting of a system is given."""
    of_systems = {variable.name for system in SYSTEMS.values() for variable in system.variables}
    return any((environment.get(name) or "").strip() for name in of_systems & NAMES.keys())


def state_of(environment: Mapping[str, str]) -> str:
    """Where state lies, for commands that need nothing else."""
    reader = EnvironmentReader(_with_secret(environment, secret_store.SecretCache()))
    root = _state(reader)
    if reader.problems:
        raise ConfigurationError("settings", reader.problems)
    return root


def mapping_of(environment: Mapping[str, str]) -> RunMapping:
    """accountpulse.yaml, or its defaults where there is none, for commands that need nothing else."""
    reader = EnvironmentReader(environment)
    mapping, _folder = _mapping(reader)
    if mapping is None:
        raise ConfigurationError("settings", reader.problems)
    return mapping


def _with_secret(environment: Mapping[str, str], secrets: secret_store.SecretCache) -> Mapping[str, str]:
    """The environment, and beneath it what the named secret holds; every secret of them is known from here on."""
    learn_secrets(environment)
    secret_id = secret_store.named(environment)
    if not secret_id:
        return environment
    held = secrets.read(secret_id)
    learn_secrets(held)
    return {**held, **{name: value for name, value in environment.items() if value.strip()}}


def learn_secrets(environment: Mapping[str, str]) -> None:
    """Have the redactor know every secret value, also where the settings are wrong and nothing is made of them."""
    for name in (*SECRET_NAMES, *AWS_SECRETS):
        Secret((environment.get(name) or "").strip())


def _rollbar(reader: EnvironmentReader) -> RollbarAccess | None:
    token = reader.secret("ROLLBAR_ACCESS_TOKEN")
    reader.refuse_unsendable("ROLLBAR_ACCESS_TOKEN", HEADER)
    endpoint = reader.url("ROLLBAR_ENDPOINT", "https://api.rollbar.com/api/1")
    return RollbarAccess(token, f"{endpoint}/") if token else None


def _state(reader: EnvironmentReader) -> str:
    value = reader.get("ACCOUNTPULSE_STATE") or ".accountpulse"
    value = str(Path(value).expanduser()) if value.startswith("~/") else value
    if (ADDRESS.match(value) and not BUCKET.fullmatch(value)) or not value.isprintable():
        problem = "must be a folder, or s3://bucket/prefix (in small letters); it can't be any other kind of address"
        reader.problems.append(f"ACCOUNTPULSE_STATE {problem}")
    return value


def _mapping(reader: EnvironmentReader) -> tuple[RunMapping | None, Path]:
    named = reader.get("ACCOUNTPULSE_CONFIG")
    path = Path(named or DEFAULT_CONFIG)
    try:
        text = read_text(path, MOST_YAML) if named or path.exists() else ""
    except Unreadable as error:
        reader.problems.append(f"ACCOUNTPULSE_CONFIG names a file that can't be read ({error})")
        return None, path.parent
    read = _gathered(reader, lambda: read_mapping(text, path.name))
    return read, path.parent


def read_mapping(text: str, name: str) -> RunMapping:
    """What the text of an accountpulse.yaml says; a ConfigurationError lists every mistake.

    Of an empty one the defaults, and YAML isn't even loaded.
    """
    if not text.strip():
        return AccountpulseYaml()
    from accountpulse.core import yaml_files, yaml_structs

    return yaml_structs.read(yaml_files.parse(text, name), AccountpulseYaml)


def _link_file(reader: EnvironmentReader, mapping: RunMapping | None, folder: Path) -> LinkFile:
    """The mapping file that accountpulse.yaml names, read."""
    if mapping is None:
        return LinkFile()
    return _gathered(reader, lambda: link_file.load(mapping.block("links"), folder)) or LinkFile()


def _gathered(reader: EnvironmentReader, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ConfigurationError as error:
        reader.problems += [f"{error.subject}: {problem}" for problem in error.problems]
        return None


def _unknown_names(environment: Mapping[str, str]) -> Iterator[str]:
    """A name with one of our prefixes that is not ours and lies near one of ours is most likely a slip."""
    for name in sorted(environment):
        if name.startswith(PREFIXES) and name not in NAMES and (hint := nearest(name, NAMES)):
            yield f"{name} is not a setting{hint}"
