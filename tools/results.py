"""Hashes of everything that a run makes, world by world: whether a restructuring has changed a result.

usage: results.py record|check [--worlds N] [--processes N]

Each generated world is a sandbox of 20 accounts (every second one with Jira Data Center) and a whole run of
`accountpulse run`; the demo's world is run for four months, and its metrics are scored by `accountpulse score` too.
Hashed are the contents of the files that the program leaves, never its own objects: the extracted records (their order
aside), the history, the CSV, and what the org received. Run ids, times and what was ADDED later are left out.
`tests/results/hashes.json` holds them; when right values change by design, they are recorded anew, and the commit says
why.
"""

import argparse
import contextlib
import csv
import hashlib
import io
import json
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "tests" / "results"
HASHES = FOLDER / "hashes.json"
UNTIL = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MONTH = "2026-10"
MONTHS = ("2026-07", "2026-08", "2026-09", MONTH)
WORLDS = 100
ACCOUNTS = 20
# added since the hashes were recorded: left out, so that it is seen that all others are what they were
ADDED = (
    "risk_z", "Churn_Probability__c", "Churn_Probability_Lower__c", "Churn_Probability_Upper__c", "owner_id", "urls",
    "Account_Owner__c", "ARR__c", "Renewal_Date__c", "Main_Driver__c", "Next_Step__c", "Health_Change__c",
    "Tier_Before__c", "Signal_Cap__c", "Signal_Tier__c", "Group_Health__c", "Group_Lowest__c", "Group_ARR__c",
    "Group_ARR_Rated__c", "parent_id", "parent", "group", "group_health", "group_lowest", "group_arr",
    "group_arr_rated", "Green_Tiers__c", "Disagreement__c", "pulse_colour", "pulse_state", "pulse_on",
    "renewal_outlook", "pulse", "forecast", "disagreement",
)  # fmt: skip
ADDED_TO_SIGNALS = ("title", "owner")  # an account's owner was there before
# known until the day of reading, and so another thing every day; or no part of any score
NOT_MEASURED = ("outcomes", "merges", "parents", "pulses", "owner_changes")
OF_THE_RUN = ("Run_Id__c", "Scored_At__c")  # differ in every run
Hashes = dict[str, str]


def main() -> int:
    """Record the hashes, or compare them with those that were recorded; 1 where any differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=("record", "check"))
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    names = ["demo", *map(str, range(1, asked.worlds + 1))]
    found: dict[str, Hashes] = {}
    with multiprocessing.get_context("spawn").Pool(asked.processes, maxtasksperchild=20) as pool:
        for name, hashes in pool.imap(of_world, names):
            found[name] = hashes
            print(f"\r{len(found)} of {len(names)} worlds", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if asked.what == "record":
        lines = (f"{json.dumps(name)}: {json.dumps(hashes)}" for name, hashes in found.items())
        HASHES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        return 0
    wrong = list(differences(found, json.loads(HASHES.read_text(encoding="utf-8"))))
    print("\n".join(wrong) or f"{len(found):,} worlds: every result is what was recorded")
    return 1 if wrong else 0


def differences(found: Mapping[str, Hashes], recorded: Mapping[str, Hashes]) -> Iterator[str]:
    """A line for each result that isn't what was recorded."""
    for world, hashes in found.items():
        before = recorded.get(world, {})
        for name in sorted({*hashes, *before}):
            if hashes.get(name) != before.get(name):
                yield f"world {world}: {name} is {hashes.get(name)}, recorded was {before.get(name)}"


