"""deploy/salesforce against the vendor's own metadata schema, against itself, and against what a load sends."""

import operator
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import simple_salesforce
import yaml
from lxml import etree

from accountpulse.core.records import ScoreRecords
from accountpulse.sandbox.world.org import empty_objects
from accountpulse.scoring import scorecard
from accountpulse.scoring.columns import PROBABILITIES
from accountpulse.settings import AccountpulseYaml
from accountpulse.systems.salesforce.pulse_settings import PulseField
from accountpulse.systems.salesforce.record import CURRENT, TASK_KEY, payload

ROOT = Path(__file__).parents[3] / "deploy" / "salesforce"
CORE, SIGNALS, TASKS = ROOT / "health-score", ROOT / "churn-signal", ROOT / "tasks"
OWN_SIGNALS, POSTS, PULSE, REMOVAL = (ROOT / n for n in ("own-signals", "tier-change-flow", "pulse", "remove"))
EITHER = ([CORE, SIGNALS], [CORE, OWN_SIGNALS])  # what an org deploys: our signals, or what stands in for its own
OPEN_SIGNALS = "Account.Open_Critical_Signals__c"
SCORES = "Account.Health_Scores__r$"  # before the fields of scores in reports
FILES = sorted(ROOT.rglob("*-meta.xml"))
NS = "{http://soap.sforce.com/2006/04/metadata}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
HELP_LENGTH = 510  # characters; Metadata API Developer Guide, "CustomField", inlineHelpText


@cache
def schema() -> etree.XMLSchema:
    """The types of the Metadata API, each as a document of its own; the client ships them in its WSDL."""
    wsdl = etree.parse(str(Path(simple_salesforce.__file__).parent / "metadata.wsdl"))
    found = next(wsdl.getroot().iter(f"{XSD}schema"))
    taken = {element.get("name") for element in found.findall(f"{XSD}element")}
    for kind in {etree.parse(str(file)).getroot().tag.removeprefix(NS) for file in FILES} - taken:
        etree.SubElement(found, f"{XSD}element", name=kind, type=f"tns:{kind}")
    return etree.XMLSchema(etree.fromstring(etree.tostring(found)))


def read(file: Path) -> dict[str, Any]:
    """An element as a dictionary; one that is repeated as a list."""
    return _read(etree.parse(str(file)).getroot())


def _read(element: Any) -> Any:
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        name, value = child.tag.removeprefix(NS), _read(child)
        if name in found:
            found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
        else:
            found[name] = value
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def files(kind: str, below: Path = ROOT) -> list[Path]:
    return sorted(below.rglob(f"*.{kind}-meta.xml"))


