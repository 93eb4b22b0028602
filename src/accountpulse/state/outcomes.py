"""Who left and who renewed, as it became known; and which accounts were merged into which.

```
outcomes/outcomes.parquet   what systems said (records.OUTCOMES): one row an account, kind, day and origin
outcomes/table.parquet      what a table said that was imported, in place of an earlier one
outcomes/merges.parquet     records.MERGES
```
Systems lose sight of accounts that were deleted: what was kept of these stays.
"""

from collections.abc import Collection, Mapping

import polars as pl

from accountpulse.core.outcomes import KEY
from accountpulse.core.records import MERGES, OUTCOMES, Columns
from accountpulse.state.files import Files

SAID, TABLE, MERGED = (f"outcomes/{name}.parquet" for name in ("outcomes", "table", "merges"))
_NAMED = (*KEY, "origin")


class Outcomes:
    """What became of customers."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    def said(self) -> pl.DataFrame:
        """What systems said, as OUTCOMES; `origin` is the way by which they were asked."""
        return self._table(SAID, OUTCOMES)

    def imported(self) -> pl.DataFrame:
        """What the table said that was imported last, as OUTCOMES."""
        return self._table(TABLE, OUTCOMES)

    def keep(self, said: pl.DataFrame, accounts: Collection[str]) -> None:
        """Keep what systems say now, as OUTCOMES; `accounts` are those that they can see.

        In place of what each way said before of these accounts and of those in `said`, as far back as it reaches now.
        All else stays: what is older, other accounts, and ways that say nothing now, since they may not have been read.
        The first `known_at` of an outcome stays.
        """
        before = self.said()
        seen = pl.col("account_id").is_in([*accounts, *said["account_id"]])
        reach = said.group_by("origin").agg(reach=pl.col("happened_on").min())
        reached = seen & (pl.col("happened_on") >= pl.col("reach")).fill_null(value=False)
        stays = before.join(reach, on="origin", how="left").remove(reached).select(*OUTCOMES)
        stays = stays.join(said, on=_NAMED, how="anti")
        now = pl.concat([stays, _first_known(said, before)]).sort(*_NAMED)
        if not now.equals(before):
            self._files.write_table(SAID, now)

    def import_table(self, table: pl.DataFrame) -> int:
        """Keep an imported table, as OUTCOMES, in place of the one before; how many rows that had."""
        before = self.imported()
        self._files.write_table(TABLE, _first_known(table, before))
        return before.height

    def keep_merges(self, merges: pl.DataFrame) -> None:
        """Add merges, as MERGES, to those that are known; an account that is merged again goes where it did last."""
        before = self.merges()
        now = pl.concat([before, merges]).unique("account_id", keep="last").sort("account_id")
        if not now.equals(before):
            self._files.write_table(MERGED, now)

    def merges(self) -> pl.DataFrame:
        """All merges that are known, as MERGES."""
        return self._table(MERGED, MERGES)

    def survivors(self) -> dict[str, str]:
        """For each account that was merged into another one, the account that is left, over all merges."""
        into = dict(self.merges().iter_rows())
        found = {account: _last(into, account) for account in into}
        return {account: last for account, last in found.items() if account != last}

    def forget(self, account_ids: Collection[str]) -> int:
        """Take accounts out of everything here; how many rows there were."""
        gone = 0
        for name, columns in ((SAID, OUTCOMES), (TABLE, OUTCOMES), (MERGED, MERGES)):
            table = self._table(name, columns)
            ids = [column for column in ("account_id", "survivor_id") if column in columns]
            rest = table.filter(~pl.any_horizontal(pl.col(column).is_in([*account_ids]) for column in ids))
            if rest.height < table.height:
                self._files.write_table(name, rest)
                gone += table.height - rest.height
        return gone

    def _table(self, name: str, columns: Columns) -> pl.DataFrame:
        found = self._files.read_table(name)
        return pl.DataFrame(schema=columns) if found is None else found


def _first_known(said: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """The outcomes, each with the first `known_at` that it had."""
    first = before.select(*_NAMED, first="known_at")
    joined = said.join(first, on=_NAMED, how="left", maintain_order="left")
    return joined.with_columns(known_at=pl.min_horizontal("first", "known_at")).select(*OUTCOMES)


def _last(into: Mapping[str, str], account: str) -> str:
    """Where an account's merges end; in a circle, the last one that is new."""
    passed = [account]
    while (following := into.get(passed[-1])) is not None and following not in passed:
        passed.append(following)
    return passed[-1]
