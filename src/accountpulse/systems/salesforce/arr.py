"""What ARR was a year ago and at as_of: for each account by the first strategy that can tell."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from accountpulse.core.ids import to_18
from accountpulse.core.records import REASONS, Reason
from accountpulse.systems.salesforce.currencies import CURRENCY, Money
from accountpulse.systems.salesforce.field_check import Row
from accountpulse.systems.salesforce.histories import YEAR, history_rows, in_order, of_the_year, tracked_from
from accountpulse.systems.salesforce.queries import MissingInOrg, OrgReading, Rows, at, number
from accountpulse.systems.salesforce.row_facts import AccountRows, account_of
from accountpulse.systems.salesforce.settings import ArrFieldHistory, ArrHistory, ArrOwn, ArrSnapshots

NEAR = timedelta(days=15)  # how far a snapshot may lie from the day that it stands for
DAY = timedelta(days=1)
METRICS = ("arr_trajectory_pct", "tier_alignment")  # what rests on ARR
TRAJECTORY = METRICS[:1]

CONTRADICTED = "the history of ARR contradicts itself or the present amount"
UNPAIRED = "the account's currency changed, and its ARR not in the same moment"
NO_RATE = "the account's currency changed, and the org has no rates of that day (DatedConversionRate)"
EXCHANGED = "ARR changed about as much as two currencies differ, and the history of CurrencyIsoCode isn't tracked"
TWO_A_DAY = "two snapshots of one day with different amounts"
OTHER_CURRENCY = "a snapshot is in another currency than the account, and when that changed isn't known"
NO_CURRENCY = "snapshots hold plain numbers, and the account isn't in the corporate currency"
OWN_CURRENCY = "what this program measured a year ago was converted by another rate (from: own)"
OTHERS = "changes of tier or seats, not of ARR"
UNUSED = "not needed: ARR of the account was found another way"


@dataclass
class ArrAnswer:
    """What a strategy says of one account: rows of the table, or the reason why it doesn't know ARR a year ago.

    `why` is for the reader; empty: the strategy has told it for all. `later`: rows from as_of on, which tell ARR at
    as_of whichever strategy knows the year before. `says_now`: its rows do. `now_unknown`: nor is ARR at as_of known.
    """

    rows: list[Mapping[str, Any]] = field(default_factory=list)
    later: list[Mapping[str, Any]] = field(default_factory=list)
    reason: Reason | None = None
    why: str = ""
    says_now: bool = False
    now_unknown: bool = False


ArrAnswers = Mapping[str, ArrAnswer]  # by account


ChangedSince = Callable[[str, Row], None]  # takes an account and the first change of a field after as_of


def arr_changes(
    reading: OrgReading,
    strategies: Iterable[ArrHistory],
    arr: str,
    accounts: AccountRows,
    worth: Money,
    *,
    others: Mapping[str, ChangedSince],
) -> Rows:
    """Changes of ARR over the trailing 365 days and since, for each account by the first strategy that knows.

    `others`: fields that the same history is asked for, since accounts show only what they are today.

    Where none does, the account's metric is unknown: `too_new` where the program's own history is asked, which the
    pipeline then does; else by the worst reason that a strategy gave. MissingInOrg where the org has none of them.
    """
    found: list[ArrAnswers] = []
    own = False
    for rank, strategy in enumerate(strategies):
        reading.setting = f"arr_history {rank + 1} (from: {strategy.source})"
        if isinstance(strategy, ArrOwn):
            own = True
            continue
        try:
            if isinstance(strategy, ArrFieldHistory):
                found.append(_from_history(reading, strategy, arr, accounts, worth, others=others))
            else:
                found.append(_from_snapshots(reading, strategy, accounts, worth))
        except MissingInOrg:
            continue
    if not found and not own:
        raise MissingInOrg
    ours = dict.fromkeys(str(row["Id"]) for row in accounts)
    for account in ours:
        answers = [each.get(account, ArrAnswer(reason="no_evidence")) for each in found]
        yield from _of_account(reading, account, answers, own=own)
    for each in found:
        for account in (other for other in each if other not in ours):
            yield from (*each[account].rows, *each[account].later)
    if own:
        _refuse_own(reading, accounts, worth)


def _of_account(
    reading: OrgReading, account: str, answers: Sequence[ArrAnswer], *, own: bool
) -> Iterator[Mapping[str, Any]]:
    """The rows of the first answer that is one; where it doesn't tell ARR at as_of, also those of others that do."""
    chosen = next((each for each in answers if each.reason is None), None)
    now_unknown = any(each.now_unknown for each in answers)
    if chosen is not None and (chosen.says_now or not now_unknown):
        for each in answers:
            used = [
                *(each.rows if each is chosen else ()),
                *(() if chosen.says_now and each is not chosen else each.later),
            ]
            reading.leave_out(UNUSED, len(each.rows) + len(each.later) - len(used))
            yield from used
        return
    for each in answers:
        yield from (*each.rows, *each.later)
    reasons = [each.reason for each in answers if each.reason is not None]
    if own and all(each in {"too_new", "no_evidence"} for each in reasons):
        reasons = ["too_new"]
    worst = min(reasons, key=REASONS.index)
    why = next((each.why for each in answers if each.reason == worst), "")
    _unknown(reading, account, METRICS if now_unknown else TRAJECTORY, worst, why)