def fields(below: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Every field by `Object.Field`."""
    return {f"{file.parent.parent.name}.{read(file)['fullName']}": read(file) for file in files("field", below)}


def described_fields(below: Path) -> dict[str, dict[str, Any]]:
    """The same by the objects that have them: what a field of Activity is, Task and Event have both."""
    return {
        each: field
        for name, field in fields(below).items()
        for each in ([name.replace("Activity.", f"{n}.") for n in ("Task", "Event")] if "Activity." in name else [name])
    }


def fixed(name: str) -> bool:
    """A field that a permission set may not list: it is always visible."""
    field = fields()[name]
    return field.get("required") == "true" or field["type"] == "MasterDetail"


def ids(file: Path) -> str:
    return str(file.relative_to(ROOT))


# --- against the vendor's schema -----------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_every_file_is_what_the_metadata_api_takes(file: Path) -> None:
    assert schema().validate(etree.parse(str(file))), schema().error_log


@pytest.mark.parametrize("change", ["<lable>x</lable>", "<type>Numbr</type>", "<precision>five</precision>"])
def test_the_schema_refuses_what_it_does_not_know(change: str) -> None:
    text = f'<CustomField xmlns="{NS[1:-1]}"><fullName>X__c</fullName>{change}</CustomField>'
    assert not schema().validate(etree.fromstring(text))


@pytest.mark.skipif(shutil.which("sf") is None, reason="the Salesforce CLI `sf` (Node 22.19 or newer) is not installed")
@pytest.mark.parametrize(
    "folders",
    [["health-score", "own-signals"], ["health-score", "churn-signal", "tasks", "tier-change-flow", "pulse"]],
    ids=["own signals", "all"],
)
def test_the_salesforce_cli_makes_a_deployable_package_of_it(folders: list[str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT, project)
    roots = [word for folder in folders for word in ("--source-dir", folder)]
    command = ["sf", "project", "convert", "source", *roots, "--output-dir", str(tmp_path / "out")]
    quiet = {**os.environ, "SF_DISABLE_TELEMETRY": "true", "SF_SKIP_NEW_VERSION_CHECK": "true"}
    subprocess.run(command, cwd=project, env=quiet, check=True, capture_output=True, timeout=600)
    made = {
        f"{block.find(f'{NS}name').text} {member.text.removesuffix('/')}"  # folders have one
        for block in etree.parse(str(tmp_path / "out" / "package.xml")).iter(f"{NS}types")
        for member in block.findall(f"{NS}members")
    }
    assert made == {member for folder in folders for member in members(ROOT / folder)}


def members(folder: Path) -> Iterator[str]:
    """What a folder's files are in a manifest: the type and the full name of each."""
    for file in folder.rglob("*-meta.xml"):
        kind, name = etree.parse(str(file)).getroot().tag.removeprefix(NS), file.name.rsplit(".", 2)[0]
        if kind in {"CustomField", "ListView", "ValidationRule", "CompactLayout"}:
            yield f"{kind} {file.parent.parent.name}.{name}"
        elif kind in {"Report", "Dashboard"}:
            yield f"{kind} {file.parent.name}/{name}"
        else:
            yield f"{kind.removesuffix('Folder')} {name}"


# --- against itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_a_file_is_named_after_what_it_holds(file: Path) -> None:
    name = read(file).get("fullName")
    assert name in (None, file.name.rsplit(".", 1)[0].rpartition(".")[0])


@pytest.mark.parametrize("name", fields())
def test_every_field_has_help_that_fits(name: str) -> None:
    text = fields()[name]["inlineHelpText"]
    assert 20 < len(text) <= HELP_LENGTH


NEITHER_GOOD_NOR_BAD = {"ARR__c", "Group_ARR__c", "Days_To_Renewal__c"}


@pytest.mark.parametrize(
    "name",
    [
        n
        for n, f in fields().items()
        if (f["type"] in {"Number", "Summary"} or n.endswith("Tier__c")) and n.split(".")[1] not in NEITHER_GOOD_NOR_BAD
    ],
)
def test_the_help_of_every_figure_says_its_direction(name: str) -> None:
    words = r"higher is (healthier|riskier|surer)|more is worse|from best to worst|at its (worst|best)"
    assert re.search(words, fields()[name]["inlineHelpText"], re.I)


def test_help_texts_agree_with_the_default_scorecard() -> None:
    card = yaml.safe_load((Path(scorecard.__file__).parent / "default.yaml").read_text(encoding="utf-8"))
    tiers = {tier["name"]: tier["min"] for tier in card["tiers"]}
    values = listed(fields()["Health_Score__c.Tier__c"]["valueSet"]["valueSetDefinition"]["value"])
    assert [value["fullName"] for value in values] == [*tiers, "Not Rated"]
    assert (
        f"Below {tiers['At Risk']} is critical, from {tiers['Healthy']} healthy"
        in (fields()["Health_Score__c.Health_Score__c"]["inlineHelpText"])
    )
    caps = {cap["reason"]: cap["cap"] for cap in card["caps"]}
    assert f"as shipped {caps['open critical signal']})" in fields()["Health_Score__c.Final_Score__c"]["inlineHelpText"]


def references(value: Any, owner: str) -> Iterator[str]:
    """`Object.Field` of every custom field that a formula names, through one parent at most."""
    for path in re.findall(r"\b[A-Za-z_]+(?:\.[A-Za-z_]+)?__c\b", value):
        parent, _, name = path.rpartition(".")
        yield f"{parent.removesuffix('__r')}.{name}" if parent else f"{owner}.{name}"


@pytest.mark.parametrize("file", [*files("field"), *files("validationRule")], ids=ids)
def test_formulas_filters_and_roll_ups_name_fields_that_exist(file: Path) -> None:
    found, owner = read(file), file.parent.parent.name
    named = list(references(found.get("formula", "") + found.get("errorConditionFormula", ""), owner))
    named += [found["summaryForeignKey"]] if "summaryForeignKey" in found else []
    named += [item["field"] for item in listed(found.get("summaryFilterItems"))]
    assert set(named) <= set(fields())
    for item in listed(found.get("summaryFilterItems")):
        values = fields()[item["field"]]["valueSet"]["valueSetDefinition"]["value"]
        assert item["value"] in [value["fullName"] for value in values]


@pytest.mark.parametrize("file", [*files("listView"), *files("layout")], ids=ids)
def test_lists_and_layouts_show_fields_that_exist(file: Path) -> None:
    if file.parent.name == "layouts":
        owner, below = file.name.split("-")[0], file.parents[3]
        sections = listed(read(file)["layoutSections"])
        items = [i for s in sections for c in listed(s["layoutColumns"]) for i in listed(c["layoutItems"])]
        named = [item["field"] for item in items]
        required = {item["field"] for item in items if item["behavior"] == "Required"}
        assert required == {name for name in named if name != "Name" and fixed(f"{owner}.{name}")}
        shown = {name.split(".")[1] for name in fields(below) if name.split(".")[0] == owner}
        assert set(named) - {"Name"} == shown
    else:
        owner, below = file.parent.parent.name, file.parents[5]
        view = read(file)
        named = [*listed(view["columns"]), *(item["field"] for item in listed(view.get("filters")))]
        for item in listed(view.get("filters")):
            values = fields()[f"{owner}.{item['field']}"].get("valueSet")
            if values:
                names = {value["fullName"] for value in values["valueSetDefinition"]["value"]}
                assert set(item["value"].split(",")) <= names
    assert {f"{owner}.{name}" for name in named if name.endswith("__c")} <= set(fields(below))


def test_the_report_type_and_the_account_page_show_fields_that_exist() -> None:
    [report] = files("reportType")
    relationship = fields()["Health_Score__c.Account__c"]["relationshipName"] + "__r"
    columns = [column for section in read(report)["sections"] for column in listed(section["columns"])]
    scores = {column["field"] for column in columns if column["table"] == f"Account.{relationship}"}
    everything = {name.split(".")[1] for name in fields(CORE) if name.startswith("Health_Score__c.")}
    assert scores == everything - {"Account__c"}
    assert read(report)["join"]["relationship"] == relationship
    [page] = files("flexipage")
    text = page.read_text(encoding="utf-8")
    assert f"<value>{relationship}</value>" in text
    assert set(re.findall(r"<value>(\w+__c)</value>", text)) <= everything
    assert "<sobjectType>Account</sobjectType>" in text


def test_an_org_deploys_one_of_two_folders_beside_the_core_and_each_has_what_the_core_names() -> None:
    for file in CORE.rglob("*.xml"):
        assert not re.search(r"Churn_Signal", file.read_text(encoding="utf-8")), file
    for folder in (SIGNALS, OWN_SIGNALS):
        ours = {name for name in fields(folder) if not name.startswith("Churn_Signal__c.")}
        assert ours == {OPEN_SIGNALS}
        assert [file.name for file in files("app", folder)] == ["Customer_Health.app-meta.xml"]
    assert not fields(OWN_SIGNALS).keys() & {n for n in fields() if n.startswith("Churn_Signal__c.")}


@pytest.mark.parametrize("folders", EITHER, ids=["our signals", "own signals"])
def test_the_app_has_the_tabs_that_are_there_and_a_reader_sees_it(folders: list[Path]) -> None:
    [app] = [file for folder in folders for file in files("app", folder)]
    own = {file.name.split(".")[0] for folder in folders for file in files("tab", folder)}
    tabs = set(read(app)["tabs"])
    assert tabs == own | {"standard-Account", "standard-report", "standard-Dashboard"}
    seen = [read(file).get("applicationVisibilities") for folder in folders for file in files("permissionset", folder)]
    assert [each["application"] for each in seen if each] == [app.name.split(".")[0]]


def test_signals_are_logged_from_the_account_by_the_fields_that_people_may_edit() -> None:
    [action] = files("quickAction", SIGNALS)
    found = read(action)
    assert (action.name.split(".")[0], found["type"]) == ("Account", "Create")
    target, parent = found["targetObject"], found["targetParentField"]
    assert fields()[f"{target}.{parent}"]["type"] == "MasterDetail"
    columns = found["quickActionLayout"]["quickActionLayoutColumns"]
    items = [item for column in columns for item in listed(column["quickActionLayoutItems"])]
    required = {f"{target}.{item['field']}" for item in items if item["uiBehavior"] == "Required"}
    assert {f"{target}.{item['field']}" for item in items} <= fields().keys()
    assert required == {name for name in fields() if name.startswith(f"{target}.") and fixed(name)} - {
        f"{target}.{parent}"
    }


def test_what_people_ask_when_changed_is_tracked() -> None:
    for name in ("Health_Score__c.Tier__c", "Health_Score__c.Health_Score__c", "Health_Score__c.Account_Owner__c"):
        assert fields()[name]["trackHistory"] == "true"
    for name in ("Churn_Signal__c.Severity__c", "Churn_Signal__c.Status__c"):
        assert fields()[name]["trackHistory"] == "true"
    for file in files("object"):
        assert read(file)["enableHistory"] == "true"


# --- a morning in the org: lists, reports, dashboard -----------------------------------------------------------------


def filters() -> Iterator[tuple[str, str]]:
    """The fields that lists and reports of scores filter by, with the name of the list or report."""
    for file in files("listView", CORE):
        yield from ((file.name.split(".")[0], item["field"]) for item in listed(read(file).get("filters")))
    for file in files("report", CORE):
        items = listed(read(file)["filter"]["criteriaItems"])
        yield from ((file.name.split(".")[0], item["column"].removeprefix(SCORES)) for item in items)


def made_of(name: str) -> set[str]:
    """What a field of the scores rests on: itself, or the fields of its formula and what these rest on."""
    formula = fields()[f"Health_Score__c.{name}"].get("formula")
    if formula is None:
        return {name}
    named = set(references(formula, "Health_Score__c"))
    ours = {each.split(".")[1] for each in named if each.startswith("Health_Score__c.")}
    return {deeper for each in ours for deeper in made_of(each)} | (named & {OPEN_SIGNALS})


def test_every_filter_is_by_fields_that_the_load_writes() -> None:
    written = set(sent().columns) | {OPEN_SIGNALS}
    used = set(filters())
    assert used
    for where, name in used:
        assert made_of(name) <= written, (where, name)


@pytest.mark.parametrize(
    ("view", "by"),
    [
        ("My_Accounts", {"Is_Current__c", "Is_Mine__c"}),
        ("My_Accounts_at_Risk", {"Is_Current__c", "Is_Mine__c", "Is_At_Risk__c"}),
        ("Current_At_Risk", {"Is_Current__c", "Is_At_Risk__c"}),
        (
            "Renewals_in_Danger",
            {"Is_Current__c", "Days_To_Renewal__c", "Renewal_Date__c", "Is_At_Risk__c", "Final_Tier__c"},
        ),
        ("Movers", {"Is_Current__c", "Health_Change__c"}),
        ("Current_Not_Rated", {"Is_Current__c", "Tier__c"}),
        ("Disagreements", {"Is_Current__c", "Disagreement__c"}),
    ],
)
def test_a_csms_lists_are_there(view: str, by: set[str]) -> None:
    [file] = [each for each in files("listView", CORE) if each.name.startswith(f"{view}.")]
    assert {item["field"] for item in listed(read(file)["filters"])} == by
    if view != "Current_Not_Rated":
        # the text of a disagreement is of the score as it was loaded, so that score stands beside it
        tier = "Tier__c" if view == "Disagreements" else "Final_Tier__c"
        assert {"Account_Owner__c", "ARR__c", "Next_Step__c", tier} <= set(read(file)["columns"])


def test_four_reports_are_on_the_dashboard_by_columns_that_they_have() -> None:
    [type_file] = files("reportType")
    reports = {f"{file.parent.name}/{file.name.split('.')[0]}": read(file) for file in files("report")}
    assert {name.split("/")[1] for name in reports} == {"Portfolio_by_Tier", "Renewals_in_Danger", "Movers", "Coverage"}
    columns = {c["field"] for section in read(type_file)["sections"] for c in listed(section["columns"])}
    [board] = files("dashboard")
    components = [each["dashboardComponent"] for each in read(board)["dashboardGridLayout"]["dashboardGridComponents"]]
    assert {each["report"] for each in components} == reports.keys()
    for name, report in reports.items():
        grouped = [each["field"] for each in listed(report["groupingsDown"])]
        used = [*(c["field"] for c in report["columns"]), *grouped, report["sortColumn"]]
        used += [item["column"] for item in listed(report["filter"]["criteriaItems"])]
        assert {each.split("$")[1] for each in used} <= columns
        assert report["reportType"] == f"{type_file.name.split('.')[0]}__c"
        assert report["timeFrameFilter"]["dateColumn"].split("$")[1] in columns
        [shown] = [each for each in components if each["report"] == name]
        assert shown["groupingColumn"] in grouped
        figure = shown["chartSummary"]
        summed = {(c["field"], c["aggregateTypes"]) for c in report["columns"] if "aggregateTypes" in c}
        assert figure["column"] == "RowCount" or (figure["column"], figure["aggregate"]) in summed
    for folder in ("reportFolder", "dashboardFolder"):
        [file] = files(folder)
        assert (file.parent / file.name.split(".")[0]).is_dir()


def test_the_compact_layout_is_the_objects_own_and_shows_fields_that_exist() -> None:
    [layout] = files("compactLayout")
    [object_file] = files("object", CORE)
    assert read(object_file)["compactLayoutAssignment"] == layout.name.split(".")[0]
    assert {f"Health_Score__c.{name}" for name in read(layout)["fields"]} <= fields().keys()


def test_the_flow_posts_to_the_account_by_fields_that_exist() -> None:
    [flow] = files("flow", POSTS)
    found = read(flow)
    assert (found["start"]["object"], found["start"]["triggerType"]) == ("Health_Score__c", "RecordAfterSave")
    named = set(re.findall(r"\$Record\.(\w+)", flow.read_text(encoding="utf-8")))
    assert {f"Health_Score__c.{name}" for name in named} <= fields().keys()
    assert found["start"]["connector"]["targetReference"] == found["actionCalls"]["name"]
    # a post that fails must not undo the load of the record
    assert found["actionCalls"]["faultConnector"]["targetReference"] == found["assignments"]["name"]


def test_what_is_tracked_is_shown_and_folders_are_shared_with_the_companys_own_people() -> None:
    for file in files("layout"):
        assert "RelatedEntityHistoryList" in [each["relatedList"] for each in listed(read(file)["relatedLists"])]
    for kind in ("reportFolder", "dashboardFolder"):
        [folder] = files(kind)
        assert read(folder)["folderShares"] == {
            "accessLevel": "View", "sharedTo": "AllInternalUsers", "sharedToType": "Organization",
        }  # fmt: skip


def test_the_removal_names_every_component_or_the_object_that_it_goes_with() -> None:
    """Flows have to be deactivated first, and folders to be empty: both are deleted by hand (docs/salesforce.md)."""
    listed_ones = {
        f"{block.find(f'{NS}name').text} {member.text}"
        for block in etree.parse(str(REMOVAL / "destructiveChanges.xml")).iter(f"{NS}types")
        for member in block.findall(f"{NS}members")
    }
    objects = {each.split(" ")[1] for each in listed_ones if each.startswith("CustomObject ")}
    shipped = {member for folder in (CORE, SIGNALS, OWN_SIGNALS, TASKS, POSTS, PULSE) for member in members(folder)}
    with_objects = {m for m in shipped if re.split(r"[ .-]", m)[1] in objects and not m.startswith("CustomTab ")}
    with_objects -= {m for m in with_objects if m.startswith("CustomObject ")}
    by_hand = {m for m in shipped if m.startswith("Flow ")} | {"Report Customer_Health", "Dashboard Customer_Health"}
    assert listed_ones == shipped - with_objects - by_hand
    assert etree.parse(str(REMOVAL / "package.xml")).find(f"{NS}types") is None


# --- permission sets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", files("permissionset"), ids=ids)
def test_a_permission_set_covers_every_field_of_its_folder_and_none_that_is_always_visible(file: Path) -> None:
    rows = {row["field"]: row for row in listed(read(file)["fieldPermissions"])}
    own = described_fields(file.parents[3])
    always = {name for name in fields() if fixed(name)}
    assert {name for name in rows if name.endswith("__c")} == own.keys() - always
    assert all(row["readable"] == "true" for row in rows.values())
    for name, row in rows.items():
        if name in own and ("formula" in own[name] or own[name]["type"] == "Summary"):
            assert row["editable"] == "false"


@pytest.mark.parametrize("file", files("permissionset"), ids=ids)
def test_a_permission_set_deletes_nothing_and_reads_the_parent_of_what_it_reads(file: Path) -> None:
    found = read(file)
    rows = {row["object"]: row for row in listed(found["objectPermissions"])}
    assert "license" not in found
    for row in rows.values():
        assert (row["allowRead"], row["allowDelete"], row["modifyAllRecords"]) == ("true", "false", "false")
    if rows.keys() & {"Churn_Signal__c", "Contact", "Opportunity", "Contract", "Case"}:
        assert "Account" in rows
    tabs = {tab["tab"] for tab in listed(found.get("tabSettings"))}
    assert tabs <= {path.name.split(".")[0] for path in files("tab", file.parents[3])}


def test_only_the_integration_user_writes_scores_and_only_people_log_signals() -> None:
    def rights(name: str, target: str) -> tuple[str, str]:
        [file] = [f for f in files("permissionset") if f.name.startswith(f"{name}.")]
        [row] = [row for row in listed(read(file)["objectPermissions"]) if row["object"] == target]
        return row["allowCreate"], row["allowEdit"]

    assert rights("Accountpulse_Integration", "Health_Score__c") == ("true", "true")
    assert rights("Accountpulse_Reader", "Health_Score__c") == ("false", "false")
    assert rights("Accountpulse_Integration_Signals", "Churn_Signal__c") == ("false", "false")
    assert rights("Accountpulse_Reader_Signals", "Churn_Signal__c") == ("true", "true")
    [reader] = [f for f in files("permissionset") if f.name.startswith("Accountpulse_Reader.")]
    assert {row["editable"] for row in read(reader)["fieldPermissions"]} == {"false"}


def test_the_integration_user_makes_tasks_and_changes_no_field_of_an_account() -> None:
    """Activities are controlled by their parents: who changes others' Tasks must be able to edit the account."""
    [file] = files("permissionset", TASKS)
    found = read(file)
    assert {each["name"] for each in found["userPermissions"]} == {"ActivitiesAccess", "EditTask"}
    [account] = listed(found["objectPermissions"])
    assert (account["object"], account["allowEdit"], account["allowCreate"]) == ("Account", "true", "false")
    editable = {row["field"] for row in found["fieldPermissions"] if row["editable"] == "true"}
    assert editable == {f"{name}.{TASK_KEY}" for name in ("Task", "Event")}


def test_the_key_of_tasks_holds_the_longest_one_and_the_sandboxs_is_the_same() -> None:
    [key] = fields(TASKS).values()
    longest = f"{'0' * 18}-2026-11-30-{'0' * 12}"
    assert len(longest) <= int(key["length"])
    there = empty_objects()["Task"].fields[TASK_KEY]
    assert (there.type, there.length, there.required) == (KINDS[key["type"]], int(key["length"]), False)
    assert not {"externalId", "unique", "required"} & key.keys()  # which no field of an activity can be


def test_the_integration_user_may_write_every_field_that_a_load_sends() -> None:
    [file] = [f for f in files("permissionset") if f.name.startswith("Accountpulse_Integration.")]
    editable = {row["field"] for row in read(file)["fieldPermissions"] if row["editable"] == "true"}
    always = {name for name in fields() if fixed(name)}
    assert {f"Health_Score__c.{name}" for name in sent().columns} <= editable | always


# --- against what a load sends ---------------------------------------------------------------------------------------


def sent() -> pl.DataFrame:
    """One record with the default scorecard's dimensions, every text as long as it can be, every score at its edge."""
    dimensions = scorecard.default(()).dimensions
    texts = {"tier": "Not Rated", "cap_reason": "x" * 9_000, "drivers_text": "x" * 9_000}
    numbers = ("health_score", "churn_risk_score", "coverage", "lower_bound", "upper_bound", *PROBABILITIES)
    row = {"account_id": "001Hu0000000001AAA", **texts, **dict.fromkeys(numbers, 100.0)}
    row |= {f"{name}_score": 99.999 for name in dimensions}
    row |= {"owner_id": f"005{'H' * 12}AAA", "arr": 98_765_432_109_876.25, "renewal_date": date(2026, 12, 31)}
    row |= dict.fromkeys(("main_driver", "next_step", "tier_before", "signal_tier"), "x" * 9_000)
    row |= {"health_change": -100.0, "signal_cap": 100.0, "group_arr": 98_765_432_109_876.25, "group_lowest": "x" * 900}
    row |= {"group_health": 100.0, "group_arr_rated": 100.0, "disagreement": "x" * 900}
    row |= {"green_tiers": ";Champion;Healthy;"}
    row |= {"period": "2026-10", "scored_at": datetime(2026, 11, 3, tzinfo=UTC), "drivers": row["drivers_text"]}
    row |= {"scorecard": "a long name " * 20 + " 0f1e2d3c4b5a", "run_id": "20261103T060000Z-0a1b2c"}
    return payload(ScoreRecords(pl.DataFrame([row]), dimensions))


def test_every_field_that_a_load_sends_is_there_with_a_type_that_holds_it() -> None:
    for name, value in sent().row(0, named=True).items():
        field = fields(CORE)[f"Health_Score__c.{name}"]
        kind = field["type"]
        if isinstance(value, bool):
            assert kind == "Checkbox"
        elif isinstance(value, float):
            assert kind == "Number"
            assert value == round(value, int(field["scale"]))
            assert abs(value) < 10 ** (int(field["precision"]) - int(field["scale"]))
        elif name == "Scored_At__c":
            assert kind == "DateTime"
        elif name == "Account__c":
            assert (kind, field["referenceTo"]) == ("Lookup", "Account")
        elif name == "Account_Owner__c":
            assert (kind, field["referenceTo"]) == ("Lookup", "User")
        elif name == "Renewal_Date__c":
            assert (kind, date.fromisoformat(value)) == ("Date", date(2026, 12, 31))
        elif name == "Tier__c":
            assert kind == "Picklist"
        else:
            assert kind in {"Text", "LongTextArea"}
            assert len(value) <= int(field["length"]), name


def test_nothing_is_shipped_that_no_load_fills() -> None:
    formulas = {name for name, field in fields(CORE).items() if "formula" in field}
    assert {name.split(".")[1] for name in fields(CORE).keys() - formulas} == set(sent().columns)
    for name in formulas:
        assert made_of(name.split(".")[1]) <= set(sent().columns) | {OPEN_SIGNALS}


def test_the_key_is_what_an_upsert_needs() -> None:
    target = AccountpulseYaml().salesforce.target
    key = fields(CORE)[f"{target.object}.{target.external_id}"]
    assert (key["externalId"], key["unique"], key["required"]) == ("true", "true", "true")
    assert fields(CORE)[f"{target.object}.{CURRENT}"]["defaultValue"] == "false"


def test_the_mapping_of_signals_fits_the_shipped_object_as_it_is() -> None:
    signals = AccountpulseYaml().signals
    assert signals is not None
    own = {
        name.split(".")[1]: field for name, field in fields(SIGNALS).items() if name.startswith(f"{signals.object}.")
    }
    for name in (signals.account, signals.severity, signals.status, signals.confidence, signals.opened, signals.closed):
        assert name in own

    def values(name: str) -> set[str]:
        return {value["fullName"] for value in own[name]["valueSet"]["valueSetDefinition"]["value"]}

    levels = signals.levels
    assert values(signals.severity) == {*levels.critical, *levels.moderate, *levels.watch}
    assert values(signals.status) & {*signals.monitoring} and values(signals.status) & {*signals.resolved}
    assert values(signals.confidence) & {*signals.confirmed}


def test_a_pulse_is_given_from_the_account_and_stamped_by_the_flow_by_fields_that_the_mapping_reads() -> None:
    usual = AccountpulseYaml().salesforce.pulse
    assert isinstance(usual, PulseField)
    own = {name.removeprefix("Account."): field for name, field in fields(PULSE).items()}
    assert own.keys() == {usual.value, usual.date, usual.author, usual.reason}
    values = listed(own[usual.value]["valueSet"]["valueSetDefinition"]["value"])
    assert [value["fullName"] for value in values] == [*usual.green, *usual.yellow, *usual.red]
    assert {field["trackHistory"] for field in own.values()} == {"true"}
    [action] = files("quickAction", PULSE)
    items = re.findall(r"<field>(\w+)</field>", action.read_text(encoding="utf-8"))
    assert (items, read(action)["type"]) == ([usual.value, usual.reason], "Update")
    [flow] = files("flow", PULSE)
    start, stamp = read(flow)["start"], read(flow)["recordUpdates"]
    assert (start["object"], start["triggerType"], stamp["inputReference"]) == (
        "Account",
        "RecordBeforeSave",
        "$Record",
    )
    assert start["connector"]["targetReference"] == stamp["name"]
    stamped = {each["field"]: each["value"]["elementReference"] for each in stamp["inputAssignments"]}
    assert stamped == {usual.date: "$Flow.CurrentDateTime", usual.author: "$User.Id"}
    assert set(re.findall(r"\$Record\.(\w+)", start["filterFormula"])) == {usual.value, usual.reason}


def test_csms_give_pulses_and_nobody_writes_who_gave_them() -> None:
    def editable(name: str) -> set[str]:
        [file] = [f for f in files("permissionset", PULSE) if f.name.startswith(f"{name}.")]
        return {row["field"] for row in read(file)["fieldPermissions"] if row["editable"] == "true"}

    assert editable("Accountpulse_Reader_Pulse") == {"Account.Pulse__c", "Account.Pulse_Reason__c"}
    assert editable("Accountpulse_Integration_Pulse") == set()


def test_the_sandboxs_pulse_is_the_shipped_one() -> None:
    there = empty_objects()["Account"].fields
    for name, field in fields(PULSE).items():
        assert there[name.removeprefix("Account.")].type == KINDS[field["type"]], name


KINDS = {
    "Text": "string",
    "Number": "double",
    "Picklist": "picklist",
    "LongTextArea": "textarea",
    "DateTime": "datetime",
    "Date": "date",
    "Checkbox": "boolean",
    "Lookup": "reference",
}


def test_the_sandboxs_object_is_the_shipped_one() -> None:
    """So what is tested against the sandbox is tested against what an administrator deploys."""
    sandbox = empty_objects()["Health_Score__c"].fields
    shipped = {name.split(".")[1]: field for name, field in fields(CORE).items() if "formula" not in field}
    assert {name for name in sandbox if name.endswith("__c")} == set(shipped)
    for name, field in shipped.items():
        there = sandbox[name]
        assert there.type == KINDS[field["type"]], name
        assert there.required is (field.get("required") == "true"), name
        if "referenceTo" in field:
            assert there.reference_to == field["referenceTo"], name
        if "length" in field:
            assert there.length == int(field["length"]), name
        if "precision" in field:
            assert (there.precision, there.scale) == (int(field["precision"]), int(field["scale"])), name
        if "valueSet" in field:
            values = [value["fullName"] for value in field["valueSet"]["valueSetDefinition"]["value"]]
            assert (there.values, there.restricted) == (values, field["valueSet"]["restricted"] == "true"), name


# --- the formula ----------------------------------------------------------------------------------------------------


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "=": operator.eq, "<>": operator.ne,
}  # fmt: skip


