"""Tiles as responses: encoded or taken from the cache, with validators, gzipped where they are vectors."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from api.http.conditional import accepts, cache_control, etag_for_coding, not_modified_response, strong_etag
from api.http.work import WorkClass, queued
from api.openapi.declaration import Endpoint
from api.rendering.canvas import RenderedLayer, tile_canvas
from api.requests.negotiation import MVT, PNG
from api.requests.query_parameters import parse_selection
from api.requests.tile_matrix_sets import MERCATOR_QUAD, TileMatrixSet
from api.responses.resource import look_of
from api.server.served_version import ServedVersion, TileCache
from geo.lonlat import Bools
from geo.tiles import mvt
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import MERCATOR, Tile, TileProjection
from layers.collections.collection import Collection
from layers.query.selection import Selection, row_mask


def parse_tile_selection(request: Request, endpoint: Endpoint, collection: Collection) -> Selection | None:
    """Read what a request selects among the features of a tile, as on items, but for the box; ``None`` for all.

    Raises BadParameter with the first parameter that cannot be read, or that the endpoint does not have.
    """
    if not request.url.query:
        return None
    endpoint.require_known(request, collection)
    selection = parse_selection(request.query_params, collection)
    return None if selection == Selection() else selection


def selection_mask(collection: Collection, selection: Selection | None) -> Bools | None:
    """Return which rows are selected, shape (n,), ``None`` for all."""
    return None if selection is None else row_mask(collection, selection)


def layer_of(collection: Collection, projection: TileProjection) -> TileLayer:
    """Return the features of a collection in the square of a projection."""
    return collection.layer if projection is MERCATOR else collection.layer_in_degrees


@dataclass(frozen=True)
class TileFormat:
    """A kind of tile: its media type, whether it is cached gzipped, and whether it is negotiated with others."""

    media_type: str
    gzipped: bool
    is_negotiated: bool = False


VECTOR, RASTER = TileFormat(MVT, True), TileFormat(PNG, False, True)


async def vector_response(
    request: Request,
    view: ServedVersion,
    collection: Collection,
    tile: Tile,
    matrices: TileMatrixSet,
    selection: Selection | None,
    is_negotiated: bool = False,
) -> Response:
    """Answer the features of a tile of a collection.

    Parameters
    ----------
    selection
        Which features are in it, ``None`` for all.
    is_negotiated
        Whether the answer depends on the Accept header.
    """

    def encode() -> bytes:
        return mvt.encode(layer_of(collection, matrices.projection), tile, selection_mask(collection, selection))

    key = (MVT, collection.name, *tile, matrices.name, selection)
    is_ready = selection is None and matrices is MERCATOR_QUAD
    work, kind = None if is_ready else WorkClass.TILE, TileFormat(MVT, True, is_negotiated)
    return await tile_response(request, view.tiles, view.version, kind, key, encode, work)


async def tile_response(
    request: Request,
    cache: TileCache,
    version: str,
    kind: TileFormat,
    key: tuple[Hashable, ...],
    encode: Callable[[], bytes],
    work: WorkClass | None = None,
) -> Response:
    """Answer a tile, or 304 where the client has it.

    Parameters
    ----------
    version
        Version of the data that the tile is of, for the entity tag.
    key
        Of the tile in the cache.
    encode
        Gives the bytes of the tile, not gzipped; called where the cache has none.
    work
        The queue that it is called in; at once where it is ``None``.
    """
    tag, headers = _validators(request, version, kind)
    if not_modified := not_modified_response(request, tag, headers):
        return not_modified
    body, plain = cache.get(key), None
    if body is None:
        plain = encode() if work is None else await queued(request, work, encode)
        # Level 1: higher levels cost more than the encoding.
        body = gzip.compress(plain, 1, mtime=0) if kind.gzipped else plain
        cache.put(key, body)
    return _coded(request, kind, tag, headers, body, plain)


def archived_tile_response(request: Request, version: str, packed: bytes) -> Response:
    """Answer a gzipped vector tile of an archive, or 304 where the client has it."""
    tag, headers = _validators(request, version, VECTOR)
    return not_modified_response(request, tag, headers) or _coded(request, VECTOR, tag, headers, packed)


def _validators(request: Request, version: str, kind: TileFormat) -> tuple[str, dict[str, str]]:
    """Return the entity tag of a tile of a version, and the headers of both answers, the tile and 304."""
    tag = strong_etag(version, kind.media_type)
    cached = cache_control(request.app.state.settings.cache_s)
    varies = ["Accept"] if kind.is_negotiated else []
    varies += ["Accept-Encoding"] if kind.gzipped else []
    return tag, {"ETag": tag, "Cache-Control": cached, "Vary": ", ".join(varies)}


def _coded(
    request: Request, kind: TileFormat, tag: str, headers: dict[str, str], body: bytes, plain: bytes | None = None
) -> Response:
    """Answer a tile as it is cached, gzipped or not; ``plain`` is that of a gzipped one, where it is at hand."""
    if kind.gzipped:
        # Nearly every client takes gzip; for one that does not, the compression middleware codes the plain tile.
        if accepts(request.headers.get("accept-encoding"), "gzip"):
            headers = {**headers, "Content-Encoding": "gzip", "ETag": etag_for_coding(tag, "gzip")}
        else:
            body = gzip.decompress(body) if plain is None else plain
    return Response(body, media_type=kind.media_type, headers=headers)


async def picture_response(
    request: Request,
    view: ServedVersion,
    collection: Collection,
    tile: Tile,
    matrices: TileMatrixSet,
    selection: Selection | None,
    ratio: int = 1,
) -> Response:
    """Answer a tile of a collection as a picture.

    Parameters
    ----------
    selection
        Which features are drawn, ``None`` for all.
    ratio
        Pixels to one of the web map.
    """
    look = look_of(request)

    def encode() -> bytes:
        from api.rendering.png import render  # takes a third of a second, which every start would wait for

        layer = layer_of(collection, matrices.projection)
        drawn = RenderedLayer(collection, layer, selection_mask(collection, selection))
        return render(tile_canvas(tile, ratio), [drawn], look)

    key = (PNG, collection.name, *tile, matrices.name, ratio, selection)
    return await tile_response(request, view.tiles, view.version, RASTER, key, encode, WorkClass.PICTURE)
