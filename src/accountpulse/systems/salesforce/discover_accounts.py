"""Which accounts are customers, and which of their fields describe them: `salesforce.accounts` and `.tiers`."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from accountpulse.systems.discovery import NULL, MappingChoice
from accountpulse.systems.salesforce import meanings, value_words
from accountpulse.systems.salesforce.client import Field
from accountpulse.systems.salesforce.meanings import Meaning, denied, named, words
from accountpulse.systems.salesforce.queries import in_list, number, text
from accountpulse.systems.salesforce.settings import Tiers
from accountpulse.systems.salesforce.survey import Candidate, OrgSurvey, named_like

WON = "Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)"
LISTS_ASKED = 8  # picklists whose values are counted
MOSTLY, HARDLY = 0.8, 0.2  # of the accounts with a value: it is that of customers, or of others
LEAST_FILLED = 0.05  # of the customers: an emptier field is not proposed
FULL = 3.0  # points of a field that all customers have filled
FITTING = 3.0  # points of values that are what the key means
LEAST_POINTS = 4.0  # of a name: below it, a field is nobody's guess
OTHERS = 3  # alternatives that are shown
MOST_TIERS = 8
MOST_OWN = 60  # fields that are looked at whatever they are called
LEEWAY = 50  # of so many accounts one may be more on the wrong side of a floor, if that is rounder then
TIER_WORDS = (
    ("free", "trial", "freemium"),
    ("basic", "starter", "essential", "bronze", "lite"),
    ("standard", "silver", "team"),
    ("plu", "professional", "pro", "growth", "gold", "advanced"),
    ("premium", "business", "platinum"),
    ("enterprise", "diamond", "ultimate", "elite"),
)
SEGMENT_WORDS = ("enterprise", "mid", "smb", "small", "medium", "large", "corporate", "commercial", "strategic")
REVIEWS_A_YEAR = (4.0, 2.0, 1.0)  # of the highest tiers, downwards; the others are owed none: the defaults' own scale


# --- which accounts are customers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class CustomerFilter:
    """A condition that may tell customers: how many accounts meet it, and its points."""

    where: str
    count: int
    points: float
    why: str


def customers(survey: OrgSurvey) -> list[CustomerFilter]:
    """What may tell customers, best first: by a value that says so, else by what only customers have.

    3 points for values or a checkbox that say "customer", 2 for ones that say "active" or "live" in a field of status,
    1.5 for values that hardly anybody has but customers, 1 for accounts with ARR or a won opportunity; up to 3 more for
    how well it agrees with these (harmonic mean of the two shares).
    """
    fields = survey.fields("Account")
    known = _evidence(survey, fields)
    reference = next(iter(known), None)
    lists = [*_lists(survey, fields), *_record_types(survey, fields)]
    found = [*(way for each in lists for way in _of_values(survey, each, reference)), *_by_flag(survey, fields)]
    judged = [_judged(survey, each, reference) for each in found if each.count]
    return sorted([*judged, *known], key=lambda each: -each.points)


def _evidence(survey: OrgSurvey, fields: Mapping[str, Field]) -> list[CustomerFilter]:
    """What only customers have: an amount of ARR, a won opportunity."""
    found = []
    for each, points in named_like(fields, meanings.ARR, LEAST_POINTS)[:1]:
        where = f"{each.name} > 0"
        count = survey.count("Account", where) or 0
        found.append(CustomerFilter(where, count, 1 + points / 100, f"an amount in {each.name}"))
    if survey.fields("Opportunity"):
        count = survey.count("Account", WON) or 0
        found.append(CustomerFilter(WON, count, 1.0, "a won opportunity"))
    return [each for each in found if each.count]


def _judged(survey: OrgSurvey, each: CustomerFilter, reference: CustomerFilter | None) -> CustomerFilter:
    if reference is None:
        return each
    both = survey.count("Account", each.where, reference.where) or 0
    agreement = 2 * both / (each.count + reference.count)
    why = f"{each.why}; {both:,} of them are among the {reference.count:,} with `{reference.where}`"
    return CustomerFilter(each.where, each.count, each.points + FULL * agreement, why)


@dataclass(frozen=True)
class KindList:
    """A list that accounts are sorted by: its values in use with their accounts, those that it has, and its words."""

    name: str
    values: Mapping[str, int]
    listed: Sequence[str] = ()
    said: frozenset[str] = frozenset()


def _lists(survey: OrgSurvey, fields: Mapping[str, Field]) -> Iterator[KindList]:
    """Fields with a list of kinds."""
    by_values = [each for each in fields.values() if any(map(_is_customers, each.picklist)) and not _personal(each)]
    asked = [*by_values, *(each for each, _ in named_like(fields, meanings.KIND_OF_ACCOUNT))]
    lists = {each.name: each for each in asked if each.groupable}
    for each in list(lists.values())[:LISTS_ASKED]:
        said = frozenset(words(f"{meanings.bare(each.name)} {each.label}"))
        yield KindList(each.name, _counts(survey, each.name), each.picklist, said)


def _record_types(survey: OrgSurvey, fields: Mapping[str, Field]) -> Iterator[KindList]:
    if "RecordTypeId" in fields:
        path = "RecordType.DeveloperName"
        yield KindList(path, _counts(survey, path), said=frozenset({"type"}))


def _counts(survey: OrgSurvey, name: str, *conditions: str) -> dict[str, int]:
    groups = survey.groups("Account", [name], *conditions)
    return {str(value): n for (value,), n in groups.items() if value is not None}


def _is_customers(value: str) -> bool:
    return named(value, value_words.CUSTOMER_VALUES, value_words.NO_CUSTOMERS)


def _of_values(survey: OrgSurvey, each: KindList, reference: CustomerFilter | None) -> Iterator[CustomerFilter]:
    """The values in use that say "customer"; else, of a status, those that say "active"; else those of customers.

    A value that says nothing counts as well where nearly all of its accounts have what only customers have, unless it
    says that they are none.
    """
    if len(each.values) < 2 and not any(map(_is_customers, each.values)):
        return
    have = {} if reference is None else _counts(survey, each.name, reference.where)
    shares = {value: have.get(value, 0) / n for value, n in each.values.items()}
    for points, stems, unless in (
        (3.0, value_words.CUSTOMER_VALUES, value_words.NO_CUSTOMERS),
        (2.0, value_words.LIVE_VALUES, value_words.NO_LIVE_CUSTOMERS),
        (1.5, (), value_words.NO_LIVE_CUSTOMERS),
    ):
        if points == 2 and not meanings.LIVE_FIELD & each.said:
            continue
        told = {value for value in each.values if named(value, stems, unless)}
        shown = {value for value, share in shares.items() if share >= MOSTLY and not denied(value, unless)} - told
        rest = [share for value, share in shares.items() if value not in told | shown]
        if told or (not stems and shown and rest and max(rest) <= HARDLY):
            yield _filter(each, sorted(told | shown), sorted(shown), points, reference)
            return


def _filter(
    each: KindList, chosen: Sequence[str], shown: Sequence[str], points: float, reference: CustomerFilter | None
) -> CustomerFilter:
    why = f"{each.name} has {', '.join(f'{value} ({each.values[value]:,})' for value in chosen)}"
    if shown and reference is not None:
        why += f"; {', '.join(shown)} since nearly all of these accounts are among those with `{reference.where}`"
    where = _condition(each.name, chosen, {*each.values, *each.listed})
    return CustomerFilter(where, sum(each.values[value] for value in chosen), points, why)


def _condition(name: str, chosen: Sequence[str], known: set[str]) -> str:
    """One beginning where it is that of the chosen values and of no others; else the values."""
    begin = words(chosen[0])[0]
    if len(chosen) > 1 and begin.isascii():
        alike = {value for value in known if value.casefold().startswith(begin)}
        if alike == set(chosen):
            return f"{name} LIKE {text(chosen[0][: len(begin)] + '%')}"
    return f"{name} = {text(chosen[0])}" if len(chosen) == 1 else f"{name} IN {in_list(chosen)}"


def _by_flag(survey: OrgSurvey, fields: Mapping[str, Field]) -> Iterator[CustomerFilter]:
    for each, _points in named_like(fields, meanings.CUSTOMER_FLAG, LEAST_POINTS)[:2]:
        where = f"{each.name} = true"
        count = survey.count("Account", where) or 0
        yield CustomerFilter(where, count, 3.0, f"{each.name} is checked")


# --- their fields ------------------------------------------------------------------------------------------------


def wanted_fields(fields: Mapping[str, Field]) -> list[str]:
    """The fields of the account that may mean something here, or be a key elsewhere; no personal data."""
    of_account = (meanings.ARR, meanings.TIER, meanings.SEGMENT, meanings.SEATS, meanings.OWNER, meanings.SINCE)
    others = (meanings.RENEWS, meanings.UNPAID)
    named_so = [
        name
        for name, each in fields.items()
        if not _personal(each) and any(meaning.of(each) for meaning in (*of_account, *others))
    ]
    return sorted({*named_so, *_own_fields(fields)})


def _own_fields(fields: Mapping[str, Field]) -> list[str]:
    """Fields of the org's own that may be ARR, a tier, seats or a date, whatever they are called; some of many."""
    kinds = frozenset().union(*(meaning.types for meaning, _noun in NOUNS.values())) - {"string"}
    own = (each for each in fields.values() if each.name.endswith("__c") and each.type in kinds and not _personal(each))
    return sorted(each.name for each in own)[:MOST_OWN]


