"""What a backtest says in words, and what it does not prove."""

from collections.abc import Iterator, Sequence

import polars as pl

from accountpulse.proof.cases import IN_TIME
from accountpulse.proof.document import PartAlone, Sample
from accountpulse.proof.intervals import Interval, wilson
from accountpulse.proof.label_report import LabelReport
from accountpulse.proof.labels import LabelRules
from accountpulse.proof.probability import ProbabilityQuality
from accountpulse.scoring.columns import TIER
from accountpulse.scoring.model import NOT_RATED

LEAK_AUC = 0.95  # a single metric that ranks better than that has seen the outcome, until shown otherwise
MISSING_TELLS = 0.6  # AUC of "this metric is missing" from which on the missing itself tells who left


def percent(share: float) -> str:
    """`59 %`; one decimal below 10."""
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1f} %"


def in_percent(share: Interval) -> str:
    """`59 %, 46–71 %`."""
    digits = 0 if share.value >= 0.1 or share.value == 0 else 1
    low, high = (f"{100 * bound:.{digits}f}" for bound in (share.lower, share.upper))
    return f"{percent(share.value)}, {low}–{high} %"


def in_hundredths(value: Interval) -> str:
    """`0.78, 0.71–0.84`."""
    return f"{value.value:.2f}, {value.lower:.2f}–{value.upper:.2f}"


