"""Equal questions to several servers, in one run: `python -m bench.http PEERS WORLD`; see docs/speed.md.

PEERS is the folder of `bench.peers.install`, WORLD that of `bench.world` with `--postgis`. The servers run beside one
another and take turns. One that refuses a question is left out of it, and the table says so.

`make test-speed` asks this program alone, and fails where an answer takes much more than before beside bare bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from rich.console import Console

from api.settings import BASEMAP
from bench.client import Answer, Client, walk
from bench.measurement import Measurement, Target, differing, probe, request_once
from bench.peers.postgres import Cluster
from bench.peers.servers import Server, pygeoapi, strikeatlas, tipg
from bench.questions import PAGE, Question, features, tiles, walks
from bench.report import FLOOR, OURS, Run, floor_ratios, slower, table
from bench.world_columns import REGION

console = Console(stderr=True)


class Bench:
    """Servers that run, by name, and the measurements so far."""

    def __init__(self, targets: Mapping[str, Target], run: Run) -> None:
        self.targets = dict(targets)
        self.run = run
        self.clients = {name: target.client for name, target in targets.items()}
        self.bodies: dict[str, Answer] = {}

    def first_time(self, questions: Sequence[Question]) -> None:
        """Measure requests that are the first of their kind since the servers started."""
        for question in questions:
            collection = {name: request_once(client, question, name) for name, client in self.clients.items()}
            self.run.questions[question.name] = collection

    def walk(self, strikes: int) -> list[Question]:
        """Read the whole collection by its links; gives the question for a page far in, by our own cursor."""
        for name, path in walks().items():
            if name not in self.clients:
                continue
            walked = walk(self.clients[name], path)
            self.run.walks[name] = {"seconds": walked.seconds, "pages": walked.pages, "features": walked.distinct}
            if walked.features != walked.distinct or walked.distinct != strikes:
                self.run.differences[f"walk, {name}"] = f"{walked.features:,} features, {walked.distinct:,} distinct"
            if name == OURS:
                deep = walked.paths[int(0.9 * len(walked.paths)) :]
        return [Question(f"cursor, page of {PAGE} after 90 %", {OURS: deep}, "none")]

    def probe(self, questions: Sequence[Question]) -> None:
        """Request every question once of each server, and compare the answers."""
        for question in questions:
            names = [name for name in self.clients if name in question.paths]
            results = {name: probe(self.clients[name], question, name) for name in names}
            self.run.questions[question.name] = results
            self.run.differences[question.name] = differing(question, results)
            if OURS in names:
                self.bodies[question.name] = self.clients[OURS].get(question.paths[OURS][0])

    def round(self, questions: Sequence[Question], floor: Target) -> None:
        """Measure every question once with each server in turn."""
        for question in questions:
            results = self.run.questions[question.name]
            for name in [name for name in results if name != FLOOR]:
                self.targets[name].measure(question.paths[name], results[name])
            if question.name in self.bodies:
                bare = results.setdefault(FLOOR, Measurement(bytes=len(self.bodies[question.name].sent)))
                floor.measure([f"/{list(self.bodies).index(question.name)}"], bare)

    @contextmanager
    def floor(self, folder: Path, seconds: int, port: int = 54404) -> Iterator[Target]:
        """A server of the bare bytes that we answered."""
        folder.mkdir(parents=True, exist_ok=True)
        results = {}
        for number, answer in enumerate(self.bodies.values()):
            (folder / str(number)).write_bytes(answer.sent)
            results[f"/{number}"] = (answer.kind, str(folder / str(number)))
        (folder / "bodies.json").write_text(json.dumps(results))
        command = (sys.executable, "-m", "uvicorn", "bench.peers.floor:app", "--port", str(port), "--no-access-log")
        server = Server(FLOOR, port, command, {"FLOOR": str(folder / "bodies.json")}, "/0")
        with server.running(folder / "log") as running:
            yield Target(server.url, Client(server.url, {}), running, {}, seconds)


def measured(servers: Sequence[Server], given: argparse.Namespace) -> Run:
    """Start the servers, see that they agree, and measure by rounds in which they take turns."""
    headers = {"Accept-Encoding": "gzip"} if given.gzip else {}
    with ExitStack() as stack:
        targets = {}
        for server in servers:
            running = stack.enter_context(server.running(given.world / f"{server.name}.log"))
            console.print(f"{server.name} answers after {running.ready_s} s")
            targets[server.name] = Target(server.url, Client(server.url, headers), running, headers, given.seconds)
        arguments = {name: str(value) for name, value in vars(given).items()}
        ready = {name: target.running.ready_s for name, target in targets.items()}
        run = Run(machine(), versions(given.peers) if has_peers(given) else {}, arguments, ready)
        bench = Bench(targets, run)
        bench.first_time(chosen(tiles(first=True), given.only))
        questions = [*features(given.seed, REGION, given.strikes), *tiles(first=False)]
        if not given.only:
            questions += bench.walk(given.strikes)
        questions = chosen(questions, given.only)
        bench.probe(questions)
        floor = stack.enter_context(bench.floor(given.world / FLOOR, given.seconds))
        for number in range(given.rounds):
            run.loads.append(round(os.getloadavg()[0], 2))
            console.print(f"round {number + 1} of {given.rounds}, load {run.loads[-1]}")
            bench.round(questions, floor)
            keep(run, given.json)
        run.memory_mb = {name: target.running.memory_mb() for name, target in targets.items()}
    return run


def keep(run: Run, path: Path | None) -> None:
    """Write the measurements so far, so that a run that is cut short is not lost."""
    if path is not None:
        path.write_text(json.dumps(run.as_json(), indent=1))


def chosen(questions: Sequence[Question], only: str) -> list[Question]:
    """Questions whose name contains a text; all for an empty text."""
    return [item for item in questions if only in item.name]


def has_peers(given: argparse.Namespace) -> bool:
    """Whether others than this program are asked."""
    return set(given.servers) != {OURS}


def compared(path: Path, run: Run, write: bool) -> int:
    """Compare the ratios to the floor with those of a file, which is made where there is none; gives the exit code."""
    now = floor_ratios(run.questions)
    if write or not path.exists():
        path.write_text(json.dumps(now, indent=1) + "\n")
        return 0
    lost = slower(json.loads(path.read_text()), now)
    for question, (before, ratio) in lost.items():
        console.print(f"{question}: {ratio} times the floor, {before} before")
    return 1 if lost else 0


def machine() -> str:
    """Processors, memory, system and Python in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def versions(peers: Path) -> dict[str, str]:
    """Versions of the peers and their database."""
    by_name = {"database": Cluster(peers / "postgres").versions()}
    for name in ("tipg", "pygeoapi"):
        script = f"from importlib.metadata import version; print(version('{name}'))"
        command = [str(peers / name / "bin/python"), "-c", script]
        by_name[name] = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return by_name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", type=Path)
    parser.add_argument("world", type=Path)
    parser.add_argument("--strikes", type=int, default=100_000, help="how many the world has")
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each run of wrk")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gzip", action="store_true", help="ask for gzip, as browsers and GDAL do")
    parser.add_argument("--only", default="", metavar="TEXT", help="questions whose name has it")
    parser.add_argument("--servers", nargs="+", default=[OURS, "tipg", "pygeoapi"])
    parser.add_argument("--json", type=Path, help="write everything measured here")
    parser.add_argument("--set", action="append", default=[], help="a setting of our server, such as answers_cached=0")
    parser.add_argument("--ratios", type=Path, help="fail where we take much more beside the floor than this file says")
    parser.add_argument("--write", action="store_true", help="write that file anew")
    given = parser.parse_args()
    cluster = Cluster(given.peers / "postgres")
    known = {
        OURS: lambda: strikeatlas(given.world / "world.gpkg", given.basemap, settings=given.set),
        "tipg": lambda: tipg(given.peers, cluster),
        "pygeoapi": lambda: pygeoapi(given.peers, cluster),
    }
    with cluster.running() if has_peers(given) else nullcontext():
        run = measured([known[name]() for name in given.servers], given)
    keep(run, given.json)
    Console(width=220).print(table(run), run.machine, run.versions, f"load {run.loads}", run.ready_s, run.memory_mb)
    Console(width=220).print({name: item for name, item in run.differences.items() if item}, run.walks)
    if given.ratios is not None:
        sys.exit(compared(given.ratios, run, given.write))


if __name__ == "__main__":
    main()
