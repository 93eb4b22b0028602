"""Whole extractors that nobody here wrote read the stand-ins, and a plain query over their rows gives our metrics.

`make readers` installs each into an environment of its own and runs this; the tests that run everywhere don't.
"""

import json
import math
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from accountpulse.core.period import Scope
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.truth.table import truth_table
from accountpulse.sandbox.world.model import World
from readers.road import Road
from support import NOW, ROOT, Configure, extract, measured

PROGRAMS = ROOT / "build" / "readers"
SINCE = "2020-01-01T00:00:00Z"
# what tap-intercom's own schema leaves out and a catalogue may ask for, as Singer's catalogues do
TICKET = {"type": ["null", "object"], "properties": {"id": {"type": ["null", "integer"]}}}
LINKED = {
    "type": ["null", "object"],
    "properties": {
        "has_more": {"type": ["null", "boolean"]},
        "data": {
            "type": ["null", "array"],
            "items": {"type": ["null", "object"], "properties": {"category": {"type": ["null", "string"]}}},
        },
    },
}
Streams = dict[str, list[dict[str, Any]]]


class Led:
    """A sandbox with a road to it, on which programs run as they are."""

    def __init__(self, road: Road, folder: Path) -> None:
        self.road = road
        self.folder = folder
        # requests trusts certifi's list; where that list is, is the environment's business, as on Debian
        trust = folder / "trust" / "certifi"
        trust.mkdir(parents=True)
        (trust / "__init__.py").write_text(f"def where() -> str:\n    return {str(road.ca_file)!r}\n", encoding="utf-8")

    def run(self, program: str, *arguments: str | Path) -> str:
        """What the program writes; it must end well."""
        environment = {**os.environ, **self.road.environment(), "PYTHONPATH": str(self.folder / "trust")}
        command = [PROGRAMS / program.removeprefix("tap-") / "bin" / program, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def read(self, program: str, config: Mapping[str, Any], without: Iterable[str], flag: str) -> Streams:
        """Every record of every stream but those `without`, as Singer's protocol has it: discover, select, read."""
        file = self.folder / "config.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        catalogue = json.loads(self.run(program, "--config", file, "--discover"))
        for stream in catalogue["streams"]:
            _select(stream, chosen=stream["tap_stream_id"] not in without)
        chosen = self.folder / "catalogue.json"
        chosen.write_text(json.dumps(catalogue), encoding="utf-8")
        found: Streams = {stream["tap_stream_id"]: [] for stream in catalogue["streams"]}
        for line in self.run(program, "--config", file, flag, chosen).splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                found[message["stream"]].append(message["record"])
        return found


def _select(stream: dict[str, Any], *, chosen: bool) -> None:
    if stream["tap_stream_id"] == "conversations":
        stream["schema"]["properties"] |= {"ticket": TICKET, "linked_objects": LINKED}
        stream["metadata"] += [
            {"breadcrumb": ["properties", name], "metadata": {}} for name in ("ticket", "linked_objects")
        ]
    for each in stream["metadata"]:
        each["metadata"]["selected"] = chosen if each["breadcrumb"] == [] else True


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest, world: World) -> Iterator[Sandbox]:
    with Sandbox(world, jira=request.param) as running:
        yield running


