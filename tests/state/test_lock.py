"""One run a period at a time."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from accountpulse.core.errors import AlreadyRunning
from accountpulse.state import State, store_at
from accountpulse.state.files import Files
from accountpulse.state.lock import BEAT, MISSED, Locks

NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
NAME = "locks/2026-10.json"
SILENCE = BEAT * MISSED
QUICK = 0.05  # seconds between signs of life, for tests that wait for them


in_a_folder = pytest.mark.parametrize("root", ["folder"], indirect=True)  # the store makes no difference


def locks_at(root: str) -> Locks:
    """Locks that wait little."""
    return Locks(Files(store_at(root)), QUICK)


@pytest.fixture
def held(root: str) -> dict[str, Any]:
    """What the lock of a living run says, written by this process; nobody holds it any more."""
    with State(root).locks.hold("2026-10", "r1", NOW):
        facts = State(root).files.read_json(NAME)
    assert facts is not None
    return facts


def lie(root: str, facts: dict[str, Any], **changes: object) -> None:
    State(root).files.write_json(NAME, {**facts, **changes})


def is_taken_over(root: str, now: datetime = NOW, locks: Locks | None = None) -> bool:
    """Whether another run gets the period, and says from whom; False: it is refused."""
    try:
        with (locks or State(root).locks).hold("2026-10", "r2", now) as lock:
            assert "r1" in str(lock.taken_over)
    except AlreadyRunning as error:
        assert "r1" in str(error)
        return False
    return True


def test_a_held_period_is_refused_to_another_run_and_free_afterwards(root: str) -> None:
    with State(root).locks.hold("2026-10", "r1", NOW):
        with pytest.raises(AlreadyRunning, match="r1"), State(root).locks.hold("2026-10", "r2", NOW):
            pass
        with State(root).locks.hold("2026-09", "r3", NOW):
            pass
        assert "r1" in str(State(root).locks.holder("2026-10", NOW))
    with State(root).locks.hold("2026-10", "r2", NOW) as lock:
        assert lock.taken_over is None


def test_what_is_held_is_called_a_period_or_a_snapshot(root: str) -> None:
    for name, words in (
        ("2026-10", "period 2026-10 is being run"),
        ("2026-11-27", "the snapshot of 2026-11-27 is being"),
    ):
        with (
            State(root).locks.hold(name, "r1", NOW),
            pytest.raises(AlreadyRunning, match=f"^{words}"),
            State(root).locks.hold(name, "r2", NOW),
        ):
            pass


def test_a_run_that_fails_gives_its_period_back(root: str) -> None:
    with pytest.raises(ValueError, match="boom"), State(root).locks.hold("2026-10", "r1", NOW):
        raise ValueError("boom")
    assert State(root).locks.holder("2026-10", NOW) is None


@in_a_folder
@pytest.mark.parametrize("hours", [-7, 7, 24 * 365])
def test_a_living_lock_is_not_taken_over_after_a_clock_step(root: str, hours: int) -> None:
    with State(root).locks.hold("2026-10", "r1", NOW):
        assert not is_taken_over(root, NOW + timedelta(hours=hours))
        assert "r1" in str(State(root).locks.holder("2026-10", NOW + timedelta(hours=hours)))


@in_a_folder
@pytest.mark.parametrize("hours", [-7, 0, 7])
def test_a_container_of_the_same_host_name_keeps_its_lock_while_it_gives_signs_of_life(
    root: str, held: dict[str, Any], hours: int
) -> None:
    """Its process number means nothing here, though one with it and its start may live here as well."""
    container = {**held, "pid_namespace": held["pid_namespace"] + 1}
    lie(root, container, beat_seconds=time.monotonic())
    assert not is_taken_over(root, NOW + timedelta(hours=hours))
    lie(root, container, beat_seconds=time.monotonic() - SILENCE - 1)
    assert is_taken_over(root, NOW + timedelta(hours=hours))


@in_a_folder
def test_a_later_process_with_the_number_of_a_dead_one_does_not_keep_its_lock(root: str, held: dict[str, Any]) -> None:
    lie(root, held, process=os.getppid(), started_ticks=1)
    assert is_taken_over(root)


@in_a_folder
def test_what_an_earlier_run_of_this_very_process_could_not_give_back_is_taken_over(
    root: str, held: dict[str, Any]
) -> None:
    """As in a warm Lambda function whose bucket did not answer at the end of a run."""
    lie(root, held)
    assert is_taken_over(root)


def test_a_lock_of_a_dead_process_of_this_machine_is_taken_over_at_once(root: str) -> None:
    code = (
        "import os, signal, sys; from datetime import *; from accountpulse.state import State\n"
        "with State(sys.argv[1]).locks.hold('2026-10', 'r1', datetime(2026, 11, 1, 6, tzinfo=UTC)):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, root], check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    assert is_taken_over(root)


@in_a_folder
@pytest.mark.parametrize("boot", ["another machine's", None], ids=["other machine", "without /proc"])
def test_a_lock_of_another_machine_is_taken_over_when_it_has_been_silent(
    root: str, held: dict[str, Any], boot: str | None
) -> None:
    elsewhere = {**held, "boot": boot, "machine": "elsewhere"}
    lie(root, elsewhere)
    for moment in (NOW + timedelta(seconds=SILENCE - 1), NOW - timedelta(seconds=SILENCE - 1)):
        assert not is_taken_over(root, moment)
    for moment in (NOW + timedelta(hours=1), NOW - timedelta(hours=1)):
        lie(root, elsewhere)
        assert State(root).locks.holder("2026-10", moment) is None
        assert is_taken_over(root, moment, locks_at(root))


@contextmanager
def signs_of_life(root: str, facts: dict[str, Any]) -> Iterator[None]:
    """Another machine's, whose clock is an hour behind."""
    over = threading.Event()

    def beat() -> None:
        number = 0
        while not over.wait(QUICK / 2):
            lie(root, facts, beat_seconds=(number := number + 1))

    thread = threading.Thread(target=beat)
    thread.start()
    yield
    over.set()
    thread.join()


