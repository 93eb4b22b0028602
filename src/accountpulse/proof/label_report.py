"""What can't be used of outcomes and months, or only in part: counted, with the accounts, nothing guessed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from accountpulse.core.outcomes import LOST, RENEWED
from accountpulse.proof.labels import FURTHEST_DAYS, LOST_ON, RENEWAL_ON, ROW, Labels
from accountpulse.proof.months import in_range
from accountpulse.scoring.columns import AS_OF, RENEWAL, RISK
from accountpulse.scoring.model import NOT_RATED

NAMED = 100  # accounts named in each finding; all are counted


@dataclass(frozen=True)
class LabelFinding:
    """One thing that is not as it should be: a code, how many, the first accounts by id, and what was done about it."""

    what: str
    count: int
    accounts: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class LabelReport:
    """What labels were made of.

    `losses` are the outcomes of kind lost. `departures` are the accounts of these months that left after the first one,
    by the last day that is known about. `strangers` left then as well, no later than the last month looks ahead, but
    are in none of these months. No score could have foretold `without_month` of both, which have no month before they
    left, and `without_score`, which have some, but never with a churn risk. `mid_contract` left away from any renewal
    that their months saw ahead. `foreseen`: whether any month saw one; `never_dated` are then the accounts of which
    none did. These two stand in the account-months alone. `unread_renewals` are accounts with a renewal that no month
    lies long enough before.
    """

    accounts: int
    months: int
    outcomes: int
    losses: int
    departures: int
    strangers: int
    without_month: int
    without_score: int
    before_first_month: int
    foreseen: bool
    mid_contract: int
    never_dated: int
    unread_renewals: int
    findings: tuple[LabelFinding, ...]


def inspect_asked(labels: Labels, source: pl.DataFrame, first: str | None, last: str | None) -> LabelReport:
    """As `inspect`, of the months from `first` to `last` alone; nothing is said of accounts that have none of these.

    `source` are all months that there are, so that whoever is in others of them is not taken for unknown.
    """
    asked = in_range(labels.months, first, last)
    if asked.height == source.height:
        return inspect(labels)
    elsewhere = _accounts_of(source).join(_accounts_of(asked), on="account_id", how="anti")
    outcomes = labels.outcomes.join(elsewhere, on="account_id", how="anti")
    report = inspect(Labels(asked, outcomes, labels.rules, labels.known_until))
    return replace(report, outcomes=labels.outcomes.height)


def inspect(labels: Labels) -> LabelReport:
    """How far outcomes and months go together; either may be empty.

    One finding for each of: `duplicate`, `contradiction`, `unknown_account`, `before_first_month`, `left_again`,
    `without_month`, `without_score`, `months_after_leaving`, `mid_contract`, `renewed_unseen`, `never_dated`,
    `renewals_without_month`, `renewal_too_far`, `not_yet_known`, `doubtful`; none of what isn't there.
    """
    months, departures = labels.months, labels.departures
    first, last = (pl.lit(day, pl.Date) for day in (months[AS_OF].min(), months[AS_OF].max()))  # null without months
    ahead = last + pl.duration(days=labels.rules.horizon_days)
    left = departures.filter((pl.col(LOST_ON) > first) & (pl.col(LOST_ON) <= labels.known_until))
    own = left.join(_accounts_of(months), on="account_id", how="semi")
    within = left.filter(pl.col(LOST_ON) <= ahead)
    unscored = within.join(_accounts_of(labels.before), on="account_id", how="anti")
    mute = _never_scored(labels, within)
    early = departures.filter(pl.col(LOST_ON) <= first)
    mid_contract, never_dated = _mid_contract(labels, within), _never_dated(labels)
    unread = _unread(labels)
    found = [
        *_of_outcomes(labels),
        *_found(
            "before_first_month",
            early,
            "left before the first month here; no score can have foretold it, and months since then don't count",
        ),
        *_found("without_month", unscored, "left, and no month before that is here; no score could have foretold it"),
        *_found("without_score", mute, f"left, and were {NOT_RATED} in every month before; no score foretold it"),
        *_after_leaving(labels.dated),
        *_of_renewals(labels, mid_contract, never_dated, unread),
    ]
    return LabelReport(
        accounts=months["account_id"].n_unique(),
        months=months.height,
        outcomes=labels.outcomes.height,
        losses=labels.outcomes.filter(pl.col("kind") == LOST).height,
        departures=own.height,
        strangers=within.join(_accounts_of(months), on="account_id", how="anti").height,
        without_month=unscored.height,
        without_score=mute.height,
        before_first_month=early.height,
        foreseen=labels.foreseen,
        mid_contract=mid_contract.height,
        never_dated=never_dated.height,
        unread_renewals=unread["account_id"].n_unique(),
        findings=tuple(found),
    )


# --- renewals --------------------------------------------------------------------------------------------------


def _of_renewals(
    labels: Labels, mid_contract: pl.DataFrame, never_dated: pl.DataFrame, unread: pl.DataFrame
) -> Iterator[LabelFinding]:
    grace = labels.rules.grace_days
    yield from _found(
        "mid_contract",
        mid_contract,
        f"left in the middle of a contract, more than {grace} days from any renewal that was seen ahead; in the "
        "account-months, but in no renewal",
    )
    yield from _found(
        "renewed_unseen",
        _renewed_unseen(labels),
        "renewed on a day that no month saw ahead; in no renewal, for those who left have no such day",
    )
    yield from _found("never_dated", never_dated, "no month saw a renewal ahead; in the account-months alone")
    what = "a renewal" if labels.foreseen else "left or renewed"
    yield from _found(
        "renewals_without_month",
        unread,
        f"{what}, but no month that lies {labels.rules.lead_days:,} days before; it is in no row of renewals",
    )
    far = pl.col(RENEWAL).cast(pl.Float64).abs() > FURTHEST_DAYS
    yield from _found(
        "renewal_too_far",
        labels.months.filter(far) if RENEWAL in labels.months.columns else unread.clear(),
        f"{RENEWAL} of more than {FURTHEST_DAYS:,} days; it counts as not known",
    )


def _came(labels: Labels) -> pl.DataFrame:
    """`account_id`, `renewal_on`, `lost_on`: days that a month saw ahead and no later one had moved before."""
    last = pl.col("next").is_null() | (pl.col("next") > pl.col(RENEWAL_ON))
    return labels.seen.filter(last).select("account_id", RENEWAL_ON, LOST_ON).unique()


def _mid_contract(labels: Labels, departures: pl.DataFrame) -> pl.DataFrame:
    """Those of the departures that lie outside the window of each renewal that the account's months saw."""
    at_one = _came(labels).filter(pl.col(LOST_ON).is_between(*labels.window))
    dated = departures.join(labels.seen.select("account_id").unique(), on="account_id", how="semi")
    return dated.join(at_one, on="account_id", how="anti")


