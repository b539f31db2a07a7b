"""The symbol table of the one-file map: colour by host, fill by status, shape by target.

Colours and outlines are those of the web map, read from the table that it reads too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from api.exports.text import STATIC

#: Colours and symbols, see `api.styles.rules`.
STYLE_TABLE = json.loads((STATIC / "style-table.json").read_text(encoding="utf-8"))

#: Host country to colour. Two hues that colour-blind readers tell apart (Okabe and Ito 2008); five national
#: hues they do not, so every other country has the same neutral.
HOST_COLOURS: Mapping[str, str] = MappingProxyType({code: STYLE_TABLE["host"][code]["light"] for code in ("UA", "RU")})
OTHER_COLOUR: str = STYLE_TABLE["host"]["other"]["light"]

#: Statuses that are drawn filled; every other is drawn hollow.
FILLED = frozenset(status for status, fill in STYLE_TABLE["status"].items() if fill == "filled")

#: Pipelines by the group of what they carry: colour, and lengths of dash and gap in line widths (or none).
_LINES = STYLE_TABLE["line"]
PIPE_COLOURS: Mapping[str, str] = MappingProxyType({group: look["light"] for group, look in _LINES.items()})
PIPE_DASHES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {group: tuple(look["dash"] or ()) for group, look in _LINES.items()}
)
OTHER_PIPE_COLOUR = "#6d6d6d"


#: The figure of each group of targets as an SVG path in a box of 24 x 24; "none" is that of a target not known.
SHAPES: Mapping[str, str] = MappingProxyType(STYLE_TABLE["group"])


def colour_of(host_country: str | None) -> str:
    """Colour of an ISO 3166-1 alpha-2 host; the neutral for any other, and for none."""
    return HOST_COLOURS.get(host_country or "", OTHER_COLOUR)


def pipe_group(commodity: str) -> str:
    """Return the group of a commodity in a pipeline: "gas", "oil" (with its products), or "" for any other and none."""
    words = commodity.lower()
    if "gas" in words:
        return "gas"
    return "oil" if any(word in words for word in ("oil", "diesel", "product", "petrol", "condensate")) else ""
