"""extract → metrics → score → load: the only place that knows the order, and what happens when a part fails."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from accountpulse import accounts, metrics
from accountpulse.accounts import Linked
from accountpulse.core import memory
from accountpulse.core.errors import AccountpulseError, AlreadyRunning, ConfigurationError, OutOfTime
from accountpulse.core.records import DOMAINS_OF, Extract, Problem, Source
from accountpulse.core.spooled import SpooledTable
from accountpulse.pipeline import own_metrics
from accountpulse.pipeline.arr_history import with_own_history
from accountpulse.pipeline.deliver import deliver, facts
from accountpulse.pipeline.evidence import evidence, open_signals
from accountpulse.pipeline.rate import rate
from accountpulse.pipeline.read import extract_all
from accountpulse.pipeline.result import Options, Outcome, Standing, Watch
from accountpulse.pipeline.run import Ticket, queue
from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.settings import Settings
from accountpulse.state import State
from accountpulse.state.history import Held
from accountpulse.state.runs import Status

SIGNALS_WAIVED = "signals: none in accountpulse.yaml: accounts are rated though nobody can see their churn signals"


def run(settings: Settings, options: Options, now: datetime, watch: Watch) -> Outcome:
    """One run: read every configured source, measure, score, and write (or, in a dry run, say what would be written).

    A wrong credential or file raises (AccessError, ConfigurationError); a source that is down ends in the outcome's
    exit code 5 with nothing written, unless partial loading was allowed; an account's own trouble ends in `problems`.
    """
    card = read_scorecard(settings, options.scorecard)
    refuse_unreachable(card, settings)
    state, begun = State(settings.state, settings.redactor), time.monotonic()
    with queue(settings, options, state, now) as ticket:
        watch.enter(ticket.run_id, ticket.scope.period.name, ticket.notes)
        try:
            outcome = _run(settings, options, card, state, ticket, now, watch)
        except OutOfTime as error:
            name = f"{card.name} {card.hash}"
            outcome = Outcome(ticket.run_id, ticket.scope, name, card.dimensions, {}, ticket.notes, stopped=str(error))
            outcome = replace(outcome, out_of_time=True)
        except AccountpulseError as error:
            if ticket.writes and not options.accounts and not isinstance(error, AlreadyRunning):  # else it is another's
                _note_end(state, ticket, error)
            raise
        if ticket.writes and not options.accounts:
            status: Status = "finished" if outcome.loaded else "stopped"
            ended = now + timedelta(seconds=time.monotonic() - begun)
            state.runs.end(ticket.scope, ticket.run_id, status, facts(outcome, settings, state, now, ended))
        if outcome.out_of_time and options.hand_over and ticket.lock is not None:
            state.locks.hand_over(ticket.lock, now)
        return replace(outcome, notes=(*outcome.notes, *state.files.notes))


def _note_end(state: State, ticket: Ticket, error: AccountpulseError) -> None:
    """For `history`, as far as the state can still be written: a run that was raised out of its work can go on."""
    with suppress(AccountpulseError):
        state.runs.end(ticket.scope, ticket.run_id, "stopped", {"exit_code": error.exit_code, "error": str(error)})


def _run(  # noqa: PLR0917
    settings: Settings, options: Options, card: Scorecard, state: State, ticket: Ticket, now: datetime, watch: Watch
) -> Outcome:
    scope = ticket.scope
    extracts, standings = extract_all(settings, options, ticket, state, watch)
    memory.trim()
    notes = (*ticket.notes, *_notes(extracts, settings, card))
    outcome = Outcome(
        ticket.run_id, scope, f"{card.name} {card.hash}", card.dimensions, standings, card.tier_names, notes
    )
    late = next((one.error for one in standings.values() if isinstance(one.error, OutOfTime)), None)
    if late is not None:
        return replace(outcome, stopped=str(late), out_of_time=True)
    stopped = _reason_to_stop(options, standings, settings)
    if stopped:
        return replace(outcome, stopped=stopped)
    extracts["salesforce"] = with_own_history(extracts["salesforce"], settings, state, scope)
    customers, left_out = _readable(extracts["salesforce"])
    linked = accounts.link(customers, extracts, settings.configured, outcome.failed, settings.link_file)
    linked = replace(linked, problems=(*left_out, *linked.problems))
    outcome = replace(outcome, notes=(*outcome.notes, *linked.notes))
    measured, outcome = _measured(extracts, linked, settings, card, outcome)
    outcome = rate(settings, options, card, state, linked, measured, outcome)
    if ticket.writes:
        state.history.save_scorecard(card.hash, card.content)
    return deliver(settings, options, state, ticket, outcome, now)


def _readable(crm: Extract) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """The accounts of which everything can be read, and the others: half an account is not scored."""
    customers = crm.tables["accounts"]
    malformed = pl.col("account_id").is_in(list(crm.malformed))
    struck = customers.filter(malformed)["account_id"]
    return customers.filter(~malformed), tuple(Problem(each, "accounts", crm.malformed[each]) for each in struck)


def _measured(
    extracts: dict[Source, Extract], linked: Linked, settings: Settings, card: Scorecard, outcome: Outcome
) -> tuple[pl.DataFrame, Outcome]:
    """Every metric of every account, and the outcome with what is kept beside them.

    Empties `extracts`: a source's rows needn't stand beside the accounts' own.
    """
    gaps = {name: reason for extract in extracts.values() for name, reason in extract.gaps.items()}
    gaps |= own_metrics.gaps(card, settings.mapping)
    tables: dict[str, pl.DataFrame | SpooledTable] = {}
    while extracts:
        tables |= accounts.attribute_all(extracts.popitem()[1], linked)
    scope = outcome.scope
    held: dict[Held, pl.DataFrame] = {
        "evidence": evidence(linked.reasons, tables),
        "signals": open_signals(tables["signals"], scope.as_of),
    }
    rules = replace(settings.rules, own=card.own)
    measured = metrics.measure(linked.accounts, tables, linked.reasons, gaps, scope=scope, rules=rules)
    return measured, replace(outcome, held=held)


def read_scorecard(settings: Settings, path: Path | None) -> Scorecard:
    """The scorecard of the command line, else of accountpulse.yaml, else the packaged one."""
    named = settings.mapping.scorecard
    chosen = path or (settings.config_folder / named if named else None)
    pillars = tuple(settings.mapping.looker.platform.pillars)
    if chosen is None:
        return scorecard.default(pillars)
    try:
        text = chosen.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("scorecard", [f"{chosen} can't be read ({type(error).__name__})"]) from None
    return scorecard.load(text, chosen.name, pillars)


def refuse_unreachable(card: Scorecard, settings: Settings) -> None:
    """A scorecard that could rate nobody with the sources at hand is a mistake before the run, not after it."""
    domains = {domain for source in settings.configured for domain in DOMAINS_OF[source]}
    unfed = own_metrics.unfed(card, settings.mapping)
    measurable = [name for name, metric in card.catalogue.items() if metric.domain in domains and name not in unfed]
    if problems := scorecard.unreachable(card, measurable, signals_waived=settings.mapping.signals is None):
        raise ConfigurationError("scorecard", problems)


def _notes(extracts: Mapping[Source, Extract], settings: Settings, card: Scorecard) -> tuple[str, ...]:
    waiver = (SIGNALS_WAIVED,) if settings.mapping.signals is None else ()
    own = own_metrics.notes(card, settings.mapping)
    return (*waiver, *own, *(f"{source}: {note}" for source, extract in extracts.items() for note in extract.notes))


def _reason_to_stop(options: Options, standings: Mapping[Source, Standing], settings: Settings) -> str | None:
    failed = [source for source, standing in standings.items() if standing.error is not None]
    absent = [source for source in settings.configured if source not in standings or not standings[source].rows]
    without = ", ".join(source for source in absent if source not in failed)
    if without:
        what = f"There is no checkpoint of {without} for this period and the present links"
        return f"{what}: nothing was scored or written. Run without --only."
    if failed and not options.allow_partial:
        names = ", ".join(failed)
        return f"{names} could not be read: nothing was written. Run again later, or with --allow-partial."
    return None
