"""Words and numbers as people read them."""

from collections.abc import Mapping

from accountpulse.core.records import Source
from accountpulse.pipeline.result import Standing

TITLES: Mapping[Source, str] = {
    "intercom": "Intercom",
    "jira": "Jira",
    "looker": "Looker",
    "salesforce": "Salesforce",
}
_COUNTED: Mapping[Source, tuple[tuple[str, str], ...]] = {
    "salesforce": (("accounts", "accounts"), ("signals", "signals")),
    "intercom": (("conversations", "conversations"),),
    "jira": (("issues", "bugs"),),
    "looker": (("usage_days", "usage days"), ("features", "features")),
}


def rows_of(standing: Standing) -> str:
    """What a source brought, in its own words: `1,534 conversations`."""
    return ", ".join(f"{standing.rows.get(table, 0):,} {word}" for table, word in _COUNTED[standing.source])


def money(amount: float | None) -> str:
    """An amount without its currency: `1.2M`, `340k`, `–`."""
    if amount is None:
        return "–"
    for limit, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= limit * 0.9995:
            return f"{amount / limit:.3g}{suffix}"
    return f"{amount:.0f}"


def points(value: float | None) -> str:
    """A score with one decimal, or `–`."""
    return "–" if value is None else f"{value:.1f}"


def plural(count: int, word: str, many: str | None = None) -> str:
    """`1 account`, `2 accounts`."""
    return f"{count:,} {word if count == 1 else many or word + 's'}"
