"""What each channel was told, and how far its last sending came.

```
digests/<channel>/ledger.json           the last word as a whole, the sending under way, and what receipts hold
digests/<channel>/told-<id>.parquet     a row an account, as it was last told; the ledger names the one that counts
```
The ledger is written on condition that nobody else wrote it meanwhile.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import polars as pl

from accountpulse.core.errors import AlreadyRunning
from accountpulse.core.records import Columns
from accountpulse.state.files import Files
from accountpulse.state.history import without_account

FOLDER = "digests/"
NEEDS: Columns = {"account_id": pl.String}
SendingStep = Literal["planned", "begun", "sent"]


class LastTold(msgspec.Struct, frozen=True):
    """What a channel was told as a whole, and the table of what it was told of each account."""

    run_id: str
    as_of: str  # an ISO day: which of two runs is the later one
    day: str  # the last day of which anything was measured, as people are shown it
    scorecard: str  # its hash
    unread: tuple[str, ...]  # titles of the sources that could not be read
    table: str
    unfinished: bool = False  # that a later run did not finish
    sources: tuple[str, ...] = ()  # titles of the sources that were set up
    unset: tuple[str, ...] = ()  # metrics that nobody was asked for any more, of which values had been told
    uncounted: int = 0  # new accounts that no digest has counted so far


class SentDigest(msgspec.Struct, frozen=True):
    """How far one digest of a sending came, the accounts that it tells of, and what else it says to whom."""

    progress: SendingStep
    accounts: tuple[str, ...]
    owner_id: str = ""  # empty: for all, or for the fallback
    notes: tuple[str, ...] = ()  # what concerns no single account


class UnsentNotes(msgspec.Struct, frozen=True):
    """The notes of an owner's digest that did not go out, while those of others did."""

    as_of: str  # an ISO day, of the run that they speak of
    notes: tuple[str, ...]


class Sending(msgspec.Struct, frozen=True):
    """A sending under way: what will have been told, and its digests by their keys."""

    told: LastTold
    digests: dict[str, SentDigest]


class LedgerDocument(msgspec.Struct, frozen=True):
    """A channel's ledger. `doubtful`: accounts whose digest may have arrived, or not. `unsent`: by owner's id."""

    told: LastTold | None = None
    sending: Sending | None = None
    detail: dict[str, str] = {}
    doubtful: tuple[str, ...] = ()
    unsent: dict[str, UnsentNotes] = {}


@dataclass(frozen=True)
class Ledger:
    """A ledger as it was read or written; `tag` names its bytes in the store, None: there is none yet."""

    channel: str
    document: LedgerDocument
    tag: str | None


class Ledgers:
    """The ledgers of all channels."""

    def __init__(self, files: Files) -> None:
        """Reads and writes through `files`."""
        self._files = files

    def read(self, channel: str) -> Ledger:
        """A channel's ledger; an empty one where there is none that can be used."""
        found = self._files.read(_name(channel))
        facts = None if found is None else self._files.document(_name(channel), found, LedgerDocument, sealed=True)
        if found is None or facts is None:
            return Ledger(channel, LedgerDocument(), None)
        return Ledger(channel, msgspec.convert(facts, LedgerDocument), found.tag)

    def write(self, ledger: Ledger, document: LedgerDocument) -> Ledger:
        """Put a document in place of the one that was read; AlreadyRunning where another process wrote one since."""
        name = _name(ledger.channel)
        content = self._files.encoded(name, msgspec.to_builtins(document))
        store = self._files.store
        done = store.create(name, content) if ledger.tag is None else store.swap(name, content, ledger.tag)
        written = self._files.read(name)
        if written is None or (not done and written.content != content):
            remedy = "Nothing more is sent by this one; see `accountpulse digest` for what is left."
            raise AlreadyRunning(f"another process writes what was told to {ledger.channel}. {remedy}")
        return Ledger(ledger.channel, document, written.tag)

    def table(self, told: LastTold) -> pl.DataFrame | None:
        """What was told of each account; None where the table can't be used."""
        return self._files.read_table(told.table, needs=NEEDS)

    def save_table(self, channel: str, table: pl.DataFrame) -> str:
        """Keep a table under a name of its own, which a ledger may name; the name."""
        name = f"{FOLDER}{channel}/told-{secrets.token_hex(8)}.parquet"
        self._files.write_table(name, table)
        return name

    def sweep(self, ledger: Ledger) -> None:
        """Take away the tables of a channel that its ledger doesn't name."""
        document = ledger.document
        named = {each.table for each in (document.told, document.sending and document.sending.told) if each}
        for name in list(self._files.names(f"{FOLDER}{ledger.channel}/told-")):
            if name not in named:
                self._files.store.remove(name)

    def forget(self, account_id: str) -> int:
        """Take an account out of what every channel was told; how many rows there were."""
        gone = 0
        for name in list(self._files.names(FOLDER)):
            if name.endswith(".parquet"):
                gone += without_account(self._files, name, NEEDS, account_id)
            elif name.endswith("/ledger.json"):
                ledger = self.read(name.removeprefix(FOLDER).removesuffix("/ledger.json"))
                if (rest_of := _without(ledger.document, account_id)) != ledger.document:
                    self.write(ledger, rest_of)
        return gone


def _without(document: LedgerDocument, account_id: str) -> LedgerDocument:
    """The ledger without a word of an account; ids of 15 characters mean it, too."""
    short = account_id[:15]
    sending = document.sending
    if sending is not None:
        digests = {
            key: msgspec.structs.replace(each, accounts=_others(each.accounts, short))
            for key, each in sending.digests.items()
        }
        sending = Sending(sending.told, digests)
    detail = {name: text for name, text in document.detail.items() if short not in name and short not in text}
    doubtful = _others(document.doubtful, short)
    return msgspec.structs.replace(document, sending=sending, detail=detail, doubtful=doubtful)


def _others(accounts: tuple[str, ...], short: str) -> tuple[str, ...]:
    return tuple(each for each in accounts if not each.startswith(short))


def _name(channel: str) -> str:
    return f"{FOLDER}{channel}/ledger.json"


def kept_detail(detail: Mapping[str, str], receipt: Mapping[str, Any]) -> dict[str, str]:
    """What receipts hold, with that of one more sending; an empty text takes its name away."""
    merged = {**detail, **receipt}
    return {name: str(text) for name, text in merged.items() if text}
