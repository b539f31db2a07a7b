"""What a collection can be asked by: its columns as queryables, each with the kind of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from layers.model.columns import columns

#: What a value is: ``date`` is a whole day, ``list`` a list of texts.
Kind = Literal["text", "integer", "number", "boolean", "date", "list", "geometry"]

#: The name that the geometry of a feature goes by.
GEOMETRY = "geometry"


@dataclass(frozen=True, slots=True)
class Queryable:
    """One property that can be asked by; ``enum`` names all its values where they are fixed."""

    name: str
    kind: Kind
    doc: str
    unit: str | None = None
    enum: tuple[str, ...] = ()


class Modelled(Protocol):
    """What has features of one class, such as a collection."""

    @property
    def model(self) -> type[BaseModel]:
        """The class of its features."""


def queryables(collection: Modelled) -> Mapping[str, Queryable]:
    """What a collection can be asked by, in the order of its columns, the geometry last."""
    return of_model(collection.model)


@lru_cache(maxsize=64)
def of_model(model: type[BaseModel]) -> Mapping[str, Queryable]:
    """Queryables of a class of features; a column that is neither plain nor a list of texts is none."""
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
    if plain.get("type") == "array":
        return "list" if plain.get("items", {}).get("type") == "string" else None
    kinds: Mapping[Any, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
    return kinds.get(plain.get("type"))
