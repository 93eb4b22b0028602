"""Where the score and people disagree, told once when it begins and once when it ends; counted by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from accountpulse.notify.disagreements import TOLD_WORDS
from accountpulse.notify.errors import NotSent
from accountpulse.notify.mail_page import page
from accountpulse.notify.message import Digest
from accountpulse.notify.rendering import as_data, plain_text, ready
from accountpulse.notify.slack import message
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import DigestBlock
from accountpulse.state import State
from notify.company import (
    OWNERS,
    SMALL,
    STRICTER,
    Account,
    Notebook,
    account_id,
    leave,
    measure,
    scored,
    send_all,
    told,
)

MONDAY = date(2026, 11, 23)
RED, GREEN = ("red", "current"), ("green", "current")
ONE = Account(1)  # Healthy, 80


def days(folder: Path, *accounts: Sequence[Account], cards: dict[int, Scorecard] | None = None, **options: Any) -> Any:
    """One run and one sending a day, from Monday on; what was told on each day. `outages`: days without Intercom."""
    outages = options.get("outages", ())
    runs = [
        measure(there, MONDAY + timedelta(days=number), (cards or {}).get(number, SMALL), outage=number in outages)
        for number, there in enumerate(accounts)
    ]
    found = []
    for number, run in enumerate(scored(runs)):
        leave(folder, run, number)
        channel = Notebook()
        send_all(folder, MONDAY + timedelta(days=number), channel)
        found.append(told(channel.pages))
    return found


def said(of: Account, **changes: Any) -> list[Account]:
    return [replace(of, **changes)]


def test_it_is_told_once_when_it_begins_and_once_when_it_ends(tmp_path: Path) -> None:
    found = days(
        tmp_path, [ONE], said(ONE, pulse=RED), said(ONE, pulse=RED), said(ONE, pulse=("red", "stale")),
        said(ONE, pulse=("yellow", "current")), said(ONE, pulse=("yellow", "current")),
    )  # fmt: skip
    assert found == [
        [], [(1, "disagree", "score Healthy (80), pulse red of 2026-11-04")], [], [],
        [(1, "agree", "score Healthy (80), pulse yellow of 2026-11-07")], [],
    ]  # fmt: skip


def test_what_was_so_when_the_channel_began_is_no_news(tmp_path: Path) -> None:
    found = days(tmp_path, said(ONE, pulse=RED), said(ONE, pulse=RED), said(ONE, pulse=("red", "void")))
    assert found == [[], [], [(1, "agree", "score Healthy (80), no pulse that counts")]]


def test_a_new_account_is_no_news_either(tmp_path: Path) -> None:
    found = days(tmp_path, [ONE], [ONE, Account(2, pulse=RED)], [ONE, Account(2, pulse=RED)])
    assert found == [[], [], []]


def test_a_score_that_falls_below_a_green_pulse_crosses_a_line_and_disagrees(tmp_path: Path) -> None:
    found = days(tmp_path, said(ONE, pulse=GREEN), said(ONE, pulse=GREEN, score=40.0, logins=40.0))
    assert found[1] == [
        (1, "worse", "Healthy to Critical"), (1, "disagree", "score Critical (40), pulse green of 2026-11-04"),
    ]  # fmt: skip


def test_a_pulse_and_a_score_that_change_sides_are_another_disagreement(tmp_path: Path) -> None:
    *_, last = days(tmp_path, [ONE], said(ONE, pulse=RED), said(ONE, pulse=GREEN, score=40.0, logins=40.0))
    assert [each for each in last if each[1] in ("disagree", "agree")] == [
        (1, "disagree", "score Critical (40), pulse green of 2026-11-05")
    ]


@pytest.mark.parametrize(
    "silence",
    [{"pulse": (None, "unread")}, {"pulse": None}],
    ids=["nobody could look", "nobody has a pulse any more"],
)
def test_a_pulse_that_can_not_be_read_ends_nothing(tmp_path: Path, silence: dict[str, Any]) -> None:
    apart = said(ONE, pulse=RED)
    found = days(tmp_path, [ONE], apart, said(ONE, **silence), apart, said(ONE, pulse=GREEN))
    assert [[kind for _, kind, _ in each] for each in found] == [[], ["disagree"], [], [], ["agree"]]


def test_what_became_of_the_score_while_the_pulse_could_not_be_read_is_told_afterwards(tmp_path: Path) -> None:
    apart, dark = said(ONE, pulse=RED), (None, "unread")
    lower = {"score": 60.0, "logins": 60.0}
    ended = days(tmp_path, [ONE], apart, said(ONE, pulse=dark, **lower), said(ONE, pulse=RED, **lower))
    assert [[kind for _, kind, _ in each if kind != "worse"] for each in ended] == [[], ["disagree"], [], ["agree"]]


def test_what_began_while_the_pulse_could_not_be_read_is_told_afterwards(tmp_path: Path) -> None:
    low, dark = replace(ONE, score=60.0, logins=60.0), (None, "unread")
    begun = days(tmp_path, said(low, pulse=RED), said(ONE, pulse=dark), said(ONE, pulse=RED))
    assert [[kind for _, kind, _ in each if kind == "disagree"] for each in begun] == [[], [], ["disagree"]]


def test_an_account_that_lacks_a_source_waits(tmp_path: Path) -> None:
    """On the second day its score can't be judged; on the third it is told."""
    apart = said(ONE, pulse=RED)
    found = days(tmp_path, [ONE], apart, apart, outages=(1,))
    assert [[kind for _, kind, _ in each] for each in found] == [[], [], ["disagree"]]


