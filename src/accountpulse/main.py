"""The handler for AWS Lambda: event → settings → pipeline → answer.

The event, every key optional: `{"period": "2026-10", "dry_run": true, "scheduled_time": "2026-11-02T06:00:00Z"}`. The
period is the event's, else the last month that was complete at the scheduled time, else at this moment. With
`{"as_of": "2026-11-22"}`, or `"today"`, it is a snapshot of that day, which `"current": true` writes to Salesforce.

`{"digest": true}` sends the digest of the newest run instead: what crossed a line since each channel was last told.

The answer is a small summary. What went wrong is raised, so that alarms and destinations see it: at once where nothing
was done (exit codes 1 to 3 of the command line), after all work where something is missing (4 and 5). A run that does
not fit into one invocation saves its state, hands the period over and starts this function again.
"""

import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from accountpulse.core.errors import AccountpulseError, AlreadyRunning, UsageError
from accountpulse.core.memory import peak, prepare
from accountpulse.core.outgoing import outgoing, outgoing_data
from accountpulse.core.period import TODAY, Period, day_in, last_complete, name_of, parse_day, parse_period

if TYPE_CHECKING:
    from accountpulse.core.period import Scope
    from accountpulse.observe.logs import Lines
    from accountpulse.observe.rollbar import Alerts
    from accountpulse.pipeline.digest import ChannelDigests
    from accountpulse.pipeline.result import RunResult
    from accountpulse.settings import SecretCache, Settings

RESERVE = 30.0  # seconds before Lambda's own deadline at which a run stops: to save, to report, to start again
CHAIN = 12  # invocations of one run; Lambda itself ends a loop that it recognises after about 16
LISTED = 20  # problems in the answer; the rest is counted
KEYS = {
    "period": str, "as_of": str, "current": bool, "dry_run": bool, "scheduled_time": str, "verify": bool, "link": int,
    "digest": bool,
}  # fmt: skip


class Context(Protocol):
    """What Lambda tells about an invocation."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda kills the process."""


class RunFailed(Exception):
    """A run that ended with a part missing."""


class ReportedFailure(RunFailed):
    """The same, where log and Rollbar have it already; its text is the summary, fit to leave."""


@dataclass(frozen=True)
class Event:
    """The event, checked. `link` counts the invocations of one run, this one included.

    `verify`: don't run; see whether the month, or the day, has a finished run. `digest`: don't run; send the digest.
    """

    period: str | None = None
    as_of: str | None = None
    current: bool = False
    dry_run: bool = False
    scheduled_time: datetime | None = None
    verify: bool = False
    link: int = 1
    digest: bool = False


@dataclass(frozen=True)
class ReportPage:
    """Where the report of a run lies; None: there is none, and `notes` say why where there should be."""

    place: str | None = None
    notes: tuple[str, ...] = ()


NO_PAGE = ReportPage()


@cache
def _secrets() -> "SecretCache":
    """The secret, as it was read in the cold start or after a refusal: a warm process doesn't ask for it again."""
    from accountpulse.settings import SecretCache

    return SecretCache()


def lambda_handler(event: object, context: Context) -> dict[str, Any]:
    """One invocation; see above."""
    prepare()
    from accountpulse import settings
    from accountpulse.observe.logs import Lines, Quiet, take_over
    from accountpulse.observe.outlet import install
    from accountpulse.observe.rollbar import Silence, alerts

    install()
    watch = Lines()
    take_over(Quiet(watch))
    report: Alerts = Silence()

    def work(loaded: "Settings") -> dict[str, Any]:
        nonlocal report
        report = alerts(loaded.rollbar)
        if loaded.rollbar is None:
            watch.say("errors are not reported to Rollbar: ROLLBAR_ACCESS_TOKEN is not set")
        if asked.digest:
            return _digest(loaded, watch, report)
        named = _named(asked, loaded.mapping.timezone, datetime.now(UTC))
        watch.bind(period=named.name)
        watch.write("month" if named.day is None else "day", because=_because(asked))
        if asked.verify:
            return _verify(loaded, named)
        result = _run(loaded, asked, named, ends, watch)
        summary = summarise(result, asked, _report_page(result, ends))
        return _close(result, summary, asked, context, watch=watch, report=report)

    try:
        asked = read_event(event)
        ends = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE
        answer = settings.work_with(os.environ, _secrets(), work, watch.say)
    except AlreadyRunning as error:
        watch.write("summary", status="already running", text=str(error))
        answer = {"status": "already running", "exit_code": error.exit_code, "text": str(error)}
    except ReportedFailure as error:
        raise RunFailed(str(error)) from None
    except Exception as error:  # noqa: BLE001
        _report_failure(error, watch, report)
        raise _last_word(error) from None
    return dict(outgoing_data(answer))


