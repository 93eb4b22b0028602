"""What extraction has to reach, and whether it does: a line each."""

from collections.abc import Iterator
from dataclasses import dataclass

Cost = dict[str, float]
FIRST = 8  # slices at the beginning; where answers take time, those who take over make more
MORE = 32
LATE = {"intercom": 10, "jira": 9}  # how many times the plain loop's wall, at 100 ms an answer


@dataclass(frozen=True)
class Figure:
    """One measured number, what it should be, and whether it is."""

    text: str
    reached: bool

    def __str__(self) -> str:
        return f"  {'reached' if self.reached else 'MISSED '}  {self.text}"


def most(what: str, measured: float, target: float, form: str = ".2f") -> Figure:
    return Figure(f"{what}: {measured:{form}}, at most {target:{form}} wanted", measured <= target)


def least(what: str, measured: float, target: float, form: str = ".1f") -> Figure:
    return Figure(f"{what}: {measured:{form}}, at least {target:{form}} wanted", measured >= target)


def of_all(mine: Cost, page: int, latency: int) -> Iterator[Figure]:
    """Whatever the server is like."""
    pages = -(-mine["rows"] // page)
    yield most("searches", mine["searches"], 1.1 * pages + (MORE if latency else FIRST), ",.0f")
    yield most("peak memory, MB", mine["peak"], 250, ".0f")


def of_loops(source: str, latency: int, costs: dict[str, Cost]) -> Iterator[Figure]:
    """Beside the loops and dlt."""
    mine, plain = costs["ours"], costs["plain"]
    if "command" in costs:
        run = costs["command"]
        what = f"whole run by the command line, {run['rows']:,.0f} accounts"
        times = f"CPU {run['cpu'] / mine['cpu']:.1f} × the extraction's, wall {run['wall'] / mine['wall']:.1f} ×"
        yield Figure(f"{what}: {times}, peak {run['peak']:.0f} MB; no target", True)
    if latency:
        yield least("wall of the plain loop ÷ ours", plain["wall"] / mine["wall"], LATE[source])
    else:
        yield least("CPU of the plain loop ÷ ours", plain["cpu"] / mine["cpu"], 3)
    if "yardstick" in costs:
        yield most("CPU ÷ the yardstick's", mine["cpu"] / costs["yardstick"]["cpu"], 1.25)


def of_limit(mine: Cost, page: int, requests: int, seconds: int, *, told: bool) -> Iterator[Figure]:
    """Behind a limit. One that is never told can't be met before it has refused: only the wall is looked at."""
    bound = -(-mine["rows"] // page) * seconds / requests
    share = 100 * mine["refused"] / mine["requests"]
    if told:
        yield most(f"refused, % of {mine['requests']:,.0f} answers", share, 1)
        yield most(f"wall ÷ rows / (page × limit), which is {bound:.1f} s", mine["wall"] / bound, 1.15)
    else:
        yield Figure(f"refused {share:.1f} % of answers, wall {mine['wall'] / bound:.2f} × the bound; no target", True)


def of_growth(costs: dict[str, Cost], page: int) -> Iterator[Figure]:
    """With more rows, and with more accounts at as many rows; `costs` by scenario."""
    one, two, four, more = (
        costs.get(name)
        for name in ("0 ms", "twice the rows, 0 ms", "four times the rows, 0 ms", "twice the accounts, 0 ms")
    )
    if one and two:
        rows = two["rows"] / one["rows"]
        yield most(f"wall with {rows:.2f} × the rows", two["wall"] / one["wall"], 1.15 * rows)
        yield most(f"CPU with {rows:.2f} × the rows", two["cpu"] / one["cpu"], 1.15 * rows)
    if one and four:
        yield most("peak memory with 4 × the rows ÷ with 1 ×", four["peak"] / one["peak"], 1.25)
    if one and more:
        pages = (more["rows"] - one["rows"]) / page  # the accounts more bring a few conversations or bugs themselves
        chunks = more["requests"] - one["requests"] - pages
        what = f"requests more with 2 × the accounts, beyond {pages:,.0f} pages more, of {one['requests']:,.0f}"
        yield most(what, chunks, 3 * FIRST, ",.0f")
        yield most("CPU a row with 2 × the accounts", more["cpu"] / more["rows"] / one["cpu"] * one["rows"], 1.15)


def of_starved(costs: dict[str, Cost]) -> Iterator[Figure]:
    """On one processor beside endless loops; `costs` by scenario."""
    alone, starved = costs.get("100 ms"), costs.get("100 ms, starved of CPU")
    if alone and starved:
        what = f"requests at once, starved ÷ alone ({starved['at_once']:.0f} ÷ {alone['at_once']:.0f})"
        yield least(what, starved["at_once"] / alone["at_once"], 0.9, ".2f")
