"""How an org keeps business reviews, champions, expansions and churn signals."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from accountpulse.systems.discovery import MappingChoice, NumbersToSay
from accountpulse.systems.salesforce import meanings, value_words
from accountpulse.systems.salesforce.client import Field
from accountpulse.systems.salesforce.discover_accounts import OTHERS, TierOrder
from accountpulse.systems.salesforce.discover_contract import (
    OPEN,
    Block,
    ChildObject,
    DealKinds,
    chosen,
    is_extension,
    is_larger,
    is_renewal,
    named_objects,
)
from accountpulse.systems.salesforce.meanings import Meaning, named
from accountpulse.systems.salesforce.queries import in_list, text
from accountpulse.systems.salesforce.schema import TIMES
from accountpulse.systems.salesforce.settings import Reviews
from accountpulse.systems.salesforce.survey import OrgSurvey, named_like

# LIKE knows no words: %EBR% would find February
SUBJECTS = (
    "%QBR%", "%Business Review%", "EBR%", "% EBR%", "%Executive Review%", "%Quarterly Review%", "%Success Review%",
    "%Account Review%", "%Strategy Review%", "%Value Review%", "%Steering Committee%", "%Quartalsgespr%",
    "%Jahresgespr%", "%Strategiegespr%", "%Lenkungsausschuss%", "%Kundenreview%", "%Revue trimestrielle%",
    "%Revue annuelle%", "%Revue de compte%", "%Revue d_affaires%", "%Comité de pilotage%", "%Revisión trimestral%",
    "%Revisión de negocio%", "%Revisión anual%", "%Revisión de cuenta%", "%Comité de seguimiento%",
    "%Revisão trimestral%", "%Revisão de negócio%", "%Revisione trimestrale%", "%Revisione annuale%",
    "%Comitato%", "%Kwartaalgesprek%", "%Kwartaaloverleg%", "%Stuurgroep%",
)  # fmt: skip
CANCELLED = (
    "Cancel%", "Abgesagt%", "Abgesetzt%", "Verschoben%", "Annul%", "Reporté%", "Postponed%", "Aplazad%", "Geannuleerd%",
)  # fmt: skip
LOOKED = 400  # days: the year before the last month ended
LATELY = f"ActivityDate = LAST_N_DAYS:{LOOKED}"
LEAST_SIGN = 6  # points of a field's name
NAME_FIRST = 10  # an object's name counts so much more than the names of its fields
SURE_OBJECT = 3 * NAME_FIRST  # points below which an object is only offered
CHILD_FIELDS = 3.0  # points of a value that is what the key means, beside those of the name

# --- business reviews ----------------------------------------------------------------------------------------------


def review_choice(survey: OrgSurvey, tiers: TierOrder | None) -> tuple[MappingChoice, list[str]]:
    """Subjects that reviews have, by how many events and tasks lately have them."""
    path = ("salesforce", "reviews")
    there = [name for name in ("Event", "Task") if {"Subject", "ActivityDate"} <= survey.fields(name).keys()]
    found = {name: _subjects(survey, name, SUBJECTS) for name in there}
    objects = [name for name in there if found[name]]
    if not objects:
        why = f"No event or task of the last {LOOKED} days has a subject such as QBR or Business Review."
        return MappingChoice(path, "none", why), ["how business reviews are recorded: by which words in the subject"]
    patterns = [each for each in SUBJECTS if any(each in found[name] for name in objects)]
    told = "; ".join(
        f"{name}: {', '.join(f'{found[name][each]:,} like {each!r}' for each in patterns if each in found[name])}"
        for name in objects
    )
    cancelled = [_subjects(survey, name, CANCELLED) for name in objects]
    unwanted = [each for each in CANCELLED if any(each in found for found in cancelled)]
    value: Block = {
        "objects": objects,
        "subject_like": patterns,
        "not_subject_like": unwanted or list(Reviews().not_subject_like),
        "no_show": _no_show(survey, objects),
    }
    if tiers is None:
        why = f"Of the last {LOOKED} days, {told}. How many a year are owed can't be told without tiers."
        return MappingChoice(path, value, why), ["how many business reviews a year each tier is owed"]
    value["expected_per_year"] = tiers.reviews
    why = f"Of the last {LOOKED} days, {told}. How many each tier is owed is your own rule."
    owed = NumbersToSay("expected_per_year", "how many business reviews a year each tier is owed")
    return MappingChoice(path, value, why, to_say=owed), [owed.unknown]


def _subjects(survey: OrgSurvey, name: str, patterns: Sequence[str]) -> dict[str, int]:
    """How many records are lately like each pattern; those that nobody has are ruled out by halves."""
    likes = " OR ".join(f"Subject LIKE {text(each)}" for each in patterns)
    count = survey.count(name, likes, LATELY) or 0
    if not count or len(patterns) == 1:
        return dict.fromkeys(patterns, count) if count else {}
    half = len(patterns) // 2
    return _subjects(survey, name, patterns[:half]) | _subjects(survey, name, patterns[half:])


def _no_show(survey: OrgSurvey, objects: Sequence[str]) -> str | None:
    names = [each.name for name in objects for each, _ in named_like(survey.fields(name), meanings.NO_SHOW, LEAST_SIGN)]
    return names[0] if names else None


# --- champions -----------------------------------------------------------------------------------------------------


def champion_choice(survey: OrgSurvey, children: Sequence[ChildObject]) -> tuple[MappingChoice, list[str]]:
    """Contacts in a champion's role on won opportunities, or contacts that a field marks; what knows more accounts."""
    ways = sorted([*_by_role(survey), *_by_contact(survey)], key=lambda each: -each[0])
    path = ("salesforce", "champions")
    left, how, unknown = _left(survey)
    unknown += [
        f"whether {child.name} names the champions: they are read from contacts and deals' roles, so mark them there"
        for child in named_objects(children, meanings.CHAMPION_OBJECTS)
    ]
    if not ways:
        why = "No role on won opportunities and no field of contacts says who a champion is."
        return MappingChoice(path, "none", why), [*unknown, "who the customers' champions are"]
    whole = [({**way, **left}, f"{why}, of {known:,} accounts") for known, way, why in ways]
    others = (*whole[1 : OTHERS + 1], ("none", "champions are no part of the score"))
    if len(whole) > 1:
        unknown = [*unknown, f"whose word counts for champions: {'; or: '.join(why for _, why in whole)}"]
    why = f"{whole[0][1][0].upper()}{whole[0][1][1:]}. {how}"
    return MappingChoice(path, whole[0][0], why, others, asked=len(whole) > 1), unknown


