"""What Looker has of the mapping, whether our user may ask each explore, and which of the accounts' keys have rows."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

import polars as pl

from accountpulse.core.ids import comparable_id
from accountpulse.core.records import Extract, Reason
from accountpulse.systems.extraction import Probe
from accountpulse.systems.looker.api import Query, Refused
from accountpulse.systems.looker.explores import Missing
from accountpulse.systems.looker.extract import LookerExtraction, connect, metrics_of
from accountpulse.systems.looker.grain import DAYS, FEATURES, MONTHS
from accountpulse.systems.looker.settings import LookerRequest, Measure, SavedLook


def look_up(request: LookerRequest) -> Extract:
    """Which of the keys have no row in any explore that a run would read, as `unknown_keys`; no Look is run for it.

    Looker has no list of customers: a key is known by its rows. A run calls an account without usage and features
    `not_linked`, so keys are judged only where those of the two that are mapped could be asked; else a note
    says why not.
    """
    work = connect(request)
    usage = work.mapping.usage
    try:
        seen = [] if usage is None else [_ids_in(work, work.days_asked(usage), usage.account)]
        features = work.features_asked()
        if features is not None:
            seen.append(_ids_in(work, features, next(iter(features.dimensions))))
    except Missing:
        work.explores.refuse_nothing_seen()
        return Extract("looker", {}, notes=("its keys were not checked", *dict.fromkeys(work.notes)))
    if not seen:
        return Extract("looker", {}, notes=("its keys were not checked: neither usage nor features are mapped",))
    known = {comparable_id(key) for keys in (*seen, *_measured(work)) for key in keys.drop_nulls()}
    unknown: dict[str, Reason] = {key: "not_linked" for key in request.keys if comparable_id(key) not in known}
    return Extract("looker", {}, unknown_keys=unknown)


def _measured(work: LookerExtraction) -> Iterator[pl.Series]:
    """The account ids of each explore with figures; one that can't be asked shows nobody."""
    sources = [each for each in work.mapping.figures.values() if isinstance(each, Measure)]
    for source in {each.question: each for each in sources}.values():
        with suppress(Missing):
            yield _ids_in(work, work.measure_asked(source), source.account)


def _ids_in(work: LookerExtraction, asked: Query, account: str) -> pl.Series:
    """The account ids of the rows that a question is about."""
    query = Query(asked.model, asked.explore, {account: "key"}, {}, asked.filters, asked.zone)
    try:
        rows = work.api.query(query)
    except Refused as refused:
        raise work.explores.no_query(asked.explore, refused.status) from None
    return rows.spool.lazy().select(account).collect()[account]


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
