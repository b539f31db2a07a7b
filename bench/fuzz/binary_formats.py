"""Changes by lot in files that are no text: bytes, packing, workbooks, Protocol Buffers (PBF), GeoPackages."""

from __future__ import annotations

import gzip
import io
import random
import re
import sqlite3
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.fuzz.hostile_values import hostile_text
from bench.fuzz.text_formats import MAX_BYTES, change_csv, change_json, change_toml
from layers.geopackage import geopackage

_MAX_LINES = 20_000

Change = Callable[[random.Random, bytes], bytes]

_PIECES = (
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"\n", b"\r", b'"', b",", b"{", b"[", b"]",
    b"PK\x03\x04", b"\x1f\x8b", b"SQLite format 3\0", b"\0\0\0\x0d\x0a\x09OSMHeader", b"\xff\xff\xff\xff",
    b"\x80\0\0\0",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"[" * 30_000, b"\0" * 70_000,
)  # fmt: skip


def change_bytes(chance: random.Random, data: bytes) -> bytes:
    """Return bytes with bits flipped, a part left out, doubled or overwritten, or an end cut off."""
    at = chance.randint(0, len(data))
    way = chance.randrange(7)
    if way == 0:
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8, 64))):
            if changed:
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return bytes(changed)
    if way == 1:
        return data[:at]
    if way == 2:
        return data[:at] + data[at + chance.choice((1, 2, 4, 100)) :]
    if way == 3:
        return data[:at] + chance.choice(_PIECES) + data[at:]
    if way == 4:
        piece = chance.choice(_PIECES)[:100]
        return data[:at] + piece + data[at + len(piece) :]
    other = chance.randint(0, len(data))
    if way == 5:
        return data[:at] + data[other : other + 4000] + data[at:]
    return data[:at] + data[other:]


