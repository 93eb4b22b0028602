"""Names and values of the environment, as the systems read their access from them; what is wrong is gathered."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from accountpulse.core.secret import Secret
from accountpulse.systems.addresses import url_problem

# patterns of what a value may not hold, by the way that it is sent; lone surrogates are what an environment makes of
# bytes that are no UTF-8
TEXT = "[\ud800-\udfff]"
HEADER = "[^\x20-\x7e\xa0-\xff]"  # RFC 9110, 5.5
BASIC = "[^\x00-\xff]"  # as requests packs a user and a password into a header
XML = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"  # XML 1.0, 2.2


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
        if value is None:
            return None
        self.refuse_unsendable(name, TEXT)
        return Secret(value)

    def refuse_unsendable(self, name: str, unfit: str) -> None:
        """A problem where the value holds what can't be sent the way it goes (HEADER, BASIC, XML)."""
        problem = (
            f"{name} can't be sent: it holds a line break, another control character or a letter that may not stand "
            "there; copy it anew, on one line"
        )
        value = self.get(name)
        if value and re.search(unfit, value) and problem not in self.problems:
            self.problems.append(problem)

    def certificates(self, name: str) -> Path | None:
        """A file of certificates in PEM form, which must exist."""
        value = self.get(name)
        if value is None:
            return None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
        except ssl.SSLError:
            self.problems.append(f"{name} names a file without certificates in PEM form")
        except (OSError, ValueError) as error:
            self.problems.append(f"{name} names a file that can't be read ({getattr(error, 'strerror', error)})")
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