def evaluated(text: str, record: dict[str, Any]) -> Any:
    """A formula's value, for the few functions that ours use; blanks are None, as with BlankAsBlank."""
    tokens = re.findall(r'[$A-Za-z_][\w.]*|\d+|"[^"]*"|[(),&-]|<>|[<>]=?|=', text)

    def value() -> Any:
        left = operand()
        while tokens and tokens[0] == "&":
            tokens.pop(0)
            left = (left or "") + (operand() or "")
        if tokens and tokens[0] in COMPARISONS:
            compare = COMPARISONS[tokens.pop(0)]
            right = operand()
            return left is not None and right is not None and compare(left, right)
        return left

    def operand() -> Any:
        word = tokens.pop(0)
        if word.isdigit():
            return int(word)
        if word.startswith('"'):
            return word.strip('"')
        if not tokens or tokens[0] != "(":
            return record[word]
        arguments = []
        while tokens.pop(0) != ")":
            arguments.append(value())
        first = arguments[0]
        return {
            "IF": lambda: arguments[1] if first else arguments[2],
            "AND": lambda: all(arguments),
            "OR": lambda: any(arguments),
            "TEXT": lambda: first,
            "NOT": lambda: not first,
            "ISBLANK": lambda: first is None,
            "BLANKVALUE": lambda: arguments[1] if first is None else first,
            "CONTAINS": lambda: first is not None and arguments[1] in first,
            "MIN": lambda: None if None in arguments else min(arguments),
        }[word]()

    result = value()
    assert tokens == []
    return result


