"""Where CSMs may say how an account is: a list of the account, or an object of check-ins, with green and red values."""

from collections.abc import Iterator, Mapping, Sequence

from accountpulse.systems.discovery import MappingChoice
from accountpulse.systems.salesforce import meanings, value_words
from accountpulse.systems.salesforce.discover_contract import Block, ChildObject
from accountpulse.systems.salesforce.meanings import named
from accountpulse.systems.salesforce.pulse_settings import COLOURS, PulseField
from accountpulse.systems.salesforce.schema import Field
from accountpulse.systems.salesforce.survey import OrgSurvey

# a low risk is no red, and a name that begins as a colour's is none
UNLESS: Mapping[str, tuple[str, ...]] = {"red": value_words.NOT_RED, "yellow": (), "green": value_words.NOT_GREEN}
_BESIDE = {"date": meanings.PULSE_DAY, "author": meanings.PULSE_AUTHOR, "reason": meanings.PULSE_REASON}
PATH = ("salesforce", "pulse")
OTHERS = 3
SURE = 4  # points of a name
_STEMS: Mapping[str, tuple[str, ...]] = {
    "red": value_words.RED_VALUES, "yellow": value_words.AMBER_VALUES, "green": value_words.GREEN_VALUES,
}  # fmt: skip


def pulse_choice(survey: OrgSurvey, children: Sequence[ChildObject]) -> MappingChoice | None:
    """What is called as a pulse is, and has green and red values; None where there is none, or only ours."""
    found = sorted(
        [*_of_account(survey), *(each for child in children for each in _of_object(survey, child))],
        key=lambda each: -each[0],
    )
    if not found or found[0][1].get("value") == PulseField().value:
        return None
    _, block, why = found[0]
    others = tuple((each, reason) for _, each, reason in found[1 : OTHERS + 1])
    return MappingChoice(PATH, block, f"{why}. It stands beside the score, and changes none.", others)


def _of_account(survey: OrgSurvey) -> Iterator[tuple[int, Block, str]]:
    fields = survey.fields("Account")
    for each in fields.values():
        points = meanings.PULSE.of(each)
        if points < SURE or (colours := _colours(each)) is None:
            continue
        beside = [other for other in fields.values() if other.name != each.name and _is_beside(each, other)]
        block: Block = {"value": each.name, **_beside(beside), **colours}
        yield points, block, f"Account.{each.name} is called as a pulse is, and has green and red values"


def _of_object(survey: OrgSurvey, child: ChildObject) -> Iterator[tuple[int, Block, str]]:
    points = meanings.PULSE_OBJECTS.of_name(meanings.bare(child.name), child.label)
    lists = [(each, colours) for each in survey.fields(child.name).values() if (colours := _colours(each)) is not None]
    if points < SURE or not lists:
        return
    value, colours = max(lists, key=lambda pair: meanings.PULSE.of(pair[0]))
    beside = _beside([each for each in survey.fields(child.name).values() if each.name.endswith("__c")])
    block: Block = {
        "from": "records",
        "object": child.name,
        "account": child.account,
        "value": value.name,
        "date": beside["date"] or "CreatedDate",
        "author": next((name for name in ("OwnerId", "CreatedById") if name in survey.fields(child.name)), None),
        "reason": beside["reason"],
        **colours,
    }
    yield points, block, f"{child.name} is called as a pulse is, and its {value.name} has green and red values"


def _colours(each: Field) -> Block | None:
    """A list's values by colour; None where none is green, or none red. Red comes first: `not happy` is no praise."""
    found: dict[str, list[str]] = {colour: [] for colour in COLOURS}
    for value in each.picklist:
        colour = next((name for name, stems in _STEMS.items() if named(value, stems, UNLESS[name])), None)
        if colour is not None:
            found[colour].append(value)
    return {**found} if found["green"] and found["red"] else None


def _is_beside(pulse: Field, other: Field) -> bool:
    """Whether a field's name begins as the pulse's does: `CSM_Sentiment__c`, `CSM_Sentiment_Date__c`."""
    return meanings.bare(other.name).casefold().startswith(meanings.bare(pulse.name).casefold())


def _beside(fields: Sequence[Field]) -> Block:
    """The day, the person and the words among some fields, each by what its name says; null where there is none."""
    return {key: _named(fields, meaning) for key, meaning in _BESIDE.items()}


def _named(fields: Sequence[Field], meaning: meanings.Meaning) -> str | None:
    found = [(meaning.of(each), each.name) for each in fields if meaning.of(each)]
    return max(found, key=lambda pair: pair[0])[1] if found else None
