"""The map of a notebook, drawn by folium: Leaflet is in it, and nothing is fetched."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import folium
import geopandas
import numpy as np
import shapely
from branca.element import MacroElement
from jinja2 import Template

from api.exports.offline_page.page import bare_collection
from api.exports.printed_map.extent import Extent, extent_of
from api.exports.symbols import FILLED, STYLE_TABLE, colour_of
from api.exports.text import STATIC, script_json, vendored, with_country_names, word
from api.wording.dates import date_in_words
from api.wording.strikes import sources_in_words, strike_title
from geo.lonlat import Objects, geodataframe_lonlat
from layers.reference.basemap import Basemap

LAND_STYLE = {"color": "#8d857a", "weight": 0.8, "fillColor": "#f6f4ee", "fillOpacity": 1}
#: Country outlines are simplified to this part of the map's width; more cannot be seen on a screen.
DETAIL = 1 / 6000
#: Pixels between symbols that stand for strikes at the same place.
FAN_PX = 15.0
MAX_TOWNS = 150
#: What is shown where there are no strikes, in degrees.
_WORLD = (-170.0, -55.0, 170.0, 75.0)


class _Call(MacroElement):
    """A call of a function of notebook.js with layers and data; the data is JSON that cannot end the script."""

    _template = Template("{% macro script(this, kwargs) %}{{ this.code() }}{% endmacro %}")

    def __init__(self, function: str, layers: Sequence[Any], data: object) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Call"
        self.function, self.layers, self.data = function, layers, script_json(data)

    def code(self) -> str:
        names = ", ".join(layer.get_name() for layer in self.layers)
        return f"{self.function}({names}, {self.data});"


def notebook_map(
    strikes: geopandas.GeoDataFrame,
    assets: geopandas.GeoDataFrame,
    basemap: Basemap,
    cites: Mapping[str, Sequence[tuple[str, str]]] = MappingProxyType({}),
) -> folium.Map:
    """Draw the strikes of a frame, for a notebook or to add layers to; Leaflet is in it, and nothing is fetched.

    Two days choose the strikes that may fall between them.

    Parameters
    ----------
    strikes, assets
        Rows with the properties of the collections and geometry in lon/lat (EPSG:4326), which may be missing; strikes
        without a place, and retracted ones, are left out.
    cites
        Names and web addresses of the sources of a strike, by its id. Where they are missing their number is shown.

    Raises
    ------
    ExportError
        If Leaflet is not in static/vendor.
    geo.errors.GeoError
        If a frame has no CRS or coordinates out of range.
    """
    marks = drawn_strikes(strikes)
    bounds = shapely.total_bounds(np.array([point for _, point in marks], dtype=object)).tolist()
    extent = extent_of(bounds if marks else _WORLD)
    page = folium.Map(location=extent.middle[::-1], zoom_start=5, tiles=None, control_scale=True, zoom_snap=0.5)
    # None of folium's other libraries is needed.
    page.default_js, page.default_css = inline_links()
    folium.GeoJson(
        land_geojson(basemap, extent), name="Countries", control=False, interactive=False,
        style_function=lambda _: LAND_STYLE,
    ).add_to(page)  # fmt: skip
    _add_records(page, marks, geodataframe_lonlat(assets), basemap.country_names, extent, cites)
    _add_names(page, basemap, extent)
    folium.LayerControl().add_to(page)
    page.fit_bounds([[extent.south, extent.west], [extent.north, extent.east]])
    return page


#: A strike with a place: its attributes by column, ``None`` where missing, and its point in lon/lat degrees.
Mark = tuple[Mapping[str, Any], shapely.Point]


def drawn_strikes(strikes: geopandas.GeoDataFrame) -> list[Mark]:
    """List every strike that has a place and is not retracted, earliest first; undated ones come last.

    Parameters
    ----------
    strikes
        Rows with the columns of the collection, in any CRS. A geometry that is no point becomes a point on its
        surface; rows with missing or empty geometry are left out.

    Raises
    ------
    geo.errors.GeoError
        If the frame has no CRS or coordinates out of range.
    """
    placed = [
        (row, geometry if geometry.geom_type == "Point" else shapely.point_on_surface(geometry))
        for row, geometry in rows(geodataframe_lonlat(strikes))
        if geometry is not None and not geometry.is_empty and text_value(row, "status") != "retracted"
    ]
    return sorted(placed, key=lambda item: (text_value(item[0], "day_first") or "9999", text_value(item[0], "id")))


def rows(frame: geopandas.GeoDataFrame) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Yield the attributes of each row by column, ``None`` where missing, and its geometry, in the frame's order."""
    columns = frame.drop(columns=frame.geometry.name).astype(object)
    attributes = columns.where(columns.notna(), None).to_dict("records")
    yield from zip(attributes, frame.geometry.to_numpy(), strict=True)


