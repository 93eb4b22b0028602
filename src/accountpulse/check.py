"""Before a run: what would fail, and what to do. Reads only; to the state it writes one object, and takes it away."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import polars as pl

from accountpulse import pipeline, settings
from accountpulse.accounts import Linked, attribute, attribute_all, united
from accountpulse.core.errors import AccountpulseError, ConfigurationError, Unanswered
from accountpulse.core.period import Period, Scope, last_complete, scope_of
from accountpulse.core.records import REASONS, Extract, Reason, SourceName
from accountpulse.metrics.reasons import outer_reason, why_column
from accountpulse.pipeline import own_metrics
from accountpulse.pipeline.arr_history import with_own_history
from accountpulse.pipeline.calibrations import choose
from accountpulse.pipeline.measure import link, metrics_of, whole_gaps
from accountpulse.pipeline.own_tables import TableReading, owned_figures, read_tables
from accountpulse.pipeline.read import Extracts, SourceReader
from accountpulse.pipeline.run import LOOKING, Run, looking
from accountpulse.pipeline.unmapped import unfed_note
from accountpulse.scoring import scorecard
from accountpulse.scoring.columns import reason_of
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import why_not_rated
from accountpulse.scoring.segments import segment_counts, unmatched_segments
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.systems import CRM, SOURCES, SYSTEMS
from accountpulse.systems.extraction import ExtractRequest
from accountpulse.systems.key_match import FEWEST

Mark = Literal["good", "warning", "bad"]
AT_ONCE = 8  # requests under way at one source, for the estimate
ENOUGH = 1_000.0  # of everything: what an account has that is judged by what can be known of it
LISTED = 8  # metrics that a line names
ADDRESSES = ("_BASE_URL", "_LOGIN_URL", "_DOMAIN")  # how settings that name an address end
LAMBDA = 15.0  # minutes that a Lambda function may take


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
        texts = error.problems if isinstance(error, ConfigurationError) else [f"{error}{_leads_there(error)}"]
        for text in texts:
            self.add("bad", area, text, error.exit_code)

    def missing(self, area: str, notes: Iterable[str], gaps: Mapping[str, Reason]) -> None:
        """What a run would do without."""
        for note in notes:
            self.add("warning", area, note)
        for reason in REASONS:
            names = sorted(name for name, given in gaps.items() if given == reason)
            if names and reason != "not_configured":
                self.add("warning", area, f"stay empty for every account ({reason}): {', '.join(names)}")

    @property
    def exit_code(self) -> int:
        """The gravest: a setting to mend before a system that is down."""
        codes = {line.code for line in self.lines}
        return next((code for code in (1, 3, 2, 5, 6, 4) if code in codes), 0)


def _leads_there(error: AccountpulseError) -> str:
    """The settings that name the address at which nobody answered."""
    if not isinstance(error, Unanswered) or error.source not in SYSTEMS:
        return ""
    names = [each.name for each in SYSTEMS[error.source].variables if each.name.endswith(ADDRESSES)]
    return f" Is {' or '.join(names)} right, and may this machine connect to it (firewall, proxy)?"


def check(
    environment: Mapping[str, str],
    period: Period | None,
    now: datetime,
    tell: Callable[[Finding], None],
    patience: float = LOOKING,
) -> Findings:
    """Look at everything that a run needs; a branch ends at its first failure, the others go on.

    `patience`: seconds that a system is waited for in all.
    """
    found = Findings(tell)
    try:
        loaded = settings.load(environment)
    except AccountpulseError as error:
        found.failed("settings", error)
        return found
    card = _settings(found, loaded)
    scope = _period(found, loaded, period, now)
    _state(found, loaded, scope, now)
    if card is not None:
        _calibration(found, loaded, card, scope)
    run = looking(loaded, card or scorecard.default(loaded.rules.pillars), scope, now, patience)
    calls = _systems(found, run, card)
    if calls:
        _estimate(found, calls)
    on = loaded.rollbar is not None
    found.add(
        "good" if on else "warning", "rollbar", "on" if on else "off: set ROLLBAR_ACCESS_TOKEN to be notified of errors"
    )
    return found


def _settings(found: Findings, loaded: Settings) -> Scorecard | None:
    found.add("good", "settings", f"read; configured: {', '.join(loaded.configured)}")
    for source in SOURCES:
        if source.name not in loaded.configured:
            needed = _listed([each.name for each in SYSTEMS[source.name].variables if each.required])
            text = f"{source.name} is not configured: its metrics stay empty. Set {needed}."
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
    for note in own_metrics.notes(card, loaded.rules):
        found.add("warning", "scorecard", note.removeprefix("scorecard: "))
    return card


def _tables(found: Findings, loaded: Settings, card: Scorecard) -> tuple[TableReading, ...] | None:
    """The tables of own metrics, each read as a run reads it; None where one has mistakes, so that none counts."""
    try:
        readings = read_tables(loaded, card)
    except ConfigurationError as error:
        found.failed("metrics", error)
        return None
    for each in readings:
        if each.error is not None:
            found.failed("metrics", each.error)
        else:
            rows = f"{each.rows.height:,} {'row' if each.rows.height == 1 else 'rows'}"
            found.add("good", "metrics", f"{each.metric}: {rows} with a value in {each.place}")
    return readings


def _period(found: Findings, loaded: Settings, period: Period | None, now: datetime) -> Scope:
    zone = loaded.mapping.timezone
    scope = scope_of(period or last_complete(now, zone), now, loaded.mapping.window_days)
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


def _calibration(found: Findings, loaded: Settings, card: Scorecard, scope: Scope) -> None:
    """Whether scores would have a probability; nothing where nobody has calibrated."""
    choice = choose(None, State(loaded.state), card, scope.as_of_day)
    for note in choice.notes:
        found.add("warning", "calibration", note)
    if (counts := choice.calibration) is not None:
        text = f"counts until {counts.expires_on}, fitted on {counts.events:,} accounts that left"
        found.add("good", "calibration", text)


def _systems(found: Findings, run: Run, card: Scorecard | None) -> dict[SourceName, tuple[int, float]]:
    """The accounts first, as a run reads them; what each source costs: requests, and seconds a request."""
    costs: dict[SourceName, tuple[int, float]] = {}
    loaded = run.settings
    reader, gaps = SourceReader(run, look_up=True), dict[SourceName, Mapping[str, Reason]]()
    status = reader.read(CRM)
    if status.error is not None:
        found.failed(CRM, status.error)
        return costs
    costs[CRM] = (status.budget.calls, status.seconds / max(1, status.budget.calls))
    _accounts(found, loaded, reader.extracts)
    _outcomes(found, reader.extracts[CRM].tables["outcomes"])
    gaps[CRM] = reader.extracts[CRM].gaps
    readings = () if card is None else _tables(found, loaded, card)
    if card is not None:
        _destinations(found, run, card)
    for name in loaded.configured[1:]:
        try:
            costs[name], gaps[name] = _source(found, run, name, reader)
        except AccountpulseError as error:
            reader.extracts.pop(name, None)
            found.failed(name, error)
    linked = _links(found, loaded, reader.extracts)
    if card is not None and linked.accounts.height:
        _segments(found, card, linked)
        known = _known_before(run, gaps, linked, reader.extracts[CRM], readings)
        for note in (*known.notes, *own_metrics.shortfalls(known.metrics, card, loaded, known.certain)):
            found.add("warning", "metrics", note)
        _rating(found, run, known.metrics, [name for name in loaded.configured if name not in reader.extracts])
    return costs


def _segments(found: Findings, card: Scorecard, linked: Linked) -> None:
    """Accounts of each of the scorecard's segments, and values that no account has."""
    if (counts := segment_counts(card, linked.accounts)) is not None:
        found.add("good", "scorecard", counts)
    for note in unmatched_segments(card, linked.accounts):
        found.add("warning", "scorecard", note.removeprefix("scorecard: "))


