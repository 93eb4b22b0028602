"""The next step: which rule says it, what it rests on, and which mistakes of a file are found. By hand."""

from typing import Any

import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.scoring.compare import differences
from accountpulse.scoring.next_steps import next_step
from accountpulse.scoring.scorecard import Scorecard, default, default_text, load, restored
from support import ROOT

CARD = default()
Row = dict[str, Any]
MAIN = default_text().partition("next_steps:")[0]


def card_with(rules: str) -> Scorecard:
    return load(f"{MAIN}\nnext_steps:\n{rules}", "mine.yaml")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        # 423,000 due in 9 days, half of the users gone: about the renewal and the users
        ({"days_to_renewal": 9.0, "mau_trend_pct": -52.0, "drivers": ["mau"]}, "about the renewal, ask why users"),
        ({"days_to_renewal": 9.0, "drivers": ["mau"]}, "the renewal, with a plan for what costs most: monthly active"),
        ({"critical_signals": 1.0, "days_to_renewal": 9.0}, "today, with your manager"),
        ({"critical_signals": 1.0, "days_to_renewal": 80.0}, "settle it before the renewal"),
        ({"critical_signals": 1.0, "days_to_renewal": 200.0}, "open critical signal with its owner today"),
        ({"critical_signals": 1.0}, "open critical signal with its owner today"),
        ({"days_to_renewal": -5.0, "tier": "Healthy"}, "Settle the renewal, which is overdue"),
        ({"days_to_renewal": -5.0, "mau_trend_pct": -30.0}, "overdue renewal with the sponsor, and ask why users"),
        ({"days_to_renewal": 20.0, "tier": "Not Rated", "not_rated_reason": "a; b"}, "judge it (a, b)"),
        ({"days_to_renewal": 20.0, "drivers": ["payment_health"]}, "and the open payments"),
        ({"days_to_renewal": 60.0, "health_score": 60.0, "health_score_before": 72.0, "drivers": ["csat_score"]},
         "Ask the sponsor what changed, and agree on a plan before the renewal: CSAT"),
        ({"days_to_renewal": 80.0, "tier": "Champion", "drivers": ["mau"]}, "Prepare the renewal"),
        ({"tier": "Not Rated", "not_rated_reason": "coverage below 60 %"}, "Find what is missing: coverage below 60 %"),
        ({"tier": "Not Rated", "not_rated_reason": "critical_signals can't be read"}, "Have it made readable"),
        ({"cap_reason": "source_failed: looker", "drivers": ["mau"]}, "offer training"),  # an outage is the operator's
        ({"moderate_signals": 1.0, "drivers": ["mau"]}, "open moderate signal with its owner"),
        ({"health_score": 60.0, "health_score_before": 69.9, "drivers": ["mau"]}, "offer training"),  # −9.9
        ({"drivers": ["critical_bugs"]}, "Get dates for the open bugs"),
        ({"drivers": ["bug_trend"], "critical_bugs": 1.0}, "a date for each critical bug"),
        ({"drivers": ["mau"], "critical_bugs": 1.0}, "offer training"),
        ({"health_score": 40.0, "drivers": ["mau"], "critical_bugs": 2.0}, "critical bugs this week"),
        ({"health_score": 40.0, "drivers": ["mau"], "critical_bugs": 1.0, "arr_trajectory_pct": -20.0},
         "with the account's manager, and ask why the contract became smaller"),
        ({"health_score": 40.0, "drivers": ["mau"], "arr_trajectory_pct": -19.0},
         "with the account's manager, and agree on a plan for what costs most: monthly active users"),
        ({"drivers": ["csat_score", "mau"]}, "support lead"),  # the first of them
    ],
)  # fmt: skip
def test_the_first_rule_that_holds_says_the_next_step(row: Row, words: str) -> None:
    step = next_step({"tier": "At Risk", **row}, CARD)
    assert step is not None
    assert words in step


def test_what_is_not_known_fulfils_no_condition_and_fills_in_no_words() -> None:
    assert next_step({}, CARD) is None
    assert (
        next_step({"tier": "Champion", "drivers": [], "days_to_renewal": None, "mau_trend_pct": float("nan")}, CARD)
        is None
    )
    assert next_step({"tier": "At Risk", "days_to_renewal": 20.0}, CARD) == "Prepare the renewal"  # no driver to name


def test_the_first_cap_is_filled_in_and_an_outage_is_none() -> None:
    mine = card_with('  - {when: {tier: At Risk}, step: "Settle {cap}"}\n  - {step: Wait}\n')
    caps = "source_failed: intercom, jira; open critical signal; adoption below 25"
    assert next_step({"tier": "At Risk", "cap_reason": caps}, mine) == "Settle open critical signal"
    for outage in ("source_failed: intercom", "lost_sight: mau; source_failed: jira"):
        assert next_step({"tier": "At Risk", "cap_reason": outage}, mine) == "Wait"


