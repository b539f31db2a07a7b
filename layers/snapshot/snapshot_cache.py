"""Where what follows from a store is kept, and whether what is kept there still follows from it."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson

from layers.reference.basemap import Basemap
from layers.snapshot import snapshot_files
from layers.snapshot.array_files import Reading, Writing
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store

try:
    import fcntl
except ImportError:  # Windows: two servers that start at once may both do the work.
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

#: From so many strikes and assets on, finding what follows takes longer than reading it.
LEAST = 20_000
#: Version of the files.
_FORMAT = 1


@dataclass(frozen=True)
class Keeping:
    """What is kept of one store, in a folder beside it.

    Parameters
    ----------
    basemap, base
        The path of the base map, and what was read of it.
    program
        Names the version of the program: what another made is not read.
    publish_from, show_from
        As in `layers.snapshot.snapshot.Snapshot`.
    """

    store: Store
    basemap: Path
    base: Basemap
    program: str
    publish_from: float
    show_from: float
    least: int = LEAST

    def is_worth_it(self) -> bool:
        """Whether the store is so large that finding what follows takes longer than reading it."""
        return self.store.size("strikes", "assets") >= self.least

    def read(self, others: int | None) -> Snapshot | None:
        """The view that was kept, of the newest version or of one before it; ``None`` where there is none.

        ``others`` is what `Store.edited_by_others` says now: nothing is read that does not hold what these edited.
        """
        folder = self._folder()
        if others is None or not folder.is_dir():
            return None
        try:
            reading = Reading(folder)
            if reading.told("others") != others or reading.told("seq") > self.store.seq():
                return None
            return snapshot_files.read(reading, self.base, self.publish_from, self.show_from)
        except (OSError, KeyError, ValueError) as error:
            log.warning("what was kept in %s cannot be read, and is made again: %r", folder, error)
            return None

    def write(
        self, snapshot: Snapshot, others: int | None, is_over: Callable[[], bool] = lambda: False
    ) -> Snapshot | None:
        """Keep a view, whose records are as they are stored, and read it again: it takes less memory.

        ``None`` where edits of others are not counted, nothing can be written beside the store, or as soon as
        ``is_over`` says that nobody waits for it any more.
        """
        if others is None:
            return None

        def at_page() -> None:
            if is_over():
                raise _Over
            snapshot.let_go()  # of what was read through

        folder = self._folder()
        aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.new")
        try:
            aside.mkdir(parents=True)
            writing = Writing(aside, at_page)
            writing.told("others", others)
            snapshot_files.write(writing, snapshot)
            writing.finish()
            self._put_in_place(aside, folder)
        except OSError as error:
            log.warning("what follows from the store is not kept, and is found again at each start: %s", error)
            return None
        except _Over:
            return None
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return self.read(others)

    def _put_in_place(self, aside: Path, folder: Path) -> None:
        """Whoever has older files mapped keeps them: they are gone when the last lets go of them."""
        for old in folder.parent.iterdir():
            # Who was killed while writing left one that is new for ever; where nothing is locked it may be at work.
            is_left = fcntl is not None or not old.name.endswith(".new")
            if old.is_dir() and old != aside and is_left:
                shutil.rmtree(old, ignore_errors=True)
        os.replace(aside, folder)

    @contextmanager
    def alone(self, wait: bool = True) -> Iterator[bool]:
        """Whether no other process that serves this store is making what is kept; by default wait for that."""
        with suppress(OSError):
            self._beside.mkdir(exist_ok=True)
        try:
            lock = (self._beside / "lock").open("w")
        except OSError:  # nothing will be kept there either
            yield True
            return
        with lock:
            yield _locked(lock, wait)

    @property
    def _beside(self) -> Path:
        return self.store.path.with_name(f"{self.store.path.name}.kept")

    def _folder(self) -> Path:
        with self.basemap.open("rb") as file:
            base = hashlib.file_digest(file, "blake2b").hexdigest()
        made_by = orjson.dumps([_FORMAT, self.program, base, self.publish_from])
        return self._beside / hashlib.blake2b(made_by, digest_size=8).hexdigest()


class _Over(Exception):
    """Nobody waits any more for what is being written."""


def _locked(lock: IO[str], wait: bool) -> bool:
    """Lock a file for as long as it is open; whether that could be done."""
    if fcntl is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
