"""How many of the requests that a system allows are left, by its headers. No I/O: the clock is an argument."""

import math
from dataclasses import dataclass, replace
from typing import Self

from accountpulse.http.rate_headers import RateAllowance

MARGIN = 0.05  # seconds after a reset that the headers name: no two clocks agree entirely
HIDDEN = 1.0  # seconds by which a window may end later than the headers name, since these name whole seconds
LEAST = 0.1  # of a window: no more of it is waited for a hidden second
ASK_FIRST = 0.05  # of a window: where an answer takes less, one request finds out what it allows, and the others wait
SAME_END = 0.5  # seconds: ends that differ by less are one end, since the headers name whole seconds


@dataclass(frozen=True)
class AllowanceWindow:
    """Requests up to number `last` go before more is allowed, which is at `ends` (seconds since 1970) at the latest.

    Requests are numbered as they are sent; `sent` is the number of the last one everywhere below.
    """

    allowance: RateAllowance  # by the answer with `least_left`
    last: int
    ends: float
    is_end_certain: bool  # more comes at `ends`, not before
    after: int = 0  # answers to requests up to this number belong to an earlier window
    least_left: int | None = None  # by any answer; None: the window began by the clock, and no answer has come
    sent_by_then: int = 0  # `sent` when the answer with `least_left` came
    length: float = 0.0  # seconds from end to end; 0: none was seen from its beginning
    margin: float = MARGIN  # seconds after an end that is named, until it is one

    def left(self, sent: int) -> int:
        """How many more may go now; below 0 where more went than were allowed."""
        return self.last - sent

    def is_over(self, now: float) -> bool:
        """Whether more must have come by the clock, and what the answers said no longer holds."""
        return now >= self.ends and self.least_left is not None

    def is_cheap_to_ask(self, took: float) -> bool:
        """Whether one request should find out what the next window allows; `took`: seconds that an answer takes."""
        return took <= ASK_FIRST * self.length or not self.length

    def is_scarce(self, left: int) -> bool:
        """Whether what is left should go one by one, so that one of them finds out when more has come.

        With the square root of a filling, what goes unused and what is found out too late cost the least together.
        """
        return not self.is_end_certain and left <= math.sqrt(self.allowance.fill)

    def spread_wait(self, now: float, went: float, left: int) -> float:
        """Seconds until the next of the last few may go; `went`: when the last request went."""
        return max(0.0, went + (self.ends - went) / (left + 1) - now)

    def renewed(self, now: float, sent: int, under_way: int, trust: float) -> Self:
        """The window that has begun by the clock. What is under way may count in it.

        `trust` in [0, 1] is how much of what should have been filled in is counted on before an answer comes.
        """
        allowance, ends = self.allowance, self.ends
        if not allowance.exact:
            ends += allowance.wait * (1 + (now - ends) // allowance.wait)
        filled = self.left(sent) + math.ceil(allowance.fill * trust)
        last = sent + min(allowance.most - under_way, filled)
        return replace(self, last=last, ends=ends, after=sent, least_left=None)

    def refused(self, now: float, wait: float, sent: int) -> Self:
        """Nothing is left, whatever the headers said: for `wait` seconds; 0: until the window ends."""
        # where a window that had begun by the clock refuses, the one before it wasn't over
        margin = self.margin if self.least_left is not None else self._late_margin()
        ends = max(now + wait if wait else self.ends, now + margin)
        certain = self.allowance.exact
        return replace(self, last=sent, ends=ends, after=sent, least_left=0, is_end_certain=certain, margin=margin)

    def answered(self, allowance: RateAllowance, now: float, number: int, sent: int, under_way: int) -> Self:
        """The window after an answer to request `number`, which said what is allowed."""
        if allowance.exact:
            return self._answered_exactly(allowance, now, number, sent, under_way)
        if number <= self.after:
            return self
        ends = self.end_of(allowance, now)
        window = self if self.ends > now else replace(self, ends=ends)
        if self.least_left is not None and allowance.left > self.least_left and number > self.sent_by_then:
            # more has come just before
            window = replace(self, ends=ends, is_end_certain=True, after=number - 1, least_left=None)
        return window.narrowed(allowance, sent, under_way)

    def _answered_exactly(self, allowance: RateAllowance, now: float, number: int, sent: int, under_way: int) -> Self:
        """The same, where the answer says when its window ends."""
        ends, same = self.end_of(allowance, now), max(SAME_END, allowance.vague)
        if ends > self.ends + same:
            length = max(self.length, allowance.wait)
            window = replace(self, ends=ends, is_end_certain=True, after=0, least_left=None, length=length)
        elif ends < self.ends - same or (self.least_left is None and number <= self.after):
            return self  # of an earlier window
        elif self.least_left is None:
            late = replace(self, margin=self._late_margin())  # it was asked after this window's end, and it isn't over
            window = replace(late, ends=late.end_of(allowance, now))
        else:
            window = replace(self, ends=min(ends, self.ends), is_end_certain=True)
        return window.narrowed(allowance, sent, under_way)

    @classmethod
    def opened(cls, allowance: RateAllowance, now: float, sent: int, under_way: int) -> Self:
        """The window of the first answer that says what is allowed."""
        window = cls(allowance, 0, 0.0, allowance.exact, length=0.0 if allowance.exact else allowance.wait)
        return replace(window, ends=window.end_of(allowance, now)).narrowed(allowance, sent, under_way)

    def narrowed(self, allowance: RateAllowance, sent: int, under_way: int) -> Self:
        """What an answer leaves, less what is under way.

        Answers overtake each other. The least of a window is the newest, and counts every request that is answered.
        """
        if self.least_left is not None and self.least_left <= allowance.left:
            return replace(self, last=sent + self.least_left - under_way)
        last = sent + allowance.left - under_way
        return replace(self, allowance=allowance, last=last, least_left=allowance.left, sent_by_then=sent)

    def end_of(self, allowance: RateAllowance, now: float) -> float:
        """When more comes, by an answer that has just come."""
        return now + allowance.wait + (self.margin if allowance.exact else 0)

    def _late_margin(self) -> float:
        return MARGIN + (min(HIDDEN, LEAST * self.length) if self.length else HIDDEN)
