"""A Task for each account, in the sandbox's org."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from accountpulse import settings
from accountpulse.notify.errors import NotSent
from accountpulse.notify.message import Crossing, Digest, Other
from accountpulse.pipeline.digest_channels import TasksChannel, channels
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.sandbox.world.org import record_id
from accountpulse.state.ledgers import kept_detail
from notify.digests import digest, entry
from support import NOW

OWNER, LEFT, LEAD = (record_id("005", number) for number in (801, 802, 803))
US = record_id("005", 1)


@pytest.fixture(scope="module")
def org() -> World:
    """A small company with three users of known state."""
    made = build(seed=7, accounts=10, until=NOW)
    users = made.salesforce.objects["User"].rows
    for identifier, active in ((OWNER, True), (LEFT, False), (LEAD, True)):
        row = dict.fromkeys(made.salesforce.objects["User"].fields) | {"Id": identifier, "IsActive": active}
        users.append(row | {"Name": identifier, "IsDeleted": False})
    made.salesforce.objects["Task"].rows.clear()
    return made


@pytest.fixture(scope="module")
def served(org: World) -> Iterator[Sandbox]:
    with Sandbox(org) as running:
        yield running


@pytest.fixture
def rows(org: World, served: Sandbox) -> Iterator[list[dict[str, Any]]]:
    """The org's Tasks; each test begins without one, and with accounts of an active owner."""
    for account in org.salesforce.objects["Account"].rows:
        account["OwnerId"] = OWNER
    yield org.salesforce.objects["Task"].rows
    org.salesforce.objects["Task"].rows.clear()
    served.faults.clear()
    served.behaviour.hidden.clear()
    served.behaviour.refused.clear()


@pytest.fixture
def tasks(served: Sandbox, tmp_path: Path) -> TasksChannel:
    return channel(served, tmp_path)


def channel(served: Sandbox, folder: Path, more: str = "") -> TasksChannel:
    path = folder / "accountpulse.yaml"
    path.write_text(f"digest: {{channels: [tasks]{more}}}", encoding="utf-8")
    [made] = channels(settings.load({**served.environment(), "ACCOUNTPULSE_CONFIG": str(path)}))
    assert isinstance(made, TasksChannel)
    made._tasks.sleep = lambda _seconds: None  # type: ignore[attr-defined]
    return made


def accounts(org: World) -> list[str]:
    return [each.account_id for each in org.customers]


def told(*account_ids: str, key: str = "one", back: tuple[str, ...] = (), **changes: Any) -> Digest:
    """A digest with these accounts in full, and those that are better again."""
    entries = tuple(entry(f"Name of {each}", each) for each in account_ids)
    crossed_back = tuple(Other(each, each, "At Risk to Healthy", ()) for each in back)
    base = {"key": key, "entries": entries, "others": (), "crossed_back": crossed_back, "owner_id": None}
    return digest(**(base | changes))


