"""Guards for walks over pages: a walk ends, or says why it can't be trusted."""

from accountpulse.core.errors import UnexpectedAnswer

MOST_PAGES = 100_000  # of one walk
CIRCLE = 20  # pages in a row without anything new


class Cursors:
    """The cursors of one walk, so that it doesn't go in a circle."""

    def __init__(self) -> None:
        """No page has come yet."""
        self._seen: set[str] = set()
        self._idle = 0

    def lead_on(self, cursor: str, news: int) -> bool:
        """Whether to follow `cursor` after a page with `news` rows that were not seen before.

        Not where it came before, nor where page after page brings nothing new.
        """
        self._idle = 0 if news else self._idle + 1
        good = cursor not in self._seen and self._idle < CIRCLE and len(self._seen) < MOST_PAGES
        self._seen.add(cursor)
        return good


class PageGuard:
    """Watches one walk: the same cursor twice, an empty page that has a next one, or no end."""

    def __init__(self, source: str, walk: str) -> None:
        """`walk` names the walk in messages."""
        self._source = source
        self._walk = walk
        self._seen: set[str] = set()

    def check(self, cursor: str | None, rows: int) -> None:
        """Accept a page of `rows` rows whose next cursor is `cursor`, or raise UnexpectedAnswer."""
        if cursor is None:
            return
        if cursor in self._seen:
            self._stop("the same cursor came twice")
        if rows == 0:
            self._stop("an empty page has a next one")
        self._seen.add(cursor)
        if len(self._seen) > MOST_PAGES:
            self._stop(f"there are more than {MOST_PAGES:,} pages")

    def _stop(self, answer: str) -> None:
        raise UnexpectedAnswer(self._source, f"paging through {self._walk}", answer)
