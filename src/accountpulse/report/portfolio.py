"""The document of a month: everything that its report shows, as plain data for JSON. docs/report.md has its format."""

from typing import Any

from accountpulse.report import header, sections
from accountpulse.report.accounts import accounts, columnar, worklist
from accountpulse.report.catalogue import bands, catalogue, dimensions, tiers
from accountpulse.report.details import details, parts_of, periods
from accountpulse.report.gaps import gaps, missing_metrics, standing
from accountpulse.report.material import Material
from accountpulse.report.movers import movers
from accountpulse.scoring.account_details import RISK_NOTE
from accountpulse.scoring.model import NOT_RATED

FORMAT = 1


def document(material: Material) -> dict[str, Any]:
    """All numbers unrounded, dates as ISO texts, null where not known; `i` is an account's place in `accounts`."""
    now, card = material.month, material.month.card
    rows, parts = accounts(material), parts_of(material)
    names = [*(tier.name for tier in card.tiers), NOT_RATED]
    standings = standing(now, material.evidence)
    return {
        "format": FORMAT,
        "period": now.period.name,
        "period_text": f"{now.period.first_day:%B %Y}",
        "as_of": now.as_of_day.isoformat(),
        "window_days": now.window_days,
        "run": header.run(now),
        "scorecard": header.scorecard(card),
        "before": header.before(material.before, card),
        "counts": header.counts(material, rows, standings),
        "arr": header.arr(rows),
        "sources": header.sources(now),
        "alarms": header.alarms(material, rows.height),
        "warnings": sections.warnings(rows, card),
        "notes": header.notes(now),
        "risk_note": RISK_NOTE,
        "tiers": tiers(card, NOT_RATED),
        "bands": bands(card),
        "distribution": sections.distribution(rows, names, material.before),
        "risk": sections.risk(rows, material.before),
        "at_risk": sections.at_risk(rows),
        "movers": movers(rows, parts, material),
        "renewals": sections.renewals(rows, card),
        "worklist": worklist(rows),
        "gaps": gaps(standings, names),
        "missing_metrics": missing_metrics(now),
        "catalogue": catalogue(now),
        "dimensions": dimensions(card),
        "periods": periods(material),
        "scorecards": header.versions(material),
        "accounts": columnar(rows),
        "details": details(material, rows["id"], parts),
    }
