"""The keys of `digest:` in accountpulse.yaml that say where a channel sends to."""

import re
from typing import Annotated

from accountpulse.core.ids import looks_like_an_id
from accountpulse.core.yaml_structs import After
from accountpulse.systems.mapping_parts import MappingBlock

# plain, as `name@example.com`: what could end a header or begin another address is none
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}", re.ASCII)


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("must be a mail address alone, such as health@example.com")
    return text


def _user_id(text: str) -> str:
    if not (looks_like_an_id(text) and text.startswith("005")):
        raise ValueError("must be the id of a Salesforce user, of 15 or 18 characters; it begins with 005")
    return text


MailAddress = Annotated[str, After(_address)]
UserId = Annotated[str, After(_user_id)]


class MailKeys(MappingBlock, frozen=True):
    """Whom mail comes from, and whom it goes to where an owner has no address of their own.

    All channels: [digest-channels.md](digest-channels.md).
    """

    source: MailAddress | None = None
    to: tuple[MailAddress, ...] = ()


class FileKeys(MappingBlock, frozen=True):
    """The folder that digests are written into, as text and as JSON; one beside this file, or a path."""

    folder: str | None = None


class TaskKeys(MappingBlock, frozen=True):
    """Who gets a Task whose account has no active owner: the id of a user; null: the integration user."""

    fallback_owner: UserId | None = None


class ChannelKeys(MappingBlock, frozen=True):
    """Where a digest goes: any of `slack`, `mail`, `webhook`, `apprise`, `tasks` and `file`."""

    channels: tuple[str, ...] = ()
    mail: MailKeys = MailKeys()
    file: FileKeys = FileKeys()
    tasks: TaskKeys = TaskKeys()
