"""A short sweep of faults: `python -m bench.faults` does all of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TASKS = ("create", "load", "edit", "decision", "backup", "restore", "export csv", "export gpkg", "reviewer")


@pytest.mark.skipif(sys.platform != "linux", reason="the library and the limits are those of Linux")
@pytest.mark.parametrize("seconds", ["0.3", pytest.param("3", marks=pytest.mark.long)])
def test_what_was_acknowledged_is_there_and_nothing_is_left(seconds: str) -> None:
    ways = ["calls", "disk", "memory"] if shutil.which("cc") else ["disk", "memory"]
    command = [sys.executable, "-m", "bench.faults", "--way", *ways, "--seconds", seconds, "--only", *TASKS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = [line.split("│") for line in done.stdout.splitlines()]
    assert {(one[1].strip(), one[2].strip()) for one in told if len(one) > 2} == {*product(TASKS, ways)}
