"""What Looker has of the mapping, without a query."""

from collections.abc import Callable, Iterable
from functools import partial

import polars as pl

from accountpulse.extractors.base import Probe, Request
from accountpulse.extractors.looker import DAYS, FEATURES, MONTHS, Work
from accountpulse.extractors.looker_api import Api
from accountpulse.records import frame, pillar_metric
from accountpulse.settings.looker_mapping import SavedLook


def probe(request: Request) -> Probe:
    """Whether each explore and its fields are there; saved Looks are only run by a run."""
    access, mapping = request.settings.looker, request.settings.mapping.looker
    if access is None:
        raise ValueError("looker is not configured")
    work = Work(request, mapping, Api(access, request.meter, request.settings.ca_bundle, mapping.timeout))
    usage, features, platform = mapping.usage, mapping.features, mapping.platform
    calls = 0
    if usage is not None:
        _look(work, DAYS, lambda: work.need(usage.explore, [usage.account, usage.date, usage.users]))
        _look(work, MONTHS, lambda: work.need(usage.explore, [usage.account, usage.month, usage.users, usage.sessions]))
        calls += 4
    if features is not None and features.catalogue:
        _look(work, FEATURES, lambda: work.need(features.explore, [features.account, features.feature]))
        calls += 2
    for name, source in platform.pillars.items():
        calls += 2
        if not isinstance(source, SavedLook):
            wanted = [platform.account, platform.date, source]
            _look(work, [pillar_metric(name).name], partial(work.need, platform.explore, wanted))
    work.check_model()
    return Probe(0, "queries", request.meter.calls + calls, tuple(dict.fromkeys(work.notes)), work.gaps)


def _look(work: Work, metrics: Iterable[str], need: Callable[[], None]) -> None:
    def read() -> pl.DataFrame:
        need()
        return frame("pillars")

    work.part(metrics, read)
