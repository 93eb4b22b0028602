"""Contract and relationship: when an account renews, whether it pays, grows, is looked after and has friends."""

import narwhals.stable.v2 as nw

from accountpulse.core.period import Scope
from accountpulse.core.records import Reason, Rules
from accountpulse.metrics.shared import (
    Frames,
    MetricFrame,
    beside,
    count_if,
    day,
    on_trailing_days,
    open_at,
    percent,
    percent_of,
    reported,
    row_count,
    within,
)

_YEAR = 365
_PAYMENT_DAYS = 90
_COUNTS = ("problems", "undecided", "downgrades", "reviews", "champions", "loyal", "expansions", "arr_changes")


def measure_contract(accounts: MetricFrame, tables: Frames, scope: Scope, rules: Rules) -> MetricFrame:
    """`account_id`, the contract and relationship metrics and their reasons, for every account."""
    joined = beside(
        accounts,
        _renewals(tables["renewals"], scope, rules),
        _payment_problems(tables["payment_problems"], scope),
        _count(tables["downgrades"].filter(on_trailing_days("closed_on", scope, _YEAR)), "downgrades"),
        _arr_before(tables["arr_changes"], scope),
        _count(_review_days(tables["reviews"], scope), "reviews"),
        _champions(tables["champions"]),
        _count(tables["expansions"].unique(subset=["account_id", "opportunity_id"]), "expansions"),
        counts=_COUNTS,
    )
    younger = nw.col("customer_since") > day(scope.as_of_day) - _YEAR
    return joined.select(
        "account_id",
        *reported("days_to_renewal", nw.coalesce("ahead", "behind") - day(scope.as_of_day)),
        *reported("payment_health", nw.when(nw.col("undecided") == 0).then(nw.col("problems"))),
        *reported("contract_changes", nw.col("downgrades")),
        *reported(
            "arr_trajectory_pct",
            _trajectory(),
            (nw.col("arr_tied").fill_null(value=False), "unclear"),
            (younger.fill_null(value=False), "too_new"),
        ),
        *reported(
            "tier_alignment",
            _steps_apart(rules),
            (nw.lit(not rules.tiers), "not_configured"),
            (~nw.col("customer_tier").is_in(list(rules.tiers)).fill_null(value=True), "unclear"),
        ),
        *_attendance(rules),
        *reported("champion_stability", percent("loyal", "champions")),
        *reported("expansion_signals", nw.col("expansions")),
    )


def _count(rows: MetricFrame, name: str) -> MetricFrame:
    return rows.group_by("account_id").agg(row_count().alias(name))


def _renewals(renewals: MetricFrame, scope: Scope, rules: Rules) -> MetricFrame:
    """By the first strategy that has a date which may be one: the earliest from today on, else the latest before.

    These are `ahead` and `behind`. A date that is longer overdue than the rules allow is none.
    """
    today, due = day(scope.as_of_day), nw.col("due")
    allowed = renewals.filter((due >= today - rules.renewal_overdue_days).fill_null(value=False))
    ranked = allowed.with_columns(first=nw.col("rank").min().over("account_id"))
    return (
        ranked.filter(nw.col("rank") == nw.col("first"))
        .group_by("account_id")
        .agg(
            ahead=nw.when(due >= today).then(due).min(),
            behind=nw.when(due < today).then(due).max(),
        )
    )


def _payment_problems(problems: MetricFrame, scope: Scope) -> MetricFrame:
    """Opened in the trailing 90 days, or still open; `undecided` where the records can't tell."""
    counts = within("opened_at", scope.trailing(_PAYMENT_DAYS)) | open_at("opened_at", "closed_at", scope.as_of)
    return problems.group_by("account_id").agg(problems=count_if(counts), undecided=count_if(nw.col("unknown")))


def _arr_before(changes: MetricFrame, scope: Scope) -> MetricFrame:
    """What ARR was before the first change of the trailing year; `arr_tied` where two of that instant disagree."""
    at = nw.col("at")
    recent = changes.filter(within("at", scope.trailing(_YEAR)))
    first = recent.with_columns(first=at.min().over("account_id")).filter(at == nw.col("first"))
    before = nw.col("before")
    grouped = first.group_by("account_id").agg(arr_before=before.min(), arr_most=before.max(), arr_changes=row_count())
    return grouped.with_columns(arr_tied=nw.col("arr_most") != nw.col("arr_before")).drop("arr_most")


def _trajectory() -> nw.Expr:
    then = nw.when(nw.col("arr_changes") > 0).then(nw.col("arr_before")).otherwise(nw.col("arr"))
    positive = nw.when(then > 0).then(then)
    change = (nw.col("arr") - positive) * 100 / positive
    return nw.when(change.is_finite()).then(change)  # next to nothing before: as good as nothing


def _steps_apart(rules: Rules) -> nw.Expr:
    """How far the tier that ARR implies lies from the one held; the lowest is implied by any ARR."""
    tier, arr = nw.col("customer_tier"), nw.col("arr")
    held: nw.Expr = nw.lit(None, dtype=nw.Int64)
    implied: nw.Expr = nw.when(~arr.is_null()).then(nw.lit(0))
    for step, name in enumerate(rules.tiers):
        held = nw.when(tier == name).then(nw.lit(step)).otherwise(held)
        if step and name in rules.tier_floors:
            implied = nw.when(arr >= rules.tier_floors[name]).then(nw.lit(step)).otherwise(implied)
    return (implied - held).abs()


def _review_days(reviews: MetricFrame, scope: Scope) -> MetricFrame:
    """Two records of a review on one day are one review."""
    return reviews.filter(on_trailing_days("held_on", scope, _YEAR)).unique(subset=["account_id", "held_on"])


def _attendance(rules: Rules) -> tuple[nw.Expr, nw.Expr]:
    value: nw.Expr = nw.lit(None, dtype=nw.Float64)
    for tier, expected in rules.reviews_expected.items():
        if expected > 0:
            value = (
                nw.when(nw.col("customer_tier") == tier).then(percent_of(nw.col("reviews"), expected)).otherwise(value)
            )
    none_owed = [tier for tier, expected in rules.reviews_expected.items() if expected <= 0]
    unexpected: tuple[nw.Expr, Reason] = (
        nw.col("customer_tier").is_in(none_owed).fill_null(value=False),
        "not_expected",
    )
    unsaid: tuple[nw.Expr, Reason] = (value.is_null(), "not_configured")
    return reported("qbr_attendance", value, unexpected, unsaid)


def _champions(champions: MetricFrame) -> MetricFrame:
    """Each contact once; gone, where any record says so."""
    there = nw.col("still_there").cast(nw.Int64)
    people = champions.group_by("account_id", "contact_id").agg(there=there.min())
    return people.group_by("account_id").agg(champions=row_count(), loyal=nw.col("there").sum())
