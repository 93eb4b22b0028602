"""What a digest says, of whom, to whom; and what is left where a channel fails."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from accountpulse.core.errors import AlreadyRunning
from accountpulse.core.period import Period, scope_of
from accountpulse.notify.digest import REPEATED, Audience, LastWord, compose
from accountpulse.notify.errors import NotSent
from accountpulse.notify.mail_page import page
from accountpulse.notify.message import Crossing, Digest, Other
from accountpulse.notify.reasons import latest_signals
from accountpulse.notify.rendering import as_data, plain_text, ready
from accountpulse.notify.slack import message
from accountpulse.notify.told import Comparison, NewestRun, compare
from accountpulse.pipeline.earlier_runs import EarlierRun
from accountpulse.scoring.crossings import LineState, crossings, renewal_stage
from accountpulse.scoring.scorecard import load
from accountpulse.scoring.scores import score
from accountpulse.settings import DigestBlock
from accountpulse.state import State
from accountpulse.state.ledgers import LedgerDocument
from notify.company import (
    CARD,
    OWNERS,
    SMALL,
    STRICTER,
    Account,
    Killed,
    Notebook,
    account_id,
    leave,
    measure,
    scored,
    send_all,
    told,
)
from notify.digests import digest as digest_of
from notify.digests import entry

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
ALL = Audience(each_owner=False, owners={}, fallback=None)
LAST = LastWord("r1", SMALL.hash, ())
AS_BEFORE = LineState("Healthy", frozenset(), 80.0, 100.0, 0.0, None, 0, date(2027, 12, 31))


@cache
def newest(*accounts: Account, day: date = MONDAY, outage: bool = False) -> NewestRun:
    run = scored([measure(accounts, day, outage=outage)])[0]
    dates = run.measured.signals.drop_nulls().select("account_id", "opened_on").iter_rows()
    failed = ("Intercom",) if outage else ()
    return NewestRun("r2", day, SMALL, run.scores, run.measured.metrics, failed, (), dict(dates), {}, day=day)


def then_now(before: list[Account], now: list[Account], *, outage: bool = False) -> tuple[Comparison, NewestRun]:
    """What became of them from Monday to Tuesday."""
    run = newest(*now, day=TUESDAY, outage=outage)
    return compare(compare(None, newest(*before), same_card=False).told, run, same_card=True), run


def fallen(account: Account) -> Account:
    return replace(account, score=60.0)


def refuse_of(owner: str, *, may_have_arrived: bool = False) -> Callable[[Digest], None]:
    """A channel that takes no digest of this owner."""

    def refuse(digest: Digest) -> None:
        if digest.owner_id == owner:
            raise NotSent("mail", "550", "Mend the address.", may_have_arrived=may_have_arrived)

    return refuse


# --- lines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "stage"),
    [(None, 0), (181, 0), (180, 1), (91, 1), (90, 2), (31, 2), (30, 3), (0, 3), (-1, 4)],
)
def test_a_renewal_enters_its_stages_on_their_first_day(days: float | None, stage: int) -> None:
    assert renewal_stage(days) == stage


@pytest.mark.parametrize(
    ("then", "now", "told_as"),
    [
        ({}, {"tier": "At Risk"}, Crossing("tier", "Healthy to At Risk", worse=True)),
        ({"tier": "Critical"}, {"tier": "At Risk"}, Crossing("tier", "Critical to At Risk", worse=False)),
        ({}, {"tier": "Not Rated"}, Crossing("coverage", "Healthy to Not Rated", worse=True)),
        ({"tier": "Not Rated"}, {"tier": "At Risk"}, Crossing("coverage", "Not Rated to At Risk", worse=True)),
        ({"tier": "Not Rated"}, {}, Crossing("coverage", "Not Rated to Healthy", worse=False)),
        ({}, {"coverage": 90.0}, Crossing("coverage", "90 % of the weight is known, 100 % before", worse=True)),
        ({}, {"coverage": 90.1}, None),
        ({}, {"coverage": None}, None),
        ({"stage": 1}, {"stage": 3}, Crossing("renewal", "renewal within 30 days (2027-12-31)", worse=True)),
        ({"stage": 4}, {"stage": 0}, Crossing("renewal", "renewal moved to 2027-12-31", worse=False)),
        ({"stage": 1}, {"stage": 0, "renewal": None}, None),
        ({"critical": 1.0}, {"critical": None}, None),
        ({"critical": None}, {"critical": 1.0}, Crossing("critical signal", "critical signal open", worse=True)),
        ({"critical": 1.0}, {"critical": 2.0}, Crossing("critical signal", "2 critical signals open", worse=True)),
        (
            {"critical": 1.0},
            {"critical": 0.0},
            Crossing("critical signal", "no critical signal open any more", worse=False),
        ),
        (
            {},
            {"caps": frozenset({"open critical signal"}), "health": 49.0},
            Crossing("cap", "capped at 49: open critical signal", worse=True),
        ),
        ({}, {"caps": frozenset({"open critical signal"}), "health": 48.9}, None),
        (
            {"caps": frozenset({"open critical signal"}), "health": 49.0},
            {},
            Crossing("cap", "no longer capped at 49: open critical signal", worse=False),
        ),
        ({"caps": frozenset({"open critical signal"}), "health": 20.0}, {}, None),
    ],
)
def test_a_line_is_crossed_by_what_is_known_of_both_states(
    then: dict[str, object], now: dict[str, object], told_as: Crossing | None
) -> None:
    found = crossings(AS_BEFORE._replace(**then), AS_BEFORE._replace(**now), SMALL)  # type: ignore[arg-type]
    assert found == (() if told_as is None else (told_as,))


# --- what was told ---------------------------------------------------------------------------------------------


def test_coverage_that_falls_slowly_is_told_once_it_has_fallen_ten_points() -> None:
    """A quarter of the weight hangs on logins; what it was told from stays until it is told."""
    accounts = [Account(1)]
    first = compare(None, newest(*accounts), same_card=False).told
    assert first["told:coverage"].to_list() == [100.0]
    crossed = compare(first, newest(replace(accounts[0], logins=None)), same_card=True)
    assert [each.text for each in crossed.crossed[account_id(1)].crossings] == [
        "75 % of the weight is known, 100 % before"
    ]
    assert crossed.told["told:coverage"].to_list() == [75.0]
    assert crossed.told["told:open"].to_list() == [["coverage"]]


def test_an_account_that_cannot_be_judged_without_the_missing_source_waits_and_is_told_afterwards() -> None:
    """Logins fall to 0: with CSAT as last read health is 60, At Risk; the run itself, without CSAT, says Critical."""
    before, now = [Account(1)], [Account(1, logins=0.0, renewal=date(2026, 12, 20))]
    found, _run = then_now(before, now, outage=True)
    assert found.waiting == (account_id(1),)
    assert [each.line for each in found.crossed[account_id(1)].crossings] == ["renewal"]
    again = compare(found.told, newest(*now, day=TUESDAY), same_card=True)
    assert [each.line for each in again.crossed[account_id(1)].crossings] == ["tier"]


def test_seats_that_come_from_the_missing_source_count_as_they_were() -> None:
    """40 of 50 seats are used: 80 points. In the outage neither number is known, and logins are as before."""
    card = load(
        CARD.replace("csat_score: {weight: 1, anchors", "mau: {weight: 1, per: seats, anchors"), "by_seats.yaml"
    )
    row = {**Account(1).row(MONDAY, outage=False), "mau": 40.0, "mau_reason": None, "seats": 50.0}
    lost = {**row, "mau": None, "mau_reason": "source_failed", "seats": None}
    kinds = {"mau": pl.Float64, "mau_reason": pl.String, "seats": pl.Float64, "login_frequency_reason": pl.String}
    tables = [pl.DataFrame([each], infer_schema_length=None).cast(kinds) for each in (row, lost)]
    runs = [
        NewestRun(
            "r", MONDAY, card, score(table, card).join(table, on="account_id"), table, failed, (), {}, {}, day=MONDAY
        )
        for table, failed in zip(tables, ((), ("Looker",)), strict=True)
    ]
    found = compare(compare(None, runs[0], same_card=False).told, runs[1], same_card=True)
    assert (dict(found.crossed), found.waiting) == ({}, ())
    assert found.told.select("mau", "seats").row(0) == (40.0, 50.0)


def without_logins(*accounts: Account) -> NewestRun:
    """A run of Tuesday for which Looker is not set up."""
    measured = measure(accounts, TUESDAY)
    nulls = pl.lit(None, pl.Float64).alias("login_frequency")
    metrics = measured.metrics.with_columns(nulls, login_frequency_reason=pl.lit("not_configured"))
    run = scored([measured._replace(metrics=metrics)])[0]
    return replace(newest(*accounts), as_of=TUESDAY, scores=run.scores, inputs=metrics, sources=("Intercom",))


def test_a_system_that_is_not_set_up_any_more_is_told_once_and_changes_no_account() -> None:
    """With logins 1 has 0.75 · 80 + 0.25 · 20 = 65, At Risk, and without them 80; 3 falls from 80 to 60 in support."""
    before = [Account(1, logins=20.0), Account(2), Account(3)]
    now = [before[0], before[1], fallen(before[2])]
    last = LAST._replace(sources=("Intercom", "Looker"))
    first = compare(None, newest(*before), same_card=False).told
    run = without_logins(*now)
    found = compare(first, run, same_card=True)
    [digest] = compose(found, run, last, ALL)
    assert digest.notes == ("Looker is no longer set up: what that alone changes is not told.",)
    assert told([digest]) == [(3, "worse", "Healthy to At Risk")]
    still = compare(found.told, run, same_card=True, unset=found.unset)
    assert compose(still, run, last._replace(sources=run.sources, unset=found.unset), ALL) == []
    # back, and meanwhile nobody of 2 logs in any more: 0.75 · 80 = 60
    again = newest(now[0], replace(now[1], logins=0.0), now[2], day=TUESDAY)
    back = compare(still.told, again, same_card=True, unset=still.unset)
    [digest] = compose(back, again, last._replace(sources=run.sources, unset=still.unset), ALL)
    assert (digest.notes, told([digest])) == ((), [(2, "worse", "Healthy to At Risk")])


def test_new_accounts_cross_nothing_and_missing_ones_are_named_once() -> None:
    found, run = then_now([Account(1), Account(2)], [Account(1), Account(3)])
    assert (found.new, dict(found.crossed)) == ((account_id(3),), {})
    [digest] = compose(found, run, LAST, ALL)
    assert digest.gone == (account_id(2),)
    assert digest.notes == (
        "No longer among the scored accounts: 1 (Company 2).",
        "New, and told of from here on: 1 account.",
    )
    later = compare(found.told, newest(Account(1), Account(3), day=TUESDAY), same_card=True)
    assert (later.missing, compose(later, run, LAST, ALL)) == ((), [])
    back = compare(later.told, newest(Account(2, score=10.0, logins=10.0), day=TUESDAY), same_card=True)
    assert list(back.crossed) == [account_id(2)]  # held against what was told of it last


def test_each_owner_is_told_which_accounts_of_theirs_are_gone_until_it_arrives(tmp_path: Path) -> None:
    before = [Account(1), Account(2, owner=OWNERS[1]), Account(3, owner=OWNERS[1])]
    monday, tuesday = scored([measure(before, MONDAY), measure([fallen(Account(1)), before[2]], TUESDAY)])
    leave(tmp_path, monday, 0)
    block, notebook = DigestBlock(audience="each owner"), Notebook()
    send_all(tmp_path, MONDAY, notebook, block=block)
    leave(tmp_path, tuesday, 0)
    notebook.before = refuse_of(OWNERS[1])
    send_all(tmp_path, TUESDAY, notebook, block=block)
    notebook.before = lambda _digest: None
    send_all(tmp_path, TUESDAY, notebook, block=block)
    send_all(tmp_path, TUESDAY, notebook, block=block)
    assert [(page.owner_id, page.gone, page.notes) for page in notebook.pages[1:]] == [
        (OWNERS[0], (), ()),
        (OWNERS[1], (account_id(2),), ("No longer among the scored accounts: 1 (Company 2).",)),
    ]


def test_a_new_account_is_told_of_where_it_needs_somebody_and_counted_later_where_it_does_not() -> None:
    """3 is Healthy and far from its renewal, 4 is Critical, of 5 a signal is open, and 6 renews in 20 days."""
    new = [
        Account(3),
        Account(4, score=10.0, logins=10.0),
        Account(5, critical=1.0, opened_on=MONDAY, logins=100.0, score=100.0),
        Account(6, renewal=date(2026, 12, 14)),
    ]
    found, run = then_now([Account(1)], [Account(1), *new])
    [digest] = compose(found, run, LAST._replace(uncounted=2), ALL)
    assert digest.notes == ("New, and told of from here on: 3 accounts.",)
    assert sorted(told([digest])) == [
        (4, "worse", "new: Critical"),
        (5, "worse", "critical signal open since 2026-11-23"),
        (5, "worse", "new: Critical"),
        (6, "worse", "new: Healthy"),
        (6, "worse", "renewal within 30 days (2026-12-14)"),
    ]
    better = newest(Account(1), *(replace(each, score=90.0, logins=90.0) for each in new), day=TUESDAY)
    [digest] = compose(compare(found.told, better, same_card=True), better, LAST, ALL)
    assert told([digest]) == [(4, "back", "Critical to Healthy")]


def test_new_accounts_that_are_well_are_counted_with_the_next_digest(tuesday: Path) -> None:
    first, days = Notebook("first"), [date(2026, 11, 25), date(2026, 11, 26)]
    send_all(tuesday, TUESDAY, first)
    there = [fallen(Account(1)), Account(2), Account(3), Account(4)]
    runs = scored([measure(there, days[0]), measure([*there[:3], fallen(Account(4))], days[1])])
    for day, run in zip(days, runs, strict=True):
        leave(tuesday, run, 0)
        send_all(tuesday, day, first)
    assert [page.notes for page in first.pages[1:]] == [("New, and told of from here on: 2 accounts.",)]


def test_a_part_of_what_was_told_that_is_better_is_no_all_clear() -> None:
    """At Risk and a renewal near: the renewal moves, the tier stays."""
    soon = replace(Account(1), renewal=date(2026, 12, 20), score=60.0)
    first = compare(None, newest(Account(1)), same_card=False).told
    second = compare(first, newest(soon, day=TUESDAY), same_card=True).told
    run = newest(fallen(Account(1)), day=TUESDAY)
    found = compare(second, run, same_card=True)
    [digest] = compose(found, run, LAST, ALL)
    assert (digest.crossed_back, [each.text for each in digest.others]) == ((), ["renewal moved to 2027-12-31"])
    assert digest.heading == "Customer health, 24 November 2026: 1 account is better"


def test_a_source_for_which_a_later_run_stopped_is_told_once_and_so_is_its_return(tuesday: Path) -> None:
    """The numbers are Tuesday's; on Wednesday Jira can't be read, on Thursday it can."""
    first, wednesday, thursday = Notebook("first"), date(2026, 11, 25), date(2026, 11, 26)
    send_all(tuesday, TUESDAY, first)
    state, begun = State(tuesday), datetime(2026, 11, 25, 6, tzinfo=UTC)
    scope = scope_of(Period(2026, 11), begun)
    state.runs.begin(scope, "r20261125-0", "f", begun)
    state.runs.end(scope, "r20261125-0", "stopped", {"failed": ["jira"]})
    first.pages.clear()
    send_all(tuesday, wednesday, first)
    send_all(tuesday, wednesday, first)
    [run] = scored([measure([fallen(Account(1)), Account(2)], thursday)])
    leave(tuesday, run, 0)
    send_all(tuesday, thursday, first)
    assert [(page.heading, page.notes) for page in first.pages] == [
        (
            "Customer health, 24 November 2026: no account crossed a line",
            ("Jira could not be read when it was last tried: there are no newer numbers.",),
        ),
        ("Customer health, 26 November 2026: no account crossed a line", ("Jira could be read again.",)),
    ]


def test_a_run_that_ended_without_a_source_to_blame_is_told_once(tuesday: Path) -> None:
    """As a refused load ends, or a run of an earlier version whose credential was refused."""
    first, wednesday = Notebook("first"), date(2026, 11, 25)
    send_all(tuesday, TUESDAY, first)
    state, begun = State(tuesday), datetime(2026, 11, 25, 6, tzinfo=UTC)
    scope = scope_of(Period(2026, 11), begun)
    state.runs.begin(scope, "r20261125-0", "f", begun)
    state.runs.end(scope, "r20261125-0", "stopped", {"exit_code": 3, "error": "refused"})
    first.pages.clear()
    send_all(tuesday, wednesday, first)
    send_all(tuesday, wednesday, first)
    assert [page.notes for page in first.pages] == [
        ("The last run, of 2026-11-25, did not finish: there are no newer numbers.",)
    ]


@pytest.mark.parametrize("may_have_arrived", [True, False])
def test_a_note_of_a_digest_that_was_not_taken_comes_with_the_next_sending(
    tmp_path: Path, *, may_have_arrived: bool
) -> None:
    """Both owners' accounts fall, by another scorecard; the second owner's digest is refused on two days."""
    before = [Account(number, owner=OWNERS[number - 1]) for number in (1, 2)]
    days, fell = [TUESDAY, date(2026, 11, 25), date(2026, 11, 26)], [replace(each, score=20.0) for each in before]
    runs = scored([measure(before, MONDAY), *(measure(fell, day, STRICTER) for day in days)])
    block, notebook = DigestBlock(audience="each owner"), Notebook()
    leave(tmp_path, runs[0], 0)
    send_all(tmp_path, MONDAY, notebook, block=block)
    for day, run in zip(days, runs[1:], strict=True):
        refusal = refuse_of(OWNERS[1], may_have_arrived=may_have_arrived)
        notebook.before = (lambda _digest: None) if day == days[2] else refusal
        leave(tmp_path, run, 0)
        send_all(tmp_path, day, notebook, block=block)
        send_all(tmp_path, day, notebook, block=block)
    note = (
        "The scorecard changed (small, version 2): 2 accounts got another tier by it alone, and did not cross a line."
    )
    repeated = [REPEATED] if may_have_arrived else []
    assert [(page.owner_id, list(page.notes)) for page in notebook.pages[1:]] == [
        (OWNERS[0], [note]),
        (OWNERS[1], [*repeated, f"From an earlier digest, which did not go out: {note}"]),
    ]


# --- what it says ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seven() -> tuple[Comparison, NewestRun]:
    """Seven accounts that fell: the lower half of the numbers Critical, and the higher the number the higher ARR."""
    before = [Account(number, owner=OWNERS[number % 2]) for number in range(1, 7)] + [Account(7, owner=None)]
    return then_now(before, [replace(each, score=20.0 if each.number < 4 else 60.0) for each in before])


def test_five_accounts_are_told_in_full_by_arr_and_uncapped_risk_and_the_others_in_a_line(
    seven: tuple[Comparison, NewestRun],
) -> None:
    """Health 35 makes a risk of 100 / (1 + e^−(−2.2 + 0.052 · 15 − 1.0)) = 8.17, health 65 one of 1.84.

    So ARR × risk of 1 to 7 in thousands: 8.2, 16.3, 24.5, 7.3, 9.2, 11.0, 12.9.
    """
    found, run = seven
    [digest] = compose(found, replace(run, currency="USD"), LAST, ALL)
    assert digest.heading == "Customer health, 24 November 2026: 7 accounts crossed a line"
    assert [each.account_name for each in digest.entries] == [f"Company {number}" for number in (3, 2, 7, 6, 5)]
    assert [(each.account_name, each.text) for each in digest.others] == [
        ("Company 1", "Healthy to Critical"),
        ("Company 4", "Healthy to At Risk"),
    ]
    first = digest.entries[0]
    assert first.number == "Health 35 (Critical), churn risk 8.2, ARR 3,000 USD"
    assert first.reason == "CSAT: 20 %, costs 60 points"
    plan = "Meet the sponsor with the account's manager, and agree on a plan for what costs most: CSAT"
    assert first.next_step == plan  # by the packaged rules, of a Critical account


def test_each_owner_gets_a_digest_and_what_belongs_to_nobody_that_is_known_goes_to_the_fallback(
    seven: tuple[Comparison, NewestRun],
) -> None:
    block = DigestBlock(
        audience="each owner",
        owners={OWNERS[1][:15]: {"mail": "b@example.com", "slack": "U1"}, "Somebody Else": "c@example.com"},
        fallback={"mail": "ops@example.com"},
    )
    audience = Audience(each_owner=True, owners=block.recipients("mail"), fallback=block.fallback_of("mail"))
    found = compose(*seven, LAST, audience)
    assert [(each.owner_id, each.recipient, len(each.entries)) for each in found] == [
        (OWNERS[1], "b@example.com", 3),
        (None, "ops@example.com", 4),
    ]
    assert (block.recipients("slack")[OWNERS[1][:15]], block.fallback_of("slack")) == ("U1", None)
    by_channel = compose(*seven, LAST, Audience(each_owner=True, owners={}, fallback="ops@example.com"))
    assert [(each.owner_id, each.recipient) for each in by_channel] == [
        (OWNERS[0], None),
        (OWNERS[1], None),
        (None, "ops@example.com"),
    ]


def test_accounts_name_their_owner_where_the_digest_is_not_that_owners_own(
    seven: tuple[Comparison, NewestRun],
) -> None:
    """Companies of odd numbers belong to the second owner, 7 to nobody."""
    [of_all] = compose(*seven, LAST, ALL)
    named = {each.account_name: each.owner for each in (*of_all.entries, *of_all.others)}
    assert (named["Company 3"], named["Company 4"], named["Company 7"]) == (OWNERS[1], OWNERS[0], None)
    _first, own, fallback = compose(*seven, LAST, Audience(each_owner=True, owners={}, fallback=None))
    assert {each.owner for each in (*own.entries, *own.others, *fallback.entries)} == {None}
    one_is_known = Audience(each_owner=True, owners={OWNERS[0]: "a@example.com"}, fallback=None)
    _own, fallback = compose(*seven, LAST, one_is_known)
    assert {each.owner for each in fallback.entries} == {OWNERS[1], None}


def test_the_reason_begins_with_the_cap_and_the_signal_that_crossed() -> None:
    """1: CSAT 70 and logins 100 make health 77.5 before the cap of 49; 2: health is 30, the cap lowers nothing."""
    signal = {"critical": 1.0, "opened_on": date(2026, 11, 18)}
    now = [Account(1, score=70.0, logins=100.0, **signal), Account(2, score=40.0, logins=0.0, **signal)]  # type: ignore[arg-type]
    now.append(Account(3, score=None, logins=None, **signal))  # type: ignore[arg-type]
    found, run = then_now([Account(1), Account(2), Account(3)], now)
    [digest] = compose(found, replace(run, signals={account_id(n): "Competitor, 6 days" for n in (1, 2, 3)}), LAST, ALL)
    said = {each.account_name: each.reason for each in digest.entries}
    lead = "critical signal (Competitor, 6 days); "
    assert said["Company 1"] == (
        "capped at 49: open critical signal (Competitor, 6 days); CSAT: 70 %, costs 22.5 points"
    )
    assert said["Company 2"] == f"{lead}CSAT: 40 %, costs 45 points"
    assert (said["Company 3"] or "").startswith(f"{lead}no score: ")
    [unnamed] = compose(found, run, LAST, ALL)
    assert [each.reason for each in unnamed.entries if each.account_name == "Company 1"] == [
        "capped at 49: open critical signal; CSAT: 70 %, costs 22.5 points"
    ]


def test_of_a_signal_is_said_what_is_known_of_the_latest_that_counts() -> None:
    columns = ["account_id", "severity", "monitoring", "opened_on", "title", "owner"]
    rows = [
        ("a", "critical", False, date(2026, 11, 18), "Competitor", "Dana Owner"),
        ("a", "critical", False, MONDAY, "Budget cut", None),
        ("a", "critical", False, None, "Undated", None),
        ("a", "critical", True, TUESDAY, "Only watched", None),
        ("a", "moderate", False, TUESDAY, "Moderate", None),
        ("b", "critical", False, date(2026, 11, 18), "Competitor", "Dana Owner"),
        ("c", "critical", False, None, None, None),
    ]
    table = pl.DataFrame(rows, schema=columns, orient="row")
    assert latest_signals(table, TUESDAY) == {"a": "Budget cut, 1 day", "b": "Competitor, Dana Owner, 6 days"}
    assert latest_signals(table.drop("title", "owner"), TUESDAY) == {"a": "1 day", "b": "6 days"}
    assert latest_signals(None, TUESDAY) == {}


def test_every_form_of_a_digest_shows_the_owners_that_it_names() -> None:
    other = Other(account_id(2), "Globex", "overdue", (), "Ben <b> Okri")
    shown = ready(digest_of(entries=(entry("Acme", owner="Dana Owner"),), others=(other,), owner=None, owner_id=None))
    text, data = plain_text(shown), as_data(shown)
    assert "Acme\n  Owner: Dana Owner\n" in text
    assert "- Globex (Ben <b> Okri): overdue" in text
    assert (data["accounts"][0]["owner"], data["others"][0]["owner"]) == ("Dana Owner", "Ben <b> Okri")
    assert "Owner: Dana Owner<br>" in page(shown)
    assert "Globex (Ben &lt;b&gt; Okri): overdue" in page(shown)
    slack = json.dumps(message(shown))
    assert "*Acme*\\nOwner: Dana Owner\\n" in slack
    assert "Globex (Ben &lt;b&gt; Okri): overdue" in slack


def test_a_digest_is_of_the_last_day_that_was_measured(seven: tuple[Comparison, NewestRun]) -> None:
    found, run = seven
    [digest] = compose(found, replace(run, as_of=TUESDAY, day=MONDAY), LAST, ALL)
    assert (digest.heading.split(":")[0], digest.as_of) == ("Customer health, 23 November 2026", MONDAY)


@pytest.mark.parametrize(
    ("facts", "last_day"),
    [
        ({"as_of_day": "2026-12-01"}, date(2026, 11, 30)),  # November, run when it was over
        ({"as_of_day": "2026-11-24"}, TUESDAY),  # and in its course, on the 24th
        ({"as_of_day": "2026-11-24", "snapshot": "2026-11-23"}, MONDAY),
        ({"as_of_day": "2026-11-24", "snapshot": "2026-11-24"}, TUESDAY),  # `--as-of today`
    ],
)
def test_the_last_day_of_a_month_is_its_own_and_so_is_that_of_a_snapshot(facts: dict[str, str], last_day: date) -> None:
    nothing = pl.DataFrame()
    assert EarlierRun(Period(2026, 11), facts, nothing, nothing, {}, lambda _kind: None).last_day == last_day


def test_a_digest_has_the_same_key_whatever_run_tells_it(seven: tuple[Comparison, NewestRun]) -> None:
    found, run = seven
    other = replace(run, run_id="r3")
    [one], [two] = (compose(found, each, LAST, ALL) for each in (run, other))
    assert one.key == two.key


def test_the_same_line_crossed_a_second_time_on_one_day_is_another_digest_and_a_second_run_of_it_the_same() -> None:
    first = compare(None, newest(Account(1)), same_card=False).told
    down, up = newest(fallen(Account(1)), day=TUESDAY), newest(Account(1), day=TUESDAY)
    once = compare(first, replace(down, run_id="r3"), same_card=True)
    back = compare(once.told, replace(up, run_id="r4"), same_card=True)
    anew = compare(back.told, replace(down, run_id="r5"), same_card=True)
    again = compare(first, replace(down, run_id="r6"), same_card=True)
    [one], [two], [three], [four] = (
        compose(found, run, LAST, ALL) for found, run in ((once, down), (back, up), (anew, down), (again, down))
    )
    assert one.entries == three.entries == four.entries
    assert len({one.key, two.key, three.key}) == 3
    assert four.key == one.key


def test_digests_of_notes_alone_have_a_key_each() -> None:
    """An account is missing; the scorecard is another one; it is so a second time, after another run was told."""
    found, run = then_now([Account(1), Account(2)], [Account(1)])
    other = compare(found.told, run, same_card=False)
    said = [(found, LAST), (other, LAST._replace(scorecard="x")), (other, LAST._replace(scorecard="x", run_id="r3"))]
    digests = [digest for found, last in said for digest in compose(found, run, last, ALL)]
    assert [len(each.notes) for each in digests] == [1, 1, 1]
    assert len({each.key for each in digests}) == 3


# --- sending ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def state_of_tuesday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two channels were told on Monday; on Tuesday one account has fallen."""
    folder = tmp_path_factory.mktemp("tuesday")
    accounts = [Account(1), Account(2)]
    monday, tuesday = scored([measure(accounts, MONDAY), measure([fallen(accounts[0]), accounts[1]], TUESDAY)])
    leave(folder, monday, 0)
    send_all(folder, MONDAY, Notebook("first", receipt=lambda _digest: {"place": "1"}), Notebook("second"))
    leave(folder, tuesday, 0)
    return folder


