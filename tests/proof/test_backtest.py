"""A backtest's whole document, by hand, against scikit-learn, and in small books whose truth is known."""

from dataclasses import replace
from datetime import date

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from accountpulse.core.errors import UsageError
from accountpulse.core.records import OUTCOMES
from accountpulse.proof.backtest import Backtest, BacktestRules, OtherCard, backtest
from accountpulse.proof.document import BacktestDocument, GroupOutcome
from accountpulse.proof.labels import LabelRules
from accountpulse.scoring import scorecard
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.trend import score_table

CARD = """name: mine
metrics: {nps: {label: NPS, unit: points}, empty: {label: never filled, unit: points}}
coverage: {tier_min: 0.5}
groups:
  support:
    weight: 3
    metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}
  voice:
    weight: 1
    metrics:
      nps: {weight: 3, anchors: [[0, 100], [100, 0]]}
      empty: {weight: 1, anchors: [[0, 0], [1, 100]]}
tiers: [{name: Good, min: 75}, {name: Fair, min: 50}, {name: Poor, min: 0}]
"""
MINE = scorecard.load(CARD, "mine.yaml")
FAR = date(2030, 1, 1)
RULES = BacktestRules("book.csv", LabelRules(), FAR)
MONTHS = [date(2024 + month // 12, month % 12 + 1, 1) for month in range(18)]


def outcomes_of(*rows: tuple[str, date, str]) -> pl.DataFrame:
    made = [{"account_id": account, "happened_on": on, "kind": kind, "origin": "table"} for account, on, kind in rows]
    return pl.DataFrame(made, schema=OUTCOMES)


def scored(metrics: pl.DataFrame, card: Scorecard = MINE) -> pl.DataFrame:
    return metrics.hstack(score_table(metrics, card, detail=True).drop("account_id", "as_of"))


def months_of(**columns: list[object]) -> pl.DataFrame:
    made = pl.DataFrame(columns)
    absent = [pl.lit(None, pl.Float64).alias(name) for name in ("nps", "empty", "arr") if name not in made.columns]
    floats = [pl.col(name).cast(pl.Float64) for name in ("csat_score", "nps", "arr") if name in made.columns]
    return made.with_columns(*absent, *floats)


def book(accounts: int = 120, seed: int = 1, *, telling: float = 1.0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Accounts with a health that shows in `csat_score`, and the other way round in `nps`; a third of them leave."""
    random = np.random.default_rng(seed)
    health = random.normal(0, 1, accounts)
    chance = 1 / (1 + np.exp(0.8 + 2.5 * telling * health))
    left_at = np.where(random.random(accounts) < chance, random.integers(4, 18, accounts), 99)
    rows = [
        (f"a{account:03}", on, 70 + 15 * health[account] + random.normal(0, 5), 50 + 20 * health[account], 1000.0)
        for month, on in enumerate(MONTHS)
        for account in range(accounts)
        if month <= left_at[account]
    ]
    columns = ["account_id", "as_of", "csat_score", "nps", "arr"]
    months = pl.DataFrame(rows, schema=columns, orient="row").with_columns(empty=pl.lit(None, pl.Float64))
    days = [MONTHS[at].replace(day=15) for at in left_at if at < 18]
    left = [f"a{account:03}" for account in range(accounts) if left_at[account] < 18]
    return months, outcomes_of(*((account, on, "lost") for account, on in zip(left, days, strict=True)))


@pytest.fixture(scope="module")
def made() -> tuple[pl.DataFrame, pl.DataFrame]:
    months, outcomes = book()
    return scored(months), outcomes


@pytest.fixture(scope="module")
def result(made: tuple[pl.DataFrame, pl.DataFrame]) -> Backtest:
    months, outcomes = made
    return backtest(months, outcomes, MINE, replace(RULES, capacity=5))


def by_name(groups: tuple[GroupOutcome, ...]) -> dict[str, GroupOutcome]:
    return {group.group: group for group in groups}


def test_probabilities_that_were_said_are_judged_from_a_month_on(
    made: tuple[pl.DataFrame, pl.DataFrame], result: Backtest
) -> None:
    """By hand: Brier's score over the account-months of all but the first two months, which they were fitted on."""
    months, outcomes = made
    said = months.with_columns(churn_probability=10.0 + 0.4 * pl.col("churn_risk_score"))
    found = backtest(said, outcomes, MINE, replace(RULES, judged_from=MONTHS[2])).document
    rows = result.rows.filter(
        (pl.col("sample") == "months") & (pl.col("as_of") >= MONTHS[2]) & pl.col("lost").is_not_null()
    )
    p, lost = 0.1 + 0.004 * rows["churn_risk_score"].to_numpy(), rows["lost"].to_numpy()
    assert found.account_months.probability is not None
    assert found.account_months.probability.brier == pytest.approx(np.mean((p - lost) ** 2))
    assert sum(each.rows for each in found.account_months.probability.bins) == rows.height
    assert found.renewals.probability is None  # it speaks of leaving within the horizon
    assert any(line.startswith(f"The probabilities in {rows.height:,} account-months") for line in found.sentences)
    assert result.document.account_months.probability is None


def test_where_few_were_lost_at_a_renewal_the_figures_are_of_account_months(
    made: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    """Renewals of five who left and thirty who stayed: ten are needed for more than counts."""
    months, outcomes = made
    left = outcomes["account_id"].unique(maintain_order=True)
    few = {account: f"2025-{number + 2:02}-15" for number, account in enumerate(left.head(5))}
    others = (
        months["account_id"]
        .unique(maintain_order=True)
        .filter(~months["account_id"].unique(maintain_order=True).is_in(left.implode()))
    )
    renewed = outcomes_of(*((account, date(2025, 3, 15), "renewed") for account in others.head(30)))
    dated = months.with_columns(
        days_to_renewal=pl.when(pl.col("account_id").is_in([*few, *others.head(30)])).then(
            (pl.date(2025, 3, 15) - pl.col("as_of")).dt.total_days().cast(pl.Float64)
        )
    )
    found = backtest(dated, pl.concat([outcomes, renewed]), MINE, RULES).document
    assert 0 < found.renewals.left < 10
    assert (found.renewals.ranking, found.renewals.by_tier[0].share) == (None, None)
    assert found.main == "months"
    assert found.account_months.ranking is not None


def test_a_score_that_tells_nothing_is_said_to_first_and_what_is_usual_stands_beside() -> None:
    months, outcomes = book(seed=3, telling=0.0)
    first, _, usual, *_ = backtest(scored(months), outcomes, MINE, RULES).document.sentences
    assert first.startswith("This score is not shown to tell who leaves from who stays:")
    assert usual.startswith("Of all account-months with a score, whoever left or stayed, ")


def test_what_cost_points_is_told_of_months_that_did_not_keep_it(made: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    months, outcomes = made
    bare = months.drop("csat_score_lost", "nps_lost", "empty_lost", "drivers")
    whole, less = (backtest(each, outcomes, MINE, RULES).document for each in (months, bare))
    assert whole.false_reds
    assert less.false_reds == whole.false_reds


def tiny(**more: object) -> BacktestDocument:
    """Four accounts in one month: green and left, red and stayed, fair, not rated and left."""
    months = months_of(
        account_id=["green", "red", "fair", "dark"],
        as_of=[MONTHS[0]] * 4,
        csat_score=[90, 10, 60, None],
        nps=[10, 90, 40, None],
        arr=[100, 50, 200, 400],
        account_name=["Green Ltd", "Red Ltd", "Fair Ltd", "Dark Ltd"],
    )
    lost = outcomes_of(("green", date(2024, 4, 10), "lost"), ("dark", date(2024, 4, 20), "lost"))
    return backtest(scored(months), lost, MINE, replace(RULES, **more)).document


# --- by hand ---------------------------------------------------------------------------------------------------


def test_tiers_are_counted_and_those_who_are_not_rated_have_a_row_of_their_own() -> None:
    tiers = by_name(tiny().account_months.by_tier)
    assert {name: (group.customers, group.rows, group.lost) for name, group in tiers.items()} == {
        "Good": (1, 1, 1),
        "Fair": (1, 1, 0),
        "Poor": (1, 1, 0),
        "Not Rated": (1, 1, 1),
    }


def test_below_ten_departures_there_are_counts_by_tier_and_nothing_else() -> None:
    document = tiny()
    sample = document.account_months
    assert (sample.ranking, sample.probability, document.parts) == (None, None, ())
    assert {(group.share, group.arr_loss, group.retention, group.auc) for group in sample.by_tier} == {(None,) * 4}
    assert (sample.by_segment, sample.by_quarter, sample.by_lead, sample.by_coverage) == ((), (), (), ())
    assert not [sentence for sentence in document.sentences if "%" in sentence]
    assert document.not_proven[0].startswith("Customers who left within 180 days of a month with a churn risk: 1. For")
    assert document.not_proven[1] == "1 more left, but had no churn risk in these months (Not Rated)."


def test_false_greens_and_false_reds_are_named_with_what_the_score_saw() -> None:
    document = tiny()
    (green,), (red,) = document.false_greens, document.false_reds
    assert (green.account_name, green.tier, green.lost_on) == ("Green Ltd", "Good", date(2024, 4, 10))
    assert green.happened == "left on 2024-04-10, 100 days later"
    # 10 points short, with 3 of 4 and 1 of 4 of the weight
    assert green.saw == ("CSAT: 90 %, costs 7.5 points", "NPS: 10 points, costs 2.5 points")
    assert (red.account_name, red.happened) == ("Red Ltd", "did not leave within 180 days")
    assert (document.false_green_count, document.false_red_count) == (1, 1)


def test_of_those_who_left_it_is_said_where_they_were() -> None:
    (said,) = [line for line in tiny().sentences if "customers who left" in line]
    assert said == (
        "Of 2 customers who left, 1 had a score 90 days before: of these 0 were Fair or Poor then; "
        "1 was Not Rated then."
    )


def test_who_was_scored_only_later_is_counted_apart() -> None:
    months = months_of(
        account_id=["early", "calm", "late"], as_of=[MONTHS[0], MONTHS[0], MONTHS[2]], csat_score=[20, 90, 10]
    )
    lost = outcomes_of(*((account, date(2024, 4, 15), "lost") for account in ("early", "calm", "late")))
    told = backtest(scored(months), lost, MINE, RULES).document.sentences
    assert told[:2] == (
        "Of 3 customers who left, 2 had a score 90 days before: of these 1 was Fair or Poor then.",
        "The other 1 had only a later score: of these 1 was Fair or Poor when last scored.",
    )


def test_false_reds_are_customers_and_who_left_later_comes_last() -> None:
    months = months_of(
        account_id=["stays", "stays", "later", "leaves"],
        as_of=[MONTHS[0], MONTHS[1], MONTHS[0], MONTHS[0]],
        csat_score=[10, 10, 10, 90],
        arr=[50, 50, 900, 100],
    )
    lost = outcomes_of(("later", date(2024, 7, 20), "lost"), ("leaves", date(2024, 3, 1), "lost"))
    document = backtest(scored(months), lost, MINE, RULES).document
    # 2024-07-20 lies 201 days after the only month of "later"
    assert [(red.account_id, red.as_of) for red in document.false_reds] == [("stays", MONTHS[1]), ("later", MONTHS[0])]
    assert (document.false_red_count, document.false_reds_left_later) == (2, 1)
    assert document.stayed == "still there 180 days later"


def test_where_no_departure_is_known_nobody_is_said_to_have_stayed() -> None:
    months = months_of(account_id=["red"], as_of=[MONTHS[0]], csat_score=[10])
    document = backtest(scored(months), outcomes_of(("red", date(2024, 4, 5), "renewed")), MINE, RULES).document
    assert document.sentences[0].startswith("Nothing can be said yet: the outcomes name nobody who left (kind `lost`).")
    assert (document.false_reds, document.false_red_count) == ((), 0)


def test_a_departure_whose_window_is_open_is_counted_apart_with_the_day_on_which_it_counts() -> None:
    # 2024-06-29 lies 180 days after the only month
    few, still_open, unrated, *_ = tiny(known_until=date(2024, 4, 30)).not_proven
    assert few.startswith("Customers who left within 180 days of a month with a churn risk: 0. For")
    assert still_open.startswith("1 more left, but the 180 days after the month that was scored run past 2024-04-30,")
    assert "The first of them counts from 2024-06-29 on" in still_open
    assert unrated == "1 more left, but had no churn risk in these months (Not Rated)."


def test_where_only_departures_tell_of_renewals_the_figures_are_of_account_months() -> None:
    document = tiny()
    assert document.main == "months"
    assert document.renewals.stayed == 0
    assert any("No renewal that was kept is known" in line for line in document.not_proven)


def test_renewals_are_the_headline_where_those_that_were_kept_are_known() -> None:
    months = months_of(
        account_id=["stays", "leaves", "stays", "leaves"],
        as_of=[MONTHS[0], MONTHS[0], MONTHS[1], MONTHS[1]],
        csat_score=[90, 20, 10, 90],
    )
    renewals = outcomes_of(("stays", date(2024, 4, 5), "renewed"), ("leaves", date(2024, 4, 5), "lost"))
    document = backtest(scored(months), renewals, MINE, RULES).document
    # 90 days before 2024-04-05 is 2024-01-06: the month of January, whatever February says
    assert document.main == "renewals"
    assert {name: (group.rows, group.lost) for name, group in by_name(document.renewals.by_tier).items()} == {
        "Good": (1, 0),
        "Poor": (1, 1),
    }


def test_who_left_in_the_middle_of_a_contract_is_named_and_stands_in_no_renewal() -> None:
    months = months_of(
        account_id=["stays", "leaves", "early", "undated"],
        as_of=[MONTHS[0]] * 4,
        days_to_renewal=[95.0, 95.0, 300.0, None],
        csat_score=[90, 20, 95, 60],
    )
    outcomes = outcomes_of(("leaves", date(2024, 4, 5), "lost"), ("early", date(2024, 4, 15), "lost"))
    document = backtest(scored(months), outcomes, MINE, RULES).document
    assert document.main == "renewals"
    assert (document.renewals.rows, document.renewals.lost, document.account_months.lost) == (2, 1, 2)
    assert [green.account_id for green in document.false_greens] == ["early"]
    assert document.sentences[0] == "Of 2 customers who left, 1 was Fair or Poor 90 days before."
    told = [line for line in document.not_proven if "in no renewal here" in line]
    assert [line[:60] for line in told] == [
        "1 of 2 customers who left did so in the middle of a contract",
        "Of 1 of 4 customers no month knew a renewal ahead: they are ",
    ]


def test_renewals_of_a_few_accounts_do_not_stand_for_the_rest() -> None:
    months = months_of(
        account_id=["stays", "leaves", "b", "c", "d"],
        as_of=[MONTHS[0]] * 5,
        days_to_renewal=[95.0, 95.0, None, None, None],
        csat_score=[90, 20, 60, 60, 60],
    )
    document = backtest(scored(months), outcomes_of(("leaves", date(2024, 4, 5), "lost")), MINE, RULES).document
    assert document.main == "months"
    assert any(line.startswith("Of 3 of 5 customers no month knew a renewal") for line in document.not_proven)


def test_where_no_month_knew_a_renewal_it_is_said_what_stands_for_them() -> None:
    months = months_of(account_id=["stays", "leaves"], as_of=[MONTHS[0]] * 2, csat_score=[90, 20])
    renewals = outcomes_of(("stays", date(2024, 4, 5), "renewed"), ("leaves", date(2024, 4, 5), "lost"))
    document = backtest(scored(months), renewals, MINE, RULES).document
    assert any(line.startswith("No month knew the day of a renewal ahead") for line in document.not_proven)


def test_only_the_months_that_were_asked_for_are_rows(made: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    months, outcomes = made
    # 2024-03-01 is the day after February
    document = backtest(months, outcomes, MINE, replace(RULES, first="2024-02", last="2024-03")).document
    assert document.months == ("2024-02", "2024-03")
    assert (document.account_months.first_as_of, document.account_months.last_as_of) == (MONTHS[2], MONTHS[3])
    # and all counts are of customers of these two months: nobody had left before May
    assert document.labels.accounts == 120
    assert document.labels.departures == outcomes.height
    assert document.labels.without_month == 0
    late = backtest(months, outcomes, MINE, replace(RULES, first="2025-01")).document.labels  # from 2025-02-01 on
    left = outcomes.filter(pl.col("happened_on") > MONTHS[13]).height
    assert (late.accounts, late.departures) == (120 - outcomes.height + left, left)
    assert "unknown_account" not in {finding.what for finding in late.findings}


# --- against scikit-learn and truth ----------------------------------------------------------------------------


def test_the_ranking_is_that_of_scikit_learn(result: Backtest) -> None:
    rows = result.rows.filter((pl.col("sample") == "months") & pl.col("lost").is_not_null())
    lost, risk = rows["lost"].to_numpy(), rows["churn_risk_score"].to_numpy()
    ranking = result.document.account_months.ranking
    assert ranking is not None
    assert ranking.auc is not None
    assert ranking.auc.value == pytest.approx(roc_auc_score(lost, risk), abs=1e-12)
    assert ranking.auc.lower < ranking.auc.value < ranking.auc.upper
    assert ranking.average_precision == pytest.approx(average_precision_score(lost, risk), abs=1e-12)
    assert ranking.base_rate == pytest.approx(lost.mean())


def test_the_capacity_is_that_of_each_month_and_of_all_customers(result: Backtest) -> None:
    rows = result.rows.filter((pl.col("sample") == "months") & pl.col("lost").is_not_null())
    riskiest = rows.sort("churn_risk_score", descending=True).group_by("as_of", maintain_order=True).head(5)
    ranking = result.document.account_months.ranking
    assert ranking is not None
    assert ranking.capacity is not None
    assert ranking.capacity.count == riskiest.height
    assert ranking.capacity.lost == riskiest["lost"].sum()
    assert ranking.capacity.share == pytest.approx(riskiest["lost"].sum() / rows["lost"].sum())
    assert any("looks after the 5 riskiest of all customers each month" in line for line in result.document.sentences)
    renewals = result.document.renewals.ranking  # of which a month reads a few alone
    assert renewals is None or renewals.capacity is None


def test_a_metric_that_points_the_wrong_way_is_named_with_its_weight(result: Backtest) -> None:
    verdicts = {part.name: part.verdict for part in result.document.parts}
    assert verdicts["csat_score"] == verdicts["support"] == verdicts["health_score"] == "right way"
    assert verdicts["nps"] == "wrong way"  # its anchors call a high one bad
    assert verdicts["empty"] == "too rarely known"
    # 1 of 4, and 3 of 4 of that
    assert any(
        line.startswith("NPS points the wrong way, with 19 % of the weight") for line in result.document.sentences
    )


def test_figures_of_every_group_add_up_to_the_sample(result: Backtest) -> None:
    sample = result.document.account_months
    for groups in (sample.by_tier, sample.by_segment, sample.by_quarter, sample.by_coverage):
        assert sum(group.rows for group in groups) == sample.rows
    assert [group.group for group in sample.by_lead] == ["0–90 days", "90–180 days"]
    first, whole = sample.by_lead[0], result.rows.filter(pl.col("sample") == "months")
    soon = (pl.col("lost_on") - pl.col("as_of")).dt.total_days() <= 90
    assert first.share is not None
    assert first.share.value == pytest.approx(whole.select(soon.fill_null(value=False).mean()).item())


def test_money_is_weighed_and_retained_as_by_hand() -> None:
    accounts = [f"a{number:02}" for number in range(40)]
    left = accounts[:10]
    months = months_of(
        account_id=accounts + accounts[10:],
        as_of=[MONTHS[0]] * 40 + [MONTHS[6]] * 30,
        csat_score=[60] * 70,
        arr=[200] * 10 + [100] * 30 + [150] * 15 + [80] * 15,
    )
    outcomes = outcomes_of(*((account, date(2024, 3, 1 + index), "lost") for index, account in enumerate(left)))
    # windows of 182 days end on 2024-07-01: the month of that day tells the ARR then
    rules = replace(RULES, labels=LabelRules(horizon_days=182), last="2023-12")
    (tier,) = backtest(scored(months), outcomes, MINE, rules).document.account_months.by_tier
    assert (tier.customers, tier.lost) == (40, 10)
    assert tier.share is not None
    assert tier.share.value == pytest.approx(10 / 40)
    assert tier.arr_loss is not None
    assert tier.arr_loss.value == pytest.approx(2000 / 5000)
    assert tier.retention is not None
    assert tier.retention.gross.value == pytest.approx((15 * 100 + 15 * 80) / 5000)
    assert tier.retention.net.value == pytest.approx((15 * 150 + 15 * 80) / 5000)


def test_a_metric_whose_absence_tells_who_left_is_flagged() -> None:
    months, outcomes = book(telling=0.0)
    left = set(outcomes["account_id"])
    gone = months.with_columns(nps=pl.when(~pl.col("account_id").is_in(left)).then("nps"))
    document = backtest(scored(gone), outcomes, MINE, RULES).document
    assert any(line.startswith("NPS is known for 0 % of those who left") for line in document.not_proven)


# --- two scorecards, and what stands apart -----------------------------------------------------------------------


def test_a_scorecard_against_itself_is_exactly_0(made: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    months, outcomes = made
    comparison = backtest(months, outcomes, MINE, RULES, OtherCard(MINE, months)).document.comparison
    assert comparison is not None
    assert comparison.difference is not None
    assert (comparison.difference.value, comparison.difference.lower, comparison.difference.upper) == (0.0, 0.0, 0.0)
    assert "same order" in comparison.text


def test_a_scorecard_that_rates_nothing_is_said_to_do_so(made: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    months, outcomes = made
    mute = months.with_columns(churn_risk_score=pl.lit(None, pl.Float64))
    comparison = backtest(months, outcomes, MINE, RULES, OtherCard(MINE, mute)).document.comparison
    assert comparison is not None
    assert comparison.text.startswith("mine can't be compared: it gives no churn risk to any of these rows.")


def test_a_better_scorecard_is_said_to_rank_better(made: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    months, outcomes = made
    worse = scorecard.load(CARD.replace("weight: 3\n", "weight: 0.1\n"), "worse.yaml")
    metrics = months.select("account_id", "as_of", "csat_score", "nps", "empty", "arr")
    document = backtest(scored(metrics, worse), outcomes, worse, RULES, OtherCard(MINE, months)).document
    assert document.comparison is not None
    assert document.comparison.text.startswith("mine ranks better: AUC +")


def test_reconstructed_months_stand_apart_and_change_no_other_figure(made: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    months, outcomes = made
    later = pl.col("as_of") >= MONTHS[9]
    mixed = backtest(months.with_columns(reconstructed=later), outcomes, MINE, RULES).document
    alone = backtest(months.filter(~later), outcomes, MINE, RULES).document
    assert mixed.reconstructed is not None
    assert mixed.reconstructed.rows == months.filter(later).height
    assert replace(mixed, reconstructed=None, not_proven=mixed.not_proven[:-1]) == alone


def test_the_order_of_the_rows_changes_nothing(made: tuple[pl.DataFrame, pl.DataFrame], result: Backtest) -> None:
    months, outcomes = made
    shuffled = backtest(
        months.sample(fraction=1.0, shuffle=True, seed=5),
        outcomes.sample(fraction=1.0, shuffle=True, seed=6),
        MINE,
        replace(RULES, capacity=5),
    )
    plain = [msgspec.to_builtins(each.document, order="deterministic") for each in (shuffled, result)]
    assert rounded(plain[0]) == rounded(plain[1])


def rounded(value: object) -> object:
    """Sums of floats depend on their order in the last bits."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return round(value, 9) if isinstance(value, float) else value


def test_the_document_is_plain_json(result: Backtest) -> None:
    plain = msgspec.json.decode(msgspec.json.encode(result.document, order="deterministic"))
    assert plain["main"] == "months"
    assert plain["gate"]["allowed"] == sorted(plain["gate"]["allowed"])


# --- what can't be held against anything -------------------------------------------------------------------------


def test_without_months_or_outcomes_there_is_nothing_to_say(made: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    months, outcomes = made
    with pytest.raises(UsageError, match="no month with a score"):
        backtest(months.clear(), outcomes, MINE, RULES)
    with pytest.raises(UsageError, match="no outcome is known"):
        backtest(months, outcomes.clear(), MINE, RULES)
    with pytest.raises(UsageError, match="no month from 2031-01: those that are here are 2023-12 to 2025-05"):
        backtest(months, outcomes, MINE, replace(RULES, first="2031-01"))


def test_where_all_months_were_reconstructed_they_stand_apart_and_the_remedy_is_named(
    made: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    months, outcomes = made
    document = backtest(months.with_columns(reconstructed=pl.lit(value=True)), outcomes, MINE, RULES).document
    assert (document.months, document.sentences, document.gate.refusals) == ((), (), ())
    assert document.reconstructed is not None
    assert document.reconstructed.rows == months.height
    (told,) = document.not_proven
    assert "run `accountpulse run` each month" in told
    assert "unknown_account" not in {finding.what for finding in document.labels.findings}


def test_where_nothing_is_over_yet_nothing_is_said_of_it(made: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    months, outcomes = made
    document = backtest(months, outcomes, MINE, replace(RULES, known_until=MONTHS[3])).document
    assert (document.account_months.rows, document.account_months.lost) == (0, 0)
    assert document.account_months.censored > 0
    assert document.account_months.by_tier == ()


def test_one_class_alone_has_no_auc() -> None:
    accounts = [f"a{number:02}" for number in range(25)]
    months = months_of(account_id=accounts, as_of=[MONTHS[0]] * 25, csat_score=list(range(25)))
    all_left = outcomes_of(*((account, date(2024, 4, 1 + index), "lost") for index, account in enumerate(accounts)))
    document = backtest(scored(months), all_left, MINE, RULES).document
    assert document.account_months.ranking is not None
    assert document.account_months.ranking.auc is None
    assert not [line for line in document.sentences if "AUC" in line]
    assert any("in one quarter" in line for line in document.not_proven)
