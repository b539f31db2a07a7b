"""What type each property of a feature has, and how Arrow has its values: one table that all forms are written by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel

from geo.columnar.dictionary_array import DictionaryArray
from layers.collections.queryables import GEOMETRY, queryables_of

if TYPE_CHECKING:
    import pyarrow as pa

#: Type of a property: ``edtf`` is text that is a date of the Extended Date/Time Format, ``list`` is of texts.
PropertyType: TypeAlias = Literal["text", "edtf", "list", "integer", "number", "boolean", "date", "timestamp"]


@lru_cache(maxsize=64)
def property_types(model: type[BaseModel]) -> Mapping[str, PropertyType]:
    """The type of each property of a class of features, by name in the order of the columns."""
    specs = model.model_json_schema(mode="serialization")["properties"]
    types: dict[str, PropertyType] = {}
    for name, queryable in queryables_of(model).items():
        if name != GEOMETRY and queryable.kind != "geometry":
            types[name] = "edtf" if specs[name].get("format") == "edtf" else queryable.kind
    return MappingProxyType(types)


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


def arrow_array(column: DictionaryArray, arrow: pa.DataType) -> pa.Array:
    """The values of a column as Arrow has them, each different one converted once; NaN and infinity are null.

    Parameters
    ----------
    column
        Of n values.
    arrow
        One of `arrow_types`, for values of its kind; timestamps are ISO texts in the column.

    Returns
    -------
    pa.Array
        Shape (n,), null where the value is missing.
    """
    import pyarrow as pa

    words: list[Any] = list(column.dictionary)
    if pa.types.is_floating(arrow):
        words = [value if np.isfinite(value) else None for value in words]
    elif pa.types.is_timestamp(arrow):
        words = [datetime.fromisoformat(text) for text in words]
    codes = column.codes
    return pa.array(words, arrow).take(pa.array(codes, mask=codes < 0))