def ours(running: Sandbox, configure: Configure, scope: Scope, source: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The links of a source, and every metric as our extractor and our arithmetic have it."""
    changes = {} if "JIRA_EMAIL" in running.environment() else {"JIRA_EMAIL": None}
    loaded = configure(running, **changes)
    extracts = {"salesforce": extract(loaded, "salesforce", scope)}
    links = extracts["salesforce"].tables["links"].filter(pl.col("source") == source)
    extracts[source] = extract(loaded, source, scope, tuple(links["key"].unique().sort()))
    return links, measured(loaded, extracts, scope)


def queried(domain: str, streams: Streams, links: pl.DataFrame, scope: Scope) -> dict[str, dict[str, float | None]]:
    """A plain query over the records: account → metric → value."""
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        for name, records in streams.items():
            database.execute(f'create table "{name}" (record json)')
            if records:
                texts = pl.DataFrame({"record": [json.dumps(each) for each in records]})
                database.execute(f'insert into "{name}" select record from texts')  # noqa: S608 - a stream's name
                assert texts.height == len(records)
        pairs = links.select("account_id", "key")
        database.execute("create table links as select * from pairs")
        database.execute(
            "create table period as select ?::timestamptz as start, ?::timestamptz as stop",
            [scope.window.start.isoformat(), scope.window.end.isoformat()],
        )
        assert pairs.height > 0
        text = (Path(__file__).parent / "sql" / f"{domain}.sql").read_text(encoding="utf-8")
        answer = database.execute(text)
        names = [column[0] for column in answer.description]
        return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in answer.fetchall()}


def differences(
    found: Mapping[str, Mapping[str, float | None]], expected: Mapping[str, Mapping[str, float | None]]
) -> list[str]:
    """Where two tables of metrics differ."""
    wrong = []
    for account, metrics in expected.items():
        for name, value in metrics.items():
            got = found.get(account, {}).get(name)
            same = (
                got is None
                if value is None
                else got is not None and math.isclose(got, value, rel_tol=1e-9, abs_tol=1e-9)
            )
            if not same:
                wrong.append(f"{account} {name}: {got}, not {value}")
    return wrong


def told(world: World, names: Iterable[str]) -> dict[str, dict[str, float | None]]:
    """The same as the world knows it."""
    wanted, found = set(names), dict[str, dict[str, float | None]]()
    for row in truth_table(world, "2026-10", NOW):
        if row.metric in wanted:
            found.setdefault(row.account_id, {})[row.metric] = row.value
    return found


def test_tap_intercom_reads_the_workspace_and_comes_to_the_same(
    sandbox: Sandbox, world: World, configure: Configure, scope: Scope, tmp_path: Path
) -> None:
    config = {"access_token": world.intercom.token, "start_date": SINCE, "user_agent": "readers"}
    with Road(sandbox, tmp_path) as road:
        streams = Led(road, tmp_path).read("tap-intercom", config, {"conversation_parts"}, "--catalog")
    workspace = world.intercom
    assert {each["id"] for each in streams["conversations"]} == {each.id for each in workspace.conversations}
    assert {each["id"] for each in streams["contacts"]} == set(workspace.contacts)
    assert {each["id"] for each in streams["companies"]} == set(workspace.companies)
    assert [each["id"] for each in streams["admins"]] == ["991"]
    assert {each["name"] for each in streams["tags"]} == {tag for each in workspace.conversations for tag in each.tags}
    links, mine = ours(sandbox, configure, scope, "intercom")
    found = queried("support", streams, links, scope)
    names = list(next(iter(found.values())))
    expected = {row["account_id"]: {name: row[name] for name in names} for row in mine.iter_rows(named=True)}
    assert len(found) > 80
    # the one conversation whose linked tickets are cut in a list: reading it alone shows the sign, which a tap doesn't
    assert len(wrong := differences(found, expected)) == 1, wrong
    assert "escalation_pct: None, not " in wrong[0]
    assert differences(found, told(world, names)) == wrong


def test_tap_jira_reads_the_site_and_comes_to_the_same(
    site: Sandbox, world: World, configure: Configure, scope: Scope, tmp_path: Path
) -> None:
    cloud = "JIRA_EMAIL" in site.environment()
    password = world.jira.token if cloud else world.jira.password
    config = {"start_date": SINCE, "user_agent": "readers", "base_url": "https://sandbox.atlassian.net"}
    config |= {"username": world.jira.email, "password": password}
    # Data Center has no pages of a project's components, which the tap asks for
    without = set() if cloud else {"components"}
    with Road(site, tmp_path) as road:
        streams = Led(road, tmp_path).read("tap-jira", config, without, "--properties")
    issues = [each for each in world.jira.issues if each.project not in world.jira.hidden]
    assert {each["id"] for each in streams["issues"]} == {each.id for each in issues}
    components = {name for names in world.jira.components.values() for name in names}
    if cloud:
        assert {each["name"] for each in streams["components"]} <= components
    else:
        streams["components"] = [{"name": name} for name in sorted(components)]
    links, mine = ours(site, configure, scope, "jira")
    found = queried("bugs", streams, links, scope)
    names = list(next(iter(found.values())))
    expected = {row["account_id"]: {name: row[name] for name in names} for row in mine.iter_rows(named=True)}
    assert len(found) > 80
    # Cloud's search shows the newest 40 changes of an issue: one reopening is older, and the tap reads no further
    long = {name for issue in issues if len(issue.transitions) > 40 for name in issue.components}
    hidden = {each.account_id for each in world.customers if cloud and each.jira_component in long}
    wrong = differences(found, expected)
    assert wrong == [f"{account} reopened_bugs: 0.0, not 1.0" for account in hidden]
    assert differences(found, told(world, names)) == wrong
