"""What the models of accountpulse.yaml are made of."""

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
T = TypeVar("T")


def _api_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name that the system could have (letters, digits, _ and dots)")
    return name


def _or_none(value: object) -> object:
    return None if value == "none" else value


Unless = Annotated[T | None, BeforeValidator(_or_none)]  # the word `none`: this part is not used
ApiName = Annotated[str, AfterValidator(_api_name)]


class MappingBlock(BaseModel):
    """Base of all parts: unknown keys are mistakes, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
