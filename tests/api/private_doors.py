"""Every way to read from the atlas, by the path of its route, and a private dataset that none of them may tell of."""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping

import pyarrow
from fastapi import FastAPI
from pyarrow import ipc, parquet
from shapely import Point

from layers.model.records import Claim, Control, Identity, Records, Relation
from tests.api.feature_client import COLLECTIONS
from tests.layers.load_builders import asset, decision, entity, of, source, stake, strike

#: In every text of the private records, and in no other text.
MARK = "Zyxmarkqv"
DATASET, KEY, UNKNOWN = "qqj/secret", "qqj/1", "qqk/1"
#: A public strike and asset that private records speak of.
STRIKE, ASSET = "ua-socar-depot-2025-08-08", "a-orlivka"
#: Identifier of a public entity that a private one has too.
SHARED_ID = {"wikidata": "Q1322032"}
_PLACED = {"geometry": Point(30.7, 46.5), "uncertainty_m": 100, "basis": "site", "place_source": "qqj/src"}


def secret() -> Records:
    """A record of each type; some speak of public records, and none says of itself that it is private."""
    cited = {"source": "qqj/src", "checked": "read"}
    texts = {
        "title": f"{MARK} struck",
        "place": MARK,
        "attacker": MARK,
        "damage": MARK,
        "targets": (MARK,),
        "note": MARK,
    }
    sources = {"sources": ("qqj/src", "qqj/src2"), "host_country": "UA"}
    names = {"name": MARK, "names": {"uk": f"{MARK} uk"}, "aliases": (f"{MARK} alias",), "note": MARK}
    return of(
        source("qqj/src", DATASET, publisher=MARK, title=MARK, url=f"https://{MARK.lower()}.example/x", licence=MARK),
        source("qqj/src2", DATASET, publisher=MARK),
        entity("qqj/company", DATASET, sources=("qqj/src",), external_ids=SHARED_ID, registered_in="UA", **names),
        asset("qqj/depot", DATASET, kind="oil-depot", **sources, **names, **_PLACED),
        asset("qqj/site", DATASET, kind="oil-depot", **sources, **names, **_PLACED),
        strike(KEY, DATASET, **sources, **texts, **_PLACED),
        strike("qqj/2", DATASET, **sources, **texts),
        Claim(id="qqj/c1", dataset=DATASET, record=KEY, field="damage", value=MARK, quote=MARK, **cited),
        Claim(id="qqj/c2", dataset=DATASET, record=STRIKE, field="damage", value=MARK, quote=MARK, **cited),
        stake("qqj/depot", "qqj/company", DATASET, id="qqj/s1", source="qqj/src", note=MARK),
        stake(ASSET, "qqj/company", DATASET, 40, id="qqj/s2", source="qqj/src", note=MARK),
        Relation(
            id="qqj/r1", dataset=DATASET, asset=ASSET, entity="qqj/company", relation="supplier", note=MARK, **cited
        ),
        Control(id="qqj/k1", dataset=DATASET, controlled=ASSET, controller="qqj/company", kind="declared", **cited),
        decision(KEY, DATASET, id="qqj/d1", verdict="confirmed", asset="qqj/depot", why=MARK, sources=("qqj/src",)),
        decision(STRIKE, DATASET, id="qqj/d2", verdict="confirmed", asset="qqj/depot", why=MARK),
        Identity(
            id="qqj/j1",
            dataset=DATASET,
            one=STRIKE,
            other=KEY,
            verdict="different",
            who="Ann",
            when="2026-11-02",
            why=MARK,
        ),
        Identity(
            id="qqj/j2",
            dataset=DATASET,
            one=ASSET,
            other="qqj/site",
            verdict="same",
            who="Ann",
            when="2026-11-02",
            why=MARK,
        ),
    )


