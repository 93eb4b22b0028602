"""The churn world: what its org shows over the socket against its truth, and how it looked at earlier moments."""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import requests

from accountpulse.core.period import parse_period, scope_of
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.outcomes import OutcomeTruth, hazards_truth, outcomes_truth
from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world import build, world_at
from accountpulse.sandbox.world.churn import FATES, KEPT, LEAVES_TWICE, NEITHER, UNSEEN, History, churn_history
from accountpulse.sandbox.world.model import World
from program import start
from sandbox.crooked import found
from support import NOW, Configure

GRACE = timedelta(days=60)
MONTHS_AGO = datetime(2026, 2, 3, 4, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def history() -> History:
    return churn_history(seed=7, accounts=60, until=NOW)


@pytest.fixture(scope="module")
def now(history: History) -> World:
    return world_at(history, NOW)


@pytest.fixture(scope="module")
def truth(history: History) -> list[OutcomeTruth]:
    return outcomes_truth(history)


class Records:
    """The org as anybody reads it: queryAll over the socket, days as dates."""

    def __init__(self, running: Sandbox) -> None:
        self._session = requests.Session()
        self._session.trust_env = False  # a bundle that is set there would win
        self._session.verify = str(running.ca_file)
        self._url = f"{running.https_url}/services"
        secrets = {
            "client_id": running.world.salesforce.client_id,
            "client_secret": running.world.salesforce.client_secret,
        }
        answer = self._session.post(f"{self._url}/oauth2/token", data={"grant_type": "client_credentials", **secrets})
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.contracts = self.read("Contract", "AccountId, Status, StartDate, EndDate")
        fields = "AccountId, IsWon, CloseDate, LastStageChangeDate"
        self.renewals = self.read("Opportunity", fields, "Type = 'Renewal' AND IsClosed = true")
        self.accounts = self.read("Account", "Type, IsDeleted, MasterRecordId")
        self.merged = {row["Id"]: row["MasterRecordId"] for row in self.accounts if row["MasterRecordId"]}
        self.arr = self.read("AccountHistory", "AccountId, CreatedDate, OldValue, NewValue", "Field = 'ARR__c'")

    def read(self, name: str, fields: str, where: str = "", path: str = "queryAll") -> list[Row]:
        text = f"SELECT Id, {fields} FROM {name}" + (f" WHERE {where}" if where else "")  # noqa: S608
        answer = self._session.get(f"{self._url}/data/v66.0/{path}", params={"q": text}).json()
        assert answer["done"]
        return [{key: _day(key, value) for key, value in row.items()} for row in answer["records"]]


def _day(key: str, value: Any) -> Any:
    return date.fromisoformat(value[:10]) if key.endswith("Date") and value else value


@pytest.fixture(scope="module")
def records(now: World) -> Iterator[Records]:
    with Sandbox(now) as running:
        yield Records(running)


def settled(day: date) -> bool:
    """Long enough ago that nothing can follow on it any more."""
    return day + GRACE < NOW.date()


def of(rows: list[Row], account: str) -> list[Row]:
    return [row for row in rows if row["AccountId"] == account]


# --- truth and records -----------------------------------------------------------------------------------------


def lost_renewals(records: Records, account: str) -> Iterator[date]:
    """Closed and not won; the later of the close date and the end of the contract that ran out around its closing."""
    deals = of(records.renewals, account)
    for deal in deals:
        closed = deal["LastStageChangeDate"]
        won = [each for each in deals if each["IsWon"] and abs(each["LastStageChangeDate"] - closed) < GRACE / 2]
        if not deal["IsWon"] and not won:
            ends = [
                each["EndDate"] for each in of(records.contracts, account) if abs(each["EndDate"] - closed) <= GRACE
            ]
            yield max([deal["CloseDate"], *ends])


def ended_contracts(records: Records, account: str) -> Iterator[date]:
    theirs = of(records.contracts, account)
    for each in theirs:
        end = each["EndDate"]
        followed = any(end < other["StartDate"] <= end + GRACE for other in theirs)
        if settled(end) and not followed:
            yield end


def falls(records: Records, account: str, *, to_zero: bool) -> Iterator[tuple[date, float]]:
    for row in of(records.arr, account):
        before, after = (float(row[name] or "nan") for name in ("OldValue", "NewValue"))
        if (after == 0 and before > 0) if to_zero else (0 < after < 0.9 * before):
            yield row["CreatedDate"], before - after


def losses(records: Records, account: str) -> list[date]:
    """By the first way that knows of each; a loss by a later way within a year is the same one."""
    found: list[date] = list(lost_renewals(records, account))
    emptied = [] if account in records.merged else [day for day, _ in falls(records, account, to_zero=True)]
    for more in (ended_contracts(records, account), emptied):
        told = tuple(found)
        found += [day for day in more if all(abs(day - each) > timedelta(days=200) for each in told)]
    return sorted(filter(settled, found))


def test_every_loss_of_the_truth_is_in_the_records_on_its_day_and_no_other(
    records: Records, truth: list[OutcomeTruth]
) -> None:
    expected: dict[str, list[date]] = {row["Id"]: [] for row in records.accounts}
    for each in truth:
        if each.kind == "lost" and each.recorded_on is not None and settled(each.recorded_on):
            expected[each.found_under].append(each.recorded_on)
    assert {account: losses(records, account) for account in expected} == {
        account: sorted(days) for account, days in expected.items()
    }
    assert sum(map(len, expected.values())) >= 18


def test_every_contraction_is_in_the_history_of_arr_with_its_amount(
    records: Records, truth: list[OutcomeTruth]
) -> None:
    expected = {(e.account_id, e.happened_on, e.arr_lost) for e in truth if e.kind == "contraction"}
    shown = {
        (row["AccountId"], day, lost)
        for row in records.arr
        for day, lost in falls(records, row["AccountId"], to_zero=False)
    }
    assert len(expected) >= 6
    assert {key[:2] for key in shown} == {key[:2] for key in expected}
    assert sum(key[2] for key in shown) == pytest.approx(sum(key[2] or 0 for key in expected))


def test_who_renewed_has_a_won_opportunity_or_a_contract_that_follows(
    records: Records, truth: list[OutcomeTruth]
) -> None:
    renewed = [each for each in truth if each.kind == "renewed"]
    assert len(renewed) >= 90
    for each in renewed:
        won = any(
            deal["IsWon"] and deal["CloseDate"] <= each.happened_on < deal["CloseDate"] + timedelta(days=15)
            for deal in of(records.renewals, each.found_under)
        )
        followed = any(
            each.happened_on < contract["StartDate"] <= each.happened_on + GRACE
            for contract in of(records.contracts, each.found_under)
        )
        assert won or followed, each


def test_who_left_is_former_deleted_or_merged_in_the_shares_that_are_told(
    records: Records, truth: list[OutcomeTruth]
) -> None:
    rows = {row["Id"]: row for row in records.accounts}
    plainly_there = {row["Id"] for row in records.read("Account", "Type", path="query")}
    told = {each.account_id: each for each in truth if each.kind == "lost" and each.account_now != "customer"}
    for account, each in told.items():
        row = rows[account]
        assert (account in plainly_there) == (each.account_now == "former")
        if each.account_now == "former":
            assert row["Type"] == "Former Customer"
        assert (row["MasterRecordId"] or account) == each.found_under
        assert rows[each.found_under]["Type"] == ("Former Customer" if each.account_now != "deleted" else row["Type"])
    counted = Counter(each.account_now for each in told.values())
    assert all(abs(counted[fate] - len(told) * FATES.count(fate) / len(FATES)) <= 3 for fate in set(FATES))


def test_the_truth_tells_who_left_twice_and_who_left_before_anybody_scored(
    history: History, truth: list[OutcomeTruth]
) -> None:
    lost = [each for each in truth if each.kind == "lost"]
    ids = [past.plan.customer.account_id for past in history.pasts]
    counts = Counter(each.account_id for each in lost)
    assert [account for account, count in counts.items() if count > 1] == [ids[LEAVES_TWICE]]
    first_scored = (history.months[0] + timedelta(days=32)).replace(day=1)
    unseen = {each.account_id for each in lost if each.happened_on < first_scored}
    assert {ids[number] for number in range(60) if number % UNSEEN[0] == UNSEEN[1]} <= unseen
    shown = Counter(each.shown_by for each in lost)
    for part in ("ARR to zero", "contract Expired", "contract Terminated", "lost late", "months before", "year before"):
        assert any(part in how for how in shown), part


def test_the_hazards_say_how_many_leave() -> None:
    months = hazards_truth(churn_history(seed=11, accounts=600, until=NOW))
    expected = sum(each.hazard for each in months)
    spread = math.sqrt(sum(each.hazard * (1 - each.hazard) for each in months))
    assert abs(sum(each.leaves for each in months) - expected) < 2.58 * spread  # 99 % of seeds
    assert len(months) > 600 * 15
    # beyond the sum: where the hazard is high
    risky = [each for each in months if 0.1 < each.hazard < 1]
    share, mean = (sum(values) / len(risky) for values in ([e.leaves for e in risky], [e.hazard for e in risky]))
    assert abs(share - mean) < 2.58 * math.sqrt(mean * (1 - mean) / len(risky))


# --- as it was then --------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_company_and_another_one_another(history: History, now: World) -> None:
    again = build(seed=7, accounts=60, until=NOW, kind="churn")
    assert again.parts == now.parts
    assert again.customers == now.customers
    other = churn_history(seed=8, accounts=60, until=NOW)
    assert outcomes_truth(other) != outcomes_truth(history)


def test_what_was_there_at_a_moment_is_there_later_with_the_same_id_and_beginning(history: History, now: World) -> None:
    then = world_at(history, MONTHS_AGO)
    for name, kind in then.salesforce.objects.items():
        later = {row["Id"]: row for row in now.salesforce.objects[name].rows}
        assert len(later) == len(now.salesforce.objects[name].rows)
        assert all(later[row["Id"]]["CreatedDate"] == row["CreatedDate"] < MONTHS_AGO for row in kind.rows)
        assert all(row["LastModifiedDate"] < MONTHS_AGO for row in kind.rows)
    begun = {each.id: each.created_at for each in now.intercom.conversations}
    assert all(begun[each.id] == each.created_at < MONTHS_AGO for each in then.intercom.conversations)
    issues = {each.key: each for each in now.jira.issues}
    for issue in then.jira.issues:
        moves = issues[issue.key].transitions
        assert moves[: len(issue.transitions)] == issue.transitions
        assert all(move.at >= MONTHS_AGO for move in moves[len(issue.transitions) :])
    known = (1 << then.looker.days) - 1
    for account, used in then.looker.usage.items():
        assert used.users == [mask & known for mask in now.looker.usage[account].users]


def test_who_is_about_to_leave_is_still_a_customer_then(history: History, truth: list[OutcomeTruth]) -> None:
    then = {row["Id"]: row for row in world_at(history, MONTHS_AGO).salesforce.objects["Account"].rows}
    later = [each for each in truth if each.kind == "lost" and each.happened_on > MONTHS_AGO.date()]
    assert later
    assert {then[each.account_id]["Type"] for each in later} == {"Customer - Direct"}


def test_a_run_of_a_past_month_measures_what_is_true_of_it(configure: Configure) -> None:
    """As the month ends: what is closed between then and the reading can't be told by a run."""
    month_end = datetime(2026, 2, 1, tzinfo=UTC)
    then = world_at(churn_history(seed=7, accounts=20, until=NOW), month_end)
    with Sandbox(then) as running:
        loaded = configure(running)
        measured = found(loaded, scope_of(parse_period("2026-01"), month_end), "intercom", "jira", "looker")
    expected = truth_table(then, "2026-01", month_end)
    names = {row.metric for row in expected} & set(measured.columns)
    assert len(names) > 25
    wrong = []
    rows = {row["account_id"]: row for row in measured.iter_rows(named=True)}
    for each in expected:
        if each.metric in names:
            value, why = rows[each.account_id][each.metric], rows[each.account_id][f"{each.metric}_reason"]
            same = why == each.reason and (value is None) == (each.value is None)
            if not same or (
                value is not None and not math.isclose(value, each.value or 0, rel_tol=1e-9, abs_tol=1e-12)
            ):
                wrong.append((each, value, why))
    assert wrong == []


def test_a_year_follows_on_each_renewed_contract(history: History) -> None:
    for past in history.pasts:
        for before, after in pairwise(past.terms):
            assert before.ends < after.begins
            if before.gap is not None:
                assert after.due == before.due.replace(year=before.due.year + 1) or before.due.month == 2
    assert {past.kept for past in history.pasts} == set(KEPT)
    assert NEITHER in KEPT


# --- refusals --------------------------------------------------------------------------------------------------


def test_a_moment_beyond_the_end_is_refused(history: History) -> None:
    with pytest.raises(ValueError, match="the history ends on 23 November 2026"):
        world_at(history, NOW + timedelta(days=1))


def test_more_conversations_are_refused() -> None:
    with pytest.raises(ValueError, match="as many conversations and bugs as"):
        build(until=NOW, kind="churn", conversations=10)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--tables", "somewhere"), "--churn"),
        (("--churn", "--world", "crooked"), "--world crooked"),
        (("--churn", "--issues", "3"), "--issues"),
    ],
)
def test_what_does_not_go_together_is_one_line(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    done = start(tmp_path, "sandbox", *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_command_writes_all_four_truths(tmp_path: Path) -> None:
    files = ("--truth", "t.csv", "--outcomes-truth", "o.csv", "--hazards-truth", "h.csv", "--tables", "tables")
    done = start(tmp_path, "sandbox", "--churn", "--accounts", "8", *files)
    assert done.returncode == 0, done.stderr
    assert set(pl.read_csv(tmp_path / "o.csv")["kind"]) <= {"lost", "renewed", "contraction"}
    assert pl.read_csv(tmp_path / "t.csv").columns == ["account_id", "metric", "value", "reason"]
    assert pl.read_csv(tmp_path / "h.csv")["hazard"].is_between(0, 1).all()
    assert pl.read_parquet(tmp_path / "tables" / "metrics.parquet")["account_id"].n_unique() <= 8
