"""What type each property of a feature has in each form of file: the one table that all forms are written by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, TypeAlias

import pyarrow as pa
from pydantic import BaseModel

from layers.collections.feature_types import AttributionFeature, CountryFeature, StrikeFeature
from layers.collections.geometry_kinds import AssetAreaFeature, AssetLineFeature, AssetPointFeature
from layers.collections.hit_features import HitFeature
from layers.collections.queryables import GEOMETRY, queryables_of

#: Type of a property: ``edtf`` is text that is a date of the Extended Date/Time Format, ``list`` is of texts.
PropertyType: TypeAlias = Literal["text", "edtf", "list", "integer", "number", "boolean", "date", "timestamp"]


@dataclass(frozen=True, slots=True)
class FormTypes:
    """How values of one type are written.

    Parameters
    ----------
    arrow
        In Arrow and GeoParquet, and in what GDAL is given to write; forms without lists have them as JSON text.
    pandas
        In frames; lists have no type of their own there.
    csvw
        In CSV, as its metadata name it (Metadata Vocabulary for Tabular Data, 5.11.1).
    """

    arrow: pa.DataType
    pandas: str
    csvw: str


TYPES: Mapping[PropertyType, FormTypes] = MappingProxyType(
    {
        "text": FormTypes(pa.string(), "str", "string"),
        "edtf": FormTypes(pa.string(), "str", "string"),
        "list": FormTypes(pa.list_(pa.string()), "object", "json"),
        "integer": FormTypes(pa.int32(), "Int64", "integer"),
        "number": FormTypes(pa.float64(), "float64", "number"),
        "boolean": FormTypes(pa.bool_(), "boolean", "boolean"),
        "date": FormTypes(pa.date32(), "datetime64[ms]", "date"),
        "timestamp": FormTypes(pa.timestamp("ms", "UTC"), "datetime64[ms, UTC]", "dateTime"),
    }
)

#: Kinds of geometry of the features of a class, one and several of it, as the simple feature standard names them
#: (OGC 06-103r4); a class that is not in it has several kinds.
GEOMETRY_TYPES: Mapping[type[BaseModel], tuple[str, str]] = MappingProxyType(
    {
        StrikeFeature: ("Point", "MultiPoint"),
        AttributionFeature: ("Point", "MultiPoint"),
        HitFeature: ("Point", "MultiPoint"),
        CountryFeature: ("Polygon", "MultiPolygon"),
        AssetPointFeature: ("Point", "MultiPoint"),
        AssetLineFeature: ("LineString", "MultiLineString"),
        AssetAreaFeature: ("Polygon", "MultiPolygon"),
    }
)


@lru_cache(maxsize=64)
def property_types(model: type[BaseModel]) -> Mapping[str, PropertyType]:
    """The type of each property of a class of features, by name in the order of the columns."""
    specs = model.model_json_schema(mode="serialization")["properties"]
    types: dict[str, PropertyType] = {}
    for name, queryable in queryables_of(model).items():
        if name != GEOMETRY and queryable.kind != "geometry":
            types[name] = "edtf" if specs[name].get("format") == "edtf" else queryable.kind
    return MappingProxyType(types)
