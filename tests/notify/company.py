"""A small company whose runs are written into a state by hand, and a channel that takes down what it is sent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from accountpulse.core.period import Period, scope_of
from accountpulse.core.records import OPINIONS
from accountpulse.notify.message import Digest, Receipt
from accountpulse.pipeline.digest import ChannelDigests, send
from accountpulse.scoring.scorecard import Scorecard, load
from accountpulse.scoring.scores import score
from accountpulse.settings import DigestBlock
from accountpulse.state import State

CARD = """name: small
version: 1
coverage: {dimension_min: 0.3, tier_min: 0.4, tier_needs_readable: [critical_signals]}
groups:
  support: {weight: 0.75, metrics: {csat_score: {weight: 1, anchors: [[0, 0], [100, 100]]}}}
  adoption: {weight: 0.25, metrics: {login_frequency: {weight: 1, anchors: [[0, 0], [100, 100]]}}}
caps: [{when: {critical_signals: {gte: 1}}, cap: 49, reason: open critical signal}]
tiers: [{name: Healthy, min: 75}, {name: At Risk, min: 50}, {name: Critical, min: 0}]
"""
SMALL = load(CARD, "small.yaml")
STRICTER = load(CARD.replace("version: 1", "version: 2").replace("min: 75", "min: 85"), "small.yaml")
METRICS = ("csat_score", "login_frequency", "critical_signals", "days_to_renewal")
FAR = date(2027, 12, 31)
OWNERS = ("005000000000001AAA", "005000000000002AAA")


def account_id(number: int) -> str:
    """An id of 18 characters."""
    return f"001{number:012d}AAA"


@dataclass(frozen=True)
class Account:
    """What is measured of an account; None: not known. All of them are Healthy at first."""

    number: int
    score: float | None = 80.0  # both metrics that count
    logins: float | None = 80.0
    critical: float = 0.0
    opened_on: date | None = None
    renewal: date = FAR
    arr: float | None = None
    owner: str | None = OWNERS[0]
    pulse: tuple[str | None, str] | None = None  # its colour and state
    outlook: str | None = None

    def row(self, day: date, *, outage: bool) -> dict[str, Any]:
        """Its metrics as a run of that day measures them."""
        score = None if outage else self.score
        return {
            "account_id": account_id(self.number),
            "account_name": f"Company {self.number}",
            "owner": self.owner,
            "arr": 1_000.0 * self.number if self.arr is None else self.arr,
            "segment": None,
            "csat_score": score,
            "csat_score_reason": "source_failed" if outage else "no_evidence" if score is None else None,
            "login_frequency": self.logins,
            "login_frequency_reason": "no_evidence" if self.logins is None else None,
            "critical_signals": self.critical,
            "critical_signals_reason": None,
            "days_to_renewal": float((self.renewal - day).days),
            "days_to_renewal_reason": None,
            "pulse_colour": self.pulse and self.pulse[0],
            "pulse_state": self.pulse and self.pulse[1],
            "pulse_on": day - timedelta(days=20) if self.pulse else None,
            "renewal_outlook": self.outlook,
        }


class Measured(NamedTuple):
    """What a run measured: `failed` names the sources that it could not read."""

    day: date
    card: Scorecard
    metrics: pl.DataFrame
    signals: pl.DataFrame
    failed: tuple[str, ...]


class WholeRun(NamedTuple):
    """The same with its scores, and the metrics beside them."""

    measured: Measured
    scores: pl.DataFrame


def measure(accounts: Iterable[Account], day: date, card: Scorecard = SMALL, *, outage: bool = False) -> Measured:
    """A run of these accounts as of that day; an outage: Intercom can't be read."""
    there = list(accounts)
    kinds = dict.fromkeys(METRICS, pl.Float64) | {f"{name}_reason": pl.String for name in METRICS}
    rows = [each.row(day, outage=outage) for each in there]
    kinds |= {"segment": pl.String, "arr": pl.Float64, **OPINIONS}
    metrics = pl.DataFrame(rows, infer_schema_length=None).cast(kinds)
    schema = {"account_id": pl.String, "severity": pl.String, "monitoring": pl.Boolean, "opened_on": pl.Date}
    signals = [(account_id(each.number), "critical", False, each.opened_on) for each in there if each.critical]
    table = pl.DataFrame(signals, schema=schema, orient="row")
    return Measured(day, card, metrics, table, ("intercom",) if outage else ())


