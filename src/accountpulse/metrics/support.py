"""Support: how much an account asks, how urgent it is, how fast it is answered, how content it is."""

import narwhals.stable.v2 as nw

from accountpulse.core.period import Scope, Window
from accountpulse.core.records import Rules
from accountpulse.metrics.shared import (
    Frames,
    MetricFrame,
    beside,
    count_if,
    known_count,
    percent,
    ratio,
    reported,
    row_count,
    within,
)

_COUNTS = ("total", "p1_p2_seen", "escalation_seen", "asked", "rated")
_SECONDS = 0.001  # a millisecond; multiplied, since engines divide by a constant differently


def measure_support(accounts: MetricFrame, tables: Frames, scope: Scope, rules: Rules) -> MetricFrame:
    """`account_id`, the support metrics and their reasons, for every account. Durations in seconds.

    The population of shares and first responses is created in the window with the customer involved; resolutions
    are closed in it, ratings asked for in it, whenever their conversation began. A null in a row counts for nothing:
    where it isn't known of a conversation, its source says so of the account's metric (UNKNOWNS).
    """
    conversations = tables["conversations"].with_columns(nw.col("customer_involved").fill_null(value=False))
    parts = (
        _created(conversations, scope.window),
        _closed(conversations, scope.window),
        _asked(conversations, scope.window),
    )
    return beside(accounts, *parts, counts=_COUNTS).select(
        "account_id",
        *reported("total_conversations", nw.col("total")),
        *_share("p1_p2"),
        *_share("escalation"),
        *reported("median_first_response_seconds", nw.col("first_response_ms") * _SECONDS),
        *reported("median_resolution_seconds", nw.col("resolution_ms") * _SECONDS),
        *reported("csat_score", _csat(rules)),
        *reported("csat_response_rate", percent("rated", "asked")),
    )


def _created(conversations: MetricFrame, window: Window) -> MetricFrame:
    population = conversations.filter(nw.col("customer_involved") & within("created_at", window))
    return population.group_by("account_id").agg(
        total=row_count(),
        p1_p2=count_if(nw.col("p1_p2")),
        p1_p2_seen=known_count("p1_p2"),
        escalation=count_if(nw.col("escalated")),
        escalation_seen=known_count("escalated"),
        first_response_ms=nw.col("first_response_ms").median(),
    )


def _closed(conversations: MetricFrame, window: Window) -> MetricFrame:
    population = conversations.filter(nw.col("customer_involved") & within("last_closed_at", window))
    return population.group_by("account_id").agg(nw.col("resolution_ms").median())


def _asked(conversations: MetricFrame, window: Window) -> MetricFrame:
    asked = conversations.filter(within("rating_asked_at", window))
    rating = nw.when(nw.col("rating").is_between(1, 5)).then(nw.col("rating"))
    return (
        asked.with_columns(rating=rating)
        .group_by("account_id")
        .agg(
            asked=row_count(),
            rated=known_count("rating"),
            satisfied=count_if(nw.col("rating") >= 4),
            rating_sum=nw.col("rating").sum(),
        )
    )


def _share(name: str) -> tuple[nw.Expr, nw.Expr]:
    """A share of the population in which the sign can be seen at all."""
    nothing_seen = (nw.col("total") > 0) & (nw.col(f"{name}_seen") == 0)
    return reported(f"{name}_pct", percent(name, f"{name}_seen"), (nothing_seen, "not_configured"))


def _csat(rules: Rules) -> nw.Expr:
    if rules.csat == "share":
        return percent("satisfied", "rated")
    return ratio((nw.col("rating_sum") - nw.col("rated")) * 25, nw.col("rated"))  # a mean of 1 is 0, of 5 is 100
