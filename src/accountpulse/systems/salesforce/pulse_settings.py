"""The CSM's pulse and the forecast of renewals: `salesforce.pulse` and `salesforce.renewal.forecast`."""

from collections import Counter
from typing import Annotated, Literal

from accountpulse.systems.mapping_parts import (
    AccountName,
    ApiName,
    DateName,
    FieldKinds,
    MappingBlock,
    PicklistName,
    ReferenceName,
)
from accountpulse.systems.salesforce.choices import Only, chosen

# a list, a text, or a number of points
PulseName = Annotated[ApiName, FieldKinds(("picklist", "text", "count", "number"))]
ReasonName = Annotated[ApiName, FieldKinds(("text", "picklist"))]
COLOURS: tuple[Literal["green", "yellow", "red"], ...] = ("green", "yellow", "red")


class PulseField(MappingBlock, frozen=True):
    """The pulse as fields of the account. `green`, `yellow` and `red` list the values of each.

    Without `date` no pulse has an age, and none counts. `author` is a lookup of a user, or a text. Where the org has no
    field of the usual name, there are no pulses.
    """

    source: Literal["account"] = "account"
    value: PulseName = "Pulse__c"
    date: DateName | None = "Pulse_Date__c"
    author: ReferenceName | None = "Pulse_Author__c"
    reason: ReasonName | None = "Pulse_Reason__c"
    green: tuple[str, ...] = ("Green",)
    yellow: tuple[str, ...] = ("Yellow",)
    red: tuple[str, ...] = ("Red",)

    def __post_init__(self) -> None:
        _refuse_twice(self.green, self.yellow, self.red)


class PulseRecords(MappingBlock, frozen=True, kw_only=True):
    """The pulse as records of an object of the org's own: of each account the last that was given before as_of counts.

    Of two that were given at the same time, such as on one day, the one that was made later.
    """

    source: Literal["records"] = "records"
    object: ApiName
    account: AccountName
    value: PulseName
    date: DateName = "CreatedDate"
    author: ReferenceName | None = "CreatedById"
    reason: ReasonName | None = None
    only: Only | None = None
    where: str | None = None
    green: tuple[str, ...] = ("Green",)
    yellow: tuple[str, ...] = ("Yellow",)
    red: tuple[str, ...] = ("Red",)

    def __post_init__(self) -> None:
        _refuse_twice(self.green, self.yellow, self.red)


def _refuse_twice(*lists: tuple[str, ...]) -> None:
    counts = Counter(each.strip().casefold() for values in lists for each in set(values))
    if twice := sorted(value for value, count in counts.items() if count > 1):
        raise ValueError(f"{', '.join(map(repr, twice))} can't be of two colours")


Pulse = Annotated[PulseField | PulseRecords, chosen(account=PulseField, records=PulseRecords)]


class Forecast(MappingBlock, frozen=True):
    """What sales expect of the opportunity that gives the renewal date: the values of a field that say so.

    Any other value is open. The usual ones are the API's names of the forecast categories, whatever they are called on
    the screen (Object Reference, "Opportunity").
    """

    field: PicklistName = "ForecastCategory"
    likely: tuple[str, ...] = ("Forecast", "Closed")
    unlikely: tuple[str, ...] = ("Omitted",)
