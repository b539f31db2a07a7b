"""What the tests of commands share: a store to change, and commands run as the shell would."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.store.store import Store
from tests.command_runner import shell
from tests.load_runner import Run, runner
from tests.store_copies import opened_copy


@pytest.fixture
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store to change, with a few of the bundled strikes where a test does not ask for all (`of_all_records`)."""
    return opened_copy(request.getfixturevalue(getattr(request, "param", "few_store")), tmp_path / "own.gpkg")


@pytest.fixture
def run(own: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command on that store."""
    return runner(own, capsys, monkeypatch)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command that opens no store, or that of its own options."""
    return shell(capsys, monkeypatch)
