"""What became of a changed answer: the same numbers, unknown ones that are told, an end with its cause, or silence."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import polars as pl

from accountpulse import settings
from accountpulse.core.errors import AccountpulseError
from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.core.records import Extract
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world.model import World
from accountpulse.systems import CRM, SYSTEMS
from mutations.mutations import Chance, Mutation
from mutations.oracle import intercom, jira, looker, salesforce
from mutations.proxy import Change, Exchanged, Proxy
from mutations.truthful import is_truthful
from support import NAMES, NOW, extract, measured

Outcome = Literal["not applicable", "equal", "unknown and told", "truthful", "ended", "silent"]
SCOPE = scope_of(Period(2026, 10), NOW)
ORDINARY = ("no_evidence", "too_few")  # reasons by which the report counts nothing as lost
TOLERANCE = 1e-9  # of sums in another order
ORACLES: Mapping[str, Callable[..., dict[str, dict[str, float | None]]]] = {
    "intercom": intercom.measured,
    "jira": jira.measured,
    "looker": looker.measured,
    "salesforce": salesforce.measured,
}
ENDS = (3, 5)  # the exit codes that a vendor's answer may end a run with


@dataclass(frozen=True)
class Verdict:
    """What became of one change.

    `truthful`: the vendor could have said it, and the metrics are what the answers come to then. `why`: what was
    changed and what differs in silence, or how it ended.
    """

    endpoint: str
    mutation: str
    outcome: Outcome
    why: tuple[str, ...] = ()
    log: tuple[Exchanged, ...] = field(default=(), repr=False)  # what went through, of a silent difference

    def __str__(self) -> str:
        return f"{self.mutation} × {self.endpoint}: {self.outcome} {'; '.join(self.why[:4])}"


class Bench(AbstractContextManager["Bench"]):
    """A sandbox behind a proxy, and what each system says where nothing is changed."""

    def __init__(self, world: World, folder: Path, **editions: Any) -> None:
        self._sandbox = Sandbox(world, **editions)
        self._folder = folder

    def __enter__(self) -> Self:
        self._sandbox.__enter__()
        self.proxy = Proxy(self._sandbox.url, self._sandbox.https_url, self._folder).__enter__()
        environment = {**self._sandbox.environment(), "ACCOUNTPULSE_STATE": str(self._folder / "state")}
        self.environment = self.proxy.environment(environment)
        self.loaded = settings.load(self.environment)
        self.plain: dict[str, Extract] = {}
        self.endpoints: dict[str, dict[str, int]] = {}
        self.logs: dict[str, tuple[Exchanged, ...]] = {}  # of the plain extraction
        for name in NAMES:
            self.proxy.begin()
            self.plain[name] = self._extract(name)
            counts: dict[str, int] = {}
            for each in self.proxy.log:
                counts[each.endpoint] = counts.get(each.endpoint, 0) + 1
            self.endpoints[name], self.logs[name] = counts, tuple(self.proxy.log)
        self.truth = measured(self.loaded, self.plain, SCOPE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.proxy.__exit__(kind, error, trace)
        self._sandbox.__exit__(kind, error, trace)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every system with each endpoint that it is asked at."""
        for name, endpoints in self.endpoints.items():
            for endpoint in endpoints:
                yield name, endpoint

    def judge(self, name: str, endpoint: str, mutation: Mutation, turn: int) -> Verdict:
        """Change one answer of an endpoint, and see what becomes of the metrics."""
        rng = Chance(f"{endpoint} {mutation.name}", turn)
        place = rng.randrange(self.endpoints[name][endpoint])
        change = Change(endpoint, place, lambda answer: mutation.by(answer, rng))
        return self.judge_change(name, change, mutation.name)

    def judge_change(self, name: str, change: Change, mutation: str) -> Verdict:
        """The same for a change of one's own; `mutation` names it."""
        endpoint = change.endpoint
        self.loaded.access[CRM].sessions.clear()
        self.proxy.begin(change)
        try:
            changed = self._extract(name)
        except AccountpulseError as error:
            return self._ended(name, endpoint, mutation, change, error)
        if not change.held:
            return Verdict(endpoint, mutation, "not applicable")
        if same_content(changed, self.plain[name]):
            return Verdict(endpoint, mutation, "equal")  # the metrics are made of these alone
        extracts = {**self.plain, name: changed}
        if name == CRM and fingerprint(changed.tables["links"]) != fingerprint(self.plain[CRM].tables["links"]):
            others = (each for each in self.plain if each != CRM)
            extracts |= {each: self._extract(each, changed.tables["links"]) for each in others}
        try:
            result = measured(self.loaded, extracts, SCOPE)
        except AssertionError as problems:  # accounts in doubt are named as problems: told
            return Verdict(endpoint, mutation, "unknown and told", (f"problems: {problems}",))
        except AccountpulseError as error:
            return self._ended(name, endpoint, mutation, change, error)
        return self._compared(name, Verdict(endpoint, mutation, "equal"), result, extracts, change)

    def _ended(self, name: str, endpoint: str, mutation: str, change: Change, error: AccountpulseError) -> Verdict:
        if not change.held:
            raise error
        named = name in str(error) or SYSTEMS[name].title in str(error) or "accountpulse.yaml" in str(error)
        good = error.exit_code in ENDS and named
        why = (f"{type(error).__name__} {error.exit_code}: {error}",)
        return Verdict(endpoint, mutation, "ended" if good else "silent", why)

    def _compared(
        self,
        name: str,
        verdict: Verdict,
        result: pl.DataFrame,
        extracts: Mapping[str, Extract],
        change: Change,
    ) -> Verdict:
        """Where the metrics differ from the truth, and whether that is told or what the vendor now says."""
        truthful = False
        before = {row["account_id"]: row for row in self.truth.iter_rows(named=True)}
        after = {row["account_id"]: row for row in result.iter_rows(named=True)}
        others = sorted(set(before) ^ set(after))
        silent = [f"{account} {'is gone' if account in before else 'is new'}" for account in others]
        told = any(is_told(each, self.plain[of]) for of, each in extracts.items())
        again = self.computed_again(name, self.proxy.log) if is_truthful(verdict.mutation, verdict.endpoint) else {}
        left_out = {account for each in extracts.values() for account in each.malformed}  # and named, in the report
        unknown = bool(left_out)
        for account in sorted((set(before) & set(after)) - left_out):
            for metric, was, now, reason in differences(before[account], after[account]):
                if now is None and reason is not None and (told or reason not in ORDINARY):
                    unknown = True
                elif metric in again.get(account, {}) and equal(again[account][metric], now):
                    truthful = True
                else:
                    other = f", computed again {again[account].get(metric)!r}" if account in again else ""
                    silent.append(f"{account} {metric}: {was!r} became {now!r} ({reason}{other})")
        if silent:
            why = (change.what, *silent)
            return Verdict(verdict.endpoint, verdict.mutation, "silent", why, tuple(self.proxy.log))
        outcome: Outcome = "unknown and told" if unknown else "truthful" if truthful else "equal"
        return Verdict(verdict.endpoint, verdict.mutation, outcome)

    def computed_again(self, name: str, answers: Sequence[Exchanged]) -> dict[str, dict[str, float | None]]:
        """The metrics by the answers as they went through; none where the vendor couldn't have said them."""
        keys: dict[str, list[str]] = {account: [] for account in self.truth["account_id"]}
        links = self.plain[CRM].tables["links"].filter(pl.col("source") == name)
        for account, key in links.select("account_id", "key").iter_rows():
            keys[account].append(key)
        try:
            return ORACLES[name](answers, keys, SCOPE.window.start, SCOPE.window.end)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration):
            return {}

    def _extract(self, name: str, links: pl.DataFrame | None = None) -> Extract:
        """What a system answers; `links` are the accounts' (None: those of the plain answers)."""
        keys: tuple[str, ...] = ()
        if name != CRM:
            links = self.plain[CRM].tables["links"] if links is None else links
            keys = tuple(sorted(set(links.filter(pl.col("source") == name)["key"])))
        return extract(self.loaded, name, SCOPE, keys)


