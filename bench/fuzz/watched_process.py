"""A process that runs commands of `strikeatlas` one after another, and says what each took and how it ended."""

from __future__ import annotations

import csv
import gc
import io
import multiprocessing
import os
import resource
import signal
import sqlite3
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import orjson
from typer.main import get_command

from api.cli.main import EXIT_CODES, app
from api.requests.parameters import BadParameter
from api.settings import BASEMAP
from api.terminal import attribution as terminal
from layers.model.problems import ProblemsError
from layers.reference import basemap
from layers.sources.files.limits import FileRefused
from layers.sources.files.tables import PROBLEMS_COLUMN
from layers.store.store import Store, StoreError

#: Seconds of CPU time that a case may take, and those after which it is killed; seconds of the clock, too.
CPU_S, KILLED_CPU_S, KILLED_WALL_S = 2.0, 10.0, 60.0
#: Bytes of memory that a process may hold at once, and those of addresses after which there are no more.
MEMORY_BYTES, ADDRESS_BYTES = 500_000_000, 6_000_000_000
#: Errors that are an answer to a file, by how the case ended. Others end in an exit code too, but blame the system.
_ANSWERS: dict[type[Exception], Literal["refused", "problems"]] = {
    FileRefused: "refused", ProblemsError: "problems", BadParameter: "refused", StoreError: "refused",
}  # fmt: skip

