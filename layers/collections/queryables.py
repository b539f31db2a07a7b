"""The queryables of a collection: columns that it can be filtered and sorted by, with the kinds of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel

from layers.model.types import columns

#: Kind of a value: ``date`` is a whole day, ``timestamp`` a time in UTC, ``list`` a list of texts.
Kind = Literal["text", "integer", "number", "boolean", "date", "timestamp", "list", "geometry"]

#: Name of the queryable that stands for the geometry.
GEOMETRY = "geometry"


@dataclass(frozen=True, slots=True)
class Queryable:
    """One property to filter and sort by; ``enum`` lists all its values where they are fixed."""

    name: str
    kind: Kind
    doc: str
    unit: str | None = None
    enum: tuple[str, ...] = ()


#: What strikes can be sorted by beside their properties: another name of ``sure``.
STANDS = Queryable("stands", "boolean", "Whether it surely counts: false before true.")


@lru_cache(maxsize=64)
def queryables_of(model: type[BaseModel]) -> Mapping[str, Queryable]:
    """Queryables of a class of features in the order of its columns, the geometry last.

    A column that is neither plain nor a list of texts is no queryable.
    """
    specs = model.model_json_schema(mode="serialization")["properties"]
    found: dict[str, Queryable] = {}
    for column in columns(model):
        if kind := _kind(specs[column.name]):
            found[column.name] = Queryable(column.name, kind, column.doc, column.unit, column.choices)
    found[GEOMETRY] = Queryable(GEOMETRY, "geometry", "Place, lon/lat (OGC:CRS84).")
    return MappingProxyType(found)


def _kind(spec: Mapping[str, Any]) -> Kind | None:
    plain = next((part for part in spec.get("anyOf", ()) if part.get("type") != "null"), spec)
    if plain.get("format") == "date":
        return "date"
    if plain.get("format") == "date-time":
        return "timestamp"
    if plain.get("type") == "array":
        return "list" if plain.get("items", {}).get("type") == "string" else None
    kinds: Mapping[Any, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
    return kinds.get(plain.get("type"))
