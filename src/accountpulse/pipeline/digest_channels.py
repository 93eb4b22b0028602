"""The digest's channels as accountpulse.yaml names them: those that send, and Tasks in the system that keeps them."""

from collections.abc import Mapping
from datetime import timedelta

from accountpulse.core.channel_access import ChannelAccess
from accountpulse.core.errors import AccountpulseError, ConfigurationError
from accountpulse.http.budget import RequestBudget
from accountpulse.notify import channels as notify_channels
from accountpulse.notify.errors import NotSent
from accountpulse.notify.message import Channel, Digest, Entry, Receipt
from accountpulse.notify.rendering import identifier, plain_entry, ready, shown_crossings
from accountpulse.settings import Settings
from accountpulse.systems.account_tasks import AccountTasks, WantedTask

TASKS = "tasks"
DUE_DAYS = 7  # after the digest's day
_AGAIN = "What was written stays, and nothing is written twice: it goes on with the next sending."


def channels(loaded: Settings) -> list[Channel]:
    """The channels of `digest.channels`, in its order; a ConfigurationError lists everything that is missing."""

    def tasks(_access: ChannelAccess) -> Channel:
        return TasksChannel(_account_tasks(loaded))

    return notify_channels.channels(loaded.channels, loaded.mapping.block("digest").channels, {TASKS: tasks})


def _account_tasks(loaded: Settings) -> AccountTasks:
    fallback: str | None = loaded.mapping.block("digest").tasks.fallback_owner
    for system in loaded.systems:
        if system.tasks is not None:
            return system.tasks(loaded.connection(system.name), RequestBudget(), fallback)
    raise ConfigurationError("tasks", ["no system that is configured keeps Tasks"])


class TasksChannel:
    """A Task for each account that a digest shows in full; it is closed once that is told as better or gone."""

    name = TASKS

    def __init__(self, tasks: AccountTasks) -> None:
        """Nothing is asked here."""
        self._tasks = tasks

    def send(self, digest: Digest, before: Mapping[str, str]) -> Receipt:
        """As Channel says. The receipt has the Tasks' ids by account, empty where one was closed.

        `before`: those of earlier receipts.
        """
        clean = ready(digest)
        wanted = [_task(clean, each) for each in clean.entries]
        still = {each.account_id for each in clean.entries} | {each.account_id for each in clean.others}
        left = [*(each.account_id for each in clean.crossed_back), *clean.gone]
        over = [account for account in left if account not in still]
        try:
            known = {account: task_id for account, task_id in before.items() if task_id}
            result = self._tasks.put(wanted, over, known)
        except AccountpulseError as error:
            raise NotSent(TASKS, str(error).rstrip("."), _AGAIN) from error
        if result.problems:
            first = result.problems[0]
            count = f"{len(result.problems):,} of {len(wanted) + len(over):,} accounts were refused"
            raise NotSent(TASKS, f"{count}, such as {first.account_id}: {first.text}", _AGAIN)
        return Receipt({**{account: "" for account in over if account in before}, **result.task_ids})


def _task(digest: Digest, entry: Entry) -> WantedTask:
    # without the account's name, which may change and may look like what reviews are found by
    return WantedTask(
        account_id=entry.account_id,
        key=f"{entry.account_id}-{digest.as_of.isoformat()}-{identifier(digest)[:12]}",
        subject=f"Customer health: {_subject(entry)}",
        description=plain_entry(entry),
        due=digest.as_of + timedelta(days=DUE_DAYS),
        owner_id=digest.owner_id,
    )


def _subject(entry: Entry) -> str:
    """What became worse; where nothing did, what crossed."""
    worse = [each.text for each in entry.crossings if each.worse]
    return "; ".join(worse or shown_crossings(entry))
