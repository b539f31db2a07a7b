"""Kill the programs that write to a store at random moments: `python -m bench.kills FOLDER --kills 1000`.

Strikes, edits, removals and decisions go to a server, and loads, `keep`, backups and upgrades run as commands, as users
run them; one of these programs with all its processes is killed (SIGKILL) at a moment drawn by lot, over and over, on
one store that nothing puts right in between. After each kill the store must hold every write that was
acknowledged, what a command writes must be whole or not there, and `strikeatlas verify` must find nothing (every
``--verify-every`` kills, and at the end). At the end a server that serves from the files beside the store must answer
as one without them. FOLDER is new or empty.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from api.settings import BASEMAP, OPEN_LAYER_VARIABLE
from layers.store.store import Store

console = Console(stderr=True)

ROOT = Path(__file__).resolve().parent.parent
#: Seconds until a server must answer, and for which a command that is not killed may run.
_READY_S, _DONE_S = 300, 600
#: Rows of the file that is loaded.
_ROWS = 2_000
_MAPPING = """table = "strikes"
[source]
publisher = "bench"
[columns]
id = "id"
title = "title"
when = "day"
place = "place"
[constants]
status = "reported"
"""


@dataclass
class Ledger:
    """Acknowledged writes: the title of each strike (None when it was removed), the decisions, and what is in doubt.

    A write that was under way when the server was killed was not acknowledged: its strike may be as before or after.
    """

    titles: dict[str, str | None] = field(default_factory=dict)
    decisions: set[str] = field(default_factory=set)
    in_doubt: dict[str, str | None] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def lost(self, store: Store) -> list[str]:
        """Acknowledged writes that a store does not hold; what was in doubt is now as the store has it."""
        records = store.records()
        there: dict[str, str | None] = {key: strike.title for key, strike in records.strikes.items()}
        lost = [key for key in self.decisions if key not in records.decisions]
        for key, title in list(self.titles.items()):
            if there.get(key) != title:
                if key not in self.in_doubt or there.get(key) != self.in_doubt[key]:
                    lost.append(f"{key}: {there.get(key)!r}, acknowledged {title!r}")
                self.titles[key] = there.get(key)
        self.in_doubt.clear()
        return lost


class Writer(threading.Thread):
    """Writes to a server until it is gone, and notes each acknowledged write."""

    def __init__(self, port: int, token: str, ledger: Ledger, chance: random.Random, source: str) -> None:
        super().__init__(daemon=True)
        self._port, self._ledger, self._chance, self._source = port, ledger, random.Random(chance.random()), source
        self._headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        self._own: list[str] = []
        self.writes = 0

    def run(self) -> None:
        with contextlib.suppress(OSError, HTTPException):
            while True:
                self._chance.choices((self._add, self._edit, self._remove, self._decide), (4, 4, 1, 2))[0]()
                self.writes += 1

    def _send(self, method: str, path: str, body: Any, kind: str) -> tuple[int, str, bytes]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request(method, path, json.dumps(body), {**self._headers, "Content-Type": kind})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 500 and answer.status != 503:
            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return answer.status, answer.getheader("Location") or "", content

    def _add(self) -> None:
        title = f"Added {time.time_ns()}"
        values = {
            "title": title,
            "when": "2025-08-08",
            "place": "somewhere",
            "status": "reported",
            "checked": "unverified",
            "sources": [self._source],
        }
        feature = {"type": "Feature", "geometry": None, "properties": values}
        status, location, _ = self._send("POST", "/collections/strikes/items", feature, "application/geo+json")
        if status == 201:
            key = location.rsplit("/", 1)[-1]
            self._own.append(key)
            with self._ledger.lock:
                self._ledger.titles[key] = title

    def _edit(self) -> None:
        if self._own:
            self._change(self._chance.choice(self._own), f"Edited {time.time_ns()}", "PATCH", 200, 204)

    def _remove(self) -> None:
        if self._own:
            self._change(self._own.pop(), None, "DELETE", 200, 204)

    def _change(self, key: str, title: str | None, method: str, *done: int) -> None:
        with self._ledger.lock:
            self._ledger.in_doubt[key] = title
        path, kind = f"/collections/strikes/items/{key}", "application/merge-patch+json"
        status, _, _ = self._send(method, path, {"title": title} if title else None, kind)
        with self._ledger.lock:
            if status in done:
                self._ledger.titles[key] = title
            del self._ledger.in_doubt[key]

    def _decide(self) -> None:
        if not self._own:
            return
        body = {
            "strike": self._chance.choice(self._own),
            "verdict": "unsure",
            "asset": None,
            "why": "bench",
            "seen": None,
        }
        status, _, content = self._send("POST", "/review/decisions", body, "application/json")
        if status == 201:
            with self._ledger.lock:
                self._ledger.decisions.add(json.loads(content)["decision"]["id"])


class Killed:
    """The store, the programs that are run on it and killed, and what was counted."""

    def __init__(self, folder: Path, chance: random.Random, basemap: Path) -> None:
        self.folder, self.chance = folder, chance
        self.store = folder / "atlas.gpkg"
        self.basemap = basemap.resolve()
        self.ledger = Ledger()
        self.kills: Counter[str] = Counter()
        self.writes = 0
        self.faults: list[str] = []
        self.seconds: dict[str, float] = {}

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "api.cli.main", *map(str, arguments)]

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), OPEN_LAYER_VARIABLE: "none"}
        log = (self.folder / "log").open("ab")
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), OPEN_LAYER_VARIABLE: "none"}
        return subprocess.run(
            self.command(*arguments), cwd=self.folder, env=environment, capture_output=True, text=True, timeout=_DONE_S
        )

    def killed_command(self, name: str, *arguments: object) -> bool:
        """Run a command and kill it at a moment of its usual time; whether it was still running."""
        usual = self.seconds.get(name)
        begun = time.monotonic()
        process = self.start(*arguments)
        if usual is None:
            code = process.wait(_DONE_S)
            self.seconds[name] = time.monotonic() - begun
            if code:
                self.faults.append(f"{name} ended with {code}")
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self.chance.uniform(0.1, 1.05) * usual)
        was_running = process.poll() is None
        _kill(process)
        self.kills[name] += was_running
        return was_running

    @contextlib.contextmanager
    def server(self, workers: int, *options: str) -> Iterator[int]:
        """Serve; gives the port. All processes are killed at the end."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        arguments = ("--port", port, "--workers", workers, "--basemap", self.basemap, "--log", "none", *options)
        process = self.start("serve", "--store", self.store, *arguments)
        try:
            _wait_ready(port, process)
            yield port
        finally:
            _kill(process)

    def killed_server(self, workers: int, token: str, source: str) -> None:
        """Write to a server from several connections, and kill it at a moment."""
        with self.server(workers, "--set", "cache_from=0") as port:
            writers = [Writer(port, token, self.ledger, self.chance, source) for _ in range(3)]
            for writer in writers:
                writer.start()
            time.sleep(self.chance.uniform(0.05, 2))
        for writer in writers:
            writer.join(60)
            self.writes += writer.writes
        self.kills[f"server, {workers} worker(s)"] += 1

    def check(self, verify: bool) -> None:
        """Note acknowledged writes that are lost and what `verify` finds."""
        store = Store.open(self.store)
        self.faults += [f"lost: {item}" for item in self.ledger.lost(store)]
        store.close()
        if verify:
            done = self.run("verify", self.store, "--json")
            if done.returncode:
                self.faults.append(f"verify: {done.stdout[:2000]}{done.stderr[:2000]}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)


def _wait_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + _READY_S
    while time.monotonic() < last and process.poll() is None:
        with contextlib.suppress(OSError, HTTPException):
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.02)
    raise RuntimeError("the server did not come to answer; see the file log in the folder")