def _report_failure(error: Exception, watch: "Lines", report: "Alerts") -> None:
    """The last words of a run that was raised out of its work."""
    if not isinstance(error, AccountpulseError | RunFailed):
        logging.getLogger("accountpulse").exception("a fault of accountpulse itself")
    code = error.exit_code if isinstance(error, AccountpulseError) else 1
    watch.write("summary", status="failed", exit_code=code, error=f"{type(error).__name__}: {error}")
    watch.metrics({"RunsFinished": 0})
    report.error(error, {**watch.bound, "stage": "run"})


def read_event(event: object) -> Event:
    """The event's own words, strictly; anything unclear is a UsageError."""
    if event is None:
        return Event()
    if not isinstance(event, dict):
        raise UsageError(f"the event must be an object, not {type(event).__name__}")
    for name, value in event.items():
        if name not in KEYS:
            raise UsageError(f"the event has a key that is not known: {name!r}; known are {', '.join(KEYS)}")
        if type(value) is not KEYS[name]:
            raise UsageError(f"the event's {name} must be {KEYS[name].__name__}, not {type(value).__name__}")
    scheduled = event.get("scheduled_time")
    period = event.get("period")
    as_of, current = event.get("as_of"), event.get("current", False)
    if period is not None:
        parse_period(period)
    if as_of not in (None, TODAY):
        parse_day(as_of, "as_of")
    if as_of is not None and period is not None:
        raise UsageError("the event has both period and as_of: give one of them")
    if current and as_of is None:
        raise UsageError("the event's current goes with as_of: a month's run writes its records anyway")
    flags = event.get("dry_run", False), _moment(scheduled), event.get("verify", False)
    link = event.get("link", 1)
    if not 1 <= link <= CHAIN:
        raise UsageError(f"the event's link must be from 1 to {CHAIN}, not {link}")
    digest = event.get("digest", False)
    if digest and (period is not None or as_of is not None or event.get("dry_run") or event.get("verify")):
        raise UsageError("the event's digest goes with neither period, as_of, dry_run nor verify")
    return Event(period, as_of, current, *flags, link, digest)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"the event's scheduled_time {text!r} is not a time such as 2026-11-02T06:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class MonthOrDay:
    """What a run is of: the month, or the day of a snapshot."""

    month: Period
    day: date | None = None

    @property
    def name(self) -> str:
        """`YYYY-MM`, or `YYYY-MM-DD`."""
        return name_of(self.month, self.day)


def _named(asked: Event, zone: str, now: datetime) -> MonthOrDay:
    """`today` is the day of the scheduled time: a run that starts late is still of its own day."""
    if asked.as_of is not None:
        day = parse_day(asked.as_of, "as_of", day_in(zone, asked.scheduled_time or now))
        return MonthOrDay(Period(day.year, day.month, zone), day)
    if asked.period is not None:
        return MonthOrDay(parse_period(asked.period, zone))
    return MonthOrDay(last_complete(asked.scheduled_time or now, zone))


def _because(asked: Event) -> str:
    """Why it is this month, or day, for the log."""
    if asked.as_of == TODAY:
        return "it is the day of the scheduled time" if asked.scheduled_time is not None else "it is today"
    if asked.period is not None or asked.as_of is not None:
        return "the event names it"
    if asked.scheduled_time is not None:
        return f"it was the last complete one at the scheduled time, {asked.scheduled_time.isoformat()}"
    return "it is the last complete one"