Ending = Literal["clean", "problems", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case ended, what it took, and where it failed what was wrong: one line, and all that is known."""

    ending: Ending
    cpu_s: float
    peak_bytes: int
    fault: str = ""
    details: str = ""

    @property
    def cause(self) -> str:
        """What is wrong: the fault, or too much time or memory; empty where nothing is."""
        if self.fault:
            return self.fault
        if self.cpu_s > CPU_S:
            return f"over {CPU_S:g} s of CPU time"
        return f"over {MEMORY_BYTES // 10**6} MB" if self.peak_bytes > MEMORY_BYTES else ""


class WatchedProcess:
    """A process, forked from this one, that is killed and begun anew where a case takes too long or ends it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def begin(self, arguments: Sequence[str], rejected: Path) -> None:
        """Begin a case: a command, and where it may write rejected rows; ``result`` waits for its end."""
        if self._child is None or not self._child.is_alive():
            self._start()
        assert self._pipe is not None
        self._pipe.send((list(arguments), str(rejected)))

    def result(self) -> CaseResult:
        """Wait for the end of the case, or end it."""
        assert self._pipe is not None
        assert self._child is not None
        assert self._child.pid is not None
        begun, used = time.monotonic(), _cpu_s(self._child.pid)
        while not self._pipe.poll(0.5):
            took = _cpu_s(self._child.pid) - used
            if took > KILLED_CPU_S or time.monotonic() - begun > KILLED_WALL_S:
                stack = self._stopped()
                return CaseResult("failed", took, 0, "hangs", stack)
        try:
            result: CaseResult = self._pipe.recv()
        except EOFError:
            self._child.join()
            code = self._child.exitcode
            self.close()
            return CaseResult("failed", 0.0, 0, f"the process ended: {code}", self._log())
        if result.cause:
            self.close()  # what it leaves in memory is no matter of the next case
        return result

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
            self._child.join()
            self._child = None
        if self._pipe is not None:
            self._pipe.close()

    def _start(self) -> None:
        forking = multiprocessing.get_context("fork")
        self._pipe, theirs = forking.Pipe()
        self._child = forking.Process(target=_serve, args=(theirs, self._folder), daemon=True)
        self._child.start()
        theirs.close()

    def _stopped(self) -> str:
        """End a case that takes too long; return where it was."""
        assert self._child is not None
        assert self._child.pid is not None
        os.kill(self._child.pid, signal.SIGUSR1)  # faulthandler writes the stack
        time.sleep(0.2)
        self.close()
        return self._log()

    def _log(self) -> str:
        path = self._folder / "stack"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def prepare() -> None:
    """Read once, before any process is forked, what every command reads: the base map, and modules."""
    basemap.read = cache(basemap.read)
    basemap.read(BASEMAP)
    _commands()
    gc.collect()
    gc.freeze()


def _serve(pipe: Connection, folder: Path) -> None:
    """Run the cases that come, each after the answer to the one before."""
    import faulthandler

    stack = (folder / "stack").open("w")
    faulthandler.enable(stack)
    faulthandler.register(signal.SIGUSR1, stack)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    store = folder / "empty.gpkg"
    if not store.exists():
        Store.create(store).close()
    os.environ["STRIKEATLAS_STORE"] = str(store)
    while True:
        try:
            arguments, rejected = pipe.recv()
        except EOFError:
            os._exit(0)
        if arguments[0] == "load":
            arguments += ["--store", str(store)]
        pipe.send(_measured(lambda: _run(arguments, Path(rejected))))  # noqa: B023


def _measured(run: Callable[[], tuple[Ending, str, str]]) -> CaseResult:
    Path("/proc/self/clear_refs").write_text("5")  # the highest use of memory counts from now on
    begun = time.process_time()
    ending, fault, details = run()
    cpu_s = time.process_time() - begun
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return CaseResult(ending, cpu_s, int(line.split()[1]) * 1024, fault, details)


def _run(arguments: list[str], rejected: Path) -> tuple[Ending, str, str]:
    unraised: list[str] = []
    sys.unraisablehook = lambda args: unraised.append("".join(traceback.format_exception(args.exc_value)))
    out, errors = sys.stdout, sys.stderr
    sys.argv = ["strikeatlas", *arguments]
    printed = io.BytesIO()
    sys.stdout = io.TextIOWrapper(printed, "utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    try:
        ending = _ending(arguments)
        if "--json" in arguments:
            orjson.loads(printed.getvalue().replace(b"\n}\n{", b"\n},{").join((b"[", b"]")))
        _require_whole(rejected)
    except (Exception, SystemExit) as error:
        return "failed", _signature(error), traceback.format_exc()[-8000:]
    finally:
        sys.stdout, sys.stderr = out, errors
    gc.collect()
    return ("failed", "not raised: " + unraised[0].splitlines()[-1], unraised[0]) if unraised else (ending, "", "")


def _ending(arguments: list[str]) -> Ending:
    """Run a command as ``api.cli.main.main`` does, and tell how it ended.

    Raises
    ------
    Exception
        Whatever a user would see the traceback of, or that blames the system.
    """
    try:
        code = _commands()(arguments, standalone_mode=False)
    except tuple(EXIT_CODES) as error:
        terminal.print_error(error, as_json="--json" in arguments)
        for kind, ending in _ANSWERS.items():
            if isinstance(error, kind):
                return ending
        raise
    return "problems" if code else "clean"


@cache
def _commands() -> Callable[..., Any]:
    return get_command(app)


def _require_whole(rejected: Path) -> None:
    """Read what was written of rejected rows as what it begins as, since a file need not be what its name says."""
    for path in sorted(rejected.rglob("*")) if rejected.is_dir() else [rejected] if rejected.exists() else []:
        if not path.is_file():
            continue
        with path.open("rb") as binary:
            begins = binary.read(16)
        if begins == b"SQLite format 3\0":
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA integrity_check").fetchall()
        elif begins.startswith(f'"{PROBLEMS_COLUMN}"'.encode()):
            with path.open(encoding="utf-8", newline="") as stream:
                before = csv.field_size_limit(1 << 27)
                for _ in csv.reader(stream):
                    pass
                csv.field_size_limit(before)
        else:
            orjson.loads(path.read_bytes())


def _signature(error: BaseException) -> str:
    """Name an error and the innermost line of ours that raised it, by which equal failures are told."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if any(f"/{ring}/" in frame.filename for ring in ("layers", "geo", "api"))]
    ours = [frame for frame in ours if "site-packages" not in frame.filename] or list(frames)
    where = f"{Path(ours[-1].filename).parent.name}/{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    return f"{type(error).__name__} at {where}"
