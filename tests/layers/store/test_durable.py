"""What outlives a power cut: commits of the program wait for the disk, and a log may be folded in part."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from layers.store.store import Store
from tests.conftest import ROOT
from tests.layers.store.test_store import ALL, STRIKE, changed

PAGE = 4096
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


@pytest.mark.parametrize("folded", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_of_a_log_that_was_folded_in_part_nothing_is_lost(tmp_path: Path, folded: float) -> None:
    """Pages of the log are written to the file one after the other: killed meanwhile, it has some of them."""
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(ALL, author="tests")
    store.close()
    before = store.path.read_bytes()
    strikes = {f"s{number}": changed(STRIKE, id=f"s{number}") for number in range(200)}
    store.load(replace(ALL, strikes={**ALL.strikes, **strikes}), author="tests")
    log = store.path.with_name("atlas.gpkg-wal").read_bytes()
    expected, head = store.records(), store.head()
    store.close()
    after = store.path.read_bytes()
    pages = range(0, len(after), PAGE)
    new = [at for at in pages if after[at : at + PAGE] != before[at : at + PAGE]]
    there = set(new[: round(len(new) * folded)])
    assert len(new) > 50
    mixed = b"".join(after[at : at + PAGE] if at in there else before[at : at + PAGE] for at in pages)
    cut = tmp_path / "cut.gpkg"
    cut.write_bytes(mixed)
    cut.with_name("cut.gpkg-wal").write_bytes(log)
    again = Store.open(cut)
    assert (again.records(), again.head()) == (expected, head)
    assert again.verify() == ()
    again.close()
    assert Store.open(cut).head() == head
