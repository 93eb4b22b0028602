"""`accountpulse explain`: one account on one screen, or as JSON. Reads the state; no system is asked."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountpulse.cli import summary
from accountpulse.cli.account_search import find_account
from accountpulse.cli.formatting import NOT_OVER, money, plural, points
from accountpulse.cli.voice import note
from accountpulse.core.period import Period, is_day, parse_period
from accountpulse.core.web_links import WebLink, account_links
from accountpulse.observe.outlet import write_json
from accountpulse.pipeline import earlier_runs
from accountpulse.pipeline.earlier_runs import EarlierRun
from accountpulse.report.details import signal
from accountpulse.report.header import OF_MONTH
from accountpulse.report.opinions import pulse
from accountpulse.scoring.account_details import RISK_NOTE, AccountDetails, ScoredAccount, account_details
from accountpulse.scoring.columns import OUTLOOK
from accountpulse.scoring.disagreement import disagreements
from accountpulse.scoring.explain import REASONS, bounds_text, plain, signed
from accountpulse.scoring.groups import group_text, groups_of, rollups
from accountpulse.scoring.next_steps import next_step
from accountpulse.scoring.opinions import OUTLOOKS, pulse_sentence
from accountpulse.state import State
from accountpulse.systems import SOURCES

BAR = 20  # characters of a dimension's bar


def explain_account(
    state: State,
    account: str,
    period: Period | None,
    *,
    as_json: bool,
    run_id: str | None = None,
    day: date | None = None,
) -> int:
    """Print the account's scores in a run, and why they are what they are."""
    earlier = earlier_runs.chosen(state, period, run_id, day)
    account_id = find_account(earlier, account)
    before = earlier_runs.before(state, earlier)
    details = {
        **_details(earlier, before, account_id),
        "next_step": _next_step(earlier, before, account_id),
        "sources": _sources(earlier, account_id),
        "signals": _signals(earlier, account_id),
        "group": _group(earlier, account_id),
        **_opinions(earlier, account_id),
        "links": [{"label": each.label, "url": each.url} for each in _links(earlier, account_id)],
    }
    console = summary.tables()
    if as_json:
        write_json(sys.stdout, [details], indent=1)
    else:
        console.print(screen(details, console.width, earlier.card.tier_names))
        if details["links"]:
            console.print(_ways_out(details), soft_wrap=True)
    note(state.files.notes)
    return 0


def _details(earlier: EarlierRun, before: EarlierRun | None, account_id: str) -> AccountDetails:
    mine = pl.col("account_id") == account_id
    now = ScoredAccount(
        earlier.scores.row(by_predicate=mine, named=True), earlier.card, earlier.name, earlier.as_of_day
    )
    if before is None or before.scores.filter(mine).is_empty():
        return account_details(now)
    row = before.scores.row(by_predicate=mine, named=True)
    rescored = earlier_runs.rescored(before, earlier.card, account_id).row(0, named=True)
    return account_details(now, ScoredAccount(row, before.card, before.name, before.as_of_day), rescored)


def _next_step(earlier: EarlierRun, before: EarlierRun | None, account_id: str) -> str | None:
    """What the report of the same run says to do next."""
    scores = earlier_runs.beside_health_before(earlier, before, account_id)
    return next_step(scores.row(0, named=True), earlier.card)


def _sources(earlier: EarlierRun, account_id: str) -> list[dict[str, Any]]:
    """What each configured source said of the account: its rows, or why it said nothing; empty where none was kept."""
    evidence = earlier.detail("evidence")
    if evidence is None:
        return []
    said = {row["source"]: row for row in evidence.filter(pl.col("account_id") == account_id).iter_rows(named=True)}
    return [
        {"source": source.title, "rows": said[source.name]["rows"], "reason": said[source.name]["reason"]}
        for source in SOURCES
        if source.name in said and said[source.name]["reason"] != "not_configured"
    ]


def _signals(earlier: EarlierRun, account_id: str) -> list[dict[str, Any]] | None:
    """The open signals as the report has them, the most severe first; None where the run kept none."""
    kept = earlier.detail("signals")
    if kept is None:
        return None
    mine = kept.filter(pl.col("account_id") == account_id)
    return [signal(row, earlier.as_of_day) for row in mine.iter_rows(named=True)]


def _group(earlier: EarlierRun, account_id: str) -> str | None:
    """The accounts that it belongs to by its parents, in words; None: to none."""
    parents = earlier.detail("parents")
    found = groups_of(rollups(earlier.scores, parents), parents).get(account_id)
    return None if found is None else group_text(found)


def _opinions(earlier: EarlierRun, account_id: str) -> dict[str, Any]:
    """What people say of the account: its pulse (null: none), what sales expect, and where they disagree, in words."""
    mine = pl.col("account_id") == account_id
    scores, kept = earlier.scores.filter(mine), earlier.detail("pulses")
    row = scores.row(0, named=True)
    given = next((pulse(each) for each in ([] if kept is None else kept.filter(mine).iter_rows(named=True))), None)
    said = None if given is None else pulse_sentence(row, earlier.last_day, given["author"])
    return {
        "pulse": None if given is None else {**given, "text": said},
        "forecast": row.get(OUTLOOK),
        "disagreements": disagreements(scores, earlier.card, earlier.last_day)["text"].to_list(),
    }


