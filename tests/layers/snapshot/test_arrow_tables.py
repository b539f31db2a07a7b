"""A column that was written to a table of Arrow is read back as it was, by the program and by pyarrow."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar import binary_builder
from geo.columnar.binary_array import BinaryArray
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.lazy_array import batches
from geo.columnar.row_edit import RowEdit
from layers.collections.property_types import PropertyType, arrow_array, arrow_types
from layers.snapshot import arrow_batch
from layers.snapshot.arrow_table import ArrowTable
from layers.snapshot.table_folder import FORMAT, MANIFEST, TableFolderReader, TableFolderWriter

VALUES: dict[PropertyType, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=5),
    "edtf": st.sampled_from(["2025", "2025-08", "2025-08-08/2025-08-09"]),
    "timestamp": st.sampled_from(["2026-11-29T00:22:00Z", "2026-11-29T00:22:00.125Z"]),
    "list": st.lists(st.text(max_size=3), max_size=3).map(tuple),
    "integer": st.integers(-(2**40), 2**40),
    "number": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "date": st.dates(),
}
COLUMNS = st.sampled_from([*VALUES]).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.none() | VALUES[kind], max_size=20))
)
ROWS = st.lists(st.binary(max_size=6), max_size=20)


@pytest.fixture(autouse=True)
def _joined_by_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_batch, "PAGE", 3)


def through_files(fill: Callable[[TableFolderWriter], None]) -> tuple[TableFolderReader, dict[str, pa.Table]]:
    """What is read of a folder that is gone by then, and its tables as pyarrow reads them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writing = TableFolderWriter(folder)
        fill(writing)
        writing.finish()
        assert not [path for path in folder.iterdir() if path.suffix != ".arrow" and path.name != MANIFEST]
        tables = {path.stem: pa.ipc.open_file(path.read_bytes()).read_all() for path in folder.glob("*.arrow")}
        for table in tables.values():
            table.validate(full=True)
        return TableFolderReader(folder), tables


def edited(values: list[Any], of: Callable[[list[Any]], Any]) -> Any:
    """The values as a column that edits left: its last value was put in behind, and its second is a later one too."""
    edit = RowEdit(len(values) - 1, np.array([], np.int64), np.array([len(values) - 1]))
    return of(values[:-1]).with_edit(of(values[-1:]), edit)


def coded(values: list[Any], is_edited: bool) -> DictionaryArray:
    return edited(values, DictionaryArray.of) if is_edited and len(values) > 1 else DictionaryArray.of(values)


@given(COLUMNS, st.booleans())
def test_codes_and_words(drawn: tuple[PropertyType, list[Any]], is_edited: bool) -> None:
    kind, values = drawn
    column = coded(values, is_edited)

    def fill(files: TableFolderWriter) -> None:
        codes, words = files.builder(), files.builder()
        codes.add_coded("a", column, kind, words)
        files.table("codes", codes.batch())
        files.table("words", words.batch())

    files, tables = through_files(fill)
    found = files.table("codes").coded("a", files.table("words"))
    assert found == column == DictionaryArray.of(values)
    words = [*tables["words"]["a"][0].as_py(), None]
    as_read = [words[code] for code in tables["codes"]["a"].to_pylist()]
    assert [tuple(orjson.loads(one)) if kind == "list" and one is not None else one for one in as_read] == values


@given(st.lists(st.none() | st.text(max_size=5), max_size=20), st.booleans())
def test_texts(values: list[str | None], is_edited: bool) -> None:
    column = coded(values, is_edited)
    complete = []

    def fill(files: TableFolderWriter) -> None:
        table = files.builder()
        complete.append(table.add_text("a", column, {"description": "A text."}))
        files.table("texts", table.batch())

    files, tables = through_files(fill)
    assert complete == [None not in values]
    field, array = tables["texts"].field("a"), tables["texts"]["a"].combine_chunks()
    assert (array.to_pylist(), field.metadata) == (values, {b"description": b"A text."})
    assert list(files.table("texts").words("a")) == sorted({value for value in values if value is not None})
    if complete[0]:
        assert files.table("texts").coded("a") == column
        assert field.type.index_type == pa.int32()
    # Readers that look at codes of what is null too take them.
    codes = np.frombuffer(array.indices.buffers()[1], array.indices.type.to_pandas_dtype())[: len(values)]
    assert ((codes >= 0) & (codes < max(len(array.dictionary), 1))).all()


