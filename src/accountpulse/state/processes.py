"""Which process this is, and whether one that says so of itself still lives.

Linux tells all of it: the boot of the kernel, the namespace that gives process numbers their meaning (each container
has its own, also under one host name), and the clock tick at which a process started, which tells it from a later one
with its number. None of these moves when a clock is set. Elsewhere none of it is known, and only signs of life count.

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROC = Path("/proc")
STATE, STARTED = 0, 19  # fields of `stat` after the name, which is in parentheses and may hold anything
DEAD = ("Z", "X", "x")  # ended, though its parent hasn't asked yet


def boot() -> str | None:
    """The boot of this kernel; None: it doesn't say.

    Functions of AWS Lambda may wake from one picture of a machine: there the environment's own name belongs to it.
    """
    try:
        kernel = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return kernel + os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")


def this_process() -> dict[str, Any]:
    """Namespace, number and start of this process; all null where they aren't known."""
    try:
        namespace = (PROC / "self/ns/pid").stat().st_ino
        number = int((PROC / "self/stat").read_text(encoding="utf-8", errors="replace").split()[0])
    except (OSError, ValueError):
        namespace, number = 0, 0
    if number != os.getpid():  # /proc is another namespace's
        return {"pid_namespace": None, "process": None, "started_ticks": None}
    return {"pid_namespace": namespace, "process": number, "started_ticks": _started(number)}


def is_alive(facts: Mapping[str, Any]) -> bool | None:
    """Whether the process that `facts` of this boot describe lives; None: can't be seen from here."""
    number, ours = facts["process"], this_process()
    if not number or number < 0 or ours["pid_namespace"] is None or facts["pid_namespace"] != ours["pid_namespace"]:
        return None
    started = _started(number)
    if started is None and _is_another_users(number):
        return None
    return started is not None and started == facts["started_ticks"]


def _started(number: int) -> int | None:
    """The tick at which a process started; None: there is none, or it has ended."""
    try:
        text = (PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
        return None if fields[STATE] in DEAD else int(fields[STARTED])
    except (OSError, ValueError, IndexError):
        return None


def _is_another_users(number: int) -> bool:
    """Whether there is such a process, which /proc may show to its own user alone."""
    try:
        os.kill(number, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return False
