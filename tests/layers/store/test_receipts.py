"""Receipts are off unless asked for: without their package each of them says what to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from layers.store import receipts
from layers.store.receipts import ReceiptsUnavailable
from layers.store.store import Store
from tests.layers.store.store_killed import strikes


def test_without_the_package_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(strikes(1, "a"), author="Ann")
    with store.reading() as connection:
        for asked in (
            lambda: receipts.query(connection),
            lambda: receipts.read(connection, b""),
            lambda: receipts.check(connection, b"", [], 1),
            lambda: receipts.certificates(b""),
        ):
            with pytest.raises(ReceiptsUnavailable, match=r"install strikeatlas\[receipts\]"):
                asked()