@pytest.fixture
def tuesday(state_of_tuesday: Path, tmp_path: Path) -> Path:
    return shutil.copytree(state_of_tuesday, tmp_path / "state")


@pytest.mark.parametrize("may_have_arrived", [True, False])
def test_a_channel_that_fails_keeps_no_other_from_its_digest_and_gets_it_next_time(
    tuesday: Path, *, may_have_arrived: bool
) -> None:
    def refuse(_digest: Digest) -> None:
        raise NotSent("mail", "550", "Mend the address.", may_have_arrived=may_have_arrived)

    first, second = Notebook("first", before=refuse), Notebook("second")
    results = send_all(tuesday, TUESDAY, first, second)
    assert [(each.exit_code, len(each.sent)) for each in results] == [(5, 0), (0, 1)]
    assert results[0].problems == (str(NotSent("mail", "550", "Mend the address.", may_have_arrived=may_have_arrived)),)
    first.before = lambda _digest: None
    results = send_all(tuesday, TUESDAY, first, second)
    assert [(each.exit_code, len(each.sent)) for each in results] == [(0, 1), (0, 0)]
    assert told(first.pages) == [(1, "worse", "Healthy to At Risk")]
    assert (REPEATED in first.pages[0].notes) is may_have_arrived


def test_what_may_have_arrived_and_is_so_no_longer_is_corrected(tuesday: Path) -> None:
    """At Risk on Tuesday, and nobody knows whether that arrived; on Wednesday Healthy again, as told on Monday."""

    def cut_off(_digest: Digest) -> None:
        raise Killed

    first, wednesday = Notebook("first", after=cut_off), date(2026, 11, 25)
    with pytest.raises(Killed):
        send_all(tuesday, TUESDAY, first)
    leave(tuesday, scored([measure([Account(1), Account(2)], wednesday)])[0], 0)
    again = Notebook("first")
    send_all(tuesday, wednesday, again)
    send_all(tuesday, wednesday, again)
    [page] = again.pages
    assert page.notes == (REPEATED,)
    text = "Healthy as of this run; the last digest may have arrived, and said otherwise"
    assert told([page]) == [(1, "back", text)]


