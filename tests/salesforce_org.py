"""A small org that a test fills by hand, served by the sandbox, and read with a mapping of the test's own."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from accountpulse.core.period import Scope
from accountpulse.core.records import Extract
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import FieldDef, SObject, World
from accountpulse.sandbox.world.org import empty_objects, record_id
from accountpulse.settings import Settings
from support import NOW, Configure, extract, measured

LONG_AGO = "2020-01-01T00:00:00+00:00"
ONE, TWO, THREE = (record_id("001", number) for number in (501, 502, 503))


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


class Org:
    """The org: every object of the sandbox's schema, empty but for three customers."""

    def __init__(self, world: World) -> None:
        self.objects = empty_objects()
        self.world = world.with_part("salesforce", replace(world.salesforce, objects=self.objects))
        for account, arr, tier in ((ONE, 100.0, "Bronze"), (TWO, 30_000.0, "Silver"), (THREE, None, None)):
            self.add("Account", Id=account, Name=account[-4:], Type="Customer - Direct", ARR__c=arr, Tier__c=tier)

    def add(self, name: str, /, **values: Any) -> str:
        """A record; what isn't named is empty, false or long ago."""
        kind = self.objects[name]
        assert set(values) <= set(kind.fields), set(values) - set(kind.fields)
        row: dict[str, Any] = {each.name: False if each.type == "boolean" else None for each in kind.fields.values()}
        row["Id"] = record_id(kind.key_prefix, len(kind.rows) + 9_000)
        row["CreatedDate"] = datetime.fromisoformat(LONG_AGO)
        kind.rows.append(row | values)
        return str(kind.rows[-1]["Id"])

    def field(self, name: str, each: str, kind: str, **more: Any) -> None:
        """A field more, empty in all records."""
        self.objects[name].fields[each] = FieldDef(each, kind, each, 255, **more)
        for row in self.objects[name].rows:
            row[each] = False if kind == "boolean" else None

    def object(self, name: str, prefix: str, **fields: str) -> None:
        """An object more, with fields of these types."""
        system = {"Id": "id", "IsDeleted": "boolean", "CreatedDate": "datetime"}
        kinds = {each: FieldDef(each, kind, each, 255) for each, kind in (system | fields).items()}
        self.objects[name] = SObject(name, name, prefix, kinds, [])

    def account(self, identifier: str) -> dict[str, Any]:
        """The row of one of the accounts."""
        return next(row for row in self.objects["Account"].rows if row["Id"] == identifier)


class Read:
    """What came of reading: the extract, the metrics, and every query that was sent, with its path in `asked`."""

    def __init__(self, extract: Extract, loaded: Settings, scope: Scope, asked: list[tuple[str, str]]) -> None:
        self.extract = extract
        self.asked = asked
        self.queries = [query for _path, query in asked]
        self.notes = "\n".join(extract.notes)
        self._loaded, self._scope = loaded, scope

    @cached_property
    def measured(self) -> pl.DataFrame:
        """The metrics; the other systems are not asked here, and theirs are of no account."""
        alone = replace(self._loaded, access={"salesforce": self._loaded.access["salesforce"]})
        return measured(alone, {"salesforce": self.extract}, self._scope)

    def of(self, account: str) -> dict[str, Any]:
        """An account's row: attributes, metrics and their reasons."""
        return self.measured.row(by_predicate=pl.col("account_id") == account, named=True)

    def values(self, metric: str) -> list[Any]:
        """The metric of the three accounts, or the reason why there is none."""
        rows = [self.of(account) for account in (ONE, TWO, THREE)]
        return [row[f"{metric}_reason"] if row[metric] is None else row[metric] for row in rows]


Reader = Callable[..., Read]


def reader(configure: Configure, scope: Scope, folder: Path) -> Reader:
    """Reads an org with the text of an accountpulse.yaml; `hidden` are fields that the user may not see."""

    def read(org: Org, text: str = "", hidden: AbstractSet[tuple[str, str]] = frozenset(), at: Scope = scope) -> Read:
        path = folder / "accountpulse.yaml"
        path.write_text(text, encoding="utf-8")
        with Sandbox(org.world) as sandbox:
            sandbox.recorded = []
            sandbox.ahead = NOW - datetime.now(UTC)
            sandbox.behaviour.hidden |= hidden
            loaded = configure(sandbox, ACCOUNTPULSE_CONFIG=str(path))
            found = extract(loaded, "salesforce", at)
            asked = [(each.path, each.query["q"]) for each in sandbox.recorded if "q" in each.query]
        return Read(found, loaded, at, asked)

    return read
