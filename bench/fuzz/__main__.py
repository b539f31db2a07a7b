"""Read hostile files: `python -m bench.fuzz --minutes 6`, `python -m bench.fuzz csv gem --mixed --found DIR`.

Small valid files of each reader are changed by lot, in their structure (rows and cells, the tree of JSON, the XML of a
workbook, the messages of PBF, tables and geometries of a GeoPackage, entries of TOML) and in their bytes, and given to
`strikeatlas load --dry-run --rejected`, `verify`, `list` or `restore` in a process of its own. A case fails if it

- takes over 2 s of CPU time, and again when it is repeated alone, or is killed after 10 s of it;
- lifts the process over 500 MB;
- ends in anything but an answer to the file: a traceback, a warning, an error of the system, a signal;
- leaves an answer that is no JSON, or rejected rows that cannot be read.

A case is known by reader, seed and number: `python -m bench.fuzz csv --seed 3 --number 17` does it once more. With
``--found`` the files of the first case of each cause are written there, with as few changes as still fail. Linux only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.fuzz.binary_formats import changed, pack
from bench.fuzz.readers import READERS, FuzzedReader, InputFile, InputFiles
from bench.fuzz.watched_process import CaseResult, WatchedProcess, prepare

console = Console(stderr=True)
_SCRATCH = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class FuzzCase:
    """A case: its files after the changes of some steps, and the command without the paths of a folder."""

    reader: FuzzedReader
    seed: int
    number: int
    steps: tuple[int, ...]
    files: InputFiles
    is_json: bool
    is_recognised: bool

    @classmethod
    def of(cls, reader: FuzzedReader, seed: int, number: int, steps: tuple[int, ...] | None = None) -> FuzzCase:
        """Return the case of a number; ``steps`` are those of its changes that are done, by default all."""
        chance = random.Random(f"{seed}/{reader.name}/{number}")
        files = list(chance.choice(reader.inputs()))
        is_mapping = reader.name == "mapping"
        places = [at for at, file in enumerate(files) if (file.name == "mapping.toml") == is_mapping]
        count = chance.choice((1, 1, 1, 2, 2, 3, 5))
        is_json, is_recognised, is_packed = (chance.random() < share for share in (0.5, 0.3, 0.04))
        done = tuple(range(count)) if steps is None else steps
        for step in done:
            own = random.Random(f"{seed}/{reader.name}/{number}/{step}")
            at = own.choice(places)
            files[at] = InputFile(files[at].name, changed(own, files[at].name, files[at].content))
        if is_packed:
            files[places[0]] = InputFile(files[places[0]].name, pack(chance, files[places[0]].content))
        return cls(reader, seed, number, done, tuple(files), is_json, is_recognised)

    def write(self, folder: Path) -> list[str]:
        """Write the files to a folder, and return the arguments of the command."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in self.files:
            (folder / file.name).write_bytes(file.content)
        arguments = self.reader.command([str(folder / file.name) for file in self.files], str(self.rejected(folder)))
        if self.is_recognised and arguments[0] == "load":
            arguments[1] = "auto"
        return [*arguments, "--json"] if self.is_json else arguments

    def rejected(self, folder: Path) -> Path:
        """Return where the command may write beside the files: a file, or a folder for several."""
        out = folder / "out"
        if sum(file.name != "mapping.toml" for file in self.files) > 1:
            out.mkdir(exist_ok=True)
            return out
        return out.with_suffix(Path(self.files[-1 if self.reader.name == "mapping" else 0].name).suffix)


@dataclass
class ReaderTally:
    """What the cases of one reader came to."""

    cases: int = 0
    seconds: float = 0.0
    endings: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest_number: int = -1
    largest_bytes: int = 0
    causes: Counter[str] = field(default_factory=Counter)

    def add(self, case: FuzzCase, result: CaseResult, seconds: float) -> None:
        """Count a case."""
        self.cases += 1
        self.seconds += seconds
        self.endings[result.ending] += 1
        self.largest_bytes = max(self.largest_bytes, result.peak_bytes)
        if result.cpu_s > self.slowest_s:
            self.slowest_s, self.slowest_number = result.cpu_s, case.number
        if result.cause:
            self.causes[result.cause] += 1


