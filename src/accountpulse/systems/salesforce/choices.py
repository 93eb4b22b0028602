"""Parts of the mapping that several of its keys are made of: which records count, and the way that `from` names."""

from accountpulse.core.yaml_structs import Chosen
from accountpulse.systems.mapping_parts import MappingBlock, Names, TextName


def chosen(**ways: type[MappingBlock]) -> Chosen:
    """The way to read something that `from` names, else the first one."""
    default = next(iter(ways))

    def way(value: object) -> type[MappingBlock]:
        named = value.get("from", default) if isinstance(value, dict) else default
        if str(named) not in ways:
            raise ValueError(f"from: must be one of {', '.join(ways)}")
        return ways[str(named)]

    return Chosen(way)


class Only(MappingBlock, frozen=True):
    """Which records count: a field and the values of it that are looked for."""

    field: TextName
    values: Names
