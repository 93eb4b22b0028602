"""Whose fault it is where a system refuses a query over many values: the query's, or a value's.

The same query without values is asked first, once. Where that is refused as well, the system or the query is at
fault, and its refusal is raised: a field that nobody may see must not look like hundreds of unknown values. Where it
passes, the values are at fault, however many; halves are tried down to those that are refused alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from accountpulse.http.client import RequestRefused, together

T = TypeVar("T")


@dataclass
class ValueQueries(Generic[T]):
    """Queries of one kind. `ask` sends one over some values, `control` the same without values.

    `statuses` are those of a refusal that a value may be to blame for. `refused` collects the values that the system
    refuses alone.
    """

    ask: Callable[[Sequence[str]], Awaitable[T]]
    control: Callable[[], Awaitable[Any]]
    statuses: frozenset[int] = frozenset({400, 404, 422})
    refused: set[str] = field(default_factory=set)
    _passed: bool = False

    async def answers(self, values: Sequence[str]) -> list[T]:
        """The answers over all values that aren't refused; RequestRefused where no value is to blame."""
        try:
            return [await self.ask(values)]
        except RequestRefused as refusal:
            if refusal.status not in self.statuses:
                raise
        if not self._passed:
            await self.control()
            self._passed = True
        if len(values) == 1:
            self.refused.add(values[0])
            return []
        half = len(values) // 2
        halves = await together(map(self.answers, (values[:half], values[half:])))
        return [answer for part in halves for answer in part]
