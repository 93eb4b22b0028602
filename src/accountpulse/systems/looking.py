"""Requests of a look at a system, any of which may be refused: what can't be seen becomes a line for the reader."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from accountpulse.core.errors import AccessError, UnexpectedAnswer
from accountpulse.http.client import RequestRefused

T = TypeVar("T")


@dataclass
class Unseen:
    """What a look could not see. `lines`: what it was, why, and what to do."""

    lines: list[str] = field(default_factory=list)

    async def have(self, what: str, work: Coroutine[Any, Any, T]) -> T | None:
        """The answer; None and a line where it was refused, or is none that can be read.

        Only for what comes after the sign-in: that the system isn't there, or has no time, is raised as ever.
        """
        try:
            return await work
        except RequestRefused as refused:
            self.lines.append(f"{what} can't be seen: {refused.error}")
        except (AccessError, UnexpectedAnswer) as error:
            self.lines.append(f"{what} can't be seen: {error}")
        return None
