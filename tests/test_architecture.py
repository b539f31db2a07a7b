"""The arrows of the house: api -> layers -> geo, and inside each ring only to earlier rooms, without circles."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import architecture
from tests.architecture import (
    MODULES,
    PUBLISHERS,
    ROOMS,
    ROOT,
    imported,
    lines_by_room,
    module_imports,
    modules,
    room,
)

RINGS = ("geo", "layers", "api", "strikeatlas")

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "socket", "ssl", "urllib3"}
SERVER = {"fastapi", "starlette", "uvicorn"}
PLOTTING = {"folium", "matplotlib"}
FORBIDDEN = {
    "geo": {"api", "layers", "sqlite3", "typer", "rich"} | NETWORK | SERVER | PLOTTING,
    "layers": {"api", "typer"} | NETWORK | SERVER | PLOTTING,
}


def too_late(name: str, imports: Iterator[str]) -> list[str]:
    """Return the rooms that a module imports although they do not come before its own."""
    own = room(name)
    rooms = {room(other) for other in imports} - {own, None}
    order = list(ROOMS)
    return sorted(str(other) for other in rooms if own is None or order.index(str(other)) > order.index(own))


@pytest.mark.parametrize("ring", ["geo", "layers", "api", "strikeatlas", "tools", "tests", "bench"])
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


def test_the_name_of_the_installed_program_is_a_door_to_the_api_and_no_room() -> None:
    ways = {name for path in modules("strikeatlas") for name in imported(path) if room(name)}
    assert {room(name) for name in ways} == {"api.python", "api.cli"}


def test_tools_know_no_api_and_nothing_of_the_program_imports_them() -> None:
    imports = {ring: {name for path in modules(ring) for name in imported(path)} for ring in (*RINGS, "tools")}
    assert [name for name in imports["tools"] if name.split(".")[0] in ("api", "strikeatlas", "tests", "bench")] == []
    assert any(name.split(".")[0] == "layers" for name in imports["tools"])
    assert [name for ring in RINGS for name in imports[ring] if name.split(".")[0] == "tools"] == []


def test_every_module_is_in_a_room() -> None:
    packages = {"geo", "layers", "layers.sources", "api"}
    assert [name for name in MODULES if room(name) is None and name not in packages] == []
    assert [name for name in ROOMS if not any(room(module) == name for module in MODULES)] == []


def test_no_room_has_more_lines_than_it_may_have() -> None:
    over = {name: lines - ROOMS[name] for name, lines in lines_by_room().items() if lines > ROOMS[name]}
    assert over == {}, "take something away, or raise the number in tests/architecture.py and say why"


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


def test_the_page_and_the_picture_show_the_rooms_as_they_are() -> None:
    page = architecture.PAGE.read_text(encoding="utf-8")
    assert architecture.page(page) == page, "make docs"
    assert architecture.PICTURE.read_text(encoding="utf-8") == architecture.svg(), "make docs"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_the_files_that_a_page_names_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = re.findall(r"`((?:geo|layers|api|static|tests|docs|bench|tools)/[\w./-]*)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_walks_name_what_the_code_has() -> None:
    """Each step is `module.py` with a function, class or method that is defined in it."""
    text = architecture.PAGE.read_text(encoding="utf-8")
    steps = re.findall(r"`((?:geo|layers|api)/[\w/]+\.py)`: `([\w.]+)`", text)
    assert len(steps) > 30
    for path, name in steps:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for part in name.split("."):
            defined = {node.name: node for node in ast.walk(tree) if isinstance(node, DEFINITIONS)}
            assert part in defined, (path, name)
            tree = defined[part]  # type: ignore[assignment]