@pytest.mark.parametrize(("count", "expected"), [(128, "int8"), (129, "int16"), (32768, "int16"), (32769, "int32")])
def test_codes_beside_nulls_take_as_few_bytes_as_they_need(count: int, expected: str) -> None:
    builder = arrow_batch.BatchBuilder()
    values = [*map(str, range(count)), None]
    builder.add_text("a", DictionaryArray.of(values))
    array = builder.batch().column("a")
    assert (str(array.type.index_type), array.to_pylist()) == (expected, values)


@given(ROWS, st.sampled_from([b"", b","]), st.booleans())
def test_bytes(rows: list[bytes], separator: bytes, is_edited: bool) -> None:
    def of(rows: list[bytes]) -> BinaryArray:
        return BinaryArray.of(rows, separator)

    packed = edited(rows, of) if is_edited and len(rows) > 1 else of(rows)

    def fill(files: TableFolderWriter) -> None:
        table = files.builder()
        table.add_binary("a", packed, separator)
        files.table("rows", table.batch())

    files, tables = through_files(fill)
    found = files.table("rows").binary("a", separator)
    assert list(found) == rows
    assert separator.join(found.runs(separator)) == separator.join(rows)
    assert tables["rows"]["a"].to_pylist() == [row + separator for row in rows]


def test_rows_that_lie_end_to_end_are_not_copied() -> None:
    rows = BinaryArray.of([b"first", b"", b"last"], b",")
    builder = arrow_batch.BatchBuilder()
    builder.add_binary("a", rows, b",")
    assert builder.batch().column("a").buffers()[2].address == rows.buffers[0].ctypes.data


@given(ROWS, st.sampled_from([b"", b","]), st.integers(0, 20), st.integers(1, 3))
def test_rows_are_packed_in_a_file_as_in_memory(
    rows: list[bytes], separator: bytes, most_in_memory: int, at_once: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binary_builder, "_MAX_BYTES_IN_MEMORY", most_in_memory)
        pages, maps = list[None](), WeakSet[mmap.mmap]()
        builder = arrow_batch.BatchBuilder(at_page=lambda: pages.append(None), maps=maps)
        parts = (BinaryArray.of(rows[page], separator) for page in batches(len(rows), at_once))
        packed, expected = builder.packed(parts, separator), BinaryArray.of(rows, separator)
    assert packed == expected
    assert list(packed) == rows
    assert packed.runs(separator) == expected.runs(separator)
    assert packed.buffers[0].tobytes() == expected.buffers[0].tobytes()
    assert len(maps) == (len(packed.buffers[0]) > most_in_memory)
    assert len(pages) == -(-len(rows) // at_once)


@given(
    st.sampled_from([np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint64, np.float64]),
    st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 9)), max_size=9),
)
def test_numbers_and_pairs(dtype: type[np.generic], values: list[tuple[int, int]]) -> None:
    pairs = np.array(values, np.float64).reshape(-1, 2)
    numbers = pairs[:, 0].astype(dtype)

    def fill(files: TableFolderWriter) -> None:
        table = files.builder()
        table.add_values("numbers", numbers, dtype)
        table.add_values("pairs", pairs, np.float64)
        files.table("values", table.batch())
        row = files.builder()
        row.add_list("numbers", numbers, dtype)
        row.add_list("pairs", pairs, np.float64)
        row.add_list("bytes", BinaryArray.of([b"", b"ab"]))
        files.table("row", row.batch())

    files, tables = through_files(fill)
    np.testing.assert_array_equal(files.table("row").values("numbers"), numbers, strict=True)
    np.testing.assert_array_equal(files.table("row").values("pairs"), pairs, strict=True)
    assert list(files.table("row").binary("bytes")) == [b"", b"ab"]
    expected = {"numbers": numbers.tolist(), "pairs": pairs.tolist(), "bytes": [b"", b"ab"]}
    assert tables["row"].to_pylist() == [expected]
    np.testing.assert_array_equal(files.table("values").values("numbers"), numbers, strict=True)
    np.testing.assert_array_equal(files.table("values").values("pairs"), pairs, strict=True)
    assert tables["values"]["numbers"].to_pylist() == numbers.tolist()
    assert tables["values"]["pairs"].to_pylist() == pairs.tolist()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    writing = TableFolderWriter(tmp_path)
    table = writing.builder()
    table.add_values("a", np.arange(1000), np.int64)
    writing.table("numbers", table.batch())
    writing.finish()
    return tmp_path


