"""A scorecard as a page: everything that the file says, in words and with its own numbers."""

import re

from accountpulse.scoring.scorecard import default, default_text, load
from accountpulse.scoring.scorecard_page import markdown

NESTED = r"""name: "Retention | <b>first</b>"
version: 3
metrics: {nps: {label: Net promoter score, unit: points}}
coverage: {tier_min: 0.5}
groups:
  retention:
    weight: 0.6
    groups:
      use: {weight: 3, metrics: {mau: {weight: 1, per: seats, anchors: [[10, 0], [95.25, 100]]}}}
      voice: {weight: 1, metrics: {nps: {weight: 1, anchors: [[-100, 0], [100, 100]]}}}
  value: {weight: 0.4, pillars: {anchors: [[0, 0], [100, 100]]}}
segments: [{name: big, when: {segment: [Paid, Enterprise]}, anchors: {mau: [[5, 0], [50, 100]]}}]
caps: [{when: {use: {lt: 25}, nps: {gte: -50, lt: 0}}, cap: 59.5, reason: "a | b"}]
tiers: [{name: Good, min: 74.95}, {name: Poor, min: 0}]
"""


def test_every_number_of_the_packaged_file_is_on_its_page() -> None:
    text, card = markdown(default(("ops",))), default(("ops",))
    for leaf in card.leaves:
        assert f"(`{leaf.name}`)" in text
    for cap in card.file.caps:
        assert f"| {cap.cap:g} | {cap.reason} |" in text
    for tier in card.tiers:
        assert f"| {tier.name} | {tier.min:g} |" in text
    for number in ("−2.2", "0.052", "+1.4 up to −20", "−1 from 365", "+2.8 at most", "at least 50", "high from 30"):
        assert number in text
    assert "an index, not a probability" in text
    assert "0 up to 10 %, 25 at 30 %, 50 at 50 %, 75 at 80 %, 100 from 95 % of seats" in text
    assert "100 up to 1 h, 75 at 4 h, 50 at 12 h, 25 at 1 d, 0 from 2 d" in text
    assert default_text().count("enough:") == text.count("only with at least")


def test_a_unit_of_ones_own_stands_behind_its_numbers_and_breaks_no_table() -> None:
    text = markdown(load(NESTED.replace("unit: points", 'unit: "GB | <b>"'), "nested.yaml"))
    assert "0 up to −100 GB \\| &lt;b>, 100 from 100 GB \\| &lt;b>" in text


def test_groups_inside_groups_show_their_share_of_the_whole() -> None:
    text = markdown(load(NESTED, "nested.yaml"))
    assert (
        "- **retention**: 60 % of the whole\n  - **use**: 45 % of the whole\n  - **voice**: 15 % of the whole" in text
    )
    assert "- **value**: 40 % of the whole" in text
    assert "One metric for each configured pillar" in text
    assert "pillar_ops" in markdown(load(NESTED, "nested.yaml", ("ops",)))


def test_nothing_is_rounded_and_an_authors_text_cannot_break_the_page() -> None:
    text = markdown(load(NESTED, "nested.yaml"))
    assert "100 from 95.25 % of seats" in text
    assert "| Good | 74.95 |" in text
    assert "| 59.5 | a \\| b | use below 25 and Net promoter score at least −50 points and below 0 points |" in text
    assert "<b>" not in text
    assert (
        "- **big** (segment Paid or Enterprise):\n  - monthly active users: 0 up to 5 %, 100 from 50 % of seats" in text
    )
    for row in re.findall(r"(?m)^\|.*\|$", text):
        assert len(re.findall(r"(?<!\\)\|", row)) in (3, 4), row
