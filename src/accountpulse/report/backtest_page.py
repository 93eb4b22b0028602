"""A backtest as one HTML file without a script: what `backtest.json` holds, whom the score missed first.

It shares the frame, the style and the macros of the report's page.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import Any

from accountpulse.report.page_text import MISSING, Texts, fixed, month, tier_tones
from accountpulse.report.templates import environment, joined
from accountpulse.scoring.model import NOT_RATED

Plain = Mapping[str, Any]

FIRST = {"false_green": 25, "false_red": 8}  # customers shown at once; the others wait behind a line that opens them
_STYLES = ("page.css", "tables.css", "backtest.css", "print.css")
_STEPS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0)  # where a scale of shares may end
_CLAIMS = {
    "counts": "How many left, by tier",
    "ranking": "How well the score ranks (AUC)",
    "bands": "A probability for each band of risk",
    "probability": "A probability for each customer",
    "dimension_weights": "Suggested weights of dimensions",
    "leaf_weights": "Suggested weights of metrics",
}
_SIGNS = {"right way": "✓", "wrong way": "✕", "no evidence": "?", "too rarely known": "…", "no direction": MISSING}


def render(document: Plain) -> str:
    """The whole page. `document` is a BacktestDocument as plain data, its texts as they may leave, its days as ISO."""
    texts = Texts(None)
    templates = environment(texts)
    templates.filters |= _filters()
    figures = _figures(document)
    page = templates.get_template("backtest.html")
    return page.render(document=document, **figures, style=joined(_STYLES), scripts=[], hashes=[])


def percent(share: float | None) -> str:
    """`59 %`; one decimal below 10."""
    return MISSING if share is None else f"{fixed(100 * share, _digits(share))} %"


def percent_bounds(share: Mapping[str, float]) -> str:
    """`46 to 71 %`, with as many decimals as `percent`."""
    low, high = (fixed(100 * share[bound], _digits(share["value"])) for bound in ("lower", "upper"))
    return f"{low} to {high} %"


def _digits(share: float) -> int:
    return 0 if abs(share) >= 0.1 or share == 0 else 1


def hundredths_bounds(value: Mapping[str, float]) -> str:
    """`0.71 to 0.84`."""
    return f"{fixed(value['lower'], 2)} to {fixed(value['upper'], 2)}"


def _filters() -> dict[str, Callable[..., Any]]:
    return {"percent": percent, "percent_bounds": percent_bounds, "hundredths_bounds": hundredths_bounds,
            "month": month}  # fmt: skip


def _figures(document: Plain) -> dict[str, Any]:
    """What the templates show besides the document itself."""
    main = document[document["main"] if document["main"] == "renewals" else "account_months"]
    allowed = document["gate"]["allowed"]
    refused = document["gate"]["refusals"]
    return {
        "main": main,
        "tones": tier_tones([{"name": name} for name in (*document["tiers"], NOT_RATED)]),
        "cases": [_cases(document, "false_green"), _cases(document, "false_red")],
        "groups": _groups(document, main),
        "tiers": _group("tier", "Tier", main, main["by_tier"]),
        "reliability": _reliability(document, offered="probability" in allowed),
        "parts": _parts(document["parts"]),
        "claims": [(words, claim in allowed) for claim, words in _CLAIMS.items()],
        "unproven": [text for text in document["not_proven"] if text not in refused],
        "signs": _SIGNS,
    }


def _stayed(document: Plain) -> str:
    """What staying means in the main sample."""
    return (
        "kept at the renewal"
        if document["main"] == "renewals"
        else f"still there {document['horizon_days']} days later"
    )


def _cases(document: Plain, kind: str) -> dict[str, Any]:
    """The misjudged customers of one kind; `arr` is their sum where each is listed and none is unknown."""
    rows, count = document[f"{kind}s"], document[f"{kind}_count"]
    amounts = [row["arr"] for row in rows]
    is_whole = rows and len(rows) == count and None not in amounts
    first, more = rows[: FIRST[kind]], rows[FIRST[kind] :]
    return {"first": first, "more": more, "unlisted": count - len(rows), "count": count,
            "arr": sum(amounts) if is_whole else None}  # fmt: skip


# --- groups ----------------------------------------------------------------------------------------------------


def _groups(document: Plain, main: Plain) -> list[dict[str, Any]]:
    """The tables besides the tiers. Renewals are read at one lead: how far ahead departures show is told of months."""
    ahead = main if main["by_lead"] else document["account_months"]
    tables = [
        _group("segment", "Segment", main, main["by_segment"]),
        _group("quarter", "Quarter", main, main["by_quarter"]),
        _group("lead", "Days after the score", ahead, ahead["by_lead"]),
        _group("coverage", "Coverage of the score", main, main["by_coverage"]),
    ]
    return [table for table in tables if table["rows"]]


def _group(key: str, title: str, sample: Plain, rows: Sequence[Plain]) -> dict[str, Any]:
    """One table: its rows, which of its columns say anything, and where the scale of shares ends."""
    return {
        "key": key,
        "title": title,
        "kind": sample["kind"],
        "rows": rows,
        "shown": {name for name in ("share", "arr_loss", "retention", "auc") if any(row[name] for row in rows)},
        "most": _end_of_scale(row["share"]["upper"] for row in rows if row["share"]),
    }


def _end_of_scale(bounds: Iterable[float]) -> float:
    highest = max(bounds, default=0.0)
    return next((step for step in _STEPS if step >= highest), 1.0)


# --- probability, and each metric alone ------------------------------------------------------------------------


def _reliability(document: Plain, *, offered: bool) -> dict[str, Any] | None:
    """How true probabilities were: those that were said, else those fitted on earlier months, where one is offered."""
    said = document["account_months"]["probability"]
    quality = said or (document["foretold"] if offered else None)
    if quality is None or not quality["bins"]:
        return None
    ends = (max(each["mean"], each["share"]["upper"]) for each in quality["bins"])
    return {"quality": quality, "in_use": said is not None, "most": _end_of_scale(ends)}


def _parts(parts: Sequence[Plain]) -> dict[str, Any]:
    """Scores and dimensions in their order, metrics with those that point the wrong way first, then what tells most.

    `reach` is how far from 0.5 the line goes on which the AUC are drawn.
    """
    bounds = [part["auc"][bound] for part in parts if part["auc"] for bound in ("lower", "upper")]
    far = max((abs(bound - 0.5) for bound in bounds), default=0.0)
    metrics = sorted((part for part in parts if part["kind"] == "metric"), key=_interest)
    groups = [
        ("Scores", [part for part in parts if part["kind"] == "score"]),
        ("Dimensions", [part for part in parts if part["kind"] == "dimension"]),
        ("Metrics", metrics),
    ]
    return {"groups": [group for group in groups if group[1]], "reach": min(0.5, max(0.2, ceil(10 * far) / 10))}


def _interest(part: Plain) -> tuple[bool, float]:
    return part["verdict"] != "wrong way", -abs((part["auc"]["value"] if part["auc"] else 0.5) - 0.5)
