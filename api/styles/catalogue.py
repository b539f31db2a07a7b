"""Which styles are offered, what each draws, and in which encodings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.requests.negotiation import MediaFormat
from api.styles.rules import StyleRule, StyleTable, SymbolPaint, rules
from layers.collections.collection import Collection

MAPBOX = MediaFormat("mapbox", "application/vnd.mapbox.style+json", "Mapbox Style", ("application/json",))
SLD11 = MediaFormat(
    "sld11", "application/vnd.ogc.sld+xml;version=1.1", "OGC SLD", ("application/vnd.ogc.se+xml;version=1.1",)
)
SLD10 = MediaFormat("sld10", "application/vnd.ogc.sld+xml;version=1.0", "OGC SLD")
#: The encodings of a style; the first is the default.
ENCODINGS = (MAPBOX, SLD11, SLD10)

#: Version of each encoding, and where it is specified.
SPECIFICATIONS: Mapping[MediaFormat, tuple[str, str]] = {
    MAPBOX: ("8", "https://maplibre.org/maplibre-style-spec/"),
    SLD11: ("1.1.0", "https://www.ogc.org/standards/sld/"),
    SLD10: ("1.0.0", "https://www.ogc.org/standards/sld/"),
}
#: The style of the whole map.
WHOLE_MAP = "atlas"


@dataclass(frozen=True)
class CatalogueStyle:
    """A style: the collections that it draws, the later over the earlier, and whether the base map lies under them."""

    name: str
    title: str
    description: str
    collections: Sequence[str]
    on_base_map: bool = False


_SYMBOLS = "colour is the host country, shape the kind of what was hit, a filled symbol a corroborated strike."
#: Title and description of the style of each collection alone.
_ALONE = {
    "strikes": ("Strikes", f"Strikes: {_SYMBOLS}"),
    "assets": ("Assets", "Pipelines by what they carry, and sites from zoom 5 on."),
    "asset-points": ("Assets: points", "Sites from zoom 5 on."),
    "asset-lines": ("Assets: lines", "Pipelines by what they carry."),
    "asset-areas": ("Assets: areas", "Areas of sites."),
    "attributions": ("Attributions", "Attributions in the colour of their country."),
    "hits": ("Hits", "Sites hit in the colour of the country."),
    "countries": ("Countries", "Countries as areas."),
}
_MAP = f"The map: strikes and assets on the base map, which has no names. Of strikes, {_SYMBOLS}"
STYLES = {
    WHOLE_MAP: CatalogueStyle(WHOLE_MAP, "StrikeAtlas", _MAP, ("assets", "strikes"), on_base_map=True),
    **{name: CatalogueStyle(name, title, said, (name,)) for name, (title, said) in _ALONE.items()},
}


def styles_of(collection: str) -> dict[str, CatalogueStyle]:
    """Return the styles that draw one collection and nothing else, by name."""
    return {name: style for name, style in STYLES.items() if style.collections == (collection,)}


def style_layer(collection: Collection, look: StyleTable) -> dict[str, Any]:
    """Describe a collection as a layer of a style (20-009, 7.5.6): its geometry, and the columns that rules read."""
    drawn = rules(collection.name, look)
    geometries = {rule.geometry for rule in drawn}
    names = {column for rule in drawn for column in _columns(rule)}
    return {
        "id": collection.name,
        "description": collection.description,
        "dataType": "vector",
        "geometryType": geometries.pop() if len(geometries) == 1 else "any",
        "propertiesSchema": {name: {"type": "string"} for name in sorted(names)},
    }


def _columns(rule: StyleRule) -> Iterator[str]:
    """Give the columns that a rule reads."""
    if rule.condition is not None:
        yield from rule.condition.columns
    if rule.stand_in is not None:
        yield rule.stand_in.column
    if isinstance(rule.paint, SymbolPaint):
        choices = (rule.paint.shape, rule.paint.host, rule.paint.fill)
        yield from (choice.column for choice in choices if choice.column)
