"""Features of GeoJSON (RFC 7946) and GeoPackage layers: properties as text, geometry in lon/lat, faults by position."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from layers.geopackage.geopackage import WGS84, GeometryBlobError, decode
from layers.model.messages import InvalidValue, Message
from layers.sources.files.limits import MAX_CELL, MAX_COLUMNS, MAX_ROWS, FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import PROBLEMS_COLUMN, CheckedRows

if TYPE_CHECKING:
    import pyproj

#: The coordinate systems that the "crs" member of old GeoJSON may name: all are degrees, longitude first.
_LONLAT = ("CRS84", "EPSG::4326", "EPSG:4326", "EPSG::4979")


@dataclass(frozen=True, slots=True)
class SourceFeature:
    """A feature of a file.

    ``number`` is its position in the file, from 1; ``cells`` are its properties as text; ``geometry`` is in lon/lat
    degrees (OGC:CRS84), None where the feature has none.
    """

    number: int
    cells: Mapping[str, str]
    geometry: BaseGeometry | None


class GeoJsonRows(CheckedRows):
    """Iterable over the features of a GeoJSON file; each iteration clears ``problems`` and fills it again."""

    noun = "feature"

    def __init__(self, file: SourceFile) -> None:
        super().__init__(file.name)
        self.features = feature_list(file.json(), file.name)
        # Features need not have the same properties (RFC 7946, 3.2).
        names = (name for feature in self.features if isinstance(feature, dict) for name in _properties(feature))
        self.header = tuple(name for name in dict.fromkeys(names) if name != PROBLEMS_COLUMN)

    def __iter__(self) -> Iterator[SourceFeature]:
        """Yield each feature; one that is none, or is beyond a bound, or has no geometry, becomes a problem instead."""
        self.problems.clear()
        for number, feature in enumerate(self.features, 1):
            if not isinstance(feature, dict):
                self._fault(number, "type", feature, Message("files.feature"))
                continue
            try:
                shape = geometry_of(feature.get("geometry"))
            except InvalidValue as error:
                self._fault(number, "geometry", feature.get("geometry"), error.expected)
                continue
            cells = as_text(_properties(feature))
            if not self._has_long_cell(number, cells):
                yield SourceFeature(number, cells, shape)

    def _fault(self, number: int, column: str, value: object, expected: Message) -> None:
        super()._fault(number, column, repr(value), expected)


def feature_list(document: Any, file: str) -> list[Any]:
    """Return the features of a FeatureCollection, of a single Feature, or of lines of features.

    Raises ``FileRefused`` if the document is none of these, has more than ``MAX_ROWS`` features, or names a coordinate
    system other than lon/lat degrees.
    """
    if isinstance(document, dict):
        require_lonlat_crs(document, file)
        document = document.get("features") if document.get("type") != "Feature" else [document]
    if not isinstance(document, list):
        raise FileRefused(file, "type", type(document).__name__, Message("files.feature-collection"))
    if len(document) > MAX_ROWS:
        count = Message("files.count", {"count": len(document)})
        raise FileRefused(file, "features", count, Message("files.split", {"limit": MAX_ROWS}))
    return document


def require_lonlat_crs(document: Mapping[str, Any], file: str) -> None:
    """Refuse a "crs" member (GeoJSON of 2008) that names anything but degrees in the order longitude, latitude.

    Raises ``FileRefused`` if it does.
    """
    crs = document.get("crs")
    name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
    if name and not str(name).endswith(_LONLAT):
        raise FileRefused(file, "crs", name, Message("files.lonlat"))


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of a feature, with the feature's ``id`` among them unless a property has that name."""
    properties = feature.get("properties")
    own = {"id": feature["id"]} if feature.get("id") is not None else {}
    return {**own, **(properties if isinstance(properties, dict) else {})}


def geometry_of(value: Any) -> BaseGeometry | None:
    """Parse a GeoJSON geometry.

    ``value``: geometry object in lon/lat degrees (RFC 7946, 3.1), or null.

    The geometry is two-dimensional: heights are dropped. None for null and for an empty geometry.

    Raises ``InvalidValue`` if it is no geometry.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidValue(Message("files.geometry-or-null"))
    try:
        shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(value)))
    except (shapely.errors.ShapelyError, orjson.JSONEncodeError, ValueError) as error:
        raise InvalidValue(Message("files.geometry", {"error": str(error)[:80]})) from error
    return None if shape.is_empty else shape


def as_text(values: Mapping[str, Any]) -> dict[str, str]:
    """Return JSON values as the cells of a table: null is empty, lists and objects are JSON texts."""
    return {name: cell_of(value) for name, value in values.items() if name != PROBLEMS_COLUMN}


def cell_of(value: Any) -> str:
    """Return one JSON value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)


_Transform = Callable[[BaseGeometry], BaseGeometry]
# Values of ``srs_id`` that mean degrees: WGS 84, whose axes are lon, lat in a GeoPackage, and "undefined geographic".
_DEGREES = (WGS84, 0)


