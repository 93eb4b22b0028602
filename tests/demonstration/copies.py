"""A copy of the installed package that a test may change, and run."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

import accountpulse

HERE = Path(__file__).parent
PACKAGE = Path(accountpulse.__file__).parent
PERIOD = "2026-10"
ACCOUNTS = 24


@dataclass(frozen=True)
class Done:
    """One command: its exit code, and what it printed."""

    code: int
    output: str

    @property
    def data(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.output)

    @property
    def text(self) -> str:
        """What it printed, with single blanks."""
        return " ".join(self.output.split())


@dataclass(frozen=True)
class Session:
    """Some commands on one company, and the truth about the company: rows of account, metric, value, reason."""

    done: list[Done]
    truth: list[Any]
    truth_without: dict[str, list[Any]]
    customers: dict[str, list[str]]


@dataclass
class Copy:
    """The copy, in a folder to run it in. `changed` are the files that were changed or added, as paths below it."""

    root: Path
    changed: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, root: Path) -> "Copy":
        """A fresh one."""
        shutil.copytree(PACKAGE, root / "accountpulse", ignore=shutil.ignore_patterns("__pycache__"))
        return cls(root)

    def add_folder(self, part: str, name: str) -> None:
        """One folder, and one line in the register of the part."""
        shutil.copytree(HERE / part / name, self.root / "accountpulse" / part / name)
        self.changed.append(f"{part}/{name}/")
        self.insert(f"{part}/__init__.py", '    "salesforce",\n', f'    "{name}",\n')

    def insert(self, file: str, after: str, text: str) -> None:
        """Some text after a place that the file has once."""
        path = self.root / "accountpulse" / file
        before = path.read_text(encoding="utf-8")
        assert before.count(after) == 1, (file, after)
        path.write_text(before.replace(after, after + text), encoding="utf-8")
        if file not in self.changed:
            self.changed.append(file)

    def run(self, *commands: str, **environment: str) -> Session:
        """The commands, one after the other, in one process."""
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        state = {"ACCOUNTPULSE_STATE": str(self.root / "state"), "PYTHONPATH": str(self.root), "COLUMNS": "160"}
        done = subprocess.run(
            [sys.executable, str(HERE / "driver.py"), str(ACCOUNTS), *commands],
            cwd=self.root,
            env={**inherited, **state, "HOME": str(self.root), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        facts = json.loads(done.stdout.rstrip().rpartition("\n")[2])
        return Session(**{**facts, "done": [Done(**each) for each in facts["done"]]})

    def history(self, kind: str, state: str = "state") -> pl.DataFrame:
        """What a run has left behind."""
        return pl.read_parquet(self.root / state / "history" / kind / f"period={PERIOD}" / f"{kind}.parquet")