def scored(runs: Sequence[Measured]) -> list[WholeRun]:
    """Their scores; those that share a scorecard and its sources in one pass, since a pass costs more than its rows.

    In an outage every account keeps the tier of its last run.
    """
    scores: dict[int, pl.DataFrame] = {}
    for key in dict.fromkeys((run.card.hash, run.failed) for run in runs):
        places = [place for place, run in enumerate(runs) if (run.card.hash, run.failed) == key]
        named = [
            runs[place].metrics.with_columns(
                pl.format("{} {}", pl.lit(place), "account_id").alias("account_id"),
                pl.lit("Healthy" if runs[place].failed else None, pl.String).alias("last_tier"),
            )
            for place in places
        ]
        card = runs[places[0]].card
        found = score(pl.concat(named).lazy(), card, failed_sources=key[1], detail=True).collect()
        for place in places:
            mine = found.filter(pl.col("account_id").str.starts_with(f"{place} "))
            scores[place] = mine.with_columns(pl.col("account_id").str.slice(len(f"{place} ")))
    return [
        WholeRun(run, scores[place].join(run.metrics, on="account_id", how="left", maintain_order="left"))
        for place, run in enumerate(runs)
    ]


def leave(folder: Path, run: WholeRun, number: int) -> None:
    """Write what a run leaves behind; `number` tells one run of a day from the next."""
    state, measured = State(folder), run.measured
    day, card = measured.day, measured.card
    period = Period(day.year, day.month)
    state.history.save_scorecard(card.hash, card.content)
    state.history.save(period, measured.metrics, run.scores, {"signals": measured.signals})
    begun = datetime.combine(day, time(6, number % 60), UTC)
    scope, run_id = scope_of(period, begun), f"r{day:%Y%m%d}-{number}"
    state.runs.begin(scope, run_id, "f", begun)
    facts = {"as_of_day": day.isoformat(), "window_days": 90.0, "failed": list(measured.failed), "requests": {}}
    more = {"signals_waived": False, "problems": [], "imbalance": None}
    state.runs.end(scope, run_id, "finished", {**facts, **more})


class Killed(BaseException):
    """The process dies here: nothing of ours may catch it."""


@dataclass
class Notebook:
    """A channel that writes down what it is sent; `before` and `after` may go wrong around that."""

    name: str = "notebook"
    pages: list[Digest] = field(default_factory=list)
    before: Callable[[Digest], None] = lambda _digest: None
    after: Callable[[Digest], None] = lambda _digest: None
    receipt: Callable[[Digest], Mapping[str, str]] = lambda _digest: {}
    kept: Mapping[str, str] = field(default_factory=dict)

    def send(self, digest: Digest, before: Mapping[str, str]) -> Receipt:
        """Take it down."""
        self.kept = dict(before)
        self.before(digest)
        self.pages.append(digest)
        self.after(digest)
        return Receipt(self.receipt(digest))


def send_all(folder: Path, day: date, *channels: Notebook, block: DigestBlock | None = None) -> list[ChannelDigests]:
    """One `digest --send` of a new process, at eight in the morning."""
    now = datetime.combine(day, time(8), UTC)
    return send(State(folder), block or DigestBlock(), channels, None, now)


def told(pages: Sequence[Digest]) -> list[tuple[int, str, str]]:
    """Every line that was told: account's number, `worse`, `also` or `back`, and its text."""
    found = []
    for page in pages:
        found += [(int(e.account_id[3:15]), "worse", each.text) for e in page.entries for each in e.crossings]
        found += [(int(each.account_id[3:15]), "also", each.text) for each in page.others]
        found += [(int(each.account_id[3:15]), "back", each.text) for each in page.crossed_back]
        found += [(int(each.account_id[3:15]), "disagree", each.text) for each in page.disagree]
        found += [(int(each.account_id[3:15]), "agree", each.text) for each in page.no_longer_disagree]
    return found