def of_world(name: str) -> tuple[str, Hashes]:
    """The hashes of a generated world (its seed is the name), or of the demo's."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="accountpulse-results-") as folder, _quiet():
        return name, _demo(Path(folder)) if name == "demo" else _generated(int(name), Path(folder))


def _generated(seed: int, folder: Path) -> Hashes:
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.world import build

    world = build(seed=seed, accounts=ACCOUNTS, until=UNTIL)
    with Sandbox(world, jira="datacenter" if seed % 2 else "cloud") as sandbox:
        _settings(sandbox, folder)
        code = _program("run", "--period", MONTH, "--out", str(folder / "csv"))
    return {"exit code": str(code), **_left(folder), "received": _received(world)}


def _demo(folder: Path) -> Hashes:
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.world import build

    world, found = build(seed=7, accounts=120, until=UNTIL), Hashes()
    with Sandbox(world) as sandbox:
        _settings(sandbox, folder)
        for month in MONTHS:
            _program("run", "--period", month, "--out", str(folder / "csv"))
    found |= {**_left(folder), "received": _received(world)}
    table = next((folder / "state" / "history" / "metrics").glob(f"*{MONTH}/*.parquet"))
    for engine in ("polars", "duckdb"):
        out = folder / f"{engine}.parquet"
        _program("score", "--metrics", str(table), "--out", str(out), "--engine", engine, *_CARD)
        found[f"score by {engine}"] = _table(out)
    _program("report", "--out", str(folder / "report"))
    (listed,) = (folder / "report").glob("*.csv")
    return found | {"report": _hash(_without_added(listed.read_text(encoding="utf-8")).encode())}


_CARD = ("--scorecard", str(FOLDER / "scorecard.yaml"))


def _settings(sandbox: Any, folder: Path) -> None:
    """The environment that leads to the sandbox, with a state of its own."""
    for name in [name for name in os.environ if name.startswith(("ACCOUNTPULSE_", "JIRA_"))]:
        del os.environ[name]
    os.environ.update(sandbox.environment())
    os.environ["ACCOUNTPULSE_STATE"] = str(folder / "state")
    os.environ["ACCOUNTPULSE_CONFIG"] = str(FOLDER / "accountpulse.yaml")


def _program(*words: str) -> int:
    """Call the command line in this process; its exit code."""
    from accountpulse.cli import app

    return int(app(list(words), standalone_mode=False) or 0)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what the program says is shown; it is what the error holds where it fails."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            yield
    except Exception as error:  # noqa: BLE001
        raise RuntimeError(f"{error}\n{said.getvalue()[-3000:]}") from None


def _left(folder: Path) -> Hashes:
    """The records, the history and the CSVs that were left in the folder."""
    state = folder / "state"
    found: Hashes = {}
    for kind in ("metrics", "scores", "evidence", "signals"):
        files = sorted((state / "history" / kind).rglob("*.parquet"))
        found[kind] = _hash("".join(f"{file.parent.name} {_table(file)}" for file in files).encode())
    records: dict[str, list[str]] = {}
    for file in sorted((state / "extract").rglob("*.parquet")):
        parts = file.relative_to(state / "extract").with_suffix("").parts
        if "parts" not in parts and parts[2] not in NOT_MEASURED:
            records.setdefault("/".join(parts[:3]), []).extend(_lines(file))
    whole = [f"{table}\n" + "\n".join(sorted(lines)) for table, lines in sorted(records.items())]
    found["records"] = _hash("\n".join(whole).encode())
    found["csv"] = _hash("".join(map(_csv, sorted((folder / "csv").glob("*.csv")))).encode())
    shutil.rmtree(state / "locks", ignore_errors=True)
    return found


def _received(world: Any) -> str:
    """What the org holds in the end."""
    rows = world.salesforce.objects["Health_Score__c"].rows
    own = (*OF_THE_RUN, *ADDED, "Id", "LastModifiedDate", "CreatedDate", "SystemModstamp")
    kept = [json.dumps({name: row[name] for name in sorted(row) if name not in own}, default=str) for row in rows]
    return _hash("\n".join(sorted(kept)).encode())


def _csv(file: Path) -> str:
    import polars as pl

    return pl.read_csv(file, infer_schema=False).drop(*OF_THE_RUN, *ADDED, strict=False).write_csv()


def _without_added(text: str) -> str:
    """A CSV without the columns that were added, and otherwise to the byte as it is."""
    columns, *rows = csv.reader(io.StringIO(text, newline=""))
    kept = [place for place, name in enumerate(columns) if name not in ADDED]
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows([row[place] for place in kept] for row in (columns, *rows))
    return written.getvalue()


def _added(file: Path) -> tuple[str, ...]:
    return (*ADDED, *(ADDED_TO_SIGNALS if file.stem == "signals" else ()))


def _table(file: Path) -> str:
    import polars as pl

    kinds = {name: kind for name, kind in pl.read_parquet_schema(file).items() if name not in _added(file)}
    return _hash("\n".join([str(kinds), *_lines(file)]).encode())


def _lines(file: Path) -> list[str]:
    """A line a row; numbers are written so that they read back to the same bits."""
    import polars as pl

    return pl.read_parquet(file, hive_partitioning=False).drop(_added(file), strict=False).write_ndjson().splitlines()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
