"""Locks on open files and folders, which the kernel lets go of when a process ends, however it ends.

Every process of one machine sees them, also in another container. A file system that has none (some network shares)
is no error: there nobody is kept out, and nothing that lies about is taken for abandoned.
"""

from contextlib import suppress

try:
    import fcntl
except ImportError:  # a platform without them
    fcntl = None  # type: ignore[assignment]


def hold(descriptor: int) -> None:
    """Wait for the lock of an open file or folder; it is ours until the descriptor is closed."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def is_abandoned(descriptor: int) -> bool:
    """Whether nobody holds it; if so, it is ours until the descriptor is closed."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or not to be told
        return False
    return True
