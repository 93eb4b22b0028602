"""What the score and the CSM's pulse said six and three months before each renewal, and who of the two was right."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Literal

import polars as pl

from accountpulse.core.outcomes import LOST, RENEWED
from accountpulse.core.records import Columns
from accountpulse.proof.document import WordRecord, WordsAtLead
from accountpulse.proof.figures import counted, were
from accountpulse.proof.labels import LOST_ON, RENEWAL_ON
from accountpulse.scoring.columns import AS_OF, HEALTH, PULSE, PULSE_STATE, SCORE_WORD, TIER
from accountpulse.scoring.disagreement import PULSES, SCORE_WORDS, pulse_word, score_word
from accountpulse.scoring.scorecard import Scorecard

LEADS = (180, 90)  # days before the renewal
OLDEST = 92  # days before these that a month may lie: one that is older is no word of that time
LEAST = 20  # accounts below which nothing is said but how many renewals there were
NO_PULSE = "none"
WORDS: Columns = {
    "account_id": pl.String, "renewal": pl.Date, "lead": pl.Int64, AS_OF: pl.Date, HEALTH: pl.Float64, TIER: pl.String,
    "score_word": pl.String, PULSE: pl.String, PULSE_STATE: pl.String, "pulse_word": pl.String, "outcome": pl.String,
}  # fmt: skip
_DISAGREED = pl.concat_str("score_word", "pulse_word", separator=" ").is_in(["green red", "red green"])
_LOST = pl.col("outcome") == LOST
Who = Literal["score", "pulse"]


def has_pulses(months: pl.DataFrame) -> bool:
    """Whether any month knows a pulse of any account."""
    return PULSE in months.columns and months[PULSE].count() > 0


def words_before(months: pl.DataFrame, renewals: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """Both words before each renewal that has an outcome, one row a lead, as WORDS, by account, renewal and lead.

    `renewals` as `labels.renewal_rows` gives them: those with `lost` null have no outcome yet, and no row. A word is
    that of the last of the `months` with `as_of` <= the renewal − `lead` days, of an account that was a customer then.
    Where there is none in the quarter before that day `as_of` and all that was said are null. `health_score` and `tier`
    are as the months have them; `score_word` is `green`, `between`, `red` or `not rated`, by the months' own scorecards
    and, where they don't say, by `card`; `pulse_word` the pulse, or `none` where there was none that counted
    (`pulse_state` says why). `outcome` is `lost` or `renewed`.
    """
    known = {name: pl.String for name in (PULSE, PULSE_STATE, SCORE_WORD) if name not in months.columns}
    said = (
        months.with_columns(pl.lit(None, kind).alias(name) for name, kind in known.items())
        .select(
            pl.col("account_id").cast(pl.String), AS_OF, HEALTH, pl.col(TIER).cast(pl.String),
            pl.coalesce(SCORE_WORD, score_word(card)).alias(SCORE_WORD), PULSE, PULSE_STATE,
            pulse_word().fill_null(NO_PULSE).alias("pulse_word"),
        )
        .sort(AS_OF)
    )  # fmt: skip
    ended = renewals.filter(pl.col(LOST).is_not_null()).select(
        pl.col("account_id").cast(pl.String),
        pl.col(RENEWAL_ON).alias("renewal"),
        LOST_ON,
        pl.when(pl.col(LOST)).then(pl.lit(LOST)).otherwise(pl.lit(RENEWED)).alias("outcome"),
    )
    return pl.concat(_read_at(said, ended, lead) for lead in LEADS).sort("account_id", "renewal", "lead")


def _read_at(said: pl.DataFrame, ended: pl.DataFrame, lead: int) -> pl.DataFrame:
    """The renewals with what was said `lead` days before."""
    day = pl.col("renewal") - timedelta(days=lead)
    due = ended.with_columns(read_on=pl.min_horizontal(day, pl.col(LOST_ON) - timedelta(days=1)), lead=pl.lit(lead))
    read = due.sort("read_on").join_asof(
        said.with_columns(pl.col(AS_OF).alias("month")),
        left_on="read_on",
        right_on="month",
        by="account_id",
        tolerance=timedelta(days=OLDEST),
        check_sortedness=False,  # what is sorted as a whole is sorted within each account
    )
    return read.select(pl.col(name).cast(kind) for name, kind in WORDS.items())


def who_was_right(words: pl.DataFrame) -> tuple[WordsAtLead, ...]:
    """What WORDS show, for each lead: how often the two disagreed, what became of these renewals, and of each word's.

    A score or a pulse that was red is right where the renewal was lost, one that was green where it was kept.
    """
    return tuple(_at_lead(words.filter(lead=lead), lead) for lead in LEADS)


def _at_lead(rows: pl.DataFrame, lead: int) -> WordsAtLead:
    read = rows.filter(pl.col(AS_OF).is_not_null())
    apart = read.filter(_DISAGREED)
    lost, right = _lost(apart), None
    if lost is not None:
        right = apart.filter((pl.col("score_word") == "red") == _LOST).height
    return WordsAtLead(
        lead_days=lead,
        renewals=read.height,
        unread=rows.height - read.height,
        with_pulse=read.filter(pl.col("pulse_word") != NO_PULSE).height,
        disagreed=apart.height,
        disagreed_accounts=apart["account_id"].n_unique(),
        lost=lost,
        score_right=right,
        pulse_right=None if right is None else apart.height - right,
        records=(*_records(read, "score", SCORE_WORDS), *_records(read, "pulse", (*PULSES, NO_PULSE))),
        text=_told(apart, read.height, lost, right),
    )


def _told(apart: pl.DataFrame, read: int, lost: int | None, score_right: int | None) -> str:
    """`One was green and the other red before 34 of 210 renewals, of which 21 were lost: the score was right …`."""
    accounts = apart["account_id"].n_unique()
    if lost is None or score_right is None:
        of = "" if accounts == apart.height else f" of {counted(accounts, 'account')}"
        return f"{counted(apart.height, 'renewal')}{of} on which they disagreed; shown from {LEAST} accounts."
    return (
        f"One was green and the other red before {apart.height:,} of {counted(read, 'renewal')}; {were(lost)} lost. "
        f"The score was right on {score_right:,}, the pulse on {apart.height - score_right:,}."
    )


def _lost(rows: pl.DataFrame) -> int | None:
    """How many of the renewals were lost; None where they are of too few accounts."""
    return rows.filter(_LOST).height if rows["account_id"].n_unique() >= LEAST else None


def _records(read: pl.DataFrame, who: Who, words: Iterable[str]) -> Iterator[WordRecord]:
    for word in words:
        rows = read.filter(pl.col(f"{who}_word") == word)
        yield WordRecord(who, word, rows.height, rows["account_id"].n_unique(), _lost(rows))
