"""Run by the tests with a copy of the package: serves a small company and calls the command line in this process.

usage: driver.py ACCOUNTS COMMAND...

Each COMMAND is one text, as a shell takes it: `NAME=VALUE… words`. DOWN=SYSTEM takes a system of the sandbox down for
the command. The last line of stdout is JSON: the commands' exit codes and outputs, and the truth about the company.
"""

import io
import json
import os
import shlex
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.world.model import World

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PERIOD = "2026-10"


def main() -> int:
    from accountpulse.sandbox.server import Sandbox
    from accountpulse.sandbox.world import build

    accounts, *commands = sys.argv[1:]
    world = build(seed=3, accounts=int(accounts), until=NOW)
    with Sandbox(world) as sandbox:
        os.environ.update(sandbox.environment())
        if "helpdesk" in world.parts:
            unlink(world)
            link_by_file(world)
        done = [command(sandbox, each) for each in commands]
    print(json.dumps({"done": done, **facts(world)}))  # noqa: T201
    return 0


def unlink(world: "World") -> None:
    """A few customers without Intercom, half of them with tickets."""
    rows = {row["Id"]: row for row in world.salesforce.objects["Account"].rows}
    for customer in world.customers[-4:]:
        customer.intercom_company = rows[customer.account_id]["Intercom_Company_Id__c"] = None


def link_by_file(world: "World") -> None:
    """A mapping file beside accountpulse.yaml: who has tickets is a customer of the helpdesk, and nobody else."""
    customers = set(customers_of(world)["helpdesk"])
    keys = {each.account_id: each.account_id if each.account_id in customers else "none" for each in world.customers}
    lines = ["account_id,helpdesk", *(f"{account},{key}" for account, key in keys.items())]
    Path("links.csv").write_text("\n".join(lines), encoding="utf-8")
    mapping = Path(os.environ["ACCOUNTPULSE_CONFIG"]).read_text(encoding="utf-8")
    Path("accountpulse.yaml").write_text(f"{mapping}\nlinks: {{file: links.csv}}\n", encoding="utf-8")
    os.environ["ACCOUNTPULSE_CONFIG"] = str(Path("accountpulse.yaml").resolve())


def command(sandbox: "Sandbox", text: str) -> dict[str, Any]:
    """One command: its exit code, and what it prints."""
    from accountpulse.cli import app

    words = shlex.split(text)
    given = dict(word.split("=", 1) for word in words if word.split("=")[0].isupper())
    output = io.StringIO()
    sandbox.down = {given.pop("DOWN")} if "DOWN" in given else set()
    with patch.dict(os.environ, given), redirect_stdout(output):
        code = int(app(words[text.count("=") :], standalone_mode=False) or 0)
    return {"code": code, "output": output.getvalue()}


def facts(world: "World") -> dict[str, Any]:
    """The truth about the metrics, with all systems and without each of them, and who is a customer in which."""
    from accountpulse.sandbox.truth.table import truth_table

    def truth(parts: dict[str, Any]) -> list[list[Any]]:
        rows = truth_table(replace(world, parts=parts), PERIOD, NOW)
        return [[row.account_id, row.metric, row.value, row.reason] for row in rows]

    without = {
        name: truth({other: part for other, part in world.parts.items() if other != name})
        for name in world.parts
        if name != "salesforce"  # it has the accounts
    }
    return {"truth": truth(world.parts), "truth_without": without, "customers": customers_of(world)}


def customers_of(world: "World") -> dict[str, list[str]]:
    """The accounts that are linked in Intercom and in the helpdesk."""
    accounts = world.salesforce.objects["Account"].rows
    found = {"intercom": [row["Id"] for row in accounts if row["Intercom_Company_Id__c"]]}
    if "helpdesk" in world.parts:
        found["helpdesk"] = sorted({each.account_id for each in world.parts["helpdesk"].tickets})
    return found


if __name__ == "__main__":
    sys.exit(main())
