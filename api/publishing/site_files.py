"""What a site of files has besides answers: first page, map, scripts, 404, sitemap, robots.txt, and vector tiles.

Tiles are PMTiles archives, version 3: a collection each, and the base map.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from pmtiles.tile import tileid_to_zxy, zxy_to_tileid
from pmtiles.writer import Writer
from starlette.requests import Request

from api.html.map_images import SHARED_SIZE, WORLD, framed
from api.html.pages import translated, with_head
from api.html.shown_pages import map_head
from api.http.common_headers import FILE_SECURITY_POLICY
from api.http.json import Json
from api.http.links import query_string
from api.publishing.addresses import language_folder
from api.publishing.pages import InProcess
from api.requests.map_view import MapView
from api.server.served_version import ServedVersion
from api.wording.catalogue import ENGLISH
from api.wording.preference import language_of
from geo.tiles import mvt
from geo.tiles.generalize import MAX_TILE_SHAPES
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Collection
from layers.collections.feature_types import CountryFeature
from layers.collections.geometry_index import Box
from layers.reference.basemap import ATTRIBUTION, Basemap
from layers.reference.basemap_archive import tile_header

#: Most addresses of a sitemap (sitemaps.org/protocol.html).
SITEMAP_MAX = 50_000
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: Files of the browser that only a server has a use for.
_SERVER_ONLY = ("index.html", "review", "vendor/leaflet/")


def static_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give scripts, styles, fonts and texts of the page by their path in the publication."""
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if not file.is_file() or path.startswith(_SERVER_ONLY):
            continue
        content = file.read_bytes()
        if path == "manifest.webmanifest":
            content = content.replace(b'"../map"', b'"../map.html"')
        yield f"static/{path}", content


def map_page(request: Request, view: ServedVersion, folder: Path, sites_zoom: int) -> bytes:
    """Write the page of the map: it says that answers are files, and the policy that a server sends as a header.

    ``request``: for the page, in its language. ``sites_zoom``: the last zoom of the tiles of sites.
    """
    language = language_of(request)
    source = translated((folder / "index.html").read_text(encoding="utf-8"), language)
    source = with_head(request, source, map_head(request, view, MapView()), embedded=False)
    to_root = "../" if language_folder(language) else ""
    head = f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{FILE_SECURITY_POLICY}">'
    page = source.replace(f'<html lang="{language}">', f'<html lang="{language}" data-files="{sites_zoom}">', 1)
    page = page.replace('<meta charset="utf-8">', head, 1)
    for name in ("static", "tiles"):
        page = page.replace(f'="{name}/', f'="{to_root}{name}/')
    return page.encode()


def share_picture(asked: InProcess, view: ServedVersion) -> bytes:
    """Draw the picture of all strikes that pages name to whoever shares them; of the world where none has a place."""
    bounds, (width, height) = view.snapshot.collections["strikes"].bounds or WORLD, SHARED_SIZE
    box = ",".join(f"{edge:.4f}" for edge in framed(bounds, width / height))
    drawn = {"f": "png", "collections": "strikes", "bbox": box, "crs": "EPSG:3857", "width": width, "height": height}
    return asked.get("/map", "png", ENGLISH, query_string(drawn))


def sitemaps(base: str, addresses: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Give sitemap.xml: the addresses themselves or, of too many, files of them."""
    parts = [addresses[at : at + SITEMAP_MAX] for at in range(0, len(addresses), SITEMAP_MAX)]
    if len(parts) <= 1:
        yield "sitemap.xml", _sitemap("urlset", "url", addresses)
        return
    names = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
    yield "sitemap.xml", _sitemap("sitemapindex", "sitemap", [f"{base}/{name}" for name in names])
    for name, part in zip(names, parts, strict=True):
        yield name, _sitemap("urlset", "url", part)


def _sitemap(kind: str, item: str, addresses: Sequence[str]) -> bytes:
    root = ElementTree.Element(kind, {"xmlns": _SITEMAP})
    for address in addresses:
        ElementTree.SubElement(ElementTree.SubElement(root, item), "loc").text = address
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def robots(base: str) -> bytes:
    """Write robots.txt, which counts where the folder is the root of its host."""
    return f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n".encode()


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