def _unknown(reading: OrgReading, account: str, metrics: Iterable[str], reason: Reason, why: str) -> None:
    """As OrgReading.unknown; without a word where the reader was told for all accounts, or expects it."""
    if why:
        reading.unknown(account, metrics, reason, why)
        return
    for metric in metrics:
        reading.unknowns.setdefault((metric, reason), {})[account] = None


def _refuse_own(reading: OrgReading, accounts: AccountRows, worth: Money) -> None:
    """The program's own history holds amounts by the rates of its time: of other currencies they don't compare."""
    open_ones = set(reading.unknowns.get(("arr_trajectory_pct", "too_new"), {}))
    for row in accounts:
        account = str(row["Id"])
        if account in open_ones and not worth.is_corporate(worth.of_account.get(account[:15])):
            reading.unknown(account, TRAJECTORY, "unclear", OWN_CURRENCY)


# --- field history ---------------------------------------------------------------------------------------------


def _from_history(
    reading: OrgReading,
    part: ArrFieldHistory,
    arr: str,
    accounts: AccountRows,
    worth: Money,
    *,
    others: Mapping[str, ChangedSince],
) -> ArrAnswers:
    """Later changes than as_of are among them, to go back to it."""
    fields = (arr,) if worth.rates is None else (arr, CURRENCY)
    came = history_rows(reading, part, (*fields, *others))
    rows = [row for row in came if row["Field"] in fields]
    _changed_since(reading, part, [row for row in came if row["Field"] not in fields], others)
    known_from = tracked_from(reading, part, arr, rows)
    found = of_the_year(reading, rows)
    by_account: dict[str, list[Row]] = {}
    for row in found:
        owner = account_of(reading, part.object, row, part.parent)
        by_account.setdefault(to_18(str(owner)) if owner is not None else "", []).append(row)
    reading.leave_out("changes of currency, not of ARR", sum(row["Field"] != arr for row in found))
    start = reading.scope.trailing(YEAR).start
    _tell_edge(reading, part, arr, known_from)
    tracked_currency = any(row["Field"] == CURRENCY for row in rows)
    answers = {account: ArrAnswer(_uncompared(reading, account, each, arr)) for account, each in by_account.items()}
    for row in accounts:
        account = str(row["Id"])
        history = _AccountHistory(reading, arr, worth, account, by_account.get(account, []), tracked_currency)
        answers[account] = _within_edge(reading, history.answer(at(row, arr)), row, known_from, start)
    return answers


def _changed_since(
    reading: OrgReading, part: ArrFieldHistory, rows: Sequence[Row], others: Mapping[str, ChangedSince]
) -> None:
    """Tell each of the others of its first change after as_of, account by account."""
    reading.leave_out(OTHERS, len(rows))
    first: dict[tuple[str, str], tuple[datetime, Row]] = {}
    for row in rows:
        account = account_of(reading, part.object, row, part.parent)
        moment = reading.moment(row["CreatedDate"], account)
        if account is None or moment is None or moment < reading.scope.as_of or row["Field"] not in others:
            continue
        key = (to_18(str(account)), row["Field"])
        if key not in first or moment < first[key][0]:
            first[key] = moment, row
    for (account, name), (_moment, row) in first.items():
        others[name](account, row)


def _within_edge(
    reading: OrgReading, answer: ArrAnswer, account: Row, known_from: datetime | None, start: datetime
) -> ArrAnswer:
    """The answer, unless the year begins before the history or before the account's record."""
    if answer.reason is not None:
        return answer
    made = reading.moment(at(account, "CreatedDate"), account["Id"])
    if known_from is None:
        answer.reason = "no_evidence"
    elif known_from > start or (made is not None and made > start):
        answer.reason = "too_new"
    return answer


