"""How many requests of one source may be under way at once: as many as make it faster. No I/O."""

import statistics

from accountpulse.http.answer_time import AnswerTime

START = 8  # requests at once, before anything is known
MOST = 64
QUICK = 1.25  # times the usual time of an answer: up to here more at once gains more
SLOW = 2.0  # from here on requests only wait for each other


class ConcurrencyLimit:
    """`value` grows while answers stay quick, falls while they are slow, and halves when the system refuses."""

    def __init__(self, start: int = START) -> None:
        """Nothing is known of the system yet."""
        self.value = start
        self._round: list[AnswerTime] = []  # of the answers since the value was looked at last
        self._busiest = 0  # requests under way at once in this round
        self._usual: float | None = None  # seconds an answer takes where few are under way

    def sent(self, under_way: int) -> None:
        """One more goes; `under_way` counts it."""
        self._busiest = max(self._busiest, under_way)

    def answered(self, took: AnswerTime, under_way: int) -> None:
        """An answer took so long. After as many answers as may be under way: more, fewer, or stay."""
        self._round.append(took)
        if len(self._round) < self.value:
            return
        # the system has the benefit of the doubt: what may be our own lateness makes it neither slow now, nor any
        # quicker than it was seen to be
        middle = statistics.median(each.least for each in self._round)
        seen = statistics.median(each.waited for each in self._round)
        # where few are under way and it is slow all the same, it has become slow by itself
        self._usual = seen if self._usual is None or self.value <= START else min(seen, self._usual)
        in_use = self._busiest * 4 >= self.value * 3
        self._begin_round(under_way)
        if middle <= self._usual * QUICK and in_use:
            self.value = min(MOST, self.value + max(1, self.value // 2))
        elif middle > self._usual * SLOW and self.value > START:  # only a refusal takes it below
            self.value = max(START, self.value * 3 // 4)

    def refused(self, under_way: int) -> None:
        """The system has had enough; to be said once of several requests that were under way together."""
        self.value = max(1, self.value // 2)
        self._begin_round(under_way)

    def _begin_round(self, under_way: int) -> None:
        self._round.clear()
        self._busiest = under_way
