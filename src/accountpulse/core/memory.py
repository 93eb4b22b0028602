"""How much memory the process holds, and how it gives back what it no longer needs."""

import ctypes
import gc
import os
import sys
from pathlib import Path

COLLECTED_AFTER = 20_000  # new objects; Python's own is 700: https://docs.python.org/3/library/gc.html#gc.set_threshold
# Polars' allocator (jemalloc) keeps what was freed for ten seconds; a run would hold the tables of all sources twice.
# https://jemalloc.net/jemalloc.3.html#opt.dirty_decay_ms
_NAME, _VALUE = "_RJEM_MALLOC_CONF", "dirty_decay_ms:100,muzzy_decay_ms:0"
# The C library's own measures: every thread takes small pieces from one store, where others would lie about half empty;
# and an answer's body has pages of its own, which go back with it.
# https://man7.org/linux/man-pages/man3/mallopt.3.html
_STORES, _OWN_PAGES = (-8, 1), (-3, 128 * 1024)  # M_ARENA_MAX; M_MMAP_THRESHOLD, bytes


def trim() -> None:
    """Between two stages: the C library gives back what Python freed in small pieces. Elsewhere than on Linux: nothing.

    https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    gc.collect()
    _c_library("malloc_trim", 0)


def _c_library(name: str, *values: int) -> None:
    """Call a function of the C library where it has it: glibc has these, others don't."""
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function is not None:
        function(*values)


def prepare() -> None:
    """Before Polars is loaded: free memory goes back to the system at once, and Python looks for cycles more seldom.

    Tables and decoded answers are many objects without a cycle; to look for some took a fifth of the imports.
    A setting of the environment stands.
    """
    os.environ.setdefault(_NAME, _VALUE)
    gc.set_threshold(COLLECTED_AFTER)
    for option in (_STORES, _OWN_PAGES):
        _c_library("mallopt", *option)


def peak() -> int:
    """The most memory that this process has used so far, in MB; 0 where the system doesn't tell.

    Linux's own figure of the program that runs: what getrusage gives begins with what the process that started it used.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) // 1024
