"""The scores are the same on every engine: bit for bit, risk to 1e-9."""

import math
import random
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from polars.testing import assert_frame_equal

from accountpulse.core.errors import UsageError
from accountpulse.engines import files
from accountpulse.scoring.calibration import Band, Calibration, CalibrationKind, with_probability
from accountpulse.scoring.scorecard import Scorecard, default, load
from accountpulse.scoring.scores import score
from accountpulse.scoring.trend import score_table
from engines.running import ALL, OTHERS, engine, written
from scoring import generate

PILLARS = generate.PILLARS
TEXTS = ("account_id", "account_name", "segment", "last_tier")
# a generated scorecard and portfolio for each example; Spark takes seconds for each, so it has few
EXAMPLES = settings(
    max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


def card_of(plain: dict) -> Scorecard:
    return load(yaml.safe_dump(plain, sort_keys=False), "generated.yaml", PILLARS)


def table(rows: list[dict]) -> pl.DataFrame:
    named = [{"account_id": f"A{index:05d}", **row} for index, row in enumerate(rows)]
    names = dict.fromkeys(name for row in named for name in row)
    text = {name for name in names if name in TEXTS or name.endswith("_reason")}
    return pl.DataFrame(named, schema={name: pl.String if name in text else pl.Float64 for name in names})


def adversarial() -> pl.DataFrame:
    """Values on every anchor and next to it, both zeros, huge and tiny ones, accounts of nothing."""
    chance, rows = random.Random(5), []  # noqa: S311
    card = default(PILLARS)
    curves = {name: leaf.rule.anchors for leaf in card.leaves for name in leaf.metrics}
    for _ in range(400):
        row: dict = {}
        empty = chance.random() < 0.05
        for name, curve in curves.items():
            edge = chance.choice(curve)[0]
            tried = [
                edge,
                math.nextafter(edge, 1e9),
                math.nextafter(edge, -1e9),
                -0.0,
                0.0,
                1e300,
                -1e300,
                5e-324,
                1 / 3,
            ]
            row[name] = None if empty or chance.random() < 0.1 else chance.choice(tried)
        row |= {name: chance.choice([None, 0.0, 1.0, 2.0, 3.0]) for name in generate.SIGNALS}
        row["seats"] = chance.choice([None, 0.0, -1.0, 3.0, 7.0, 49.0, 1e-300, 1e12])
        row["segment"] = chance.choice([None, "Paid", 'it\'s "quoted"; ü'])
        row["health_before_caps_3m"] = chance.choice([None, 0.0, 75.0, 100.0])
        rows.append(row)
    return table(rows)


def assert_same(got: pl.DataFrame, wanted: pl.DataFrame) -> None:
    exact = [name for name in wanted.columns if name != "churn_risk_score"]
    assert got.columns == wanted.columns
    assert got.select(exact).equals(wanted.select(exact))
    assert_frame_equal(got.select("churn_risk_score"), wanted.select("churn_risk_score"), rel_tol=1e-9, abs_tol=0)


@pytest.mark.parametrize("name", OTHERS)
@EXAMPLES
@given(plain=generate.scorecards(), seed=generate.st.integers(0, 2**32))
def test_generated_scorecards_and_accounts_score_alike(name: str, plain: dict, seed: int, tmp_path_factory) -> None:
    frame, card = table(generate.accounts(seed, 60)), card_of(plain)
    folder = tmp_path_factory.mktemp("alike")
    frame.write_parquet(folder / "metrics.parquet")
    running = engine(name)
    metrics = running.read(str(folder / "metrics.parquet"))
    running.write(running.score(metrics, card), str(folder / "scores.parquet"))
    assert_same(written(folder / "scores.parquet"), score(frame, card))


@pytest.mark.parametrize("name", OTHERS)
def test_adversarial_values_score_alike(name: str, tmp_path: Path) -> None:
    frame, card = adversarial(), default(PILLARS)
    frame.write_parquet(tmp_path / "metrics.parquet")
    running = engine(name)
    metrics = running.read(str(tmp_path / "metrics.parquet"))
    running.write(running.score(metrics, card), str(tmp_path / "scores.parquet"))
    assert_same(written(tmp_path / "scores.parquet"), score(frame, card))


SMALL = (
    "name: small\ncoverage: {}\ntiers: [{name: All, min: 0}]\n"
    "groups: {a: {weight: 1, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}}\n"
)
BANDS = (Band("low", 0, 1.5, 4.0), Band("medium", 10, 5.0, 12.5), Band("high", 30, 20.0, 41.0))


@pytest.mark.parametrize("kind", ["account", "band"])
@pytest.mark.parametrize("name", OTHERS)
def test_a_calibration_gives_the_same_probabilities_on_every_engine(
    name: str, kind: CalibrationKind, tmp_path: Path
) -> None:
    card, day = load(SMALL, "small.yaml"), date(2026, 1, 1)
    calibration = Calibration(
        -0.5, 2.5, (0.04, 0.03, 0.05), 0.95, 180, card.hash, "lost", (), 61, 803, 0.07, kind, BANDS, day, day
    )
    csat = [None, 0.0, 1e-9, 33.3, 50.0, 77.7, 100.0]
    frame = table([{"csat_score": value, "health_before_caps_3m": 90.0} for value in csat])
    frame.write_parquet(tmp_path / "metrics.parquet")
    running = engine(name)
    metrics = running.read(str(tmp_path / "metrics.parquet"))
    running.write(running.score(metrics, card, calibration), str(tmp_path / "scores.parquet"))
    wanted = with_probability(score(frame, card), calibration)
    assert wanted["churn_probability_upper"].count() == len(csat) - 1
    assert_frame_equal(written(tmp_path / "scores.parquet"), wanted, rel_tol=1e-9, abs_tol=0)


@pytest.mark.parametrize("kind", [pl.Date, pl.String, pl.Datetime("us")])
@pytest.mark.parametrize("name", ALL)
def test_a_table_of_many_months_gets_its_trend_from_itself_on_every_engine(
    name: str, kind: pl.DataType, tmp_path: Path
) -> None:
    card = load(SMALL, "small.yaml")
    months = pl.date_range(date(2026, 1, 1), date(2026, 8, 1), "1mo", eager=True)
    frame = pl.DataFrame(
        {
            "account_id": ["A"] * 8 + ["B"] * 8,
            "as_of": [*months, *months],
            "csat_score": [90.0, 80, None, 60, 50, 40, 30, 20, *[70.0] * 8],
            "arr": [100.0] * 16,
        }
    )
    frame.with_columns(pl.col("as_of").cast(kind)).write_parquet(tmp_path / "metrics.parquet")
    running, out = engine(name), tmp_path / "scores.parquet"
    scored = files.score_file(running, running.read(str(tmp_path / "metrics.parquet")), "m.parquet", card, str(out))
    assert (scored.rows, scored.rated, scored.last) == (16, 15, date(2026, 8, 1))
    assert scored.tiers.rows() == [("All", 2, 200.0)]
    assert_frame_equal(written(out).sort("account_id", "as_of"), score_table(frame, card), rel_tol=1e-9, abs_tol=0)
    # May of A: z = −2.2 + 0.052·(50 − 50), and a fall of 30 points from February on adds 1.4; 0.7 at a fall of 10 …
    z = {row[0]: row[1] for row in score_table(frame, card).filter(account_id="A").select("as_of", "risk_z").rows()}
    assert (z[months[0]], z[months[4]]) == (pytest.approx(-2.2 - 0.052 * 40), pytest.approx(-2.2 + 1.4))
    assert z[months[5]] == pytest.approx(-2.2 + 0.052 * 10)  # March of A is not known


@pytest.mark.parametrize("name", ["polars", "duckdb"])
def test_dates_that_are_none_and_accounts_twice_on_a_date_are_refused(name: str, tmp_path: Path) -> None:
    days = ["2026-01-01", "2026-01-01", "2026-01-32", "01.02.2026", None, "2026-02-01"]
    frame = pl.DataFrame({"account_id": ["A"] * 6, "as_of": days, "mau": [1.0] * 6})
    frame.write_parquet(tmp_path / "metrics.parquet")
    running = engine(name)
    metrics = running.read(str(tmp_path / "metrics.parquet"))
    with pytest.raises(UsageError) as caught:
        files.score_file(running, metrics, "metrics.parquet", default(), str(tmp_path / "out.parquet"))
    assert str(caught.value).splitlines()[1:] == [
        "  - as_of: empty in 1 row",
        "  - as_of: not a date such as 2026-10-31 in 2 rows",
        "  - account A of 2026-01-01 stands in 2 rows",
    ]


@pytest.mark.parametrize("name", ALL)
def test_a_file_is_scored_and_summed_up_by_tier(name: str, tmp_path: Path) -> None:
    # nothing but signals is known: C has a critical one, and is Critical for it; nobody else can be rated
    frame = pl.DataFrame(
        {
            "account_id": [" A", "B", "C", "D"],
            "arr": [100.0, None, 30.0, 5.0],
            "critical_signals": [0, 0, 1, 0],
            "moderate_signals": [0, 0, 0, 0],
        }
    )
    frame.write_parquet(tmp_path / "metrics.parquet")
    running, out = engine(name), tmp_path / "scores.parquet"
    metrics = running.read(str(tmp_path / "metrics.parquet"))
    scored = files.score_file(running, metrics, "metrics.parquet", default(), str(out))
    assert (scored.rows, scored.rated) == (4, 0)
    assert sorted(scored.tiers.rows()) == [("Critical", 1, 30.0), ("Not Rated", 3, 105.0)]
    assert written(out).select("account_id", "tier").rows() == [
        ("A", "Not Rated"), ("B", "Not Rated"), ("C", "Critical"), ("D", "Not Rated"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_a_table_with_mistakes_is_refused_with_all_of_them_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "account_id": ["A", "A", "B", None, " "],
            "mau": [math.nan, math.inf, 1.0, None, 2.0],
            "dau": ["1", "2", "3", "4", "5"],
            "open_bugs": [-3, 0, None, -1, 2],
            "favourite_colour": ["red"] * 5,
        }
    )
    frame.write_parquet(tmp_path / "metrics.parquet")
    running, out = engine(name), tmp_path / "scores.parquet"
    metrics = running.read(str(tmp_path / "metrics.parquet"))
    with pytest.raises(UsageError) as caught:
        files.score_file(running, metrics, "metrics.parquet", default(), str(out))
    assert str(caught.value).splitlines() == [
        "metrics.parquet:",
        "  - dau: String is no kind of number",
        "  - mau: not a plain number such as 1234.5 in 2 rows",
        "  - account_id: empty in 2 rows",
        "  - account A stands in 2 rows",
    ]
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.parquet"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("columns", [{"account": ["A"]}, {"account_id": []}])
def test_a_table_without_accounts_is_refused(name: str, columns: dict, tmp_path: Path) -> None:
    pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_parquet(tmp_path / "metrics.parquet")
    running = engine(name)
    metrics = running.read(str(tmp_path / "metrics.parquet"))
    with pytest.raises(UsageError, match=r"there is no (column account_id|account in it)"):
        files.score_file(running, metrics, "metrics.parquet", default(), str(tmp_path / "out"))


@pytest.mark.parametrize("name", ALL)
def test_a_place_that_cannot_be_read_or_written_is_named(name: str, tmp_path: Path) -> None:
    running = engine(name)
    (tmp_path / "text.parquet").write_text("this is no Parquet file, but a text that is long enough\n" * 9)
    for absent in ("absent.parquet", "text.parquet"):
        with pytest.raises(UsageError, match=absent):
            running.read(str(tmp_path / absent))
    pl.DataFrame({"account_id": ["A"]}).write_parquet(tmp_path / "metrics.parquet")
    metrics = running.read(str(tmp_path / "metrics.parquet"))
    with pytest.raises(UsageError, match=r"metrics\.parquet.*can't be written"):
        running.write(running.score(metrics, default()), str(tmp_path / "metrics.parquet" / "scores.parquet"))
