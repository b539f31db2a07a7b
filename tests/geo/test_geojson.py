"""GeoJSON bytes."""

import json
import math
import re

import numpy as np
import orjson
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, Polygon

from geo.columnar.binary_array import DecodedArray, text_array
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.lazy_array import batches
from geo.errors import GeoError
from geo.geojson import FeatureSerializer, collection, fragments, members
from tests import awkward_geometries
from tests.awkward_geometries import ALL_GEOMETRIES, REFUSED


def feature(name: str) -> dict[str, object]:
    (fragment,) = fragments([name], [ALL_GEOMETRIES[name]], [{"n": 1}])
    return json.loads(fragment)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", sorted(set(ALL_GEOMETRIES) - REFUSED))
def test_every_place_is_a_feature(name: str) -> None:
    result = feature(name)
    assert result["type"] == "Feature"
    assert result["id"] == name
    assert result["properties"] == {"n": 1}
    geometry = ALL_GEOMETRIES[name]
    if geometry is None or geometry.is_empty:
        assert result["geometry"] is None
        return
    shape = shapely.from_geojson(json.dumps(result["geometry"]))
    assert -180 <= shape.bounds[0] <= shape.bounds[2] <= 180
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            assert part.exterior.is_ccw
            assert not any(ring.is_ccw for ring in part.interiors)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_places_are_refused(name: str) -> None:
    with pytest.raises(GeoError, match="expected"):
        feature(name)


def test_seven_decimals_and_no_height() -> None:
    (fragment,) = fragments([1], [shapely.Point(30.123456789, 46.1, 12)], [{}])
    assert b'"coordinates":[30.1234568,46.1]' in fragment


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=4, max_size=6, unique=True))
def test_numbers_are_those_of_seven_decimals_with_no_more_digits(lonlat: list[tuple[float, float]]) -> None:
    rounded = [[round(lon, 7), round(lat, 7)] for lon, lat in lonlat]
    rows = [Point(lonlat[0]), shapely.LineString(lonlat), shapely.MultiPoint(lonlat), None]
    point, line, several, nothing = members(np.array(rows, dtype=object))
    assert json.loads(point) == {"type": "Point", "coordinates": rounded[0]}
    assert json.loads(line) == {"type": "LineString", "coordinates": rounded}
    assert json.loads(several) == {"type": "MultiPoint", "coordinates": rounded}
    assert nothing == b"null"
    written = re.findall(rb"-?[\d.]+(?:e-?\d+)?", line.partition(b":[")[2])
    assert written == [orjson.dumps(number) for pair in rounded for number in pair]


def test_a_number_is_written_as_it_was_given() -> None:
    # What GEOS writes of it has 16 digits.
    assert members(np.array([Point(-9.6328106, 52.1)], dtype=object)) == [
        b'{"type":"Point","coordinates":[-9.6328106,52.1]}'
    ]
    assert b"9.632810599999999" in shapely.to_geojson(Point(-9.6328106, 52.1)).encode()


@pytest.mark.parametrize("name", sorted(set(ALL_GEOMETRIES) - REFUSED))
def test_geometries_are_those_that_geos_reads(name: str) -> None:
    rows = np.array([ALL_GEOMETRIES[name]], dtype=object)
    text = members(rows)[0]
    if text != b"null":
        read, own = shapely.from_geojson(text.decode()), shapely.force_2d(rows[0])
        own = shapely.orient_polygons(own, exterior_cw=False) if shapely.get_dimensions(own) == 2 else own
        assert read.geom_type == own.geom_type
        assert shapely.equals_exact(read, own, 1e-7)


def test_a_crossing_polygon_is_cut() -> None:
    assert feature("polygon_over_antimeridian")["geometry"]["type"] == "MultiPolygon"  # type: ignore[index]


def test_nan_is_null() -> None:
    (fragment,) = fragments([np.int64(7)], [None], [{"a": math.nan, "b": np.float64(math.inf), "c": None}])
    assert json.loads(fragment) == {
        "type": "Feature",
        "id": 7,
        "geometry": None,
        "properties": {"a": None, "b": None, "c": None},
    }


def test_a_collection_has_its_extra_members() -> None:
    parts = fragments(["a", "b"], [awkward_geometries.ordinary_point, None], [{}, {}])
    result = json.loads(collection(parts, {"numberMatched": 2, "links": [{"href": "x"}]}))
    assert list(result) == ["type", "numberMatched", "links", "features"]
    assert [f["id"] for f in result["features"]] == ["a", "b"]
    assert json.loads(collection([], {})) == {"type": "FeatureCollection", "features": []}