@dataclass(frozen=True)
class KnownBefore:
    """What can be known of the metrics before a run, the others taken for known: a row an account.

    `certain` are those that are as a run would measure them; `notes` are lines for the reader.
    """

    metrics: pl.DataFrame
    certain: frozenset[str]
    notes: tuple[str, ...]


def _rating(found: Findings, run: Run, known: pl.DataFrame, unasked: Sequence[SourceName]) -> None:
    """How many accounts could be rated at most: everything counts as known of them but what can't be.

    A source of `unasked`, which could not be looked at, counts as one that knows everything.
    """
    card = run.card
    reasons = why_not_rated(known, card, signals_waived=run.settings.rules.signals_waived)
    rated, unfed = reasons.null_count(), unfed_note(known, card, run.settings, now=reasons, ahead=True)
    if unfed is not None:
        found.add("warning", "rating", unfed)
    if rated:
        found.add(
            "good" if rated == known.height and not unasked else "warning",
            "rating",
            f"at most {rated:,} of {known.height:,} accounts can be rated: {_taken_for_granted(run, unasked)}",
        )
        return
    why = reasons.value_counts(sort=True)[reasons.name][0]
    leaves = [leaf.name for leaf in card.leaves]
    lacking = [name for name in leaves if not known[reason_of(name)].null_count()]
    remedy = f"Map what is behind {', '.join(lacking[:LISTED])}{' and others' if len(lacking) > LISTED else ''}"
    unread = [name for name in card.file.coverage.tier_needs_readable if not known[reason_of(name)].null_count()]
    if any(card.catalogue[name].domain == "signals" for name in unread):
        remedy += "; where the org logs no churn signals, waive them with `signals: none` in accountpulse.yaml"
    found.add("bad", "rating", f"no account can be rated: {why}. {remedy}.", 4)


