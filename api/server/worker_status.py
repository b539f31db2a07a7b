"""The workers of one server: each publishes its state and its counts in a slot, so that any worker can report all."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from api.http.conditional import http_date
from api.http.metrics import MetricsSnapshot, RequestCounters, sum_counters
from api.server.live_snapshot import LiveSnapshot
from api.wording.catalogue import text
from layers.filesystem.atomic_file import write_file
from layers.filesystem.file_lock import lock

State = Mapping[str, Any]
#: Seconds between two states of a worker; the state that a worker reports of another is no older.
EVERY_S = 0.5


class WorkerSlot:
    """The lowest slot that no living worker holds, held until the process ends, however it ends.

    A worker that takes the slot of one that ended goes on from its counts, so that there are no more slots than
    workers at once, and no count falls.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.number, self._lock = _claimed(folder)
        #: Last state of the worker before in this slot.
        self.before: State | None = _read(folder / f"{self.number}.json")

    def publish_state(self, state: State) -> None:
        """Write the state of this worker; readers see the old or the new state, never a half."""
        write_file(self._folder / f"{self.number}.json", orjson.dumps(state), durable=False)

    def others(self) -> Iterator[tuple[State, bool]]:
        """The last state in each other slot, in their order, and whether its worker lives."""
        for file in sorted(self._folder.glob("*.json"), key=lambda file: int(file.stem)):
            if int(file.stem) != self.number and (state := _read(file)) is not None:
                yield state, _is_held(file.with_suffix(".lock"))

    def leave(self) -> None:
        """Free the slot before the process ends."""
        os.close(self._lock)


def _claimed(folder: Path) -> tuple[int, int]:
    number, tries = 0, 0
    while True:
        handle = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if lock(handle, wait=False):
            return number, handle
        os.close(handle)
        # Somebody may just be looking whether it is held.
        tries += 1
        time.sleep(0.01)
        if tries == 3:
            number, tries = number + 1, 0


def _is_held(file: Path) -> bool:
    with suppress(OSError):
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return not lock(handle, shared=True, wait=False)
        finally:
            os.close(handle)
    return False


def _read(file: Path) -> State | None:
    with suppress(OSError, orjson.JSONDecodeError):
        state: State = orjson.loads(file.read_bytes())
        return state
    return None


class Worker:
    """One process that serves, and the states of the other ones."""

    def __init__(self, atlas: LiveSnapshot, folder: Path | None, at_work: Callable[[], int]) -> None:
        self._atlas = atlas
        self._at_work = at_work
        self._slot = None if folder is None else WorkerSlot(folder)
        self.number = 0 if self._slot is None else self._slot.number
        self.tally = RequestCounters()
        if self._slot is not None and self._slot.before is not None:
            self.tally.add(self._slot.before["tally"])

    def state(self) -> dict[str, Any]:
        """The state of this worker now."""
        view = self._atlas.view
        return {
            "worker": self.number,
            "pid": os.getpid(),
            "history": view.head.digits,
            "changed": http_date(view.changed),
            "built": view.built,
            "build_s": view.build_s,
            "behind_s": self._atlas.behind_s(),
            "fault": self._atlas.fault,
            "at_work": self._at_work(),
        }

    @property
    def read_only(self) -> bool:
        """Whether the store may only be read."""
        return self._atlas.store.read_only

    def remarks(self) -> list[str]:
        """What is to be said about the data and this machine's clock, in English."""
        return [text(remark) for remark in self._atlas.remarks()]

    def living(self) -> list[State]:
        """The states of the living workers, by slot."""
        others = [state for state, lives in self._others() if lives]
        return sorted([self.state(), *others], key=lambda state: int(state["worker"]))

    def metrics(self) -> MetricsSnapshot:
        """Counts of all workers, those that ended among them, and states of the living ones."""
        whole = sum_counters([self._counted(), *(state["tally"] for state, _ in self._others())])
        layers = self._atlas.view.snapshot.layers
        return MetricsSnapshot(whole, self.living(), {name: len(one) for name, one in layers.items()})

    def _counted(self) -> dict[str, Any]:
        """Counts of this worker and of those before it in its slot."""
        counts = self._atlas.counts
        tally = sum_counters([self.tally.to_dict()])
        tally.tiles_cached += counts.hits
        tally.tiles_encoded += counts.misses
        return tally.to_dict()

    def _others(self) -> Sequence[tuple[State, bool]]:
        return [] if self._slot is None else list(self._slot.others())

    def publish_state(self) -> None:
        """Publish the state, if there may be other workers."""
        if self._slot is not None:
            self._slot.publish_state({**self.state(), "tally": self._counted()})

    async def publish_regularly(self) -> None:
        """Publish the state again and again, for as long as the server runs."""
        while True:
            self.publish_state()
            await asyncio.sleep(EVERY_S)

    def end(self) -> None:
        """Publish the last state, and free the slot for the next worker."""
        self.publish_state()
        if self._slot is not None:
            self._slot.leave()


def ago(built: float) -> float:
    """Seconds since a Unix time."""
    return round(datetime.now(UTC).timestamp() - built, 3)
