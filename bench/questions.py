"""The questions to the servers, in the address form of each, most of them in many variants that take turns."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bench.world_columns import KINDS, STATUSES

SERVERS = ("strikeatlas", "tipg", "pygeoapi")
#: Where features lie: a query about nothing would be quick anywhere.
CENTRES = 40
#: Features of a page when the whole collection is read.
PAGE = 1000


@dataclass(frozen=True)
class Question:
    """One question: its paths by server, of one length and in the same order, and how answers are compared.

    ``counted`` is the number that all must agree on: features ``matched``, or ``returned`` where the question means
    another thing to one of them, as ``why`` says.
    """

    name: str
    paths: Mapping[str, Sequence[str]]
    counted: Literal["matched", "returned", "none"] = "matched"
    why: str = ""


def features(seed: int, region: Sequence[float], strikes: int) -> list[Question]:
    """The questions of OGC API - Features."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(strikes, size=100).tolist()
    deep = int(strikes * 0.9)
    pairs = [(kind, dead) for kind in KINDS for dead in (1, 2, 3)]
    return [
        Question("landing", {name: ["/" + ("?f=json" * (name != "tipg"))] for name in SERVERS}, "none"),
        Question("collections", {name: ["/collections?f=json"] for name in SERVERS}, "none"),
        Question(
            "item", {name: [f"{_items(name, 'strikes')}/k-{n}{_json(name)}" for n in ids] for name in SERVERS}, "none"
        ),
        *(_question(f"items limit={limit}", "strikes", [{"limit": limit}]) for limit in (10, 100, 1000, 10_000)),
        _question("bbox 2x2 limit=100", "strikes", [{"bbox": box, "limit": 100} for box in _boxes(rng, region)]),
        _question(
            "datetime month limit=100",
            "strikes",
            [{"datetime": month, "limit": 100} for month in _months()],
            "returned",
            "StrikeAtlas keeps what may have happened in the month, the others whose first day does",
        ),
        _question("kind=refinery limit=100", "strikes", [{"kind": kind, "limit": 100} for kind in KINDS]),
        _question(
            "CQL2 AND limit=100",
            "strikes",
            [_cql2(f"kind='{kind}' AND killed_min>={dead}", 100) for kind, dead in pairs],
        ),
        _question(
            "CQL2 box AND status limit=100",
            "strikes",
            [
                _cql2(f"{_within(box)} AND status='{item}'", 100)
                for box in _boxes(rng, region)[:10]
                for item in STATUSES[:3]
            ],
        ),
        _question(
            f"offset={deep} limit=100", "strikes", [{"offset": deep + 10 * step, "limit": 100} for step in range(20)]
        ),
        _question("lines limit=1000", "assets", [{"kind": "pipeline", "limit": 1000}]),
    ]


def tiles(first: bool) -> list[Question]:
    """Vector tiles of strikes; ``first`` gives more tiles, to be asked once each."""
    source = {3: _around(3, 31, 49, 0), 6: _around(6, 31, 49, 1), 10: _around(10, 31, 49, 2)}
    more = {3: [(3, 4, 2), (3, 5, 2)], 6: _around(6, 40, 52, 2), 10: _around(10, 36, 50, 3)}
    return [
        Question(
            f"MVT z{zoom}" + ", never asked before" * first,
            {name: [_tile(name, *tile) for tile in (more if first else source)[zoom]] for name in SERVERS},
            "none",
        )
        for zoom in (3, 6, 10)
    ]


def walks() -> dict[str, str]:
    """Where a walk over all strikes begins, by server."""
    return {server: _address(server, "strikes", {"limit": PAGE}) for server in SERVERS}


def _question(
    name: str,
    collection: str,
    queries: Sequence[Mapping[str, object]],
    counted: Literal["matched", "returned"] = "matched",
    why: str = "",
) -> Question:
    paths = {server: [_address(server, collection, query) for query in queries] for server in SERVERS}
    return Question(name, paths, counted, why)


def _address(server: str, collection: str, query: Mapping[str, object]) -> str:
    given = dict(query)
    if "filter" in given:
        geometry = "geometry" if server == "strikeatlas" else "geom"
        given["filter"] = str(given["filter"]).format(geometry=geometry)
    if server == "tipg" and "datetime" in given:
        # RFC 3339 instants only, and neither end of an interval is in it.
        first, last = (np.datetime64(day) for day in str(given["datetime"]).split("/"))
        given["datetime"] = f"{first - 1}T23:59:59Z/{last}T23:59:59Z"
    return f"{_items(server, collection)}?{urllib.parse.urlencode(given, safe=',/:')}" + _json(server, "&")


def _items(server: str, collection: str) -> str:
    return f"/collections/{'public.' * (server == 'tipg')}{collection}/items"


def _json(server: str, joint: str = "?") -> str:
    return f"{joint}f={'geojson' if server == 'tipg' else 'json'}"


def _tile(server: str, z: int, x: int, y: int) -> str:
    if server == "strikeatlas":
        return f"/tiles/strikes/{z}/{x}/{y}.mvt"
    if server == "tipg":
        return f"/collections/public.strikes/tiles/WebMercatorQuad/{z}/{x}/{y}"
    return f"/collections/strikes/tiles/WebMercatorQuad/{z}/{y}/{x}?f=mvt"


def _around(zoom: int, lon: float, lat: float, reach: int) -> list[tuple[int, int, int]]:
    """The tile at a place and its neighbours."""
    x = int((lon + 180) / 360 * 2**zoom)
    y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**zoom)
    steps = range(-reach, reach + 1)
    return [(zoom, x + right, y + down) for right in steps for down in steps]


def _boxes(rng: np.random.Generator, region: Sequence[float]) -> list[str]:
    west, south, east, north = region
    corner = np.column_stack([rng.uniform(west, east - 2, CENTRES), rng.uniform(south, north - 2, CENTRES)]).round(3)
    return [f"{lon},{lat},{round(lon + 2, 3)},{round(lat + 2, 3)}" for lon, lat in corner.tolist()]


def _within(box: str) -> str:
    west, south, east, north = box.split(",")
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"S_INTERSECTS({{geometry}},POLYGON(({ring})))"


def _months() -> list[str]:
    starts = np.arange("2022-03", "2025-11", dtype="datetime64[M]")
    return [f"{start.astype('datetime64[D]')}/{(start + 1).astype('datetime64[D]') - 1}" for start in starts]


def _cql2(text: str, limit: int) -> Mapping[str, object]:
    return {"filter": text, "filter-lang": "cql2-text", "limit": limit}


def counts(body: bytes) -> Mapping[str, Any]:
    """How many features an answer holds, and says there are."""
    answer = json.loads(body)
    return {"returned": len(answer.get("features", ())), "matched": answer.get("numberMatched")}
