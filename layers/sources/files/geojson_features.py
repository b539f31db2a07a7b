"""Features of GeoJSON (RFC 7946): their properties as text, their geometry in lon/lat, every fault by position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from layers.model.problems import Problem
from layers.sources.files.limits import MAX_ROWS, Refused, require_few
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import PROBLEMS_COLUMN

#: The coordinate systems that the "crs" member of old GeoJSON may name: all are degrees, longitude first.
_LONLAT = ("CRS84", "EPSG::4326", "EPSG:4326", "EPSG::4979")


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its position in the file from 1, its properties as text, its geometry, None where it has none."""

    number: int
    cells: Mapping[str, str]
    geometry: BaseGeometry | None


class FeatureRows:
    """The features of a GeoJSON file, each time it is iterated; ``problems`` fill while iterating."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file.name
        self.problems: list[Problem] = []
        self.features = feature_list(file.json(), file.name)
        # Features need not have the same properties (RFC 7946, 3.2).
        names = (name for one in self.features if isinstance(one, dict) for name in _properties(one))
        self.header = tuple(name for name in dict.fromkeys(names) if name != PROBLEMS_COLUMN)

    def __iter__(self) -> Iterator[Feature]:
        """Give each feature; one that is none, or whose geometry is none, is a problem."""
        self.problems.clear()
        for number, feature in enumerate(self.features, 1):
            if not isinstance(feature, dict):
                self._fault(number, "type", feature, "a feature (RFC 7946, 3.2)")
                continue
            try:
                shape = geometry_of(feature.get("geometry"))
            except ValueError as error:
                self._fault(number, "geometry", feature.get("geometry"), str(error))
                continue
            yield Feature(number, as_text(_properties(feature)), shape)

    def _fault(self, number: int, column: str, value: object, expected: str) -> None:
        require_few(self.file, self.problems)
        self.problems.append(Problem(self.file, number, "feature", column, repr(value)[:120], expected))


def feature_list(document: Any, file: str) -> list[Any]:
    """The features of a FeatureCollection, a single Feature, or lines of features.

    Raises
    ------
    Refused
        If it is neither, has more features than are read, or names another coordinate system than lon/lat degrees.
    """
    if isinstance(document, dict):
        require_lonlat_crs(document, file)
        document = document.get("features") if document.get("type") != "Feature" else [document]
    if not isinstance(document, list):
        raise Refused(file, "type", type(document).__name__, "a FeatureCollection (RFC 7946, 3.3)")
    if len(document) > MAX_ROWS:
        raise Refused(file, "features", f"{len(document):,}", f"at most {MAX_ROWS:,}; split the file")
    return document


def require_lonlat_crs(document: Mapping[str, Any], file: str) -> None:
    """Refuse a "crs" member (GeoJSON of 2008) that names anything but degrees in the order longitude, latitude."""
    crs = document.get("crs")
    name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
    if name and not str(name).endswith(_LONLAT):
        raise Refused(file, "crs", name, "lon/lat (OGC:CRS84); reproject the file")


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of a feature, and its ``id`` beside them where none of them is called so."""
    found = feature.get("properties")
    own = {"id": feature["id"]} if feature.get("id") is not None else {}
    return {**own, **(found if isinstance(found, dict) else {})}


def geometry_of(value: Any) -> BaseGeometry | None:
    """The shapely geometry of a GeoJSON one; None for null and empty ones; heights are left out.

    Raises
    ------
    ValueError
        If it is none, with what was expected.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("a geometry (RFC 7946, 3.1), or null")
    try:
        shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(value)))
    except (shapely.errors.ShapelyError, orjson.JSONEncodeError) as error:
        raise ValueError(f"a geometry (RFC 7946, 3.1): {str(error)[:80]}") from error
    return None if shape.is_empty else shape


def as_text(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as a table holds them: null is empty, lists and objects are JSON."""
    return {name: cell_of(value) for name, value in values.items() if name != PROBLEMS_COLUMN}


def cell_of(value: Any) -> str:
    """One JSON value as a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)
