"""Which run can be gone on with."""

from datetime import UTC, datetime, timedelta

from accountpulse.core.period import Period, scope_of
from accountpulse.state import State

NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
SCOPE = scope_of(Period(2026, 10), NOW)


def test_a_run_that_was_killed_or_stopped_can_be_gone_on_with(root: str) -> None:
    runs = State(root).runs
    runs.begin(SCOPE, "r1", "same", NOW)
    for status in (None, "stopped"):
        if status:
            runs.end(SCOPE, "r1", "stopped", {"failed": ["jira"]})
        found = runs.unfinished("2026-10", "same", NOW + timedelta(hours=1))
        assert found is not None
        assert (found.run_id, found.as_of) == ("r1", SCOPE.as_of)


def test_a_finished_run_another_setting_or_an_old_run_is_not_gone_on_with(root: str) -> None:
    runs = State(root).runs
    runs.begin(SCOPE, "r1", "same", NOW)
    assert runs.unfinished("2026-10", "other", NOW) is None
    assert runs.unfinished("2026-09", "same", NOW) is None
    assert runs.unfinished("2026-10", "same", NOW + timedelta(hours=25)) is None
    runs.end(SCOPE, "r1", "finished", {"written": 120})
    assert runs.unfinished("2026-10", "same", NOW) is None
    assert [facts["written"] for facts in runs.all()] == [120]


def test_only_the_last_run_counts(root: str) -> None:
    runs = State(root).runs
    runs.begin(SCOPE, "r1", "same", NOW)
    runs.begin(SCOPE, "r2", "same", NOW + timedelta(minutes=1))
    runs.end(SCOPE, "r2", "finished", {})
    assert runs.unfinished("2026-10", "same", NOW + timedelta(minutes=2)) is None