@pytest.mark.parametrize(
    ("score", "current", "signals", "final"),
    [
        (82.5, True, 0, 82.5),
        (82.5, True, 1, 49),
        (82.5, True, 3, 49),
        (30.0, True, 1, 30.0),
        (49.0, True, 1, 49.0),
        (82.5, False, 1, 82.5),  # a past month does not change
        (None, True, 1, None),  # Not Rated stays so
        (None, False, 0, None),
        (82.5, True, None, 82.5),  # the account has been deleted
    ],
)
def test_the_final_score_is_capped_only_while_it_is_current_and_a_critical_signal_is_open(
    score: float | None,
    current: bool,  # noqa: FBT001
    signals: int | None,
    final: float | None,
) -> None:
    record = {
        "Health_Score__c": score,
        "Is_Current__c": current,
        "Account__r.Open_Critical_Signals__c": signals,
    }
    field = fields()["Health_Score__c.Final_Score__c"]
    assert field["formulaTreatBlanksAs"] == "BlankAsBlank"
    for cap in (49.0, None):  # a record of before the cap was written: as the scorecard that is shipped
        assert evaluated(field["formula"], record | {"Signal_Cap__c": cap}) == final


def of_score(name: str, record: dict[str, Any]) -> Any:
    """A formula of the score object, with the formulas that it rests on."""
    formula = fields()[f"Health_Score__c.{name}"]["formula"]
    named = {
        each.split(".")[1] for each in references(formula, "Health_Score__c") if each.startswith("Health_Score__c.")
    }
    worked_out = {each: of_score(each, record) for each in named if "formula" in fields()[f"Health_Score__c.{each}"]}
    return evaluated(formula, record | worked_out)


