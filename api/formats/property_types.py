"""What type each property of a feature has in each form of file: the one table that all forms are written by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel

from layers.collections.feature_types import AttributionFeature, CountryFeature, StrikeFeature
from layers.collections.geometry_kinds import AssetAreaFeature, AssetLineFeature, AssetPointFeature
from layers.collections.hit_features import HitFeature
from layers.collections.queryables import GEOMETRY, queryables_of

if TYPE_CHECKING:
    import pyarrow as pa

#: Type of a property: ``edtf`` is text that is a date of the Extended Date/Time Format, ``list`` is of texts.
PropertyType: TypeAlias = Literal["text", "edtf", "list", "integer", "number", "boolean", "date", "timestamp"]


@dataclass(frozen=True, slots=True)
class FormTypes:
    """How values of one type are written.

    Parameters
    ----------
    pandas
        In frames; lists have no type of their own there.
    csvw
        In CSV, as its metadata name it (Metadata Vocabulary for Tabular Data, 5.11.1).
    """

    pandas: str
    csvw: str


TYPES: Mapping[PropertyType, FormTypes] = MappingProxyType(
    {
        "text": FormTypes("str", "string"),
        "edtf": FormTypes("str", "string"),
        "list": FormTypes("object", "json"),
        "integer": FormTypes("Int64", "integer"),
        "number": FormTypes("float64", "number"),
        "boolean": FormTypes("boolean", "boolean"),
        "date": FormTypes("datetime64[ms]", "date"),
        "timestamp": FormTypes("datetime64[ms, UTC]", "dateTime"),
    }
)


@lru_cache(maxsize=1)
def arrow_types() -> Mapping[PropertyType, pa.DataType]:
    """How values of each type are written in Arrow and GeoParquet, and in what GDAL is given to write.

    Forms without lists have them as JSON text.
    """
    import pyarrow as pa  # takes 34 MB, which every server would hold

    return MappingProxyType(
        {
            "text": pa.string(),
            "edtf": pa.string(),
            "list": pa.list_(pa.string()),
            "integer": pa.int32(),
            "number": pa.float64(),
            "boolean": pa.bool_(),
            "date": pa.date32(),
            "timestamp": pa.timestamp("ms", "UTC"),
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
