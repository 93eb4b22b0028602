"""Salesforce → accounts and their links, contract, relationship and churn signals: whole-portfolio queries.

What a company calls its fields is accountpulse.yaml; a describe of each object decides what exists. What is absent or
not readable leaves its metrics null with `field_missing`, and a note names it. No query is made for one account: rows
come by windows of time, over all pages, without OFFSET, GROUP BY or lists of ids.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import polars as pl

from accountpulse.core.catalogue import METRICS
from accountpulse.core.errors import AccessError, UnexpectedAnswer
from accountpulse.core.ids import to_18
from accountpulse.core.plain_text import plain_table
from accountpulse.core.records import TABLES, Extract, SourceName, unknowns
from accountpulse.systems.salesforce import arr, contract, hierarchy, outcomes, own_figures, pulses, relationship
from accountpulse.systems.salesforce.client import Org
from accountpulse.systems.salesforce.currencies import CURRENCY, Money, money
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.figure_settings import AccountFigures
from accountpulse.systems.salesforce.kinds import fits, own_texts
from accountpulse.systems.salesforce.limits import refuse_below
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, Rows, at, number
from accountpulse.systems.salesforce.row_facts import value_text
from accountpulse.systems.salesforce.settings import AccountFields, SalesforceMapping, SalesforceRequest
from accountpulse.systems.salesforce.staff import StaffNames

NOBODY_RATED = (
    "without churn signals nobody is rated: name your object for them under `signals:` in accountpulse.yaml, or write "
    "`signals: none` to rate accounts without them"
)
TIERED = ("tier_alignment", "qbr_attendance")  # what rests on the tier that was sold
TIER_SINCE = "the tier changed after as_of"
AGED = ("arr_trajectory_pct",)  # and on the day since when it is a customer
SIGNALS = tuple(name for name, metric in METRICS.items() if metric.domain == "signals")


def extract(request: SalesforceRequest) -> Extract:
    """Every table of the CRM. An org without readable accounts is an AccessError: nothing can be scored.

    A SourceUnavailable with the numbers, before anything else is asked, where the org has fewer API calls left than
    the reserve.
    """
    mapping, links = request.mapping, request.connection.link_fields
    reading = _opened(request)
    if (signals := request.connection.blocks["signals"]) is not None:
        reading.check_kinds(signals, "signals")
    own = request.connection.own_metrics
    reading.check_kinds(AccountFigures(metrics=dict(own)))
    staff = StaffNames(reading, as_name=mapping.accounts.owner_as == "name")
    found = _accounts(reading, mapping, links, own_figures.fields_of(own), staff)
    request.progress(len(found), len(found))
    worth = _money(reading, mapping, found)
    accounts = _account_rows(reading, mapping, found, worth, staff)
    frames = {"accounts": _frame("accounts", accounts), "links": _frame("links", _link_rows(found, links))}
    reading.setting = "accounts.parent"
    frames["parents"] = _frame("parents", hierarchy.parents(reading, mapping.accounts.parent, found))
    seats: dict[str, float | None] = {}
    for name, rows in _parts(reading, request, found, worth, seats, staff=staff):
        frames[name] = _frame(name, rows)
        request.progress(sum(table.height for table in frames.values()), None)
    if worth is not None and worth.unknown:
        reading.setting = "accounts.arr"
        reading.note(f"the org has no rate for {', '.join(sorted(worth.unknown))}: ARR in it stays empty")
    for name, who in (("accounts", "owner"), ("signals", "owner"), ("pulses", "author")):
        # people's own words: each on one line, without what steers a terminal
        frames[name] = staff.shown(plain_table(frames[name]), who)
    frames["accounts"] = _as_of(reading, _with_seats(frames["accounts"], seats), frames["arr_changes"])
    later = pl.col("at") >= request.scope.as_of
    reading.table = "arr_changes"
    reading.outside(frames["arr_changes"].filter(later).height)
    frames["arr_changes"] = frames["arr_changes"].remove(later)
    reading.tell_unknowns()
    malformed = {to_18(account): text for account, text in reading.malformed.items()}
    counts = {name: tally.counts() for name, tally in reading.tallies.items() if name in frames}
    unknown = pl.concat([unknowns((), (), "unclear"), *reading.unknown_rows()])
    notes = tuple(reading.notes)
    return Extract("salesforce", frames, reading.gaps, {}, notes, malformed=malformed, unknowns=unknown, counts=counts)


def extract_outcomes(request: SalesforceRequest) -> Extract:
    """Who the customers are (their ids alone) and what became of them, as `extract` has it."""
    reading = _opened(request)
    found = _accounts(reading, request.mapping, {})
    frames = {"accounts": _frame("accounts", ({"account_id": row["Id"]} for row in found))}
    worth = _money(reading, request.mapping, found)
    for name, rows in _read(reading, _outcome_parts(reading, request, worth)):
        frames[name] = _frame(name, rows)
    reading.tell_unknowns()
    counts = {name: tally.counts() for name, tally in reading.tallies.items() if name in frames}
    return Extract("salesforce", frames, notes=tuple(reading.notes), counts=counts)


def _opened(request: SalesforceRequest) -> OrgReading:
    """The org, signed in to; its calls of the day and the kinds of its fields are looked at before all else."""
    mapping = request.mapping
    org = Org.connect(request.access, request.budget, request.connection.ca_bundle)
    reading = OrgReading(org, request.scope, notes=list(org.notices), own_texts=own_texts(mapping))
    org.describe("Account")  # the first answer that tells of the day's calls
    refuse_below(org.allowance, mapping.daily_calls_reserve)
    reading.check_kinds(mapping)
    return reading


def _frame(name: str, rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=TABLES[name], orient="row")


# --- accounts --------------------------------------------------------------------------------------------------


def _accounts(
    reading: OrgReading,
    org: SalesforceMapping,
    links: Mapping[SourceName, str],
    own: Iterable[str] = (),
    staff: StaffNames | None = None,
) -> list[dict[str, Any]]:
    """All customers, with the fields that exist; `own`: those of the company's own metrics, `staff`: owners' names."""
    try:
        reading.setting = "accounts"
        reading.need("Account", "Id", "Name")
        known = [name for name in _described_by(org) if reading.has("Account", name)]
        for source, name in links.items():
            reading.setting = f"{source}.account_field"
            if reading.has("Account", name) and _can_be_key(reading, name):
                known.append(name)
        reading.setting = "accounts"
        extra = [name for name in _asked_later(org) if reading.find("Account", name) is not None]
        extra += () if staff is None else staff.fields("Account", org.accounts.owner)
        reading.setting = "accounts.parent"
        extra += () if staff is None else hierarchy.parent_fields(reading, org.accounts.parent)
        extra += () if staff is None else _of_pulse(reading, org, staff)
        reading.setting = "metrics"
        extra += [name for name in own if reading.find("Account", name) is not None]
        reading.setting = "accounts"
        rows = [
            {**row, "Id": to_18(row["Id"])}
            for row in reading.rows("Account", ["Id", "Name", *known, *extra], org.accounts.where)
        ]
    except MissingInOrg:
        remedy = "Give our user read access to Account, and check salesforce.accounts in accountpulse.yaml."
        raise AccessError("salesforce", "reading accounts", reading.notes[-1], remedy) from None
    reading.close(len(rows))
    if not rows:
        reading.note("no account meets `where`: there is nobody to score")
    return rows


def _of_pulse(reading: OrgReading, org: SalesforceMapping, staff: StaffNames) -> tuple[str, ...]:
    reading.setting = "pulse"  # a field of it that is of the wrong kind is none
    return pulses.pulse_fields(reading, org.pulse, staff)


def _can_be_key(reading: OrgReading, name: str) -> bool:
    """Whether a field can hold another system's key; a note where it can't."""
    found = reading.find("Account", name)
    if found is None or fits(found, ("text", "reference", "number", "picklist")):
        return True
    reading.note(f"Account.{name} is a {found.type}, which can't hold a key: name a text or number field")
    return False


def _described_by(org: SalesforceMapping) -> list[str]:
    """The fields that describe an account, as far as they are configured."""
    names = org.accounts
    wanted = (names.arr, names.tier, names.segment, names.seats, names.owner, names.customer_since, names.parent)
    return [name for name in wanted if name is not None]


def _asked_later(org: SalesforceMapping) -> list[str]:
    """What other parts read of the account; they say themselves where it is missing."""
    dates = [strategy.date for strategy in org.renewal.strategies if strategy.source == "account"]
    problems = [org.payment.field] if org.payment and org.payment.source == "account" else []
    return [*dates, *problems, CURRENCY, "CreatedDate"]


def _money(reading: OrgReading, org: SalesforceMapping, found: list[dict[str, Any]]) -> Money | None:
    """How ARR is converted; None where it can't be known, with the gaps that follow."""
    name, worth = org.accounts.arr, None
    if name is not None and reading.find("Account", name) is not None:
        with suppress(MissingInOrg):
            worth = money(reading, name)
    if worth is None:
        reading.gaps |= dict.fromkeys(arr.METRICS, "not_configured" if name is None else "field_missing")
        return None
    worth.of_account = {row["Id"][:15]: str(row.get(CURRENCY)) for row in found}
    return worth


