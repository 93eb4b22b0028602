"""A value that never prints."""

import re

from accountpulse.core.redact import MASK, REDACT

# of the answers to signing in: OAuth's (RFC 6749, 5.1) and SOAP's
_TOKENS = re.compile(
    r"\"(?:access_token|refresh_token|id_token)\"\s*:\s*\"([^\"]+)|<(?:\w+:)?sessionId>\s*([^<\s]+)", re.ASCII
)


class Secret:
    """A value that never prints, and is in no text that leaves; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Holds `value`, and has the process's redactor learn it."""
        self._value = value
        REDACT.learn([value])

    def reveal(self) -> str:
        """The value, for the request that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)


def learn_tokens(answer: str) -> None:
    """Have the tokens and sessions known that an answer to signing in holds, whatever becomes of the answer."""
    for found in _TOKENS.findall(answer):
        Secret("".join(found))
