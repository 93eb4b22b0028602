"""Parts of the mapping that several of its keys are made of: which records count, and the way that `from` names."""

from typing import Any

from pydantic import Discriminator, Field

from accountpulse.systems.mapping_parts import MappingBlock, TextName


def chosen(default: str, *others: str) -> Discriminator:
    """The way to read something that `from` names, else the default one."""

    def source(value: Any) -> str:
        named = value.get("from", default) if isinstance(value, dict) else getattr(value, "source", default)
        return str(named)

    message = f"from: must be one of {', '.join((default, *others))}"
    return Discriminator(source, custom_error_type="no_such_way", custom_error_message=message)


class Only(MappingBlock):
    """Which records count: a field and the values of it that are looked for."""

    field: TextName
    values: tuple[str, ...] = Field(min_length=1)
