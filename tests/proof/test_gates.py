"""What is allowed by the number of departures, and every refusal with its numbers."""

from dataclasses import replace

import pytest

from accountpulse.proof.gates import Claim, Evidence, gate
from accountpulse.proof.intervals import Interval

GOOD = Evidence(
    events=120,
    stayed=300,
    months=18,
    quarters=6,
    auc=Interval(0.7, 0.65, 0.75),
    slope=0.9,
    skill=Interval(0.04, 0.01, 0.07),
)
ALL = frozenset(Claim)
SOME = frozenset({Claim.COUNTS})
RANKED = SOME | {Claim.RANKING}
BANDS = RANKED | {Claim.BANDS}
FULL = BANDS | {Claim.PROBABILITY, Claim.DIMENSION_WEIGHTS}


@pytest.mark.parametrize(
    ("events", "allowed"),
    [(0, SOME), (9, SOME), (10, RANKED), (19, RANKED), (20, BANDS), (49, BANDS), (50, FULL), (99, FULL), (100, ALL)],
)
def test_the_number_of_departures_allows(events, allowed):
    found = gate(replace(GOOD, events=events))
    assert found.allowed == allowed
    assert " ".join(found.refusals).count("it takes") == {SOME: 4, RANKED: 3, BANDS: 2, FULL: 1, ALL: 0}[allowed]


def test_too_few_departures_are_told_with_what_it_takes():
    few, more = gate(replace(GOOD, events=32, horizon_days=60, aside=("3 more left",))).refusals
    assert more == "3 more left"
    assert few == (
        "Customers who left within 60 days of a month with a churn risk: 32. For a probability for each customer and "
        "suggested weights of dimensions it takes 50; for suggested weights of metrics it takes 100."
    )


WEIGHTS = {Claim.DIMENSION_WEIGHTS, Claim.LEAF_WEIGHTS}
PROBABILITIES = {Claim.BANDS, Claim.PROBABILITY}


@pytest.mark.parametrize(
    ("change", "withheld", "words"),
    [
        ({"months": 11}, {Claim.PROBABILITY}, "known: 11."),
        ({"quarters": 1}, PROBABILITIES | WEIGHTS, "All 120 customers who left did so in one quarter."),
        ({"stayed": 9}, PROBABILITIES | WEIGHTS, "had a churn risk and stayed: 9. It takes 10"),
        ({"unscored": 14}, PROBABILITIES | WEIGHTS, "Of 134 customers who left, 14 (10 %) had no score in time."),
        (
            {"auc": Interval(0.97, 0.95, 0.99), "suspects": ("Seats", "ARR")},
            PROBABILITIES | WEIGHTS | {Claim.RANKING},
            "changed, after the customer left. Look at: Seats, ARR.",
        ),
        ({"slope": 0.0}, PROBABILITIES, "the fitted slope is 0.00."),
        ({"slope": None}, PROBABILITIES, "No probability can be fitted: in all rows the customer left"),
        ({"auc": Interval(0.52, 0.46, 0.58)}, PROBABILITIES, "the AUC is 0.52 (0.46 to 0.58), chance is 0.50."),
        ({"auc": None}, PROBABILITIES, "the AUC can't be computed"),
        ({"skill": Interval(0.01, -0.004, 0.024)}, {Claim.PROBABILITY}, "the Brier skill there is 0.010 (−0.004 to"),
        ({"skill": Interval(0.0, 0.0, 0.0)}, {Claim.PROBABILITY}, "its lower bound must be above 0"),
        ({"skill": None}, {Claim.PROBABILITY}, "the Brier skill there can't be computed"),
    ],
)
def test_each_further_reason_withholds_and_is_told(change, withheld, words):
    found = gate(replace(GOOD, **change))
    assert found.allowed == ALL - withheld
    (reason,) = found.refusals
    assert words in reason


@pytest.mark.parametrize(
    "edge", [{"months": 12}, {"quarters": 2}, {"unscored": 13}, {"auc": Interval(0.95, 0.9, 0.97)}, {"slope": 1e-6}]
)
def test_on_the_edge_nothing_is_refused(edge):
    assert gate(replace(GOOD, **edge)).refusals == ()


def test_one_row_an_account_asks_for_other_customers_instead_of_later_months_and_quarters():
    few = replace(GOOD, months=1, quarters=1)
    assert gate(few).allowed == ALL - PROBABILITIES - WEIGHTS
    assert gate(replace(few, cross_section=True)) == gate(GOOD)
    (reason,) = gate(replace(few, cross_section=True, skill=Interval(0.1, 0.0, 0.2))).refusals
    assert "for customers that it wasn't fitted on" in reason


def test_a_reason_that_takes_nothing_away_is_not_told():
    found = gate(replace(GOOD, events=12, slope=0.0, months=3, skill=None))
    assert found.allowed == RANKED
    assert all("it takes" in reason for reason in found.refusals)


def test_with_nothing_known_only_counts_are_allowed():
    assert gate(Evidence(0, 0, 0, 0, None, None, None)).allowed == SOME
