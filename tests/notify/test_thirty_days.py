"""Thirty days of a company whose accounts cross lines on days that are known: each is told once, and nothing else."""

import shutil
from collections.abc import Collection
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from accountpulse.notify.digest import REPEATED
from accountpulse.notify.message import Digest
from accountpulse.settings import DigestBlock
from notify.company import (
    FAR,
    OWNERS,
    SMALL,
    STRICTER,
    Account,
    Killed,
    Measured,
    Notebook,
    WholeRun,
    leave,
    measure,
    scored,
    send_all,
    told,
)

EACH_OWNER = DigestBlock(audience="each owner")
OUTAGE_NOTE = "Intercom could not be read; what that alone changes is not told."
MISSED = {6, 7, 13, 14, 15, 21}  # no run on these days
TWICE = {5, 18, 24}  # the same data again, by another run
OUTAGE = {10, 11}  # Intercom can't be read
NEW_CARD = 26  # from this day on a tier begins at 85 instead of 75


def november(day: int) -> date:
    return date(2026, 11, day)


# day → account → what is measured of it from then on
PLANTED: dict[int, dict[int, dict[str, object]]] = {
    3: {1: {"score": 60.0}},
    4: {2: {"critical": 1.0, "opened_on": november(3)}},
    6: {3: {"score": 30.0, "logins": 30.0}},  # on a day without a run
    7: {4: {"score": 30.0, "logins": 30.0}},  # back before anybody could see it
    8: {4: {"score": 80.0, "logins": 80.0}},
    9: {1: {"score": 80.0}},
    10: {5: {"score": 20.0}, 6: {"critical": 1.0, "opened_on": november(9)}},  # 5 by Intercom, which can't be read
    12: {2: {"critical": 0.0, "opened_on": None}},
    16: {7: {"logins": None}},  # a quarter of the weight is not known any more
    18: {8: {"critical": 1.0, "opened_on": november(17)}},
    19: {8: {"critical": 1.0, "opened_on": november(18)}},  # one is closed, another is opened
    20: {7: {"score": None}},  # nothing that counts is known
    23: {7: {"score": 80.0, "logins": 80.0}},
    27: {9: {"score": 40.0, "logins": 40.0}},
    28: {10: {"renewal": date(2027, 11, 20)}},
}
SIGNAL = "capped at 49: open critical signal"
RENEWALS = {10: date(2026, 11, 20), 11: date(2027, 2, 1), 12: date(2027, 5, 10)}

EXPECTED: dict[int, list[tuple[int, str, str]]] = {
    3: [(1, "worse", "Healthy to At Risk"), (11, "worse", "renewal within 90 days (2027-02-01)")],
    4: [
        (2, "worse", "Healthy to Critical"),
        (2, "worse", SIGNAL),
        (2, "worse", "critical signal open since 2026-11-03"),
    ],
    8: [(3, "worse", "Healthy to Critical")],
    9: [(1, "back", "At Risk to Healthy")],
    10: [
        (6, "worse", "Healthy to Critical"),
        (6, "worse", SIGNAL),
        (6, "worse", "critical signal open since 2026-11-09"),
    ],
    11: [(12, "worse", "renewal within 180 days (2027-05-10)")],
    12: [
        (5, "worse", "Healthy to Critical"),
        (2, "back", f"Critical to Healthy; no longer {SIGNAL}; no critical signal open any more"),
    ],
    16: [(7, "worse", "75 % of the weight is known, 100 % before")],
    18: [
        (8, "worse", "Healthy to Critical"),
        (8, "worse", SIGNAL),
        (8, "worse", "critical signal open since 2026-11-17"),
    ],
    19: [(8, "worse", "critical signal open since 2026-11-18")],
    20: [(7, "worse", "Healthy to Not Rated")],
    22: [(10, "worse", "renewal overdue since 2026-11-20")],
    23: [(7, "back", "Not Rated to Healthy")],
    27: [(9, "worse", "At Risk to Critical")],
    28: [(10, "back", "renewal moved to 2027-11-20")],
}  # fmt: skip


class OneRun(NamedTuple):
    """A run of the month; `number`: which of its day."""

    run: WholeRun
    number: int

    @property
    def day(self) -> int:
        return self.run.measured.day.day


@pytest.fixture(scope="module")
def runs() -> list[OneRun]:
    """Every run of the month, in its order; of some days two."""
    accounts = {number: Account(number, renewal=RENEWALS.get(number, FAR)) for number in range(1, 13)}
    found: list[tuple[Measured, int]] = []
    for day in range(1, 31):
        for number, changes in PLANTED.get(day, {}).items():
            accounts[number] = replace(accounts[number], **changes)  # type: ignore[arg-type]
        card = SMALL if day < NEW_CARD else STRICTER
        measured = measure(accounts.values(), november(day), card, outage=day in OUTAGE)
        found += [(measured, number) for number in range(0 if day in MISSED else 2 if day in TWICE else 1)]
    scores = scored([measured for measured, _number in found])
    return [OneRun(run, number) for run, (_measured, number) in zip(scores, found, strict=True)]


