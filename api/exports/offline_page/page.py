"""The map as one HTML file: it opens from disk, asks no server for anything, and runs no script but its own.

MapLibre and the base map are in it, packed with gzip (RFC 1952). The browser unpacks MapLibre to addresses of its own
memory (``blob:``), from where its module and its worker start: an address of a file would be another origin. Data are
JSON in an element that no browser runs.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from jinja2 import Template

from api.exports.symbols import FILLED, HOST_COLOURS
from api.exports.text import STATIC, holder_in_words, named_shares, page_text, script_json, vendored, word
from api.http.json import Json
from api.wording.catalogue import phrase
from api.wording.dates import date_in_words
from api.wording.strikes import sources_in_words, strike_title
from geo.lonlat import Objects
from layers.reference.basemap import Basemap
from layers.reference.place_spellings import PlaceSpelling, exonyms

VENDOR = STATIC / "vendor" / "maplibre-gl"
HERE = Path(__file__).parent
#: The base map of the world: degrees within which coasts are simplified, and decimals of degrees.
_SIMPLIFIED_DEG, _DECIMALS = 0.05, 2
_MOST_TOWNS = 400
#: Texts of the page that its script says, by their codes, and the gaps that it fills.
_SAID = {name: name for name in ("count", "here", "close", "owners", "others", "sources", "map")}
_SAID |= {"zoomIn": "zoom-in", "zoomOut": "zoom-out", "noMap": "no-map"}
_GAPS = {name: f"{{{name}}}" for name in ("shown", "all", "n")}


@dataclass(frozen=True, kw_only=True)
class PageOrder:
    """The request for a page: title, language, box in degrees (west, south, east, north), and where its data are from.

    ``countries`` are names by ISO 3166-1 code in the language; ``remarks`` say what is withheld, a sentence each.
    """

    title: str | None
    language: str
    box: Sequence[float]
    day: date
    history: str
    countries: Mapping[str, str]
    remarks: Sequence[str] = ()


def page(
    strikes: Sequence[Mapping[str, Any]],
    sources: Mapping[str, Json],
    lines: Objects,
    basemap: Basemap,
    order: PageOrder,
) -> str:
    """Write the page; equal input gives an equal page.

    Parameters
    ----------
    strikes
        Rows as `api.serializers.selection.strike_rows` gives them; those without a place are listed, not drawn.
    sources
        What the rows cite, by id.
    lines
        Pipelines in lon/lat degrees.

    Raises
    ------
    ExportError
        If MapLibre is not in static/vendor.
    """
    numbers = {name: number for number, name in enumerate(sources)}
    data = {
        "strikes": [_strike(row, numbers, order) for row in strikes],
        "sources": [_source(source, order.language) for source in sources.values()],
        "lines": _collection(lines, 0.01),
        "texts": {name: phrase(f"offline.{code}", order.language, **_GAPS) for name, code in _SAID.items()},
        "colours": dict(HOST_COLOURS),
        "box": [[order.box[0], order.box[1]], [order.box[2], order.box[3]]],
    }
    library, worker, licence, vendor_style = _maplibre()
    style = f"/*\n{licence}\n*/\n{vendor_style}\n{(HERE / 'page.css').read_text(encoding='utf-8')}"
    script = (HERE / "page.js").read_text(encoding="utf-8")
    packed = {"library": library, "worker": worker, "base": json.dumps(_base(basemap, order), ensure_ascii=False)}
    template = "".join(line.strip() for line in (HERE / "page.html").read_text(encoding="utf-8").splitlines())
    written: str = Template(template, autoescape=True).render(
        order=order,
        language=order.language,
        policy=_policy(script, style),
        title=order.title or phrase("dossier.title", order.language),
        style=style,
        say=lambda code, **gaps: phrase(f"offline.{code}", order.language, **gaps),
        day=date_in_words(order.day.isoformat(), order.language),
        key=[*_key(order)],
        packed={name: _packed(text) for name, text in packed.items()},
        data=script_json(data),
        script=script,
    )
    return written


def _policy(script: str, style: str) -> str:
    """A policy by which only the page's own script runs, and what it unpacks; no request leaves the page."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style))
    own, look = (f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {own} blob:; worker-src blob: data:; connect-src blob:; "
        f"style-src {look}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _maplibre() -> tuple[str, str, str, str]:
    """Read MapLibre: module, worker, licence and style."""
    names = ("maplibre-gl.mjs", "maplibre-gl-worker.mjs", "LICENSE.txt", "maplibre-gl.css")
    with vendored("MapLibre", VENDOR):
        library, worker, licence, style = ((VENDOR / name).read_text(encoding="utf-8") for name in names)
    return library, worker, licence, style


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


# --- what the page says ---------------------------------------------------------------------------


def _key(order: PageOrder) -> Iterator[tuple[str, str, str]]:
    """Yield fill, outline and words of each kind of symbol."""
    elsewhere = {"other": phrase("offline.key-elsewhere", order.language)}
    for code, colour in HOST_COLOURS.items():
        yield colour, "#fff", elsewhere.get(code) or order.countries.get(code, code)
    yield "#444444", "#fff", page_text("legendHeavy", order.language)
    yield "#fff", "#444444", page_text("legendThin", order.language)


def _strike(row: Mapping[str, Any], numbers: Mapping[str, int], order: PageOrder) -> Json:
    """Give a strike in the short names that the script of the page reads."""
    language, host = order.language, order.countries.get(row["host_country"] or "", row["host_country"] or "")
    place = ", ".join(part for part in (row["place"], host) if part)
    return {
        "t": strike_title(row["title"], row["status"], language),
        "w": date_in_words(row["when"], language),
        "a": str(row["day_first"] or ""),
        "b": str(row["day_last"] or ""),
        "p": place,
        "s": word("status", row["status"], language),
        "h": f"{row['headline']}." if row["headline"] else "",
        "o": named_shares(row["owners"], order.countries, row["sites_together"], language)
        or [page_text("unattributed", language)],
        "r": page_text(f"rests{row['rests_on']}", language),
        "n": [
            f"{word('relation', tie['relation'], language)}: {holder_in_words(tie, order.countries)}"
            for tie in row["related"]
        ],
        "c": [numbers[name] for name in row["sources"] if name in numbers],
        "v": sources_in_words(row["n_sources"], row["n_voices"], language),
        "x": None if row["lon"] is None else round(row["lon"], 5),
        "y": None if row["lat"] is None else round(row["lat"], 5),
        "u": round(row["uncertainty_m"] or 0),
        "k": row["host_country"] if row["host_country"] in HOST_COLOURS else "other",
        "f": int(row["status"] in FILLED),
        "q": " ".join(row["names"]),
    }


def _source(source: Json, language: str) -> tuple[str, str]:
    published = date_in_words(source["published"], language) if source["published"] else None
    named = ", ".join(part for part in (source["publisher"], source["title"], published) if part)
    return named, source["url"] or source["archive_url"] or ""


# --- the base map ---------------------------------------------------------------------------------


def _base(basemap: Basemap, order: PageOrder) -> Json:
    """Countries with thinned coasts, and names of countries and the largest towns, as GeoJSON."""
    countries, places = basemap.countries, basemap.places
    simple = shapely.coverage_simplify(shapely.make_valid(countries.shape), _SIMPLIFIED_DEG)
    parts = shapely.get_parts(shapely.get_parts(simple))
    polygons = parts[(shapely.get_type_id(parts) == 3) & (shapely.area(parts) > _SIMPLIFIED_DEG**2)]
    names = [
        _name(order.countries.get(str(code), str(countries.name_en[row])), countries.label[row],
              int(countries.min_zoom[row]), True)
        for row, code in enumerate(countries.iso_a2)
        if code is not None
    ]  # fmt: skip
    known = exonyms()
    for row in range(min(len(places.name), _MOST_TOWNS)):
        name = str(places.name[row])
        spelt = known.get((name, str(places.country[row])), PlaceSpelling(name))
        own = {"uk": spelt.ukrainian, "de": spelt.german}.get(order.language) or spelt.english
        names.append(_name(own, places.shape[row], int(places.min_zoom[row]) + 1, False))
    return {"land": _collection(polygons, 0.0), "names": {"type": "FeatureCollection", "features": names}}


def _collection(shapes: Objects, tolerance_deg: float) -> Json:
    """Write shapes as GeoJSON without properties, simplified and rounded; what is rounded away is left out."""
    thinned = shapely.simplify(shapes, tolerance_deg) if tolerance_deg else shapes
    rounded = shapely.transform(thinned, lambda xy: np.round(xy, _DECIMALS))
    return bare_collection(rounded[~shapely.is_empty(rounded)])


def bare_collection(shapes: Objects) -> Json:
    """Write shapes as GeoJSON without properties."""
    features = [
        {"type": "Feature", "properties": {}, "geometry": json.loads(text)} for text in shapely.to_geojson(shapes)
    ]
    return {"type": "FeatureCollection", "features": features}


def _name(text: str, point: shapely.Point, zoom: int, is_country: bool) -> Json:
    place = [round(point.x, _DECIMALS), round(point.y, _DECIMALS)]
    return {
        "type": "Feature",
        "properties": {"n": text, "z": zoom, "c": is_country},
        "geometry": {"type": "Point", "coordinates": place},
    }