def _account_rows(
    reading: OrgReading, org: SalesforceMapping, found: list[dict[str, Any]], worth: Money | None, staff: StaffNames
) -> Iterator[dict[str, Any]]:
    """Rows of ACCOUNTS, in which the owner is still the id (`StaffNames`)."""
    names = org.accounts
    reading.setting = "accounts"
    _check_tiers(reading, org, found)
    reading.setting = "accounts"
    for row in found:
        _tell_hidden(reading, names, row)
        own = reading.amount(_of(row, names.arr), row["Id"], names.arr)
        amount = None if worth is None else worth.converted(own, row.get(CURRENCY))
        yield {
            "account_id": row["Id"],
            "account_name": row["Name"],
            "segment": _text(_of(row, names.segment)),
            "customer_tier": _text(_of(row, names.tier)),
            "arr": amount,
            "seats": reading.amount(_of(row, names.seats), row["Id"], names.seats),
            "owner": staff.held("Account", names.owner, row),
            "customer_since": reading.day_of(_of(row, names.customer_since), row["Id"]),
        }
    staff.tell(names.owner, found)


def _tell_hidden(reading: OrgReading, names: AccountFields, row: Mapping[str, Any]) -> None:
    """What rests on a field of a parent that our user can't see isn't known of the account."""
    for name, metrics in ((names.arr, arr.METRICS), (names.tier, TIERED), (names.customer_since, AGED)):
        if name is not None and "." in name and reading.hidden("Account", row, name):
            reading.unknown(
                row["Id"], metrics, "not_visible", f"our user can't see the record that {name} is read from"
            )