def counted(count: int, word: str) -> str:
    """`1 customer`, `61 customers`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def either(names: Sequence[str]) -> str:
    """`At Risk or Critical`."""
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


# --- what was seen ---------------------------------------------------------------------------------------------


def sentences(
    sample: Sample, read: pl.DataFrame, tiers: tuple[Sequence[str], Sequence[str]], rules: LabelRules
) -> Iterator[str]:
    """The result in a few sentences; `read` is `cases.departed`, `tiers` are the green ones and those below."""
    green, below = tiers
    yield from _warned(read, below, rules, shares=any(group.share is not None for group in sample.by_tier))
    yield from _kept_green(sample, green, rules)
    ranking = sample.ranking
    if ranking is None:
        return
    if ranking.auc is not None:
        yield (
            f"Of one customer that left and one that stayed, the one that left had the higher churn risk in "
            f"{100 * ranking.auc.value:.0f} of 100 such pairs (AUC {in_hundredths(ranking.auc)}; 50 is chance)."
        )
    if ranking.top is not None:
        yield (
            f"The riskiest tenth held {percent(ranking.top.share)} of what was lost, {ranking.top.lift:.1f} times "
            "as much as a tenth drawn at random."
        )
    if ranking.capacity is not None:
        yield (
            f"A team that looks after as many of the riskiest accounts of each month as it can would have had "
            f"{percent(ranking.capacity.share)} of what was lost on its list, {ranking.capacity.lift:.1f} times chance."
        )


def _warned(read: pl.DataFrame, below: Sequence[str], rules: LabelRules, *, shares: bool) -> Iterator[str]:
    """`Of 61 customers who left, 36 were At Risk or Critical 90 days before (59 %, 46–71 %)`."""
    if read.is_empty() or not below:
        return
    warned, unrated = (read.filter(pl.col(TIER).is_in(names)).height for names in (list(below), [NOT_RATED]))
    share = f" ({in_percent(wilson(warned / read.height, read.height))})" if shares else ""
    late = read.height - int(read[IN_TIME].sum())
    when = f"{rules.lead_days} days before" if late < read.height else "when they were last scored"
    more = f"; {unrated:,} {'was' if unrated == 1 else 'were'} {NOT_RATED}" if unrated else ""
    more += f"; {late:,} had no score so early, and count by a later one" if 0 < late < read.height else ""
    yield (
        f"Of {counted(read.height, 'customer')} who left, {warned:,} {'was' if warned == 1 else 'were'} "
        f"{either(below)} {when}{share}{more}."
    )


def _kept_green(sample: Sample, green: Sequence[str], rules: LabelRules) -> Iterator[str]:
    """How many left all the same that were green, and the share that left of each tier."""
    groups = [group for group in sample.by_tier if group.group in green]
    rows, lost = sum(group.rows for group in groups), sum(group.lost for group in groups)
    if rows and sample.kind == "renewals":
        when = f"were {either(green)} {rules.lead_days} days before"
        yield f"Of {counted(rows, 'renewal')} whose customers {when}, {lost:,} {'was' if lost == 1 else 'were'} lost."
    shares = [f"{group.group} {in_percent(group.share)}" for group in sample.by_tier if group.share is not None]
    if shares:
        what = "Renewals lost" if sample.kind == "renewals" else f"Left within {rules.horizon_days} days"
        yield f"{what}, by tier: {'; '.join(shares)}."


def about_parts(parts: Sequence[PartAlone]) -> Iterator[str]:
    """Metrics and dimensions that point the wrong way, each with its weight."""
    for part in parts:
        if part.verdict == "wrong way" and part.auc is not None and part.kind != "score":
            weight = "" if part.weight is None else f", with {percent(part.weight)} of the weight"
            yield (
                f"{part.label} points the wrong way{weight}: customers whom it calls worse left less often "
                f"(AUC {in_hundredths(part.auc)})."
            )


def about_probability(said: ProbabilityQuality | None) -> Iterator[str]:
    """How true the probabilities were that were said of account-months; nothing where there were none."""
    if said is None:
        return
    rows = sum(each.rows for each in said.bins)
    figures = [
        f"Brier skill {signed_hundredths(said.skill)}, above 0 is better than one share for all" if said.skill else "",
        f"slope {said.slope:.2f}, 1 is true and below 1 too sure" if said.slope is not None else "",
        f"{100 * said.ece:.1f} % off on average",
    ]
    yield (
        f"The probabilities in {counted(rows, 'account-month')} that they weren't fitted on: "
        f"{'; '.join(figure for figure in figures if figure)}."
    )


def signed_hundredths(interval: Interval) -> str:
    """`0.08, 0.04 to 0.12`, each of which may lie below 0."""
    return f"{interval.value:.2f}, {interval.lower:.2f} to {interval.upper:.2f}".replace("-", "−")


def maybe_the_wrong_way(parts: Sequence[PartAlone]) -> Iterator[str]:
    """Metrics with a weight whose own interval says that they point the wrong way; among so many it may be chance.

    None where no part at all tells who leaves.
    """
    if not any(part.verdict in {"right way", "wrong way"} for part in parts if part.kind != "score"):
        return
    for part in parts:
        if (
            part.kind == "metric"
            and part.weight
            and part.verdict == "no evidence"
            and part.auc
            and part.auc.upper < 0.5
        ):
            yield (
                f"{part.label}, with {percent(part.weight)} of the weight, may point the wrong way (AUC "
                f"{in_hundredths(part.auc)}); among so many metrics one may seem to by chance. Look at its anchors."
            )


def difference(found: Interval | None, name: str) -> str:
    """Whether another scorecard ranks better, worse, or can't be told from the first."""
    if found is None:
        return f"Too few customers left to compare the ranking of {name} with this one's."
    if found.value == found.lower == found.upper == 0.0:
        return f"{name} puts all customers in the same order: the AUC is the same."
    way = f"AUC {found.value:+.3f}, {found.lower:+.3f} to {found.upper:+.3f}".replace("-", "−")
    if found.lower > 0:
        return f"{name} ranks better ({way})."
    if found.upper < 0:
        return f"{name} ranks worse ({way})."
    return f"{name} can't be told from this scorecard by who left ({way})."


# --- what is not proven ----------------------------------------------------------------------------------------


def not_proven(
    samples: tuple[Sample, Sample], main: Sample, report: LabelReport, parts: Sequence[PartAlone], rules: LabelRules
) -> Iterator[str]:
    """What these figures don't say; `samples` are the renewals and the account-months."""
    renewals, months = samples
    if main.kind == "months":
        yield _why_not_renewals(renewals, report)
    else:
        yield from _beside_renewals(report, rules)
    yield from _open(renewals, months, rules)
    if report.departures:
        share = report.without_month / report.departures
        if report.without_month:
            yield (
                f"{counted(report.without_month, 'customer')} of {report.departures:,} who left ({percent(share)}) "
                "had no month here before that: of these the score said nothing, right or wrong."
            )
    if main.not_rated:
        yield (
            f"{main.not_rated:,} of {main.rows:,} rows were {NOT_RATED} and stand in no ranking; what became of them "
            "is in the tiers' table."
        )
    yield from _about_evidence(parts)
    if months.probability is None:
        yield (
            "The churn risk is an index. Nothing here says that of 100 customers with a risk of 30, 30 leave: "
            "that is what `accountpulse calibrate` is for."
        )
    yield (
        "Who was warned of and then saved by the team looks like a false alarm here. No backtest can tell these from "
        "customers that were never in danger."
    )