def test_a_new_scorecard_alone_tells_of_nobody(tmp_path: Path) -> None:
    """By the stricter one the account is At Risk, so that its red pulse contradicts nothing."""
    apart = said(ONE, pulse=RED)
    found = days(tmp_path, [ONE], apart, apart, apart, cards={2: STRICTER})
    assert [[kind for _, kind, _ in each if kind in ("disagree", "agree")] for each in found] == [
        [],
        ["disagree"],
        [],
        [],
    ]


def test_the_forecast_of_a_renewal_that_is_near_counts_as_well(tmp_path: Path) -> None:
    near = replace(ONE, renewal=date(2027, 3, 1), outlook="open")
    found = days(
        tmp_path, [near], said(near, outlook="unlikely"), said(near, outlook="unlikely"), said(near, outlook="likely")
    )
    assert found[1:] == [
        [(1, "disagree", "score Healthy (80), renewal forecast unlikely")], [],
        [(1, "agree", "score Healthy (80), renewal forecast likely")],
    ]  # fmt: skip


def test_a_ledger_of_an_earlier_version_is_a_baseline(tmp_path: Path) -> None:
    days(tmp_path, said(ONE, pulse=GREEN))
    state = State(tmp_path)
    ledger = state.ledgers.read("notebook")
    assert ledger.document.told is not None
    table = state.ledgers.table(ledger.document.told)
    assert table is not None
    older = state.ledgers.save_table("notebook", table.drop([name for name in table.columns if name in TOLD_WORDS]))
    last = msgspec.structs.replace(ledger.document.told, table=older)
    state.ledgers.write(ledger, msgspec.structs.replace(ledger.document, told=last))
    again = []
    for number, there in enumerate((said(ONE, pulse=RED), said(ONE, pulse=GREEN)), 1):
        day = MONDAY + timedelta(days=number)
        leave(tmp_path, scored([measure(there, day)])[0], number)
        channel = Notebook()
        send_all(tmp_path, day, channel)
        again.append([kind for _, kind, _ in told(channel.pages)])
    assert again == [[], ["agree"]]


def test_each_owner_is_told_of_the_own_accounts_and_a_digest_that_failed_comes_again(tmp_path: Path) -> None:
    first, second = ONE, Account(2, owner=OWNERS[1])
    leave(tmp_path, scored([measure([first, second], MONDAY)])[0], 0)
    block = DigestBlock(audience="each owner")
    send_all(tmp_path, MONDAY, Notebook(), block=block)
    tuesday = MONDAY + timedelta(days=1)
    leave(tmp_path, scored([measure([replace(each, pulse=RED) for each in (first, second)], tuesday)])[0], 1)

    def refuse(digest: Digest) -> None:
        if digest.owner_id == OWNERS[1]:
            raise NotSent("notebook", "550", "Mend it.")

    channel = Notebook(before=refuse)
    send_all(tmp_path, tuesday, channel, block=block)
    assert [(each.owner_id, each.heading) for each in channel.pages] == [
        (OWNERS[0], "Customer health, 24 November 2026: score and people disagree on 1 account")
    ]
    later = Notebook()
    send_all(tmp_path, tuesday, later, block=block)
    assert [(each.owner_id, [other.account_id for other in each.disagree]) for each in later.pages] == [
        (OWNERS[1], [account_id(2)])
    ]
    last = Notebook()
    send_all(tmp_path, tuesday, last, block=block)
    assert last.pages == []


def test_every_rendering_has_both_lists(tmp_path: Path) -> None:
    two = Account(2, pulse=RED)
    leave(tmp_path, scored([measure([ONE, two], MONDAY)])[0], 0)
    send_all(tmp_path, MONDAY, Notebook())
    tuesday = MONDAY + timedelta(days=1)
    leave(tmp_path, scored([measure([replace(ONE, pulse=RED), replace(two, pulse=GREEN)], tuesday)])[0], 1)
    channel = Notebook()
    send_all(tmp_path, tuesday, channel)
    (shown,) = (ready(each) for each in channel.pages)
    for text in (plain_text(shown), page(shown), str(message(shown))):
        assert "Score and people disagree (1)" in text
        assert "No longer in disagreement (1)" in text
        assert "score Healthy (80), pulse red of 2026-11-04" in text
    data = as_data(shown)
    assert [each["account_id"] for each in data["disagree"]] == [account_id(1)]
    assert [each["text"] for each in data["no_longer_disagree"]] == ["score Healthy (80), pulse green of 2026-11-04"]
