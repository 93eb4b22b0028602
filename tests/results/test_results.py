"""A restructuring changes no result: the records, metrics, scores and files of recorded worlds, by their hashes.

`python tools/results.py check` compares all 100 worlds; here are the demo's and some of the others. When right values
change by design, `python tools/results.py record` records them anew, and the commit says why.
"""

import json
import subprocess
import sys

import pytest

from support import ROOT

CHECK = """
import json, sys
sys.path.insert(0, "tools")
import results
recorded = json.loads(results.HASHES.read_text(encoding="utf-8"))
found = dict(map(results.of_world, sys.argv[1:]))
print(json.dumps(list(results.differences(found, recorded))))
"""


@pytest.mark.parametrize("worlds", [("demo",), ("1", "50", "100")])
def test_results_are_those_that_were_recorded(worlds: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK, *worlds], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_a_changed_result_is_seen() -> None:
    script = CHECK.replace("print(", 'found["1"]["scores"] = "0" * 16\nprint(')
    done = subprocess.run([sys.executable, "-c", script, "1"], cwd=ROOT, capture_output=True, text=True, check=False)
    (line,) = json.loads(done.stdout.splitlines()[-1])
    assert line.startswith("world 1: scores is 0000000000000000, recorded was ")


def test_every_world_of_the_command_is_recorded() -> None:
    recorded = json.loads((ROOT / "tests" / "results" / "hashes.json").read_text(encoding="utf-8"))
    assert set(recorded) == {"demo", *map(str, range(1, 101))}
