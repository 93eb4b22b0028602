"""What the reader of a run should know about Jira's part of it: what, how many, an example, and what to do."""

from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

import polars as pl

from accountpulse.core.records import Reason
from accountpulse.systems.jira.parts import FOREIGN, Tables
from accountpulse.systems.jira.search import Found

SHOWN = 5  # how many keys a note names
SHOWN_KEY = 80  # how many characters of a key
ESTIMATE = 0.05  # how many more bugs may come than were estimated before the reader is told


def of_keys(refused: Mapping[str, Reason], guilty: Mapping[str, str], *, by_clause: bool) -> Iterator[str]:
    """Keys that Jira doesn't know or show, and keys (with one of their issues) whose bugs don't show them."""
    if unlinked := [key for key, reason in refused.items() if reason == "not_linked"]:
        what = "JQL clauses are refused by Jira" if by_clause else "linked values are not known to Jira"
        yield f"{len(unlinked):,} {what}; their accounts count as not linked: {_named(unlinked)}"
    if hidden := [key for key, reason in refused.items() if reason == "not_visible"]:
        yield (
            f"{len(hidden):,} linked projects are not there, are archived, or our user may not browse them: "
            f"{_named(hidden)}; their accounts' bugs are not known"
        )
    if guilty:
        key, issue = min(guilty.items())
        yield (
            f"{len(guilty):,} linked values find bugs that don't show them in a way that can be read: "
            f"{_named(guilty)}; their accounts' bugs are not known. "
            f"Issue {issue} is one of {key[:SHOWN_KEY]!r}: look at its link's field (id = … finds it)"
        )


def of_zone(reported: ZoneInfo | None, used: ZoneInfo | None) -> Iterator[str]:
    """Dates in searches whose time zone isn't known."""
    if used is not None:
        return
    why = "our user's profile names no time zone that is known here"
    if reported is not None:
        why = f"Jira reads dates in another time zone than {reported}, which our user's profile names"
    yield f"{why}: to miss no bug, searches lap over by a day, and take longer. Set the time zone in the profile"


def of_gaps(gaps: Mapping[str, Reason]) -> Iterator[str]:
    """Metrics that nobody can have."""
    if "critical_bugs" in gaps:
        yield (
            "none of jira.critical_priorities exists on the site (by its id, or the name that our user is shown): "
            "critical_bugs is not known"
        )
    if "reopened_bugs" in gaps:
        yield (
            "the histories of issues can't be read: reopened_bugs is not known, "
            "and whether a bug was open at the period's end is judged by its dates"
        )


def of_issues(tables: Tables) -> Iterator[str]:
    """Issues that leave something unknown, and those that count for nobody."""
    others = tables.doubtful.filter(pl.col("metric") != "critical_bugs")
    if others.height:
        yield (
            f"{others['issue_id'].n_unique():,} bugs have a status that says nothing or a history that contradicts "
            f"the present, such as issue {_first(others)}: what it leaves open is not known of its accounts"
        )
    only = tables.doubtful.join(others, on="issue_id", how="anti")
    if only.height:
        yield (
            f"{only['issue_id'].n_unique():,} bugs have a priority that the site doesn't list, or none was given, "
            f"such as issue {_first(only)}: critical_bugs is not known of their accounts"
        )
    if foreign := tables.left_out[FOREIGN]:
        yield f"{foreign:,} bugs have words of a link in another text than the link's: they count for nobody"


def of_counts(counts: Mapping[Found, int]) -> Iterator[str]:
    """Queries that brought another number of bugs than Jira had counted."""
    for found, came in counts.items():
        if came < found.count or came > found.count * (1 + ESTIMATE) + 10:
            yield (
                f"{came:,} bugs came where Jira had counted {found.count:,}, asked twice: "
                "its index may lag behind; run again"
            )


def _first(issues: pl.DataFrame) -> str:
    return str(issues["issue_id"].sort()[0])


def _named(keys: Iterable[str]) -> str:
    several = sorted(keys)
    more = f" and {len(several) - SHOWN:,} more" if len(several) > SHOWN else ""
    return ", ".join(repr(key[:SHOWN_KEY]) for key in several[:SHOWN]) + more
