"""What init writes for companies with names, links and objects of their own, held against the plain one's scores."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import other_worlds
from accountpulse import pipeline, settings
from accountpulse.cli.init import show_init
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from support import NOW, Silent

AS_BY_HAND = 0.5  # points of health
Health = dict[str, float | None]


def health(world: World, folder: Path, *, by_hand: bool = False) -> Health:
    """Each account's health, by the mapping that was written by hand or by the one that init writes."""
    with Sandbox(world) as running:
        running.ahead = NOW - datetime.now(UTC)
        environment = {**running.environment(), "ACCOUNTPULSE_STATE": str(folder / "state")}
        if not by_hand:
            environment["ACCOUNTPULSE_CONFIG"] = str(folder / "accountpulse.yaml")
            assert show_init(environment, None, NOW, yes=True) == 0
        result = pipeline.execute(settings.load(environment), RunRequest(dry_run=True), NOW, Silent())
    scores = result.scores
    assert scores is not None
    assert not result.problems, result.problems[:3]
    assert not scores.is_empty(), result.reading.notes
    return dict(scores.select("account_id", "health_score").iter_rows())


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Health:
    """What is true of the company, whatever it calls things."""
    return health(other_worlds.plain(), tmp_path_factory.mktemp("plain"), by_hand=True)


@pytest.mark.parametrize("name", other_worlds.WORLDS)
def test_every_account_is_scored_as_by_a_mapping_that_was_written_by_hand(
    name: str, expected: Health, tmp_path: Path
) -> None:
    found = health(other_worlds.other(name), tmp_path)
    assert found.keys() == expected.keys()
    for account, value in expected.items():
        score = found[account]
        assert (score is None) == (value is None)
        assert score is None or value is None or abs(score - value) <= AS_BY_HAND