def _personal(each: Field) -> bool:
    """Fields of person accounts, and those that hold addresses of people."""
    return each.name.endswith("__pc") or each.name.startswith("Person") or each.type in ("email", "phone")


Fits = Callable[[Sequence[Any]], float]


def candidates(
    fields: Mapping[str, Field],
    rows: Sequence[Mapping[str, Any]],
    meaning: Meaning,
    fits: Fits = lambda _values: 0.0,
    *,
    least: float = LEAST_POINTS,
) -> list[Candidate]:
    """The fields that may have a meaning, best first.

    Points of the name, 3 times the filled share, and what the values add. A standard field counts as one of the org's
    own, but for AnnualRevenue and NumberOfEmployees, which tell of the customer's own business.
    """
    found = []
    for each, points in named_like(fields, meaning, least):
        if each.name in ("AnnualRevenue", "NumberOfEmployees") or _personal(each):
            continue
        counted = Counter(value for row in rows if _is_filled(value := row.get(each.name)))
        filled = counted.total()
        if filled and filled >= LEAST_FILLED * len(rows):
            values = tuple(value for value, _ in counted.most_common())
            share = FULL * filled / len(rows)
            found.append(Candidate(each, points + share + fits(values), filled, len(rows), values))
    return sorted(found, key=lambda each: (-each.points, each.name))


