"""The digest: what crossed a line since each channel was last told, shown or sent."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from accountpulse.core.errors import ConfigurationError, UsageError
from accountpulse.core.outgoing import outgoing
from accountpulse.core.web_links import links_of_all
from accountpulse.notify.digest import EARLIER, Audience, LastWord, compose, unread_by
from accountpulse.notify.errors import NotSent
from accountpulse.notify.message import Channel, Digest
from accountpulse.notify.quiet_hours import QuietTimes
from accountpulse.notify.reasons import latest_openings, latest_signals
from accountpulse.notify.told import Comparison, NewestRun, compare
from accountpulse.pipeline import earlier_runs
from accountpulse.pipeline.digest_ledger import SendingLog, Told, settled
from accountpulse.pipeline.earlier_runs import EarlierRun
from accountpulse.scoring.groups import group_text, groups_of, rollups
from accountpulse.settings import DigestBlock
from accountpulse.state import State
from accountpulse.state.ledgers import LastTold, Ledger, UnsentNotes
from accountpulse.state.lock import DIGEST
from accountpulse.systems import SOURCES, TITLES

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChannelDigests:
    """What one channel would get, or what became of it. `note`: why there is nothing, if there is nothing."""

    channel: str
    digests: tuple[Digest, ...]
    note: str | None = None
    sent: tuple[str, ...] = ()  # the keys of those that went out
    problems: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass(frozen=True)
class _ChannelPlan:
    """What is to be told to a channel, and on which ground."""

    ledger: Ledger
    told: Told
    found: Comparison
    result: ChannelDigests


def preview(state: State, block: DigestBlock, channels: Sequence[Channel], day: date | None) -> list[ChannelDigests]:
    """What each channel would get now; nothing is sent and nothing is recorded.

    `day`: of the newest run that was measured up to this day; None: of the newest of all.
    """
    newest = _newest_run(state, day)
    return [_plan(state, block, channel.name, newest).result for channel in channels]


def send(
    state: State, block: DigestBlock, channels: Sequence[Channel], day: date | None, now: datetime
) -> list[ChannelDigests]:
    """Send each channel what crossed a line since it was last told; a channel that fails keeps no other from it.

    AlreadyRunning where another process sends.
    """
    with state.locks.hold(DIGEST, f"digest-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}", now):
        newest = _newest_run(state, day)
        return [_send(state, _plan(state, block, channel.name, newest), channel, newest) for channel in channels]


def set_up(channels: Sequence[Channel]) -> Sequence[Channel]:
    """The channels, of which there is one at least; a ConfigurationError where accountpulse.yaml names none."""
    if not channels:
        remedy = "Name them in accountpulse.yaml, as `accountpulse docs digest` shows."
        raise ConfigurationError("digest.channels", [f"no channel is set up. {remedy}"])
    return channels


def quiet_note(block: DigestBlock, zone: str, now: datetime) -> str | None:
    """Why nothing is sent at this moment; None: it is not quiet."""
    given, local = block.quiet_hours, now.astimezone(ZoneInfo(zone))
    start, end = (None if each is None else time.fromisoformat(each) for each in (given.start, given.end))
    quiet = QuietTimes(start, end, given.days)
    if not quiet.is_quiet(local):
        return None
    over = quiet.over_at(local)
    until = "" if over is None else f" until {over:%Y-%m-%d %H:%M} ({zone})"
    return f"quiet hours{until}: nothing was sent. It comes with the first sending after them."


def _newest_run(state: State, day: date | None) -> NewestRun:
    earlier = _newest(state, day)
    unfinished = _unfinished(state, earlier)
    basis = earlier.basis(earlier.card)
    # as they stand beside the scores: a run that is writing at this moment has replaced the one table and not the other
    measured = earlier.scores.select(name for name in earlier.metrics.columns if name in earlier.scores.columns)
    inputs = earlier_runs.score_inputs(measured, earlier_runs.tables_before(state, earlier.snapshot), basis)
    signals = earlier.detail("signals")
    return NewestRun(
        run_id=str(earlier.facts["run_id"]),
        as_of=earlier.as_of_day,
        card=earlier.card,
        scores=earlier_runs.beside_health_before(earlier, earlier_runs.before(state, earlier)),
        inputs=earlier_runs.metrics_table(inputs, basis),
        failed=tuple(TITLES.get(name, name) for name in earlier.failed),
        stopped=() if unfinished is None else tuple(TITLES.get(name, name) for name in unfinished.get("failed", ())),
        signals=latest_signals(signals, earlier.as_of_day),
        day=earlier.last_day,
        opened=latest_openings(signals),
        links={account: tuple(links) for account, links in links_of_all(earlier.detail("evidence"), SOURCES).items()},
        groups=_groups(earlier),
        currency=earlier.facts.get("currency"),
        sources=tuple(TITLES.get(name, name) for name in earlier.facts.get("sources", ())),
        unfinished=None if unfinished is None else datetime.fromisoformat(str(unfinished["begun_at"])).date(),
    )


def _groups(run: EarlierRun) -> dict[str, str]:
    parents = run.detail("parents")
    found = groups_of(rollups(run.scores, parents), parents)
    return {account: group_text(group) for account, group in found.items()}


def _newest(state: State, day: date | None) -> EarlierRun:
    """The newest whole run of the state, a month's or a snapshot, or the newest that measured no day after this one."""
    found = earlier_runs.latest(state, day)
    if found is not None:
        return found
    if day is not None and state.history.periods():
        raise UsageError(f"--as-of: the state holds no run that was measured up to {day} or an earlier day")
    return earlier_runs.recall_or_refuse(state, None)


