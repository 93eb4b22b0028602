"""How an org keeps renewals, payments, downgrades, the history of ARR, and who left."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accountpulse.systems.discovery import MappingChoice
from accountpulse.systems.salesforce import meanings, value_words
from accountpulse.systems.salesforce.discover_accounts import OTHERS
from accountpulse.systems.salesforce.meanings import Meaning, named
from accountpulse.systems.salesforce.queries import in_list, number, text
from accountpulse.systems.salesforce.survey import UNCOUNTED, Candidate, OrgSurvey, named_like

Block = dict[str, Any]
OPEN, WON = (False, False), (True, True)  # IsClosed, IsWon
SURE = 7  # points of the name of a date that stands in where nothing else tells the renewal
LEAST_END = 6  # points of the name of a date on which a term ends
LEAST_CHILD = 6  # points of an object's name
DEALS_ASKED = 6  # fields of the opportunity whose values are counted
CASES_ASKED = 6
TRACKED = " (where the field was tracked before its first change, say since when: tracked_since)"
UNPLACED = 6  # values that are named


@dataclass(frozen=True)
class ChildObject:
    """An object of the org's own whose records belong to accounts, by the field `account`."""

    name: str
    account: str
    label: str = ""


@dataclass
class DealKinds:
    """The opportunities by the values of each field that may say of what kind they are, and by how they stand."""

    by_field: dict[str, Counter[tuple[str, bool, bool]]] = field(default_factory=dict)

    @classmethod
    def counted(cls, survey: OrgSurvey) -> "DealKinds":
        """One question a field."""
        fields, found = survey.fields("Opportunity"), cls()
        by_values = [each for each in fields.values() if any(map(_is_kind, each.picklist))]
        asked = [*by_values, *(each for each, _ in named_like(fields, meanings.KIND_OF_DEAL))]
        names = list(dict.fromkeys(each.name for each in asked if each.groupable))[:DEALS_ASKED]
        if "RecordTypeId" in fields:
            names.append("RecordType.Name")
        for name in names:
            groups = survey.groups("Opportunity", [name, "IsClosed", "IsWon"])
            counted: Counter[tuple[str, bool, bool]] = Counter()
            for (value, closed, won), n in groups.items():
                if value is not None:
                    counted[str(value), bool(closed), bool(won)] += n
            found.by_field[name] = counted
        return found

    def of(self, says: Callable[[str], bool]) -> list[tuple[str, list[str], int]]:
        """The fields with values that say it: field, values, opportunities; most opportunities first."""
        found = []
        for name, counted in self.by_field.items():
            values = sorted({value for value, _, _ in counted if says(value)})
            if values:
                found.append((name, values, sum(n for (value, _, _), n in counted.items() if value in values)))
        return sorted(found, key=lambda each: -each[2])

    def unplaced(self) -> list[tuple[str, str]]:
        """The values of fields that tell kinds of which nothing is known: field and value."""
        found = []
        for name, counted in self.by_field.items():
            values = sorted({value for value, _, _ in counted})
            if any(map(_is_kind, values)):
                known = [value for value in values if _is_kind(value) or named(value, value_words.NEW_VALUES)]
                found += [(name, value) for value in values if value not in known and not is_extension(value)]
        return found[:UNPLACED]

    def count(self, name: str, values: Sequence[str], state: tuple[bool, bool]) -> int:
        """How many opportunities with one of these values are open, or won."""
        return sum(n for (value, *at), n in self.by_field[name].items() if value in values and tuple(at) == state)


def chosen(name: str, values: Sequence[str]) -> Block:
    """`only:` with values of a field; of a record type it is a text of SOQL."""
    if "." in name:
        return {"only": None, "where": f"{name} IN {in_list(values)}"}
    return {"only": {"field": name, "values": list(values)}}


def is_renewal(value: str) -> bool:
    """Whether a kind of opportunity renews a contract."""
    return named(value, value_words.RENEWAL_VALUES)


