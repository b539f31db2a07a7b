"""Locks of open files against other processes: they end with the file that is open, and so with its process."""

from __future__ import annotations

import os
import struct
from typing import Literal

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked: of two programs at once one may lose its change.
    fcntl = None  # type: ignore[assignment]

#: Whether a lock can hold against other processes here.
HAS_LOCKS = fcntl is not None
#: Whether ranges of bytes can be locked for an open file and not for a process (Linux, fcntl(2), F_OFD_SETLK).
HAS_RANGE_LOCKS = hasattr(fcntl, "F_OFD_SETLK")


def lock(descriptor: int, *, shared: bool = False, wait: bool = True) -> bool:
    """Lock an open file as a whole (flock(2)); whether that could be done, or nothing is locked here.

    Parameters
    ----------
    shared
        Whether others may hold a shared lock at the same time.
    wait
        Whether to wait for those who hold it.
    """
    if fcntl is None:
        return True
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Let others lock an open file."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def lock_range(descriptor: int, kind: Literal["shared", "exclusive", "none"], first: int, size: int) -> None:
    """Lock a range of bytes of an open file, whether or not the file has them; nothing is done without range locks.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    OSError
        If the file system knows no such lock.
    """
    if not HAS_RANGE_LOCKS:
        return
    kinds = {"shared": fcntl.F_RDLCK, "exclusive": fcntl.F_WRLCK, "none": fcntl.F_UNLCK}
    # struct flock of 64-bit Linux: type, whence, start, length, process (0 as the manual asks).
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kinds[kind], os.SEEK_SET, first, size, 0))
