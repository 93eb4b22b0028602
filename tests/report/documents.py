"""Invented documents as `page.render` takes them: any number of accounts, with what a page must survive."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

PERIODS = [f"2025-{month:02}" for month in (11, 12)] + [f"2026-{month:02}" for month in range(1, 11)]
AS_OF = date(2026, 11, 1)
CARD = {"name": "default", "version": 2, "hash": "9f1c2ab04d7e"}
OLD_CARD = {"name": "default", "version": 1, "hash": "1b7734cc0a52"}
TIERS = [("Champion", 85, 100), ("Healthy", 75, 85), ("At Risk", 50, 75), ("Critical", 0, 50)]
BANDS = [("low", 0, 10), ("medium", 10, 30), ("high", 30, 100)]
NOT_RATED = "Not Rated"
TIER_NAMES = [*(tier[0] for tier in TIERS), NOT_RATED]
BAND_NAMES: list[str | None] = [*(band[0] for band in BANDS), None]
SEGMENTS = ["Enterprise", "Mid-Market", "Paid", None]
SOURCES = ["Intercom", "Jira", "Looker", "Salesforce"]
LOST = "a failed source"
REASONS = ["not linked", "no evidence", "too few conversations", "source failed", "no number of seats"]
# name, label, unit, dimension, weight, value at 0 points, at 100 points, window, source
METRICS: list[tuple[str, str, str, str, float, float, float, str, str]] = [
    ("p1_p2_pct", "P1/P2 conversations", "percent", "support", 0.05, 50, 0, "90 days", "Intercom"),
    ("first_response", "median first response", "seconds", "support", 0.05, 172800, 600, "90 days", "Intercom"),
    ("csat_score", "CSAT", "percent", "support", 0.05, 50, 95, "90 days", "Intercom"),
    ("open_bugs", "open bugs", "count", "bugs", 0.05, 20, 0, "at the end", "Jira"),
    ("bug_trend", "bugs created / resolved", "ratio", "bugs", 0.05, 3, 0.5, "90 days", "Jira"),
    ("mau", "monthly active users", "users", "adoption", 0.15, 10, 400, "the month", "Looker"),
    ("feature_breadth", "features in use", "percent", "adoption", 0.1, 0, 80, "the month", "Looker"),
    ("login_frequency", "sessions per active user", "per week", "adoption", 0.05, 0, 4, "the month", "Looker"),
    ("pillar_automation", "automation pillar", "points", "platform_value", 0.1, 0, 100, "the month", "Looker"),
    ("pillar_insight", "insight pillar", "points", "platform_value", 0.1, 0, 100, "the month", "Looker"),
    ("arr_trajectory_pct", "ARR change over a year", "percent", "financial", 0.1, -30, 20, "365 days", "Salesforce"),
    ("days_to_renewal", "days to renewal", "days", "financial", 0.05, -30, 180, "at the end", "Salesforce"),
    ("champion_stability", "champions still there", "percent", "relationship", 0.06, 0, 100, "180 days", "Salesforce"),
    ("qbr_attendance", "business reviews held", "percent", "relationship", 0.04, 0, 100, "365 days", "Salesforce"),
]  # fmt: skip
NAMES = [metric[0] for metric in METRICS]
WEIGHT = {metric[0]: metric[4] for metric in METRICS}
DRIVERS = "monthly active users: 31 of 100 seats (31 %), costs 8.2 points; CSAT: 71 %, costs 4 points"
DIMENSIONS = list(dict.fromkeys(metric[3] for metric in METRICS))
PROOF: dict[str, Any] = {
    "made_at": "2026-10-05T08:00:00+00:00", "known_until": "2026-08-06", "months": 20, "customers": 240, "left": 31,
    "scorecard": OLD_CARD, "same_scorecard": False, "auc": {"value": 0.74, "lower": 0.65, "upper": 0.81},
    "sentences": ["Of 31 customers who left, 22 were At Risk or Critical 90 days before (71 %, 53–84 %)."],
    "not_proven": "The churn risk is an index: that is what `accountpulse calibrate` is for.",
}  # fmt: skip
Known = dict[str, float]


def document(
    count: int = 120,
    *,
    seed: int = 1,
    names: Sequence[str] = (),
    before: bool = True,
    failed: str | None = None,
    rated: bool = True,
) -> dict[str, Any]:
    """A whole document; `names` are given to the first accounts. Contributions and changes add up by construction."""
    chance = random.Random(seed)  # noqa: S311
    accounts = [_account(chance, index, before=before, failed=failed, rated=rated) for index in range(count)]
    for account, name in zip(accounts, names, strict=False):
        account["name"] = name
    return {
        "format": 2, "period": PERIODS[-1], "period_text": "October 2026", "as_of": AS_OF.isoformat(),
        "last_day": (AS_OF - timedelta(days=1)).isoformat(),
        "window_days": 90, "horizon_days": 180,
        "run": {"id": "20261101-021403-7f3a", "begun_at": "2026-11-01T02:14:03Z", "ended_at": "2026-11-01T02:21:47Z",
                "exit_code": 5 if failed else 0, "written": count, "refused": 0, "unchanged": 0, "dry_run": False},
        "scorecard": CARD,
        "before": {"period": PERIODS[-2], "period_text": "September 2026", "run_id": "20261001-021400-11aa",
                   "scorecard": OLD_CARD, "same_scorecard": False} if before else None,
        "proof": PROOF,
        **_portfolio(accounts, failed, before=before),
        "catalogue": [_metric(metric) for metric in METRICS],
        "dimensions": [
            {"name": name, "label": name.replace("_", " "), "weight": _dimension_weight(name)} for name in DIMENSIONS
        ],
        "periods": PERIODS,
        "scorecards": {p: CARD if p == PERIODS[-1] else OLD_CARD for p in PERIODS if p != "2026-03"},
        "accounts": _columns(accounts),
        "details": _details(accounts, before=before),
    }  # fmt: skip


def _metric(metric: tuple[Any, ...]) -> dict[str, Any]:
    name, label, unit, dimension, _, worst, best, window, source = metric
    direction = "higher is better" if best > worst else "lower is better"
    return {"name": name, "label": label, "unit": unit, "dimension": dimension, "direction": direction,
            "window": window, "source": source, "per": "seats" if name == "mau" else None, "instead": None,
            "good": f"good is {worst + 0.75 * (best - worst):g} or {'more' if best > worst else 'less'}",
            "good_in": {"Enterprise": "good is another value"} if name == "csat_score" else {}}  # fmt: skip


def _dimension_weight(name: str) -> float:
    return sum(metric[4] for metric in METRICS if metric[3] == name)


# --- one account -----------------------------------------------------------------------------------------------


def _account(chance: random.Random, index: int, *, before: bool, failed: str | None, rated: bool) -> dict[str, Any]:
    level = chance.choices([90, 80, 65, 40], [12, 38, 35, 15])[0]
    missing = {name for name in NAMES if chance.random() < 0.08}
    missing |= {metric[0] for metric in METRICS if metric[8] == failed}
    now = {name: _clip(chance.gauss(level, 18)) for name in NAMES if name not in missing}
    then = {name: _clip(points - chance.gauss(0, 6)) for name, points in now.items() if chance.random() > 0.03}
    spoken = rated and chance.random() > 0.06
    was_rated = before and rated and chance.random() > 0.05
    account = {"index": index, "now": now, "then": then, "missing": missing, **_identity(chance, index)}
    account |= _scores(now, spoken=spoken, cap=chance.choice([None] * 7 + [74, 49]))
    effect = chance.choice([0.0, 0.0, -1.25])
    account["was"] = _scores(then, spoken=was_rated, cap=None, shift=-effect)
    account["change"] = _change(account, effect) if spoken and was_rated else None
    account["line"] = _line(chance, account)
    account["signals"] = _signals(chance)
    return account


def _clip(points: float) -> float:
    return min(100.0, max(0.0, points))


def _identity(chance: random.Random, index: int) -> dict[str, Any]:
    words = chance.choice(["North", "Blue", "Quiet", "Iron"]), chance.choice(["lake", "field", "gate"])
    owners = ["Ada Okafor", "Jonas Weber", "Mei Tan", "Priya Nair", "Sam Ortiz", None]
    arr = None if chance.random() < 0.04 else float(round(chance.lognormvariate(10.6, 1.0), -2))
    return {
        "id": f"001{index:012}AAA", "name": f"{words[0]}{words[1]} {index + 1}", "segment": chance.choice(SEGMENTS),
        "owner": chance.choice(owners), "arr": arr, "seats": chance.choice([None, 25, 120, 900]),
        "renewal": None if chance.random() < 0.05 else AS_OF + timedelta(days=chance.randint(-40, 360)),
    }  # fmt: skip


def _scores(points: Known, *, spoken: bool, cap: int | None, shift: float = 0.0) -> dict[str, Any]:
    total = sum(WEIGHT[name] for name in points)
    uncapped = sum(WEIGHT[name] / total * value for name, value in points.items()) + shift if points else None
    if not spoken or uncapped is None:
        nothing = dict.fromkeys(("health", "uncapped", "risk", "band", "lower", "upper", "cap"))
        return {"tier": NOT_RATED, "coverage": 100 * total, **nothing}
    health = uncapped if cap is None else min(uncapped, cap)
    risk = _clip(95 - health)
    return {
        "tier": next(name for name, least, _ in TIERS if health >= least), "health": health, "uncapped": uncapped,
        "risk": risk, "band": next(name for name, _, end in BANDS if risk <= end), "coverage": 100 * total,
        "lower": health * total, "upper": min(100.0, health * total + 100 * (1 - total)),
        "cap": {None: None, 74: "open moderate signal", 49: "open critical signal; adoption below 25"}[cap],
    }  # fmt: skip


def _contributions(points: Known) -> Known:
    total = sum(WEIGHT[name] for name in points)
    return {name: WEIGHT[name] / total * value for name, value in points.items()}


def _change(account: dict[str, Any], effect: float) -> dict[str, Any]:
    """As scoring/change.py takes a change apart: the scorecard, what became known, each metric, caps."""
    new, old = _contributions(account["now"]), _contributions(account["then"])
    total = sum(WEIGHT[name] for name in account["now"])
    same = {name: WEIGHT[name] / total * account["then"].get(name, account["now"][name]) for name in account["now"]}
    was = account["was"]
    return {
        "scorecard": effect,
        "coverage": sum(same.values()) - sum(old.values()),
        "metrics": {name: new[name] - same[name] for name in new if name in old},
        "caps": (account["health"] - account["uncapped"]) - (was["health"] - was["uncapped"]),
    }


def _line(chance: random.Random, account: dict[str, Any]) -> list[float | None]:
    end = account["was"]["health"] or account["health"]
    if end is None:
        return [None] * len(PERIODS)
    line: list[float | None] = []
    for _ in PERIODS[:-2]:
        end = _clip(end + chance.gauss(0, 4))
        line.insert(0, end)
    line[PERIODS.index("2026-03")] = None
    return [*line, account["was"]["health"], account["health"]]


def _signals(chance: random.Random) -> list[dict[str, Any]]:
    if chance.random() > 0.2:
        return []
    severity = chance.choice(["critical", "moderate", "watch"])
    return [{"severity": severity, "status": "active, confirmed", "date": "2026-10-09", "age_days": 23,
             "title": chance.choice([None, "Sponsor left"]), "owner": chance.choice([None, "Ada Okafor"])}]  # fmt: skip


# --- the whole portfolio ---------------------------------------------------------------------------------------


def _portfolio(accounts: list[dict[str, Any]], failed: str | None, *, before: bool) -> dict[str, Any]:
    rated = [account for account in accounts if account["health"] is not None]
    order = sorted(accounts, key=lambda a: (a["risk"] is None, -(a["risk"] or 0), -(a["arr"] or 0), a["index"]))
    return {
        "notes": ["50 tickets among the conversations were left out"],
        "risk_note": "an index, not a probability",
        "missing_metrics": [{"metric": "csat_score", "known": len(accounts) - 2, "reasons": {"nobody rated": 2}}],
        "counts": {"customers": len(accounts) + 3, "scored": len(accounts), "rated": len(rated), "left_out": 0,
                   "not_rated": len(accounts) - len(rated), "without_score": len(accounts) - len(rated),
                   "unlinked": {"Intercom": 3, "Jira": 1, "Looker": 0},
                   "new": 1 if before else None, "gone": 0 if before else None},
        "arr": {"total": _sum(accounts), "rated": _sum(rated), "covered_share": _sum(rated) / max(_sum(accounts), 1),
                "accounts_without": sum(a["arr"] is None for a in accounts), "currency": "USD"},
        "sources": [_source(name, failed) for name in SOURCES],
        "alarms": [f"{failed} could not be read: what it measures is not known for any account."] if failed else [],
        "warnings": [] if rated else ["100 % of the accounts are Not Rated: this says little about any of them."],
        "tiers": [
            {"name": name, "from": least, "to": end, "rank": rank, "green": (least or 0) >= 75}
            for rank, (name, least, end) in enumerate([*TIERS, (NOT_RATED, None, None)])
        ],
        "bands": [{"name": name, "from": least, "to": end} for name, least, end in BANDS],
        "distribution": [_now_and_then(accounts, "tier", name, before=before) for name in TIER_NAMES],
        "risk": [_now_and_then(accounts, "band", name, before=before) for name in BAND_NAMES],
        "at_risk": {f"by_{key}": _by(accounts, key) for key in ("tier", "segment", "owner")},
        "danger": _danger(accounts),
        "crossed": _crossed(accounts) if before else [],
        "disagreed": _disagreed(accounts),
        "pulses": _pulse_counts(accounts),
        "movers": _movers(accounts) if before else [],
        "renewals": _renewals(accounts),
        "groups": _groups(accounts),
        "group_notes": ["parents that are not among the scored accounts: <Holding> & Söhne"] if accounts else [],
        "worklist": [account["index"] for account in order],
        "gaps": _gaps(accounts, failed),
    }  # fmt: skip


def _sum(accounts: list[dict[str, Any]]) -> float:
    return sum(account["arr"] or 0.0 for account in accounts)


def _source(name: str, failed: str | None) -> dict[str, Any]:
    if name == failed:
        return {"name": name, "state": "failed", "rows": {}, "counted": None, "requests": 4, "seconds": 31.2,
                "error": "503 Service Unavailable after 4 tries.", "read_at": None}  # fmt: skip
    counted = {"came": 4812, "attributed": 4701, "left_out": {"spam": 12}, "outside": 60, "nobodys": 39}
    return {"name": name, "state": "read", "rows": {"rows": 4812}, "counted": counted, "requests": 57,
            "seconds": 12.4, "error": None, "read_at": "2026-11-01T02:16:00Z"}  # fmt: skip


def _now_and_then(accounts: list[dict[str, Any]], key: str, name: str | None, *, before: bool) -> dict[str, Any]:
    there = [account for account in accounts if account[key] == name]
    was = [account for account in accounts if account["was"][key] == name]
    return {key: name, "accounts": len(there), "arr": _sum(there),
            "accounts_before": len(was) if before else None, "arr_before": _sum(was) if before else None}  # fmt: skip


def _by(accounts: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(account[key] for account in accounts):
        for band in BAND_NAMES:
            there = [account for account in accounts if account[key] == name and account["band"] == band]
            if there:
                rows.append({key: name, "band": band, "accounts": len(there), "arr": _sum(there)})
    return rows


def _movers(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def moved(account: dict[str, Any]) -> float:
        if account["change"] is None:
            return 0.0
        return float(account["health"] - account["was"]["health"])

    found = [a for a in accounts if abs(moved(a)) >= 5 or a["tier"] != a["was"]["tier"]]
    found.sort(key=lambda a: (-abs(moved(a)) * (a["arr"] or 0), a["index"]))
    return [
        {"i": a["index"], "tier_before": a["was"]["tier"], "tier": a["tier"], "health_before": a["was"]["health"],
         "health": a["health"], "change": moved(a) if a["change"] else None,
         "scorecard_effect": a["change"]["scorecard"] if a["change"] else None, "arr": a["arr"],
         "way": _way(a), "lines": _lines(a),
         "words": ["monthly active users: 210 → 140, −4.1 points", "CSAT: 91 % → 84 %, −1.2 points"]}
        for a in found
    ]  # fmt: skip


def _danger(accounts: list[dict[str, Any]]) -> list[int]:
    def is_due(account: dict[str, Any]) -> bool:
        return account["renewal"] is not None and (account["renewal"] - AS_OF).days <= 90

    found = [a for a in accounts if a["tier"] not in ("Champion", "Healthy") and is_due(a)]
    found.sort(key=lambda a: (a["arr"] is None, -(a["arr"] or 0), a["index"]))
    return [account["index"] for account in found]


def _lines(account: dict[str, Any]) -> list[dict[str, Any]]:
    now, then = account["tier"], account["was"]["tier"]
    if now == then or NOT_RATED in (now, then):
        return []
    worse = TIER_NAMES.index(now) > TIER_NAMES.index(then)
    return [{"line": "tier", "text": f"{then} to {now}", "worse": worse, "better": not worse}]


def _crossed(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [(account, lines) for account in accounts if (lines := _lines(account))]
    found.sort(key=lambda each: (not each[1][0]["worse"], -(each[0]["arr"] or 0), each[0]["index"]))
    return [{"i": a["index"], "way": "fell" if lines[0]["worse"] else "rose", "lines": lines} for a, lines in found]


def _way(account: dict[str, Any]) -> str:
    if account["change"] is None:
        return ""
    return "rose" if account["health"] > account["was"]["health"] else "fell"


def _renewals(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    points = []
    for account in accounts:
        days = None if account["renewal"] is None else (account["renewal"] - AS_OF).days
        if days is not None and days <= 180:
            same = {key: account[key] for key in ("health", "arr", "tier")}
            date_ = account["renewal"].isoformat()
            points.append({"i": account["index"], "date": date_, "days": days, "overdue": days < 0, **same})
    points.sort(key=lambda point: (point["days"], point["i"]))
    return points


def _gaps(accounts: list[dict[str, Any]], failed: str | None) -> list[dict[str, Any]]:
    rows = []
    for source in SOURCES:
        for tier in TIER_NAMES:
            there = [account for account in accounts if account["tier"] == tier]
            size, lost = len(there), source == failed
            unlinked, empty = (0, 0) if lost else (size // 12, size // 9)
            rows.append({"source": source, "tier": tier, "accounts": size, "arr": _sum(there), "not_linked": unlinked,
                         "nothing_there": empty, "could_not_look": size if lost else 0,
                         "known": 0 if lost else size - unlinked - empty})  # fmt: skip
    return rows


def _columns(accounts: list[dict[str, Any]]) -> dict[str, list[Any]]:
    plain = ["id", "name", "segment", "owner", "arr", "seats", "tier", "health", "lower", "upper", "coverage"]
    plain += ["risk", "band", "cap"]
    columns: dict[str, list[Any]] = {key: [account[key] for account in accounts] for key in plain}
    rated = [account["health"] is not None for account in accounts]
    return columns | {
        "before_caps": [account["uncapped"] for account in accounts],
        "risk_before_floors": [account["risk"] for account in accounts],
        "limit": [_limit(account) for account in accounts],
        "links": [_links(account) for account in accounts],
        **{f"probability{end}": [None] * len(accounts) for end in ("", "_lower", "_upper")},
        "tier_before": [account["was"]["tier"] for account in accounts],
        "health_before": [account["was"]["health"] for account in accounts],
        "renewal": [account["renewal"] and account["renewal"].isoformat() for account in accounts],
        "drivers": [DRIVERS if ok else None for ok in rated],
        "not_rated": [None if ok else "coverage below 60 %; no score for adoption or platform value" for ok in rated],
        "step": ["Agree an adoption plan with the champion." if ok and n % 3 else None for n, ok in enumerate(rated)],
        **_group_columns(accounts),
        **_opinion_columns(accounts),
        **{f"dimension:{name}": [_dimension(account, name)["score"] for account in accounts] for name in DIMENSIONS},
    }  # fmt: skip


def _pulse(account: dict[str, Any]) -> dict[str, Any] | None:
    """Of each three accounts the first has none, the second a red one, the third a green one that is stale."""
    if account["index"] % 3 == 0:
        return None
    red = account["index"] % 3 == 1
    return {
        "pulse": "red" if red else "green",
        "state": "current" if red else "stale",
        "author": "Dana <Owner>",
        "on": "2026-10-03" if red else "2026-07-27",
        "reason": "Sponsor left & nobody came" if red else None,
    }


def _said(account: dict[str, Any]) -> str | None:
    pulse = _pulse(account)
    if pulse is None or pulse["pulse"] == "green" or account["tier"] not in ("Champion", "Healthy"):
        return None
    return f"score {account['tier']} ({account['health']:.1f}), pulse red of 2026-10-03"


def _disagreed(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [(account, text) for account in accounts if (text := _said(account))]
    found.sort(key=lambda each: (each[0]["arr"] is None, -(each[0]["arr"] or 0), each[0]["index"]))
    return [{"i": account["index"], "lines": [{"kind": "pulse", "text": text}]} for account, text in found]


def _pulse_counts(accounts: list[dict[str, Any]]) -> dict[str, int] | None:
    states = [(pulse or {}).get("state", "none") for account in accounts for pulse in [_pulse(account)]]
    names = ("current", "stale", "void", "restarted", "undated", "unclear", "unread", "none")
    return {name: states.count(name) for name in names} if set(states) - {"none"} else None


def _opinion_columns(accounts: list[dict[str, Any]]) -> dict[str, list[Any]]:
    given = [_pulse(account) or {} for account in accounts]
    names = {"pulse": "pulse", "pulse_state": "state", "pulse_on": "on"}
    return {
        **{column: [each.get(name) for each in given] for column, name in names.items()},
        "forecast": [("likely", None, "unlikely")[account["index"] % 3] for account in accounts],
        "disagreement": [_said(account) for account in accounts],
    }


def _groups(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every fifth account is the parent of the four behind it; one parent more is no account."""
    made = []
    for i, parent in [*((i, accounts[i]["name"]) for i in range(0, len(accounts) - 4, 5)), (None, "<Holding> & Söhne")]:
        first = i or 0
        inside = accounts[first : first + 5]
        made.append(
            {"i": i, "parent_id": accounts[i]["id"] if i is not None else "001X", "parent": parent, "depth": first % 2,
             "accounts": len(inside), "health": 61.25, "lowest_i": first + 1 if len(accounts) > first + 1 else None,
             "lowest": "x: 31, Critical", "arr": _sum(inside), "arr_rated": 80.0, "unknown_arr": first % 3,
             "currencies": []}
        )  # fmt: skip
    return made if len(accounts) > 4 else []


