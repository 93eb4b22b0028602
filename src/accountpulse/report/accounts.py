"""One row an account: everything that the page's lists show."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from accountpulse.core.web_links import links_of_all
from accountpulse.report import groups, opinions
from accountpulse.report.inputs import MonthlyRun, ReportInput
from accountpulse.scoring.columns import (
    BEFORE_CAPS,
    COVERAGE,
    DRIVERS,
    HEALTH,
    LOWER_BOUND,
    NOT_RATED_REASON,
    PROBABILITIES,
    PROBABILITY,
    PROBABILITY_LOWER,
    PROBABILITY_UPPER,
    RENEWAL,
    RISK,
    RISK_Z,
    TIER,
    UPPER_BOUND,
    score_of,
)
from accountpulse.scoring.explain import cap_reasons, driver, limit
from accountpulse.scoring.next_steps import next_step, with_health_before
from accountpulse.scoring.ranking import risk_before_floors
from accountpulse.scoring.scorecard import Scorecard

ATTRIBUTES = {
    "account_name": pl.String,
    "segment": pl.String,
    "owner": pl.String,
    "owner_id": pl.String,
    "arr": pl.Float64,
    "seats": pl.Float64,
}


def accounts(inputs: ReportInput) -> pl.DataFrame:
    """Every account of the month, sorted by id; null where not known.

    Columns: id, name, segment, owner (as it is shown), owner_id, arr, seats, tier, tier_before, health, health_before,
    before_caps, lower, upper, coverage, risk, risk_before_floors, band, probability, probability_lower and
    probability_upper (percent), days, renewal (a date), limit (of a cap that doesn't lower the score), cap (reasons in
    words), drivers and not_rated (texts), step, value_at_risk (ARR × risk / 100), links (label and url of each), what
    report/groups.py has of its parent and group, what report/opinions.py has of its pulse and forecast, and
    `dimension:<name>` for each dimension.
    """
    now, scores = inputs.month, sorted_scores(inputs)
    expected = {**ATTRIBUTES, **dict.fromkeys((RENEWAL, RISK_Z, *PROBABILITIES), pl.Float64)}
    for name, kind in expected.items():  # a column of nulls may have lost its type
        column = pl.col(name) if name in scores.columns else pl.lit(None)
        scores = scores.with_columns(column.cast(kind).alias(name))
    rows = scores.select(
        "account_id",
        *ATTRIBUTES,
        TIER,
        health=HEALTH,
        before_caps=BEFORE_CAPS,
        lower=LOWER_BOUND,
        upper=UPPER_BOUND,
        coverage=COVERAGE,
        risk=RISK,
        risk_before_floors=risk_before_floors(),
        band=band(now.card),
        probability=PROBABILITY,
        probability_lower=PROBABILITY_LOWER,
        probability_upper=PROBABILITY_UPPER,
        days=pl.col(RENEWAL),
        renewal=pl.lit(now.as_of_day) + pl.duration(days=pl.col(RENEWAL)),
        not_rated=NOT_RATED_REASON,
        value_at_risk=pl.col("arr") * pl.col(RISK) / 100,
        **{f"dimension:{name}": pl.col(score_of(name)) for name in now.card.dimensions},
    ).rename({"account_id": "id", "account_name": "name"})
    rows = rows.join(_before(inputs.before), on="id", how="left", maintain_order="left")
    texts = [
        (_caps(row, now), _drivers(row, now), limit(row, now.card), next_step(row, now.card))
        for row in with_health_before(scores, inputs.comparable).iter_rows(named=True)
    ]
    schema = dict.fromkeys(("cap", "drivers", "limit", "step"), pl.String)
    described = pl.DataFrame(texts, schema=schema, orient="row")
    beside = (groups.of_accounts(rows["id"], inputs), opinions.of_accounts(scores, inputs))
    return pl.concat([rows, described, *beside], how="horizontal").with_columns(_links(inputs, rows["id"]))


def sorted_scores(inputs: ReportInput) -> pl.DataFrame:
    """The month's scores in the order of the report's accounts: by id."""
    return inputs.month.scores.sort("account_id")


def _links(inputs: ReportInput, ids: pl.Series) -> pl.Series:
    """The links of each account; [] where it has none."""
    found = links_of_all(inputs.evidence, inputs.sources)
    links = [[{"label": link.label, "url": link.url} for link in found.get(account, ())] for account in ids]
    return pl.Series("links", links, pl.List(pl.Struct({"label": pl.String, "url": pl.String})))


def _caps(row: Mapping[str, Any], now: MonthlyRun) -> str | None:
    return "; ".join(cap_reasons(row, now.card)) or None


def _drivers(row: Mapping[str, Any], now: MonthlyRun) -> str | None:
    """What costs most points, as `explain` says it; none of the sentences holds the `; ` that parts them."""
    sentences = [driver(row, now.card, name, now.as_of_day) for name in row.get(DRIVERS) or ()]
    return "; ".join(sentence.replace("; ", ", ") for sentence in sentences) or None


def band(card: Scorecard) -> pl.Expr:
    """The band of `churn_risk_score`, as `Scorecard.risk_band` says of one."""
    risk, bands = pl.col(RISK), card.risk.bands
    named = pl.when(risk >= bands.high).then(pl.lit("high")).when(risk >= bands.medium).then(pl.lit("medium"))
    return pl.when(risk.is_not_null()).then(named.otherwise(pl.lit("low")))


def _before(month: MonthlyRun | None) -> pl.DataFrame:
    if month is None:
        return pl.DataFrame(schema={"id": pl.String, "tier_before": pl.String, "health_before": pl.Float64})
    return month.scores.select(id="account_id", tier_before=TIER, health_before=HEALTH)


def columnar(rows: pl.DataFrame) -> dict[str, list[object]]:
    """The document's form of them: dates as ISO texts."""
    return rows.with_columns(pl.col("renewal", "pulse_on").dt.to_string("iso:strict")).to_dict(as_series=False)