Way = tuple[int, Block, str]


def _by_role(survey: OrgSurvey) -> Iterator[Way]:
    fields = survey.fields("OpportunityContactRole")
    if "Role" not in fields:
        return
    won = "Opportunity.IsWon = true"
    groups = survey.groups("OpportunityContactRole", ["Role"], won)
    there = [*fields["Role"].picklist, *(str(value) for (value,) in groups if value)]
    roles = [each for each in dict.fromkeys(there) if named(each, value_words.CHAMPION_ROLES, value_words.NO_CHAMPIONS)]
    count = sum(n for (value,), n in groups.items() if value in roles)
    if count:
        condition = f"Role IN {in_list(roles)}"
        known = survey.accounts_of("OpportunityContactRole", "Opportunity.AccountId", won, condition) or 0
        yield known, {"from": "role", "roles": roles}, f"{count:,} contacts have such a role on a won opportunity"


def _by_contact(survey: OrgSurvey) -> Iterator[Way]:
    fields = survey.fields("Contact")
    for each, _points in named_like(fields, meanings.CHAMPION_FLAG, LEAST_SIGN)[:2]:
        where = f"{each.name} = true"
        if count := survey.count("Contact", where):
            known = survey.accounts_of("Contact", "AccountId", where) or 0
            yield known, {"from": "contact", "where": where}, f"{count:,} contacts are marked by {each.name}"
    for each, _points in named_like(fields, meanings.ROLE_OF_CONTACT, LEAST_SIGN)[:3]:
        values = [
            value for value in each.picklist if named(value, value_words.CHAMPION_ROLES, value_words.NO_CHAMPIONS)
        ]
        condition = f"{each.name} IN {in_list(values)}" if values else ""
        if values and (count := survey.count("Contact", condition)):
            known = survey.accounts_of("Contact", "AccountId", condition) or 0
            way: Block = {"from": "contact", "only": {"field": each.name, "values": values}}
            yield known, way, f"{count:,} contacts have such a value in {each.name}"


