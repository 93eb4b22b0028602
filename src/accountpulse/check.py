"""Before a run: what would fail, and what to do. Reads only; to the state it writes one object, and takes it away."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import polars as pl

from accountpulse import accounts, pipeline, settings
from accountpulse.core.errors import AccountpulseError, ConfigurationError
from accountpulse.core.period import Period, Scope, last_complete, scope_of
from accountpulse.core.records import SOURCES, Extract, Reason, Source
from accountpulse.core.redact import Redactor
from accountpulse.http.budget import RequestBudget
from accountpulse.pipeline import own_metrics
from accountpulse.pipeline.read import with_links
from accountpulse.scoring.columns import score_of
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.systems import EXTRACTORS, LOOKUPS, PROBES
from accountpulse.systems.extraction import Request
from accountpulse.systems.salesforce import load as salesforce_loader
from accountpulse.systems.salesforce.client import Org
from accountpulse.systems.salesforce.record import Stamp, payload
from accountpulse.systems.salesforce.sign_in import announcement

Mark = Literal["good", "warning", "bad"]
AT_ONCE = 8  # requests under way at one source, for the estimate
CLOCK_WARNING, CLOCK_BAD = 60.0, 180.0  # seconds
LAMBDA = 15.0  # minutes that a Lambda function may take
NAMES: Mapping[Source, str] = {
    "intercom": "INTERCOM_API_TOKEN",
    "jira": "JIRA_BASE_URL and JIRA_API_TOKEN",
    "looker": "LOOKER_BASE_URL, LOOKER_CLIENT_ID and LOOKER_CLIENT_SECRET",
}


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what came of it, and what to do about it."""

    mark: Mark
    area: str
    text: str
    code: int = 0  # what the command ends with because of it


@dataclass
class Findings:
    """All lines so far; `tell` is called with each as it comes."""

    tell: Callable[[Finding], None] = field(default=lambda _finding: None)
    lines: list[Finding] = field(default_factory=list)

    def add(self, mark: Mark, area: str, text: str, code: int = 0) -> None:
        """One more."""
        self.lines.append(Finding(mark, area, text, code))
        self.tell(self.lines[-1])

    def failed(self, area: str, error: AccountpulseError) -> None:
        """What was refused or did not answer; a list of problems is a line each."""
        texts = error.problems if isinstance(error, ConfigurationError) else [str(error)]
        for text in texts:
            self.add("bad", area, text, error.exit_code)

    def missing(self, area: str, notes: Iterable[str], gaps: Mapping[str, Reason]) -> None:
        """What a run would do without."""
        for note in notes:
            self.add("warning", area, note)
        names = sorted(name for name, reason in gaps.items() if reason == "field_missing")
        if names:
            self.add("warning", area, f"stay empty for every account (field_missing): {', '.join(names)}")

    @property
    def exit_code(self) -> int:
        """The gravest: a setting to mend before a system that is down."""
        codes = {line.code for line in self.lines}
        return next((code for code in (1, 3, 5, 6, 4) if code in codes), 0)


def check(
    environment: Mapping[str, str],
    period: Period | None,
    now: datetime,
    tell: Callable[[Finding], None],
    redact: Redactor | None = None,
) -> Findings:
    """Look at everything that a run needs; a branch ends at its first failure, the others go on.

    `redact` learns the secrets of the settings before anything is told that depends on them.
    """
    found = Findings(tell)
    try:
        loaded = settings.load(environment)
    except AccountpulseError as error:
        found.failed("settings", error)
        return found
    if redact is not None:
        redact.learn(loaded.revealed)
    card = _settings(found, loaded)
    scope = _period(found, loaded, period, now)
    _state(found, loaded, scope, now)
    calls = _systems(found, loaded, scope, card)
    if calls:
        _estimate(found, calls)
    on = loaded.rollbar is not None
    found.add(
        "good" if on else "warning", "rollbar", "on" if on else "off: set ROLLBAR_ACCESS_TOKEN to be told of errors"
    )
    return found


def _settings(found: Findings, loaded: Settings) -> Scorecard | None:
    found.add("good", "settings", f"read; configured: {', '.join(loaded.configured)}")
    for source in SOURCES:
        if source not in loaded.configured:
            text = f"{source} is not configured: its metrics stay empty. Set {NAMES.get(source, source)}."
            found.add("warning", "settings", text)
    try:
        card = pipeline.read_scorecard(loaded, None)
        pipeline.refuse_unreachable(card, loaded)
    except AccountpulseError as error:
        found.failed("scorecard", error)
        return None
    found.add(
        "good", "scorecard", f"{card.name} {card.hash}, {len(card.leaves)} metrics in {len(card.dimensions)} dimensions"
    )
    for note in own_metrics.notes(card, loaded.mapping):
        found.add("warning", "scorecard", note.removeprefix("scorecard: "))
    return card


