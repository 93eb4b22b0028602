"""What crossed a line, put together for each owner or for all: at most five accounts in full, the others in a line."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from accountpulse.notify.disagreements import DisagreementNews
from accountpulse.notify.message import MOST_ENTRIES, Digest, Entry, Other
from accountpulse.notify.reasons import reason
from accountpulse.notify.told import Comparison, Crossed, GoneAccount, NewestRun
from accountpulse.scoring.columns import HEALTH, RISK, RISK_Z, TIER
from accountpulse.scoring.explain import plain
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.next_steps import next_step
from accountpulse.scoring.ranking import risk_before_floors

NO_ACCOUNT = "-"  # among accounts: a digest of notes alone
_UNCAPPED = "uncapped risk"  # beside the scores
MISSING = "No longer among the scored accounts"
EARLIER = "From an earlier digest, which did not go out: "
REPEATED = "This may be a repeat: the last sending was cut off, and nobody knows whether it arrived."


@dataclass(frozen=True)
class Audience:
    """Whom a channel tells: each owner by a digest of its own, or everybody by one.

    `owners`: an owner's id or name → where this channel finds them. Where it names anybody, an owner that it does not
    name is unknown: what is theirs goes to `fallback` (None: the channel's own), as what has no owner does.
    """

    each_owner: bool
    owners: Mapping[str, str]
    fallback: str | None


class LastWord(NamedTuple):
    """What a channel was last told as a whole."""

    run_id: str
    scorecard: str  # its hash
    unread: tuple[str, ...]  # titles of the sources that could not be read, also by a later run
    unfinished: bool = False  # it was told that a later run did not finish
    sources: tuple[str, ...] = ()  # titles of those that were set up
    unset: tuple[str, ...] = ()  # the metrics of which it was told that nobody is asked for them any more
    uncounted: int = 0  # new accounts since then, of which nothing was to be told


class _Owner(NamedTuple):
    owner_id: str | None
    name: str | None
    recipient: str | None


def compose(
    found: Comparison,
    newest: NewestRun,
    last: LastWord | None,
    audience: Audience,
    *,
    doubtful: frozenset[str] = frozenset(),
    unsent: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Digest]:
    """The digests to be sent, by owner; none where nothing is to be told.

    `doubtful`: accounts of a sending that was cut off, which may have arrived; NO_ACCOUNT of one that had none.
    `unsent`: notes of digests that did not go out, by the owner's id; empty: of the one for all, or for the fallback.
    """
    notes, urgent = _notes(found, newest, last)
    gone: dict[_Owner, list[GoneAccount]] = {}
    for each in found.missing:
        gone.setdefault(_owner_of(each._asdict(), audience), []).append(each)
    named = list({**found.crossed, **found.opposed.begun, **found.opposed.ended})
    told_of = _with_uncapped_risk(newest.scores.filter(pl.col("account_id").is_in(named)))
    rows = {row["account_id"]: row for row in told_of.iter_rows(named=True)}
    left: dict[_Owner, list[str]] = {}
    for owner_id, kept in unsent.items():
        left.setdefault(_owner_with(owner_id, newest, audience), []).extend(kept)
    groups: dict[_Owner, list[str]] = {owner: [] for owner in (*gone, *left)}
    for account, row in rows.items():
        groups.setdefault(_owner_of(row, audience), []).append(account)
    if not groups and urgent:
        groups[_general(audience)] = []
    order = sorted(groups, key=lambda owner: (owner.owner_id is None, owner.name or "", owner.owner_id or ""))
    writer = _Writer(found, newest, rows, last)
    return [
        writer.digest(
            owner, groups[owner], gone.get(owner, ()), list(dict.fromkeys([*left.get(owner, ()), *notes])), doubtful
        )
        for owner in order
    ]


def _owner_of(row: Mapping[str, Any], audience: Audience) -> _Owner:
    owner_id, name = row.get("owner_id") or row.get("owner"), row.get("owner")
    if not audience.each_owner or owner_id is None:
        return _general(audience)
    named = (key for key in (owner_id, owner_id[:15], name) if key in audience.owners)
    key = next(named, None)
    if key is None and audience.owners:
        return _general(audience)
    return _Owner(owner_id, None if name == owner_id else name, None if key is None else audience.owners[key])


def _owner_with(owner_id: str, newest: NewestRun, audience: Audience) -> _Owner:
    """Who has this id; whoever gets what belongs to nobody where no account is theirs any more."""
    theirs = (row for row in newest.scores.iter_rows(named=True) if owner_id in (row.get("owner_id"), row.get("owner")))
    row = next(theirs, None) if owner_id else None
    return _general(audience) if row is None else _owner_of(row, audience)


def _general(audience: Audience) -> _Owner:
    return _Owner(None, None, audience.fallback if audience.each_owner else None)


def _notes(found: Comparison, newest: NewestRun, last: LastWord | None) -> tuple[list[str], bool]:
    """What concerns no single account, and whether it is told where no account crossed a line."""
    if last is None:
        waiting = newest.scores.height - len(found.new)
        later = (
            f" {_accounts(waiting)} follow when {_all(newest.failed)} can be read." if waiting and newest.failed else ""
        )
        return [f"First digest: from here on it says what crosses a line in {_accounts(len(found.new))}.{later}"], True
    notes = []
    if newest.failed:
        held = f" {_accounts(len(found.waiting))} can't be judged without it, and wait." if found.waiting else ""
        notes.append(f"{_all(newest.failed)} could not be read; what that alone changes is not told.{held}")
    if newest.stopped:
        notes.append(f"{_all(newest.stopped)} could not be read when it was last tried: there are no newer numbers.")
    elif newest.unfinished is not None:
        notes.append(f"The last run, of {newest.unfinished}, did not finish: there are no newer numbers.")
    unread = unread_by(newest)
    is_unclear = newest.unfinished is not None and not newest.stopped  # whatever ended it, it read nothing new
    if not is_unclear and (back := [title for title in last.unread if title not in unread]):
        notes.append(f"{_all(back)} could be read again.")
    newly_unset = [name for name in found.unset if name not in last.unset]
    if newly_unset:
        notes.append(_no_longer_set_up(newly_unset, newest, last))
    if newest.card.hash != last.scorecard:
        effect = f"{_accounts(found.by_scorecard)} got another tier by it alone, and did not cross a line"
        notes.append(f"The scorecard changed ({newest.card.name}, version {newest.card.version}): {effect}.")
    urgent = (
        bool(newly_unset)
        or set(unread) != set(last.unread)
        or newest.card.hash != last.scorecard
        or (newest.unfinished is not None and not last.unfinished)
    )
    if new := last.uncounted + found.quiet:
        notes.append(f"New, and told of from here on: {_accounts(new)}.")
    return notes, urgent


def _missing(gone: Sequence[GoneAccount]) -> Iterator[str]:
    if gone:
        named = ", ".join(each.name for each in gone[:MOST_ENTRIES]) + (", …" if len(gone) > MOST_ENTRIES else "")
        yield f"{MISSING}: {len(gone):,} ({named})."


def _no_longer_set_up(names: Sequence[str], newest: NewestRun, last: LastWord) -> str:
    """The systems that are gone or, where all are there, the metrics."""
    systems = [title for title in last.sources if title not in newest.sources]
    gone = systems or [newest.card.catalogue[name].label for name in names]
    return f"{_all(gone)} {'is' if len(gone) == 1 else 'are'} no longer set up: what that alone changes is not told."


@dataclass(frozen=True)
class _Writer:
    """Writes the digests of one channel."""

    found: Comparison
    newest: NewestRun
    rows: Mapping[str, Mapping[str, Any]]
    last: LastWord | None

    def digest(
        self,
        owner: _Owner,
        accounts: Sequence[str],
        gone: Sequence[GoneAccount],
        notes: Sequence[str],
        doubtful: frozenset[str],
    ) -> Digest:
        crossed = [account for account in accounts if account in self.found.crossed]
        worse = [account for account in crossed if any(each.worse for each in self._crossed(account).crossings)]
        ordered = sorted(worse, key=lambda account: _order(self.rows[account]))
        eased = [account for account in crossed if account not in set(worse)]
        begun, ended = (self._opposed(accounts, owner, each) for each in (self.opposed.begun, self.opposed.ended))
        back = [account for account in eased if self._crossed(account).is_clear]
        others = [*ordered[MOST_ENTRIES:], *(account for account in eased if not self._crossed(account).is_clear)]
        missing, words = tuple(each.account_id for each in gone), [*_missing(gone), *notes]
        is_repeat = bool(doubtful.intersection([*accounts, *missing] or [NO_ACCOUNT]))
        return Digest(
            key=self._key(owner, accounts, words),
            heading=self._heading(owner, len(worse), len(eased), len(begun)),
            as_of=self.newest.day,
            owner_id=owner.owner_id,
            owner=owner.name,
            entries=tuple(self._entry(account, owner) for account in ordered[:MOST_ENTRIES]),
            others=tuple(self._other(account, owner, self._lines(account)) for account in others),
            crossed_back=tuple(
                self._other(account, owner, self._lines(account)) for account in sorted(back, key=self._name)
            ),
            notes=(*([REPEATED] if is_repeat else []), *words),
            recipient=owner.recipient,
            gone=missing,
            disagree=begun,
            no_longer_disagree=ended,
        )

    @property
    def opposed(self) -> DisagreementNews:
        """Where the score and people disagree, or do no longer."""
        return self.found.opposed

    def _opposed(self, accounts: Sequence[str], owner: _Owner, texts: Mapping[str, Sequence[str]]) -> tuple[Other, ...]:
        """The accounts that have such a text, most ARR × risk first."""
        there = sorted((each for each in accounts if each in texts), key=lambda account: _order(self.rows[account]))
        return tuple(self._other(account, owner, "; ".join(texts[account])) for account in there)

    def _crossed(self, account: str) -> Crossed:
        return self.found.crossed[account]

    def _name(self, account: str) -> str:
        return self.rows[account].get("account_name") or account

    def _entry(self, account: str, owner: _Owner) -> Entry:
        row = self.rows[account]
        return Entry(
            account_id=account,
            account_name=self._name(account),
            crossings=self._crossed(account).crossings,
            number=_number(row, self.newest.currency),
            reason=reason(row, self._crossed(account).crossings, self.newest),
            next_step=next_step(row, self.newest.card),
            links=self.newest.links.get(account, ()),
            owner=self._owner_named(account, owner),
            group=self.newest.groups.get(account),
        )

    def _lines(self, account: str) -> str:
        return "; ".join(each.text for each in self._crossed(account).crossings)

    def _other(self, account: str, owner: _Owner, text: str) -> Other:
        links = self.newest.links.get(account, ())
        return Other(account, self._name(account), text, links, self._owner_named(account, owner))

    def _owner_named(self, account: str, owner: _Owner) -> str | None:
        """Whose account it is, where the digest goes to more people than the owner."""
        row = self.rows[account]
        return (row.get("owner") or row.get("owner_id")) if owner.owner_id is None else None

    def _heading(self, owner: _Owner, worse: int, eased: int, begun: int) -> str:
        day = f"{self.newest.day.day} {self.newest.day:%B %Y}"
        lead = ", ".join(["Customer health", day, *([owner.name] if owner.name else [])])
        if self.last is None:
            return f"{lead}: first digest"
        parts = [f"{_accounts(worse)} crossed a line"] if worse else []
        parts += [f"{_accounts(eased)} {'is' if eased == 1 else 'are'} better"] if eased else []
        parts += [f"score and people disagree on {_accounts(begun)}"] if begun else []
        return f"{lead}: {', '.join(parts) or 'no account crossed a line'}"

    def _key(self, owner: _Owner, accounts: Sequence[str], notes: Sequence[str]) -> str:
        """The same for the same news, also of another run of the same day; another one for the same told anew."""
        news = [(account, *self._crossed(account)) for account in sorted(accounts) if account in self.found.crossed]
        since = None if accounts or self.last is None else self.last.run_id
        opposed = [
            (account, *texts)
            for found in (self.opposed.begun, self.opposed.ended)
            for account, texts in sorted(found.items())
            if account in set(accounts)
        ]
        parts = (self.newest.day.isoformat(), owner.owner_id, owner.recipient, news, tuple(notes), since)
        content = repr((*parts, opposed) if opposed else parts)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def _order(row: Mapping[str, Any]) -> tuple[float, float, float, str]:
    """ARR × risk without floors, the highest first; where one of them is not known by the other, and at the end."""
    arr, risk = row.get("arr"), row[_UNCAPPED]
    value = None if arr is None or risk is None else arr * risk
    return _falling(value), _falling(risk), _falling(arr), row["account_id"]


def _falling(value: float | None) -> float:
    return math.inf if value is None else -value


def _with_uncapped_risk(scores: pl.DataFrame) -> pl.DataFrame:
    """With the risk before floors; of an account without a rating the floor that it has, if any."""
    known = [risk_before_floors()] if RISK_Z in scores.columns else []
    return scores.with_columns(pl.coalesce(*known, RISK).alias(_UNCAPPED))


def _number(row: Mapping[str, Any], currency: str | None) -> str:
    """`Health 49 (At Risk), churn risk 71, ARR 423,000 USD`."""
    health, risk, arr = row.get(HEALTH), row.get(RISK), row.get("arr")
    lead = row[TIER] if health is None or row[TIER] == NOT_RATED else f"Health {plain(health)} ({row[TIER]})"
    parts = [
        lead,
        "churn risk not known" if risk is None else f"churn risk {plain(risk)}",
        "ARR not known" if arr is None else f"ARR {plain(arr, 0)} {currency or ''}".rstrip(),
    ]
    return ", ".join(parts)


def unread_by(newest: NewestRun) -> tuple[str, ...]:
    """The titles of all sources that can't be read as things stand."""
    return tuple(dict.fromkeys([*newest.failed, *newest.stopped]))


def _accounts(count: int) -> str:
    return f"{count:,} {'account' if count == 1 else 'accounts'}"


def _all(titles: Sequence[str]) -> str:
    return ", ".join(titles[:-1]) + f" and {titles[-1]}" if len(titles) > 1 else titles[0]
