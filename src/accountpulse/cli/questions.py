"""What `accountpulse init` asks on a terminal: keys with alternatives, and numbers that no system tells."""

import re
import shutil
import sys
import textwrap
from collections.abc import Mapping

from accountpulse.core.plain_text import plain
from accountpulse.settings import starter
from accountpulse.settings.starter import LookedAt
from accountpulse.systems.discovery import MappingChoice, NumbersToSay

LONGEST_SHOWN = 400  # characters of an alternative
WIDEST = 110  # columns
NUMBER = re.compile(r"\d{1,3}([.,]\d{1,2})?", re.ASCII)


def asked(looked: LookedAt) -> LookedAt:
    """The choices that matter, one question each: those with alternatives, and those with numbers to say."""
    for place, choice in enumerate(looked.choices):
        if choice.asked and choice.others:
            value = _answer(choice)
            looked = looked if value is choice.value else looked.with_choice(place, value)
        if choice.to_say is not None and isinstance(choice.value, Mapping):
            looked = looked.with_numbers(place, _numbers(choice.path, choice.to_say, choice.value))
    return looked


def _answer(choice: MappingChoice) -> object:
    """What somebody chooses; Enter, or the end of the input, takes the proposal."""
    offers = [(choice.value, choice.why), *choice.others]
    _say("")
    _say(".".join(choice.path))
    for number, (value, why) in enumerate(offers, 1):
        shown = starter.on_one_line(value)
        _say(shown if len(shown) <= LONGEST_SHOWN else f"{shown[: LONGEST_SHOWN - 1]}…", f"  {number}  ")
        _say(plain(why), "     ")
    while said := _line("Enter takes 1, or a number: "):
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(offers):
            return offers[int(said) - 1][0]
        _say(f"{said!r} is none of 1 to {len(offers)}.")
    return choice.value


def _numbers(path: tuple[str, ...], to_say: NumbersToSay, block: Mapping[str, object]) -> dict[str, float]:
    """A number for each name; Enter, or the end of the input, takes the usual one."""
    usual = block[to_say.key]
    _say("")
    _say(f"{'.'.join((*path, to_say.key))}: {to_say.what}")
    return {name: _number(name, float(number)) for name, number in usual.items()} if isinstance(usual, Mapping) else {}


def _number(name: str, usual: float) -> float:
    while said := _line(f"  {plain(name)}: Enter takes {usual:g}, or a number: "):
        if NUMBER.fullmatch(said):
            return float(said.replace(",", "."))
        _say(f"{said!r} is no number such as 0, 4 or 0.5.")
    return usual


def _line(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip()


def _say(text: str, lead: str = "") -> None:
    """A paragraph, wrapped to the terminal; its further lines stand below the first one's text."""
    width = max(min(shutil.get_terminal_size().columns, WIDEST), len(lead) + 20)
    lines = textwrap.wrap(
        text, width, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
    ) or [""]
    print("\n".join(lines), file=sys.stderr)  # noqa: T201
