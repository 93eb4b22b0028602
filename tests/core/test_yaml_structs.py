"""The data of a YAML file as structs: what is taken, what is refused, and with which words."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.yaml_files import parse
from accountpulse.core.yaml_structs import After, Before, Chosen, read


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


class Cat(msgspec.Struct, frozen=True):
    lives: Annotated[int, msgspec.Meta(ge=1, le=9)] = 9


class Dog(msgspec.Struct, frozen=True):
    name: str


def _animal(value: object) -> type[msgspec.Struct]:
    return Dog if isinstance(value, dict) and "name" in value else Cat


class File(msgspec.Struct, frozen=True, rename={"source": "from"}):
    source: Literal["one", "two"] = "one"
    count: int = 1
    share: Annotated[float, msgspec.Meta(ge=0, lt=100)] = 10
    level: float = 0.5
    flag: bool = False
    since: date | None = None
    days: Annotated[int, msgspec.Meta(ge=1)] | Literal["all"] = 90
    even: Annotated[int, After(_even)] = 2
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("a",)
    key: Annotated[str, msgspec.Meta(pattern=r"^[a-z]+$")] = "k"
    by_name: dict[Annotated[str, Before(str)], Cat] = msgspec.field(default_factory=dict)
    animal: Annotated[Cat | Dog, Chosen(_animal)] = Cat()

    def __post_init__(self) -> None:
        if self.source == "two" and self.count < 2:
            raise ValueError("two takes a count of 2 at least")


def read_text(text: str) -> File:
    return read(parse(text, "file.yaml"), File)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    assert read_text(text) == File()


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("from: two\ncount: 2", "source", "two"),
        ('count: "5"', "count", 5),
        ("count: 5.0", "count", 5),
        ("share: 20", "share", 20.0),
        ("flag: yes", "flag", True),
        ("since: 2026-10-31", "since", date(2026, 10, 31)),
        ("since: null", "since", None),
        ("days: all", "days", "all"),
        ("days: 7", "days", 7),
        ("names: [b, c]", "names", ("b", "c")),
        ("by_name: {1: {lives: 3}}", "by_name", {"1": Cat(3)}),
        ("animal: {lives: 2}", "animal", Cat(2)),
        ("animal: {name: Rex}", "animal", Dog("Rex")),
    ],
)
def test_a_value_is_taken_in_its_type(text: str, field: str, value: Any) -> None:
    assert getattr(read_text(text), field) == value


KEYS = ("animal", "by_name", "count", "days", "even", "flag", "from", "key", "level", "names", "share", "since")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("from: three", "line 1, from: must be 'one' or 'two'"),
        ("count: many", "line 1, count: must be a whole number, not 'many'"),
        ("count: 5%", "line 1, count: must be a whole number, not '5%'"),
        ("level: 0,15", "line 1, level: must be a number, not '0,15': write 0.15"),
        ("animal:", "line 1, animal: is empty: put its keys below it, or take the line away"),
        ("count: null", "line 1, count: must be a whole number"),
        ("count: true", "line 1, count: must be a whole number"),
        ("count: 1.5", "line 1, count: must be a whole number"),
        ("share: 100", "line 1, share: must be a number, at least 0, less than 100"),
        ("share: .nan", "line 1, share: must be a number, at least 0, less than 100"),
        ("level: .nan", "line 1, level: must be a finite number"),
        ("level: .inf", "line 1, level: must be a finite number"),
        ("flag: maybe", "line 1, flag: must be true or false"),
        ("since: soon", "line 1, since: must be a day such as 2026-10-31"),
        ("days: 0", "line 1, days: must be a whole number, at least 1 or 'all'"),
        ("even: 3", "line 1, even: must be even"),
        ("names: []", "line 1, names: must name at least one"),
        ("names: a", "line 1, names: must be a list"),
        ("names: [a, 2]", "line 1, names.1: must be a text"),
        ("key: 'A b'", "line 1, key: must be a text, which matches ^[a-z]+$"),
        ("by_name: [a]", "line 1, by_name: must be names with their values"),
        ("by_name: {tom: {lives: 10}}", "line 1, by_name.tom.lives: must be a whole number, at least 1, at most 9"),
        ("by_name: {tom: 5}", "line 1, by_name.tom: must be keys with their values"),
        ("animal: {name: 7}", "line 1, animal.name: must be a text"),
        ("animal: {nmae: Rex}", "line 1, animal.nmae: not a known key; the keys here are lives"),
        ("from: two", "line 1: two takes a count of 2 at least"),
        ("source: one", "line 1, source: not a known key; the keys here are " + ", ".join(KEYS)),
        ("cuont: 1", "line 1, cuont: not a known key; did you mean 'count'?"),
        ("[a]", "line 1: must be keys with their values"),
    ],
)
def test_a_mistake_is_told_in_plain_words_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_text(text)
    assert caught.value.problems == [problem]


def test_a_key_without_a_default_has_to_be_there() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(parse("{}", "dog.yaml"), Dog)
    assert [problem.rpartition(", ")[2] for problem in caught.value.problems] == ["name: is missing"]


def test_all_mistakes_come_together_and_a_block_with_one_is_not_made() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_text("from: two\ncount: x\nnames: [1, b, 3]\nby_name:\n  tom: {lives: 0}\n")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "line 2, count",
        "line 3, names.0",
        "line 3, names.2",
        "line 5, by_name.tom.lives",
    ]
