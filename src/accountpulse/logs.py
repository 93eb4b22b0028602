"""What a machine reads of a run: one JSON object a line on stderr, every text redacted."""

import json
import logging
import sys
import threading
import time
from collections.abc import Mapping

from accountpulse.pipeline.outcome import Standing
from accountpulse.records import Source
from accountpulse.redact import Redactor

BETWEEN_EVENTS = 5.0  # seconds: a log file needs no more of one source's rows
NAMESPACE = "accountpulse"  # of the metrics in CloudWatch


class Lines:
    """A watch that writes a line an event: the event, its source, counts; and `bound`, which stands in every line."""

    def __init__(self, redact: Redactor, bound: Mapping[str, str] | None = None) -> None:
        """Writes to stderr."""
        self._redact = redact
        self._bound = dict(bound or {})
        self._last: dict[Source, float] = {}
        self._lock = threading.Lock()

    def begin(self, source: Source) -> None:
        """Tell that the source is being read."""
        self.write("begin", source=source)

    def rows(self, source: Source, done: int, total: int | None) -> None:
        """Tell how far it is, now and then."""
        now = time.monotonic()
        if now - self._last.setdefault(source, now) >= BETWEEN_EVENTS:
            self._last[source] = now
            self.write("rows", source=source, done=done, total=total)

    def end(self, source: Source, standing: Standing) -> None:
        """Tell how the source stands."""
        if standing.error is None:
            self.write("end", source=source, rows=dict(standing.rows), requests=standing.meter.calls)
        else:
            self.write("failed", source=source, error=str(standing.error), requests=standing.meter.calls)

    def say(self, text: str) -> None:
        """Tell what happens next."""
        self.write("note", text=text)

    def write(self, event: str, **facts: object) -> None:
        """One line."""
        line = json.dumps({"event": event, **self._bound, **facts}, ensure_ascii=False, default=str)
        with self._lock:
            print(self._redact(line), file=sys.stderr, flush=True)  # noqa: T201

    def metrics(self, figures: Mapping[str, float]) -> None:
        """One line in CloudWatch's embedded metric format: figures of this run, by their names.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
        """
        names = [{"Name": name} for name in figures]
        directive = {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": names}
        stamp = {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]}
        self.write("metrics", _aws=stamp, **figures)


class _Quiet(logging.Formatter):
    """What libraries log, as one redacted JSON line each: no arguments, no local variables."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        facts = {"event": "log", "level": record.levelname, "logger": record.name, "text": record.getMessage()}
        if record.exc_info:
            facts["error"] = self.formatException(record.exc_info)
        return self._redact(json.dumps(facts, ensure_ascii=False))


def take_over(redact: Redactor) -> None:
    """Put our one handler in place of whatever handles logs: a runtime's own would print every line twice, unredacted.

    Warnings and above pass; urllib3, botocore and asyncio print headers and bodies below that.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Quiet(redact))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
