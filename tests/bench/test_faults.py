"""A short sweep of faults: `python -m bench.faults` does all of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TASKS = ("create", "load", "edit", "decision", "backup", "restore", "export csv", "export gpkg", "reviewer")


@pytest.mark.skipif(sys.platform != "linux", reason="the library and the limits are those of Linux")
@pytest.mark.parametrize("way", ["calls", "disk", "memory"])
def test_what_was_acknowledged_is_there_and_nothing_is_left(way: str) -> None:
    if way == "calls" and not shutil.which("cc"):
        pytest.skip("no C compiler")
    command = [sys.executable, "-m", "bench.faults", "--way", way, "--seconds", "0.7", "--only", *TASKS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(task in done.stdout for task in TASKS)
