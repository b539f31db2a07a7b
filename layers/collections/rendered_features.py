"""Features as they are sent: each as GeoJSON bytes, and all of them as a vector-tile layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
import shapely

from geo import geojson
from geo.columnar.binary_array import BinaryArray
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.lazy_array import batches, to_numpy
from geo.columnar.row_edit import RowEdit
from geo.tiles.tile_layer import TileGeometry, TileLayer
from geo.tiles.tile_matrix import DEGREES, MERCATOR, TileProjection
from layers.collections.feature_table import FeatureTable
from layers.collections.geometry_index import GeometryIndex
from layers.collections.update_times import UPDATED
from layers.model.cache import Lazy

#: Bytes that stand between two features in a serialised array.
SEPARATOR = b","
#: Features that are serialised at once.
_PAGE = 2048
#: Fewer are where those would have more vertices, as countries have.
_PAGE_VERTICES = 1 << 14
#: Digests are summed modulo this and one.
_DIGEST_MASK = 2**64 - 1

#: Property columns as vector-tile values, by name.
TileColumns: TypeAlias = Mapping[str, DictionaryArray]
#: Gives the geometry members, as GeoJSON bytes, of a slice of rows.
GeometryMembers: TypeAlias = Callable[[slice], Sequence[bytes]]


class RenderedFeatures:
    """Features as GeoJSON and as tile layers, each part computed when it is first read unless it is given.

    Parameters
    ----------
    name
        Of the tile layer.
    features, geometry
        The features and their geometries, n rows each.
    fragments
        Each feature as GeoJSON, n rows.
    digest
        Sum of the digests of the fragments.
    tile_columns
        The columns of the features as tile values.
    layer
        The tile layer in web Mercator.
    """

    def __init__(
        self,
        name: str,
        features: FeatureTable[Any],
        geometry: GeometryIndex,
        *,
        fragments: Lazy[BinaryArray] | None = None,
        digest: Lazy[int] | None = None,
        tile_columns: Lazy[TileColumns] | None = None,
        layer: Lazy[TileLayer] | None = None,
    ) -> None:
        self._name, self._features, self._geometry = name, features, geometry
        rows = partial(_rendered, features, geometry)
        self._rows = None if fragments else rows
        self._fragments = fragments or Lazy(lambda: BinaryArray.of_pages(rows(), SEPARATOR))
        self._digest = digest or Lazy(partial(_digest, self._fragments))
        self._tile_columns = tile_columns or Lazy(partial(_tile_columns, features))
        self._layer = layer or Lazy(partial(_layer, name, geometry, self._tile_columns, MERCATOR))
        self._layer_in_degrees = Lazy(partial(_layer, name, geometry, self._tile_columns, DEGREES))

    @property
    def fragments(self) -> BinaryArray:
        """Each feature as GeoJSON (RFC 7946), one row of bytes a feature, in the order of the rows."""
        return self._fragments.value

    def packed(self, pack: Callable[[Iterable[BinaryArray], bytes], BinaryArray]) -> BinaryArray:
        """The `fragments`; what was not read before is not held here afterwards, but for the digest.

        Parameters
        ----------
        pack
            Packs fragments that come page by page, as `BinaryArray.of_pages` does, with the separator that is given.
        """
        if self._rows is None or self._fragments.is_computed:
            return self.fragments
        total = 0

        def digested(pages: Iterable[BinaryArray]) -> Iterator[BinaryArray]:
            nonlocal total
            for page in pages:
                total += _digest_sum(page)
                yield page

        packed = pack(digested(self._rows()), SEPARATOR)
        self._digest = Lazy.of(total & _DIGEST_MASK)
        return packed

    @property
    def digest(self) -> int:
        """A sum of the digests of all features: equal for equal features, however they were computed."""
        return self._digest.value

    @property
    def tile_columns(self) -> TileColumns:
        """The columns as tile values; a column whose values are tile values already is the feature's own."""
        return self._tile_columns.value

    @property
    def layer(self) -> TileLayer:
        """The features as a vector-tile layer in web Mercator; feature ids count from 1 in the order of the rows."""
        return self._layer.value

    def tile_geometry(self) -> TileGeometry:
        """Give the geometry of `layer`; a layer that was not read before is not held afterwards."""
        return self._layer.once().geometry

    @property
    def layer_in_degrees(self) -> TileLayer:
        """The features as a vector-tile layer on the plane of equal degrees (plate carrée)."""
        return self._layer_in_degrees.value

    def edited(
        self,
        added: RenderedFeatures,
        edit: RowEdit,
        features: FeatureTable[Any],
        geometry: GeometryIndex,
        is_same: bool,
    ) -> RenderedFeatures:
        """Apply an edit of rows; only rows that come are rendered.

        Parameters
        ----------
        added
            The features that rows are added from.
        edit
            Which rows of both come in which order.
        features, geometry
            Those after the edit.
        is_same
            Whether each row stays where it was, so that the layer's geometry is shared.
        """
        columns = self._edited_columns(added, edit, features)
        less = _digest_sum(self.fragments.take(edit.removed))
        more = _digest_sum(added.fragments)
        return RenderedFeatures(
            self._name,
            features,
            geometry,
            fragments=Lazy.of(self.fragments.with_edit(added.fragments, edit)),
            digest=Lazy.of((self.digest + more - less) & _DIGEST_MASK),
            tile_columns=Lazy.of(columns),
            layer=self._edited_layer(added, edit, columns, is_same),
        )

    def _edited_columns(self, added: RenderedFeatures, edit: RowEdit, features: FeatureTable[Any]) -> TileColumns:
        """The columns as tile values; those that are the feature's own are not spliced twice."""
        parts = [part for part in (self, added) if len(part._features)]
        return {
            name: features.columns[name]
            if all(part.tile_columns[name] is part._features.columns[name] for part in parts)
            else self.tile_columns[name].with_edit(added.tile_columns[name], edit)
            for name in self.tile_columns
        }

    def _edited_layer(
        self, added: RenderedFeatures, edit: RowEdit, columns: TileColumns, is_same: bool
    ) -> Lazy[TileLayer] | None:
        """The layer after an edit; ``None`` where it has to be built anew."""
        if is_same:
            return Lazy.of(self.layer.with_properties(with_values(columns)))
        if self.layer.is_points and added.layer.is_points:
            return Lazy.of(self.layer.with_edit(added.layer, edit, with_values(columns)))
        return None

    def with_values_replaced(
        self, features: FeatureTable[Any], edit: RowEdit, values: Mapping[str, DictionaryArray]
    ) -> RenderedFeatures:
        """Render other values of some rows in some columns; geometries are taken from what was rendered.

        Parameters
        ----------
        features
            n rows, in the same order.
        edit
            Removes the rows, and inserts as many in their place.
        values
            The columns, but for the id: a value for each of these rows.
        """
        own, tiles = self._features.columns, self.tile_columns
        new = {name: _tile_column(column) for name, column in values.items() if name in tiles}
        columns = {
            name: features.columns[name]
            if tiles[name] is own[name] and column is values[name]
            else tiles[name].with_edit(column, edit)
            for name, column in new.items()
        }
        fragments, digest = self._with_rows_serialised(features, edit)
        after = {**tiles, **columns}
        return RenderedFeatures(
            self._name,
            features,
            self._geometry,
            fragments=Lazy.of(fragments),
            digest=digest,
            tile_columns=Lazy.of(after),
            layer=Lazy.of(self.layer.with_properties(with_values(after))) if columns else self._layer,
        )

    def with_properties(self, features: FeatureTable[Any]) -> RenderedFeatures:
        """Render other properties of the same rows; geometries are taken from what was rendered.

        Parameters
        ----------
        features
            n rows, in the same order.
        """
        columns = Lazy(partial(_tile_columns, features))
        fragments, digest = self._with_features(features)
        return RenderedFeatures(
            self._name,
            features,
            self._geometry,
            fragments=Lazy.of(fragments),
            digest=digest,
            tile_columns=columns,
            layer=Lazy.of(self.layer.with_properties(with_values(columns.value))),
        )

    def _with_features(self, features: FeatureTable[Any]) -> tuple[BinaryArray, Lazy[int] | None]:
        """The fragments with other properties and, where it follows from the digest before, their digest.

        Rows whose properties stay are not serialised again, unless bytes that such edits left would outgrow the rest.
        """
        first, *later = self.fragments.buffers
        rows = features.rows_unlike(self._features)
        if len(rows) > len(features) / 2 or sum(map(len, later)) > len(first):
            return _serialised(features, self._members), None
        return self._with_rows_serialised(features, RowEdit(len(features), rows, rows))

    def _with_rows_serialised(self, features: FeatureTable[Any], edit: RowEdit) -> tuple[BinaryArray, Lazy[int] | None]:
        """The fragments with other properties of the rows that an edit replaces in place, and their digest."""
        former = self.fragments.take(edit.removed)
        new = _serialised(features.take(edit.removed), lambda page: [*map(geojson.member, former[page])])
        change = _digest_sum(new) - _digest_sum(former) if self._digest.is_computed else None
        digest = None if change is None else Lazy.of((self.digest + change) & _DIGEST_MASK)
        return self.fragments.with_edit(new, edit), digest

    def sharing_geometry(self, features: FeatureTable[Any]) -> RenderedFeatures:
        """Other properties of the same rows, as `with_properties`, but each part is rendered when it is first read.

        Until all are, these features are held.
        """
        columns = Lazy(partial(_tile_columns, features))
        return RenderedFeatures(
            self._name,
            features,
            self._geometry,
            fragments=Lazy(lambda: _serialised(features, self._members)),
            tile_columns=columns,
            layer=Lazy(lambda: self.layer.with_properties(with_values(columns.value))),
        )

    def _members(self, rows: slice) -> list[bytes]:
        """The geometry members of rows, taken from what was rendered."""
        return [*map(geojson.member, self.fragments[rows])]

    def with_layer(self, layer: TileLayer) -> RenderedFeatures:
        """Take the geometry of another tile layer of the same rows."""
        return RenderedFeatures(
            self._name,
            self._features,
            self._geometry,
            fragments=self._fragments,
            digest=self._digest,
            tile_columns=self._tile_columns,
            layer=Lazy.of(layer.with_properties(with_values(self.tile_columns))),
        )