def _tell_edge(reading: OrgReading, part: ArrFieldHistory, arr: str, known_from: datetime | None) -> None:
    if known_from is None:
        reading.note(f"{part.object} has no record of {arr}: is it tracked there?")
    elif known_from > reading.scope.trailing(YEAR).start:
        day = reading.day(known_from)
        reading.note(
            f"{part.object} tells changes of {arr} from {day} on only, so ARR of a year before as_of isn't known from "
            "it; where the field was tracked before, say so by tracked_since"
        )


def _uncompared(reading: OrgReading, account: str, rows: Iterable[Row], arr: str) -> list[Mapping[str, Any]]:
    """Changes of an account that isn't ours, or of none, which only count."""
    changes = [reading.moment(row["CreatedDate"], None) for row in rows if row["Field"] == arr]
    return [{"account_id": account or None, "at": moment, "before": None, "after": None} for moment in changes]


@dataclass
class _AccountHistory:
    """The changes of one account's ARR and currency since the year's start."""

    reading: OrgReading
    arr: str
    worth: Money
    account: str
    rows: Sequence[Row]
    tracked_currency: bool

    def answer(self, present: Any) -> ArrAnswer:
        """Its changes as rows, each amount in the currency and by the rate of as_of; or why they can't be."""
        amounts = in_order([row for row in self.rows if row["Field"] == self.arr], present)
        switches = in_order([row for row in self.rows if row["Field"] == CURRENCY], self._currency)
        if amounts is None or switches is None:
            merged = [[row] for row in self.rows if row["Field"] == self.arr]
            return self._said(merged, [], "unclear", CONTRADICTED)
        switched = [row for group in switches for row in group]
        why = self._trouble(amounts, switched)
        return self._said(amounts, switched, "unclear" if why else None, why)

    @property
    def _currency(self) -> str | None:
        return self.worth.of_account.get(self.account[:15])

    def _trouble(self, amounts: Sequence[Sequence[Row]], switches: Sequence[Row]) -> str:
        """Why amounts of before a change of currency can't be compared with later ones; empty: they can."""
        paired = {str(group[0]["CreatedDate"]) for group in amounts}
        if any(str(each["CreatedDate"]) not in paired for each in switches):
            return UNPAIRED
        if any(self._exchange(each) is None for each in switches if self._moment(each) < self._as_of):
            return NO_RATE
        values = [(number(row["OldValue"]), number(row["NewValue"])) for group in amounts for row in group]
        if not self.tracked_currency and any(self.worth.may_be_an_exchange(*each) for each in values):
            return EXCHANGED
        return ""

    def _said(
        self, amounts: Sequence[Sequence[Row]], switches: Sequence[Row], reason: Reason | None, why: str
    ) -> ArrAnswer:
        answer = ArrAnswer(reason=reason, why=why, says_now=reason is None, now_unknown=reason is not None)
        for group in amounts:
            self.reading.leave_out("several changes within one second, counted as one", len(group) - 1)
            moment = self._moment(group[0])
            row = {
                "account_id": self.account,
                "at": moment,
                "before": self._amount(group[0]["OldValue"], moment, switches, itself=True),
                "after": self._amount(group[-1]["NewValue"], moment, switches, itself=False),
            }
            (answer.later if moment >= self._as_of else answer.rows).append(row)
        return answer

    def _amount(self, value: Any, moment: datetime, switches: Sequence[Row], *, itself: bool) -> float | None:
        """An amount of a moment, in the currency of as_of by as_of's rate. `itself`: as it was before that moment."""
        amount = number(value)
        moments = [(self._moment(each), each) for each in switches]
        following = [each for when, each in moments if when > moment or (itself and when == moment)]
        if amount is None:
            return None
        if moment >= self._as_of:
            return self.worth.converted(amount, following[0]["OldValue"] if following else self._currency)
        later = [each for when, each in moments if when >= self._as_of]
        for each in following:
            if each not in later:
                amount *= self._exchange(each) or 1.0  # where there is no rate, the account is unknown anyway
        return self.worth.converted(amount, later[0]["OldValue"] if later else self._currency)

    def _exchange(self, switch: Row) -> float | None:
        day = self.reading.day(self._moment(switch))
        return self.worth.exchange(switch["OldValue"], switch["NewValue"], day)

    def _moment(self, row: Row) -> datetime:
        moment = self.reading.moment(row["CreatedDate"], self.account)
        return moment if moment is not None else self._as_of

    @property
    def _as_of(self) -> datetime:
        return self.reading.scope.as_of


