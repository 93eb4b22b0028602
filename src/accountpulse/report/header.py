"""The head of a report: which run, how many accounts, how much ARR, how the sources stand, and what went wrong."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from accountpulse.core.records import Source
from accountpulse.report.inputs import MonthlyRun, ReportInput
from accountpulse.scoring.columns import SCORECARD
from accountpulse.scoring.model import NOT_RATED
from accountpulse.scoring.scorecard import Scorecard

OF_MONTH = "usage of the whole month there, of 28 days here, so a part of its changes may be the difference in days"
RUN = ("begun_at", "ended_at", "exit_code", "written", "refused", "unchanged")


def run(month: MonthlyRun) -> dict[str, Any]:
    """The run's own facts; null where an older version did not note them."""
    is_dry = bool(month.facts.get("dry_run"))
    return {"id": month.facts["run_id"], "dry_run": is_dry, **{name: month.facts.get(name) for name in RUN}}


def scorecard(card: Scorecard) -> dict[str, str]:
    """What a scorecard is called."""
    return {"name": card.name, "version": card.version, "hash": card.hash}


def before(month: MonthlyRun | None, card: Scorecard) -> dict[str, Any] | None:
    """The run that this one is compared with."""
    if month is None:
        return None
    return {
        "period": month.name,
        "period_text": month.text,
        "run_id": month.facts["run_id"],
        "scorecard": scorecard(month.card),
        "same_scorecard": month.card.hash == card.hash,
    }


def counts(inputs: ReportInput, rows: pl.DataFrame, by_source: pl.DataFrame) -> dict[str, Any]:
    """How many accounts there are, and how far they came. `new` and `gone`: since the run before, null without one."""
    ids, month = set(rows["id"]), inputs.before
    left_out = {problem[0] for problem in inputs.month.facts["problems"]} - ids
    rated = rows.filter(pl.col("tier") != NOT_RATED).height
    earlier = None if month is None else set(month.scores["account_id"])
    return {
        "customers": rows.height + len(left_out),
        "scored": rows.height,
        "rated": rated,
        "not_rated": rows.height - rated,
        "without_score": rows["health"].null_count(),
        "left_out": len(left_out),
        "unlinked": _unlinked(by_source, inputs.sources),
        "new": None if earlier is None else len(ids - earlier),
        "gone": None if earlier is None else len(earlier - ids),
    }


def _unlinked(by_source: pl.DataFrame, sources: Sequence[Source]) -> dict[str, int]:
    """Accounts that each configured source doesn't know, as the gaps count them."""
    counted = dict(by_source.group_by("source").agg((pl.col("kind") == "not_linked").sum()).iter_rows())
    return {source.title: counted[source.name] for source in sources if source.name in counted}


def arr(rows: pl.DataFrame, currency: str | None) -> dict[str, Any]:
    """The ARR that is known; `rated` is that of accounts with a health score, which one may lack that has a tier.

    `currency` is an ISO code, null where accountpulse.yaml named none for the run.
    """
    rated = rows.filter(pl.col("health").is_not_null())
    total, covered = (float(part["arr"].sum()) if part["arr"].count() else None for part in (rows, rated))
    return {
        "total": total,
        "rated": covered,
        "covered_share": (covered or 0.0) / total if total else None,
        "accounts_without": rows["arr"].null_count(),
        "currency": currency,
    }


def sources(inputs: ReportInput) -> list[dict[str, Any]]:
    """How each source stood. A run of an older version noted requests and failures only."""
    facts = inputs.month.facts
    noted: Mapping[str, Any] = facts.get("sources") or {
        source: {"state": "failed" if source in facts["failed"] else "read", "requests": requests}
        for source, requests in facts["requests"].items()
    }
    empty: dict[str, Any] = {
        "rows": {},
        "counted": None,
        "requests": None,
        "seconds": None,
        "error": None,
        "read_at": None,
    }
    return [
        {"name": source.title, **empty, **noted.get(source.name, {"state": "not configured"})}
        for source in inputs.sources
    ]


def alarms(inputs: ReportInput, scored: int) -> list[str]:
    """What failed, one line each. That it was a dry run is a fact of the run, not a failure."""
    return list(_alarms(inputs, scored))


def _alarms(inputs: ReportInput, scored: int) -> Iterator[str]:
    facts = inputs.month.facts
    for metric, table in (facts.get("tables") or {}).items():
        if table["error"]:
            yield f"{metric} could not be read from its table: {table['error']}"
    for each in sources(inputs):
        if each["state"] == "failed":
            why = f": {each['error']}" if each["error"] else ""
            yield f"{each['name']} could not be read in this run; what it would have said is not known{why}"
    problems = [problem for problem in facts["problems"] if problem[1] != "load"]
    if problems:
        accounts = len({problem[0] for problem in problems})
        yield f"customers left out: {accounts:,}, the first because: {problems[0][2]}"
    refused = [problem for problem in facts["problems"] if problem[1] == "load"]
    if refused:
        yield f"records that could not be written: {len(refused):,}, the first because: {refused[0][2]}"
    if facts.get("imbalance"):
        yield facts["imbalance"]
    if scored and not facts.get("rated"):
        yield "no account could be rated"
    for later in inputs.unfinished:
        what = f"run {later['run_id']} of {later.get('snapshot') or later['period']}, begun later, did not finish"
        yield f"{what}: this is what the run before it left"


def notes(month: MonthlyRun, before: MonthlyRun | None) -> list[str]:
    """What the run itself had to say, and whether it is compared with one of the other kind."""
    of_month = before is not None and before.snapshot is None
    mixed = f"compared with {before.text}: {OF_MONTH}" if before and of_month and month.snapshot is not None else None
    return [*(month.facts.get("notes") or ()), *([mixed] if mixed else [])]


def versions(inputs: ReportInput) -> dict[str, dict[str, Any]]:
    """The scorecard of each month of the line; the version is null where the file was not kept."""
    made = {}
    for period, scores in inputs.line.items():
        name, _, content_hash = str(scores[SCORECARD][0]).rpartition(" ")
        made[period] = {"name": name, "version": inputs.versions.get(content_hash), "hash": content_hash}
    return made