def title_of(row: Mapping[str, Any]) -> str:
    """Return the title of a strike in a row, of a draft with the word for it."""
    return strike_title(text_value(row, "title"), text_value(row, "status"))


def text_value(row: Mapping[str, Any], name: str) -> str:
    """Return the text of a column in a row; empty where the value is missing."""
    value = row.get(name)
    return "" if value is None else str(value)


def _number(row: Mapping[str, Any], name: str) -> float:
    return float(row.get(name) or 0)


def land_geojson(basemap: Basemap, extent: Extent) -> dict[str, Any]:
    """Countries around an extent, simplified so that neighbours keep one border, as GeoJSON without properties."""
    pad_lon, pad_lat = max(15.0, extent.lon_span), max(8.0, extent.north - extent.south)
    window = Extent(
        extent.west - pad_lon, max(extent.south - pad_lat, -85), extent.east + pad_lon, min(extent.north + pad_lat, 85)
    )
    if window.lon_span > 360:
        lon = extent.middle[0]
        window = Extent(lon - 180, -90, lon + 180, 90)
    cut = np.concatenate([_turned(basemap.countries.shape, window, turn) for turn in (-360.0, 0.0, 360.0)])
    simple = shapely.coverage_simplify(shapely.make_valid(cut), window.lon_span * DETAIL)
    rounded = shapely.transform(simple, lambda xy: np.round(xy, 3))
    polygons = shapely.get_parts(shapely.get_parts(rounded))
    return bare_collection(polygons[(shapely.get_type_id(polygons) == 3) & (shapely.area(polygons) > 0)])


def _turned(shapes: Objects, window: Extent, turn: float) -> Objects:
    """Cut shapes to a window in a world that is turned by so many degrees."""
    cut = shapely.clip_by_rect(shapes, window.west - turn, window.south, window.east - turn, window.north)
    return shapely.transform(cut[~shapely.is_empty(cut)], lambda xy: xy + np.array([turn, 0.0]))


def _add_records(
    page: folium.Map,
    marks: Sequence[Mark],
    assets: geopandas.GeoDataFrame,
    names: Mapping[str, str],
    extent: Extent,
    cites: Mapping[str, Sequence[tuple[str, str]]],
) -> None:
    """Add pipelines, circles of uncertainty and strikes, each as a layer that can be switched off."""
    lines = list(_lines(assets, extent))
    layers = {
        "lines": folium.FeatureGroup(name=f"Pipelines ({len(lines)})"),
        "circles": folium.FeatureGroup(name="How uncertain a place is"),
        "strikes": folium.FeatureGroup(name=f"Strikes ({len(marks)})"),
    }
    for layer in layers.values():
        layer.add_to(page)
    drawn = []
    for (row, point), (dx, dy) in zip(marks, fanned([(point.x, point.y) for _, point in marks]), strict=True):
        offset = {"dx": dx, "dy": dy, "cites": [*cites.get(text_value(row, "id"), ())]}
        drawn.append(_strike(row, point, names, extent) | offset)
    page.add_child(_Call("strikeatlasLines", [layers["lines"]], lines))
    data = {"paths": STYLE_TABLE["group"], "strikes": drawn}
    page.add_child(_Call("strikeatlasStrikes", [page, layers["strikes"], layers["circles"]], data))


def _strike(row: Mapping[str, Any], point: shapely.Point, names: Mapping[str, str], extent: Extent) -> dict[str, Any]:
    def ties(column: str) -> list[str]:
        return [with_country_names(tie, names) for tie in text_value(row, column).split(", ") if tie]

    host, status = text_value(row, "host_country"), text_value(row, "status")
    return {
        "title": title_of(row),
        "when": date_in_words(text_value(row, "when")),
        "first": text_value(row, "day_first")[:10],
        "last": text_value(row, "day_last")[:10],
        "host": names.get(host) or host,
        "status": status,
        "headline": text_value(row, "headline"),
        "owners": ties("owners") or ["not known"],
        "rests": word("rests", text_value(row, "rests_on")),
        "others": ties("relations"),
        "sources": sources_in_words(int(_number(row, "n_sources")), int(_number(row, "n_voices"))),
        "lon": _shown_lon(point.x, extent),
        "lat": round(point.y, 5),
        "radius": round(_number(row, "uncertainty_m")),
        "colour": colour_of(host),
        "filled": status in FILLED,
        "shape": text_value(row, "group"),
    }


