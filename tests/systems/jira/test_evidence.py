"""What may be concluded from what a site tells: links in every shape, histories, priorities, refusals, totals."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from accountpulse.core.errors import AccessError, AccountpulseError, ConfigurationError, UnexpectedAnswer
from accountpulse.core.period import Scope
from accountpulse.core.records import Extract
from accountpulse.systems.jira import extract, lookup
from accountpulse.systems.jira.extract import BUGS
from accountpulse.systems.jira.links import values_of
from support import Configure, request
from systems.jira.small_site import (
    CLOSED,
    CREATED,
    DONE,
    IN_WORK,
    OPEN,
    Answer,
    SmallSite,
    bugs,
    is_search,
    issue,
    move,
    status,
)

DELETED = "99"
FIELD = "customfield_10234"
BASIC = "com.atlassian.jira.plugin.system.customfieldtypes:"
Ask = Callable[..., Extract]


@pytest.fixture
def made(configure: Configure, tmp_path: Path, scope: Scope) -> Callable[..., Any]:
    def make(site: SmallSite, keys: list[str], **block: Any) -> Any:
        path = tmp_path / "accountpulse.yaml"
        path.write_text(yaml.safe_dump({"jira": block}), encoding="utf-8")
        return request(configure(site, ACCOUNTPULSE_CONFIG=str(path)), "jira", scope, sorted(keys))

    return make


@pytest.fixture
def ask(made: Callable[..., Any]) -> Ask:
    return lambda site, keys=("Acme",), **block: extract.extract(made(site, list(keys), **block))


# --- whose bug it is: every row is accounted for -----------------------------------------------------------------


def document(*lines: str) -> dict[str, Any]:
    texts = [[{"type": "text", "text": line}] for line in lines]
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": each} for each in texts]}


def field(custom: str, kind: str, items: str | None = None) -> dict[str, Any]:
    return {"id": FIELD, "name": "Kunde", "schema": {"type": kind, "items": items, "custom": BASIC + custom}}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (field("textarea", "string"), document("Acme")),
        (field("textarea", "string"), document("seen at", "Acme")),
        (field("textarea", "string"), "Beta\r\nACME "),
        (field("textfield", "string"), "Acme"),
        (field("select", "option"), {"id": "7", "value": "Acme"}),
        (field("cascadingselect", "option-with-child"), {"id": "1", "value": "All", "child": {"value": "Acme"}}),
        (field("cascadingselect", "option-with-child"), {"id": "1", "value": "Acme", "child": {"value": "EU"}}),
        (field("multiselect", "array", "option"), [{"value": "Other"}, {"value": "Acme"}]),
        (field("labels", "array", "string"), ["other", "acme"]),
        (field("userpicker", "user"), {"accountId": "5b10", "displayName": "Acme"}),
        (field("grouppicker", "group"), {"name": "Acme", "groupId": "g"}),
        (field("version", "version"), {"id": "4", "name": "Acme"}),
        (field("project", "project"), {"id": "4", "key": "AC", "name": "Acme"}),
        ({"id": FIELD, "schema": {"type": "any", "custom": "x:rlabs-customfield-object"}}, ["Acme (CRM-12)"]),
    ],
)
def test_a_value_is_read_in_every_shape_that_jira_writes_it(kind: Any, value: Any, ask: Ask) -> None:
    with SmallSite([issue(1, **{FIELD: value})], cloud=True, fields=[kind]) as site:
        found = ask(site, link="field", field=FIELD)
    assert bugs(found, "Acme")["open_bugs"] == 1
    assert found.unknowns.is_empty()


@pytest.mark.parametrize(("key", "value"), [("42", 42.0), ("042", 42), ("4.20", 4.2), ("-3", -3.0)])
def test_a_number_is_the_same_however_it_is_written(key: str, value: float, ask: Ask) -> None:
    with SmallSite([issue(1, found_by=[key], **{FIELD: value})], fields=[field("float", "number")]) as site:
        assert bugs(ask(site, [key], link="field", field=FIELD), key)["open_bugs"] == 1


OBJECT = {"id": FIELD, "schema": {"type": "array", "items": "cmdb-object-field", "custom": "x:cmdb-object-cftype"}}


@pytest.mark.parametrize(
    "value", [[{"workspaceId": "w", "id": "w:5", "objectId": "5"}], None, [], [True], [[["Acme"]]], {"odd": {"a": 1}}]
)
def test_a_bug_that_was_found_and_shows_no_key_leaves_its_own_account_unknown_alone(value: Any, ask: Ask) -> None:
    found_by_beta = issue(2, found_by=["Beta"], **{FIELD: ["Beta"]})
    with SmallSite([issue(1, **{FIELD: value}), found_by_beta], cloud=True, fields=[OBJECT]) as site:
        found = ask(site, ["Acme", "Beta", "Gamma", "Delta"], link="field", field=FIELD)
    assert {bugs(found, "Acme")[name] for name in BUGS} == {"not_attributable"}
    assert bugs(found, "Beta")["open_bugs"] == 1
    assert bugs(found, "Gamma")["open_bugs"] == bugs(found, "Delta")["open_bugs"] == 0
    assert any("1 linked values find bugs" in note and "Issue 1 " in note for note in found.notes)


def test_a_bug_with_one_value_that_is_read_and_one_that_is_not_is_somebody_s_and_leaves_the_other_unknown(
    ask: Ask,
) -> None:
    value = [{"workspaceId": "w", "id": "w:5"}, "Beta"]
    with SmallSite([issue(1, found_by=["Acme", "Beta"], **{FIELD: value})], fields=[OBJECT]) as site:
        found = ask(site, ["Acme", "Beta", "Gamma"], link="field", field=FIELD)
    assert bugs(found, "Acme")["open_bugs"] == "not_attributable"
    assert bugs(found, "Beta")["open_bugs"] == 1
    assert bugs(found, "Gamma")["open_bugs"] == 0


def test_an_option_s_id_that_is_another_account_s_name_is_asked_for(ask: Ask) -> None:
    """`7` is the number of the option Acme, and what another account is called; Jira knows which was meant."""
    for found_by, right in ((["Acme"], 0), (["Acme", "7"], "not_attributable")):
        with SmallSite(
            [issue(1, found_by=found_by, **{FIELD: {"id": "7", "value": "Acme"}})], fields=[field("select", "option")]
        ) as site:
            found = ask(site, ["Acme", "7"], link="field", field=FIELD)
        assert bugs(found, "Acme")["open_bugs"] == 1
        assert bugs(found, "7")["open_bugs"] == right


def test_words_in_another_text_make_a_bug_nobody_s_and_it_is_told(ask: Ask) -> None:
    with SmallSite([issue(1, **{FIELD: "the Acme of old"})], fields=[field("textfield", "string")]) as site:
        found = ask(site, link="field", field=FIELD)
    assert bugs(found, "Acme")["open_bugs"] == 0
    assert found.counts["issues"].left_out == {"have words of a link in another text": 1}
    assert any("in another text" in note for note in found.notes)


def test_a_text_that_is_found_and_not_shown_leaves_its_account_unknown(ask: Ask) -> None:
    with SmallSite([issue(1, **{FIELD: None})], fields=[field("textfield", "string")]) as site:
        assert bugs(ask(site, link="field", field=FIELD), "Acme")["open_bugs"] == "not_attributable"


@pytest.mark.parametrize("size", [1, 2, 3, 200])
def test_whose_a_bug_is_does_not_depend_on_how_keys_are_asked_for(size: int, made: Callable[..., Any]) -> None:
    issues = [
        issue(1, found_by=["A"], **{FIELD: {"id": "w:1"}}),
        issue(2, found_by=["B", "C"], **{FIELD: ["B", {"id": "w:2"}]}),
        issue(3, found_by=["D"], **{FIELD: ["d"]}),
    ]
    keys = ["A", "B", "C", "D", "E"]
    unknown: set[str] = set()
    counted: dict[str, int] = {}
    with SmallSite(issues, fields=[OBJECT]) as site:
        whole = made(site, keys, link="field", field=FIELD)
        for at in range(0, len(keys), size):
            some = keys[at : at + size]
            found = extract.extract(replace(whole, keys=tuple(some)))
            unknown |= set(found.unknowns["key"])
            counted |= {key: bugs(found, key)["open_bugs"] for key in some}
    assert unknown == {"A", "C"}
    assert counted == {"A": "not_attributable", "B": 1, "C": "not_attributable", "D": 1, "E": 0}


def test_rows_are_conserved(ask: Ask) -> None:
    old = issue(3, CLOSED, created="2026-01-01T00:00:00.000+0000", updated="2026-02-01T00:00:00.000+0000")
    later = issue(4, created="2026-11-01T00:00:00.000+0000")
    with SmallSite([issue(1), issue(2, created=None), old, later]) as site:
        found = ask(site)
    counts = found.counts["issues"]
    assert (counts.came, counts.outside) == (4, 2)
    assert counts.left_out == {"came without the time of their creation": 1}
    assert counts.kept == found.spools["issues"].height == 1
    assert {bugs(found, "Acme")[name] for name in BUGS} == {"unclear"}, "one of them may lie in any window"


def test_an_issue_that_comes_twice_counts_once(ask: Ask) -> None:
    with SmallSite([issue(1), issue(1)]) as site:
        assert bugs(ask(site), "Acme")["open_bugs"] == 1


# --- what can name an account ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "date", "custom": BASIC + "datepicker"}, "a date"),
        ({"type": "datetime", "custom": BASIC + "datetime"}, "a datetime"),
        ({"type": "array", "items": "json", "custom": "com.pyxis.greenhopper.jira:gh-sprint"}, "a sprint"),
        ({"type": "any", "custom": "com.pyxis.greenhopper.jira:gh-lexo-rank"}, "a rank"),
        ({"type": "progress"}, "of the type progress"),
    ],
)
def test_a_field_of_another_kind_is_a_mistake_that_names_its_kind(schema: Any, said: str, ask: Ask) -> None:
    with (
        SmallSite([], fields=[{"id": FIELD, "schema": schema}]) as site,
        pytest.raises(ConfigurationError, match=said) as caught,
    ):
        ask(site, link="field", field=FIELD)
    assert "jira.field" in str(caught.value)


def test_organisations_are_found_by_their_type_and_not_by_their_name(ask: Ask) -> None:
    german = {"id": FIELD, "name": "Organisationen", "schema": {"type": "array", "items": "sd-customerorganization"}}
    german["schema"]["custom"] = "com.atlassian.servicedesk:sd-customer-organizations"
    namesake = {"id": "customfield_1", "name": "Organizations", "schema": {"type": "string", "custom": BASIC + "url"}}
    with SmallSite([issue(1, **{FIELD: [{"id": "2", "name": "Acme"}]})], fields=[namesake, german]) as site:
        assert bugs(ask(site, link="organization"), "Acme")["open_bugs"] == 1
    with SmallSite([], fields=[namesake]) as site, pytest.raises(ConfigurationError, match="organizations"):
        ask(site, link="organization")


# --- projects and components -------------------------------------------------------------------------------------


def test_components_of_compass_are_listed_where_a_project_has_these(ask: Ask) -> None:
    def over(_method: str, path: str, body: dict[str, Any]) -> Answer | None:
        if path.endswith("/components"):
            return 200, [{"id": "ari:1", "name": "Acme"}] if body.get("componentSource") == "auto" else []
        return None

    with SmallSite([issue(1)], cloud=True, over=over) as site:
        found = ask(site)
    assert found.unknown_keys == {}
    assert bugs(found, "Acme")["open_bugs"] == 1


def test_a_component_that_no_list_has_is_searched_for_before_it_is_not_linked(made: Callable[..., Any]) -> None:
    with SmallSite([issue(1)], components=[]) as site:
        asked = made(site, ["Acme"])
        found = extract.extract(asked)
        assert lookup.look_up(asked).unknown_keys == {}
    assert found.unknown_keys == {}
    assert bugs(found, "Acme")["open_bugs"] == 1


def test_a_project_is_known_by_an_earlier_key_of_it(ask: Ask) -> None:
    def over(_method: str, path: str, _body: dict[str, Any]) -> Answer | None:
        return (200, {"id": "100", "key": "CORE"}) if path.endswith("/project/OLD") else None

    own = issue(1, found_by=["CORE"], project={"id": "100", "key": "CORE", "name": "Core"})
    with SmallSite([own], over=over) as site:
        found = ask(site, ["OLD", "HIDDEN"], link="project")
    assert bugs(found, "OLD")["open_bugs"] == 1
    assert found.unknown_keys == {"HIDDEN": "not_visible"}


def test_a_project_s_name_that_is_another_one_s_key_is_not_mixed_up(ask: Ask) -> None:
    projects = [{"id": "1", "key": "WEB", "name": "Site"}, {"id": "2", "key": "W2", "name": "WEB"}]
    own = issue(1, found_by=["W2"], project=projects[1])
    with SmallSite([own], projects=projects) as site:
        found = ask(site, ["WEB", "W2"], link="project")
    assert [bugs(found, key)["open_bugs"] for key in ("WEB", "W2")] == [0, 1]


def test_an_archived_project_is_not_visible(ask: Ask) -> None:
    def over(_method: str, path: str, _body: dict[str, Any]) -> Answer | None:
        return (200, {"id": "9", "key": "ARCH", "archived": True}) if path.endswith("/project/ARCH") else None

    with SmallSite([], over=over) as site:
        assert ask(site, ["ARCH"], link="project").unknown_keys == {"ARCH": "not_visible"}


@pytest.mark.parametrize("key", ["CAFE\u0301", "  caf\u00e9 ", "Caf\u00e9"])
def test_case_blanks_and_composed_accents_are_one_name(key: str, ask: Ask) -> None:
    own = issue(1, found_by=["Caf\u00e9"], components=[{"id": "5", "name": "Caf\u00e9"}])
    with SmallSite([own], components=[{"id": "5", "name": "Caf\u00e9"}]) as site:
        assert bugs(ask(site, [key]), key)["open_bugs"] == 1


# --- a meaning that is unknown stays unknown ---------------------------------------------------------------------

DONE_IN_NOVEMBER = {"resolutiondate": "2026-11-07T12:00:00.000+0000"}


@pytest.mark.parametrize(
    ("bug", "right"),
    [
        # resolved in June into a status that is gone, closed in November
        (
            issue(
                1,
                CLOSED,
                move("06-10", (OPEN, DELETED), resolution=(None, "1")),
                move("11-05", (DELETED, CLOSED)),
                resolutiondate="2026-06-10T12:00:00.000+0000",
                created="2026-05-01T00:00:00.000+0000",
            ),
            {"open_bugs": 0, "reopened_bugs": 0},
        ),
        # the same, where only the present resolution tells
        (
            issue(
                1,
                CLOSED,
                move("06-10", (OPEN, DELETED)),
                move("11-05", (DELETED, CLOSED)),
                resolutiondate="2026-06-10T12:00:00.000+0000",
                created="2026-05-01T00:00:00.000+0000",
            ),
            {"open_bugs": 0},
        ),
        # nobody can tell what it meant
        (
            issue(1, IN_WORK, move("10-10", (OPEN, DELETED)), move("11-05", (DELETED, IN_WORK))),
            {"open_bugs": "unclear", "critical_bugs": 0, "reopened_bugs": 0, "bug_trend": "unclear"},
        ),
        # it left it in the month: open at its end, and perhaps reopened by that
        (
            issue(1, IN_WORK, move("10-01", (OPEN, DELETED)), move("10-20", (DELETED, IN_WORK))),
            {"open_bugs": 1, "reopened_bugs": "unclear"},
        ),
        # long before the window it doesn't matter
        (
            issue(
                1,
                IN_WORK,
                move("03-01", (OPEN, DELETED)),
                move("03-20", (DELETED, IN_WORK)),
                created="2026-02-01T00:00:00.000+0000",
            ),
            {"open_bugs": 1, "reopened_bugs": 0},
        ),
        # two moves in one entry, in either order
        (
            issue(1, IN_WORK, move("09-05", (OPEN, DONE)), move("10-10", (DONE, OPEN), (OPEN, IN_WORK))),
            {"open_bugs": 1, "reopened_bugs": 1},
        ),
        (
            issue(1, IN_WORK, move("09-05", (OPEN, DONE)), move("10-10", (OPEN, IN_WORK), (DONE, OPEN))),
            {"open_bugs": 1, "reopened_bugs": 1},
        ),
        # two moves in one instant, newest first
        (
            issue(1, OPEN, move("10-10", (DONE, OPEN)), move("10-10", (OPEN, DONE))),
            {"open_bugs": 1, "reopened_bugs": 1},
        ),
        (
            issue(1, DONE, move("10-10", (OPEN, DONE)), move("10-10", (DONE, OPEN)), move("09-10", (OPEN, DONE))),
            {"open_bugs": 0, "reopened_bugs": 1},
        ),
        # servers whose clocks differ: numbers lead on where times don't
        (
            issue(
                1,
                OPEN,
                move("2026-10-10T10:00:00.500+0000", (OPEN, DONE), id="1"),
                move("2026-10-10T10:00:00.200+0000", (DONE, OPEN), id="2"),
            ),
            {"open_bugs": 1, "reopened_bugs": 1},
        ),
        # a history that contradicts the present state
        (issue(1, DONE, move("10-10", (OPEN, IN_WORK))), {"open_bugs": "unclear", "reopened_bugs": "unclear"}),
        # one in which a move is missing
        (
            issue(1, IN_WORK, move("09-10", (OPEN, IN_WORK)), move("11-05", (DONE, IN_WORK))),
            {"open_bugs": "unclear", "reopened_bugs": "unclear"},
        ),
        # an entry that came twice is one
        (
            issue(1, OPEN, *[move("10-02", (OPEN, DONE), id="7")] * 2, move("10-04", (DONE, OPEN), id="8")),
            {"open_bugs": 1, "reopened_bugs": 1},
        ),
        # a custom field that is called like ours
        (
            issue(
                1,
                OPEN,
                {
                    "created": "2026-10-05T12:00:00.000+0000",
                    "items": [{"field": "status", "fieldtype": "custom", "from": DONE, "to": OPEN}],
                },
            ),
            {"open_bugs": 1, "reopened_bugs": 0},
        ),
        # numbers in what isn't ours
        (
            issue(
                1,
                OPEN,
                {"created": "2026-10-05T12:00:00.000+0000", "items": [{"field": "Story Points", "from": 3, "to": 5.5}]},
            ),
            {"open_bugs": 1},
        ),
        # resolved after the month, without any entry that tells: the date does
        (issue(1, DONE, **DONE_IN_NOVEMBER), {"open_bugs": 1, "reopened_bugs": 0}),
        # the present status' own meaning
        (issue(1, status={"id": DELETED, "name": "Gone"}), {"open_bugs": "unclear", "avg_resolution_days": "unclear"}),
        (issue(1, status=status(DELETED, "done"), updated="2026-10-20T00:00:00.000+0000"), {"open_bugs": 0}),
        (issue(1, status=status(OPEN, "done")), {"open_bugs": "unclear"}),
        (issue(1, status=status(OPEN, "a new category")), {"open_bugs": 1}),
        (issue(1, status=None), {"open_bugs": "unclear"}),
    ],
)
def test_an_issue_was_what_its_history_says_or_nobody_knows(bug: Any, right: dict[str, Any], ask: Ask) -> None:
    with SmallSite([bug]) as site:
        found = ask(site, ["Acme", "Beta"])
    got = bugs(found, "Acme")
    assert {name: got[name] for name in right} == right
    assert bugs(found, "Beta")["open_bugs"] == 0, "another account's numbers stand"
    assert any("issue 1" in note for note in found.notes) == ("unclear" in got.values())


def test_a_site_without_histories_is_judged_by_dates(ask: Ask) -> None:
    def bare(each: Any) -> Any:
        return {name: value for name, value in each.items() if name != "changelog"}

    with SmallSite(
        [
            bare(issue(1, DONE, created="2026-10-14T00:00:00.000+0000", **DONE_IN_NOVEMBER)),
            bare(issue(2, DONE, found_by=["Beta"], components=[{"id": "21", "name": "Beta"}])),
        ]
    ) as site:
        found = ask(site, ["Acme", "Beta"])
    assert bugs(found, "Acme")["open_bugs"] == 1
    assert bugs(found, "Beta")["open_bugs"] == "unclear", "done at some time, perhaps after the month"
    assert found.gaps == {"reopened_bugs": "field_missing"}


def test_one_history_that_is_missing_is_asked_for_and_then_unknown(ask: Ask) -> None:
    other = issue(2, OPEN, move("10-10", (IN_WORK, OPEN)), found_by=["Beta"], components=[{"id": "21", "name": "Beta"}])
    without = {name: value for name, value in issue(1, DONE, **DONE_IN_NOVEMBER).items() if name != "changelog"}
    with SmallSite([without, other]) as site:
        found = ask(site, ["Acme", "Beta"])
    assert bugs(found, "Acme")["open_bugs"] == bugs(found, "Acme")["reopened_bugs"] == "unclear"
    assert (bugs(found, "Beta")["open_bugs"], bugs(found, "Beta")["reopened_bugs"]) == (1, 0)
    assert found.gaps == {}


def test_an_issue_that_is_gone_when_its_history_is_read_leaves_its_account_unknown_alone(ask: Ask) -> None:
    cut = issue(1, OPEN, move("11-10", (IN_WORK, OPEN)))
    cut["changelog"]["total"] = 5
    other = issue(2, found_by=["Beta"], components=[{"id": "21", "name": "Beta"}])

    def over(_method: str, path: str, _body: dict[str, Any]) -> Answer | None:
        return (403, {"errorMessages": ["hidden"]}) if "/issue/" in path else None

    with SmallSite([cut, other], over=over) as site:
        found = ask(site, ["Acme", "Beta"])
    assert bugs(found, "Acme")["reopened_bugs"] == "unclear"
    assert (bugs(found, "Beta")["open_bugs"], bugs(found, "Beta")["reopened_bugs"]) == (1, 0)


@pytest.mark.parametrize("code", [400, 403, 404])
def test_one_issue_that_bulk_fetch_refuses_costs_its_own_account_alone(code: int, ask: Ask) -> None:
    names = {1: "Acme", 2: "Beta", 3: "Beta", 4: "Beta"}
    issues = [
        issue(
            number,
            OPEN,
            move("10-10", (OPEN, DONE)),
            move("10-12", (DONE, OPEN)),
            found_by=[name],
            components=[{"id": "1", "name": name}],
            statuscategorychangedate="2026-10-12T12:00:00.000+0000",
        )
        for number, name in names.items()
    ]

    def over(_method: str, path: str, body: dict[str, Any]) -> Answer | None:
        return (code, {}) if path.endswith("bulkfetch") and "1" in body["issueIdsOrKeys"] else None

    with SmallSite(issues, cloud=True, over=over) as site:
        found = ask(site, ["Acme", "Beta"])
    assert bugs(found, "Acme")["reopened_bugs"] == "unclear"
    assert (bugs(found, "Acme")["open_bugs"], bugs(found, "Beta")["reopened_bugs"]) == (1, 3)


@pytest.mark.parametrize(
    ("changed", "moves", "right"),
    [
        ("2026-11-05T12:00:00.000+0000", [], {"open_bugs": "unclear", "reopened_bugs": "unclear"}),
        ("2026-10-20T12:00:00.000+0000", [], {"open_bugs": 1, "reopened_bugs": "unclear"}),
        (CREATED, [], {"open_bugs": 1, "reopened_bugs": 0}),
        (CREATED, [("10-05", DONE, OPEN)], {"open_bugs": "unclear", "reopened_bugs": 1}),
        ("2026-10-05T12:00:00.000+0000", [("10-05", DONE, OPEN)], {"open_bugs": 1, "reopened_bugs": 1}),
    ],
)
def test_a_history_is_held_against_the_last_change_of_the_category(
    changed: str, moves: list[tuple[str, str, str]], right: dict[str, Any], ask: Ask
) -> None:
    history = [move(at, (before, after)) for at, before, after in moves]
    with SmallSite([issue(1, OPEN, *history, statuscategorychangedate=changed)], cloud=True) as site:
        got = bugs(ask(site), "Acme")
    assert {name: got[name] for name in right} == right


@pytest.mark.parametrize(
    ("priority", "right"),
    [
        ({"id": "1", "name": "Höchste"}, 1),  # of a user with another language
        ({"id": "3", "name": "Low"}, 0),
        (None, 0),
        ({"id": "77", "name": "Highest"}, "unclear"),  # deleted since
        ({"id": "3", "name": "Highest"}, "unclear"),
        ({"name": "Highest"}, 1),
    ],
)
def test_a_priority_is_critical_by_its_id(priority: Any, right: Any, ask: Ask) -> None:
    with SmallSite([issue(1, priority=priority)]) as site:
        found = ask(site)
    assert bugs(found, "Acme")["critical_bugs"] == right
    assert bugs(found, "Acme")["open_bugs"] == 1


def test_a_priority_that_was_not_told_or_is_gone_matters_for_open_bugs_alone(ask: Ask) -> None:
    gone = {"id": "77", "name": "Gone"}
    done = issue(1, DONE, move("09-10", (OPEN, DONE)), priority=gone)
    untold = issue(2, found_by=["Beta"], components=[{"id": "21", "name": "Beta"}])
    del untold["fields"]["priority"]
    with SmallSite([done, untold]) as site:
        found = ask(site, ["Acme", "Beta"])
    assert bugs(found, "Acme")["critical_bugs"] == 0
    assert bugs(found, "Beta")["critical_bugs"] == "unclear"


def test_priorities_of_one_name_are_both_meant(ask: Ask) -> None:
    twice = [{"id": "1", "name": "Highest"}, {"id": "8", "name": "highest"}]
    with SmallSite([issue(1, priority={"id": "8", "name": "highest"})], priorities=twice) as site:
        assert bugs(ask(site), "Acme")["critical_bugs"] == 1


# --- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Field 'issuetype' does not exist or you do not have permission to view it.", 3),
        ("Something is not right.", 5),
    ],
)
@pytest.mark.parametrize("cloud", [True, False])
def test_a_refusal_of_the_whole_query_blames_no_value(words: str, code: int, ask: Ask, *, cloud: bool) -> None:
    def over(_method: str, path: str, _body: dict[str, Any]) -> Answer | None:
        return (400, {"errorMessages": [words]}) if is_search(path) else None

    names = [f"component {number}" for number in range(200)]
    listed = [{"id": str(number), "name": name} for number, name in enumerate(names)]
    with SmallSite([], cloud=cloud, components=listed, over=over) as site:
        with pytest.raises(AccountpulseError) as caught:
            ask(site, names)
        assert len(site.searches()) == 2
    assert caught.value.exit_code == code


def test_many_values_that_are_refused_are_found_and_the_others_counted(ask: Ask) -> None:
    def over(_method: str, path: str, body: dict[str, Any]) -> Answer | None:
        refused = is_search(path) and '"gone ' in body["jql"]
        return (
            (400, {"errorMessages": ["The value 'gone' does not exist for the field 'component'."]})
            if refused
            else None
        )

    with SmallSite([issue(1)], over=over) as site:
        found = ask(site, ["Acme", *(f"gone {number}" for number in range(5))])
    assert found.unknown_keys == {f"gone {number}": "not_linked" for number in range(5)}
    assert bugs(found, "Acme")["open_bugs"] == 1


@pytest.mark.parametrize("cloud", [True, False])
def test_a_search_that_may_not_be_posted_is_asked_for_by_get(ask: Ask, *, cloud: bool) -> None:
    def over(method: str, path: str, _body: dict[str, Any]) -> Answer | None:
        return (405, "") if method == "POST" and is_search(path) else None

    with SmallSite([issue(1)], cloud=cloud, over=over) as site:
        assert bugs(ask(site), "Acme")["open_bugs"] == 1


def test_a_search_that_may_not_be_asked_for_at_all_says_so(ask: Ask) -> None:
    def over(_method: str, path: str, _body: dict[str, Any]) -> Answer | None:
        return (405, "") if is_search(path) else None

    with SmallSite([issue(1)], over=over) as site, pytest.raises(AccessError, match="doesn't take GET"):
        ask(site)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, "", {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}), "wrong or have ended"),
        ((401, {"message": "Unauthorized; scope does not match"}), "read:jira-work"),
        ((403, "", {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}), "CAPTCHA"),
        ((403, "", {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=x"}), "CAPTCHA"),
        ((403, {"errorMessages": ["no"]}), "browse the projects"),
        ((404, "<html>Not here</html>", {"Content-Type": "text/html"}), "JIRA_BASE_URL"),
        ((410, {"errorMessages": ["The requested API has been removed."]}), "CHANGE-2046"),
        ((302, "", {"Location": "https://id.atlassian.com/login?continue=x"}), "a sign-in page"),
        ((301, "", {"Location": "https://elsewhere.example/"}), "JIRA_BASE_URL"),
        ((404, "<html>Site temporarily unavailable</html>", {"Content-Type": "text/html"}), "admin.atlassian.com"),
    ],
)
def test_a_refusal_says_its_cause_and_what_to_do(answer: Answer, said: str, ask: Ask) -> None:
    def over(_method: str, path: str, _body: dict[str, Any]) -> Answer | None:
        return answer if path.endswith("/myself") else None

    with SmallSite([issue(1)], over=over) as site, pytest.raises(AccountpulseError, match=said) as caught:
        ask(site)
    assert caught.value.exit_code == (5 if "admin.atlassian" in said else 3)
    assert len([path for _method, path, _body in site.asked if path.endswith("/myself")]) == 1


# --- totals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [1.0, "1"])
def test_a_whole_number_is_one_however_it_is_written(total: Any, ask: Ask) -> None:
    def over(_method: str, path: str, body: dict[str, Any]) -> Answer | None:
        return (200, {**site.page(site.issues, body), "total": total}) if is_search(path) else None

    site = SmallSite([issue(1)], over=over)
    with site:
        assert bugs(ask(site), "Acme")["open_bugs"] == 1


@pytest.mark.parametrize("from_page", [1, 2])
def test_an_answer_of_data_center_without_a_total_is_no_zero_and_no_end(from_page: int, ask: Ask) -> None:
    def over(_method: str, path: str, body: dict[str, Any]) -> Answer | None:
        if not is_search(path) or len(site.searches()) < from_page:
            return None
        return 200, {**site.page(site.issues if from_page > 1 else [], body), "total": None}

    with SmallSite([issue(1), issue(2)], over=over) as site, pytest.raises(UnexpectedAnswer, match="without its total"):
        ask(site)


def test_a_field_of_another_type_is_named_with_its_record_and_asked_for_once(ask: Ask) -> None:
    with SmallSite([issue(1, labels={"odd": 1})]) as site:
        with pytest.raises(UnexpectedAnswer, match=r"labels") as caught:
            ask(site)
        assert len(site.searches()) == 1
    assert "of 1" in str(caught.value)


@pytest.mark.parametrize("cloud", [True, False])
def test_issues_that_were_counted_and_not_shown_are_no_zero(ask: Ask, *, cloud: bool) -> None:
    def over(_method: str, path: str, _body: dict[str, Any]) -> Answer | None:
        return (200, {"issues": [], "total": 1}) if is_search(path) else None

    with SmallSite([issue(1)], cloud=cloud, over=over) as site, pytest.raises(UnexpectedAnswer, match="twice"):
        ask(site)


def test_a_short_answer_of_cloud_is_asked_for_again_and_told(ask: Ask) -> None:
    lost = {"shown": 0}

    def over(_method: str, path: str, body: dict[str, Any]) -> Answer | None:
        if is_search(path) and body["maxResults"] > 1:
            lost["shown"] += 1
            return 200, {"issues": [site.shown(each, ()) for each in site.issues[lost["shown"] == 1 :]], "isLast": True}
        return None

    site = SmallSite([issue(1), issue(2)], cloud=True, over=over)
    with site:
        found = ask(site)
    assert bugs(found, "Acme")["open_bugs"] == 2
    assert not any("had counted" in note for note in found.notes)


# --- laws of values ----------------------------------------------------------------------------------------------


def test_values_of_a_field_say_what_they_are_called() -> None:
    assert values_of(None, "value") == ()
    assert [value.names for value in values_of(["a", None, {"value": "b"}], "value")] == [("a",), ("b",)]
    assert values_of([{"objectId": "4"}], "object")[0].names == ()
