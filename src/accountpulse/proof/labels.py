"""Who left within the time that a score speaks of: a label for each renewal, and for each account and month.

A window that runs past the last day that is known about has no label (null): not having heard of a departure yet is
not the same as knowing that there was none.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from accountpulse.core.outcomes import LOST, RENEWED
from accountpulse.scoring.columns import AS_OF, RENEWAL

LOST_ON = "lost_on"
RENEWAL_ON = "renewal_on"
ROW = "row of the months"  # no metric has blanks in its name
FURTHEST_DAYS = 36_500  # a renewal further away than a century is no date


@dataclass(frozen=True)
class LabelRules:
    """How far a score looks ahead, how long before a renewal it is read, and how near two dates are one event."""

    horizon_days: int = 180
    lead_days: int = 90
    grace_days: int = 60


def renewal_rows(months: pl.DataFrame, outcomes: pl.DataFrame, rules: LabelRules, known_until: date) -> pl.DataFrame:
    """One row an account and renewal: the last of its `months` that lies at least `lead_days` before the renewal.

    Which rows there are, and how long before, must not hang on what happened afterwards: else those who left are read
    at other times of their contract than those who stayed, and what is known at such times alone tells them apart. So a
    renewal is a day that this row itself saw ahead (`as_of` + `days_to_renewal`), and nothing later makes or removes
    one: no departure, no day of renewing that nobody saw ahead (only those who stayed have such a day), no date moved
    after the row. Of days within `grace_days` the one that was read first counts.

    Only where no month of any account has a date, days on which accounts left or renewed (`outcomes`, as OUTCOMES)
    stand for renewals, of both alike: days within `grace_days` of the earliest are one, dated by it.

    The columns of `months` and `lost` (Boolean: left within ± `grace_days` of the renewal; null: the window runs past
    `known_until`, or somebody left and renewed on one day in it), `renewal_on`, `lost_on` (null: never left). Who left
    before the window, or more than `lead_days` before the renewal, never came to it: no row. `inspect` counts these
    ("left in the middle of a contract"), and renewals without a month so long before.
    """
    return Labels(months, outcomes, rules, known_until).by_renewal()


def month_rows(months: pl.DataFrame, outcomes: pl.DataFrame, rules: LabelRules, known_until: date) -> pl.DataFrame:
    """One row an account and month in which it was a customer: those on or after its departure are left out.

    The columns of `months` and `lost` (Boolean: left in (`as_of`, `as_of` + `horizon_days`]; null: that runs past
    `known_until`, or somebody left and renewed on one day in it), `renewal_on` (that the last month which knew one
    saw ahead; null: it is over, or none did) and `lost_on` (null: never left). In the order of `months`.
    """
    return Labels(months, outcomes, rules, known_until).by_month()


class Labels:
    """Months and outcomes, held against each other once: `renewal_rows` and `month_rows` are two views of it."""

    def __init__(self, months: pl.DataFrame, outcomes: pl.DataFrame, rules: LabelRules, known_until: date) -> None:
        """As `renewal_rows` takes them."""
        self.months, self.outcomes, self.rules, self.known_until = months, outcomes, rules, known_until

    @cached_property
    def departures(self) -> pl.DataFrame:
        """`account_id`, `lost_on`: the day on which each account left; contradicted days aside.

        Of several the first after its first month: who left before must have come back to leave again. An account that
        left before its first month alone has that day, and no month that counts.
        """
        lost = self.outcomes.filter(pl.col("kind") == LOST)
        lost = lost.join(self.contradicted, on=["account_id", "happened_on"], how="anti")
        first = self.months.group_by("account_id").agg(pl.col(AS_OF).min().alias("first"))
        lost = lost.join(first, on="account_id", how="left")
        day = pl.col("happened_on")
        left_on = pl.coalesce(day.filter(day > pl.col("first")).min(), day.min())
        return lost.group_by("account_id").agg(left_on.alias(LOST_ON)).sort("account_id")

    @cached_property
    def contradicted(self) -> pl.DataFrame:
        """`account_id`, `happened_on` of days on which an account both left and renewed: what happened isn't known."""
        days = ["account_id", "happened_on"]
        lost, renewed = (self.outcomes.filter(pl.col("kind") == kind) for kind in (LOST, RENEWED))
        return lost.join(renewed, on=days, how="semi").select(days).unique().sort(days)

    @cached_property
    def dated(self) -> pl.DataFrame:
        """Every month, as `account_id`, `as_of`, `renewal_on` (seen ahead), `lost_on`, the number of its row.

        Null: no date was known, or it never left. Sorted by day, and within a day as they came.
        """
        rows = self.months.select("account_id", AS_OF, _seen_ahead(self.months).alias(RENEWAL_ON)).with_row_index(ROW)
        return rows.join(self.departures, on="account_id", how="left").sort(AS_OF, ROW)

    @cached_property
    def before(self) -> pl.DataFrame:
        """The months in which an account was still a customer."""
        return self.dated.filter(pl.col(LOST_ON).is_null() | (pl.col(AS_OF) < pl.col(LOST_ON)))

    @cached_property
    def seen(self) -> pl.DataFrame:
        """Of these the ones that saw a renewal ahead, with `next`: the account's next such month (null: none)."""
        known = self.before.filter(pl.col(RENEWAL_ON).is_not_null()).sort("account_id", AS_OF, ROW)
        same = pl.col("account_id") == pl.col("account_id").shift(-1)
        return known.with_columns(next=pl.when(same).then(pl.col(AS_OF).shift(-1)))

    @property
    def foreseen(self) -> bool:
        """Whether any month, of whatever account, knew the day of a renewal."""
        return self.dated[RENEWAL_ON].count() > 0

    @cached_property
    def renewals(self) -> pl.DataFrame:
        """`account_id`, `renewal_on`, `lost_on` and the row of the month that it is read at (null: there is none)."""
        return self._foreseen() if self.foreseen else self._told()

    def _foreseen(self) -> pl.DataFrame:
        """The renewals that the last month so long before them saw ahead; one account's lie ever later."""
        read_on = pl.col(RENEWAL_ON) - timedelta(days=self.rules.lead_days)
        read = self.seen.filter((pl.col(AS_OF) <= read_on) & (pl.col("next").is_null() | (pl.col("next") > read_on)))
        first = _one_each(read.select("account_id", RENEWAL_ON), timedelta(days=self.rules.grace_days))
        return read.join(first, on=["account_id", RENEWAL_ON], how="semi").select(
            "account_id", RENEWAL_ON, LOST_ON, ROW
        )

    def _told(self) -> pl.DataFrame:
        """The days on which accounts left or renewed, up to the first departure."""
        accounts = self.before.select("account_id", LOST_ON).unique()
        told = self.outcomes.filter(pl.col("kind").is_in([LOST, RENEWED]))
        dates = told.select("account_id", pl.col("happened_on").alias(RENEWAL_ON)).join(accounts, on="account_id")
        dates = dates.filter(pl.col(LOST_ON).is_null() | (pl.col(RENEWAL_ON) <= pl.col(LOST_ON)))
        first = _one_each(dates.select("account_id", RENEWAL_ON), timedelta(days=self.rules.grace_days))
        lead = timedelta(days=self.rules.lead_days)
        due = first.join(accounts, on="account_id").with_columns(read_on=pl.col(RENEWAL_ON) - lead).sort("read_on")
        rows = self.before.select("account_id", ROW, AS_OF)
        return due.join_asof(
            rows,
            left_on="read_on",
            right_on=AS_OF,
            by="account_id",
            check_sortedness=False,  # what is sorted as a whole is sorted within each account
        ).select("account_id", RENEWAL_ON, LOST_ON, ROW)

    @property
    def window(self) -> tuple[pl.Expr, pl.Expr]:
        """The first and the last day on which a departure belongs to `renewal_on`."""
        earlier = min(self.rules.grace_days, self.rules.lead_days)
        return pl.col(RENEWAL_ON) - timedelta(days=earlier), pl.col(RENEWAL_ON) + timedelta(days=self.rules.grace_days)

    def by_renewal(self) -> pl.DataFrame:
        """What `renewal_rows` gives."""
        read = self.renewals.drop_nulls(ROW).filter(pl.col(LOST_ON).is_null() | (pl.col(LOST_ON) >= self.window[0]))
        return self._attached(self._with_label(read, self.window).sort("account_id", RENEWAL_ON))

    def by_month(self) -> pl.DataFrame:
        """What `month_rows` gives."""
        known = pl.col(RENEWAL_ON).forward_fill().over("account_id")
        rows = self.before.with_columns(known).with_columns(
            pl.when(pl.col(RENEWAL_ON) >= pl.col(AS_OF)).then(pl.col(RENEWAL_ON))
        )
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


def _seen_ahead(months: pl.DataFrame) -> pl.Expr:
    """The day of the renewal that a month knew of."""
    if RENEWAL not in months.columns:
        return pl.lit(None, pl.Date)
    days = pl.col(RENEWAL).cast(pl.Float64)
    whole = pl.when(days.abs() <= FURTHEST_DAYS).then(days.floor())  # not a number is none either
    return pl.col(AS_OF) + pl.duration(days=whole.cast(pl.Int64))


def _one_each(dates: pl.DataFrame, grace: timedelta) -> pl.DataFrame:
    """Of each account the earliest day, then the earliest that lies more than `grace` later, and so on."""
    found = [dates.clear()]
    left = dates
    while not left.is_empty():
        first = left.group_by("account_id").agg(pl.col(RENEWAL_ON).min().alias("first"))
        found.append(first.rename({"first": RENEWAL_ON}))
        left = left.join(first, on="account_id").filter(pl.col(RENEWAL_ON) > pl.col("first") + grace).drop("first")
    return pl.concat(found).sort("account_id", RENEWAL_ON)
