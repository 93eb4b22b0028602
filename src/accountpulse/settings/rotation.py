"""A secret that is rotated while we run, or between two runs of one process: read again, once, where it helps."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from accountpulse.core.errors import AccessError, AccountpulseError
from accountpulse.settings import secret_store
from accountpulse.settings.environment import Settings, load

T = TypeVar("T")


def work_with(
    environment: Mapping[str, str],
    secrets: secret_store.SecretCache,
    work: Callable[[Settings], T],
    say: Callable[[str], None],
) -> T:
    """What `work` makes of the settings; once more with new ones where a system refuses us and the secret has changed.

    The second try is the last. A secret that can't be read again changes nothing about the refusal.
    """
    try:
        return work(load(environment, secrets))
    except AccessError as refused:
        if not _changed(environment, secrets, refused, say):
            raise
    return work(load(environment, secrets))


def _changed(
    environment: Mapping[str, str], secrets: secret_store.SecretCache, refused: AccessError, say: Callable[[str], None]
) -> bool:
    """Read the secret again, if there is one; whether it holds something else by now."""
    name = secret_store.named(environment)
    if not name:
        return False
    try:
        changed = secrets.again(name)
    except AccountpulseError as error:
        say(f"{refused.source} refused us, and the secret could not be read again: {error}")
        return False
    what = "has changed: going on with what it holds now" if changed else "is the same as before"
    say(f"{refused.source} refused us; the secret that {secret_store.SETTING} names was read again, and {what}")
    return changed
