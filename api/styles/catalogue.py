"""Which styles there are, and in which encodings each is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.requests.negotiation import Format
from api.styles.rules import Marks, Table, rules
from layers.collections.collection import Collection

MAPBOX = Format("mapbox", "application/vnd.mapbox.style+json", "Mapbox Style", ("application/json",))
SLD11 = Format(
    "sld11", "application/vnd.ogc.sld+xml;version=1.1", "OGC SLD", ("application/vnd.ogc.se+xml;version=1.1",)
)
SLD10 = Format("sld10", "application/vnd.ogc.sld+xml;version=1.0", "OGC SLD")
#: What a style is told in; the first by default.
ENCODINGS = (MAPBOX, SLD11, SLD10)

#: Version of each encoding, and where it is specified.
SPECIFIED: Mapping[Format, tuple[str, str]] = {
    MAPBOX: ("8", "https://maplibre.org/maplibre-style-spec/"),
    SLD11: ("1.1.0", "https://www.ogc.org/standards/sld/"),
    SLD10: ("1.0.0", "https://www.ogc.org/standards/sld/"),
}
#: The style of the whole map.
WHOLE = "atlas"


@dataclass(frozen=True)
class Style:
    """A style: the collections that it draws, the later on top, and whether on the base map."""

    name: str
    title: str
    description: str
    collections: Sequence[str]
    grounded: bool = False


_SYMBOLS = "colour is the host country, shape the kind of what was hit, a filled symbol a corroborated strike."
_SITES = "Pipelines by what they carry, and sites from zoom 5 on."
STYLES = {
    style.name: style
    for style in (
        Style(
            WHOLE,
            "StrikeAtlas",
            f"The map: strikes and assets on the base map, which has no names. Of strikes, {_SYMBOLS}",
            ("assets", "strikes"),
            grounded=True,
        ),
        Style("strikes", "Strikes", f"Strikes: {_SYMBOLS}", ("strikes",)),
        Style("assets", "Assets", _SITES, ("assets",)),
        Style("attributions", "Attributions", "Attributions in the colour of their country.", ("attributions",)),
        Style("countries", "Countries", "Countries as areas.", ("countries",)),
    )
}


def of_collection(collection: str) -> dict[str, Style]:
    """The styles of a collection alone."""
    return {name: style for name, style in STYLES.items() if style.collections == (collection,)}


def layer(collection: Collection, look: Table) -> dict[str, Any]:
    """What a style needs of a collection (20-009, 7.5.6): its geometry, and the columns that rules ask for."""
    told = rules(collection.name, look)
    geometries = {rule.geometry for rule in told}
    names: set[str] = set()
    for rule in told:
        names |= set(rule.only.columns if rule.only else ()) | ({rule.known_by.column} if rule.known_by else set())
        if isinstance(rule.paint, Marks):
            names |= {one.column for one in (rule.paint.shape, rule.paint.host, rule.paint.fill) if one.column}
    return {
        "id": collection.name,
        "description": collection.description,
        "dataType": "vector",
        "geometryType": geometries.pop() if len(geometries) == 1 else "any",
        "propertiesSchema": {name: {"type": "string"} for name in sorted(names)},
    }
