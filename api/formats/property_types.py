"""How values of each type of property are written in frames and in CSV, and what geometry features have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel

from layers.collections.feature_types import AttributionFeature, CountryFeature, StrikeFeature
from layers.collections.geometry_kinds import AssetAreaFeature, AssetLineFeature, AssetPointFeature
from layers.collections.hit_features import HitFeature
from layers.collections.property_types import PropertyType


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
