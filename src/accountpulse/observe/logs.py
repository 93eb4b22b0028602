"""What a machine reads of a run: one JSON object a line on stderr, every text as `outgoing` leaves it.

Every line has `at` (UTC) and `event`; from the moment they are known also `run_id`, `period`, and `source` while one is
being read, whoever writes the line.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime

from accountpulse.core.outgoing import outgoing, outgoing_data
from accountpulse.core.records import SourceName
from accountpulse.observe.outlet import in_ascii, laid_out
from accountpulse.pipeline.watch import SourceStatus

BETWEEN_EVENTS = 5.0  # seconds: a log file needs no more of one source's rows
NAMESPACE = "accountpulse"  # of the metrics in CloudWatch
# sources are read side by side, each in a thread of its own: what a library logs there is about that source
_SOURCE: ContextVar[SourceName | None] = ContextVar("source", default=None)


class Lines:
    """A watch that writes a line an event: the event, its source, counts; and `bound`, which stands in every line."""

    def __init__(self) -> None:
        """Writes to stderr."""
        self.bound: dict[str, str] = {}
        self._last: dict[SourceName, float] = {}
        self._lock = threading.Lock()

    def bind(self, **facts: str) -> None:
        """Say these in every line from here on."""
        self.bound.update(facts)

    def enter(self, run_id: str, period: str, notes: Sequence[str]) -> None:
        """Tell that the run has its id and its month, and what it goes on with."""
        self.bind(run_id=run_id, period=period)
        self.write("run", notes=list(notes))

    def begin(self, source: SourceName) -> None:
        """Tell that the source is being read."""
        _SOURCE.set(source)
        self.write("begin")

    def rows(self, source: SourceName, done: int, total: int | None) -> None:
        """Tell how far it is, now and then."""
        now = time.monotonic()
        if now - self._last.setdefault(source, now) >= BETWEEN_EVENTS:
            self._last[source] = now
            self.write("rows", source=source, done=done, total=total)

    def end(self, source: SourceName, status: SourceStatus) -> None:
        """Tell how the source stands."""
        _SOURCE.set(None)
        cost = {"requests": status.budget.calls, "retries": status.budget.retries}
        waited = round(status.budget.waited, 1)
        if status.error is None:
            self.write("end", source=source, rows=dict(status.rows), **cost, waited_seconds=waited)
        else:
            self.write("failed", source=source, error=str(status.error), **cost, waited_seconds=waited)

    def say(self, text: str) -> None:
        """Tell what happens next."""
        self.write("note", text=text)

    def write(self, event: str, **facts: object) -> None:
        """One line."""
        line = self.line(event, facts)
        with self._lock:
            print(line, file=laid_out(sys.stderr), flush=True)

    def line(self, event: str, facts: Mapping[str, object]) -> str:
        """The event with what is known by now, as one JSON object."""
        source = _SOURCE.get()
        about = {} if source is None else {"source": source}
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        whole = {"at": at, "event": event, **self.bound, **about, **facts}
        clean = outgoing_data(whole)
        return json.dumps(clean, ensure_ascii=in_ascii(sys.stderr), default=lambda each: outgoing(str(each)))

    def metrics(self, figures: Mapping[str, float]) -> None:
        """One line in CloudWatch's embedded metric format: figures of this run, by their names.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
        """
        names = [{"Name": name} for name in figures]
        directive = {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": names}
        stamp = {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]}
        self.write("metrics", _aws=stamp, **figures)


class Quiet(logging.Handler):
    """What libraries log, as one of our lines each: no arguments, no local variables."""

    def __init__(self, lines: Lines) -> None:
        """Writes through `lines`."""
        super().__init__()
        self._lines = lines
        self._traces = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """The record as a line."""
        facts = {"level": record.levelname, "logger": record.name, "text": record.getMessage()}
        if record.exc_info:
            facts["error"] = self._traces.formatException(record.exc_info)
        self._lines.write("log", **facts)


def in_words(level: int = logging.WARNING) -> logging.Handler:
    """The same as text for a terminal, from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    return handler


def take_over(handler: logging.Handler) -> None:
    """Put our one handler in place of whatever handles logs: a runtime's own would print every line twice, unredacted.

    Warnings and above pass; urllib3, botocore and asyncio print headers and bodies below that.
    """
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