def _unfinished(state: State, newest: EarlierRun) -> Mapping[str, Any] | None:
    """The document of the last run of all, where it is later than this one and did not finish."""
    months = (newest.period, newest.period.shifted(1))
    of_months = (facts for month in months for facts in state.runs.all(f"{month.name}/"))
    runs = [*of_months, *state.snapshots.runs.all()]
    last = max(runs, key=lambda facts: str(facts["begun_at"]), default=newest.facts)
    return last if last["status"] == "stopped" and str(last["begun_at"]) > str(newest.facts["begun_at"]) else None


def _plan(state: State, block: DigestBlock, channel: str, newest: NewestRun) -> _ChannelPlan:
    ledger = state.ledgers.read(channel)
    told = settled(state.ledgers, ledger)
    last = told.last
    same_card = last is not None and last.scorecard == newest.card.hash
    unset = () if last is None else last.unset
    found = compare(told.table, newest, same_card=same_card, unset=unset, doubtful=told.doubtful)
    if last is not None and last.as_of > newest.as_of.isoformat():
        note = f"the newest run is as of {newest.day}; this channel was told as of {last.day} already"
        return _ChannelPlan(ledger, told, found, ChannelDigests(channel, (), note))
    audience = Audience(block.audience == "each owner", block.recipients(channel), block.fallback_of(channel))
    word = None if last is None else _last_word(last)
    unsent = {owner: _as_told_later(each, newest) for owner, each in told.unsent.items()}
    digests = compose(found, newest, word, audience, doubtful=told.doubtful, unsent=unsent)
    nothing = None if digests or last is None else f"no account crossed a line since {last.day}"
    return _ChannelPlan(ledger, told, found, ChannelDigests(channel, tuple(digests), nothing))


def _as_told_later(left: UnsentNotes, newest: NewestRun) -> list[str]:
    """Notes word for word, so that a repeat is the same digest; those of an earlier day say that they are."""
    is_of_now = left.as_of == newest.as_of.isoformat()
    return [each if is_of_now or each.startswith(EARLIER) else f"{EARLIER}{each}" for each in left.notes]


def _last_word(last: LastTold) -> LastWord:
    return LastWord(
        run_id=last.run_id,
        scorecard=last.scorecard,
        unread=last.unread,
        unfinished=last.unfinished,
        sources=last.sources,
        unset=last.unset,
        uncounted=last.uncounted,
    )


def _send(state: State, plan: _ChannelPlan, channel: Channel, newest: NewestRun) -> ChannelDigests:
    result, last = plan.result, plan.told.last
    if not result.digests and (last is None or last.as_of > newest.as_of.isoformat()):
        return result
    if not result.digests and last is not None and last.run_id == newest.run_id and not plan.ledger.document.sending:
        return result
    table = state.ledgers.save_table(channel.name, plan.found.told)
    new = _told_now(newest, plan.found, table)
    if last is not None and not result.digests:
        new = msgspec.structs.replace(new, uncounted=last.uncounted + plan.found.quiet)
    log = SendingLog(state.ledgers, plan.ledger)
    if not result.digests:
        log.nothing_to_tell(new)
        return result
    log.begin(plan.told, new, result.digests)
    problems: list[str] = []
    sent = [digest.key for digest in result.digests if _send_one(log, channel, digest, problems)]
    log.finish()
    code = 5 if problems else 0
    return ChannelDigests(channel.name, result.digests, None, tuple(sent), tuple(problems), code)


def _told_now(newest: NewestRun, found: Comparison, table: str) -> LastTold:
    return LastTold(
        run_id=newest.run_id,
        as_of=newest.as_of.isoformat(),
        day=newest.day.isoformat(),
        scorecard=newest.card.hash,
        unread=unread_by(newest),
        table=table,
        unfinished=newest.unfinished is not None,
        sources=newest.sources,
        unset=found.unset,
    )


def _send_one(log: SendingLog, channel: Channel, digest: Digest, problems: list[str]) -> bool:
    """Whether it went out; what kept it from that is added to the problems."""
    log.begun(digest)
    try:
        receipt = channel.send(digest, log.detail)
    except NotSent as error:
        if not error.may_have_arrived:
            log.failed(digest)
        problems.append(outgoing(str(error)))
        return False
    except Exception as error:  # noqa: BLE001 - it keeps no other channel from its digests
        _LOG.exception("the digest could not be sent to %s", channel.name)
        problems.append(f"{channel.name}: a fault of accountpulse itself ({type(error).__name__})")
        return False
    log.sent(digest, receipt.detail)
    return True
