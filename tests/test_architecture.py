"""The arrows of the house: api -> layers -> geo, and inside layers only to earlier modules."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The order in which data flows; a module of layers/ may import only those before it.
LAYER_ORDER = (
    "when",
    "fields",
    "columns",
    "schema",
    "problems",
    "reading",
    "basemap_source",
    "basemap",
    "place_names",
    "region_names",
    "gazetteer_rows",
    "gazetteer_index",
    "gazetteer_score",
    "gazetteer_store",
    "gazetteer_ranking",
    "gazetteer_adding",
    "gazetteer",
    "sinks",
    "curated",
    "gpkg_blob",
    "gpkg",
    "file_guard",
    "connections",
    "rows",
    "recent",
    "asked",
    "stored",
    "publishing",
    "loading",
    "edits",
    "versions",
    "store_file",
    "layer_table",
    "layer_renewal",
    "store",
    "stake_table",
    "absorption",
    "ownership",
    "above",
    "rollup",
    "solved",
    "chains",
    "owners",
    "name_words",
    "names",
    "judgements",
    "entity_merging",
    "strike_merging",
    "merging",
    "proposals",
    "identity",
    "judging",
    "uniting",
    "arrival",
    "strike_words",
    "event_table",
    "duplicate_pairs",
    "duplicate_evidence",
    "duplicates",
    "check",
    "weights",
    "target_words",
    "target_names",
    "asset_index",
    "strike_table",
    "likelihood",
    "match_reasons",
    "decisions",
    "matching",
    "calibration",
    "holdings",
    "control",
    "sources",
    "attribution",
    "reviewing",
    "tally",
    "feature_table",
    "features",
    "flat",
    "queryables",
    "values",
    "collection",
    "splicing",
    "filter_tree",
    "filter_tokens",
    "filter_shapes",
    "filter_text",
    "filter_values",
    "filter_numbers",
    "filter_texts",
    "filter_times",
    "filter_lists",
    "filter_places",
    "filtering",
    "selection",
    "cursor",
    "kept_arrays",
    "snapshot",
    "edited",
    "renewal",
    "kept_layers",
    "kept",
    "keeping",
    "derived",
    "record_docs",
)

NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "socket", "ssl", "urllib3"}
SERVER = {"fastapi", "starlette", "uvicorn"}
PLOTTING = {"folium", "matplotlib"}
FORBIDDEN = {
    "geo": {"api", "layers", "sqlite3", "typer", "rich"} | NETWORK | SERVER | PLOTTING,
    "layers": {"api", "typer"} | NETWORK | SERVER | PLOTTING,
}


def modules(ring: str) -> list[Path]:
    return sorted((ROOT / ring).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted name of each import anywhere in a module, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            yield from (f"{node.module}.{alias.name}" for alias in node.names if not node.level)


def layer_name(dotted: str) -> str | None:
    """Return which module or subpackage of layers/ a dotted import name means, None for others."""
    parts = dotted.split(".")
    return parts[1] if parts[0] == "layers" and len(parts) > 1 else None


def own_name(path: Path) -> str:
    return path.relative_to(ROOT / "layers").with_suffix("").parts[0]


def too_late(name: str, imports: Iterator[str], order: tuple[str, ...]) -> list[str]:
    """Return the modules of layers/ that `name` imports although they do not come before it."""
    known = {layer_name(dotted) for dotted in imports} & set(order) - {name}
    return sorted(str(other) for other in known if order.index(str(other)) > order.index(name))


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


def test_every_module_of_layers_has_its_place_in_the_order() -> None:
    there = {own_name(path) for path in modules("layers")} - {"__init__"}
    assert there - set(LAYER_ORDER) == set()


@pytest.mark.parametrize("path", modules("layers"), ids=lambda path: path.stem)
def test_layers_import_only_earlier_modules(path: Path) -> None:
    name = own_name(path)
    if name in LAYER_ORDER:
        assert too_late(name, imported(path), LAYER_ORDER) == []


def test_the_scan_sees_imports_inside_functions_and_from_packages(tmp_path: Path) -> None:
    source = tmp_path / "sample.py"
    source.write_text("from layers import store\nimport os\ndef f():\n    from layers.snapshot import S\n")
    assert too_late("store", imported(source), LAYER_ORDER) == ["snapshot"]
    assert too_late("when", imported(source), LAYER_ORDER) == ["snapshot", "store"]
    source.write_text("from . import x\n")
    assert list(imported(source)) == ["."]
