"""What a calibration was learned from and how good it is, or why none is offered, on a terminal."""

from math import exp, log, sqrt
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from accountpulse.cli import summary
from accountpulse.cli.formatting import named, plural
from accountpulse.scoring.calibration import Calibration, deviations
from accountpulse.scoring.columns import PROBABILITIES, PROBABILITY

if TYPE_CHECKING:
    from accountpulse.cli.proof_tables import ProofTables
    from accountpulse.proof.intervals import Interval
    from accountpulse.proof.probability import ProbabilityQuality
    from accountpulse.proof.training import Training

NARROW = 60  # columns below which a table has its main figures alone
INDICES = (5.0, 10.0, 30.0, 50.0, 80.0)  # of the risk, before floors, that the summary translates


def show(
    learned: "Training", found: Calibration | None, tables: "ProofTables", console: Console, *, expired: bool
) -> None:
    """Print the whole of it; `expired`: it counts for no run any more."""
    show_training("Calibration", learned, tables, console)
    if found is None:
        console.print("\n[bold]No probability can be offered[/bold]")
        summary.marked(console, "✗", "red", refusals(learned))
        summary.marked(console, "·", "cyan", across(learned))
    else:
        _offered(learned, found, console, expired=expired)
    show_notes(learned, tables, console)
    summary.marked(console, "!", "yellow", learned.leaks)


def refusals(learned: "Training") -> tuple[str, ...]:
    """Why there is no probability, or none for each customer."""
    from accountpulse.proof.gates import PROBABILITIES, gate

    return gate(learned.evidence, PROBABILITIES).refusals


def across(learned: "Training") -> tuple[str, ...]:
    """What can be done where every account has one row alone, and later months lack for that."""
    from accountpulse.proof.gates import PROBABILITY_MONTHS

    of_time = learned.evidence.months < PROBABILITY_MONTHS or learned.foretold is None
    if learned.rules.cross_section or not learned.one_row_each or not of_time:
        return ()
    says = "Every account has one row. With --cross-section it is tried on other customers instead of in later months"
    return (f"{says}; that it lasts isn't shown then.",)


def show_training(what: str, learned: "Training", tables: "ProofTables", console: Console) -> None:
    """Print what was learned from, and what was left out."""
    card, rules, months = learned.card, learned.rules, learned.months
    span = f", {months[0]} to {months[-1]} ({plural(len(months), 'month')})" if months else ""
    console.print(f"[bold]{what} of {escape(card.name)} {card.hash}[/bold] on {escape(tables.named)}")
    rows = f"{plural(learned.rows.height, 'account-month')}{span}"
    console.print(f"Learned from: {rows}; outcomes known until {rules.known_until}", markup=False)
    left = f"{plural(learned.evidence.events, 'customer')} left within {rules.labels.horizon_days} days of such a month"
    if learned.left_without_trend:
        left += f"; {learned.left_without_trend:,} more after months alone whose risk has no trend yet"
    console.print(left, markup=False)
    aside = {
        "not over yet": learned.open_rows,
        "Not Rated": learned.not_rated,
        "of the first three months, whose risk has no trend yet": learned.without_trend,
        "measured long after their month": learned.rebuilt,
    }
    named = ", ".join(f"{count:,} {why}" for why, count in aside.items() if count)
    if named:
        console.print(f"Left out: {named}", markup=False)


def show_notes(learned: "Training", tables: "ProofTables", console: Console) -> None:
    """Print what can't be used of the tables, and what their reading had to say."""
    console.print()
    of_months = [each for each in learned.report.findings if each.what != "renewals_without_month"]
    findings = [named(each.text, each.accounts, each.count) for each in of_months]
    summary.marked(console, "!", "yellow", [*findings, *tables.notes])


# --- where one is offered ----------------------------------------------------------------------------------------


def _offered(learned: "Training", found: Calibration, console: Console, *, expired: bool) -> None:
    quality = learned.foretold
    if quality is not None and found.kind == "account":
        where = (
            "for customers of the same months that it wasn't fitted on: it isn't shown that it lasts"
            if learned.rules.cross_section
            else "in months that it wasn't fitted on"
        )
        console.print(f"\n[bold]How good it is[/bold], {where}")
        console.print(_figures(found, quality))
        console.print()
        console.print(_bins(quality, narrow=console.width < NARROW))
    if expired:
        console.print(f"\n[bold]It has expired[/bold], on {found.expires_on}: a year after the last month learned from")
        console.print("No run uses it. What `score` adds to rows as of days before that:", markup=False)
    else:
        console.print(f"\n[bold]What the next `accountpulse run` adds[/bold], until {found.expires_on}")
    if found.kind == "account":
        console.print(f"{', '.join(PROBABILITIES)}: in percent, beside the risk index", markup=False)
        console.print(_translated(found))
    else:
        _, *bounds = PROBABILITIES
        console.print(f"{' and '.join(bounds)}: the range of the band that the risk is in", markup=False)
        console.print(f"{PROBABILITY} stays empty: too little is known for each customer", markup=False)
        console.print(_bands(found))
        summary.marked(console, "·", "cyan", (*refusals(learned), *across(learned)))
    console.print("A calibration counts for this scorecard alone: change that, and calibrate again.", markup=False)


def _figures(found: Calibration, quality: "ProbabilityQuality") -> Table:
    table = _table("", "", "")
    table.add_row("Brier skill", _interval(quality.skill, 3), "above 0: better than one share for all")
    table.add_row("Slope", _interval(quality.slope_interval), "1: true; below: too sure; above: too cautious")
    table.add_row("Calibration error", f"{100 * quality.ece:.1f} %", "mean distance of what was said and what happened")
    table.add_row("Share that leaves", f"{100 * found.base_rate:.1f} %", "of all account-months")
    return table


def _bins(quality: "ProbabilityQuality", *, narrow: bool) -> Table:
    table = _table("Said", "Left", "95 %", *(("Customers",) if narrow else ("Account-months", "Customers")))
    for each in quality.bins:
        bounds = f"{100 * each.share.lower:.0f}–{100 * each.share.upper:.0f} %"
        counts = (f"{each.accounts:,}",) if narrow else (f"{each.rows:,}", f"{each.accounts:,}")
        table.add_row(f"{100 * each.mean:.1f} %", f"{100 * each.share.value:.1f} %", bounds, *counts)
    return table


def _translated(found: Calibration) -> Table:
    """The probability of some indices before floors."""
    table = _table("Risk index", "Probability", "95 %")
    for index in INDICES:
        z = log(index / (100 - index))
        logit = found.intercept + found.slope * z
        of_intercept, both, of_slope = found.covariance
        error = sqrt(max(0.0, of_intercept + 2 * z * both + z * z * of_slope)) * deviations(found.level)
        low, value, high = (100 / (1 + exp(-part)) for part in (logit - error, logit, logit + error))
        table.add_row(f"{index:.0f}", f"{value:.1f} %", f"{low:.1f}–{high:.1f} %")
    return table


def _bands(found: Calibration) -> Table:
    table = _table("Risk", "from", "Probability")
    for band in found.bands:
        table.add_row(band.name, f"{band.from_risk:.0f}", f"{band.lower:.1f}–{band.upper:.1f} %")
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(titles))
    for title in titles:
        table.add_column(title, justify="left" if not any(titles) else "right", no_wrap=any(titles))
    return table


def _interval(value: "Interval | None", digits: int = 2) -> str:
    if value is None:
        return "not known"
    from accountpulse.proof.figures import bounded

    return bounded(value, digits)
