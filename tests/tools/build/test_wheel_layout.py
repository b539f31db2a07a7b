"""The wheel has one name at its top, and what is in it runs in an environment that has nothing else of the project.

18 s of processor time on one machine: a build, an installation and a first start, which nothing shorter stands for.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import settings
from tests.conftest import ROOT, free_port
from tools.build.wheel_layout import LayoutError, with_package

#: Without what the tests run with: an environment of its own must find its own packages.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(*command: str | Path, folder: Path) -> str:
    """Run a command and give what it printed; its errors fail the test."""
    result = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    checkout, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheel")
    for folder in ("geo", "layers", "api", "static", "strikeatlas", "tools"):
        (checkout / folder).symlink_to(ROOT / folder)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", out, folder=checkout)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; the packages that it needs are those of the tests, without this checkout."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder)
    python = folder / "bin" / "python"
    install = ("install", "--quiet", "--no-index", "--no-deps", "--no-compile")
    run(sys.executable, "-m", "pip", "--python", python, *install, wheel, folder=folder)
    (own,) = folder.glob("lib/python3*/site-packages")
    # Path files in a folder that a path file names are not read: this checkout stays out.
    (own / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder


def test_everything_is_under_one_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"strikeatlas"}
    assert {
        "strikeatlas/py.typed",
        "strikeatlas/static/vendor/maplibre-gl/maplibre-gl.mjs",
        "strikeatlas/layers/records/LICENSE.md",
        "strikeatlas/layers/matching/weights.toml",
        "strikeatlas/api/html/templates/base.html",
        "strikeatlas/layers/reference/data/LGPL-3.0.txt",
        "strikeatlas/layers/reference/data/basemap.gpkg",
        "strikeatlas/layers/reference/data/basemap.pmtiles",
        "strikeatlas/layers/reference/data/gazetteer.sqlite",
    } <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("strikeatlas/tools/")]


def test_modules_differ_from_the_checkout_in_their_imports_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        modules = {name: archive.read(name) for name in archive.namelist() if name.endswith(".py")}
    assert len(modules) > 400
    for name, text in modules.items():
        inner = name.removeprefix("strikeatlas/")
        source = ROOT / inner if (ROOT / inner).exists() else ROOT / name
        assert text.replace(b"strikeatlas.", b"") == source.read_bytes().replace(b"strikeatlas.", b""), name
        imported: set[str] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module))
        assert not {top for one in imported if (top := one.partition(".")[0]) in ("geo", "layers", "api")}, name


@contextlib.contextmanager
def served(environment: Path, folder: Path) -> Iterator[str]:
    port = free_port()
    command = (environment / "bin" / "strikeatlas", "serve", "--port", str(port), "--log", "none")
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT) as server:
        try:
            ends = time.monotonic() + 300
            while server.poll() is None and time.monotonic() < ends:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/about", timeout=60).close()
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def test_the_wheel_alone_serves_and_opens_an_atlas(environment: Path, tmp_path: Path) -> None:
    python = environment / "bin" / "python"
    with served(environment, tmp_path) as url:
        about = json.load(urllib.request.urlopen(f"{url}/about"))
        assert b"maplibre" in urllib.request.urlopen(f"{url}/map").read()
        assert urllib.request.urlopen(f"{url}/static/vendor/maplibre-gl/maplibre-gl.mjs").status == 200
        lines = (
            "import importlib.util, strikeatlas",
            "assert [name for name in ('geo', 'layers', 'api', 'static') if importlib.util.find_spec(name)] == []",
            f"atlas = strikeatlas.open({url!r})",
            "hit = atlas.strikes(country='AZ', since='2025')",
            "atlas.explore(hit).save('map.html')",
            "print(type(hit).__name__, len(atlas.strikes), hit.crs.to_string(), strikeatlas.Atlas.__module__)",
        )
        said = run(python, "-c", "\n".join(lines), folder=tmp_path).split()
    assert said == ["GeoDataFrame", str(about["records"]["strikes"]), "OGC:CRS84", "strikeatlas.api.python.atlas"]
    assert about["version"].startswith("0.")
    assert (tmp_path / "data" / "atlas.gpkg").exists()
    assert "SOCAR" in (tmp_path / "map.html").read_text(encoding="utf-8")


def test_an_own_base_map_comes_before_the_one_in_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, own = tmp_path / "program" / "basemap.gpkg", tmp_path / "data" / "basemap.gpkg"
    monkeypatch.setattr(settings, "BUNDLED", tmp_path / "program")
    monkeypatch.chdir(tmp_path)
    assert settings._usual("basemap.gpkg") == Path("data/basemap.gpkg")
    for file, expected in ((program, program), (own, Path("data/basemap.gpkg"))):
        file.parent.mkdir(parents=True)
        file.touch()
        assert settings._usual("basemap.gpkg") == expected


def test_a_name_of_a_module_in_a_string_is_refused() -> None:
    modules = {"api.app", "layers.model"}
    with pytest.raises(LayoutError, match=r"line 2 names the module api\.app in a string"):
        with_package(b"import uvicorn\nuvicorn.run('api.app:create_app')\n", modules)
    assert with_package(b"name = 'layers.gpkg'\n", modules) == b"name = 'layers.gpkg'\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from geo import lonlat", "from strikeatlas.geo import lonlat"),
        ("import layers.model.edtf as edtf, os", "import strikeatlas.layers.model.edtf as edtf, os"),
        ("import api.a\n'я'; api.a.b(api)", "import strikeatlas.api.a\n'я'; strikeatlas.api.a.b(strikeatlas.api)"),
        ("if x:\n    from api.b import (\n        c)", "if x:\n    from strikeatlas.api.b import (\n        c)"),
        ("import geopandas\nfrom geojson import a\ngeo = 1", "import geopandas\nfrom geojson import a\ngeo = 1"),
        ("'''from geo import x'''\n# import api", "'''from geo import x'''\n# import api"),
    ],
)  # fmt: skip
def test_imports_alone_are_renamed(source: str, expected: str) -> None:
    assert with_package(source.encode()).decode() == expected
