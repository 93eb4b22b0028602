"""What the ways to read a system share: our extractor as it is called, a request by hand, and dlt into Parquet."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MONTH_END = datetime(2026, 11, 1, tzinfo=UTC)
Row = dict[str, Any]


def extracted(source: str, table: str, told: Row) -> int:
    """Rows of our extractor, as the pipeline calls it; ends with typed frames."""
    from accountpulse import settings
    from accountpulse.core.period import Period, scope_of
    from accountpulse.systems import SYSTEMS
    from accountpulse.systems.extraction import ExtractRequest

    connection = settings.load(told["environment"]).connection(source)
    extract = SYSTEMS[source].extract
    assert extract is not None
    return extract(ExtractRequest(connection, scope_of(Period(2026, 10), NOW), tuple(told["keys"]))).rows[table]


def observed_limits() -> list[int]:
    """How many requests the extractor may have under way at once, as it is decided from now on."""
    from accountpulse.http.concurrency import ConcurrencyLimit

    answered, seen = ConcurrencyLimit.answered, []

    def observed(limit: ConcurrencyLimit, *answer: Any) -> None:
        answered(limit, *answer)
        seen.append(limit.value)

    ConcurrencyLimit.answered = observed  # type: ignore[method-assign]
    return seen


def by_command(told: Row) -> int:
    """A whole run by the command line, over all systems, that writes nothing; the accounts that it scored."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **told["environment"], "ACCOUNTPULSE_STATE": f"{folder}/state"}
        command = [sys.executable, "-m", "accountpulse", "run", "--period", "2026-10", "--dry-run", "--out", folder]
        subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
        lines = Path(folder, "health-scores-2026-10.csv").read_text(encoding="utf-8").splitlines()
    return len(lines) - 1


def post(session: Any, url: str, body: Row, wait: Callable[[Any], None] | None = None) -> Row:
    """The answer's JSON; with `wait`, one that comes too soon is asked for again."""
    while (answer := session.post(url, json=body)).status_code == 429 and wait is not None:
        wait(answer)
    answer.raise_for_status()
    found: Row = json.loads(answer.content)
    return found


def into_parquet(name: str, pages: Iterable[list[Row]]) -> int:
    """The rows of all pages by dlt's pipeline into Parquet, without child tables; how many there were."""
    import dlt

    count = 0

    @dlt.resource(name=name, max_table_nesting=0, write_disposition="replace")
    def rows() -> Iterator[list[Row]]:
        nonlocal count
        for page in pages:
            count += len(page)
            yield page

    with tempfile.TemporaryDirectory() as folder:
        target = dlt.destinations.filesystem(folder)
        pipeline = dlt.pipeline("extract", destination=target, dataset_name=name, pipelines_dir=f"{folder}/p")
        pipeline.execute(rows(), loader_file_format="parquet")
    return count
