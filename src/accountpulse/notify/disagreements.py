"""Where the score and people disagree, held against what a channel was last told of each account.

Beside its other columns, the table of what was told holds of each account what its people said then:

told:pulse, told:forecast  the words of `scoring/disagreement.py`; empty: nothing; null: an earlier version told it
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import polars as pl

from accountpulse.core.records import Columns
from accountpulse.scoring.columns import OUTLOOK, PULSE_STATE
from accountpulse.scoring.disagreement import contradicts, pulse_text, score_text, with_words
from accountpulse.scoring.scorecard import Scorecard

WhoSays = Literal["pulse", "forecast"]
WHO_SAYS: tuple[WhoSays, ...] = ("pulse", "forecast")
TOLD_WORDS: Columns = {"told:pulse": pl.String, "told:forecast": pl.String}
_HEARD = {"pulse": PULSE_STATE, "forecast": OUTLOOK}
UNREAD = "unread"  # the state of a pulse that nobody could look at
SCORE_WORD = "score_word"


@dataclass(frozen=True)
class DisagreementNews:
    """By account, in words: disagreements that began, and those that ended; and what has been told from now on."""

    begun: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ended: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)


def disagreement_news(
    before: Mapping[str, Mapping[str, Any]],
    scores: pl.DataFrame,
    card: Scorecard,
    last_day: date,
    unread: Collection[str],
) -> DisagreementNews:
    """Hold what people and the scores say now against what was told.

    `before`: by account what was told, with the SCORE_WORD that its metrics have by `card`, so that a new scorecard
    alone tells of nobody. An account that is new, or was told by an earlier version, has no news. Where a pulse can't
    be read, where nobody has a pulse or a forecast any more, and of accounts that lack a source (`unread`), what was
    told stays, and nothing is said.
    """
    heard = {kind for kind, name in _HEARD.items() if name in scores.columns and scores[name].count() > 0}
    begun, ended, told = {}, {}, {}
    for now in with_words(scores, card).iter_rows(named=True):
        account, is_read = now["account_id"], now[PULSE_STATE] != UNREAD
        then = before.get(account, dict.fromkeys(TOLD_WORDS, "" if is_read else None))
        known = {kind for kind in heard if account not in unread and (is_read or kind != "pulse")}
        told[account] = {
            f"told:{kind}": (now[f"{kind}_word"] or "") if kind in known else then[f"told:{kind}"] for kind in WHO_SAYS
        }
        changed = [
            kind for kind in WHO_SAYS if kind in known and account in before and then[f"told:{kind}"] is not None
        ]
        if new := tuple(_texts(changed, then, now, last_day, begins=True)):
            begun[account] = new
        if gone := tuple(_texts(changed, then, now, last_day, begins=False)):
            ended[account] = gone
    return DisagreementNews(begun, ended, told)


def _texts(
    kinds: Collection[WhoSays], then: Mapping[str, Any], now: Mapping[str, Any], last_day: date, *, begins: bool
) -> Iterator[str]:
    for kind in kinds:
        was = (then[SCORE_WORD], then[f"told:{kind}"] or None)
        pair = (now[SCORE_WORD], now[f"{kind}_word"])
        is_apart = contradicts(kind, *pair)
        if (is_apart and pair != was) if begins else (contradicts(kind, *was) and not is_apart):
            yield f"{score_text(now)}, {_said(kind, now, last_day)}"


def _said(kind: WhoSays, now: Mapping[str, Any], last_day: date) -> str:
    word = now[f"{kind}_word"]
    if kind == "forecast":
        return f"renewal forecast {word or 'no longer of account'}"
    return pulse_text(now, last_day) if word else "no pulse that counts"
