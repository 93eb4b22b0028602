"""The latent process of the churn world as tables, without any system between: many accounts and months at once.

The same health and hazards as in churn.py, computed column by column. Random numbers come from a counter (SplitMix64,
Steele, Lea and Flood 2014), so that a number hangs on the seed, the account and the month alone, and a world of many
accounts begins with the same ones as a small one.
"""

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from accountpulse.sandbox.world.churn import (
    AT_RENEWAL,
    BETWEEN,
    FRAILTY,
    MEMORY,
    MONTHS,
    SHRINKING,
    WEATHER,
    shifted,
)

FOLLOW_UP = 8  # months after the last as_of in which outcomes are still known
KNOWN_UNTIL = date(2026, 9, 1)  # where the caller names no other day
INDEPENDENT = 0.02  # the monthly hazard where it depends on nothing
HORIZON = 180  # days that a leaked metric sees ahead
SHRINKS_BY = 0.25
_SEGMENTS = ("Enterprise", "Paid", "Standard", "Free")


@dataclass(frozen=True)
class Measure:
    """A metric as a line over a standard normal: `middle + slope x`, where x is `pull` health and the rest noise.

    x is high where all goes well. `log`: the line is the logarithm's. `whole`: a count. `known`: the share of rows that
    have a value.
    """

    name: str
    middle: float
    slope: float
    pull: float
    low: float = 0.0
    high: float = math.inf
    log: bool = False
    whole: bool = False
    known: float = 1.0


MEASURES = (
    Measure("total_conversations", 2.2, -0.5, 0.4, log=True, whole=True),
    Measure("p1_p2_pct", 18, -12, 0.4, high=100, known=0.9),
    Measure("escalation_pct", 8, -7, 0.5, high=100, known=0.9),
    Measure("median_first_response_seconds", 8.6, -0.8, 0.3, log=True, known=0.9),
    Measure("median_resolution_seconds", 11.8, -0.7, 0.3, log=True, known=0.9),
    Measure("csat_score", 82, 12, 0.45, high=100, known=0.6),
    Measure("csat_response_rate", 35, 12, 0.2, high=100, known=0.8),
    Measure("open_bugs", 2.5, -2.5, 0.4, whole=True),
    Measure("critical_bugs", 0.1, -0.8, 0.4, whole=True),
    Measure("reopened_bugs", 0.2, -0.9, 0.3, whole=True),
    Measure("avg_resolution_days", 2.4, -0.6, 0.3, log=True, known=0.7),
    Measure("bug_trend", 1.0, -0.4, 0.2),
    Measure("mau_trend_pct", 0, 14, 0.5, low=-100),
    Measure("dau_trend_pct", 0, 18, 0.45, low=-100),
    Measure("feature_breadth", 55, 18, 0.6, high=100),
    Measure("login_frequency", 3.0, 1.0, 0.6),
    Measure("payment_health", -0.4, -0.9, 0.3, whole=True),
    Measure("arr_trajectory_pct", 5, 12, 0.3, low=-100, known=0.85),
    Measure("qbr_attendance", 60, 30, 0.3, high=100, known=0.7),
    Measure("champion_stability", 75, 25, 0.4, high=100, known=0.9),
    Measure("expansion_signals", -0.2, 0.8, 0.3, whole=True),
    Measure("critical_signals", -0.9, -0.7, 0.5, whole=True),
    Measure("moderate_signals", -0.5, -0.8, 0.4, whole=True),
)
_ACTIVE = Measure("mau", 0.55, 0.2, 0.6, low=0.02, high=1.0)  # of the seats
NAMES = ("mau", "dau", *(each.name for each in MEASURES))


@dataclass(frozen=True)
class ChurnTables:
    """One world. `metrics` and `outcomes` are what a company would have, `hazards` is what nobody knows.

    metrics: account_id · as_of · segment · seats · arr · days_to_renewal · each metric; the months of those who were
    customers on as_of. outcomes: account_id · date · kind (lost, renewed, contraction) · arr_lost, of the days before
    `known_until`. hazards: account_id · as_of · health and hazard of the month that begins on as_of · leaves (in it).
    """

    metrics: pl.DataFrame
    outcomes: pl.DataFrame
    hazards: pl.DataFrame
    known_until: date


