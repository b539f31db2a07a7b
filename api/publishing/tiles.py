"""Vector tiles as PMTiles archives, version 3: a collection each, and the base map."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from pmtiles.tile import tileid_to_zxy, zxy_to_tileid
from pmtiles.writer import Writer

from api.http.json import Json
from geo.tiles import mvt
from geo.tiles.generalize import MAX_TILE_SHAPES
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Collection
from layers.collections.feature_types import CountryFeature
from layers.collections.geometry_index import Box
from layers.reference.basemap import ATTRIBUTION, Basemap
from layers.reference.basemap_archive import tile_header

#: The last zoom of a collection whose tiles never leave a feature out: a tile unit is 10 m there, and maps enlarge it.
MAX_ZOOM = 10
#: That of a collection so large that crowded tiles are thinned up to there.
MAX_ZOOM_LARGE = 12
#: That of outlines of whole countries, which cover the world.
MAX_ZOOM_COUNTRIES = 5
#: That of a base map that is drawn of countries and places, where there is no archive of it.
MAX_ZOOM_BASEMAP = 6
_WORLD: Box = (-180.0, -85.0511287, 180.0, 85.0511287)


def max_zoom(collection: Collection) -> int:
    """Return the last zoom of the tiles of a collection, at which no feature is left out."""
    if collection.model is CountryFeature:
        return MAX_ZOOM_COUNTRIES
    return MAX_ZOOM if len(collection) <= MAX_TILE_SHAPES else MAX_ZOOM_LARGE


def collection_archive(collection: Collection, attribution: str) -> bytes:
    """Write the tiles of a collection that show something, from zoom 0 on."""
    last = max_zoom(collection)
    fields = {column.name: column.doc for column in collection.columns}
    layer = {
        "id": collection.name,
        "description": collection.description,
        "fields": fields,
        "minzoom": 0,
        "maxzoom": last,
    }
    about = {"name": collection.name, "attribution": attribution, "vector_layers": [layer]}
    tiles = tiles_of(partial(mvt.encode, collection.layer), last)
    return archive(tiles, collection.bounds or _WORLD, about)


def basemap_archive(base: Basemap) -> bytes:
    """Write tiles of countries, borders and places, for a base map without an archive of its own."""
    last = MAX_ZOOM_BASEMAP
    tiles = tiles_of(lambda tile: mvt.encode_tile(base.layers, tile), last)
    layers = [{"id": layer.name, "fields": {}, "minzoom": 0, "maxzoom": last} for layer in base.layers]
    return archive(tiles, _WORLD, {"name": "base map", "attribution": ATTRIBUTION, "vector_layers": layers})


def tiles_of(encode: Callable[[Tile], bytes], last: int) -> Iterator[tuple[Tile, bytes]]:
    """Yield the tiles that show something: one that shows nothing has no part that does."""
    waiting = [Tile(0, 0, 0)]
    while waiting:
        tile = waiting.pop()
        if not (body := encode(tile)):
            continue
        yield tile, body
        if tile.z < last:
            waiting += [Tile(tile.z + 1, 2 * tile.x + i, 2 * tile.y + j) for i in (0, 1) for j in (0, 1)]


def archive(tiles: Iterable[tuple[Tile, bytes]], bounds: Box, about: Json) -> bytes:
    """Write an archive; equal tiles give equal bytes, in whichever order they come."""
    packed = {zxy_to_tileid(*tile): gzip.compress(body, 6, mtime=0) for tile, body in tiles}
    if not packed:
        # An archive has at least one tile; an empty one shows nothing.
        packed = {0: gzip.compress(b"", 6, mtime=0)}
    content = io.BytesIO()
    writer = Writer(content)
    with writer.tile_f:
        for number in sorted(packed):
            writer.write_tile(number, packed[number])
        writer.finalize(tile_header(bounds, tileid_to_zxy(max(packed))[0]), about)
    return content.getvalue()
