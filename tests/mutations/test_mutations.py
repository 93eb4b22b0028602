"""One thing of one answer is changed on its way, and no metric of any account changes in silence.

Here goes a sample; `make mutate-answers` goes through all of it.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world import build
from mutations.judge import ORACLES, SCOPE, Bench, Verdict, equal
from mutations.mutations import MUTATIONS
from support import NAMES, NOW

SAMPLE = 60  # changes of one answer for each system
TURNS = 100  # fields and rows are chosen by the turn


@pytest.fixture(scope="module", params=["cloud", "datacenter"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    world = build(seed=7, accounts=10, until=NOW)
    with Bench(world, tmp_path_factory.mktemp("bench"), jira=request.param) as running:
        yield running


def sample(bench: Bench, system: str, size: int, seed: int) -> Iterator[Verdict]:
    """So many changes of a system's answers that were made, by chance."""
    rng = random.Random(f"{seed} {system}")  # noqa: S311
    endpoints = [endpoint for name, endpoint in bench.pairs() if name == system]
    made = 0
    while made < size:
        verdict = bench.judge(system, rng.choice(endpoints), rng.choice(MUTATIONS), rng.randrange(TURNS))
        made += verdict.outcome != "not applicable"
        yield verdict


@pytest.mark.parametrize("system", NAMES)
def test_no_change_of_one_answer_changes_a_metric_in_silence(bench: Bench, system: str) -> None:
    if system != "jira" and bench.editions["jira"] == "datacenter":
        return  # the same as with Cloud
    found = list(sample(bench, system, SAMPLE, seed=1))
    assert [str(verdict) for verdict in found if verdict.outcome == "silent"] == []
    assert {verdict.outcome for verdict in found} >= {"equal", "ended"}


@pytest.mark.parametrize("jira", ["cloud", "datacenter"])
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_what_is_computed_again_from_plain_answers_is_the_truth(tmp_path: Path, seed: int, jira: str) -> None:
    world = build(seed=seed, accounts=10, until=NOW)
    with Bench(world, tmp_path, jira=jira) as plain:
        again = [plain.computed_again(name, plain.logs[name]) for name in ORACLES]
        measured = {name.removesuffix("_reason") for name in plain.truth.columns if name.endswith("_reason")}
    computed = {
        (account, metric): value for each in again for account, its in each.items() for metric, value in its.items()
    }
    assert {metric for _, metric in computed} == measured - {"arr_trajectory_pct"}  # the histories are too young
    truth = {(row.account_id, row.metric): row.value for row in truth_table(world, SCOPE.period.name, NOW)}
    assert [place for place, value in computed.items() if not equal(truth[place], value)] == []


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), data=st.data())
def test_no_world_has_an_answer_whose_change_is_silent(
    tmp_path_factory: pytest.TempPathFactory, seed: int, data: Any
) -> None:
    with Bench(build(seed=seed, accounts=4, until=NOW), tmp_path_factory.mktemp("world")) as small:
        pairs = list(small.pairs())
        for _ in range(12):
            name, endpoint = data.draw(st.sampled_from(pairs))
            mutation, turn = data.draw(st.sampled_from(MUTATIONS)), data.draw(st.integers(0, TURNS))
            verdict = small.judge(name, endpoint, mutation, turn)
            assert verdict.outcome != "silent", str(verdict)