def churn_tables(
    seed: int,
    accounts: int,
    months: int = MONTHS,
    *,
    known_until: date = KNOWN_UNTIL,
    independent: bool = False,
    reversed_metric: str | None = None,
    leaked_metric: str | None = None,
) -> ChurnTables:
    """So many accounts over so many months. `known_until`: the first of the month until which outcomes are known.

    `independent`: the hazard is the same for all, always: the null world. `reversed_metric` points the wrong way: it
    rises where the others fall. `leaked_metric` knows nothing of health, and was filled in after the outcome: it is bad
    where the account leaves within 180 days. ValueError for a metric that isn't there.
    """
    for name in (reversed_metric, leaked_metric):
        if name is not None and name not in {each.name for each in MEASURES}:
            raise ValueError(f"the table has no metric {name!r} to turn; it has {', '.join(e.name for e in MEASURES)}")
    begin = shifted(known_until, -months - FOLLOW_UP)
    lived = _lived(seed, accounts, _calendar(begin, months + FOLLOW_UP), independent=independent)
    known = lived.filter(pl.col("month") <= months)
    key = pl.col("key")
    metrics = known.select(
        "account_id",
        "as_of",
        "segment",
        "seats",
        "arr",
        (pl.col("renewal_on") - pl.col("as_of")).dt.total_days().cast(pl.Float64).alias("days_to_renewal"),
        *_usage(seed, key),
        *(
            _value(each, seed, 100 + 4 * n, key, turned=each.name == reversed_metric, leaked=each.name == leaked_metric)
            for n, each in enumerate(MEASURES)
        ),
    )
    hazards = known.select("account_id", "as_of", "health", "hazard", "leaves")
    return ChurnTables(metrics, _outcomes(lived), hazards, known_until)


def write_tables(tables: ChurnTables, folder: Path) -> list[Path]:
    """metrics.parquet, outcomes.parquet and hazards.parquet in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = {"metrics": tables.metrics, "outcomes": tables.outcomes, "hazards": tables.hazards}
    files = [folder / f"{name}.parquet" for name in frames]
    for file, frame in zip(files, frames.values(), strict=True):
        frame.write_parquet(file)
    return files


# --- the process -----------------------------------------------------------------------------------------------


def _lived(seed: int, accounts: int, calendar: pl.DataFrame, *, independent: bool) -> pl.DataFrame:
    """A row for each month that an account began as a customer; month n begins on its n-th as_of."""
    rows = _accounts(seed, accounts).join(calendar, how="cross", maintain_order="left_right")
    rows = rows.with_columns(key=pl.col("account") * 4096 + pl.col("month"))
    rows = _with_health(seed, rows)
    due = pl.col("month_of_year") == pl.col("renewal_month")
    logistic = [1 / (1 + (-(base - pull * pl.col("health"))).exp()) for base, pull in (AT_RENEWAL, BETWEEN)]
    hazard = pl.lit(INDEPENDENT) if independent else pl.when(due).then(logistic[0]).otherwise(logistic[1])
    rows = rows.filter(pl.col("month") > 0).with_columns(
        due=due,
        hazard=hazard,
        leaves=uniform(seed, 4, pl.col("key")) < hazard,
        shrinks=uniform(seed, 5, pl.col("key")) < 1 / (1 + (-(SHRINKING[0] - SHRINKING[1] * pl.col("health"))).exp()),
        day=uniform(seed, 6, pl.col("key")),
    )
    before = pl.col("leaves").cast(pl.Int32).cum_sum().over("account") - pl.col("leaves").cast(pl.Int32)
    ahead = (pl.col("renewal_month") - pl.col("month_of_year") + 12) % 12
    place = pl.col("month_of_year") + ahead
    renewal = pl.date(pl.col("as_of").dt.year() + place // 12, place % 12 + 1, pl.col("renewal_day"))
    falls = pl.col("shrinks").cast(pl.Int32) * (~pl.col("due") & ~pl.col("leaves")).cast(pl.Int32)
    rows = rows.filter(before == 0).with_columns(renewal_on=renewal, shrinks=falls == 1)
    fallen = (falls.cum_sum() - falls).over("account")
    leaves_on = pl.when(pl.col("leaves")).then(_day_of_leaving()).max().over("account")
    return rows.with_columns(
        arr=(pl.col("arr") * (1 - SHRINKS_BY) ** fallen).round(2),
        days_left=(leaves_on - pl.col("as_of")).dt.total_days(),
    )


def _day_of_leaving() -> pl.Expr:
    """The renewal's day in its month; else any day."""
    return pl.when("due").then("renewal_on").otherwise(_some_day())


def _some_day() -> pl.Expr:
    return pl.col("as_of") + pl.duration(days=(pl.col("day") * 28).cast(pl.Int64))


def _accounts(seed: int, accounts: int) -> pl.DataFrame:
    number = pl.col("account")
    frame = pl.select(account=pl.int_range(accounts, dtype=pl.UInt64)).with_columns(
        account_id=pl.format("A{}", number.cast(pl.String).str.zfill(7)),
        frailty=_normal(seed, 0, number) * FRAILTY,
        renewal_month=(uniform(seed, 2, number) * 12).cast(pl.Int8),
        renewal_day=1 + (uniform(seed, 3, number) * 28).cast(pl.Int64),
        seats=(5 * 2 ** (uniform(seed, 7, number) * 6)).round(),
        arr=(20 * 2 ** (1 + uniform(seed, 8, number) * 7)).round() * 100,
    )
    floors = zip(_SEGMENTS, (250_000, 100_000, 25_000, 0), strict=True)
    segment = pl.coalesce(pl.when(pl.col("arr") >= floor).then(pl.lit(name)) for name, floor in floors)
    return frame.with_columns(segment=segment)


