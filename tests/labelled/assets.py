"""Assets of the labelled pairs: the bundled ones, and those of the files beside the checkout, as their readers give."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from layers.model.records import RECORD_TYPES, Asset, Records
from layers.sources import curated
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import recognise

LABELS = Path(__file__).with_name("assets.csv")
#: The files of each dataset that are read together.
FILES: Mapping[str, tuple[str, ...]] = {
    "gem-plants": ("gem_gas_oil_plants_2024_08/data-2024-08-29.csv",),
    "gem-gas": ("gem_ggit_2024_10/ggit_map_2024-10-08.csv",),
    "wri-national": tuple(f"wri_gppd/WRI_{name}.csv" for name in ("Ukraine", "Russia", "Azerbaijan", "Romania")),
    "wri-global": ("wri_gppd/global_power_plant_database_ukraine.csv",),
    "osm": ("osm_power_ukraine/power_stations_with_oblasts.geojson",),
}


def labelled_assets(real: Path) -> Records:
    """The bundled records with those of the files, of which each is a dataset of its own."""
    bundled = curated.read().require_clean()
    tables = {name: dict(bundled.table(name)) for name in RECORD_TYPES}
    for dataset, names in FILES.items():
        files = [SourceFile.of(real / name) for name in names]
        read = recognise(files[0]).read(files, LoadOptions(dataset)).records
        for name in RECORD_TYPES:
            tables[name] |= read.table(name)
    return Records.of(_with_plants(tables))


def _with_plants(tables: Mapping[str, dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    """Unite GEM's units of one page that are part of no plant as one asset: a unit is no duplicate of a plant.

    It has the capacity of the units that operate, else of all, and the stakes in them.
    """
    pages: dict[str, list[Asset]] = {}
    for asset in tables["assets"].values():
        if asset.dataset == "gem-plants" and asset.part_of is None:
            pages.setdefault(asset.external_ids.get("gem-wiki", asset.id), []).append(asset)
    owned = {}
    for units in pages.values():
        operating = [unit for unit in units if unit.note == "GEM status: operating"] or units
        name = units[0].name.rpartition(", ")[0] or units[0].name
        capacity = sum(unit.capacity or 0.0 for unit in operating) or None
        owned |= {unit.id: units[0].id for unit in units}
        for unit in units[1:]:
            del tables["assets"][unit.id]
        tables["assets"][units[0].id] = units[0].model_copy(update={"name": name, "capacity": capacity})
    moved = {
        key: stake.model_copy(update={"owned": owned[stake.owned]}) if stake.owned in owned else stake
        for key, stake in tables["stakes"].items()
    }
    return {**tables, "stakes": moved}


def by_key(records: Records) -> Mapping[str, str]:
    """The id of each asset that a label may name: the id itself, or the page of GEM's wiki about a plant.

    Of the assets of one page that is the plant, which is part of none of the others, else the first by id.
    """
    keys = {name: name for name in records.assets}
    for name, asset in sorted(records.assets.items(), key=lambda item: (item[1].part_of is not None, item[0])):
        if page := asset.external_ids.get("gem-wiki"):
            keys.setdefault(f"gem-wiki/{page.rpartition('/')[2]}", name)
    return keys


def labels(records: Records) -> Iterator[tuple[str, str, bool]]:
    """The ids of the two assets of each labelled pair, and whether they are one site."""
    keys = by_key(records)
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield keys[row["one"]], keys[row["other"]], row["verdict"] == "same"
