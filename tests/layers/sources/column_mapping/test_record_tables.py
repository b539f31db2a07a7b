"""Assets with their owners and places, entities, stakes and relations by a column mapping."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from api.wording.catalogue import text
from layers.model.records import RECORD_TYPES
from tests.layers.sources.column_mapping.mapped_files import ASSETS, Rows, features, layer, of_csv, read
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook

SITES: Rows = (
    ("Code", "Name", "Type", "Owner", "Run by", "Capacity", "Shape"),
    ("R-1", "Refinery One", "NPZ", "Alpha; Beta Oil", "Gamma", "5.5", "POINT (30.5 46.25)"),
    ("t/2", "Trunk Two", "trunk", "alpha", "", "", "LINESTRING (30 46, 31 47)"),
    ("3", "Three", "NPZ", "", "", "", "POLYGON ((30 46, 31 46, 31 47, 30 46))"),
)
WKT = ASSETS.format(place='wkt = "Shape"')
SHAPES = [shapely.from_wkt(row[-1]) for row in SITES[1:]]


def test_an_asset_has_its_owners_and_operator_beside_it(tmp_path: Path) -> None:
    reading = read([workbook(tmp_path / "a.xlsx", {"Notes": sheet_xml(SITES[:1]), "Sites": sheet_xml(SITES)})], WKT)
    records = reading.records
    assert reading.problems == ()
    assert list(records.assets) == ["own/r-1", "own/t-2-feb9a848", "own/3"]
    assert {entity.name: key for key, entity in records.entities.items()} == {
        "Alpha": "own/name/alpha",
        "Beta Oil": "own/name/beta-oil",
        "Gamma": "own/name/gamma",
    }
    assert {(one.owned, one.owner, one.share_min, one.share_max) for one in records.stakes.values()} == {
        ("own/r-1", "own/name/alpha", 0, 100),
        ("own/r-1", "own/name/beta-oil", 0, 100),
        ("own/t-2-feb9a848", "own/name/alpha", 0, 100),
    }
    assert [(one.asset, one.entity, one.relation) for one in records.relations.values()] == [
        ("own/r-1", "own/name/gamma", "operator")
    ]
    assert records.assets["own/r-1"].capacity == 5.5
    assert reading.locations["assets", "own/3"].file == "a.xlsx#Sites"


def test_private_is_every_record_of_the_load(tmp_path: Path) -> None:
    for mapping, expected in ((WKT, True), (WKT.replace("private = true", "private = false"), False)):
        records = read([file_of(tmp_path / "a.csv", csv_text(SITES))], mapping).records
        assert {one.private for table in RECORD_TYPES for one in records.table(table).values()} == {expected}


def test_a_place_is_the_same_as_text_or_as_the_feature_s_own(tmp_path: Path) -> None:
    plain = [row[:-1] for row in SITES]
    without = ASSETS.format(place="")
    readings = [
        read([file_of(tmp_path / "a.csv", csv_text(SITES))], WKT),
        read([file_of(tmp_path / "b.csv", csv_text(SITES))], ASSETS.format(place='geometry = "Shape"')),
        read([file_of(tmp_path / "a.geojson", features(plain, SHAPES))], without, "geojson"),
        read([layer(tmp_path / "a.gpkg", plain, SHAPES)], without, "gpkg"),
    ]
    for reading in readings:
        assert reading.problems == ()
        assert [one.geometry for one in reading.records.assets.values()] == SHAPES
        assert reading.records == readings[0].records


@pytest.mark.parametrize("curve", ["CIRCULARSTRING (0 0, 1 1, 2 0)", "CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 0 0))"])
def test_curves_are_a_fault_of_their_row(tmp_path: Path, curve: str) -> None:
    """GEOS reads them since 3.13, and shapely does not."""
    reading = read([file_of(tmp_path / "a.csv", csv_text([SITES[0], (*SITES[1][:-1], curve), SITES[2]]))], WKT)
    assert [(problem.column, problem.row) for problem in reading.problems] == [("Shape", 2)]
    assert list(reading.records.assets) == ["own/t-2-feb9a848"]


def test_the_place_of_failed_geocoding_is_none_in_whatever_form(tmp_path: Path) -> None:
    null = [SITES[0], (*SITES[1][:-1], "Point(0.0 0)")]
    readings = [
        read([file_of(tmp_path / "a.csv", csv_text(null))], WKT),
        read(
            [file_of(tmp_path / "a.geojson", features(null, [shapely.Point(0, 0)]))], ASSETS.format(place=""), "geojson"
        ),
        read([file_of(tmp_path / "b.csv", csv_text([SITES[0], (*SITES[1][:-1], "Odesa")]))], WKT),
    ]
    assert [[problem.column for problem in reading.problems] for reading in readings] == [
        ["Shape"],
        ["geometry"],
        ["Shape"],
    ]
    assert "such as POINT (30.72 46.48)" in text(readings[2].problems[0].expected)


def test_a_feature_keeps_its_own_place_where_the_row_has_degrees_too(tmp_path: Path) -> None:
    rows = [(*SITES[0][:-1], "E", "N"), (*SITES[1][:-1], "1", "2")]
    mapping = ASSETS.format(place='lon = "E"\nlat = "N"')
    for shape, expected in ((SHAPES[0], SHAPES[0]), (None, shapely.Point(1, 2))):
        reading = read([file_of(tmp_path / "a.geojson", features(rows, [shape]))], mapping, "geojson")
        assert [one.geometry for one in reading.records.assets.values()] == [expected]


def test_properties_that_only_some_features_have_are_columns_and_so_is_the_id(tmp_path: Path) -> None:
    text = """{"type": "FeatureCollection", "features": [
        {"type": "Feature", "id": 5, "properties": {"n": "Five"}, "geometry": null},
        {"type": "Feature", "id": "six", "properties": {"n": "Six", "o": "Alpha", "_problems": [1]}, "geometry": null},
        {"type": "Feature", "id": 7, "properties": {"n": ["Seven", 7], "o": true}, "geometry": {"type": "Point"}},
        8]}"""
    mapping = """table = "assets"
        source.publisher = "P"
        columns = {id = "id", name = "n", owner = "o"}
        constants.kind = "factory"
    """
    reading = read([file_of(tmp_path / "a.geojson", text)], mapping, "geojson")
    assert {key: one.name for key, one in reading.records.assets.items()} == {"own/5": "Five", "own/six": "Six"}
    assert [(one.row, one.column) for one in reading.problems] == [(3, "geometry"), (4, "type")]
    assert reading.rows == 4


def test_an_asset_may_say_whether_it_operates_and_from_when_to_when(tmp_path: Path) -> None:
    mapping = """table = "assets"
        source.publisher = "P"
        columns = {id = "id", name = "n", status = "state", since = "from", until = "to"}
        constants.kind = "factory"
        values.status = {running = "operating", closed = "retired"}
        dates.since = "DD.MM.YYYY"
    """
    text = "id,n,state,from,to\n1,One,running,01.02.1961,\n2,Two,closed,,2019\n3,Three,flooded,,\n"
    reading = read([file_of(tmp_path / "a.csv", text)], mapping, "csv")
    assert [(one.status, one.since, one.until) for one in reading.records.assets.values()] == [
        ("operating", "1961-02-01", None),
        ("retired", None, "2019"),
    ]
    assert [(one.row, one.column) for one in reading.problems] == [(4, "state")]


# Entities, stakes and relations.

ENTITIES = """
table = "entities"
source.publisher = "P"
constants = {type = "legalEntity"}
[columns]
id = "Id"
name = "Name"
names.uk = "Ukrainian"
names.ru = "Russian"
external_ids.lei = "LEI"
registered_in = "Country"
aliases = "Also"
joint = "Joint"
[lists]
aliases = "|"
"""


def test_entities_have_names_by_language_and_ids_elsewhere(tmp_path: Path) -> None:
    header = ("Id", "Name", "Ukrainian", "Russian", "LEI", "Country", "Also", "Joint")
    entities, faults = of_csv(
        tmp_path, [header, ("a", "Alpha", "Альфа", "", "529900T8BM49AURSDO55", "UA", "A | Al", "yes")], ENTITIES
    )
    entity = entities["a"]
    assert faults == []
    assert entity.names == {"uk": "Альфа"}
    assert entity.external_ids == {"lei": "529900T8BM49AURSDO55"}
    assert (entity.aliases, entity.joint) == (("A", "Al"), True)
    _, faults = of_csv(tmp_path, [header, ("a", "Alpha", "x" * 2001, "", "", "nowhere", "", "perhaps")], ENTITIES)
    assert [(row, column) for row, column, _ in faults] == [(2, "Country"), (2, "Ukrainian"), (2, "Joint")]


STAKES = """
table = "stakes"
source = {publisher = "P", published = "2025"}
columns = {id = "Id", owned = "What", owner = "Who", share_min = "From", share_max = "To", since = "Since"}
dates.since = "DD.MM.YYYY"
[values.owner]
"the state" = "ua"
"""


def test_stakes_refer_to_records_of_their_dataset_or_of_the_store_by_a_values_table(tmp_path: Path) -> None:
    rows = [
        ("Id", "What", "Who", "From", "To", "Since"),
        ("1", "R-1", "the state", "50", "50.5", "01.02.2020"),
        ("2", "R-1", "Alpha & Sons", "0", "100", ""),
        ("3", "R-1", "b", "60", "50", ""),
    ]
    stakes, faults = of_csv(tmp_path, rows, STAKES)
    assert {key: (one.owned, one.owner) for key, one in stakes.items()} == {
        "1": ("own/r-1", "ua"),
        "2": ("own/r-1", "own/alpha-sons-ed359bcc"),
    }
    assert (stakes["1"].since, stakes["1"].source) == ("2020-02-01", "own/source")
    assert [(row, column) for row, column, _ in faults] == [(4, "record")]


def test_relations_have_fixed_kinds_and_ids(tmp_path: Path) -> None:
    mapping = """table = "relations"
        source.publisher = "P"
        columns = {id = "n", asset = "site"}
        constants = {entity = "socar", relation = "supplier"}
    """
    relations, faults = of_csv(tmp_path, [("n", "site"), ("1", "R-1")], mapping)
    assert (relations["1"].asset, relations["1"].entity) == ("own/r-1", "socar")
    assert faults == []