def is_smaller(value: str) -> bool:
    """Whether a kind of opportunity makes a contract smaller."""
    return named(value, value_words.SMALLER_VALUES)


def is_larger(value: str) -> bool:
    """Whether a kind of opportunity makes a customer larger."""
    return named(value, value_words.LARGER_VALUES) and not is_renewal(value) and not is_smaller(value)


def is_extension(value: str) -> bool:
    """Whether a kind extends something: the term, or what is sold."""
    return named(value, value_words.EXTENSION_VALUES) and not (is_renewal(value) or is_smaller(value))


def _is_kind(value: str) -> bool:
    return is_renewal(value) or is_smaller(value) or is_larger(value)


# --- renewals ----------------------------------------------------------------------------------------------------


def renewal_choice(
    survey: OrgSurvey, deals: DealKinds, dates: Sequence[Candidate], children: Sequence[ChildObject]
) -> tuple[MappingChoice, list[str]]:
    """Every way that has a date for somebody, in the usual order; and what stays unknown."""
    ways: list[Block] = []
    told, unknown = [], []
    renewals = deals.of(is_renewal)
    if renewals:
        name, values, _ = renewals[0]
        ways.append({"from": "opportunity", "date": "CloseDate", **chosen(name, values)})
        running = deals.count(name, values, OPEN)
        told.append(f"{running:,} open opportunities have {name} {_listed(values)}")
    if (contracts := _contracts_in_force(survey)) is not None:
        way, count, statuses = contracts
        ways.append(way)
        told.append(f"{count:,} contracts with an end are {_listed(statuses)}")
    for way, why in _terms(survey, children):
        ways.append(way)
        told.append(why)
    if dates and dates[0].points >= SURE:
        ways.append({"from": "account", "date": dates[0].name})
        told.append(dates[0].said)
    others = tuple(
        (replaced(ways, "account", {"from": "account", "date": each.name}), each.said) for each in dates[1 : OTHERS + 1]
    )
    path = ("salesforce", "renewal")
    if not ways:
        unknown.append("where a renewal date is found: no opportunity, contract, object or date looks like one")
        return MappingChoice(path, None, "No way to find a renewal date was found; the defaults hold."), unknown
    return MappingChoice(
        path, ways, f"{'; '.join(told)}. For each account the first that has a date counts.", others
    ), []


def replaced(ways: Sequence[Block], source: str, way: Block) -> list[Block]:
    """The same ways with another one of this kind."""
    return [*(each for each in ways if each["from"] != source), way]


def _contracts_in_force(survey: OrgSurvey) -> tuple[Block, int, list[str]] | None:
    """Contracts that hold and have an end: the way, how many, their statuses."""
    if not {"Status", "EndDate"} <= survey.fields("Contract").keys():
        return None
    with_end = survey.groups("Contract", ["Status"], "EndDate != null")
    values = [value for value in _statuses(survey)[0] if (value,) in with_end]
    count = sum(with_end[value,] for value in values)
    if not count:
        return None
    return {"from": "contract", "date": "EndDate", "only": {"field": "Status", "values": values}}, count, values


def _terms(survey: OrgSurvey, children: Sequence[ChildObject]) -> Iterator[tuple[Block, str]]:
    """An object of the org's own for subscriptions or contracts, with the day that a term ends on."""
    for child in named_objects(children, meanings.TERMS):
        fields = survey.fields(child.name)
        ends = named_like(fields, meanings.RENEWS, LEAST_END)
        if not ends or not (count := survey.count(child.name, f"{ends[0][0].name} != null")):
            continue
        way: Block = {"from": "records", "object": child.name, "account": child.account, "date": ends[0][0].name}
        why = f"{child.name} has {count:,} records with {ends[0][0].name}"
        for each in fields.values():
            values = [value for value in each.picklist if _holds(value)]
            if values and each.type in meanings.PICKLISTS and meanings.STATUS.of(each):
                yield {**way, "only": {"field": each.name, "values": values}}, f"{why}, of which those count that hold"
                return
        yield way, why
        return


