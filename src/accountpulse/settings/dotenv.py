"""`.env` beside accountpulse.yaml: credentials for the command line, beneath the environment and above the secret.

`NAME=value` a line, as shells and other tools write it: `export` may stand before it, quotes around the value, and that
may go over several lines; in double quotes a backslash escapes. `#` begins a comment. Nothing is substituted. Only
our own names are taken: the file may hold those of other programs, too.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from accountpulse.core import given_files
from accountpulse.core.errors import ConfigurationError
from accountpulse.settings.environment import PREFIXES, VARIABLES
from accountpulse.systems import SYSTEMS
from accountpulse.systems.environment import Variable

FILE = ".env"
MODE = 0o600
_NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*", re.ASCII)
_BARE = re.compile(r"(?:export[ \t]+\w+|[A-Za-z_]\w*)", re.ASCII)
_QUOTED = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_REST = re.compile(r"[ \t]*(#[^\n]*)?(?:\n|\Z)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True)
class DotEnv:
    """What a `.env` holds of ours. `remark`: others can read it, or lines of it count for nothing; never a value."""

    path: Path
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    remark: str = ""

    def beneath(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """The environment with the file's values, where it has none of its own."""
        return {**self.values, **{name: value for name, value in environment.items() if value.strip()}}


def beside(environment: Mapping[str, str]) -> Path:
    """Where it lies: in the folder of the mapping file that the environment names, else in the current one."""
    return Path((environment.get("ACCOUNTPULSE_CONFIG") or "").strip()).parent / FILE


def read(path: Path) -> DotEnv:
    """The file; an absent one is empty. A ConfigurationError names each line that can't be read, never its text."""
    if not path.exists():
        return DotEnv(path)
    try:
        text = given_files.read_text(path, given_files.MOST_YAML)
    except given_files.Unreadable as error:
        raise ConfigurationError(str(path), [f"it can't be read ({error})"]) from None
    problems: list[str] = []
    strange: list[int] = []
    values = dict(_assignments(text.replace("\r\n", "\n"), problems, strange))
    if problems:
        raise ConfigurationError(str(path), problems)
    return DotEnv(path, values, "; ".join(filter(None, (_remark(path), _without_name(path, strange)))))


def _assignments(text: str, problems: list[str], strange: list[int]) -> Iterator[tuple[str, str]]:
    """Names with their values; of other programs' nothing is said. `strange`: the lines that are no `NAME=value`."""
    place = 0
    while place < len(text):
        end = _end_of_line(text, place)
        named = _NAME.match(text, place, end)
        if named is None:
            if _is_strange(text[place:end].rstrip("\n")):
                strange.append(text.count("\n", 0, place) + 1)
            place = end
            continue
        is_ours = named[1].startswith(PREFIXES)
        start = named.end()
        if text[start : start + 1] in ("'", '"'):
            quoted = _QUOTED.match(text, start)
            rest = quoted and _REST.match(text, quoted.end())
            if quoted is None or rest is None:
                if is_ours:
                    line = text.count("\n", 0, place) + 1
                    problems.append(f"line {line}: the quotes of {named[1]} don't end where its value does")
                place = end
                continue
            value, end = quoted[1] if quoted[2] is None else _unescaped(quoted[2]), rest.end()
        else:
            value = re.sub(r"(^|[ \t])#.*", "", text[start:end].rstrip("\n")).strip()
        if is_ours:
            yield named[1], value
        place = end


def _is_strange(line: str) -> bool:
    """Whether a line without `=` is a slip: a name of ours alone, or what is neither a name nor a comment.

    `NAME` and `export NAME` are how containers and shells pass on what is set elsewhere.
    """
    line = line.strip()
    return bool(line) and not line.startswith("#") and (line.startswith(PREFIXES) or _BARE.fullmatch(line) is None)


def _without_name(path: Path, lines: list[int]) -> str:
    """What is said of the lines that are no `NAME=value`."""
    if not lines:
        return ""
    named = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"
    return f"{path}: {named}: no NAME=value, and left out; a value of several lines stands in quotes"


def _end_of_line(text: str, place: int) -> int:
    found = text.find("\n", place)
    return len(text) if found < 0 else found + 1


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text, flags=re.DOTALL)


def _remark(path: Path) -> str:
    """Whether others on this machine may read it; Windows has no such modes."""
    if os.name != "posix":
        return ""
    mode = stat.S_IMODE(path.stat().st_mode)
    others = mode & (stat.S_IRGRP | stat.S_IROTH)
    return f"{path} can be read by other users of this machine (mode {mode:03o}): chmod 600 {path}" if others else ""


# --- the template ------------------------------------------------------------------------------------------------

_HEAD = """\
# Credentials for accountpulse, beside accountpulse.yaml. Fill in what you have, take away the # before it, and run
# `accountpulse init` again. What the environment sets counts before this file.
# Keep it to yourself: never commit it, and leave its mode at 600.
"""
_SALESFORCE_WAYS = """\
# One way to sign in: SALESFORCE_CLIENT_ID with SALESFORCE_CLIENT_SECRET and SALESFORCE_DOMAIN (client credentials);
# SALESFORCE_CLIENT_ID with SALESFORCE_PRIVATE_KEY and SALESFORCE_USERNAME (JWT); or a user name, password and token.
"""


def template() -> str:
    """A `.env` to fill in: every name of every system, commented out, with what it is for."""
    parts = [_HEAD]
    for name, system in SYSTEMS.items():
        parts.append(f"\n# --- {system.title}{_optional(name)}\n")
        parts.append(_SALESFORCE_WAYS if name == "salesforce" else "")
        parts += [_entry(variable) for variable in system.variables]
    own = [variable for variable in VARIABLES if not any(variable in each.variables for each in SYSTEMS.values())]
    parts.append("\n# --- accountpulse itself: all optional\n")
    parts += [_entry(variable) for variable in own if variable.name != "ACCOUNTPULSE_CONFIG"]
    return "".join(parts)


def _optional(name: str) -> str:
    return "" if SYSTEMS[name].has_accounts else " (optional: without it, its metrics stay empty)"


def _entry(variable: Variable) -> str:
    return f"# {variable.meaning}\n# {variable.name}=\n"


def write_template(path: Path) -> None:
    """Make the template, readable by its owner alone; FileExistsError where there is such a file."""
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(made, "w", encoding="utf-8") as stream:
        stream.write(template())
