"""Packed rows of bytes are the byte strings that they were made of, whatever was done to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.binary_array import Packed, Words, lists, place_of, texts
from geo.columnar.ranges import ranges
from geo.columnar.row_edit import Splice

pytestmark = pytest.mark.usefixtures("least")
rows = st.lists(st.binary(max_size=4), max_size=12)


@st.composite
def packed(draw: st.DrawFn) -> tuple[Packed, list[bytes]]:
    """Rows that lie in several buffers, some with commas between them, and what they are."""
    made, told = Packed.of([]), list[bytes]()
    for _ in range(draw(st.integers(1, 4))):
        new = draw(rows)
        order = draw(st.permutations(range(len(told) + len(new))))
        take = order[draw(st.integers(0, 2)) :]
        if draw(st.booleans()):
            take.sort()
        other = Packed.of(new, b"," if draw(st.booleans()) else b"")
        made = made.spliced(other, Splice.taking(len(told), len(new), np.array(take, np.int64)))
        told = [[*told, *new][row] for row in take]
    return made, told


@given(packed())
def test_rows_come_back(made: tuple[Packed, list[bytes]]) -> None:
    found, told = made
    assert list(found) == told
    assert [found[row] for row in range(-len(told), len(told))] == told * 2
    assert found == told == found
    assert list(found[1:-1]) == told[1:-1]
    assert (found != [*told, b""], found == 5) == (True, False)
    assert found != [*told[:-1], "text"]


@given(packed(), st.data())
def test_some_are_taken(made: tuple[Packed, list[bytes]], data: st.DataObject) -> None:
    found, told = made
    some = data.draw(st.lists(st.sampled_from(range(len(told))))) if told else []
    taken = found.taken(np.array(some, np.int64))
    assert list(taken) == [told[row] for row in some]
    sizes = taken.stops - taken.starts
    for room in (0, 2):
        whole = np.full(int(sizes.sum()) + room * len(sizes), ord("?"), np.uint8)
        ends = np.cumsum(sizes + room)
        taken.read(ranges(taken.starts - room, sizes + room), whole, ends)
        assert [whole[end - size : end].tobytes() for size, end in zip(sizes, ends, strict=True)] == list(taken)
    for few in (32, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("geo.columnar.binary_array._FEW", few)
            assert b",".join(taken.pieces(b",")) == b",".join(taken)


@given(packed(), rows, st.data())
def test_some_are_exchanged(made: tuple[Packed, list[bytes]], new: list[bytes], data: st.DataObject) -> None:
    found, told = made
    gone = sorted(data.draw(st.sets(st.sampled_from(range(len(told)))))) if told else []
    at = sorted(data.draw(st.lists(st.integers(0, len(told)), min_size=len(new), max_size=len(new))))
    expected = list[bytes]()
    for place in range(len(told) + 1):
        expected += [one for one, before in zip(new, at, strict=True) if before == place]
        expected += [told[place]] if place < len(told) and place not in gone else []
    assert found.exchanged(np.array(gone, np.int64), np.array(at, np.int64), Packed.of(new)) == expected


def test_rows_that_lie_together_are_one_piece() -> None:
    told = [b"%d" % number for number in range(100)]
    made = Packed.of(told, b",")
    assert len(made.pieces(b",")) == 1
    assert len(made.pieces(b";")) == 100
    assert len(made.taken(np.r_[1:30, 50:80]).pieces(b",")) == 2
    edited = made.exchanged(np.array([5]), np.array([5]), Packed.of([b"new"], b","))
    assert list(map(bytes, edited.pieces(b","))) == [b"0,1,2,3,4", b"new", b",".join(told[6:])]
    assert Packed.of([]).pieces(b",") == []


def test_many_edits_make_few_buffers() -> None:
    told = [b"%d" % number for number in range(50)]
    made = Packed.of(told)
    for edit in range(300):
        row, new = edit * 7 % 50, b"edit %d" % edit
        take = np.arange(50)
        take[row] = 50
        made = made.spliced(Packed.of([new]), Splice.taking(50, 1, take))
        told[row] = new
        assert len(made.parts) <= 64
    assert made == told
    assert sum(map(len, made.parts)) < 4000, "what is not needed any more was left out"


@given(st.sets(st.text(max_size=3)), st.sets(st.text(max_size=3)), st.data())
def test_words_are_changed(told: set[str], other: set[str], data: st.DataObject) -> None:
    before, new = sorted(told), sorted(other - told)
    gone = sorted(data.draw(st.sets(st.sampled_from(range(len(before)))))) if before else []
    at = [sum(word < one for word in before) for one in new]
    words = texts(before)
    found = words.changed(np.array(gone, np.int64), np.array(at, np.int64), new)
    expected = sorted({word for place, word in enumerate(before) if place not in gone} | set(new))
    assert list(found) == expected
    assert found == texts(expected) == expected == found
    assert words == before, "they are left as they are"
    for word in told | other:
        assert place_of(found, word) == (expected.index(word) if word in expected else None)


@given(st.lists(st.lists(st.text(max_size=3), max_size=3).map(tuple)))
def test_lists_of_texts_come_back(told: list[tuple[str, ...]]) -> None:
    found = lists(told)
    assert list(found) == told
    assert found[1:2] == told[1:2]
    assert not found.is_text


def test_words_of_other_values_are_other_words() -> None:
    assert texts(["a"]) != texts(["b"])
    assert texts(["a"]) != ["a", "b"]
    assert texts(["a"]).is_text
    assert (texts(["a"]) == 5) is False
    assert Words(Packed.of([b"1"]), int, lambda value: b"%d" % value) == [1]


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows_laid_end_to_end(count: int) -> None:
    made = Packed.laid(np.frombuffer(b"abc", np.uint8), np.array([0, 3][: count + 1]))
    assert list(made) == [b"abc"][:count]


def test_what_is_mapped_from_a_file_is_read_alike(tmp_path: Path) -> None:
    told = [b"one", b"", b"three"]
    made = Packed.of(told, b",")
    (tmp_path / "bytes").write_bytes(made.parts[0].tobytes())
    found = Packed([np.memmap(tmp_path / "bytes", np.uint8, "r")], made.starts, made.stops)
    assert found == told
    assert b",".join(found.pieces(b",")) == b"one,,three"
    assert found.exchanged(np.array([0]), np.array([3]), Packed.of([b"four"])) == [b"", b"three", b"four"]
