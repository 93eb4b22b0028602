"""The report's own few lines of the last backtest: whether the score says who leaves."""

from collections.abc import Mapping
from typing import Any

from accountpulse.scoring.scorecard import Scorecard


def proof(kept: Mapping[str, Any] | None, card: Scorecard) -> dict[str, Any] | None:
    """What the last backtest said; None: there is none.

    `customers` and `left` are those of its months, `auc` of the sample that its sentences speak of (value, lower,
    upper; null: not shown), `not_proven` the first of what it doesn't prove, `same_scorecard` whether it judged the
    scorecard of this month.
    """
    if kept is None:
        return None
    document = kept["document"]
    main = document["renewals" if document["main"] == "renewals" else "account_months"]
    return {
        "made_at": kept["made_at"],
        "known_until": document["known_until"],
        "months": len(document["months"]),
        "customers": document["labels"]["accounts"],
        "left": document["labels"]["departures"],
        "scorecard": document["scorecard"],
        "same_scorecard": document["scorecard"]["hash"] == card.hash,
        "sentences": document["sentences"],
        "auc": main["ranking"]["auc"] if main["ranking"] else None,
        "not_proven": next(iter(document["not_proven"]), None),
    }
