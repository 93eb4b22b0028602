"""Fetching the histories that a search didn't bring, so that one issue which is gone costs no other's."""

from dataclasses import dataclass

from accountpulse.http.client import RequestRefused, together
from accountpulse.systems.jira.search import Search
from accountpulse.systems.jira.wire import IssueHistory

Histories = dict[str, tuple[list[IssueHistory], bool]]  # issue id → its entries, and whether these are all


@dataclass(frozen=True)
class HistoryFetch:
    """Fetches histories: many at once on Cloud, one by one on Data Center."""

    search: Search
    cloud: bool

    async def of(self, issues: list[str]) -> Histories:
        """The histories of up to BULK issues; those that can't be had are left out."""
        return await (self._bulk(issues) if self.cloud else self._each(issues))

    async def _bulk(self, issues: list[str]) -> Histories:
        """The histories of up to BULK issues on Cloud; where one is refused, the others are still read."""
        try:
            return await self._all(issues)
        except RequestRefused as refused:
            if refused.status == 405:
                raise
        ends = [issues[0], issues[-1]] if len(issues) > 1 else []
        tried = await together(self._one(issue) for issue in ends)
        if not any(tried):  # no single one is to blame
            return {}
        return await self._halves(issues)

    async def _halves(self, issues: list[str]) -> Histories:
        if len(issues) == 1:
            return await self._one(issues[0])
        found: Histories = {}
        half = len(issues) // 2
        for some in (issues[:half], issues[half:]):
            try:
                found |= await self._all(some)
            except RequestRefused:
                found |= await self._halves(some)
        return found

    async def _one(self, issue: str) -> Histories:
        try:
            return await self._all([issue])
        except RequestRefused:
            return {}

    async def _all(self, issues: list[str]) -> Histories:
        """One that Jira doesn't name has no change of status."""
        found: dict[str, list[IssueHistory]] = {issue: [] for issue in issues}
        for changes in await self.search.histories(issues):
            if changes.issue_id in found:
                found[changes.issue_id] += changes.change_histories
        return {issue: (entries, True) for issue, entries in found.items()}

    async def _each(self, issues: list[str]) -> Histories:
        """The histories of issues on Data Center, one by one."""
        found: Histories = {}
        for issue, whole in zip(issues, await together(map(self.search.history, issues)), strict=True):
            if whole is not None and whole.changelog is not None:
                found[issue] = whole.changelog.histories, whole.changelog.is_whole
        return found
