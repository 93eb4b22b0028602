"""What one process of the command line has come to know: its settings, and every secret that may not be printed."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from accountpulse.core.redact import Redactor

if TYPE_CHECKING:
    from accountpulse.settings import Settings

REDACT = Redactor()  # everything that is printed goes through it; a process has one run, and so one of these
T = TypeVar("T")


def load(environment: Mapping[str, str]) -> "Settings":
    """The settings; their secrets are known from here on."""
    from accountpulse import settings

    loaded = settings.load(environment)
    REDACT.learn(loaded.revealed)
    return loaded


def work_with(environment: Mapping[str, str], work: Callable[["Settings"], T], say: Callable[[str], None]) -> T:
    """As `settings.work_with`; the secrets of both tries are known."""
    from accountpulse import settings

    def known(loaded: "Settings") -> T:
        REDACT.learn(loaded.revealed)
        return work(loaded)

    return settings.work_with(environment, settings.SecretCache(), known, say)


def redacted(text: str, environment: Mapping[str, str]) -> str:
    """A last word without secrets, also those of settings that could not be read."""
    from accountpulse.settings.environment import SECRET_NAMES

    REDACT.learn(environment.get(name, "") for name in SECRET_NAMES)
    return REDACT(text)
