"""What the answers about usage can be trusted for: one row a fact, numbers that agree, days that the data covers.

All of it is worked out from the rows themselves, so that it is the same whether they were just read or kept before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from accountpulse.core.ids import comparable_id
from accountpulse.core.period import STRETCH, Scope
from accountpulse.core.records import UNKNOWNS, Reason
from accountpulse.core.spooled import SpooledTable

TREND_MONTHS = 3
DAYS = ("dau", "dau_trend_pct")
MONTHS = ("mau", "mau_trend_pct", "login_frequency")
TRENDS = ("dau_trend_pct", "mau_trend_pct")
FEATURES = ("feature_breadth",)
TOLERANCE = 0.05  # by which daily and monthly users may disagree: databases estimate distinct counts of many rows
OPEN_SHARE = 4  # of an open month's days, one in so many may be missing at its end: loading takes its time

Unknown = tuple[str, str, Reason]  # a key as Looker writes it, a metric, why it stays null


@dataclass
class UsageFindings:
    """What can't be known of everybody (`gaps`), of single keys, and the lines for the reader."""

    gaps: dict[str, Reason] = field(default_factory=dict)
    unknowns: list[Unknown] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def frame(self) -> pl.DataFrame:
        """The unknowns as UNKNOWNS, each once."""
        return pl.DataFrame(sorted(set(self.unknowns)), schema=UNKNOWNS, orient="row")

    def add(self, more: "UsageFindings") -> None:
        """What else was found; of two reasons for a gap the first one stays."""
        self.gaps = {**more.gaps, **self.gaps}
        self.unknowns += more.unknowns
        self.notes += more.notes

    def gap(self, metrics: Iterable[str], reason: Reason) -> None:
        """Metrics that nobody can have; a reason that is there already stays."""
        for name in metrics:
            self.gaps.setdefault(name, reason)


def spelled_alike(keys: pl.Series) -> pl.Series:
    """The keys in the form in which two ways to write one account are equal; null stays null."""
    given = keys.drop_nulls().unique()
    return keys.replace(given, pl.Series([comparable_id(key) for key in given], dtype=pl.String))


def repeated(rows: pl.DataFrame) -> pl.Series:
    """Whether an account has another row beside this one, in whatever spelling; `rows` have a `key`."""
    return spelled_alike(rows["key"]).is_duplicated() & rows["key"].is_not_null()


# --- single accounts --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Trouble:
    """A kind of trouble that an account's month can have: `columns` mark it, `text` is for the reader."""

    mark: str
    reason: Reason
    now: tuple[str, ...]  # the metrics that it costs in the month itself
    before: tuple[str, ...]  # and in a month that the trend compares with
    text: str


_SPELLINGS = (
    "accounts with several rows for one {}, whose distinct users don't add up: {}; write each account in one way"
)
_TROUBLES = (
    _Trouble("several_days", "several_rows", DAYS, DAYS[1:], _SPELLINGS.format("day", "{}")),
    _Trouble("several_months", "several_rows", MONTHS, MONTHS[1:2], _SPELLINGS.format("month", "{}")),
    _Trouble("no_daily", "unclear", DAYS, DAYS[1:], "accounts with a row of a day without a number of users: {}"),
    _Trouble("no_monthly", "unclear", MONTHS, MONTHS[1:2], "accounts with a row of a month without users: {}"),
    _Trouble("no_sessions", "unclear", MONTHS[2:], (), "accounts with a row of a month without sessions: {}"),
    _Trouble(
        "contradicted",
        "unclear",
        (*DAYS, *MONTHS),
        TRENDS,
        "accounts whose daily and monthly users contradict each other: {}; a day can't have more users than its month, "
        "nor a month more than all of its days",
    ),
)


def judge_accounts(days: SpooledTable, months: pl.DataFrame, scope: Scope, *, compare: bool) -> UsageFindings:
    """Which accounts have rows that can't be trusted, in the four months that are measured.

    `compare`: both tables were asked for, with the same filters, and so have to agree.
    """
    found = UsageFindings()
    facts = _facts(days, months, _stretch_of(scope), compare=compare)
    first, now = scope.usage_first(TREND_MONTHS), scope.usage_first()
    facts = facts.filter((pl.col("month") >= first) & (pl.col("month") <= now))
    is_now = pl.col("month") == now
    for trouble in _TROUBLES:
        marked = facts.filter(pl.col(trouble.mark) & (is_now | bool(trouble.before)))
        if marked.is_empty():
            continue
        keys = sorted({key for keys in marked["keys"] for key in keys})
        found.notes.append(trouble.text.format(f"{marked['account'].n_unique():,}, such as {keys[0]}"))
        for now, keys in marked.select(is_now, "keys").iter_rows():
            metrics = trouble.now if now else trouble.before
            found.unknowns += [(key, metric, trouble.reason) for key in keys for metric in metrics]
    return found


