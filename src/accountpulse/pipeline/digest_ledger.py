"""What a channel has been told, also where its last sending was cut off, and each step of a sending kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import polars as pl

from accountpulse.notify.digest import MISSING, NO_ACCOUNT, REPEATED
from accountpulse.notify.message import Digest
from accountpulse.notify.rendering import one_line_lists
from accountpulse.state.ledgers import (
    LastTold,
    Ledger,
    LedgerDocument,
    Ledgers,
    Sending,
    SendingStep,
    SentDigest,
    UnsentNotes,
    kept_detail,
)


class Told(NamedTuple):
    """What a channel has been told; None and None: nothing yet. `doubtful`: accounts of which nobody knows."""

    last: LastTold | None
    table: pl.DataFrame | None
    doubtful: frozenset[str]
    unsent: Mapping[str, UnsentNotes] = MappingProxyType({})  # notes of digests that did not go out, by owner's id


def settled(ledgers: Ledgers, ledger: Ledger) -> Told:
    """What a channel has been told, by its ledger: of a sending that was cut off the digests that went out."""
    document = ledger.document
    table = None if document.told is None else ledgers.table(document.told)
    before = Told(None if table is None else document.told, table, frozenset(document.doubtful), document.unsent)
    sending = document.sending
    if sending is None:
        return before
    left = {account for each in sending.digests.values() if each.progress != "sent" for account in each.accounts}
    begun = {account for each in sending.digests.values() if each.progress == "begun" for account in each.accounts}
    doubtful = (before.doubtful & left) | begun
    new = ledgers.table(sending.told)
    if new is None or all(each.progress != "sent" for each in sending.digests.values()):
        return before._replace(doubtful=doubtful)
    parts = [new.filter(~pl.col("account_id").is_in(left))]
    if table is not None:
        parts.append(table.filter(pl.col("account_id").is_in(left)))
    unsent = {
        each.owner_id: UnsentNotes(sending.told.as_of, each.notes)
        for each in sending.digests.values()
        if each.progress != "sent" and each.notes
    }
    return Told(sending.told, pl.concat(parts, how="diagonal_relaxed").sort("account_id"), doubtful, unsent)


@dataclass
class SendingLog:
    """One channel's sending, every step of it in the ledger before and after it is made."""

    ledgers: Ledgers
    ledger: Ledger

    @property
    def detail(self) -> Mapping[str, str]:
        """What the channel's receipts hold."""
        return self.ledger.document.detail

    def begin(self, told: Told, new: LastTold, digests: Iterable[Digest]) -> None:
        """Keep what has been told so far, and what will have been told once these digests went out."""
        last = told.last
        if last is not None and told.table is not None and self.ledger.document.sending is not None:
            last = msgspec.structs.replace(last, table=self.ledgers.save_table(self.ledger.channel, told.table))
        plan = {each.key: _step("planned", each) for each in digests}
        self._write(
            told=last, sending=Sending(new, plan), doubtful=tuple(sorted(told.doubtful)), unsent=dict(told.unsent)
        )

    def begun(self, digest: Digest) -> None:
        """A digest is about to be sent."""
        self._mark(digest, _step("begun", digest), self.detail)

    def failed(self, digest: Digest) -> None:
        """A digest did not go out, for sure."""
        self._mark(digest, _step("planned", digest), self.detail)

    def sent(self, digest: Digest, receipt: Mapping[str, str]) -> None:
        """A digest went out."""
        self._mark(digest, _step("sent", digest), kept_detail(self.detail, receipt))

    def finish(self) -> None:
        """Put what was told in place of what had been told before, and take away what no ledger needs."""
        told, sending = settled(self.ledgers, self.ledger), self.ledger.document.sending
        last = told.last
        is_whole = sending is not None and all(each.progress == "sent" for each in sending.digests.values())
        if last is not None and told.table is not None and not is_whole:
            last = msgspec.structs.replace(last, table=self.ledgers.save_table(self.ledger.channel, told.table))
        self._write(told=last, sending=None, doubtful=tuple(sorted(told.doubtful)), unsent=dict(told.unsent))
        self.ledgers.sweep(self.ledger)

    def nothing_to_tell(self, new: LastTold) -> None:
        """The channel knows all that there is to know."""
        self._write(told=new, sending=None, doubtful=(), unsent={})
        self.ledgers.sweep(self.ledger)

    def _mark(self, digest: Digest, progress: SentDigest, detail: Mapping[str, str]) -> None:
        sending = self.ledger.document.sending
        if sending is not None:
            digests = {**sending.digests, digest.key: progress}
            self._write(sending=Sending(sending.told, digests), detail=dict(detail))

    def _write(self, **changes: object) -> None:
        document: LedgerDocument = msgspec.structs.replace(self.ledger.document, **changes)
        self.ledger = self.ledgers.write(self.ledger, document)


def _step(progress: SendingStep, digest: Digest) -> SentDigest:
    # whoever is gone is told again from the table of accounts, and a repeat is for the next sending to say
    notes = tuple(each for each in digest.notes if each != REPEATED and not each.startswith(MISSING))
    return SentDigest(progress, accounts_of(digest), digest.owner_id or "", notes)


def accounts_of(digest: Digest) -> tuple[str, ...]:
    """The accounts that a digest tells of, also as gone; NO_ACCOUNT for one of notes alone."""
    in_full = [each.account_id for each in digest.entries]
    in_a_line = [each.account_id for _, others in one_line_lists(digest) for each in others]
    return tuple(dict.fromkeys((*in_full, *in_a_line, *digest.gone))) or (NO_ACCOUNT,)
