"""How each collection is drawn, from the one table of colours and symbols; style encodings and pictures derive from it.

Knows no encoding. Sizes are CSS pixels by zoom of the web map (tiles of 512 pixels). A table is
static/style-table.json; docs/styles.md tells of its entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np

StyleTable: TypeAlias = Mapping[str, Any]
#: Zoom and size in pairs, by rising zoom; sizes between them are interpolated linearly.
ZoomStops: TypeAlias = Sequence[tuple[float, float]]
GeometryClass: TypeAlias = Literal["points", "lines", "polygons"]

#: Pixels at size 1 of one unit of the box of 24 that symbols are drawn in (static/style.js).
UNIT = 28 / 30
#: Widths in those units: the halo of a filled and of a hollow symbol, and the outline of a hollow one.
HALO = {"filled": 4.0, "hollow": 6.4}
OUTLINE = 3.0


@dataclass(frozen=True)
class SymbolChoice:
    """A key of the style table chosen by a column: that of its value, or ``default`` for any other value and for none.

    ``column`` is empty where the key is always ``default``.
    """

    column: str
    keys: Mapping[str, str]
    default: str

    def key_of(self, value: object) -> str:
        """Return the key for a value of the column."""
        return self.keys.get(value, self.default) if isinstance(value, str) else self.default

    def cases(self) -> Iterator[ChoiceCase]:
        """Give the condition of each key, that of ``default`` last."""
        for key in dict.fromkeys(self.keys.values()):
            yield ChoiceCase(
                self.column, tuple(value for value, chosen in self.keys.items() if chosen == key), True, key
            )
        yield ChoiceCase(self.column, tuple(self.keys), False, self.default)


@dataclass(frozen=True)
class ChoiceCase:
    """A condition: a column has one of some values or, where ``is_member`` is false, another value or none.

    ``key`` names what is drawn where the condition holds.
    """

    column: str
    values: tuple[str, ...]
    is_member: bool
    key: str


@dataclass(frozen=True)
class TextMatch:
    """A condition: the first of some columns that has a value contains a text, or not where ``contains`` is false."""

    text: str
    columns: tuple[str, ...]
    contains: bool = True


@dataclass(frozen=True)
class SymbolPaint:
    """Points drawn as a symbol whose shape, colour by host country and fill are chosen by a column each."""

    shape: SymbolChoice
    host: SymbolChoice
    fill: SymbolChoice
    size: ZoomStops

    def combinations(self) -> Iterator[tuple[ChoiceCase, ChoiceCase, ChoiceCase]]:
        """Give the conditions of shape, host and fill of every symbol."""
        return product(self.shape.cases(), self.host.cases(), self.fill.cases())


@dataclass(frozen=True)
class LinePaint:
    """A line; lengths of dash and gap are in widths of the line."""

    colour: str
    width: ZoomStops
    dash: Sequence[float] | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class CirclePaint:
    """A circle of a radius with an edge about it."""

    fill: str
    edge: str
    radius: ZoomStops
    edge_width: float


@dataclass(frozen=True)
class AreaPaint:
    """An area with an edge."""

    fill: str
    opacity: float
    edge: str
    edge_width: ZoomStops


Paint: TypeAlias = SymbolPaint | LinePaint | CirclePaint | AreaPaint


@dataclass(frozen=True)
class StyleRule:
    """Features of one class of geometries that are drawn alike; a rule is drawn over those before it.

    Parameters
    ----------
    name
        Unique within its style.
    condition
        What a feature must meet to be drawn; every feature is drawn where there is none.
    from_zoom
        The zoom from which the features are drawn.
    stand_in
        A condition on a column that separates features of that geometry, for encodings that cannot ask for a geometry.
    """

    name: str
    title: str
    geometry: GeometryClass
    paint: Paint
    condition: TextMatch | None = None
    from_zoom: float = 0
    stand_in: ChoiceCase | None = None


def rules(collection: str, look: StyleTable) -> tuple[StyleRule, ...]:
    """Return the rules of a collection, in the order of drawing."""
    if collection == "assets":
        return (_area(collection, look), *_pipelines(look), *_sites(look, look["from"]["site"]))
    if collection in ("countries", "asset-areas"):
        return (_area(collection, look),)
    if collection in ("asset-points", "asset-lines"):
        # All are of one kind of geometry: nothing has to stand in for it.
        drawn = _sites(look, 0) if collection == "asset-points" else _pipelines(look)
        return tuple(replace(rule, stand_in=None) for rule in drawn)
    return (StyleRule(collection, collection.capitalize(), "points", symbol_paint(collection, look)),)


def symbol_paint(collection: str, look: StyleTable) -> SymbolPaint:
    """Return the symbols of strikes, attributions or hits.

    A strike has its host country as colour, the group of what was hit as shape and its status as fill. An attribution,
    and a hit, has the colour of its country; it has no group, and is filled.
    """
    strikes = collection == "strikes"
    groups = {name: name for name in look["group"] if name != "none"} if strikes else {}
    status = {name: fill for name, fill in look["status"].items() if fill != "hollow"} if strikes else {}
    hosts = {name: name for name in look["host"] if name != "other"}
    return SymbolPaint(
        SymbolChoice("group" if strikes else "", groups, "none"),
        SymbolChoice("host_country" if strikes else "country", hosts, "other"),
        SymbolChoice("status" if strikes else "", status, "hollow" if strikes else "filled"),
        look["size"]["symbol"],
    )


#: Pipelines by what they carry (static/layers.js).
CARRIES_GAS = TextMatch("gas", ("commodity", "group"))
CARRIES_NO_GAS = TextMatch("gas", ("commodity", "group"), contains=False)


def _pipelines(look: StyleTable) -> Iterator[StyleRule]:
    base, size = look["base"]["light"], look["size"]
    kind = ChoiceCase("kind", ("pipeline",), True, "pipeline")
    halo = LinePaint(base["halo"], size["case"], None, 0.7)
    yield StyleRule("pipe-case", "Halo of pipelines", "lines", halo, stand_in=kind)
    for name, title, carries in (("gas", "Gas pipelines", CARRIES_GAS), ("oil", "Other pipelines", CARRIES_NO_GAS)):
        line = look["line"][name]
        paint = LinePaint(line["light"], size["pipe"], line["dash"])
        yield StyleRule(f"pipe-{name}", title, "lines", paint, carries, stand_in=kind)


def _sites(look: StyleTable, from_zoom: float) -> Iterator[StyleRule]:
    base = look["base"]["light"]
    paint = CirclePaint(base["paper"], base["mark"], look["size"]["site"], 1.2)
    # To QGIS a point symbol on a line is a line.
    no_pipeline = ChoiceCase("kind", ("pipeline",), False, "site")
    yield StyleRule("site", "Sites", "points", paint, from_zoom=from_zoom, stand_in=no_pipeline)


def _area(collection: str, look: StyleTable) -> StyleRule:
    base = look["base"]["light"]
    area = AreaPaint(base["chosen"], 0.5, base["mark"], look["size"]["border"])
    return StyleRule("area", "Countries" if collection == "countries" else "Areas of sites", "polygons", area)


def at_zoom(stops: ZoomStops, zoom: float) -> float:
    """Return the size at a zoom; beyond the stops it is that of the nearest stop."""
    zooms, sizes = zip(*stops, strict=True)
    return float(np.interp(zoom, zooms, sizes))


def number_text(value: float) -> str:
    """Write a number with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
