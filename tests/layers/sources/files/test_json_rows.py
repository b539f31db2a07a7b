"""Rows of JSON documents: what a path goes through, and what a dotted name reaches."""

from __future__ import annotations

from typing import Any

import pytest

from layers.sources.files.json_rows import field_names, field_of, items_at

DOCUMENT: dict[str, Any] = {
    "meta": {"made": 1},
    "sites": [{"id": 1, "name": "A", "at": {"lat": 50.1}}, {"id": "2", "name": "B"}, {"id": 2, "name": "late"}],
    "events": [
        {"n": 1, "site": 1},
        {"n": 2, "site": 2},
        {"n": 3, "site": [1, 2, 9]},
        {"n": 4, "site": [2]},
        {"n": 5, "site": 9},
        {"n": 6, "site": None},
        {"n": 7},
    ],
}


def values(path: str | None, name: str, document: Any = DOCUMENT) -> list[Any]:
    return [field_of(item, name) for item in items_at(document, path)]


def test_a_row_has_the_fields_of_the_element_that_it_refers_to() -> None:
    assert values("events", "sites[id=site].name") == ["A", "B", ["A", "B"], "B", None, None, None]
    assert values("events", "sites[id=site].at.lat") == [50.1, None, [50.1], None, None, None, None]
    keyed = {"sites": {"x": {"name": "X"}, "y": {"name": "Y"}}, "events": [{"site": "y"}, {"site": "x"}]}
    assert values("events", "sites[@key=site].name", keyed) == ["Y", "X"]


@pytest.mark.parametrize("name", ["nowhere[id=site].name", "sites[nothing=site].name", "sites[id=nothing].name"])
def test_a_reference_to_nothing_gives_nothing(name: str) -> None:
    assert all(value in (None, []) for value in values("events", name))


def test_a_field_of_such_a_name_comes_before_a_reference() -> None:
    assert values(None, "a[b=c].d", [{"a[b=c].d": 1}]) == [1]


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        ([[{"n": 1}], [{"n": 2}, {"n": 3}]], None, [1, 2, 3]),
        ({"a": [[[{"n": 1}]], [{"n": 2}]]}, "a", [1, 2]),
        ({"a": [[{"b": [{"n": 1}]}], [{"b": [{"n": 2}]}]]}, "a.b", [1, 2]),
        ({"x": {"b": [{"n": 1}]}, "y": {"b": [{"n": 2}]}}, "*.b", [1, 2]),
        ({"x": {"*": [{"n": 1}]}}, "x.*", [1]),
    ],
)
def test_a_path_goes_through_lists_in_lists_and_the_values_of_objects(
    document: Any, path: str | None, expected: list[int]
) -> None:
    assert values(path, "n", document) == expected


def test_rows_without_names_stay_rows() -> None:
    assert values(None, "1", [["2024-05-03", {"lat": 1}], ["2024-05-04", {"lat": 2}]]) == [{"lat": 1}, {"lat": 2}]


def test_objects_around_a_row_give_values_lists_of_them_and_what_is_in_their_objects() -> None:
    document = {
        "meta": {"made": 1},
        "sites": [{"name": "A", "pos": [1, 2], "at": {"lat": 1, "parts": [{}]}, "events": [{"n": 1}]}],
    }
    (item,) = items_at(document, "sites.events")
    # The objects of a document tell of it, and not of its rows.
    assert list(field_names(item)) == ["n", "^.name", "^.pos", "^.at.lat"]
    (inner,) = items_at(document["sites"], "events")
    assert "^.at.lat" in field_names(inner)
