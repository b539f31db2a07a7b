"""Writes the file of an open layer, the same bytes for the same records, and tells two of them apart."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from layers.filesystem.atomic_file import replacing
from layers.model.records import Records
from layers.store.open_layer import ABOUT, FORM, OpenLayer
from layers.store.row_mapping import TABLES, Table, geometry_of, to_json

#: All members of the archive have this time, as it says nothing of them.
_AT = (1980, 1, 1, 0, 0, 0)
#: Differences of a table that are named one by one.
_NAMED = 20


def write(path: Path, records: Records, about: Mapping[str, Any]) -> None:
    """Write the file; tables without records have no member."""
    with replacing(path) as fresh, zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:
        content = orjson.dumps({"form": FORM, **about}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        archive.writestr(zipfile.ZipInfo(ABOUT, _AT), content)
        for name, table in TABLES.items():
            if records.table(name):
                archive.writestr(zipfile.ZipInfo(f"{name}.parquet", _AT), _parquet(table, records))


def _parquet(table: Table, records: Records) -> bytes:
    """A table in the order of its ids; columns that no record fills are left out."""
    ordered = [record for _, record in sorted(records.table(table.name).items())]
    plains = [table.to_dict(record) for record in ordered]
    columns: dict[str, pa.Array] = {}
    for column in table.columns:
        if column.type == "geometry":
            shapes = [geometry_of(record) for record in ordered]
            columns[column.name] = pa.array(
                [None if one is None else shapely.to_wkb(one) for one in shapes], pa.binary()
            )
            continue
        values = [plain[column.name] for plain in plains]
        if column.name == "private" or all(value in (None, [], {}) for value in values):
            continue
        columns[column.name] = pa.array([to_json(value) if column.type == "json" else value for value in values])
    data = pa.table(columns)
    if "geometry" in columns:
        geo: dict[str, Any] = {"version": "1.1.0", "primary_column": "geometry"}
        geo |= {"columns": {"geometry": {"encoding": "WKB", "geometry_types": []}}}
        data = data.replace_schema_metadata({"geo": orjson.dumps(geo)})
    content = io.BytesIO()
    pq.write_table(data, content, compression="zstd", compression_level=19, store_schema=False)
    return content.getvalue()


def differences(old: OpenLayer, new: OpenLayer) -> Iterator[str]:
    """Say in lines how a layer differs from an older one: counts of each table, and the first records by name."""
    none = Records.of({})
    before, after = old.under(none), new.under(none)
    for name in TABLES:
        was, now = before.table(name), after.table(name)
        added, gone = [key for key in now if key not in was], [key for key in was if key not in now]
        changed = [key for key in now if key in was and now[key] != was[key]]
        if not (added or gone or changed):
            continue
        counts = f"{len(added)} added, {len(gone)} removed, {len(changed)} changed"
        yield f"{name}: {len(was)} before, {len(now)} now; {counts}"
        for sign, keys, table in (("+", added, now), ("-", gone, was)):
            yield from (f"  {sign} {key} {getattr(table[key], 'name', '')}".rstrip() for key in keys[:_NAMED])
        fields: Counter[str] = Counter()
        for number, key in enumerate(changed):
            one, other = was[key].model_dump(exclude={"geometry"}), now[key].model_dump(exclude={"geometry"})
            differing = [field for field in one if one[field] != other[field]] or ["geometry"]
            fields.update(differing)
            if number < _NAMED:
                said = (f"{field}: {one.get(field)!r} -> {other.get(field)!r}" for field in differing if field in one)
                yield f"  ~ {key} {'; '.join(said) or 'geometry'}"
        if fields:
            yield f"  changed fields: {', '.join(f'{field} {count}' for field, count in fields.most_common())}"