def same_content(one: Extract, other: Extract) -> bool:
    """Whether two extracts have the same rows in all tables, and leave the same unknown: metrics are made of these."""
    return _content(one) == _content(other)


def _content(extract: Extract) -> tuple[Any, ...]:
    spools = {name: spool.lazy().collect() for name, spool in extract.spools.items()}
    tables = {**extract.tables, **spools, "": extract.unknowns}
    found = None if extract.found_keys is None else {key: sorted(keys) for key, keys in extract.found_keys.items()}
    rows = {name: fingerprint(table) for name, table in tables.items()}
    return rows, dict(extract.gaps), set(extract.unknown_keys), dict(extract.malformed), found


def fingerprint(table: pl.DataFrame) -> list[int]:
    """The rows of a table without their order."""
    return table.select(sorted(table.columns)).hash_rows(seed=1).sort().to_list()


def is_told(changed: Extract, plain: Extract) -> bool:
    """Whether the changed extract says something that the plain one doesn't: a note, a gap, an unknown, a doubt."""
    mine, its = (
        (set(each.notes), dict(each.gaps), dict(each.malformed), set(each.unknown_keys), fingerprint(each.unknowns))
        for each in (changed, plain)
    )
    return mine != its


def equal(one: float | None, other: float | None) -> bool:
    """Whether two values of a metric are the same."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE * max(1.0, abs(other))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any, Any]]:
    """Metric, value before, value after and its reason, where one of the values differs; reasons alone don't count."""
    for name, was in before.items():
        if name.endswith("_reason") or f"{name}_reason" not in before:
            continue
        now = after[name]
        if not equal(was, now):
            yield name, was, now, after[f"{name}_reason"]


def scope() -> Scope:
    """What is measured: October 2026."""
    return SCOPE
