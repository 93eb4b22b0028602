"""Who left within the time that a score speaks of: a label for each renewal, and for each account and month.

A window that runs past the last day that is known about has no label (null): not having heard of a departure yet is
not the same as knowing that there was none.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

import polars as pl

from accountpulse.scoring.columns import AS_OF, RENEWAL

LOST, RENEWED = "lost", "renewed"  # kinds of OUTCOMES that say how a renewal went
LOST_ON = "lost_on"
RENEWAL_ON = "renewal_on"
ROW = "row of the months"  # no metric has blanks in its name
SAME_RENEWAL_DAYS = 180  # a renewal that is moved by at most so much is still that one; by more, it was signed early
FURTHEST_DAYS = 36_500  # a renewal further away than a century is no date


@dataclass(frozen=True)
class LabelRules:
    """How far a score looks ahead, how long before a renewal it is read, and how near two dates are one event."""

    horizon_days: int = 180
    lead_days: int = 90
    grace_days: int = 60


def renewal_rows(months: pl.DataFrame, outcomes: pl.DataFrame, rules: LabelRules, known_until: date) -> pl.DataFrame:
    """One row an account and renewal: the last of its `months` that lies at least `lead_days` before the renewal.

    Renewals are the days on which an account left or renewed (`outcomes`, as OUTCOMES) and those that its months saw
    ahead (`as_of` + `days_to_renewal`, where that column is there); days within `grace_days` of the earliest one are
    one renewal, dated by it. A day that a later month had moved, before it came, by at most 180 days is no renewal;
    nor is one after the account had left.

    The columns of `months` and `lost` (Boolean: left within ± `grace_days` of the renewal; null: the window runs past
    `known_until`, or somebody left and renewed on one day in it), `renewal_on`, `lost_on` (null: never left). Renewals
    without a month so long before have no row; `inspect` counts them.
    """
    return Labels(months, outcomes, rules, known_until).by_renewal()


def month_rows(months: pl.DataFrame, outcomes: pl.DataFrame, rules: LabelRules, known_until: date) -> pl.DataFrame:
    """One row an account and month in which it was a customer: those on or after its departure are left out.

    The columns of `months` and `lost` (Boolean: left in (`as_of`, `as_of` + `horizon_days`]; null: that runs past
    `known_until`, or somebody left and renewed on one day in it), `renewal_on` (the next one, as `renewal_rows` has
    it; null: none is known) and `lost_on` (null: never left). In the order of `months`.
    """
    return Labels(months, outcomes, rules, known_until).by_month()


class Labels:
    """Months and outcomes, held against each other once: `renewal_rows` and `month_rows` are two views of it."""

    def __init__(self, months: pl.DataFrame, outcomes: pl.DataFrame, rules: LabelRules, known_until: date) -> None:
        """As `renewal_rows` takes them."""
        self.months, self.outcomes, self.rules, self.known_until = months, outcomes, rules, known_until

    @cached_property
    def departures(self) -> pl.DataFrame:
        """`account_id`, `lost_on`: the first day on which each account left; contradicted days aside."""
        lost = self.outcomes.filter(pl.col("kind") == LOST)
        lost = lost.join(self.contradicted, on=["account_id", "happened_on"], how="anti")
        return lost.group_by("account_id").agg(pl.col("happened_on").min().alias(LOST_ON)).sort("account_id")

    @cached_property
    def contradicted(self) -> pl.DataFrame:
        """`account_id`, `happened_on` of days on which an account both left and renewed: what happened isn't known."""
        days = ["account_id", "happened_on"]
        lost, renewed = (self.outcomes.filter(pl.col("kind") == kind) for kind in (LOST, RENEWED))
        return lost.join(renewed, on=days, how="semi").select(days).unique().sort(days)

    @cached_property
    def dated(self) -> pl.DataFrame:
        """Every month, as `account_id`, `as_of`, `lost_on` (null: never left), the number of its row.

        With `days_to_renewal`, where `months` has it. Sorted by day, and within a day as they came.
        """
        names = [name for name in ("account_id", AS_OF, RENEWAL) if name in self.months.columns]
        rows = self.months.select(names).with_row_index(ROW)
        return rows.join(self.departures, on="account_id", how="left").sort(AS_OF, ROW)

    @cached_property
    def before(self) -> pl.DataFrame:
        """The months in which an account was still a customer."""
        return self.dated.filter(pl.col(LOST_ON).is_null() | (pl.col(AS_OF) < pl.col(LOST_ON)))

    @cached_property
    def renewals(self) -> pl.DataFrame:
        """`account_id`, `renewal_on`: each renewal of an account that has a month before it left."""
        accounts = self.before.select("account_id", LOST_ON).unique()
        told = self.outcomes.filter(pl.col("kind").is_in([LOST, RENEWED])).select("account_id", on="happened_on")
        dates = pl.concat([told, _seen(self.before, self.rules.grace_days)]).unique().join(accounts, on="account_id")
        dates = dates.filter(pl.col(LOST_ON).is_null() | (pl.col("on") <= pl.col(LOST_ON)))
        return _one_each(dates.select("account_id", "on"), timedelta(days=self.rules.grace_days))

    @cached_property
    def read_before(self) -> pl.DataFrame:
        """Each renewal with the row of the month at which it is read; null: there is none."""
        lead = timedelta(days=self.rules.lead_days)
        renewals = self.renewals.with_columns(read_on=pl.col(RENEWAL_ON) - lead).sort("read_on")
        return _nearest(renewals, self.before.select("account_id", ROW, LOST_ON, AS_OF), ("read_on", AS_OF), "backward")

    def by_renewal(self) -> pl.DataFrame:
        """What `renewal_rows` gives."""
        grace = timedelta(days=self.rules.grace_days)
        window = pl.col(RENEWAL_ON) - grace, pl.col(RENEWAL_ON) + grace
        rows = self._with_label(self.read_before.drop_nulls(ROW), window)
        return self._attached(rows.sort("account_id", RENEWAL_ON))

    def by_month(self) -> pl.DataFrame:
        """What `month_rows` gives."""
        before = self.before.select("account_id", ROW, LOST_ON, AS_OF)
        rows = _nearest(before, self.renewals.sort(RENEWAL_ON), (AS_OF, RENEWAL_ON), "forward")
        window = pl.col(AS_OF) + timedelta(days=1), pl.col(AS_OF) + timedelta(days=self.rules.horizon_days)
        return self._attached(self._with_label(rows, window).sort(ROW))

    def _with_label(self, rows: pl.DataFrame, window: tuple[pl.Expr, pl.Expr]) -> pl.DataFrame:
        """The rows with `lost`: whether `lost_on` lies in the window, both days included."""
        first, last = window
        left = pl.col(LOST_ON).is_between(first, last).fill_null(value=False)
        rows = rows.with_columns(pl.when(last <= self.known_until).then(left).alias(LOST))
        if self.contradicted.is_empty():
            return rows
        rows = rows.with_columns(first=first, last=last).with_row_index("place")
        inside = rows.join(self.contradicted, on="account_id").filter(pl.col("happened_on").is_between("first", "last"))
        known = ~pl.col("place").is_in(inside["place"].implode())
        return rows.with_columns(pl.when(known).then(pl.col(LOST)).alias(LOST))

    def _attached(self, labels: pl.DataFrame) -> pl.DataFrame:
        """The rows of the months that have a label, in the order of the labels, with these."""
        everyone = labels.height == self.months.height and labels[ROW].is_sorted()
        rows = self.months if everyone else self.months[labels[ROW]]
        return rows.hstack(labels.select(LOST, RENEWAL_ON, LOST_ON))


