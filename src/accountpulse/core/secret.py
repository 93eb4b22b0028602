"""A value that never prints."""

from accountpulse.core.redact import MASK


class Secret:
    """A value that never prints; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Holds `value`."""
        self._value = value

    def reveal(self) -> str:
        """The value, for the request that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)