@pytest.mark.parametrize(
    ("scored", "signals", "final"),
    [
        ((82.5, "Healthy", True), 0, ("Healthy", False)),
        ((82.5, "Healthy", True), 1, ("Critical", True)),  # at once, with the signal
        ((82.5, "Healthy", True), None, ("Healthy", False)),
        ((82.5, "Healthy", False), 1, ("Healthy", False)),  # a past month does not change
        ((74.9, "At Risk", True), 0, ("At Risk", True)),
        ((75.0, "Healthy", True), 0, ("Healthy", False)),
        ((30.0, "Critical", True), 0, ("Critical", True)),
        ((None, "Not Rated", True), 0, ("Not Rated", False)),
        ((None, "Not Rated", True), 2, ("Critical", True)),
        ((None, "Critical", True), 0, ("Critical", True)),  # a signal was open when it was scored
    ],
)
def test_the_final_tier_follows_an_open_signal_and_who_is_at_risk_follows_it(
    scored: tuple[float | None, str, bool], signals: int | None, final: tuple[str, bool]
) -> None:
    record = {
        **dict(zip(("Health_Score__c", "Tier__c", "Is_Current__c"), scored, strict=True)),
        "Account__r.Open_Critical_Signals__c": signals,
        "Signal_Cap__c": 49.0,
        "Signal_Tier__c": "Critical",
    }
    for greens in (";Champion;Healthy;", None):  # a record of before they were written: by the score
        of = record | {"Green_Tiers__c": greens}
        assert (of_score("Final_Tier__c", of), of_score("Is_At_Risk__c", of)) == final


