"""The document of a month: everything that its report shows, as plain data for JSON. docs/report.md has its format."""

from typing import Any

from accountpulse.report import header, opinions, sections
from accountpulse.report.accounts import accounts, columnar, sorted_scores
from accountpulse.report.catalogue import bands, catalogue, dimensions, tiers
from accountpulse.report.crossings import crossed
from accountpulse.report.details import details, parts_of, periods
from accountpulse.report.gaps import gaps, missing_metrics, source_coverage
from accountpulse.report.groups import groups
from accountpulse.report.inputs import ReportInput
from accountpulse.report.movers import movers
from accountpulse.report.proof import proof
from accountpulse.scoring.account_details import RISK_NOTE
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.ranking import renewals_in_danger, worklist_order

FORMAT = 2


def document(inputs: ReportInput) -> dict[str, Any]:
    """All numbers unrounded, dates as ISO texts, null where not known; `i` is an account's place in `accounts`."""
    now, card = inputs.month, inputs.month.card
    rows, parts, scores = accounts(inputs), parts_of(inputs), sorted_scores(inputs)
    crossings = crossed(rows, inputs)
    names = [*card.tier_names, NOT_RATED]
    by_source = source_coverage(inputs)
    return {
        "format": FORMAT,
        "period": now.period.name,
        "period_text": now.text,
        "snapshot": None if now.snapshot is None else now.name,
        "as_of": now.as_of_day.isoformat(),
        "last_day": now.last_day.isoformat(),
        "window_days": now.window_days,
        "run": header.run(now),
        "scorecard": header.scorecard(card),
        "before": header.before(inputs.before, card),
        "counts": header.counts(inputs, rows, by_source),
        "arr": header.arr(rows, now.facts.get("currency")),
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
        "danger": renewals_in_danger(scores, card),
        "crossed": crossings,
        "disagreed": opinions.disagreed(rows, inputs),
        "pulses": opinions.pulses(rows),
        "movers": movers(rows, parts, crossings, inputs),
        "renewals": sections.renewals(rows),
        "groups": groups(rows, inputs),
        "group_notes": list(inputs.groups.notes),
        "worklist": worklist_order(scores),
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