def _of(row: Mapping[str, Any], name: str | None) -> Any:
    return None if name is None else at(row, name)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _check_tiers(reading: OrgReading, org: SalesforceMapping, found: list[dict[str, Any]]) -> None:
    """Without a tier nothing aligns and no review is owed; a tier that the order doesn't know is not known at all."""
    tier = org.accounts.tier
    if tier is None or reading.find("Account", tier) is None:
        for metric in TIERED:
            reading.gaps.setdefault(metric, "not_configured" if tier is None else "field_missing")
        return
    reading.setting = "tiers.order"
    reading.known("Account", tier, org.tiers.order)
    unknown = {str(value) for row in found if (value := _of(row, tier)) is not None} - set(org.tiers.order)
    if unknown:
        reading.note(f"accounts have {', '.join(map(repr, sorted(unknown)[:5]))} as their tier, which it doesn't list")


def _link_rows(found: list[dict[str, Any]], links: Mapping[SourceName, str]) -> Iterator[dict[str, Any]]:
    for row in found:
        for source, name in links.items():
            key = value_text(at(row, name))
            if key:
                yield {"account_id": row["Id"], "source": source, "key": key}


# --- everything else -------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """A table beyond the accounts: the key of the mapping that it comes by, and the metrics that it feeds."""

    table: str
    key: str
    metrics: tuple[str, ...]
    mapped: object  # what stands under the key; none: the part is off
    read: Callable[[Any], Rows]