def _bulk(path: Path, chance: random.Random) -> None:
    """A file of strikes with other titles each time, so that a load of it changes every record."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "day", "place"])
        mark = chance.random()
        writer.writerows([f"b{number}", f"Row {number} {mark}", "2025-08-08", "somewhere"] for number in range(_ROWS))


def _operations(run: Killed, workers: int, token: str, source: str, older: Path | None) -> list[Callable[[], None]]:
    """What can be killed: the server with one worker or several, and each command that writes."""
    folder = run.folder

    def load() -> None:
        _bulk(folder / "bulk.csv", run.chance)
        file, mapping = folder / "bulk.csv", folder / "bulk.toml"
        run.killed_command(
            "load", "load", "csv", file, "--mapping", mapping, "--store", run.store, "--basemap", run.basemap
        )

    def keep() -> None:
        run.killed_command("cache", "cache", "--store", run.store, "--basemap", run.basemap)

    def whole(name: str, target: Path, *arguments: object) -> None:
        """A command that writes a file: it is whole or not there, and nothing else stays beside it."""
        target.unlink(missing_ok=True)
        run.killed_command(name, *arguments)
        if name == "backup" and target.exists() and run.run("verify", target, "--json").returncode:
            run.faults.append("a backup that was cut short does not verify")

    def backup() -> None:
        target = folder / "backup.gpkg"
        whole("backup", target, "backup", run.store, target)

    def upgrade() -> None:
        assert older is not None
        copy = folder / "older.gpkg"
        for side in folder.glob("older.gpkg*"):
            side.unlink()
        if older.suffix == ".sql":
            with contextlib.closing(sqlite3.connect(copy)) as connection:
                connection.executescript(older.read_text(encoding="utf-8"))
        else:
            shutil.copy(older, copy)
        run.killed_command("upgrade", "upgrade", copy)
        for arguments in (("upgrade", copy), ("verify", copy, "--json")):
            done = run.run(*arguments)
            if done.returncode:
                run.faults.append(f"{arguments[0]} after an upgrade that was killed: {done.stdout}{done.stderr}")

    servers = [lambda count=count: run.killed_server(count, token, source) for count in (1, workers)]
    return [*servers, *servers, load, keep, backup, *([upgrade] if older else [])]


def _answers(run: Killed, workers: int, *options: str) -> dict[str, bytes]:
    paths = [f"/collections/{name}/items?f=csv&limit=10000" for name in ("strikes", "assets", "attributions")]
    with run.server(workers, *options) as port:
        answers = {}
        for path in paths:
            connection = HTTPConnection("127.0.0.1", port, timeout=120)
            connection.request("GET", path)
            answers[path] = connection.getresponse().read()
        return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=1e6, help="end after so long, whatever was killed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--verify-every", type=int, default=10)
    parser.add_argument(
        "--older", type=Path, help="a store of an earlier version, or its SQL, whose upgrade is killed too"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    given = parser.parse_args()
    folder = given.folder.resolve()
    (folder / "data").mkdir(parents=True, exist_ok=True)
    run = Killed(folder, random.Random(given.seed), given.basemap)
    # Where the commands look for it that are run in this folder.
    (folder / "data" / "basemap.gpkg").symlink_to(run.basemap)
    for arguments in (("init", "--store", run.store, "--basemap", run.basemap), ("reviewer", "add", "bench", "--json")):
        done = run.run(*arguments)
        if done.returncode:
            raise SystemExit(f"{arguments[0]}: {done.stderr}")
    token = json.loads(done.stdout)["token"]
    (folder / "bulk.toml").write_text(_MAPPING)
    opened = Store.open(run.store)
    source = next(iter(opened.records().sources))
    opened.close()
    operations = _operations(run, given.workers, token, source, given.older)
    begun, shown = time.monotonic(), 0
    while run.kills.total() < given.kills and time.monotonic() - begun < 60 * given.minutes and len(run.faults) < 20:
        before = run.kills.total()
        run.chance.choice(operations)()
        run.check(verify=run.kills.total() % given.verify_every < run.kills.total() - before)
        for fault in run.faults[shown:]:
            console.print(fault, markup=False)
        shown = len(run.faults)
        console.print(f"{run.kills.total()} kills, {run.writes:,} writes, {len(run.faults)} faults", end="\r")
    run.check(verify=True)
    if _answers(run, 1, "--set", "cache_from=0") != _answers(run, 1, "--set", "cache_from=1000000000"):
        run.faults.append("a server with files beside the store answers otherwise than one without")
    table = Table("killed", "times", title=f"{run.kills.total()} kills, {run.writes:,} writes sent")
    for name, count in sorted(run.kills.items()):
        table.add_row(name, str(count))
    Console().print(table, f"{len(run.faults)} fault(s)", *run.faults)
    raise SystemExit(bool(run.faults))


if __name__ == "__main__":
    main()
