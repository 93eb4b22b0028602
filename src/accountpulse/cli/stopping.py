"""A run that is told to stop ends in order: its period is given back, and what it has read is kept."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from accountpulse.core import spooled
from accountpulse.core.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)
AGAIN = 0.02  # seconds


@contextmanager
def orderly() -> Iterator[None]:
    """Inside, the first SIGTERM or SIGINT ends the work as Ctrl-C does, and is raised as Stopped; others are ignored.

    For the main thread. Python drops what is raised while it destroys an object or calls back from C, and says so to a
    hook: a stop that was dropped there is told once more.
    """
    told: list[str] = []
    agains: list[threading.Timer] = []
    dropped = sys.unraisablehook

    def stop(number: int, _frame: FrameType | None) -> None:
        if not told:
            told.append(signal.Signals(number).name)
            raise KeyboardInterrupt

    def tell_again(what: "sys.UnraisableHookArgs") -> None:
        if not told or what.exc_type is not KeyboardInterrupt:
            dropped(what)
            return
        number = signal.Signals[told.pop()]
        again = threading.Timer(AGAIN, os.kill, (os.getpid(), number))  # after the hook: here it would be dropped, too
        again.daemon = True
        again.start()
        agains.append(again)

    before = {each: signal.signal(each, stop) for each in SIGNALS}
    sys.unraisablehook = tell_again
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(told[0] if told else "SIGINT") from None
    finally:
        sys.unraisablehook = dropped
        for again in agains:
            again.cancel()
        for each, handler in before.items():
            signal.signal(each, handler)


def leave(code: int) -> NoReturn:
    """End the process without waiting for requests of other threads that are under way."""
    spooled.remove_all()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
