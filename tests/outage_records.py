"""The made-up records of outages in `tests/data/outages`, and what follows from them."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from api.wording.catalogue import text
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.snapshot import Snapshot
from layers.sources import curated
from layers.store.store import Store

FILE = Path(__file__).parent / "data" / "outages" / "records.toml"
DATA_DATE = date(2026, 11, 25)


@cache
def outage_records() -> Records:
    """The records, without a fault."""
    return curated.read(FILE).require_clean()


def outage_store(folder: Path, base: Basemap) -> Store:
    """A store with them."""
    store = Store.create(folder / "atlas.gpkg")
    store.load(outage_records(), author="tests", derive=full_rewrite(base, text))
    return store


def outage_snapshot(base: Basemap, records: Records | None = None) -> Snapshot:
    """A snapshot of them, or of others, on the day of their data."""
    return Snapshot(records or outage_records(), base, 1, DATA_DATE, wording=text)
