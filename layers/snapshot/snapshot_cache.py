"""Snapshots of stores in folders beside them, and whether those files still belong to the store."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import orjson

from layers.filesystem.file_lock import HAS_LOCKS, lock
from layers.model.messages import Message, Wording
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot import snapshot_files
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.table_folder import FORMAT, TableFolderComparison, TableFolderReader, TableFolderWriter
from layers.store.open_layer import OpenLayer
from layers.store.store import Store

log = logging.getLogger(__name__)

#: Strikes and assets from which on a snapshot is cached: of an empty store nothing follows.
MIN_RECORDS = 1
#: What reading files that are damaged may raise.
_UNREADABLE = (OSError, EOFError, LookupError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, eq=False)
class CachedVersion:
    """A snapshot, and the records that it is of as they are stored, before judgements of identity were applied."""

    snapshot: Snapshot
    stored: Records


@dataclass(frozen=True)
class SnapshotCache:
    """Snapshots of one store in a folder beside it.

    Parameters
    ----------
    basemap, base
        The path of the base map, and the base map read from it.
    program
        Names the version of the program: files of another version are not read.
    publish_from, show_from, wording
        As in `layers.snapshot.snapshot.Snapshot`.
    min_records
        Smallest number of strikes and assets of a store whose snapshots are cached.
    elsewhere
        A folder for the files, in place of that of the store. Beside a store that may only be read nothing is written.
    open_layer
        The open layer that the records of the store lie over.
    """

    store: Store
    basemap: Path
    base: Basemap
    program: str
    publish_from: float
    show_from: float
    wording: Wording
    min_records: int = MIN_RECORDS
    elsewhere: Path | None = None
    open_layer: OpenLayer | None = None

    @property
    def is_writable(self) -> bool:
        """Whether files may be written."""
        return self.elsewhere is not None or not self.store.read_only

    def is_used(self) -> bool:
        """Whether the store has as many records as one whose snapshots are cached."""
        return self.open_layer is not None or self.store.count("strikes", "assets") >= self.min_records

    def read(self, external_edits: int = 0) -> CachedVersion | None:
        """Read the snapshot of the newest version or of one before it; ``None`` where there is none.

        ``external_edits`` is what `Store.last_external_edit` gives now: where history cannot tell of edits, a snapshot
        without them is not read.
        """
        if not self._parent.is_dir():
            return None
        folder = self._folder()
        if not folder.is_dir():
            return None
        try:
            files = TableFolderReader(folder)
            if not self._is_current(files, external_edits):
                return None
            found = snapshot_files.read(files, self.base, self.publish_from, self.show_from, self.wording)
            return CachedVersion(*found)
        except _UNREADABLE as error:
            log.warning("the cache in %s cannot be read, and is made again: %r", folder, error)
            return None

    def _is_current(self, files: TableFolderReader, external_edits: int) -> bool:
        """Whether files are of this history: a restored store has changes of the same numbers in another one."""
        is_of_this_history = files.metadata("hash") == self.store.head(files.metadata("seq")).hash
        return is_of_this_history and bool(files.metadata("others") == external_edits)

    def _fill(self, files: TableFolderWriter, version: CachedVersion, external_edits: int) -> None:
        snapshot = version.snapshot
        files.metadata("others", external_edits)
        files.metadata("hash", self.store.head(snapshot.seq).hash)
        files.metadata("publish_from", self.publish_from)
        snapshot_files.write(files, snapshot, version.stored)
        files.finish()

    def write(
        self, version: CachedVersion, external_edits: int = 0, is_cancelled: Callable[[], bool] = lambda: False
    ) -> bool:
        """Write a version of which nothing is private or withheld; whether that was done.

        Not beside a store that may only be read, and not once ``is_cancelled`` gives True.

        Raises
        ------
        OSError
            If it cannot be written, such as on a full disk; nothing of it is left then, and older files stay.
        """
        if not self.is_writable:
            return False

        def at_page() -> None:
            if is_cancelled():
                raise _Cancelled
            version.snapshot.release_pages()  # of files that were read through

        folder = self._folder()
        aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.new")
        try:
            with suppress(FileExistsError):
                self._parent.mkdir(mode=0o700, parents=True)
            aside.mkdir()
            self._fill(TableFolderWriter(aside, at_page), version, external_edits)
            self._put_in_place(aside, folder)
        except _Cancelled:
            return False
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return True

    def compare(self, version_at: Callable[[int, float], CachedVersion]) -> Iterator[CacheComparison]:
        """Compare every file of each folder with what follows from the records; nothing is written.

        Parameters
        ----------
        version_at
            Gives the version after a change at a threshold of publishing, computed from the records alone.
        """
        parent = self._parent
        for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
            # A writer is at work on a new one, or was killed.
            if folder.is_dir() and not folder.name.endswith(".new"):
                yield self._comparison(folder, version_at)

    def _comparison(self, folder: Path, version_at: Callable[[int, float], CachedVersion]) -> CacheComparison:
        external_edits = self.store.last_external_edit()
        try:
            files = TableFolderReader(folder, is_checked=False)
            seq, publish_from = int(files.metadata("seq")), float(files.metadata("publish_from"))
            known = replace(self, publish_from=publish_from)
            is_read = folder == known._folder() and known._is_current(files, external_edits)
        except _UNREADABLE as error:
            values = {"folder": str(folder), "detail": str(error) or type(error).__name__}
            return CacheComparison(folder, findings=(Message("verification.cache-unreadable", values),))
        # Of edits that history does not tell of only the newest version can be computed.
        if not is_read or (external_edits and seq != self.store.seq()):
            return CacheComparison(folder, unchecked=Message("verification.cache-unchecked", {"folder": str(folder)}))
        comparison = TableFolderComparison(files, snapshot_files.canonical_metadata, files.release_pages)
        version = version_at(seq, publish_from)
        known._fill(comparison, version, external_edits)
        harmless = snapshot_files.rows_written_otherwise(files, version.stored, comparison.differing)
        return CacheComparison(folder, seq, len(comparison.compared), tuple(_findings(files, comparison, harmless)))

    def discard(self) -> None:
        """Remove every snapshot, see `discard`."""
        discard(self._parent)

    def _put_in_place(self, aside: Path, folder: Path) -> None:
        """Replace older files; a process that has them mapped reads them on until it unmaps them."""
        for old in folder.parent.iterdir():
            # A writer that was killed left a new folder for ever; where nothing is locked its writer may be at work.
            is_left = HAS_LOCKS or not old.name.endswith(".new")
            if old.is_dir() and old != aside and is_left:
                shutil.rmtree(old, ignore_errors=True)
        os.replace(aside, folder)

    @contextmanager
    def exclusive_lock(self, wait: bool = True) -> Iterator[bool]:
        """Lock the cache against other processes, and give whether that was done; by default wait for them."""
        if not self.is_writable:
            yield True
            return
        with suppress(OSError):
            self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            held = (self._parent / "lock").open("w")
        except OSError:  # nothing can be written there either
            yield True
            return
        with held:
            yield lock(held.fileno(), wait=wait)

    @property
    def _parent(self) -> Path:
        return folder_of(self.store, self.elsewhere)

    def _folder(self) -> Path:
        with self.basemap.open("rb") as file:
            base = hashlib.file_digest(file, "blake2b").hexdigest()
        # Tables are compared to the bit, and another version of pyarrow may write other bytes.
        layer = None if self.open_layer is None else self.open_layer.digest
        key = orjson.dumps([FORMAT, version("pyarrow"), self.program, base, layer, self.publish_from])
        return self._parent / hashlib.blake2b(key, digest_size=8).hexdigest()


def folder_of(store: Store, elsewhere: Path | None = None) -> Path:
    """The folder of the snapshots of a store: beside it, or in another one."""
    return (elsewhere or store.beside.parent) / f"{store.beside.name}.cache"


def discard(folder: Path) -> None:
    """Remove every snapshot of a store, of which some may not be published any more; who has one mapped reads on."""
    with suppress(OSError):
        for snapshot in folder.iterdir():
            if snapshot.is_dir():
                shutil.rmtree(snapshot, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class CacheComparison:
    """What became of comparing a folder of a cache.

    Parameters
    ----------
    seq, files
        The change that it is of, and the number of files that were compared.
    findings
        A message for each file that is not what follows from the records.
    unchecked
        Why it was not compared, if so.
    """

    folder: Path
    seq: int | None = None
    files: int = 0
    findings: tuple[Message, ...] = ()
    unchecked: Message | None = None


def _findings(files: TableFolderReader, comparison: TableFolderComparison, harmless: Set[str]) -> Iterator[Message]:
    folder, there = files.folder, files.names()
    for name in sorted(comparison.compared - there):
        yield Message("verification.cache-missing", {"file": str(folder / name), "folder": str(folder)})
    for name in sorted(there - comparison.compared):
        yield Message("verification.cache-foreign", {"file": str(folder / name), "folder": str(folder)})
    for name in comparison.differing:
        if name in there - harmless:
            values = {"file": str(folder / name), "folder": str(folder), "seq": files.metadata("seq")}
            yield Message("verification.cache-differs", values)


class _Cancelled(Exception):
    """Nobody waits any more for the files that are being written."""
