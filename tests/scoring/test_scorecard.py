"""Reading a scorecard: what it may say, and every mistake with its line."""

import re

import polars as pl
import pytest
import yaml

from accountpulse.core.errors import ConfigurationError
from accountpulse.scoring.explain import sentences
from accountpulse.scoring.scorecard import default, default_text, load, restored, unreachable, whole_weights
from accountpulse.scoring.scores import score

SMALL = """name: small
groups:
  support:
    weight: 1
    metrics:
      csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}
tiers: [{name: Good, min: 50}, {name: Poor, min: 0}]
"""


def problems(text: str, pillars: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(text, "mine.yaml", pillars)
    return caught.value.problems


def changed(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


BAD = """name: bad
vresion: 2
coverage: {tier_min: 1.5, tier_needs_any_of: [adoptoin], tier_min_dimensions: 9, tier_needs_readable: [critical_signal]}
metrics:
  mau: {label: Users, unit: users}
  Own: {label: Own, unit: points}
  seats: {label: Seats, unit: "a; b"}
groups:
  support:
    weight: 0
    metrics:
      csat_scor: {weight: 1, anchors: [[0, 0], [100, 100]]}
      open_bugs: {weight: -1, anchors: [[0, 100], [10, 50], [10, 20]]}
      p1_p2_pct: {weight: 1, anchors: [[0, 100], [10, 50], [20, 60]], enough: {conversations: 5}}
      escalation_pct: {weight: 1, anchors: [[0, 101], [10, 50]]}
      mau: {weight: 1, anchors: [[0, 0]], per: heads, else: {metric: mau_trnd_pct, anchors: [[0, 0], [1, 1]]}}
  more:
    weight: 1
    groups:
      support: {weight: 1,metrics: {mau: {weight: 1, anchors: [[0,0],[1,1],[2,2],[3,3],[4,4],[5,5],[6,6],[7,7],[8,8]]}}}
      both: {weight: 1, metrics: {dau: {weigth: 1, anchors: [[0, a], [1, 1]]}}, pillars: {anchors: [[0, 0], [1, 1]]}}
  csat: {weight: 1, metrics: {qbr_attendance: {weight: 1, anchors: [[0, 0], [1, .inf]]}}}
  none: {weight: 1}
  empty: {weight: 1, metrics: {}}
segments:
  - {name: s, when: {tier: [Gold]}, anchors: {bug_trend: [[0, 0], [1, 1]]}}
caps:
  - {when: {suport: {lt: 25}}, cap: 120, reason: ''}
  - {when: {mau: {}}, cap: 10, reason: x}
  - {when: {mau: {gte: many, above: 3}}, cap: 10, reason: x}
tiers: [{name: A, min: 50}, {name: A, min: 50}, {name: Not Rated, min: 20}]
churn_risk:
  intercept: 0
  slope: -1
  trend: [[0, 0], [1, 1]]
  renewal: [[0, 1], [1, 0]]
  signals: {critical_signls: {first: 3, more: 0, max: 1}}
  floors: []
  bands: {medium: 30, high: 10}
"""
# line → what must be said about it
EXPECTED = {
    2: ["vresion: not a known key; did you mean 'version'?"],
    3: ["tier_min", "'adoptoin'", "9 asked for", "'critical_signal'; did you mean 'critical_signals'?"],
    5: ["metrics.mau: is built in"],
    6: ["metrics.Own"],
    7: ["metrics.seats: this name is taken", "metrics.seats.unit"],
    10: ["groups.support.weight"],
    12: ["no metric 'csat_scor'; did you mean 'csat_score'?"],
    13: ["open_bugs.weight", "values must increase from point to point, but 10 follows 10"],
    14: ["points must only rise or only fall", "no metric 'conversations'"],
    15: ["points must lie between 0 and 100, not 101"],
    16: ["2 to 8 points", "mau.per", "no metric 'mau_trnd_pct'; did you mean 'mau_trend_pct'?"],
    20: ["a dimension of this name stands in the tree already", "mau counts in the tree already", "2 to 8 points"],
    21: ["metrics and pillars", "dau.weight: is missing", "did you mean 'weight'?", "[0, 'a'] is not a point"],
    22: ["groups.csat: this name is taken", "[1, inf] is not a point"],
    23: ["groups.none: needs exactly one of groups, metrics, pillars; it has none"],
    24: ["groups.empty.metrics: is empty"],
    26: ["when.segment: is missing", "when.tier: not a known key", "'bug_trend' is no metric under groups"],
    28: ["'suport' is neither a metric nor a dimension nor any_dimension; did you mean 'support'?", "cap", "reason"],
    29: ["needs a comparison"],
    30: ["gte", "above: not a known key"],
    31: ["'A' is given twice", "another tier begins at 50 too", "'Not Rated' is kept", "one tier must begin at 0"],
    34: ["slope"],
    35: ["must not rise"],
    37: ["no metric 'critical_signls'; did you mean 'critical_signals'?", "max (1) lies below first (3)"],
    39: ["high must lie above medium"],
}


def test_every_mistake_of_a_file_is_listed_at_once_with_its_line():
    found = problems(BAD)
    by_line: dict[int, list[str]] = {}
    for problem in found:
        line, _, text = problem.partition(", ")
        by_line.setdefault(int(line.removeprefix("line ")), []).append(text)
    for line, texts in EXPECTED.items():
        for text in texts:
            assert any(text in said for said in by_line.get(line, [])), (line, text, by_line.get(line))
    assert sorted(by_line) == sorted(EXPECTED)
    assert list(by_line) == sorted(by_line)  # in the order of the file


def test_a_segment_that_turns_a_metric_around_is_a_mistake():
    text = SMALL + (
        "segments:\n"
        "  - {name: paid, when: {segment: Paid}, anchors: {csat_score: [[0, 100], [100, 0]]}}\n"
        "  - {name: paid, when: {segment: [Free]}, anchors: {csat_scor: [[0, 0], [100, 100]]}}\n"
        "metrics: {pillar_x: {label: Mine, unit: points}}\n"
    )
    assert problems(text) == [
        "line 9, segments.0.anchors.csat_score: points fall with the value here, but rise in the tree",
        "line 10, segments.1.name: 'paid' is given twice",
        "line 10, segments.1.anchors.csat_scor: 'csat_scor' is no metric under groups; did you mean 'csat_score'?",
        "line 11, metrics.pillar_x: names that begin with pillar_ are kept for the configured pillars; choose another",
    ]
    flat = SMALL + "segments: [{name: f, when: {segment: F}, anchors: {csat_score: [[0, 50], [100, 50]]}}]\n"
    assert load(flat, "flat.yaml")


def test_a_file_that_is_no_scorecard_says_so():
    assert "not YAML" in problems("name: [")[0]
    assert "must be keys with their values" in problems("- a\n- b\n")[0]
    assert {problem.split(": ")[1] for problem in problems("")} == {"is missing"}
    assert problems("name: a\nname: b\n") == ["line 2: 'name' is given twice"]


def _with(garbage: object, node: object, depth: int) -> object:
    """The same tree with everything of one depth replaced."""
    if depth == 0:
        return garbage
    if isinstance(node, dict):
        return {key: _with(garbage, value, depth - 1) for key, value in node.items()}
    return [_with(garbage, value, depth - 1) for value in node] if isinstance(node, list) else node


@pytest.mark.parametrize("garbage", [None, "x", "", -7, 2.5, float("inf"), [], ["x"], {}, {"x": "y"}, True])
def test_whatever_stands_in_a_file_is_refused_in_words_of_our_own(garbage: object) -> None:
    whole = yaml.safe_load(default_text())
    for depth in range(1, 9):
        text = yaml.safe_dump(_with(garbage, whole, depth), sort_keys=False)
        try:
            load(text, "mine.yaml")
        except ConfigurationError as error:
            told = error.problems
        else:
            continue
        foreign = re.compile("Input should|Field required|Value error|valid |dictionary|tuple|can't be used here")
        assert not [line for line in told if foreign.search(line)], garbage


def test_a_value_of_several_types_is_refused_with_all_of_them() -> None:
    card = SMALL + "segments: [{name: s, when: {segment: 7}, anchors: {csat_score: [[0, 0], [100, 100]]}}]\n"
    assert problems(card) == ["line 8, segments.0.when.segment: must be a text or a list"]


def test_the_smallest_file_needs_a_name_groups_and_tiers_and_takes_the_packaged_risk():
    card = load(SMALL, "small.yaml")
    assert (card.name, card.version, card.dimensions) == ("small", "1", ("support",))
    assert card.risk == default().risk
    assert [leaf.key for leaf in card.leaves] == ["support/csat_score"]
    assert card.leaves[0].share == 1.0


def test_tiers_stand_best_first_however_they_are_written():
    card = load(
        changed(
            "tiers: [{name: Good, min: 50}, {name: Poor, min: 0}]",
            "tiers: [{name: Poor, min: 0}, {name: Good, min: 50}]",
        ),
        "small.yaml",
    )
    assert [tier.name for tier in card.tiers] == ["Good", "Poor"]
    assert card.hash == load(SMALL, "small.yaml").hash


def test_own_metrics_stand_beside_the_built_in_ones():
    own = "metrics: {nps: {label: Net promoter score, unit: points}}\n" + changed("csat_score", "nps")
    card = load(own, "small.yaml")
    assert card.catalogue["nps"].label == "Net promoter score"
    assert "nps" in problems(changed("csat_score", "nps"))[0]


@pytest.mark.parametrize("unit", ["GB", "minutes of calls", "€", "%", "per week"])
def test_an_own_metric_may_have_any_unit_and_what_it_costs_is_told_in_it(unit):
    text = f'metrics: {{stored: {{label: Stored, unit: "{unit}"}}}}\n' + changed("csat_score", "stored")
    card = load(text, "small.yaml")
    assert restored(card.content).own == card.own
    row = score(pl.DataFrame({"account_id": ["A"], "stored": [40.0]}), card, detail=True).to_dicts()[0]
    (told,) = [line for line in sentences(row | {"stored": 40.0}, card) if line.startswith("Stored")]
    assert told.startswith(f"Stored: 40 {unit}, costs ")


@pytest.mark.parametrize("unit", ["", "  ", "a; b", "two\\nlines", "x" * 31])
def test_a_unit_is_a_short_text_of_one_line(unit):
    text = f'metrics: {{stored: {{label: Stored, unit: "{unit}"}}}}\n' + changed("csat_score", "stored")
    assert any("metrics.stored.unit" in problem for problem in problems(text))


def test_pillars_become_one_leaf_each_and_the_hash_knows_them():
    text = SMALL + "  \n"
    text = text.replace("tiers:", "  value: {weight: 1, pillars: {each: equal, anchors: [[0, 0], [100, 100]]}}\ntiers:")
    two, none = load(text, "p.yaml", ("ops", "auto")), load(text, "p.yaml")
    assert [leaf.name for leaf in two.leaves] == ["csat_score", "pillar_ops", "pillar_auto"]
    assert [leaf.share for leaf in two.leaves] == [0.5, 0.25, 0.25]
    assert none.dimensions == ("support", "value")
    assert len({two.hash, none.hash, load(text, "p.yaml", ("ops",)).hash}) == 3
    assert load(text, "p.yaml", ("auto", "ops")).hash == two.hash
    written = text.replace(
        "pillars: {each: equal, anchors: [[0, 0], [100, 100]]}",
        "metrics: {pillar_ops: {weight: 1, anchors: [[0, 0], [100, 100]]},"
        " pillar_auto: {weight: 1, anchors: [[0, 0], [100, 100]]}}",
    )
    assert load(written, "p.yaml", ("ops", "auto")).hash == two.hash
    assert "configured pillars: ops" in "".join(problems(written.replace("pillar_ops", "pillar_zzz"), ("ops",)))


def test_a_tier_that_needs_only_pillars_is_refused_where_none_is_configured():
    text = SMALL.replace(
        "tiers:", "  value: {weight: 1, pillars: {each: equal, anchors: [[0, 0], [100, 100]]}}\ntiers:"
    )
    needing = text + "coverage: {tier_needs_any_of: [value]}\n"
    assert "configure pillars, or name a dimension" in problems(needing)[0]
    assert load(needing, "p.yaml", ("ops",)).dimensions == ("support", "value")
    assert load(text + "coverage: {tier_needs_any_of: [value, support]}\n", "p.yaml")


def test_the_packaged_scorecard_says_what_was_decided():
    card = default(("ops", "auto"))
    plain = yaml.safe_load(default_text())
    weights = {name: group["weight"] for name, group in plain["groups"].items()}
    assert weights == {
        "support": 0.15,
        "bugs": 0.10,
        "adoption": 0.30,
        "platform_value": 0.20,
        "financial": 0.15,
        "relationship": 0.10,
    }
    for name, group in plain["groups"].items():
        if name != "platform_value":
            assert sum(rule["weight"] for rule in group["metrics"].values()) == pytest.approx(1)
    assert len(card.leaves) == 7 + 5 + 4 + 2 + 5 + 3
    assert sum(leaf.share for leaf in card.leaves) == pytest.approx(1)
    assert len(card.file.caps) == 11
    assert [(tier.name, tier.min) for tier in card.tiers] == [
        ("Champion", 85),
        ("Healthy", 75),
        ("At Risk", 50),
        ("Critical", 0),
    ]
    assert len(card.hash) == 12


def test_weights_become_whole_numbers_of_the_same_proportion():
    assert whole_weights([0.15, 0.1, 0.3]) == [3.0, 2.0, 6.0]
    assert whole_weights([0.35, 1, 0.0005]) == [700.0, 2000.0, 1.0]
    assert whole_weights([2, 4, 0.4]) == [5.0, 10.0, 1.0]
    assert whole_weights([6, 4]) == [3.0, 2.0]
    assert whole_weights([]) == []


def test_a_scorecard_that_no_source_can_feed_is_told_before_the_run():
    card = default(("ops",))
    everything = set(card.catalogue)
    assert unreachable(card, everything) == []
    usage = {name for name, metric in card.catalogue.items() if metric.domain == "usage"}
    told = unreachable(card, everything - usage)
    assert len(told) == 2  # half of the weight is gone, and with it adoption and platform value
    assert any("adoption or platform_value" in line for line in told)
    signals = {name for name, metric in card.catalogue.items() if metric.domain == "signals"}
    assert "critical_signals, moderate_signals" in unreachable(card, everything - signals)[0]
    assert unreachable(card, everything - signals, signals_waived=True) == []


@pytest.mark.parametrize(("given", "version"), [("2", "2"), ("2.5", "2.5"), ("v3", "v3"), ("2026-10-01", "2026-10-01")])
def test_a_version_is_a_text_a_number_or_a_day(given, version):
    assert load(f"version: {given}\n{SMALL}", "mine.yaml").version == version


@pytest.mark.parametrize("given", ["[1]", "{}", "true", ".nan", "null"])
def test_any_other_version_is_one_mistake(given):
    assert problems(f"version: {given}\n{SMALL}") == ["line 1, version: must be a text or a number"]


REACH = """name: r
coverage: {dimension_min: 0.5, tier_min: 0.75, tier_min_dimensions: 2}
groups:
  support:
    weight: 1
    metrics:
      csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}
      escalation_pct: {weight: 1, anchors: [[0, 100], [100, 0]]}
  product:
    weight: 1
    metrics: {open_bugs: {weight: 1, anchors: [[0, 100], [9, 0]]}}
tiers: [{name: A, min: 0}]
"""
WAY_OUT = ": no account could be rated; configure the source, or change coverage: in the scorecard"


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (("csat_score", "escalation_pct", "open_bugs"), []),
        (("csat_score", "open_bugs"), []),  # half of support and all of product: 0.75, two dimensions, on both edges
        (
            ("csat_score", "escalation_pct"),
            [
                "the configured sources feed 50% of the weight, but tier_min is 75%",
                "dimensions that can have a score: 1, but tier_min_dimensions is 2",
            ],
        ),
        (
            (),
            [
                "the configured sources feed 0% of the weight, but tier_min is 75%",
                "dimensions that can have a score: 0, but tier_min_dimensions is 2",
            ],
        ),
    ],
)
def test_what_no_source_can_feed_is_told_with_its_numbers_and_the_way_out(known, told):
    assert unreachable(load(REACH, "r.yaml"), known) == [f"{line}{WAY_OUT}" for line in told]


