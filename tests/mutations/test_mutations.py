"""One thing of one answer is changed on its way, and no metric of any account changes in silence.

Here goes a sample; `make mutate-answers` goes through all of it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world import build
from mutations.judge import ORACLES, SCOPE, Bench, Verdict, equal
from mutations.mutations import MUTATIONS, Chance, put, templates
from mutations.proxy import Answer, Change
from mutations.truthful import TABLE
from program import start
from support import NAMES, NOW

SAMPLE = 15  # changes of one answer for each system
TURNS = 100  # fields and rows are chosen by the turn


@pytest.fixture(scope="module")
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


@pytest.mark.parametrize(
    ("bench", "system"), [*(("cloud", name) for name in NAMES), ("datacenter", "jira")], indirect=["bench"]
)
def test_no_change_of_one_answer_changes_a_metric_in_silence(bench: Bench, system: str) -> None:
    found = list(sample(bench, system, SAMPLE, seed=1))
    assert [str(verdict) for verdict in found if verdict.outcome == "silent"] == []
    assert {verdict.outcome for verdict in found} >= {"equal", "ended"}


@pytest.mark.parametrize("bench", ["cloud"], indirect=True)
@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (("POST /intercom/conversations/search", "403"), 3, "POST /conversations/search was refused (HTTP 403)"),
        (("POST /intercom/conversations/search", "the body is a list"), 5, "$: a record was expected, a list came"),
        (("GET /intercom/conversations/*", "404"), 0, "1 conversations that a list has named can't be had"),
    ],
)
def test_a_whole_run_ends_with_the_code_of_the_change_and_says_its_cause(
    bench: Bench, tmp_path: Path, change: tuple[str, str], code: int, said: str
) -> None:
    endpoint, name = change
    mutation = next(each for each in MUTATIONS if each.name == name)
    made = Change(endpoint, 0, lambda answer: mutation.by(answer, Chance(name, 0)))
    bench.proxy.begin(made)
    ended = start(tmp_path, "run", "--dry-run", "--period", SCOPE.period.name, **bench.environment)
    assert made.held
    assert ended.returncode == code
    assert said in " ".join((ended.stdout + ended.stderr).split())


@pytest.mark.parametrize("jira", ["cloud", "datacenter"])
@pytest.mark.parametrize("seed", [7, 8])
def test_what_is_computed_again_from_plain_answers_is_the_truth(tmp_path: Path, seed: int, jira: str) -> None:
    world = build(seed=seed, accounts=10, until=NOW)
    with Bench(world, tmp_path, jira=jira) as plain:
        again = [plain.computed_again(name, plain.logs[name]) for name in ORACLES]
        measured = {name.removesuffix("_reason") for name in plain.truth.columns if name.endswith("_reason")}
    computed = {
        (account, metric): value for each in again for account, its in each.items() for metric, value in its.items()
    }
    assert {metric for _, metric in computed} == measured
    truth = {(row.account_id, row.metric): row.value for row in truth_table(world, SCOPE.period.name, NOW)}
    wrong = [place for place, value in computed.items() if not equal(truth[place], value)]
    # where the whole org's first change of ARR came within the year, nobody can say that it was tracked before
    assert [place for place in wrong if place[1] != "arr_trajectory_pct" or computed[place] is not None] == []


def test_the_table_of_what_may_be_true_names_mutations_that_there_are() -> None:
    names = {mutation.name for mutation in MUTATIONS}
    assert {mutation for each in TABLE for mutation in each.mutations} <= names


@dataclass(frozen=True)
class Found:
    """A change that was silent once, or never ended: a value of a field that isn't null becomes another."""

    system: str
    endpoint: str  # how it ends
    field: str  # places in lists are *
    value: Any
    outcome: str
    place: int = 0  # which of the field's values


FOUND = (
    Found("intercom", "/conversations/search", "total_count", 10**9, "equal"),
    Found("intercom", "/conversations/search", "conversations.*.company.id", "", "equal"),
    Found("intercom", "/conversations/search", "conversations.*.statistics.last_close_at", -1, "unknown and told"),
    Found(
        "intercom",
        "/conversations/search",
        "conversations.*.conversation_rating.created_at",
        10**15,
        "unknown and told",
    ),
    Found("intercom", "/conversations/*", "contacts.contacts", [], "equal"),
    Found("intercom", "/conversations/*", "created_at", 10**15, "equal"),
    Found("jira", "/search/approximate-count", "count", 10**9, "equal"),
    Found("jira", " page", "issues.*.id", " 10133 ", "equal"),
    Found("jira", " page", "issues.*.fields.created", "1970-01-01T00:00:00.000+0000", "unknown and told"),
    Found("jira", " page", "issues.*.fields.resolutiondate", "1970-01-01T00:00:00.000+0000", "unknown and told"),
    Found("jira", "/changelog/bulkfetch", "issueChangeLogs.*.changeHistories.*.items.*.from", ["5"], "equal"),
    Found("looker", "/login", "expires_in", 10**15, "ended"),
    Found(
        "looker",
        "GET run user_sessions account_id,session_date,distinct_users",
        "*.user_sessions.session_date",
        "2099-01-01",
        "unknown and told",
        -1,
    ),
    Found("salesforce", "/services/oauth2/token", "instance_url", "no address", "ended"),
    Found("salesforce", "query Opportunity", "records.*.Probability", "many", "ended"),
    Found("salesforce", "query Case", "records.*.AccountId", "zz_unknown", "ended"),
)


@pytest.mark.parametrize("bench", ["cloud"], indirect=True)
@pytest.mark.parametrize("found", FOUND, ids=lambda found: f"{found.endpoint} {found.field}")
def test_what_was_found_once_stays_mended(bench: Bench, found: Found) -> None:
    def by(answer: Answer) -> Answer | None:
        body = answer.json
        ways = templates(body, lambda value: value is not None).get(found.field)
        if not ways:
            return None
        put(body, ways[found.place][0], found.value)
        return answer.holding(body)

    endpoint = next(each for name, each in bench.pairs() if name == found.system and each.endswith(found.endpoint))
    verdict = bench.judge_change(found.system, Change(endpoint, None, by), found.field)
    assert verdict.outcome == found.outcome, str(verdict)


@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
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
