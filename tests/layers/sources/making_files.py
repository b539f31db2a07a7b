"""Small files of every kind for the tests of readers: workbooks, zips and bombs that are small on disk."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from layers.sources.files.source_file import SourceFile

_NAMES = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def file_of(path: Path, content: str | bytes) -> SourceFile:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return SourceFile.of(path)


def csv_text(rows: Iterable[Sequence[str]], sign: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=sign).writerows(rows)
    return out.getvalue()


def column(number: int) -> str:
    letters = ""
    while number >= 0:
        letters = chr(65 + number % 26) + letters
        number = number // 26 - 1
    return letters


def sheet_xml(rows: Sequence[Sequence[str]]) -> str:
    cells = [
        "".join(f'<c r="{column(c)}{r}" t="inlineStr"><is><t>{escape(text)}</t></is></c>' for c, text in enumerate(row))
        for r, row in enumerate(rows, 1)
    ]
    lines = "".join(f'<row r="{r}">{line}</row>' for r, line in enumerate(cells, 1))
    return f"<worksheet {_NAMES}><sheetData>{lines}</sheetData></worksheet>"


def workbook(path: Path, sheets: Mapping[str, str], parts: Mapping[str, str] | None = None) -> SourceFile:
    """A workbook of sheets given as XML; ``parts`` are further members, such as shared strings."""
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1))
    rels = "".join(f'<Relationship Id="rId{n}" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", f"<workbook {_NAMES} {_REL}><sheets>{listed}</sheets></workbook>")
        archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{rels}</Relationships>")
        for number, xml in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", xml)
        for name, xml in (parts or {}).items():
            archive.writestr(name, xml)
    return SourceFile.of(path)


def deflated(block: bytes, times: int) -> tuple[bytes, int]:
    """Deflate of a block repeated: packed once, and the packed bytes repeated. With the size unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed * times + packer.flush(zlib.Z_FINISH), len(block) * times


def gzip_bomb(path: Path, block: bytes, times: int) -> Path:
    body, size = deflated(block, times)
    path.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", 0, size & 0xFFFFFFFF))
    return path


def zip_bomb(path: Path, name: str, block: bytes, times: int, declared: int | None = None) -> Path:
    """A zip with one member; ``declared`` is the size that it says it has."""
    body, size = deflated(block, times)
    told = min(size if declared is None else declared, 0xFFFFFFFE)
    plain = name.encode()
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, len(body), told, len(plain), 0)
    local = b"PK\x03\x04" + common + plain
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + plain
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local) + len(body), 0)
    path.write_bytes(local + body + central + end)
    return path