def _is_filled(value: Any) -> bool:
    """Whether a field says something: an unchecked box doesn't, a zero does."""
    return value is not None and value is not False and value != ""


def described(fields: Mapping[str, Field], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Candidate]]:
    """For each key of `salesforce.accounts`, the fields that may be it, best first."""
    found = {
        "arr": candidates(fields, rows, meanings.ARR),
        "tier": [each for each in candidates(fields, rows, meanings.TIER, _tiers_known) if _is_list(each)],
        "seats": candidates(fields, rows, meanings.SEATS),
        "owner": [each for each in candidates(fields, rows, meanings.OWNER) if "User" in each.field.parents],
        "customer_since": candidates(fields, rows, meanings.SINCE),
    }
    tier = found["tier"][0].name if found["tier"] else None
    others = candidates(fields, rows, meanings.SEGMENT, _segments_known)
    found["segment"] = [each for each in others if _is_list(each) and each.name != tier]
    return found


def _is_list(each: Candidate) -> bool:
    return 1 < len(each.values) <= MOST_TIERS


def _known_share(values: Sequence[Any], stems: Sequence[str]) -> float:
    known = sum(named(str(value), stems) for value in values)
    return FITTING * known / len(values) if values else 0.0


def _tiers_known(values: Sequence[Any]) -> float:
    return _known_share(values, [word for rank in TIER_WORDS for word in rank])


def _segments_known(values: Sequence[Any]) -> float:
    return _known_share(values, SEGMENT_WORDS)


NOUNS = {
    "arr": (meanings.ARR, "ARR"),
    "tier": (meanings.TIER, "the tier that is sold"),
    "segment": (meanings.SEGMENT, "the segment"),
    "seats": (meanings.SEATS, "the number of seats sold"),
    "customer_since": (meanings.SINCE, "the day since when it is a customer"),
}
NEEDED = ("arr", "tier", "seats")  # without them a part of the score stays empty


def unnamed(
    fields: Mapping[str, Field], rows: Sequence[Mapping[str, Any]], found: Mapping[str, list[Candidate]]
) -> dict[str, list[Candidate]]:
    """For each key that no field is called after: fields of its kind that most customers have filled, fullest first."""
    taken = {each.name for listed in found.values() for each in listed[:1]}
    own = {name: fields[name] for name in _own_fields(fields) if name not in taken}
    guesses = {}
    for key, (meaning, _noun) in NOUNS.items():
        likely = [] if found[key] else _filled(own, rows, meaning.types - {"string"})
        guesses[key] = [each for each in likely if key not in ("tier", "segment") or _is_list(each)]
    return guesses


def _filled(fields: Mapping[str, Field], rows: Sequence[Mapping[str, Any]], types: frozenset[str]) -> list[Candidate]:
    found = []
    for each in fields.values():
        counted = Counter(value for row in rows if _is_filled(value := row.get(each.name)))
        if each.type in types and counted.total() * 2 > len(rows):
            found.append(Candidate(each, 0.0, counted.total(), len(rows), tuple(counted)))
    return sorted(found, key=lambda each: (-each.filled, each.name))


