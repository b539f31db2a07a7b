"""GeoJSON made of OpenStreetMap by several programs: which element a feature is, and what its tags are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from layers.sources.osm.elements import reference_of, tags_of
from tests.layers.english import english, english_counts
from tests.layers.sources.making_files import file_of
from tests.layers.sources.osm.osm_files import assert_every_row_ends_once, collection, read

LINE_SHAPE = shapely.LineString([(0, 0), (1, 1)])
AREA = shapely.box(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("properties", "shape", "reference"),
    [
        ({"@id": "relation/7"}, AREA, "relation/7"),
        ({"full_id": "r7", "osm_id": "7", "osm_type": "relation"}, AREA, "relation/7"),
        ({"id": "way/7"}, AREA, "way/7"),
        ({"@id": 7, "@type": "node"}, None, "node/7"),
        ({"@id": "a14"}, AREA, "way/7"),
        ({"@id": "a15"}, AREA, "relation/7"),
        ({"osm_id": 7.0, "osm_type": "W"}, AREA, "way/7"),
        ({"osm_id": "-7"}, AREA, "relation/7"),
        ({"osm_id": 7}, shapely.Point(1, 1), "node/7"),
        ({"osm_id": 7}, LINE_SHAPE, "way/7"),
        ({"osm_id": 7}, AREA, "way/7"),
        ({"osm_id": 7}, shapely.MultiPolygon([AREA]), "relation/7"),
        ({"osm_id": "7", "osm_way_id": None}, AREA, "relation/7"),
        ({"osm_id": None, "osm_way_id": "7"}, AREA, "way/7"),
        ({"osm_id": None}, AREA, ""),
        ({}, AREA, ""),
    ],
)
def test_which_element_a_feature_is(properties: dict[str, Any], shape: shapely.Geometry | None, reference: str) -> None:
    assert reference_of({"properties": properties}, shape) == reference


def test_the_id_of_a_feature_beside_its_properties() -> None:
    assert reference_of({"id": "way/7", "properties": {"osm_type": "x"}}, AREA) == "way/7"
    assert reference_of({"id": "w7", "properties": None}, AREA) == "way/7"


def test_features_that_are_none_or_not_whole_are_faults(tmp_path: Path) -> None:
    def feature(properties: Any, **geometry: Any) -> dict[str, Any]:
        return {"type": "Feature", "properties": properties, "geometry": geometry or None}

    power = {"power": "plant"}
    features = [
        feature({"@id": "node/1", **power}, type="Point", coordinates=[30, 50]),
        feature({"@id": "node/2", **power}, type="Point", coordinates=["a", 50]),
        3,
        feature({"@id": "node/4", **power}),
        feature(power, type="Point", coordinates=[30, 50]),
        feature({"@id": "node/6", "tainted": True, **power}, type="Point", coordinates=[30, 50]),
        feature(None, type="Point", coordinates=[30, 50]),
    ]
    reading = read(file_of(tmp_path / "a.geojson", collection(features)))
    found = {problem.row: (problem.column, problem.value) for problem in english(reading.problems)}
    assert set(found) == {2, 3, 4, 5, 6}
    assert found[4] == ("geometry", "(missing)")
    assert found[5] == ("type, id", "(missing)")
    assert found[6] == ("geometry", "without some members or nodes")
    assert set(reading.records.assets) == {"osm/node/1", "osm/node/4", "osm/node/6"}
    assert english_counts(reading.skipped) == {"no tag of an energy asset": 1}
    assert_every_row_ends_once(reading)


@pytest.mark.parametrize(
    "properties",
    [
        {"power": "plant", "name": 'The "Reed"', "operator": None, "voltage": ""},
        {"name": 'The "Reed"', "other_tags": '"power"=>"plant","operator"=>NULL,"voltage"=>""'},
        {"name": None, "other_tags": r'"power"=>"plant", "name"=>"The \"Reed\""'},
        {"name": None, "all_tags": json.dumps({"power": "plant", "name": 'The "Reed"'})},
        {"id": 7, "type": "way", "meta": {"version": 2}, "tags": {"power": "plant", "name": 'The "Reed"'}},
        {"power": "plant", "name": 'The "Reed"', "other_tags": "{no JSON"},
        {"power": "plant", "name": 'The "Reed"', "other_tags": 3, "tags": None},
    ],
)
def test_tags_stand_in_columns_of_their_own_or_together(properties: dict[str, Any]) -> None:
    assert tags_of(properties) == {"power": "plant", "name": 'The "Reed"'}


def test_a_tag_with_a_column_of_its_own_goes_before_the_same_among_others() -> None:
    assert tags_of({"name": "A", "other_tags": '"name"=>"B","name:en"=>"C"'}) == {"name": "A", "name:en": "C"}
    assert tags_of({"station_name_en": "A"})["name:en"] == "A"
    assert tags_of({"station_name_en": "A", "name:en": "B"})["name:en"] == "B"
