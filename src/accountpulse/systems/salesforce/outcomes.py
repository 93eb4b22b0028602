"""Who left and who renewed, by the org's own records: for each account and time the first strategy that says it.

Accounts that are no customers any more are among them, and deleted ones as long as they lie in the bin.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from accountpulse.core.ids import to_18
from accountpulse.core.outcomes import LOST, RENEWED, each_once, first_answers
from accountpulse.core.records import OUTCOMES
from accountpulse.systems.salesforce.contract_terms import (
    DECIDED_BEFORE,
    NO_STATUS,
    ContractTerm,
    ContractTerms,
    check_statuses,
    term_of,
)
from accountpulse.systems.salesforce.currencies import CURRENCY, Money
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.outcome_settings import (
    ArrToZero,
    ContractEnds,
    OutcomeMapping,
    OutcomeStrategy,
    RenewalOpportunities,
)
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, Rows, at, number, text
from accountpulse.systems.salesforce.row_facts import STAGED, account_of

AHEAD = "dated in the future"
DELETED = "a deleted record of an existing account"
NOBODYS = "belongs to no account"
UNDATED = "without a date"
MERGED = "an account that was merged into another one"
OTHER_STRATEGY = "already reported by another strategy"
SAME_DAY = "already reported by another record of the same day"
FAR_APART = "its close date is {closed}, but its stage last changed on {staged}"
STILL_OPEN = "a contract of the account is still open"
NOTHING = (
    "who left and who renewed can't be read: map what the org has under `salesforce.outcomes` in accountpulse.yaml, or "
    "give a table by `accountpulse outcomes --import FILE`"
)


@dataclass
class OutcomeReading:
    """One reading of outcomes: on which day, and what was found out about accounts that are gone."""

    reading: OrgReading
    mapping: OutcomeMapping
    today: date
    arr: str | None  # the account's field
    worth: Money | None
    merged: dict[str, str] = field(default_factory=dict)  # account → the one that it was merged into
    deleted: set[str] = field(default_factory=set)
    contracts: ContractTerms = field(default_factory=ContractTerms)

    @property
    def grace(self) -> timedelta:
        """How near two things are one event."""
        return timedelta(days=self.mapping.grace_days)

    @property
    def since(self) -> datetime:
        """From when on records are read."""
        day = self.today - timedelta(days=365 * self.mapping.years)
        return datetime.combine(day, time(), ZoneInfo(self.reading.scope.period.zone))

    def moment(self, value: Any) -> datetime | None:
        """A date or time; null for what can't be read, which is no reason to leave an account without a score."""
        try:
            return None if value is None else self.reading.instant(str(value))
        except ValueError:
            return None

    def day(self, value: Any) -> date | None:
        """Its day, likewise."""
        moment = self.moment(value)
        return None if moment is None else self.reading.day(moment)

    def account(self, name: str, row: Row, path: str) -> str | None:
        """Whose a row is, by 18 characters, the survivor's of a merge; None, counted as left out: nobody's."""
        found = account_of(self.reading, name, row, path)
        if found is None:
            self.reading.leave_out(NOBODYS)
            return None
        account = to_18(str(found))
        if row.get("IsDeleted") is True and account not in self.deleted:
            self.reading.leave_out(DELETED)
            return None
        return self.merged.get(account, account)

    def amount(self, value: Any, currency: str | None, *, several: bool) -> float | None:
        """An amount in the corporate currency; null where the org has `several` and the rate isn't known."""
        found = number(value)
        if not several:
            return found
        if self.worth is None or self.worth.rates is None or currency is None:
            return None
        return self.worth.converted(found, currency)


# --- accounts that are gone ------------------------------------------------------------------------------------


def merges(asked: OutcomeReading) -> Rows:
    """Accounts that were merged into another one, as long as the org's bin still has them (15 days)."""
    reading = asked.reading
    reading.need("Account", "MasterRecordId")
    for row in reading.rows("Account", ("MasterRecordId",), "IsDeleted = true", deleted=True):
        account, survivor = to_18(str(row["Id"])), row["MasterRecordId"]
        asked.deleted.add(account)
        if survivor is None:
            reading.leave_out("a deleted account, which was not merged")
        else:
            asked.merged[account] = to_18(str(survivor))
            yield {"account_id": account, "survivor_id": asked.merged[account]}


# --- all strategies --------------------------------------------------------------------------------------------


def outcomes(asked: OutcomeReading) -> Rows:
    """What all strategies come to. MissingInOrg, with a note, where the org has none of their names."""
    reading, strategies = asked.reading, asked.mapping.strategies
    _read_contracts(asked)
    answers: list[pl.DataFrame] = []
    for rank, strategy in enumerate(strategies):
        reading.setting = _setting(rank, strategy)
        try:
            found = _frame(_of(asked, strategy), strategy)
        except MissingInOrg:
            continue
        answers.append(each_once(found))
        reading.leave_out(SAME_DAY, found.height - answers[-1].height)
    reading.setting = "outcomes"
    if not answers:
        reading.note(NOTHING)
        raise MissingInOrg
    chosen = first_answers(answers, asked.mapping.grace_days)
    reading.leave_out(OTHER_STRATEGY, sum(each.height for each in answers) - chosen.height)
    return chosen.iter_rows(named=True)