def _parts(
    reading: OrgReading,
    request: SalesforceRequest,
    found: list[dict[str, Any]],
    worth: Money | None,
    seats: dict[str, float | None],
    *,
    staff: StaffNames,
) -> Iterator[tuple[str, Rows]]:
    """Each table beyond the accounts; a part that is off or missing is an empty one, with a gap.

    `seats` takes those of accounts whose number changed after as_of, as it was before.
    """
    signals, own = request.connection.blocks["signals"], request.connection.own_metrics
    parts = (
        *_contract_parts(reading, request.mapping, found, worth, seats),
        *_relationship_parts(reading, request.mapping),
        _Part("signals", "signals", SIGNALS, signals, lambda p: relationship.signals(reading, p, staff)),
        *_pulse_parts(reading, request.mapping, found, staff),
        *_outcome_parts(reading, request, worth),
        _Part("dated_figures", "metrics", (), own or None, lambda p: own_figures.dated_figures(reading, p, found)),
    )
    return _read(reading, parts)


def _read(reading: OrgReading, parts: Iterable[_Part]) -> Iterator[tuple[str, Rows]]:
    for part in parts:
        reading.setting, reading.table = part.key, part.table
        rows = list(_rows(reading, part.metrics, part.mapped, part.read))
        reading.close(len(rows))
        yield part.table, rows


def _contract_parts(
    reading: OrgReading,
    org: SalesforceMapping,
    found: list[dict[str, Any]],
    worth: Money | None,
    seats: dict[str, float | None],
) -> Iterator[_Part]:
    due, paid, smaller, grown = (
        ("days_to_renewal",),
        ("payment_health",),
        ("contract_changes",),
        ("arr_trajectory_pct",),
    )

    def changes(part: Any) -> Rows:
        if worth is None:
            return []
        others = _of_then(reading, org.accounts, seats)
        return arr.arr_changes(reading, part, org.accounts.arr or "", found, worth, others=others)

    yield _Part("renewals", "renewal", due, org.renewal, lambda p: contract.renewals(reading, p, found))
    yield _Part(
        "payment_problems", "payment", paid, org.payment, lambda p: contract.payment_problems(reading, p, found)
    )
    yield _Part(
        "downgrades", "downgrades", smaller, org.downgrades, lambda p: contract.downgrades(reading, p, found, worth)
    )
    yield _Part("arr_changes", "arr_history", grown, org.arr_history, changes)


def _of_then(reading: OrgReading, names: AccountFields, seats: dict[str, float | None]) -> dict[str, arr.ChangedSince]:
    """What a change after as_of means for the account's own fields: its seats were others, its tier isn't known."""

    def tier_changed(account: str, _row: Row) -> None:
        reading.unknown(account, TIERED, "unclear", TIER_SINCE)

    def seats_changed(account: str, row: Row) -> None:
        seats[account] = number(row["OldValue"])

    wanted = {names.tier: tier_changed, names.seats: seats_changed}
    return {
        name: change
        for name, change in wanted.items()
        if name is not None and "." not in name and reading.find("Account", name) is not None
    }


def _relationship_parts(reading: OrgReading, org: SalesforceMapping) -> Iterator[_Part]:
    met, stayed, more = ("qbr_attendance",), ("champion_stability",), ("expansion_signals",)
    yield _Part("reviews", "reviews", met, org.reviews, lambda p: relationship.reviews(reading, p))
    yield _Part("champions", "champions", stayed, org.champions, lambda p: relationship.champions(reading, p))
    yield _Part("expansions", "expansion", more, org.expansion, lambda p: relationship.expansions(reading, p))


