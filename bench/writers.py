"""Kill writers of one store at random: `python -m bench.writers ADDRESS --writers 4 --edits 1000 --every 10`.

Each writer is a process of its own that adds record after record, says which were acknowledged, and goes on where it
was when it was killed (SIGKILL). At the end the store must hold every acknowledged record once, and `verify` must find
nothing. ADDRESS is that of a new store, a path or a URL.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from layers.model.records import Source
from layers.store.backends import create_new, open_store
from layers.store.store import Edit, EditConflict, StoreBusy

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: numbers of acknowledged records, of those that are lost, of kills, and what `verify` found."""

    acknowledged: int
    lost: int
    kills: int
    seconds: float
    findings: tuple[str, ...]


@dataclass
class _Writer:
    """A writer over all its lives, and how far its acknowledged records go."""

    address: str
    number: int
    edits: int
    pause_s: float
    acknowledged: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    is_done: bool = False

    def live(self) -> None:
        while not self.is_done:
            arguments = (self.address, self.number, len(self.acknowledged), self.edits, self.pause_s)
            command = [sys.executable, "-c", "from bench.writers import write; write()", *map(str, arguments)]
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as self.process:
                assert self.process.stdout is not None
                self.acknowledged += [line.strip() for line in self.process.stdout if line.endswith("\n")]
            self.is_done = self.process.returncode == 0
            if self.process.returncode not in (0, -signal.SIGKILL):
                raise RuntimeError(f"writer {self.number} ended with {self.process.returncode}")


def write() -> None:
    """Be a writer: add the records that are left, one a transaction, and print each that is acknowledged."""
    address, number, first, edits, pause_s = sys.argv[1:]
    with closing(open_store(address)) as store:
        for at in range(int(first), int(edits)):
            key = f"w{number}-{at}"
            edit = Edit("sources", key, Source(id=key, publisher="P"), None)
            while True:
                try:
                    store.write(edit, author=f"writer {number}")
                except StoreBusy:
                    continue
                except EditConflict:
                    pass  # it was written, and the writer was killed before it heard so
                break
            print(key, flush=True)
            time.sleep(float(pause_s))


def run(
    address: str, writers: int, edits: int, every_s: float, pause_s: float, seed: int = 1, most: int = 1_000_000
) -> Outcome:
    """Let writers write until all is written, and kill one of them ever so many seconds, at most so often."""
    lot, kills, begun = random.Random(seed), 0, time.monotonic()
    all_writers = [_Writer(address, number, edits, pause_s) for number in range(writers)]
    threads = [threading.Thread(target=writer.live) for writer in all_writers]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(every_s * lot.uniform(0.5, 1.5))
        alive = [one.process for one in all_writers if one.process is not None and one.process.poll() is None]
        if alive and kills < most:
            os.kill(lot.choice(alive).pid, signal.SIGKILL)
            kills += 1
    seconds = time.monotonic() - begun
    with closing(open_store(address)) as store:
        added = Counter(row.record for row in store.revisions() if row.before is None)
        there = store.records().sources
        acknowledged = [key for one in all_writers for key in one.acknowledged]
        lost = sum(key not in there or added[key] != 1 for key in acknowledged)
        findings = tuple(f"{one.code} {dict(one.arguments)}" for one in store.verify())
    return Outcome(len(acknowledged), lost, kills, seconds, findings)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", metavar="ADDRESS")
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--edits", type=int, default=1000, help="of each writer")
    parser.add_argument("--every", type=float, default=10, help="seconds between kills, half to one and a half")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds of a writer after each edit")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    create_new(given.address).close()
    outcome = run(given.address, given.writers, given.edits, given.every, given.pause, given.seed)
    print(outcome)
    raise SystemExit(bool(outcome.lost or outcome.findings))


if __name__ == "__main__":
    main()
