"""Numbers as sentences say them: a minus sign is one, a blank stands before %, and nothing is −0."""

from collections.abc import Sequence

from accountpulse.proof.intervals import Interval


def decimal(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """`0.78`, `−0.117`; `signed`: `+0.249`."""
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{digits}f}"


def bounded(value: Interval, digits: int = 2, *, signed: bool = False) -> str:
    """`0.78 (0.71 to 0.84)`."""
    found, low, high = (decimal(each, digits, signed=signed) for each in (value.value, value.lower, value.upper))
    return f"{found} ({low} to {high})"


def percent(share: float) -> str:
    """`59 %`; one decimal below 10."""
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1f} %"


def in_percent(share: Interval) -> str:
    """`59 %, 46–71 %`."""
    digits = 0 if share.value >= 0.1 or share.value == 0 else 1
    low, high = (f"{100 * bound:.{digits}f}" for bound in (share.lower, share.upper))
    return f"{percent(share.value)}, {low}–{high} %"


def in_hundredths(value: Interval) -> str:
    """`0.78, 0.71–0.84`."""
    return f"{value.value:.2f}, {value.lower:.2f}–{value.upper:.2f}"


def counted(count: int, word: str) -> str:
    """`1 customer`, `61 customers`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def were(count: int) -> str:
    """`1 was`, `2 were`."""
    return f"{count:,} {'was' if count == 1 else 'were'}"


def either(names: Sequence[str]) -> str:
    """`At Risk or Critical`."""
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
