"""A packed table is the dictionary of its records, whatever was changed since it was packed."""

from __future__ import annotations

from collections.abc import Mapping
from unittest import mock

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.model.records import Asset, Record, Relation, Strike
from layers.store.connections import StoreError
from layers.store.record_table import (
    PackedRecords,
    RecordTable,
    fields,
    geometries,
    lists_of,
    prefetch,
    prefetch_where,
    records_at,
    referred,
    texts,
)
from layers.store.row_mapping import TABLES, Row

STRIKES, RELATIONS = TABLES["strikes"], TABLES["relations"]
#: What a history tells of one record: whether it is there now, whether it was added then, and its new title.
CHANGES = st.dictionaries(
    st.sampled_from([f"k{number}" for number in range(9)]),
    st.tuples(st.booleans(), st.booleans(), st.text("äb", min_size=1, max_size=3)),
    max_size=5,
)


def strike(key: str, title: str = "A", **values: object) -> Strike:
    about = {"id": key, "title": title, "when": "2025-08-06", "place": "B", "status": "verified", "checked": "read"}
    return Strike.model_validate({"dataset": "d", "sources": ("s",), **about, **values})


def row(record: Record, table: str = "strikes") -> Row:
    return TABLES[table].row(record, TABLES[table].to_dict(record))


def packed(records: Mapping[str, Record], table: str = "strikes", page: int = 3) -> RecordTable:
    rows = [row(record, table) for record in records.values()]
    return RecordTable(PackedRecords.of(TABLES[table], [rows[at : at + page] for at in range(0, len(rows), page)]))


def renewed(before: Mapping[str, Record], there: Mapping[str, Record], keys: Mapping[str, bool]) -> dict[str, Record]:
    """As `layers.store.reader` does it with dictionaries."""
    kept = {key: record for key, record in before.items() if key not in keys or (key in there and not keys[key])}
    return kept | there


@given(st.integers(0, 7), st.lists(CHANGES, max_size=3))
def test_a_packed_table_is_its_dictionary(count: int, history: list[dict[str, tuple[bool, bool, str]]]) -> None:
    placed = [{"geometry": shapely.Point(1, 2), "basis": "site", "uncertainty_m": 50.0, "place_source": "s"}, {}]
    plain: dict[str, Record] = {f"k{number}": strike(f"k{number}", **placed[number % 2]) for number in range(count)}
    table = packed(plain)
    for changes in history:
        # What is there and was not before must have been added since.
        keys = {key: added or key not in plain for key, (_, added, _) in changes.items()}
        there = {key: strike(key, title) for key, (is_there, _, title) in changes.items() if is_there}
        before, earlier = table, dict(plain)
        table, plain = table.renewed(there, keys), renewed(plain, there, keys)
        assert dict(before) == earlier, "what was there is left as it was"
        assert before.changed_ids(table) == {
            key for key in earlier.keys() | plain.keys() if earlier.get(key) != plain.get(key)
        }
    assert list(table) == list(plain)
    assert list(table.values()) == list(plain.values())
    assert list(table.items()) == list(plain.items())
    assert {key: table[key] for key in plain} == plain
    assert [f"k{number}" in table for number in range(9)] == [f"k{number}" in plain for number in range(9)]
    assert len(table) == len(plain)
    prefetch(table, [*plain, "another"])
    assert {key: table[key] for key in plain} == plain
    assert records_at(table, np.arange(len(plain))[::-1]) == records_at(plain, np.arange(len(plain))[::-1])
    assert list(texts(table, "title")) == list(texts(plain, "title"))
    assert list(texts(table, "when", "title")) == [(key, record.when, record.title) for key, record in plain.items()]
    assert list(fields(table, "title", "geometry", "sources")) == [
        (key, record.title, record.geometry, record.sources) for key, record in plain.items()
    ]
    assert list(fields(table, "private")) == list(fields(plain, "private"))
    assert list(geometries(table)) == list(geometries(plain))
    assert [*map(tuple, lists_of(table, "sources", plain))] == [*lists_of(plain, "sources", plain)]
    with pytest.raises(KeyError):
        table["another"]
    assert 1 not in table
    again = RecordTable(table.packed())
    assert again.is_as_below
    assert list(again.items()) == list(plain.items())
    assert [again.get(f"k{number}") for number in range(9)] == [plain.get(f"k{number}") for number in range(9)]