def _holds(status: str) -> bool:
    return named(status, value_words.IN_FORCE_VALUES, value_words.ENDED_VALUES)


def _statuses(survey: OrgSurvey) -> tuple[list[str], list[str]]:
    """The statuses in use of contracts that hold, and of those that ended: by their words, else by the status code.

    Every status of an org has one of Salesforce's own codes, such as Activated, which is never translated.
    """
    paths = ["Status", *(["StatusCode"] if "StatusCode" in survey.fields("Contract") else [])]
    groups = survey.groups("Contract", paths)
    codes = {str(value): [str(each) for each in code] for value, *code in groups if value}
    ended = sorted(value for value in codes if named(value, value_words.ENDED_VALUES))
    told = {value for value in codes if named(value, value_words.IN_FORCE_VALUES)}
    coded = {value for value, code in codes.items() if "Activated" in code}
    return sorted((told | coded) - set(ended)), ended


def _listed(values: Iterable[str]) -> str:
    return ", ".join(repr(value) for value in values)


# --- payment -----------------------------------------------------------------------------------------------------


def payment_choice(survey: OrgSurvey, children: Sequence[ChildObject], fields: Sequence[Candidate]) -> MappingChoice:
    """Invoices where the org has them, else cases about billing, else a field of the account, by what has records."""
    ways = [*_invoices(survey, children), *_own_cases(survey, children)]
    sure = [each for each in fields if meanings.UNPAID.of(each.field) >= SURE]
    ways += [*_of_account(sure), *_cases(survey), *_of_account([each for each in fields if each not in sure])]
    path = ("salesforce", "payment")
    if not ways:
        why = "No billing cases, no object of invoices and no field about unpaid invoices was found."
        return MappingChoice(path, "none", why)
    others = (*ways[1 : OTHERS + 1], ("none", "payments are no part of the score"))
    return MappingChoice(path, ways[0][0], f"{ways[0][1]}.", others, asked=True)


def _invoices(survey: OrgSurvey, children: Sequence[ChildObject]) -> Iterator[tuple[Block, str]]:
    for child in named_objects(children, meanings.INVOICES):
        fields = survey.fields(child.name)
        due, paid = (named_like(fields, meaning, LEAST_CHILD) for meaning in (meanings.DUE, meanings.PAID))
        count = survey.count(child.name) if due and paid else 0
        if count:
            names = {"due": due[0][0].name, "paid": paid[0][0].name}
            yield (
                {"from": "invoice", "object": child.name, "account": child.account, **names},
                f"{child.name} has {count:,} invoices with a due date and a day of payment",
            )


def _own_cases(survey: OrgSurvey, children: Sequence[ChildObject]) -> Iterator[tuple[Block, str]]:
    for child in named_objects(children, meanings.BILLING_CASES, least=9):
        fields = survey.fields(child.name)
        closed = named_like(fields, meanings.CLOSED, LEAST_CHILD)
        count = survey.count(child.name) if closed else 0
        if count:
            opened = named_like(fields, meanings.OPENED, LEAST_CHILD)
            dates = {"opened": opened[0][0].name if opened else "CreatedDate", "closed": closed[0][0].name}
            way = {"from": "case", "object": child.name, "account": child.account, "only": None, **dates}
            yield way, f"{child.name} has {count:,} records that are opened and closed"


