"""`make install-matrix`: the wheel, installed by pipx with each Python here, and walked through in an empty folder.

    python tests/installed/matrix.py [--python PATH]... [--only lowest|newest] [--wheel FILE]

With each Python twice: with the newest of what pyproject.toml allows, as pip finds it, and with the lowest that has a
wheel for that Python, as uv resolves it. Needs venv, and what pipx and uv need: no other package, so that it runs with
any Python that is tried. Exit code 1 where one of them fails; its output lies beside the installation.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from journey import Broken, Journey

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "install-matrix"
TOOLS = PLACE / "tools" / "bin"
EXTRAS = ("backtest", "duckdb", "rollbar")
NAMES = [f"python3.{minor}" for minor in range(11, 20)]
PASSED = (
    "PATH",
    "LANG",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
)
CLEAN = {name: os.environ[name] for name in PASSED if name in os.environ}


@dataclass(frozen=True)
class Combination:
    """One Python with one choice of dependencies."""

    python: str
    version: str
    which: str

    @property
    def folder(self) -> Path:
        return PLACE / f"{self.version}-{self.which}"


def main() -> int:
    """Try every combination, and print a line of each."""
    arguments = _arguments()
    shutil.rmtree(PLACE, ignore_errors=True)
    _run(sys.executable, "-m", "venv", str(PLACE / "tools"))
    _run(str(TOOLS / "pip"), "install", "--quiet", "pipx", "uv", "hatchling")
    wheel = arguments.wheel or _built()
    pythons = {version: path for path in arguments.python or NAMES if (version := _version(path))}
    wanted = [arguments.only] if arguments.only else ["lowest", "newest"]
    failed, first = 0, None
    for version, python in pythons.items():
        for which in wanted:
            walked = _tried(Combination(python, version, which), wheel.resolve(), first)
            first = first or walked
            failed += walked is None
    print(f"{len(pythons) * len(wanted)} combinations, {failed} failed")
    return int(failed > 0 or first is None)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", help="a Python to try; default: python3.11 and newer on the PATH")
    parser.add_argument("--only", choices=("lowest", "newest"))
    parser.add_argument("--wheel", type=Path, help="default: one that is built of this clone")
    return parser.parse_args()


def _tried(chosen: Combination, wheel: Path, first: Journey | None) -> Journey | None:
    """Install and walk, and hold it against the first that passed; prints how that ended. None where it failed."""
    begun, walked = time.monotonic(), None
    try:
        walked = _try(chosen, wheel, first)
        how = "passed"
    except (Broken, subprocess.SubprocessError) as error:
        said = f"{error}\n{getattr(error, 'stdout', '')}\n{getattr(error, 'stderr', '')}"
        (chosen.folder / "failure.txt").write_text(said, encoding="utf-8")
        how = f"FAILED: {' '.join(str(error).split())[:200]} … ({chosen.folder / 'failure.txt'})"
    print(f"Python {chosen.version}  {chosen.which}  {time.monotonic() - begun:4.0f} s  {how}", flush=True)
    return walked


def _try(chosen: Combination, wheel: Path, first: Journey | None) -> Journey:
    home, empty = chosen.folder / "home", chosen.folder / "empty"
    home.mkdir(parents=True)
    empty.mkdir()
    given = {**CLEAN, "HOME": str(home), "PIPX_HOME": str(home / "pipx"), "PIPX_BIN_DIR": str(home / "bin")}
    pip = _lowest(chosen) if chosen.which == "lowest" else []
    pipx = str(TOOLS / "pipx")
    _run(pipx, "install", "--python", chosen.python, f"--pip-args={' '.join(pip)}", str(wheel), **given)
    journey = Journey([str(home / "bin" / "accountpulse")], empty, {**given, "COLUMNS": "100"})
    journey.walk()
    pip = _lowest(chosen, *EXTRAS) if chosen.which == "lowest" else []
    _run(pipx, "runpip", "accountpulse", "install", *pip, f"{wheel}[{','.join(EXTRAS)}]", **given)
    journey.extras()
    frozen = _run(pipx, "runpip", "accountpulse", "freeze", **given)
    (chosen.folder / "freeze.txt").write_text(frozen, encoding="utf-8")
    if first is not None and not _agree(first, journey):
        raise Broken(f"other results than those of {first.folder.parent.name}: scores.csv, month/report-*.csv")
    return journey


def _agree(first: Journey, other: Journey) -> bool:
    """Whether both come to the same; three times, since the company may move on between two runs."""
    return first.scores() == other.scores() and any(first.month() == other.month() for _ in range(3))


def _lowest(chosen: Combination, *extras: str) -> list[str]:
    """What tells pip to take the lowest direct dependencies that have a wheel for that Python."""
    file = chosen.folder / f"{'-'.join(['lowest', *extras])}.txt"
    words = [word for name in extras for word in ("--extra", name)]
    how = ["--resolution", "lowest-direct", "--only-binary", ":all:", "--python", chosen.python, "-o", str(file)]
    _run(str(TOOLS / "uv"), "pip", "compile", "-q", *how, *words, str(ROOT / "pyproject.toml"), **CLEAN)
    return ["--constraint", str(file), "--only-binary=:all:"]


def _built() -> Path:
    _run(str(TOOLS / "python"), "-m", "hatchling", "build", "-t", "wheel", "-d", str(PLACE))
    return next(PLACE.glob("accountpulse-*.whl"))


def _version(python: str) -> str:
    """Such as 3.12.1; empty where it isn't there, or can't make an environment."""
    code = "import ensurepip, platform; print(platform.python_version())"
    try:
        return _run(python, "-c", code).strip()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment or None, check=True, capture_output=True, text=True, encoding="utf-8"
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
