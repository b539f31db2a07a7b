"""Packed rows of bytes are the byte strings that they were made of, whatever was done to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.binary_array import BinaryArray, DecodedArray, find_sorted, text_array, text_list_array
from geo.columnar.row_edit import RowEdit
from tests.geo.columnar.test_row_edit import edits

#: Some are longer than what is copied of several rows at once.
rows = st.lists(st.binary(max_size=4) | st.sampled_from([b"long" * 65, b"longer" * 90]), max_size=12)


@st.composite
def packed(draw: st.DrawFn) -> tuple[BinaryArray, list[bytes]]:
    """Rows that lie in several buffers, some with commas between them, and what they are."""
    result, values = BinaryArray.of([]), list[bytes]()
    for _ in range(draw(st.integers(1, 4))):
        new = draw(rows)
        second = BinaryArray.of(new, b"," if draw(st.booleans()) else b"")
        edit = draw(edits(len(values), len(new)))
        result, both = result.with_edit(second, edit), [*values, *new]
        values = [both[row] for row in edit.source_rows.tolist()]
    return result, values


@given(packed())
def test_rows_come_back(result: tuple[BinaryArray, list[bytes]]) -> None:
    actual, values = result
    assert list(actual) == values
    assert [actual[row] for row in range(-len(values), len(values))] == values * 2
    assert actual == values == actual
    assert list(actual[1:-1]) == values[1:-1]
    assert (actual != [*values, b""], actual == 5) == (True, False)
    assert actual != [*values[:-1], "text"]


@given(packed(), st.data())
def test_some_are_taken(result: tuple[BinaryArray, list[bytes]], data: st.DataObject) -> None:
    actual, values = result
    sample = data.draw(st.lists(st.sampled_from(range(len(values))))) if values else []
    taken = actual.take(np.array(sample, np.int64))
    assert list(taken) == [values[row] for row in sample]
    sizes = taken.stops - taken.starts
    for few in (32, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("geo.columnar.binary_array._MAX_COPIES", few)
            joined, sizes_of_rows = taken.joined_with_sizes()
        assert (joined.tobytes(), sizes_of_rows.tolist()) == (b"".join(taken), [*map(len, taken)])
    assert [*map(bytes, taken.views())] == list(taken)
    for separator in (b"", b","):
        whole = taken.packed(separator)
        assert list(whole) == list(taken)
        assert whole.buffers[0].tobytes() == b"".join(row + separator for row in taken)
        parts = BinaryArray.of_pages([whole, BinaryArray.of([]), whole], separator)
        assert list(parts) == [*taken, *taken]
        assert parts.buffers[0].tobytes() == whole.buffers[0].tobytes() * 2
    for room in (0, 2):
        at = np.cumsum(sizes + room) - sizes
        whole = np.full(int(sizes.sum()) + room * len(sizes), ord("?"), np.uint8)
        taken.write_into(whole, at)
        assert [whole[begin : begin + size].tobytes() for begin, size in zip(at, sizes, strict=True)] == list(taken)
    for few in (32, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("geo.columnar.binary_array._MAX_COPIES", few)
            assert b",".join(taken.runs(b",")) == b",".join(taken)


def test_rows_that_lie_together_are_one_piece() -> None:
    values = [b"%d" % number for number in range(100)]
    result = BinaryArray.of(values, b",")
    assert len(result.runs(b",")) == 1
    assert len(result.runs(b";")) == 100
    assert len(result.take(np.r_[1:30, 50:80]).runs(b",")) == 2
    edited = result.with_edit(BinaryArray.of([b"new"], b","), RowEdit(100, np.array([5]), np.array([5])))
    assert list(map(bytes, edited.runs(b","))) == [b"0,1,2,3,4", b"new", b",".join(values[6:])]
    assert BinaryArray.of([]).runs(b",") == []


def test_many_edits_make_few_buffers() -> None:
    values = [b"%d" % number for number in range(50)]
    result = BinaryArray.of(values)
    for edit in range(300):
        row, new = edit * 7 % 50, b"edit %d" % edit
        result = result.with_edit(BinaryArray.of([new]), RowEdit(50, np.array([row]), np.array([row])))
        values[row] = new
        assert len(result.buffers) <= 64
    assert result == values
    assert sum(map(len, result.buffers)) < 4000, "what is not needed any more was left out"


@given(st.sets(st.text(max_size=3)), st.sets(st.text(max_size=3)), st.data())
def test_words_are_changed(values: set[str], second: set[str], data: st.DataObject) -> None:
    before, new = sorted(values), sorted(second - values)
    removed = sorted(data.draw(st.sets(st.sampled_from(range(len(before)))))) if before else []
    at = [sum(word < item for word in before) for item in new]
    words = text_array(before)
    actual = words.with_edit(new, RowEdit(len(before), np.array(removed, np.int64), np.array(at, np.int64)))
    expected = sorted({word for index, word in enumerate(before) if index not in removed} | set(new))
    assert list(actual) == expected
    assert actual == text_array(expected) == expected == actual
    assert words == before, "they are left as they are"
    for word in values | second:
        assert find_sorted(actual, word) == (expected.index(word) if word in expected else None)


@given(st.lists(st.lists(st.text(max_size=3), max_size=3).map(tuple)))
def test_lists_of_texts_come_back(values: list[tuple[str, ...]]) -> None:
    actual = text_list_array(values)
    assert list(actual) == values
    assert actual[1:2] == values[1:2]
    assert not actual.is_text


def test_words_of_other_values_are_other_words() -> None:
    assert text_array(["a"]) != text_array(["b"])
    assert text_array(["a"]) != ["a", "b"]
    assert text_array(["a"]).is_text
    assert (text_array(["a"]) == 5) is False
    assert DecodedArray(BinaryArray.of([b"1"]), int, lambda value: b"%d" % value) == [1]


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows_laid_end_to_end(count: int) -> None:
    result = BinaryArray([np.frombuffer(b"abc", np.uint8)], np.array([0, 3][:count]), np.array([3][:count]))
    assert list(result) == [b"abc"][:count]


def test_what_is_mapped_from_a_file_is_read_alike(tmp_path: Path) -> None:
    values = [b"one", b"", b"three"]
    result = BinaryArray.of(values, b",")
    (tmp_path / "bytes").write_bytes(result.buffers[0].tobytes())
    actual = BinaryArray([np.memmap(tmp_path / "bytes", np.uint8, "r")], result.starts, result.stops)
    assert actual == values
    assert b",".join(actual.runs(b",")) == b"one,,three"
    edit = RowEdit(3, np.array([0]), np.array([3]))
    assert actual.with_edit(BinaryArray.of([b"four"]), edit) == [b"", b"three", b"four"]


def test_decoded_values_are_taken_in_any_order() -> None:
    texts = text_array(["a", "bc", "é"])
    assert list(texts.take(np.array([2, 0, 2]))) == ["é", "a", "é"]
    assert texts.take(np.array([1])).is_text


@given(st.lists(st.binary(max_size=4) | st.text("abя", max_size=9).map(str.encode), max_size=12), st.integers(-9, 99))
def test_keys_compare_as_rows_do(values: list[bytes], object_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.binary_array._OBJECT_BYTES", object_bytes)
        patch.setattr("geo.columnar.binary_array._KEYS_PAGE", 3)
        actual = BinaryArray.of(values)
        keys, order = actual.sort_keys(), actual.argsort()
    assert [[a < b for b in keys] for a in keys] == [[a < b for b in values] for a in values]
    assert order.tolist() == sorted(range(len(values)), key=values.__getitem__)
    assert order.dtype == np.int64


def test_keys_of_texts_of_much_the_same_length_are_of_one_width() -> None:
    assert BinaryArray.of([b"k-1/a-1", b"k-1", b""]).sort_keys().dtype == "S7"
    assert BinaryArray.of([b"x" * 999, *[b"y"] * 99]).sort_keys().dtype == object
    assert BinaryArray.of([b"a", b"a\0"]).sort_keys().dtype == object
