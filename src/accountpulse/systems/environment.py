"""Names and values of the environment, as the systems read their access from them; what is wrong is gathered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from accountpulse.core.secret import Secret
from accountpulse.systems.addresses import url_problem


@dataclass(frozen=True)
class Variable:
    """A name that can be set, with what it is for; a secret one never prints."""

    name: str
    meaning: str
    secret: bool = False
    required: bool = False  # without it the system is not configured


@dataclass
class EnvironmentReader:
    """Reads names from an environment that is passed in. `problems` are lines with the name to set, never a value."""

    environment: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The value without outer blanks; None where it is absent or blank."""
        return (self.environment.get(name) or "").strip() or None

    def secret(self, name: str) -> Secret | None:
        """The same, as a secret."""
        value = self.get(name)
        return None if value is None else Secret(value)

    def path(self, name: str) -> Path | None:
        """A file, which must exist."""
        value = self.get(name)
        if value is None:
            return None
        if not Path(value).is_file():
            self.problems.append(f"{name} names a file that doesn't exist")
        return Path(value)

    def url(self, name: str, default: str | None = None) -> str:
        """An address without a slash at its end; empty where neither it nor a default is given."""
        value = (self.get(name) or default or "").rstrip("/")
        if value:
            problem = url_problem(value)
            if problem:
                self.problems.append(f"{name} {problem}")
        return value

    def together(self, system: str, names: list[str]) -> bool:
        """True where all names are set; where only some are, the missing ones are problems."""
        missing = [name for name in names if self.get(name) is None]
        if missing and len(missing) < len(names):
            self.problems += [f"{name} is not set, and {system} needs it" for name in missing]
        return not missing

    def private_key(self, name: str) -> Secret | None:
        r"""A key in PEM form, whose line ends may be written as \n."""
        if self.get(name) is None:
            return None
        text = (self.get(name) or "").replace("\\n", "\n")
        if "PRIVATE KEY-----" not in text or "ENCRYPTED" in text:
            self.problems.append(f"{name} is not an RSA key in PEM form without a passphrase")
        return Secret(text)
