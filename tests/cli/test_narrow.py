"""Tables on narrow terminals: what has no room is told in lines, and no number or name of a tier is cut."""

import polars as pl
import pytest
from rich.console import Console, RenderableType

from accountpulse.cli import summary

ROWS = {"Salesforce": ["13,467", "9,001"], "Jira": ["7", "0"]}
HEADINGS = ("read", "assigned to accounts")


def shown(what: RenderableType, width: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(what)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_headings_are_broken_before_numbers_are_told_in_lines() -> None:
    def told(width: int) -> list[str]:
        return shown(summary.by_source("Rows", HEADINGS, ROWS, width), width)

    assert told(42) == [
        "Rows          read  assigned to accounts",
        "Salesforce  13,467                 9,001",
        "Jira             7                     0",
    ]
    assert (
        told(41)[2:]
        == told(30)[2:]
        == [
            "Rows          read  accounts",
            "Salesforce  13,467     9,001",
            "Jira             7         0",
        ]
    )
    assert " ".join(told(29)) == (
        "Salesforce: read 13,467, assigned to accounts 9,001 Jira: read 7, assigned to accounts 0"
    )


@pytest.mark.parametrize("width", [30, 40, 80])
def test_of_the_tiers_the_bar_alone_gives_way(width: int) -> None:
    tiers = pl.DataFrame({"tier": ["Good", "Not Rated"], "accounts": [1_200, 1], "arr": [1.58e6, None]})
    lines = shown(summary.tier_table(tiers, ["Good"]), width)
    assert [line.partition("█")[0].rstrip(" ▏") for line in lines] == [
        "Tier       Accounts    ARR",
        "Good          1,200  1.58M",
        "Not Rated         1      –",
    ]
    assert max(map(len, lines)) <= width