def _left(survey: OrgSurvey) -> tuple[Block, str, list[str]]:
    """What says that a contact has left: a checkbox or a day that is in use, else a list with such a value."""
    fields = survey.fields("Contact")
    found: list[tuple[int, int, str, Block]] = []
    for each, points in named_like(fields, meanings.LEFT, LEAST_SIGN)[:5]:
        block, condition = _left_by(each)
        count = survey.count("Contact", condition) if condition else 0
        if condition:
            found.append((count or 0, points, each.name, block))
    if not found:
        return (
            {"contact_left": None},
            "A bounced e-mail alone says that one has left.",
            ["which field of a contact says that somebody has left"],
        )
    used = [each for each in found if each[0]] or found
    count, _points, name, block = max(used, key=lambda each: (each[1], each[0], each[2]))
    return block, f"{name} says of {count:,} contacts that they have left.", []


def _left_by(each: Field) -> tuple[Block, str]:
    if each.type == "boolean":
        return {"contact_left": each.name}, f"{each.name} = true"
    if each.type in TIMES:
        return {"contact_left": each.name}, f"{each.name} != null"
    values = [value for value in each.picklist if named(value, value_words.LEFT_VALUES)]
    return {"contact_left": each.name, "left_values": values}, f"{each.name} IN {in_list(values)}" if values else ""


# --- expansions ----------------------------------------------------------------------------------------------------


def expansion_choice(deals: DealKinds) -> tuple[MappingChoice, list[str]]:
    """Kinds of opportunity that make a customer larger, and the kinds that nobody could place.

    An extension may be one of the term: it is growth where renewals have a kind of their own.
    """
    path, whole, unknown = ("salesforce", "expansion"), [], []
    for name, values, _ in deals.of(lambda value: is_larger(value) or is_extension(value)):
        listed = {value for value, _closed, _won in deals.by_field[name]}
        taken = [value for value in values if is_larger(value) or any(map(is_renewal, listed))]
        if taken:
            shown = ", ".join(repr(value) for value in taken)
            why = f"{deals.count(name, taken, OPEN):,} open opportunities have {name} {shown}"
            whole.append((chosen(name, taken), why))
            unknown += [f"whether {name} {each!r} is growth" for each in values if not is_larger(each)]
    unknown += [
        f"what opportunities with {name} {value!r} are: no renewal, growth or downgrade, as it was read here"
        for name, value in deals.unplaced()
    ]
    if not whole:
        return MappingChoice(path, "none", "No kind of opportunity says that a customer would grow."), unknown
    return MappingChoice(path, whole[0][0], f"{whole[0][1]}.", tuple(whole[1 : OTHERS + 1])), unknown


# --- churn signals -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignalsFound:
    """An object that may hold churn signals, and its block of accountpulse.yaml."""

    points: float
    block: Block
    why: str
    unknown: tuple[str, ...] = ()


def signal_choice(survey: OrgSurvey, children: Sequence[ChildObject]) -> tuple[MappingChoice, list[str]]:
    """The object that CSMs log churn signals in, by its name, its lists of severities and statuses, and a date."""
    looked = [(child, _signals_in(survey, child)) for child in children]
    found = sorted((each for _, each in looked if each), key=lambda each: (-each.points, each.block["object"]))
    if found and found[0].points >= SURE_OBJECT:
        others = tuple((each.block, each.why) for each in found[1 : OTHERS + 1])
        waived = ("none", "accounts are rated without churn signals")
        choice = MappingChoice(("signals",), found[0].block, f"{found[0].why}.", (*others, waived), asked=True)
        return choice, list(found[0].unknown)
    why = "No object of your own that belongs to accounts is called as churn signals are: they are waived."
    unknown = ["churn signals: name the object under signals:, or deploy ours (`accountpulse docs salesforce`)"]
    unknown += [
        f"{child.name} is called as churn signals are, but no list of it says severities, and another one statuses"
        for child, each in looked
        if each is None and _name_points(child) * NAME_FIRST >= SURE_OBJECT
    ]
    others = tuple((each.block, each.why) for each in found[:OTHERS])
    return MappingChoice(("signals",), "none", why, others, asked=True), unknown


# whose a signal is: its record's owner; one that belongs to its account has none, and is its maker's
OWNERS = ("OwnerId", "CreatedById")


def _name_points(child: ChildObject) -> int:
    return meanings.SIGNAL_OBJECTS.of_name(meanings.bare(child.name), child.label)