def with_values(columns: TileColumns) -> TileColumns:
    """The columns in which a row has a value: those that tiles have."""
    return {name: column for name, column in columns.items() if column.dictionary}


def _rendered(features: FeatureTable[Any], geometry: GeometryIndex) -> Iterator[BinaryArray]:
    vertices = int(shapely.get_num_coordinates(to_numpy(geometry.split)).sum())
    size = max(1, min(_PAGE, _PAGE_VERTICES * len(features) // max(vertices, 1)))
    return _pages(features, lambda rows: geojson.members(geometry.split[rows]), size)


def _serialised(features: FeatureTable[Any], members: GeometryMembers) -> BinaryArray:
    return BinaryArray.of_pages(_pages(features, members), SEPARATOR)


def _pages(features: FeatureTable[Any], members: GeometryMembers, size: int = _PAGE) -> Iterator[BinaryArray]:
    """Each feature as GeoJSON, page by page; a page of so many is in memory."""
    serializer = geojson.FeatureSerializer(features.columns["id"], features.columns)
    return (serializer.page(rows, members(rows), SEPARATOR) for rows in batches(len(features), size))


def _digest(fragments: Lazy[BinaryArray]) -> int:
    return _digest_sum(fragments.value)


def _digest_sum(fragments: BinaryArray) -> int:
    """The sum modulo 2**64 of a digest of each fragment."""
    digests = b"".join([blake2b(fragment, digest_size=8).digest() for fragment in fragments.views()])
    return int(np.frombuffer(digests, ">u8").sum(dtype=np.uint64))


def _layer(name: str, geometry: GeometryIndex, columns: Lazy[TileColumns], plane: TileProjection) -> TileLayer:
    ids = np.arange(1, len(geometry) + 1)
    return TileLayer(name, to_numpy(geometry.split), ids, with_values(columns.value), thin=True, plane=plane)


def _tile_columns(features: FeatureTable[Any]) -> TileColumns:
    # When a feature changed is drawn by nobody, and would make other tiles of a change that moves many; addresses are
    # long, and few are alike.
    return {name: _tile_column(column) for name, column in features.columns.items() if name not in (UPDATED, "source")}


def _tile_column(column: DictionaryArray) -> DictionaryArray:
    """Return a column as tile values: lists and days are turned into text, other values are tile values already."""
    return column.map(_tile_value) if column.dictionary and isinstance(column.dictionary[0], tuple | date) else column


def _tile_value(value: tuple[str, ...] | date) -> str | None:
    """A tile value: lists as ``,a,b,`` so that a client can look for ``,a,``; dates as ISO text."""
    if isinstance(value, tuple):
        return f",{','.join(value)}," if value else None
    return value.isoformat()
