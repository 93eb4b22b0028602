"""`accountpulse init`: look at the systems, have the questions asked, write a commented accountpulse.yaml."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from accountpulse import settings
from accountpulse.cli import progress, questions, summary
from accountpulse.cli.formatting import plural
from accountpulse.core.errors import AccountpulseError, ConfigurationError, UsageError
from accountpulse.core.outgoing import outgoing
from accountpulse.core.plain_text import plain
from accountpulse.core.redact import MASK
from accountpulse.http.budget import RequestBudget
from accountpulse.pipeline.run import LOOKING
from accountpulse.settings import Settings, dotenv, starter
from accountpulse.settings.environment import names_set
from accountpulse.settings.starter import LookedAt
from accountpulse.systems import SYSTEMS
from accountpulse.systems.discovery import AccountSample, DiscoverRequest, MappingChoice
from accountpulse.systems.system import AnySystem

GRAVEST = (1, 3, 5)  # of exit codes
NEXT = (
    ("accountpulse accounts --suggest", "candidates for the accounts that no rule links"),
    ("accountpulse check", "what a run would miss"),
    ("accountpulse run --dry-run", "score everything, write nothing to Salesforce"),
)


def show_init(
    environment: Mapping[str, str], out: Path | None, now: datetime, *, yes: bool, patience: float = LOOKING
) -> int:
    """Look, ask, write; the exit code. `yes`: every proposal is taken, as where nobody sits at a terminal.

    `patience`: seconds that a system is waited for in all.
    """
    if not names_set(environment) and not environment.get("ACCOUNTPULSE_SECRET_ID"):
        return _without_credentials(dotenv.beside(environment))
    loaded = settings.load_unmapped(environment)
    path = out or Path((environment.get("ACCOUNTPULSE_CONFIG") or "").strip() or settings.DEFAULT_CONFIG)
    if not path.parent.is_dir():
        raise UsageError(f"{path} can't be written: there is no folder {path.parent}")
    asks = not yes and not path.exists() and sys.stdin.isatty() and sys.stderr.isatty()
    try:
        looked, code = _look(loaded, now, patience)
        if asks:
            looked = [questions.asked(each) for each in looked]
    except KeyboardInterrupt:
        _say(f"\n{path} was not written. To begin again: accountpulse init")
        raise
    text = outgoing(starter.starter(looked))
    proposed = _read_back(text)
    if path.exists():
        _show_changes(path, text, proposed, looked)
    else:
        remarks = [*_masked(text), *_open_questions(looked, answered=asks), *_next_steps(path, looked, code)]
        _write(path, text, remarks)
    return code


def _read_back(text: str) -> settings.RunMapping:
    """The proposal as settings read it; one that they refuse is a fault of ours, and of nobody's mapping."""
    try:
        return settings.read_mapping(text, "what init proposes")
    except ConfigurationError as error:
        raise RuntimeError(str(error)) from None


def _without_credentials(path: Path) -> int:
    """Make a `.env` to fill in, and say what to do."""
    try:
        dotenv.write_template(path)
        made = f"{path} was written: every setting is listed there, commented out."
    except FileExistsError:
        made = f"{path} is there, and sets none of them."
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror})") from None
    what = (
        f"No credentials are set. {made} Fill in those of Salesforce and of each other system that you have, "
        "or set them in the environment, and run `accountpulse init` again."
    )
    raise ConfigurationError("credentials", [what])


# --- looking -------------------------------------------------------------------------------------------------------


def _look(loaded: Settings, now: datetime, patience: float) -> tuple[list[LookedAt], int]:
    """Every system, that of the accounts first, since the others are tried against them; the gravest exit code."""
    looked, codes, accounts = [], {0}, AccountSample()
    for system in sorted(SYSTEMS.values(), key=lambda system: not system.has_accounts):
        if (missing := _not_looked_at(loaded, system)) is not None:
            looked.append(LookedAt(system, problem=missing))
            continue
        budget = RequestBudget(patience=patience)
        each, code = _look_at(system, DiscoverRequest(loaded.connection(system.name), now, accounts, budget))
        if system.has_accounts and each.discovery is not None:
            accounts = each.discovery.accounts
        looked.append(each)
        codes.add(code)
    return looked, next((code for code in GRAVEST if code in codes), 0)


