"""XLSX (ECMA-376, SpreadsheetML): a sheet of features, and one that says what the data are."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from html import escape
from itertools import count, product
from string import ascii_uppercase
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from api.exports.errors import ExportError
from api.formats.page import FeatureFormat, FeaturePage
from api.formats.table import arrow_columns, with_lonlat
from api.requests.crs import CRS84
from api.requests.negotiation import MediaFormat

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of a sheet, the header among them, and letters of a cell in UTF-16 (Excel specifications and limits).
_MAX_ROWS, _MAX_LETTERS = 1_048_576, 32_767
#: Rows whose cells are in memory at once, some 1 kB each.
_PART_ROWS = 4096
#: Time of the parts of the file: equal pages give equal bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
#: Days from the first of a workbook to that of Arrow (18.17.4.1, the 1900 date base).
_EPOCH = 25_569
_DAY_MS = 86_400_000
#: Letters that XML has no place for, or reads as others, and texts that would be taken for how those are written.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_OFFICE = "http://schemas.openxmlformats.org"
_MAIN = f"{_OFFICE}/spreadsheetml/2006/main"
_LINKS = f"{_OFFICE}/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
#: The parts of a workbook besides its sheets; cells of days have the style 1, those of times 2.
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_OFFICE}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet2.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_LINKS}/worksheet" Target="worksheets/sheet2.xml"/>'
    f'<Relationship Id="rId3" Type="{_LINKS}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill '
    'patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border>'
    '<left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def write(page: FeaturePage, out: BinaryIO) -> None:
    """Write a page as XLSX, in the order of its rows.

    The sheet of features has the columns and, where places are lon/lat, the points as ``lon`` and ``lat``; a cell
    cannot hold other shapes. Days are days, truths are truths, lists are JSON text. A text is one, never a formula,
    and an empty one a blank cell. The sheet ``about`` says what the data are.

    Raises
    ------
    ExportError
        If the page has more rows than a sheet, or a text more letters than a cell.
    """
    import pyarrow as pa

    if len(page.rows) >= _MAX_ROWS:
        raise ExportError(f"a sheet has {_MAX_ROWS - 1:,} features at most, these are {len(page.rows):,}")
    lines = [("Title", page.collection.title), ("Description", page.collection.description)]
    lines += [] if page.metadata is None else page.metadata.lines
    about = pa.table({"what": [name for name, _ in lines], "is": [text for _, text in lines]})
    features = (arrow_columns(part, lists_as_json=True) for part in page.parts(_PART_ROWS))
    if page.representation.geometry and page.representation.crs is CRS84:
        parts = page.parts(_PART_ROWS)
        features = (with_lonlat(table, part.shapes()) for table, part in zip(features, parts, strict=True))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in {**_PARTS, "xl/workbook.xml": _workbook(page.collection.name, "about")}.items():
            book.writestr(_member(name), _XML + text)
        for number, tables in enumerate((features, iter([about])), 1):
            with book.open(_member(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=True) as sheet:
                for text in _sheet(tables):
                    sheet.write(text.encode())


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _NO_TIME)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _workbook(*names: str) -> str:
    sheets = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{sheets}</sheets></workbook>'


def _sheet(tables: Iterator[pa.Table]) -> Iterator[str]:
    """Give the text of a sheet part by part: a header, which stays in view, and a row for each of the tables'.

    Of no rows it is empty: readers would take a header alone for a row.
    """
    yield (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        '<cols><col min="1" max="1024" width="15" customWidth="1"/></cols><sheetData>'
    )
    number = 1
    for table in tables:
        if number == 1 and table.num_rows:
            yield _header(table.column_names)
            number += 1
        yield _rows(table, number)
        number += table.num_rows
    yield "</sheetData></worksheet>"


def _header(names: Sequence[str]) -> str:
    cells = zip(_letters(), names, strict=False)
    texts = (f'<c r="{letters}1" t="inlineStr"><is><t>{escape(name)}</t></is></c>' for letters, name in cells)
    return f'<row r="1">{"".join(texts)}</row>'


def _letters() -> Iterator[str]:
    """Give the names of columns: A to Z, AA and so on."""
    return ("".join(name) for length in count(1) for name in product(ascii_uppercase, repeat=length))


def _rows(table: pa.Table, begin: int) -> str:
    """Write the rows of a table, the first with a number; a cell without a value is left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.cast(pa.array(np.arange(begin, begin + table.num_rows)), pa.string())
    cells = []
    for letters, name in zip(_letters(), table.column_names, strict=False):
        head, values, end = _content(name, table.column(name).combine_chunks())
        cells.append(pc.binary_join_element_wise(f'<c r="{letters}', numbers, head, values, end, ""))
    rows = pc.binary_join_element_wise(
        '<row r="', numbers, '">', *cells, "</row>", "", null_handling="replace", null_replacement=""
    )
    return "".join(rows.to_pylist())


def _content(name: str, values: pa.Array) -> tuple[str, pa.Array, str]:
    """Return what stands before the values of a column in their cells, the values as text, and what stands after."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind):
        return '" t="inlineStr"><is><t xml:space="preserve">', _text(name, values), "</t></is></c>"
    style = ""
    if pa.types.is_boolean(kind):
        style, values = ' t="b"', pc.cast(values, pa.int8())
    elif pa.types.is_date32(kind):
        style, values = ' s="1"', pc.add(pc.cast(values, pa.int32()), _EPOCH)
    elif pa.types.is_timestamp(kind):
        style, values = ' s="2"', pc.add(pc.divide(pc.cast(pc.cast(values, pa.int64()), pa.float64()), _DAY_MS), _EPOCH)
    return f'"{style}><v>', pc.cast(values, pa.string()), "</v></c>"


def _text(name: str, texts: pa.Array) -> pa.Array:
    """Write texts as the content of XML, null for an empty one, as the form does not tell it from none.

    What XML cannot hold is written as ``_x000D_`` (22.9.2.19), as is the ``_`` of a text that looks like that.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    longest = pc.max(pc.utf8_length(texts)).as_py() or 0
    # A letter has two units of UTF-16 at most.
    if longest * 2 > _MAX_LETTERS:
        units = max(len(text.encode("utf-16-le")) // 2 for text in texts.to_pylist() if text is not None)
        if units > _MAX_LETTERS:
            raise ExportError(f"a cell has {_MAX_LETTERS:,} letters at most, one of the column {name} has {units:,}")
    if pc.any(pc.match_substring_regex(texts, _UNWRITABLE.pattern)).as_py():
        texts = pa.array([text and _UNWRITABLE.sub(_escaped, text) for text in texts.to_pylist()], pa.string())
    for letter, reference in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        texts = pc.replace_substring(texts, letter, reference)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    return f"_x{ord(text):04X}_" if len(text) == 1 else f"_x005F{text}"


FORMAT = FeatureFormat(
    MediaFormat("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"), write
)
