"""The handler for AWS Lambda: event → settings → pipeline → answer.

The event, every key optional: `{"period": "2026-10", "dry_run": true, "scheduled_time": "2026-11-02T06:00:00Z"}`. The
period is the event's, else the last month that was complete at the scheduled time, else at this moment.

The answer is a small summary. What went wrong is raised, so that alarms and destinations see it: at once where nothing
was done (exit codes 1 to 3 of the command line), after all work where something is missing (4 and 5). A run that does
not fit into one invocation saves its state, hands the period over and starts this function again.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from accountpulse.errors import AccountpulseError, AlreadyRunning, UsageError
from accountpulse.period import Period, last_complete, parse_period
from accountpulse.redact import Redactor

RESERVE = 30.0  # seconds before Lambda's own deadline at which a run stops: to save, to report, to start again
CHAIN = 12  # invocations of one run; Lambda itself ends a loop that it recognises after about 16
LISTED = 20  # problems in the answer; the rest is counted
KEYS = {"period": str, "dry_run": bool, "scheduled_time": str, "link": int}


class Context(Protocol):
    """What Lambda tells about an invocation."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda kills the process."""


class RunFailed(Exception):
    """A run that ended with a part missing; its text is the summary."""


@dataclass(frozen=True)
class Event:
    """The event, checked. `link` counts the invocations of one run, this one included."""

    period: str | None = None
    dry_run: bool = False
    scheduled_time: datetime | None = None
    link: int = 1


def lambda_handler(event: object, context: Context) -> dict[str, Any]:
    """One invocation; see above."""
    from accountpulse import settings
    from accountpulse.alerts import Silence, alerts
    from accountpulse.logs import Lines, take_over

    take_over(Redactor())
    report, redact = Silence(), Redactor()
    try:
        asked = read_event(event)
        loaded = settings.load(os.environ)
        redact = loaded.redactor
        take_over(redact)
        report = alerts(loaded.rollbar, redact)
        watch = Lines(redact)
        if loaded.rollbar is None:
            watch.say("errors are not reported to Rollbar: ROLLBAR_ACCESS_TOKEN is not set")
        outcome = _run(loaded, asked, context, watch)
    except AlreadyRunning as error:
        return {"status": "already running", "text": redact(str(error))}
    except Exception as error:
        report.error(error, {"stage": "run"})
        raise _redacted(error, redact) from None
    return _close(outcome, asked, context, watch, report, redact)


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
    return Event(period, event.get("dry_run", False), _moment(scheduled), event.get("link", 1))


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


def _run(loaded: Any, asked: Event, context: Context, watch: Any) -> Any:
    from accountpulse import pipeline
    from accountpulse.pipeline.outcome import Options

    left = context.get_remaining_time_in_millis() / 1000
    now = datetime.now(UTC)
    options = Options(
        period=_period(asked, loaded.mapping.timezone, now),
        dry_run=asked.dry_run,
        keep_csv=asked.dry_run,
        hand_over=not asked.dry_run and asked.link < CHAIN,
        ends=time.monotonic() + left - RESERVE,
    )
    return pipeline.run(loaded, options, now, watch)