def _cases(survey: OrgSurvey) -> Iterator[tuple[Block, str]]:
    """Cases by the values of their lists that speak of billing, the field with the most cases first."""
    fields = survey.fields("Case")
    lists = [each for each in fields.values() if each.type in meanings.PICKLISTS and each.groupable]
    likely = [each for each in lists if any(named(value, value_words.BILLING_VALUES) for value in each.picklist)]
    found = []
    for each in sorted(likely, key=lambda each: (each.name != "Type", each.name))[:CASES_ASKED]:
        groups = survey.groups("Case", [each.name])
        there = {*each.picklist, *(str(value) for (value,) in groups if value)}
        values = sorted(value for value in there if named(value, value_words.BILLING_VALUES))
        count = sum(n for (value,), n in groups.items() if value in values)
        way: Block = {"from": "case", "object": "Case", "only": {"field": each.name, "values": values}}
        found.append((count, way, f"{count:,} cases have {each.name} {_listed(values)}"))
    for _count, way, why in sorted(found, key=lambda each: -each[0]):
        yield way, why


def _of_account(fields: Sequence[Candidate]) -> Iterator[tuple[Block, str]]:
    for each in fields:
        way: Block = {"from": "account", "field": each.name}
        if each.field.type in meanings.PICKLISTS:
            values = [value for value in each.field.picklist if named(value, value_words.UNPAID_VALUES)]
            if not values:
                continue
            way["values"] = values
        yield way, each.said


def named_objects(children: Sequence[ChildObject], meaning: Meaning, least: int = LEAST_CHILD) -> list[ChildObject]:
    """The objects whose name says it, most points first."""
    found = [(meaning.of_name(meanings.bare(child.name), child.label), child) for child in children]
    return [child for points, child in sorted(found, key=lambda each: (-each[0], each[1].name)) if points >= least]


# --- downgrades and ARR ------------------------------------------------------------------------------------------


def downgrade_choice(survey: OrgSurvey, deals: DealKinds, seats: str | None) -> MappingChoice:
    """Won opportunities of a kind that says so, or falls of seats in the field history; what knows more accounts."""
    ways: list[tuple[int, Block, str]] = []
    for name, values, _ in deals.of(is_smaller)[:1]:
        picked = chosen(name, values)
        extra = picked.pop("where", f"{name} IN {in_list(values)}")
        won = "IsWon = true" if picked else f"IsWon = true AND {extra}"
        known = survey.accounts_of("Opportunity", "AccountId", f"IsWon = true AND {extra}") or 0
        why = (
            f"{deals.count(name, values, WON):,} won opportunities of {known:,} accounts have {name} {_listed(values)}"
        )
        ways.append((known, {"from": "records", "object": "Opportunity", **picked, "where": won}, why))
    if seats is not None and history_of(survey, seats):
        known = _accounts_that_fell(survey, seats)
        why = f"in the field history, {seats} fell on {known:,} accounts{TRACKED}"
        ways.append((known, {"from": "history", "field": seats}, why))
    path = ("salesforce", "downgrades")
    if not ways:
        why = "No kind of opportunity says that a contract became smaller, and seats have no field history."
        return MappingChoice(path, "none", why)
    (_, value, why), *rest = sorted(ways, key=lambda each: -each[0])
    others = (*((way, text) for _, way, text in rest), ("none", "downgrades are no part of the score"))
    return MappingChoice(path, value, f"{why[0].upper()}{why[1:]}.", others)


def _accounts_that_fell(survey: OrgSurvey, name: str) -> int:
    """How many accounts have a fall of a number in the field history, as far as a sample of it shows."""
    paths = ("AccountId", "OldValue", "NewValue")
    try:
        rows = survey.sample("AccountHistory", paths, f"Field = {text(name)}", newest="CreatedDate")
    except UNCOUNTED:
        return 0
    amounts = [(row["AccountId"], number(row["OldValue"]), number(row["NewValue"])) for row in rows]
    return len({account for account, old, new in amounts if old is not None and new is not None and new < old})


def history_of(survey: OrgSurvey, name: str | None) -> int:
    """How many changes of a field of the account its history holds."""
    if name is None or not survey.fields("AccountHistory"):
        return 0
    return survey.count("AccountHistory", f"Field = {text(name)}") or 0


