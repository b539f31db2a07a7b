"""A coded column is the column that it was made of."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.binary_array import Words
from geo.columnar.dictionary_array import Coded, Coder, RowOf
from geo.columnar.row_edit import Splice

values = st.one_of(
    *(
        st.lists(st.none() | one, max_size=30)
        for one in (st.text(max_size=3), st.integers(-3, 3), st.dates(), st.tuples(st.text(max_size=1)), st.booleans())
    )
)


@given(values)
def test_the_values_come_back(told: list[object]) -> None:
    column = Coded.of(told)
    assert list(column) == told
    assert [column[row] for row in range(len(told))] == told
    assert list(column[1:4]) == told[1:4]
    assert len(column) == len(told)
    assert list(column.words) == sorted({value for value in told if value is not None})  # type: ignore[type-var]
    assert column.codes.dtype == np.int32


@given(values, st.integers(0, 30))
def test_parts_make_the_whole(told: list[object], cut: int) -> None:
    coder = Coder()
    coder.extend(told[:cut])
    coder.extend(told[cut:])
    made = coder.coded()
    assert made == Coded.of(told)
    assert (made.words, made.codes.tolist()) == (Coded.of(told).words, Coded.of(told).codes.tolist())


@given(values, values)
def test_columns_are_equal_when_their_values_are(one: list[object], two: list[object]) -> None:
    assert (Coded.of(one) == Coded.of(two)) is (one == two)


@pytest.mark.parametrize("plain", [4096, 3], ids=["plain", "packed"])
@pytest.mark.parametrize("few", [8, 1], ids=["few", "many"])
@pytest.mark.usefixtures("least")
@given(told=values, data=st.data())
def test_a_spliced_column_is_the_one_made_anew(plain: int, few: int, told: list[object], data: st.DataObject) -> None:
    other = data.draw(values.filter(lambda one: len({type(value) for value in [*told, *one] if value is not None}) < 2))
    both = [*told, *other]
    take = data.draw(st.lists(st.sampled_from(range(len(both))), max_size=40, unique=True)) if both else []
    splice = Splice.taking(len(told), len(other), np.array(take, np.int64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.dictionary_array.PLAIN", plain)
        patch.setattr("geo.columnar.dictionary_array._FEW", few)
        one = Coded.of(told)
        found, anew = one.spliced(Coded.of(other), splice), Coded.of([both[row] for row in take])
        assert found == anew
        assert (list(found.words), found.codes.tolist()) == (list(anew.words), anew.codes.tolist())
        assert [found[row] for row in range(len(take))] == [both[row] for row in take]
        assert found.codes_at(np.arange(len(take))).tolist() == anew.codes.tolist()
        assert [found.rows_with(place).tolist() for place in range(len(found.words))] == [
            np.flatnonzero(anew.codes == place).tolist() for place in range(len(anew.words))
        ]
        assert one == Coded.of(told), "the first column is left as it is"


@pytest.mark.usefixtures("least")
@pytest.mark.parametrize("runs", [4096, 6], ids=["many runs", "few runs"])
@given(told=st.lists(st.none() | st.sampled_from("abcdefgh"), max_size=30), data=st.data())
def test_a_column_can_be_spliced_again_and_again(runs: int, told: list[str | None], data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.dictionary_array.PLAIN", 3)
        patch.setattr("geo.columnar.chunked_array._RUNS", runs)
        column = Coded.of(told)
        for _ in range(6):
            row = data.draw(st.integers(0, len(told)))
            gone = data.draw(st.booleans()) and row < len(told)
            word = data.draw(st.none() | st.sampled_from("abcdefghijk"))
            take = [*range(row), len(told), *range(row + gone, len(told))]
            column = column.spliced(Coded.of([word]), Splice.taking(len(told), 1, np.array(take, np.int64)))
            told = [*told[:row], word, *told[row + gone :]]
            assert [column[row] for row in range(len(told))] == told
            assert column == Coded.of(told)


@pytest.mark.usefixtures("least")
@given(told=st.lists(st.text("abc", max_size=3), unique=True, max_size=20), data=st.data())
def test_rows_are_found_by_value_after_edits(told: list[str], data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context():
        column = Coded.of(told)
        found = RowOf(column)
        for _ in range(4):
            row, gone = data.draw(st.integers(0, len(told))), data.draw(st.integers(0, 2))
            new = data.draw(st.lists(st.text("abc", max_size=3), unique=True, max_size=3))
            stays = [*told[:row], *told[row + gone :]]
            new = [one for one in new if one not in stays]
            take = [*range(row), *range(len(told), len(told) + len(new)), *range(row + gone, len(told))]
            splice = Splice.taking(len(told), len(new), np.array(take, np.int64))
            told = [*told[:row], *new, *told[row + gone :]]
            column = column.spliced(Coded.of(new), splice)
            found = RowOf(column, found)
            assert {value: found[value] for value in found} == {value: row for row, value in enumerate(told)}
            assert found.get("none of them") is None


@pytest.mark.parametrize(
    "told",
    [[f"{number:05}" for number in range(5000)], [(f"{number:05}", "x") for number in range(5000)]],
    ids=["texts", "lists"],
)
def test_many_texts_are_kept_as_bytes(told: list[object]) -> None:
    column = Coded.of([None, *told])
    assert isinstance(column.words, Words)
    assert [*column] == [None, *told]
    assert [column[row] for row in (0, 1, 5000)] == [None, told[0], told[-1]]
    assert column == Coded(told, column.codes)


def test_what_is_no_text_is_kept_as_it_is() -> None:
    assert isinstance(Coded.of(range(5000)).words, list)
    assert isinstance(Coded.of((number,) for number in range(5000)).words, list)


@given(st.lists(st.none() | st.integers(-9, 9)))
def test_values_are_changed_one_by_one(told: list[int | None]) -> None:
    def halved(value: int) -> int | None:
        return value // 2 or None

    column = Coded.of(told).map(halved)
    assert list(column) == [None if value is None else halved(value) for value in told]
    assert len(set(column.words)) == len(column.words)


@pytest.mark.parametrize(
    ("told", "dtype", "missing"),
    [
        ([3, None, 4, 3], np.int64, -1),
        ([0.5, None], np.float64, np.nan),
        ([("a", "b"), None, ("c", "d"), ()], object, ()),
        ([], object, None),
        ([date(2025, 8, 6), None], object, None),
    ],
)
def test_an_array_has_something_where_a_value_is_missing(told: list[object], dtype: type, missing: object) -> None:
    expected = np.empty(len(told), dtype)
    for row, value in enumerate(told):
        expected[row] = missing if value is None else value
    found = Coded.of(told).array(dtype, missing)  # type: ignore[arg-type]
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@given(st.lists(st.text(max_size=3), unique=True), st.sampled_from([4096, 3]))
def test_a_row_is_found_by_its_value(told: list[str], plain: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.columnar.dictionary_array.PLAIN", plain)
        found = RowOf(Coded.of(told))
    assert list(found) == told
    assert len(found) == len(told)
    assert found == {value: row for row, value in enumerate(told)}
    assert found.get("none of them") is None


@given(values, st.data())
def test_some_rows_are_taken(told: list[object], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.sampled_from(range(len(told))))) if told else []
    assert Coded.of(told).at(np.array(rows, np.int64)) == Coded.of([told[row] for row in rows])


def test_codes_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Coded.of("aab").codes[0] = 1