_C = "/collections/{collection}"
_REST = "/rest/services/strikeatlas/FeatureServer"
_AT = "30,46,31,47"
_WHERE = f"title LIKE '%{MARK}%'"
#: Addresses by the path of the route that answers them; an empty tuple for paths that `TOLD_APART` asks alone.
DOORS: dict[str, tuple[str, ...]] = {
    "/": ("/", "/?f=html"),
    "/api": ("/api",),
    "/conformance": ("/conformance",),
    "/collections": ("/collections", "/collections?f=html"),
    _C: (_C, f"{_C}?f=html"),
    f"{_C}/items": (
        f"{_C}/items?limit=10000", f"{_C}/items?f=html", f"{_C}/items?f=csv&limit=10000", f"{_C}/items?f=jsonfg",
        f"{_C}/items?f=fgb&limit=10000", f"{_C}/items?f=parquet&limit=10000", f"{_C}/items?bbox={_AT}",
        f"{_C}/items?f=kml&limit=10000", f"{_C}/items?f=geojsonseq&limit=10000", f"{_C}/items?f=csvw",
        f"{_C}/items?f=gpkg", f"{_C}/items?f=arrow&limit=10000", f"{_C}/items?f=xlsx&limit=10000",
        f"{_C}/items?limit=1", f"{_C}/items?limit=5&offset=3", f"{_C}/items?sortby=-id&limit=3",
        f"/collections/strikes/items?filter={_WHERE}", "/collections/strikes/items?datetime=2025-08-08/..",
        "/collections/strikes/items?sortby=title&limit=10", f"/collections/strikes/items?title={MARK} struck",
        f"/collections/strikes/items?filter=S_INTERSECTS(geometry,BBOX({_AT}))", f"/collections/strikes/items?q={MARK}",
        f"/collections/strikes/items?filter=id='{KEY}'", "/collections/strikes/items?host_country=UA&limit=10000",
    ),
    f"{_C}/items/{{feature:path}}": (
        f"/collections/strikes/items/{STRIKE}", f"/collections/assets/items/{ASSET}", "/collections/countries/items/UA",
        f"/collections/strikes/items/{STRIKE}?f=html", f"/collections/assets/items/{ASSET}?f=html",
    ),
    "/tiles/{collection}/{z}/{x}/{y}.mvt": (
        "/tiles/{collection}/0/0/0.mvt", "/tiles/{collection}/8/149/90.mvt", "/tiles/{collection}/14/9589/5817.mvt",
    ),
    "/tiles/{collection}/{z}/{x}/{y}@2x.png": ("/tiles/{collection}/8/149/90@2x.png",),
    "/tiles/{collection}/{z}/{x}/{y}.png": ("/tiles/{collection}/8/149/90.png",),
    "/tiles/{collection}.json": ("/tiles/{collection}.json",),
    "/style.json": ("/style.json",),
    f"{_C}/tiles/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": (
        f"{_C}/tiles/WebMercatorQuad/8/90/149", f"{_C}/tiles/WebMercatorQuad/8/90/149?f=mvt",
    ),
    f"{_C}/map/tiles/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": (
        f"{_C}/map/tiles/WebMercatorQuad/8/90/149",
    ),
    f"{_C}/tiles": (f"{_C}/tiles",),
    f"{_C}/tiles/{{tileMatrixSetId}}": (f"{_C}/tiles/WebMercatorQuad",),
    f"{_C}/map/tiles": (f"{_C}/map/tiles",),
    f"{_C}/map/tiles/{{tileMatrixSetId}}": (f"{_C}/map/tiles/WebMercatorQuad",),
    "/tileMatrixSets": ("/tileMatrixSets",),
    "/tileMatrixSets/{tileMatrixSetId}": ("/tileMatrixSets/WebMercatorQuad",),
    f"{_C}/map": (f"{_C}/map?bbox={_AT}", f"{_C}/map?f=svg&bbox={_AT}"),
    "/map": (
        f"/map?f=png&bbox={_AT}", "/map?f=png", "/map?f=html", f"/map?q={MARK}", "/map?country=UA",
        f"/map?f=png&collections=strikes&q={MARK}&bbox={_AT}", f"/map?f=svg&bbox={_AT}",
        f"/map?strike={KEY}", f"/map?strike={STRIKE}&embed=1",
    ),
    f"{_C}/queryables": (f"{_C}/queryables", f"{_C}/queryables?f=html"),
    f"{_C}/sortables": (f"{_C}/sortables",),
    f"{_C}/schema": (f"{_C}/schema",),
    "/styles": ("/styles",),
    "/styles/{styleId}": ("/styles/strikes", "/styles/strikes?f=sld11"),
    "/styles/{styleId}/metadata": ("/styles/strikes/metadata",),
    f"{_C}/styles": (f"{_C}/styles",),
    f"{_C}/styles/{{styleId}}": ("/collections/strikes/styles/strikes",),
    f"{_C}/styles/{{styleId}}/metadata": ("/collections/strikes/styles/strikes/metadata",),
    "/sprites/symbols.json": ("/sprites/symbols.json",),
    "/sprites/symbols.png": ("/sprites/symbols.png",),
    "/sprites/symbols@2x.json": ("/sprites/symbols@2x.json",),
    "/sprites/symbols@2x.png": ("/sprites/symbols@2x.png",),
    "/strikes/{strike:path}/attribution": (f"/strikes/{STRIKE}/attribution", f"/strikes/{STRIKE}/attribution?f=html"),
    "/strikes/clusters": (
        "/strikes/clusters?apart=5000", "/strikes/clusters?parts=ties&zoom=3", f"/strikes/clusters?q={MARK}",
    ),
    "/strikes/counts": ("/strikes/counts?by=country", "/strikes/counts?by=month", f"/strikes/counts?q={MARK}"),
    "/search": (f"/search?q={MARK}", "/search?q=Odesa&f=html"),
    "/countries": ("/countries", "/countries?basis=headquarters", "/countries?f=html"),
    "/countries/{iso}": (
        "/countries/UA", "/countries/UA?f=html", "/countries/AZ?minority=follow", "/countries/UA?relation=supplier",
    ),
    "/countries/{iso}/capacity": ("/countries/UA/capacity", "/countries/UA/capacity?f=html"),
    "/assets/{asset:path}/owners": (f"/assets/{ASSET}/owners", f"/assets/{ASSET}/owners?on=2026-11-01"),
    "/entities/{entity:path}/holdings": ("/entities/socar/holdings", "/entities/socar/holdings?f=html"),
    "/records/{table}/{record:path}": (
        f"/records/strikes/{STRIKE}", f"/records/assets/{ASSET}", "/records/entities/socar",
    ),
    "/schemas/{table}": ("/schemas/strikes",),
    "/about": ("/about",),  # its page has the number of the last change in words
    "/places": (f"/places?q={MARK}", "/places?q=Odesa"),
    "/review/queue": ("/review/queue",),
    "/review/strikes/{strike:path}": (f"/review/strikes/{STRIKE}",),
    "/review/duplicates": tuple(f"/review/duplicates?table={table}" for table in ("strikes", "assets", "entities")),
    "/review/judgements": ("/review/judgements",),
    "/rest/info": ("/rest/info",),
    "/rest/services": ("/rest/services",),
    _REST: (_REST,),
    f"{_REST}/layers": (f"{_REST}/layers",),
    f"{_REST}/{{layer}}": tuple(f"{_REST}/{number}" for number in range(4)),
    f"{_REST}/{{layer}}/query": tuple(
        f"{_REST}/{number}/query?{query}"
        for number in range(4)
        for query in (
            "where=1=1&f=json&outFields=*", "where=1=1&f=geojson&outFields=*", "where=1=1&returnCountOnly=true",
            "where=1=1&returnIdsOnly=true", "where=1=1&returnExtentOnly=true", f"where=id='{KEY}'",
            "where=1=1&returnDistinctValues=true&outFields=id&returnGeometry=false",
            '&outStatistics=[{"statisticType":"count","onStatisticField":"id","outStatisticFieldName":"n"}]',
            f"geometry={_AT}&geometryType=esriGeometryEnvelope&inSR=4326&returnCountOnly=true",
        )
    ),
    "/review": ("/review",),
    "/connect": ("/connect",),
    "/method": ("/method",),
    "/cite": tuple(
        f"/cite?url=http://testserver{path}"
        for path in ("/countries/UA", f"/strikes/{STRIKE}/attribution", f"/assets/{ASSET}/owners", "/map?country=UA")
    ),
    "/oembed": ("/oembed?url=http://testserver/countries/UA", "/oembed?url=http://testserver/map?country=UA"),
    "/robots.txt": ("/robots.txt",),
    "/policy": ("/policy", "/policy?f=html"),
    "/corrections": (
        "/corrections?limit=100", "/corrections?f=html", "/corrections?f=atom", f"/corrections?strike={STRIKE}",
        f"/corrections?record={KEY}", "/corrections?country=UA",
        f"/corrections?asset={KEY}", f"/corrections?entity={KEY}", "/corrections?kind=retraction",
    ),
    "/corrections/{entry}": tuple(f"/corrections/{entry}" for entry in ("load-1", *range(1, 10), "0" * 32)),
    "/health/live": ("/health/live",),
    "/health": ("/health",),
    "/metrics": ("/metrics",),
    # Files of the package.
    "/static": (),
}  # fmt: skip
#: Routes whose answers are of the process and not of the data.
OF_THE_PROCESS = frozenset({"/health", "/health/live", "/metrics"})
#: Operations that write, each refused to whoever has no token.
WRITES = frozenset(
    {
        "/collections/strikes/items",
        "/collections/strikes/items/{feature:path}",
        "/review/decisions",
        "/review/strikes/{strike:path}/publication",
    }
)