def _group_columns(accounts: list[dict[str, Any]]) -> dict[str, list[Any]]:
    own = {group["i"]: group for group in _groups(accounts)}
    places = range(len(accounts))
    of = {i: own.get(i - i % 5) for i in places}
    names = {"group_health": "health", "group_arr": "arr", "group_arr_rated": "arr_rated", "group_lowest": "lowest"}
    return {
        "parent_id": [of[i] and of[i]["parent_id"] if i % 5 else None for i in places],
        "parent": [of[i] and of[i]["parent"] if i % 5 else None for i in places],
        "group": [of[i] and f"{of[i]['parent']}: group health 61.2 of 5 accounts" for i in places],
        **{key: [own[i][name] if i in own else None for i in places] for key, name in names.items()},
    }


def _limit(account: dict[str, Any]) -> str | None:
    binds = account["cap"] and account["health"] < account["uncapped"]
    return None if binds or not account["cap"] else "open critical signal: health can't rise above 49"


def _links(account: dict[str, Any]) -> list[dict[str, str]]:
    places = {"Salesforce": "https://example.my.salesforce.com", "Intercom": "https://app.intercom.com/a/apps/x"}
    return [{"label": label, "url": f"{place}/{account['id']}"} for label, place in places.items()]


def _dimension(account: dict[str, Any], name: str) -> dict[str, Any]:
    inside = {m: p for m, p in account["now"].items() if next(x[3] for x in METRICS if x[0] == m) == name}
    known, whole = sum(WEIGHT[m] for m in inside), _dimension_weight(name)
    score = sum(_contributions(inside).values()) if known >= whole / 2 else None
    share = known / whole
    lower, upper = (None, None) if score is None else (score * share, score * share + 100 * (1 - share))
    return {"score": score, "lower": lower, "upper": upper, "coverage": share, "weight": whole}