# --- snapshots -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Snapshot:
    account: str
    taken: datetime
    day: date
    amount: float
    currency: str | None  # None: the amount is a plain number


def _from_snapshots(reading: OrgReading, part: ArrSnapshots, accounts: AccountRows, worth: Money) -> ArrAnswers:
    """For each account one change at the year's start, from what the nearest snapshot says.

    Where the month or day is over, another at as_of, from the last snapshot before it: ARR as it was then.
    """
    scope = reading.scope
    start, end = scope.trailing(YEAR).start, scope.as_of
    then = _nearest(reading, _snapshots(reading, part, reading.day(start)), start)
    now: Mapping[str, list[_Snapshot]] = {}
    if scope.is_over:
        found = [each for each in _snapshots(reading, part, scope.as_of_day) if each.day <= scope.as_of_day]
        now = _nearest(reading, found, end)
    if not then:
        reading.note(f"{part.object} has no record of {part.amount} around {reading.day(start)}: is it kept?")
    answers = {}
    for account in dict.fromkeys([*(str(row["Id"]) for row in accounts), *then, *now]):
        answers[account] = _of_snapshots(account, then.get(account), now.get(account), worth, (start, end))
    return answers


def _of_snapshots(
    account: str,
    then: list[_Snapshot] | None,
    now: list[_Snapshot] | None,
    worth: Money,
    moments: tuple[datetime, datetime],
) -> ArrAnswer:
    answer = ArrAnswer(says_now=now is not None)
    present = now[0].currency if now and now[0].currency else worth.of_account.get(account[:15])
    for moment, found, place in ((moments[0], then, answer.rows), (moments[1], now, answer.later)):
        if found is None:
            continue
        reason, why = _doubt(found, present, worth)
        if reason is not None:
            answer.reason, answer.why = reason, why
            answer.now_unknown |= found is now
        amount = worth.converted(found[0].amount, found[0].currency or present)
        place.append({"account_id": account, "at": moment, "before": amount, "after": None})
    if then is None:
        answer.reason = answer.reason or "no_evidence"
    return answer


def _doubt(found: Sequence[_Snapshot], present: str | None, worth: Money) -> tuple[Reason | None, str]:
    if len({(each.amount, each.currency) for each in found}) > 1:
        return "several_rows", TWO_A_DAY
    if worth.rates is not None and found[0].currency is None and not worth.is_corporate(present):
        return "unclear", NO_CURRENCY
    if worth.rates is not None and found[0].currency not in {None, present}:
        return "unclear", OTHER_CURRENCY
    return None, ""


def _snapshots(reading: OrgReading, part: ArrSnapshots, day: date) -> list[_Snapshot]:
    """What was kept around a day. Records without a day or an amount keep nothing, and are left out."""
    reading.need(part.object, part.account, part.date, part.amount)
    found = reading.find(part.object, part.amount)
    several = found is not None and found.type == "currency" and reading.find(part.object, CURRENCY) is not None
    since, until = (reading.from_day(part.object, part.date, each) for each in (day - NEAR, day + NEAR + DAY))
    bounds = f"{part.date} >= {since} AND {part.date} < {until}"
    fields = (part.account, part.date, part.amount, CURRENCY if several else None)
    snapshots = []
    for row in reading.rows(part.object, fields, bounds):
        owner, amount = account_of(reading, part.object, row, part.account), number(at(row, part.amount))
        taken = reading.moment(at(row, part.date), owner)
        if owner is None:
            reading.leave_out("a snapshot of no account")
        elif amount is None or taken is None:
            reading.leave_out("a snapshot without an amount")
        else:
            currency = str(row[CURRENCY]) if several else None
            snapshots.append(_Snapshot(to_18(str(owner)), taken, reading.day(taken), amount, currency))
    return snapshots


def _nearest(reading: OrgReading, snapshots: Iterable[_Snapshot], moment: datetime) -> dict[str, list[_Snapshot]]:
    """Each account's snapshots of the day of the one that lies nearest, the earlier of two; mostly one."""
    found = {}
    ranked = sorted(snapshots, key=lambda each: (each.account, abs(each.taken - moment), each.taken))
    for account, theirs in groupby(ranked, key=lambda each: each.account):
        all_of_it = list(theirs)
        found[account] = [each for each in all_of_it if each.day == all_of_it[0].day]
        reading.leave_out("a snapshot beside the one that lies nearest", len(all_of_it) - 1)
    return found