@in_a_folder
def test_a_lock_of_another_machine_whose_clock_is_wrong_is_kept_by_its_signs_of_life(
    root: str, held: dict[str, Any]
) -> None:
    elsewhere = {**held, "boot": "another machine's"}
    lie(root, elsewhere)
    patient = Locks(Files(store_at(root)), 10 * QUICK)
    with signs_of_life(root, elsewhere):
        assert not is_taken_over(root, NOW + timedelta(hours=1), patient)


def test_a_run_gives_signs_of_life(root: str) -> None:
    locks = locks_at(root)
    with locks.hold("2026-10", "r1", NOW) as lock:
        store, seen = store_at(root), set[str]()
        while len(seen) < 4:
            found = store.read(NAME)
            assert found is not None  # there is no instant without it
            seen.add(found.tag)
        assert locks.is_held(lock)
    assert store.read(NAME) is None


@in_a_folder
def test_the_lock_of_an_earlier_version_is_kept_until_its_time_is_over(root: str) -> None:
    before = '{\n "version": 1,\n "run_id": "r1",\n "token": "t",\n "host": "elsewhere",\n "process": 1,\n'
    before += ' "taken_at": "2026-11-01T06:00:00+00:00",\n "until": "2026-11-01T12:00:00+00:00"\n}'
    store_at(root).write(NAME, before.encode())
    assert not is_taken_over(root, NOW + timedelta(hours=5))
    assert is_taken_over(root, NOW + timedelta(hours=7))