def _shown_lon(lon: float, extent: Extent) -> float:
    """Longitude on the side of the antimeridian that the map shows."""
    return round(extent.west + (lon - extent.west) % 360 if extent.east > 180 else lon, 5)


def _lines(assets: geopandas.GeoDataFrame, extent: Extent) -> Iterator[dict[str, Any]]:
    """Give the pipelines as lat/lon lists, which is the order that Leaflet wants."""
    for row, shape in rows(assets):
        look = STYLE_TABLE["line"]["gas" if "gas" in text_value(row, "commodity") else "oil"]
        dash = " ".join(str(length * 2.2) for length in look["dash"] or ())
        for part in shapely.get_parts(shape) if shape is not None else ():
            if part.geom_type == "LineString":
                at = [[round(lat, 4), _shown_lon(lon, extent)] for lon, lat in shapely.get_coordinates(part)]
                yield {"name": text_value(row, "name"), "at": at, "colour": look["light"], "dash": dash or None}


def fanned(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Offsets in pixels that fan out symbols at the very same place in a sunflower (Vogel 1979)."""
    seen: dict[tuple[float, float], int] = {}
    offsets = []
    for place in places:
        number = seen[place] = seen.get(place, -1) + 1
        reach, angle = FAN_PX * np.sqrt(number), number * 2.399963
        offsets.append((round(float(reach * np.cos(angle)), 1), round(float(reach * np.sin(angle)), 1)))
    return offsets


def _add_names(page: folium.Map, basemap: Basemap, extent: Extent) -> None:
    """Add the names of countries and of the largest towns, each from its own zoom on."""
    layer = folium.FeatureGroup(name="Names")
    layer.add_to(page)
    countries, places = basemap.countries, basemap.places
    named = [
        _name(countries.name_en[row], "country", countries.label[row], countries.min_zoom[row], extent)
        for row, code in enumerate(countries.iso_a2)
        if code is not None
    ]
    lon, lat = shapely.get_coordinates(places.shape).T
    pad_lon, pad_lat = extent.lon_span / 2, (extent.north - extent.south) / 2
    near = (lat > extent.south - pad_lat) & (lat < extent.north + pad_lat)
    near &= (lon - extent.west + pad_lon) % 360 <= extent.lon_span + 2 * pad_lon
    for row in np.flatnonzero(near)[:MAX_TOWNS]:
        named.append(_name(places.name[row], "town", places.shape[row], places.min_zoom[row] + 1, extent))
    page.add_child(_Call("strikeatlasNames", [page, layer], named))


def _name(text: str, kind: str, point: shapely.Point, zoom: int, extent: Extent) -> dict[str, Any]:
    place = {"lon": _shown_lon(point.x, extent), "lat": round(point.y, 4)}
    return {"text": text, "kind": kind, "zoom": int(zoom)} | place


VENDOR = STATIC / "vendor" / "leaflet"
HERE = Path(__file__).parent

_CSS_URL = re.compile(r"url\(([^()]+)\)")


def inline_links() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the names and addresses of the scripts and styles of a map without a page around it; each is its content.

    Leaflet's style has its pictures in it, and its script the licence that goes with every copy.

    Raises
    ------
    ExportError
        Leaflet is not installed in ``static/vendor``.
    """
    with vendored("Leaflet", VENDOR):
        style, script, licence = (
            (VENDOR / name).read_text(encoding="utf-8") for name in ("leaflet.css", "leaflet.js", "LICENSE")
        )
        style = _CSS_URL.sub(lambda match: f"url({_picture(match[1])})", style)
    script = f"/*\n{licence}\n*/\n{script}".replace("</script", "<\\/script")
    own_css, own_js = ((HERE / name).read_text(encoding="utf-8") for name in ("notebook.css", "notebook.js"))
    # In a map's header a name is there once, be it of a script or of a style.
    scripts, styles = {"leaflet": script, "strikeatlas": own_js}, {"leaflet": style, "strikeatlas": own_css}
    return (
        [(f"{name}-script", _data_address("text/javascript", code.encode())) for name, code in scripts.items()],
        [(f"{name}-style", _data_address("text/css", code.encode())) for name, code in styles.items()],
    )


def _picture(url: str) -> str:
    name = url.strip("'\"")
    return _data_address("image/png", (VENDOR / name).read_bytes()) if name.endswith(".png") else "data:,"


def _data_address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
