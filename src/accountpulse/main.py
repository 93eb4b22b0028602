"""The handler for AWS Lambda: event → settings → pipeline → answer.

The event, every key optional: `{"period": "2026-10", "dry_run": true, "scheduled_time": "2026-11-02T06:00:00Z"}`. The
period is the event's, else the last month that was complete at the scheduled time, else at this moment.

The answer is a small summary. What went wrong is raised, so that alarms and destinations see it: at once where nothing
was done (exit codes 1 to 3 of the command line), after all work where something is missing (4 and 5). A run that does
not fit into one invocation saves its state, hands the period over and starts this function again.
"""

import json
import logging
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from accountpulse.errors import AccountpulseError, AlreadyRunning, UsageError
from accountpulse.memory import give_back
from accountpulse.period import Period, last_complete, parse_period
from accountpulse.redact import Redactor

if TYPE_CHECKING:
    from accountpulse.alerts import Alerts
    from accountpulse.logs import Lines
    from accountpulse.pipeline.outcome import Outcome
    from accountpulse.settings import Settings

RESERVE = 30.0  # seconds before Lambda's own deadline at which a run stops: to save, to report, to start again
CHAIN = 12  # invocations of one run; Lambda itself ends a loop that it recognises after about 16
LISTED = 20  # problems in the answer; the rest is counted
KEYS = {"period": str, "dry_run": bool, "scheduled_time": str, "verify": bool, "link": int}


class Context(Protocol):
    """What Lambda tells about an invocation."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda kills the process."""


class RunFailed(Exception):
    """A run that ended with a part missing; its text is the summary."""


@dataclass(frozen=True)
class Event:
    """The event, checked. `link` counts the invocations of one run, this one included.

    `verify`: don't run; see whether the month has a finished run.
    """

    period: str | None = None
    dry_run: bool = False
    scheduled_time: datetime | None = None
    verify: bool = False
    link: int = 1


def lambda_handler(event: object, context: Context) -> dict[str, Any]:
    """One invocation; see above."""
    give_back()
    from accountpulse import settings
    from accountpulse.alerts import Silence, alerts
    from accountpulse.logs import Lines, take_over

    take_over(Redactor())
    report: Alerts = Silence()
    redact = Redactor()
    try:
        asked = read_event(event)
        loaded = settings.load(os.environ)
        redact = loaded.redactor
        take_over(redact)
        report = alerts(loaded.rollbar, redact)
        watch = Lines(redact)
        if loaded.rollbar is None:
            watch.say("errors are not reported to Rollbar: ROLLBAR_ACCESS_TOKEN is not set")
        if asked.verify:
            return _verify(loaded, asked)
        outcome = _run(loaded, asked, context, watch)
    except AlreadyRunning as error:
        return {"status": "already running", "text": redact(str(error))}
    except Exception as error:
        if not isinstance(error, AccountpulseError | RunFailed):
            logging.getLogger("accountpulse").exception("a fault of accountpulse itself")
        report.error(error, {"stage": "run"})
        raise _redacted(error, redact) from None
    try:
        return _close(outcome, asked, context, watch, report)
    except Exception as error:  # noqa: BLE001
        raise _redacted(error, redact) from None


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
    if period is not None:
        parse_period(period)
    flags = event.get("dry_run", False), _moment(scheduled), event.get("verify", False)
    return Event(period, *flags, event.get("link", 1))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"the event's scheduled_time {text!r} is not a time such as 2026-11-02T06:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _period(asked: Event, zone: str, now: datetime) -> Period:
    if asked.period is not None:
        return parse_period(asked.period, zone)
    return last_complete(asked.scheduled_time or now, zone)


def _run(loaded: "Settings", asked: Event, context: Context, watch: "Lines") -> "Outcome":
    from accountpulse import pipeline
    from accountpulse.pipeline.outcome import Options

    left = context.get_remaining_time_in_millis() / 1000
    now = datetime.now(UTC)
    options = Options(
        period=_period(asked, loaded.mapping.timezone, now),
        dry_run=asked.dry_run,
        keep_csv=asked.dry_run,
        hand_over=_goes_on(asked),
        ends=time.monotonic() + left - RESERVE,
    )
    return _with_page(pipeline.run(loaded, options, now, watch), loaded, options.ends)


def _verify(loaded: "Settings", asked: Event) -> dict[str, Any]:
    """Whether the month has a finished run; raised where it has none, so that the alarm rings."""
    from accountpulse.state import State

    period = _period(asked, loaded.mapping.timezone, datetime.now(UTC)).name
    finished = [
        facts["run_id"] for facts in State(loaded.state).runs.all(f"{period}/") if facts["status"] == "finished"
    ]
    if not finished:
        raise RunFailed(f"{period} has no finished run: look at the log of the last one, and run it again.")
    return {"status": "there", "period": period, "runs": finished}