def _taken_for_granted(run: Run, unasked: Sequence[SourceName]) -> str:
    """What the number of accounts rests on that only a run finds out."""
    if unasked:
        return f"{_listed(unasked)} could not be asked, and may know fewer of them"
    others = [name for name in run.settings.configured if name != CRM]
    if not others:
        return "their records are judged one by one in a run"
    return f"a run reads what {_listed(others)} hold{'s' if len(others) == 1 else ''} of each, and may find too little"


def unfed(loaded: Settings, now: datetime, patience: float = LOOKING) -> Mapping[str, Reason]:
    """The metrics that no account can have by the mapping in force, with the reason why; the first error is raised.

    A metric that is only missing for want of links isn't among them.
    """
    card = scorecard.default(loaded.rules.pillars)
    scope = scope_of(last_complete(now, loaded.mapping.timezone), now, loaded.mapping.window_days)
    run, nowhere = looking(loaded, card, scope, now, patience), Findings()
    reader = SourceReader(run, look_up=True)
    if (error := reader.read(CRM).error) is not None:
        raise error
    gaps: dict[SourceName, Mapping[str, Reason]] = {CRM: reader.extracts[CRM].gaps}
    for name in loaded.configured[1:]:
        _cost, gaps[name] = _source(nowhere, run, name, reader)
    linked = _links(nowhere, loaded, reader.extracts)
    known = _known_before(run, gaps, linked, reader.extracts[CRM], None).metrics
    found = {name: set(known[reason_of(name)]) for name in card.catalogue}
    return {name: min(why) for name, why in found.items() if why and why <= {"not_configured", "field_missing"}}


def _known_before(
    run: Run,
    gaps: Mapping[SourceName, Mapping[str, Reason]],
    linked: Linked,
    crm: Extract,
    readings: Sequence[TableReading] | None,
) -> KnownBefore:
    """What the accounts' own system and tables say is measured as in a run.

    Of other sources it is known only who is linked there, and what nobody could have from them.
    """
    own_rows = owned_figures(readings or (), linked, crm.tables["accounts"])
    source = SYSTEMS[CRM].source
    with suppress(AccountpulseError):  # of a state that can't be read, which has its own line
        crm = with_own_history(crm, run)
    tables = dict(attribute_all(crm, linked, source).tables)
    tables["dated_figures"] = united(tables.get("dated_figures"), own_rows.figures)
    unknowns = [attribute(crm.unknowns, linked, source).rows, own_rows.unknowns]
    all_gaps = whole_gaps(run, gaps)
    measured = metrics_of(run, linked, tables, unknowns, all_gaps)
    rules = replace(run.settings.rules, own=run.card.own)
    feeders = {name: rules.feeders(metric, SOURCES) for name, metric in run.card.catalogue.items()}
    unread = run.settings.mapping.own_tables if readings is None else ()
    certain = frozenset(name for name, fed_by in feeders.items() if set(fed_by) <= {CRM} and name not in unread)
    open_ones = {name: fed_by for name, fed_by in feeders.items() if name not in certain}
    return KnownBefore(_best(measured, linked, open_ones, all_gaps), certain, own_rows.notes)


