"""The notebook shows what its cells give."""

import json

import pytest

from api.python import atlas as interface
from api.python.sources import SnapshotSource
from layers.snapshot.snapshot import Snapshot
from tests import notebook


def test_the_outputs_in_the_notebook_are_those_of_its_cells(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "_bundled", lambda base: SnapshotSource("bundled records", snapshot))
    text = notebook.NOTEBOOK.read_text(encoding="utf-8")
    assert notebook.text_of(notebook.executed(json.loads(text))) == text, "make docs"
    assert sum(cell["cell_type"] == "code" and bool(cell["outputs"]) for cell in json.loads(text)["cells"]) > 5
