"""Both words before a renewal, and who was right: hand-counted."""

from datetime import date

import polars as pl
import pytest

from accountpulse.proof.words import WORDS, has_pulses, who_was_right, words_before
from accountpulse.scoring import scorecard

CARD = scorecard.default()
RENEWAL = date(2026, 7, 1)  # 180 days before it: 2026-01-02; 90 days: 2026-04-02
GREEN, RED = ("Healthy", 80.0), ("Critical", 30.0)
Said = tuple[str, str | None, str | None]  # account, pulse, its state


def month(account: str, as_of: date, score: tuple[str, float], pulse: str | None = None) -> dict[str, object]:
    state = None if pulse is None else "current"
    return {"account_id": account, "as_of": as_of, "tier": score[0], "health_score": score[1], "pulse_colour": pulse,
            "pulse_state": state}  # fmt: skip


def renewal(account: str, *, lost: bool | None, lost_on: date | None = None) -> dict[str, object]:
    return {"account_id": account, "renewal_on": RENEWAL, "lost": lost, "lost_on": lost_on}


def words(months: list[dict[str, object]], renewals: list[dict[str, object]]) -> pl.DataFrame:
    schema = {"account_id": pl.String, "renewal_on": pl.Date, "lost": pl.Boolean, "lost_on": pl.Date}
    return words_before(pl.DataFrame(months, infer_schema_length=None), pl.DataFrame(renewals, schema=schema), CARD)


def read(found: pl.DataFrame) -> list[tuple[object, ...]]:
    return found.select("account_id", "lead", "as_of", "score_word", "pulse_word", "outcome").rows()


def test_each_lead_has_the_words_of_the_last_month_that_lies_so_long_before() -> None:
    months = [
        month("a", date(2025, 12, 1), GREEN, "red"),
        month("a", date(2026, 1, 2), ("At Risk", 60.0), "yellow"),  # the 180th day before
        month("a", date(2026, 1, 3), RED, "green"),  # too late for it
        month("a", date(2026, 4, 1), RED, None),
        month("a", date(2026, 5, 1), GREEN, "red"),  # after both
    ]
    found = words(months, [renewal("a", lost=False)])
    assert found.schema == WORDS
    assert read(found) == [
        ("a", 90, date(2026, 4, 1), "red", "none", "renewed"),
        ("a", 180, date(2026, 1, 2), "between", "yellow", "renewed"),
    ]


def test_a_month_that_lies_more_than_a_quarter_further_back_is_no_word_of_that_time() -> None:
    months = [month("a", date(2025, 10, 2), GREEN, "red"), month("b", date(2025, 10, 1), GREEN, "red")]
    found = words(months, [renewal("a", lost=True), renewal("b", lost=True)])  # 92 and 93 days before 2026-01-02
    assert read(found.filter(lead=180)) == [
        ("a", 180, date(2025, 10, 2), "green", "red", "lost"),
        ("b", 180, None, None, None, "lost"),
    ]


def test_a_renewal_without_an_outcome_and_an_account_that_had_left_have_no_word() -> None:
    months = [month("open", date(2026, 1, 1), GREEN, "red"), month("left", date(2026, 4, 1), GREEN, "red")]
    renewals = [renewal("open", lost=None), renewal("left", lost=True, lost_on=date(2026, 4, 1))]
    assert read(words(months, renewals)) == [
        ("left", 90, None, None, None, "lost"),
        ("left", 180, None, None, None, "lost"),
    ]


@pytest.mark.parametrize("state", ["void", "restarted", "undated", "unclear"])
def test_a_pulse_that_no_longer_counts_is_kept_with_its_state_and_is_no_word(state: str) -> None:
    then = month("a", date(2026, 4, 1), GREEN, "red") | {"pulse_state": state}
    found = words([then], [renewal("a", lost=True)]).filter(lead=90)
    assert found.select("pulse_colour", "pulse_state", "pulse_word").rows() == [("red", state, "none")]


def disagreeing(count: int) -> pl.DataFrame:
    """Accounts 0, 1, …: by turns green with a red pulse, and red with a green one; every third of them left."""
    said = [(GREEN, "red"), (RED, "green")]
    months = [month(f"a{n}", date(2026, 4, 1), *said[n % 2]) for n in range(count)]
    return words(months, [renewal(f"a{n}", lost=n % 3 == 0) for n in range(count)])


def test_who_was_right_is_said_from_twenty_accounts_on() -> None:
    few, many = (who_was_right(disagreeing(count))[1] for count in (19, 20))
    assert (few.lead_days, few.disagreed, few.lost, few.score_right, few.pulse_right) == (90, 19, None, None, None)
    assert few.text == "19 renewals on which they disagreed; shown from 20 accounts."
    # of 20: lost are 0, 3, 6, 9, 12, 15, 18; of these the score was red on 3, 9, 15; green and kept: 10 less 4
    assert (many.disagreed, many.lost, many.score_right, many.pulse_right) == (20, 7, 9, 11)
    assert many.text == (
        "One was green and the other red before 20 of 20 renewals; 7 were lost. The score was right on 9, the pulse on "
        "11."
    )


def test_twenty_renewals_of_fewer_accounts_show_nothing() -> None:
    found = disagreeing(20).with_columns(pl.col("account_id").replace({"a19": "a0"}))
    lead = who_was_right(found)[1]
    assert (lead.disagreed, lead.disagreed_accounts, lead.lost) == (20, 19, None)
    assert lead.text == "20 renewals of 19 accounts on which they disagreed; shown from 20 accounts."


def test_each_word_has_a_record_of_its_own_from_twenty_accounts_on() -> None:
    months = [month(f"a{n}", date(2026, 4, 1), GREEN, "red" if n < 21 else None) for n in range(25)]
    lead = who_was_right(words(months, [renewal(f"a{n}", lost=n < 5) for n in range(25)]))[1]
    counts = {(each.who, each.word): (each.renewals, each.lost) for each in lead.records}
    assert counts == {
        ("score", "green"): (25, 5), ("score", "between"): (0, None), ("score", "red"): (0, None),
        ("score", "not rated"): (0, None), ("pulse", "green"): (0, None), ("pulse", "yellow"): (0, None),
        ("pulse", "red"): (21, 5), ("pulse", "none"): (4, None),
    }  # fmt: skip
    assert (lead.renewals, lead.with_pulse) == (25, 21)


def test_months_that_never_knew_a_pulse_have_the_scores_word_alone() -> None:
    months = pl.DataFrame([month("a", date(2026, 4, 1), GREEN)]).drop("pulse_colour", "pulse_state")
    assert not has_pulses(months)
    found = words(months.to_dicts(), [renewal("a", lost=False)]).filter(lead=90)
    assert found.select("score_word", "pulse_colour", "pulse_word").rows() == [("green", None, "none")]
