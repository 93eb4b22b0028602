"""A run that is told to stop ends in order: its period is given back, and what it has read is kept."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from accountpulse.core import spooled
from accountpulse.core.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def orderly() -> Iterator[None]:
    """Inside, the first SIGTERM or SIGINT ends the work as Ctrl-C does, and is raised as Stopped; others are ignored.

    For the main thread.
    """
    told: list[str] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if not told:
            told.append(signal.Signals(number).name)
            raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(told[0] if told else "SIGINT") from None
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def leave(code: int) -> NoReturn:
    """End the process without waiting for requests of other threads that are under way."""
    spooled.remove_all()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