def test_a_channel_gets_back_what_its_receipts_hold(tuesday: Path) -> None:
    first = Notebook("first", receipt=lambda _digest: {"place": "", "task": "2"})
    send_all(tuesday, TUESDAY, first)
    assert first.kept == {"place": "1"}
    assert State(tuesday).ledgers.read("first").document.detail == {"task": "2"}


def test_two_do_not_send_side_by_side(tuesday: Path) -> None:
    def meanwhile(_digest: Digest) -> None:
        with pytest.raises(AlreadyRunning, match="the digest is being sent by run digest-2026"):
            send_all(tuesday, TUESDAY, Notebook("second"))

    first = Notebook("first", before=meanwhile)
    assert send_all(tuesday, TUESDAY, first)[0].exit_code == 0
    assert len(first.pages) == 1


def test_a_ledger_that_another_process_wrote_is_not_written_over(tuesday: Path) -> None:
    ledgers = State(tuesday).ledgers
    mine, other = ledgers.read("first"), ledgers.read("first")
    ledgers.write(other, LedgerDocument(detail={"a": "b"}))
    with pytest.raises(AlreadyRunning, match="another process writes what was told to first"):
        ledgers.write(mine, LedgerDocument())
    with pytest.raises(AlreadyRunning):
        ledgers.write(replace(mine, tag=None), LedgerDocument())


