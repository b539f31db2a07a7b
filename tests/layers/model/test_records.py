"""The schema spells every column once; what is derived from it stays in step."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path

import jsonschema
import pytest
import shapely
from pydantic import ValidationError
from shapely import Point

from layers.model.messages import InvalidValue
from layers.model.records import RECORD_TYPES, REFERENCES, Records
from layers.model.types import as_geometry, columns
from tests.records_page import markdown

ROOT = Path(__file__).resolve().parents[3]


def test_the_reference_is_written_from_the_schema() -> None:
    assert (ROOT / "docs" / "records.md").read_text(encoding="utf-8") == markdown(), "run `make docs`"


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_every_column_has_a_meaning_and_a_type(name: str) -> None:
    for column in columns(RECORD_TYPES[name]):
        assert column.doc.endswith("."), column.name
        assert column.type in {"text", "number", "integer", "boolean", "geometry", "json"}


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_the_records_fit_the_published_json_schema(name: str, records: Records) -> None:
    schema = RECORD_TYPES[name].model_json_schema(mode="serialization")
    validator = jsonschema.Draft202012Validator(schema)
    for record in list(records.table(name).values())[:40]:
        assert not list(validator.iter_errors(record.model_dump(mode="json"))), record.id


def test_references_name_columns_and_tables_that_exist() -> None:
    for table, references in REFERENCES.items():
        for column, targets in references.items():
            assert column in RECORD_TYPES[table].model_fields
            assert set(targets) <= set(RECORD_TYPES)


def test_records_are_immutable(records: Records) -> None:
    source = next(iter(records.sources.values()))
    with pytest.raises(ValidationError):
        source.publisher = "someone else"
    with pytest.raises(TypeError):
        records.sources["x"] = source  # type: ignore[index]
    with pytest.raises(KeyError):
        records.table("planets")


@pytest.mark.parametrize(
    "point",
    [
        Point(),
        Point(181, 0),
        Point(0, -91),
        Point(1, 2, 3),
        shapely.from_wkt("POINT M (1 2 3)"),
        Point(nan, 1),
        Point(inf, 1),
    ],
    ids=str,
)
def test_a_point_that_is_none_on_the_globe_is_refused(point: Point) -> None:
    with pytest.raises(InvalidValue):
        as_geometry(point)
    assert as_geometry(Point(-180, 90)) == Point(-180, 90)