def _details(accounts: list[dict[str, Any]], *, before: bool) -> dict[str, Any]:
    changes = [account["change"] for account in accounts]
    return {
        "lines": [account["line"] for account in accounts],
        "metrics": {metric[0]: _measured(accounts, metric) for metric in METRICS},
        "reasons": REASONS,
        "change": {
            "since": PERIODS[-2] if before else None,
            "parts": {
                **{key: [change and change[key] for change in changes] for key in ("scorecard", "coverage", "caps")},
                "metrics": {name: [change and change["metrics"].get(name) for change in changes] for name in NAMES},
            },
            "health_before_change": [account["was"]["health"] for account in accounts],
            "total": [account["change"] and account["health"] - account["was"]["health"] for account in accounts],
        },
        "dimensions": {name: _spread([_dimension(account, name) for account in accounts]) for name in DIMENSIONS},
        "signals": [account["signals"] for account in accounts],
        "pulses": [_pulse(account) for account in accounts],
        "signal_counts": {
            severity: [float(sum(s["severity"] == severity for s in account["signals"])) for account in accounts]
            for severity in ("critical", "moderate", "watch")
        },
    }  # fmt: skip


def _spread(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {key: [row[key] for row in rows] for key in ("score", "lower", "upper", "coverage", "weight")}


def _measured(accounts: list[dict[str, Any]], metric: tuple[Any, ...]) -> dict[str, list[Any]]:
    name, worst, best = metric[0], metric[5], metric[6]

    def value(points: float | None) -> float | None:
        return None if points is None else worst + (best - worst) * points / 100

    totals = [sum(WEIGHT[known] for known in account["now"]) for account in accounts]
    points = [account["now"].get(name) for account in accounts]
    weights = [None if p is None else WEIGHT[name] / total for p, total in zip(points, totals, strict=True)]
    return {
        "value": [value(p) for p in points],
        "points": points,
        "weight": weights,
        "contribution": [None if p is None else p * w for p, w in zip(points, weights, strict=True)],
        "before": [value(account["then"].get(name)) for account in accounts],
        "instead": [None] * len(accounts),
        "reason": [None if p is not None else (index % len(REASONS)) for index, p in enumerate(points)],
    }