def pack(chance: random.Random, data: bytes) -> bytes:
    """Return a file in gzip or zip, now and then with what archives should not have."""
    way = chance.randrange(6)
    if way == 0:
        return gzip.compress(data, 1, mtime=0)
    if way == 1:
        return gzip.compress(data, 1, mtime=0) + chance.choice((gzip.compress(data, 1, mtime=0), b"junk", b"\0" * 100))
    if way == 2:
        return gzip.compress(gzip.compress(data, 1, mtime=0), 1, mtime=0)
    out, kind = io.BytesIO(), chance.choice((".csv", ".json", ".xlsx", ".gpkg", ".pbf", ".geojson"))
    with zipfile.ZipFile(out, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name in chance.choice(
            (("a",), ("a",), ("a", "b"), ("../a",), ("__MACOSX/a",), ("a\udc80"[:1] + "/" * 200,))
        ):
            _put(archive, f"{name}{kind}", data)
        if way == 5:
            _put(archive, "[Content_Types].xml", b"<Types/>")
    packed = out.getvalue()
    return change_bytes(chance, packed) if way == 4 else packed


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Put a member into an archive, which is the same whatever the time is."""
    archive.writestr(zipfile.ZipInfo(name), content, archive.compression, archive.compresslevel)


# --- workbooks ------------------------------------------------------------------------------------------------------

_TEXT = re.compile(r">([^<>]+)<")
_ATTRIBUTE = re.compile(r'"([^"<>]*)"')
_ELEMENT = re.compile(r"<(c|row|si|sheet|xf|Relationship)\b[^>]*?(?:/>|>.*?</\1>)", re.DOTALL)
_ODD_XML = (
    "<!DOCTYPE a [<!ENTITY b 'c'>]>", "&b;", "&#0;", "&#xD800;", "<a>" * 100, "<c/>", "<row/>", "<v>", "</row>",
    '<c r="XFD1048576"><v>1</v></c>', '<c t="s"><v>99999999999</v></c>', '<c t="s"><v>-1</v></c>',
    '<c t="d"><v>T</v></c>',
    '<c t="e"><v>#REF!</v></c>', '<c s="99999"><v>1e400</v></c>', '<c s="1"><v>nan</v></c>', "<is><r><t>x</t></r></is>",
    '<row r="0"/>', '<row r="1048577"/>', '<c r="A0"/>', "<v>1</v>" * 2000, "<row/>" * 2000, "<![CDATA[x]]>",
    "<!-- -->",
    '<sheet name="a" r:id="rId9"/>', '<numFmt numFmtId="x" formatCode="y"/>', '<numFmt numFmtId="164" formatCode="y"/>',
    '<xf numFmtId="-1"/>', "<cellXfs>", '<xf numFmtId="' + "9" * 5000 + '"/>', '<workbookPr date1904="1"/>',
)  # fmt: skip


def change_workbook(chance: random.Random, data: bytes) -> bytes:
    """Return a workbook with one change in the XML of a member, or in the list of members."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zlib.error):
        return change_bytes(chance, data)
    if not members:
        return change_bytes(chance, data)
    # Of a workbook whose list of parts is broken nothing more is read.
    cells = [at for at, (name, _) in enumerate(members) if "sheet" in name or "Strings" in name or "styles" in name]
    at = chance.choice(cells) if cells and chance.random() < 0.75 else chance.randrange(len(members))
    name, content = members[at]
    way = chance.random()
    if way < 0.82:
        members[at] = (name, _change_xml(chance, content))
    elif way < 0.88:
        members[at] = (name, change_bytes(chance, content))
    elif way < 0.91:
        members[at] = (chance.choice([other for other, _ in members]), content)
    elif way < 0.94:
        del members[at]
    elif way < 0.97:
        members.append((chance.choice(("xl/styles.xml", "xl/sharedStrings.xml", "a.csv", name)), content))
    else:
        members[at] = (name, chance.choice([other for _, other in members]))
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        warnings.simplefilter("ignore")  # of a member that is there twice
        for name, content in members:
            _put(archive, name, content)
    return out.getvalue()


def _change_xml(chance: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    way = chance.random()
    spots = list((_TEXT if way < 0.45 else _ATTRIBUTE if way < 0.7 else _ELEMENT).finditer(text))
    if not spots or way > 0.92:
        at = chance.choice([0, *(match.end() for match in re.finditer(">", text))])
        return (text[:at] + chance.choice(_ODD_XML) + text[at:]).encode()
    spot = chance.choice(spots)
    if way < 0.7:
        odd = hostile_text(chance, spot[1], [other[1] for other in spots[:300]])
        odd = "".join(letter for letter in odd if letter >= " " and not "\ud800" <= letter <= "\udfff")
        odd = odd.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
        return (text[: spot.start(1)] + odd + text[spot.end(1) :]).encode()
    count = min(chance.choice((0, 0, 2, 10, 1000)), max(1, MAX_BYTES // len(spot[0])))
    return (text[: spot.start()] + spot[0] * count + text[spot.end() :]).encode()


# --- OpenStreetMap's PBF --------------------------------------------------------------------------------------------

_VARINTS = (0, 1, 2, 127, 128, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 1_000_000_000)

#: Fields of a message of Protocol Buffers: number, wire type, value.
Fields = list[tuple[int, int, int | bytes]]


def change_pbf(chance: random.Random, data: bytes) -> bytes:
    """Return an OSM PBF file with one change in the message of a blob, whose lengths are right otherwise."""
    try:
        blobs = _blobs(data)
    except (ValueError, LookupError, struct.error, zlib.error):
        return change_bytes(chance, data)
    if not blobs or chance.random() < 0.08:
        return change_bytes(chance, data)
    at = chance.randrange(len(blobs))
    kind, content = blobs[at]
    way = chance.random()
    if way < 0.86:
        blobs[at] = (kind, _change_message(chance, content, 0))
    elif way < 0.9:
        blobs[at] = (kind, change_bytes(chance, content))
    elif way < 0.94:
        blobs[at:at] = [blobs[at]] * chance.choice((1, 2, 20))
    elif way < 0.97:
        del blobs[at]
    else:
        blobs[at] = (chance.choice((b"OSMHeader", b"OSMData", b"", b"x" * 100_000)), content)
    return b"".join(_blob(chance, *blob) for blob in blobs)


def _blobs(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return type and unpacked message of each blob (wiki.openstreetmap.org/wiki/PBF_Format).

    Raises
    ------
    ValueError, LookupError, struct.error, zlib.error
        If it is no PBF file.
    """
    blobs, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        header = {number: value for number, _, value in _fields(data[at + 4 : at + 4 + size])}
        kind, length = header[1], header[3]
        if not isinstance(kind, bytes) or not isinstance(length, int):
            raise ValueError("no type or length of a blob")
        at += 4 + size
        body = {number: value for number, _, value in _fields(data[at : at + length])}
        at += length
        raw, packed = body.get(1, b""), body.get(3)
        content = zlib.decompress(packed) if isinstance(packed, bytes) else raw
        if not isinstance(content, bytes):
            raise ValueError("no content of a blob")
        blobs.append((kind, content))
    return blobs


def _blob(chance: random.Random, kind: bytes, content: bytes) -> bytes:
    packed: Fields = [(2, 0, len(content)), (3, 2, zlib.compress(content, 1))]
    way = chance.random()
    if way < 0.2:
        packed = [(1, 2, content)]
    elif way < 0.23:
        packed = [(2, 0, chance.choice(_VARINTS)), (3, 2, zlib.compress(content, 1))]
    body = _message(packed)
    header = _message([(1, 2, kind), (3, 0, len(body) if chance.random() < 0.98 else chance.choice(_VARINTS))])
    return struct.pack(">I", len(header)) + header + body


def _fields(data: bytes) -> Fields:
    fields: Fields = []
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            fields.append((number, wire, value))
        elif wire in (1, 2, 5):
            size = 8 if wire == 1 else 4
            if wire == 2:
                size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("a field is longer than its message")
            fields.append((number, wire, data[at : at + size]))
            at += size
        else:
            raise ValueError(f"wire type {wire}")
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _message(fields: Fields) -> bytes:
    out = bytearray()
    for number, wire, value in fields:
        out += _packed_varint(number << 3 | wire)
        if isinstance(value, int):
            out += _packed_varint(value)
        else:
            out += (_packed_varint(len(value)) if wire == 2 else b"") + value
    return bytes(out)


def _packed_varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _change_message(chance: random.Random, data: bytes, depth: int) -> bytes:
    try:
        fields = [] if depth > 1 and data.isascii() and data.decode().isprintable() else _fields(data)
    except (ValueError, IndexError):
        fields = []
    if not fields or depth > 6 or (depth and chance.random() < 0.15):
        return _change_packed(chance, data)
    at = chance.randrange(len(fields))
    number, wire, value = fields[at]
    way = chance.random()
    if way < 0.1:
        fields[at:at] = [fields[at]] * min(chance.choice((1, 1, 10, 1000)), 1 + MAX_BYTES // (len(data) + 1))
    elif way < 0.17:
        del fields[at]
    elif way < 0.22:
        fields[at] = (chance.randint(1, 40), wire, value)
    elif isinstance(value, int):
        fields[at] = (number, wire, chance.choice((*_VARINTS, value + 1, value ^ 1, value * 1000)))
    else:
        fields[at] = (
            number,
            wire,
            _change_message(chance, value, depth + 1) if wire == 2 else change_bytes(chance, value)[:8],
        )
    return _message(fields)


def _change_packed(chance: random.Random, data: bytes) -> bytes:
    """Return a text or a list of numbers with one change."""
    way = chance.random()
    is_text = data.isascii() and data.decode().isprintable()
    if way < (0.9 if is_text else 0.3):
        # Texts of more than 1,024 bytes, and what is no UTF-8, end the reading of a file.
        odd = hostile_text(chance, data.decode("utf-8", "replace"), ["man_made", "power", "owner", "plant"])
        whole = chance.random() < 0.05
        return odd.encode("utf-8", "surrogatepass") if whole else odd[:250].encode("utf-8", "replace")
    if way < 0.8:
        numbers, at = [], 0
        try:
            while at < len(data):
                number, at = _varint(data, at)
                numbers.append(number)
        except IndexError:
            return change_bytes(chance, data)
        at = chance.randint(0, len(numbers))
        numbers[at : at + chance.choice((0, 1))] = [chance.choice(_VARINTS)] * chance.choice((1, 1, 2, 1000))
        return b"".join(map(_packed_varint, numbers))
    return change_bytes(chance, data)


# --- GeoPackage -----------------------------------------------------------------------------------------------------

_NAN = float("nan")
_WKB = (
    struct.pack("<BIdd", 1, 1, _NAN, _NAN), struct.pack("<BIdd", 1, 1, 1e308, -1e308), struct.pack("<BIdd", 1, 1,
    200.0, 95.0),
    struct.pack("<BII", 1, 2, 0), struct.pack("<BIIdd", 1, 2, 1, 1.0, 1.0), struct.pack("<BII", 1, 2, 0xFFFFFFFF),
    struct.pack("<BIII", 1, 3, 1, 0xFFFFFFFF), struct.pack("<BIIIdd", 1, 3, 1, 1, 0.0, 0.0), struct.pack("<BII", 1, 3,
    0),
    struct.pack("<BII", 1, 7, 1) * 20_000 + struct.pack("<BII", 1, 7, 0), struct.pack("<BII", 1, 7, 1) * 20,
    struct.pack("<BII", 1, 8, 0), struct.pack("<BII", 1, 10, 1), struct.pack("<BII", 1, 99, 1), struct.pack("<BII", 1,
    1007, 1),
    struct.pack("<BII", 1, 4, 2) + struct.pack("<BIdd", 1, 1, 0.0, 0.0) * 2, struct.pack("<BIddd", 1, 1001, 1.0, 2.0,
    3.0),
    struct.pack(">BIdd", 0, 1, 1.0, 2.0), struct.pack("<BI", 1, 0x20000001), b"", b"\1",
)  # fmt: skip
_SQL_VALUES = (None, 0, -1, 2**63 - 1, -(2**63), 1e308, float("inf"), "", b"", b"\0" * 5000, "4326", 32636, 3857, 0, -1)
_STATEMENTS = (
    "DROP TABLE {table}", "DELETE FROM {table}", "ALTER TABLE {table} RENAME COLUMN {column} TO {other}",
    "ALTER TABLE {table} DROP COLUMN {column}", "ALTER TABLE {table} ADD COLUMN {other} TEXT DEFAULT 'x'",
    "INSERT INTO {table} SELECT * FROM {table}", "UPDATE {table} SET {column} = rowid",
    "UPDATE {table} SET {column} = NULL",
    "UPDATE {table} SET {column} = {column} || {column}", "UPDATE {table} SET {column} = zeroblob(100000)",
    "CREATE VIEW {other} AS SELECT * FROM {table}", "CREATE INDEX {other} ON {table} ({column})",
    "UPDATE {table} SET {column} = CAST({column} AS BLOB)", "PRAGMA user_version = 2147483647",
    "PRAGMA application_id = 0",
    "ALTER TABLE {table} RENAME TO {other}", "CREATE TABLE {other} (a, b)", "REINDEX",
)  # fmt: skip


def change_geopackage(chance: random.Random, data: bytes) -> bytes:
    """Return a GeoPackage with one change in a table, a value or a geometry; a file that is broken, in its bytes."""
    if chance.random() < 0.12:
        return change_bytes(chance, data)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "a.gpkg"
        path.write_bytes(data)
        try:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA synchronous = OFF")  # a copy to be changed is no store
                connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
                geopackage.register_functions(connection)
                _change_database(chance, connection)
                connection.commit()
                connection.execute("PRAGMA journal_mode = DELETE")
        except (sqlite3.Error, UnicodeError, OverflowError, ValueError):
            return change_bytes(chance, data)
        return path.read_bytes()


def _change_database(chance: random.Random, connection: sqlite3.Connection) -> None:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'rtree_%'"
    )
    names = [name for (name,) in connection.execute(query)]
    filled = [name for name in names if connection.execute(f"SELECT 1 FROM {_quoted(name)} LIMIT 1").fetchone()]
    if not names:
        raise ValueError("a database without tables")
    table = chance.choice(filled or names)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")]
    column = chance.choice(columns)
    if chance.random() < 0.25:
        other = _quoted(chance.choice((*names, *columns, "a", 'a"b', "_problems", "geom")))
        statement = chance.choice(_STATEMENTS)
        connection.execute(statement.format(table=_quoted(table), column=_quoted(column), other=other))
        return
    rows = connection.execute(f"SELECT rowid, {_quoted(column)} FROM {_quoted(table)} LIMIT 200").fetchall()
    row, before = chance.choice(rows)
    value = _hostile_sql(chance, before, [other for _, other in rows if isinstance(other, str)])
    connection.execute(f"UPDATE {_quoted(table)} SET {_quoted(column)} = ? WHERE rowid = ?", (value, row))


def _hostile_sql(chance: random.Random, before: object, texts: list[str]) -> object:
    if isinstance(before, bytes) and chance.random() < 0.8:
        if chance.random() < 0.5:
            return change_bytes(chance, before)
        return (
            before[:8] + chance.choice(_WKB)
            if before[:2] == b"GP" and before[3] & 0x0E == 0
            else b"GP\0\1\xe6\x10\0\0" + chance.choice(_WKB)
        )
    if chance.random() < 0.4:
        return chance.choice(_SQL_VALUES)
    text = hostile_text(chance, before if isinstance(before, str) else "", texts)
    return text.encode("utf-8", "replace").decode()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


#: The change in the structure of a file, by the end of its name.
CHANGES: dict[str, Change] = {
    ".csv": change_csv, ".tsv": change_csv, ".txt": change_csv, ".json": change_json, ".geojson": change_json,
    ".toml": change_toml, ".xlsx": change_workbook, ".pbf": change_pbf, ".gpkg": change_geopackage,
}  # fmt: skip


def changed(chance: random.Random, name: str, data: bytes) -> bytes:
    """Return a file with one change by lot, mostly in its structure."""
    change = CHANGES[Path(name).suffix] if chance.random() < 0.9 else change_bytes
    out = change(chance, data)[: MAX_BYTES + 500_000]
    return out if Path(name).suffix in (".xlsx", ".pbf", ".gpkg") else _with_few_lines(out)


def _with_few_lines(data: bytes) -> bytes:
    """Return a text cut off after 20,000 lines: to list as many faults as lines takes 30 µs each, and is no hang."""
    for sign in (b"\n", b"\r"):
        lines = data.split(sign, _MAX_LINES)
        data = sign.join(lines[:_MAX_LINES])
    return data
