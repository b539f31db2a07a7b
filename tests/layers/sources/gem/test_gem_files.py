"""GEM's trackers as files: CSV, UTF-16, xlsx and GeoJSON give the same, routes join their rows, every file is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely

from layers.model.problems import ReadResult
from layers.model.records import Asset
from layers.model.types import Basis
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.gem.formats import GEM, TRACKER
from layers.sources.reader.format import LoadOptions
from layers.sources.reader.owner_grammar import parse_owners, unnested
from layers.sources.registry import recognise
from tests.layers.english import english_counts, raises
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook

SAMPLES = Path(__file__).resolve().parents[3] / "data"

HEADER = [
    "ProjectID", "Countries", "PipelineName", "SegmentName", "Status", "Owner", "Capacity", "CapacityUnits", "Fuel",
    "RouteAccuracy", "Wiki",
]  # fmt: skip
ROWS = [
    ["P9101", "Georgia; Türkiye", "Amber Pipeline", "West", "operating", "Amber Line Co [51.00%]; Brook [unknown %]",
     "5.5", "bcm/y", "Gas", "high", "https://www.gem.wiki/Amber"],
    ["P9102", "Ukraine", "Бурштин Pipeline", "--", "operating", "unknown [unknown %]", "", "", "Oil", "medium", ""],
    ["P9103", "Ukraine", "Brook Pipeline", "", "proposed", "Brook [100.%]", "--", "", "Oil", "no route", ""],
]  # fmt: skip
LINES = {
    "P9101": {"type": "LineString", "coordinates": [[44.0, 42.0], [44.5, 42.1], [45.0, 42.0]]},
    "P9102": {"type": "MultiLineString", "coordinates": [[[30, 50], [30.5, 50]], [[31, 50], [31.5, 50]]]},
    "P9103": None,
}


def features(*given: tuple[Any, Any], **more: Any) -> str:
    """A collection of properties with their geometries."""
    found = [{"type": "Feature", "properties": properties, "geometry": geometry} for properties, geometry in given]
    return json.dumps({"type": "FeatureCollection", **more, "features": found})


def as_csv(path: Path) -> SourceFile:
    return file_of(path / "tracker.csv", csv_text([HEADER, *ROWS]))


def as_semicolons(path: Path) -> SourceFile:
    return file_of(path / "tracker.csv", csv_text([HEADER, *ROWS], ";").encode("utf-8-sig"))


def as_utf_16(path: Path) -> SourceFile:
    return file_of(path / "tracker.txt", csv_text([HEADER, *ROWS], "\t").encode("utf-16"))


def as_workbook(path: Path) -> SourceFile:
    about = sheet_xml([["About this tracker"], ["Licence", "CC BY 4.0"]])
    words = sheet_xml([["Column", "Meaning", "Name", "Note"], ["Owner", "who owns", "", ""]])
    return workbook(path / "tracker.xlsx", {"About": about, "Data": sheet_xml([HEADER, *ROWS]), "Words": words})


def as_features(path: Path) -> SourceFile:
    given = [(dict(zip(HEADER, row, strict=True)), LINES[row[0]]) for row in ROWS]
    return file_of(path / "tracker.geojson", features(*given))


def routes(path: Path) -> SourceFile:
    return file_of(path / "routes.geojson", features(*(({"ProjectID": key}, line) for key, line in LINES.items())))


def read(*files: SourceFile) -> ReadResult:
    return TRACKER.read(files, LoadOptions("gem/sample"))


def faults(reading: ReadResult) -> list[tuple[str, int | None, str]]:
    return [(problem.file, problem.row, problem.column) for problem in reading.problems]


def told(asset: Asset) -> dict[str, Any]:
    return asset.model_dump(exclude={"sources", "place_source"})


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> ReadResult:
    path = tmp_path_factory.mktemp("gem")
    return read(as_csv(path), routes(path))


@pytest.mark.parametrize("write", [as_csv, as_semicolons, as_utf_16, as_workbook], ids=lambda write: write.__name__)
def test_a_tracker_gives_the_same_in_every_kind_of_file(
    tmp_path: Path, sample: ReadResult, write: Callable[[Path], SourceFile]
) -> None:
    file = write(tmp_path)
    assert recognise(file) is TRACKER
    reading = read(routes(tmp_path), file)
    assert [told(one) for one in reading.records.assets.values()] == [
        told(one) for one in sample.records.assets.values()
    ]
    assert set(reading.records.stakes) == set(sample.records.stakes)
    assert (reading.problems, reading.rows) == ((), 6)


def test_features_are_rows_with_their_routes(tmp_path: Path, sample: ReadResult) -> None:
    file = as_features(tmp_path)
    assert recognise(file) is TRACKER
    reading = read(file)
    assert [told(one) for one in reading.records.assets.values()] == [
        told(one) for one in sample.records.assets.values()
    ]
    assert (reading.problems, reading.rows, reading.skipped) == ((), 3, {})


def test_what_the_rows_say(sample: ReadResult) -> None:
    amber, ukrainian, brook = sample.records.assets.values()
    assert (amber.id, amber.name, amber.kind, amber.commodity) == (
        "gem/p9101", "Amber Pipeline, West", "pipeline", "Gas",
    )  # fmt: skip
    assert (amber.capacity, amber.capacity_unit, amber.host_country) == (5.5, "bcm/y", None)
    assert (amber.uncertainty_m, amber.basis) == (1_000, "site")
    assert (ukrainian.name, ukrainian.host_country, ukrainian.uncertainty_m) == ("Бурштин Pipeline", "UA", 15_000)
    assert (brook.geometry, brook.uncertainty_m, brook.note) == (None, None, "GEM status: proposed")
    shares = {stake.id: (stake.share_min, stake.share_max) for stake in sample.records.stakes.values()}
    assert shares == {
        "gem/p9101>name/amber-line-co": (51.0, 51.0),
        "gem/p9101>name/brook": (0.0, 49.0),
        "gem/p9102>name/unknown": (0.0, 100.0),
        "gem/p9103>name/brook": (100.0, 100.0),
    }
    (source,) = sample.records.sources.values()
    assert (source.publisher, source.licence, source.title) == ("Global Energy Monitor", "CC BY 4.0", "tracker.csv")


def test_every_sheet_that_is_a_tracker_is_read_and_faults_name_it(tmp_path: Path) -> None:
    terminals = [["TerminalName", "TerminalID", "Owner", "Country"], ["Quiet", "T9001", "Brook [100%]", "Narnia"]]
    sheets = {"About": [["one", "two"]], "Lines": [HEADER, *ROWS], "Terminals": terminals}
    file = workbook(tmp_path / "2025-03-01.xlsx", {name: sheet_xml(rows) for name, rows in sheets.items()})
    assert recognise(file) is TRACKER
    reading = read(file)
    assert list(reading.records.assets) == ["gem/p9101", "gem/p9102", "gem/p9103", "gem/t9001"]
    assert reading.records.assets["gem/t9001"].kind == "lng-plant"
    assert faults(reading) == [("2025-03-01.xlsx#Terminals", 2, "countries")]
    titles = {source.title: source.published for source in reading.records.sources.values()}
    assert titles == {"2025-03-01.xlsx, Lines": "2025-03-01", "2025-03-01.xlsx, Terminals": "2025-03-01"}


def test_rows_of_another_width_count_as_rows(tmp_path: Path) -> None:
    reading = read(file_of(tmp_path / "tracker.csv", csv_text([HEADER, *ROWS, ["P9104", "Ukraine"]])))
    assert (reading.rows, len(reading.records.assets), faults(reading)) == (4, 3, [("tracker.csv", 5, "cells")])


def joined(path: Path, *given: tuple[Any, Any], name: str = "routes.geojson", **more: Any) -> ReadResult:
    """Read the rows with other routes."""
    return read(as_csv(path), file_of(path / name, features(*given, **more)))


def shape(reading: ReadResult, key: str = "gem/p9101") -> str | None:
    found = reading.records.assets[key].geometry
    return None if found is None else found.wkt


A, B = [[44, 42], [45, 42]], [[46, 42], [47, 42]]
P9101 = {"ProjectID": "P9101"}


def test_a_route_of_several_features_or_a_collection_is_all_its_lines(tmp_path: Path) -> None:
    lines = [{"type": "LineString", "coordinates": part} for part in (A, B)]
    ends = {"type": "Point", "coordinates": A[0]}
    both = "MULTILINESTRING ((44 42, 45 42), (46 42, 47 42))"
    assert shape(joined(tmp_path, *((P9101, line) for line in lines))) == both
    assert shape(joined(tmp_path, (P9101, {"type": "GeometryCollection", "geometries": [ends, *lines, ends]}))) == both
    nested = {"type": "GeometryCollection", "geometries": [{"type": "MultiLineString", "coordinates": [A, B]}, ends]}
    assert shape(joined(tmp_path, (P9101, nested))) == both
    one = {"type": "GeometryCollection", "geometries": [ends, lines[0]]}
    assert shape(joined(tmp_path, (P9101, one))) == "LINESTRING (44 42, 45 42)"
    tall = {"type": "LineString", "coordinates": [[*point, 100] for point in A]}
    assert shape(joined(tmp_path, (P9101, tall))) == "LINESTRING (44 42, 45 42)"


def test_every_route_ends_once(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": A}
    given = [(P9101, line), ({"ProjectID": "P9102"}, None), ({"ProjectID": "P1"}, line), ({}, line), (None, line)]
    reading = joined(tmp_path, *given, ({"ProjectID": "P9103"}, {"type": "LineString", "coordinates": ["x"]}))
    assert english_counts(reading.skipped) == {
        "a route of a row": 1,
        "a route of no row that was read": 1,
        "no route: the geometry is empty": 1,
    }
    assert faults(reading) == [
        ("routes.geojson", 4, "ProjectID"),
        ("routes.geojson", 5, "ProjectID"),
        ("routes.geojson", 6, "geometry"),
    ]
    assert reading.rows == len(ROWS) + 6
    assert shape(reading, "gem/p9102") is None


def test_a_file_of_one_route_may_have_the_number_in_its_name(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": A}
    assert shape(joined(tmp_path, ({}, line), name="P9101.geojson")) == "LINESTRING (44 42, 45 42)"
    assert faults(joined(tmp_path, ({}, line), name="Pipes.geojson")) == [("Pipes.geojson", 1, "ProjectID")]


def test_two_files_with_a_route_of_one_pipeline_are_a_fault(tmp_path: Path) -> None:
    files = [
        file_of(tmp_path / f"{name}.geojson", features((P9101, {"type": "LineString", "coordinates": line})))
        for name, line in (("a", A), ("b", B))
    ]
    reading = read(as_csv(tmp_path), *files)
    assert faults(reading) == [("b.geojson", 1, "ProjectID")]
    assert (shape(reading), english_counts(reading.skipped)) == ("LINESTRING (44 42, 45 42)", {"a route of a row": 1})


def test_a_row_with_a_route_of_its_own_keeps_it(tmp_path: Path) -> None:
    rows = [[*ROWS[0], "LINESTRING (30 50, 31 50)"], [*ROWS[1], ""]]
    file = file_of(tmp_path / "tracker.csv", csv_text([[*HEADER, "WKTFormat"], *rows]))
    reading = read(file, routes(tmp_path))
    assert shape(reading) == "LINESTRING (30 50, 31 50)"
    assert shape(reading, "gem/p9102") == shapely.geometry.shape(LINES["P9102"]).wkt


def test_routes_in_other_coordinates_or_without_a_tracker_are_refused(tmp_path: Path) -> None:
    line = (P9101, {"type": "LineString", "coordinates": A})

    def crs(name: str) -> dict[str, Any]:
        return {"type": "name", "properties": {"name": name}}

    assert shape(joined(tmp_path, line, crs=crs("urn:ogc:def:crs:OGC:1.3:CRS84"))) is not None
    with raises(FileRefused, match="reproject"):
        joined(tmp_path, line, crs=crs("urn:ogc:def:crs:EPSG::3857"))
    with raises(FileRefused, match="a tracker beside them"):
        read(routes(tmp_path))


@pytest.mark.parametrize(
    ("wkt", "expected"),
    [
        ("GEOMETRYCOLLECTION (POINT (44 42), LINESTRING (44 42, 45 42))", "LINESTRING (44 42, 45 42)"),
        ("LINESTRING Z (44 42 1, 45 42 2)", "LINESTRING (44 42, 45 42)"),
        ("MULTILINESTRING ((44 42, 45 42), (46 42, 46 42))", "MULTILINESTRING ((44 42, 45 42))"),
        ("GEOMETRYCOLLECTION EMPTY", None),
        ("--", None),
        ("", None),
        ("LINESTRING (44 42, 45", None),
        ("LINESTRING (44 142, 45 142)", None),
    ],
)
def test_routes_as_text(tmp_path: Path, wkt: str, expected: str | None) -> None:
    reading = read(file_of(tmp_path / "tracker.csv", csv_text([[*HEADER, "WKTFormat"], [*ROWS[0], wkt]])))
    assert shape(reading) == expected
    is_faulty = wkt.endswith("45") or "142" in wkt or "46 42, 46 42" in wkt
    assert faults(reading) == ([("tracker.csv", 2, "geometry")] if is_faulty else [])


def placed(path: Path, header: Sequence[str], cells: Sequence[str]) -> Asset:
    """A plant with some more columns."""
    common = {"GEM unit ID": "G1", "Plant name": "Reed", "Owner(s)": "A [100%]", "Country/Area": "Ukraine"}
    reading = read(file_of(path / "plants.csv", csv_text([[*common, *header], [*common.values(), *cells]])))
    assert reading.problems == ()
    return reading.records.assets["gem/g1"]


NAMES = ["RouteAccuracy", "Location accuracy", "Location Accuracy", "Coordinate accuracy", "Accuracy", "Yard Accuracy"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_accuracy(tmp_path: Path, name: str) -> None:
    asset = placed(tmp_path, ["Latitude", "Longitude", name], ["48.5", "30.1", "approximate"])
    assert (asset.uncertainty_m, asset.basis) == (15_000, "settlement")


def test_the_accuracy_is_the_one_that_the_row_gives(tmp_path: Path) -> None:
    header = ["Latitude", "Longitude", "Location accuracy", "RouteAccuracy"]
    assert placed(tmp_path, header, ["48.5", "30.1", "exact", ""]).uncertainty_m == 500
    assert placed(tmp_path, header, ["48.5", "30.1", "exact", "low"]).uncertainty_m == 50_000
    assert placed(tmp_path, header, ["48.5", "30.1", " ", ""]).uncertainty_m == 5_000


@pytest.mark.parametrize(
    ("word", "uncertainty_m", "basis"),
    [
        ("very high (within meters)", 50, "site"),
        ("Very high", 50, "site"),
        ("high", 1_000, "site"),
        (" medium ", 15_000, "district"),
        ("low", 50_000, "line-end"),
        # No word for a route: by its longest straight stretch, which is 42 km long.
        ("no route", 25_000, "line-end"),
        ("", 25_000, "line-end"),
    ],
)
def test_how_accurate_a_route_is(tmp_path: Path, word: str, uncertainty_m: float, basis: Basis) -> None:
    header = [*HEADER, "WKTFormat"]
    row = [*ROWS[0][:-2], word, "", "LINESTRING (44 42, 44.5 42.1, 45 42)"]
    reading = read(file_of(tmp_path / "tracker.csv", csv_text([header, row])))
    asset = reading.records.assets["gem/p9101"]
    assert (asset.uncertainty_m, asset.basis) == (uncertainty_m, basis)


@pytest.mark.parametrize("cell", ["48.5, 30.1", "48.5,30.1", " 48.5 ,  30.1 "])
def test_coordinates_in_one_field_are_lat_lon(tmp_path: Path, cell: str) -> None:
    asset = placed(tmp_path, ["Coordinates", "Accuracy"], [cell, "exact"])
    assert (asset.geometry, asset.uncertainty_m, asset.kind) == (shapely.Point(30.1, 48.5), 500, "power-plant")


@pytest.mark.parametrize("cell", ["48.5", "48.5; 30.1", "north, east", "30.1, 148.5, 1", "148.5, 30.1"])
def test_coordinates_that_are_no_pair_are_a_fault(tmp_path: Path, cell: str) -> None:
    header = ["GEM unit ID", "Plant name", "Owner(s)", "Coordinates"]
    reading = read(file_of(tmp_path / "plants.csv", csv_text([header, ["G1", "Reed", "A [100%]", cell]])))
    assert faults(reading) == [("plants.csv", 2, "geometry")]
    assert reading.records.assets["gem/g1"].geometry is None
    assert len(reading.records.stakes) == 1


def test_the_kind_of_a_tracker_does_not_hang_on_capitals(tmp_path: Path) -> None:
    header = ["GEM Unit ID", "Plant Name", "Owner(s)"]
    reading = read(file_of(tmp_path / "plants.csv", csv_text([header, ["G1", "Reed", "A [100%]"]])))
    assert reading.records.assets["gem/g1"].kind == "power-plant"


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("A (51%)，B（49%） [100.00%]", [("A", 51.0), ("B", 49.0)]),
        (
            "A（中国）有限公司(60.5%), B (39.5%) [50.00%]; C [50%]",
            [("A（中国）有限公司", 30.25), ("B", 19.75), ("C", 50.0)],
        ),
        # What does not make 100, has no shares or no share of its own stays one name.
        ("A (51%)，B（39%） [100.00%]", [("A (51%)，B（39%）", 100.0)]),
        ("A，B [100.00%]", [("A，B", 100.0)]),
        ("A (51%)，B（49%） [unknown %]", [("A (51%)，B（49%）", None)]),
        ("A (100%) [100.00%]", [("A (100%)", 100.0)]),
        ("A (51%)，B（49%）Major [100.00%]", [("A (51%)，B（49%）Major", 100.0)]),
        ("A [51%]; B [49%]", [("A", 51.0), ("B", 49.0)]),
    ],
)
def test_owners_in_one_name(text: str, entries: list[tuple[str, float | None]]) -> None:
    found = unnested(parse_owners(text))
    assert [(owner.name, owner.share) for owner in found.entries] == entries
    assert found.text == text


def test_owners_in_one_name_stay_together_where_digits_are_cut() -> None:
    listed = parse_owners("A (51%)，B（49%） [99%]", step=1.0)
    assert unnested(listed) == listed


def test_owners_in_one_name_are_stakes_that_say_so_and_no_fault(tmp_path: Path) -> None:
    row = [*ROWS[2][:5], "A (51%)，B（49%） [100.00%]", *ROWS[2][6:]]
    reading = read(file_of(tmp_path / "tracker.csv", csv_text([HEADER, row])))
    assert reading.problems == ()
    stakes = reading.records.stakes
    assert {key: stake.share_min for key, stake in stakes.items()} == {
        "gem/p9103>name/a": 51.0, "gem/p9103>name/b": 49.0,
    }  # fmt: skip
    assert {stake.note for stake in stakes.values()} == {"GEM lists it with others in one name"}


def test_both_kinds_of_gem_files_in_one_load(tmp_path: Path) -> None:
    entities = SourceFile.of(SAMPLES / "gem" / "all-entities.csv")
    reading = GEM.read([as_csv(tmp_path), entities], LoadOptions("gem"))
    assert len(reading.records.assets) == 3
    assert any(entity.registered_in for entity in reading.records.entities.values())
