"""How an org says who left and who renewed: `salesforce.outcomes` of accountpulse.yaml, with the defaults."""

from typing import Annotated, Literal

import msgspec

from accountpulse.systems.mapping_parts import (
    AccountName,
    ApiName,
    DateName,
    MappingBlock,
    MoneyName,
    Names,
    PicklistName,
)
from accountpulse.systems.salesforce.choices import Only, chosen


class RenewalOpportunities(MappingBlock, frozen=True):
    """Closed opportunities of a renewal type: one that was won is a renewal, one that wasn't is a loss.

    Dated by the later of `date` and the end of the contract that it was to renew. `contract_end` names a date that says
    it, of the opportunity or of a record that it looks up (`Contract.EndDate`). Without it, it is the contract of the
    account (by `from: contracts`) that was in force then and ended within 180 days, the first one to end. `amount` is
    what was lost.
    """

    source: Literal["renewal_opportunities"] = "renewal_opportunities"
    only: Only | None = Only(field="Type", values=("Renewal",))
    where: str | None = None
    date: DateName = "CloseDate"
    contract_end: DateName | None = None
    amount: MoneyName | None = "Amount"


class ContractEnds(MappingBlock, frozen=True):
    """Contracts that ended: a renewal where another one of the account runs on past that day, else a loss.

    The other one has to begin within `grace_days`; before they are over, an end says nothing. `in_force` are the
    statuses of contracts that hold until their `end`, `ended` those of contracts that hold no more. One that was ended
    before its `end` is dated by `ended_on`, a date field; without one it counts once its `end` has come. Contracts of
    other statuses (drafts) don't count.
    """

    source: Literal["contracts"] = "contracts"
    object: ApiName = "Contract"
    account: AccountName = "AccountId"
    where: str | None = None
    start: DateName = "StartDate"
    end: DateName = "EndDate"
    status: PicklistName = "Status"
    in_force: Names = ("Activated",)
    ended: tuple[str, ...] = ("Expired", "Terminated")
    ended_on: DateName | None = None


class ArrToZero(MappingBlock, frozen=True):
    """The field history of ARR: a fall to zero is a loss, unless ARR came back within `grace_days`."""

    source: Literal["arr"] = "arr"
    object: ApiName = "AccountHistory"
    parent: AccountName = "AccountId"


OutcomeStrategy = Annotated[
    RenewalOpportunities | ContractEnds | ArrToZero,
    chosen(renewal_opportunities=RenewalOpportunities, contracts=ContractEnds, arr=ArrToZero),
]


class OutcomeMapping(MappingBlock, frozen=True):
    """Who left and who renewed: what scores are compared with.

    For each account and time, the first of `strategies` that says something counts; two that lie within `grace_days`
    speak of the same time, two losses within a year of the same loss. Read as far back as `years`, also of accounts
    that are no customers any more or were deleted. `contraction_pct`: ARR that fell by more than so many percent from
    one month to the next is a contraction, by the program's own history. A list in place of this part stands for its
    `strategies`.
    """

    grace_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 60
    contraction_pct: Annotated[float, msgspec.Meta(gt=0, lt=100)] = 10.0
    years: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
    strategies: Annotated[tuple[OutcomeStrategy, ...], msgspec.Meta(min_length=1)] = (
        RenewalOpportunities(),
        ContractEnds(),
        ArrToZero(),
    )

    def __post_init__(self) -> None:
        names = [strategy.source for strategy in self.strategies]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"from: {', '.join(twice)} stands twice among the strategies")


def as_outcomes(value: object) -> object:
    """A list stands for the strategies."""
    return {"strategies": value} if isinstance(value, list | tuple) else value
