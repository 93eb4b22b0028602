"""docs/http.md draws the states of the code: neither more nor fewer, and a slice's steps as the code allows them."""

import re
from enum import Enum
from pathlib import Path

import pytest

from accountpulse.http.rate_limiter import LimiterState
from accountpulse.http.retry import AttemptState
from accountpulse.http.time_slices import SLICE_TRANSITIONS, SliceState

PAGE = Path(__file__).parents[2] / "docs" / "http.md"
ENDS = "[*]"
SECTIONS = {"Trying again": AttemptState, "When a request may go": LimiterState, "Slices of time": SliceState}


def section(title: str) -> str:
    return PAGE.read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]


def arrows(title: str) -> set[tuple[str, str]]:
    diagram = section(title).split("```mermaid\nstateDiagram-v2\n")[1].split("```")[0]
    return set(re.findall(r"^ +(\S+) --> (\S+)", diagram, re.MULTILINE))


@pytest.mark.parametrize(("title", "states"), SECTIONS.items(), ids=SECTIONS)
def test_the_diagram_has_the_states_of_the_code(title: str, states: type[Enum]) -> None:
    assert {name for arrow in arrows(title) for name in arrow} - {ENDS} == {state.name for state in states}


@pytest.mark.parametrize(("title", "states"), SECTIONS.items(), ids=SECTIONS)
def test_the_table_has_the_states_of_the_code_each_once(title: str, states: type[Enum]) -> None:
    assert sorted(re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE)) == sorted(each.name for each in states)


def test_no_other_diagram_stands_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```mermaid") == text.count("stateDiagram-v2") == len(SECTIONS)


def test_the_steps_of_a_slice_are_those_that_the_code_allows() -> None:
    steps = {(one.name, other.name) for one, others in SLICE_TRANSITIONS.items() for other in others}
    starts = {(ENDS, SliceState.WAITING.name)}
    ends = {(state.name, ENDS) for state, others in SLICE_TRANSITIONS.items() if not others}
    assert arrows("Slices of time") == steps | starts | ends
