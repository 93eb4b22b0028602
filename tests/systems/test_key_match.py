"""Which field of the account a system's records are known by: the counting, the order, and the words that propose."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accountpulse.core.ids import comparable_id
from accountpulse.systems.discovery import AccountSample
from accountpulse.systems.key_match import KeyMatch, alternatives, matches, ranked
from accountpulse.systems.samples import is_fit, listed, rows, shown, spread, text
from accountpulse.systems.words import BUG, ESCALATED, TOP, says

KEYS = st.text("abc12", min_size=1, max_size=3)


def test_values_of_one_record_link_and_those_of_several_are_in_doubt() -> None:
    accounts = AccountSample(fields={"No__c": frozenset({"A1", "A2", "A3", "A4"})})
    (found,) = matches("no", Counter({"A1": 1, "A2": 2, "A4": 1, "B1": 1}), accounts, str)
    assert (found.linked, found.shared, found.values, found.records) == (2, 1, 4, 4)


@settings(max_examples=40)
@given(ours=st.frozensets(KEYS), theirs=st.dictionaries(KEYS, st.integers(1, 3)))
def test_no_count_is_larger_than_what_there_is_on_either_side(ours: frozenset[str], theirs: dict[str, int]) -> None:
    for found in matches("key", theirs, AccountSample(ids=ours), comparable_id):
        assert found.linked + found.shared <= min(found.values, found.records)
        assert found.values <= len(ours)


@settings(max_examples=40)
@given(st.lists(st.tuples(KEYS, KEYS, st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_the_order_of_what_was_tried_changes_nothing(tried: list[tuple[str, str, int, int]]) -> None:
    found = [
        KeyMatch(carrier, field, linked, shared, 20, 20) for carrier, field, linked, shared in dict.fromkeys(tried)
    ]
    best = ranked(found, ("a",), ("b",))
    assert best == ranked(reversed(found), ("a",), ("b",))
    assert [each.linked for each in best] == sorted((each.linked for each in best), reverse=True)


def test_of_equal_ways_a_field_comes_before_the_name_and_the_id_before_an_attribute() -> None:
    def way(carrier: str, field: str) -> KeyMatch:
        return KeyMatch(carrier, field, 9, 0, 9, 9)

    tried = [way("id", "Name"), way("crm", "Id"), way("id", "Key__c"), way("id", "Intercom_Key__c")]
    best, *others = ranked(tried, ("id", "company_id"), ("intercom",))
    assert best == way("id", "Intercom_Key__c")
    assert alternatives(best, others) == [way("crm", "Id"), way("id", "Key__c")]


@pytest.mark.parametrize("value", ["", " ", "0", "none", "TRUE", "n/a", "Unknown"])
def test_values_that_name_nobody_are_no_keys(value: str) -> None:
    accounts = AccountSample(fields={"Flag__c": frozenset({value, "x1"})})
    (found,) = matches("flag", {value: 1}, accounts, str)
    assert (found.linked, found.values) == (0, 1)


def test_two_links_of_many_are_chance() -> None:
    assert not ranked([KeyMatch("plan", "Tier__c", 2, 0, 40, 9)], (), ())
    assert ranked([KeyMatch("id", "Key__c", 2, 0, 3, 30)], (), ())


@pytest.mark.parametrize(
    ("name", "words", "is_said"),
    [
        ("P 1", TOP, True),
        ("prio-1", TOP, True),
        ("SEV1 outage", TOP, True),
        ("p10", TOP, False),
        ("not urgent", TOP, False),
        ("nicht dringend", TOP, False),
        ("La plus haute", TOP, True),
        ("haute", TOP, False),
        ("最高優先", TOP, True),
        ("de-escalated", ESCALATED, False),
        (" Escalated ", ESCALATED, True),
        ("Eskalation (L2)", ESCALATED, True),
        ("Debugging", BUG, False),
    ],
)
def test_a_name_says_a_word_only_as_a_word_of_its_own(name: str, words: frozenset[str], is_said: bool) -> None:  # noqa: FBT001
    assert says(name, words) is is_said


@settings(max_examples=40)
@given(st.text())
def test_any_name_is_shown_on_one_short_line(name: str) -> None:
    line = shown(name)
    assert line.isprintable() or not line.isascii()
    assert "\n" not in line
    assert "\r" not in line
    assert len(line) <= 53
    assert not is_fit(name) or len(name) <= 100


@settings(max_examples=40)
@given(st.lists(st.integers(), max_size=50), st.integers(1, 20))
def test_what_is_spread_is_in_order_and_no_more_than_asked(items: list[int], most: int) -> None:
    found = spread(items, most)
    assert len(found) == min(len(items), most)
    places = iter(items)
    assert all(each in places for each in found)


def test_answers_of_any_shape_give_the_objects_that_are_in_them() -> None:
    assert rows({"data": [{"a": 1}, None, 7, "x", [{}]]}, "data") == [{"a": 1}]
    assert rows({"teams": {"a": 1}}, "data", "teams") == []
    assert rows(None, "data") == rows(7) == rows("data", "data") == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [(" a ", "a"), (7, "7"), (7.0, "7"), (7.5, None), (True, None), (None, None), (float("inf"), None), ([1], None)],
)
def test_keys_are_texts_and_whole_numbers(value: object, expected: str | None) -> None:
    assert text(value) == expected


def test_many_names_are_counted_beyond_a_few() -> None:
    assert listed(map(str, range(10))) == "'0', '1', '2', '3', '4', '5', '6', '7' and 2 more"
