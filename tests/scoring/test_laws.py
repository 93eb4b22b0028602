"""What must hold for any scorecard and any account, and a second implementation that must come to the same."""

import json
import math
import random

import polars as pl
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accountpulse.scoring.scorecard import Scorecard, load, restored
from accountpulse.scoring.scores import score, why_not_rated
from scoring import generate
from scoring.naive import Account

SIGNALS = [f"{name}" for name in generate.SIGNALS]
TEXTS = ("account_id", "segment", "last_tier", *(f"{name}_reason" for name in SIGNALS))
BATCH = st.integers(0, 2**32).map(generate.accounts)
LAWS = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
NEAR = 1e-9


def loaded(card: dict) -> Scorecard:
    return load(yaml.safe_dump(card, sort_keys=False), "generated.yaml", generate.PILLARS)


def table(rows: list[dict]) -> pl.DataFrame:
    named = [{"account_id": f"A{index}", **row} for index, row in enumerate(rows)]
    names = dict.fromkeys(name for row in named for name in row)
    return pl.DataFrame(named, schema={name: pl.String if name in TEXTS else pl.Float64 for name in names})


def scored(card: dict, rows: list[dict], **options) -> list[dict]:
    return score(table(rows), loaded(card), detail=True, **options).to_dicts()


def same(left, right) -> bool:
    if isinstance(left, float) and isinstance(right, float | int):
        return math.isclose(left, right, rel_tol=NEAR, abs_tol=NEAR)
    return left == right


@LAWS
@given(generate.scorecards(), BATCH, st.sampled_from([90.0, 31.0]), st.booleans(), st.booleans())
def test_a_second_implementation_comes_to_the_same(card, rows, days, failed, waived):
    sources = ("bugs", "usage") if failed else ()
    results = scored(card, rows, window_days=days, failed_sources=sources, signals_waived=waived)
    for row, got in zip(rows, results, strict=True):
        naive = Account(card, row, pillars=generate.PILLARS, window_days=days, failed=sources, waived=waived)
        expected = naive.result()
        if 0 < naive.margin < NEAR:
            continue
        assert {name: got[name] for name in expected if not same(got[name], expected[name])} == {}, expected
        costs = [got[f"{name}_lost"] for name in got["drivers"]]
        assert len(set(got["drivers"])) == len(costs)
        assert costs == sorted(costs, reverse=True)
        wanted = naive.drivers(expected)
        assert len(costs) == len(wanted)
        assert all(map(same, costs, wanted))


def changed(card: dict, rows: list[dict], change) -> list[tuple[dict, dict]]:
    """Each account scored as it is and after a change to one of its values."""
    results = scored(card, [*rows, *(change(row) for row in rows)])
    return list(zip(results[: len(rows)], results[len(rows) :], strict=True))


@LAWS
@given(generate.scorecards(), BATCH, st.booleans())
def test_why_an_account_has_no_rating_is_known_without_its_score(card, rows, waived):
    reasons = why_not_rated(table(rows), loaded(card), signals_waived=waived).to_list()
    assert reasons == [each["not_rated_reason"] for each in scored(card, rows, signals_waived=waived)]
    naive = [Account(card, row, pillars=generate.PILLARS, window_days=90.0, failed=(), waived=waived) for row in rows]
    assert [each is None for each in reasons] == [each.result()["health_score"] is not None for each in naive]


@LAWS
@given(generate.scorecards(), BATCH, st.integers(0, 2**32))
def test_worsening_one_metric_never_raises_health_or_lowers_risk(card, rows, seed):
    chance = random.Random(seed)  # noqa: S311
    names = sorted({*generate.METRICS, *generate.SUBSTITUTES, *SIGNALS} - {"total_conversations"})

    def worse(row):
        name = chance.choice([name for name in names if row[name] is not None] or names)
        rising, largest = generate.METRICS.get(name, (name in generate.SUBSTITUTES, 60))
        step = chance.randint(1, 4) * (1 if name in SIGNALS else largest / 8) * (-1 if rising else 1)
        return {**row, name: row[name] + step if row[name] is not None else None}

    for before, after in changed(card, rows, worse):
        if before["health_score"] is not None:
            assert after["health_score"] <= before["health_score"] + NEAR
            assert after["churn_risk_score"] >= before["churn_risk_score"] - NEAR


@LAWS
@given(generate.scorecards(), BATCH, st.integers(0, 2**32))
def test_a_metric_that_becomes_unknown_never_raises_the_lower_bound(card, rows, seed):
    chance = random.Random(seed)  # noqa: S311
    names = sorted({*generate.METRICS, *SIGNALS, *generate.SUBSTITUTES, "pillar_ops", "seats"})
    for before, after in changed(card, rows, lambda row: {**row, chance.choice(names): None}):
        assert after["lower_bound"] <= before["lower_bound"] + NEAR
        assert after["upper_bound"] >= before["upper_bound"] - NEAR
        assert after["lower_bound"] <= after["upper_bound"] + NEAR


