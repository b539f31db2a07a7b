"""Rows that are validated by column are the records that they are one by one, and what is refused is the same."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.geopackage.geopackage import encode
from layers.model.records import Record
from layers.store.connections import StoreError
from layers.store.row_mapping import TABLES, Row, Table
from tests.layers.store.test_store import BARE, FULL, GEOMETRIES

#: What a program may leave in any column: of another type, out of bounds, with white space, or as it should be.
CELLS: tuple[Any, ...] = (
    None, "", " ", " a ", "A", "a b", "é" * 2001, 0, 1, 2, -1, 1e9, 0.0, -0.0, 0.5, 100.5, float("inf"), "1", "yes",
    "UA", "read", "draft", "site", "confirmed", "undone", "2025-08", " 2025-08-09 ", "2025-13", "2025/2024", "https://a.b",
    "[]", "{}", "null", '["s"]', '["s", ""]', '[" s "]', "[1]", '{"uk": "n"}', '{"UK": "n"}', '{"uk": " n "}',
    '[{"kind": "drone"}]', '[{"kind": "drone", "more": 1}]', b"", b"GP",
    *map(encode, GEOMETRIES),
    *(encode(shapely.Point(xy)) for xy in ((180, -90), (180.1, 0), (0, 91), (-0.0, 0))),
    encode(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])),
)  # fmt: skip


def row(table: Table, record: Record) -> Row:
    return table.row(record, table.to_dict(record))


def read(table: Table, rows: list[Row]) -> list[dict[str, Any]] | str:
    """The values of records with their types, or what is said of the first that is none."""
    try:
        return [{name: (type(value), repr(value)) for name, value in record} for record in table.records(rows)]
    except StoreError as error:
        return str(error)


def read_by_column(table: Table, rows: list[Row]) -> list[dict[str, Any]] | str:
    """The same read as columns."""
    try:
        columns = table.valid_fields(rows)
    except StoreError as error:
        return str(error)
    typed = [[(type(value), repr(value)) for value in column] for column in columns.values()]
    return [dict(zip(columns, values, strict=True)) for values in zip(*typed, strict=True)]


@given(st.data())
def test_many_rows_are_read_as_each_alone(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*TABLES]))
    table = TABLES[name]
    rows = [row(table, record) for record in (FULL[name], BARE[name])] * 10
    spoilt = list(rows[0])
    for place in data.draw(st.lists(st.sampled_from(range(len(table.columns))), min_size=1, max_size=2, unique=True)):
        spoilt[place] = data.draw(st.sampled_from(CELLS))
    at = data.draw(st.integers(0, len(rows)))
    rows.insert(at, tuple(spoilt))
    alone = [read(table, [one]) for one in rows]
    refused = [one for one in alone if isinstance(one, str)]
    together = [values for one in alone if isinstance(one, list) for values in one]
    assert read(table, rows) == read_by_column(table, rows) == (refused[0] if refused else together)


def test_no_rows_have_columns_too() -> None:
    assert [*map(list, TABLES["strikes"].fields([], "title", "geometry", "killed_min"))] == [[], [], []]
    assert [*map(len, TABLES["stakes"].valid_fields([]).values())] == [0] * len(TABLES["stakes"].columns)


@pytest.mark.parametrize("name", TABLES)
def test_records_of_many_rows_are_whole(name: str) -> None:
    table = TABLES[name]
    for record in table.records([row(table, FULL[name])] * 20):
        assert record == FULL[name]
        assert hash(record.id) == hash(FULL[name].id)
        assert type(record).model_validate(record.model_dump()) == record
        assert record.model_copy(update={"dataset": "d"}).dataset == "d"
        assert record.model_fields_set == {*type(record).model_fields}