def _period(found: Findings, loaded: Settings, period: Period | None, now: datetime) -> Scope:
    zone, window = loaded.mapping.timezone, loaded.mapping.window
    scope = scope_of(period or last_complete(now, zone), now, None if window == "period" else window)
    why = "asked for" if period else "the last complete month"
    until = f"{scope.period.start:%Y-%m-%d %H:%M} to {scope.as_of:%Y-%m-%d %H:%M} UTC"
    text = (
        f"{scope.period.name} ({zone}), {why}: {until}; support and bugs since {scope.window.start:%Y-%m-%d %H:%M} UTC"
    )
    if scope.as_of < scope.period.end:
        found.add("warning", "period", f"{text}. The month is not over: its scores will change.")
    else:
        found.add("good", "period", text)
    return scope


def _state(found: Findings, loaded: Settings, scope: Scope, now: datetime) -> None:
    state = State(loaded.state)
    store, name = state.files.store, f"probe/{secrets.token_hex(4)}"
    try:
        first, again = store.create(name, b"1"), store.create(name, b"2")
        back, listed = store.read(name), name in store.names("probe/")
        store.remove(name)
        if not (first and not again and back is not None and back.content == b"1" and listed):
            found.add("bad", "state", f"{store.place} does not keep what is written, or not only once", 3)
            return
        found.add("good", "state", f"{store.place}: written, read, listed and taken away")
        if holder := state.locks.holder(scope.period.name, now):
            found.add("bad", "lock", f"{scope.period.name} is being run by {holder}", 6)
        done = [facts for facts in state.runs.all(f"{scope.period.name}/") if facts["status"] == "finished"]
        if done:
            last = done[-1]
            found.add("good", "history", f"{scope.period.name} was run already ({last['run_id']}); again is harmless")
        for note in state.files.notes:
            found.add("warning", "state", note)
    except AccountpulseError as error:
        found.failed("state", error)


def _systems(
    found: Findings, loaded: Settings, scope: Scope, card: Scorecard | None
) -> dict[Source, tuple[int, float]]:
    """Salesforce first, since it knows the accounts; what each source costs: requests, and seconds a request."""
    costs: dict[Source, tuple[int, float]] = {}
    budget, begun = RequestBudget(), time.monotonic()
    try:
        crm = EXTRACTORS["salesforce"](Request(loaded, scope, budget=budget))
    except AccountpulseError as error:
        found.failed("salesforce", error)
        return costs
    costs["salesforce"] = (budget.calls, (time.monotonic() - begun) / max(1, budget.calls))
    customers = crm.tables["accounts"].height
    found.add(
        "good",
        "salesforce",
        f"{announcement(loaded.salesforce)}; {customers:,} accounts and all that belongs to them read",
    )
    found.missing("salesforce", crm.notes, crm.gaps)
    for account, text in list(crm.malformed.items())[:1]:
        left_out = f"{len(crm.malformed):,} accounts hold something that can't be read and would be left out, such as"
        found.add("bad", "salesforce", f"{left_out} {account}: {text}", 4)
    if card is not None:
        _target(found, loaded, card)
    extracts: dict[Source, Extract] = {"salesforce": crm}
    for source in loaded.configured[1:]:
        try:
            costs[source] = _source(found, loaded, scope, source, crm, extracts)
        except AccountpulseError as error:
            found.failed(source, error)
    _links(found, loaded, crm, extracts)
    return costs


def _source(  # noqa: PLR0917
    found: Findings, loaded: Settings, scope: Scope, source: Source, crm: Extract, extracts: dict[Source, Extract]
) -> tuple[int, float]:
    budget, begun = RequestBudget(), time.monotonic()
    linked = with_links(Request(loaded, scope, budget=budget), source, crm, LOOKUPS)
    extracts[source] = linked
    probe = PROBES[source](Request(loaded, scope, linked.asked, budget=budget))
    seconds = (time.monotonic() - begun) / max(1, budget.calls)
    amount = f"about {probe.rows:,} {probe.what} to read" if probe.rows else "what the mapping names was looked at"
    found.add("good", source, f"signed in; {amount}")
    found.missing(source, (*linked.notes, *probe.notes), probe.gaps)
    return probe.calls, seconds


