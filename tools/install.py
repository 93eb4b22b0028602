"""Install a hashed requirements file, and this package, into a virtual environment that may have no pip of its own.

usage: install.py PATH_OF_THE_ENVIRONMENTS_PYTHON REQUIREMENTS
"""

import subprocess
import sys
from pathlib import Path

QUIET = ["--quiet", "--disable-pip-version-check"]


def pip_for(python: str) -> list[str]:
    """The pip of the environment, else the one that runs us, told to fill that environment."""
    own = [python, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:
        return own
    # `--prefix`-less and with its own site-packages: pip 22.3 and later
    return [sys.executable, "-m", "pip", "--python", str(Path(python).absolute())]


def main() -> int:
    """Run pip twice; the first failing exit code, or 0."""
    python, requirements = sys.argv[1:]
    pip = pip_for(python)
    print(f"installing {requirements} …", file=sys.stderr, flush=True)
    for arguments in (["--require-hashes", "-r", requirements], ["--no-deps", "--no-build-isolation", "-e", "."]):
        done = subprocess.run([*pip, "install", *QUIET, *arguments], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