class GeoPackageRows(CheckedRows):
    """Iterable over the features of a GeoPackage layer (OGC 12-128r19); each iteration fills ``problems`` again.

    Coordinates of another reference system than degrees are transformed to lon/lat (OGC:CRS84). A layer whose system is
    unknown to PROJ or "undefined" is refused: nobody can say where its features are.
    """

    noun = "feature"

    def __init__(self, file: SourceFile, layer: str | None) -> None:
        super().__init__(file.name)
        self._file = file
        with self.open() as connection:
            self.layer = self._layer(connection, layer)
            rows = connection.execute(f"PRAGMA table_info({quoted_name(self.layer)})").fetchall()
            self._geometry, self._srs_id = self._geometry_column(connection)
            names = [row[1] for row in rows if row[1] not in (self._geometry, PROBLEMS_COLUMN)]
            self._transform = self._to_lonlat(connection)
        if len(names) > MAX_COLUMNS:
            count = Message("files.count", {"count": len(names)})
            raise FileRefused(self.file, "columns", count, Message("files.at-most", {"limit": MAX_COLUMNS}))
        self.header = tuple(names)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Open the file read-only, with its views, triggers and functions switched off.

        Raises ``FileRefused`` if it is broken.
        """
        with self._file.unpacked() as path:
            try:
                # A program that has it open, such as QGIS, keeps the newest changes in a log beside it.
                has_log = Path(f"{path.resolve()}-wal").exists()
                address = f"{path.resolve().as_uri()}?mode=ro{'' if has_log else '&immutable=1'}"
                with closing(sqlite3.connect(address, uri=True)) as connection:
                    # The file is someone's: its views, triggers and functions are not run, its values are bounded.
                    connection.execute("PRAGMA trusted_schema = OFF")
                    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * MAX_CELL)
                    yield connection
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise FileRefused(self.file, "database", error, Message("files.readable-geopackage")) from error

    def _layer(self, connection: sqlite3.Connection, layer: str | None) -> str:
        """Return the name of the requested layer, or of the only one; views and virtual tables do not count."""
        query = (
            "SELECT c.table_name FROM gpkg_contents c JOIN sqlite_master m ON m.name = c.table_name "
            "WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND c.data_type IN ('features', 'attributes')"
        )
        names = [name for (name,) in connection.execute(query)]
        chosen = [name for name in names if layer in (None, name)]
        if len(chosen) != 1:
            value = layer or Message("files.layers", {"count": len(names)})
            raise FileRefused(self.file, "layer", value, Message("files.one-layer", {"names": tuple(names[:40])}))
        return str(chosen[0])

    def _geometry_column(self, connection: sqlite3.Connection) -> tuple[str | None, int]:
        query = "SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE table_name = ?"
        listed = connection.execute(query, (self.layer,)).fetchone()
        if listed is None:
            return None, WGS84
        column, srs_id = listed
        if not isinstance(srs_id, int):
            raise FileRefused(self.file, "srs_id", srs_id, Message("files.defined-crs"))
        return str(column), srs_id

    def _to_lonlat(self, connection: sqlite3.Connection) -> _Transform | None:
        """Return the transformation of geometries to lon/lat degrees, None where none is needed."""
        import pyproj

        if self._geometry is None or self._srs_id in _DEGREES:
            return None
        query = "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?"
        name, code, definition = connection.execute(query, (self._srs_id,)).fetchone() or ("EPSG", self._srs_id, "")
        system = _system(f"{name}:{code}", definition)
        if system is None:
            value = f"{self._srs_id} ({name}:{code})"
            raise FileRefused(self.file, "srs_id", value, Message("files.defined-crs"))
        moving = pyproj.Transformer.from_crs(system, "OGC:CRS84", always_xy=True)
        return lambda shape: shapely.transform(shape, lambda xy: np.column_stack(moving.transform(xy[:, 0], xy[:, 1])))

    def __iter__(self) -> Iterator[SourceFeature]:
        """Yield each feature; a feature whose geometry cannot be read becomes a problem instead.

        Raises ``FileRefused`` if there are more than ``MAX_ROWS`` features.
        """
        import pyproj

        self.problems.clear()
        wanted = [*self.header, *((self._geometry,) if self._geometry else ())]
        with self.open() as connection:
            for number, row in enumerate(connection.execute(select_query(self.layer, wanted)), 1):
                if number > MAX_ROWS:
                    over = Message("files.over", {"limit": MAX_ROWS})
                    raise FileRefused(self.file, "features", over, Message("files.split-layer", {"limit": MAX_ROWS}))
                cells = {name: _cell(value) for name, value in zip(self.header, row, strict=False)}
                if self._has_long_cell(number, cells):
                    continue
                try:
                    yield SourceFeature(number, cells, self._shape(row[-1]) if self._geometry else None)
                except GeometryBlobError as error:
                    self._fault(number, "geometry", row[-1], error.expected)
                except pyproj.exceptions.ProjError as error:
                    expected = Message("files.transformable", {"error": str(error)[:200]})
                    self._fault(number, "geometry", row[-1], expected)

    def _shape(self, blob: bytes | None) -> BaseGeometry | None:
        if blob is None:
            return None
        shape = shapely.force_2d(decode(blob, self._srs_id))
        shape = self._transform(shape) if self._transform else shape
        return None if shape.is_empty else shape


def _system(code: str, definition: str) -> pyproj.CRS | None:
    """Return the reference system of a code such as EPSG:32636, else of its definition (WKT).

    None where neither is a geographic or projected system.
    """
    import pyproj

    for text in (code, definition):
        try:
            crs = pyproj.CRS.from_user_input(text)
        except pyproj.exceptions.CRSError:
            continue
        if crs.is_geographic or crs.is_projected:
            return crs
    return None


def quoted_name(name: str) -> str:
    """Quote the name of a table or column of a foreign database for SQL."""
    return '"' + name.replace('"', '""') + '"'


def select_query(layer: str, columns: Iterable[str]) -> str:
    """Return the query for the rows of a layer; their order does not depend on the columns."""
    return f"SELECT {', '.join(map(quoted_name, columns))} FROM {quoted_name(layer)} NOT INDEXED"


def _cell(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else cell_of(value)
