"""What walks of Jira bring, in parts that are kept, and the tables that come of them."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from accountpulse.core.records import ISSUE_MOVES, ISSUES, Columns
from accountpulse.core.spooled import PIECE, PartCollector, PartStore, SpooledTable
from accountpulse.http.slice_walk import SliceRows
from accountpulse.systems.jira.rows import DOUBTS, LOST, UNREAD, IssueBatch, Lives, TableRows, framed, merged

_UNKNOWN: Columns = {"key": pl.String, "metric": pl.String}
_DOUBTFUL: Columns = {"issue_id": pl.String, "metric": pl.String}
# `unread` are issues whose histories didn't come with them, `read` those whose histories were fetched since, each as it
# was when it was walked;
# `suspects` those that a key of a query may have found without being shown
TABLES: Mapping[str, Columns] = {
    "issues": ISSUES,
    "issue_moves": ISSUE_MOVES,
    "doubts": DOUBTS,
    "lost": LOST,
    "unread": UNREAD,
    "read": {"issue_id": pl.String, "present": pl.Binary},
    "suspects": {"issue_id": pl.String, "question": pl.String},
}


@dataclass(frozen=True)
class StretchContent:
    """What a slice or a fetch of histories contains: rows of TABLES.

    They become tables by the part: a table for each of many slices costs more than reading its rows. `counts` says
    where they went, `came` how many issues came, by question; `histories`: any entry of one came.
    """

    contents: Mapping[str, TableRows]
    counts: Mapping[str, int] = field(default_factory=dict)
    came: Mapping[str, int] = field(default_factory=dict)
    histories: bool = False

    @property
    def rows(self) -> int:
        """How many rows of all tables."""
        return sum(map(len, self.contents.values()))


def of_slice(batch: IssueBatch, rows: SliceRows, question: str) -> StretchContent:
    """What a slice contains."""
    counts = {
        "came": rows.came,
        "outside": rows.outside + batch.outside,
        "repeated": rows.repeated,
        "undated": batch.undated,
    }
    suspects = [(issue, question) for issue in batch.suspects]
    contents: dict[str, TableRows] = {
        "issues": batch.issues,
        "unread": batch.unread,
        "suspects": suspects,
        **batch.lives.rows(),
    }
    return StretchContent(contents, counts, {question: batch.came}, batch.has_histories)


def of_histories(lives: Lives, issues: Sequence[tuple[str, bytes]], *, any_came: bool) -> StretchContent:
    """What a fetch of histories contains; `issues` with what they were when they were walked."""
    return StretchContent({**lives.rows(), "read": issues}, histories=any_came)


def _joined(batches: Sequence[StretchContent]) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """A part of what several slices contain."""
    rows = {name: [row for each in batches for row in each.contents.get(name, ())] for name in TABLES}
    tables = {name: framed(rows[name], columns) for name, columns in TABLES.items() if rows[name]}
    came, counts = Counter[str](), Counter[str]()
    for each in batches:
        came.update(each.came)
        counts.update(each.counts)
    return tables, {"came": came, "counts": counts, "histories": any(each.histories for each in batches)}


def collector(parts: PartStore) -> PartCollector[StretchContent]:
    """Takes what slices and fetches of histories bring."""
    return PartCollector(parts, {name: SpooledTable(columns) for name, columns in TABLES.items()}, _joined)


def unread(spools: Mapping[str, SpooledTable]) -> pl.DataFrame:
    """The issues whose histories are still to be read (UNREAD), each once, in the order of their ids.

    A history that was fetched for what an issue had been before counts for nothing: the two may contradict each other.
    """
    waiting = pl.DataFrame(schema=UNREAD)
    for mine in _shares(spools["unread"].height + spools["read"].height):
        unread, read = (spools[name].lazy().filter(mine) for name in ("unread", "read"))
        once = unread.unique("issue_id", keep="first", maintain_order=True)
        waiting.extend(once.join(read, on=["issue_id", "present"], how="anti").collect())
    return waiting.sort(pl.col("issue_id").cast(pl.Int64, strict=False), "issue_id")


def _shares(rows: int) -> Iterator[pl.Expr]:
    """Conditions that together take every issue once, each so many as may be in memory."""
    shares = 1 + rows // (2 * PIECE)
    return (pl.col("issue_id").hash() % shares == share for share in range(shares))


def suspects(spools: Mapping[str, SpooledTable]) -> pl.DataFrame:
    """The suspects with their questions and the keys that they show (null: none of their rows is kept)."""
    found = spools["suspects"].lazy().unique()
    shown = spools["issues"].lazy().select("issue_id", "keys").unique("issue_id", keep="first")
    return found.join(shown, on="issue_id", how="left").sort("question", "issue_id").collect()


REPEATED = "came more than once"
MOVED_ON = "changed while they were read"
FOREIGN = "have words of a link in another text"


@dataclass
class Tables:
    """The two tables, how many rows were left out by which rule, and what the issues leave unknown.

    `unknowns` has key and metric, `doubtful` issue_id and metric.
    """

    issues: SpooledTable
    moves: SpooledTable
    unknowns: pl.DataFrame
    left_out: Counter[str]
    doubtful: pl.DataFrame


def tables(spools: Mapping[str, SpooledTable], *, is_text: bool, moved_on: Collection[str], bare: bool) -> Tables:
    """The two tables, each row once; so many issues at a time as may be in memory.

    `is_text`: issues that show no key were found by words of another text. `moved_on` are those that no key finds any
    more. `bare`: issues without a history leave unknown what it would say.
    """
    issues, moves, left_out = SpooledTable(ISSUES), SpooledTable(ISSUE_MOVES), Counter[str]()
    unknown, doubtful = [], []
    for mine in _shares(spools["issues"].height + spools["issue_moves"].height):
        own, own_moves, doubts = (
            spools[name].lazy().filter(mine).collect() for name in ("issues", "issue_moves", "doubts")
        )
        whole, its_moves = merged([(own, own_moves)])
        left_out[REPEATED] += own.height - whole.height
        if is_text or moved_on:
            whole = _without_nobodys(whole, left_out, is_text=is_text, moved_on=moved_on)
        issues.add(whole)
        moves.add(its_moves)
        if not doubts.height:
            continue
        doubts = doubts.filter(~pl.col("bare") | pl.lit(bare)).select("issue_id", "metric").unique()
        owned = doubts.join(whole.select("issue_id", "keys"), on="issue_id").filter(pl.col("keys").list.len() > 0)
        doubtful.append(owned.select("issue_id", "metric"))
        unknown.append(owned.explode("keys").select(key="keys", metric="metric").unique())
    unknowns = pl.concat([pl.DataFrame(schema=_UNKNOWN), *unknown]).unique().sort("key", "metric")
    return Tables(issues, moves, unknowns, left_out, pl.concat([pl.DataFrame(schema=_DOUBTFUL), *doubtful]))


def _without_nobodys(
    issues: pl.DataFrame, left_out: Counter[str], *, is_text: bool, moved_on: Collection[str]
) -> pl.DataFrame:
    """The issues without those that no key has found; counted by the rule that leaves them out."""
    unowned = pl.col("keys").list.len() == 0
    gone = unowned & pl.col("issue_id").is_in(list(moved_on))
    foreign = unowned & ~gone & pl.lit(is_text)
    left_out[MOVED_ON] += issues.filter(gone).height
    left_out[FOREIGN] += issues.filter(foreign).height
    return issues.filter(~gone & ~foreign)
