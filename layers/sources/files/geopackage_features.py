"""Features of a layer of someone's GeoPackage (OGC 12-128r19): read by SQLite alone, only plain tables, in lon/lat."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from layers.geopackage.geometry_blob import WGS84, GeometryBlobError, decode
from layers.model.problems import Problem
from layers.sources.files.geojson_features import Feature, cell_of
from layers.sources.files.limits import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Refused, require_few
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import PROBLEMS_COLUMN

_Move = Callable[[BaseGeometry], BaseGeometry]
# What stands in ``srs_id`` for degrees: WGS 84, which is lon first here, and "undefined geographic".
_DEGREES = (WGS84, 0)


class GpkgRows:
    """The features of a layer, each time it is iterated; ``problems`` fill while iterating.

    Coordinates of another system than degrees come transformed. A system that PROJ does not know, or "undefined", is
    refused: nobody can tell where such a place is.
    """

    def __init__(self, file: SourceFile, layer: str | None) -> None:
        self._file, self.file = file, file.name
        self.problems: list[Problem] = []
        with self.opened() as connection:
            self.layer = self._layer(connection, layer)
            rows = connection.execute(f"PRAGMA table_info({quoted(self.layer)})").fetchall()
            self._geometry, self._srs_id = self._geometry_column(connection)
            names = [row[1] for row in rows if row[1] not in (self._geometry, PROBLEMS_COLUMN)]
            self._move = self._to_lonlat(connection)
        if len(names) > MAX_COLUMNS:
            raise Refused(self.file, "columns", f"{len(names):,}", f"at most {MAX_COLUMNS:,}")
        self.header = tuple(names)

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """The file, to be read only.

        Raises
        ------
        Refused
            If it is broken.
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
            except sqlite3.Error as error:
                raise Refused(self.file, "database", error, "a GeoPackage that can be read") from error

    def _layer(self, connection: sqlite3.Connection, layer: str | None) -> str:
        """The layer asked for, or the only one; a view or virtual table is none."""
        query = (
            "SELECT c.table_name FROM gpkg_contents c JOIN sqlite_master m ON m.name = c.table_name "
            "WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND c.data_type IN ('features', 'attributes')"
        )
        names = [name for (name,) in connection.execute(query)]
        chosen = [name for name in names if layer in (None, name)]
        if len(chosen) != 1:
            expected = f'one of {", ".join(names[:40])}; name it in the mapping: layer = "..."'
            raise Refused(self.file, "layer", layer or f"{len(names)} layers", expected)
        return str(chosen[0])

    def _geometry_column(self, connection: sqlite3.Connection) -> tuple[str | None, int]:
        query = "SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE table_name = ?"
        found = connection.execute(query, (self.layer,)).fetchone()
        return (str(found[0]), int(found[1])) if found else (None, WGS84)

    def _to_lonlat(self, connection: sqlite3.Connection) -> _Move | None:
        """What brings coordinates to lon/lat; None where they are."""
        if self._geometry is None or self._srs_id in _DEGREES:
            return None
        query = "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?"
        name, code, definition = connection.execute(query, (self._srs_id,)).fetchone() or ("EPSG", self._srs_id, "")
        system = _system(f"{name}:{code}", definition)
        if system is None:
            expected = "a coordinate system that is defined; set that of the layer, or export it in EPSG:4326"
            raise Refused(self.file, "srs_id", f"{self._srs_id} ({name}:{code})", expected)
        moving = pyproj.Transformer.from_crs(system, "OGC:CRS84", always_xy=True)
        return lambda shape: shapely.transform(shape, lambda xy: np.column_stack(moving.transform(xy[:, 0], xy[:, 1])))

    def __iter__(self) -> Iterator[Feature]:
        """Give each feature; one whose geometry cannot be read is a problem."""
        self.problems.clear()
        wanted = [*self.header, *((self._geometry,) if self._geometry else ())]
        with self.opened() as connection:
            for number, row in enumerate(connection.execute(select(self.layer, wanted)), 1):
                if number > MAX_ROWS:
                    raise Refused(self.file, "features", f"over {MAX_ROWS:,}", f"at most {MAX_ROWS:,}; split the layer")
                cells = {name: _cell(value) for name, value in zip(self.header, row, strict=False)}
                try:
                    yield Feature(number, cells, self._shape(row[-1]) if self._geometry else None)
                except (GeometryBlobError, pyproj.exceptions.ProjError) as error:
                    require_few(self.file, self.problems)
                    told = str(row[-1])[:120]
                    self.problems.append(Problem(self.file, number, "feature", "geometry", told, str(error)[:200]))

    def _shape(self, blob: bytes | None) -> BaseGeometry | None:
        if blob is None:
            return None
        shape = shapely.force_2d(decode(blob, self._srs_id))
        shape = self._move(shape) if self._move else shape
        return None if shape.is_empty else shape


def _system(code: str, definition: str) -> pyproj.CRS | None:
    """The system of a code such as EPSG:32636, else of its definition (WKT); None where neither is on the earth."""
    for text in (code, definition):
        try:
            found = pyproj.CRS.from_user_input(text)
        except pyproj.exceptions.CRSError:
            continue
        if found.is_geographic or found.is_projected:
            return found
    return None


def quoted(name: str) -> str:
    """A name of someone's table or column for SQL, whatever letters it has."""
    return '"' + name.replace('"', '""') + '"'


def select(layer: str, columns: Iterable[str]) -> str:
    """The query for the rows of a layer, in the same order whichever columns are asked for."""
    return f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(layer)} NOT INDEXED"


def _cell(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else cell_of(value)
