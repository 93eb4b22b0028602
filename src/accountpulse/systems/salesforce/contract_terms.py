"""Contracts as stretches of time: when one ended, what followed on it, and which one an opportunity was to renew."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from accountpulse.systems.salesforce.outcome_settings import ContractEnds
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading
from accountpulse.systems.salesforce.row_facts import means

DECIDED_BEFORE = timedelta(days=180)  # a renewal is decided at most half a year before the contract ends
NO_STATUS = "a contract whose status says neither in force nor ended"


@dataclass(frozen=True)
class ContractTerm:
    """One contract. `end` is its last day, `over` the day on which it ended; null: not known, or not yet."""

    account: str
    start: date | None
    end: date | None
    over: date | None
    in_force: bool

    @property
    def last_day(self) -> date | None:
        """Until when it holds, or held; null: without an end."""
        return self.over or self.end

    def runs_past(self, day: date, grace: timedelta) -> bool:
        """Whether it goes on after a day, and had begun by then or within the grace."""
        goes_on = self.in_force if self.last_day is None else self.last_day > day
        return goes_on and (self.start is None or self.start <= day + grace)


@dataclass
class ContractTerms:
    """All contracts, by account; none where the mapping names none, or the org lacks them."""

    by_account: Mapping[str, Sequence[ContractTerm]] = field(default_factory=dict)

    def all(self) -> Iterator[ContractTerm]:
        """Each once."""
        for terms in self.by_account.values():
            yield from terms

    def successor(self, term: ContractTerm, day: date, grace: timedelta) -> ContractTerm | None:
        """Another contract of the account that runs on past that day."""
        others = (each for each in self.by_account[term.account] if each is not term)
        return next((each for each in others if each.runs_past(day, grace)), None)

    def to_renew(self, account: str, day: date) -> date | None:
        """The end of the contract that was in force on a day and the first to end from then on; null: there is none."""
        ends = [
            each.last_day
            for each in self.by_account.get(account, ())
            if each.last_day is not None
            and day <= each.last_day <= day + DECIDED_BEFORE
            and (each.start is None or each.start <= day)
        ]
        return min(ends, default=None)

    def goes_on(self, account: str, day: date, grace: timedelta) -> bool:
        """Whether a contract of the account runs on past a day, and had begun by then or within the grace."""
        return any(each.runs_past(day, grace) for each in self.by_account.get(account, ()))

    def still_open(self, account: str, day: date) -> bool:
        """Whether a contract of the account runs on past a day, by its status as well."""
        return any(each.in_force and each.runs_past(day, timedelta()) for each in self.by_account.get(account, ()))


def term_of(
    part: ContractEnds, status: Any, days: Sequence[date | None], account: str, today: date
) -> ContractTerm | None:
    """A contract's stretch, from its start, end and the day on which it was ended; None: its status doesn't count."""
    in_force = means(status, part.in_force)
    if not in_force and not means(status, part.ended):
        return None
    start, end, ended_on = days
    over = None
    if not in_force and ended_on is not None:
        over = ended_on if end is None else min(end, ended_on)
    elif end is not None and end < today:
        over = end
    return ContractTerm(account, start, end, over, in_force)


def check_statuses(reading: OrgReading, part: ContractEnds) -> None:
    """MissingInOrg where no status that holds is one of the org's; those that the owner wrote are told where absent."""
    if not reading.known(part.object, part.status, part.in_force, "in_force"):
        raise MissingInOrg
    if part.ended and part.ended != ContractEnds().ended:
        reading.known(part.object, part.status, part.ended, "ended")