def _beside_renewals(report: LabelReport, rules: LabelRules) -> Iterator[str]:
    """Who stands in no renewal, and what renewals are where nobody saw them ahead."""
    if not report.foreseen:
        yield (
            "No month knew the day of a renewal ahead: renewals are the days on which customers renewed or left, so "
            "that who left in the middle of a contract counts as a renewal that was lost."
        )
    if report.mid_contract:
        yield (
            f"{report.mid_contract:,} of {counted(report.departures, 'customer')} who left did so in the middle of a "
            f"contract, more than {rules.grace_days} days from any renewal that a month saw ahead. They are in no "
            "renewal here, only among the account-months and, if they were green, the false greens."
        )
    if report.never_dated:
        yield (
            f"Of {report.never_dated:,} of {counted(report.accounts, 'customer')} no month knew a renewal ahead: they "
            "are in no renewal here, only among the account-months."
        )


def _why_not_renewals(renewals: Sample, report: LabelReport) -> str:
    if 2 * report.never_dated > report.accounts:
        return (
            f"Of {report.never_dated:,} of {counted(report.accounts, 'customer')} no month knew a renewal ahead: those "
            "of the rest can't stand for all, and the figures are of account-months."
        )
    if not renewals.stayed:
        return (
            "No renewal that was kept is known (no outcome `renewed`, no `days_to_renewal`), or none is over yet: all "
            "figures are of account-months, and how the score stood before renewals is not shown."
        )
    return "Too few renewals are known, lost or kept: the figures are of account-months."


def _open(renewals: Sample, months: Sample, rules: LabelRules) -> Iterator[str]:
    if months.censored:
        yield (
            f"{counted(months.censored, 'account-month')} and {counted(renewals.censored, 'renewal')} are not over yet "
            f"({rules.horizon_days} days, or {rules.grace_days} after the renewal, run past the last day that is "
            "known about); they count as neither left nor stayed."
        )


def of_reconstructed(later: Sample) -> str:
    """Why some months stand apart."""
    return (
        f"{counted(later.rows + later.censored, 'account-month')} were measured long after they were over: they may "
        "know what came, and stand apart from all other figures."
    )


def _about_evidence(parts: Sequence[PartAlone]) -> Iterator[str]:
    judged = [
        part for part in parts if part.kind != "score" and part.verdict in {"right way", "wrong way", "no evidence"}
    ]
    if len(judged) > 1:
        yield (
            f"{len(judged):,} dimensions and metrics were judged, each alone. “Right way” and “wrong way” are said so "
            "that of 100 named 5 are named by chance (Benjamini and Hochberg 1995): an interval that is shown, at "
            "95 %, may lie wholly on one side of 0.50 and still be no evidence."
        )
    metrics = [part for part in parts if part.kind == "metric" and part.weight]
    silent = [part for part in metrics if part.verdict == "no evidence"]
    rare = [part.label for part in metrics if part.verdict == "too rarely known"]
    if silent:
        yield f"No evidence in either direction, alone: {', '.join(part.label for part in silent)}."
    yield from maybe_the_wrong_way(parts)
    if rare:
        yield f"Too rarely known to be judged: {', '.join(rare)}."
    for part in parts:
        if part.kind == "metric" and part.auc is not None and part.auc.value > LEAK_AUC:
            yield (
                f"{part.label} alone ranks at {part.auc.value:.2f}: so good that it may have been written after the "
                "customer left. Look at when it is filled before any figure here is believed."
            )
        if part.kind == "metric" and _tells(part.missing_auc):
            yield _missing(part)


def _tells(missing: Interval | None) -> bool:
    """Whether a missing value is far more common among those who left, or among those who stayed."""
    if missing is None or missing.lower <= 0.5 <= missing.upper:
        return False
    return max(missing.value, 1 - missing.value) >= MISSING_TELLS


def _missing(part: PartAlone) -> str:
    lost, stayed = (percent(share or 0.0) for share in (part.known_lost, part.known_stayed))
    return (
        f"{part.label} is known for {lost} of those who left and {stayed} of those who stayed: whether it is missing "
        "tells who left. Look at whether it disappears after the fact."
    )
