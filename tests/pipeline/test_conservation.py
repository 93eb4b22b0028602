"""Every row that a source gave is somewhere: with an account, left out by a rule, outside of the time, or nobody's."""

import polars as pl
import pytest

from accountpulse.core.errors import AccountpulseError
from accountpulse.core.records import TABLES, Extract, RowCounts
from accountpulse.pipeline.conservation import RowsLost, RowsOf, as_data, rows_of, same_accounts

FOUR = pl.DataFrame({"key": ["a", "b", "c", "d"], "feature": ["x"] * 4}, schema=TABLES["features"])


def test_the_parts_add_up_to_what_came() -> None:
    extract = Extract("looker", {"features": FOUR}, counts={"features": RowCounts(9, 2, {"came twice": 3})})
    (found,) = rows_of(extract, {"features": 1})
    assert found == RowsOf("looker", "features", 9, 3, 2, 1, {"came twice": 3})
    assert found.came == found.attributed + found.outside + found.nobodys + sum(found.left_out.values())


def test_a_table_that_says_nothing_has_all_the_rows_that_came() -> None:
    (found,) = rows_of(Extract("looker", {"features": FOUR}), {"features": 4})
    assert (found.came, found.attributed, found.nobodys) == (4, 0, 4)


def test_rows_that_went_nowhere_are_a_fault_of_ours() -> None:
    extract = Extract("looker", {"features": FOUR}, counts={"features": RowCounts(9, 2)})
    with pytest.raises(RowsLost, match="9 rows came for features, 7 should be there, and 4 are") as caught:
        list(rows_of(extract, {}))
    assert isinstance(caught.value, AccountpulseError)
    assert caught.value.exit_code == 1


def test_accounts_and_links_are_judged_elsewhere() -> None:
    tables = {name: pl.DataFrame(schema=TABLES[name]) for name in ("accounts", "links")}
    assert not list(rows_of(Extract("salesforce", tables), {}))


def test_a_sources_tables_are_added_up() -> None:
    rows = [RowsOf("looker", "features", 9, 3, 2, 1, {"came twice": 3}), RowsOf("looker", "figures", 4, 4, 0, 0, {})]
    found = as_data(rows)
    assert {name: found[name] for name in ("came", "attributed", "outside", "nobodys", "left_out")} == {
        "came": 13,
        "attributed": 7,
        "outside": 2,
        "nobodys": 1,
        "left_out": {"came twice": 3},
    }
    assert found["tables"]["figures"]["came"] == 4


def test_an_account_that_is_lost_or_doubled_on_the_way_is_a_fault_of_ours() -> None:
    three = pl.Series(["a", "b", "c"])
    same_accounts(three, pl.Series(["c", "a", "b"]), "metrics")
    for after in (["a", "b"], ["a", "b", "b"], ["a", "b", "c", "c"], ["a", "b", "d"], []):
        with pytest.raises(RowsLost, match="3 accounts were to have metrics"):
            same_accounts(three, pl.Series(after, dtype=pl.String), "metrics")