def _setting(rank: int, strategy: OutcomeStrategy) -> str:
    return f"outcomes {rank + 1} (from: {strategy.source})"


def _frame(rows: Rows, strategy: OutcomeStrategy) -> pl.DataFrame:
    named = [{"origin": strategy.source, "doubt": None, "arr_lost": None, **row} for row in rows]
    return pl.DataFrame(named, schema=OUTCOMES, orient="row")


def _of(asked: OutcomeReading, strategy: OutcomeStrategy) -> Rows:
    if isinstance(strategy, RenewalOpportunities):
        return _renewal_opportunities(asked, strategy)
    if isinstance(strategy, ContractEnds):
        return _ends(asked, strategy)
    return _falls_to_zero(asked, strategy)


# --- renewal opportunities -------------------------------------------------------------------------------------


def _renewal_opportunities(asked: OutcomeReading, part: RenewalOpportunities) -> Rows:
    reading, name = asked.reading, "Opportunity"
    reading.need(name, "AccountId", "IsClosed", "IsWon", part.date)
    optional = [each for each in (part.contract_end, part.amount) if reading.has(name, each)]
    optional += [each for each in (CURRENCY, STAGED) if reading.find(name, each) is not None]
    conditions = (
        reading.only(name, part.only),
        part.where,
        "IsClosed = true",
        reading.compare(name, part.date, ">=", asked.since, null=True),
    )
    fields = ("AccountId", "IsWon", "IsDeleted", part.date, *optional)
    for row in reading.rows(name, fields, *conditions, deleted=True):
        account = asked.account(name, row, "AccountId")
        if account is not None:
            yield from _closed(asked, part, row, account)


def _closed(asked: OutcomeReading, part: RenewalOpportunities, row: Row, account: str) -> Iterator[dict[str, Any]]:
    """What a closed opportunity says; nothing, counted as left out, where its day is not known or lies ahead."""
    reading = asked.reading
    closed, staged = (asked.day(at(row, name)) for name in (part.date, STAGED))
    if closed is None:
        reading.leave_out(UNDATED)
        return
    won = row["IsWon"] is True
    told = None if part.contract_end is None else asked.day(at(row, part.contract_end))
    end, doubt = (told, None) if told is not None else _contract_end(asked, account, closed, staged, won=won)
    happened = closed if end is None else max(closed, end)
    if happened > asked.today:
        reading.leave_out(AHEAD)
        return
    known = {"account_id": account, "happened_on": happened, "known_at": min(staged or closed, asked.today)}
    if won:
        yield {**known, "kind": RENEWED, "doubt": doubt}
        return
    several = reading.find("Opportunity", CURRENCY) is not None
    amount = None if part.amount is None else asked.amount(at(row, part.amount), row.get(CURRENCY), several=several)
    doubts = (doubt, STILL_OPEN if asked.contracts.still_open(account, max(happened, asked.today)) else None)
    yield {**known, "kind": LOST, "arr_lost": amount, "doubt": "; ".join(filter(None, doubts)) or None}


def _contract_end(
    asked: OutcomeReading, account: str, closed: date, staged: date | None, *, won: bool
) -> tuple[date | None, str | None]:
    """The end of the contract that an opportunity was to renew, null: there is none; and what is doubtful about it.

    A close date is typed in, and may be last year's; the day on which the stage changed is not, and may be that of a
    later clean-up. Where the two lie too far apart to be one decision, the contracts tell: another one follows on what
    was renewed, and none on what was lost.
    """
    terms = asked.contracts
    by_date = terms.to_renew(account, closed)
    if staged is None or closed - DECIDED_BEFORE <= staged <= closed + asked.grace:
        return by_date, None
    by_stage = terms.to_renew(account, staged)
    if by_stage is not None and by_stage == by_date:
        return by_date, None
    for end in (by_date, by_stage) if won else (by_stage, by_date):
        if end is not None and terms.goes_on(account, end, asked.grace) is won:
            return end, None
    return by_date or by_stage, FAR_APART.format(closed=closed, staged=staged)


# --- contracts -------------------------------------------------------------------------------------------------


def _read_contracts(asked: OutcomeReading) -> None:
    """The contracts, where a strategy names them: others need them as well. What is missing is told by `_ends`."""
    for rank, part in enumerate(asked.mapping.strategies):
        if isinstance(part, ContractEnds):
            asked.reading.setting = _setting(rank, part)
            try:
                asked.contracts = ContractTerms(_by_account(_terms(asked, part)))
            except MissingInOrg:
                return