def _target(found: Findings, loaded: Settings, card: Scorecard) -> None:
    """Whether the org's object takes what a load would send."""
    target = loaded.mapping.salesforce.target
    names = ("health_score", "churn_risk_score", "coverage", "lower_bound", "upper_bound")
    columns = dict.fromkeys((*names, *(score_of(name) for name in card.dimensions)), pl.Float64)
    texts = dict.fromkeys(("account_id", "tier", "cap_reason", "drivers_text"), pl.String)
    nobody = pl.DataFrame(schema={**columns, **texts})
    stamp = Stamp("2000-01", datetime(2000, 1, 1, tzinfo=UTC), "", "")
    try:
        org = Org.connect(loaded.salesforce, RequestBudget(), loaded.ca_bundle)
        plan = salesforce_loader.plan(org, target, payload(nobody, card.dimensions, stamp))
        _clock(found, org)
        _quota(found, org, loaded)
    except AccountpulseError as error:
        found.failed("load", error)
        return
    found.add("good", "load", f"{target.object} takes every field that is written")
    found.missing("load", plan.notes, {})


def _clock(found: Findings, org: Org) -> None:
    """Signed requests (JWT bearer, AWS) are refused where clocks differ by minutes; so is a period's end wrong."""
    if org.ahead is None or abs(org.ahead) < CLOCK_WARNING:
        return
    way = "ahead of" if org.ahead > 0 else "behind"
    text = f"this machine's clock is {abs(org.ahead):,.0f} s {way} Salesforce's: set it (NTP)"
    found.add(
        "bad" if abs(org.ahead) >= CLOCK_BAD else "warning", "clock", text, 3 if abs(org.ahead) >= CLOCK_BAD else 0
    )


def _quota(found: Findings, org: Org, loaded: Settings) -> None:
    if org.allowance is not None:
        left, kept = org.allowance.total - org.allowance.used, loaded.mapping.salesforce.daily_calls_reserve
        text = f"{left:,} of {org.allowance.total:,} API calls of the day are left; a run needs {kept:g} % of them free"
        found.add("good", "quota", text)


def _links(found: Findings, loaded: Settings, crm: Extract, extracts: Mapping[Source, Extract]) -> None:
    failed = [source for source in loaded.configured if source not in extracts]
    linked = accounts.link(crm.tables["accounts"], extracts, loaded.configured, failed, loaded.link_file)
    missing = {source: count for source, count in linked.unlinked.items() if count and source in extracts}
    if missing:
        text = ", ".join(f"{source} {count:,}" for source, count in missing.items())
        found.add("warning", "links", f"accounts without a link: {text}. `accountpulse accounts` names them.")
    if linked.problems:
        first = linked.problems[0]
        text = f"{len(linked.problems):,} accounts are linked twice or in doubt and would be left out, such as"
        found.add("bad", "links", f"{text} {first.account_id}: {first.text}. `accountpulse accounts` names them.", 4)
    if not missing and not linked.problems:
        found.add("good", "links", "every account is linked everywhere")
    for note in linked.notes:
        found.add("warning", "links", note)


def _estimate(found: Findings, costs: Mapping[Source, tuple[int, float]]) -> None:
    """Sources are read side by side, each with several requests under way; Salesforce comes first, one at a time."""
    calls = sum(count for count, _seconds in costs.values())
    alone = {source: count * seconds for source, (count, seconds) in costs.items()}
    others = [seconds / AT_ONCE for source, seconds in alone.items() if source != "salesforce"]
    minutes = (alone.get("salesforce", 0.0) + max(others, default=0.0)) / 60
    mark: Mark = "warning" if minutes > LAMBDA / 2 else "good"
    text = f"about {calls:,} requests and {_words(minutes)} of reading, by what this check took"
    long = f"; a Lambda function has {LAMBDA:.0f} minutes, and goes on in new invocations" if mark == "warning" else ""
    found.add(mark, "estimate", text + long)


def _words(minutes: float) -> str:
    return "less than a minute" if minutes < 1 else f"{minutes:,.0f} minutes"


def lines(found: Findings) -> Iterator[dict[str, str]]:
    """The findings as data."""
    for line in found.lines:
        yield {"mark": line.mark, "area": line.area, "text": line.text}
