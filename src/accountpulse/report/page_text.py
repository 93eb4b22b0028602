"""Numbers and days as the page writes them, and which colour and shape stand for which tier and band.

The scripts get these texts; only a sum of ARR over the accounts that were searched for is written in text.js.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

MISSING = "–"
_SIZES = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
_TONES = 6  # colours from best to worst in page.css
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tier_tones(tiers: Sequence[Mapping[str, Any]]) -> dict[str | None, str]:
    """Tier → `0` (best) … `5` (worst), spread over the scale; `none` for the last, which is no tier."""
    last = max(1, len(tiers) - 2)
    tones: dict[str | None, str] = {
        tier["name"]: str(int(place * (_TONES - 1) / last + 0.5)) for place, tier in enumerate(tiers[:-1])
    }
    return tones | {tiers[-1]["name"]: "none"}


def band_tones(bands: Sequence[Mapping[str, Any]]) -> dict[str | None, str]:
    """Band of risk → `low`, `mid` or `high`; `none` where no risk is known."""
    middle: dict[str | None, str] = {band["name"]: "mid" for band in bands}
    return middle | {bands[0]["name"]: "low", bands[-1]["name"]: "high", None: "none"}


def fixed(value: float | None, decimals: int = 1) -> str:
    """`72.4`, `1,204.0`, `−3.1`."""
    if value is None:
        return MISSING
    text = f"{value:,.{decimals}f}"
    return text if value > 0 else _unsigned(text)


def signed(value: float | None, decimals: int = 1) -> str:
    """`+3.0`, `−0.4`, `0.0`."""
    if value is None:
        return MISSING
    text = f"{value:+,.{decimals}f}"
    return text[1:] if float(text.replace(",", "")) == 0 else _unsigned(text)


def _unsigned(text: str) -> str:
    text = text.replace("-", "−")
    return text[1:] if text.startswith("−") and not text.strip("−0.,") else text


def share(part: float | None, whole: float | None = 1.0) -> str:
    """`23 %`."""
    return MISSING if part is None or not whole else f"{100 * part / whole:.0f} %"


def day(text: str | None) -> str:
    """`2026-11-01` → `1 Nov 2026`."""
    if text is None:
        return MISSING
    when = date.fromisoformat(text[:10])
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def month(period: str) -> str:
    """`2026-10` → `Oct 2026`; of a snapshot `2026-10-31` → `31 Oct 2026`."""
    day = f"{int(period[8:])} " if period[8:] else ""
    return f"{day}{_MONTHS[int(period[5:7]) - 1]} {period[:4]}"


def moment(text: str | None) -> str:
    """`2026-11-01T02:14:03Z` → `1 Nov 2026, 02:14 UTC`."""
    if text is None:
        return MISSING
    when = datetime.fromisoformat(text)
    return f"{day(text)}, {when:%H:%M} {when.tzname() or 'UTC'}"


def due(days: int) -> str:
    """Days until a renewal in words."""
    if days == 0:
        return "today"
    unit = "day" if abs(days) == 1 else "days"
    return f"in {days} {unit}" if days > 0 else f"{-days} {unit} overdue"


def due_on(days: int, as_of: str) -> str:
    """The same, with the day that it is counted from: `in 9 days (on 1 Nov 2026)`."""
    return f"{due(days)} (on {day(as_of)})"


def counted(number: float, word: str) -> str:
    """`1 account`, `1,204 accounts`."""
    return f"{fixed(number, 0)} {word}{'' if number == 1 else 's'}"


def sentences(text: str | None) -> list[str]:
    """What was joined by semicolons, as a list."""
    return text.split("; ") if text else []


class Texts:
    """How this document writes money, and everything else."""

    def __init__(self, currency: str | None) -> None:
        self.sign = f"{currency} " if currency else ""
        self.sizes = _SIZES
        self._after = f" {currency}" if currency else ""

    def amount(self, value: float | None) -> str:
        """Of one account: `423,000 USD`; without a currency `423,000`."""
        return MISSING if value is None else f"{fixed(value, 0)}{self._after}"

    def money(self, value: float | None) -> str:
        """Of many accounts, three digits that matter: `USD 1.36M`, `USD 455k`; without a currency `1.36M`."""
        return MISSING if value is None else f"{'−' if value < 0 else ''}{self.sign}{self.bare(abs(value))}"

    def bare(self, value: float | None) -> str:
        """The same without the currency, for tables whose heading names it."""
        if value is None:
            return MISSING
        size, unit = next((row for row in _SIZES if abs(value) >= row[0]), (1.0, ""))
        number = value / size
        decimals = 0 if not unit or abs(number) >= 100 else 1 if abs(number) >= 10 else 2
        rounded = Decimal(repr(abs(number))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)  # as the scripts do
        return f"{'−' if value < 0 else ''}{rounded:,f}{unit}"

    def filters(self) -> dict[str, Callable[..., Any]]:
        """For the templates."""
        return {
            "counted": counted, "money": self.money, "bare": self.bare, "amount": self.amount, "fixed": fixed,
            "signed": signed, "share": share, "day": day, "moment": moment, "sentences": sentences,
        }  # fmt: skip
