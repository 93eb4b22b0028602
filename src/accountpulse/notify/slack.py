"""The digest as a Slack message: blocks to an incoming webhook.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, and for the limits of blocks
https://docs.slack.dev/reference/block-kit/blocks
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import sleep as _sleep
from typing import Any

from accountpulse.core.channel_access import SLACK_ID
from accountpulse.core.secret import Secret
from accountpulse.core.web_links import WebLink
from accountpulse.notify.errors import NotSent
from accountpulse.notify.message import Digest, Entry, Other, Receipt
from accountpulse.notify.posting import ANSWER, Poster
from accountpulse.notify.rendering import one_line_lists, ready, shown_crossings, shown_name

SETTING = "ACCOUNTPULSE_SLACK_WEBHOOK"
MOST_BLOCKS = 50
MOST_TEXT = 3_000  # characters of a section's text, after escaping
MOST_HEADER = 150
_CUT = "…"


class SlackChannel:
    """Posts to one webhook, which belongs to one channel of Slack; an owner's member id is mentioned there."""

    name = "slack"

    def __init__(
        self,
        webhook: Secret,
        ca_bundle: Path | None = None,
        sleep: Callable[[float], None] = _sleep,
        seconds: float = ANSWER,
    ) -> None:
        """`sleep` and `seconds` (that an answer may take) stand in for time in tests."""
        self._poster = Poster("slack", SETTING, webhook, ca_bundle, sleep=sleep, seconds=seconds)

    def send(self, digest: Digest, before: Mapping[str, str]) -> Receipt:  # noqa: ARG002 - Channel's
        """As Channel says. An answer that isn't Slack's `ok` means that somebody else took the message."""
        body = json.dumps(message(ready(digest))).encode()
        reply = self._poster.post(body, lambda: {"Content-Type": "application/json; charset=utf-8"})
        if reply.text != "ok":
            said = f"HTTP {reply.status}, but not Slack's `ok`"
            raise NotSent("slack", said, f"Check {SETTING}, and what stands before Slack.", may_have_arrived=True)
        return Receipt({})


def message(digest: Digest) -> dict[str, Any]:
    """The body of the POST. `digest` is one that is ready."""
    blocks = list(_blocks(digest))
    if len(blocks) > MOST_BLOCKS:
        left_out = f"_{_CUT} and more than one message takes: see the report._"
        blocks = [*blocks[: MOST_BLOCKS - 1], _section(left_out)]
    # `text` is what a notification shows; links that are opened for a preview would be somebody's pages
    return {"text": escaped(digest.heading), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escaped(text: str) -> str:
    """Text as Slack wants it: so it can't mention anybody, nor be a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(digest: Digest) -> Iterator[dict[str, Any]]:
    heading = _shortened(digest.heading, MOST_HEADER)
    yield {"type": "header", "text": {"type": "plain_text", "text": heading, "emoji": False}}
    if owner := _owner(digest):
        yield _section(owner)
    yield from _list([f"_{_fitting(each, MOST_TEXT - 2)}_" for each in digest.notes])
    for entry in digest.entries:
        yield from _entry(entry)
    for title, others in one_line_lists(digest):
        if others:
            yield {"type": "divider"}
            yield from _list([f"*{title} ({len(others):,})*", *(_one_line(each) for each in others)])


def _owner(digest: Digest) -> str | None:
    """Who is told: the recipient as a mention; where it is a mail address or none, the owner's name."""
    named = digest.recipient
    if named is None or "@" in named:
        return f"For {_fitting(digest.owner, 300)}" if digest.owner else None
    if SLACK_ID.fullmatch(named):
        return f"For <!subteam^{named}>" if named.startswith("S") else f"For <@{named}>"
    raise NotSent(
        "slack",
        "the owner's Slack id is none",
        "Under digest.owners give a member id such as U012AB3CD (profile, Copy member ID) or a group's.",
    )


def _entry(entry: Entry) -> Iterator[dict[str, Any]]:
    lines = [
        f"*{_fitting(entry.account_name, 300)}*",
        *([f"Owner: {_fitting(entry.owner, 300)}"] if entry.owner else []),
        _fitting("\n".join(shown_crossings(entry)), 900),
        _fitting(entry.number, 300),
        *([f"Why: {_fitting(entry.reason, 600)}"] if entry.reason else []),
        *([f"*Next: {_fitting(entry.next_step, 600)}*"] if entry.next_step else []),
        *([f"Group: {_fitting(entry.group, 400)}"] if entry.group else []),
    ]
    yield _section("\n".join(lines))
    if links := [shown for each in entry.links if (shown := _link(each))]:
        yield from _list(links, " · ")


def _one_line(other: Other) -> str:
    link = next((shown for each in other.links if (shown := _link(each))), "")
    return f"• {_fitting(shown_name(other), 300)}: {_fitting(other.text, 600)} {link}".rstrip()


def _link(link: WebLink) -> str | None:
    """`<url|label>`; None where it is too long to stand in a block."""
    url = escaped(link.url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))
    shown = f"<{url}|{escaped(link.label).replace('|', '/')}>"
    return shown if len(shown) <= 1_500 else None


def _list(lines: list[str], between: str = "\n") -> Iterator[dict[str, Any]]:
    """Sections with as many lines each as fit."""
    held = ""
    for line in lines:
        joined = f"{held}{between}{line}" if held else line
        if len(joined) > MOST_TEXT:
            yield _section(held)
            joined = line
        held = joined
    if held:
        yield _section(held)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + _CUT


def _fitting(text: str, most: int) -> str:
    """Escaped text of at most so many characters; one is never cut inside of an escape."""
    text = _shortened(text, most)
    kept = escaped(text)
    while len(kept) > most:
        text = text.removesuffix(_CUT)[: -max(1, (len(kept) - most) // 5)] + _CUT
        kept = escaped(text)
    return kept
