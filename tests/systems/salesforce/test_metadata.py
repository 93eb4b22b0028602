"""deploy/salesforce against the vendor's own metadata schema, against itself, and against what a load sends."""

import operator
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
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
from accountpulse.systems.salesforce.record import CURRENT, TASK_KEY, payload

ROOT = Path(__file__).parents[3] / "deploy" / "salesforce"
CORE, SIGNALS, TASKS = ROOT / "health-score", ROOT / "churn-signal", ROOT / "tasks"
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
    "folders", [["health-score"], ["health-score", "churn-signal", "tasks"]], ids=["own signals", "all"]
)
def test_the_salesforce_cli_makes_a_deployable_package_of_it(folders: list[str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT, project)
    roots = [word for folder in folders for word in ("--source-dir", folder)]
    command = ["sf", "project", "convert", "source", *roots, "--output-dir", str(tmp_path / "out")]
    quiet = {**os.environ, "SF_DISABLE_TELEMETRY": "true", "SF_SKIP_NEW_VERSION_CHECK": "true"}
    subprocess.run(command, cwd=project, env=quiet, check=True, capture_output=True, timeout=600)
    made = {
        f"{block.find(f'{NS}name').text} {member.text}"
        for block in etree.parse(str(tmp_path / "out" / "package.xml")).iter(f"{NS}types")
        for member in block.findall(f"{NS}members")
    }
    assert made == {member for folder in folders for member in members(ROOT / folder)}


def members(folder: Path) -> Iterator[str]:
    """What a folder's files are in a manifest: the type and the full name of each."""
    for file in folder.rglob("*-meta.xml"):
        kind, name = etree.parse(str(file)).getroot().tag.removeprefix(NS), file.name.rsplit(".", 2)[0]
        inside = kind in {"CustomField", "ListView", "ValidationRule"}
        yield f"{kind} {file.parent.parent.name}.{name}" if inside else f"{kind} {name}"


# --- against itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_a_file_is_named_after_what_it_holds(file: Path) -> None:
    name = read(file).get("fullName")
    assert name in (None, file.name.rsplit(".", 1)[0].rpartition(".")[0])


@pytest.mark.parametrize("name", fields())
def test_every_field_has_help_that_fits(name: str) -> None:
    text = fields()[name]["inlineHelpText"]
    assert 20 < len(text) <= HELP_LENGTH


@pytest.mark.parametrize(
    "name", [n for n, f in fields().items() if f["type"] in {"Number", "Summary"} or n.endswith("Tier__c")]
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
    assert (
        f"at most {caps['open critical signal']} while" in fields()["Health_Score__c.Final_Score__c"]["inlineHelpText"]
    )


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
        shown = {name.split(".")[1] for name in fields(below) if name.split(".")[0] == owner} - {"Final_Score__c"}
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


def test_an_org_with_its_own_signals_needs_nothing_of_the_second_folder() -> None:
    for file in CORE.rglob("*.xml"):
        assert not re.search(r"Churn_Signal|Final_Score|Open_Critical", file.read_text(encoding="utf-8")), file
    assert set(fields(SIGNALS)) - {n for n in fields() if n.startswith("Churn_Signal__c.")} == {
        "Account.Open_Critical_Signals__c",
        "Health_Score__c.Final_Score__c",
    }


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
            assert value < 10 ** (int(field["precision"]) - int(field["scale"]))
        elif name == "Scored_At__c":
            assert kind == "DateTime"
        elif name == "Account__c":
            assert (kind, field["referenceTo"]) == ("Lookup", "Account")
        elif name == "Tier__c":
            assert kind == "Picklist"
        else:
            assert kind in {"Text", "LongTextArea"}
            assert len(value) <= int(field["length"]), name


def test_nothing_is_shipped_that_no_load_fills() -> None:
    assert {name.split(".")[1] for name in fields(CORE)} == set(sent().columns)


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


KINDS = {
    "Text": "string",
    "Number": "double",
    "Picklist": "picklist",
    "LongTextArea": "textarea",
    "DateTime": "datetime",
    "Checkbox": "boolean",
    "Lookup": "reference",
}


def test_the_sandboxs_object_is_the_shipped_one() -> None:
    """So what is tested against the sandbox is tested against what an administrator deploys."""
    sandbox = empty_objects()["Health_Score__c"].fields
    shipped = {name.split(".")[1]: field for name, field in fields(CORE).items()}
    assert {name for name in sandbox if name.endswith("__c")} == set(shipped)
    for name, field in shipped.items():
        there = sandbox[name]
        assert there.type == KINDS[field["type"]], name
        assert there.required is (field.get("required") == "true"), name
        if "length" in field:
            assert there.length == int(field["length"]), name
        if "precision" in field:
            assert (there.precision, there.scale) == (int(field["precision"]), int(field["scale"])), name
        if "valueSet" in field:
            values = [value["fullName"] for value in field["valueSet"]["valueSetDefinition"]["value"]]
            assert (there.values, there.restricted) == (values, field["valueSet"]["restricted"] == "true"), name


# --- the formula ----------------------------------------------------------------------------------------------------


def evaluated(text: str, record: dict[str, Any]) -> Any:
    """A formula's value, for the few functions that ours use; blanks are None, as with BlankAsBlank."""
    tokens = re.findall(r"[A-Za-z_][\w.]*|\d+|[(),]|[<>]=?", text)

    def value() -> Any:
        left = operand()
        if tokens and tokens[0] in {">", "<", ">=", "<="}:
            compare = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}[tokens.pop(0)]
            right = operand()
            return left is not None and right is not None and compare(left, right)
        return left

    def operand() -> Any:
        word = tokens.pop(0)
        if word.isdigit():
            return int(word)
        if not tokens or tokens[0] != "(":
            return record[word]
        arguments = []
        while tokens.pop(0) != ")":
            arguments.append(value())
        first = arguments[0]
        return {
            "IF": lambda: arguments[1] if first else arguments[2],
            "AND": lambda: all(arguments),
            "NOT": lambda: not first,
            "ISBLANK": lambda: first is None,
            "BLANKVALUE": lambda: arguments[1] if first is None else first,
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
    assert evaluated(field["formula"], record) == final
