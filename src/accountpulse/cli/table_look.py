"""How tables of scores look to people: two decimals, the tiers' colours, the drivers in words."""

from collections.abc import Iterator

import polars as pl

from accountpulse.cli import summary
from accountpulse.core.xlsx_writing import TableLook
from accountpulse.scoring import explain
from accountpulse.scoring.columns import AS_OF, DRIVERS, DRIVERS_TEXT, TIER
from accountpulse.scoring.scorecard import Scorecard
from accountpulse.scoring.scores import detail_columns
from accountpulse.scoring.trend import KEYS

DECIMALS = 2  # as in Salesforce
MOST_WORDED = 50_000  # rows of a .csv whose drivers are put in words, which takes longer than to score them
_COLOURS = {"green": "#D9EAD3", "yellow": "#FFF2CC", "red": "#F4CCCC", "dim": "#EEEEEE"}


def look_of(frame: pl.DataFrame, *cards: Scorecard) -> TableLook:
    """Decimals for all numbers with any, colours for the columns of tiers."""
    styles = {name: style for card in cards for name, style in summary.tier_styles(card.tier_names).items()}
    colours = {name: _COLOURS[style] for name, style in styles.items()}
    return TableLook(
        decimals={name: DECIMALS for name, kind in frame.schema.items() if kind.is_float()},
        colours={name: colours for name in frame.columns if name.startswith(TIER)},
        wide=tuple(name for name in (DRIVERS_TEXT, "why") if name in frame.columns),
    )


def for_people(scores: pl.DataFrame, inputs: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """The scores with the accounts' names; those in detail with the sentences of `explain` in place of the detail.

    `inputs` are the rows that the scores were made of: one of them an account, or an account and date.
    """
    keys = [name for name in KEYS if name in scores.columns]
    more = [name for name in inputs.columns if name not in scores.columns]
    both = scores.join(inputs.select(*keys, *more), on=keys, how="left", maintain_order="left")
    detail = detail_columns(card)
    chosen = [name for name in scores.columns if name not in detail]
    if detail & set(scores.columns):
        both = both.with_columns(pl.Series(DRIVERS_TEXT, list(_sentences(both, card)), dtype=pl.String))
        chosen.insert(chosen.index(DRIVERS) + 1, DRIVERS_TEXT)
    if "account_name" in more:
        chosen.insert(1, "account_name")
    return both.select(chosen)


def _sentences(rows: pl.DataFrame, card: Scorecard) -> Iterator[str | None]:
    for row in rows.iter_rows(named=True):
        yield "; ".join(explain.sentences(row, card, row.get(AS_OF))) or None
