"""A coded column is the column that it was made of."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.binary_array import DecodedArray
from geo.columnar.dictionary_array import DictionaryArray, DictionaryBuilder, UniqueIndex
from geo.columnar.row_edit import RowEdit
from tests.geo.columnar.test_row_edit import edits

values = st.one_of(
    *(
        st.lists(st.none() | item, max_size=30)
        for item in (st.text(max_size=3), st.integers(-3, 3), st.dates(), st.tuples(st.text(max_size=1)), st.booleans())
    )
)


@given(values)
def test_the_values_come_back(stored: list[object]) -> None:
    column = DictionaryArray.of(stored)
    assert list(column) == stored
    assert [column[row] for row in range(len(stored))] == stored
    assert list(column[1:4]) == stored[1:4]
    assert len(column) == len(stored)
    assert list(column.dictionary) == sorted({value for value in stored if value is not None})  # type: ignore[type-var]
    assert column.codes.dtype == np.int32


@given(values, st.integers(0, 30))
def test_parts_make_the_whole(stored: list[object], cut: int) -> None:
    coder = DictionaryBuilder()
    coder.extend(stored[:cut])
    coder.extend(stored[cut:])
    result = coder.finish()
    assert result == DictionaryArray.of(stored)
    assert (result.dictionary, result.codes.tolist()) == (
        DictionaryArray.of(stored).dictionary,
        DictionaryArray.of(stored).codes.tolist(),
    )


@given(values, values)
def test_columns_are_equal_when_their_values_are(item: list[object], another: list[object]) -> None:
    assert (DictionaryArray.of(item) == DictionaryArray.of(another)) is (item == another)


@pytest.mark.parametrize("plain", [4096, 3], ids=["plain", "packed"])
@given(stored=values, data=st.data())
def test_an_edited_column_equals_one_that_is_built_anew(plain: int, stored: list[object], data: st.DataObject) -> None:
    second = data.draw(
        values.filter(lambda item: len({type(value) for value in [*stored, *item] if value is not None}) < 2)
    )
    both = [*stored, *second]
    edit = data.draw(edits(len(stored), len(second)))
    take = edit.source_rows.tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.dictionary_array.MAX_PLAIN_VALUES", plain)
        item = DictionaryArray.of(stored)
        actual, rebuilt = (
            item.with_edit(DictionaryArray.of(second), edit),
            DictionaryArray.of([both[row] for row in take]),
        )
        assert actual == rebuilt
        assert (list(actual.dictionary), actual.codes.tolist()) == (list(rebuilt.dictionary), rebuilt.codes.tolist())
        assert [actual[row] for row in range(len(take))] == [both[row] for row in take]
        assert [actual.rows_with(index).tolist() for index in range(len(actual.dictionary))] == [
            np.flatnonzero(rebuilt.codes == index).tolist() for index in range(len(rebuilt.dictionary))
        ]
        assert item == DictionaryArray.of(stored), "the first column is left as it is"


@given(stored=st.lists(st.none() | st.sampled_from("abcdefgh"), max_size=30), data=st.data())
def test_a_column_can_be_spliced_again_and_again(stored: list[str | None], data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.dictionary_array.MAX_PLAIN_VALUES", 3)
        column = DictionaryArray.of(stored)
        for _ in range(6):
            row = data.draw(st.integers(0, len(stored)))
            removed = data.draw(st.booleans()) and row < len(stored)
            word = data.draw(st.none() | st.sampled_from("abcdefghijk"))
            edit = RowEdit(len(stored), np.arange(row, row + removed), np.array([row]))
            column = column.with_edit(DictionaryArray.of([word]), edit)
            stored = [*stored[:row], word, *stored[row + removed :]]
            assert [column[row] for row in range(len(stored))] == stored
            assert column == DictionaryArray.of(stored)


@pytest.mark.parametrize(
    "stored",
    [[f"{number:05}" for number in range(5000)], [(f"{number:05}", "x") for number in range(5000)]],
    ids=["texts", "lists"],
)
def test_many_texts_are_stored_as_bytes(stored: list[object]) -> None:
    column = DictionaryArray.of([None, *stored])
    assert isinstance(column.dictionary, DecodedArray)
    assert [*column] == [None, *stored]
    assert [column[row] for row in (0, 1, 5000)] == [None, stored[0], stored[-1]]
    assert column == DictionaryArray(stored, column.codes)


def test_values_that_are_no_text_are_stored_as_they_are() -> None:
    assert isinstance(DictionaryArray.of(range(5000)).dictionary, list)
    assert isinstance(DictionaryArray.of((number,) for number in range(5000)).dictionary, list)


@given(st.lists(st.none() | st.integers(-9, 9)))
def test_values_are_changed_one_by_one(stored: list[int | None]) -> None:
    def halved(value: int) -> int | None:
        return value // 2 or None

    column = DictionaryArray.of(stored).map(halved)
    assert list(column) == [None if value is None else halved(value) for value in stored]
    assert len(set(column.dictionary)) == len(column.dictionary)


@pytest.mark.parametrize("distinct", [255, 256, 257, 65_535, 65_536, 65_537])
def test_a_column_of_few_or_many_values_is_built_part_by_part(distinct: int) -> None:
    builder = DictionaryBuilder()
    parts = [[7, 7, None], range(distinct), [0, distinct - 1, None]]
    for part in parts:
        builder.extend(part)
    assert list(builder.finish()) == [value for part in parts for value in part]


@pytest.mark.parametrize(
    ("stored", "dtype", "missing"),
    [
        ([3, None, 4, 3], np.int64, -1),
        ([0.5, None], np.float64, np.nan),
        ([("a", "b"), None, ("c", "d"), ()], object, ()),
        ([], object, None),
        ([date(2025, 8, 6), None], object, None),
    ],
)
def test_an_array_has_something_where_a_value_is_missing(stored: list[object], dtype: type, missing: object) -> None:
    expected = np.empty(len(stored), dtype)
    for row, value in enumerate(stored):
        expected[row] = missing if value is None else value
    actual = DictionaryArray.of(stored).to_numpy(dtype, missing)  # type: ignore[arg-type]
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


@given(st.lists(st.text(max_size=3), unique=True), st.sampled_from([4096, 3]))
def test_a_row_is_found_by_its_value(stored: list[str], plain: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.dictionary_array.MAX_PLAIN_VALUES", plain)
        actual = UniqueIndex(DictionaryArray.of(stored))
    assert list(actual) == stored
    assert len(actual) == len(stored)
    assert actual == {value: row for row, value in enumerate(stored)}
    assert actual.get("none of them") is None


@given(values, st.data())
def test_some_rows_are_taken(stored: list[object], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.sampled_from(range(len(stored))))) if stored else []
    assert DictionaryArray.of(stored).take(np.array(rows, np.int64)) == DictionaryArray.of(
        [stored[row] for row in rows]
    )


def test_codes_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        DictionaryArray.of("aab").codes[0] = 1


@given(st.lists(st.tuples(*[st.none() | st.integers(0, 9)] * 2)))
def test_of_two_columns_the_larger_value_of_each_row_is_taken(rows: list[tuple[int | None, int | None]]) -> None:
    one, other = (DictionaryArray.of(row[side] for row in rows) for side in (0, 1))
    present = [[value for value in row if value is not None] for row in rows]
    assert one.larger(other) == DictionaryArray.of(max(row, default=None) for row in present)


def test_rows_in_another_order_share_the_dictionary_and_some_keep_it_as_bytes() -> None:
    texts = [f"{number:05}" for number in range(6000)]
    column = DictionaryArray.of(texts)
    assert column.take(np.arange(6000)[::-1]).dictionary is column.dictionary
    some = np.tile(np.arange(1, 6000), 2)
    assert isinstance(column.take(some).dictionary, DecodedArray)
    assert column.take(some) == DictionaryArray.of(texts[row] for row in some.tolist())
