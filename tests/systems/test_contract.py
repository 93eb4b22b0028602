"""What every extractor promises, whatever system it reads."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from accountpulse.core.catalogue import catalogue
from accountpulse.core.errors import AccessError, SourceUnavailable
from accountpulse.core.period import Scope
from accountpulse.core.records import ON_DISK, TABLES, Extract, SourceName
from accountpulse.http.budget import RequestBudget
from accountpulse.sandbox.server import Fault, Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from accountpulse.systems import SYSTEMS
from accountpulse.systems.extraction import ExtractRequest
from support import DOMAINS_OF, NAMES, TABLES_OF, Configure, request

WRONG: dict[SourceName, dict[str, str]] = {
    "intercom": {"INTERCOM_API_TOKEN": "wrong-token-1"},
    "jira": {"JIRA_API_TOKEN": "wrong-token-1"},
    "looker": {"LOOKER_CLIENT_SECRET": "wrong-token-1"},
    "salesforce": {"SALESFORCE_CLIENT_SECRET": "wrong-token-1"},
}


def keys_of(world: World, source: SourceName) -> tuple[str, ...]:
    keys = {
        "intercom": lambda c: c.intercom_company,
        "jira": lambda c: c.jira_component,
        "looker": lambda c: c.account_id,
        "salesforce": lambda _c: None,
    }
    return tuple(sorted({key for customer in world.customers if (key := keys[source](customer))}))


def request_for(source: SourceName, world: World, loaded: Settings, scope: Scope) -> ExtractRequest[Any, Any]:
    return request(loaded, source, scope, keys_of(world, source))


def read(request: ExtractRequest[Any, Any], source: SourceName) -> Extract:
    reader = SYSTEMS[source].extract
    assert reader is not None
    return reader(request)


def every_table(extract: Extract) -> dict[str, pl.DataFrame]:
    """All tables in memory; those on disk in the order of their ids and times, since they come as they are read."""
    spools = {name: spool.lazy().collect() for name, spool in extract.spools.items()}
    ordered = {name: table.sort(name for name in table.columns if name != "keys") for name, table in spools.items()}
    return {**extract.tables, **ordered}


@pytest.mark.parametrize("source", NAMES)
def test_it_hands_over_exactly_its_tables_with_their_columns(
    source: SourceName, sandbox: Sandbox, world: World, configure: Configure, scope: Scope
) -> None:
    extract = read(request_for(source, world, configure(sandbox), scope), source)
    assert extract.source == source
    assert set(extract.tables) == set(TABLES_OF[source]) - ON_DISK
    assert set(extract.spools) == set(TABLES_OF[source]) & ON_DISK
    for name, table in every_table(extract).items():
        assert extract.rows[name] == table.height
        assert dict(table.schema) == dict(TABLES[name]), name
        # nobody was merged there, and nobody maps an own metric to a field of the account
        assert table.height > 0 or name in ("merges", "dated_figures"), f"{name} is empty in a world that has such rows"


@pytest.mark.parametrize("source", NAMES)
def test_its_gaps_name_metrics_of_its_own_domains(
    source: SourceName, sandbox: Sandbox, world: World, configure: Configure, scope: Scope
) -> None:
    loaded = configure(sandbox)
    extract = read(request_for(source, world, loaded, scope), source)
    known = catalogue(loaded.rules.pillars)
    assert all(known[name].domain in DOMAINS_OF[source] for name in extract.gaps)


@pytest.mark.parametrize("source", NAMES)
def test_asking_twice_gives_the_same(
    source: SourceName, sandbox: Sandbox, world: World, configure: Configure, scope: Scope
) -> None:
    loaded = configure(sandbox)
    first, second = (read(request_for(source, world, loaded, scope), source) for _ in range(2))
    again = every_table(second)
    for name, table in every_table(first).items():
        assert table.equals(again[name]), name


@pytest.mark.parametrize("source", NAMES)
def test_the_meter_counts_every_request_that_the_system_saw(
    source: SourceName, sandbox: Sandbox, world: World, configure: Configure, scope: Scope
) -> None:
    asked = request_for(source, world, configure(sandbox), scope)
    read(asked, source)
    assert asked.budget.calls == sum(call.system == source for call in sandbox.log)


@pytest.mark.parametrize("source", NAMES)
def test_a_wrong_credential_is_refused_once_and_names_its_setting(
    source: SourceName, sandbox: Sandbox, world: World, configure: Configure, scope: Scope
) -> None:
    loaded = configure(sandbox, **WRONG[source])
    with pytest.raises(AccessError) as caught:
        read(request_for(source, world, loaded, scope), source)
    assert next(iter(WRONG[source])) in str(caught.value)
    assert "wrong-token-1" not in str(caught.value)
    refused = [call for call in sandbox.log if call.system == source and call.status >= 400]
    assert len(refused) == 1


@pytest.mark.parametrize("source", NAMES)
def test_a_system_that_nobody_answers_for_is_unavailable(
    source: SourceName, sandbox: Sandbox, world: World, configure: Configure, scope: Scope
) -> None:
    loaded = configure(sandbox, ACCOUNTPULSE_CA_BUNDLE=None)
    sandbox.stop()
    impatient = RequestBudget(patience=1.0)
    with pytest.raises(SourceUnavailable) as caught:
        read(replace(request_for(source, world, loaded, scope), budget=impatient), source)
    assert caught.value.source == source


FIRST = {"intercom": "/conversations/search", "jira": "/search/jql", "looker": "/queries", "salesforce": "/query"}
DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize(("status", "body"), [(200, DEEP), (400, DEEP), (200, b"null"), (200, b'[{"n": 1e400}]')])
def test_an_answer_that_no_system_gives_is_an_error_in_words(
    source: SourceName,
    *,
    status: int,
    body: bytes,
    sandbox: Sandbox,
    world: World,
    configure: Configure,
    scope: Scope,
) -> None:
    headers = {"Content-Type": "application/json"}
    sandbox.faults.append(Fault(source, status, headers, body, times=1000, path_contains=FIRST[source]))
    asked = replace(request_for(source, world, configure(sandbox), scope), budget=RequestBudget(patience=0.0))
    with pytest.raises(SourceUnavailable) as caught:
        read(asked, source)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("source", NAMES)
def test_it_writes_nothing(
    source: SourceName, sandbox: Sandbox, world: World, configure: Configure, scope: Scope
) -> None:
    read(request_for(source, world, configure(sandbox), scope), source)
    assert {call.method for call in sandbox.log} <= {"GET", "POST"}
    assert not any("composite" in call.path for call in sandbox.log)
