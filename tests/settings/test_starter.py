"""The file that init writes: it says what was chosen, whatever names and values a system holds."""

import copy
import re

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st

from accountpulse import settings
from accountpulse.settings import starter
from accountpulse.settings.starter import LookedAt
from accountpulse.systems import SYSTEMS
from accountpulse.systems.discovery import NULL, Discovery, Keys, MappingChoice

NASTY = [
    "a: b", "# no comment", "'", '"', "a\nb: c", "\x1b[31m", "\u202eevil", "- x", "{", "]", "&a *a", "no", "null",
    "\x85", "1.0", "2026-01-01", "\u2028salesforce: none", "%", "@x", "`x`", "|", "> x", "\ttab", " blank ", "",
    "\ud800",
]  # fmt: skip
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=60))
SINGLE = st.one_of(TEXTS, st.booleans(), st.integers(-(10**9), 10**9), st.none())
VALUES = st.recursive(
    SINGLE,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
CHOICES = st.lists(
    st.builds(
        MappingChoice,
        path=st.tuples(st.just("salesforce"), TEXTS),
        value=VALUES.filter(lambda value: value is not None),
        why=TEXTS,
        others=st.lists(st.tuples(VALUES, TEXTS), max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda choice: choice.path,
)


def looked(*choices: MappingChoice, **more: object) -> LookedAt:
    return LookedAt(SYSTEMS["salesforce"], Discovery(choices=choices, **{"found": (), **more}))  # type: ignore[arg-type]


@given(CHOICES, st.lists(TEXTS, max_size=2), TEXTS)
def test_nothing_that_a_system_holds_breaks_out_of_its_value_or_comment(
    choices: list[MappingChoice], told: list[str], problem: str
) -> None:
    first = looked(*choices, found=tuple(told), unknown=tuple(told))
    text = starter.starter([first, LookedAt(SYSTEMS["jira"], problem=problem)])
    assert yaml.safe_load(text) == {"salesforce": {choice.path[1]: choice.value for choice in choices}}
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.encode() == starter.starter([first, LookedAt(SYSTEMS["jira"], problem=problem)]).encode()


WHERE = MappingChoice(
    ("salesforce", "accounts", "where"),
    "Type = 'Customer'",
    "12 accounts: Type has Customer (12).",
    (("ARR__c > 0", "11 accounts: an amount in ARR__c"),),
    asked=True,
)


def test_a_key_stands_between_its_reason_and_its_alternatives() -> None:
    text = starter.starter([looked(WHERE, found=("12 accounts",), unknown=("who left",))])
    assert text.endswith("""\
# Found: 12 accounts.
# Not known: who left.

salesforce:
  accounts:
    # 12 accounts: Type has Customer (12).
    where: Type = 'Customer'
    # Or: 11 accounts: an amount in ARR__c:
    # where: ARR__c > 0
""")


def test_an_alternative_counts_once_its_comment_mark_is_taken_away() -> None:
    block = {"from": "invoice", "object": "Invoice__c", "account": "Account__c"}
    choice = MappingChoice(("salesforce", "payment"), {"from": "case"}, "why", ((block, "invoices"), ("none", "no")))
    text = starter.starter([looked(choice)])
    part = text.partition("# Or: invoices:\n")[2].partition("  # Or: no")[0]
    assert yaml.safe_load(re.sub(r"^  # ", "", part, flags=re.MULTILINE)) == {"payment": block}


def test_a_key_that_can_not_be_told_is_a_comment_and_its_block_too() -> None:
    text = starter.starter([looked(MappingChoice(("salesforce", "accounts", "where"), None, "nobody says"))])
    assert yaml.safe_load(text) is None
    assert "    # where:\n" in text
    assert settings.read_mapping(text, "x").block("salesforce").accounts.where == "Type LIKE 'Customer%'"


def test_a_key_without_a_value_stands_there_once_beside_what_it_might_be() -> None:
    seats = MappingChoice(("salesforce", "accounts", "seats"), None, "nobody says", (("Seats__c", "a number"),))
    text = starter.starter([looked(seats)])
    assert text.count("seats:") == 1
    assert "    # Possible: a number:\n" in text
    read = settings.read_mapping(
        re.sub(r"^( *)# (salesforce|accounts|seats):", r"\1\2:", text, flags=re.MULTILINE), "x"
    )
    assert read.block("salesforce").accounts.seats == "Seats__c"


def test_a_text_with_quotes_stands_in_double_quotes_rather_than_in_doubled_ones() -> None:
    condition = "Stage__c IN ('Live client','In rollout')"
    assert starter.on_one_line([condition]) == f'["{condition}"]'
    assert yaml.safe_load(starter.on_one_line("'a' \"b\" \\ä: #")) == "'a' \"b\" \\ä: #"


def test_another_order_is_a_change_only_where_the_order_counts() -> None:
    catalogue = MappingChoice(("looker", "features", "catalogue"), ["alerts", "exports"], "used")
    tiers = MappingChoice(("salesforce", "tiers"), {"order": ["A", "B"], "arr_floor": {"B": 10.0}}, "by name")
    proposed = [looked(tiers), LookedAt(SYSTEMS["looker"], Discovery((), (catalogue,)))]
    after = msgspec.to_builtins(settings.read_mapping(starter.starter(proposed), "x"))
    before = copy.deepcopy(after)
    before["looker"]["features"]["catalogue"] = ["exports", "alerts"]
    assert not starter.changes(before, after, proposed)
    before["salesforce"]["tiers"]["order"] = ["B", "A"]
    assert [each.key for each in starter.changes(before, after, proposed)] == ["salesforce.tiers"]


LINK = MappingChoice(
    ("intercom", "account_field"),
    Keys({"account_field": "Intercom_Id__c", "holds": "id"}),
    "12 are linked",
    ((Keys({"account_field": "Id", "attribute": "crm"}), "11 are linked"),),
    asked=True,
)


def test_keys_that_only_mean_something_together_are_written_and_offered_together() -> None:
    intercom = LookedAt(SYSTEMS["intercom"], Discovery((), (LINK,)))
    assert starter.starter([intercom]).endswith("""\
intercom:
  # 12 are linked.
  account_field: Intercom_Id__c
  holds: id
  # Or in place of account_field and holds: 11 are linked:
  # account_field: Id
  # attribute: crm
""")
    chosen = intercom.with_choice(0, LINK.others[0][0])
    written = settings.read_mapping(starter.starter([chosen]), "x")
    assert (written.block("intercom").account_field, written.block("intercom").attribute) == ("Id", "crm")
    before = settings.read_mapping("intercom: {account_field: Id, holds: company_id}", "x")
    after = settings.read_mapping(starter.starter([intercom]), "x")
    found = starter.changes(before, after, [intercom])
    assert [(each.key, each.before, each.after) for each in found] == [
        ("intercom.account_field", "Id", "Intercom_Id__c"),
        ("intercom.holds", "company_id", "id"),
    ]
    assert not starter.kept(before, [intercom])


def test_null_is_written_where_a_default_would_stand_in() -> None:
    text = starter.starter([looked(MappingChoice(("salesforce", "accounts", "tier"), NULL, "none"))])
    assert settings.read_mapping(text, "x").block("salesforce").accounts.tier is None


def test_two_choices_of_one_key_are_a_fault_of_the_system() -> None:
    whole = MappingChoice(("salesforce", "accounts"), {"arr": "ARR__c"}, "")
    for pair in ((WHERE, WHERE), (whole, WHERE), (WHERE, whole)):
        try:
            starter.starter([looked(*pair)])
        except ValueError as error:
            assert "salesforce.accounts" in str(error)
        else:
            raise AssertionError("nothing was said")


def test_what_somebody_chooses_takes_the_place_of_the_proposal() -> None:
    chosen = looked(WHERE).with_choice(0, "ARR__c > 0").choices[0]
    assert chosen.value == "ARR__c > 0"
    assert chosen.why == "Chosen by you. 11 accounts: an amount in ARR__c"
    assert chosen.others == (("Type = 'Customer'", "proposed: 12 accounts: Type has Customer (12)."),)


def test_changes_are_told_by_meaning_and_what_init_knows_nothing_of_is_kept() -> None:
    accounts = "salesforce: {accounts: {arr: Own__c, where: \"Type = 'Customer'\"}}"
    before = settings.read_mapping(f"timezone: Europe/Berlin\nlinks: {{file: links.csv}}\n{accounts}", "x")
    arr = MappingChoice(("salesforce", "accounts", "arr"), "ARR__c", "filled")
    proposed = [looked(WHERE, arr)]
    after = settings.read_mapping(starter.starter(proposed), "x")
    found = starter.changes(before, after, proposed)
    assert [(each.key, each.before, each.after) for each in found] == [("salesforce.accounts.arr", "Own__c", "ARR__c")]
    assert starter.kept(before, proposed) == ["timezone: Europe/Berlin", "links.file: links.csv"]