def test_a_collection_keeps_its_own_members() -> None:
    with pytest.raises(GeoError, match="features"):
        collection([], {"features": 1})


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(GeoError, match="expected one id"):
        fragments([1, 2], [None], [{}])
    with pytest.raises(GeoError, match="JSON"):
        fragments([1], [None], [{"a": object()}])


def test_the_same_input_gives_the_same_bytes() -> None:
    rows = [geometry for name, geometry in ALL_GEOMETRIES.items() if name not in REFUSED]
    ids, properties = list(range(len(rows))), [{"b": 1, "a": "é"}] * len(rows)
    assert fragments(ids, rows, properties) == fragments(ids, rows, properties)


def test_rows_of_one_geometry_are_as_those_of_equal_ones() -> None:
    one, other = Point(30.123456789, 50), Polygon([(0, 0), (0, 1), (1, 1)])
    rows = np.array([None, one, one, other, other, None, None, one], dtype=object)
    alone = [members(rows[[number]])[0] for number in range(len(rows))]
    assert members(rows) == alone
    assert members(rows[:0]) == []


@given(
    st.lists(st.tuples(st.text(), st.none() | st.text(), st.none() | st.floats(), st.tuples(st.text())), max_size=6),
    st.lists(st.sampled_from((None, 0.5, "é")), max_size=4),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 3),
)
def test_features_of_columns_are_those_of_each_row(
    rows: list[tuple[str, str | None, float | None, tuple[str]]],
    constants: list[object],
    most_plain: int,
    most_texts: int,
    size: int,
) -> None:
    """Also where all rows have one value, before, between and behind others, and where dictionaries are long."""
    names = ("id", 'b"', "c", "d")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.dictionary_array.MAX_PLAIN_VALUES", most_plain)
        patch.setattr("geo.geojson._MAX_TEXTS", most_texts)
        columns = {name: DictionaryArray.of(row[number] for row in rows) for number, name in enumerate(names)}
        fixed = {f"{number}": DictionaryArray.of([value] * len(rows)) for number, value in enumerate(constants)}
        properties = {**dict([*fixed.items()][:2]), "a": columns["c"], **fixed, **columns, "e": columns["id"][:]}
        points = [Point(number, 1) for number in range(len(rows))]
        shapes = members(np.array(points, dtype=object))
        ids = [row[0] for row in rows]
        for written in (properties, fixed):
            serializer = FeatureSerializer(columns["id"], written)
            pages = [serializer.page(page, shapes[page], b",") for page in batches(len(rows), size)]
            values = [*zip(*written.values(), strict=True)] or [()] * len(rows)
            expected = fragments(ids, points, [dict(zip(written, row, strict=True)) for row in values])
            assert [feature for page in pages for feature in page] == expected
            assert b"".join(page.buffers[0] for page in pages) == b"".join(feature + b"," for feature in expected)


def test_a_page_has_a_place_for_each_row() -> None:
    serializer = FeatureSerializer(DictionaryArray.of("abc"), {})
    with pytest.raises(ValueError, match="shape"):
        serializer.page(slice(0, 3), [b"null", b"null"])


def test_lists_of_a_long_dictionary_are_those_of_each() -> None:
    lists = [("a", 'b"'), None, (), ("я", "\n"), ("a", 'b"')]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.geojson._MAX_TEXTS", 0)
        patch.setattr("geo.columnar.dictionary_array.MAX_PLAIN_VALUES", 0)
        column = DictionaryArray.of(lists)
        page = FeatureSerializer(DictionaryArray.of("abcde"), {"a": column}).page(slice(None), [b"null"] * 5)
    assert isinstance(column.dictionary, DecodedArray)
    assert [*page] == fragments("abcde", [None] * 5, [{"a": texts} for texts in lists])


@given(st.lists(st.text(max_size=3) | st.sampled_from(["\n", '"', "\\", "\x7f", "я"]), min_size=1, max_size=5))
def test_texts_of_a_long_dictionary_are_those_of_each(texts: list[str]) -> None:
    column = DictionaryArray(text_array(sorted(set(texts))), DictionaryArray.of(texts).codes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.geojson._MAX_TEXTS", 0)
        page = FeatureSerializer(column, {"a": column}).page(slice(None), [b"null"] * len(texts))
    assert [*page] == fragments(texts, [None] * len(texts), [{"a": text} for text in texts])
