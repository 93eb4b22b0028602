"""The channels that accountpulse.yaml names, each ready to send; what one of them lacks is said with its setting."""

from collections.abc import Callable, Mapping, Sequence

from accountpulse.core.channel_access import ChannelAccess
from accountpulse.core.errors import ConfigurationError
from accountpulse.notify.message import Channel

Maker = Callable[[ChannelAccess], Channel]


def channels(access: ChannelAccess, names: Sequence[str], more: Mapping[str, Maker] | None = None) -> list[Channel]:
    """The channels of these names, in their order; a ConfigurationError lists everything that is missing.

    `more`: channels by name that are made elsewhere.
    """
    makers = {**_MAKERS, **(more or {})}
    made: list[Channel] = []
    problems: list[str] = []
    for name in dict.fromkeys(names):
        if name not in makers:
            problems.append(f"{name} is no channel; there are {', '.join(makers)}")
            continue
        try:
            made.append(makers[name](access))
        except ConfigurationError as error:
            problems += [f"{error.subject}: {problem}" for problem in error.problems]
    if problems:
        raise ConfigurationError("digest.channels", problems)
    return made


def _slack(access: ChannelAccess) -> Channel:
    from accountpulse.notify.slack import SETTING, SlackChannel

    if access.slack is None:
        raise ConfigurationError(SETTING, ["is not set, and slack needs it"])
    return SlackChannel(access.slack, access.ca_bundle)


def _mail(access: ChannelAccess) -> Channel:
    from accountpulse.notify.mail import SETTING, MailChannel

    if access.mail_server is None:
        raise ConfigurationError(SETTING, ["is not set, and mail needs it"])
    if access.sender is None:
        raise ConfigurationError("digest.mail.from", ["is not set in accountpulse.yaml, and mail needs it"])
    return MailChannel(access.mail_server, access.sender, access.receivers, access.ca_bundle)


def _webhook(access: ChannelAccess) -> Channel:
    from accountpulse.notify.webhook import KEY_SETTING, SETTING, WebhookChannel

    if access.webhook is None:
        raise ConfigurationError(f"{SETTING} and {KEY_SETTING}", ["are not set, and webhook needs both"])
    return WebhookChannel(access.webhook, access.ca_bundle)


def _apprise(access: ChannelAccess) -> Channel:
    from accountpulse.notify.other_services import SETTING, AppriseChannel

    if not access.apprise:
        raise ConfigurationError(SETTING, ["is not set, and apprise needs it"])
    return AppriseChannel(access.apprise)


def _file(access: ChannelAccess) -> Channel:
    from accountpulse.notify.file import FileChannel

    if access.folder is None:
        raise ConfigurationError("digest.file.folder", ["is not set in accountpulse.yaml, and file needs it"])
    return FileChannel(access.folder)


_MAKERS: Mapping[str, Maker] = {
    "slack": _slack,
    "mail": _mail,
    "webhook": _webhook,
    "apprise": _apprise,
    "file": _file,
}
