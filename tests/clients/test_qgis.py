"""A GeoPackage as other programs find it: QGIS opens it styled, and GDAL's validator finds no fault."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from api.exports.symbols import STYLE_TABLE
from api.formats import geopackage
from api.formats.page import FeaturePage, FileMetadata
from layers.query.selection import Selection
from layers.snapshot.snapshot import Snapshot

#: The Python of the system, which has the modules that QGIS and GDAL come with.
SYSTEM = shutil.which("python3", path="/usr/bin:/usr/local/bin")
SCRIPT = Path(__file__).with_name("qgis_layers.py")
LAYERS = ("strikes", "asset-points", "asset-lines", "hits", "attributions")
METADATA = FileMetadata("https://example.org/licence", "Somebody", date(2026, 11, 25), None, {}, (), {})


def has(module: str) -> bool:
    if SYSTEM is None:
        return False
    return subprocess.run([SYSTEM, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def package(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qgis") / "atlas.gpkg"
    changed = datetime(2026, 11, 25, tzinfo=UTC)
    pages = [FeaturePage.of_file(snapshot.collections[name], Selection(), METADATA, changed) for name in LAYERS]
    geopackage.write_file(pages, path)
    return path


@pytest.fixture(scope="module")
def opened(package: Path) -> dict[str, Any]:
    if SYSTEM is None or not has("qgis.core"):
        pytest.skip("needs QGIS (apt-get install python3-qgis)")
    done = subprocess.run([SYSTEM, str(SCRIPT), str(package)], capture_output=True, text=True, timeout=300, check=True)
    layers: dict[str, Any] = json.loads(done.stdout)
    return layers


def test_qgis_opens_each_layer_with_its_rules(opened: dict[str, Any], snapshot: Snapshot) -> None:
    assert set(LAYERS) <= set(opened)
    for name in LAYERS:
        layer = opened[name]
        assert layer["valid"]
        assert layer["features"] == len(snapshot.collections[name])
        assert layer["renderer"] == "RuleRenderer"
        assert layer["rules"]
        assert all(has_symbol for _, _, has_symbol in layer["rules"])
        assert not layer["faults"]


@pytest.fixture(scope="module")
def connected(server_url: str) -> dict[str, Any]:
    if SYSTEM is None or not has("qgis.core"):
        pytest.skip("needs QGIS (apt-get install python3-qgis qgis-providers)")
    script = Path(__file__).with_name("qgis_oapif.py")
    arguments = [SYSTEM, str(script), server_url, "strikes", "hits", "attributions"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=True)
    layers: dict[str, Any] = json.loads(done.stdout)
    return layers


def test_qgis_reads_dates_of_a_server_as_exact_as_they_are(connected: dict[str, Any], snapshot: Snapshot) -> None:
    for name, layer in connected.items():
        columns = snapshot.collections[name].features.columns
        assert layer["valid"]
        assert layer["when"] == dict(zip(columns["id"], columns["when"], strict=True))
        assert {layer["types"][day] for day in ("day_first", "day_last")} == {"Date"}
    for share in ("share_min", "share_max", "state_min", "company_max"):
        assert connected["attributions"]["types"][share] == "Real"


def test_qgis_does_not_offer_to_edit_without_a_token(connected: dict[str, Any]) -> None:
    for layer in connected.values():
        assert layer["capabilities"] == connected["hits"]["capabilities"]
        assert not any(word in layer["capabilities"] for word in ("Add", "Delete", "Change"))


def test_qgis_draws_the_colours_of_the_map(opened: dict[str, Any]) -> None:
    look = STYLE_TABLE
    hosts = {look["host"][host]["light"].lower() for host in ("UA", "RU")}
    assert hosts <= set(opened["strikes"]["colours"])
    assert {look["line"][name]["light"].lower() for name in ("gas", "oil")} <= set(opened["asset-lines"]["colours"])
    assert opened["asset-points"]["colours"]


def test_qgis_has_days_as_days_and_goes_by_them_in_time(opened: dict[str, Any]) -> None:
    for name in ("strikes", "hits", "attributions"):
        assert opened[name]["temporal"] == [True, "day_first", "day_last"]
        for day in ("day_first", "day_last"):
            kind, is_time, alias, comment = opened[name]["fields"][day]
            assert (kind, is_time, alias) == ("Date", True, day.replace("_", " "))
            assert comment
    assert opened["asset-points"]["temporal"][0] is False


def test_gdal_finds_no_fault_in_a_geopackage(package: Path) -> None:
    if SYSTEM is None or not has("osgeo_utils.samples.validate_gpkg"):
        pytest.skip("needs GDAL's Python (apt-get install python3-gdal)")
    command = [SYSTEM, "-m", "osgeo_utils.samples.validate_gpkg", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
