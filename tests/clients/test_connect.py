"""What /connect says to paste, pasted: each snippet is run where its program is at hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pyogrio
import pytest

from tests.api.html_reading import BROWSER, every, read
from tests.clients.test_clients import needs_oapif

Run = Callable[..., str]


@pytest.fixture(scope="module")
def snippets(server_url: str) -> dict[str, str]:
    with urlopen(Request(f"{server_url}/connect", headers=BROWSER)) as answer:
        page = read(answer.read().decode())
    return {str(one.get("id")): "".join(one.itertext()) for one in every(page, "pre")}


def ran(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    return done.stdout


def needs(program: str, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program} (apt-get install {package})")


def matched(server_url: str, query: str = "", collection: str = "strikes") -> int:
    with urlopen(f"{server_url}/collections/{collection}/items?limit=1{query}") as answer:
        return int(json.load(answer)["numberMatched"])


def test_every_snippet_has_the_address_of_the_server(snippets: dict[str, str], server_url: str) -> None:
    assert len(snippets) > 20
    assert [key for key, one in snippets.items() if server_url not in one] == ["duckdb-query"]


@pytest.mark.parametrize(
    "key", ["qgis-features", "qgis-style", "qgis-sld", "arcgis-service", "arcgis-ogc", "sheets-csv"]
)
def test_addresses_answer(snippets: dict[str, str], key: str) -> None:
    with urlopen(snippets[key]) as answer:
        assert answer.status == 200
        assert "html" not in answer.headers["content-type"]


def test_address_of_the_tiles_has_tiles(snippets: dict[str, str]) -> None:
    for key in ("qgis-tiles", "openlayers-tiles"):
        (address,) = [part.strip('", ') for part in snippets[key].split() if "/tiles/" in part]
        with urlopen(address.format(z=3, x=4, y=2)) as answer:
            assert len(answer.read()) > 100


@pytest.mark.parametrize("key", ["python-geopandas", "python-parquet"])
def test_geopandas_snippets_run(snippets: dict[str, str], tmp_path: Path, key: str) -> None:
    told = ran(tmp_path, sys.executable, "-c", snippets[key])
    assert ("RU" if key == "python-parquet" else "refinery") in told


def test_owslib_snippet_runs(snippets: dict[str, str], server_url: str, tmp_path: Path) -> None:
    pytest.importorskip("owslib")
    told = ran(tmp_path, sys.executable, "-c", snippets["python-owslib"])
    assert told.startswith(f"{matched(server_url, '&kind=refinery')} [")


@needs_oapif
@needs("ogr2ogr", "gdal-bin")
def test_gdal_snippets_run(snippets: dict[str, str], server_url: str, tmp_path: Path) -> None:
    assert "strikes" in ran(tmp_path, "sh", "-c", snippets["gdal-list"])
    ran(tmp_path, "sh", "-c", snippets["gdal-copy"])
    assert pyogrio.read_info(tmp_path / "strikes.gpkg")["features"] == matched(server_url)
    ran(tmp_path, "sh", "-c", snippets["gdal-where"])
    there = pyogrio.read_dataframe(tmp_path / "refineries.gpkg")
    assert 0 < len(there) < matched(server_url, "&kind=refinery")
    assert set(there["kind"]) == {"refinery"}


@needs("curl", "curl")
def test_curl_snippets_run(snippets: dict[str, str], server_url: str, tmp_path: Path) -> None:
    ran(tmp_path, "sh", "-c", snippets["curl-csv"])
    assert (tmp_path / "strikes.csv").read_text(encoding="utf-8").startswith("id,")
    told = json.loads(ran(tmp_path, "sh", "-c", snippets["curl-filter"]))
    assert {one["properties"]["country"] for one in told["features"]} == {"AZ"}
    assert {one["properties"]["reading"] for one in told["features"]} == {"registration"}
    assert all(one["properties"]["sure"] for one in told["features"])
    ran(tmp_path, "sh", "-c", snippets["curl-picture"])
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


@needs("curl", "curl")
def test_duckdb_snippets_run(snippets: dict[str, str], server_url: str, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    ran(tmp_path, "sh", "-c", snippets["duckdb-fetch"])
    query = snippets["duckdb-query"].replace("hits.parquet", os.fspath(tmp_path / "hits.parquet"))
    rows = duckdb.sql(query).fetchall()
    with urlopen(f"{server_url.rstrip('/')}/countries/AZ") as answer:
        assert dict(rows)["AZ"] == json.load(answer)["relations"]["owner"]["strikes_sure"]
    assert [count for _, count in rows] == sorted((count for _, count in rows), reverse=True)


@needs("Rscript", "r-cran-sf")
def test_r_snippet_runs(snippets: dict[str, str], tmp_path: Path) -> None:
    if subprocess.run(("Rscript", "-e", "library(sf)"), capture_output=True, check=False).returncode:
        pytest.skip("needs the package sf of R (apt-get install r-cran-sf)")
    ran(tmp_path, "Rscript", "-e", snippets["r-sf"])


QGIS = """
import os
import sys

from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
from qgis.core import QgsMapRendererParallelJob, QgsMapSettings, QgsRectangle
from qgis.PyQt.QtCore import QSize

QgsApplication.setPrefixPath("/usr", True)
app = QgsApplication([], False)
app.initQgis()
exec(sys.argv[1])
assert layer.isValid(), layer.error().summary()
assert len(layer.renderer().rootRule().children()) == 42
map = QgsMapSettings()
map.setLayers([layer])
map.setExtent(QgsRectangle(20, 40, 60, 62))
map.setOutputSize(QSize(400, 220))
job = QgsMapRendererParallelJob(map)
job.start()
job.waitForFinished()
picture = job.renderedImage()
seen = {picture.pixelColor(x, y).name() for x in range(400) for y in range(220)}
assert {"#0063a6", "#a83c00"} <= seen, sorted(seen)[:20]
print(sum(1 for _ in QgsProject.instance().mapLayersByName("strikes")[0].getFeatures()), flush=True)
os._exit(0)
"""


def test_qgis_snippet_runs_and_draws_strikes_in_the_colours_of_the_map(
    snippets: dict[str, str], server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = "/usr/bin/python3"
    if not Path(python).exists() or subprocess.run([python, "-c", "import qgis.core"], capture_output=True).returncode:
        pytest.skip("needs QGIS (apt-get install python3-qgis)")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    told = ran(tmp_path, python, "-c", QGIS, snippets["qgis-console"])
    assert int(told.split()[-1]) == matched(server_url)
