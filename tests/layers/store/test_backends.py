"""Stores are opened by the scheme of their address."""

from pathlib import Path
from types import MappingProxyType

import pytest

from layers.store import backends
from layers.store.backends import Backend, open_store
from layers.store.connections import NotAStore
from layers.store.store import Store


def test_a_path_is_a_geopackage(tmp_path: Path) -> None:
    Store.create(tmp_path / "atlas.gpkg").close()
    for address in (tmp_path / "atlas.gpkg", str(tmp_path / "atlas.gpkg")):
        opened = open_store(address)
        assert opened.path == tmp_path / "atlas.gpkg"
        opened.close()


@pytest.mark.parametrize("address", ["mysql://host/atlas", "://x", "none.gpkg"])
def test_what_is_no_store_is_refused(address: str) -> None:
    with pytest.raises(NotAStore):
        open_store(address)


def test_a_kind_of_store_is_a_line_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    created = Store.create(tmp_path / "atlas.gpkg")
    memory = Backend(lambda _: created, lambda _: created)
    monkeypatch.setattr(backends, "BACKENDS", MappingProxyType({"memory": memory}))
    assert open_store("memory://atlas") is created
    created.close()
