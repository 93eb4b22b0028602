"""The document of a month: everything that its report shows, as plain data for JSON. docs/report.md has its format."""

from typing import Any

from accountpulse.report import header, sections
from accountpulse.report.accounts import accounts, columnar, worklist
from accountpulse.report.catalogue import bands, catalogue, dimensions, tiers
from accountpulse.report.details import details, parts_of, periods
from accountpulse.report.gaps import gaps, missing_metrics, source_coverage
from accountpulse.report.inputs import ReportInput
from accountpulse.report.movers import movers
from accountpulse.report.proof import proof
from accountpulse.scoring.account_details import RISK_NOTE
from accountpulse.scoring.model import NOT_RATED

FORMAT = 1


def document(inputs: ReportInput) -> dict[str, Any]:
    """All numbers unrounded, dates as ISO texts, null where not known; `i` is an account's place in `accounts`."""
    now, card = inputs.month, inputs.month.card
    rows, parts = accounts(inputs), parts_of(inputs)
    names = [*card.tier_names, NOT_RATED]
    by_source = source_coverage(inputs)
    return {
        "format": FORMAT,
        "period": now.period.name,
        "period_text": now.text,
        "snapshot": None if now.snapshot is None else now.name,
        "as_of": now.as_of_day.isoformat(),
        "window_days": now.window_days,
        "run": header.run(now),
        "scorecard": header.scorecard(card),
        "before": header.before(inputs.before, card),
        "counts": header.counts(inputs, rows, by_source),
        "arr": header.arr(rows),
        "sources": header.sources(inputs),
        "alarms": header.alarms(inputs, rows.height),
        "warnings": sections.warnings(rows, card),
        "notes": header.notes(now, inputs.before),
        "risk_note": RISK_NOTE,
        "horizon_days": card.file.horizon_days,
        "tiers": tiers(card, NOT_RATED),
        "bands": bands(card),
        "distribution": sections.distribution(rows, names, inputs.before),
        "risk": sections.risk(rows, inputs.before),
        "at_risk": sections.at_risk(rows),
        "movers": movers(rows, parts, inputs),
        "renewals": sections.renewals(rows, card),
        "worklist": worklist(rows),
        "gaps": gaps(by_source, names, inputs.sources),
        "missing_metrics": missing_metrics(now),
        "proof": proof(inputs.backtest, card),
        "catalogue": catalogue(inputs),
        "dimensions": dimensions(card),
        "periods": periods(inputs),
        "scorecards": header.versions(inputs),
        "accounts": columnar(rows),
        "details": details(inputs, rows["id"], parts),
    }
