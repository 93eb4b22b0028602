"""The block `digest:` of accountpulse.yaml: who is told what crossed a line, where, and when not."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Literal, get_args

import msgspec

from accountpulse.core.channel_access import SLACK_ID
from accountpulse.core.yaml_structs import After, Before, Chosen
from accountpulse.settings.digest_channels import ChannelKeys
from accountpulse.systems.mapping_parts import MappingBlock

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _quoted(given: object) -> object:
    """YAML reads 18:00 as a number, of base 60: 1080."""
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 24 * 60:
        raise ValueError(
            f'write it in quotes, as "{given // 60:02}:{given % 60:02}": without them it is a number in YAML'
        )
    return given


def _clock(text: str) -> str:
    try:
        if len(text) == len("18:00"):
            time.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise ValueError(f'{text!r} is not a time of the day in quotes, such as "18:00"')


Clock = Annotated[str, Before(_quoted), After(_clock)]


class QuietHours(MappingBlock, frozen=True, rename={"start": "from", "end": "to"}):
    """When nothing is sent: from one time of the day to another, and on whole days. By `timezone`."""

    start: Clock | None = None
    end: Clock | None = None
    days: tuple[Weekday, ...] = ()

    def __post_init__(self) -> None:
        """Hours have a beginning and an end, and are not all of the week."""
        if (self.start is None) != (self.end is None):
            raise ValueError("`from` and `to` go together")
        if self.start is not None and self.start == self.end:
            raise ValueError("`from` and `to` are the same time: give another one, or take both away")
        if len(set(self.days)) == len(get_args(Weekday)):
            raise ValueError("all seven days are quiet, so that nothing would ever be sent: leave one out")


def _recipient_form(value: object) -> Any:
    if isinstance(value, dict):
        return dict[str, str]
    return str


Recipient: Any = Annotated[str | dict[str, str], Chosen(_recipient_form)]


_SLACK_REMEDY = (
    "slack finds people by a member id such as U012AB3CD (profile, Copy member ID) or a group's id, S…, not by a mail "
    "address or a name: give {mail: name@example.com, slack: U012AB3CD}"
)


class DigestBlock(ChannelKeys, frozen=True, rename={"audience": "for"}):
    """What `accountpulse digest` tells, and to whom: see [digest.md](digest.md).

    `owners` says where a channel finds an owner (a Salesforce id, or a name): one text for every channel, such as a
    mail address, or one for each channel by its name. What belongs to nobody in it goes to `fallback`.
    """

    audience: Literal["all", "each owner"] = "all"
    owners: dict[str, Recipient] = msgspec.field(default_factory=dict)
    fallback: Recipient | None = None
    quiet_hours: QuietHours = QuietHours()

    def __post_init__(self) -> None:
        """Slack finds an owner, or the fallback, by an id of its own."""
        if "slack" not in self.channels:
            return
        given = {**{f"owners.{owner}": each for owner, each in self.owners.items()}, "fallback": self.fallback}
        if wrong := [name for name, each in given.items() if not _is_found_by_slack(each)]:
            raise ValueError(f"{', '.join(wrong)}: {_SLACK_REMEDY}")

    def recipients(self, channel: str) -> Mapping[str, str]:
        """Where a channel finds each owner that it can find."""
        found = {owner: _for_channel(given, channel) for owner, given in self.owners.items()}
        return {owner: each for owner, each in found.items() if each is not None}

    def fallback_of(self, channel: str) -> str | None:
        """Where a channel sends what belongs to no owner that it knows; None: its own place."""
        return _for_channel(self.fallback, channel)


def _is_found_by_slack(given: str | Mapping[str, str] | None) -> bool:
    """Whether nothing is given for Slack, or an id. A text for all channels may be for another, if no address."""
    if isinstance(given, Mapping):
        return "slack" not in given or SLACK_ID.fullmatch(given["slack"]) is not None
    return given is None or "@" not in given


def _for_channel(given: str | Mapping[str, str] | None, channel: str) -> str | None:
    return given.get(channel) if isinstance(given, Mapping) else given