@in_a_folder
def test_a_run_whose_lock_was_taken_over_neither_holds_nor_gives_it_back(root: str, held: dict[str, Any]) -> None:
    locks = State(root).locks
    with locks.hold("2026-10", "r1", NOW) as late:
        lie(root, held, process=os.getppid(), started_ticks=1)
        with State(root).locks.hold("2026-10", "r2", NOW) as lock:
            assert not locks.is_held(late)
            locks.release(late)
            assert locks.is_held(lock)


def test_of_many_who_find_a_dead_lock_at_once_one_gets_it(root: str, held: dict[str, Any]) -> None:
    lie(root, held, started_ticks=1)
    won, begin, end = list[int](), threading.Barrier(6), threading.Barrier(6)

    def try_it(number: int) -> None:
        begin.wait()
        try:
            with State(root).locks.hold("2026-10", f"r{number}", NOW):
                won.append(number)
                end.wait()
        except AlreadyRunning:
            end.wait()

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_run_can_be_handed_to_its_next_process_and_to_nobody_else(root: str) -> None:
    """Also while signs of life are given all the time."""
    locks = Locks(Files(store_at(root)), 0.001)
    with locks.hold("2026-10", "r1", NOW) as first:
        locks.hand_over(first, NOW)
    with pytest.raises(AlreadyRunning, match="r1"), State(root).locks.hold("2026-10", "r2", NOW):
        pass
    with locks.hold("2026-10", "r1", NOW) as second:
        assert second.taken_over is None
        assert not locks.is_held(first)
    assert locks.holder("2026-10", NOW) is None


def test_a_second_process_of_a_run_that_is_alive_is_refused(root: str) -> None:
    """A schedule may fire twice: both find the same unfinished run, and one of them gets the period."""
    with (
        State(root).locks.hold("2026-10", "r1", NOW),
        pytest.raises(AlreadyRunning),
        State(root).locks.hold("2026-10", "r1", NOW),
    ):
        pass


@pytest.mark.parametrize("content", [b"scribble", b'{\n "version": 1,\n "run_id": "x"\n}'], ids=["no JSON", "no end"])
def test_a_lock_that_is_no_lock_is_set_aside(root: str, content: bytes) -> None:
    state = State(root)
    state.files.store.write(NAME, content)
    with state.locks.hold("2026-10", "r1", NOW):
        pass
    (note,) = state.files.notes
    assert "its month counts as free" in note


HOLD = """
import sys
from datetime import UTC, datetime
from accountpulse.core.errors import AlreadyRunning
from accountpulse.state import store_at
from accountpulse.state.files import Files
from accountpulse.state.lock import Locks
try:
    locks = Locks(Files(store_at(sys.argv[1])), float(sys.argv[3]))
    with locks.hold("2026-10", sys.argv[2], datetime.now(UTC)) as lock:
        print(lock.taken_over or "free", flush=True)
        sys.stdin.read()
except AlreadyRunning as error:
    print(error)
"""
APART = ["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]


@cache
def may_unshare() -> bool:
    return subprocess.run([*APART, "true"], check=False, capture_output=True).returncode == 0


def in_a_namespace(root: Path, run_id: str, beat: float = BEAT) -> subprocess.Popen[str]:
    """A process that holds the period, in a PID namespace of its own where this machine lets us make one.

    Where it doesn't, the two are processes like others; the tests above know the namespaces by what the lock says.
    """
    command = [*(APART if may_unshare() else ()), sys.executable, "-c", HOLD, str(root), run_id, str(beat)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_containers_of_one_host_name_share_a_month_one_after_the_other(tmp_path: Path) -> None:
    with in_a_namespace(tmp_path, "r1") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "free\n"
        assert "is being run by run r1" in in_a_namespace(tmp_path, "r2").communicate()[0]
        first.kill()
        first.wait()  # before its stdin is closed, which would end it in order
    for _ in range(50):  # until it has been silent for long enough
        told = in_a_namespace(tmp_path, "r3", QUICK).communicate()[0]
        if "is being run by" not in told:
            break
    assert told.startswith("run r1 on ")
