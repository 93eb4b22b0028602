"""Usage: how many people of an account come, how often, what they use, and which way that is going."""

from collections.abc import Collection
from math import lcm

import narwhals.stable.v2 as nw

from accountpulse.core.catalogue import pillar_metric
from accountpulse.core.period import Scope
from accountpulse.core.records import Reason, Rules
from accountpulse.metrics.shared import Frames, MetricFrame, beside, day, percent_of, ratio, reported, row_count

_MONTHS = (0, 1, 2, 3)  # before the period: itself, and the three that trends compare it with; 28 days of a snapshot
_DAILY = tuple(f"daily_{month}" for month in _MONTHS)  # daily users, added up over each month
_MONTHLY = tuple(f"monthly_{month}" for month in _MONTHS)  # distinct users of each month
_COUNTS = (*_DAILY, *_MONTHLY, "sessions", "features", "feature_rows")


def measure_usage(accounts: MetricFrame, tables: Frames, scope: Scope, rules: Rules) -> MetricFrame:
    """`account_id`, the usage metrics, the pillars, own metrics, and their reasons, for every account.

    An account without any usage in the four months or feature in the period is `not_linked`: the system doesn't
    know it. `dau` is a mean over all measured days, `login_frequency` sessions per user and week.
    """
    days = scope.measured_days
    stranger: tuple[nw.Expr, Reason] = (nw.col("first_seen").is_null() & (nw.col("feature_rows") == 0), "not_linked")
    too_new: tuple[nw.Expr, Reason] = (nw.col("earlier") < 2, "too_new")
    no_catalogue: tuple[nw.Expr, Reason] = (nw.lit(not rules.features), "not_configured")
    breadth = percent_of(nw.col("features"), len(set(rules.features)) or 1)
    month_days = (days, *(_first(scope, month - 1) - _first(scope, month) for month in _MONTHS[1:]))
    pillars = (reported(name, _clamped(_figure(name))) for name in _pillar_names(rules))
    own = (reported(metric.name, nw.col(_figure(metric.name))) for metric in rules.own)
    return _joined(accounts, tables, scope, rules).select(
        "account_id",
        *reported("dau", nw.col("daily_0") * (1.0 / days), stranger),
        *reported("mau", nw.col("monthly_0"), stranger),
        *reported("mau_trend_pct", _trend(_MONTHLY, (1, 1, 1, 1)), stranger, too_new),
        *reported("dau_trend_pct", _trend(_DAILY, month_days), stranger, too_new),
        *reported("feature_breadth", breadth, no_catalogue, stranger),
        *reported("login_frequency", ratio(nw.col("sessions") * 7, nw.col("monthly_0") * days), stranger),
        *(column for pair in (*pillars, *own) for column in pair),
    )


def _joined(accounts: MetricFrame, tables: Frames, scope: Scope, rules: Rules) -> MetricFrame:
    """Every account with its sums, the first day or month it was seen, and how many earlier months are known."""
    parts = (
        _daily(tables["usage_days"], scope),
        _monthly(tables["usage_months"], scope),
        *_features(tables["features"], rules),
        _figures(tables["figures"], (*_pillar_names(rules), *(metric.name for metric in rules.own))),
    )
    seen = nw.min_horizontal("first_day", "first_month")
    joined = beside(accounts, *parts, counts=_COUNTS).with_columns(first_seen=seen)
    began = [(nw.col("first_seen") < _first(scope, month)).cast(nw.Int64).fill_null(0) for month in (2, 1, 0)]
    return joined.with_columns(earlier=began[0] + began[1] + began[2])


def _first(scope: Scope, month: int) -> int:
    """The day number that a month begins with, counted back from the period."""
    return day(scope.usage_first(month))


def _daily(days: MetricFrame, scope: Scope) -> MetricFrame:
    end = day(scope.usage_end)
    ends = (end, *(_first(scope, month - 1) for month in _MONTHS[1:]))
    sums = {
        f"daily_{month}": _sum_where("users", (nw.col("day") >= _first(scope, month)) & (nw.col("day") < ends[month]))
        for month in _MONTHS
    }
    measured = days.filter((nw.col("day") >= _first(scope, 3)) & (nw.col("day") < end))
    known = _known_since(measured, "day").rename({"since": "first_day"})
    return measured.group_by("account_id").agg(**sums).join(known, on="account_id", how="left")


def _monthly(months: MetricFrame, scope: Scope) -> MetricFrame:
    sums = {f"monthly_{month}": _sum_where("users", nw.col("month") == _first(scope, month)) for month in _MONTHS}
    measured = months.filter((nw.col("month") >= _first(scope, 3)) & (nw.col("month") <= _first(scope, 0)))
    known = _known_since(measured, "month").rename({"since": "first_month"})
    counted = measured.group_by("account_id").agg(
        sessions=_sum_where("sessions", nw.col("month") == _first(scope, 0)),
        **sums,
    )
    return counted.join(known, on="account_id", how="left")


def _known_since(rows: MetricFrame, column: str) -> MetricFrame:
    """`since`: the first day of an account in the source that has known it for the shortest time.

    Users are added up over sources, and a source that came later would look like growth.
    """
    by_source = rows.group_by("account_id", "source").agg(first=nw.col(column).min())
    return by_source.group_by("account_id").agg(since=nw.col("first").max())


def _features(features: MetricFrame, rules: Rules) -> tuple[MetricFrame, MetricFrame]:
    """How many features of the catalogue each account used, and how many rows of any feature it has."""
    counted = features.filter(nw.col("feature").is_in(rules.features)).unique(subset=["account_id", "feature"])
    return (
        counted.group_by("account_id").agg(features=row_count()),
        features.group_by("account_id").agg(feature_rows=row_count()),
    )


def _pillar_names(rules: Rules) -> tuple[str, ...]:
    return tuple(pillar_metric(name).name for name in rules.pillars)


def _figures(figures: MetricFrame, names: Collection[str]) -> MetricFrame:
    """Each account's figures; of several values for one, as where an account has several keys, their median."""
    values = {_figure(name): nw.when(nw.col("metric") == name).then(nw.col("value")).median() for name in names}
    return figures.group_by("account_id").agg(row_count().alias("figures"), **values)


def _figure(metric: str) -> str:
    """The internal column of a figure: a company may call its own metric what it likes."""
    return f"figure of {metric}"


def _sum_where(column: str, condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.col(column)).otherwise(0).sum()


def _clamped(name: str) -> nw.Expr:
    value = nw.col(name)
    return nw.when(value < 0).then(nw.lit(0.0)).when(value > 100).then(nw.lit(100.0)).otherwise(value)


def _trend(sums: tuple[str, ...], days: tuple[int, ...]) -> nw.Expr:
    """100 × (mean a day now − mean of the known earlier ones) / that mean, whole numbers up to the one division.

    `sums` and `days` begin with the period; months before an account is known have no rows and add nothing.
    """
    common = lcm(*days)
    now, *earlier = (nw.col(name) * (common // length) for name, length in zip(sums, days, strict=True))
    before = earlier[0] + earlier[1] + earlier[2]
    return ratio((now * nw.col("earlier") - before) * 100, before)
