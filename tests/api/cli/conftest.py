"""What the tests of commands share: a store to change, and commands run as the shell would."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.wording.catalogue import text
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.store import Store
from tests.command_runner import shell
from tests.few_records import FEW, with_all_they_rest_on
from tests.load_runner import Run, runner
from tests.store_copies import opened_copy, set_aside
from tests.store_kinds import NewStore

PLANTS = ("ua-burshtyn-dobrotvir-2026-02-07", "ua-trypilska-2024-04-11")


@pytest.fixture
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store to change: of a few of the bundled strikes, or another (`of_all_records`, `of_plants`)."""
    return opened_copy(request.getfixturevalue(getattr(request, "param", "few_store")), tmp_path / "own.gpkg")


@pytest.fixture(scope="session")
def plants_store(records: Records, base: Basemap, new_shared_store: NewStore) -> Store:
    """A store with strikes on power plants beside a few others; tests copy it."""
    made = new_shared_store()
    made.load(with_all_they_rest_on(records, (*FEW, *PLANTS)), author="tests", derive=full_rewrite(base, text))
    return set_aside(made)


@pytest.fixture
def run(own: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command on that store."""
    return runner(own, capsys, monkeypatch)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command that opens no store, or that of its own options."""
    return shell(capsys, monkeypatch)