@LAWS
@given(generate.scorecards(), BATCH)
def test_where_everything_is_known_the_bounds_are_health_itself(card, rows):
    full = [{name: 1.0 if value is None else value for name, value in row.items() if name not in TEXTS} for row in rows]
    plenty = [{**row, "total_conversations": 60.0, "seats": 100.0} for row in full]
    for result in scored(card, plenty):
        assert result["health_score"] is not None
        assert result["coverage"] == 100
        for bound in ("lower_bound", "upper_bound"):
            assert math.isclose(result[bound], result["health_score"], abs_tol=NEAR)


@LAWS
@given(generate.scorecards(), BATCH)
def test_tier_and_risk_contradict_neither_health_nor_each_other(card, rows):
    edges = {tier["name"]: tier["min"] for tier in card["tiers"]}
    for result in scored(card, rows):
        health, before, risk = (result[name] for name in ("health_score", "health_before_caps", "churn_risk_score"))
        if health is None:
            assert (risk, result["tier"]) in {(None, "Not Rated"), (50.0, "Critical")}
            continue
        assert health <= before
        assert result["tier"] == max((tier for tier in edges if edges[tier] <= health), key=lambda tier: edges[tier])
        held = health < before
        assert risk >= (50 if held and health < 50 else 10 if held and health < 75 else 0)
        assert (result["cap_reason"] is not None) >= held


@LAWS
@given(generate.scorecards(), BATCH)
def test_contributions_add_up_to_health_before_caps_and_costs_to_what_is_missing(card, rows):
    for result in scored(card, rows):
        if result["health_before_caps"] is None:
            continue
        gained = sum(value for name, value in result.items() if name.endswith("_contribution"))
        lost = sum(value for name, value in result.items() if name.endswith("_lost"))
        assert math.isclose(gained, result["health_before_caps"], abs_tol=NEAR)
        assert math.isclose(gained + lost, 100, abs_tol=NEAR)


@settings(LAWS, max_examples=3)
@given(generate.scorecards(), BATCH, st.randoms(use_true_random=False))
def test_the_order_of_accounts_and_columns_and_the_batch_change_no_bit(card, rows, order: random.Random):
    frame = table(rows)
    whole = score(frame, loaded(card), detail=True)
    columns = order.sample(frame.columns, len(frame.columns))
    shuffled = frame.select(columns).sample(fraction=1.0, shuffle=True, seed=order.randrange(1000))
    assert score(shuffled, loaded(card), detail=True).sort("account_id").equals(whole.sort("account_id"))
    cut = order.randrange(1, frame.height)
    parts = pl.concat([score(part, loaded(card), detail=True) for part in (frame[:cut], frame[cut:])])
    assert parts.equals(whole)
    assert (
        score(frame.lazy(), loaded(card), detail=True)
        .collect(engine="streaming")
        .sort("account_id")
        .equals(whole.sort("account_id"))
    )


@LAWS
@given(generate.scorecards(), BATCH, st.sampled_from([("first",), ("a", "b")]))
def test_an_outage_promotes_nobody(card, rows, sources):
    ranks = ["Critical", "At Risk", "Healthy", "Champion"]
    for row, result in zip(rows, scored(card, rows, failed_sources=sources), strict=True):
        if result["tier"] == "Not Rated":
            continue
        if result["health_score"] is None:
            assert result["tier"] == "Critical"
        else:
            assert ranks.index(result["tier"]) <= ranks.index(row["last_tier"])


def shuffled(value, order: random.Random):
    """The same content with its keys in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], order) for key in order.sample(list(value), len(value))}
    return [shuffled(each, order) for each in value] if isinstance(value, list) else value


@LAWS
@given(generate.scorecards(), BATCH, st.randoms(use_true_random=False))
def test_the_order_of_keys_in_the_file_changes_no_bit(card, rows, order: random.Random):
    as_written = score(table(rows), loaded(card), detail=True)
    assert score(table(rows), loaded(shuffled(card, order)), detail=True).select(as_written.columns).equals(as_written)


@LAWS
@given(generate.scorecards(), BATCH)
def test_a_scorecard_that_was_kept_gives_the_same_bits_and_the_same_hash(card, rows):
    kept = restored(json.loads(json.dumps(loaded(card).content)))
    assert kept.hash == loaded(card).hash
    assert kept.dimensions == loaded(card).dimensions
    assert score(table(rows), kept, detail=True).equals(score(table(rows), loaded(card), detail=True))


@settings(max_examples=8, deadline=None)
@given(generate.scorecards(), st.randoms(use_true_random=False))
def test_comments_and_the_order_of_keys_change_no_hash(card, order: random.Random):
    text = "# a comment\n" + yaml.safe_dump(shuffled(card, order), sort_keys=False)
    assert load(text, "other.yaml", generate.PILLARS).hash == loaded(card).hash
    heavier = {**card, "horizon_days": 91}
    assert loaded(heavier).hash != loaded(card).hash
