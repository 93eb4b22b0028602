"""What a backtest says in words, and what it does not prove."""

from collections.abc import Iterator, Sequence

import polars as pl

from accountpulse.proof.cases import IN_TIME
from accountpulse.proof.document import PartAlone, Sample, SampleKind
from accountpulse.proof.figures import bounded, counted, either, in_hundredths, in_percent, percent, were
from accountpulse.proof.intervals import Interval, wilson
from accountpulse.proof.label_report import LabelReport
from accountpulse.proof.labels import LabelRules
from accountpulse.proof.probability import ProbabilityQuality
from accountpulse.scoring.columns import TIER
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard

LEAK_AUC = 0.95  # a single metric that ranks better than that has seen the outcome, until shown otherwise
MISSING_TELLS = 0.6  # AUC of "this metric is missing" from which on the missing itself tells who left


# --- what was seen ---------------------------------------------------------------------------------------------


def sentences(
    sample: Sample,
    read: pl.DataFrame,
    tiers: tuple[Sequence[str], Sequence[str]],
    report: LabelReport,
    rules: LabelRules,
) -> Iterator[str]:
    """The result in a few sentences; `read` is `cases.departed`, `tiers` are the green ones and those below."""
    green, below = tiers
    ranking = sample.ranking
    known = ranking.auc if ranking is not None else None
    if known is not None and known.lower <= 0.5:
        yield f"This score is not shown to tell who leaves from who stays: {_pairs(known)}"
    if read.is_empty():
        yield _nothing(report)
    elif below:
        shares = any(group.share is not None for group in sample.by_tier)
        yield from _warned(read, below, report, rules, shares=shares)
        yield from _usual(sample, below)
    yield from _kept_green(sample, green, rules)
    if ranking is None:
        return
    if known is not None and known.lower > 0.5:
        pairs = _pairs(known)
        yield f"{pairs[0].upper()}{pairs[1:]}"
    if ranking.top is not None:
        yield (
            f"The riskiest tenth held {percent(ranking.top.share)} of what was lost, {ranking.top.lift:.1f} times "
            "as much as a tenth drawn at random."
        )


def _pairs(auc: Interval) -> str:
    """What the AUC says, as the end of a sentence."""
    return (
        "of one customer that left and one that stayed, the one that left had the higher churn risk in "
        f"{100 * auc.value:.0f} of 100 such pairs (AUC {in_hundredths(auc)}; 0.50 is chance)."
    )


def of_capacity(months: Sample, capacity: int | None, rules: LabelRules) -> Iterator[str]:
    """What a team that looks after so many accounts of each month would have had on its list, of account-months."""
    found = months.ranking.capacity if months.ranking else None
    if months.ranking is None or found is None or capacity is None:
        return
    if found.count >= months.ranking.rows:
        yield (
            f"A team that looks after {counted(capacity, 'customer')} a month looks after all that have a churn risk: "
            "whom it takes first makes no difference."
        )
        return
    yield (
        f"A team that looks after the {capacity:,} riskiest of all customers each month would have had "
        f"{percent(found.share)} of the account-months on its list after which a customer left within "
        f"{rules.horizon_days} days, {found.lift:.1f} times chance."
    )


def _nothing(report: LabelReport) -> str:
    """Why there is nothing to say of customers who left."""
    if not report.losses:
        return (
            "Nothing can be said yet: the outcomes name nobody who left (kind `lost`). If customers did leave, add "
            "them; without them nobody is known to have stayed either."
        )
    if not report.departures:
        return "Nothing can be said yet: no customer of these months is known to have left after the first of them."
    return "Nothing can be said yet: no customer that left had a score before."