def _run(loaded: "Settings", asked: Event, named: MonthOrDay, ends: float, watch: "Lines") -> "RunResult":
    from accountpulse import pipeline
    from accountpulse.pipeline.run import RunRequest

    request = RunRequest(
        period=named.month if named.day is None else None,
        as_of=named.day,
        current=asked.current,
        dry_run=asked.dry_run,
        keep_csv=asked.dry_run,
        hand_over=_goes_on(asked),
        ends=ends,
    )
    return pipeline.execute(loaded, request, datetime.now(UTC), watch)


def _digest(loaded: "Settings", watch: "Lines", report: "Alerts") -> dict[str, Any]:
    """Send the digest; raised where a channel did not get it, once the others have."""
    from accountpulse.pipeline import digest
    from accountpulse.pipeline.digest_channels import channels
    from accountpulse.state import State

    block, now, state = loaded.mapping.block("digest"), datetime.now(UTC), State(loaded.state)
    if (quiet := digest.quiet_note(block, loaded.mapping.timezone, now)) is not None:
        return {"status": "quiet", "text": quiet}
    found = digest.send(state, block, digest.set_up(channels(loaded)), None, now)
    problems = [text for each in found for text in each.problems]
    answer = {
        "status": "failed" if problems else "good",
        "channels": {each.channel: {"sent": len(each.sent), "note": each.note} for each in found},
        "problems": [outgoing(text)[:200] for text in problems[:LISTED]],
        "notes": state.files.notes[:LISTED],
    }
    watch.write("digest", **answer)
    if problems:
        report.say("a digest was not sent", {"count": len(problems), "channels": ", ".join(_failed_of(found))})
        raise ReportedFailure(json.dumps(outgoing_data(answer), ensure_ascii=False))
    return answer


def _failed_of(found: "Sequence[ChannelDigests]") -> list[str]:
    return [each.channel for each in found if each.problems]


def _verify(loaded: "Settings", named: MonthOrDay) -> dict[str, Any]:
    """Whether the month or day has a finished run; raised where it has none, so that the alarm rings."""
    from accountpulse.state import State

    state = State(loaded.state)
    runs = state.runs if named.day is None else state.snapshots.runs
    finished = [facts["run_id"] for facts in runs.all(f"{named.name}/") if facts["status"] == "finished"]
    if not finished:
        remedy = "look at the log of the last one, and run it again."
        raise RunFailed(" ".join([f"{named.name} has no finished run: {remedy}", *state.files.notes]))
    return {"status": "there", "period": named.name, "runs": finished}


def _goes_on(asked: Event) -> bool:
    """Whether a run that does not fit may start one more invocation. A dry run keeps nothing to go on with."""
    return not asked.dry_run and asked.link < CHAIN


def _close(
    result: "RunResult", summary: dict[str, Any], asked: Event, context: Context, *, watch: "Lines", report: "Alerts"
) -> dict[str, Any]:
    """Tell how it ended: in the log, to Rollbar, and by the answer or the error."""
    watch.write("summary", **summary)
    watch.metrics(_figures(result))
    if result.out_of_time and _goes_on(asked):
        watch.say(f"the time is over: goes on in invocation {asked.link + 1} of at most {CHAIN}")
        _start_again(context, result, asked, report)
        return {**summary, "status": "goes on in a new invocation"}
    if result.out_of_time and not asked.dry_run:
        watch.say(f"{CHAIN} invocations in a row were not enough: invoke it again by hand, and it goes on")
    _report(result, report)
    if result.exit_code:
        raise ReportedFailure(json.dumps(outgoing_data(summary), ensure_ascii=False))
    return summary


def _report(result: "RunResult", report: "Alerts") -> None:
    """One item a failed source, one for all accounts that were left out, else one for what stopped the whole run."""
    facts = {"run_id": result.run_id, "period": result.scope.name}
    for source in result.failed:
        report.say(f"{source} could not be read", {**facts, "source": source})
    if result.problems:
        named = ", ".join(problem.account_id for problem in result.problems[:LISTED])
        report.say("accounts were left out", {**facts, "count": len(result.problems), "accounts": named})
    elif result.exit_code and not result.failed:
        report.say(result.summary()["stopped"] or "no account could be rated", facts)


