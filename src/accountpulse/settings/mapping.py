"""accountpulse.yaml: what holds for a whole run, and the blocks that the systems declare, with their defaults."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from accountpulse.core.yaml_structs import After
from accountpulse.systems import SYSTEMS
from accountpulse.systems.mapping_parts import MappingBlock


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone, such as UTC or Europe/Berlin") from None
    return name


Days = Annotated[int, msgspec.Meta(ge=1, le=730)]


class LinksBlock(MappingBlock, frozen=True):
    """A file of links for what no rule knows, and whether it or the rules come first: see [linking.md](linking.md).

    `file` lies beside this one; without it links.csv is read, if it is there.
    """

    file: str | None = None  # a CSV in the format of `accountpulse accounts --suggest`, or of `--out`
    first: Literal["file", "rules"] = "file"


class RunMapping(MappingBlock, frozen=True):
    """What holds for a whole run."""

    timezone: Annotated[str, After(_zone)] = "UTC"
    window: Days | Literal["period"] = 90
    scorecard: str | None = None  # a file beside this one; null: the packaged scorecard

    @property
    def window_days(self) -> int | None:
        """How many days support and bugs are measured over; None: those of the month itself."""
        return None if self.window == "period" else self.window

    def block(self, name: str) -> Any:
        """A block by its name, as the system that declares it wants it."""
        return getattr(self, name)


def _fields() -> Mapping[str, tuple[Any, Any]]:
    """The blocks below the run's own keys: those beside a system's own block come first."""
    beside = {name: block for system in SYSTEMS.values() for name, block in system.blocks.items()}
    own = {name: (system.mapping, system.mapping()) for name, system in SYSTEMS.items()}
    _refuse_clashes([*dir(RunMapping), "links", *(block for each in SYSTEMS.values() for block in each.blocks), *own])
    return {**beside, "links": (LinksBlock, LinksBlock()), **own}


def _refuse_clashes(names: Sequence[str]) -> None:
    """A name that stands for two things in accountpulse.yaml is a mistake of whoever registers a system."""
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise TypeError(f"systems/: {', '.join(twice)} would be two things in accountpulse.yaml; choose another name")


_BLOCKS = [(name, kind, default) for name, (kind, default) in _fields().items()]
_MODEL: Any = msgspec.defstruct("AccountpulseYaml", _BLOCKS, bases=(RunMapping,), module=__name__, frozen=True)
AccountpulseYaml: type[RunMapping] = _MODEL
