"""Idempotency keys of the requests that are being answered, by any worker of a server."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from layers.filesystem.file_lock import HAS_RANGE_LOCKS, lock_range


class KeyAtWork(RuntimeError):
    """A request with this key is being answered at this moment."""


class KeysAtWork:
    """The keys of a worker, in memory, and of all workers, as locks on single bytes of a file.

    A lock ends with the process that holds it, so that no crash leaves a key at work. Where the system has no locks of
    open files (Linux, fcntl(2), F_OFD_SETLK) workers do not see each other's keys; the store refuses the second of two
    requests all the same.
    """

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._own: set[tuple[str, str]] = set()
        self._file = None if folder is None or not HAS_RANGE_LOCKS else folder / "keys"

    @contextmanager
    def holding(self, person: str, key: str) -> Iterator[None]:
        """Hold the key of a person while a request is answered; raises `KeyAtWork` if it is held."""
        with self._lock:
            if (person, key) in self._own:
                raise KeyAtWork("a request with this key is being answered")
            self._own.add((person, key))
        try:
            with self._byte_locked(f"{person} {key}"):
                yield
        finally:
            with self._lock:
                self._own.discard((person, key))

    @contextmanager
    def _byte_locked(self, key: str) -> Iterator[None]:
        """Lock the byte of a key; two keys of one byte, of 2^62, would wait for each other."""
        if self._file is None:
            yield
            return
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            byte = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") >> 2
            try:
                lock_range(handle, "exclusive", byte, 1)
            except BlockingIOError:
                raise KeyAtWork("a request with this key is being answered") from None
            yield
        finally:
            with suppress(OSError):
                os.close(handle)