def _links(earlier: EarlierRun, account_id: str) -> list[WebLink]:
    return account_links(earlier.detail("evidence"), account_id, SOURCES)


# --- the page --------------------------------------------------------------------------------------------------


def screen(details: AccountDetails, width: int, tiers: Sequence[str]) -> RenderableType:
    """The details for a terminal: scores, why, what changed, what is not known. `tiers`: best first."""
    why = (
        *_drivers(details),
        *_next(details),
        *_open_signals(details),
        *_said_by_people(details),
        *_in_group(details),
        *_changed(details),
        *_not_known(details),
        *_by_source(details),
    )
    return Group(_head(details), *_scores(details, tiers), Text(), _dimensions(details, width), *why)


def _open_signals(details: AccountDetails) -> Iterator[RenderableType]:
    """What people logged, in words, with its age and whose it is."""
    if details["signals"]:
        yield Text("\nOpen churn signals", "bold")
        yield from _lines(_signal_text(each) for each in details["signals"])


def _said_by_people(details: AccountDetails) -> Iterator[RenderableType]:
    """Beside the score: the pulse with its reason, the forecast, and where one of them and the score disagree."""
    given, outlook = details["pulse"], details["forecast"]
    lines = []
    if given is not None:
        lines.append(f"pulse {given['text']}" + (f": {given['reason']}" if given["reason"] else ""))
    if outlook is not None:
        lines.append(f"sales expect: {OUTLOOKS[outlook]}")
    lines += [f"disagreement: {text}" for text in details["disagreements"]]
    if lines:
        yield Text("\nWhat people say", "bold")
        yield from _lines(lines)


def _in_group(details: AccountDetails) -> Iterator[RenderableType]:
    if details["group"]:
        yield Text("\nGroup", "bold")
        yield from _lines([details["group"]])


def _signal_text(each: Mapping[str, Any]) -> str:
    age = f"for {plural(each['age_days'], 'day')}, since {each['date']}" if each["date"] else "since an unknown day"
    said = [
        f"{each['severity']}, {each['status']}",
        *([each["title"]] if each["title"] else []),
        f"open {age}",
        *([f"owner {each['owner']}"] if each["owner"] else []),
    ]
    return " · ".join(said)


def _ways_out(details: AccountDetails) -> Text:
    """Links, each on one line; printed without wrapping, so that a terminal can open them."""
    width = max(len(each["label"]) for each in details["links"])
    lines = [f"\n  {each['label']:{width}}  {each['url']}" for each in details["links"]]
    return Text.assemble("\n", ("Open in", "bold"), *lines)


def _by_source(details: AccountDetails) -> Iterator[RenderableType]:
    """Which source said how much of the account, or why it said nothing."""
    if details["sources"]:
        yield Text("\nBy source", style="bold")
        yield from _lines([_said(each) for each in details["sources"]])


def _said(each: Mapping[str, Any]) -> str:
    reason = each["reason"]
    return f"{each['source']}: {REASONS.get(reason, reason) if reason else plural(each['rows'], 'row')}"


def _head(details: AccountDetails) -> Text:
    card, as_of = details["scorecard"], date.fromisoformat(details["as_of"])
    day = f"{as_of - timedelta(days=1)}"
    if is_day(details["period"]):
        day = details["period"]
    elif not parse_period(details["period"]).is_over(as_of):
        day = f"{as_of} ({NOT_OVER})"
    facts = [
        details["account_id"],
        *([details["segment"]] if details["segment"] else []),
        *([f"owner {details['owner']}"] if details["owner"] else []),
        *([f"ARR {money(details['arr'])}"] if details["arr"] is not None else []),
        *([f"{plain(details['seats'])} seats"] if details["seats"] is not None else []),
        *([f"renewal {details['renewal']}"] if details["renewal"] else []),
    ]
    of = f"snapshot of {day}" if is_day(details["period"]) else f"{details['period']}, up to {day}"
    when = f"{of}, scorecard {card['name']} {card['hash']}"
    name = (details["account_name"] or details["account_id"], "bold")
    return Text.assemble(name, "\n", " · ".join(facts), "\n", (when, "dim"), "\n")


def _scores(details: AccountDetails, tiers: Sequence[str]) -> Iterator[RenderableType]:
    """Health with its bounds, what limits it, and the risk."""
    tier = (details["tier"], summary.tier_styles(tiers).get(details["tier"], ""))
    known = f"{plain(details['coverage'])} % of the weight is known"
    before, after = details["health_before_caps"], details["health_score"]
    bounds = bounds_text(details["lower_bound"], details["upper_bound"], details["coverage"])
    notes = "; ".join(text for text in (bounds, known) if text)
    yield Text.assemble("Health ", (points(after), "bold"), "  ", tier, f"  ({notes})")
    if details["not_rated_reasons"]:
        yield from _lines([f"no score: {'; '.join(details['not_rated_reasons'])}"])
    if details["limit"]:
        yield from _lines([f"limit: {details['limit']}"])
    elif details["cap_reasons"]:
        yield from _lines([f"capped from {points(before)}: {'; '.join(details['cap_reasons'])}"])
    yield from _risk(details["risk"])