def _best(
    measured: pl.DataFrame,
    linked: Linked,
    feeders: Mapping[str, Sequence[SourceName]],
    gaps: Mapping[SourceName, Mapping[str, Reason]],
) -> pl.DataFrame:
    """The same with these metrics known of each account, but where nobody can have them from what feeds them."""
    said = linked.reasons.rename({source.name: why_column(source.name) for source in SOURCES})
    columns = []
    for name, fed_by in feeders.items():
        reason = outer_reason(name, fed_by, gaps)
        by_rules = pl.when(pl.col(reason_of(name)) == "not_configured").then(pl.col(reason_of(name)))
        why = pl.coalesce(pl.when(reason != "source_failed").then(reason), by_rules)
        columns += [why.alias(reason_of(name)), pl.when(why.is_null()).then(pl.lit(ENOUGH)).alias(name)]
    rows = measured.join(said, on="account_id", how="left", maintain_order="left").with_columns(columns)
    return rows.select(measured.columns).with_columns(seats=pl.lit(ENOUGH), arr=pl.lit(ENOUGH))


def _accounts(found: Findings, loaded: Settings, extracts: Extracts) -> None:
    """What the source of the accounts says of them."""
    crm, announce = extracts[CRM], SYSTEMS[CRM].announce
    way = announce(loaded.access[CRM]) if announce is not None else "signed in"
    customers = crm.tables["accounts"].height
    found.add("good", CRM, f"{way}; {customers:,} accounts and all that belongs to them read")
    if not customers:
        found.add("bad", CRM, "no account was found, so that nobody can be scored", 4)
    found.missing(CRM, crm.notes, crm.gaps)
    for account, text in list(crm.malformed.items())[:1]:
        left_out = f"{len(crm.malformed):,} accounts hold something that can't be read and would be left out, such as"
        found.add("bad", CRM, f"{left_out} {account}: {text}", 4)


def _outcomes(found: Findings, outcomes: pl.DataFrame) -> None:
    """Who is known to have left or renewed: what scores can be compared with."""
    if outcomes.is_empty():
        remedy = "`accountpulse outcomes --import FILE` takes a table of those who did"
        found.add("warning", "outcomes", f"nobody is known to have left or renewed: {remedy}")
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in outcomes["kind"].value_counts(sort=True).iter_rows())
    ways = ", ".join(
        f"{origin} ({count:,})" for origin, count in outcomes["origin"].value_counts(sort=True).iter_rows()
    )
    doubtful = outcomes["doubt"].count()
    doubts = f"; {doubtful:,} doubtful, which `accountpulse outcomes` names" if doubtful else ""
    since = str(outcomes["happened_on"].sort()[0])
    found.add("good", "outcomes", f"{kinds} since {since}, by {ways}{doubts}")


def _source(
    found: Findings, run: Run, name: SourceName, reader: SourceReader
) -> tuple[tuple[int, float], Mapping[str, Reason]]:
    """Whether a source knows the accounts' keys, how much a run would read, and what nobody would have.

    Its first error is raised.
    """
    begun, status = time.monotonic(), reader.read(name)
    if status.error is not None:
        raise status.error
    linked, probe = reader.extracts[name], SYSTEMS[name].probe
    request = ExtractRequest(run.settings.connection(name), run.scope, linked.asked, budget=status.budget)
    if probe is None:
        what = "its keys were asked for" if SYSTEMS[name].look_up is not None else "it was not asked"
        found.add("warning", name, f"can't be looked at before a run: {what}")
        found.missing(name, linked.notes, linked.gaps)
        return (status.budget.calls, status.seconds / max(1, status.budget.calls)), linked.gaps
    looked = probe(request)
    reader.extracts[name] = replace(linked, unknown_keys={**linked.unknown_keys, **looked.unknown_keys})
    seconds = (time.monotonic() - begun) / max(1, status.budget.calls)
    amount = f"about {looked.rows:,} {looked.what} to read" if looked.rows else "what the mapping names was looked at"
    found.add("good", name, f"signed in; {amount}")
    found.missing(name, dict.fromkeys((*linked.notes, *looked.notes)), looked.gaps)
    return (looked.calls, seconds), looked.gaps