def _terms(asked: OutcomeReading, part: ContractEnds) -> Iterator[ContractTerm]:
    reading, name = asked.reading, part.object
    reading.need(name, part.account, part.start, part.end, part.status, part.ended_on)
    check_statuses(reading, part)
    lasting = reading.compare(name, part.end, ">=", asked.since, null=True)
    fields = (part.account, part.start, part.end, part.status, part.ended_on, "IsDeleted")
    for row in reading.rows(name, fields, part.where, lasting, deleted=True):
        account = asked.account(name, row, part.account)
        if account is None:
            continue
        days = tuple(
            None if each is None else asked.day(at(row, each)) for each in (part.start, part.end, part.ended_on)
        )
        term = term_of(part, at(row, part.status), days, account, asked.today)
        if term is None:
            reading.leave_out(NO_STATUS)
        else:
            yield term


def _by_account(terms: Iterator[ContractTerm]) -> Mapping[str, Sequence[ContractTerm]]:
    found: dict[str, list[ContractTerm]] = {}
    for term in terms:
        found.setdefault(term.account, []).append(term)
    return found


def _ends(asked: OutcomeReading, part: ContractEnds) -> Rows:
    """A contract's end is a renewal where another one runs on past it, else a loss once the grace is over."""
    reading = asked.reading
    reading.need(part.object, part.account, part.start, part.end, part.status, part.ended_on)
    check_statuses(reading, part)
    for term in asked.contracts.all():
        over = term.over
        if over is None:
            reading.leave_out(
                "a contract that is still in force" if term.in_force else "a contract that ended on an unknown day"
            )
            continue
        if over >= asked.today:
            reading.leave_out(AHEAD)
            continue
        known = {"account_id": term.account, "happened_on": over}
        follower = asked.contracts.successor(term, over, asked.grace)
        if follower is not None:
            since = over if follower.start is None else max(over, follower.start)
            yield {**known, "kind": RENEWED, "known_at": min(since, asked.today)}
        elif over + asked.grace < asked.today:
            yield {**known, "kind": LOST, "known_at": over + asked.grace}
        else:
            reading.leave_out("a contract that ended so recently that another may follow")


# --- ARR -------------------------------------------------------------------------------------------------------


def _falls_to_zero(asked: OutcomeReading, part: ArrToZero) -> Rows:
    reading, name = asked.reading, part.object
    if asked.arr is None:
        reading.note("accounts.arr names no field, so nobody can be told to have lost it")
        raise MissingInOrg
    reading.need("Account", asked.arr)
    reading.need(name, part.parent, "Field", "OldValue", "NewValue", "CreatedDate")
    since = reading.compare(name, "CreatedDate", ">=", asked.since, null=False)
    fields = (part.parent, "Field", "OldValue", "NewValue", "CreatedDate")
    changes: dict[str, list[tuple[datetime, Row]]] = {}
    for row in reading.rows(name, (*fields, "IsDeleted"), f"Field = {text(asked.arr)}", since, deleted=True):
        if to_18(str(at(row, part.parent))) in asked.merged:  # what it had goes on in another account
            reading.leave_out(MERGED)
        elif (moment := asked.moment(row["CreatedDate"])) is None:
            reading.leave_out(UNDATED)
        elif (account := asked.account(name, row, part.parent)) is not None:
            changes.setdefault(account, []).append((moment, row))
    for account, theirs in changes.items():
        yield from _losses(asked, account, sorted(theirs, key=lambda each: each[0]))


def _losses(asked: OutcomeReading, account: str, changes: Sequence[tuple[datetime, Row]]) -> Iterator[dict[str, Any]]:
    """An account's falls to zero from which its ARR didn't come back within the grace."""
    reading, worth = asked.reading, asked.worth
    rises = [moment for moment, row in changes if (number(row["NewValue"]) or 0) > 0]
    for moment, row in changes:
        before, after, day = number(row["OldValue"]), number(row["NewValue"]), reading.day(moment)
        if before is None or before <= 0 or after is None or after > 0:
            emptied = after is None and before is not None and before > 0
            reading.leave_out(
                "ARR that was cleared, which is not a fall to zero"
                if emptied
                else "a change of ARR that is not a fall to zero"
            )
            continue
        back = next((reading.day(rise) for rise in rises if rise >= moment), None)
        if back is not None and back <= day + asked.grace:
            reading.leave_out("a fall to zero from which ARR came back")
            continue
        currency = None if worth is None else worth.of_account.get(account[:15])
        amount = asked.amount(before, currency, several=worth is None or worth.rates is not None)
        doubt = None if back is None else f"ARR came back on {back}"
        known = {"account_id": account, "happened_on": day, "known_at": day}
        yield {**known, "kind": LOST, "arr_lost": amount, "doubt": doubt}
