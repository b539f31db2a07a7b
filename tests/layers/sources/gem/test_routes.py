"""Routes beside a tracker: the newest counts, every one is remembered, and files say the pipeline in many ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from layers.model.problems import ReadResult
from layers.sources.files.source_file import SourceFile
from layers.sources.gem.formats import TRACKER
from layers.sources.gem.record_builder import claimed_route
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import recognise
from tests.layers.sources.making_files import file_of

OWN = "LINESTRING (30 50, 31 50)"
OLD, NEW = [[30, 50], [31, 51]], [[30, 50], [30.5, 50.2], [31, 51]]


def tracker(folder: Path, name: str, route: str = "") -> SourceFile:
    text = f"ProjectID\tPipelineName\tOwner\tStatus\tWKTFormat\nP9001\tAmber\tA [100%]\toperating\t{route}\n"
    return file_of(folder / name, text)


def routes(folder: Path, name: str, line: list[Any], **properties: Any) -> SourceFile:
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "LineString", "coordinates": line}}
    return file_of(folder / name, json.dumps({"type": "FeatureCollection", "features": [feature]}))


def read(*files: SourceFile) -> ReadResult:
    return TRACKER.read(files, LoadOptions("gem/x"))


def shape(reading: ReadResult) -> str:
    geometry = reading.records.assets["gem/p9001"].geometry
    assert geometry is not None
    return geometry.wkt


def claims(reading: ReadResult) -> dict[str, str]:
    titles = {key: source.title or "" for key, source in reading.records.sources.items()}
    assert {(claim.record, claim.field) for claim in reading.records.claims.values()} <= {("gem/p9001", "geometry")}
    return {titles[claim.source]: claim.value for claim in reading.records.claims.values()}


def test_a_newer_route_replaces_an_older_one_and_both_are_claims(tmp_path: Path) -> None:
    table = tracker(tmp_path, "goit-2024-05-01.csv", OWN)
    files = [routes(tmp_path, f"routes-{day}.geojson", line, ProjectID="P9001")
             for day, line in (("2025-03-01", NEW), ("2023-03-01", OLD))]  # fmt: skip
    reading = read(table, *files)
    assert reading.problems == ()
    assert shape(reading) == "LINESTRING (30 50, 30.5 50.2, 31 51)"
    assert claims(reading) == {
        "goit-2024-05-01.csv": "LINESTRING (30 50, 31 50)",
        "routes-2025-03-01.geojson": "LINESTRING (30 50, 30.5 50.2, 31 51)",
        "routes-2023-03-01.geojson": "LINESTRING (30 50, 31 51)",
    }


def test_a_row_keeps_its_route_against_an_older_file_and_the_other_is_a_claim(tmp_path: Path) -> None:
    reading = read(
        tracker(tmp_path, "goit-2024-05-01.csv", OWN), routes(tmp_path, "2023-03-01.geojson", OLD, ProjectID="P9001")
    )
    assert shape(reading) == OWN
    assert len(claims(reading)) == 2


def test_a_route_that_is_the_only_one_or_the_same_again_is_no_claim(tmp_path: Path) -> None:
    alone = read(tracker(tmp_path, "goit.csv"), routes(tmp_path, "routes-2025-03-01.geojson", OLD, ProjectID="P9001"))
    assert (shape(alone), claims(alone)) == ("LINESTRING (30 50, 31 51)", {})
    same = read(
        tracker(tmp_path, "goit-2024-05-01.csv", "LINESTRING (30 50, 31 51)"),
        routes(tmp_path, "routes-2025-03-01.geojson", OLD, ProjectID="P9001"),
    )
    assert claims(same) == {}


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("routes.geojson", {"ProjectID": "P9001"}),
        ("routes.geojson", {"pipeline_id": "P9001"}),
        ("routes.geojson", {"Project-ID": "p9001"}),
        ("routes.geojson", {"length": 12, "Nummer": "P9001"}),
        ("P9001.geojson", {}),
        ("P9001.geojson", {"length": 12}),
        ("GOIT_P9001_route.geojson", {}),
    ],
)
def test_where_the_number_of_a_pipeline_may_stand(tmp_path: Path, name: str, properties: dict[str, Any]) -> None:
    file = routes(tmp_path, name, OLD, **properties)
    reading = read(tracker(tmp_path, "goit.csv"), file)
    assert (shape(reading), reading.problems) == ("LINESTRING (30 50, 31 51)", ())


def test_a_route_is_recognised_by_a_property_or_its_name(tmp_path: Path) -> None:
    assert recognise(routes(tmp_path, "routes.geojson", OLD, pipeline_id="P9001")) is TRACKER
    assert recognise(routes(tmp_path, "P9001.geojson", OLD, length=1)) is TRACKER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50,30:51,31", "LINESTRING (30 50, 31 51)"),
        ("50.5,30.25:51,31;", "LINESTRING (30.25 50.5, 31 51)"),
        ("50,30:51,31;52,32:53,33", "MULTILINESTRING ((30 50, 31 51), (32 52, 33 53))"),
        ('{"type":"LineString","coordinates":[[30,50],[31,51]]}', "LINESTRING (30 50, 31 51)"),
        ("LINESTRING (30 50, 31 51)", "LINESTRING (30 50, 31 51)"),
    ],
)
def test_how_a_route_may_be_written(tmp_path: Path, text: str, expected: str) -> None:
    reading = read(
        tracker(
            tmp_path,
            "goit.csv",
            text.replace('"', '""') if text[0] != "{" else f'"{text.replace(chr(34), chr(34) * 2)}"',
        )
    )
    assert (shape(reading), reading.problems) == (expected, ())


@pytest.mark.parametrize("text", ["50,30:51", "50,30:x,31", "150,30:151,31", '{"type":"LineString"', "50;30"])
def test_what_is_no_route_loses_the_place_and_says_so(tmp_path: Path, text: str) -> None:
    reading = read(tracker(tmp_path, "goit.csv", text.replace('"', "")))
    assert [problem.column for problem in reading.problems] == ["geometry"]
    assert reading.records.assets["gem/p9001"].geometry is None


def test_a_claim_of_a_long_route_is_simplified_and_no_longer_than_a_text_may_be() -> None:
    line = shapely.LineString([(30 + n / 1000, 50 + (n % 7) / 500) for n in range(5000)])
    value = claimed_route(line.wkt)
    kept = shapely.from_wkt(value)
    assert len(value) <= 2000
    assert shapely.hausdorff_distance(kept, line) < 0.05


@pytest.mark.parametrize("far", [1e308, -1e308])
def test_a_claim_of_a_route_beyond_the_earth_ends(far: float) -> None:
    lines = [[(30, 50), (30.5, 50)], [(31, 50), (31.5, far), *((31 + n / 1000, 50.0) for n in range(500))]]
    assert len(claimed_route(shapely.MultiLineString(lines).wkt)) <= 2000
