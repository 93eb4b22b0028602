"""Training and testing rows: by time, with a gap of one horizon, so that nothing of the future is learned from."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from accountpulse.proof.intervals import Codes, Flags

SplitKind = Literal["time", "accounts"]


@dataclass(frozen=True)
class Fold:
    """Which rows are learned from, and which are foretold from them."""

    training: Flags
    testing: Flags


def forward(month: Codes, gap: int, folds: int, tested: float) -> list[Fold]:
    """The latest months in so many blocks, each with the months before it whose windows had closed.

    `month` counts months (such as year × 12 + month), of which the share `tested` is to be foretold; `gap` is the
    horizon in months, rounded up: a row may be learned from only where its window had ended when the block began. Fewer
    folds, or none, where there aren't months enough.
    """
    months = np.unique(month)
    if not months.size:
        return []
    late = months[(months >= months[0] + gap) & (months >= months[int((1 - tested) * months.size)])]
    blocks = [block for block in np.array_split(late, min(folds, late.size) or 1) if block.size]
    return [Fold(month <= block[0] - gap, (month >= block[0]) & (month <= block[-1])) for block in blocks]


def by_account(codes: Codes, folds: int) -> list[Fold]:
    """Whole accounts in so many parts, by their code: for rows of too few months to part them by time."""
    return [Fold(codes % folds != part, codes % folds == part) for part in range(folds)]