#: Requests that name a record: a private one must be answered as one that there never was.
NAMING: tuple[tuple[str, str], ...] = (
    *(("GET", f"/collections/{name}/items/ID{form}") for name in COLLECTIONS for form in ("", "?f=html", "?f=jsonfg")),
    *(("GET", f"/records/{table}/ID") for table in ("strikes", "sources", "claims", "entities", "assets", "nothing")),
    *((method, "/collections/strikes/items/ID") for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")),
    ("GET", "/strikes/ID/attribution"),
    ("GET", "/strikes/ID/attribution?f=html"),
    ("GET", "/assets/ID/owners"),
    ("GET", "/entities/ID/holdings"),
    ("GET", "/entities/ID/holdings?f=html"),
    *(
        ("GET", f"/{path}?url=http://testserver/{page}")
        for path in ("cite", "oembed")
        for page in ("collections/strikes/items/ID", "collections/assets/items/ID", "entities/ID/holdings")
    ),
    ("GET", "/review/strikes/ID"),
    ("POST", "/review/decisions"),
    ("POST", "/review/judgements"),
    ("POST", "/review/strikes/ID/publication"),
    ("GET", "/corrections?record=ID"),
    ("GET", "/corrections?strike=ID"),
    ("GET", "/corrections?asset=ID"),
    ("GET", "/corrections?entity=ID"),
    ("POST", "/collections/strikes/items"),
    ("POST", f"{_REST}/0/applyEdits"),
    ("POST", f"{_REST}/0/addFeatures"),
    ("GET", f"{_REST}/0/query?where=id='ID'&f=json"),
    ("GET", "/collections/strikes/items?filter=id='ID'"),
)


def paths(app: FastAPI) -> set[str]:
    """The path of every route of the application."""

    def walk(routes: Iterable[object]) -> Iterator[str]:
        for route in routes:
            path = getattr(route, "path", None)
            if path is not None:
                yield path
            else:
                yield from walk(route.original_router.routes)

    return set(walk(app.router.routes))


def addresses() -> Iterator[tuple[str, str]]:
    """Route and address of everything that can be read."""
    for path, templates in DOORS.items():
        for template in templates:
            names = COLLECTIONS if "{collection}" in template else ("",)
            yield from ((path, template.replace("{collection}", name)) for name in names)


def opened(content: bytes) -> bytes:
    """A file as it is, or what is packed in it: parts of a workbook, rows of Parquet and Arrow, pictures in a text.

    In the letters of a picture (base64) any four come by chance.
    """
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"\n".join(archive.read(name) for name in archive.namelist())
    if content.startswith((b"PAR1", b"ARROW1")):
        source = pyarrow.BufferReader(content)
        table = parquet.read_table(source) if content.startswith(b"PAR1") else ipc.open_file(source).read_all()
        return str((table.schema.metadata, table.to_pylist())).encode()
    return re.sub(rb"base64,([A-Za-z0-9+/]+={0,2})", lambda found: base64.b64decode(found[1]), content)


def telling(content: bytes) -> list[str]:
    """The marks that an answer or file has, also in what is compressed in it."""
    content = opened(content)
    found = [mark for mark in (MARK.lower(), "qqj/") if mark.encode() in content.lower()]
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", content):
        try:
            inner = zlib.decompressobj(wbits=47).decompress(content[match.start() :], 50_000_000)
        except zlib.error:
            continue
        found += [mark for mark in (MARK.lower(), "qqj/") if mark.encode() in inner.lower()]
    return found


def validators(headers: Mapping[str, str]) -> dict[str, str]:
    """What an answer says of its version, and where else it leads to."""
    names = ("etag", "last-modified", "link", "content-length", "cache-control", "atlas-seq", "location")
    return {name: headers[name] for name in names if name in headers}


def steady(content: bytes) -> bytes:
    """An answer without the time at which it was given."""
    return re.sub(rb'"timeStamp":"[^"]*"', b"TIME", opened(content))
