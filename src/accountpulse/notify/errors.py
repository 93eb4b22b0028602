"""Why a digest did not go out, and whether it may have arrived all the same."""

from accountpulse.core.errors import AccountpulseError


class NotSent(AccountpulseError):
    """A channel did not take a digest; it goes again with the next sending.

    `may_have_arrived`: nobody knows, or a part of it has, so that the next sending may be a repeat.
    """

    exit_code = 5

    def __init__(self, channel: str, answer: str, remedy: str, *, may_have_arrived: bool = False) -> None:
        """`answer` is what came back in short, `remedy` what the reader can do."""
        self.channel = channel
        self.may_have_arrived = may_have_arrived
        arrived = " It may have arrived all the same." if may_have_arrived else ""
        super().__init__(f"{channel}: the digest was not sent ({answer}).{arrived} {remedy}")
