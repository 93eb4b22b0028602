"""The benchmark's scorecard (30 metrics in 7 dimensions) and its invented accounts, in a Parquet file of any size."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import yaml

from accountpulse.scoring.scorecard import default_text

PILLARS = ("operations", "automation", "insight", "reach", "quality", "savings")
SIGNALS = ("critical_signals", "moderate_signals", "watch_signals", "critical_confirmed_signals")
CHUNK = 250_000
# the largest value of a metric; others go to 1.2 × their last anchor
LARGEST = {"critical_bugs": 2, "payment_health": 3, "mau": 400, "dau": 120, "total_conversations": 60}


def scorecard() -> dict:
    """The packaged scorecard as plain data, adoption split in two and its pillars written out."""
    card = yaml.safe_load(default_text())
    adoption = card["groups"]["adoption"]["metrics"]
    depth = {name: adoption.pop(name) for name in ("feature_breadth", "login_frequency")}
    card["groups"]["depth"] = {"weight": 0.12, "metrics": depth}
    card["groups"]["adoption"]["weight"] = 0.18
    card["groups"]["platform_value"] = {
        "weight": 0.2,
        "metrics": {f"pillar_{name}": {"weight": 1, "anchors": [[0, 0], [100, 100]]} for name in PILLARS},
    }
    card["segments"] = [
        {
            "name": "enterprise",
            "when": {"segment": ["Enterprise"]},
            "anchors": {"median_first_response_seconds": [[1800, 100], [3600, 75], [7200, 50], [14400, 0]]},
        }
    ]
    return card


def _curves(card: dict) -> dict[str, list]:
    found = {}
    for group in card["groups"].values():
        for name, rule in group["metrics"].items():
            found[name] = rule["anchors"]
            if "else" in rule:
                found[rule["else"]["metric"]] = rule["else"]["anchors"]
    return found


def _columns(card: dict, rows: int, seed: int) -> pl.DataFrame:
    """Values from below the first anchor to beyond the last, counts as whole numbers; one in twenty unknown."""
    index = pl.int_range(rows, dtype=pl.UInt64)

    def chance(salt: int) -> pl.Expr:
        return (index + seed * 1_000_003).hash(salt).cast(pl.Float64) / 2.0**64

    made = {"account_id": pl.format("001{}QAA", (index + seed).cast(pl.String).str.zfill(12))}
    made["segment"] = pl.when(chance(1) < 0.3).then(pl.lit("Enterprise")).otherwise(pl.lit("Standard"))
    made["seats"] = pl.when(chance(2) > 0.05).then((chance(3) * 400).floor() + 1)
    made["health_before_caps_3m"] = pl.when(chance(4) > 0.1).then(chance(5) * 100)
    for salt, (name, curve) in enumerate(_curves(card).items()):
        low, high = curve[0][0], LARGEST.get(name, curve[-1][0] * 1.2)
        value = low - 0.05 * (high - low) + chance(100 + salt) * (high - low) * 1.05
        value = value.floor().clip(min(0.0, low), None) if high <= 400 and not name.startswith("pillar_") else value
        made[name] = pl.when(chance(200 + salt) > 0.05).then(value)
    for salt, name in enumerate(SIGNALS):
        made[name] = pl.when(chance(300 + salt) > 0.01).then((chance(400 + salt) ** 12 * 3).floor())
    return pl.select(i=pl.int_range(rows)).select(**made)


def write(path: Path, card: dict, accounts: int) -> None:
    """`accounts` rows, in row groups that any reader can stream."""
    writer = None
    for start in range(0, accounts, CHUNK):
        table = _columns(card, min(CHUNK, accounts - start), start).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=CHUNK)
    if writer:
        writer.close()