@pytest.mark.parametrize(
    "conditions",
    ["mau: {gte: 10, lte: 10}", "mau: {eq: 5, gte: 5}", "cap: SOURCE_FAILED", "cap: 'source_failed: intercom'",
     "cap: lost_sight", "cap: Critical signal"],
)  # fmt: skip
def test_a_rule_that_may_hold_is_no_mistake_and_no_rule_need_hold_for_all(conditions: str) -> None:
    assert card_with(f"  - {{when: {{{conditions}}}, step: x}}\n").next_steps[0].step == "x"


def test_a_rule_whose_words_need_something_may_stand_before_the_last() -> None:
    mine = card_with('  - step: "Plan for {driver}"\n  - step: Wait\n')
    assert [next_step(row, mine) for row in ({"drivers": ["open_bugs"]}, {})] == ["Plan for open bugs", "Wait"]


def test_every_metric_of_the_packaged_scorecard_has_a_step_of_its_own_or_is_named() -> None:
    assert all(next_step({"tier": "At Risk", "drivers": [leaf.name]}, CARD) for leaf in CARD.leaves)
    pillars = default(["automation"])
    step = next_step({"tier": "At Risk", "drivers": ["pillar_automation"]}, pillars)
    assert step == "Agree with the sponsor on a plan for what costs most: automation pillar"


def test_the_example_of_the_guide_is_a_good_one() -> None:
    guide = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    example = guide[guide.index("```yaml\nnext_steps:") :].split("```")[1].removeprefix("yaml\n")
    mine = load(f"{MAIN}\n{example}", "mine.yaml")
    assert (
        next_step({"tier": "Fine", "drivers": ["open_bugs"]}, mine) == "Agree on a plan for what costs most: open bugs"
    )


def test_an_empty_list_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="is empty: leave it out"):
        load(f"{MAIN}\nnext_steps: []\n", "mine.yaml")


def test_a_companys_own_list_replaces_the_packaged_one() -> None:
    mine = card_with(
        "  - {when: {first_driver: support, arr: {gte: 100000}, tier: [At Risk, Critical]}, step: Call support}\n"
        "  - {when: {green: true}, step: Say thanks}\n"
    )
    row = {"tier": "At Risk", "drivers": ["csat_score"], "arr": 100_000.0}
    assert next_step(row, mine) == "Call support"
    assert next_step(row | {"arr": 99_999.0}, mine) is None
    assert next_step(row | {"drivers": ["mau"]}, mine) is None
    assert next_step({"tier": "Healthy"}, mine) == "Say thanks"
    assert next_step({"tier": "Not Rated"}, mine) is None


def test_next_steps_change_no_hash_and_are_kept_with_the_scorecard() -> None:
    without, mine = load(MAIN, "mine.yaml"), card_with("  - {step: Call them}\n")
    assert without.hash == mine.hash == default().hash
    assert "next_steps" not in without.content["scorecard"]
    assert without.next_steps == default().next_steps
    assert next_step({}, restored(mine.content)) == "Call them"
    assert restored(mine.content).hash == mine.hash
    assert {each.path.split(".")[0] for each in differences(without, mine)} == {"next_steps"}


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{when: {mauu: {gte: 1}}, step: x}", "'mauu' is nothing that a next step can rest on; did you mean 'mau'?"),
        ("{when: {mau: {}}, step: x}", "needs a comparison: gte, gt, lte, lt or eq"),
        ("{when: {tier: Fine}, step: x}", "there is no tier 'Fine'"),
        ("{when: {first_driver: [mau, supprt]}, step: x}", "'supprt' is no metric and no dimension; did you mean"),
        (
            '{when: {mau: {gte: 1}}, step: "Ask {owner}"}',
            "{owner} is nothing that can be filled in; there are {driver}",
        ),
        ("{when: {green: perhaps}, step: x}", "green"),
        ("{when: {mau: {gte: 1}}}", "step"),
        ("{when: {mau: 3}, step: x}", "mau"),
        ("{step: x}\n  - {when: {green: true}, step: y}", "holds for every account, so that no rule after it is ever"),
        ("{when: {mau: {lte: 10, gte: 20}}, step: x}", "gte 20 and lte 10 can never hold together"),
        ("{when: {mau: {gt: 10, lte: 10}}, step: x}", "gt 10 and lte 10 can never hold together"),
        ("{when: {mau: {eq: 5, lt: 5}}, step: x}", "eq 5 and lt 5 can never hold together"),
        ("{when: {cap: never}, step: x}", "no cap has 'never' in its reason; there are 'confirmed critical signal'"),
    ],
)
def test_a_mistake_in_a_rule_is_found_with_its_line(rule: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        card_with(f"  - {rule}\n")
    (told,) = refused.value.problems
    assert problem in told
    assert told.startswith(f"line {MAIN.count(chr(10)) + 3}")