def account_choices(
    found: Mapping[str, list[Candidate]], guesses: Mapping[str, list[Candidate]]
) -> Iterator[MappingChoice]:
    """The keys of `salesforce.accounts` beside `where`; `guesses` are only offered."""
    for key in ("arr", "tier", "segment", "seats", "owner", "customer_since"):
        path, fields = ("salesforce", "accounts", key), found[key]
        if fields:
            others = tuple((each.name, each.said) for each in fields[1 : OTHERS + 1])
            standard = (("OwnerId", "the owner of the account"),) if key == "owner" else ()
            yield MappingChoice(path, fields[0].name, f"{fields[0].said}.", (*others, *standard), asked=key != "owner")
        elif key == "owner":
            yield MappingChoice(path, "OwnerId", "The owner of the account; no lookup for a CSM was found.")
        else:
            others = tuple((each.name, each.said) for each in guesses[key][:OTHERS])
            yield MappingChoice(path, NULL, f"No field is called like {NOUNS[key][1]}.", others, asked=True)


# --- tiers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TierOrder:
    """The tiers, lowest first, with the ARR from which each is implied, and how that was told."""

    order: tuple[str, ...]
    arr_floor: Mapping[str, float]
    why: str

    @property
    def reviews(self) -> dict[str, float]:
        """How many business reviews a year each tier is owed, as the defaults have it."""
        owed = dict(zip(reversed(self.order), REVIEWS_A_YEAR, strict=False))
        return {name: owed.get(name, 0.0) for name in self.order}


def tier_order(rows: Sequence[Mapping[str, Any]], tier: Field | None, arr: str | None) -> TierOrder | None:
    """The order of the tiers in use and their floors; None where it can't be told.

    By their names where all are known ones, else by their median ARR. A floor is the roundest amount of those that
    leave few accounts on the wrong side (`dividing`). A tier that its list has no more isn't sold any more: it is left
    out.
    """
    if tier is None:
        return None
    every = [(str(row[tier.name]), number(row.get(arr or ""))) for row in rows if row.get(tier.name)]
    pairs = [(name, amount) for name, amount in every if not tier.active or name in tier.active]
    used, usual = {name for name, _ in pairs}, Tiers()
    if used and used <= set(usual.order):
        return TierOrder(usual.order, usual.arr_floor, "the usual tiers, with the usual floors")
    amounts = {name: [amount for each, amount in pairs if each == name and amount is not None] for name in used}
    if not used or not all(amounts.values()):
        return None
    ranks = {name: _rank(name) for name in used}
    by_name = None not in ranks.values() and len(set(ranks.values())) == len(ranks)
    order = sorted(used, key=lambda name: (ranks[name] if by_name else median(amounts[name]), name))
    floors = {}
    for place, name in enumerate(order[1:], 1):
        below = [amount for each in order[:place] for amount in amounts[each]]
        above = [amount for each in order[place:] for amount in amounts[each]]
        floors[name] = dividing(below, above)
    rising = [0.0, *floors.values()]
    if any(low >= high for low, high in pairwise(rising)):
        return None
    told = "their names" if by_name else "their median ARR"
    return TierOrder(
        tuple(order),
        floors,
        f"ordered by {told}; each floor is a round amount that leaves few accounts on the wrong side",
    )


def _rank(name: str) -> int | None:
    said = set(words(name))
    return next((rank for rank, known in enumerate(TIER_WORDS) if said & set(known)), None)


def dividing(below: Sequence[float], above: Sequence[float]) -> float:
    """The roundest amount that leaves few of `below` at or above it and of `above` below it.

    Few: at most one in LEEWAY more than where there are fewest, since floors are round and some accounts are off.
    """
    edges = sorted({0.0, *below, *above})
    spans = list(pairwise(edges)) or [(0.0, edges[-1])]

    def wrong(amount: float) -> int:
        return sum(each >= amount for each in below) + sum(each < amount for each in above)

    most = min(wrong(high) for _low, high in spans) + (len(below) + len(above)) // LEEWAY
    near = [_roundest(low, high) for low, high in spans if wrong(high) <= most]
    return min(near, key=lambda found: (-found[0], wrong(found[1]), found[1]))[1]


def _roundest(low: float, high: float) -> tuple[float, float]:
    """The largest 1, 2.5 or 5 times a power of ten with a multiple above `low` and not above `high`, and that one."""
    power = 10.0**9
    while power >= 1:
        for step in (power, power / 2, power / 4):
            multiple = (low // step + 1) * step
            if low < multiple <= high:
                return step, multiple
        power /= 10
    return 0.0, high