def _risk(risk: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The index, its band, and what it is made of."""
    band = f"  {risk['band']}" if risk["band"] else ""
    yield Text(f"Churn risk {points(risk['score'])}{band}  ({RISK_NOTE})")
    if risk["probability"] is not None:
        yield from _lines([risk["probability"]["text"]])
    if risk["terms"] is not None:
        terms = [f"{name.replace('_', ' ')} {signed(term, 2)}" for name, term in risk["terms"].items() if term]
        more = f"; {points(risk['before_floor'])} before a cap raised it" if _is_raised(risk) else ""
        before = risk["health_before_caps_3_months_before"]
        more += "" if before is None else f"; health before caps was {points(before)} three months before"
        yield from _lines([f"z = {signed(sum(risk['terms'].values()), 2)}: {' · '.join(terms)}{more}"])


def _is_raised(risk: Mapping[str, Any]) -> bool:
    return bool(risk["score"] > risk["before_floor"] + 1e-6)


def _dimensions(details: AccountDetails, width: int) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Dimension")
    for name in ("Score", "Weight", "Known"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    size = BAR if width >= 72 else BAR // 2
    for each in details["dimensions"]:
        score = each["score"]
        filled = 0 if score is None else round(size * score / 100)
        bar = Text.assemble(("█" * filled, _style(score)), ("░" * (size - filled), "dim"))
        numbers = (points(score), f"{100 * each['weight']:.0f} %", f"{100 * each['coverage']:.0f} %")
        table.add_row(each["name"].replace("_", " "), *numbers, bar if score is not None else Text("no score", "dim"))
    return table


def _style(score: float | None) -> str:
    """The colour of points by what the anchors mean: 75 is the edge of green, 50 that of red."""
    return "" if score is None else "green" if score >= 75 else "yellow" if score >= 50 else "red"


def _drivers(details: AccountDetails) -> Iterator[RenderableType]:
    if details["drivers"]:
        yield Text("\nCosts most", "bold")
        yield from _lines(each["text"] for each in details["drivers"])


def _next(details: AccountDetails) -> Iterator[RenderableType]:
    if details["next_step"]:
        yield Text.assemble("\n", ("Next", "bold"), f": {details['next_step']}")


def _changed(details: AccountDetails) -> Iterator[RenderableType]:
    changed = details["changed"]
    if changed is None:
        yield Text("\nNo earlier run knows this account: nothing to compare with.", "dim")
        return
    then = f"{points(changed['health_then'])} {changed['tier_then']}"
    now = f"{points(details['health_score'])} {details['tier']}"
    yield Text.assemble("\n", (f"Since {changed['since']}", "bold"), f": {then} → {now}", _total(changed))
    if is_day(details["period"]) and not is_day(changed["since"]):
        yield from _lines([OF_MONTH])
    if changed["parts"] is None:
        without = "then" if changed["health_then"] is None else "now"
        reasons = f": {'; '.join(changed['why_not_rated_then'])}" if changed["why_not_rated_then"] else ""
        yield from _lines([f"no difference can be shown, no health {without}{reasons}"])
        return
    yield from _lines([_parts(details)])
    yield from _lines(each["text"] for each in changed["movers"])
    for key, lead in (("now_known", "now known"), ("no_longer_known", "no longer known")):
        if changed[key]:
            yield from _lines([f"{lead}: {', '.join(changed[key])}"])


def _total(changed: Mapping[str, Any]) -> str:
    return "" if changed["total"] is None else f" ({signed(changed['total'], 2)})"


def _parts(details: AccountDetails) -> str:
    """The four parts, in one line; they add up to the whole difference."""
    parts, changed = details["changed"]["parts"], details["changed"]
    old, new = changed["scorecard_then"]["hash"], details["scorecard"]["hash"]
    file = f" ({old} → {new})" if old != new else ""
    effects = {
        f"scorecard{file}": parts["scorecard"],
        "coverage": parts["coverage"],
        "metrics": sum(parts["metrics"].values()),
        "caps": parts["caps"],
    }
    return " · ".join(f"{name} {signed(effect, 2)}" for name, effect in effects.items())


def _not_known(details: AccountDetails) -> Iterator[RenderableType]:
    if details["not_known"]:
        yield Text("\nNot known", "bold")
        yield from _lines(f"{', '.join(labels)}: {why}" for why, labels in details["not_known"].items())


def _lines(texts: Iterable[str]) -> Iterator[RenderableType]:
    for text in texts:
        yield Padding(Text(text), (0, 0, 0, 2), expand=False)
