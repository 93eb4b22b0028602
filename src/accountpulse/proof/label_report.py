"""What can't be used of outcomes and months, or only in part: counted, with the accounts, nothing guessed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from accountpulse.proof.labels import (
    AS_OF,
    LOST,
    LOST_ON,
    LabelRules,
    contradicted,
    departures_of,
    months_before_leaving,
    renewals_without_month,
)

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

    `departures` are the accounts that left after the first month and by the last day that is known about;
    `without_month` are those of them that have no month before they left, so that no score could have foretold it.
    """

    accounts: int
    months: int
    outcomes: int
    departures: int
    without_month: int
    before_first_month: int
    findings: tuple[LabelFinding, ...]


def inspect(months: pl.DataFrame, outcomes: pl.DataFrame, rules: LabelRules, known_until: date) -> LabelReport:
    """How far `outcomes` (OUTCOMES) and `months` go together; either may be empty.

    One finding for each of: `duplicate`, `contradiction`, `unknown_account`, `before_first_month`, `left_again`,
    `without_month`, `months_after_leaving`, `renewals_without_month`, `not_yet_known`, `doubtful`; none of what isn't
    there.
    """
    departures = departures_of(outcomes)
    first = pl.lit(months[AS_OF].min(), pl.Date)  # null without months: then nothing lies after it
    within = departures.filter((pl.col(LOST_ON) > first) & (pl.col(LOST_ON) <= known_until))
    scored = months_before_leaving(months, departures).select("account_id", LOST_ON).unique()
    unscored = within.join(scored, on="account_id", how="anti")
    early = departures.filter(pl.col(LOST_ON) <= first)
    found = [
        *_of_outcomes(outcomes, months, known_until),
        *_found(
            "before_first_month", early, "left before the first month here; nothing foretold it, and no row counts it"
        ),
        *_found("without_month", unscored, "left, and no month before that is here; no score could have foretold it"),
        *_after_leaving(months, departures),
        *_found(
            "renewals_without_month",
            renewals_without_month(months, outcomes, rules),
            f"renewed or left with no month that lies {rules.lead_days} days before; the renewal is in no row",
        ),
    ]
    return LabelReport(
        accounts=months["account_id"].n_unique(),
        months=months.height,
        outcomes=outcomes.height,
        departures=within.height,
        without_month=unscored.height,
        before_first_month=early.height,
        findings=tuple(found),
    )


def _of_outcomes(outcomes: pl.DataFrame, months: pl.DataFrame, known_until: date) -> Iterator[LabelFinding]:
    """What can be seen in the outcomes alone, and which accounts the months don't know."""
    key = ["account_id", "happened_on", "kind"]
    again = outcomes.filter(pl.struct(key).is_duplicated()).unique(key)
    yield from _found("duplicate", again, "one outcome given more than once for one day; it counts once")
    yield from _found(
        "contradiction",
        contradicted(outcomes),
        "both left and renewed on one day; what happened is not known, and windows with that day have no label",
    )
    strangers = outcomes.join(months.select("account_id").unique(), on="account_id", how="anti")
    yield from _found("unknown_account", strangers, "an outcome, but no month here")
    lost = outcomes.filter(pl.col("kind") == LOST).unique(key)
    several = lost.filter(pl.col("account_id").is_duplicated())
    yield from _found("left_again", several, "left more than once; the first day counts, and later months are left out")
    late = outcomes.filter(pl.col("happened_on") > known_until)
    yield from _found("not_yet_known", late, f"an outcome dated after {known_until}, the last day that counts")
    if "doubt" in outcomes.columns:
        doubtful = outcomes.filter(pl.col("doubt").is_not_null() & (pl.col("kind") == LOST))
        yield from _found("doubtful", doubtful, "left by a record that is doubtful; it counts all the same")


def _after_leaving(months: pl.DataFrame, departures: pl.DataFrame) -> Iterator[LabelFinding]:
    after = (
        months.select("account_id", AS_OF).join(departures, on="account_id").filter(pl.col(AS_OF) >= pl.col(LOST_ON))
    )
    text = f"months on or after the day of leaving ({after.height:,}); these are left out"
    yield from _found("months_after_leaving", after, text)


def _found(what: str, rows: pl.DataFrame, text: str) -> Iterator[LabelFinding]:
    """A finding about the accounts in `rows`; none where there are none."""
    accounts = rows["account_id"].unique().sort()
    if len(accounts):
        yield LabelFinding(what, len(accounts), tuple(accounts.head(NAMED)), f"{_accounts(len(accounts))}: {text}")


def _accounts(count: int) -> str:
    return f"{count:,} account{'' if count == 1 else 's'}"
