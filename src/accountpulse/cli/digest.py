"""`accountpulse digest`: what crossed a line since each channel was last told, printed or sent."""

import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from accountpulse.cli import summary
from accountpulse.cli.formatting import plural
from accountpulse.cli.voice import note
from accountpulse.core.errors import UsageError
from accountpulse.notify.message import Channel, Digest, Entry, Other
from accountpulse.notify.rendering import as_data, one_line_lists, ready, shown_name
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import digest
from accountpulse.pipeline.digest import ChannelDigests
from accountpulse.settings import DigestBlock
from accountpulse.state import State

NONE_SENT = "Nothing was sent. `accountpulse digest --send` sends it."


def day_named(text: str | None) -> date | None:
    """The day that --as-of names."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of must be a day such as 2026-11-30, not {text!r}") from None


def channels_named(found: Sequence[Channel], names: Sequence[str]) -> list[Channel]:
    """The channels that --channel names, or all that accountpulse.yaml has."""
    there = [channel.name for channel in digest.set_up(found)]
    if unknown := [name for name in names if name not in there]:
        raise UsageError(f"--channel: {', '.join(unknown)} is not among digest.channels, which has {', '.join(there)}")
    return [channel for channel in found if not names or channel.name in names]


def show_digest(
    state: State, block: DigestBlock, channels: Sequence[Channel], day: date | None, *, as_json: bool = False
) -> int:
    """Print what each channel would get; nothing is sent and nothing is recorded."""
    found = digest.preview(state, block, channels, day)
    if as_json:
        _print_json(found, is_sent=False, text=None)
    else:
        console = summary.tables()
        for place, each in enumerate(found):
            _print_channel(console, each, is_first=place == 0)
        if any(each.digests for each in found):
            console.print(f"\n{NONE_SENT}", markup=False)
    note(state.files.notes)
    return 0


def send_digest(
    state: State,
    block: DigestBlock,
    channels: Sequence[Channel],
    day: date | None,
    clock: tuple[datetime, str],
    *,
    as_json: bool = False,
) -> int:
    """Send each channel its digests, and say what became of them; `clock`: this moment, and the company's time zone."""
    now, zone = clock
    quiet = digest.quiet_note(block, zone, now)
    found = [] if quiet is not None else digest.send(state, block, channels, day, now)
    if as_json:
        _print_json(found, is_sent=True, text=quiet)
    else:
        console = summary.tables()
        for line in [quiet[0].upper() + quiet[1:]] if quiet else map(_outcome, found):
            console.print(line, markup=False)
        summary.marked(console, "✗", "red", [problem for each in found for problem in each.problems])
    note(state.files.notes)
    return max((each.exit_code for each in found), default=0)


def _outcome(result: ChannelDigests) -> str:
    """`slack: 2 digests sent`, `mail: nothing sent, no account crossed a line since 2026-11-23`."""
    if not result.digests:
        return f"{result.channel}: nothing sent, {result.note}"
    left = len(result.digests) - len(result.sent)
    failed = f", {left:,} not sent" if left else ""
    return f"{result.channel}: {plural(len(result.sent), 'digest')} sent{failed}"


def _print_channel(console: Console, result: ChannelDigests, *, is_first: bool) -> None:
    if not is_first:
        console.print()
    if not result.digests:
        console.print(f"{result.channel}: nothing to send, {result.note}", markup=False)
        return
    console.print(f"{result.channel}: {plural(len(result.digests), 'digest')}", markup=False)
    for each in result.digests:
        console.print()
        _print_digest(console, each)


def _print_digest(console: Console, shown: Digest) -> None:
    console.print(Text(shown.heading, style="bold"))
    if shown.recipient is not None:
        console.print(f"To: {shown.recipient}", markup=False)
    for remark in shown.notes:
        console.print(Text(remark))
    for entry in shown.entries:
        console.print()
        console.print(Text(entry.account_name, style="bold"))
        for line in _lines_of(entry):
            console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    for heading, others in one_line_lists(shown):
        _print_others(console, heading, others)


def _lines_of(entry: Entry) -> Iterator[str]:
    if entry.owner is not None:
        yield f"Owner: {entry.owner}"
    yield from (each.text if each.worse else f"{each.text} (better)" for each in entry.crossings)
    yield entry.number
    if entry.reason is not None:
        yield f"Why: {entry.reason}"
    if entry.next_step is not None:
        yield f"Next: {entry.next_step}"
    yield from (f"{link.label}: {link.url}" for link in entry.links)


def _print_others(console: Console, heading: str, others: Sequence[Other]) -> None:
    if others:
        console.print(f"\n{heading} ({len(others):,})", markup=False)
    for each in others:
        console.print(Padding(Text(f"{shown_name(each)}: {each.text}"), (0, 0, 0, 2), expand=False))


def _print_json(found: Sequence[ChannelDigests], *, is_sent: bool, text: str | None) -> None:
    """One object; each digest as a webhook gets it.

    `send`: whether sending was asked for; `note`: why nothing was sent at all.
    """
    channels = [
        {
            "channel": each.channel,
            "note": each.note,
            "digests": [{**as_data(ready(shown)), "sent": shown.key in each.sent} for shown in each.digests],
            "problems": list(each.problems),
        }
        for each in found
    ]
    code = max((each.exit_code for each in found), default=0)
    facts = {"version": summary.JSON_VERSION, "send": is_sent, "note": text, "exit_code": code}
    write_json(sys.stdout, [{**facts, "channels": channels}])