def _calendar(begin: date, months: int) -> pl.DataFrame:
    """Month 0 lies before the first as_of, and is there for the health that the first metrics show."""
    firsts = [shifted(begin, n - 1) for n in range(months + 1)]
    return pl.DataFrame(
        {
            "month": pl.Series(range(months + 1), dtype=pl.UInt64),
            "as_of": firsts,
            "month_of_year": pl.Series([first.month - 1 for first in firsts], dtype=pl.Int8),
        }
    )


def _with_health(seed: int, rows: pl.DataFrame) -> pl.DataFrame:
    """AR(1) as a weighted running sum: weather(m) = memory^m sum(noise(k) / memory^k). `felt`: a month earlier."""
    step = pl.when(pl.col("month") == 0).then(WEATHER).otherwise(WEATHER * math.sqrt(1 - MEMORY**2))
    power = MEMORY ** pl.col("month").cast(pl.Float64)
    noise = _normal(seed, 10, pl.col("key")) * step / power
    weather = noise.cum_sum().over("account") * power
    rows = rows.with_columns(health=pl.col("frailty") + weather)
    return rows.with_columns(felt=pl.col("health").shift(1).over("account"))


def _outcomes(lived: pl.DataFrame) -> pl.DataFrame:
    lost = lived.filter("leaves").select(
        "account_id", _day_of_leaving().alias("date"), kind=pl.lit("lost"), arr_lost="arr"
    )
    renewed = lived.filter(pl.col("due") & ~pl.col("leaves")).select(
        "account_id", pl.col("renewal_on").alias("date"), kind=pl.lit("renewed"), arr_lost=pl.lit(None, pl.Float64)
    )
    smaller = lived.filter("shrinks").select(
        "account_id",
        _some_day().alias("date"),
        kind=pl.lit("contraction"),
        arr_lost=(pl.col("arr") * SHRINKS_BY).round(2),
    )
    return pl.concat([lost, renewed, smaller]).sort("account_id", "date", "kind")


# --- metrics ---------------------------------------------------------------------------------------------------


def _usage(seed: int, key: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    share = _ACTIVE.middle + _ACTIVE.slope * _mixed(_ACTIVE, seed, 20, key)
    mau = (pl.col("seats") * share.clip(_ACTIVE.low, _ACTIVE.high)).round()
    daily = mau * (0.35 + 0.1 * _normal(seed, 24, key)).clip(0.05, 0.9)
    return mau.alias("mau"), daily.round(2).alias("dau")


def _value(each: Measure, seed: int, stream: int, key: pl.Expr, *, turned: bool, leaked: bool) -> pl.Expr:
    x = _mixed(each, seed, stream, key)
    if leaked:
        leaves = pl.col("days_left").is_between(1, HORIZON).fill_null(value=False)
        x = pl.when(leaves).then(-2.5).otherwise(0.0) + 0.5 * _normal(seed, stream, key)
    line = each.middle + each.slope * (-x if turned else x)
    line = (line.exp() if each.log else line).clip(each.low, each.high)
    value = line.round() if each.whole else line
    return pl.when(uniform(seed, stream + 2, key) < each.known).then(value).alias(each.name)


def _mixed(each: Measure, seed: int, stream: int, key: pl.Expr) -> pl.Expr:
    """Health of the month that ended on as_of and noise, of variance 1 together."""
    return each.pull * pl.col("felt") + math.sqrt(1 - each.pull**2) * _normal(seed, stream, key)


# --- random numbers --------------------------------------------------------------------------------------------


def _normal(seed: int, stream: int, key: pl.Expr) -> pl.Expr:
    """Box and Muller; takes two streams."""
    radius = (-2 * (1 - uniform(seed, stream, key)).log()).sqrt()
    return radius * (2 * math.pi * uniform(seed, stream + 1, key)).cos()


def uniform(seed: int, stream: int, key: pl.Expr) -> pl.Expr:
    """In [0, 1), of 53 bits; integers of 64 bits wrap around."""
    begin = (seed * 1_000_003 + stream) * 0xD1B54A32D192ED03 % 2**64
    mixed = key.cast(pl.UInt64) * _integer(0x9E3779B97F4A7C15) + _integer(begin)
    mixed = (mixed ^ mixed // _integer(2**30)) * _integer(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed // _integer(2**27)) * _integer(0x94D049BB133111EB)
    mixed = mixed ^ mixed // _integer(2**31)
    return (mixed // _integer(2**11)).cast(pl.Float64) / 2**53


def _integer(value: int) -> pl.Expr:
    return pl.lit(value, pl.UInt64)