def _destinations(found: Findings, run: Run, card: Scorecard) -> None:
    """Whether each destination takes what a load would send."""
    for system in run.settings.systems:
        if system.destination is None:
            continue
        try:
            destination = system.destination(run.settings.connection(system.name), run.budget())
            for each in destination.requirements(card.dimensions, (*card.tier_names, NOT_RATED)):
                found.add(each.mark, each.area, each.text, each.code)
        except AccountpulseError as error:
            found.failed("load", error)


def _links(found: Findings, loaded: Settings, extracts: Extracts) -> Linked:
    failed = [name for name in loaded.configured if name not in extracts]
    linked, _left_out = link(loaded, extracts, failed)
    missing = {name: count for name, count in linked.unlinked.items() if count and name in extracts}
    for name in missing:
        _wrong_keys(found, loaded, linked, name)
    if missing:
        text = ", ".join(f"{name} {count:,}" for name, count in missing.items())
        remedy = "`accountpulse accounts` names them, and with --suggest looks for whom they may be"
        found.add("warning", "links", f"accounts without a link: {text}. {remedy}.")
    if linked.problems:
        first = linked.problems[0]
        text = f"{len(linked.problems):,} accounts are linked twice or in doubt and would be left out, such as"
        found.add("bad", "links", f"{text} {first.account_id}: {first.text}. `accountpulse accounts` names them.", 4)
    if failed:
        found.add("warning", "links", f"not known in {_listed(failed)}: whom they know could not be asked")
    elif not missing and not linked.problems:
        found.add("good", "links", "every account is linked everywhere")
    for note in linked.notes:
        found.add("warning", "links", note)
    return linked


def _wrong_keys(found: Findings, loaded: Settings, linked: Linked, name: SourceName) -> None:
    """A rule of which the system knows half of the keys at most: more likely another field than so many strangers."""
    claims = linked.claims.filter((pl.col("source") == name) & (pl.col("by") == "rule"))
    lost, link_field = claims["reason"].count(), SYSTEMS[name].link_field
    if link_field is None or 2 * lost < claims.height or not lost:
        return
    field_name = link_field(loaded.mapping.block(name))
    is_bad = lost == claims.height >= FEWEST
    text = f"{name} knows none" if lost == claims.height else f"{name} does not know {lost:,}"
    said = f"{text} of the {claims.height:,} keys that the account's field {field_name} gives"
    remedy = f"is {name}.account_field in accountpulse.yaml the right one?"
    found.add("bad" if is_bad else "warning", "links", f"{said}: {remedy}", 4 if is_bad else 0)


def _estimate(found: Findings, costs: Mapping[SourceName, tuple[int, float]]) -> None:
    """Sources are read side by side, each with several requests under way; the accounts come first, one at a time."""
    calls = sum(count for count, _seconds in costs.values())
    alone = {source: count * seconds for source, (count, seconds) in costs.items()}
    others = [seconds / AT_ONCE for source, seconds in alone.items() if source != CRM]
    minutes = (alone.get(CRM, 0.0) + max(others, default=0.0)) / 60
    mark: Mark = "warning" if minutes > LAMBDA / 2 else "good"
    text = f"about {calls:,} requests and {_duration(minutes)} of reading, by what this check took"
    long = f"; a Lambda function has {LAMBDA:.0f} minutes, and goes on in new invocations" if mark == "warning" else ""
    found.add(mark, "estimate", text + long)


def _duration(minutes: float) -> str:
    return "less than a minute" if minutes < 1 else f"{minutes:,.0f} minutes"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