def arr_history_choice(survey: OrgSurvey, children: Sequence[ChildObject], arr: str | None) -> MappingChoice:
    """Snapshots or the field history of ARR, whichever knows more accounts, and what this program measured itself."""
    path, ways = ("salesforce", "arr_history"), []
    if changes := history_of(survey, arr):
        known = survey.accounts_of("AccountHistory", "AccountId", f"Field = {text(str(arr))}") or 0
        why = f"the field history has {changes:,} changes of {arr}, of {known:,} accounts{TRACKED}"
        ways.append((known, {"from": "history"}, why))
    for way, known, why in _snapshots(survey, children):
        ways.append((known, way, why))
    ways.sort(key=lambda each: -each[0])
    told = "; ".join(why for _, _, why in ways) or f"no history of {arr or 'ARR'} and no object of snapshots was found"
    value = [*(way for _, way, _ in ways), {"from": "own"}]
    return MappingChoice(path, value, f"{told[0].upper()}{told[1:]}. Last, what this program measured a year before.")


def _snapshots(survey: OrgSurvey, children: Sequence[ChildObject]) -> Iterator[tuple[Block, int, str]]:
    for child in named_objects(children, meanings.SNAPSHOTS):
        fields = survey.fields(child.name)
        dates, amounts = named_like(fields, meanings.AS_OF, 4), named_like(fields, meanings.ARR, 4)
        known = survey.accounts_of(child.name, child.account) if dates and amounts else 0
        if known:
            names = {"date": dates[0][0].name, "amount": amounts[0][0].name}
            way: Block = {"from": "snapshots", "object": child.name, "account": child.account, **names}
            yield way, known, f"{child.name} keeps amounts by date for {known:,} accounts"


# --- who left ----------------------------------------------------------------------------------------------------


def outcome_choice(survey: OrgSurvey, deals: DealKinds, arr: str | None) -> MappingChoice:
    """Closed renewals, ended contracts and ARR that fell to nothing, as far as the org has them."""
    ways: list[Block] = []
    told = []
    for name, values, _ in deals.of(is_renewal)[:1]:
        ways.append({"from": "renewal_opportunities", **chosen(name, values)})
        lost = deals.count(name, values, (True, False))
        told.append(f"{deals.count(name, values, WON):,} renewals were won and {lost:,} lost")
    in_force, ended = _statuses(survey) if "Status" in survey.fields("Contract") else ([], [])
    if in_force:
        ways.append({"from": "contracts", "in_force": in_force, "ended": ended})
        told.append(f"contracts are {_listed(in_force)} or {_listed(ended) or 'have ended by their date alone'}")
    if history_of(survey, arr):
        ways.append({"from": "arr"})
        told.append(f"{arr} has a history")
    path = ("salesforce", "outcomes")
    if not ways:
        return MappingChoice(
            path, "none", "Nothing says who left or renewed; `accountpulse outcomes --import` takes it."
        )
    text_of_all = "; ".join(told)
    return MappingChoice(path, ways, f"Who left and who renewed: {text_of_all}.")


def own_children(survey: OrgSurvey, describe_most: int) -> list[ChildObject]:
    """The org's own objects whose records belong to accounts, those first whose name means something here.

    Our own object of scores is none of them. At most `describe_most` are looked at.
    """
    account = survey.object("Account")
    found: Mapping[str, str] = {}
    if account is not None:
        found = {child: name for child, name in reversed(account.children) if child.endswith("__c")}
    found = {name: key for name, key in found.items() if name != "Health_Score__c"}
    kinds = (
        meanings.SIGNAL_OBJECTS,
        meanings.INVOICES,
        meanings.SNAPSHOTS,
        meanings.BILLING_CASES,
        meanings.TERMS,
        meanings.CHAMPION_OBJECTS,
    )

    def points(name: str) -> int:
        return max(kind.of_name(meanings.bare(name)) for kind in kinds)

    names = sorted(found, key=lambda name: (-points(name), name))[:describe_most]
    described = [(name, survey.object(name)) for name in names]
    return [ChildObject(name, found[name], each.label) for name, each in described if each is not None]