def _warned(
    read: pl.DataFrame, below: Sequence[str], report: LabelReport, rules: LabelRules, *, shares: bool
) -> Iterator[str]:
    """`Of 61 customers who left, 36 were At Risk or Critical 90 days before (59 %, 46–71 %)`.

    Who was scored only later counts apart: so near to leaving a score is redder, and nobody could have acted on it.
    """
    red, rated = pl.col(TIER).is_in(list(below)), pl.col(TIER) != NOT_RATED
    early, mute = read.filter(IN_TIME, rated), read.filter(IN_TIME, ~rated)
    late = read.filter(~pl.col(IN_TIME))
    reach = f" within {rules.lead_days + rules.horizon_days} days of a month here"
    who = f"{counted(read.height, 'customer')} who left{reach if read.height < report.departures else ''}"
    warned = early.filter(red).height
    share = f" ({in_percent(wilson(warned / early.height, early.height))})" if shares and early.height else ""
    unrated = f"; {were(mute.height)} {NOT_RATED} then" if mute.height else ""
    then = f"{were(late.filter(red).height)} {either(below)} when last scored{_unrated(late)}"
    if early.is_empty():
        yield f"Of {who}, none had a score {rules.lead_days:,} days before{unrated}."
    elif early.height == read.height:
        yield f"Of {who}, {were(warned)} {either(below)} {rules.lead_days} days before{share}."
    else:
        had = f"{early.height:,} had a score {rules.lead_days:,} days before"
        yield f"Of {who}, {had}: of these {were(warned)} {either(below)} then{share}{unrated}."
    if late.height:
        yield f"The other {late.height:,} had only a later score: of these {then}."


def _usual(sample: Sample, below: Sequence[str]) -> Iterator[str]:
    """How many of all rows were in the lower tiers: what the share of those who left is to be held against."""
    rated = [group for group in sample.by_tier if group.group != NOT_RATED]
    rows, red = sum(group.rows for group in rated), sum(group.rows for group in rated if group.group in below)
    if rows and any(group.share is not None for group in rated):
        noun = "renewals" if sample.kind == "renewals" else "account-months"
        yield f"Of all {noun} with a score, whoever left or stayed, {percent(red / rows)} were {either(below)}."


def _unrated(read: pl.DataFrame) -> str:
    unrated = read.filter(pl.col(TIER) == NOT_RATED).height
    return f"; {were(unrated)} {NOT_RATED}" if unrated else ""


def _kept_green(sample: Sample, green: Sequence[str], rules: LabelRules) -> Iterator[str]:
    """How many left all the same that were green, and the share that left of each tier."""
    groups = [group for group in sample.by_tier if group.group in green]
    rows, lost = sum(group.rows for group in groups), sum(group.lost for group in groups)
    if rows and sample.kind == "renewals":
        when = f"were {either(green)} {rules.lead_days} days before"
        yield f"Of {counted(rows, 'renewal')} whose customers {when}, {were(lost)} lost."
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
        f"Brier skill {bounded(said.skill)}, above 0 is better than one share for all" if said.skill else "",
        f"slope {said.slope:.2f}, 1 is true and below 1 too sure" if said.slope is not None else "",
        f"{100 * said.ece:.1f} % off on average",
    ]
    yield (
        f"The probabilities in {counted(rows, 'account-month')} that they weren't fitted on: "
        f"{'; '.join(figure for figure in figures if figure)}."
    )


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


def difference(found: Interval | None, card: Scorecard, rows: int, horizon_days: int) -> str:
    """Whether another scorecard ranks better, worse, or can't be told from the first, on the `rows` that both rate."""
    own = card.file.horizon_days
    unlike = f" Its own horizon is {own} days; here both look {horizon_days} days ahead." if own != horizon_days else ""
    return _difference(found, card.name, rows) + unlike


def _difference(found: Interval | None, name: str, rows: int) -> str:
    if not rows:
        return f"{name} can't be compared: it gives no churn risk to any of these rows. Are its metrics here?"
    if found is None:
        return f"Too few customers left to compare the ranking of {name} with this one's."
    if found.value == found.lower == found.upper == 0.0:
        return f"{name} puts all customers in the same order: the AUC is the same."
    way = f"AUC {bounded(found, 3, signed=True)}"
    if found.lower > 0:
        return f"{name} ranks better: {way}."
    if found.upper < 0:
        return f"{name} ranks worse: {way}."
    return f"{name} can't be told from this scorecard by who left: {way}."


# --- what is not proven ----------------------------------------------------------------------------------------


