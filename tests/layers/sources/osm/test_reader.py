"""OpenStreetMap as Overpass JSON, PBF and GeoJSON: one asset an element whatever it comes in, and all that is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.model.problems import ReadResult
from layers.model.records import Asset
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.osm.reader import FORMAT
from layers.sources.registry import recognise
from tests.layers.english import english, english_counts, raises
from tests.layers.sources.making_files import file_of
from tests.layers.sources.osm.osm_files import (
    CONTAINERS,
    LINE,
    NODES,
    PARTS,
    PLANT,
    PLATFORM,
    REFINERY,
    SHAPES,
    WIND_FARM,
    answer,
    assert_every_row_ends_once,
    nodes,
    overpass_body,
    pbf,
    read,
    read_elements,
    turbo,
)

#: Metres by element: areas are drawn over imagery, points may stand for a whole plant.
METRES = {"osm/node/20": 500, "osm/way/30": 50, "osm/way/31": 500, "osm/relation/40": 50, "osm/relation/41": 500}


def faults(reading: ReadResult) -> list[tuple[int | None, str, str]]:
    return [(problem.row, problem.column, problem.value) for problem in english(reading.problems)]


def only(reading: ReadResult) -> Asset:
    (asset,) = reading.records.assets.values()
    return asset


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> ReadResult:
    return read(overpass_body(tmp_path_factory.mktemp("osm")))


@pytest.mark.parametrize("write", CONTAINERS, ids=lambda write: write.__name__)
def test_an_element_is_the_same_asset_in_every_container(
    tmp_path: Path, sample: ReadResult, write: Callable[[Path], SourceFile]
) -> None:
    file = write(tmp_path)
    assert recognise(file) is FORMAT
    reading = read(file)
    assert (reading.problems, reading.skipped, reading.rows) == ((), {}, 5)
    assert set(reading.records.assets) == set(SHAPES)
    for key, asset in reading.records.assets.items():
        assert asset.geometry is not None
        assert asset.geometry.equals(SHAPES[key])
        assert asset.geometry.geom_type == SHAPES[key].geom_type
        assert (asset.uncertainty_m, asset.basis) == (METRES[key], "site")
        same = sample.records.assets[key]
        told = {"sources", "place_source", "geometry"}
        assert asset.model_dump(exclude=told) == same.model_dump(exclude=told)
    for table in ("entities", "stakes", "relations"):
        assert set(reading.records.table(table)) == set(sample.records.table(table))


def test_an_asset_says_what_its_tags_say(sample: ReadResult) -> None:
    plant = sample.records.assets["osm/way/30"]
    assert (plant.name, plant.names) == ("Vyshneva NPP", {"uk": "Вишнева АЕС"})
    assert plant.aliases == ('Станція "Вишня"', "VNPP")
    assert (plant.kind, plant.commodity, plant.capacity, plant.capacity_unit) == (
        "nuclear-plant", "nuclear", 2500.0, "MW",
    )  # fmt: skip
    assert plant.external_ids == {"osm": "way/30", "wikidata": "Q100"}
    assert (plant.note, plant.checked, plant.host_country) == (None, "read", None)
    platform = sample.records.assets["osm/node/20"]
    assert (platform.name, platform.capacity, platform.capacity_unit) == (
        "platform without a name (node/20)", None, None,
    )  # fmt: skip
    kinds = {key: asset.kind for key, asset in sample.records.assets.items()}
    assert kinds["osm/way/31"] == "pipeline"
    assert kinds["osm/relation/40"] == "refinery"
    assert kinds["osm/relation/41"] == "power-plant"


def test_an_owner_has_a_stake_of_any_share_and_an_operator_none(sample: ReadResult) -> None:
    records = sample.records
    stakes = {stake.owner: (stake.owned, stake.share_min, stake.share_max) for stake in records.stakes.values()}
    assert stakes == {
        "osm/name/vyshnia-holding": ("osm/way/30", 0.0, 100.0),
        "osm/name/city-of-vyshneva": ("osm/way/30", 0.0, 100.0),
    }
    (relation,) = records.relations.values()
    assert (relation.asset, relation.entity, relation.relation) == ("osm/way/30", "wikidata-q101", "operator")
    entity = records.entities["wikidata-q101"]
    assert (entity.name, entity.external_ids, entity.registered_in) == ("Vyshnia JSC", {"wikidata": "Q101"}, None)
    assert {stake.note for stake in records.stakes.values()} == {
        "OpenStreetMap names the owner and gives no share"
    }  # fmt: skip


def test_items_of_wikidata_go_to_owners_one_by_one_or_not_at_all(tmp_path: Path) -> None:
    def owners(tags: dict[str, str]) -> set[str]:
        node = {**PLATFORM, "tags": {**PLATFORM["tags"], **tags}}
        return {stake.owner for stake in read_elements(tmp_path, node).records.stakes.values()}

    assert owners({"owner": "A; B", "owner:wikidata": "Q1;Q2"}) == {"wikidata-q1", "wikidata-q2"}
    assert owners({"owner": "A; B", "owner:wikidata": "Q1"}) == {"osm/name/a", "osm/name/b"}
    assert owners({"owner:wikidata": "Q1"}) == {"wikidata-q1"}
    assert owners({"owner": "A", "owner:wikidata": "no item"}) == {"osm/name/a"}
    assert owners({"owner": "private"}) == owners({"owner": "unknown;?"}) == owners({"owner:wikidata": "A"}) == set()


def test_every_record_names_openstreetmap_and_its_licence(tmp_path: Path) -> None:
    for write in (overpass_body, lambda path: pbf(path, stamp="2026-10-01T20:00:00Z"), turbo):
        reading = read(write(tmp_path))
        (source,) = reading.records.sources.values()
        assert (source.licence, source.publisher) == ("ODbL-1.0", "OpenStreetMap contributors")
        assert (source.url, source.retrieved) == ("https://www.openstreetmap.org/copyright", "2026-11-25")
        assert source.published == (None if write is turbo else "2026-10-01")
        records = reading.records
        named = {
            one for table in (records.assets, records.entities) for record in table.values() for one in record.sources
        }
        named |= {record.source for table in (records.stakes, records.relations) for record in table.values()}
        assert named == {asset.place_source for asset in records.assets.values()} == {source.id}
        assert {record.dataset for record in records.assets.values()} == {"osm/sample"}


def test_what_is_no_asset_is_skipped_with_its_tag(tmp_path: Path) -> None:
    skipped = [
        {"power": "substation"},
        {"power": "substation", "substation": "minor_distribution", "name": "B"},
        {"pipeline": "valve", "man_made": "pipeline"},
        {"man_made": "pipeline", "substance": "hot_water"},
        {"disused:power": "plant", "landuse": "industrial"},
        {"construction:man_made": "pipeline", "man_made": "yes"},
        {"amenity": "bench"},
    ]
    elements = [{"type": "node", "id": n, "lon": 30, "lat": 50, "tags": tags} for n, tags in enumerate(skipped, 1)]
    reading = read_elements(tmp_path, *elements, PLATFORM, {"type": "count", "id": 0, "tags": {"total": "8"}})
    assert english_counts(reading.skipped) == {
        "power=substation without name, voltage and substation=*": 1,
        "power=substation of a street or workshop: substation=minor_distribution": 1,
        "pipeline=valve": 1,
        "a line of hot_water": 1,
        "disused:power=plant": 1,
        "construction:man_made=pipeline": 1,
        "no tag of an energy asset": 2,
    }
    assert (reading.rows, reading.problems, len(reading.records.assets)) == (9, (), 1)


def test_a_pbf_file_gives_as_rows_what_has_a_tag_that_assets_have(tmp_path: Path) -> None:
    water = {**LINE, "id": 50, "tags": {"man_made": "pipeline", "substance": "water"}}
    bench = {**PLATFORM, "id": 51, "tags": {"amenity": "bench"}}
    reading = read(pbf(tmp_path, [PLATFORM, REFINERY, water, bench, *PARTS, PLANT, *nodes()]))
    assert set(reading.records.assets) == {"osm/node/20", "osm/relation/40", "osm/way/30"}
    assert (reading.rows, english_counts(reading.skipped), reading.problems) == (4, {"a line of water": 1}, ())
    # What is skipped may still be a part of an asset.
    parts = [{**part, "tags": {"pipeline": "substation"}} for part in PARTS]
    reading = read(pbf(tmp_path, [REFINERY, *parts, {**PLANT, "tags": {}}, *nodes()]))
    assert (reading.rows, sum(reading.skipped.values()), reading.problems) == (3, 2, ())
    refinery = only(reading).geometry
    assert refinery is not None
    assert refinery.equals(SHAPES["osm/relation/40"])


def test_what_does_not_run_says_so(tmp_path: Path) -> None:
    tags = {"disused": "yes", "operational_status": "closed", "owner": "private", "plant:output:electricity": "9 MVA"}
    asset = only(read_elements(tmp_path, {**PLATFORM, "tags": {"power": "plant", **tags}}))
    assert asset.note == (
        "OpenStreetMap: disused=yes, operational_status=closed, owner=private, plant:output:electricity=9 MVA"
    )
    assert asset.capacity is None


@pytest.mark.parametrize(
    ("element", "column", "value", "expected"),
    [
        ("x", "tags", "x", "tags as text"),
        ({"type": "node", "id": 1, "tags": "power=plant"}, "tags", "{'type'", "tags as text"),
        ({"type": "node", "id": 1, "tags": {"power": "plant", "height": 3}}, "tags", "{'type'", "tags as text"),
        ({**PLATFORM, "id": None}, "type, id", "node/None", "with its number"),
        ({**PLATFORM, "id": -4}, "type, id", "node/-4", "with its number"),
        ({"type": "area", "id": 3, "tags": PLATFORM["tags"]}, "type, id", "area/3", "node, way or relation"),
        ({**PLATFORM, "lat": "45"}, "geometry", "(missing)", "out geom"),
        ({**PLATFORM, "lat": 95}, "geometry", "POINT (31", "lat in [-90, 90]"),
        ({**PLATFORM, "lon": 45, "lat": 131}, "geometry", "POINT (45", "axes look swapped"),
        ({"type": "node", "id": 98, "tags": PLATFORM["tags"]}, "geometry", "(missing)", "out geom"),
        ({**LINE, "geometry": [{"lon": "a", "lat": "b"}] * 3}, "geometry", "(missing)", "out geom"),
        ({**LINE, "nodes": "9,10"}, "geometry", "(missing)", "out geom"),
        ({**LINE, "nodes": [[1], [2]]}, "geometry", "(missing)", "out geom"),
        ({**REFINERY, "members": None}, "geometry", "(missing)", "out geom"),
        ({**REFINERY, "members": ["w32"]}, "geometry", "(missing)", "out geom"),
    ],
)
def test_a_broken_element_is_a_fault_of_its_row(
    tmp_path: Path, element: Any, column: str, value: str, expected: str
) -> None:
    reading = read_elements(tmp_path, {"type": "node", "id": 1, "lon": 0, "lat": 0}, element, PLANT, *nodes())
    assert "osm/way/30" in reading.records.assets
    (problem,) = english(reading.problems)
    assert (problem.file, problem.row, problem.column) == ("a.json", 2, column)
    assert problem.value.startswith(value)
    assert expected in problem.expected
    assert_every_row_ends_once(reading)
    if column == "geometry":
        # The place is lost, not the asset.
        assert len(reading.records.assets) == 2


def test_a_line_with_missing_nodes_has_gaps_and_a_ring_is_no_area(tmp_path: Path) -> None:
    line = {**LINE, "nodes": [1, 2, 99, 9, 10, 11]}
    reading = read_elements(tmp_path, line, *nodes())
    assert only(reading).geometry == shapely.MultiLineString([[NODES[1], NODES[2]], [NODES[9], NODES[10], NODES[11]]])
    assert faults(reading) == [(1, "geometry", "without 1 of 6 nodes")]
    reading = read_elements(tmp_path, PLANT, *nodes(7))
    assert only(reading).geometry == shapely.MultiLineString([[NODES[5], NODES[6]], [NODES[8], NODES[5]]])
    assert faults(reading) == [(1, "geometry", "without 1 of 5 nodes")]
    clipped = {**LINE, "geometry": [None, {"lon": 31, "lat": 50}, {"lon": 32, "lat": 50}]}
    reading = read_elements(tmp_path, clipped)
    assert only(reading).geometry == shapely.LineString([(31, 50), (32, 50)])
    assert faults(reading) == [(1, "geometry", "without 1 of 3 nodes")]
    reading = read_elements(tmp_path, PLANT)
    assert (only(reading).geometry, faults(reading)) == (None, [(1, "geometry", "(missing)")])
    # The owners of what has no place are known all the same.
    assert len(reading.records.stakes) == 2


def test_a_relation_with_missing_members_says_how_many(tmp_path: Path) -> None:
    for elements in ([REFINERY, *PARTS, *nodes()], [REFINERY, *PARTS, {**PLANT, "tags": {}}, *nodes(7)]):
        reading = read_elements(tmp_path, *elements)
        square = only(reading).geometry
        assert square is not None
        assert square.equals(shapely.box(30, 50, 30.4, 50.4))
        assert faults(reading) == [(1, "geometry", "without 1 of 3 members")]
    nested = {**REFINERY, "members": [*REFINERY["members"], {"type": "relation", "ref": 1, "role": "outer"}]}
    reading = read_elements(tmp_path, nested, *PARTS, {**PLANT, "tags": {}}, *nodes())
    assert faults(reading) == [(1, "geometry", "without 1 of 4 members")]
    reading = read_elements(tmp_path, WIND_FARM, *nodes(13))
    assert only(reading).geometry == shapely.MultiPoint([NODES[12], NODES[14]])
    assert faults(reading) == [(1, "geometry", "without 1 of 3 members")]


def test_an_outline_in_a_hole_is_an_island(tmp_path: Path) -> None:
    def ring(number: int, size: float) -> dict[str, Any]:
        corners = shapely.get_coordinates(shapely.box(30 - size, 50 - size, 30 + size, 50 + size))
        return {"type": "way", "ref": number, "geometry": [{"lon": x, "lat": y} for x, y in corners.tolist()]}

    roles = [(1, 0.3, "outer"), (2, 0.2, "inner"), (3, 0.1, "outer")]
    members = [{**ring(number, size), "role": role} for number, size, role in roles]
    area = only(read_elements(tmp_path, {**REFINERY, "members": members})).geometry
    assert area is not None
    assert area.area == pytest.approx(0.36 - 0.16 + 0.04)


def test_a_site_is_its_perimeter_with_the_turbines_outside(tmp_path: Path) -> None:
    label = {"type": "node", "ref": 11, "role": "label"}
    members = [{"type": "way", "ref": 30, "role": "perimeter"}, *WIND_FARM["members"], label]
    reading = read_elements(tmp_path, {**WIND_FARM, "members": members}, {**PLANT, "tags": {}}, *nodes())
    site = only(reading)
    assert site.geometry is not None
    assert site.geometry.equals(shapely.GeometryCollection([SHAPES["osm/way/30"], SHAPES["osm/relation/41"]]))
    assert (site.uncertainty_m, reading.problems) == (100, ())


def test_the_middle_stands_for_an_area_and_not_for_a_line(tmp_path: Path) -> None:
    center = {"center": {"lat": 50.15, "lon": 30.15}}
    asset = only(read_elements(tmp_path, {**PLANT, **center}))
    assert (asset.geometry, asset.uncertainty_m) == (shapely.Point(30.15, 50.15), 500)
    reading = read_elements(tmp_path, {**LINE, **center})
    assert (only(reading).geometry, faults(reading)) == (None, [(1, "geometry", "(missing)")])


def test_tags_first_and_vertices_later(tmp_path: Path) -> None:
    tags = {"type": "way", "id": 30, "tags": PLANT["tags"]}
    skeleton = {"type": "way", "id": 30, "nodes": PLANT["nodes"]}
    asset = only(read_elements(tmp_path, tags, skeleton, *nodes()))
    assert asset.geometry is not None
    assert asset.geometry.equals(SHAPES["osm/way/30"])


def test_a_ring_that_crosses_itself_is_made_valid(tmp_path: Path) -> None:
    bow_tie = {**PLANT, "nodes": [1, 3, 2, 4, 1]}
    asset = only(read_elements(tmp_path, bow_tie, *nodes()))
    assert asset.geometry is not None
    assert asset.geometry.is_valid
    assert asset.geometry.geom_type == "MultiPolygon"


def test_a_position_that_is_no_number_is_a_fault_of_its_relation(tmp_path: Path) -> None:
    members = [
        {"type": "node", "ref": ref, "role": "generator", "lon": lon, "lat": 50.0}
        for ref, lon in ((1, 33.0), (2, "-inf"))
    ]
    wind = {"type": "site", "power": "plant", "plant:source": "wind"}
    reading = read_elements(tmp_path, {"type": "relation", "id": 41, "members": members, "tags": wind}, PLATFORM)
    assert [(row, column) for row, column, _ in faults(reading)] == [(1, "geometry")]
    assert len(reading.records.assets) >= 1


def test_an_answer_that_overpass_cut_short_is_a_fault_of_the_file(tmp_path: Path) -> None:
    reading = read_elements(tmp_path, PLATFORM, remark="runtime error: Query timed out in 'query' at line 3")
    assert faults(reading) == [(None, "remark", "runtime error: Query timed out in 'query' at line 3")]
    assert len(reading.records.assets) == 1


def test_the_same_element_twice_is_a_fault(tmp_path: Path) -> None:
    reading = read_elements(tmp_path, PLATFORM, PLATFORM)
    assert faults(reading) == [(2, "id", "osm/node/20")]
    assert_every_row_ends_once(reading)


@pytest.mark.parametrize("content", ['{"osm3s": {}, "elements": {}}', '{"osm3s": {}, "elements": 3}'])
def test_a_document_without_elements_is_refused(tmp_path: Path, content: str) -> None:
    with raises(FileRefused, match="elements"):
        read(file_of(tmp_path / "a.json", content))


def test_a_broken_pbf_file_is_refused(tmp_path: Path) -> None:
    whole = pbf(tmp_path).path.read_bytes()
    with raises(FileRefused, match="PBF"):
        read(file_of(tmp_path / "b.osm.pbf", whole[:-20]))


def test_a_node_of_a_pbf_file_off_the_globe_is_a_fault_of_that_node(tmp_path: Path) -> None:
    reading = read(pbf(tmp_path, [{**PLATFORM, "lat": 95.0}, {**PLATFORM, "id": 21}]))
    assert faults(reading) == [(1, "geometry", "POINT (31 95)")]
    assert len(reading.records.assets) == 2


KEYS = ["power", "man_made", "industrial", "pipeline", "substance", "name", "name:uk", "owner", "operator", "type"]
WORDS = ["plant", "pipeline", "refinery", "substation", "gas", "water", "oil", "A;B", "yes", "", "x" * 300]
TAGS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(WORDS) | st.text(max_size=20), max_size=6)
NUMBERS = st.sampled_from([*NODES, 0, 1, 99])
ANY = st.none() | st.booleans() | st.integers(-1, 40) | st.text(max_size=5)
ELEMENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["node", "way", "relation", "area"]), "id": st.integers(1, 6) | ANY, "tags": TAGS | ANY},
    optional={
        "lon": st.floats(-200, 200) | ANY,
        "lat": st.floats(-100, 100) | ANY,
        "nodes": st.lists(NUMBERS, max_size=6) | ANY,
        "geometry": st.lists(st.fixed_dictionaries({"lon": st.integers(0, 3), "lat": st.integers(0, 3)}) | ANY) | ANY,
        "members": st.lists(st.fixed_dictionaries({"type": st.just("way"), "ref": st.integers(30, 34)}) | ANY) | ANY,
    },
)


@given(elements=st.lists(ELEMENTS | ANY, max_size=5))
def test_any_elements_end_once_and_read_the_same_twice(
    tmp_path_factory: pytest.TempPathFactory, elements: list[Any]
) -> None:
    file = file_of(tmp_path_factory.getbasetemp() / "any.json", answer([*elements, *PARTS, *nodes()]))
    first, second = read(file), read(file)
    assert first.records == second.records
    assert first.problems == second.problems
    assert_every_row_ends_once(first)
    for asset in first.records.assets.values():
        assert (asset.geometry is None) == (asset.uncertainty_m is None)
    assert json.loads(file.text())["elements"][: len(elements)] == elements
