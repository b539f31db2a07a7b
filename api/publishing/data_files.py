"""The data as files: all published records by table, the collections in three formats, and the package that lists them.

The package is a Data Package (datapackage.org/standard/data-package, version 2) with a Table Schema of every table,
from the record types and the feature types.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from api.formats import columnar, csv, geojson
from api.formats.page import FeaturePage
from api.formats.table import TYPES
from api.html.published import CitedVersion
from api.http.json import Json
from api.requests.query_parameters import Representation
from layers.collections.collection import Collection
from layers.collections.feature_types import CountryFeature
from layers.collections.property_types import property_types
from layers.model.records import RECORD_TYPES, REFERENCES, Record, Source
from layers.snapshot.snapshot import Snapshot
from layers.sources.data_package import LEFT_OUT, TABLE, WITHHELD, row_of
from layers.store.writer import APPEND_ONLY

PACKAGE = "datapackage.json"
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
#: Types of JSON Schema that Table Schema has by the same name, and those that it has by another one than CSVW.
_JSON_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_CSV_TYPES: Mapping[str, str] = {"json": "array", "dateTime": "datetime"}

#: Formats by another name than the ending: readers of tables take no lists in Parquet, and check the bytes of this one.
_FORMATS: Mapping[str, str] = {"parquet": "geoparquet"}


@dataclass(frozen=True)
class DataFile:
    """A file of data."""

    #: In the publication.
    path: str
    #: Gives its bytes, as of a version; ``None`` is the newest.
    write: Callable[[CitedVersion | None], bytes]
    #: Whether the bytes name that version.
    states_version: bool
    #: What the package says of it besides size and digest.
    about: Json


#: Gives all features of a collection as a page of a file that states a version; ``None`` is the newest.
PageOf = Callable[[Collection, CitedVersion | None], FeaturePage]


def data_files(snapshot: Snapshot, page_of: PageOf) -> Iterator[DataFile]:
    """Give the tables of records, then each collection that holds data as CSV, GeoJSON and GeoParquet."""
    for table in RECORD_TYPES:
        about = {"title": f"Records: {table}", TABLE: table, "schema": record_schema(table)}
        records = snapshot.records.table(table)
        # Of what is appended the latest holds, and several may be of one day: their order says which that is.
        keys = [*records] if table in APPEND_ONLY else sorted(records)
        rows = partial(record_rows, [records[key] for key in keys])
        yield DataFile(f"data/records/{table}.json", uncited(rows), False, about)
    for collection in snapshot.layers.values():
        pages = partial(page_of, collection)
        about = {"title": collection.title, "description": collection.description}
        table_about = {**about, "encoding": "utf-8", "schema": feature_schema(collection)}
        path = f"data/{collection.name}"
        yield DataFile(f"{path}.csv", partial(_written, _csv, pages), False, table_about)
        yield DataFile(f"{path}.geojson", partial(_written, geojson.FORMAT.write, pages), True, about)
        yield DataFile(f"{path}.parquet", partial(_written, columnar.GEOPARQUET.write, pages), True, about)


def uncited(write: Callable[[], bytes]) -> Callable[[CitedVersion | None], bytes]:
    """Give what writes a file that names no version."""
    return lambda version: write()


def _written(
    write: Callable[[FeaturePage], bytes],
    pages: Callable[[CitedVersion | None], FeaturePage],
    version: CitedVersion | None,
) -> bytes:
    return write(pages(version))


def _csv(page: FeaturePage) -> bytes:
    # A cell with the outline of a country is longer than a spreadsheet takes.
    return csv.FORMAT.write(replace(page, representation=Representation(geometry=_has_places(page.collection))))


def record_rows(records: Iterable[Record]) -> bytes:
    """Write records as a JSON array, a line each, in their order; of none it is an empty array."""
    lines = b",\n".join(map(row_of, records))
    return b"[\n%b\n]\n" % lines if lines else b"[]\n"


def _has_places(collection: Collection) -> bool:
    return collection.model is not CountryFeature


def record_schema(table: str) -> Json:
    """Describe the columns of a table of records as Table Schema does."""
    model = RECORD_TYPES[table]
    schema = model.model_json_schema(mode="serialization")
    fields = [
        {"name": name, "type": _type_of(part), **_described(part.get("description"))}
        for name, part in schema["properties"].items()
        if name not in LEFT_OUT
    ]
    withheld = {"name": WITHHELD, "type": "array", "description": "Fields that the publisher left out or made coarser."}
    keys = [
        {"fields": [column], "reference": {"resource": f"records-{targets[0]}", "fields": ["id"]}}
        for column, targets in REFERENCES.get(table, {}).items()
        if len(targets) == 1 and _type_of(schema["properties"][column]) == "string"
    ]
    described: Json = {"fields": [*fields, withheld], "fieldsMatch": "superset", "primaryKey": ["id"]}
    return {**described, **({"foreignKeys": keys} if keys else {})}


def _type_of(part: Mapping[str, Any]) -> str:
    plain = next((one for one in part.get("anyOf", ()) if one.get("type") != "null"), part)
    named: str = plain.get("type", "object")
    return named if named in _JSON_TYPES else "any"


def feature_schema(collection: Collection) -> Json:
    """Describe the columns of the CSV of a collection as Table Schema does."""
    types = property_types(collection.model)
    fields = [
        {"name": column.name, "type": _CSV_TYPES.get(stated, stated), **_described(column.doc)}
        for column in collection.columns
        for stated in [TYPES[types[column.name]].csvw]
    ]
    place = [
        {"name": "lon", "type": "number", "description": "Longitude of a point, degrees (OGC:CRS84)."},
        {"name": "lat", "type": "number", "description": "Latitude of a point, degrees (OGC:CRS84)."},
        {"name": "geometry", "type": "string", "description": "Well-known text, lon/lat."},
    ]
    return {"fields": [*fields, *(place if _has_places(collection) else ())], "primaryKey": ["id"]}


def _described(text: str | None) -> Json:
    return {"description": text} if text else {}


def resource(path: str, content: bytes, about: Json) -> Json:
    """Describe a file: name, path, format, size and SHA-256 (FIPS 180-4)."""
    stem, _, ending = path.removeprefix("data/").rpartition(".")
    name = stem.replace("/", "-") if TABLE in about else f"{stem.replace('/', '-')}-{ending}"
    digest = hashlib.sha256(content).hexdigest()
    form = _FORMATS.get(ending, ending)
    return {"name": name, "path": path, "format": form, **about, "bytes": len(content), "hash": f"sha256:{digest}"}


def descriptor(resources: Sequence[Json], sources: Mapping[str, Source], about: Json) -> bytes:
    """Write the package: its files, the publishers of its sources with the licence that each states, and the version.

    ``about``: further members, such as title, version and licences.
    """
    publishers = {(source.publisher, source.licence) for source in sources.values()}
    listed = [
        {"title": publisher, **({"strikeatlas:licence": licence} if licence else {})}
        for publisher, licence in sorted(publishers, key=lambda one: (one[0], one[1] or ""))
    ]
    document = {"$schema": _PROFILE, **about, "resources": list(resources)}
    if listed:
        document["sources"] = listed
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
