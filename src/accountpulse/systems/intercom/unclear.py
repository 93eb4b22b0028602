"""Conversations of which something isn't known: what stays null for their accounts, and what the reader is told."""

from collections.abc import Iterator, Mapping

import polars as pl

from accountpulse.core.records import UNKNOWNS
from accountpulse.core.spooled import SpooledTable
from accountpulse.systems.intercom.rows import CAUSES


def unknowns_of(unclear: pl.DataFrame) -> pl.DataFrame:
    """UNKNOWNS: each metric that a conversation leaves open, for each of its keys."""
    metrics = pl.DataFrame(
        [(name, metric) for name, cause in CAUSES.items() for metric in cause.metrics],
        schema={"cause": pl.String, "metric": pl.String},
        orient="row",
    )
    of_keys = unclear.select(key="keys", cause=pl.col("causes").str.split(",")).explode("key").explode("cause")
    found = of_keys.drop_nulls("key").join(metrics, on="cause")
    return found.select("key", "metric", reason=pl.lit("unclear")).select(*UNKNOWNS)


def unclear_notes(unclear: pl.DataFrame) -> Iterator[str]:
    """A line for each cause, with how many conversations have it and one of them."""
    by_cause = unclear.select("conversation_id", cause=pl.col("causes").str.split(",")).explode("cause").unique()
    for name, cause in CAUSES.items():
        ids = by_cause.filter(pl.col("cause") == name)["conversation_id"].sort()
        if ids.len():
            metrics = ", ".join(cause.metrics) if len(cause.metrics) < 4 else "the support metrics"
            yield f"{ids.len():,} conversations {cause.what}, such as {ids[0]}: {metrics} of their accounts stay empty"


def kept_once(spool: SpooledTable) -> tuple[SpooledTable, Mapping[str, str]]:
    """Each conversation once; and the keys of those that came twice with different facts, each with its conversation.

    A walk shows a conversation once, unless its time of creation changed on the way.
    """
    ids = spool.lazy().select("conversation_id").collect().to_series()
    if ids.n_unique() == ids.len():
        return spool, {}
    rows = spool.lazy().collect()
    different = rows.unique(maintain_order=True).filter(pl.col("conversation_id").is_duplicated())
    owned = different.select("conversation_id", key="keys").explode("key").drop_nulls("key")
    once = SpooledTable(spool.columns)
    once.add(rows.unique("conversation_id", keep="first", maintain_order=True))
    return once, dict(zip(owned["key"], owned["conversation_id"], strict=True))


def several_notes(several: Mapping[str, str]) -> Iterator[str]:
    """What the reader is told of conversations that came twice with different facts."""
    talks = sorted(set(several.values()))
    if talks:
        what = f"{len(talks):,} conversations came twice with different facts, such as {talks[0]}"
        yield f"{what}: the support metrics of their accounts stay empty"
