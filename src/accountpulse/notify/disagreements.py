"""Where the score and people disagree, held against what a channel was last told of each account.

Beside its other columns, the table of what was told holds of each account, for the pulse and for the forecast:

told:<who>        the word that it said then (`scoring/disagreement.py`); empty: nothing
told:<who>_apart  the words of the score and of people that were told as a disagreement; empty: they did not disagree

null in any of them: not known, or told by an earlier version.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import polars as pl

from accountpulse.core.records import Columns
from accountpulse.scoring.columns import OUTLOOK, PULSE_STATE, SCORE_WORD
from accountpulse.scoring.disagreement import contradicts, pulse_text, score_text, with_words
from accountpulse.scoring.scorecard import Scorecard

WhoSays = Literal["pulse", "forecast"]
WHO_SAYS: tuple[WhoSays, ...] = ("pulse", "forecast")
TOLD_WORDS: Columns = {f"told:{who}{end}": pl.String for who in WHO_SAYS for end in ("", "_apart")}
_HEARD = {"pulse": PULSE_STATE, "forecast": OUTLOOK}
UNKNOWN = ("unread", "unclear")  # the states of a pulse that may say anything
ToldWords = Mapping[str, str | None]


@dataclass(frozen=True)
class DisagreementNews:
    """By account, in words: disagreements that began, and those that ended; and what has been told from now on."""

    begun: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ended: Mapping[str, Sequence[str]] = field(default_factory=dict)
    told: Mapping[str, ToldWords] = field(default_factory=dict)


def disagreement_news(
    before: Mapping[str, Mapping[str, Any]],
    scores: pl.DataFrame,
    card: Scorecard,
    last_day: date,
    unread: Collection[str],
    *,
    same_card: bool,
) -> DisagreementNews:
    """Hold what people and the scores say now against what was told.

    `before`: by account what was told, with the SCORE_WORD that its metrics have by `card`: where it was told by
    another scorecard (`same_card` false) that decides what was a disagreement, so that a new one alone tells of nobody.
    An account that is new, or was told by an earlier version, has no news. Where a pulse is unread or unclear, where
    nobody has a pulse or a forecast any more, and of accounts that lack a source (`unread`) or are Not Rated, what was
    told stays, and nothing is said. What ended is told once the account is in no other disagreement.
    """
    heard = {who for who, name in _HEARD.items() if name in scores.columns and scores[name].count() > 0}
    begun: dict[str, list[str]] = {}
    ended: dict[str, list[str]] = {}
    told: dict[str, ToldWords] = {}
    for now in with_words(scores, card).iter_rows(named=True):
        account, is_read = now["account_id"], now[PULSE_STATE] not in UNKNOWN
        then = before.get(account, dict.fromkeys(TOLD_WORDS, "" if is_read else None))
        is_judged = account not in unread and now[SCORE_WORD] != "not rated"
        known = {who for who in heard if is_judged and (is_read or who != "pulse")}
        kept: dict[str, str | None] = {name: then[name] for name in TOLD_WORDS}
        for who in (each for each in WHO_SAYS if each in known):
            word = now[f"{who}_word"] or ""
            apart = f"{now[SCORE_WORD]} {word}" if contradicts(who, now[SCORE_WORD], word) else ""
            was = _apart_then(who, then, same_card=same_card) if account in before else apart
            kept |= {f"told:{who}": word, f"told:{who}_apart": apart}
            if was is not None and apart != was:
                (begun if apart else ended).setdefault(account, []).append(_said(who, now, last_day))
        told[account] = kept
    still = {account for account, words in told.items() if any(words[f"told:{who}_apart"] for who in WHO_SAYS)}
    return DisagreementNews(begun, {each: texts for each, texts in ended.items() if each not in still}, told)


def _apart_then(who: WhoSays, then: Mapping[str, Any], *, same_card: bool) -> str | None:
    """What was told as a disagreement; by another scorecard, what it would have been by this one. None: not known."""
    apart: str | None = then[f"told:{who}_apart"]
    if same_card or apart is None:
        return apart
    word = then[f"told:{who}"]
    return f"{then[SCORE_WORD]} {word}" if contradicts(who, then[SCORE_WORD], word) else ""


def _said(who: WhoSays, now: Mapping[str, Any], last_day: date) -> str:
    """`score Healthy (82.1), pulse red of 2026-11-03`."""
    word = now[f"{who}_word"]
    if who == "forecast":
        said = f"renewal forecast {word or 'no longer of account'}"
    else:
        said = pulse_text(now, last_day) if word else "no pulse that counts"
    return f"{score_text(now)}, {said}"
