"""A MapLibre style of the tiles for other programs (QGIS, MapLibre), in the colours of the web map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

Style = dict[str, Any]


def style(table: Path, tilejson: Mapping[str, str]) -> Style:
    """Make the style from the one table of colours; ``tilejson`` gives the address of each tile set by name.

    The labels need fonts that a style for any program cannot count on, so it has none.
    """
    told = orjson.loads(table.read_bytes())
    base, line = told["base"]["light"], told["line"]
    host = {name: colours["light"] for name, colours in told["host"].items()}
    by_host = ["match", ["get", "host_country"], "UA", host["UA"], "RU", host["RU"], host["other"]]
    hollow = [name for name, fill in told["status"].items() if fill == "hollow"]
    fill = ["match", ["get", "status"], hollow, base["paper"], by_host]
    return {
        "version": 8,
        "name": "StrikeAtlas",
        "sources": {name: {"type": "vector", "url": url} for name, url in tilejson.items()},
        "layers": [
            {"id": "sea", "type": "background", "paint": {"background-color": base["sea"]}},
            _layer("land", "fill", "basemap", "country", {"fill-color": base["land"]}),
            _layer("boundary", "line", "basemap", "boundary", {"line-color": base["border"], "line-width": 0.8}),
            *(_pipeline(name, look) for name, look in line.items()),
            _layer(
                "assets", "circle", "assets", "assets", {"circle-radius": 2.5, "circle-color": base["mark"]}, _POINTS
            ),
            _layer(
                "strikes",
                "circle",
                "strikes",
                "strikes",
                {"circle-radius": 5, "circle-color": fill, "circle-stroke-color": by_host, "circle-stroke-width": 2},
            ),
        ],
    }


_POINTS = ["==", ["geometry-type"], "Point"]


def _layer(name: str, kind: str, source: str, layer: str, paint: Style, only: list[Any] | None = None) -> Style:
    made: Style = {"id": name, "type": kind, "source": source, "source-layer": layer, "paint": paint}
    return {**made, "filter": only} if only else made


def _pipeline(commodity: str, look: Mapping[str, Any]) -> Style:
    paint = {"line-color": look["light"], "line-width": 1.6}
    if look["dash"]:
        paint["line-dasharray"] = look["dash"]
    gas = ["==", ["index-of", "gas", ["coalesce", ["get", "commodity"], ""]], -1]
    is_kind = ["!", gas] if commodity == "gas" else gas
    only = ["all", ["==", ["get", "kind"], "pipeline"], is_kind]
    return _layer(f"pipelines-{commodity}", "line", "assets", "assets", paint, only)
