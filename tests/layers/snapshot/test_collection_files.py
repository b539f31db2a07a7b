"""Geometries that were kept are those that were written, whichever of them are asked for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.snapshot.collection_files import LazyGeometries, read_shapes, write_shapes
from layers.snapshot.table_folder import TableFolderReader, TableFolderWriter

POINTS = [None, shapely.Point(30, 50), shapely.Point(-170.5, 0.25)]
ALL = [*POINTS, shapely.LineString([(0, 0), (1, 2)]), shapely.box(1, 2, 3, 4), shapely.MultiPoint([(1, 1), (2, 2)])]


def kept(told: list[shapely.Geometry | None]) -> LazyGeometries:
    with tempfile.TemporaryDirectory() as folder:
        writing = TableFolderWriter(Path(folder))
        write_shapes(writing, "a", np.array([*told, None], dtype=object)[:-1])
        writing.finish()
        return read_shapes(TableFolderReader(Path(folder)), "a")


@given(st.lists(st.sampled_from(ALL), max_size=12), st.data())
def test_some_are_made(told: list[shapely.Geometry | None], data: st.DataObject) -> None:
    found = kept(told)
    some = data.draw(st.lists(st.sampled_from(range(len(told))))) if told else []
    begin, end = sorted(data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))
    assert (len(found), [*found]) == (len(told), told)
    assert [*found[np.array(some, np.int64)]] == [told[row] for row in some]
    assert [*found[begin:end]] == told[begin:end]
    assert [found[row] for row in range(-len(told), len(told))] == told * 2
    assert [*found.of_rows(np.array(some, np.int64))] == [told[row] for row in some]
    assert found.present.tolist() == [one is not None for one in told]


@given(st.lists(st.sampled_from(ALL), max_size=12), st.booleans())
def test_points_are_made_once(told: list[shapely.Geometry | None], all_first: bool) -> None:
    found = kept(told)
    if all_first:
        _ = found.materialized
    alone = found.points_only
    assert [*alone] == [one if isinstance(one, shapely.Point) else None for one in told]
    assert [*found] == told
    assert all(two is one for one, two in zip(alone, found, strict=True) if one is not None)


@given(st.lists(st.sampled_from(POINTS), max_size=12))
def test_points_are_known_without_being_made(told: list[shapely.Point | None]) -> None:
    found = kept([*told])
    assert found.are_points
    expected = [(np.nan, np.nan) if one is None else (one.x, one.y) for one in told]
    np.testing.assert_array_equal(np.column_stack(found.lonlat), np.array(expected, float).reshape(-1, 2))


def test_what_is_no_point_has_to_be_made() -> None:
    assert not kept([*ALL]).are_points


def test_what_is_made_is_not_to_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        kept([*POINTS]).materialized[0] = None
