"""Which format a file is of: one for every sample, by its first bytes; a refusal by name where none or two fit."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from layers.sources.files.limits import FileRefused
from layers.sources.files.sniffing import csv_header
from layers.sources.files.source_file import SourceFile
from layers.sources.registry import FORMATS, recognise
from tests.layers.english import raises
from tests.layers.sources.making_files import file_of, sheet_xml, workbook

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tests" / "data"

PLANTS = "GEM unit ID,Plant name,Owner(s)\nG1,Reed,A [100%]\n"
LEVEL_1 = {"LEI": "x", "Entity": {"LegalName": "A"}}
STATEMENT = {"statementId": "a", "recordType": "entity"}


def features(**properties: Any) -> str:
    given = [{"type": "Feature", "properties": properties, "geometry": None}]
    return json.dumps({"type": "FeatureCollection", "features": given})


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv", PLANTS, "gem-tracker"),
        ("a.csv", "\n\n" + PLANTS, "gem-tracker"),
        ("a.csv", PLANTS.upper(), "gem-tracker"),
        ("a.txt", PLANTS.replace(",", "\t").encode("utf-16"), "gem-tracker"),
        ("a.csv.gz", gzip.compress(PLANTS.encode(), mtime=0), "gem-tracker"),
        ("a.csv", 'id,"name\nin English",owner,unit-name\n1,a,b,c\n', None),
        ("a.csv", 'id,name,owner,unit-name,"capacity\n(MW)"\n1,a,b,c,5\n', "gem-tracker"),
        ("a.geojson", features(PipelineName="A", Owner="B"), "gem-tracker"),
        ("a.geojson", features(ProjectID="P1"), "gem-tracker"),
        ("a.csv", "Entity ID,Full Name,Entity Type,Registration Country\n", "gem-tables"),
        ("a.csv", "country,name,gppd_idnr,capacity_mw,owner\n", "wri"),
        ("a.csv", "Power Plant ID;Name;Capacity (MW);Geolocation Source\n", "wri"),
        ("a.json", '{"version": 0.6, "generator": "Overpass API 0.7", "elements": []}', "osm"),
        ("a.json", '{"version": "0.6", "copyright": "OpenStreetMap and contributors", "elements": []}', "osm"),
        ("a.geojson", features(osm_id=1, power="plant"), "osm"),
        ("a.geojson", features(type="way", id=1, tags={}, relations=[], meta={}), "osm"),
        ("a.osm.pbf", b"\0\0\0\x0d\x0a\x09OSMHeader", "osm"),
        ("a.json", json.dumps([STATEMENT]), "bods"),
        ("a.jsonl", f"{json.dumps(STATEMENT)}\n{json.dumps(STATEMENT)}\n", "bods"),
        ("a.json", json.dumps([LEVEL_1]), "gleif"),
        ("a.json", json.dumps({"records": [LEVEL_1]}), "gleif"),
        ("a.csv", "LEI,Entity.LegalName\n", "gleif"),
        ("a.toml", "[[assets]]\n", "curated"),
        # Of no format: somebody's table, map, elements, list of records, words, nothing.
        ("a.csv", "id,name,owner\n1,a,b\n", None),
        ("a.geojson", features(id=1, name="A"), None),
        ("a.json", '{"elements": [{"type": "node"}]}', None),
        ("a.json", '{"records": [{"a": 1}]}', None),
        ("a.txt", "just words\n", None),
        ("a.csv", "", None),
    ],
)
def test_a_file_is_of_the_one_format_that_knows_it(
    tmp_path: Path, name: str, content: str | bytes, form: str | None
) -> None:
    file = file_of(tmp_path / name, content)
    if form is None:
        with raises(FileRefused, match=f"{name}: file: format = not recognised"):
            recognise(file)
    else:
        assert recognise(file).name == form


def test_a_workbook_is_known_by_any_sheet(tmp_path: Path) -> None:
    rows = [line.split(",") for line in PLANTS.splitlines()]
    file = workbook(tmp_path / "a.xlsx", {"About": sheet_xml([["a", "b", "c", "d"]]), "Data": sheet_xml(rows)})
    assert recognise(file).name == "gem-tracker"


def test_every_sample_is_of_one_format() -> None:
    folders = {"gem": {"gem-tracker", "gem-tables"}, "bods": {"bods"}, "wikidata": {"wikidata"}}
    for folder, names in folders.items():
        for path in (SAMPLES / folder).iterdir():
            assert recognise(SourceFile.of(path)).name in names, path.name
    for path in (SAMPLES / "strikes").glob("*.csv"):
        assert path.name.startswith(recognise(SourceFile.of(path)).name), path.name
    for path in (ROOT / "layers" / "records").glob("*.toml"):
        assert recognise(SourceFile.of(path)).name == "curated"


def test_a_file_of_two_formats_is_refused_with_both_names(tmp_path: Path) -> None:
    both = file_of(tmp_path / "a.geojson", features(ProjectID="P1", osm_id=1))
    with raises(FileRefused, match="may be gem-tracker, osm: expected one format; say which"):
        recognise(both)


def test_a_file_of_none_is_refused_with_its_columns_and_how_to_go_on(tmp_path: Path) -> None:
    with raises(FileRefused, match=r"not recognised \(id, name, owner\).*--mapping"):
        recognise(file_of(tmp_path / "a.csv", "id,name,owner\n"))
    with raises(FileRefused, match=r"not recognised \(text\)"):
        recognise(file_of(tmp_path / "a.txt", "just words\n"))


def test_a_mapping_makes_a_file_a_generic_one_whatever_it_is(tmp_path: Path) -> None:
    assert recognise(file_of(tmp_path / "a.csv", PLANTS), has_mapping=True).name == "csv"
    assert recognise(file_of(tmp_path / "a.geojson", features(osm_id=1)), has_mapping=True).name == "geojson"


def test_formats_are_listed_by_name_with_what_a_person_must_know() -> None:
    for name, form in FORMATS.items():
        assert name == form.name
        assert form.title
        assert form.provides
        assert form.licence
        assert form.signature


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n", ("a", "b")),
        ("\n , \na, b\n", ("a", "b")),
        ('"a\nb",c\n', ("a\nb", "c")),
        ("a\tb\r\n", ("a", "b")),
        ("a\u2028b,c\n", ("a\u2028b", "c")),
        ("one\n", ()),
        ("", ()),
    ],
)
def test_the_header_is_the_first_row_that_is_not_blank(text: str, header: tuple[str, ...]) -> None:
    assert csv_header(text) == header
