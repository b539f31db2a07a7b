"""The store that the matcher is measured on: made by the commands that users run, beside the bundled records."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from api.settings import OPEN_LAYER_VARIABLE
from layers.model.asset_kinds import ASSET_KINDS
from layers.model.types import Basis

ROOT = Path(__file__).resolve().parent.parent
#: Where the data of others lie that are not part of the checkout.
SHARED = ROOT.parent / "shared"
LABELLED = ROOT / "tests" / "labelled"
#: Collections of facts beside the checkout: events, and the assets that were hit.
FACTS = ("facts-russia", "facts-ukraine", "facts-gulf")

#: Ends the id of a report that is the headline of a labelled event.
HEADLINE = "-headline"
#: Letters of a headline that are a title.
_TITLE = 280

_LAYERS = (
    "gem_ggit_2024_10/*.csv",
    "gem_gas_oil_plants_2024_08/*.csv",
    "gem_goit_oil_pipelines_2024/*.csv",
    "gem_goget_2025_02/*.csv",
    "gem_hydro_2024_05/*.csv",
    "wri_gppd/WRI_Ukraine.csv",
    "wri_gppd/WRI_Russia.csv",
    "wri_gppd/global_power_plant_database_ukraine.csv",
    "osm_power_ukraine/*.geojson",
)
_STRIKES = (
    ("viina", "viina_deepstrike_2022_2025/VIINA_20*_REBUILD.csv"),
    ("viina", "viina_deepstrike_2022_2025/REUTERS_*.csv"),
    ("viina", "viina_deepstrike_2022_2025/VIINA_RUSSIA_CANDIDATE_*.csv"),
)
_KINDS = {
    "LPG terminal": "port-terminal",
    "gas production": "gas-field",
    "oil and gas production": "oil-field",
    "offshore platform": "platform",
    "pumping station": "pump-station",
    "smelter": "factory",
    "solar plant": "power-plant",
    "wind farm": "power-plant",
}
_ASSETS_MAPPING = """table = "assets"
source = {publisher = "Facts", licence = "CC0"}
[columns]
id = "id"
name = "name"
names.uk = "local"
kind = "kind"
lon = "lon"
lat = "lat"
uncertainty_m = "uncertainty_m"
basis = "basis"
host_country = "country"
"""
_REPORTS_MAPPING = """table = "strikes"
source = {publisher = "Reports", licence = "CC0"}
constants = {status = "reported"}
[columns]
id = "id"
title = "text"
when = "when"
place = "place"
region = "region"
host_country = "country"
lon = "lon"
lat = "lat"
uncertainty_m = "uncertainty_m"
basis = "basis"
"""


def build(folder: Path) -> Path:
    """Make the store, by ``strikeatlas init`` and ``load``, and return its path.

    Parameters
    ----------
    folder
        New or empty; it holds the store and the tables of facts and reports.

    Raises
    ------
    subprocess.CalledProcessError
        If a load fails. Rows that are rejected are left out, as ``--partial`` asks for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "atlas.gpkg"
    _run("init", "--store", store)
    real = SHARED / "data" / "real"
    for pattern in _LAYERS:
        _run("load", "auto", *sorted(real.glob(pattern)), "--partial", "--store", store)
    for name, mapping, rows in (
        ("assets", _ASSETS_MAPPING, facts_assets()),
        ("reports", _REPORTS_MAPPING, reports()),
    ):
        table = _write(folder / f"{name}.csv", rows)
        (folder / f"{name}.toml").write_text(mapping, encoding="utf-8")
        mapped = ("--mapping", folder / f"{name}.toml", "--dataset", name)
        _run("load", "csv", table, *mapped, "--partial", "--store", store)
    for fmt, pattern in _STRIKES:
        _run("load", fmt, *sorted(real.glob(pattern)), "--partial", "--store", store)
    return store


def _run(*arguments: object) -> None:
    command = [sys.executable, "-m", "api.cli.main", *map(str, arguments)]
    subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), OPEN_LAYER_VARIABLE: "none"},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _write(path: Path, rows: Iterator[Mapping[str, Any]]) -> Path:
    listed = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(listed)
    return path


def facts_assets() -> Iterator[Mapping[str, Any]]:
    """Give the assets of the facts that the bundled records lack, as rows; ships and what has no place are left out."""
    for asset in _facts("assets").values():
        kind = _KINDS.get(asset["kind"], str(asset["kind"]).casefold().replace(" ", "-"))
        basis = str(asset["basis"] or "settlement").split()[0]
        if asset.get("lat") is None or kind not in ASSET_KINDS or basis not in get_args(Basis):
            continue
        yield {
            "id": asset["id"],
            "name": asset["name"],
            "local": asset.get("name_local"),
            "kind": kind,
            "lon": asset["lon"],
            "lat": asset["lat"],
            "uncertainty_m": asset["uncertainty_m"] or 5000,
            "basis": basis,
            "country": asset.get("host_country"),
        }


def reports() -> Iterator[Mapping[str, Any]]:
    """Give the labelled reports as rows, with the headlines and quotes that stand in the facts."""
    events, sources = _facts("events"), _facts("sources")
    for row in labelled_rows("reports.csv"):
        if row["reading"] == "title":
            text = row["text"]
        elif row["reading"] == "headline":
            text = sources[row["source"]]["title"]
        else:
            text = events[row["event"]]["claims"][int(row["source"].removeprefix("claim-")) - 1]["quote"]
        yield {**row, "text": text}
    yield from viina_headlines()


def viina_headlines() -> Iterator[Mapping[str, Any]]:
    """Give the labelled events of VIINA as rows with their headlines, as a user's own mapping has them."""
    labelled = {row["event"]: row for row in labelled_rows("events.csv") if row["set"] == "viina"}
    for path in sorted((SHARED / "data" / "real").glob(_STRIKES[0][1])):
        with path.open(encoding="utf-8", newline="") as file:
            for event in csv.DictReader(file):
                if (row := labelled.get(event["event_id_1pd"])) and (text := event["representative_text"].strip()):
                    place = row["place"] or "not named"
                    yield {**row, "id": f"{row['id']}{HEADLINE}", "place": place, "text": text[:_TITLE]}


def labelled_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a file of labels."""
    with (LABELLED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _facts(table: str) -> dict[str, dict[str, Any]]:
    documents = [json.loads((SHARED / f"{name}.json").read_text(encoding="utf-8")) for name in FACTS]
    return {row["id"]: row for document in documents for row in document[table]}