def test_each_account_in_full_gets_a_task_of_its_owner(
    org: World, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    one, two, other = accounts(org)[:3]
    others = (Other(other, "Other", "renewal within 30 days", ()),)
    receipt = tasks.send(told(one, two, others=others), {})
    assert receipt.detail == {row["WhatId"]: row["Id"] for row in rows}
    assert [row["WhatId"] for row in rows] == [one, two]
    row = rows[0]
    assert (row["OwnerId"], row["Status"], row["IsClosed"], row["AccountId"]) == (OWNER, "Not Started", False, one)
    assert row["Subject"] == "Customer health: Healthy to At Risk"
    assert row["ActivityDate"] == date(2026, 12, 7)
    for part in ("Health 49, churn risk 71, ARR 423,000 USD", "Why: half of the users gone", "Next: Call the sponsor"):
        assert part in row["Description"]
    assert row["Accountpulse_Key__c"].startswith(f"{one}-2026-11-30-")


def test_the_subject_says_what_became_worse_and_the_text_all_of_it(
    org: World, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    [one] = accounts(org)[:1]
    better, worse = Crossing("tier", "Critical to Healthy", worse=False), Crossing("renewal", "overdue", worse=True)
    tasks.send(told(one, entries=(entry(account=one, crossings=(better, worse)),)), {})
    assert rows[0]["Subject"] == "Customer health: overdue"
    assert "  Critical to Healthy (better)\n  overdue\n" in rows[0]["Description"]


def test_a_repeat_makes_no_second_task_and_a_later_digest_changes_the_open_one(
    org: World, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    [one] = accounts(org)[:1]
    first = tasks.send(told(one), {})
    assert tasks.send(told(one), {}) == first
    assert len(rows) == 1
    rows[0]["OwnerId"], rows[0]["Status"] = LEAD, "In Progress"  # as people do
    changed = (entry(account=one, number="Health 40, churn risk 80, ARR 423,000 USD"),)
    assert tasks.send(told(one, key="two", entries=changed), first.detail) == first
    [row] = rows
    assert "Health 40" in row["Description"]
    assert (row["OwnerId"], row["Status"]) == (LEAD, "In Progress")


@pytest.mark.parametrize("done", ["closed", "deleted"])
def test_what_a_person_closed_or_deleted_stays_so_until_a_line_is_crossed_anew(
    done: str, org: World, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    [one] = accounts(org)[:1]
    first = tasks.send(told(one), {})
    rows[0].update({"Status": "Completed", "IsClosed": True} if done == "closed" else {"IsDeleted": True})
    before = dict(rows[0])
    assert tasks.send(told(one), first.detail) == first
    assert rows == [before]
    second = tasks.send(told(one, key="two"), first.detail)
    assert rows[0] == before
    assert second.detail == {one: rows[1]["Id"]} != first.detail


def test_a_task_is_closed_by_a_status_of_the_org_when_the_account_is_better_again(
    org: World, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    one, two, three = accounts(org)[:3]
    statuses = org.salesforce.objects["TaskStatus"].rows
    names = [dict(row) for row in statuses]
    statuses[2].update(ApiName="Erledigt", MasterLabel="Erledigt")
    org.salesforce.objects["Task"].fields["Status"].values.append("Erledigt")
    try:
        tasks.send(told(one, two), {})
        rows[1]["Accountpulse_Key__c"] = None  # somebody emptied it: the ledger knows the Task
        receipt = tasks.send(told(key="two", back=(one, two, three)), {two: rows[1]["Id"]})
    finally:
        statuses[:] = names
    assert [(row["Status"], row["IsClosed"]) for row in rows] == [("Erledigt", True)] * 2
    assert receipt.detail == {two: ""}


def test_a_task_is_closed_when_its_account_is_no_longer_scored_also_by_a_digest_of_notes_alone(
    org: World, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    one, two = accounts(org)[:2]
    first = tasks.send(told(one, two), {})
    receipt = tasks.send(told(key="two", gone=(one, record_id("001", 999_999))), first.detail)
    assert [(row["WhatId"], row["IsClosed"]) for row in rows] == [(one, True), (two, False)]
    assert receipt.detail == {one: ""}


def test_an_account_that_crosses_again_on_the_day_that_its_task_was_closed_on_gets_a_new_one(
    org: World, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    [one] = accounts(org)[:1]
    detail: dict[str, str] = {}
    for each in (told(one), told(key="two", back=(one,)), told(one, key="three"), told(one, key="three")):
        detail = kept_detail(detail, tasks.send(each, detail).detail)
    assert [row["IsClosed"] for row in rows] == [True, False]
    assert detail == {one: rows[1]["Id"]}
    tasks.send(told(key="four", back=(one,)), detail)
    assert [row["IsClosed"] for row in rows] == [True, True]


def test_an_account_that_crossed_another_line_keeps_its_task(
    org: World, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    [one] = accounts(org)[:1]
    tasks.send(told(one), {})
    tasks.send(told(one, key="two", back=(one,)), {})
    assert [row["IsClosed"] for row in rows] == [False]


def test_a_copy_that_a_person_made_is_left_alone(org: World, tasks: TasksChannel, rows: list[dict[str, Any]]) -> None:
    [one] = accounts(org)[:1]
    tasks.send(told(one), {})
    rows.append(rows[0] | {"Id": record_id("00T", 5_000_000), "Subject": "Mine"})
    tasks.send(told(key="two", back=(one,)), {})
    assert [row["IsClosed"] for row in rows] == [True, False]


def test_without_an_active_owner_the_task_goes_to_the_fallback_or_to_our_own_user(
    org: World, served: Sandbox, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    one, two = accounts(org)[:2]
    for account in org.salesforce.objects["Account"].rows:
        account["OwnerId"] = LEFT if account["Id"] in (one, two) else OWNER
    channel(served, tmp_path).send(told(one), {})
    channel(served, tmp_path, f", tasks: {{fallback_owner: {LEAD}}}").send(told(two), {})
    assert [row["OwnerId"] for row in rows] == [US, LEAD]


@pytest.mark.parametrize("carried_out", [True, False], ids=["written", "not written"])
def test_where_an_answer_is_lost_no_task_is_made_twice(
    org: World, served: Sandbox, tasks: TasksChannel, rows: list[dict[str, Any]], *, carried_out: bool
) -> None:
    one, two = accounts(org)[:2]
    served.faults.append(Fault("salesforce", 504, path_contains="composite/sobjects", method="POST", after=carried_out))
    receipt = tasks.send(told(one, two), {})
    assert receipt.detail == {row["WhatId"]: row["Id"] for row in rows}
    assert len(rows) == 2


def test_an_account_that_the_org_refuses_is_told_and_the_others_have_their_task(
    org: World, served: Sandbox, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    one, two = accounts(org)[:2]
    served.behaviour.refused.add(one)
    with pytest.raises(NotSent, match=r"1 of 2 accounts were refused.*FIELD_CUSTOM_VALIDATION_EXCEPTION") as caught:
        tasks.send(told(one, two), {})
    assert one in str(caught.value)
    assert not caught.value.may_have_arrived
    assert [row["WhatId"] for row in rows] == [two]
    served.behaviour.refused.clear()
    tasks.send(told(one, two), {})
    assert [row["WhatId"] for row in rows] == [two, one]


def test_without_the_key_field_the_folder_and_the_permission_set_are_named(
    org: World, served: Sandbox, tasks: TasksChannel, rows: list[dict[str, Any]]
) -> None:
    served.behaviour.hidden.add(("Task", "Accountpulse_Key__c"))
    with pytest.raises(NotSent, match=r"Task\.Accountpulse_Key__c.*Accountpulse_Integration_Tasks"):
        tasks.send(told(*accounts(org)[:1]), {})
    assert rows == []


def test_an_org_that_is_down_is_told_and_nothing_is_asked_where_there_is_nothing_to_write(
    org: World, served: Sandbox, tasks: TasksChannel
) -> None:
    calls = len(served.log)
    assert tasks.send(told(), {}).detail == {}
    assert len(served.log) == calls
    served.faults.append(Fault("salesforce", 403, path_contains="describe"))
    with pytest.raises(NotSent, match="nothing is written twice"):
        tasks.send(told(*accounts(org)[:1]), {})