@pytest.mark.parametrize(("least", "scored"), [(0.5, 2), (0.51, 1), (0.0, 2)])
def test_a_dimension_below_its_least_share_cannot_be_scored_and_one_of_nothing_never(least, scored):
    card = load(REACH.replace("dimension_min: 0.5", f"dimension_min: {least}").replace("0.75", "0"), "r.yaml")
    told = unreachable(card, ("csat_score", "open_bugs"))
    one = f"dimensions that can have a score: 1, but tier_min_dimensions is 2{WAY_OUT}"
    assert told == ([] if scored == 2 else [one])
    assert unreachable(card, ("open_bugs",)) == [one]


def test_pillars_that_nobody_configured_feed_nothing():
    value = "  value: {weight: 2, pillars: {anchors: [[0, 0], [100, 100]]}}\ntiers:"
    everything = ("csat_score", "escalation_pct", "open_bugs", "pillar_ops")
    assert unreachable(load(REACH.replace("tiers:", value), "r.yaml", ("ops",)), everything) == []
    (told,) = unreachable(load(REACH.replace("tiers:", value), "r.yaml"), everything)
    assert told == f"the configured sources feed 50% of the weight, but tier_min is 75%{WAY_OUT}"


def test_waived_signals_excuse_signals_and_nothing_else():
    needs = "tier_needs_readable: [critical_signals, open_bugs]"
    card = load(REACH.replace("dimension_min: 0.5, tier_min: 0.75, tier_min_dimensions: 2", needs), "r.yaml")
    both = unreachable(card, ("csat_score",))
    waived = unreachable(card, ("csat_score",), signals_waived=True)
    assert both == [f"no configured source has critical_signals, open_bugs (tier_needs_readable){WAY_OUT}"]
    assert waived == [f"no configured source has open_bugs (tier_needs_readable){WAY_OUT}"]


def test_what_was_kept_of_a_scorecard_gives_it_back_with_its_pillars():
    card = default(("ops", "reach"))
    again = restored(card.content)
    assert (again.pillars, again.hash, again.risk) == (card.pillars, card.hash, card.risk)
    assert "pillar_reach" in again.catalogue


@pytest.mark.parametrize("text", ["name: [", "- x", "name: x"])
def test_every_refusal_names_the_file(text):
    with pytest.raises(ConfigurationError, match=r"^mine\.yaml:"):
        load(text, "mine.yaml")


def test_mistakes_stand_in_the_order_of_their_lines():
    with pytest.raises(ConfigurationError) as caught:
        load("tiers: [{name: A, min: 1}]\nname: x\nunheard: 1\ngroups: {}\n", "x.yaml")
    lines = [int(found[1]) for problem in caught.value.problems if (found := re.match(r"line (\d+)", problem))]
    assert len(lines) >= 3
    assert lines == sorted(lines)
