"""Load by wrk: requests as fast as they are answered, at less cost than a client in Python."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Asks the paths in turn, and tells as JSON what wrk prints for people.
_SCRIPT = """
local requests, at = {}, 0
function init(args)
  for path in io.lines(args[1]) do requests[#requests + 1] = wrk.format("GET", path) end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n@{"requests":%d,"micros":%d,"bytes":%d,"p50":%f,"p99":%f,"failed":%d}\\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """Figures of one run: milliseconds to the last byte, requests a second, answers that were no success.

    ``cpu_ms`` are the milliseconds of processor that the server and its database took for a request: what a machine
    that does other things besides cannot change much.
    """

    p50_ms: float
    p99_ms: float
    each_second: float
    requests: int
    failed: int
    cpu_ms: float = 0.0


def load(url: str, paths: Sequence[str], connections: int, seconds: int, headers: Mapping[str, str]) -> Load:
    """Ask for the paths in turn over some connections for some seconds, each connection one at a time.

    Raises
    ------
    subprocess.CalledProcessError
        If wrk could not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        script, paths_file = Path(folder) / "wrk.lua", Path(folder) / "paths"
        script.write_text(_SCRIPT)
        paths_file.write_text("".join(f"{path}\n" for path in paths))
        given = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
        command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=60s"]
        run = subprocess.run(
            [*command, "--script", script, *given, url, "--", paths_file], check=True, capture_output=True, text=True
        )
    figures = json.loads(run.stdout.rpartition("@")[2])
    lasted = figures["micros"] / 1e6
    return Load(
        figures["p50"] / 1e3,
        figures["p99"] / 1e3,
        figures["requests"] / lasted,
        figures["requests"],
        figures["failed"],
    )