def test_a_forgotten_account_is_in_no_ledger(tuesday: Path) -> None:
    def refuse(_digest: Digest) -> None:
        raise NotSent("mail", "550", "Mend the address.", may_have_arrived=True)

    send_all(tuesday, TUESDAY, Notebook("first", before=refuse))
    send_all(tuesday, TUESDAY, Notebook("second", receipt=lambda _digest: {account_id(1): "00T1"}))
    assert any(account_id(1)[:15].encode() in path.read_bytes() for path in tuesday.glob("digests/*/ledger.json"))
    State(tuesday).forget(account_id(1))
    for path in tuesday.glob("digests/**/*"):
        assert path.is_dir() or account_id(1)[:15].encode() not in path.read_bytes(), path
    again = Notebook("first")
    send_all(tuesday, TUESDAY, again)
    assert told(again.pages) == []


def test_a_ledger_that_is_damaged_is_set_aside_and_said(tuesday: Path) -> None:
    ledger = tuesday / "digests" / "first" / "ledger.json"
    ledger.write_text(ledger.read_text(encoding="utf-8").replace("r2026", "r2025"), encoding="utf-8")
    state = State(tuesday)
    assert state.ledgers.read("first").document == LedgerDocument()
    assert "that channel begins anew with a first digest" in state.files.notes[0]