class FuzzRun:
    """Runs cases in a watched process, tallies them, and notes the first case of each cause."""

    def __init__(self, folder: Path, found: Path | None) -> None:
        self._folder, self._found = folder, found
        self._process = WatchedProcess(folder)
        self._ends = time.monotonic()
        self.tallies: dict[str, ReaderTally] = {}
        self.failures: dict[tuple[str, str], tuple[FuzzCase, CaseResult]] = {}

    def run(self, cases: Iterator[FuzzCase], seconds: float) -> None:
        """Run cases for a time; the next one is written while one is read."""
        self._ends = time.monotonic() + seconds
        folders = itertools.cycle((self._folder / "a", self._folder / "b"))
        case, folder = next(cases), next(folders)
        arguments = case.write(folder)
        while True:
            begun = time.monotonic()
            self._process.begin(arguments, case.rejected(folder))
            after, other = next(cases, None), next(folders)
            waiting = after.write(other) if after is not None else []
            self._add(case, self._process.result(), time.monotonic() - begun)
            if after is None or time.monotonic() > self._ends:
                return
            case, folder, arguments = after, other, waiting

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _add(self, case: FuzzCase, result: CaseResult, seconds: float) -> None:
        if result.cause and not result.fault:
            # A process that has read much before may be larger, and a machine that does much else slower.
            result = self._alone(case)
        self.tallies.setdefault(case.reader.name, ReaderTally()).add(case, result, seconds)
        key = (case.reader.name, result.cause)
        if result.cause and key not in self.failures:
            begun = time.monotonic()
            case, result = self._with_fewer_changes(case, result)
            self.failures[key] = (case, result)
            console.print(f"{case.reader.name} {case.number}: {result.cause}", markup=False)
            if self._found is not None:
                _write_failure(case, result, self._found)
            self._ends += time.monotonic() - begun

    def _alone(self, case: FuzzCase) -> CaseResult:
        """Run a case in a new process."""
        process, folder = WatchedProcess(self._folder), self._folder / "alone"
        process.begin(case.write(folder), case.rejected(folder))
        result = process.result()
        process.close()
        return result

    def _with_fewer_changes(self, case: FuzzCase, result: CaseResult) -> tuple[FuzzCase, CaseResult]:
        """Return the case with the fewest of its changes that fails in the same way."""
        for count in range(1, len(case.steps)):
            for steps in itertools.combinations(case.steps, count):
                fewer = FuzzCase.of(case.reader, case.seed, case.number, steps)
                again = self._alone(fewer)
                if again.cause == result.cause:
                    return fewer, again
        return case, result


def _write_failure(case: FuzzCase, result: CaseResult, found: Path) -> None:
    folder = found / f"{case.reader.name}-{case.seed}-{case.number}"
    arguments = case.write(folder)
    about = {
        "reader": case.reader.name,
        "seed": case.seed,
        "number": case.number,
        "steps": case.steps,
        "command": ["strikeatlas", *arguments],
        "cause": result.cause,
        "cpu_s": result.cpu_s,
        "peak_bytes": result.peak_bytes,
    }
    (folder / "case.json").write_text(json.dumps(about, indent=1))
    (folder / "details.txt").write_text(result.details, errors="backslashreplace")


def cases_of(readers: list[FuzzedReader], seed: int, numbers: Iterable[int]) -> Iterator[FuzzCase]:
    """Yield the cases of readers in turn, by number."""
    for number in numbers:
        for reader in readers:
            yield FuzzCase.of(reader, seed, number)


def shown(tallies: dict[str, ReaderTally]) -> Table:
    """Return the table of what the cases of each reader came to."""
    columns = (
        "reader",
        "cases",
        "a second",
        "clean",
        "problems",
        "refused",
        "failed",
        "slowest, s CPU",
        "most MB",
        "causes",
    )
    table = Table(*columns)
    for name, tally in tallies.items():
        shares = [f"{tally.endings[ending] / tally.cases:.0%}" for ending in ("clean", "problems", "refused")]
        slowest = f"{tally.slowest_s:.2f} (no. {tally.slowest_number})"
        failed = str(sum(tally.causes.values()))
        rate = f"{tally.cases / max(tally.seconds, 1e-9):.0f}"
        most = f"{tally.largest_bytes / 1e6:.0f}"
        table.add_row(name, str(tally.cases), rate, *shares, failed, slowest, most, str(len(tally.causes)))
    return table


def main() -> None:
    """Fuzz, print a table, and end with 1 where a case failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"by default all: {', '.join(READERS)}")
    parser.add_argument("--minutes", type=float, default=6, help="for each reader; with --mixed in all (default 6)")
    parser.add_argument("--cases", type=int, metavar="COUNT", help="so many of each reader, whatever time they take")
    parser.add_argument("--mixed", action="store_true", help="all readers in turn, in one process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, help="only the case of this number")
    parser.add_argument("--json", action="store_true", help="the tallies as JSON")
    parser.add_argument("--found", type=Path, metavar="FOLDER", help="write the failing cases here")
    given = parser.parse_args()
    if unknown := [name for name in given.readers if name not in READERS]:
        parser.error(f"no such reader: {', '.join(unknown)}; there are {', '.join(READERS)}")
    readers = [READERS[name] for name in given.readers or READERS]
    prepare()
    # In memory where there is a place for it: what is measured is no disk.
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_SCRATCH if _SCRATCH.is_dir() else None) as folder:
        run = FuzzRun(Path(folder), given.found)
        for group in [readers] if given.mixed else [[reader] for reader in readers]:
            if given.number is not None:
                run.run(cases_of(group, given.seed, [given.number]), math.inf)
            elif given.cases is not None:
                run.run(cases_of(group, given.seed, range(given.cases)), math.inf)
            else:
                run.run(cases_of(group, given.seed, itertools.count()), 60 * given.minutes)
        run.close()
    if given.json:
        print(json.dumps({name: vars(tally) for name, tally in run.tallies.items()}, indent=1))
    else:
        Console(width=max(console.width, 120)).print(shown(run.tallies))
    for (name, cause), (case, result) in run.failures.items():
        again = f"python -m bench.fuzz {name} --seed {case.seed} --number {case.number}"
        console.print(f"{name}: {cause} ({again}, changes {case.steps})\n{result.details}", markup=False)
    raise SystemExit(bool(run.failures))


if __name__ == "__main__":
    main()
