"""Tables of a row an account, laid beside each other."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def beside(table: "pl.DataFrame", more: "pl.DataFrame") -> "pl.DataFrame":
    """The table with the columns of `more` that it doesn't have, by `account_id`; null where `more` lacks the account.

    Its rows and their order stay, and nothing of it is copied: a join copies all columns of both. `more` has an account
    once.
    """
    ids = table.select("account_id")
    if not ids["account_id"].equals(more["account_id"]):
        more = ids.join(more, on="account_id", how="left", maintain_order="left", validate="m:1")
    return table.with_columns(more[name] for name in more.columns if name not in table.columns)