def _goes_on(asked: Event) -> bool:
    """Whether a run that does not fit may start one more invocation. A dry run keeps nothing to go on with."""
    return not asked.dry_run and asked.link < CHAIN


def _close(outcome: "Outcome", asked: Event, context: Context, watch: "Lines", report: "Alerts") -> dict[str, Any]:
    """Tell how it ended: in the log, to Rollbar, and by the answer or the error."""
    summary = summarise(outcome, asked)
    watch.write("summary", **summary)
    watch.metrics(_figures(outcome))
    if outcome.out_of_time and _goes_on(asked):
        _start_again(context, outcome, asked)
        return {**summary, "status": "goes on in a new invocation"}
    facts = {"run_id": outcome.run_id, "period": outcome.scope.period.name}
    for source in outcome.failed:
        report.say(f"{source} could not be read", {**facts, "source": source})
    if outcome.problems:
        named = ", ".join(problem.account_id for problem in outcome.problems[:LISTED])
        report.say("accounts were left out", {**facts, "count": len(outcome.problems), "accounts": named})
    if outcome.exit_code:
        raise RunFailed(json.dumps(summary, ensure_ascii=False))
    return summary


def _start_again(context: Context, outcome: "Outcome", asked: Event) -> None:
    """Invoke this function once more for the same period; it finds the run by its state."""
    import boto3

    event = {"period": outcome.scope.period.name, "link": asked.link + 1}
    client = boto3.session.Session().client("lambda")
    client.invoke(FunctionName=context.invoked_function_arn, InvocationType="Event", Payload=json.dumps(event))


def summarise(outcome: "Outcome", asked: Event) -> dict[str, Any]:
    """A small answer, the same size for ten accounts and for a hundred thousand."""
    tiers = {} if outcome.scores is None else dict(sorted(outcome.scores["tier"].value_counts().iter_rows()))
    return {
        "status": "failed" if outcome.exit_code else "good",
        "exit_code": outcome.exit_code,
        "run_id": outcome.run_id,
        "period": outcome.scope.period.name,
        "dry_run": asked.dry_run,
        "invocation": asked.link,
        "scorecard": outcome.scorecard,
        "report": outcome.page,
        "sources": {
            source: {
                "rows": dict(standing.rows),
                "requests": standing.meter.calls,
                "retries": standing.meter.retries,
                "waited_seconds": round(standing.meter.waited, 1),
                "error": None if standing.error is None else str(standing.error),
            }
            for source, standing in outcome.standings.items()
        },
        "scored": 0 if outcome.scores is None else outcome.scores.height,
        "rated": outcome.rated,
        "tiers": tiers,
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
        "refused": outcome.refused,
        "left_out": len(outcome.problems),
        "problems": [[each.account_id, each.stage, each.text[:200]] for each in outcome.problems[:LISTED]],
        "stopped": outcome.stopped or outcome.imbalance or (str(outcome.unready) if outcome.unready else None),
        "csv": outcome.csv,
        "notes": list(outcome.notes[:LISTED]),
    }


def _figures(outcome: "Outcome") -> dict[str, float]:
    """What CloudWatch can draw and alarm on."""
    meters = [standing.meter for standing in outcome.standings.values()]
    return {
        "RunsFinished": int(outcome.loaded and not outcome.exit_code),
        "AccountsScored": 0 if outcome.scores is None else outcome.scores.height,
        "AccountsLeftOut": len(outcome.problems),
        "SourcesFailed": len(outcome.failed),
        "Requests": sum(meter.calls for meter in meters),
        "SecondsWaited": round(sum(meter.waited for meter in meters), 1),
    }


def _with_page(outcome: "Outcome", loaded: "Settings", ends: float | None) -> "Outcome":
    """The outcome with its report kept, where the extra `report` is installed; what fails costs the page alone."""
    from accountpulse import reports
    from accountpulse.report.files import drawing
    from accountpulse.state import State

    if not outcome.loaded or drawing() is None:
        return outcome
    why = "no time left"
    try:
        if ends is None or time.monotonic() < ends:
            return replace(outcome, page=reports.keep(State(loaded.state), outcome.scope.period))
    except Exception as error:
        logging.getLogger("accountpulse").exception("the report could not be made")
        why = type(error).__name__
    note = f"report: not written ({why}); `accountpulse report` makes it from the same state"
    return replace(outcome, notes=(note, *outcome.notes))


def _redacted(error: BaseException, redact: Redactor) -> BaseException:
    """The same kind of error without secrets in its words: Lambda prints them, and sends them to destinations."""
    text = redact(str(error))
    name = (
        type(error).__name__
        if isinstance(error, AccountpulseError | RunFailed)
        else f"{type(error).__name__} (a fault of accountpulse itself)"
    )
    return RunFailed(f"{name}: {text}")
