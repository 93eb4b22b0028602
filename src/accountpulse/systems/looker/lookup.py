"""What Looker has of the mapping, and whether our user may ask each explore: one row of it, without a measure."""

from collections.abc import Callable, Iterable
from functools import partial

from accountpulse.systems.extraction import Probe
from accountpulse.systems.looker.extract import LookerExtraction, connect, metrics_of
from accountpulse.systems.looker.grain import DAYS, FEATURES, MONTHS
from accountpulse.systems.looker.settings import LookerRequest, Measure, SavedLook


def probe(request: LookerRequest) -> Probe:
    """Whether each explore and saved Look is there, has its fields, each of its kind, and shows everything.

    Metadata doesn't show whether our user may query an explore, nor whether its database answers: a first row does.
    """
    work = connect(request)
    mapping = work.mapping
    usage, features = mapping.usage, mapping.features
    calls = 0
    if usage is not None:
        _look(work, DAYS, lambda: work.first_row(work.days_asked(usage)))
        _look(work, MONTHS, lambda: work.first_row(work.months_asked(usage)))
        calls += 4
    if features is not None and features.catalogue:
        _look(work, FEATURES, lambda: work.first_row(work.features_asked()))
        calls += 2
    for name, source in mapping.figures.items():
        _look(work, metrics_of(name), partial(_figure, work, source))
    calls += 2 * len({source.question for source in mapping.figures.values()})
    work.explores.refuse_nothing_seen()
    return Probe(0, "queries", request.budget.calls + calls, tuple(dict.fromkeys(work.notes)), work.gaps)


def _figure(work: LookerExtraction, source: Measure | SavedLook) -> None:
    if isinstance(source, Measure):
        work.first_row(work.measure_asked(source))
    else:
        work.explores.need_look(source)


def _look(work: LookerExtraction, metrics: Iterable[str], need: Callable[[], object]) -> None:
    def read() -> bool:
        need()
        return True

    work.part(metrics, read)
