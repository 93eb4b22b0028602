"""What Looker has of the mapping, without a query."""

from collections.abc import Callable, Iterable
from functools import partial

import polars as pl

from accountpulse.core.records import frame
from accountpulse.systems.extraction import Probe
from accountpulse.systems.looker.extract import DAYS, FEATURES, MONTHS, LookerExtraction, connect, metrics_of
from accountpulse.systems.looker.settings import LookerRequest


def probe(request: LookerRequest) -> Probe:
    """Whether each explore and its fields, each saved Look and its columns are there."""
    work, mapping = connect(request), request.mapping
    usage, features = mapping.usage, mapping.features
    calls = 0
    if usage is not None:
        _look(work, DAYS, lambda: work.need(usage.explore, [usage.account, usage.date, usage.users]))
        _look(work, MONTHS, lambda: work.need(usage.explore, [usage.account, usage.month, usage.users, usage.sessions]))
        calls += 4
    if features is not None and features.catalogue:
        _look(work, FEATURES, lambda: work.need(features.explore, [features.account, features.feature]))
        calls += 2
    for name, source in mapping.figures.items():
        _look(work, metrics_of(name), partial(work.need_figure, source))
    calls += 2 * len({source.question for source in mapping.figures.values()})
    work.check_model()
    return Probe(0, "queries", request.budget.calls + calls, tuple(dict.fromkeys(work.notes)), work.gaps)


def _look(work: LookerExtraction, metrics: Iterable[str], need: Callable[[], None]) -> None:
    def read() -> pl.DataFrame:
        need()
        return frame("figures")

    work.part(metrics, read)