def _not_looked_at(loaded: Settings, system: AnySystem) -> str | None:
    """Why a system isn't looked at; None: it is."""
    if system.name not in loaded.access:
        names = " and ".join(each.name for each in system.variables if each.required)
        return f"{system.title} is not configured, and its metrics stay empty. To have it looked at, set {names}."
    if system.discover is None:
        return f"{system.title} is not looked at by init: `accountpulse docs mapping` has its keys."
    return None


def _look_at(system: AnySystem, request: DiscoverRequest[Any, Any]) -> tuple[LookedAt, int]:
    """One system, with a line on stderr about it, and the exit code that follows."""
    assert system.discover is not None  # noqa: S101 - as `_not_looked_at` says
    begun = time.monotonic()
    try:
        with progress.waiting(f"looking at {system.title} …"):
            found = system.discover(request)
    except AccountpulseError as error:
        _say(f"✗ {system.title}: {error}")
        text = f"{system.title} could not be looked at: {error} Everything here has its default; run init again then."
        return LookedAt(system, problem=text, failed=True), error.exit_code
    cost = f"{plural(request.budget.calls, 'request')}, {time.monotonic() - begun:.1f} s"
    _say(f"✓ {system.title}: {'; '.join(found.found)} ({cost})")
    return LookedAt(system, found), 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


# --- writing -------------------------------------------------------------------------------------------------------


def _write(path: Path, text: str, remarks: Sequence[str]) -> None:
    """Make the file; one that came meanwhile is not overwritten."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror})") from None
    console = summary.tables()
    lines = [f"{path} was written. Read it once: each key says why it was chosen.", *remarks]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _masked(text: str) -> Iterator[str]:
    """A value of the org that is a secret's value as well is masked, which no run would notice."""
    is_set = [MASK in line and not line.lstrip().startswith("#") for line in text.splitlines()]
    lines = [number for number, masked in enumerate(is_set, 1) if masked]
    if lines:
        places = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}"
        yield f"{MASK} stands in {places} for a word that is also the value of a secret setting: write it there."


def _open_questions(looked: Sequence[LookedAt], *, answered: bool) -> Iterator[str]:
    """What the file can't know, and, unless somebody `answered`, where it had to choose: to be looked at first."""
    unknown = [(each, text) for each in looked if each.discovery for text in each.discovery.unknown]
    if unknown:
        yield "Not known, and for you to say:"
        yield from (f"  {each.system.title:<12}{plain(text)}" for each, text in unknown)
    several = [each for each in (choice for one in looked for choice in one.choices) if each.asked and _ways(each)]
    chosen = [".".join(each.path) for each in several]
    if chosen and not answered:
        yield f"Chosen among several ways, which stand below each in the file: {', '.join(chosen)}."


def _next_steps(path: Path, looked: Sequence[LookedAt], code: int) -> Iterator[str]:
    """What comes next; where a system failed (`code` is not 0), first to look again, since init overwrites nothing."""
    if code:
        failed = ", ".join(each.system.title for each in looked if each.failed)
        yield f"First mend what failed above ({failed}), move {path} away, and run `accountpulse init` again. Then:"
    else:
        yield "Then:"
    yield from (f"  {command:<34}{what}" for command, what in NEXT)


def _ways(choice: MappingChoice) -> list[object]:
    """What else a key might be, beside leaving its part out."""
    return [value for value, _why in choice.others if value != "none"]


def _show_changes(path: Path, text: str, proposed: settings.RunMapping, looked: list[LookedAt]) -> None:
    """What the proposal has otherwise than the file, which stays as it is."""
    for line in _changes(path, text, proposed, looked):
        print(line)  # noqa: T201
    how = f"To have the proposal as a file: accountpulse init --out NEW.yaml. To take it whole: move {path} away first."
    print(f"\n{path} is there, and was not changed. {how}")  # noqa: T201


def _changes(path: Path, text: str, proposed: settings.RunMapping, looked: list[LookedAt]) -> Iterator[str]:
    try:
        before = settings.read_mapping(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read ({type(error).__name__})") from None
    except ConfigurationError as error:
        yield f"{error}\n\nThe whole proposal would be:\n\n{text}"
        return
    found = starter.changes(before, proposed, looked)
    for change in found:
        yield f"- {change.key}: {change.before}\n+ {change.key}: {change.after}\n  # {change.why}"
    if not found:
        yield f"{path} says what init would propose."
    if kept := starter.kept(before, looked):
        yield f"\nOf these init proposes nothing; keep them:\n{chr(10).join(f'  {line}' for line in kept)}"