def next_event(scope: "Scope", asked: Event) -> dict[str, Any]:
    """What the next invocation of a run is asked: its month or day by name, since today may be over by then."""
    of = {"period": scope.name} if scope.snapshot is None else {"as_of": scope.name, "current": asked.current}
    return {**of, "link": asked.link + 1}


def _start_again(context: Context, result: "RunResult", asked: Event, report: "Alerts") -> None:
    """Invoke this function once more for the same period; it finds the run by its state."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    event = json.dumps(next_event(result.scope, asked))
    try:
        client = boto3.session.Session().client("lambda")
        client.invoke(FunctionName=context.invoked_function_arn, InvocationType="Event", Payload=event)
    except (ClientError, BotoCoreError) as error:
        remedy = "Let its role do lambda:InvokeFunction on itself. The run goes on when you invoke it with"
        text = f"the function could not be started again ({type(error).__name__}). {remedy} {event}"
        report.say(text, {"run_id": result.run_id, "period": result.scope.name})
        raise ReportedFailure(text) from None


def summarise(result: "RunResult", asked: Event, page: ReportPage = NO_PAGE) -> dict[str, Any]:
    """A small answer, the same size for ten accounts and for a hundred thousand: the run's summary, its lists cut."""
    whole = result.summary()
    sources = {
        name: {each: facts[each] for each in ("rows", "requests", "retries", "waited_seconds", "error")}
        for name, facts in whole["sources"].items()
    }
    return {
        "status": "failed" if result.exit_code else "good",
        **{name: whole[name] for name in ("exit_code", "run_id", "period", "snapshot")},
        "dry_run": asked.dry_run,
        "invocation": asked.link,
        "scorecard": whole["scorecard"],
        "report": page.place,
        "sources": sources,
        **{name: whole[name] for name in ("scored", "rated", "tiers", "created", "updated", "unchanged", "refused")},
        "left_out": len(whole["problems"]),
        # cut when no secret is left: half of one would not be known
        "problems": [[account, stage, outgoing(text)[:200]] for account, stage, text in whole["problems"][:LISTED]],
        "stopped": whole["stopped"],
        "csv": whole["csv"],
        "peak_memory_mb": peak(),
        "notes": [*page.notes, *whole["notes"]][:LISTED],
    }


def _figures(result: "RunResult") -> dict[str, float]:
    """What CloudWatch can draw and alarm on."""
    budgets = [status.budget for status in result.statuses.values()]
    return {
        "RunsFinished": int(result.loaded and not result.exit_code),
        "AccountsScored": 0 if result.scores is None else result.scores.height,
        "AccountsLeftOut": len(result.problems),
        "SourcesFailed": len(result.failed),
        "Requests": sum(budget.calls for budget in budgets),
        "SecondsWaited": round(sum(budget.waited for budget in budgets), 1),
    }


def _report_page(result: "RunResult", ends: float | None) -> ReportPage:
    """The report, kept in the state where Jinja2 is installed; what fails costs the page alone."""
    from accountpulse.pipeline import report_document
    from accountpulse.report.files import drawing

    if not result.loaded or drawing() is None:
        return ReportPage()
    why = "no time left"
    try:
        if ends is None or time.monotonic() < ends:
            return ReportPage(report_document.keep(result.run.state, result.scope.period, result.scope.snapshot))
    except Exception as error:
        logging.getLogger("accountpulse").exception("the report could not be made")
        why = type(error).__name__
    return ReportPage(None, (f"report: not written ({why}); `accountpulse report` makes it from the same state",))


def _last_word(error: BaseException) -> RunFailed:
    """The same kind of error with words that may leave: Lambda prints them, and sends them to destinations."""
    text = outgoing(str(error))
    name = (
        type(error).__name__
        if isinstance(error, AccountpulseError | RunFailed)
        else f"{type(error).__name__} (a fault of accountpulse itself)"
    )
    return RunFailed(f"{name}: {text}")