Heard = dict[int, list[tuple[int, str, str]]]


def heard(folder: Path, runs: list[OneRun], notebook: Notebook, days: Collection[int]) -> Heard:
    """What a channel is told on each of these days, sorted; it is told after each run of the day."""
    found: Heard = {}
    for each in runs:
        leave(folder, each.run, each.number)
        if each.day in days:
            before = len(notebook.pages)
            send_all(folder, november(each.day), notebook)
            found[each.day] = sorted([*found.get(each.day, []), *told(notebook.pages[before:])])
    return {day: lines for day, lines in found.items() if lines}


@pytest.fixture(scope="module")
def month(runs: list[OneRun], tmp_path_factory: pytest.TempPathFactory) -> tuple[Heard, Notebook]:
    """What was told on each day to a channel that is told every day."""
    notebook = Notebook()
    return heard(tmp_path_factory.mktemp("month"), runs, notebook, range(1, 31)), notebook


def test_each_line_is_told_once_on_the_first_day_that_shows_it_and_nothing_is_invented(
    month: tuple[Heard, Notebook],
) -> None:
    assert month[0] == {day: sorted(lines) for day, lines in EXPECTED.items()}


def test_the_first_digest_is_a_baseline_and_an_outage_and_a_new_scorecard_are_a_line_each(
    month: tuple[Heard, Notebook],
) -> None:
    notes = [(page.as_of.day, note) for page in month[1].pages for note in page.notes]
    effect = "8 accounts got another tier by it alone, and did not cross a line"
    assert notes == [
        (1, "First digest: from here on it says what crosses a line in 12 accounts."),
        (10, OUTAGE_NOTE),
        (11, OUTAGE_NOTE),
        (12, "Intercom could be read again."),
        (NEW_CARD, f"The scorecard changed (small, version 2): {effect}."),
    ]
    first = month[1].pages[0]
    assert (first.heading, first.entries) == ("Customer health, 1 November 2026: first digest", ())


def test_a_channel_that_is_told_once_a_week_hears_what_is_so_then(tmp_path: Path, runs: list[OneRun]) -> None:
    weekly = heard(tmp_path, [each for each in runs if each.day <= 23], Notebook(), (2, 9, 16, 23))
    assert weekly[9] == [
        (2, "worse", "Healthy to Critical"),
        (2, "worse", SIGNAL),
        (2, "worse", "critical signal open since 2026-11-03"),
        (3, "worse", "Healthy to Critical"),
        (11, "worse", "renewal within 90 days (2027-02-01)"),
    ]  # 1 was At Risk between, 4 was Critical: nobody was told, and both are as before
    assert {number for number, *_rest in weekly[16]} == {2, 5, 6, 7, 12}
    assert {number for number, *_rest in weekly[23]} == {7, 8, 10}
    assert (7, "back", "100 % of the weight is known again, 75 % before") in weekly[23]


@pytest.fixture(scope="module")
def before_the_kill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two owners with an account each that has crossed a line; both were told before."""
    folder = tmp_path_factory.mktemp("kill")
    accounts = [Account(number, owner=OWNERS[number - 1]) for number in (1, 2)]
    fallen = [replace(each, score=60.0) for each in accounts]
    first, second = scored([measure(accounts, november(1)), measure(fallen, november(2))])
    leave(folder, first, 0)
    send_all(folder, november(1), Notebook(), block=EACH_OWNER)
    leave(folder, second, 0)
    leave(folder, second, 1)
    return folder


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("owner", OWNERS)
def test_a_sending_that_is_killed_goes_on_tells_everybody_and_repeats_one_digest_at_most(
    owner: str, where: str, before_the_kill: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(before_the_kill, tmp_path / "state")

    def die(digest: Digest) -> None:
        if digest.owner_id == owner:
            raise Killed

    notebook = Notebook(**{where: die})  # type: ignore[arg-type]
    with pytest.raises(Killed):
        send_all(folder, november(2), notebook, block=EACH_OWNER)
    again = Notebook()
    send_all(folder, november(2), again, block=EACH_OWNER)
    lines = told([*notebook.pages, *again.pages])
    struck = OWNERS.index(owner) + 1
    fell = "worse", "Healthy to At Risk"
    assert lines.count((struck, *fell)) == (2 if where == "after" else 1)
    assert lines.count((3 - struck, *fell)) == 1
    assert len(lines) == (3 if where == "after" else 2)
    assert [page.owner_id for page in again.pages if REPEATED in page.notes] == [owner]
    assert not any(each.sent for each in send_all(folder, november(2), again, block=EACH_OWNER))