@pytest.mark.parametrize(
    ("score", "tier", "greens", "at_risk"),
    [
        (75.0, "At Risk", ";Champion;Healthy;", True),  # 74.996, as the field rounds it
        (78.0, "At Risk", ";Champion;Healthy;", True),  # where Healthy begins at 80
        (72.0, "Good", ";Good;", False),  # the best tier begins at 65
        (72.0, "Goods", ";Good;", True),
        (72.0, "Good", ";Goods;", True),  # a part of a name is no name
        (90.0, "Good", ";Very Good;Good;", False),
    ],
)
def test_who_is_at_risk_goes_by_the_scorecards_own_tiers(
    score: float,
    tier: str,
    greens: str,
    at_risk: bool,  # noqa: FBT001
) -> None:
    record = {
        "Health_Score__c": score, "Tier__c": tier, "Is_Current__c": True, "Account__r.Open_Critical_Signals__c": 0,
        "Signal_Cap__c": 49.0, "Signal_Tier__c": "Critical", "Green_Tiers__c": greens,
    }  # fmt: skip
    assert of_score("Is_At_Risk__c", record) is at_risk


def test_mine_is_what_the_account_owner_looks_at() -> None:
    for owner, mine in (("005A", True), ("005B", False), (None, False)):
        assert of_score("Is_Mine__c", {"Account_Owner__c": owner, "$User.Id": "005A"}) is mine
