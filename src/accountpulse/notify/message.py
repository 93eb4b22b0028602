"""What a channel gets to send: a digest with its accounts, and what it hands back."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple, Protocol

from accountpulse.core.web_links import WebLink
from accountpulse.scoring.crossings import Crossing, Line

__all__ = ["MOST_ENTRIES", "Channel", "Crossing", "Digest", "Entry", "Line", "Other", "Receipt"]
MOST_ENTRIES = 5  # accounts that a digest shows in full; the others have a line each


class Entry(NamedTuple):
    """An account that is shown in full."""

    account_id: str
    account_name: str  # the id where no name is known
    crossings: tuple[Crossing, ...]
    number: str  # "Health 49, churn risk 71, ARR 423,000 USD"
    reason: str | None  # what limits health, the latest critical signal, the heaviest driver, in words
    next_step: str | None
    links: tuple[WebLink, ...]
    owner: str | None = None  # named where the digest is not the owner's own
    group: str | None = None  # what it belongs to by its parents, in words


class Other(NamedTuple):
    """An account in one line."""

    account_id: str
    account_name: str  # the id where no name is known
    text: str
    links: tuple[WebLink, ...]
    owner: str | None = None  # as of Entry


class Digest(NamedTuple):
    """What one owner, or everybody, is told over a channel."""

    key: str  # of the same digest, sent again, the same; of any other another
    heading: str  # "Customer health, 30 November 2026: 3 accounts crossed a line"
    as_of: date  # the last day of which anything was measured
    owner_id: str | None  # None: for all, or for the fallback
    owner: str | None  # a name
    entries: tuple[Entry, ...]  # at most MOST_ENTRIES
    others: tuple[Other, ...]  # crossed too, in one line each
    crossed_back: tuple[Other, ...]  # better again
    notes: tuple[str, ...]  # an outage, a changed scorecard, a sending that may be a repeat
    recipient: str | None  # mail address or Slack destination of this owner, from the settings; None: the channel's own
    gone: tuple[str, ...] = ()  # accounts that are no longer scored
    disagree: tuple[Other, ...] = ()  # where the score and people disagree since the last word
    no_longer_disagree: tuple[Other, ...] = ()  # where they did when it was told last, and do no longer


class Receipt(NamedTuple):
    """What a channel wants kept of a sending, such as the ids of Tasks by account; {} where nothing.

    What is kept already stays; an empty text takes it away.
    """

    detail: Mapping[str, str]


class Channel(Protocol):
    """Where digests go."""

    name: str

    def send(self, digest: Digest, before: Mapping[str, str]) -> Receipt:
        """Send one digest; `before` is what the receipts of earlier sendings hold.

        Raises a NotSent, which says whether the digest may have arrived all the same.
        """
