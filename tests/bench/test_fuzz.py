"""A few hostile files for a few readers: `python -m bench.fuzz` makes thousands for all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.fuzz.__main__ import FuzzCase
from bench.fuzz.readers import READERS
from layers.sources.registry import FORMATS

ROOT = Path(__file__).resolve().parents[2]


def test_every_format_is_fuzzed() -> None:
    assert {reader.fmt for reader in READERS.values()} - {""} == set(FORMATS)


@pytest.mark.parametrize("name", READERS)
def test_a_case_is_known_by_its_number_and_most_cases_are_changed(name: str) -> None:
    cases = [FuzzCase.of(READERS[name], 1, number) for number in range(6)]
    assert [FuzzCase.of(READERS[name], 1, number).files for number in range(6)] == [case.files for case in cases]
    assert any(case.files not in READERS[name].inputs() for case in cases)


@pytest.mark.skipif(sys.platform != "linux", reason="the use of memory is read as Linux tells it")
def test_no_file_ends_a_reader(tmp_path: Path) -> None:
    names = ["csv", "gpkg", "json", "map", "osm-pbf", "mapping", "verify"]
    command = [sys.executable, "-m", "bench.fuzz", *names, "--mixed", "--cases", "4", "--json", "--found", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tallies = json.loads(done.stdout)
    assert {name: tally["cases"] for name, tally in tallies.items()} == dict.fromkeys(names, 4)
    assert not list(tmp_path.iterdir())