def not_proven(
    samples: tuple[Sample, Sample], main: Sample, report: LabelReport, read: int, rules: LabelRules
) -> Iterator[str]:
    """What these figures don't say; `samples` are renewals and account-months; sentences speak of `read` customers."""
    renewals, months = samples
    if main.kind == "months":
        yield _why_not_renewals(renewals, report, rules)
    else:
        yield from _beside_renewals(report, rules)
    yield from _open(renewals, months, rules)
    yield from _unseen(report, read, rules)
    if main.not_rated:
        yield (
            f"{main.not_rated:,} of {main.rows:,} rows were {NOT_RATED} and stand in no ranking; what became of them "
            "is in the tiers' table."
        )
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


def _unseen(report: LabelReport, read: int, rules: LabelRules) -> Iterator[str]:
    """Who left, and of whom the score said nothing."""
    left, unseen = report.departures + report.strangers, report.without_month
    if unseen:
        yield (
            f"{counted(unseen, 'customer')} of {left:,} who left ({percent(unseen / left)}) had no month here before "
            "that: of these the score said nothing, right or wrong."
        )
    if 0 < read < report.departures:
        yield (
            f"{report.departures - read:,} of {counted(report.departures, 'customer')} who left had no month here in "
            f"the {rules.lead_days + rules.horizon_days} days before ({rules.lead_days} days of lead and "
            f"{rules.horizon_days} of horizon): no sentence and no false green speaks of them."
        )


def _why_not_renewals(renewals: Sample, report: LabelReport, rules: LabelRules) -> str:
    if 2 * report.never_dated > report.accounts:
        return (
            f"Of {report.never_dated:,} of {counted(report.accounts, 'customer')} no month knew a renewal ahead: those "
            "of the rest can't stand for all, and the figures are of account-months."
        )
    if not renewals.rows + renewals.censored and report.unread_renewals:
        return (
            f"No renewal has a month that lies {rules.lead_days:,} days before it (--lead): all figures are of "
            "account-months."
        )
    if not renewals.rows and renewals.censored:
        return (
            f"None of {counted(renewals.censored, 'renewal')} is over yet: all figures are of account-months, and how "
            "the score stood before renewals is not shown."
        )
    if renewals.stayed and not renewals.lost:
        return "No renewal that was lost is known: the figures are of account-months."
    if not renewals.stayed:
        return (
            "No renewal that was kept is known (no outcome `renewed`, no `days_to_renewal`): all figures are of "
            "account-months, and how the score stood before renewals is not shown."
        )
    return (
        f"Customers lost at a renewal: {renewals.left:,}. That is too few: the figures are of account-months, in which "
        "more left."
    )


def _open(renewals: Sample, months: Sample, rules: LabelRules) -> Iterator[str]:
    if months.censored:
        yield (
            f"{counted(months.censored, 'account-month')} and {counted(renewals.censored, 'renewal')} are not over yet "
            f"({rules.horizon_days} days, or {rules.grace_days} after the renewal, run past the last day that is "
            "known about); they count as neither left nor stayed."
        )


def stayed(main: SampleKind, rules: LabelRules) -> str:
    """What staying is in a sample: `still there 180 days later`."""
    return "kept at the renewal" if main == "renewals" else f"still there {rules.horizon_days} days later"


def of_reconstructed(later: Sample) -> str:
    """Why some months stand apart."""
    return (
        f"{counted(later.rows + later.censored, 'account-month')} were measured long after they were over: they may "
        "know what came, and stand apart from all other figures."
    )


def only_reconstructed(later: Sample) -> str:
    """Why nothing is said of months that were all measured afterwards, and how that changes."""
    return (
        f"All {counted(later.rows + later.censored, 'account-month')} were measured long after they were over and may "
        "know what came, so that no figure of theirs is proof; they stand apart, for a look. Months count that are run "
        "within 10 days of their end: run `accountpulse run` each month from now on, and the proof begins with these."
    )


def not_shown(parts: Sequence[PartAlone]) -> Iterator[str]:
    """Of which dimensions and metrics nothing is shown, and which may have seen the outcome."""
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
