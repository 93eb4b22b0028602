"""Date literals: spans of days that are counted from today, such as LAST_N_DAYS:90 and THIS_QUARTER.

SOQL and SOSL Reference, "Date Formats and Date Literals". Days are the user's, here UTC's; weeks begin on Sunday, as in
the locale English (United States). Fiscal years are an org's own and not known here.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from accountpulse.sandbox.salesforce.soql.errors import malformed, unsupported
from accountpulse.sandbox.salesforce.soql.syntax import Span

DAY = timedelta(days=1)
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_DAYS = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
_NAMED = re.compile(r"(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)")
_COUNTED = re.compile(r"(LAST|NEXT)_N_(DAY|WEEK|MONTH|QUARTER|YEAR)S|N_(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO")


def known(word: str) -> bool:
    """Whether a word looks like a date literal."""
    return word in _DAYS or "_FISCAL_" in word or bool(re.fullmatch(r"(LAST|NEXT|THIS)_\w+|N_\w+_AGO", word))


def counted(word: str) -> bool:
    """Whether a literal takes a number: `:n`."""
    return _COUNTED.fullmatch(word) is not None


def checked(word: str, number: int | None) -> Span:
    """The literal; SoqlError for one that is no date literal, or not known here."""
    if "FISCAL" in word:
        raise unsupported(f"the date literal {word}")
    if not (word in _DAYS or word in _NINETY or _NAMED.fullmatch(word) or counted(word)):
        raise malformed(f"unexpected token: '{word}'")
    if counted(word) and not number:
        raise malformed(f"{word} needs a number of at least 1, as in {word}:3")
    return Span(word, number or 0)


def days(span: Span, today: date) -> tuple[date, date]:
    """The first day of a span and the first day after it."""
    word, number = span.word, span.number
    if word in _DAYS:
        first = today + _DAYS[word] * DAY
        return first, first + DAY
    if word in _NINETY:
        word, number = _NINETY[word], 90
    if named := _NAMED.fullmatch(word):
        place = {"LAST": -1, "THIS": 0, "NEXT": 1}[named[1]]
        return _unit(named[2], today, place), _unit(named[2], today, place + 1)
    match = _COUNTED.fullmatch(word)
    assert match is not None  # noqa: S101 - checked when it was read
    if match[3]:
        return _unit(match[3], today, -number), _unit(match[3], today, 1 - number)
    if match[1] == "NEXT":
        return _unit(match[2], today, 1), _unit(match[2], today, 1 + number)
    # days include today, the greater units end with the one before the present one
    return _unit(match[2], today, -number), _unit(match[2], today, match[2] == "DAY")


def instants(span: Span, now: datetime) -> tuple[datetime, datetime]:
    """The same as moments. The last days end with the present second."""
    first, end = (datetime.combine(day, time(), UTC) for day in days(span, now.astimezone(UTC).date()))
    ends_now = span.word in ("LAST_N_DAYS", "LAST_90_DAYS")
    return first, now.replace(microsecond=0) + timedelta(seconds=1) if ends_now else end


def _unit(name: str, today: date, place: int) -> date:
    """The first day of the unit that is so many before or after the present one."""
    if name == "DAY":
        return today + place * DAY
    if name == "WEEK":
        return today - (today.isoweekday() % 7) * DAY + 7 * place * DAY
    length = _MONTHS[name]
    month = today.year * 12 + today.month - 1
    year, number = divmod((month // length + place) * length, 12)
    return date(year, number + 1, 1)


_NINETY = {"LAST_90_DAYS": "LAST_N_DAYS", "NEXT_90_DAYS": "NEXT_N_DAYS"}


def holds(operator: str) -> Callable[[date, date, date], bool]:
    """Whether a value stands so to a span: value, first, end."""
    return _RELATIONS[operator]


_RELATIONS: Mapping[str, Callable[[date, date, date], bool]] = {
    "=": lambda value, first, end: first <= value < end,
    "!=": lambda value, first, end: not first <= value < end,
    "<": lambda value, first, _end: value < first,
    "<=": lambda value, _first, end: value < end,
    ">": lambda value, _first, end: value >= end,
    ">=": lambda value, first, _end: value >= first,
}
