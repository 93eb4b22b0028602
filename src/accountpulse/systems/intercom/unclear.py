"""Conversations of which something isn't known: what stays null for their accounts, and what the reader is told."""

from collections.abc import Iterator, Mapping

import polars as pl

from accountpulse.core.records import UNKNOWNS
from accountpulse.core.spooled import SpooledTable
from accountpulse.systems.intercom.rows import CAUSES

ID = "conversation_id"
SHARE = 200_000  # ids that are compared at once, about


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
    twice = _ids_that_came_twice(spool)
    if twice.is_empty():
        return spool, {}
    rows, once = [], SpooledTable(spool.columns)
    for piece in spool.pieces():
        repeats = pl.col(ID).is_in(twice.implode())
        rows.append(piece.filter(repeats))
        once.add(piece.filter(~repeats))
    facts = pl.concat(rows).unique(maintain_order=True)
    once.add(facts.unique(ID, keep="first", maintain_order=True))
    owned = facts.filter(pl.col(ID).is_duplicated()).select(ID, key="keys").explode("key").drop_nulls("key")
    return once, dict(zip(owned["key"], owned[ID], strict=True))


def _ids_that_came_twice(spool: SpooledTable) -> pl.Series:
    """Sought by their hashes, share by share of these: many ids would take more memory than anything else here."""
    hashed, shares = pl.col(ID).hash(), spool.height // SHARE + 1
    found = [pl.Series(ID, dtype=pl.String)]
    for number in range(shares):
        in_share = (piece.select(hashed)[ID] for piece in spool.pieces(ID))
        hashes = pl.concat(each.filter(each % shares == number) for each in in_share).sort()
        twice = hashes.filter(hashes == hashes.shift()).unique()
        if not twice.is_empty():
            found += [piece.filter(hashed.is_in(twice.implode()))[ID] for piece in spool.pieces(ID)]
    ids = pl.concat(found)
    return ids.filter(ids.is_duplicated()).unique()


def several_notes(several: Mapping[str, str]) -> Iterator[str]:
    """What the reader is told of conversations that came twice with different facts."""
    talks = sorted(set(several.values()))
    if talks:
        what = f"{len(talks):,} conversations came twice with different facts, such as {talks[0]}"
        yield f"{what}: the support metrics of their accounts stay empty"
