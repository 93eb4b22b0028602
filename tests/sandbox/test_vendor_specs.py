"""What the extractors ask and what the sandbox answers, judged by the vendors' own OpenAPI files."""

import re
from collections.abc import Iterable

import pytest

from accountpulse import pipeline
from accountpulse.core.period import Period
from accountpulse.pipeline.run import RunRequest
from accountpulse.sandbox.server import Exchange, Sandbox
from accountpulse.sandbox.world.model import World
from sandbox.openapi import SPECS, Vendor, vendor
from support import NOW, Configure, Silent

JIRA_2 = "jira-cloud-v2-2024-02-before-search-removal.json"

pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendors' OpenAPI files are not here")


def exchanges(world: World, configure: Configure, jira: str = "cloud", **changes: str | None) -> list[Exchange]:
    """All that a run asks and hears."""
    with Sandbox(world, jira="cloud" if jira == "cloud" else "datacenter") as sandbox:
        sandbox.recorded = []
        pipeline.execute(
            configure(sandbox, **changes), RunRequest(period=Period(2026, 10), dry_run=True), NOW, Silent()
        )
        return sandbox.recorded


# where a vendor's file is known to say less than the vendor does; anything else is a mistake of ours
KNOWN = (
    # the file's own example of bulkfetch gives an integer where its schema says text
    r"POST .*/changelog/bulkfetch: answer \$\..*\.created: \d+ is not of type 'string'",
    # null where a field was empty before a change, or is after it: seen in every recorded history, not marked nullable
    r".*: answer \$\..*\.items\[N\]\.(from|to)(String)?: None is not of type 'string'",
    # `run` in format json is declared as text, since the same operation also gives csv and png
    r"GET .*/run/json: answer \$: .* is not of type 'string'",
    # null before anybody answered, closed or rated: seen in every recorded answer, not marked nullable
    r".*: answer \$\..*\.(statistics\.first_\w+|conversation_rating\.rating): None is not of type 'integer'",
    r"GET .*/conversations/\d+: answer \$\.statistics\.first_\w+: None is not of type 'integer'",
    # the answer has `pages`, and Intercom's page on pagination gives the parameter
    r"GET .*/contacts/\w+/companies: unknown query parameter page",
)


def mistakes(of: Vendor, seen: Iterable[Exchange]) -> list[str]:
    found = {f"{each.method} {each.path}: {wrong}" for each in seen for wrong in of.mistakes(each)}
    return sorted(text for text in found if not any(re.fullmatch(known, text, re.DOTALL) for known in KNOWN))[:20]


def test_jira_cloud_speaks_as_its_vendor_says(world: World, configure: Configure) -> None:
    seen = [each for each in exchanges(world, configure) if each.system == "jira"]
    third, second = vendor("jira-cloud-v3-2025-09.json", "/jira"), vendor(JIRA_2, "/jira")
    assert mistakes(third, [each for each in seen if "/rest/api/3/" in each.path]) == []
    assert mistakes(second, [each for each in seen if "/rest/api/3/" not in each.path]) == []
    asked = ("search/jql", "search/approximate-count", "changelog/bulkfetch")
    assert {f"POST /rest/api/3/{path}" for path in asked} <= third.judged


def test_jira_data_center_speaks_as_its_vendor_says(world: World, configure: Configure) -> None:
    seen = [each for each in exchanges(world, configure, "datacenter", JIRA_EMAIL=None) if each.system == "jira"]
    file = vendor(JIRA_2, "/jira")
    assert mistakes(file, seen) == []
    assert {"POST /rest/api/2/search", "GET /rest/api/2/serverInfo"} <= file.judged


def test_looker_speaks_as_its_vendor_says(world: World, configure: Configure) -> None:
    seen = [each for each in exchanges(world, configure) if each.system == "looker"]
    file = vendor("Looker.4.0.oas.json", "/api/4.0")
    assert mistakes(file, seen) == []
    assert {"POST /queries", "POST /login"} <= file.judged


@pytest.mark.parametrize("version", ["2.14", "2.15", "2.16"])
def test_intercom_speaks_as_its_vendor_says(world: World, configure: Configure, version: str) -> None:
    heard = exchanges(world, configure, INTERCOM_VERSION=version)
    seen = [each for each in heard if each.system == "intercom"]
    assert {each.headers["intercom-version"] for each in seen} == {version}
    file = vendor(f"intercom-{version}.yaml", "/intercom")
    assert mistakes(file, seen) == []
    assert {"POST /conversations/search", "POST /contacts/search"} <= file.judged


def test_the_judge_sees_an_answer_that_is_not_the_vendors() -> None:
    wrong = Exchange("intercom", "GET", "/intercom/companies/1", {}, {}, b"", 200, b'{"type": 5, "id": []}')
    assert len(mistakes(vendor("intercom-2.16.yaml", "/intercom"), [wrong])) == 3
    nowhere = Exchange("intercom", "GET", "/intercom/nowhere", {}, {}, b"", 200, b"{}")
    assert "is not in the vendor's file" in mistakes(vendor("intercom-2.16.yaml", "/intercom"), [nowhere])[0]