def _pulse_parts(
    reading: OrgReading, org: SalesforceMapping, found: list[dict[str, Any]], staff: StaffNames
) -> Iterator[_Part]:
    given: list[Mapping[str, Any]] = []

    def read(part: Any) -> Rows:
        given.extend(pulses.pulses(reading, part, found, staff))
        return given

    def changes(owner: Any) -> Rows:
        if all(row["given_at"] is None for row in given):
            return []
        try:
            return list(pulses.owner_changes(reading, owner, found))
        except (AccessError, UnexpectedAnswer) as error:  # what stands beside the score must not cost it
            reading.note(f"changes of owners can't be read: {' '.join(str(error).split())}")
            raise MissingInOrg from None

    yield _Part("pulses", "pulse", (), org.pulse, read)
    yield _Part("owner_changes", "pulse", (), org.accounts.owner, changes)


def _outcome_parts(reading: OrgReading, request: SalesforceRequest, worth: Money | None) -> Iterator[_Part]:
    """What became of customers until the day of reading, which the month may lie long before."""
    mapped = request.mapping.outcomes
    if mapped is None:
        asked = None
    else:
        today = reading.day(request.read_at or request.scope.as_of)
        asked = outcomes.OutcomeReading(reading, mapped, today, request.mapping.accounts.arr, worth)
    yield _Part("merges", "outcomes", (), asked, outcomes.merges)
    yield _Part("outcomes", "outcomes", (), asked, outcomes.outcomes)


def _rows(reading: OrgReading, metrics: tuple[str, ...], part: object, work: Callable[[Any], Rows]) -> Rows:
    """The rows of one table; none, and a gap, where its part is off or the org lacks what it names."""
    if not part:
        reading.gaps |= dict.fromkeys(metrics, "not_configured")
        return []
    key = reading.setting
    try:
        return list(work(part))
    except MissingInOrg:
        reading.gaps |= dict.fromkeys(metrics, "field_missing")
        reading.drop()
        if metrics == SIGNALS:
            reading.setting = key
            reading.note(NOBODY_RATED)
        return []


def _with_seats(accounts: pl.DataFrame, seats: Mapping[str, float | None]) -> pl.DataFrame:
    """Accounts with the seats that they had at as_of; null where these are no number."""
    then = pl.DataFrame(
        {"account_id": [*seats], "then": [*seats.values()]},
        schema={"account_id": pl.String, "then": accounts.schema["seats"]},
        strict=False,
    )
    known = pl.when(pl.col("account_id").is_in([*seats])).then("then").otherwise("seats")
    return (
        accounts.join(then, on="account_id", how="left", maintain_order="left").with_columns(seats=known).drop("then")
    )


def _as_of(reading: OrgReading, accounts: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Accounts with ARR as it was at as_of: before the first change since then, where there was one.

    Where several changes came in that one instant, it is the one that no other led to; else it isn't known.
    """
    later = changes.filter(pl.col("at") >= reading.scope.as_of)
    first = later.filter(pl.col("at") == pl.col("at").min().over("account_id"))
    then: dict[str, float | None] = {}
    for (account,), tied in first.group_by("account_id", maintain_order=True):
        started = _started(tied["before"].to_list(), tied["after"].to_list())
        if started is None:
            reading.setting = "arr_history"
            why = "several changes of ARR in one second, whose order can't be known"
            reading.unknown(account, arr.METRICS, "unclear", why)
        then[str(account)] = started[0] if started else None
    if not then:
        return accounts
    known = pl.DataFrame({"account_id": list(then), "then": list(then.values())}, schema_overrides={"then": pl.Float64})
    joined = accounts.join(known.with_columns(changed=True), on="account_id", how="left", maintain_order="left")
    value = pl.when(pl.col("changed")).then("then").otherwise("arr")
    return joined.with_columns(arr=value).select(accounts.columns)


def _started(before: list[float | None], after: list[float | None]) -> tuple[float | None] | None:
    """What stood before all of these changes of one instant; None: their order can't be known."""
    if len(before) == 1:
        return (before[0],)
    led_to = Counter(after)
    starts = list((Counter(before) - led_to).elements())
    return (starts[0],) if len(starts) == 1 else None