def _stretch_of(scope: Scope) -> pl.Expr:
    """The first day of the month, or of a snapshot's stretch of 28 days, that each `day` lies in: called `month`."""
    if scope.snapshot is None:
        return pl.col("day").dt.month_start().alias("month")
    end = pl.lit(scope.usage_end, pl.Date)
    whole = (end - pl.col("day")).dt.total_days() - 1  # 0: the last day that is measured
    return (end - pl.duration(days=(whole // STRETCH + 1) * STRETCH)).cast(pl.Date).alias("month")


def _facts(days: SpooledTable, months: pl.DataFrame, stretch: pl.Expr, *, compare: bool) -> pl.DataFrame:
    """A row for each account and month: its keys, and what is the matter with it."""
    daily, monthly = _daily(days, stretch), _monthly(months)
    both = daily.join(monthly, on=["account", "month"], how="full", coalesce=True, suffix="_of_months")
    several = pl.col("several_days").fill_null(value=False), pl.col("several_months").fill_null(value=False)
    nulls = [pl.col(name).fill_null(value=False) for name in ("no_daily", "no_monthly", "no_sessions")]
    most, total, users = (pl.col(name).fill_null(0) for name in ("most", "total", "users"))
    keys = (pl.col(name).fill_null([]) for name in ("keys", "keys_of_months"))
    apart = (most > users * (1 + TOLERANCE)) | (users > total * (1 + TOLERANCE))
    doubtful = several[0] | several[1] | nulls[0] | nulls[1]
    return both.select(
        "account",
        "month",
        pl.concat_list(keys).list.unique().alias("keys"),
        several[0],
        several[1],
        *nulls,
        (apart & ~doubtful & pl.lit(compare)).alias("contradicted"),
    )


def _daily(days: SpooledTable, stretch: pl.Expr) -> pl.DataFrame:
    """A row for each account and month: daily users added up and at most, and whether a day comes twice."""
    by_key = (
        pl.concat(_in_piece(piece.with_columns(stretch)) for piece in days.pieces())
        .group_by("key", "month")
        .agg(pl.col("rows", "days", "total").sum(), pl.col("most").max(), pl.col("no_daily").any())
    )
    by_key = by_key.with_columns(account=spelled_alike(by_key["key"]))
    by_account = by_key.group_by("account", "month").agg(
        pl.col("total").sum(),
        pl.col("most").max(),
        pl.col("no_daily").any(),
        keys=pl.col("key"),
        several_days=(pl.col("days").bitwise_count_ones() < pl.col("rows")).any(),
    )
    twice = by_account.filter(pl.col("keys").list.len() > 1)
    met = _same_days(days, stretch, twice.select("account", key="keys").explode("key").unique())
    return by_account.join(met, on=["account", "month"], how="left").with_columns(
        several_days=pl.col("several_days") | pl.col("met").fill_null(value=False)
    )


def _in_piece(rows: pl.DataFrame) -> pl.DataFrame:
    """A piece of the days by key and month, its column `month`; pieces can be added up.

    `days` is a power of two for each row's day: added up, they have as many bits as rows where no day comes twice.
    """
    users = pl.col("users")
    return rows.group_by("key", "month").agg(
        rows=pl.len(),
        days=pl.lit(2, pl.Int64).pow((pl.col("day") - pl.col("month")).dt.total_days()).sum(),
        total=users.sum(),
        most=users.max(),
        no_daily=(users.is_null() | (users < 0)).any(),
    )


def _same_days(days: SpooledTable, stretch: pl.Expr, spelled: pl.DataFrame) -> pl.DataFrame:
    """Whether two spellings of an account have rows of one day, by account and month."""
    if spelled.is_empty():
        return pl.DataFrame(schema={"account": pl.String, "month": pl.Date, "met": pl.Boolean})
    theirs = pl.concat(piece.join(spelled, on="key").select("account", "day") for piece in days.pieces())
    return theirs.group_by("account", stretch).agg(met=pl.col("day").is_duplicated().any())


def _monthly(months: pl.DataFrame) -> pl.DataFrame:
    rows = months.with_columns(account=spelled_alike(months["key"]))
    absent = {name: pl.col(name).is_null() | (pl.col(name) < 0) for name in ("users", "sessions")}
    return rows.group_by("account", "month").agg(
        keys=pl.col("key").unique(),
        several_months=pl.len() > 1,
        no_monthly=absent["users"].any(),
        no_sessions=absent["sessions"].any(),
        users=pl.col("users").sum(),
    )


# --- days that the data covers ----------------------------------------------------------------------------------


def judge_days(days: SpooledTable, scope: Scope, end: date, quiet_days: int) -> UsageFindings:
    """Whether the days are there at all: data that begins late is `too_new`, data with a hole `unclear`.

    `quiet_days` on end without a row of anybody are a hole: on so many days an organisation's customers don't all stay
    away. `end` is the day after the last one that is measured.
    """
    found, start = UsageFindings(), scope.usage_first()
    first = scope.usage_first(TREND_MONTHS)
    present = _days_with_users(days, first, end)
    if not present or present[-1] < start:
        found.notes.append(f"no account has a row of usage in the period: {_seems_to_stop(present)}")
        found.gap((*DAYS, *MONTHS), "unclear")
        return found
    _judge_begin(found, scope, present[0], quiet_days)
    at_end = quiet_days
    if scope.snapshot is None and not scope.is_over:
        at_end = min(quiet_days, max(1, scope.measured_days // OPEN_SHARE))
    for last, following in _silences(present, end):
        length = (following - last).days - 1
        if length < (at_end if following == end else quiet_days):
            continue
        touched = following > start
        until = f"{last + timedelta(days=1)} to {following - timedelta(days=1)}"
        found.notes.append(
            f"no account has a row of usage on {length:,} days on end ({until}): data seems to be missing. Load it and "
            "run again, or set looker.usage.quiet_days"
        )
        found.gap((*DAYS, *MONTHS) if touched else TRENDS, "unclear")
    return found


def judge_months(months: pl.DataFrame, scope: Scope) -> UsageFindings:
    """Whether the period has any row, where its days can't be looked at."""
    found = UsageFindings()
    if months.filter((pl.col("month") == scope.usage_first()) & (pl.col("users") > 0)).is_empty():
        found.notes.append("no account has a row of usage in the period. Load it and run again")
        found.gap(MONTHS, "unclear")
    return found


def _judge_begin(found: UsageFindings, scope: Scope, begins: date, quiet_days: int) -> None:
    """Where the data begins within the months that are asked for: part of a month is no month to compare with."""
    firsts = [scope.usage_first(back) for back in range(TREND_MONTHS + 1)]
    if (begins - firsts[-1]).days < quiet_days:
        return
    found.notes.append(f"usage is known since {begins}: what was before is not known, and no zero")
    if (begins - firsts[0]).days >= quiet_days:
        found.gap((*DAYS, *MONTHS), "too_new")
    elif min((begins - first).days for first in firsts if first <= begins) >= quiet_days:
        found.gap(TRENDS, "too_new")


def _days_with_users(days: SpooledTable, first: date, end: date) -> list[date]:
    asked = (pl.col("day") >= first) & (pl.col("day") < end) & (pl.col("users") > 0)
    return sorted({day for piece in days.pieces() for day in piece.filter(asked)["day"].unique()})


def _silences(present: Sequence[date], end: date) -> Iterator[tuple[date, date]]:
    """Each day with the next one that has rows, or the end."""
    return zip(present, (*present[1:], end), strict=True)


def _seems_to_stop(present: Sequence[date]) -> str:
    since = f"the data seems to stop on {present[-1]}" if present else "the explore seems to be empty"
    return f"{since}. Load it and run again"


# --- features ---------------------------------------------------------------------------------------------------


def judge_features(features: pl.DataFrame, catalogue: Sequence[str]) -> UsageFindings:
    """Whether the explore knows the catalogue: a feature that was renamed there is no feature that nobody uses."""
    found, used = UsageFindings(), set(features["feature"].drop_nulls())
    unused = [name for name in dict.fromkeys(catalogue) if name not in used]
    if len(unused) == len(set(catalogue)):
        found.notes.append("no account has used a feature of looker.features.catalogue: " + _why_none(used))
        found.gap(FEATURES, "unclear")
    elif unused:
        named = ", ".join(unused[:5]) + (f" and {len(unused) - 5} more" if len(unused) > 5 else "")
        found.notes.append(f"features of looker.features.catalogue that nobody used, if that is their name: {named}")
    return found


def _why_none(used: Iterable[str]) -> str:
    names = sorted(used)[:3]
    return f"in Looker they are called {', '.join(names)}" if names else "the explore has no row in the period"


def unknown_of(keys: Iterable[str], metrics: Iterable[str], reason: Reason) -> list[Unknown]:
    """An unknown for each of the keys and each of the metrics."""
    named = tuple(metrics)
    return [(key, metric, reason) for key in keys for metric in named]