def test_places_and_all_values_come_back() -> None:
    one = strike(
        "k1",
        geometry=shapely.Point(30.123456789, 46.5),
        uncertainty_m=50.0,
        basis="site",
        place_source="s",
        killed_min=0,
    )
    assert packed({"k1": one, "k2": strike("k2")})["k1"] == one


def relation(key: str, asset: str, **values: object) -> Relation:
    about = {"id": key, "asset": asset, "entity": "e", "relation": "operator", "source": "s", "checked": "read"}
    return Relation.model_validate({"dataset": "d", **about, **values})


@given(
    st.lists(st.sampled_from("abc"), max_size=6),
    st.dictionaries(st.integers(0, 7), st.tuples(st.booleans(), st.booleans(), st.sampled_from("abc")), max_size=4),
    st.sampled_from("abcd"),
)
def test_records_are_found_by_what_they_refer_to(
    assets: list[str], changes: dict[int, tuple[bool, bool, str]], asked: str
) -> None:
    plain: dict[str, Record] = {f"r{n}": relation(f"r{n}", asset) for n, asset in enumerate(assets)}
    keys = {f"r{n}": added or f"r{n}" not in plain for n, (_, added, _) in changes.items()}
    there = {f"r{n}": relation(f"r{n}", asset) for n, (is_there, _, asset) in changes.items() if is_there}
    table, plain = packed(plain, "relations").renewed(there, keys), renewed(plain, there, keys)
    expected = [one for one in plain.values() if getattr(one, "asset", None) == asked]
    assert table.where("asset", asked) == expected
    assert table.where("entity", "e") == list(plain.values())
    assert RecordTable(table.packed()).where("asset", asked) == expected
    assert (asked in referred(table, "asset")) >= (asked in referred(plain, "asset")) == bool(expected)


def test_records_that_refer_to_others_are_read_at_once() -> None:
    plain = {f"r{n}": relation(f"r{n}", asset) for n, asset in enumerate("abcab")}
    table = packed(plain, "relations")
    for values in ("", "ac", "d"):
        prefetch_where(table, "asset", values)
    prefetch_where(plain, "asset", "a")
    with mock.patch.object(PackedRecords, "records", side_effect=AssertionError("they are read already")):
        assert table.where("asset", "a") == [plain["r0"], plain["r3"]]
        assert table.where("asset", "c") == [plain["r2"]]
        assert table.where("asset", "d") == []
        with pytest.raises(AssertionError):
            table.where("asset", "b")


def test_parts_are_found_by_their_whole_and_wholes_are_part_of_none() -> None:
    about = {"name": "A", "kind": "refinery", "dataset": "d", "checked": "read", "sources": ("s",)}
    wholes = {"a": None, "b": "a", "c": None, "d": "a", "e": "c"}
    assets = {key: Asset.model_validate({**about, "id": key, "part_of": whole}) for key, whole in wholes.items()}
    table = packed(assets, "assets")
    assert [one.id for one in table.where("part_of", "a")] == ["b", "d"]
    assert table.where("part_of", "b") == []
    changed = assets["d"].model_copy(update={"part_of": "c"})
    assert [one.id for one in table.renewed({"d": changed}, {"d": False}).where("part_of", "c")] == ["d", "e"]


def test_private_records_are_known() -> None:
    table = packed({"k1": strike("k1", private=True), "k2": strike("k2"), "k3": strike("k3", private=True)})
    assert table.private() == {"k1", "k3"}
    there = {"k1": strike("k1"), "k4": strike("k4", private=True)}
    later = table.renewed(there, {"k1": False, "k3": False, "k4": True})
    assert later.private() == RecordTable(later.packed()).private() == {"k4"}


def test_a_row_that_is_no_record_is_told() -> None:
    spoilt = list(row(strike("k1")))
    spoilt[[column.name for column in STRIKES.columns].index("status")] = "perhaps"
    with pytest.raises(StoreError, match="strikes k1"):
        PackedRecords.of(STRIKES, [[tuple(spoilt)]])


def test_records_share_the_set_of_their_field_names() -> None:
    one, other = STRIKES.records([row(strike("a")), row(strike("b"))])
    assert one.model_fields_set is other.model_fields_set
    assert one.model_fields_set == set(Strike.model_fields)
    copy = one.model_copy(update={"title": "C"})
    assert copy.model_fields_set is not one.model_fields_set, "what is changed of a copy is not changed of all"
