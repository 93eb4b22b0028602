"""A digest as every channel may send it: without secrets, each text on one line; as plain text, and as data."""

import hashlib
from typing import Any

from accountpulse.core.outgoing import outgoing
from accountpulse.core.web_links import WebLink
from accountpulse.notify.message import Crossing, Digest, Entry, Other


def ready(digest: Digest) -> Digest:
    """The digest with every text safe to leave and on one line."""
    return digest._replace(
        heading=_line(digest.heading),
        owner=None if digest.owner is None else _line(digest.owner),
        entries=tuple(_entry(each) for each in digest.entries),
        others=tuple(_other(each) for each in digest.others),
        crossed_back=tuple(_other(each) for each in digest.crossed_back),
        notes=tuple(_line(each) for each in digest.notes),
        disagree=tuple(_other(each) for each in digest.disagree),
        no_longer_disagree=tuple(_other(each) for each in digest.no_longer_disagree),
    )


def identifier(digest: Digest) -> str:
    """The same 32 characters for the same digest: what receivers know a repeat by."""
    return hashlib.sha256(digest.key.encode()).hexdigest()[:32]


def shown_crossing(crossing: Crossing) -> str:
    """A crossing in words, marked where it is for the better."""
    return crossing.text if crossing.worse else f"{crossing.text} (better)"


def shown_crossings(entry: Entry) -> list[str]:
    """All crossings of an account, each in words."""
    return [shown_crossing(each) for each in entry.crossings]


def one_line_lists(digest: Digest) -> tuple[tuple[str, tuple[Other, ...]], ...]:
    """The lists of accounts in one line each, with their titles, in their order."""
    return (
        ("Also crossed a line", digest.others),
        ("Better again", digest.crossed_back),
        ("Score and people disagree", digest.disagree),
        ("No longer in disagreement", digest.no_longer_disagree),
    )


def shown_name(other: Other) -> str:
    """An account's name, with its owner's where that is to be said."""
    return f"{other.account_name} ({other.owner})" if other.owner else other.account_name


def plain_text(digest: Digest) -> str:
    """The digest for people, as text. `digest` is one that is ready."""
    parts = ["\n".join([digest.heading, *([f"For {digest.owner}"] if digest.owner else []), *digest.notes])]
    parts += [plain_entry(each) for each in digest.entries]
    parts += [text for title, others in one_line_lists(digest) for text in _plain_list(title, others)]
    return "\n\n".join(parts) + "\n"


def plain_entry(entry: Entry) -> str:
    """One account in full, a line for each thing that is said."""
    lines = [
        entry.account_name,
        *([f"  Owner: {entry.owner}"] if entry.owner else []),
        *(f"  {each}" for each in shown_crossings(entry)),
        f"  {entry.number}",
        *([f"  Why: {entry.reason}"] if entry.reason else []),
        *([f"  Next: {entry.next_step}"] if entry.next_step else []),
        *([f"  Group: {entry.group}"] if entry.group else []),
        *(f"  {each.label}: {each.url}" for each in entry.links),
    ]
    return "\n".join(lines)


def _plain_list(heading: str, others: tuple[Other, ...]) -> list[str]:
    lines = [f"- {shown_name(each)}: {each.text}{_plain_link(each.links)}" for each in others]
    return ["\n".join([f"{heading} ({len(others):,})", *lines])] if others else []


def _plain_link(links: tuple[WebLink, ...]) -> str:
    return f" {links[0].url}" if links else ""


def as_data(digest: Digest) -> dict[str, Any]:
    """The digest for programs: the same names as in notify/message.py. `digest` is one that is ready."""
    return {
        "id": identifier(digest),
        "heading": digest.heading,
        "as_of": digest.as_of.isoformat(),
        "owner_id": digest.owner_id,
        "owner": digest.owner,
        "accounts": [
            {
                **_named(each),
                "crossings": [crossing._asdict() for crossing in each.crossings],
                "number": each.number,
                "reason": each.reason,
                "next_step": each.next_step,
                "group": each.group,
            }
            for each in digest.entries
        ],
        "others": [{**_named(each), "text": each.text} for each in digest.others],
        "crossed_back": [{**_named(each), "text": each.text} for each in digest.crossed_back],
        "disagree": [{**_named(each), "text": each.text} for each in digest.disagree],
        "no_longer_disagree": [{**_named(each), "text": each.text} for each in digest.no_longer_disagree],
        "gone": list(digest.gone),
        "notes": list(digest.notes),
    }


def _named(account: Entry | Other) -> dict[str, Any]:
    links = [{"label": each.label, "url": each.url} for each in account.links]
    names = {"account_id": account.account_id, "account_name": account.account_name, "owner": account.owner}
    return {**names, "links": links}


def _entry(entry: Entry) -> Entry:
    return entry._replace(
        account_name=_line(entry.account_name),
        crossings=tuple(each._replace(text=_line(each.text)) for each in entry.crossings),
        number=_line(entry.number),
        reason=None if entry.reason is None else _line(entry.reason),
        next_step=None if entry.next_step is None else _line(entry.next_step),
        links=_links(entry.links),
        owner=None if entry.owner is None else _line(entry.owner),
        group=None if entry.group is None else _line(entry.group),
    )


def _other(other: Other) -> Other:
    return other._replace(
        account_name=_line(other.account_name),
        text=_line(other.text),
        links=_links(other.links),
        owner=None if other.owner is None else _line(other.owner),
    )


def _links(links: tuple[WebLink, ...]) -> tuple[WebLink, ...]:
    """Those that lead to a web page."""
    web = [each for each in links if each.url.startswith(("https://", "http://"))]
    return tuple(each._replace(label=_line(each.label), url="".join(_line(each.url).split())) for each in web)


def _line(text: str) -> str:
    return " ".join(outgoing(text).split())