def _signals_in(survey: OrgSurvey, child: ChildObject) -> SignalsFound | None:
    """An object's fields as those of signals; None where no list says severities, or no other one statuses."""
    fields = list(survey.fields(child.name).values())
    severity = _best(fields, meanings.SEVERITY, _has_levels)
    rest = [each for each in fields if severity is None or each is not severity[0]]
    status = _best(rest, meanings.STATUS, _says(value_words.RESOLVED_VALUES))
    if severity is None or status is None or not _has_levels(severity[0]):
        return None
    rest = [each for each in rest if each is not status[0]]
    sure = _best([each for each in rest if _says(value_words.CONFIRMED_VALUES)(each)], meanings.CONFIDENCE)
    opened, closed = (_best(rest, meaning) for meaning in (meanings.OPENED, meanings.CLOSED))
    block = _signal_block(child, severity[0], status[0], sure and sure[0])
    block["opened"] = opened[0].name if opened else "CreatedDate"
    block["closed"] = closed[0].name if closed else None
    title = _best(rest, meanings.TITLE)
    block["title"] = title[0].name if title else None
    block["owner"] = next((each for each in OWNERS if each in survey.fields(child.name)), None)
    why = f"{child.name} holds {survey.count(child.name) or 0:,} records with a severity and a status"
    points = _name_points(child) * NAME_FIRST + severity[1] + status[1]
    return SignalsFound(points, block, why, tuple(_not_told(block, severity[0])))


def _not_told(block: Block, severity: Field) -> Iterator[str]:
    """What the lists of an object of signals leave open."""
    placed = {value for values in block["levels"].values() for value in values}
    for value in severity.picklist:
        if value not in placed:
            name = f"{block['object']}.{severity.name}"
            yield f"which level {value!r} of {name} is: accounts with such a signal aren't rated until levels: says it"
    if not block["resolved"] and block["closed"] is None:
        yield f"when a signal of {block['object']} is over: no status says so, and there is no date"


def _has_levels(each: Field) -> bool:
    """Whether a list has values of two severities at least, one of them more than worth a watch."""
    levels = _levels(each.picklist)
    return sum(map(bool, levels.values())) > 1 and bool(levels["critical"] or levels["moderate"])


def _says(stems: Sequence[str]) -> Callable[[Field], bool]:
    return lambda each: any(named(value, stems) for value in each.picklist)


def _best(
    fields: Sequence[Field], meaning: Meaning, fits: Callable[[Field], bool] = lambda _each: False
) -> tuple[Field, float] | None:
    """The field with the most points of a meaning; those whose values fit count so much more, and need no name."""
    of_kind = [each for each in fields if each.type in meaning.types]
    found = [(each, meaning.of(each) + CHILD_FIELDS * fits(each)) for each in of_kind]
    return max((pair for pair in found if pair[1]), key=lambda pair: (pair[1], pair[0].name), default=None)


def _signal_block(child: ChildObject, severity: Field, status: Field, sure: Field | None) -> Block:
    return {
        "object": child.name,
        "account": child.account,
        "severity": severity.name,
        "status": status.name,
        "confidence": sure.name if sure else None,
        "opened": None,
        "closed": None,
        "title": None,
        "owner": None,
        "monitoring": [each for each in status.picklist if named(each, value_words.MONITORING_VALUES)],
        "resolved": [each for each in status.picklist if named(each, value_words.RESOLVED_VALUES)],
        "confirmed": [each for each in sure.picklist if named(each, value_words.CONFIRMED_VALUES)] if sure else [],
        "levels": _levels(severity.picklist),
    }


def _levels(values: Sequence[str]) -> dict[str, list[str]]:
    """A list's values by what they mean; without one that says critical, high is critical, else it is moderate.

    Yellow stands in the middle where nothing else does, else at the end.
    """
    kinds = {
        "critical": value_words.CRITICAL_VALUES,
        "high": value_words.HIGH_VALUES,
        "moderate": value_words.MODERATE_VALUES,
        "yellow": value_words.YELLOW_VALUES,
        "watch": value_words.WATCH_VALUES,
    }
    found: dict[str, list[str]] = {name: [] for name in kinds}
    for value in values:
        if (kind := next((name for name, stems in kinds.items() if named(value, stems)), None)) is not None:
            found[kind].append(value)
    high, yellow = found.pop("high"), found.pop("yellow")
    found["moderate" if found["critical"] else "critical"] += high
    found["watch" if found["moderate"] else "moderate"] += yellow
    return found