def _nearest(
    rows: pl.DataFrame, others: pl.DataFrame, on: tuple[str, str], strategy: Literal["backward", "forward"]
) -> pl.DataFrame:
    """Each row with the last of `others` on or before its day, or the first on or after it; both sorted by day."""
    left, right = on
    return rows.join_asof(
        others,
        left_on=left,
        right_on=right,
        by="account_id",
        strategy=strategy,
        coalesce=False,
        check_sortedness=False,  # what is sorted as a whole is sorted within each account
    )


def _seen(before: pl.DataFrame, grace_days: int) -> pl.DataFrame:
    """`account_id`, `on`: the renewals that the months saw ahead, without those that were moved before they came."""
    if RENEWAL not in before.columns:
        return pl.DataFrame(schema={"account_id": pl.String, "on": pl.Date})
    days = pl.col(RENEWAL).cast(pl.Float64)
    seen = before.select("account_id", AS_OF, days=pl.when(days.abs() <= FURTHEST_DAYS).then(days.floor()))
    seen = seen.drop_nulls("days").sort("account_id", AS_OF)
    seen = seen.with_columns(on=pl.col(AS_OF) + pl.duration(days=pl.col("days").cast(pl.Int64)))
    same = pl.col("account_id") == pl.col("account_id").shift(-1)
    later_on, later_as_of = (pl.when(same).then(pl.col(name).shift(-1)) for name in ("on", AS_OF))
    by = (later_on - pl.col("on")).dt.total_days()
    moved = (later_as_of <= pl.col("on")) & ((by < -grace_days) | by.is_between(grace_days + 1, SAME_RENEWAL_DAYS))
    return seen.filter(~moved.fill_null(value=False)).select("account_id", "on").unique()


def _one_each(dates: pl.DataFrame, grace: timedelta) -> pl.DataFrame:
    """Of each account the earliest day, then the earliest that lies more than `grace` later, and so on."""
    found = [pl.DataFrame(schema={"account_id": pl.String, RENEWAL_ON: pl.Date})]
    left = dates
    while not left.is_empty():
        first = left.group_by("account_id").agg(pl.col("on").min().alias(RENEWAL_ON))
        found.append(first)
        left = left.join(first, on="account_id").filter(pl.col("on") > pl.col(RENEWAL_ON) + grace).drop(RENEWAL_ON)
    return pl.concat(found).sort("account_id", RENEWAL_ON)
