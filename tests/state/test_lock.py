"""One run a period at a time."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from accountpulse.core.errors import AlreadyRunning
from accountpulse.state import State

NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)


def test_a_held_period_is_refused_to_another_run_and_free_afterwards(root: str) -> None:
    with State(root).locks.hold("2026-10", "r1", NOW):
        with pytest.raises(AlreadyRunning, match="r1"), State(root).locks.hold("2026-10", "r2", NOW):
            pass
        with State(root).locks.hold("2026-09", "r3", NOW):
            pass
        assert "r1" in str(State(root).locks.holder("2026-10", NOW))
    with State(root).locks.hold("2026-10", "r2", NOW) as lock:
        assert lock.taken_over is None


def test_a_run_that_fails_gives_its_period_back(root: str) -> None:
    with pytest.raises(ValueError, match="boom"), State(root).locks.hold("2026-10", "r1", NOW):
        raise ValueError("boom")
    assert State(root).locks.holder("2026-10", NOW) is None


def test_a_lock_whose_time_is_over_is_taken_over_and_reported(root: str) -> None:
    locks = State(root).locks
    held = locks._take("2026-10", "r1", NOW, timedelta(minutes=15))
    with locks.hold("2026-10", "r2", NOW + timedelta(minutes=16)) as lock:
        assert "r1" in str(lock.taken_over)
        assert not locks.is_held(held)
        locks.release(held)  # the late owner must not give back what is no longer its own
        assert locks.is_held(lock)


def test_a_lock_of_a_dead_process_of_this_machine_is_taken_over_at_once(root: str) -> None:
    code = (
        "import os, signal, sys; from datetime import *; from accountpulse.state import State;"
        "State(sys.argv[1]).locks._take('2026-10', 'dead', datetime(2026, 11, 1, 6, tzinfo=UTC), timedelta(hours=6));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, root], check=False, env=dict(os.environ))
    assert done.returncode == -9
    with State(root).locks.hold("2026-10", "r2", NOW) as lock:
        assert "dead" in str(lock.taken_over)


def test_a_lock_of_another_machine_waits_for_its_time(root: str) -> None:
    state = State(root)
    facts = {"run_id": "r1", "host": "elsewhere", "process": 1, "until": (NOW + timedelta(hours=1)).isoformat()}
    state.files.store.create("locks/2026-10.json", json.dumps({"version": 1, **facts}).encode())
    with pytest.raises(AlreadyRunning, match="elsewhere"), state.locks.hold("2026-10", "r2", NOW):
        pass


def test_a_run_can_be_handed_to_its_next_process_and_to_nobody_else(root: str) -> None:
    locks = State(root).locks
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


def test_a_lock_that_is_no_lock_is_set_aside(root: str) -> None:
    state = State(root)
    state.files.store.write("locks/2026-10.json", b"scribble")
    with state.locks.hold("2026-10", "r1", NOW):
        pass
    assert len(state.files.notes) == 1
