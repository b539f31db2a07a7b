"""What tiles are answered: of which features, from the kept ones where they are, with validators, gzipped."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.http.conditional import caching, coded, strong, unmodified
from api.http.content_coding import takes
from api.rendering.png import Drawn, painted, table, tile_canvas
from api.requests.negotiation import MVT, PNG
from api.requests.query_parameters import SELECTING, selection_of
from api.requests.scalars import BadParameter
from api.requests.tile_matrix_sets import MERCATOR_QUAD, MatrixSet
from api.server.served_version import Tiles, View
from geo.lonlat import Bools
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Collection
from layers.collections.queryables import GEOMETRY
from layers.query.selection import Selection, mask


def require_known(request: Request, known: Iterable[str]) -> None:
    """Refuse query parameters that are none of these, or given twice; a filter that is misspelt would show all.

    Raises
    ------
    BadParameter
        With the first such name.
    """
    names, seen = list(known), set()
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise BadParameter(name[:80], value, f"one of the parameters {', '.join(names)}" if names else "none")
        if name in seen:
            raise BadParameter(name, value, "one value")
        seen.add(name)


def selecting(collection: Collection) -> tuple[str, ...]:
    """Names of the parameters that select among its features, but for the box."""
    return *SELECTING, *(name for name in collection.queryables if name != GEOMETRY)


def selected(request: Request, collection: Collection, *others: str) -> Selection | None:
    """What a request selects of a collection, as on items, but for the box; ``None`` for all.

    Raises
    ------
    BadParameter
        With the first parameter that cannot be read, or is neither one of ``others`` nor selects.
    """
    if not request.url.query:
        return None
    require_known(request, (*others, *selecting(collection)))
    asked = selection_of({name: text for name, text in request.query_params.items() if name not in others}, collection)
    return None if asked == Selection() else asked


def masked(collection: Collection, selection: Selection | None) -> Bools | None:
    """Which rows are selected, ``None`` for all."""
    return None if selection is None else mask(collection, selection)


@dataclass(frozen=True)
class Kind:
    """A kind of tile: its media type, and whether it is kept gzipped."""

    media_type: str
    zipped: bool


VECTOR, RASTER = Kind(MVT, True), Kind(PNG, False)


async def answered(
    request: Request,
    kept: Tiles,
    version: str,
    kind: Kind,
    key: tuple[Hashable, ...],
    make: Callable[[], bytes],
    slow: bool = False,
) -> Response:
    """Answer a tile, or 304; made where it is not kept, by a thread of its own where that is slow."""
    tag = strong(version, kind.media_type)
    headers = {"ETag": tag, "Cache-Control": caching(request.app.state.settings.cache_s)}
    headers["Vary"] = "Accept-Encoding" if kind.zipped else "Accept"
    if known := unmodified(request, tag, headers):
        return known
    body, plain = kept.get(key), None
    if body is None:
        plain = await run_in_threadpool(make) if slow else make()
        # Level 1: higher levels cost more than the encoding.
        body = gzip.compress(plain, 1, mtime=0) if kind.zipped else plain
        kept.put(key, body)
    if kind.zipped:
        # Kept as gzip, which every client takes; for one that does not, what it prefers is made of the plain tile.
        if takes(request.headers.get("accept-encoding"), "gzip"):
            headers |= {"Content-Encoding": "gzip", "ETag": coded(tag, "gzip")}
        else:
            body = gzip.decompress(body) if plain is None else plain
    return Response(body, media_type=kind.media_type, headers=headers)


async def pictured(
    request: Request, view: View, collection: Collection, tile: Tile, matrices: MatrixSet, ratio: int, *others: str
) -> Response:
    """Answer a tile of a collection as a picture, of ``ratio`` pixels to one of the web map's.

    Raises
    ------
    BadParameter
        With the first parameter that cannot be read, or is neither one of ``others`` nor selects.
    """
    selection = selected(request, collection, *others)
    look = table(request.app.state.settings.static / "style-table.json")

    def made() -> bytes:
        layer = collection.layer if matrices is MERCATOR_QUAD else collection.layer_in_degrees
        return painted(tile_canvas(tile, ratio), [Drawn(collection, layer, masked(collection, selection))], look)

    key = (PNG, collection.name, *tile, matrices.name, ratio, selection)
    return await answered(request, view.tiles, view.version, RASTER, key, made, slow=True)
