"""How many requests a second a system takes that refuses and has no headers for it: learnt from what it let through."""

from collections import deque

DROP = 0.8  # of the speed at which it refused
BACK = 20.0  # seconds until that speed is tried again; slowly before, faster and faster afterwards
DEBT = 0.1  # seconds that a request which went late may be made up for
LONGEST = 60.0  # seconds of answers that are remembered
SLOWEST = 4.0  # requests a second: below it a refusal says nothing of speed, and the waits that it asks for are enough


class LearntRate:
    """No limit until the first refusal. Then requests are spaced.

    The first says two things: how many answers came in the last seconds (as many seconds as it asks to wait, since
    that is how often such a system counts anew, at least one), and that this was too much. So four fifths of it are
    tried; after `BACK` seconds without a refusal all of it, and with the square of the time more. Each later one takes
    a fifth of what is tried then, down to `SLOWEST`.
    """

    def __init__(self) -> None:
        """Nothing was refused yet."""
        self._peak: float | None = None  # requests a second, which were too many
        self._since = 0.0  # from then on it is tried
        self._share = 0.0  # what one answer more, of those under way when it refused first, adds to the peak
        self._due = 0.0
        self._answers: deque[float] = deque()

    @property
    def is_known(self) -> bool:
        """Whether a request was refused, so that they are spaced."""
        return self._peak is not None

    def at(self, now: float) -> float | None:
        """Requests a second that are tried now; None: as many as like."""
        if self._peak is None:
            return None
        return max(SLOWEST, self._peak * (DROP + (1 - DROP) * (max(0.0, now - self._since) / BACK) ** 2))

    def wait(self, now: float) -> float:
        """Seconds until the next may go."""
        return 0.0 if self._peak is None else max(0.0, self._due - now)

    def sent(self, now: float) -> None:
        """One goes."""
        if (rate := self.at(now)) is not None:
            self._due = max(self._due, now - DEBT) + 1 / rate

    def answered(self, now: float) -> None:
        """One was answered."""
        if self._peak is not None and now < self._since:
            self._peak += self._share
        self._answers.append(now)
        while self._answers[0] < now - LONGEST:
            self._answers.popleft()

    def refused(self, now: float, wait: float) -> None:
        """One was refused, the first of several that were under way; `wait`: how long nobody asks now, in seconds."""
        tried, span = self.at(now), min(LONGEST, max(1.0, wait))
        self._peak = tried or max(1, sum(answer > now - span for answer in self._answers)) / span
        self._share = 0 if tried else 1 / span
        self._since = self._due = now + wait
