"""A small company whose runs are written into a state by hand, and a channel that takes down what it is sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from accountpulse.core.period import Period, scope_of
from accountpulse.notify.message import Digest, Receipt
from accountpulse.pipeline.digest import ChannelDigests, send
from accountpulse.pipeline.earlier_runs import Basis, score_period
from accountpulse.scoring.scorecard import Scorecard, load
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
STRICTER = CARD.replace("version: 1", "version: 2").replace("min: 75", "min: 85")
OF_INTERCOM = "csat_score"
METRICS = ("csat_score", "login_frequency", "critical_signals", "days_to_renewal")
OWNERS = ("005000000000001AAA", "005000000000002AAA")


def account_id(number: int) -> str:
    """An id of 18 characters."""
    return f"001{number:012d}AAA"


@dataclass
class Account:
    """What is measured of an account; None: not known. All of them are Healthy at first."""

    number: int
    score: float | None = 80.0  # both metrics that count
    logins: float | None = 80.0
    critical: float = 0.0
    opened_on: date | None = None
    renewal: date = date(2027, 12, 31)
    arr: float | None = None
    owner: str | None = OWNERS[0]

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
        }


@dataclass
class Company:
    """Accounts that change, and the state that their runs are written to."""

    folder: Path
    accounts: dict[int, Account]
    card: Scorecard = field(default_factory=lambda: load(CARD, "small.yaml"))
    runs: int = 0

    @property
    def state(self) -> State:
        """A new one each time, as each process has it."""
        return State(self.folder)

    def run(self, day: date, *, outage: bool = False) -> None:
        """What a whole run as of that day leaves behind."""
        self.runs += 1
        state, period = self.state, Period(day.year, day.month)
        rows = [each.row(day, outage=outage) for each in self.accounts.values()]
        metrics = pl.DataFrame(rows, infer_schema_length=None).cast(dict.fromkeys(METRICS, pl.Float64))
        metrics = metrics.cast({f"{name}_reason": pl.String for name in METRICS} | {"segment": pl.String})
        failed = ("intercom",) if outage else ()
        scores = score_period(metrics, state.history, Basis(period, self.card, 90.0, failed, signals_waived=False))
        scores = scores.join(metrics, on="account_id", how="left", maintain_order="left")
        open_now = [
            {"account_id": account_id(each.number), "severity": "critical", "opened_on": each.opened_on}
            for each in self.accounts.values()
            if each.critical
        ]
        schema = {"account_id": pl.String, "severity": pl.String, "opened_on": pl.Date}
        state.history.save_scorecard(self.card.hash, self.card.content)
        state.history.save(period, metrics, scores, {"signals": pl.DataFrame(open_now, schema=schema)})
        begun = datetime.combine(day, time(6), UTC).replace(second=self.runs % 60, minute=self.runs // 60)
        scope, run_id = scope_of(period, begun), f"r{self.runs:04d}"
        state.runs.begin(scope, run_id, "f", begun)
        summary = {"as_of_day": day.isoformat(), "window_days": 90.0, "failed": list(failed), "signals_waived": False}
        state.runs.end(scope, run_id, "finished", {**summary, "problems": [], "requests": {}, "imbalance": None})


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


def send_all(
    company: Company, day: date, *channels: Notebook, block: DigestBlock | None = None
) -> Sequence[ChannelDigests]:
    """One `digest --send` of a new process."""
    now = datetime.combine(day, time(8), UTC)
    return send(company.state, block or DigestBlock(), channels, None, now)


def told(pages: Sequence[Digest]) -> list[tuple[int, str, str]]:
    """Every line that was told: account's number, `worse`, `also` or `back`, and its text."""
    found = []
    for page in pages:
        found += [(int(e.account_id[3:15]), "worse", each.text) for e in page.entries for each in e.crossings]
        found += [(int(each.account_id[3:15]), "also", each.text) for each in page.others]
        found += [(int(each.account_id[3:15]), "back", each.text) for each in page.crossed_back]
    return found
