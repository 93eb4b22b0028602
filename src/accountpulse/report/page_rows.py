"""An account's line in the page's lists, as texts: the templates write the first lines, the scripts the others."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from accountpulse.report.columns import BY_KEY, LISTED, Column
from accountpulse.report.page_text import Texts, day, due_on, fixed, sentences, signed

SEARCHED = ("name", "id", "owner", "segment", "cap", "drivers", "not_rated", "step")
SCHEMES = ("https://", "http://")  # of links; anything else in an address is no link


class AccountTexts:
    """The texts of all accounts, a list for each slot of a line, and what the lists are sorted and filtered by."""

    def __init__(self, document: Mapping[str, Any], texts: Texts) -> None:
        self._columns: Mapping[str, list[Any] | None] = document["accounts"]
        self._count = len(document["accounts"]["id"])
        self._as_of = date.fromisoformat(document["as_of"])
        self._ranks = {tier["name"]: tier["rank"] for tier in document["tiers"]}
        self._money = texts.amount
        self._pulses: list[Mapping[str, Any] | None] = document["details"]["pulses"]
        self.slots = {column.key: self._written(column) for column in LISTED} | self._made(document["worklist"])

    def column(self, key: str) -> list[Any]:
        """The document's values; nulls where it has no such column."""
        return self._columns.get(BY_KEY[key].key) or [None] * self._count

    def _written(self, column: Column) -> list[str]:
        values = self.column(column.key)
        match column.format:
            case "text":
                return [column.missing if value is None else value for value in values]
            case "day":
                return [day(value) for value in values]
            case "money":
                return [self._money(value) for value in values]
            case "score":
                return [fixed(value) for value in values]
            case "index":
                return [fixed(value, 0) for value in values]

    def _made(self, worklist: list[int]) -> dict[str, list[Any]]:
        """What stands in a line beside the document's own columns; `place` is counted from 1."""
        places = {i: str(place) for place, i in enumerate(worklist, 1)}
        changes = zip(self.column("health"), self.column("health_before"), strict=True)
        return {
            "place": [places[i] for i in range(self._count)],
            "change": ["" if None in pair else signed(pair[0] - pair[1]) for pair in changes],
            "due": ["" if days is None else due_on(days, self._as_of.isoformat()) for days in self.days()],
            "why": [self.reasons(i) for i in range(self._count)],
        }

    def days(self) -> list[int | None]:
        """Whole days from the day of the report to the renewal."""
        return [
            None if text is None else (date.fromisoformat(text) - self._as_of).days for text in self.column("renewal")
        ]

    def reasons(self, i: int) -> list[str]:
        """Why an account stands where it does, the heaviest first.

        What holds it down, what a rating lacks, what costs most; last a limit that doesn't lower the score. An open
        critical signal that gives an account its tier although too little is known comes first.
        """
        keys = ("cap", "limit", "drivers", "not_rated", "health", "before_caps", "risk")
        cap, limit, drivers, lacking, health, before, risk = (self.column(key)[i] for key in keys)
        if limit is None and cap:
            first, *others = sentences(cap)
            further = [f"further limits: {', '.join(others)}"] if others else []
            return [f"capped at {fixed(health)} (from {fixed(before)}): {first}", *sentences(drivers), *further]
        limits = [] if limit is None else [limit]
        if health is None and risk is not None:
            return [*limits, *sentences(lacking), *sentences(drivers)]
        return [*sentences(lacking), *sentences(drivers), *limits]

    def links(self, i: int) -> list[dict[str, str]]:
        """The account in the systems: `label` and `url`."""
        found = self._columns.get("links")
        return [] if found is None else [link for link in found[i] or () if link["url"].startswith(SCHEMES)]

    def keys(self) -> dict[str, list[Any]]:
        """What the worklist is sorted by and summed up; null is not known and comes last."""
        return {
            "place": [int(place) for place in self.slots["place"]],
            "tier": [self._ranks.get(tier) for tier in self.column("tier")],
            "renewal": self.days(),
            **{key: self.column(key) for key in ("name", "owner", "health", "risk", "arr")},
        }

    def searched(self) -> list[str]:
        """What the search looks at, in lower case."""
        columns = [self.column(key) for key in SEARCHED]
        return ["\n".join(text for text in texts if text is not None).lower() for texts in zip(*columns, strict=True)]

    def line(self, i: int) -> dict[str, Any]:
        """One account's texts by slot."""
        return {slot: texts[i] for slot, texts in self.slots.items()}

    def mover(self, mover: Mapping[str, Any]) -> dict[str, Any]:
        """What a line of the movers says besides the account's own texts; `i` is the account's place."""
        effect = mover["scorecard_effect"]
        apart = [f"the scorecard's own change: {signed(effect)}"] if effect and signed(effect) != "0.0" else []
        return {
            "i": mover["i"],
            "arr": self._money(mover["arr"]),
            "tier": mover["tier"],
            "tier_before": mover["tier_before"],
            "health": fixed(mover["health"]),
            "health_before": fixed(mover["health_before"]),
            "change": signed(mover["change"]),
            "way": mover["way"],
            "why": [*mover["words"], *apart],
        }

    def crossing(self, crossed: Mapping[str, Any]) -> dict[str, Any]:
        """What a line of the crossings says besides the account's own texts: `▼` is worse, `▲` better, `•` neither."""
        lines = [
            f"{'▼' if each['worse'] else '▲' if each['better'] else '•'} {each['text']}" for each in crossed["lines"]
        ]
        return {"i": crossed["i"], "way": crossed["way"], "lines": lines}

    def disagreement(self, disagreed: Mapping[str, Any]) -> dict[str, Any]:
        """What a line of the disagreements says besides the account's own texts; last the CSM's reason."""
        pulse = self._pulses[disagreed["i"]] or {}
        is_of_pulse = any(each["kind"] != "forecast" for each in disagreed["lines"])
        said = ": ".join(text for text in (pulse.get("author"), pulse.get("reason")) if text) if is_of_pulse else ""
        lines = [each["text"] for each in disagreed["lines"]]
        return {"i": disagreed["i"], "lines": [*lines, *([said] if said else [])]}