def test_nothing_can_be_written_to_and_nothing_is_copied(folder: Path) -> None:
    values = TableFolderReader(folder).table("numbers").values("a")
    assert not values.flags.writeable
    assert not values.flags.owndata
    assert values.tolist() == list(range(1000))


@pytest.mark.parametrize("harm", ["cut", "longer", "altered", "altered, large", "foreign", "older", "missing", "empty"])
def test_what_is_not_as_it_was_written_is_refused_in_a_sentence(
    folder: Path, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, manifest = folder / "numbers.arrow", folder / MANIFEST
    content, noted = file.read_bytes(), orjson.loads(manifest.read_bytes())
    expected = f"expected {len(content)} bytes in {file}, found"
    if harm == "cut":
        file.write_bytes(content[:-1])
    elif harm == "longer":
        file.write_bytes(content + b"\0")
    elif harm.startswith("altered"):
        place = len(content) // 2 if harm == "altered" else -1
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place:][1:])
        expected = f"expected {file} as it was written, found other bytes"
        if harm == "altered, large":
            monkeypatch.setattr("layers.snapshot.table_folder._MAX_DIGESTED_BYTES", 10)
    elif harm in ("foreign", "older"):
        other = "another-program/1" if harm == "foreign" else "strikeatlas-cache/14"
        manifest.write_bytes(orjson.dumps(noted | {"format": other}))
        expected = f"expected {FORMAT} in {manifest}, found {other}"
    elif harm == "missing":
        file.unlink()
        expected = "numbers.arrow"
    else:
        file.write_bytes(b"")
        expected = "empty file"
    with pytest.raises((OSError, ValueError), match=expected.replace("(", r"\(")):
        TableFolderReader(folder)


def test_a_place_outside_of_the_file_is_refused() -> None:
    layout = {"a": {"type": "int64", "dtype": "<i8", "width": 1, "rows": 3, "buffers": [None, [8, 24]]}}
    table = ArrowTable(np.zeros(16, np.uint8), layout)
    with pytest.raises(ValueError, match="expected 24 bytes behind byte 8 of a file of 16"):
        table.values("a")


def test_days_before_the_epoch_are_days() -> None:
    column = DictionaryArray.of([date(1, 1, 1), date(1969, 12, 31), date(1970, 1, 1), date(9999, 12, 31)])

    def fill(files: TableFolderWriter) -> None:
        words = files.builder()
        words.add_words("a", column, "date")
        files.table("words", words.batch())

    assert through_files(fill)[0].table("words").words("a") == column.dictionary


@given(COLUMNS, st.booleans())
def test_typed_columns_are_those_of_other_forms(drawn: tuple[PropertyType, list[Any]], is_edited: bool) -> None:
    kind, values = drawn
    if kind in ("text", "edtf"):
        return
    whole = [value for value in values if kind != "integer" or value is None or abs(value) < 2**31]
    column = coded(whole, is_edited)

    def fill(files: TableFolderWriter) -> None:
        table = files.builder()
        table.add_typed("a", column, kind)
        files.table("columns", table.batch())

    found = through_files(fill)[1]["columns"]["a"].combine_chunks()
    assert found.equals(arrow_array(column, arrow_types()[kind]))


def test_writing_can_be_ended_within_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.snapshot.arrow_table._PIECE", 100)
    pieces = iter(range(10))

    def at_page() -> None:
        if next(pieces, None) is None:
            raise TimeoutError("nobody waits for it")

    writing = TableFolderWriter(tmp_path, at_page)
    table = writing.builder()
    table.add_values("a", np.arange(1000), np.int64)
    with pytest.raises(TimeoutError, match="nobody waits for it"):
        writing.table("numbers", table.batch())
