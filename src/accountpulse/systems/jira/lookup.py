"""What Jira knows of the accounts' components or projects, without reading a single issue."""

from accountpulse.core.records import Extract
from accountpulse.http import client
from accountpulse.systems.extraction import Probe
from accountpulse.systems.jira.extract import BUGS, begin, connect
from accountpulse.systems.jira.search import BULK
from accountpulse.systems.jira.settings import JiraRequest

FEWEST = 100  # issues in a page where fields are asked for


def look_up(request: JiraRequest) -> Extract:
    """Which of the keys are no component or project that our user sees, as `unknown_keys`.

    Jira has no list of labels, field values, organisations or clauses; a note says that only a search knows them.
    """
    return client.run(_look_up(request))


async def _look_up(request: JiraRequest) -> Extract:
    mapping = request.mapping
    if mapping.link not in ("project", "component"):
        note = f"it has no list to check its keys against ({mapping.link}): only what a search refuses is told apart"
        return Extract("jira", {}, notes=(note,))
    async with connect(request) as web:
        work = await begin(request, web)
        if isinstance(work, str):
            return Extract("jira", {}, notes=(work,))
        await work.look_up()
    return Extract("jira", {}, unknown_keys=work.refused)


def probe(request: JiraRequest) -> Probe:
    """How many bugs a run would read; what the site lacks of the mapping is a gap, or raised."""
    return client.run(_probe(request))


async def _probe(request: JiraRequest) -> Probe:
    async with connect(request) as web:
        work = await begin(request, web)
        if isinstance(work, str):
            return Probe(0, "bugs", request.budget.calls, (work,), dict.fromkeys(BUGS, "not_visible"))
        found = sum(query.count for query in await work.find())
    calls = request.budget.calls + -(-found // FEWEST) + -(-found // BULK)
    return Probe(found, "bugs", calls, tuple(work.notes()), work.gaps, work.refused)
