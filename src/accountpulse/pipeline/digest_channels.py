"""The channels that accountpulse.yaml names for the digest, ready to send."""

from accountpulse.core.errors import ConfigurationError
from accountpulse.notify.message import Channel
from accountpulse.pipeline.digest import block_of
from accountpulse.settings import Settings


def channels(loaded: Settings) -> list[Channel]:
    """One for each name in `digest.channels`; a ConfigurationError says what they lack."""
    if names := block_of(loaded).channels:
        raise ConfigurationError("digest.channels", [f"{name} is not known" for name in names])
    return []
