"""A restructuring changes no result: the records, metrics, scores and files of recorded worlds, by their hashes.

`python tools/results.py check` compares all 100 worlds; here are the demo's and some of the others. When right values
change by design, `python tools/results.py record` records them anew, and the commit says why.
"""

import json
import subprocess
import sys

import pytest

from support import ROOT

WORLDS = ("demo", "1", "100")  # of the others, one with Jira Data Center and one with Jira Cloud
CHECK = """
import json, multiprocessing, sys
sys.path.insert(0, "tools")
import results
recorded = json.loads(results.HASHES.read_text(encoding="utf-8"))
with multiprocessing.get_context("spawn").Pool(2) as pool:
    found = dict(pool.imap(results.of_world, sys.argv[1:], chunksize=1))
wrong = list(results.differences(found, recorded))
found["1"]["scores"] = "0" * 16
print(json.dumps([wrong, list(results.differences(found, recorded))]))
"""


@pytest.fixture(scope="module")
def told() -> tuple[list[str], list[str]]:
    """What the command says of the worlds, and what it says where one result is another."""
    done = subprocess.run(
        [sys.executable, "-c", CHECK, *WORLDS], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    wrong, wrong_and_changed = json.loads(done.stdout.splitlines()[-1])
    return wrong, wrong_and_changed


def test_results_are_those_that_were_recorded(told: tuple[list[str], list[str]]) -> None:
    assert told[0] == []


def test_a_changed_result_is_seen(told: tuple[list[str], list[str]]) -> None:
    (line,) = told[1]
    assert line.startswith("world 1: scores is 0000000000000000, recorded was ")


def test_every_world_of_the_command_is_recorded() -> None:
    recorded = json.loads((ROOT / "tests" / "results" / "hashes.json").read_text(encoding="utf-8"))
    assert set(recorded) == {"demo", *map(str, range(1, 101))}
