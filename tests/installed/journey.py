"""What a newcomer does with an installed accountpulse: in an empty folder, with an empty home, without the repository.

Nothing here imports accountpulse, or anything that isn't in Python: it runs beside whichever was installed.
"""

import contextlib
import csv
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SLOW = 600  # seconds; a first start also loads everything from a cold disk


class Broken(Exception):
    """A step ended as it should not; the text is what it said."""


@dataclass
class Journey:
    """The program, where it runs, and what it is given.

    `program` is the command with what has to stand before it; `environment` is all that the command finds set.
    """

    program: list[str]
    folder: Path
    environment: dict[str, str]

    def walk(self) -> None:
        """Every step in turn; the first that fails ends it with Broken."""
        listed = self.step("--help")
        self.step("--version")
        self.step("demo", "--accounts", "30")
        with self._sandbox() as settings:
            self.environment |= settings
            if has(listed, "init"):  # writes the file that the sandbox's setting would name
                del self.environment["ACCOUNTPULSE_CONFIG"]
                self.step("init", "--yes")
            if "--suggest" in self.step("accounts", "--help"):
                self.step("accounts", "--suggest", "--accept-above", "90")
            for words in ("check", "accounts", "run --dry-run", "run", "report", "history"):
                self.step(*words.split())
            self.step("explain", self._an_account())
        self.step("sandbox", "--churn", "--accounts", "400", "--tables", "years")
        self.step("score", "--metrics", "years/metrics.parquet", "--out", "scores.csv")
        if ".xlsx" in self.step("score", "--help"):
            self.step("score", "--metrics", "years/metrics.parquet", "--out", "scores.xlsx")
        for target in ("salesforce", "aws", "container"):
            self.step("deploy-files", target, target)

    def scores(self) -> bytes:
        """Those of a table, after the walk: they must be the same with every choice of dependencies."""
        return (self.folder / "scores.csv").read_bytes()

    def month(self) -> bytes:
        """A month's report, now: an invented company lives on by the clock, so only what is asked at once is alike."""
        self.step("demo", "--accounts", "30", "--out", "month")
        (report,) = (self.folder / "month").glob("report-*.csv")
        return report.read_bytes()

    def extras(self) -> None:
        """What needs `accountpulse[backtest,duckdb]`, after the walk: a company's two years, judged; another engine."""
        tables = ("--metrics", "years/metrics.parquet", "--outcomes", "years/outcomes.parquet")
        self.step("backtest", *tables, "--out", "proof")
        self.step("scorecard", "suggest", *tables, "--out", "suggested.yaml", good=(0, 4))
        self.step("score", "--engine", "duckdb", "--metrics", "years/metrics.parquet", "--out", "by_duckdb.parquet")

    def step(self, *words: str, good: tuple[int, ...] = (0,)) -> str:
        """Run a command and give its stdout; Broken where it ends otherwise, or Python warns of a line of ours."""
        given = {"PYTHONWARNINGS": "default", **self.environment}
        command = [*self.program, *words]
        done = subprocess.run(
            command, cwd=self.folder, env=given, capture_output=True, text=True, check=False, timeout=SLOW
        )
        warned = re.findall(r"^\S*/accountpulse/\S+: \w*Warning: .*", done.stderr, re.MULTILINE)
        if done.returncode not in good or warned:
            raise Broken(f"accountpulse {shlex.join(words)} → {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    @contextlib.contextmanager
    def _sandbox(self) -> Iterator[Mapping[str, str]]:
        """The four stand-ins, served by a process of their own; gives the settings that lead to them."""
        command = [*self.program, "sandbox", "--port", "0", "--accounts", "40"]
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as served:
            try:
                yield dict(self._exported(served))
            finally:
                served.terminate()

    def _exported(self, served: "subprocess.Popen[str]") -> Iterator[tuple[str, str]]:
        assert served.stdout is not None
        for line in served.stdout:
            if line.startswith("export "):
                name, _, value = shlex.split(line)[1].partition("=")
                yield name, value
                if name == "ACCOUNTPULSE_CONFIG":  # the last one
                    return
        raise Broken("the sandbox ended before it said its settings")

    def _an_account(self) -> str:
        (table,) = (self.folder / "out").glob("report-*.csv")
        with table.open(encoding="utf-8-sig", newline="") as rows:
            return next(iter(csv.DictReader(rows)))["account_id"]


def has(help_text: str, command: str) -> bool:
    """Whether the program's help lists the command."""
    return re.search(rf"^  {command}\s", help_text, re.MULTILINE) is not None
