"""Repeating any prefix of a run changes nothing: wherever it is cut, what the next one finds and scores is the same."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as lawful
from hypothesis import strategies as some

from accountpulse import pipeline
from accountpulse.core.period import Period, Scope
from accountpulse.core.records import Extract, SourceName
from accountpulse.core.spooled import NoPartStore, PartStore
from accountpulse.pipeline.result import RunResult
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from accountpulse.state import State
from support import NOW, Configure, Silent, extract, measured
from systems.shelf import Killed, Shelf

OVER_THE_WIRE = lawful(max_examples=2, deadline=None)
WALKED: tuple[SourceName, ...] = ("intercom", "jira", "looker")


@pytest.fixture(scope="module")
def small() -> World:
    return build(seed=4, accounts=15, until=NOW, issues=1200)


@pytest.fixture(scope="module")
def running(small: World) -> Iterator[Sandbox]:
    with Sandbox(small) as sandbox:
        yield sandbox


# --- a source, cut after any of its parts, which may be of any size


def extracted(loaded: Settings, scope: Scope, parts: dict[SourceName, PartStore]) -> pl.DataFrame:
    """The metrics of all accounts."""
    extracts: dict[SourceName, Extract] = {"salesforce": extract(loaded, "salesforce", scope)}
    links = extracts["salesforce"].tables["links"]
    for source in WALKED:
        keys = tuple(links.filter(pl.col("source") == source)["key"].unique().sort())
        try:
            extracts[source] = extract(loaded, source, scope, keys, parts=parts.get(source, NoPartStore()))
        except Killed:
            extracts[source] = extract(loaded, source, scope, keys, parts=revived(parts[source]))
    return measured(loaded, extracts, scope)


def revived(shelf: PartStore) -> Shelf:
    assert isinstance(shelf, Shelf)
    shelf.lives = 1_000_000
    return shelf


def test_sources_that_are_cut_after_any_part_measure_the_same(
    running: Sandbox, configure: Configure, scope: Scope
) -> None:
    loaded = configure(running)
    clean = extracted(loaded, scope, {})

    @OVER_THE_WIRE
    @given(
        some.fixed_dictionaries({source: some.tuples(some.integers(0, 8), some.integers(1, 400)) for source in WALKED})
    )
    def law(cuts: dict[SourceName, tuple[int, int]]) -> None:
        parts: dict[SourceName, PartStore] = {source: Shelf(*cut) for source, cut in cuts.items()}
        assert extracted(loaded, scope, parts).equals(clean)

    law()


# --- a whole run, cut when it says anything


class Mortal(Silent):
    """A watch during which the run dies, when it has said so much."""

    def __init__(self, lives: int) -> None:
        super().__init__()
        self.lives = lives

    def said_more(self) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    def begin(self, source: SourceName) -> None:
        super().begin(source)
        self.said_more()

    def rows(self, source: SourceName, done: int, total: int | None) -> None:
        super().rows(source, done, total)
        self.said_more()

    def end(self, source: SourceName, standing: object) -> None:
        super().end(source, standing)
        self.said_more()


def run(loaded: Settings, folder: Path, lives: int) -> RunResult | None:
    """One run's result; None where it died."""
    options = RunRequest(period=Period(2026, 10))
    try:
        return pipeline.execute(replace(loaded, state=str(folder)), options, NOW, Mortal(lives))
    except Killed:
        return None


def test_a_run_that_is_cut_again_and_again_scores_the_same(
    running: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    loaded, never = configure(running), 1_000_000
    clean = run(loaded, tmp_path / "clean", never)
    assert clean is not None
    assert clean.scores is not None
    stored = running.world.salesforce.objects["Health_Score__c"].rows

    @OVER_THE_WIRE
    @given(some.lists(some.integers(0, 60), min_size=1, max_size=3))
    def law(lives: list[int]) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            for each in lives:
                run(loaded, Path(folder), each)
            ended = run(loaded, Path(folder), never)
            assert [facts["status"] for facts in State(folder).runs.all()][-1] == "finished"
        assert ended is not None
        assert ended.scores is not None
        assert ended.scores.equals(clean.scores)
        assert len(stored) == len(running.world.customers)

    law()
