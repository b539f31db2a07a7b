"""Strikes of the labelled pairs, with the bundled records."""

from __future__ import annotations

from pathlib import Path

from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.sources import curated
from tests.layers.load_builders import load_files

_VIINA, _TIMEMAP = "viina_deepstrike_2022_2025", "bellingcat_timemap_2023"
#: Files of each load, by its dataset and format.
LOADS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("viina", "viina", tuple(f"{_VIINA}/VIINA_{year}_REBUILD.csv" for year in (2022, 2023, 2025))),
    ("viina/reuters", "viina", (f"{_VIINA}/REUTERS_2025_CONFIRMED_NEW_EVENTS_V4.csv",)),
    ("viina/register", "viina", (f"{_VIINA}/VIINA_RUSSIA_CANDIDATE_REGISTER_CLEAN.csv",)),
    ("ucdp", "ucdp", ("ucdp_ged_ukraine_2014_2023/UCDP-Ukraine.csv",)),
    ("timemap", "timemap", (f"{_TIMEMAP}/export_events.json", f"{_TIMEMAP}/export_sources.json")),
)


def labelled_records(real: Path, base: Basemap) -> Records:
    """The bundled records and those of the files of the folder ``real``, as if loaded into a store one after another.

    Rows that have only the name of a place are placed by the gazetteer of the set-up, if it is there.
    """
    records = curated.read().require_clean()
    for dataset, name, files in LOADS:
        records = load_files(records, base, name, *(real / file for file in files), dataset=dataset)
    return records
