"""The block `digest:` of accountpulse.yaml: who is told what crossed a line, where, and when not."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Literal

import msgspec

from accountpulse.core.yaml_structs import After, Chosen
from accountpulse.settings.digest_channels import ChannelKeys
from accountpulse.systems.mapping_parts import MappingBlock

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _clock(text: str) -> str:
    try:
        if len(text) == len("18:00"):
            time.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise ValueError(f'{text!r} is not a time of the day in quotes, such as "18:00"')


Clock = Annotated[str, After(_clock)]


class QuietHours(MappingBlock, frozen=True, rename={"start": "from", "end": "to"}):
    """When nothing is sent: from one time of the day to another, and on whole days. By `timezone`."""

    start: Clock | None = None
    end: Clock | None = None
    days: tuple[Weekday, ...] = ()

    def __post_init__(self) -> None:
        """Hours have a beginning and an end."""
        if (self.start is None) != (self.end is None):
            raise ValueError("`from` and `to` go together")


def _recipient_form(value: object) -> Any:
    if isinstance(value, dict):
        return dict[str, str]
    return str


Recipient: Any = Annotated[str | dict[str, str], Chosen(_recipient_form)]


class DigestBlock(ChannelKeys, frozen=True, rename={"audience": "for"}):
    """What `accountpulse digest` tells, and to whom: see [digest.md](digest.md).

    `owners` says where a channel finds an owner (a Salesforce id, or a name): one text for every channel, such as a
    mail address, or one for each channel by its name. What belongs to nobody in it goes to `fallback`.
    """

    audience: Literal["all", "each owner"] = "all"
    channels: tuple[str, ...] = ()
    owners: dict[str, Recipient] = msgspec.field(default_factory=dict)
    fallback: Recipient | None = None
    quiet_hours: QuietHours = QuietHours()

    def recipients(self, channel: str) -> Mapping[str, str]:
        """Where a channel finds each owner that it can find."""
        found = {owner: _for_channel(given, channel) for owner, given in self.owners.items()}
        return {owner: each for owner, each in found.items() if each is not None}

    def fallback_of(self, channel: str) -> str | None:
        """Where a channel sends what belongs to no owner that it knows; None: its own place."""
        return _for_channel(self.fallback, channel)


def _for_channel(given: str | Mapping[str, str] | None, channel: str) -> str | None:
    return given.get(channel) if isinstance(given, Mapping) else given