def _never_dated(labels: Labels) -> pl.DataFrame:
    """Accounts of which no month saw a renewal, where others' months did."""
    accounts = _accounts_of(labels.before)
    return accounts.join(labels.seen, on="account_id", how="anti") if labels.foreseen else accounts.clear()


def _renewed_unseen(labels: Labels) -> pl.DataFrame:
    """Days of renewing that none of the account's months, one of them so long before, saw within the grace."""
    renewed = labels.outcomes.filter(pl.col("kind") == RENEWED).select("account_id", "happened_on")
    first = labels.seen.group_by("account_id").agg(pl.col(AS_OF).min())
    lead = pl.duration(days=labels.rules.lead_days)
    renewed = renewed.join(first, on="account_id").filter(pl.col(AS_OF) <= pl.col("happened_on") - lead)
    near = _apart("happened_on") <= labels.rules.grace_days
    seen = renewed.join(_came(labels), on="account_id").filter(near)
    return renewed.join(seen, on=["account_id", "happened_on"], how="anti")


def _unread(labels: Labels) -> pl.DataFrame:
    """Renewals that came, and that no row reads."""
    if not labels.foreseen:
        return labels.renewals.filter(pl.col(ROW).is_null())
    came = _came(labels).filter(pl.col(LOST_ON).is_null() | (pl.col(LOST_ON) >= labels.window[0]))
    read = came.join(labels.renewals.select("account_id", read=RENEWAL_ON), on="account_id")
    read = read.filter(_apart("read") <= labels.rules.grace_days)
    return came.join(read, on=["account_id", RENEWAL_ON], how="anti")


def _apart(day: str) -> pl.Expr:
    return (pl.col(day) - pl.col(RENEWAL_ON)).dt.total_days().abs()


def _never_scored(labels: Labels, departures: pl.DataFrame) -> pl.DataFrame:
    """Those of the departures that have months before, but none with a churn risk; none where scores aren't there."""
    if RISK not in labels.months.columns:
        return departures.clear()
    rated = labels.months[RISK].is_not_null()
    scored = labels.before.filter(pl.col(ROW).is_in(rated.arg_true().implode()))
    there, known = (rows.select("account_id").unique() for rows in (labels.before, scored))
    return departures.join(there, on="account_id", how="semi").join(known, on="account_id", how="anti")


# --- outcomes and months ---------------------------------------------------------------------------------------


def _of_outcomes(labels: Labels) -> Iterator[LabelFinding]:
    """What can be seen in the outcomes alone, and which accounts the months don't know."""
    outcomes, known_until = labels.outcomes, labels.known_until
    key = ["account_id", "happened_on", "kind"]
    again = outcomes.filter(pl.struct(key).is_duplicated()).unique(key)
    yield from _found("duplicate", again, "one outcome given more than once for one day; it counts once")
    yield from _found(
        "contradiction",
        labels.contradicted,
        "both left and renewed on one day; what happened is not known, and windows with that day have no label",
    )
    strangers = outcomes.join(_accounts_of(labels.months), on="account_id", how="anti")
    yield from _found("unknown_account", strangers, "an outcome, but no month here")
    lost = outcomes.filter(pl.col("kind") == LOST).unique(key)
    several = lost.filter(pl.col("account_id").is_duplicated())
    yield from _found(
        "left_again",
        several,
        "left more than once; the first day after its first month counts, and later months are left out",
    )
    late = outcomes.filter(pl.col("happened_on") > known_until)
    yield from _found(
        "not_yet_known",
        late,
        f"an outcome dated after {known_until}, the last day that counts; --known-until sets that day",
    )
    if "doubt" in outcomes.columns:
        doubtful = outcomes.filter(pl.col("doubt").is_not_null() & (pl.col("kind") == LOST))
        yield from _found("doubtful", doubtful, "left by a record that is doubtful; it counts all the same")


def _after_leaving(dated: pl.DataFrame) -> Iterator[LabelFinding]:
    after = dated.filter(pl.col(AS_OF) >= pl.col(LOST_ON))
    text = f"months on or after the day of leaving ({after.height:,}); these are left out"
    yield from _found("months_after_leaving", after, text)


def _found(what: str, rows: pl.DataFrame, text: str) -> Iterator[LabelFinding]:
    """A finding about the accounts in `rows`; none where there are none."""
    accounts = rows["account_id"].unique().sort()
    if len(accounts):
        yield LabelFinding(what, len(accounts), tuple(accounts.head(NAMED)), f"{_accounts(len(accounts))}: {text}")


def _accounts_of(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("account_id").unique()


def _accounts(count: int) -> str:
    return f"{count:,} account{'' if count == 1 else 's'}"
