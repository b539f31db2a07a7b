"""Commits of the program wait for the disk, which those of the tests' own process do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

SCRIPT = """
import sys
from layers.store.store import Store
with Store.create(sys.argv[1]).reading() as connection:
    print(*connection.execute("PRAGMA synchronous").fetchone())
"""


def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "a.gpkg")]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["2"], "FULL (sqlite.org/pragma.html)"
