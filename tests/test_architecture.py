"""The arrows of the house: api -> layers -> geo, and inside each ring only to earlier rooms, without circles."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: The rooms in import order: a module may import its own room and those before it. A room is a folder, or a file that
#: stands beside the folders of its ring. docs/architecture.md draws this list.
ROOMS = (
    "geo.errors",
    "geo.lonlat",
    "geo.columnar",
    "geo.antimeridian",
    "geo.geojson",
    "geo.tiles",
    "geo.spatial_join",
    "layers.model",
    "layers.text",
    "layers.geopackage",
    "layers.reference",
    "layers.store",
    "layers.decisions",
    "layers.resolution",
    "layers.ownership",
    "layers.sources.files",
    "layers.sources.reader",
    "layers.sources.curated",
    "layers.sources.strikes",
    "layers.sources.gem",
    "layers.sources.osm",
    "layers.sources.wri",
    "layers.sources.bods",
    "layers.sources.gleif",
    "layers.sources.wikidata",
    "layers.sources.column_mapping",
    "layers.sources.ownership_formats",
    "layers.sources.registry",
    "layers.ingest",
    "layers.matching",
    "layers.attribution",
    "layers.collections",
    "layers.query",
    "layers.snapshot",
    "api.build",
    "api.terminal",
    "api.exports",
    "api.requests",
    "api.settings",
    "api.http",
    "api.serializers",
    "api.formats",
    "api.styles",
    "api.rendering",
    "api.server",
    "api.esri",
    "api.openapi",
    "api.html",
    "api.responses",
    "api.routes",
    "api.app",
    "api.cli",
)

#: Rooms of one publisher each: none imports another, as what they share is in `layers.sources.reader`.
PUBLISHERS = ("strikes", "gem", "osm", "wri", "bods", "gleif", "wikidata", "column_mapping")

NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "socket", "ssl", "urllib3"}
SERVER = {"fastapi", "starlette", "uvicorn"}
PLOTTING = {"folium", "matplotlib"}
FORBIDDEN = {
    "geo": {"api", "layers", "sqlite3", "typer", "rich"} | NETWORK | SERVER | PLOTTING,
    "layers": {"api", "typer"} | NETWORK | SERVER | PLOTTING,
}


def modules(ring: str) -> list[Path]:
    return sorted((ROOT / ring).rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: Mapping[str, Path] = {dotted(path): path for ring in ("geo", "layers", "api") for path in modules(ring)}


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted name of each import anywhere in a module, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            yield from (f"{node.module}.{alias.name}" for alias in node.names if not node.level)


def room(name: str) -> str | None:
    """Return the room of a dotted name, None for what is in no room (rings, other packages)."""
    return next((known for known in ROOMS if name == known or name.startswith(f"{known}.")), None)


def too_late(name: str, imports: Iterator[str]) -> list[str]:
    """Return the rooms that a module imports although they do not come before its own."""
    own = room(name)
    rooms = {room(other) for other in imports} - {own, None}
    return sorted(str(other) for other in rooms if own is None or ROOMS.index(str(other)) > ROOMS.index(own))


def module_imports(path: Path) -> set[str]:
    """Return which modules of the three rings a module imports; a package only where a name of its own is taken."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found.update(whole if whole in MODULES else str(node.module) for whole in names.values())
    return found & MODULES.keys()


@pytest.mark.parametrize("ring", ["geo", "layers", "api", "tests", "bench"])
def test_no_relative_imports(ring: str) -> None:
    relative = [str(path) for path in modules(ring) for name in imported(path) if name.startswith(".")]
    assert relative == []


@pytest.mark.parametrize("ring", FORBIDDEN)
def test_a_ring_imports_nothing_that_is_not_its_business(ring: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules(ring)
        for name in imported(path)
        if name.split(".")[0] in FORBIDDEN[ring] or name.startswith("urllib.request")
    ]
    assert modules(ring)
    assert found == []


def test_every_module_is_in_a_room() -> None:
    packages = {"geo", "layers", "layers.sources", "api"}
    assert [name for name in MODULES if room(name) is None and name not in packages] == []
    assert [name for name in ROOMS if not any(room(module) == name for module in MODULES)] == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_import_only_earlier_rooms(name: str) -> None:
    if room(name):
        assert too_late(name, imported(MODULES[name])) == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports inside functions and for type checkers count too: a circle is a circle."""
    waiting = {name: module_imports(path) - {name} for name, path in MODULES.items()}
    while free := [name for name, needs in waiting.items() if not needs]:
        waiting = {name: needs.difference(free) for name, needs in waiting.items() if needs}
    assert waiting == {}


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_publishers_do_not_import_each_other(publisher: str) -> None:
    own = f"layers.sources.{publisher}"
    others = {f"layers.sources.{other}" for other in PUBLISHERS} - {own}
    found = {
        f"{name}: {other}"
        for name, path in MODULES.items()
        if room(name) == own
        for other in imported(path)
        if room(other) in others
    }
    assert found == set()


def test_the_scan_sees_imports_inside_functions_and_from_packages(tmp_path: Path) -> None:
    source = tmp_path / "sample.py"
    source.write_text("from layers.snapshot import derived_layers\nimport os\ndef f():\n    from api.app import S\n")
    assert too_late("layers.store.store", imported(source)) == ["api.app", "layers.snapshot"]
    assert too_late("layers.snapshot.snapshot", imported(source)) == ["api.app"]
    assert too_late("api.cli.main", imported(source)) == []
    source.write_text("from . import x\n")
    assert list(imported(source)) == ["."]
